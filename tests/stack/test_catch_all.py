# SPDX-License-Identifier: MIT
"""Catch-alls and roles: who gets the mail of a name that nobody has, with real mail.

tests/stack/test_catch_all_rules.py has the rules one by one, against a model.
"""

import itertools

import pytest

from dovecot_stores import DOMAINS, STORES
from lab import Dovecot, MailRecorder, Mumctl, Mumd, Postfix, free_port, wait_until
from lab.lab import run
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD

ACCEPTED = "250 2.1.5 Ok"
UNKNOWN = "550 5.1.1 <%s>: Recipient address rejected: User unknown in virtual mailbox table"
NOT_OWNED = "553 5.7.1 <%s>: Sender address rejected: not owned by user %s"

PAST = "2020-01-01 00:00:00"

_numbers = itertools.count(1)


def insert_alias(store, number, local, recipients, domain="example.test", senders=(), **columns):
    """recipients: texts, or (text, id of the mailbox)."""
    store.insert("aliases", id=number, local_part=local, domain_id=DOMAINS[domain][0], **columns)
    for recipient in recipients:
        text, mailbox = recipient if isinstance(recipient, tuple) else (recipient, None)
        store.insert("alias_recipients", alias_id=number, recipient_address=text,
                     mailbox_id=mailbox)
    for sender in senders:
        store.insert("alias_senders", alias_id=number, mailbox_id=sender)


def fill(store):
    for local, odd in (("anna", {}), ("ben", {}), ("gone", {"active": 0}),
                       ("scanner", {"send_only": 1}), ("admin", {})):
        store.add(local, **odd)     # ids 1 to 5
    store.add("postmaster", "noquota.test", active=0)
    store.add("abuse", "noquota.test")
    store.add("uwe", "bücher.test")
    insert_alias(store, 1, "", [("ben@example.test", 2), "friend@external.test",
                                "nobody@example.test"], senders=[1])
    insert_alias(store, 2, "team", ["anna@example.test"])
    insert_alias(store, 3, "expired", ["anna@example.test"], deactivate_at=PAST)
    insert_alias(store, 4, "off", ["anna@example.test"], active=0)
    insert_alias(store, 5, "list", ["whoever@example.test", "anna@example.test"])
    insert_alias(store, 6, "dead", [("gone@example.test", 3)])
    insert_alias(store, 7, "", ["uwe@bücher.test"], "bücher.test")
    insert_alias(store, 8, "", ["anna@example.test"], "closed.test")


class Host:
    """Postfix, a mumd with everything on, and an LMTP server that takes all it is given."""

    def __init__(self, lab, name):
        self.store = STORES[name](lab, f"catchall-{name}")
        fill(self.store)
        self.outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
        # A loop ends at the limit, which is 1000 by default: as many questions.
        self.postfix = Postfix(lab, self.outside.address, name=f"pf-catchall-{name}",
                               settings=["virtual_alias_recursion_limit = 20"])
        database = dict(self.store.settings)
        if name == "mariadb":
            database["password"] = POSTFIX_PASSWORD
        # Whose password is unknown is tried until the deadline.
        dovecot = {"password": DOVECOT_PASSWORD} if name == "mariadb" else {}
        self.database = database
        self.other = Mumd(lab, {"database": database}, name=f"other-catchall-{name}")
        self.mumd = Mumd(lab, {
            "database": database,
            "dovecot": dovecot,
            "cache": {"ttl": "0s"},
            "address": {"other_maps": "off", "catch_all": "on", "catch_all_senders": "on",
                        "roles": ["postmaster", "abuse"],
                        "role_recipient": "admin@example.test"},
        }, name=f"mumd-catchall-{name}", sockets=self.postfix.sockets).start()
        self.inside = lab.own(MailRecorder(self.postfix.queue / "private/dovecot-lmtp"))
        Dovecot(lab, self.postfix, ["anna@example.test", "ben@example.test"],
                name=f"dc-catchall-{name}").start()
        self.postfix.start()

    def rcpt(self, recipient, options=""):
        smtp = self.postfix.smtp()
        smtp.mail(f"stranger{next(_numbers)}@external.test", options)
        reply = smtp.rcpt(recipient)
        smtp.quit()
        return reply

    def deliver(self, recipient, inside, outside=()):
        """Who got a mail to the recipient: exactly these."""
        subject = f"catch-all {next(_numbers)} {self.store.name}"
        smtp = self.postfix.smtp()
        smtp.mail(f"stranger{next(_numbers)}@external.test")
        assert smtp.rcpt(recipient) == ACCEPTED
        assert smtp.data(subject).startswith("250 ")
        smtp.quit()
        wait_until(lambda: len(self.inside.mails(subject)) >= len(inside)
                   and len(self.outside.mails(subject)) >= len(outside), self.postfix.log())
        wait_until(self.postfix.is_idle, self.postfix.log())
        assert self.inside.recipients(subject) == sorted(inside)
        assert self.outside.recipients(subject) == sorted(outside)


