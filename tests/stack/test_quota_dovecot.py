# SPDX-License-Identifier: MIT
"""A real quota-status: full mailboxes are refused at RCPT, and nothing bounces; when the
service is killed, stopped, restarted or at its limit, mail flows."""

import concurrent.futures
import itertools
import os
import pathlib
import re
import signal
import socket
import time

import pytest

from lab import MailRecorder, Mumctl, Mumd, Postfix, free_port, wait_until
from lab.lab import ENVIRONMENT
from lab.mum_dovecot import MumDovecot
from lab.mumd import GROUP
from test_dovecot_delivery import add_alias

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

FULL = "452 4.2.2 mailbox is full"
ALL_FULL = "452 4.2.2 all mailboxes of this address are full"
GIGABYTE = 1 << 30

# Seconds on a busy machine; the deadline is one.
AT_ONCE, A_SECOND = 0.45, 1.4
# How much longer a RCPT through Postfix may take.
NO_LONGER, A_SECOND_LONGER = 0.4, 1.1 + 0.3

_numbers = itertools.count(1)


class Host:
    """Postfix, mumd, and a Dovecot that says which mailboxes are full."""

    def __init__(self, lab, store):
        self.store = store
        self.outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
        self.postfix = Postfix(lab, self.outside.address, name="pf-quota")
        self.socket = lab.directory("quota-real") / "quota-status"
        self.mumd = Mumd(lab, {
            "database": dict(store.settings), "cache": {"ttl": "0s"},
            "policy": {"quota": "enforce", "quota_status": f"unix:{self.socket}"}},
            name="mumd-quota-real", sockets=self.postfix.sockets).start()
        lines = Mumctl(self.mumd.config).quota_status_lines()
        assert f"group = {GROUP}\n" in lines
        self.dovecot = lab.own(MumDovecot(
            lab, store.settings, name="dc-quota", postfix=self.postfix,
            settings=lines, sections={"cache": {"ttl": "0s"}}).start())
        self.postfix.start()

    def user(self, full=False):
        user = self.store.add(f"quota{next(_numbers)}", quota=1)
        if full:
            self.dovecot.fill(user, GIGABYTE + 1)
        return user

    def alias(self, *recipients):
        name = f"qalias{next(_numbers)}@example.test"
        add_alias(self.store, name, *recipients)
        return name

    def rcpt(self, recipient, sender="sender@external.test"):
        smtp = self.postfix.smtp()
        smtp.mail(sender)
        reply = smtp.rcpt(recipient)
        smtp.quit()
        return reply

    def timed_rcpt(self, recipient):
        """(reply, seconds), as a mail server sees it."""
        began = time.monotonic()
        return self.rcpt(recipient), time.monotonic() - began

    def usual_seconds(self, recipient):
        """Of a RCPT that is refused, at the worst."""
        answers = [self.timed_rcpt(recipient) for _ in range(5)]
        assert {reply[:9] for reply, _ in answers} == {"452 4.2.2"}
        return max(seconds for _, seconds in answers)

    def want_nobody_waits(self, recipient, usual):
        """full or not: another process may know it."""
        for _ in range(20):
            reply, seconds = self.timed_rcpt(recipient)
            assert reply.startswith(("250", "452 4.2.2")) and seconds < usual + NO_LONGER

    def send(self, recipient, subject):
        smtp = self.postfix.smtp()
        smtp.mail("sender@external.test")
        reply = smtp.rcpt(recipient)
        return smtp.data(subject) if reply.startswith("250") else reply

    def decide(self, recipient, **attributes):
        """(action, seconds), without Postfix."""
        began = time.monotonic()
        action = self.mumd.decide(recipient=recipient, policy_context="recipient",
                                  sender="x@external.test", **attributes)
        return action, time.monotonic() - began

    def bounces(self):
        """Since the beginning, in Postfix's log."""
        return len(re.findall(r"sender non-delivery notification", self.postfix.log()))

    def lines(self):
        return [line for line in self.mumd.log() if "quota: unix:" in line]

    def asks_again(self, full):
        wait_until(lambda: self.decide(full)[0] == FULL, "mumd asks again", 15)


