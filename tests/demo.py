# SPDX-License-Identifier: MIT
"""./demo: a Postfix that asks mumd, and a Dovecot with our module, shown and checked.

Run by the script demo.
"""

import argparse
import os
import pathlib
import shlex
import signal
import sqlite3
import sys
import time

import demo_dovecot
import demo_limits
from demo_screen import Screen, short
from lab import Lab, LabError, MailRecorder, MariaDB, Mumctl, Mumd, Postfix, free_port
from lab.dovecot import USER_PASSWORD
from lab.lab import TOP, run, tail
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import binary, mariadb_settings, sqlite_settings

DATA = TOP / "tests/demo.sql"
LOGIN = "anna@mum.test"

SEND_ONLY = "550 5.2.1 mailbox does not accept mail (send-only)"
DEAD_ALIAS = "550 5.2.1 alias leads to no mailbox that accepts mail"
UNKNOWN = "550 5.1.1 User unknown in virtual mailbox table"
NO_RELAY = "554 5.7.1 Relay access denied"
NOT_OWNED = "553 5.7.1 not owned by user anna@mum.test"
DEFERRED = "450 4.3.0 temporary lookup failure"
ACCEPTED = "250 2.1.5 Ok"

# map: (what it says, [(key, what MUM has, answer; None is "not found")])
MAPS = {
    "domains": ("which domains are ours", [
        ("mum.test", "active domain", "mum.test"),
        ("closed.test", "inactive domain", None),
    ]),
    "mailboxes": ("which mailboxes exist", [
        ("Anna@MUM.test", "mailbox; case is ignored", "1"),
        ("anna+shop@mum.test", "mailbox and extension", "1"),
        ("former@mum.test", "inactive mailbox", None),
        ("scanner@mum.test", "send-only exists, too", "1"),
    ]),
    "aliases": ("where mail to an alias goes", [
        ("info@mum.test", "alias; one of 3 inactive", "anna@mum.test,ben@mum.test"),
        ("sales+q4@mum.test", "alias and extension", "ben+q4@mum.test,partner+q4@else.test"),
        ("party@mum.test", "alias, over since 2020", None),
    ]),
    "sender-login-maps": ("which logins may send as", [
        ("ben@mum.test", "mailbox: its owner", "ben@mum.test"),
        ("info@mum.test", "alias: its senders", "anna@mum.test"),
    ]),
    "recipient-access": ("who accepts mail", [
        ("anna@mum.test", "mailbox", "DUNNO"),
        ("scanner@mum.test", "send-only mailbox", SEND_ONLY),
    ]),
    "tls-policies": ("how to encrypt to next hops", [
        ("partner.test", "active policy", "secure match=.partner.test"),
        ("old.test", "inactive policy", None),
    ]),
}

RECIPIENTS = [
    ("info@mum.test", "alias", ACCEPTED),
    ("anna+shop@mum.test", "mailbox and extension", ACCEPTED),
    ("scanner@mum.test", "send-only mailbox", SEND_ONLY),
    ("ghost@mum.test", "alias of an inactive one", DEAD_ALIAS),
    ("former@mum.test", "inactive mailbox", UNKNOWN),
    ("nobody@mum.test", "not in MUM", UNKNOWN),
    ("zoe@closed.test", "inactive domain", NO_RELAY),
    ("you@else.test", "foreign: no open relay", NO_RELAY),
]

SENDERS = [
    ("anna@mum.test", "her own address", ACCEPTED),
    ("anna+shop@mum.test", "the same and extension", ACCEPTED),
    ("info@mum.test", "alias that she may use", ACCEPTED),
    ("ben@mum.test", "somebody else's", NOT_OWNED),
    ("boss@bank.test", "foreign address", NOT_OWNED),
]


def data(mail):
    """The rows, with all mail below that directory."""
    return DATA.read_text().replace("/srv/mail", str(mail))


class Sqlite:
    """MUM's database in one file."""

    name = "SQLite"

    def __init__(self, lab, mail):
        # mumd reads as another user, and SQLite writes next to its file.
        self._path = lab.directory("database") / "mum.sqlite"
        connection = sqlite3.connect(self._path)
        connection.executescript((TOP / "conf-examples/schema-sqlite.sql").read_text())
        connection.executescript(data(mail))
        connection.close()
        self._path.chmod(0o644)
        self.settings = sqlite_settings(self._path)
        self.shell = f"{self._path}   (SQLite)"

    def take_away(self):
        self._path.rename(f"{self._path}.away")

    def bring_back(self):
        pathlib.Path(f"{self._path}.away").rename(self._path)


