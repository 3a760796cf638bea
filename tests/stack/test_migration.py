# SPDX-License-Identifier: MIT
"""The steps of mum-dovecot(7) and mum-postfix(7), word for word, with mail flowing: there,
back and there again, each step done twice. No mail is lost or bounced. There is no
permanent refusal, except those of MUM's stock configuration and those that mumctl compare
lists. A site's own settings survive.

The site uses what Debian and Dovecot offer: restrictions, two services for submission with
Debian's options, SQL blocks in conf.d, quota in the maildir, a greeting; and it has a
domain with letters beyond ASCII.
"""

import collections
import contextlib
import json
import re
import time

import pytest

from lab import Lab
from lab.dovecot_language import dovecot_language
from lab.lab import wait_until
from lab.mail_server import mail_server
from lab.manual import commands
from lab.traffic import Traffic, delivered
from manual_steps import ANNA, BEN, INFO, SCANNER, run_block, stock_server

pytestmark = [pytest.mark.other_programs, pytest.mark.long]

DOVECOT, POSTFIX = "doc/mum-dovecot.7", "doc/mum-postfix.7"
UWE, ENDED = "uwe@xn--mller-kva.example", "ended@example.org"
STRANGER = "friend@example.net"

ROWS = """
INSERT INTO domains (id, domain, homedir, active)
    VALUES (2, 'müller.example', '/srv/mail/mailboxes/mueller', 1);
INSERT INTO mailboxes (id, local_part, domain_id, password, homedir, maildir)
    SELECT 4, 'uwe', 2, password, '/srv/mail/mailboxes/mueller/uwe',
           'maildir:/srv/mail/mailboxes/mueller/uwe:LAYOUT=fs' FROM mailboxes WHERE id = 1;
INSERT INTO aliases (id, local_part, domain_id, active, deactivate_at)
    VALUES (2, 'ended', 1, 1, '2020-01-01 00:00:00');
INSERT INTO alias_recipients (alias_id, recipient_address, mailbox_id)
    VALUES (2, 'anna@example.org', 1);
"""

# In front of the check of MUM's manual and behind it. The clients here are strangers.
OWN_RESTRICTIONS = """
mynetworks = 127.0.0.2/32
smtpd_recipient_restrictions = reject_non_fqdn_recipient,
    check_recipient_access
    mysql:/etc/postfix/sql/recipient-access.cf, reject_unlisted_sender
smtpd_sender_restrictions = reject_non_fqdn_sender
virtual_alias_maps = mysql:/etc/postfix/sql/aliases.cf, inline:{ { own@example.org = anna@example.org } }
"""

# Debian's lines, enabled as they are in its master.cf, and behind them those of MUM's
# manual.
LOGIN_SERVICE = """
{service} inet n - y - - smtpd
  -o syslog_name=postfix/{service}
  -o smtpd_{tls}
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path=private/auth
  -o smtpd_reject_unlisted_recipient=no
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o smtpd_sender_login_maps=mysql:/etc/postfix/sql/sender-login-maps.cf
"""
LOGIN_SERVICES = {"submission": "tls_security_level=encrypt", "submissions": "tls_wrappermode=yes"}

LOCAL_CONF = """
login_greeting = {own}
mail_max_userip_connections = 30
"""

APP_PASSWORDS = """
passdb {
  driver = passwd-file
  args = /etc/dovecot/apps
}
"""

# What sed makes of the example, and what doveconf says then.
QUOTA_IN_MAILDIR = {
    "2.3": ("s/quota = count/quota = maildir/", "quota = maildir"),
    "2.4": ('s/^quota "User quota" {$/&\\n  driver = maildir/', "driver = maildir"),
}[dovecot_language().generation]

OWN = ["reject_non_fqdn_recipient", "reject_unlisted_sender", "reject_non_fqdn_sender",
       "own@example.org", "defer_unauth_destination"]

