# SPDX-License-Identifier: MIT
"""The database or mumd fails, and an SMTP client of Postfix notices it.

Each test says the fault, the reply that clients see, the deadline of an answer and how long
it takes until all is well again.
"""

import contextlib
import itertools
import threading
import time

import pytest

from lab import MariaDB, sample, wait_until
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import mariadb_settings
from asker import NO_CACHE, many_askers, timed
from servers import Stack


DEADLINE = 0.5      # seconds


@pytest.fixture(scope="module")
def database(lab):
    return MariaDB(lab, "db-smtp-faults").start().load_mum(sample.mariadb_text())


@pytest.fixture(scope="module")
def stack(lab, outside, database):
    """Without a cache, so that Postfix notices each failure."""
    return Stack(lab, outside, "faults",
                 mariadb_settings(database, POSTFIX_PASSWORD,
                                  deadline=f"{DEADLINE * 1000:.0f}ms"), cache=NO_CACHE)


_numbers = itertools.count()


def rcpt(dialogue, recipient):
    """Uses a new sender, because smtpd remembers what it resolved for a pair."""
    dialogue.reset()
    dialogue.mail(f"stranger{next(_numbers)}@elsewhere.test")
    return dialogue.rcpt(recipient)


def assert_well_within(limit, dialogue):
    reply, seconds = timed(rcpt, dialogue, "alice@example.test")
    assert reply.startswith("250 ") and seconds < limit


def test_smtp_during_a_hang_defers_and_recovers(stack, database):
    """Fault: the server is stopped. Reply: 450 or 451, to recipients of every kind. Deadline:
    500 ms here, which Postfix waits twice. Recovery: the first RCPT is answered rightly, within
    1 s."""
    dialogue = stack.postfix.smtp()
    assert rcpt(dialogue, "alice@example.test").startswith("250 ")
    with database.paused():
        for recipient in ("alice@example.test", "nobody@example.test", "sendonly@example.test",
                          "info@example.test", "x@foreign.test"):
            reply, seconds = timed(rcpt, dialogue, recipient)
            assert reply[:3] in ("450", "451") and seconds < DEADLINE + 1
    assert_well_within(1, dialogue)
    assert rcpt(dialogue, "nobody@example.test").startswith("550 5.1.1 ")


def test_submission_during_a_hang_defers(stack, database):
    """Fault: tables are locked. Reply: 450 instead of a verdict about the sender. Deadline: 500 ms
    here. Recovery: the first RCPT is answered rightly, within 1 s."""
    dialogue = stack.postfix.submission("alice@example.test")
    dialogue.mail("bob@example.test")
    with database.locked("mailboxes", "aliases", "alias_senders"):
        reply, seconds = timed(dialogue.rcpt, "friend@external.test")
        assert seconds < DEADLINE + 1 and reply == (
            "450 4.3.0 <bob@example.test>: Sender address rejected: temporary lookup failure")
    reply, seconds = timed(dialogue.rcpt, "friend@external.test")
    assert reply.startswith("553 5.7.1 ") and seconds < 1
    dialogue.quit()


@pytest.mark.long
def test_an_alias_that_cannot_be_expanded_now_is_not_lost(stack, database):
    """Fault: the server is stopped between RCPT and DATA. Reply: 450 or 451. Deadline:
    Postfix's, which asks for one alias after the other. Recovery: the mail is accepted when
    its sender tries again, and comes to each of its recipients once.

    cleanup begins to expand the alias at RCPT. If it ends before the database hangs, the
    mail is accepted, which is fine, too; then the test sends another one.
    """
    dialogue = stack.postfix.smtp()
    for _ in range(20):
        wait_until(lambda: rcpt(dialogue, "info@example.test").startswith("250 "), "a recipient")
        with database.paused():
            reply = dialogue.data("found at once")
        if not reply.startswith("250 "):
            break
    assert reply[:3] in ("450", "451")

    def sent_again():
        """Sends the mail again, as its sender does until it is accepted."""
        return (rcpt(dialogue, "info@example.test").startswith("250 ")
                and dialogue.data("lost and found").startswith("250 "))
    wait_until(sent_again, "recovery")
    stack.inside.wait("lost and found", 2)
    stack.outside.wait("lost and found", 1)
    stack.postfix.flush()   # what was accepted just before a hang may have been deferred in it
    wait_until(stack.postfix.is_idle, stack.postfix.log(), 60)
    assert stack.inside.recipients("lost and found") == ["alice@example.test", "bob@example.test"]
    assert stack.outside.recipients("lost and found") == ["friend@external.test"]


