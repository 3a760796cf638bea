# SPDX-License-Identifier: MIT
"""The limits of logins with a real Postfix, the shipped master.cf and clients."""

import contextlib
import itertools
import smtplib
import time

import pytest

from lab import Dovecot, MailRecorder, Mumd, Postfix, free_port, wait_until
from lab.lab import run
from lab.mumd import sqlite_settings

ALICE, TYPED, BOB = "alice@example.test", "ALICE@Example.Test", "bob@example.test"
OTHERS = [f"friend{n}@foreign.test" for n in range(30)]
DEFER = "450 4.7.1 <%s>: %s: too many recipients for this login; try again later"
RCPT_DEFER = DEFER % (ALICE, "Sender address rejected")
DATA_DEFER = DEFER % ("DATA", "Data command rejected")
NEVER = ("554 5.7.1 <DATA>: Data command rejected: "
         "more recipients in one mail than this login may send to")

_subjects = (f"limit-{n}" for n in itertools.count())


class Site:
    """Postfix, logins and a mumd that counts: six in a minute, five at once."""

    def __init__(self, lab, sqlite):
        self.outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
        self.postfix = Postfix(lab, self.outside.address, name="pf-send", send_limits=True)
        self.database = sqlite_settings(sqlite)
        self.mumd = Mumd(lab, {"database": self.database}, name="mumd-send",
                         sockets=self.postfix.sockets)
        # one that hands on a login as it is typed
        Dovecot(lab, self.postfix, [ALICE, TYPED, BOB], name="dc-send").start()

    def begin(self, **policy):
        """Nobody has sent anything."""
        limits = {"send": "enforce", "send_rate": 6, "send_period": "1m", "send_burst": 5}
        self.mumd.stop()
        self.mumd.send_state.unlink(missing_ok=True)
        self.mumd.write({"database": self.database, "policy": {**limits, **policy}})
        self.mumd.start()
        if not (self.postfix.queue / "pid/master.pid").exists():
            self.postfix.start()

    def sent(self, login=ALICE):
        return self.mumd.senders().get(login, (0, 0, 0))[1]

    def arrived(self, subject):
        return self.outside.recipients(subject)

    @contextlib.contextmanager
    def login(self, user=ALICE):
        dialogue = self.postfix.submission(user)
        yield dialogue
        dialogue.quit()


@pytest.fixture(scope="module")
def _site(lab, sqlite):
    return Site(lab, sqlite)


@pytest.fixture
def site(_site):
    _site.begin()
    return _site


def fill(dialogue, recipients, sender=ALICE):
    assert dialogue.mail(sender).startswith("250")
    return [dialogue.rcpt(recipient) for recipient in recipients]


def test_three_recipients_with_one_refused_take_two(site):
    subject = next(_subjects)
    with site.login() as smtp:
        replies = fill(smtp, [OTHERS[0], "sendonly@example.test", OTHERS[1]])
        assert [reply[:3] for reply in replies] == ["250", "550", "250"]
        assert smtp.data(subject, sender=ALICE).startswith("250")
    assert site.sent() == 2
    wait_until(lambda: site.arrived(subject) == OTHERS[:2], "the mail")


def test_what_never_begins_is_not_counted(site):
    with site.login() as smtp:
        fill(smtp, OTHERS[:3])
        smtp.reset()
        fill(smtp, ["sendonly@example.test"])
        assert smtp.command("DATA").startswith("554")   # no valid recipients
        smtp.reset()
        fill(smtp, OTHERS[:2])
    assert site.sent() == 0


def test_both_places_say_so(site):
    with site.login() as smtp:
        fill(smtp, OTHERS[:4])
        assert smtp.data(next(_subjects), sender=ALICE).startswith("250")
        fill(smtp, OTHERS[:2])
        assert smtp.command("DATA") == DATA_DEFER
        assert smtp.command("DATA") == DATA_DEFER       # the transaction is still open
        assert smtp.mail(ALICE).startswith("503")
        smtp.reset()
        fill(smtp, OTHERS[:6])
        assert smtp.command("DATA") == NEVER
        smtp.reset()
        fill(smtp, OTHERS[:1])
        assert smtp.data(next(_subjects), sender=ALICE).startswith("250")
        assert smtp.mail(ALICE).startswith("250")
        assert smtp.rcpt(OTHERS[0]) == RCPT_DEFER
    with site.login(BOB) as smtp:
        assert fill(smtp, OTHERS[:1], BOB) == ["250 2.1.5 Ok"]
    with site.login(TYPED) as smtp:
        assert fill(smtp, OTHERS[:1]) == [RCPT_DEFER]
    with site.postfix.smtp() as stranger:
        assert fill(stranger, [ALICE], "x@foreign.test") == ["250 2.1.5 Ok"]
    assert site.sent() == 5


def test_refused_for_good(site):
    site.begin(send_reply="reject")
    with site.login() as smtp:
        fill(smtp, OTHERS[:5])
        assert smtp.data(next(_subjects), sender=ALICE).startswith("250")
        assert fill(smtp, OTHERS[:1]) == [
            f"554 5.7.1 <{ALICE}>: Sender address rejected: too many recipients for this login"]


def test_warn_lets_all_pass(site):
    site.begin(send="warn")
    subject = next(_subjects)
    with site.login() as smtp:
        fill(smtp, OTHERS)
        assert smtp.data(subject, sender=ALICE).startswith("250")
    wait_until(lambda: len(site.arrived(subject)) == len(OTHERS), "the mail")
    site.mumd.wait_log("policy: would reject: reason=send_limit_mail", "recipients=30 left=5")
    assert site.sent() == len(OTHERS)