# What clients may do at any time: see mail_traffic.py.
LINES = {"smtp": [[STRANGER, ANNA], [STRANGER, INFO], [STRANGER, f"ben+x@{BEN[4:]}"],
                  [STRANGER, UWE], [STRANGER, ENDED], [STRANGER, "own@example.org"]],
         "submission": [[ANNA, INFO, BEN, 587], [BEN, BEN, INFO, 465],
                        [SCANNER, SCANNER, ANNA, 465]],
         "imap": [ANNA, BEN]}
BOXES = {ANNA: ["anna"], BEN: ["ben"], INFO: ["anna", "ben"], "ben+x@example.org": ["ben"],
         UWE: ["uwe"], ENDED: ["anna"], "own@example.org": ["anna"]}

SECONDS = 300   # after which the traffic ends by itself, if nobody has ended it

# How long processes that have not heard of a reload yet may go on, in seconds.
OLD_PROCESSES = 3

# How often an auth process is ended: there, back and there again, twice each. If it is
# just checking a password, Dovecot calls that password wrong; with 1 login a second
# this is rare.
SWITCHES = 6


def configure(machine):
    """A site with more than MUM's manual says."""
    stock_server(machine)
    machine.run("mariadb mum", answers=ROWS)
    machine.run("sed -i '/^smtpd_recipient_restr/d; /^virtual_alias_maps/d;"
                " s/^virtual_mailbox_domains = /&proxy:/' /etc/postfix/main.cf\n"
                "cat >>/etc/postfix/main.cf", answers=OWN_RESTRICTIONS)
    machine.run("postconf -MX submission/inet; cat >>/etc/postfix/master.cf",
                answers="".join(LOGIN_SERVICE.format(service=service, tls=tls)
                                for service, tls in LOGIN_SERVICES.items()))
    machine.run("cp /etc/dovecot/local.conf /root/stock.conf\n"
                "sed -n '/^passdb/,/^}/p; /^userdb/,/^}/p' /root/stock.conf"
                " >/etc/dovecot/conf.d/auth-sql.conf.ext\n"
                f"sed -i '/^passdb/,/^}}/d; /^userdb/,/^}}/d; {QUOTA_IN_MAILDIR[0]}'"
                " /etc/dovecot/local.conf\n"
                "sed -i 's/^#!include auth-sql/!include auth-sql/'"
                " /etc/dovecot/conf.d/10-auth.conf\n"
                "cat >>/etc/dovecot/local.conf",
                answers=LOCAL_CONF.format(own="a greeting of our own"))
    machine.run("touch /etc/dovecot/apps; cat >/etc/dovecot/conf.d/05-apps.conf\n"
                "doveadm reload; postfix reload; sleep 1",
                answers=dovecot_language().text(APP_PASSWORDS))


@pytest.fixture(scope="module")
def site():
    with Lab() as lab:
        machine = mail_server(lab)
        configure(machine)
        yield machine


def twice(machine, block, switches):
    """Runs a block twice: existing things stay, and the second run prints what the first
    one printed. If it switches Postfix, switches gets from when to when old and new
    processes answer together.
    """
    began = time.time()
    run_block(machine, slowly(block))
    run_block(machine, slowly(block))
    if moves(block):
        switches.append((began, time.time() + OLD_PROCESSES))


def submit_as_another(machine):
    """On port 465, which nobody else uses. On a busy machine its smtpd once did not answer
    for half a minute, so this tries again, as a mail program does.
    """
    for _ in range(3):
        good, seen = machine.mail_user("submit", ANNA, BEN, BEN, "as somebody else", "465")
        if good or "timed out" not in seen:
            break
    assert good, seen


@contextlib.contextmanager
def explained(machine):
    """If it fails, shows what Postfix was doing."""
    try:
        yield
    except Exception:
        print(machine.run("ps axf; postqueue -p; grep -v ' connect\\| disconnect' /var/log/mail.log"
                          " | tail -n 80", check=False).stdout)
        raise


