# SPDX-License-Identifier: MIT
"""quota-status fails while mumd asks it about every mail.

Each test says the fault, the reply that clients see, the deadline of an answer and how long
it takes until all is well again. Without any memory of room, so that each mail is a question.
"""

import contextlib
import socket
import time

import pytest

from fakes.quota_status import FULL, QuotaStatus
from lab import Mumd, wait_until
from lab.mumd import sqlite_settings
from asker import ALICE, Asker

FULL_BOX, EMPTY_BOX = "bob@example.test", "carol@second.test"
ANOTHER_BOX = "alice@example.test"
DUNNO = "DUNNO"

# Seconds. So long that a busy machine does not need them by itself.
DEADLINE = 3            # of the question about the quota
LATE = DEADLINE + 1
NOBODY_WAITS = 2        # less than the deadline
RECOVERY = 3            # a probe each second


class Site:
    """mumd, and the service that it asks."""

    def __init__(self, lab, sqlite):
        self.service = QuotaStatus(lab.directory("faults-quota") / "quota-status").start()
        self.service.actions = {FULL_BOX: FULL}
        self.mumd = Mumd(lab, {
            "database": sqlite_settings(sqlite),
            "policy": {"quota": "enforce", "quota_status": f"unix:{self.service.path}",
                       "quota_ttl": "0s", "quota_deadline": f"{DEADLINE}s"}}, name="mumd-faults-quota").start()

    def asker(self, recipient, right):
        """Asks as smtpd does, on a connection that stays open."""
        client = self.mumd.policy_client()
        return Asker(lambda: client.ask(recipient=recipient, sender="x@foreign.test",
                                        policy_context="recipient"), right)

    @contextlib.contextmanager
    def load(self):
        """Askers: about full mailboxes, about one with room, and of a map."""
        maps = self.mumd.map_client()
        with contextlib.ExitStack() as stack:
            full = [stack.enter_context(self.asker(FULL_BOX, FULL)) for _ in range(4)]
            empty = stack.enter_context(self.asker(EMPTY_BOX, DUNNO))
            stack.enter_context(self.asker(ANOTHER_BOX, DUNNO))
            other = stack.enter_context(Asker(lambda: maps.ask(*ALICE), b"OK 1"))
            wait_until(lambda: all(asker.answers[-1].right for asker in full), "refusals")
            yield full, empty, other

    def lines(self):
        return [line for line in self.mumd.log() if "quota: unix:" in line]


@pytest.fixture(scope="module")
def site(lab, sqlite):
    made = Site(lab, sqlite)
    yield made
    made.mumd.stop()
    made.service.stop()


# ---- faults ----

@contextlib.contextmanager
def killed(service):
    service.stop()
    yield
    service.start()


@contextlib.contextmanager
def full_backlog(service):
    """Its listener is there, and takes no connection any more: a process that hangs."""
    service.stop()
    service.path.unlink()
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(service.path))
        service.path.chmod(0o666)
        listener.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(str(service.path))
        yield
    service.start()


def _changed(name, value):
    """The fake service with another value of that attribute."""
    @contextlib.contextmanager
    def fault(service):
        old = getattr(service, name)
        setattr(service, name, value)
        yield
        setattr(service, name, old)
    return fault


@contextlib.contextmanager
def disk_away(service):
    """Every mailbox hangs, and names that nobody has are answered about."""
    service.silent_mailboxes = True
    yield
    service.silent_mailboxes = False


FAULTS = {"killed": killed, "disk away": disk_away, "full backlog": full_backlog, "hung": _changed("silent", True),
          "slow": _changed("delay", 2 * DEADLINE), "garbled": _changed("raw", b"220 ready\n\n"),
          "half": _changed("raw", b"action=452 4.2.2 mail")}


# ---- tests ----

def asked_since(moment, *askers):
    return [answer for asker in askers for answer in asker.answers
            if answer.when - answer.seconds > moment]


@pytest.mark.parametrize("fault", FAULTS)
def test_mail_is_accepted_while_quota_status_fails(site, fault):
    """Fault: quota-status is killed, hangs, is slow, or its backlog is full; or it hangs for
    every mailbox that there is; or each answer is garbled, or ends half way; under load. Reply: DUNNO about the full mailbox, too; the right
    one to all else. Deadline: 3 s here, for who is under way, and then nobody waits. Recovery:
    refusals within 3 s. One line in the log when it begins, and one when it ends.
    """
    lines = len(site.lines())
    with site.load() as (full, empty, other):
        with FAULTS[fault](site.service):
            wait_until(lambda: len(site.lines()) > lines, "the line in the log")
            known = time.monotonic()
            wait_until(lambda: all(len(asked_since(known, asker)) > 30 for asker in full), "answers", 30)
            seen = asked_since(known, *full, empty)
        back = time.monotonic()
        wait_until(lambda: all(asker.right_since(back) for asker in full), "refusals")
        recovered = max(asker.right_since(back) for asker in full) - back
    assert {answer.text for answer in seen} == {DUNNO}
    assert max(answer.seconds for answer in seen) < NOBODY_WAITS
    assert {answer.text for asker in full for answer in asker.answers} == {DUNNO, FULL}
    assert max(asker.slowest() for asker in (*full, empty)) < LATE
    assert empty.failures() == other.failures() == [] and other.slowest() < NOBODY_WAITS
    assert recovered < RECOVERY
    begin, end = site.lines()[lines:]
    assert "mail is accepted without asking" in begin and "answers again after" in end


def test_a_restart_of_quota_status_is_over_soon(site):
    """Fault: quota-status is restarted, ten times under load. Reply: DUNNO or the right one.
    Deadline: 3 s here. Recovery: refusals within 3 s, each time."""
    with site.load() as (full, empty, other):
        for _ in range(10):
            site.service.stop()
            site.service.start()
            back = time.monotonic()
            wait_until(lambda: all(asker.right_since(back) for asker in full), "refusals")
            assert max(asker.right_since(back) for asker in full) - back < RECOVERY
    assert {answer.text for asker in full for answer in asker.answers} <= {DUNNO, FULL}
    assert max(asker.slowest() for asker in (*full, empty)) < LATE
    assert empty.failures() == other.failures() == [] and other.slowest() < NOBODY_WAITS
