# SPDX-License-Identifier: MIT
"""The checks of the packages: upgrade and downgrade while mail flows, and the purge."""

import re

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


# ---- purge ----

# Paths that stay on purpose, and what they are.
STAYS = {
    r"/etc/postfix/(main|master)\.cf\.mum": "Postfix's files as the admin left them, see README.md",
    r"/etc/dovecot\.mum-\d+(/.*)?": "Dovecot's files as the admin left them, see README.md",
    r"/etc/(passwd|group|shadow|gshadow)-?": "the system user, which files may belong to",
    r"/var/lib/mysql/mum(/.*)?": "MUM's own database",
}
# Names anywhere on the disk and in /run, and words in /etc.
TRACES = ("{ find / /run -xdev -iname '*mum*'; "
          "grep -rIlw -e mum -e mumd -e mumctl /etc; } | sort -u")


# Before the packages were installed.
_before = set()


def traces(guest):
    return set(guest.text(TRACES).splitlines())


def remember_traces(guest):
    _before.update(traces(guest))


def purge(guest):
    found = traces(guest) - _before
    expect("the search finds what is installed", {"/usr/sbin/mumd", "/etc/mum/mum.conf"} <= found,
           f"{len(found)} paths")
    block = next(block for block in commands("README.md") if block.section == BACK_AGAIN)
    guest.run(block.text)
    guest.run("apt-get -y purge mumd dovecot-auth-mum", timeout=300)
    left = sorted(traces(guest) - _before)
    for pattern, what in STAYS.items():
        staying = [path for path in left if re.fullmatch(pattern, path)]
        left = [path for path in left if path not in staying]
        if staying:
            show(f"{len(staying)} paths stay, for they are {what}: {' '.join(staying[:2])}")
    expect("a purge leaves nothing else that is named or names us", left == [], "\n".join(left))
    seen = guest.text("find /etc/systemd -xtype l; systemctl --failed --no-legend; pgrep -x mumd; "
                      "systemctl list-unit-files --no-legend | grep -w mumd")
    expect("no dangling link, no failed unit, no process", seen == "", seen)
