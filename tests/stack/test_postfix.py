# SPDX-License-Identifier: MIT
"""Real mail through a real, chrooted Postfix with the configuration we ship."""

import itertools
import re
import socketserver
import threading

import pytest

from lab import SmtpDialogue, sample, wait_until
from lab.lab import TOP, run

# Postfix remembers what it resolved for a pair of sender and recipient, so each
# dialogue has its own sender.
_strangers = (f"stranger{n}@foreign.test" for n in itertools.count())
_subjects = (f"subject-{n}" for n in itertools.count())

ACCEPTED = "250 2.1.5 Ok"
SEND_ONLY = "550 5.2.1 <%s>: Recipient address rejected: mailbox does not accept mail (send-only)"
DEAD_ALIAS = ("550 5.2.1 <%s>: Recipient address rejected: "
              "alias leads to no mailbox that accepts mail")
UNKNOWN = "550 5.1.1 <%s>: Recipient address rejected: User unknown in virtual mailbox table"
RELAY = "554 5.7.1 <%s>: Relay access denied"
NOT_OWNED = "553 5.7.1 <%s>: Sender address rejected: not owned by user %s"

RCPT = [
    ("alice@example.test", ACCEPTED),
    ("ALICE@Example.Test", ACCEPTED),
    ("alice+ext@example.test", ACCEPTED),
    ("joe+tag@example.test", ACCEPTED),
    ("info@example.test", ACCEPTED),
    ("Info+Tag@example.test", ACCEPTED),
    ("mixed@example.test", ACCEPTED),
    ("dup@example.test", ACCEPTED),
    ("soalias@example.test", ACCEPTED),
    ("deadbox@example.test", ACCEPTED),
    ("copyso@example.test", ACCEPTED),
    ("expbox@example.test", ACCEPTED),
    ("future@example.test", ACCEPTED),
    ('"with space"@example.test', ACCEPTED),
    ('"two words"@example.test', ACCEPTED),
    ('"two words+x"@example.test', ACCEPTED),
    ("o'brien@example.test", ACCEPTED),
    ('"back\\\\slash"@example.test', ACCEPTED),
    ("uwe@xn--bcher-kva.test", ACCEPTED),
    ("books@xn--bcher-kva.test", ACCEPTED),
    ("anna@xn--caf-dma.test", ACCEPTED),
    ("ulla@upper.test", ACCEPTED),
    ("mixed.case@second.test", ACCEPTED),
    ("nobody@example.test", UNKNOWN),
    ("nobody+x@example.test", UNKNOWN),
    ("ina@example.test", UNKNOWN),
    ("inaso@example.test", UNKNOWN),
    ("old@example.test", UNKNOWN),
    ("expired@example.test", UNKNOWN),
    ("norecip@example.test", UNKNOWN),
    ("jorg@example.test", UNKNOWN),
    ('"alice "@example.test', UNKNOWN % "alice @example.test"),
    ("sendonly@example.test", SEND_ONLY),
    ("sendonly+x@example.test", SEND_ONLY),
    ("joe@example.test", SEND_ONLY),
    ("joe+x@example.test", SEND_ONLY),
    ("deadso@example.test", SEND_ONLY),
    ("shop@example.test", DEAD_ALIAS),
    ("toina@example.test", DEAD_ALIAS),
    ("selfonly@example.test", DEAD_ALIAS),
    ("blank@example.test", DEAD_ALIAS),
    ("dave@inactive.test", RELAY),
    ("gone@inactive.test", RELAY),
    ("x@foreign.test", RELAY),
    ("uwe@bucher.test", RELAY),
    ("alice@sub.example.test", RELAY),
    ("alice@example.test@foreign.test", RELAY),
    ("alice%foreign.test@example.test", RELAY),
    ("postmaster@localhost.mta.test", ACCEPTED),
    ("root@localhost.mta.test", ACCEPTED),      # local_recipient_maps is left alone
]

# With SMTPUTF8; smtpd asks for the folded form.
RCPT_UTF8 = [
    ("jörg@example.test", ACCEPTED),
    ("JÖRG@example.test", ACCEPTED),
    ("müller@example.test", ACCEPTED),
    ("Groß@example.test", ACCEPTED),
    ("ΣΑΣ@example.test", ACCEPTED),
    ("uwe@bücher.test", ACCEPTED),
    ("UWE@BÜCHER.TEST", ACCEPTED),
    ("anna@café.test", ACCEPTED),
    ("muller@example.test", UNKNOWN),
    ("\uff41lice@example.test", UNKNOWN),
    ("wally@xn--wei-7ka.test", ACCEPTED),
    ("wally@weiß.test", RELAY),                 # smtpd folds it: reaches us as weiss.test
]

