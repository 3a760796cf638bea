# SPDX-License-Identifier: MIT
"""A process ends, reloads or gives up while one of its threads connects with TLS.

`./check --all` runs this file with ThreadSanitizer, too.
"""

import collections
import concurrent.futures
import contextlib
import os
import random
import signal
import time

import pytest

from fakes.rogue_mariadb import HangingUp
from lab import Mumd, wait_until
from lab.lab import ENVIRONMENT, Process
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mum_dovecot import MumDovecot
from lab.mumctl import binary

ALICE = ("mailboxes", "alice@example.test")
LANES = 3                   # that stop processes in parallel
STOPS = 300                 # of mumd


def settings(rogue, **more):
    """The name is verified with all authorities of the system, which take a while to read."""
    return {"driver": "mariadb", "hosts": [f"localhost:{rogue.port}"], "name": "mum",
            "user": "mum_postfix", "password": POSTFIX_PASSWORD, "tls": "verify-full", **more}


@pytest.fixture
def rogue():
    with HangingUp() as rogue:
        yield rogue


def stop_at_random(lab, lane, count):
    """Stops mumd at random moments; returns how each stop ended."""
    chance = random.Random(lane)
    ends = collections.Counter()
    with HangingUp() as rogue:
        mumd = Mumd(lab, {"database": settings(rogue)}, name=f"stops-{lane}")
        for _ in range(count):
            seen = len(mumd.log())
            process = mumd.launch()
            wait_until(lambda seen=seen: any(line.endswith(" ready") for line in mumd.log()[seen:]),
                       "mumd is ready", interval=0.001)
            time.sleep(chance.random() * 0.03)
            process.signal(signal.SIGTERM)
            ends[process.wait()] += 1
        assert sum(line.endswith(" terminating") for line in mumd.log()) == count
    return ends


def test_stops_in_the_middle_of_a_tls_connect_are_clean(lab):
    Mumd(lab, {}, name="stops").program()       # copied before the lanes need it
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ends = sum(pool.map(lambda lane: stop_at_random(lab, lane, STOPS // LANES), range(LANES)),
                   collections.Counter())
    assert ends == {0: STOPS}


def test_reloads_in_the_middle_of_a_tls_connect_are_clean(make_mumd, rogue):
    mumd = make_mumd({"database": settings(rogue, deadline="100ms"),
                      "cache": {"ttl": "0s", "stale": "0s"}})
    chance = random.Random(1)
    for number in range(40):
        mumd.reload()
        with mumd.map_client() as client:
            assert client.ask(*ALICE).startswith(b"TEMP ")
        time.sleep(chance.random() * 0.05)
    mumd.terminate()
    assert mumd.process.wait() == 0
    assert "Sanitizer" not in "\n".join(mumd.log())


def test_a_tool_that_gives_up_a_tls_connect_ends_as_it_should(lab):
    """Its deadline passes while the authorities are being read."""
    chance = random.Random(1)
    with HangingUp(delay=lambda: 0.09 + chance.random() * 0.02) as rogue:
        mumd = Mumd(lab, {"database": settings(rogue, deadline="100ms")}, name="gives-up")
        log = mumd.directory / "mumctl.log"
        ends = collections.Counter()
        for _ in range(80):
            child = Process([binary(), "-c", mumd.config, "query", *ALICE], log)
            ends[child.wait()] += 1
    assert ends == {75: sum(ends.values())}, log.read_text()


def stop_auth(dovecot, chance):
    """Asks for a user, which starts auth, and ends auth soon afterwards."""
    with dovecot.userdb_client() as client:
        client.start([("USER", "alice@example.test", "lmtp")])
        pid = wait_until(dovecot.auth_pid, "auth runs")
        time.sleep(chance.random() * 0.03)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: dovecot.auth_pid() != pid, "auth has ended", interval=0.002)


def test_ends_of_auth_in_the_middle_of_a_tls_connect_are_clean(lab, rogue):
    dovecot = MumDovecot(lab, settings(rogue, password=DOVECOT_PASSWORD, deadline="2s"),
                         name="stops-auth").start()
    chance = random.Random(1)
    until = time.monotonic() + 12
    stops = 0
    while time.monotonic() < until:
        stop_auth(dovecot, chance)
        stops += 1
    assert dovecot.terminate() == 0
    assert dovecot.complaints() == []
    assert not any("child" in line and "auth" in line for line in dovecot.log()), dovecot.log()
    assert stops > 30
