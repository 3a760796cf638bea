# SPDX-License-Identifier: MIT
"""The checks of mumd as a service: README.md's steps, mail, logs, watchdog, a broken mum.conf,
the limit of a login, SQLite, sandbox.
"""

import contextlib
import re

from lab import wait_until
from lab.lab import TOP
from lab.manual import BACK_AGAIN, commands

from prepare import CHECKOUT
from report import expect, say, show

MAP = "socketmap:unix:mum/socketmap:mailboxes"
POSTMAP = f"cd /var/spool/postfix; postmap -q anna@example.org {MAP}"
ANNA, BEN, INFO, SCANNER = (f"{name}@example.org" for name in ("anna", "ben", "info", "scanner"))
ASKER = f"{CHECKOUT}/tests/machine/asker.py"
STRANGER = "friend@example.net"
CONF = "/etc/mum/mum.conf"

@contextlib.contextmanager
def own_configuration(guest):
    """A context in which mum.conf may be changed; afterwards it is restored, and mumd answers."""
    guest.run(f"cp -p {CONF} {CONF}.good")
    try:
        yield
    finally:
        guest.run(f"mv {CONF}.good {CONF}; systemctl restart mumd")
        answers(guest)


def answers(guest, timeout=30):
    """Wait until mumd answers."""
    wait_until(lambda: guest.run(POSTMAP, check=False).returncode == 0, "an answer of mumd", timeout)


# ---- README.md ----

def follow_readme(guest):
    """Steps 1 (on the server) to 6, word for word; then no unit has failed."""
    for name, database in (("schema-mariadb", ""), ("example", "mum")):
        guest.run(f"mariadb {database}", answers=(TOP / f"tests/lab/{name}.sql").read_text())
    for block in commands("README.md"):
        if block.section == BACK_AGAIN:
            break
        if ("dpkg-buildpackage" in block.text or "./bootstrap" in block.text
                or block.text.startswith("adduser ")):
            continue
        seen = guest.run(block.text, cwd=CHECKOUT, answers="secret\n", timeout=3600).stdout
        say(f"README.md:{block.line}, {len(block.text.splitlines())} lines of commands: done")
        if "mumctl check" in block.text:
            checked = seen
    expect("mumctl check, at last", "0 errors, 0 warnings" in checked, checked.strip())
    failed = guest.text("systemctl --failed --no-legend")
    expect("no unit has failed", failed == "", failed)
    failed = guest.text("grep -iE 'failed|error' /var/log/apt/term.log")
    expect("apt has said nothing of failures", failed == "", failed)
    mode = guest.text("stat -c '%a %U:%G' /var/spool/postfix/mum")
    expect("the directory of the sockets", mode == "2750 mum:postfix", mode)


def send_mail(guest):
    good, seen = guest.mail_user("send", STRANGER, INFO, "by-mx")
    expect(f"mail to {INFO} is accepted", good, seen)
    for user in (ANNA, BEN):
        good, seen = guest.mail_user("fetch", user, "by-mx")
        expect(f"{user} reads it over IMAP", good and "Subject: by-mx" in seen,
               "Subject: by-mx" if good else seen)
    for what, arguments, code in (
            ("takes no mail", ("send", STRANGER, SCANNER), "550 5.2.1"),
            ("cannot log in over IMAP", ("fetch", SCANNER), "535")):
        good, seen = guest.mail_user(*arguments, "refused")
        expect(f"{SCANNER} is send-only and {what}", not good and seen.startswith(code), seen)


# ---- logs ----

REFUSED = f"policy: reject: reason=.* sender=<{STRANGER}> recipient=<{SCANNER}>"


def logs(guest):
    """A refusal is in the journal, and through rsyslog in the mail log."""
    guest.run("install -m 0600 /dev/null /root/mail.log; wc -l </var/log/mail.log >/root/mail.log")
    began = guest.text("date '+%Y-%m-%d %H:%M:%S'")
    good, seen = guest.mail_user("send", STRANGER, SCANNER, "refused")
    expect(f"mail to {SCANNER} is refused", not good, seen)
    for what, log in (
            ("the journal", f"journalctl -u mumd --since '{began}' --no-pager"),
            ("/var/log/mail.log", "tail -n +$(($(cat /root/mail.log) + 1)) /var/log/mail.log")):
        lines = wait_until(lambda log=log: guest.text(f"{log} | grep 'mumd\\[.*{REFUSED}'"),
                           f"the refusal in {what}", 20, 0.5)
        expect(f"{what} has the refusal, once", len(lines.splitlines()) == 1, lines)


# ---- a mumd that hangs ----

def watchdog(guest):
    restarts_before = int(guest.text("systemctl show -p NRestarts --value mumd"))
    checked = guest.run("kill -STOP $(pidof mumd); mumctl check", check=False)
    show(checked.stdout)
    expect("mumctl check complains of a mumd that is stopped", checked.returncode != 0,
           f"exit {checked.returncode}")
    answers(guest, 40)
    count = int(guest.text("systemctl show -p NRestarts --value mumd"))
    expect("the watchdog restarts it", count == restarts_before + 1,
           guest.text("journalctl -u mumd --no-pager -o cat | grep -i watchdog | tail -1"))


