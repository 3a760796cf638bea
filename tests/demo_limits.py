# SPDX-License-Identifier: MIT
"""The part of ./demo that is about limits: full mailboxes, and how much a login may send."""

import re

from demo_screen import short

FULL = "fred@mum.test"
LOGIN = "ben@mum.test"
GIGABYTE = 1 << 30

ACCEPTED = "250 2.1.5 Ok"
IS_FULL = "452 4.2.2 mailbox is full"
TOO_MANY = "450 4.7.1 too many recipients for this login; try again later"

FULL_MAILBOXES = [
    (FULL, "full mailbox", IS_FULL),
    ("scans@mum.test", "alias of that mailbox", IS_FULL),
    ("staff@mum.test", "alias; another has room", ACCEPTED),
    ("anna@mum.test", "mailbox that has room", ACCEPTED),
]


def settings(lab):
    """What mum.conf says of limits: the section "policy"."""
    return {"quota": "enforce", "quota_status": f"unix:{lab.directory('limits')}/quota-status",
            "send": "enforce", "send_rate": 3, "send_period": "1h", "send_burst": 3}


def show_full(screen, house):
    screen.title("Full mailboxes:", "mumd asks Dovecot; a stranger says RCPT TO:<...>")
    house.dovecot.fill(FULL, GIGABYTE + 1)
    smtp = house.postfix.smtp()
    smtp.mail("stranger@else.test")
    for recipient, has, want in FULL_MAILBOXES:
        screen.compare(recipient, has, short(smtp.rcpt(recipient)), want)
    smtp.quit()


def show_send_limits(screen, house):
    screen.title("Send limits:", f"3 recipients an hour for each login; {LOGIN} sends")
    smtp = house.postfix.submission(LOGIN)
    for number in range(1, 4):
        smtp.mail(LOGIN)
        smtp.rcpt("you@else.test")
        reply = smtp.data(f"mail {number}", sender=LOGIN)
        screen.compare(f"mail {number}", "to one recipient",
                       re.sub(r" queued as .*", "", reply), "250 2.0.0 Ok:")
    smtp.mail(LOGIN)
    screen.compare("mail 4", "one too many", short(smtp.rcpt("you@else.test")), TOO_MANY)
    smtp.quit()
    others = house.postfix.submission("anna@mum.test")
    others.mail("anna@mum.test")
    screen.compare("anna@mum.test", "another login", short(others.rcpt("you@else.test")), ACCEPTED)
    others.quit()
    screen.compare("mumctl senders", "who sent how much",
                   f"{LOGIN}: {house.mumd.senders()[LOGIN][1]}", f"{LOGIN}: 3")