@pytest.fixture(scope="module")
def host(lab, stores):
    return Host(lab, stores("sqlite"))


@pytest.fixture(scope="module")
def full(host):
    return host.user(full=True)


@pytest.fixture(scope="module")
def other_full(host):
    return host.user(full=True)


@pytest.fixture(scope="module")
def empty(host):
    return host.user()


# ---- mail ----

def test_a_full_mailbox_is_refused_and_another_one_is_not(host, full, empty):
    assert host.rcpt(full).startswith(FULL.replace("mailbox", f"<{full}>: Recipient address "
                                                   "rejected: mailbox"))
    assert "mailbox is full" in host.rcpt(full.upper())
    assert "mailbox is full" in host.rcpt(full.replace("@", "+ext@"))
    assert host.rcpt(full, sender="").startswith("452 4.2.2")
    assert host.rcpt(empty).startswith("250")


@pytest.mark.parametrize("behind", [False, True])
def test_aliases(host, full, other_full, empty, behind):
    def alias(*recipients):
        name = host.alias(*recipients)
        return host.alias(name) if behind else name

    assert "4.2.2" in host.rcpt(alias(full))
    assert ALL_FULL[10:] in host.rcpt(alias(full, other_full))
    assert host.rcpt(alias(full, empty)).startswith("250")
    assert host.rcpt(alias(full, "friend@external.test")).startswith("250")


def test_where_all_are_full_nothing_bounces_and_else_the_bounce_of_today_stays(
        host, full, other_full, empty):
    before = host.bounces()
    for recipient in (full, host.alias(full), host.alias(full, other_full)):
        assert host.send(recipient, "no").startswith("452 4.2.2")
    wait_until(host.postfix.is_idle, "an empty queue")
    assert host.bounces() == before
    assert host.send(host.alias(full, empty), "one of two").startswith("250")
    wait_until(lambda: host.bounces() == before + 1, "the bounce", 20)


def test_room_is_seen_at_once(host, full):
    user = host.user(full=True)
    assert host.decide(user)[0] == FULL
    host.dovecot.doveadm("expunge", "-u", user, "mailbox", "INBOX", "all", check=True)
    assert host.decide(user)[0] == "DUNNO"


