# SPDX-License-Identifier: MIT
"""The limits of logins: mumd alone, over restarts, reloads and floods."""

import itertools
import os
import re
import stat
import time

import pytest

from lab import Mumd, wait_until
from lab.clients import Client, PolicyClient
from lab.lab import run
from lab.mumd import USER, sqlite_settings

DUNNO = "DUNNO"
DEFER = "450 4.7.1 too many recipients for this login; try again later"
ALICE = "alice@example.test"

_names = itertools.count(1)

# Six in a minute, ten at once: one comes back every ten seconds.
LIMITS = {"send": "enforce", "send_rate": 6, "send_period": "1m", "send_burst": 10}


class Limited(Mumd):
    def take(self, login, recipients):
        return self.decide(protocol_state="DATA", policy_context="limit", sasl_username=login,
                           sender=login, recipient_count=str(recipients))

    def peek(self, login):
        return self.decide(policy_context="sender", sasl_username=login, sender="",
                           recipient="x@foreign.test")

    def restart(self):
        self.terminate()
        assert self.process.wait() == 0
        self.start()

    def reload_with(self, **policy):
        seen = len(self.log())
        self.write({"database": self.database, "policy": policy})
        self.reload()
        self.wait_log("reload: ", ": done", after=seen)


@pytest.fixture
def limited(lab, sqlite):
    made = []

    def make(start=True, **policy):
        database = sqlite_settings(sqlite)
        mumd = Limited(lab, {"database": database, "policy": {**LIMITS, **policy},
                             "metrics": {"listen": Mumd.METRICS}}, name=f"limits{next(_names)}")
        mumd.database = database
        made.append(mumd)
        return mumd.start() if start else mumd
    yield make
    for mumd in made:
        mumd.stop()


def test_rcpt_looks_and_data_takes(limited):
    mumd = limited()
    assert mumd.peek(ALICE) == DUNNO
    assert mumd.take(ALICE, 8) == DUNNO
    assert mumd.take(ALICE, 3) == DEFER
    assert mumd.take(ALICE.upper(), 2) == DUNNO
    assert mumd.peek(ALICE) == mumd.peek("Alice@Example.Test") == DEFER
    assert mumd.peek("bob@example.test") == DUNNO
    assert mumd.peek("") == mumd.take("", 100000) == DUNNO
    mumd.wait_log("policy: reject: reason=send_limit", f"login=<{ALICE}>", "recipients=3 left=2")
    mumd.wait_log("warning: policy: send limit: login=<alice@example.test>", "sent=8 over=3")
    assert mumd.senders()[ALICE][1:] == (10, 5)


@pytest.mark.parametrize("context", ["sender", "limit", ""])
def test_rcpt_is_refused_where_nothing_is_left(limited, context):
    """In each context that looks at the limit, and in no other one."""
    mumd = limited()

    def rcpt(context):
        return mumd.decide(policy_context=context, sasl_username=ALICE, sender=ALICE,
                           recipient="x@foreign.test")
    assert rcpt(context) == DUNNO
    mumd.take(ALICE, 9)
    assert rcpt(context) == DUNNO
    mumd.take(ALICE, 1)
    assert rcpt(context) == DEFER and rcpt("recipient") == DUNNO


def test_a_flood_is_no_load_for_the_database(limited):
    """The limit is asked first: a login without recipients left gets no other answer."""
    mumd = limited()
    mumd.take(ALICE, 10)
    mumd.write({"database": {"hosts": ["unix:/nonexistent/mysqld.sock"], "deadline": "300ms"},
                "policy": LIMITS})
    mumd.restart()
    assert mumd.peek(ALICE) == DEFER
    assert mumd.decide(sasl_username=ALICE, sender=ALICE, recipient="a@example.test") == DEFER


def test_counts_survive_a_restart(limited):
    mumd = limited()
    mumd.take(ALICE, 10)
    mumd.take("bob@example.test", 4)
    mumd.restart()
    assert mumd.peek(ALICE) == DEFER
    assert mumd.senders()["bob@example.test"][1:] == (4, 0)
    assert mumd.take("bob@example.test", 7) == DEFER
    assert mumd.take("bob@example.test", 6) == DUNNO
    status = os.stat(mumd.send_state)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert stat.S_IMODE(os.stat(mumd.send_state.parent).st_mode) & 0o007 == 0


