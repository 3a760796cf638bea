# SPDX-License-Identifier: MIT
"""The checks of what the kernel forbids: IPAddressDeny= and AppArmor."""

import re

from lab import wait_until
from lab.lab import TOP

from report import expect, show
from service import ANNA, CONF, POSTMAP, answers, own_configuration

DROP_INS = "/etc/systemd/system/mumd.service.d"
GUEST = "10.0.2.15"

LISTEN = "[mysqld]\nbind-address = 0.0.0.0\n"


def addresses(guest):
    """MariaDB at an address outside the loopback."""
    guest.write("/etc/mysql/mariadb.conf.d/99-listen.cnf", LISTEN)
    guest.run("systemctl restart mariadb; cd /usr/share/doc/mumd/examples\n"
              f"sed \"s/localhost/{GUEST}/; s/change-me-postfix/$(cat /etc/mum/postfix.password)/\" "
              "grants.sql | mariadb mum", timeout=300)
    with own_configuration(guest):
        # TLS would want ca-certificates, and a certificate of the server.
        guest.run(f"sed -i 's,\"unix:/run/mysqld/mysqld.sock\".*,\"{GUEST}:3306\"}}\\n    tls = \"off\",' "
                  f"{CONF}; systemctl restart mumd")
        seen = guest.run(POSTMAP, check=False)
        expect("mumd cannot reach it", seen.returncode != 0, seen.stdout.strip())
        line = guest.text("journalctl -u mumd --no-pager -o cat -n 30 | grep IPAddressAllow=")
        expect("its log says what to do", line != "", line)
        guest.write(f"{DROP_INS}/database.conf", f"[Service]\nIPAddressAllow={GUEST}\n")
        guest.run("systemctl daemon-reload; systemctl restart mumd")
        answers(guest)
        expect("with the drop-in it answers", True, guest.run(POSTMAP).stdout.strip())
    guest.run(f"rm -r {DROP_INS} /etc/mysql/mariadb.conf.d/99-listen.cnf; systemctl daemon-reload; "
              "systemctl restart mariadb mumd", timeout=300)
    answers(guest)


PROFILE = "/usr/share/apparmor/extra-profiles/usr.lib.dovecot.auth"
LOCAL = "/etc/apparmor.d/local/usr.lib.dovecot.auth"
LOGIN = f"doveadm auth test -x service=imap {ANNA}"
# In the manual the lines come in this order: mum.conf, MariaDB's socket, SQLite.
LINES = re.findall(r'^\.Ql "(/\S+ r.*,)\\&"', (TOP / "doc/mum-dovecot.7").read_text(), re.M)


def apparmor(guest):
    """Dovecot's auth process under Debian's profile, enforced."""
    guest.run("apt-get -y install --no-install-recommends apparmor-profiles apparmor-utils",
              timeout=600)
    show(guest.text("aa-status --enabled && echo enabled; aa-status | head -4; "
                    f"ls {PROFILE} /etc/apparmor.d/usr.lib.dovecot.auth"))
    guest.run(f"[ -e /etc/apparmor.d/usr.lib.dovecot.auth ] || cp {PROFILE} /etc/apparmor.d/\n"
              "aa-enforce /etc/apparmor.d/usr.lib.dovecot.auth; systemctl restart dovecot")
    seen = guest.run(LOGIN, answers="secret\n", check=False, timeout=300)
    said = guest.text("journalctl --no-pager -o cat --since -5min | "
                      "grep -E 'mum: .*Permission denied' | tail -1")
    expect("without our lines nobody logs in", seen.returncode != 0 and said != "", said)
    guest.write(LOCAL, "\n".join(LINES[:2]) + "\n")
    guest.run("apparmor_parser -r /etc/apparmor.d/usr.lib.dovecot.auth; systemctl restart dovecot")
    wait_until(lambda: guest.run(LOGIN, answers="secret\n", check=False).returncode == 0,
               "a login with the lines of mum-dovecot(7)", 90, 1)
    mode = guest.text("cat /proc/$(pidof -s auth)/attr/current")
    expect("with them they do, and the profile is in force", "(enforce)" in mode, mode)
    guest.run(f"rm {LOCAL}; aa-disable /etc/apparmor.d/usr.lib.dovecot.auth; "
              "systemctl restart dovecot")