# ---- a broken mum.conf ----

def broken_configuration(guest):
    with own_configuration(guest):
        guest.run(f"echo 'nonsense {{' >>{CONF}")
        seen = guest.run("systemctl reload mumd", check=False)
        expect("a reload of a broken mum.conf fails", seen.returncode != 0, seen.stdout.strip())
        expect("mumd goes on with the old one", guest.run(POSTMAP).stdout != "")
        seen = guest.run("systemctl restart mumd", check=False)
        expect("a restart fails", seen.returncode != 0, seen.stdout.strip())
        waiting = f"timeout 20 postmap -q {ANNA} {MAP}"
        seen = guest.text(f"cd /var/spool/postfix; {waiting} || echo exit $?; "
                          "journalctl -u mumd --since -20s --no-pager -o cat")
        starts = seen.count("Failed to start")
        expect("a client waits, and at most six starts fail in 20 seconds",
               seen.startswith("exit 124") and 0 < starts <= 6, f"{starts} starts")
        state = guest.text("systemctl is-active mumd.socket; ls /var/spool/postfix/mum")
        expect("the sockets stay", state == "active\npolicy\nsocketmap", " ".join(state.split()))
    state = guest.text("systemctl is-active mumd")
    expect("fixed and restarted it answers", state == "active", state)


# ---- the limit of a login ----

LIMIT = "send = \"enforce\"\\n    send_rate = 1\\n    send_burst = 3"
SENDERS = "/var/lib/mumd/senders"


def limits(guest):
    """What a login has sent counts after a reboot, too; no clock locks it out."""
    def may_send(count):
        answers(guest)
        return guest.run(f"python3 {ASKER} data {ANNA} {count}").stdout.strip()

    def move_clock(hours):
        guest.run(f"date -s @$(($(date +%s) + {hours} * 3600)); systemctl restart mumd")

    with own_configuration(guest):
        guest.run(f"sed -i 's/^policy {{/&\\n    {LIMIT}/' {CONF}; systemctl restart mumd")
        seen = may_send(3)
        expect("a mail to three is within the limit", seen == "DUNNO", seen)
        guest.run("systemctl restart mumd")
        modes = guest.text(f"stat -c '%a %U:%G' {SENDERS} $(dirname {SENDERS})").splitlines()
        expect("mumd keeps the counts for itself", modes == ["600 mum:mum", "700 mum:mum"],
               ", ".join(modes))
        guest.reboot()
        seen = may_send(1)
        expect("after a reboot one more is not", seen.startswith("450 4.7.1 "), seen)
        seen = guest.text("mumctl senders")
        expect("mumctl senders shows the login", ANNA in seen, seen)
        move_clock(2)
        seen = may_send(1)
        expect("two hours later it is", seen == "DUNNO", seen)
        move_clock(-24)
        seen = may_send(1)
        expect("and with a clock set back by a day", seen == "DUNNO", seen)
        move_clock(22)
    guest.run(f"rm {SENDERS}")


# ---- SQLite, the sandbox ----

SQLITE = '''database {
    driver = "sqlite"
    path = "/var/lib/mum/mum.sqlite"
}
'''

MAKE_SQLITE = """
import sqlite3
database = sqlite3.connect("/var/lib/mum/mum.sqlite")
database.execute("PRAGMA journal_mode=wal")
database.executescript(%r)
database.close()
""" % "".join((TOP / f"{name}.sql").read_text()
              for name in ("conf-examples/schema-sqlite", "tests/lab/example"))


def sqlite(guest):
    guest.run("install -d -o mum -g mum -m 2770 /var/lib/mum")
    guest.run("setpriv --reuid mum --regid mum --clear-groups python3", answers=MAKE_SQLITE)
    files = guest.text("ls /var/lib/mum")
    expect("SQLite in WAL mode, opened by nobody", files == "mum.sqlite", files)
    with own_configuration(guest):
        guest.run(f"cat >{CONF}; systemctl restart mumd", answers=SQLITE)
        seen = guest.run(POSTMAP, check=False)
        expect("mumd reads it under the unit as shipped", seen.returncode == 0,
               seen.stdout.strip())
    guest.run("rm -r /var/lib/mum")


def sandbox(guest):
    seen = guest.text("systemd-analyze security mumd --no-pager | tail -1")
    exposure = float(re.search(r": ([\d.]+) ", seen)[1])
    expect("systemd-analyze security is at most 1.0", exposure <= 1.0, seen)
    status = guest.text("grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/$(pidof mumd)/status")
    expect("mumd has no capabilities and a filter", status.split() == [
        "CapEff:", "0" * 16, "NoNewPrivs:", "1", "Seccomp:", "2"], " ".join(status.split()))