@pytest.fixture(scope="module", params=list(STORES))
def host(request, lab):
    return Host(lab, request.param)


CAUGHT = (["ben@example.test"], ["friend@external.test"])


@pytest.mark.parametrize("recipient, inside, outside", [
    ("stranger@example.test", *CAUGHT),
    ("Stranger+Shop@EXAMPLE.test", *CAUGHT),            # no extension is attached
    ('"two words"@example.test', *CAUGHT),
    ("anna@example.test", ["anna@example.test"], []),
    ("anna+shop@example.test", ["anna+shop@example.test"], []),
    ("team@example.test", ["anna@example.test"], []),
    ("list@example.test", ["anna@example.test", "ben@example.test"], ["friend@external.test"]),
    ("nobody@xn--bcher-kva.test", ["uwe@xn--bcher-kva.test"], []),
    ("postmaster@example.test", ["admin@example.test"], []),
    ("Abuse+Report@example.test", ["admin@example.test"], []),
    ("postmaster@noquota.test", ["admin@example.test"], []),    # its mailbox is inactive
    ("abuse@noquota.test", ["abuse@noquota.test"], []),
    ("postmaster@xn--bcher-kva.test", ["admin@example.test"], []),
])
def test_mail_reaches(host, recipient, inside, outside):
    host.deliver(recipient, inside, outside)


KNOWN = ["gone@example.test", "gone+x@example.test", "expired@example.test",
         "off@example.test", "stranger@noquota.test", "double-bounce@example.test",
         "mailer-daemon@example.test", "Mailer-Daemon+x@example.test"]


@pytest.mark.parametrize("recipient", KNOWN)
def test_a_name_that_mum_knows_is_not_caught(host, recipient):
    assert host.rcpt(recipient) == UNKNOWN % recipient


@pytest.mark.parametrize("recipient, reason", [
    ("scanner@example.test", "mailbox does not accept mail (send-only)"),
    ("dead@example.test", "alias leads to no mailbox that accepts mail")])
def test_what_takes_no_mail_is_refused_as_without_a_catch_all(host, recipient, reason):
    assert host.rcpt(recipient) == f"550 5.2.1 <{recipient}>: Recipient address rejected: {reason}"


def test_an_inactive_domain_has_neither(host):
    for local in ("stranger", "postmaster"):
        assert host.rcpt(f"{local}@closed.test").startswith("554 5.7.1 ")


def test_a_u_label_is_caught_as_its_a_label(host):
    assert host.rcpt("jemand@bücher.test", " SMTPUTF8") == ACCEPTED
    assert host.mumd.lookup("aliases", "jemand@bücher.test") == b"OK uwe@xn--bcher-kva.test"


@pytest.fixture
def verified(host):
    """Postfix asks itself whether it could deliver, and nobody else."""
    config = host.postfix.config
    name = "smtpd_recipient_restrictions"
    before = run("postconf", "-c", config, "-h", name).stdout.strip()
    run("postconf", "-c", config, "-e", f"{name} = reject_unverified_recipient",
        "unverified_recipient_reject_code = 550", "address_verify_map =",
        "address_verify_poll_count = 30", "address_verify_poll_delay = 1s")
    host.postfix.command("reload")
    yield host
    run("postconf", "-c", config, "-e", f"{name} = {before}")
    host.postfix.command("reload")


def test_verify_probes_say_the_same(verified):
    for recipient in ("asked@example.test", "anna@example.test", "team@example.test",
                      "postmaster@noquota.test"):
        assert verified.rcpt(recipient) == ACCEPTED
    for recipient in ("gone@example.test", "expired@example.test", "stranger@noquota.test"):
        assert verified.rcpt(recipient).startswith("550 "), recipient


def report(host, *recipients):
    """What sendmail -bv reports: {(original recipient, recipient): its action}."""
    admin = f"admin{next(_numbers)}@external.test"
    run("sendmail", "-C", host.postfix.config, "-bv", "-f", admin, *recipients)
    wait_until(lambda: host.outside.texts(admin), host.postfix.log())
    text, = host.outside.texts(admin)
    found = {}
    for block in text.replace("\r", "").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "Action" in fields:
            names = [fields[name].partition(";")[2].strip()
                     for name in ("Original-Recipient", "Final-Recipient") if name in fields]
            found[names[0], names[-1]] = fields["Action"]
    return found


