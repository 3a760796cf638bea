# SPDX-License-Identifier: MIT
"""The check of boot and shutdown: in which order units start and stop, and what a client of
port 25 sees.
"""

import re

from lab import wait_until

from report import expect, show
from service import ANNA, ASKER

PROBE = f"""[Unit]
Description=Gives mail to Postfix from the first second to the last
DefaultDependencies=no
After=local-fs.target
[Service]
ExecStart=/usr/bin/python3 {ASKER} smtp /root/probe.log
[Install]
WantedBy=sysinit.target
"""

# What the units promise of a boot: the first stands before the second. {postfix} is Postfix's
# unit, which is not the same in Debian 12 and 13.
ORDER = (("Listening on mumd.socket", "Starting mumd.service"),
         ("Started mariadb.service", "Starting mumd.service"),
         ("Started mumd.service", "Starting {postfix}"))
SHUTDOWN = ("Stopped {postfix}", "Stopped mumd.service", "Stopped mariadb.service")

LINE = re.compile(r"(Listening on|Starting|Started|Stopped) (\S+?)(?:\.\.\.)?(?: - .*)?$")


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


def unit_lines(guest, boot, units):
    """What systemd did with these units in that boot, in its order; shows it with the times."""
    lines = guest.text(f"journalctl -b {boot} _PID=1 -o short-monotonic --no-pager").splitlines()
    found = [(line, LINE.search(line)) for line in lines]
    found = [(line, f"{match[1]} {match[2]}") for line, match in found
             if match and match[2] in units]
    show("\n".join(line for line, _ in found))
    return [event for _, event in found]


def reboot(guest):
    guest.write("/etc/systemd/system/probe.service", PROBE)
    guest.run("systemctl daemon-reload; systemctl enable --now probe.service")
    guest.run("for i in 1 2 3; do sleep 1; done; grep -q ' 250 ' /root/probe.log; "
              # The next boot writes a new one.
              "sed -i 's,ExecStart=,ExecStartPre=-/bin/mv /root/probe.log /root/before.log\\n&,' "
              "/etc/systemd/system/probe.service")
    postfix = guest.text("ps -o unit= -C master").splitlines()[0].strip()
    guest.reboot()
    wait_until(lambda: " 250 " in guest.text("cat /root/probe.log"), "mail after the reboot", 120, 1)
    guest.run("systemctl disable --now probe.service; rm /etc/systemd/system/probe.service; "
              "systemctl daemon-reload")
    check_port(guest)
    check_order(guest, postfix)
    failed = guest.text("systemctl --failed --no-legend")
    expect("no unit has failed", failed == "", failed)
    seen = guest.text("systemctl show -p NRestarts --value mumd")
    expect("mumd was started once", seen == "0", f"{seen} restarts")
    good, seen = guest.mail_user("fetch", ANNA, "by-mx")
    expect(f"{ANNA} reads the mail from before", good and "Subject: by-mx" in seen,
           "Subject: by-mx" if good else seen)


def check_port(guest):
    wrong, seen = judge_probe(guest.text("cat /root/probe.log").splitlines())
    expect("at boot nothing but refused connections, then 250", wrong == "", wrong or seen)
    before = guest.text("cat /root/before.log").splitlines()
    show("\n".join(["the last words before the shutdown:", *before[-3:]]))
    bad = [line for line in before if re.match(r"\S+ [45]\d\d ", line)]
    expect("at shutdown no mail was turned away", bad == [], "\n".join(bad))


def check_order(guest, postfix):
    units = ("mariadb.service", "mumd.socket", "mumd.service", "dovecot.service", postfix)
    began = unit_lines(guest, 0, units)
    for pair in ORDER:
        first, second = (event.format(postfix=postfix) for event in pair)
        good = {first, second} <= set(began) and began.index(first) < began.index(second)
        expect(f"at boot: {first}, then {second}", good, "" if good else "\n".join(began))
    stopped = [event for event in unit_lines(guest, -1, units) if event.startswith("Stopped")]
    wanted = [event.format(postfix=postfix) for event in SHUTDOWN]
    expect("Postfix stops before mumd, mumd before MariaDB",
           [event for event in stopped if event in wanted] == wanted, "\n".join(stopped))