# However quick an admin is, Postfix may start processes between the new files and the reload.
CLIENTS = 20
SLOWLY = f"""mv() {{
    command mv "$@"
    python3 -c 'import socket, time
some = [socket.create_connection(("127.0.0.1", 25)) for _ in range({CLIENTS})]
time.sleep(3)'
}}
"""


def moves(block):
    return re.search(r"\bmv .*main\.cf", block.text)


def slowly(block):
    return block._replace(text=SLOWLY + block.text) if moves(block) else block


def walk(machine, name, switches):
    """Runs the manual; returns the addresses that mumctl compare lists, if that is a step."""
    listed = set()
    assert name != POSTFIX or any(moves(block) for block in commands(name))
    for block in commands(name):
        if block.section in ("ROLL-BACK", "QUOTA"):
            continue
        if block.section.startswith("10. ") and "reload mumd" in block.text:
            # until then there are only warnings
            submit_as_another(machine)
        twice(machine, block, switches)
        if "mumctl compare" in block.text:
            listed = compared(machine)
    return listed


def is_left(machine):
    """The lines that still ask the database through MUM's files."""
    return machine.run("grep -n '^[^#]*mysql:' /etc/postfix/main.cf /etc/postfix/master.cf;"
                       "doveconf -n | grep -E '^ *driver = sql$|^(pass|user)db sql'",
                       check=False).stdout


def back(machine, switches):
    """Goes back, Postfix first. Rights are removed when nobody needs them any more, so
    after the quota.
    """
    blocks = [block for name in (POSTFIX, DOVECOT) for block in commands(name)
              if block.section == "ROLL-BACK"]
    quota = [block for block in commands(DOVECOT) if block.section == "QUOTA"]
    rights = [block for block in blocks if "DROP USER" in block.text]
    for block in [*(block for block in blocks if block not in rights), *quota, *rights]:
        twice(machine, block, switches)


def configuration(machine):
    return machine.run("cat /etc/postfix/main.cf /etc/postfix/master.cf; cd /etc/dovecot; "
                       "find . -type f | sort | xargs cat").stdout


def own_is_there(machine):
    seen = machine.run("postconf -n; postconf -P").stdout
    assert [own for own in OWN if own not in seen] == []
    seen = machine.run("doveconf -n").stdout
    assert "a greeting of our own" in seen and "mail_max_userip_connections = 30" in seen
    assert QUOTA_IN_MAILDIR[1] in seen and "driver = passwd-file" in seen


def is_refused(machine, code, *arguments):
    good, seen = machine.mail_user(*arguments)
    assert not good and seen.startswith(code), seen


def on_mumd(machine):
    """mumd's rules are enforced, on both ports, and so are the site's own restrictions."""
    assert is_left(machine) == ""
    own_is_there(machine)
    is_refused(machine, "550 5.2.1", "send", STRANGER, SCANNER, "send-only")
    is_refused(machine, "504 5.5.2", "send", STRANGER, "root@localhost", "own restriction")
    is_refused(machine, "454 4.7.1", "send", STRANGER, "x@elsewhere.example", "relay")
    for port in ("587", "465"):
        is_refused(machine, "553 5.7.1", "submit", ANNA, BEN, BEN, "as somebody else", port)
        is_refused(machine, "550 5.2.1", "submit", ANNA, ANNA, SCANNER, "send-only", port)
        is_refused(machine, "550 5.1.1", "submit", ANNA, ANNA, ENDED, "ended", port)


def compared(machine):
    """The addresses that mumctl compare lists, because their answers differ."""
    text = machine.run("mumctl --json compare --postfix /etc/postfix/sql").stdout
    return {one["key"] for one in json.loads(text.splitlines()[-1])["differences"]}


def recipient(one):
    return {"smtp": lambda line: line[1], "submission": lambda line: line[2],
            "imap": lambda line: line}[one["kind"]](one["line"])


def wanted(tries):
    """The same, of the accepted mails."""
    return collections.Counter((one["subject"], box) for one in tries
                               if one["kind"] != "imap" and one["code"] == 250
                               for box in BOXES[recipient(one)])


