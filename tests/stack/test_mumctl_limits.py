# SPDX-License-Identifier: MIT
"""mumctl check calls an alias too deep or too wide if, and only if, Postfix with these
limits cannot expand it; and Postfix does what check says about SMTPUTF8 and extensions.
"""

import itertools

import pytest

from dovecot_stores import SqliteStore
from lab import MailRecorder, Mumctl, Mumd, Postfix, free_port, wait_until

DEEP, WIDE = 4, 8


def chain(name, length, more=()):
    """So many aliases in a row; more: further recipients of each, before the next alias."""
    return {f"{name}{n}": [*more, f"{name}{n + 1}" if n < length else "x@external.test"]
            for n in range(1, length + 1)}


def spread(name, count):
    return {f"{name}1": [f"{name}-{n}@external.test" for n in range(count)]}


# What it is: ({alias: recipients}, the finding). The first alias gets mail.
LIMITS = {
    "as many in a row as Postfix follows": (chain("a", DEEP - 1), None),
    "one more": (chain("b", DEEP), "alias-too-deep"),
    "many, each behind another recipient": (chain("c", WIDE - 1, ["y@external.test"]), None),
    "a row behind another recipient": (
        {"d0": ["y@external.test", "d1"], **chain("d", DEEP)}, "alias-too-deep"),
    "a row that a first recipient ends": (
        {"e0": ["y@external.test", "e1"], **chain("e", DEEP - 1)}, None),
    "a row by way of extensions": (
        {"f1": ["f2+x"], "f2": ["f3"], "f3": ["f4+y"], "f4": ["x@external.test"]},
        "alias-too-deep"),
    "as many recipients as Postfix takes": (spread("g", WIDE), None),
    "one recipient more": (spread("h", WIDE + 1), "alias-too-wide"),
}


@pytest.fixture(scope="module")
def world(lab):
    """(Postfix, mumctl that sees its settings, what LMTP got)"""
    store = SqliteStore(lab, "limits")
    numbers = itertools.count(1)
    store.add("anna")
    for aliases, _ in LIMITS.values():
        for name, recipients in aliases.items():
            number = next(numbers)
            store.insert("aliases", id=number, local_part=name, domain_id=1, active=1)
            for recipient in recipients:
                store.insert("alias_recipients", alias_id=number, recipient_address=(
                    recipient if "@" in recipient else f"{recipient}@example.test"))
    outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
    postfix = Postfix(lab, outside.address, name="pf-limits", settings=[
        f"virtual_alias_recursion_limit = {DEEP}", f"virtual_alias_expansion_limit = {WIDE}"])
    mumd = Mumd(lab, {"database": store.settings}, name="mumd-limits",
                sockets=postfix.sockets).start()
    lmtp = lab.own(MailRecorder(postfix.queue / "private/dovecot-lmtp"))
    postfix.start()
    return postfix, Mumctl(mumd.config, ["env", f"MAIL_CONFIG={postfix.config}"]), lmtp


@pytest.fixture(scope="module")
def findings(world):
    return world[1].findings("--all")


@pytest.mark.parametrize("case", LIMITS)
def test_check_and_postfix_agree(world, findings, case):
    postfix = world[0]
    aliases, code = LIMITS[case]
    names = {f"<{name}@example.test>" for name in aliases}
    said = {one["code"] for one in findings if one["where"].split()[-1] in names}
    dialogue = postfix.smtp()
    dialogue.mail("stranger@foreign.test")
    assert dialogue.rcpt(f"{next(iter(aliases))}@example.test").startswith("250 ")
    reply = dialogue.data("limits")
    dialogue.quit()
    assert reply.startswith("451 4.6.0 Alias expansion error" if code else "250 "), reply
    assert said == ({code} if code else set()), findings


def send(postfix, subject, options=""):
    dialogue = postfix.smtp()
    dialogue.mail("stranger@foreign.test", options)
    assert dialogue.rcpt("anna@example.test").startswith("250 ")
    assert dialogue.data(subject).startswith("250 ")
    dialogue.quit()


def test_a_plain_utf8_subject_is_bounced_where_check_says_so(world, findings):
    """It bounces after Postfix has accepted it: like Dovecot's, the LMTP server here does
    not offer SMTPUTF8.
    """
    postfix, _, lmtp = world
    assert "smtputf8-lmtp" in {one["code"] for one in findings}
    send(postfix, "plain", " SMTPUTF8")
    send(postfix, "grüße", " SMTPUTF8")
    wait_until(lambda: "dsn=5.6.7" in postfix.log(), "it is bounced", 20)
    lmtp.wait("plain", 1)
    assert lmtp.mails("grüße") == []


def test_and_passes_where_smtputf8_is_off(world):
    postfix, ctl, lmtp = world
    postfix.set("smtputf8_enable = no")
    postfix.command("reload")
    send(postfix, "schöne grüße")
    lmtp.wait("schöne grüße", 1)
    assert "smtputf8-lmtp" not in {one["code"] for one in ctl.findings()}


@pytest.mark.parametrize("propagate, extension", [("true", "+news"), ("false", "")])
def test_an_extension_goes_behind_the_recipients_as_it_is_told(lab, propagate, extension):
    store = SqliteStore(lab, f"propagate-{propagate}")
    store.insert("aliases", id=1, local_part="fwd", domain_id=1, active=1)
    store.insert("alias_recipients", alias_id=1, recipient_address="partner@else.test")
    mumd = Mumd(lab, {"database": store.settings, "address": {"propagate_extension": propagate}},
                name=f"mumd-propagate-{propagate}").start()
    want = f"partner{extension}@else.test"
    assert mumd.lookup("aliases", "fwd+news@example.test") == f"OK {want}".encode()
    assert mumd.lookup("aliases", "fwd@example.test") == b"OK partner@else.test"
    found = Mumctl(mumd.config).run("query", "aliases", "fwd+news@example.test")
    assert (found.status, found.stdout) == (0, f"{want}\n")
