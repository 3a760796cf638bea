# SPDX-License-Identifier: MIT
"""./demo and ./check say at once what they cannot do on another system."""

import resource

import pytest

from lab import Lab
from lab.lab import TOP
from lab.machine import Machine

pytestmark = pytest.mark.other_programs

DEBIAN = 'ID=debian\nPRETTY_NAME="Debian GNU/Linux {0}"\n'
UBUNTU = 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04 LTS"\n'
NOT_TRIED = "x: made for Debian 12 and 13, and not tried on "
NO_PACKAGES = "x: no packages are installed here; tests/packages lists what is needed\n"

# /etc/os-release (None: there is none), and what known_system says.
SYSTEMS = {
    "Debian 12": (f'{DEBIAN.format("12 (bookworm)")}VERSION_ID="12"\n', ""),
    "Debian 13": (f'{DEBIAN.format("13 (trixie)")}VERSION_ID="13"\n', ""),
    "Debian unstable": (DEBIAN.format("forky/sid"), f"{NOT_TRIED}Debian GNU/Linux forky/sid\n"),
    "Debian 14": (f'{DEBIAN.format("14 (forky)")}VERSION_ID="14"\n',
                  f"{NOT_TRIED}Debian GNU/Linux 14 (forky)\n"),
    "Ubuntu": (UBUNTU, f"{NOT_TRIED}Ubuntu 24.04 LTS\n"),
    "nothing known": (None, f"{NOT_TRIED}this system\n"),
}
TOO_OLD = f'{DEBIAN.format("11 (bullseye)")}VERSION_ID="11"\n'


@pytest.fixture(scope="module")
def machine():
    with Lab() as lab:
        yield Machine(lab, seen=[TOP]).start()


def become(machine, release):
    machine.run("rm -f /etc/os-release")
    if release is not None:
        machine.write("/etc/os-release", release)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_that_is_not_known_is_named(machine, name):
    release, said = SYSTEMS[name]
    become(machine, release)
    shown = machine.run("set -u; . tests/build.sh; known_system x", cwd=str(TOP))
    assert shown.stdout == said


def test_nothing_is_installed_where_they_cannot_work(machine):
    become(machine, TOO_OLD)
    machine.write("/usr/local/bin/apt-get", "#!/bin/sh\ntouch /root/installed\n", 0o755)
    for command in ("./demo", "./check"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        shown = machine.run(command, cwd=str(TOP), check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert (shown.returncode, shown.stdout) == (
            77, f"{command}: needs Debian 12 or 13: Dovecot and SQLite of Debian GNU/Linux "
                "11 (bullseye) are too old\n")
        # in the first second, which on a busy machine is one of processor time
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert not machine.path("/root/installed").exists()


def test_who_has_no_apt_is_told_that_packages_are_missing(machine):
    become(machine, UBUNTU)
    machine.run("rm -f /usr/local/bin/apt-get /usr/bin/apt-get")
    shown = machine.run("set -u; . tests/build.sh; known_system x", cwd=str(TOP))
    assert shown.stdout == f"{SYSTEMS['Ubuntu'][1]}{NO_PACKAGES}"