class Mariadb:
    """MUM's database in a server of our own, asked as the user of grants.sql."""

    name = "MariaDB"

    def __init__(self, lab, mail):
        self._server = MariaDB(lab).start().load_mum(data(mail))
        self.settings = mariadb_settings(self._server, POSTFIX_PASSWORD)
        self.shell = f"mariadb -S {self._server.socket} mum"

    def take_away(self):
        self._server.stop()

    def bring_back(self):
        self._server.start()


class House:
    """Everything that runs."""

    def __init__(self, lab, store):
        self.lab = lab
        self.mail = lab.directory("mail", "mail", mode=0o770)
        self.database = store(lab, self.mail)
        self.outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
        self.postfix = Postfix(lab, self.outside.address, send_limits=True)
        # Short, so that nobody has to wait long for a database that is away.
        self.mumd = Mumd(lab, {"database": {**self.database.settings, "deadline": "1s"},
                               "policy": demo_limits.settings(lab)},
                         sockets=self.postfix.sockets).start()
        self.dovecot = demo_dovecot.start_dovecot(
            lab, self.postfix, self.database.settings,
            Mumctl(self.mumd.config).quota_status_lines())
        self.postfix.start()


def show_maps(screen, house):
    screen.title("The six maps:", "postmap -q KEY socketmap:unix:mum/socketmap:MAP")
    for table, (meaning, rows) in MAPS.items():
        screen.line(f"  {table}: {meaning}")
        for key, has, want in rows:
            status, value = house.postfix.postmap(table, key)
            got = value if status == 0 else f"not found{f' ({value})' if value else ''}"
            screen.compare(key, has, got, "not found" if want is None else want)


def show_recipients(screen, house):
    screen.title("Port 25:", "a stranger says RCPT TO:<...>; Postfix answers")
    smtp = house.postfix.smtp()
    smtp.mail("stranger@else.test")
    for recipient, has, want in RECIPIENTS:
        screen.compare(recipient, has, short(smtp.rcpt(recipient)), want)
    smtp.quit()


def show_senders(screen, house):
    screen.title("Senders:", f"{LOGIN} has logged in and says MAIL FROM:<...>")
    smtp = house.postfix.submission(LOGIN)
    for sender, has, want in SENDERS:
        smtp.mail(sender)
        screen.compare(sender, has, short(smtp.rcpt("you@else.test")), want)
        smtp.reset()
    smtp.quit()


def until(ask, old):
    """The first answer within 10 seconds that differs from the old one."""
    start = time.monotonic()
    while True:
        got = ask()
        if got != old or time.monotonic() - start > 10:
            return got


def show_outage(screen, house):
    screen.title("The database is away:", "later, never unknown user or wrong password")
    smtp = house.postfix.smtp()
    smtp.mail("stranger@else.test")

    def rcpt(recipient):
        return short(smtp.rcpt(recipient))

    def enter():
        return demo_dovecot.enter(house.dovecot, LOGIN, USER_PASSWORD).partition(";")[0]
    house.database.take_away()
    screen.compare("info@mum.test", "port 25, known before", rcpt("info@mum.test"), ACCEPTED)
    screen.compare("nobody2@mum.test", "port 25, not asked yet", rcpt("nobody2@mum.test"),
                   DEFERRED)
    screen.compare("nobody2@mum.test", "LMTP",
                   demo_dovecot.lmtp_rcpt(house.dovecot, "nobody2@mum.test"),
                   demo_dovecot.LMTP_DEFERRED)
    screen.compare(LOGIN, "IMAP, right password", enter(), demo_dovecot.UNAVAILABLE)
    house.database.bring_back()
    screen.compare("nobody2@mum.test", "port 25, it is back",
                   until(lambda: rcpt("nobody2@mum.test"), DEFERRED), UNKNOWN)
    screen.compare(LOGIN, "IMAP, it is back", until(enter, demo_dovecot.UNAVAILABLE), "OK")
    smtp.quit()


def show(screen, lab, store):
    """Shows the whole demonstration; returns the house, which still runs."""
    start = time.monotonic()
    screen.line(f"Starting mumd, Postfix, Dovecot and MUM's database ({store.name})"
                f" in {lab.path}")
    house = House(lab, store)
    show_maps(screen, house)
    show_recipients(screen, house)
    demo_dovecot.show_passwords(screen, house.dovecot)
    demo_dovecot.show_users(screen, house.dovecot, house.mail)
    demo_dovecot.show_imap(screen, house.dovecot)
    demo_dovecot.show_delivery(screen, house)
    demo_dovecot.show_submission_logins(screen, house.postfix)
    show_senders(screen, house)
    demo_limits.show_full(screen, house)
    demo_limits.show_send_limits(screen, house)
    show_outage(screen, house)
    screen.line(f"\n{screen.good} answers as expected, {screen.bad} not"
                f"   ({time.monotonic() - start:.1f} s)")
    if screen.bad:
        for log in (house.mumd.log_path, house.postfix.maillog, house.dovecot.log_path):
            screen.line(f"\n{log}:\n{tail(log, 30)}")
    return house


