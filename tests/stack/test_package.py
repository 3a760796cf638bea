# SPDX-License-Identifier: MIT
"""What the packages run on a machine, whatever its admin has done to it.

tests/debian/run installs them for real; this is what takes no mirror and no minutes.
"""

import pytest

from lab import Lab
from lab.lab import TOP
from lab.machine import Machine

POSTINST = "/root/mumd.postinst"

# name: (what was done before an upgrade, owner of /etc/mum and of mum.conf)
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
        machine = Machine(lab).start()
        machine.write(POSTINST, (TOP / "debian/mumd.postinst").read_text())
        machine.run("getent group mum || groupadd --system mum")
        yield machine


@pytest.mark.parametrize("done", DONE)
def test_postinst_configures_what_is_there(machine, done):
    command, owners = DONE[done]
    machine.run("rm -rf /etc/mum; mkdir -m 750 /etc/mum; install -m 640 /dev/null /etc/mum/mum.conf; "
                "dpkg-statoverride --quiet --force-all --remove /etc/mum/mum.conf || :")
    machine.run(command)
    for arguments in ("configure", "configure 0.1.0-1"):
        machine.run(f"sh {POSTINST} {arguments}")
    seen = machine.run("for path in /etc/mum /etc/mum/mum.conf; do "
                       "stat -L -c %U:%G $path 2>/dev/null || echo -; done").stdout
    assert seen.split() == owners.split()
