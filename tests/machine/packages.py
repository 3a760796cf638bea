# SPDX-License-Identifier: MIT
"""The checks of the packages: the upgrade, and the removal."""

from lab.manual import BACK_AGAIN, commands

from load import PROCESS, asked
from prepare import BEFORE
from report import expect
from service import answers


def dpkg(directory):
    """Installs what is there; mum.conf is the admin's."""
    return f"dpkg -i --force-confold {directory}/mumd_*.deb {directory}/dovecot-auth-mum_*.deb"


def upgrade(guest):
    """To the packages of this checkout: from those before them, where there are any, and back."""
    before = BEFORE if guest.run(f"ls {BEFORE}", check=False).returncode == 0 else "/root"
    guest.run(dpkg(before), timeout=300)
    answers(guest)
    old = guest.text(PROCESS)
    with asked(guest, f"an upgrade from {before} under load"):
        guest.run(dpkg("/root"), timeout=300)
    new = guest.text(PROCESS)
    expect("it has restarted mumd", old != new, f"process {old}, then {new}")
    seen = guest.run("mumctl check", check=False)
    expect("mumctl check, upgraded", seen.returncode == 0, seen.stdout.strip())
    if before == BEFORE:
        guest.run(dpkg(before), timeout=300)
        answers(guest)
        expect("the packages before answer with the mum.conf of today", True)
        guest.run(dpkg("/root"), timeout=300)
        answers(guest)


def remove(guest):
    block = next(block for block in commands("README.md") if block.section == BACK_AGAIN)
    guest.run(block.text)
    guest.run("apt-get -y purge mumd dovecot-auth-mum", timeout=300)
    seen = guest.text("find /etc/mum /var/spool/postfix/mum /etc/systemd /lib/systemd /var/lib/systemd "
                      "/run/systemd /usr/lib/sysusers.d /usr/lib/tmpfiles.d -path '*/mum*' 2>/dev/null; "
                      "find /etc/systemd -xtype l; systemctl --failed --no-legend; pgrep -x mumd")
    expect("a purge leaves nothing", seen == "", seen)