# ---- --keep ----

def started_at(pid):
    """The start time of the process, in clock ticks: tells it from a later process with the
    same pid.
    """
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def servers(lab):
    """(pid, start time) of this process and of all whose command line names the folder."""
    folder = os.fsencode(f"{lab.path}/")
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (int(entry.name) == os.getpid() or folder in (entry / "cmdline").read_bytes()
                    or folder in (entry / "environ").read_bytes()):
                yield entry.name, started_at(entry.name)
        except OSError:
            continue


STOP = """#!/bin/sh
# Ends what ./demo --keep left running, and removes its folder. Each line below
# is a process and when it started, so that nobody else's is ended.
runs() {{
	[ "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20)" = "$2" ]
}}
gone() {{
	tries=0
	while runs "$1" "$2" && [ $tries -lt {tries} ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	! runs "$1" "$2"
}}
# The first one stops the others in order.
runs {keeper} && kill {keeper_pid}
gone {keeper}
while read -r pid start; do
	runs "$pid" "$start" && kill "$pid" && gone "$pid" "$start"
done <<'END'
{others}
END
rm -rf {folder}
echo 'All stopped.'
"""


def write_stop(lab):
    """Writes a script that stops everything; returns its path."""
    path = lab.path / "stop"
    keeper = f"{os.getpid()} {started_at(os.getpid())}"
    path.write_text(STOP.format(
        tries=300, keeper=keeper, keeper_pid=os.getpid(), folder=shlex.quote(str(lab.path)),
        others="\n".join(f"{pid} {start}" for pid, start in servers(lab)
                         if pid != str(os.getpid()))))
    path.chmod(0o755)
    return path


def explain(screen, house):
    """Says how to use what still runs."""
    postfix = house.postfix
    doveadm = f"{house.dovecot.inside()}doveadm -c {house.dovecot.config}"
    screen.title("It goes on running.")
    for what, how in [
            ("ask a map", f"cd {postfix.queue} && postmap -c ../etc -q info@mum.test "
                          "socketmap:unix:mum/socketmap:aliases"),
            ("port 25", f"127.0.0.1:{postfix.port}"),
            ("submission", f"127.0.0.1:{postfix.submission_port}, without TLS; AUTH PLAIN as "
                           f"{LOGIN}, password {USER_PASSWORD}"),
            ("IMAP", f"127.0.0.1:{house.dovecot.imap_port}, the same"),
            ("a password", f"{doveadm} auth test -x service=imap {LOGIN} {USER_PASSWORD}"),
            ("a user", f"{doveadm} user {LOGIN}"),
            ("all users", f"{doveadm} user '*'"),
            ("database", house.database.shell),
            ("mum.conf", f"{house.mumd.config} {house.dovecot.mum_conf}"),
            ("logs", f"{house.mumd.log_path} {postfix.maillog} {house.dovecot.log_path}"),
            ("stop it", write_stop(house.lab))]:
        screen.line(f"  {what:<11} {how}")


def wait_for_stop():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.sigwait({signal.SIGTERM})


def detach():
    """Detaches from the terminal: no output to it, no signals from it."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def demonstrate(store, on_done=None):
    """The exit status. on_done is called while all is still running."""
    screen = Screen()
    try:
        with Lab() as lab:
            house = show(screen, lab, store)
            if on_done is not None and screen.bad == 0:
                explain(screen, house)
                on_done()
    except KeyboardInterrupt:
        screen.line("\nInterrupted; all is stopped.")
        return 130
    except LabError as error:
        print(f"\n./demo: {error}", file=sys.stderr)
        return 1
    return 0 if screen.bad == 0 else 1


def keep(store):
    """A child process does all of it and stays; this one ends when everything was shown."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)

        def stay():
            detach()
            os.write(writer, b"0")
            os.close(writer)
            wait_for_stop()
        os._exit(demonstrate(store, stay))
    os.close(writer)
    try:
        if os.read(reader, 1):
            return 0
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except KeyboardInterrupt:   # the child got it, too
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    parser = argparse.ArgumentParser(prog="./demo")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--mariadb", action="store_true")
    arguments = parser.parse_args()
    store = Mariadb if arguments.mariadb else Sqlite
    print(f"This is {run(binary(), '-V').stdout.strip()}.")
    return keep(store) if arguments.keep else demonstrate(store)


if __name__ == "__main__":
    sys.exit(main())
