# SPDX-License-Identifier: MIT
"""What the packages' scripts do on a machine, whatever its admin has changed.

tests/debian/run really installs the packages; these tests need no mirror and no minutes.
"""

import pytest

from lab import Lab
from lab.lab import TOP
from lab.machine import Machine
from lab.packages import make_scripts, purge, script, upgrade

pytestmark = pytest.mark.other_programs

# In place of deb-systemd-invoke(1)'s systemctl: all units are enabled and running.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>/root/systemctl.calls
case "$*" in *is-enabled*) echo enabled ;; esac
"""

# {name: (what was done before an upgrade, owner of /etc/mum and of mum.conf)}
DONE = {
    "nothing": (":", "root:mum root:mum"),
    "mum.conf removed": ("rm /etc/mum/mum.conf", "root:mum -"),
    "mum.conf elsewhere": ("mv /etc/mum/mum.conf /root; ln -s /nowhere /etc/mum/mum.conf",
                           "root:mum -"),
    "all removed": ("rm -r /etc/mum", "- -"),
    "another group": ("dpkg-statoverride --update --add root adm 0640 /etc/mum/mum.conf",
                      "root:mum root:adm"),
    "a link": ("mv /etc/mum/mum.conf /root; ln -s /root/mum.conf /etc/mum/mum.conf",
               "root:mum root:mum"),
}


@pytest.fixture(scope="module")
def machine():
    with Lab() as lab:
        machine = Machine(lab, seen=[TOP]).start()
        machine.write("/usr/local/sbin/systemctl", SYSTEMCTL, 0o755)
        machine.run("mkdir -p /run/systemd/system; rm -f /usr/sbin/policy-rc.d")
        make_scripts(machine)
        yield machine


@pytest.mark.parametrize("done", DONE)
def test_postinst_configures_what_is_there(machine, done):
    command, owners = DONE[done]
    machine.run("rm -rf /etc/mum; mkdir -m 750 /etc/mum; install -m 640 /dev/null /etc/mum/mum.conf; "
                "dpkg-statoverride --quiet --force-all --remove /etc/mum/mum.conf || :")
    machine.run(command)
    for arguments in ("configure", "configure 0.1.0-1"):
        script(machine, "now", "mumd", "postinst", arguments)
    seen = machine.run("for path in /etc/mum /etc/mum/mum.conf; do "
                       "stat -L -c %U:%G $path 2>/dev/null || echo -; done").stdout
    assert seen.split() == owners.split()


def calls(machine):
    """The calls of systemctl since the last time."""
    lines = machine.run("cat /root/systemctl.calls; : >/root/systemctl.calls").stdout
    return [line for line in lines.splitlines() if " is-" not in line]


@pytest.mark.parametrize("old", ["0.1.0", "now"])
def test_an_upgrade_restarts_the_daemon_and_never_its_sockets(machine, old):
    machine.run(": >/root/systemctl.calls")
    upgrade(machine, old)
    assert calls(machine) == ["--system daemon-reload",
                              "--quiet --system start mumd.service mumd.socket",
                              "try-restart mumd.service"]


def test_a_removal_stops_both(machine):
    machine.run(": >/root/systemctl.calls")
    script(machine, "now", "mumd", "prerm", "remove")
    assert calls(machine) == ["stop mumd.service mumd.socket"]


# Files that README.md and the manuals name, and files that only the admin knows.
PASSWORDS = " ".join(f"/etc/mum/{name}.password" for name in ("postfix", "measure", "dovecot"))
OWN = "/etc/mum/second.conf /var/spool/postfix/mum/metrics"


@pytest.mark.parametrize("packages", ["mumd dovecot-auth-mum", "dovecot-auth-mum mumd"])
@pytest.mark.parametrize("own", ["", OWN])
def test_a_purge_leaves_nothing_but_what_the_admin_has_put_there(machine, packages, own):
    machine.run("rm -rf /etc/mum /var/spool/postfix/mum; "
                "mkdir -p /etc/mum /var/spool/postfix/mum /var/lib/mumd; "
                f"touch {PASSWORDS} /var/spool/postfix/mum/policy /var/lib/mumd/senders {own}")
    for package in packages.split():
        purge(machine, package)
    seen = machine.run("find /etc/mum /var/spool/postfix/mum -type f || :").stdout
    assert sorted(line for line in seen.splitlines() if line.startswith("/")) == own.split()
    assert not machine.run("ls -d /var/lib/mumd 2>/dev/null || :").stdout
    gone = machine.run("ls -d /etc/mum /var/spool/postfix/mum 2>/dev/null || :").stdout
    assert bool(gone) == bool(own)


def test_a_purge_leaves_the_password_of_the_package_that_stays(machine):
    machine.run(f"rm -rf /etc/mum; mkdir /etc/mum; touch {PASSWORDS}")
    purge(machine, "dovecot-auth-mum")
    assert machine.run("ls /etc/mum").stdout == "measure.password\npostfix.password\n"
    machine.run(f"touch {PASSWORDS}")
    purge(machine, "mumd")
    assert machine.run("ls /etc/mum").stdout == "dovecot.password\n"


def test_a_purge_follows_no_link(machine):
    machine.run("rm -rf /etc/mum; mkdir -p /root/mine; ln -s /root/mine /etc/mum")
    purge(machine, "mumd")
    assert machine.run("ls -d /root/mine").stdout == "/root/mine\n"
