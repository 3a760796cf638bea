# SPDX-License-Identifier: MIT
"""The units and the packages' scripts under a real systemd (tests/lab/systemd.py): the
sandbox, restarts, a broken mum.conf, upgrades, the order with Postfix.
"""

import sqlite3
import stat
import time

import pytest

from lab import Lab, SocketmapClient, sample, wait_until
from lab.lab import TOP
from lab.load import Load
from lab.machine import Machine
from lab.mumd import binary
from lab.packages import make_scripts, upgrade
from lab.systemd import DROP_IN, Systemd

pytestmark = pytest.mark.other_programs

ALICE = ("mailboxes", "alice@example.test")
DATABASE = "/var/lib/mum/mum.sqlite"
SOCKETS = "/var/spool/postfix/mum"
CONF = f'database {{ driver = "sqlite"  path = "{DATABASE}"  deadline = "300ms" }}\n'

SAYS_SO = "[Service]\nExecStartPre=/bin/echo started\n"

# MUM itself runs as the user of its web server.
PREPARE = f"""
userdel mum 2>/dev/null || :
rm -rf /etc/mum /usr/local/etc/mum /var/spool/postfix/mum /var/lib/mum
mkdir -p /usr/local/etc /var/spool/postfix /etc/mum
ln -s /etc/mum /usr/local/etc/mum
install {binary()} /usr/sbin/mumd
"""

# The database as MUM leaves it: nobody has it open, so there is no WAL file.
NEW_DATABASE = f"""
rm -rf /var/lib/mum
install -d -o www-data -g mum -m 2770 /var/lib/mum
install -o www-data -g mum -m 660 /root/wal.sqlite {DATABASE}
"""


class Server:
    """The machine, its systemd, and questions to its mumd."""

    def __init__(self, lab, wal):
        self.machine = Machine(lab, seen={TOP, binary().parent}).start()
        self.machine.run(f"cp {wal} /root/wal.sqlite\n{PREPARE}")
        make_scripts(self.machine)
        self.systemd = lab.own(Systemd(lab, self.machine).start())
        for name in ("mumd.service", "mumd.socket"):
            self.systemd.unit(name, (TOP / "conf-examples/systemd" / name).read_text())
        self.systemd.drop_in(DROP_IN, "machine")

    def write_conf(self, text):
        self.machine.write("/etc/mum/mum.conf", text)
        self.machine.run("chgrp mum /etc/mum/mum.conf")

    def connect(self, timeout=10):
        return SocketmapClient(self.machine.path(f"{SOCKETS}/socketmap"), timeout)

    def lookup(self):
        with self.connect() as client:
            return client.ask(*ALICE)

    def sockets(self):
        """The inodes of the sockets: new sockets would have others."""
        return [self.machine.path(f"{SOCKETS}/{name}").stat().st_ino
                for name in ("socketmap", "policy")]

    def is_listening(self):
        return self.systemd.show("mumd.socket", "ActiveState") == "active"

    def pid(self):
        return int(self.systemd.show("mumd.service", "MainPID"))

    def starts(self):
        """How often mumd was started since it writes that down (SAYS_SO)."""
        return int(self.machine.run("grep -c '^started$' /var/log/mumd.log || :").stdout)


@pytest.fixture(scope="module")
def shared():
    with Lab() as lab:
        wal = lab.path / "wal.sqlite"
        sample.write_sqlite(wal)
        connection = sqlite3.connect(wal)
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        connection.close()
        yield Server(lab, wal)


@pytest.fixture
def server(shared):
    """A server whose mumd runs, as after "systemctl enable --now mumd"."""
    shared.write_conf(CONF)
    shared.machine.run(NEW_DATABASE + ": >/var/log/mumd.log")
    started = shared.systemd.ctl("enable --now mumd")
    assert started.returncode == 0, started.stdout
    shared.systemd.calls()
    yield shared
    shared.systemd.drop_in("")
    shared.systemd.ctl("disable --now mumd.service mumd.socket")
    shared.systemd.ctl("reset-failed")


# ---- the sandbox ----

def test_it_reads_sqlite_in_wal_mode_and_writes_nowhere_else(server):
    assert server.lookup() == b"OK 1"
    mountinfo = server.machine.path(f"/proc/{server.pid()}/mountinfo")
    mounts = {fields[4]: fields[5].split(",")[0] for fields in
              map(str.split, mountinfo.read_text().splitlines())}
    assert (mounts["/"], mounts["/var/lib/mum"], mounts[SOCKETS]) == ("ro", "rw", "rw")
    info = server.machine.path("/var/lib/mum").stat()
    assert stat.S_IMODE(info.st_mode) == 0o2770
    assert server.machine.run("stat -c %U:%G /var/lib/mum").stdout == "www-data:mum\n"


def test_it_starts_without_the_directory_of_sqlite(server):
    server.machine.run("rm -r /var/lib/mum")
    assert server.systemd.ctl("restart mumd").returncode == 0


def test_the_directory_of_the_sockets_is_put_right_before_they_are_made(server):
    """On a first installation systemd makes it as root:root, because the group does not
    exist yet.
    """
    server.systemd.ctl("stop mumd.service mumd.socket")
    server.machine.run(f"rmdir {SOCKETS}; install -d -o root -g root -m 755 {SOCKETS}")
    assert server.systemd.ctl("start mumd").returncode == 0
    assert server.machine.run(f"stat -c '%a %U:%G' {SOCKETS}").stdout == "2750 mum:postfix\n"
    assert server.lookup() == b"OK 1"