@pytest.mark.many
def test_a_minute_at_most_is_lost(limited):
    """It is written each minute, too: a mumd that is killed has no time to do so."""
    mumd = limited(send_period="10h")
    mumd.take(ALICE, 10)
    wait_until(lambda: mumd.send_state.exists() and ALICE in mumd.send_state.read_text(),
               "the state of a minute", timeout=75)
    mumd.kill()
    mumd.start()
    assert mumd.peek(ALICE) == DEFER


@pytest.mark.parametrize("by, left", [
    (-30, 3),           # away for half a minute, or a clock set forward
    (-86400, 10),
    (86400, 0),         # set back by a day: no time has passed, and it drains from now on
])
def test_no_clock_locks_anybody_out(limited, by, left):
    mumd = limited()
    mumd.take(ALICE, 10)
    mumd.terminate()
    mumd.process.wait()
    text = mumd.send_state.read_text()
    wall = int(re.search(r"^wall (\d+)$", text, re.MULTILINE)[1])
    mumd.send_state.write_text(text.replace(f"wall {wall}", f"wall {wall + by}"))
    mumd.start()
    if left == 0:
        assert mumd.peek(ALICE) == DEFER
        assert 0 < mumd.senders()[ALICE][0] <= 100_000_000
    else:
        assert mumd.take(ALICE, left + 2) == (DEFER if left < 10 else
                                             "554 5.7.1 more recipients in one mail than this "
                                             "login may send to")
        assert mumd.take(ALICE, left) == DUNNO


@pytest.mark.parametrize("text", [b"", b"\x00\xff" * 1000, b"mum-senders 1\nwall 1\n",
                                  b"mum-senders 2\nwall 1\nend 0\n"],
                         ids=["empty", "junk", "cut", "version"])
def test_a_file_that_cannot_be_read_is_forgotten(limited, text):
    mumd = limited()
    mumd.take(ALICE, 10)
    mumd.terminate()
    mumd.process.wait()
    mumd.send_state.write_bytes(text)
    seen = len(mumd.log())
    mumd.start()
    assert mumd.take(ALICE, 10) == DUNNO
    assert len([line for line in mumd.log()[seen:] if "policy.send_state" in line]) == 1
    mumd.restart()      # which has written a good one
    assert mumd.peek(ALICE) == DEFER


def test_no_place_for_file_and_socket_stops_nobody(limited):
    mumd = limited(send_state="/proc/none/senders", send_socket="/proc/none/senders")
    mumd.wait_log("warning: policy.send_socket: /proc/none/senders:")
    assert mumd.take(ALICE, 10) == DUNNO
    assert mumd.peek(ALICE) == DEFER
    mumd.terminate()
    assert mumd.process.wait() == 0
    mumd.wait_log("warning: policy.send_state: /proc/none/senders:")


def test_the_log_says_once_that_the_socket_fails_and_once_that_it_works(limited):
    def lines():
        return [line.split("policy.send_socket: ")[1] for line in mumd.log()
                if "policy.send_socket" in line]

    mumd = limited(send_socket="/proc/none/senders")
    for _ in range(3):
        mumd.reload_with(**LIMITS, send_socket="/proc/none/senders")
    assert len(lines()) == 1
    mumd.send_socket.parent.mkdir()
    run("chown", USER, mumd.send_socket.parent)     # as systemd does
    mumd.reload_with(**LIMITS)
    assert lines()[1:] == ["works again"]


def test_a_reload_keeps_the_counts(limited):
    mumd = limited()
    mumd.take(ALICE, 10)
    mumd.reload_with(**{**LIMITS, "send_burst": 12, "send_reply": "reject"})
    assert mumd.take(ALICE, 3) == "554 5.7.1 too many recipients for this login"
    assert mumd.take(ALICE, 2) == DUNNO
    mumd.reload_with(**{**LIMITS, "send_limits": ["ALICE@example.test 60/1m 100"]})
    assert mumd.take(ALICE, 95) == DEFER
    assert mumd.take(ALICE, 85) == DUNNO