SENDERS = [
    ("alice@example.test", "alice@example.test", True),
    ("alice@example.test", "ALICE@example.test", True),
    ("alice@example.test", "alice+x@example.test", True),
    ("alice@example.test", "info@example.test", True),
    ("alice@example.test", "sales@second.test", True),
    ("alice@example.test", "", True),
    ("alice@example.test", "bob@example.test", False),
    ("alice@example.test", "norecip@example.test", False),
    ("alice@example.test", "nobody@example.test", False),
    ("alice@example.test", "x@foreign.test", False),
    ("alice@example.test", "expired@example.test", False),
    ("alice@example.test", "old@example.test", False),
    ("sendonly@example.test", "sendonly@example.test", True),
    ("sendonly@example.test", "shop@example.test", True),
    ("joe@example.test", "joe+tag@example.test", False),
    ("joe+tag@example.test", "joe+tag@example.test", True),
    ("with space@example.test", '"with space"@example.test', True),
    ("with space@example.test", '"two words"@example.test', True),
    ("Mixed.Case@second.test", "mixed.case@second.test", True),
    ("jörg@example.test", "jörg@example.test", True),
    ("jörg@example.test", "müller@example.test", True),
    ("jörg@example.test", "muller@example.test", False),
    ("uwe@bücher.test", "idn@example.test", True),
    ("uwe@bücher.test", "uwe@xn--bcher-kva.test", True),
]

# The recipient, and who gets the mail: inside by LMTP, outside by SMTP.
DELIVERIES = [
    (["alice@example.test"], ["alice@example.test"], []),
    (["info@example.test"], ["alice@example.test", "bob@example.test"],
     ["friend@external.test"]),
    (["INFO@EXAMPLE.TEST"], ["alice@example.test", "bob@example.test"],
     ["friend@external.test"]),
    (["Info+Tag@example.test"], ["alice+Tag@example.test", "bob+Tag@example.test"],
     ["friend+Tag@external.test"]),
    (["nested@example.test"], ["alice@example.test", "bob@example.test"],
     ["friend@external.test"]),
    (["everywhere@example.test"],
     ["alice@example.test", "bob@example.test", "carol@second.test"],
     ["friend@external.test", "other@external.test"]),
    (["sales@second.test", "copyso@example.test", "ulla@upper.test"],
     ["bob@example.test", "carol@second.test", "ulla@upper.test"], []),
    (["mixed@example.test"], ["alice@example.test"], []),
    (["copy@example.test"], ["bob@example.test", "copy@example.test"], []),
    (["copy+x@example.test"], ["bob+x@example.test", "copy+x@example.test"], []),
    (["copynull@example.test"], ["bob@example.test", "copynull@example.test"], []),
    (["copyso@example.test"], ["bob@example.test"], []),
    (["selfloop@example.test"], ["carol@second.test"], []),
    (["soalias@example.test"], ["alice@example.test"], []),
    (["deadbox@example.test"], ["deadbox@example.test"], []),
    (["dup@example.test"], ["alice@example.test"], []),
    (["list+news@example.test"], ["alice@example.test"], []),
    (["list+other@example.test"], ["bob+other@example.test"], []),
    (["joe+tag@example.test"], ["joe+tag@example.test"], []),
    (['"two words+Ext"@example.test'], ['"with space+Ext"@example.test'], []),
    (["weird@example.test"], [], ['"a,b"@external.test', "lead@external.test"]),
    (["idn@example.test"], ["anna@xn--caf-dma.test", "uwe@xn--bcher-kva.test"], []),
    (["big@example.test"], [],
     [f"recipient-number-{n:03d}@external.test" for n in range(1, 61)]),
    (["thousand@big.test"], [], sample.MANY[:1000]),
]


@pytest.fixture
def mx(stack):
    dialogue = stack.postfix.smtp()
    yield dialogue
    dialogue.quit()


@pytest.mark.parametrize("recipient, want", RCPT)
def test_rcpt_from_a_stranger(mx, recipient, want):
    assert mx.mail(next(_strangers)).startswith("250 ")
    assert mx.rcpt(recipient) == (want % recipient if "%s" in want else want)


@pytest.mark.parametrize("recipient, want", RCPT_UTF8)
def test_rcpt_with_smtputf8(mx, recipient, want):
    assert mx.mail(next(_strangers), " SMTPUTF8").startswith("250 ")
    assert mx.rcpt(recipient) == (want % recipient if "%s" in want else want)