@pytest.mark.parametrize("recipients", [6, 4], ids=["more than the burst", "what is left over"])
def test_hold_puts_the_mail_on_hold(site, recipients):
    site.begin(send_reply="hold")
    subject = next(_subjects)
    with site.login() as smtp:
        fill(smtp, OTHERS[:4])
        assert smtp.data(next(_subjects), sender=ALICE).startswith("250")
        fill(smtp, OTHERS[:recipients])
        reply = smtp.data(subject, sender=ALICE)
        assert reply.startswith("250")
    queue_id = reply.split()[-1]
    site.mumd.wait_log("policy: hold: reason=send_limit", f"queue_id={queue_id}")
    assert f"{queue_id}!" in run("postqueue", "-c", site.postfix.config, "-p").stdout
    assert site.arrived(subject) == [] and site.sent() == 4
    run("postsuper", "-c", site.postfix.config, "-H", queue_id)
    site.postfix.flush()
    wait_until(lambda: len(site.arrived(subject)) == recipients, "the mail that was let go")


@pytest.mark.parametrize("policy", [{"send_reply": "hold"}, {"send": "warn"}], ids=str)
def test_rcpt_refuses_nothing_where_nothing_is_left(site, policy):
    site.begin(send_burst=4, **policy)
    subject, seen = next(_subjects), len(site.mumd.log())
    with site.login() as smtp:
        fill(smtp, OTHERS[:4])
        assert smtp.data(next(_subjects), sender=ALICE).startswith("250")
        assert fill(smtp, OTHERS[:3]) == ["250 2.1.5 Ok"] * 3
        reply = smtp.data(subject, sender=ALICE)
    assert reply.startswith("250")
    line = site.mumd.wait_log("reason=send_limit ", "recipients=3 left=0", after=seen)
    if policy.get("send") == "warn":
        assert "policy: would reject:" in line
        wait_until(lambda: site.arrived(subject) == OTHERS[:3], "the mail")
    else:
        assert "policy: hold:" in line
        assert f"{reply.split()[-1]}!" in run("postqueue", "-c", site.postfix.config, "-p").stdout


def test_bdat_counts_once(site):
    with site.login() as smtp:
        fill(smtp, OTHERS[:3])
        assert smtp.command("BDAT 8\r\nX: y\r\n").startswith("250")
        assert smtp.command("BDAT 4 LAST\r\nHi").startswith("250")
        assert site.sent() == 3
        fill(smtp, OTHERS[:3])
        assert smtp.command("BDAT 8\r\nX: y\r\n").startswith("450 4.7.1")
        smtp.reset()
        assert fill(smtp, OTHERS[:2]) == ["250 2.1.5 Ok"] * 2


def test_pipelined_commands_are_answered_in_order(site):
    with site.login() as smtp:
        fill(smtp, OTHERS[:4])
        assert smtp.data(next(_subjects), sender=ALICE).startswith("250")
        smtp.send(f"MAIL FROM:<{ALICE}>\r\nRCPT TO:<{OTHERS[0]}>\r\nRCPT TO:<{OTHERS[1]}>\r\n"
                  "DATA\r\n".encode())
        replies = [smtp._reply("").split()[0] for _ in range(4)]
        assert replies == ["250", "250", "250", "450"]
        smtp.reset()
    assert site.sent() == 4


def test_a_cut_connection_has_taken_its_recipients(site):
    """At most those of one mail."""
    smtp = site.postfix.submission(ALICE)
    fill(smtp, OTHERS[:3])
    assert smtp.command("DATA").startswith("354")
    smtp.close()
    wait_until(lambda: site.sent() == 3, "the count")


def test_sendmail_is_not_counted(site):
    run("sendmail", "-C", site.postfix.config, "-f", ALICE, OTHERS[0],
        input="Subject: local\n\nHello.\n")
    wait_until(lambda: site.arrived("local"), "the mail")
    assert site.mumd.senders() == {}


class Program:
    """A mail program: Python's."""

    def __init__(self, site):
        self.smtp = smtplib.SMTP("127.0.0.1", site.postfix.submission_port)
        self.smtp.login(ALICE, "secret")

    def send(self, recipients):
        """What became of it."""
        try:
            return self.smtp.sendmail(ALICE, recipients, "Subject: program\r\n\r\nHello.\r\n")
        except smtplib.SMTPException as exception:
            return exception


def test_a_mail_program_goes_on_after_a_refusal_at_rcpt(site):
    """Without a reset of its own: smtplib does that."""
    program = Program(site)
    assert program.send(OTHERS[:5]) == {}
    refused = program.send(OTHERS[:1])
    assert isinstance(refused, smtplib.SMTPRecipientsRefused)
    assert refused.recipients[OTHERS[0]][0] == 450
    site.mumd.terminate()
    site.mumd.process.wait()
    site.mumd.send_state.unlink()
    site.mumd.start()       # as if it had drained
    assert program.send(OTHERS[:1]) == {}


def test_a_mail_program_goes_on_after_a_refusal_at_data_with_a_reset(site):
    program = Program(site)
    assert program.send(OTHERS[:4]) == {}
    refused = program.send(OTHERS[:2])
    assert isinstance(refused, smtplib.SMTPDataError) and refused.smtp_code == 450
    program.smtp.rset()
    assert program.send(OTHERS[:1]) == {}
    assert site.sent() == 5


def test_one_comes_back_by_and_by(site):
    site.begin(send_rate=60)
    with site.login() as smtp:
        fill(smtp, OTHERS[:5])
        assert smtp.data(next(_subjects), sender=ALICE).startswith("250")
        assert fill(smtp, OTHERS[:1]) == [RCPT_DEFER]
        smtp.reset()
        time.sleep(1.2)
        assert fill(smtp, OTHERS[:1]) == ["250 2.1.5 Ok"]
