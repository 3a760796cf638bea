# SPDX-License-Identifier: MIT
"""What keeps the counts of logins fails while logins send: the disk of the file, the file
itself, and those who read the socket of mumctl senders.

Each test says the fault, the reply that clients see, the deadline of an answer and how long
it takes until all is well again.
"""

import contextlib
import itertools
import pathlib
import time

import pytest

from asker import Asker
from lab import Mumctl, Mumd, wait_until
from lab.clients import Client
from lab.lab import give, in_own_mounts
from lab.mumd import USER, sqlite_settings
from test_send_limits import flood

DUNNO = "DUNNO"
DEFER = "450 4.7.1 too many recipients for this login; try again later"
ALICE, BOB, CAROL = "alice@example.test", "bob@example.test", "carol@example.test"

# Seconds, on a busy machine.
AT_ONCE = 1
A_MINUTE = 75       # the file is written each minute

# So many that none of them matters here.
LIMITS = {"send": "enforce", "send_rate": 1000000, "send_period": "1m", "send_burst": 1000000,
          "send_limits": [f"{BOB} 1/1d 5"]}


_numbers = itertools.count(1)


class Site:
    """A mumd that counts."""

    def __init__(self, lab, sqlite, name, runner=(), **policy):
        self.mumd = Mumd(lab, {"database": sqlite_settings(sqlite),
                               "policy": {**LIMITS, **policy},
                               "metrics": {"listen": Mumd.METRICS}}, name=name,
                         runner=runner).start()

    def decide(self, login, **attributes):
        return self.mumd.decide(**{"sasl_username": login, "sender": login, **attributes})

    def take(self, login, recipients):
        return self.decide(login, protocol_state="DATA", policy_context="limit",
                           recipient_count=str(recipients))

    def peek(self, login):
        return self.decide(login, policy_context="sender", recipient="x@foreign.test")

    @contextlib.contextmanager
    def load(self):
        """Askers: a login at RCPT and at DATA, and one that has nothing left."""
        assert self.take(BOB, 5) == DUNNO
        with Asker(lambda: self.peek(ALICE), DUNNO) as rcpt, \
                Asker(lambda: self.take(ALICE, 1), DUNNO) as data, \
                Asker(lambda: self.peek(BOB), DEFER) as over:
            yield rcpt, data, over

    def lines(self, option):
        return [line for line in self.mumd.log() if f"policy.{option}:" in line]

    def saved(self):
        return self.mumd.page().sum("mumd_send_state_saved")

    def stop(self):
        self.mumd.terminate()
        assert self.mumd.process.wait() == 0


@pytest.fixture
def site(lab, sqlite):
    made = []

    def make(**options):
        made.append(Site(lab, sqlite, f"faults-send-{next(_numbers)}", **options))
        return made[-1]
    yield make
    for one in made:
        one.mumd.stop()


def want_all_right(*askers):
    for asker in askers:
        assert asker.failures() == [] and asker.slowest() < AT_ONCE
        assert len(asker.answers) > 20


@pytest.mark.many
def test_a_full_disk_holds_nobody_up(lab, site):
    """Fault: the disk of the counts is full for more than a minute, and has room again. Reply:
    the right one, at RCPT and DATA. Deadline: 1 s. Recovery: a minute, or the end of mumd, which
    writes it. One line in the log when it begins, one when it ends; the metric says so, too."""
    disk = lab.directory("faults-send-disk")
    mount = f'mount -t tmpfs -o size=64k,mode=755,uid="$(id -u {USER})" none {disk}; exec "$@"'
    one = site(runner=in_own_mounts(mount), send_state=disk / "senders")
    inside = pathlib.Path(f"/proc/{one.mumd.process.pid}/root{disk}")
    with open(inside / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)
    with one.load() as askers:
        wait_until(lambda: one.saved() == 0, "the metric", A_MINUTE)
        (begin,) = one.lines("send_state")
        assert f"{disk}/senders: No space left on device; it is not kept" in begin
        assert [entry.name for entry in inside.iterdir()] == ["filler"]
        (inside / "filler").unlink()
        wait_until(lambda: one.saved() == 1, "the metric", A_MINUTE)
    want_all_right(*askers)
    assert [line.partition("send_state: ")[2] for line in one.lines("send_state")[1:]] == [
        "written again"]
    assert BOB in (inside / "senders").read_text()


def closed(state):
    state.chmod(0)


def of_root(state):
    give(state, "root", "root")
    state.chmod(0o600)


def a_directory(state):
    state.unlink()
    state.mkdir()


def a_link(state):
    state.rename(state.parent / "elsewhere")
    state.symlink_to(state.parent / "elsewhere")


@pytest.mark.parametrize("fault, why, replaced", [
    (closed, "Permission denied", True), (of_root, "Permission denied", True),
    (a_link, "Too many levels of symbolic links", True),
    (a_directory, "Invalid argument", False)])
def test_a_file_that_is_not_as_mumd_left_it(site, fault, why, replaced):
    """Fault: at its start mumd may not read the file, or it is no file. Reply: as if nobody had
    sent anything, with one line. Recovery: the next file, if it can take the place."""
    one = site()
    assert one.take(BOB, 5) == DUNNO
    one.stop()
    fault(one.mumd.send_state)
    one.mumd.start()
    with one.load() as askers:
        (line,) = one.lines("send_state")
        assert f"{one.mumd.send_state}: {why}; what logins have sent before is forgotten" in line
        wait_until(lambda: all(len(asker.answers) > 20 for asker in askers), "answers")
    want_all_right(*askers)
    one.stop()
    later = one.lines("send_state")[1:]
    assert len(later) == (not replaced)
    assert all("; it is not kept over a restart until that works again" in line for line in later)
    one.mumd.start()
    assert one.peek(BOB) == (DEFER if replaced else DUNNO)


def connect(path):
    """As a program does that has patience, because few may wait there."""
    while True:
        with contextlib.suppress(BlockingIOError):
            return Client(path)
        time.sleep(0.01)


def test_readers_that_do_not_read_hold_nobody_up(site):
    """Fault: 200 programs connect to the socket of mumctl senders and read nothing. Reply: the
    right one, at RCPT and DATA. Deadline: 1 s. No more than four of them are kept, for ten
    seconds. Recovery: mumctl senders answers then."""
    one = site()
    flood(one.mumd, 20000)      # more than a socket holds
    before = one.mumd.process.descriptors()
    with contextlib.ExitStack() as stack:
        with one.load() as askers:
            readers = [stack.enter_context(connect(one.mumd.send_socket)) for _ in range(200)]
            wait_until(lambda: sum(not reader.is_ended() for reader in readers) <= 4, "the end")
            assert one.mumd.process.descriptors() < before + 20
            wait_until(lambda: Mumctl(one.mumd.config).run("senders").status == 0, "an answer", 15)
        want_all_right(*askers)
