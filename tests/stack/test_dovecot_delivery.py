# SPDX-License-Identifier: MIT
"""Mail end to end: Postfix with mumd, LMTP, IMAP; quota; submission with a login."""

import itertools
import os

import pytest

from lab import MailRecorder, Mumctl, Mumd, Postfix, SmtpDialogue, free_port, wait_until
from lab.mariadb import POSTFIX_PASSWORD

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)


class MailHost:
    """sections: of mumd's mum.conf, besides those of the database and the cache."""

    def __init__(self, lab, store, dovecots, name="mail", **sections):
        self.store = store
        self.outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
        self.postfix = Postfix(lab, self.outside.address, name=f"pf-{name}-{store.name}")
        database = dict(store.settings)
        if store.name == "mariadb":
            database["password"] = POSTFIX_PASSWORD
        self.mumd = Mumd(lab, {"database": database, "cache": {"ttl": "0s"}, **sections},
                         name=f"mumd-{name}-{store.name}", sockets=self.postfix.sockets).start()
        self.dovecot = dovecots(store, postfix=self.postfix, sections={"cache": {"ttl": "0s"}})
        self.postfix.start()

    def send(self, recipient, subject, body="Hello.", sender=None):
        smtp = self.postfix.smtp()
        smtp.mail(sender or f"stranger{next(_numbers)}@foreign.test")
        reply = smtp.rcpt(recipient)
        return smtp.data(subject, body=body) if reply.startswith("250") else reply

    def subjects(self, user, password="secret"):
        """The subjects in the INBOX, read over IMAP."""
        imap = self.dovecot.imap()
        assert imap.enter(user, password) == "OK"
        imap.select("INBOX")
        _, (numbers,) = imap.search(None, "ALL")
        found = []
        for number in numbers.split():
            _, parts = imap.fetch(number, "(BODY[HEADER.FIELDS (SUBJECT)])")
            found.append(parts[0][1].decode().partition(":")[2].strip())
        imap.logout()
        return found

    def login(self, user, password="secret"):
        dialogue = SmtpDialogue(self.postfix.submission_port)
        return dialogue, dialogue.login(user, password)


@pytest.fixture(scope="module")
def _hosts():
    return {}


@pytest.fixture
def host(lab, store, dovecots, _hosts):
    if store.name not in _hosts:
        _hosts[store.name] = MailHost(lab, store, dovecots)
    return _hosts[store.name]


@pytest.fixture
def user(store):
    return store.add(f"mail{next(_numbers)}")


def add_alias(store, address, *recipients):
    local, _, _ = address.partition("@")
    number = 1000 + next(_numbers)
    store.insert("aliases", id=number, local_part=local, domain_id=1)
    for recipient in recipients:
        store.insert("alias_recipients", alias_id=number, recipient_address=recipient,
                     mailbox_id=None)


@pytest.mark.parametrize("spelling", ["%s", "upper", "%s+ext"])
def test_mail_to_a_mailbox_can_be_read_over_imap(host, user, spelling):
    local, _, domain = user.partition("@")
    recipient = user.upper() if spelling == "upper" else f"{spelling % local}@{domain}"
    subject = f"subject {next(_numbers)}"
    assert host.send(recipient, subject).startswith("250")
    wait_until(lambda: subject in host.subjects(user), "the mail in the INBOX", 15)
    assert host.subjects(user) == [subject]


def test_mail_to_an_alias_reaches_all_its_mailboxes(host, store, user):
    other = store.add(f"mail{next(_numbers)}")
    alias = f"list{next(_numbers)}@example.test"
    add_alias(store, alias, user, other)
    subject = f"subject {next(_numbers)}"
    assert host.send(alias.replace("@", "+news@"), subject).startswith("250")
    for recipient in (user, other):
        wait_until(lambda name=recipient: host.subjects(name) == [subject], "the mail", 15)


def test_mail_for_a_name_with_a_blank_or_a_quote_arrives(host, store):
    for local, typed in (("with blank", '"with blank"'), ("o'clock", "o'clock")):
        user = store.add(local)
        subject = f"subject {next(_numbers)}"
        assert host.send(f"{typed}@example.test", subject).startswith("250")
        wait_until(lambda name=user: host.subjects(name) == [subject], f"mail for {local}", 15)