def test_sizes(host, empty):
    """As large as the quota and its grace, or larger; and a size does not stick."""
    assert host.decide(empty, size=str(GIGABYTE // 2))[0] == "DUNNO"
    assert host.decide(empty, size=str(2 * GIGABYTE))[0] == FULL
    assert host.decide(empty)[0] == "DUNNO"


def test_explain_and_check(host, full, empty):
    mumctl = Mumctl(host.mumd.config)
    alias = host.alias(full, empty)
    for address, action, reason in (
            (full, FULL, f"<{full}> is full"), (empty, "DUNNO", f"<{empty}> can take mail"),
            (alias, "DUNNO", f"<{empty}> can take mail"),
            (host.alias(full, "x@external.test"), "DUNNO",
             "mail goes to <x@external.test>, too, which is not in MUM")):
        verdicts = mumctl.json("explain", address)["verdicts"]
        assert [(one["answer"], one["reason"]) for one in verdicts
                if one["what"] == "policy quota"] == [(action, reason)]
    assert "quota-silent" not in {one["code"] for one in mumctl.findings()}


def test_user_says_how_full_it_is(host, lab, full, empty):
    """By the doveadm that is installed, and by quota-status."""
    folder = lab.directory("quota-doveadm")
    (folder / "doveadm").write_text(f'#!/bin/sh\nexec {host.dovecot.doveadm_in_shell()} "$@"\n')
    (folder / "doveadm").chmod(0o755)
    mumctl, path = Mumctl(host.mumd.config), {"PATH": f"{folder}:{ENVIRONMENT['PATH']}"}

    def quota(user):
        return mumctl.run("--json", "user", user, environment=path).json()["quota"]
    host.asks_again(full)
    assert quota(full) == {"gb": 1, "source": "mailbox", "used_kib": (GIGABYTE >> 10) + 1,
                           "full": True}
    seen = quota(empty)
    assert not seen["full"] and 0 <= seen["used_kib"] < 100
    assert mumctl.run("user", full, environment=path).stdout.splitlines()[-1] == (
        "quota: 1 GB, the mailbox's; 1048577 KiB used, 100.0 %; full: Dovecot takes no mail")


# ---- trouble ----

def test_killed(host, full):
    assert host.decide(full)[0] == FULL
    for pid in host.dovecot.children("quota-status"):
        os.kill(pid, signal.SIGKILL)
    assert host.decide(full)[0] == FULL     # another process
    assert host.lines() == []


def test_killed_while_it_is_asked(host, full):
    """Its process is stopped, so that the question is under way, and then killed."""
    usual, lines = host.usual_seconds(full), len(host.lines())
    pids = list(host.dovecot.children("quota-status"))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(host.timed_rcpt, full)
        time.sleep(0.3)
        assert not under_way.done()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        reply, seconds = under_way.result()
    assert reply.startswith(("250", "452 4.2.2")) and seconds < usual + A_SECOND_LONGER
    host.want_nobody_waits(full, usual)
    host.asks_again(full)
    assert (len(host.lines()) - lines) % 2 == 0


@pytest.mark.parametrize("name", ["quota-status", "auth"])
def test_stopped(host, full, name):
    """A second for who is under way, then nothing for anybody, through Postfix. When those
    processes of quota-status are stopped that have answered, Dovecot starts others."""
    usual, lines = host.usual_seconds(full), len(host.lines())
    pids = list(host.dovecot.children(name))
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        reply, seconds = host.timed_rcpt(full)
        assert reply.startswith("250") and seconds < usual + A_SECOND_LONGER
        if name == "auth":
            wait_until(lambda: len(host.lines()) == lines + 1, "the line in the log", 2)
        host.want_nobody_waits(full, usual)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    host.asks_again(full)
    wait_until(lambda: len(host.lines()) % 2 == 0, "two lines in the log", 5)


def test_restarted(host, full):
    assert host.decide(full)[0] == FULL
    host.dovecot.stop()
    for _ in range(10):
        action, seconds = host.decide(full)
        assert action == "DUNNO" and seconds < AT_ONCE
    host.dovecot.start()
    host.asks_again(full)


def test_reloaded(host, full):
    """The socket is away for a moment: who asks then finds nobody, and a second later it is
    as before."""
    for _ in range(3):
        host.asks_again(full)
        host.dovecot.doveadm("reload", check=True)
        for _ in range(10):
            _, seconds = host.decide(full)
            assert seconds < A_SECOND
    host.asks_again(full)
    assert len(host.lines()) % 2 == 0


def test_at_its_limit(host, full):
    """Others hold all its processes; a connection more is taken, and never answered."""
    host.dovecot.add_settings("service quota-status {\n  process_limit = 3\n}\n")
    host.dovecot.stop()
    host.dovecot.start()
    others = []
    try:
        for _ in range(3):
            others.append(socket.socket(socket.AF_UNIX))
            others[-1].connect(str(host.socket))
            others[-1].sendall(b"request=smtpd_access_policy\nrecipient=x\nsize=0\n\n")
            assert others[-1].recv(100)
        action, seconds = host.decide(full)
        assert action == "DUNNO" and seconds < A_SECOND
        for _ in range(20):
            action, seconds = host.decide(full)
            assert action == "DUNNO" and seconds < AT_ONCE
    finally:
        for one in others:
            one.close()
    host.asks_again(full)


def test_the_home_of_who_has_none_is_made(host):
    """What it costs to ask: see mumd(8)."""
    user = host.user()
    home = pathlib.Path(host.dovecot.user(user)["home"])
    assert host.decide(user)[0] == "DUNNO"
    assert home.exists()