@pytest.mark.parametrize("recipient, want", [("alice@example.test", ACCEPTED),
                                             ("sendonly@example.test", SEND_ONLY)])
def test_rcpt_from_the_null_sender(mx, recipient, want):
    assert mx.mail("").startswith("250 ")
    assert mx.rcpt(recipient) == (want % recipient if "%s" in want else want)


def test_a_stranger_may_carry_an_own_address_to_the_mx(mx):
    """Forwarders and mailing lists do this, so it is not refused here."""
    assert mx.mail("bob@example.test").startswith("250 ")
    assert mx.rcpt("alice@example.test") == ACCEPTED


@pytest.mark.parametrize("sender", ["zed@not-ours.test", "alice@example.test"])
@pytest.mark.parametrize("recipient", ["zed@not-ours.test", "info@foreign.test",
                                       "friend@external.test", "x@secure.test"])
def test_no_stranger_relays_through_us(mx, sender, recipient):
    mx.mail(sender)
    assert mx.rcpt(recipient) == RELAY % recipient


@pytest.mark.parametrize("login, sender, allowed", SENDERS)
def test_sender_on_submission(stack, login, sender, allowed):
    dialogue = stack.postfix.submission(login)
    options = "" if sender.isascii() else " SMTPUTF8"
    assert dialogue.mail(sender, options).startswith("250 ")
    assert dialogue.rcpt("friend@external.test") == (
        ACCEPTED if allowed else NOT_OWNED % (sender, login))
    dialogue.quit()


@pytest.mark.parametrize("recipient, want", [
    ("friend@external.test", ACCEPTED), ("bob@example.test", ACCEPTED),
    ("nobody@example.test", UNKNOWN), ("sendonly@example.test", SEND_ONLY),
    ("shop@example.test", DEAD_ALIAS)])
def test_rcpt_on_submission(stack, recipient, want):
    dialogue = stack.postfix.submission("alice@example.test")
    dialogue.mail("alice@example.test")
    assert dialogue.rcpt(recipient) == (want % recipient if "%s" in want else want)
    dialogue.quit()


def test_submission_without_login_is_refused(stack):
    dialogue = SmtpDialogue(stack.postfix.submission_port)
    dialogue.mail("alice@example.test")
    assert dialogue.rcpt("bob@example.test").startswith("554 5.7.1 ")
    dialogue.quit()


@pytest.mark.parametrize("to, want_inside, want_outside", DELIVERIES)
def test_mail_reaches_each_recipient_exactly_once(stack, mx, to, want_inside, want_outside):
    subject = next(_subjects) + stack.name
    assert mx.mail(next(_strangers)).startswith("250 ")
    for recipient in to:
        assert mx.rcpt(recipient) == ACCEPTED
    assert mx.data(subject).startswith("250 2.0.0 Ok: queued")
    wait_until(lambda: len(stack.inside.mails(subject)) >= len(want_inside)
               and len(stack.outside.mails(subject)) >= len(want_outside), stack.postfix.log())
    wait_until(stack.postfix.is_idle, stack.postfix.log())
    assert stack.inside.recipients(subject) == sorted(want_inside)
    assert stack.outside.recipients(subject) == sorted(want_outside)


def test_tls_policy_of_a_parent_domain_holds(stack):
    """.enforced.test requires TLS, which nobody here offers; one host is exempt."""
    subject = next(_subjects) + stack.name
    dialogue = stack.postfix.submission("alice@example.test")
    dialogue.mail("alice@example.test")
    for host in ("plain", "sub", "deep.sub"):
        assert dialogue.rcpt(f"x@{host}.enforced.test") == ACCEPTED
    assert dialogue.data(subject).startswith("250 ")
    dialogue.quit()
    for host in ("sub", "deep.sub"):
        wait_until(lambda host=host: any(
            f"to=<x@{host}.enforced.test>" in line and "status=deferred (TLS is required" in line
            for line in stack.postfix.log().splitlines()), stack.postfix.log())
    stack.outside.wait(subject, 1)
    assert stack.outside.recipients(subject) == ["x@plain.enforced.test"]
    stack.postfix.empty_queue()