def test_lmtp_knows_only_who_accepts_mail(host, store, user):
    send_only = store.add(f"mail{next(_numbers)}", send_only=1)
    inactive = store.add(f"mail{next(_numbers)}", active=0)
    with host.dovecot.lmtp() as lmtp:
        replies = [lmtp.rcpt(name)[:9] for name in (user, send_only, inactive, "nobody@example.test")]
    assert replies == ["250 2.1.5", "550 5.1.1", "550 5.1.1", "550 5.1.1"]


def test_quota_is_enforced_at_delivery_and_shown_over_imap(host, store):
    user = store.add(f"mail{next(_numbers)}", quota=1)
    host.dovecot.fill(user, 1200 * 1024 * 1024)
    imap = host.dovecot.imap()
    assert imap.enter(user, "secret") == "OK"
    imap.select("INBOX")
    used, limit = imap.quota()
    assert limit == 1024 * 1024 and 1200 * 1024 <= used < 1201 * 1024
    imap.logout()
    with host.dovecot.lmtp() as lmtp:
        assert lmtp.deliver(user, "too much").startswith("552 5.2.2")
    store.change(user, quota=2)
    with host.dovecot.lmtp() as lmtp:
        assert lmtp.deliver(user, "fits now").startswith("250")


def test_quota_of_the_domain_counts_and_none_is_none(host, store):
    for domain, quota, expected in (("example.test", None, 3 * 1024 * 1024),
                                    ("example.test", 0, None), ("noquota.test", None, None)):
        imap = host.dovecot.imap()
        assert imap.enter(store.add(f"mail{next(_numbers)}", domain=domain, quota=quota),
                          "secret") == "OK"
        found = imap.quota()
        assert (found[1] if found else None) == expected
        imap.logout()


SENDERS = [("own", "250"), ("extension", "250"), ("other", "553"), ("foreign", "553")]


@pytest.mark.parametrize("sender, code", SENDERS)
@pytest.mark.parametrize("send_only", [0, 1])
def test_login_over_dovecot_may_send_under_its_own_name_only(host, store, sender, code, send_only):
    user = store.add(f"mail{next(_numbers)}", send_only=send_only)
    dialogue, reply = host.login(user.upper())
    assert reply.startswith("235")
    address = {"own": user, "extension": user.replace("@", "+x@"),
               "other": store.add(f"mail{next(_numbers)}"), "foreign": "boss@bank.test"}[sender]
    dialogue.mail(address)
    assert dialogue.rcpt("friend@external.test")[:3] == code
    if code == "250":
        subject = f"subject {next(_numbers)}"
        assert dialogue.data(subject, address).startswith("250")
        host.outside.wait(subject, 1)


def test_compare_reads_who_sent_as_what_from_the_log_that_postfix_wrote(host, store):
    user = store.add(f"mail{next(_numbers)}")
    subjects = [f"subject {next(_numbers)}" for _ in range(2)]
    for subject in subjects:
        dialogue, reply = host.login(user)
        assert reply.startswith("235")
        dialogue.mail(user)
        dialogue.rcpt("friend@external.test")
        assert dialogue.data(subject, user).startswith("250")
        host.outside.wait(subject, 1)

    def senders():
        result = Mumctl(host.mumd.config).run(
            "--json", "compare", "--postfix", "/nonexistent", "--maillog", host.postfix.maillog,
            environment={"MAIL_CONFIG": str(host.postfix.config)})
        return result.json()["senders"]

    assert senders()["stock"] == "mumd"     # of the shipped master.cf
    assert user not in {one["login"] for one in senders()["changed"]}
    store.change(user, active=0)
    assert {"login": user, "sender": user, "mails": 2, "stock": "accepted", "mum": "refused"} in (
        senders()["changed"])


@pytest.mark.parametrize("case, code", [("right", "235"), ("wrong", "535"), ("inactive", "535"),
                                        ("unknown", "535"), ("send-only", "235"),
                                        ("send-only, wrong", "535"), ("malformed", "535")])
def test_submission_login(host, store, case, code):
    columns = {"inactive": {"active": 0}, "send-only": {"send_only": 1},
               "send-only, wrong": {"send_only": 1}, "malformed": {"password": "secret"}}
    user = ("nobody@example.test" if case == "unknown"
            else store.add(f"mail{next(_numbers)}", **columns.get(case, {})))
    _, reply = host.login(user, "wrong" if "wrong" in case else "secret")
    assert reply[:3] == code
