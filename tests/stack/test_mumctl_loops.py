# SPDX-License-Identifier: MIT
"""mumctl check and explain call aliases a loop if, and only if, Postfix cannot expand them:
each alias is in MUM's table, and a real Postfix gets mail to it.
"""

import itertools

import pytest

from dovecot_stores import SqliteStore
from lab import MailRecorder, Mumctl, Mumd, Postfix, free_port

# mumd returns no recipient that would come back with one more extension.
REFUSED = "refused"

# {what it is: ({alias: recipients}, those with a mailbox, is it a loop?)}. The first
# alias gets mail.
LOOPS = {
    "two": ({"a1": ["b1"], "b1": ["a1"]}, [], True),
    "two with another way out": ({"a2": ["b2", "x@external.test"], "b2": ["a2"]}, [], True),
    "one that gains an extension": ({"a3": ["a3+x"]}, [], REFUSED),
    "a copy": ({"a4": ["a4", "x@external.test"]}, ["a4"], False),
    "two that both keep a copy": ({"a5": ["a5", "b5"], "b5": ["b5", "a5"]}, ["a5", "b5"], False),
    "two, the first of which keeps a copy": ({"a6": ["a6", "b6"], "b6": ["a6"]}, ["a6"], False),
    "two, the second of which keeps a copy": ({"a7": ["b7"], "b7": ["a7", "b7"]}, ["b7"], False),
    "the same in another case": ({"a8": ["B8"], "B8": ["A8", "b8"]}, ["b8"], False),
    "three, one of which keeps a copy": (
        {"a9": ["b9"], "b9": ["c9", "x@external.test"], "c9": ["a9", "c9"]}, ["c9"], False),
    "a loop beside a way by a copy": (
        {"a10": ["copy10", "b10"], "copy10": ["copy10", "b10"], "b10": ["a10"]}, ["copy10"], True),
    "a copy that gets an extension on the way back": (
        {"a11": ["a11", "b11"], "b11": ["a11+x"]}, ["a11"], True),
    "a copy that gives one": ({"a12": ["a12", "b12+x"], "b12": ["a12"]}, ["a12"], True),
    "a copy between others, one of which gives one": (
        {"a13": ["a13", "b13"], "b13": ["c13+x"], "c13": ["a13"]}, ["a13"], True),
    "one that its extension leads out of": ({"a14": ["a14+x"], "a14+x": ["m14"]}, ["m14"], False),
    "a copy without a mailbox": ({"a15": ["a15", "b15"], "b15": ["a15"]}, [], True),
}


@pytest.fixture(scope="module")
def world(lab):
    """(Postfix, mumctl, its findings)"""
    store = SqliteStore(lab, "loops")
    numbers = itertools.count(1)
    for aliases, mailboxes, _ in LOOPS.values():
        for name in mailboxes:
            store.add(name)
        for name, recipients in aliases.items():
            number = next(numbers)
            store.insert("aliases", id=number, local_part=name, domain_id=1, active=1)
            for recipient in recipients:
                store.insert("alias_recipients", alias_id=number, recipient_address=(
                    recipient if "@" in recipient else f"{recipient}@example.test"))
    outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
    postfix = Postfix(lab, outside.address, name="pf-loops")
    mumd = Mumd(lab, {"database": store.settings}, name="mumd-loops",
                sockets=postfix.sockets).start()
    lab.own(MailRecorder(postfix.queue / "private/dovecot-lmtp"))
    postfix.start()
    ctl = Mumctl(mumd.config)
    return postfix, ctl, ctl.findings()


@pytest.mark.parametrize("case", LOOPS)
def test_check_and_postfix_agree(world, case):
    postfix, ctl, findings = world
    aliases, _, loop = LOOPS[case]
    names = {f"<{name.casefold()}@example.test>" for name in aliases}
    said = [one for one in findings if one["code"] == "alias-loop"
            and one["where"].split()[-1] in names]
    first = f"{next(iter(aliases))}@example.test"
    summary = ctl.json("explain", first)["summary"]
    assert ("lead back to themselves" in summary) == (loop is True), summary
    dialogue = postfix.smtp()
    dialogue.mail("stranger@foreign.test")
    reply = dialogue.rcpt(first)
    if loop == REFUSED:
        assert reply.startswith("550 5.2.1 ") and said == [], (reply, findings)
        return
    assert reply.startswith("250 "), reply
    reply = dialogue.data("loop")
    dialogue.quit()
    assert reply.startswith("451 4.6.0 Alias expansion error" if loop else "250 "), reply
    assert len(said) == loop, findings