# ---- a broken mum.conf, and worse ----

def test_a_reload_of_a_broken_file_fails_and_the_old_one_goes_on(server):
    pid = server.pid()
    assert server.systemd.ctl("reload mumd").returncode == 0
    server.write_conf(CONF + "nonsense {\n")
    assert server.systemd.ctl("reload mumd").returncode != 0
    assert server.lookup() == b"OK 1" and server.pid() == pid
    server.write_conf(CONF)
    assert server.systemd.ctl("reload mumd").returncode == 0


def test_a_restart_with_a_broken_file_fails_and_clients_wait_until_it_is_fixed(server):
    sockets = server.sockets()
    server.systemd.drop_in(SAYS_SO)
    server.write_conf(CONF + "nonsense {\n")
    assert server.systemd.ctl("restart mumd").returncode != 0
    began, before = time.monotonic(), server.starts()
    with server.connect(timeout=30) as client:
        client.send(b"28:mailboxes alice@example.test,")
        while time.monotonic() < began + 15:
            with server.connect():
                time.sleep(0.1)
        # At most twelve a minute, but at least one, because it is tried again.
        assert 1 <= server.starts() - before <= 4
        assert server.is_listening() and server.sockets() == sockets
        server.write_conf(CONF)
        assert client.reply() == b"OK 1"
    assert server.lookup() == b"OK 1"


@pytest.mark.parametrize("command", ["/bin/false", "/bin/sh -c 'kill -KILL $$$$'", "/nowhere"])
def test_a_mumd_that_cannot_live_leaves_the_sockets_open(server, command):
    sockets = server.sockets()
    server.systemd.drop_in(f"[Service]\nExecStart=\nExecStart={command}\n")
    assert server.systemd.ctl("restart mumd").returncode != 0
    with server.connect(timeout=30) as client:
        client.send(b"28:mailboxes alice@example.test,")
        time.sleep(5)
        assert server.is_listening() and server.sockets() == sockets
        server.systemd.drop_in("")
        assert client.reply() == b"OK 1"


def test_one_that_was_killed_is_there_again_at_once(server):
    server.machine.run("kill -KILL $(pgrep -x mumd)")
    began = time.monotonic()
    assert server.lookup() == b"OK 1"
    assert time.monotonic() < began + 4


# ---- upgrades of the package ----

@pytest.mark.parametrize("old", ["0.1.0", "now"])
def test_an_upgrade_restarts_mumd_and_refuses_nobody(server, old):
    sockets, pid = server.sockets(), server.pid()
    load = [Load(server.connect, ALICE, keep) for keep in (True, True, False, False)]
    for one in load:
        one.start()
    try:
        for _ in range(3):
            upgrade(server.machine, old)
        enough = {one: one.answered + 20 for one in load}
        wait_until(lambda: all(one.answered >= enough[one] or one.trouble for one in load),
                   "answers", timeout=30)
    finally:
        for one in load:
            one.end()
    assert [one.trouble for one in load] == [[]] * len(load)
    assert server.sockets() == sockets and server.pid() != pid
    calls = server.systemd.calls()
    assert calls.count("try-restart mumd.service") == 3
    # "start" does not change a running unit.
    assert not [call for call in calls if "mumd.socket" in call.split()
                and {"stop", "restart", "try-restart"} & set(call.split())]


def test_an_upgrade_starts_nothing_that_is_not_enabled(server):
    server.systemd.ctl("disable --now mumd.service mumd.socket")
    upgrade(server.machine, "now")
    assert server.pid() == 0 and not server.is_listening()


# ---- Postfix ----

# When stopped, Postfix writes down whether mumd still runs.
STOPS = "ExecStop=/bin/sh -c 'sleep 1; pgrep -x mumd >/root/at-stop'\n"
DAEMON = f"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n{STOPS}"

# Of each Debian: the unit that is the daemon, and all units.
POSTFIX = {
    "12": ("postfix@-.service", {
        "postfix.service": DAEMON.replace(STOPS, ""),
        "postfix@.service": f"[Unit]\nPartOf=postfix.service\nBefore=postfix.service\n{DAEMON}"}),
    "13": ("postfix.service", {
        "postfix.service": f"[Unit]\nConflicts=postfix@-.service\n{DAEMON}",
        "postfix@.service": "[Unit]\nPartOf=postfix.service\nBefore=postfix.service\n"
                            f"AssertPathExists=/etc/postfix-%I/main.cf\n{DAEMON}"}),
}


@pytest.mark.parametrize("debian", POSTFIX)
def test_postfix_starts_after_mumd_and_stops_before_it(server, debian):
    daemon, units = POSTFIX[debian]
    server.machine.run("rm -f /root/at-stop")
    for name, text in units.items():
        server.systemd.unit(name, text)
    server.systemd.ctl("daemon-reload")
    assert "mumd.service" in server.systemd.show(daemon, "After").split()
    assert server.systemd.ctl(f"start {daemon}").returncode == 0
    pid = server.machine.run("pgrep -x mumd").stdout
    server.systemd.ctl(f"stop {daemon} mumd.service mumd.socket")
    assert server.machine.run("cat /root/at-stop").stdout == pid
