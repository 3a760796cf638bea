# SPDX-License-Identifier: MIT
"""The checks of the packages: upgrade and downgrade while mail flows, and the removal."""

from lab.manual import BACK_AGAIN, commands

from load import Mail, PROCESS, asked
from prepare import BEFORE
from report import expect, show
from service import CONF, answers, own_configuration


def apt(directory):
    """Installs the packages that are there; mum.conf stays the admin's."""
    return (f"apt-get -y --allow-downgrades -o Dpkg::Options::=--force-confold install "
            f"{directory}/mumd_*.deb {directory}/dovecot-auth-mum_*.deb")


def version(guest):
    return guest.text("dpkg-query -W -f '${Version}' mumd")


def install(guest, directory):
    guest.run(apt(directory), timeout=300)
    answers(guest)


def upgrade(guest):
    """From the packages before to those of this checkout, and back, with the mum.conf of before,
    in which the admin has changed something, while mail flows."""
    with own_configuration(guest):
        guest.run(f"dpkg-deb --fsys-tarfile {BEFORE}/mumd_*.deb | tar -xO .{CONF} >{CONF}\n"
                  f"sed -i 's/^    # entries = .*/    entries = 10000/' {CONF}; "
                  f"grep -q '^    entries' {CONF}; cp {CONF} {CONF}.before")
        install(guest, BEFORE)
        old = guest.text(PROCESS)
        mail = Mail(guest)
        with asked(guest, f"an upgrade from {version(guest)}"):
            guest.run(apt("/root"), timeout=300)
        mail.flows()
        turned_away = [one for one in mail.tries() if one["code"] != 250]
        expect("no mail was turned away, not even for now", turned_away == [],
               str(turned_away[:3] or version(guest)))
        new = guest.text(PROCESS)
        expect("it has restarted mumd", old != new, f"process {old}, then {new}")
        seen = guest.run("mumctl check", check=False)
        show(seen.stdout)
        expect("mumctl check, upgraded", seen.returncode == 0, seen.stdout.strip())
        install(guest, BEFORE)      # its sockets are closed for a moment
        mail.flows()
        mail.end()
        expect("downgraded", True, version(guest))
        seen = guest.run(f"cmp {CONF} {CONF}.before && rm {CONF}.before && mumctl check", check=False)
        expect("mum.conf is as it was, and mumctl check is content", seen.returncode == 0,
               seen.stdout.strip())
        install(guest, "/root")


def remove(guest):
    block = next(block for block in commands("README.md") if block.section == BACK_AGAIN)
    guest.run(block.text)
    guest.run("apt-get -y purge mumd dovecot-auth-mum", timeout=300)
    seen = guest.text("find /etc/mum /var/spool/postfix/mum /etc/systemd /lib/systemd /var/lib/systemd "
                      "/run/systemd /usr/lib/sysusers.d /usr/lib/tmpfiles.d -path '*/mum*' 2>/dev/null; "
                      "find /etc/systemd -xtype l; systemctl --failed --no-legend; pgrep -x mumd")
    expect("a purge leaves nothing", seen == "", seen)