REPORTED = {
    "probed@example.test": ["ben@example.test", "friend@external.test"],
    "list@example.test": ["anna@example.test", "ben@example.test", "friend@external.test"],
    "Abuse+Report@example.test": ["admin@example.test"],
    "postmaster@noquota.test": ["admin@example.test"],
    "anna@example.test": ["anna@example.test"],
    "someone@xn--bcher-kva.test": ["uwe@xn--bcher-kva.test"]}


def test_sendmail_bv_reports_who_would_get_it(host):
    """Each recipient is probed by himself, and nothing is delivered."""
    before = len(host.inside.mails())
    known = ["gone@example.test", "expired@example.test", "stranger@noquota.test"]
    host.inside.refuse(known)
    try:
        found = report(host, *REPORTED, *known)
    finally:
        host.inside.refuse(())
    assert found == {
        **{(first, final): "deliverable" for first, some in REPORTED.items() for final in some},
        **{(name, name): "undeliverable" for name in known}}
    assert len(host.inside.mails()) == before


def test_a_question_for_a_whole_domain_has_no_answer(host):
    """Postfix does not ask it of us, but other programs may; anna's mail would be caught."""
    for key in ("@example.test", "example.test", "@bücher.test"):
        assert host.postfix.postmap("aliases", key) == (1, "")
        assert host.postfix.postmap("mailboxes", key) == (1, "")
        assert host.postfix.postmap("sender-login-maps", key) == (1, "")


@pytest.mark.parametrize("login, sender, allowed", [
    ("anna@example.test", "anna@example.test", True),
    ("anna@example.test", "whatever@example.test", True),
    ("anna@example.test", "Whatever+x@example.test", True),
    ("anna@example.test", "ben@example.test", False),
    ("anna@example.test", "gone@example.test", False),
    ("anna@example.test", "team@example.test", False),      # it has no senders, and is known
    ("anna@example.test", "expired+x@example.test", False),
    ("anna@example.test", "double-bounce@example.test", False),
    ("anna@example.test", "whatever@noquota.test", False),
    ("ben@example.test", "whatever@example.test", False),   # a recipient, and no sender
])
def test_senders_of_a_catch_all_own_what_nobody_has(host, login, sender, allowed):
    smtp = host.postfix.submission(login)
    assert smtp.mail(sender).startswith("250 ")
    assert smtp.rcpt("friend@external.test") == (
        ACCEPTED if allowed else NOT_OWNED % (sender, login))
    smtp.quit()


# ---- mumctl ----

@pytest.mark.parametrize("address, summary, reason", [
    ("stranger+x@example.test", "<ben@example.test> and <friend@external.test> get its mail",
     "nothing has this name, so the domain's catch-all counts: 2 of 3 recipients get mail; "
     "<nobody@example.test> is unknown in a domain of MUM's"),
    ("postmaster@noquota.test", "<admin@example.test> gets its mail",
     "a role of mum.conf, and nobody else takes its mail: 1 of 1 recipients get mail"),
    ("gone@example.test", "nobody here gets its mail, because the mailbox is inactive",
     "no alias has this name"),
])
def test_explain_names_who_answers(host, address, summary, reason):
    said = Mumctl(host.mumd.config).json("explain", address)
    assert summary in said["summary"]
    assert [one["reason"] for one in said["verdicts"] if one["what"] == "aliases"] == [reason]


@pytest.mark.parametrize("address, reason", [
    ("stranger@example.test", "nothing has this name, so the domain's catch-all counts: "
                              "1 of 1 mailboxes may send as this address"),
    ("anna@example.test", "1 of 1 mailboxes may send as this address"),
    ("team@example.test", "no mailbox has this name, and no alias with senders")])
def test_explain_tells_senders_of_a_catch_all_from_owners(host, address, reason):
    said = Mumctl(host.mumd.config).json("explain", address)
    assert [one["reason"] for one in said["verdicts"]
            if one["what"] == "sender-login-maps"] == [reason]


def full_findings(host, **address):
    """Those about aliases, recipients and roles, with other options of the section."""
    settings = {"database": host.database, "address": {
        "other_maps": "off", "catch_all": "on", "roles": ["postmaster", "abuse"],
        "role_recipient": "admin@example.test", **address}}
    host.other.write(settings)
    return [one for one in Mumctl(host.other.config).findings()
            if one["code"].startswith(("alias-", "recipient-", "role-", "catch-", "name-"))]