def test_off_and_on_by_a_reload(limited):
    mumd = limited(send="off")
    assert mumd.take(ALICE, 100000) == mumd.peek(ALICE) == DUNNO
    assert not mumd.send_socket.exists() and not mumd.send_state.parent.exists()
    for folder in (mumd.send_socket.parent, mumd.send_state.parent):
        folder.mkdir()
        run("chown", USER, folder)      # as systemd does
    mumd.reload_with(**LIMITS)
    assert mumd.take(ALICE, 10) == DUNNO and mumd.peek(ALICE) == DEFER
    assert mumd.senders()[ALICE][1] == 10
    mumd.reload_with(send="off")
    assert mumd.take(ALICE, 100000) == mumd.peek(ALICE) == DUNNO
    assert not mumd.send_socket.exists()
    wait_until(mumd.send_state.exists, "the state")
    mumd.reload_with(**LIMITS)
    assert mumd.peek(ALICE) == DEFER


def test_the_socket_is_for_root_and_mumd(limited):
    mumd = limited()
    status = os.stat(mumd.send_socket)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert run("stat", "-c", "%U", mumd.send_socket).stdout.strip() == USER
    assert mumd.senders() == {}


def test_readers_who_do_not_read_are_let_go(limited):
    mumd = limited()
    flood(mumd, 20000)      # more than a socket holds
    held = [Client(mumd.send_socket) for _ in range(4)]
    with Client(mumd.send_socket) as one_more:
        assert one_more.read_to_end() == b""
    assert mumd.peek(ALICE) == DUNNO
    for client in held:
        wait_until(client.is_ended, "something to read")
    time.sleep(10)
    assert len(mumd.senders()) == 20000
    for client in held:
        assert not client.read_to_end().endswith(b"end 20000\n")
        client.close()


def flood(mumd, logins, first=0):
    """That many logins send to one recipient each; requests are pipelined."""
    with PolicyClient(mumd.policy, timeout=60) as client:
        for start in range(first, first + logins, 100):
            client.send(b"".join(PolicyClient.request(
                protocol_state="DATA", policy_context="limit", recipient_count="1",
                sasl_username=f"user{number}@flood.test") for number in
                range(start, min(start + 100, first + logins))))
            for _ in range(start, min(start + 100, first + logins)):
                assert client.reply() == DUNNO


# None drains while a flood lasts.
SLOW = {"send_rate": 30, "send_period": "1h"}


@pytest.mark.memory
def test_a_flood_of_logins_costs_bounded_memory(limited):
    mumd = limited(send_logins=10000, **SLOW)
    mumd.take(ALICE, 10)
    flood(mumd, 20000)
    before = mumd.rss()
    flood(mumd, 80000, first=20000)
    assert mumd.rss() - before < 2 << 20
    page = mumd.page()
    assert page.sum("mumd_send_logins") == 10000
    assert page.sum("mumd_send_logins_evicted_total") > 80000
    assert mumd.peek(ALICE) == DEFER


@pytest.mark.memory
def test_as_many_logins_as_there_may_be(limited):
    mumd = limited(**SLOW)
    flood(mumd, 100)
    before = mumd.rss()
    flood(mumd, 100000, first=100)
    assert mumd.rss() - before < 40 << 20
    started = time.monotonic()
    assert mumd.page().sum("mumd_send_logins") == 100000
    assert len(mumd.senders()) == 100000
    assert time.monotonic() - started < 5
    mumd.restart()
    assert len(mumd.senders()) > 0


def test_metrics(limited):
    mumd = limited(send_exempt=["@lists.test"])
    mumd.take(ALICE, 9)
    mumd.take(ALICE, 11)
    mumd.take(ALICE, 1)
    mumd.peek(ALICE)
    mumd.take("news@lists.test", 50)
    page = mumd.page()
    assert page.sum("mumd_send_requests_total", state="rcpt") == 1
    assert page.sum("mumd_send_requests_total", state="data") == 4
    assert page.sum("mumd_send_recipients_total", result="taken") == 10
    assert page.sum("mumd_send_recipients_total", result="over") == 12
    assert page.sum("mumd_send_recipients_total", result="exempt") == 50
    assert page.sum("mumd_send_logins") == 2
    assert page.sum("mumd_send_logins_limited") == 1
    assert page.sum("mumd_send_state_saved") == 1
    assert "@" not in mumd.http("/metrics")[2]