def test_a_restart_of_mumd_is_not_seen_by_smtp(stack):
    """Fault: mumd restarts between two RCPT of one SMTP session. Reply: the right one. Deadline:
    500 ms here, and a second that Postfix waits for a policy service that has gone. Recovery:
    none needed."""
    dialogue = stack.postfix.smtp()
    for restart in (False, True, True):
        if restart:
            stack.mumd.stop()
            stack.mumd.start()
        for recipient, right in (("alice", "250 "), ("nobody", "550 5.1.1 ")):
            reply, seconds = timed(rcpt, dialogue, f"{recipient}@example.test")
            assert reply.startswith(right) and seconds < DEADLINE + 1.5


def test_smtp_while_mumd_is_gone_defers(stack):
    """Fault: mumd is stopped. Reply: 451 or 454. Deadline: 1 s, because Postfix waits so
    long before it asks a policy service again. Recovery: the first RCPT after the start,
    within that second and one more.
    """
    dialogue = stack.postfix.smtp()
    stack.mumd.stop()
    try:
        for recipient, codes in (("alice@example.test", ("451",)),
                                 ("x@foreign.test", ("451", "454"))):
            reply, seconds = timed(rcpt, dialogue, recipient)
            assert reply[:3] in codes and seconds < 2
    finally:
        stack.mumd.start()
    assert_well_within(2, dialogue)


class Smtp(threading.Thread):
    """RCPT after RCPT in one SMTP session, each of a new sender to a new address; a context.

    replies: (when it was sent, when it was answered, the reply).
    """

    def __init__(self, postfix):
        super().__init__(daemon=True)
        self.replies = []
        self._dialogue, self._stop_it = postfix.smtp(), threading.Event()

    def run(self):
        while not self._stop_it.is_set():
            sent = time.monotonic()
            reply = rcpt(self._dialogue, f"alice+{next(_numbers)}@example.test")
            self.replies.append((sent, time.monotonic(), reply))
            self._stop_it.wait(0.005)

    def __enter__(self):
        self.start()
        wait_until(lambda: self.replies, "the first reply")
        return self

    def __exit__(self, *exception):
        self._stop_it.set()
        self.join(10)
        self._dialogue.close()
        assert not self.is_alive()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_restart_in_mid_load_is_over_within_a_second(stack, database, how):
    """Fault: MariaDB ends, in good order or not, and starts again a second later, while eight
    clients of ours and four of Postfix's ask for addresses never asked before. Reply: the right
    one, or TEMP, DEFER_IF_PERMIT and 45x. Deadline: 500 ms here, Postfix asks several times.
    Recovery, counted from when MariaDB answers a ping: no trouble later than 1 s at our sockets,
    2 s at SMTP."""
    with contextlib.ExitStack() as context:
        askers = context.enter_context(many_askers(stack.mumd, 8))
        clients = [context.enter_context(Smtp(stack.postfix)) for _ in range(4)]
        getattr(database, how)()
        time.sleep(1)
        database.start()
        back = time.monotonic()
        time.sleep(2.5)
    for asker in askers:
        troubles = [answer.when for answer in asker.answers if not answer.right]
        assert asker.wrong() == [] and asker.lost == 0
        assert back - 1 < max(troubles) < back + 1 and asker.right_since(back) < back + 1
        assert asker.slowest() < 1.5
    for client in clients:
        assert {reply[:3] for _, _, reply in client.replies} <= {"250", "450", "451"}
        troubles = [when for _, when, reply in client.replies if not reply.startswith("250")]
        good = [when for sent, when, reply in client.replies
                if sent > back and reply.startswith("250")]
        assert max(troubles, default=back) < back + 2 and min(good) < back + 2


def test_mail_that_waits_for_dovecot_goes_out_when_the_queue_is_flushed(stack):
    """Without a flush Postfix waits for five minutes before it tries again."""
    lmtp = stack.inside.address
    away = lmtp.rename(lmtp.with_name("dovecot-lmtp-away"))
    dialogue, seen = stack.postfix.smtp(), len(stack.postfix.log())
    try:
        wait_until(lambda: rcpt(dialogue, "alice@example.test").startswith("250 "), "a recipient")
        assert dialogue.data("waits for dovecot").startswith("250 ")
        wait_until(lambda: "status=deferred" in stack.postfix.log()[seen:], stack.postfix.log())
    finally:
        away.rename(lmtp)
    assert not stack.postfix.is_idle()
    stack.postfix.flush()
    stack.inside.wait("waits for dovecot", 1)