def findings(host, **address):
    return [(one["code"], one["where"]) for one in full_findings(host, **address)]


def test_check_judges_catch_alls_as_mumd_does(host):
    """A recipient that is caught is no finding, one that only a catch-all could catch is."""
    found = findings(host)
    assert set(found) == {("alias-expired", "aliases.id=3 <expired@example.test>"),
                          ("alias-dead", "aliases.id=6 <dead@example.test>"),
                          ("recipient-dead", found[0][1])}
    assert found[0][1].endswith("<@example.test>")


@pytest.mark.parametrize("recipient, dead", [
    ("admin@example.test", False), ("team+x@example.test", False), ("x@external.test", False),
    ("gone@example.test", True), ("scanner@example.test", True), ("list@example.test", False),
    ("nobody@example.test", True), ("postmaster@example.test", True),
    ("postmaster@noquota.test", True), ("abuse@noquota.test", False),
    ("dead@example.test", True), ("dead+x@example.test", True), ("anna@closed.test", True)])
def test_check_judges_the_recipient_of_roles(host, recipient, dead):
    found = findings(host, role_recipient=recipient)
    assert found.count(("role-recipient-dead", "address.role_recipient")) == dead


@pytest.mark.parametrize("recipient, level", [
    ("admin@example.test", None), ("nobody@example.test", "warning"), ("gone@example.test", "error")])
def test_another_table_may_have_the_recipient_of_roles(host, recipient, level):
    found = full_findings(host, other_maps="on", catch_all="off", role_recipient=recipient)
    assert [one["level"] for one in found if one["code"] == "role-recipient-dead"] == (
        [] if level is None else [level])


@pytest.mark.parametrize("mailbox, recipients, dead", [
    ({}, [], False), ({"send_only": 1}, [], True),
    (None, ["anna@example.test"], False), (None, ["gone@example.test"], True)])
def test_what_has_the_whole_name_takes_mail_for_roles(host, mailbox, recipients, dead):
    """The alias of the base form has no live recipient, and that does not count then."""
    if mailbox is not None:
        host.store.add("dead+x", **mailbox)
    else:
        insert_alias(host.store, 900, "dead+x", recipients)
    try:
        found = findings(host, role_recipient="dead+x@example.test")
        assert found.count(("role-recipient-dead", "address.role_recipient")) == dead
        said = Mumctl(host.other.config).json("explain", "dead+x@example.test")["summary"]
        assert ("nobody" in said or "refused" in said) == dead, said
    finally:
        host.store.run("DELETE FROM alias_recipients WHERE alias_id = 900")
        host.store.run("DELETE FROM aliases WHERE id = 900")
        host.store.remove("dead+x@example.test")


LOOPS = {"to-list": [("", ["to-list@second.test"]), ("to-list", ["whoever@second.test"])],
         "to-role": [("chief", ["abuse@second.test"])]}
ENDLESS = {"to-list": ["someone@second.test", "to-list+x@second.test"],
           "to-role": ["abuse@second.test", "postmaster@second.test", "chief@second.test"]}


@pytest.mark.parametrize("case", LOOPS)
def test_check_and_postfix_agree_about_loops(host, case):
    rows = LOOPS[case]
    host.store.insert("domains", id=90, domain="second.test", active=1, homedir="/srv/90")
    for number, (local, recipients) in enumerate(rows, 900):
        host.store.insert("aliases", id=number, local_part=local, domain_id=90)
        for recipient in recipients:
            host.store.insert("alias_recipients", alias_id=number, recipient_address=recipient)
    try:
        found = findings(host, role_recipient="chief@second.test")
        assert [code for code, _ in found].count("alias-loop") == 1, found
        for address in ENDLESS[case]:
            said = Mumctl(host.other.config).json("explain", address)["summary"]
            assert said.startswith(f"<{address}>: its mail is deferred, because the aliases "
                                   "behind it lead back to themselves"), said
        if case == "to-list":
            smtp = host.postfix.smtp()
            smtp.mail(f"stranger{next(_numbers)}@external.test")
            assert smtp.rcpt("someone@second.test") == ACCEPTED
            assert smtp.data("a loop").startswith("451 4.6.0 Alias expansion error")
            smtp.quit()
    finally:
        host.store.run("DELETE FROM alias_recipients WHERE alias_id >= 900")
        host.store.run("DELETE FROM aliases WHERE id >= 900")
        host.store.run("DELETE FROM domains WHERE id = 90")
