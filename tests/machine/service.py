# SPDX-License-Identifier: MIT
"""The checks of mumd as a service: README.md's steps, boot, restarts, upgrade, sandbox, removal."""

import contextlib
import re
import threading

from lab import wait_until
from lab.lab import TOP
from lab.manual import commands

from prepare import BEFORE, CHECKOUT
from report import expect, say, show

ASKER = f"{CHECKOUT}/tests/machine/asker.py"
MAP = "socketmap:unix:mum/socketmap:mailboxes"
POSTMAP = f"cd /var/spool/postfix; postmap -q anna@example.org {MAP}"
ANNA, BEN, INFO, SCANNER = (f"{name}@example.org" for name in ("anna", "ben", "info", "scanner"))
STRANGER = "friend@example.net"
CONF = "/etc/mum/mum.conf"

PROBE = f"""[Unit]
Description=Gives mail to Postfix from the first second to the last
DefaultDependencies=no
After=local-fs.target
[Service]
ExecStart=/usr/bin/python3 {ASKER} smtp /root/probe.log
[Install]
WantedBy=sysinit.target
"""


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


# ---- 1: README.md ----

def follow_readme(guest):
    """Steps 1 (on the server) to 6, word for word; then no unit has failed."""
    for name, database in (("schema-mariadb", ""), ("example", "mum")):
        guest.run(f"mariadb {database}", answers=(TOP / f"tests/lab/{name}.sql").read_text())
    for block in commands("README.md"):
        if block.section == "Back again:":
            break
        if ("dpkg-buildpackage" in block.text or "./bootstrap" in block.text
                or block.text.startswith("adduser ")):
            continue
        seen = guest.run(block.text, cwd=CHECKOUT, answers="secret\n", timeout=1200).stdout
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


# ---- 2: boot and shutdown ----

def judge_probe(lines):
    """Of asker.py smtp after a boot: (why it is wrong, or "", and the first good line)."""
    answers_seen = [line.split(" ", 1) for line in lines]
    first = next((i for i, (_, text) in enumerate(answers_seen) if text.startswith("250 ")), None)
    if first is None:
        return "never a 250", ""
    for when, text in answers_seen[:first]:
        if text != "refused":
            return f"before the first 250: {when} {text}", ""
    for when, text in answers_seen[first:]:
        if not text.startswith("250 "):
            return f"after the first 250: {when} {text}", ""
    return "", f"{first} times refused, then from {answers_seen[first][0]} s of uptime on 250"


def reboot(guest):
    guest.write("/etc/systemd/system/probe.service", PROBE)
    guest.run("systemctl daemon-reload; systemctl enable --now probe.service")
    guest.run("for i in 1 2 3; do sleep 1; done; grep -q ' 250 ' /root/probe.log; "
              # The next boot writes a new one.
              "sed -i 's,ExecStart=,ExecStartPre=-/bin/mv /root/probe.log /root/before.log\\n&,' "
              "/etc/systemd/system/probe.service")
    guest.reboot()
    wait_until(lambda: " 250 " in guest.text("cat /root/probe.log"), "mail after the reboot", 120, 1)
    guest.run("systemctl disable --now probe.service")
    wrong, seen = judge_probe(guest.text("cat /root/probe.log").splitlines())
    expect("at boot nothing but refused connections, then 250", wrong == "", wrong or seen)
    before = guest.text("cat /root/before.log").splitlines()
    show("\n".join(["the last words before the shutdown:", *before[-3:]]))
    bad = [line for line in before if re.match(r"\S+ [45]\d\d ", line)]
    expect("at shutdown no mail was turned away", bad == [], "\n".join(bad))
    stopped = guest.text("journalctl -b -1 -o short-monotonic --no-pager | grep ' Stopped ' | "
                         "grep -E 'postfix@-|mumd.service|mariadb.service'")
    show(stopped)
    order = re.findall(r"Stopped (postfix@-|mumd|mariadb)\.service", stopped)
    expect("Postfix stops before mumd, mumd before MariaDB",
           order == ["postfix@-", "mumd", "mariadb"], " ".join(order))
    failed = guest.text("systemctl --failed --no-legend")
    expect("no unit has failed", failed == "", failed)


# ---- 3: restarts and upgrades under load ----

def under_load(guest, what, work):
    """Runs the work under load; the load ends two seconds after the work."""
    asked = []
    guest.run("rm -f /root/enough")
    thread = threading.Thread(target=lambda: asked.append(
        guest.run(f"python3 {ASKER} map /root/enough", check=False, timeout=600)))
    thread.start()
    try:
        guest.run(f"sleep 3; {work}; sleep 2", timeout=300)
    finally:
        guest.run("touch /root/enough")
        thread.join()
    expect(what, asked[0].returncode == 0, asked[0].stdout.strip())


def restarts(guest):
    under_load(guest, "six restarts of mumd under load",
               "for i in 1 2 3 4 5 6; do systemctl restart mumd; sleep 3; done")


def dpkg(directory):
    """Installs what is there; mum.conf is the admin's."""
    return f"dpkg -i --force-confold {directory}/mumd_*.deb {directory}/dovecot-auth-mum_*.deb"


def upgrade(guest):
    """To the packages of this checkout: from those before them, where there are any, and back."""
    before = BEFORE if guest.run(f"ls {BEFORE}", check=False).returncode == 0 else "/root"
    guest.run(dpkg(before), timeout=300)
    answers(guest)
    old = guest.text("systemctl show -p MainPID --value mumd")
    under_load(guest, f"an upgrade from {before} under load", dpkg("/root"))
    new = guest.text("systemctl show -p MainPID --value mumd")
    expect("it has restarted mumd", old != new, f"process {old}, then {new}")
    seen = guest.run("mumctl check", check=False)
    expect("mumctl check, upgraded", seen.returncode == 0, seen.stdout.strip())
    if before == BEFORE:
        guest.run(dpkg(before), timeout=300)
        answers(guest)
        expect("the packages before answer with the mum.conf of today", True)
        guest.run(dpkg("/root"), timeout=300)
        answers(guest)


# ---- 4: a mumd that hangs ----

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


# ---- 5: a broken mum.conf ----

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
    expect("mended and restarted it answers", state == "active", state)


# ---- 8: the sandbox, SQLite; removal ----

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


def remove(guest):
    block = next(block for block in commands("README.md") if block.section == "Back again:")
    guest.run(block.text)
    guest.run("apt-get -y purge mumd dovecot-auth-mum", timeout=300)
    seen = guest.text("find /etc/mum /var/spool/postfix/mum /etc/systemd /lib/systemd /var/lib/systemd "
                      "/run/systemd /usr/lib/sysusers.d /usr/lib/tmpfiles.d -path '*/mum*' 2>/dev/null; "
                      "find /etc/systemd -xtype l; systemctl --failed --no-legend; pgrep -x mumd")
    expect("a purge leaves nothing", seen == "", seen)