class Resolver(socketserver.StreamRequestHandler):
    """A socketmap like that of a resolver for MTA-STS and DANE, for the names in a table."""

    POLICIES = {"plain.enforced.test": "encrypt", "sub.enforced.test": "may"}

    def handle(self):
        while size := b"".join(iter(lambda: self.rfile.read(1).rstrip(b":"), b"")):
            name = self.rfile.read(int(size) + 1)[:-1].decode().partition("QUERY ")[2]
            policy = self.POLICIES.get(name)
            answer = f"OK {policy}" if policy else "NOTFOUND "
            self.wfile.write(f"{len(answer)}:{answer},".encode())


@pytest.fixture
def resolver(stack):
    """The resolver is asked behind our map, by the lines of the example."""
    text = (TOP / "conf-examples/main.cf").read_text()
    shown = re.search(r"^#(smtp_tls_policy_maps = [^#]*)#( .*)", text, re.MULTILINE)
    config = stack.postfix.config
    before = run("postconf", "-c", config, "-h", "smtp_tls_policy_maps").stdout.strip()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Resolver) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        setting = " ".join("".join(shown.groups()).split())
        assert "127.0.0.1:8642:" in setting
        run("postconf", "-c", config, "-e",
            setting.replace(":8642:", f":{server.server_address[1]}:"))
        stack.postfix.command("reload")
        yield
        run("postconf", "-c", config, "-e", f"smtp_tls_policy_maps = {before}")
        stack.postfix.command("reload")
        server.shutdown()


@pytest.mark.usefixtures("resolver")
def test_a_resolver_stands_behind_the_table(stack):
    """MUM has "none" for one host, and a policy for a parent of the other two; the resolver
    knows two hosts.
    """
    subject = next(_subjects) + stack.name
    dialogue = stack.postfix.submission("alice@example.test")
    dialogue.mail("alice@example.test")
    for host in ("plain", "sub", "deep.sub"):
        assert dialogue.rcpt(f"y@{host}.enforced.test") == ACCEPTED
    assert dialogue.data(subject).startswith("250 ")
    dialogue.quit()
    wait_until(lambda: any(
        "to=<y@deep.sub.enforced.test>" in line and "status=deferred (TLS is required" in line
        for line in stack.postfix.log().splitlines()), stack.postfix.log())
    stack.outside.wait(subject, 2)
    assert stack.outside.recipients(subject) == ["y@plain.enforced.test", "y@sub.enforced.test"]
    stack.postfix.empty_queue()


@pytest.mark.parametrize("table, key, want", [
    ("domains", "example.test", (0, "example.test")),
    ("domains", "foreign.test", (1, "")),
    ("mailboxes", "alice+x@example.test", (0, "1")),
    ("mailboxes", "nobody@example.test", (1, "")),
    ("mailboxes", "", (1, "")),
    ("aliases", "info+Tag@example.test",
     (0, "bob+Tag@example.test,alice+Tag@example.test,friend+Tag@external.test")),
    ("aliases", "example.test", (1, "")),
    ("sender-login-maps", "info@example.test", (0, "alice@example.test,carol@second.test")),
    ("recipient-access", "alice@example.test", (0, "DUNNO")),
    ("recipient-access", "sendonly@example.test",
     (0, "550 5.2.1 mailbox does not accept mail (send-only)")),
    ("tls-policies", "null.test", (0, "encrypt")),
    ("tls-policies", "off.test", (1, "")),
])
def test_postmap_as_an_admin_asks(stack, table, key, want):
    assert stack.postfix.postmap(table, key) == want


def test_postmap_reads_a_value_of_the_greatest_length(stack):
    status, value = stack.postfix.postmap("aliases", "limit@big.test")
    assert status == 0 and len(value) == 99997


def test_an_alias_of_more_than_a_thousand_recipients_defers_mail(stack, mx):
    """By virtual_alias_expansion_limit. If there are a thousand, all get the mail, see
    DELIVERIES.
    """
    assert stack.postfix.postmap("aliases", "thousandone@big.test")[1].count(",") == 1000
    mx.mail(next(_strangers))
    assert mx.rcpt("thousandone@big.test") == ACCEPTED
    assert mx.data(next(_subjects)) == "451 4.6.0 Alias expansion error"


def test_an_alias_that_cannot_be_answered_defers_mail(mx):
    mx.mail(next(_strangers))
    assert mx.rcpt("tab@dirty.test").startswith("45")


def test_nothing_in_the_mail_log_blames_us(stack):
    """Runs last in this file, so whatever Postfix did not like is in the log."""
    words = ("problem talking to server", "socketmap server permanent error",
             "unexpected", "malformed", "empty lookup result", "panic", "fatal")
    assert [line for line in stack.postfix.log().splitlines()
            if any(word in line for word in words)] == []