def only(subjects, copies):
    return {mail: count for mail, count in copies.items() if mail[0] in subjects}


def bounced(machine, listed):
    """Only mail to a listed address may bounce: it may be half way through Postfix when the
    answer changes.
    """
    seen = machine.run("grep status=bounced /var/log/mail.log || true").stdout.splitlines()
    return [line for line in seen if re.search(" to=<([^>]*)>", line)[1] not in listed]


def waiting(machine):
    """The senders of mail in the queue, without bounces, which nobody takes here."""
    seen = machine.run("{ postqueue -f; postqueue -j; } 2>/dev/null").stdout
    senders = [json.loads(line)["sender"] for line in seen.splitlines()]
    return [sender for sender in senders if sender != "MAILER-DAEMON"]


def judge(machine, tries, listed, switches):
    """No mail is lost, doubled or bounced, and there is no new refusal that was not listed.
    The stock setup knows no A-label: during a switch, one process may say that the domain
    is here, and another one that the mailbox is not.
    """
    assert len(switches) == 3
    refused = [one for one in tries if one["code"] >= 500 and not (
        recipient(one) == UWE and any(start < one["when"] < end for start, end in switches))]
    logins = [one for one in refused if one["kind"] == "imap" or one["code"] == 535]
    assert len(logins) <= SWITCHES, logins
    assert [one for one in refused
            if one not in logins and recipient(one) not in listed] == []
    last = {(one["kind"], one["subject"]): one for one in tries}
    assert [one for one in last.values() if 300 <= one["code"] < 500] == []
    assert bounced(machine, listed) == []
    wait_until(lambda: waiting(machine) == [], "an empty queue", 30, interval=1)
    same = {one["subject"] for one in tries if recipient(one) not in listed}
    assert only(same, delivered(machine)) == only(same, wanted(tries))


def summary(tries):
    """{kind: {code: how many}}"""
    counts = collections.defaultdict(collections.Counter)
    for one in tries:
        counts[one["kind"]][one["code"]] += 1
    return {kind: dict(codes) for kind, codes in counts.items()}


def quota_is_counted_anew(machine):
    """The manual's command counts the quota anew, from wrong numbers."""
    home = "/srv/mail/mailboxes/example.org/anna"
    messages = int(machine.run(f"find {home} -path '*/new/*' -o -path '*/cur/*' | wc -l").stdout)
    machine.run(f"sed -i '2,$d; 1s/$/\\n1 1/' {home}/maildirsize; chown vmail: {home}/maildirsize")
    assert "\tMESSAGE\t1\t" in machine.run(f"doveadm -f tab quota get -u {ANNA}").stdout
    for block in commands(DOVECOT):
        if block.section == "QUOTA":
            run_block(machine, block)
    seen = machine.run(f"doveadm -f tab quota get -u {ANNA}").stdout
    assert re.search(rf"\tMESSAGE\t{messages}\t", seen), (messages, seen)


def go_and_judge(machine, tmp_path):
    stock = configuration(machine)
    traffic = Traffic(machine, tmp_path, SECONDS, LINES)
    wait_until(lambda: len(traffic.tries()) > 8, "some mail with the stock setup", 20)
    switches = []
    walk(machine, DOVECOT, switches)
    listed = walk(machine, POSTFIX, switches)
    on_mumd(machine)
    back(machine, switches)
    assert configuration(machine) == stock
    walk(machine, DOVECOT, switches)
    walk(machine, POSTFIX, switches)
    on_mumd(machine)
    # else a port was silent for a minute
    seen = machine.run("grep -E 'fatal|panic|throttling' /var/log/mail.log || :").stdout
    print(seen)
    assert "throttling" not in seen
    tries = traffic.end()
    print(summary(tries))
    assert all(len({one["subject"] for one in tries if one["kind"] == kind}) > 20
               for kind in LINES)
    judge(machine, tries, listed, switches)


def test_there_and_back_and_there_again(site, tmp_path):
    with explained(site):
        go_and_judge(site, tmp_path)
    quota_is_counted_anew(site)
