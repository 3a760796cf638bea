# SPDX-License-Identifier: MIT
"""The servers of a soak, and what they hold afterwards."""

import collections
import contextlib
import itertools
import multiprocessing.managers
import os
import re
import time

from fakes.fault_proxy import FaultProxy
from lab import (LabError, MailRecorder, MariaDB, Mumctl, Mumd, Postfix, free_port, hashes,
                 wait_until)
from lab.lab import Running
from lab.mariadb import POSTFIX_PASSWORD
from lab.mum_dovecot import COMPLAINTS, MumDovecot
from lab.mumd import mariadb_settings
from soak.history import Bounce, Delivery
from soak.limit import Count, Counts
from soak.model import BURST, CLOSED, DOMAIN, GREEDY, INTERVAL, plain

# Dovecot compares times of folders in seconds.
TOUCHED = 1.1
# No living process holds the lock of a maildir for so long, in seconds.
LOCKED = 0.5

# Deferred mail is tried again soon, because the queue must be empty in the end.
POSTFIX_SETTINGS = ["queue_run_delay = 3s", "minimal_backoff_time = 3s",
                    "maximal_backoff_time = 6s"]

# Each mail has a sender of its own. So the cache is soon full, and mumd's memory grows no more.
CACHED = 300

GIGABYTE = 1 << 30      # the quota of each mailbox

# More than all our submitters send together; but GREEDY has a limit of its own.
SEND_RATE = 10000

# How Dovecot calls what our fault does.
KILLED = re.compile(r"service\(quota-status\): child \d+ killed with signal 9")

MONTHS = {month: number for number, month in enumerate(
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)}

_MESSAGE_ID = re.compile(r"/cleanup\[\d+\]: (\w+): message-id=<([^@>]*)@")
# Dovecot's LMTP, too, may have stored a mail when a reload ends it before its reply: "Shutting
# down" says 2.3, and "Server shutting down" 2.4.
_AGAIN = re.compile(r"message may be sent more than once\)$|"
                    r"said: 421 4\.3\.2 \S+ (Server s|S)hutting down "
                    r"\(in reply to end of DATA command\)\)$")
_RECIPIENT = re.compile(r"\[\d+\]: (?P<queue>\w+): to=<(?P<to>[^>]*)>")

Logged = collections.namedtuple("Logged", "bounces repeats")


def _text(value):
    return "'" + value.replace("'", "''") + "'"


class Host(FaultProxy):
    """The database behind a network that may fail."""

    def is_used(self):
        return self.connections > 0


class Proxies(multiprocessing.managers.BaseManager):
    """The proxies run in a process of their own, so that bytes do not wait for the soak's
    threads.
    """

    def stop(self):
        self.shutdown()


Proxies.register("Host", Host)


class World:
    """hosts: the database as mumd and Dovecot see it: the same server twice."""

    def __init__(self, lab, plan, limits, sanitized):
        self.plan = plan
        self._mail = lab.directory("soak-mail", "mail", mode=0o770)
        self.server = MariaDB(lab, name="soak-db").start().load_mum(self._rows(plan.state))
        self.outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
        self.postfix = Postfix(lab, self.outside.address, name="soak-pf", settings=POSTFIX_SETTINGS,
                               send_limits=True)
        paths = [lab.path / "host-1", lab.path / "host-2"]
        proxies = Proxies()
        proxies.start()
        lab.own(proxies)
        self.hosts = [proxies.Host(path, self.server.socket) for path in paths]
        database = mariadb_settings(self.server, POSTFIX_PASSWORD,
                                    hosts=[f"unix:{path}" for path in paths],
                                    deadline=f"{limits.lookup}s")
        cache = {"ttl": f"{limits.ttl}s", "stale": f"{limits.stale}s", "entries": CACHED}
        self.quota_status = lab.directory("soak-quota") / "quota-status"
        policy = {"quota": "enforce", "quota_status": f"unix:{self.quota_status}",
                  "quota_deadline": f"{limits.quota}s", "quota_ttl": f"{limits.room}s",
                  "send": "enforce", "send_rate": SEND_RATE, "send_burst": SEND_RATE,
                  "send_limits": [f"{GREEDY} {60 // INTERVAL}/1m {BURST}"]}
        self.mumd = Mumd(lab, {"database": database, "cache": cache, "policy": policy},
                         name="soak-mumd", sockets=self.postfix.sockets).start()
        self.dovecot = MumDovecot(lab, database, name="soak-dc", postfix=self.postfix,
                                  options={"deadline": f"{limits.login}s",
                                           "smtp_deadline": f"{limits.smtp_login}s"},
                                  settings=Mumctl(self.mumd.config).quota_status_lines(),
                                  sections={"cache": cache}, sanitized=sanitized).start()
        self.old_auths = set()      # pids of those that a reload has left
        self._numbers = itertools.count(2)
        self._large = {user: self.dovecot.fill(user, GIGABYTE + 1) for user in plan.of_habit("full")}
        for user in self._large:
            self.fill(user, False)
        self.postfix.start()

    # ---- the database ----

    def home(self, address):
        return self._mail / address.partition("@")[0]

    def _rows(self, state):
        self._ids = {address: number for number, address in
                     enumerate([*state.mailboxes, *state.aliases], start=1)}
        lines = [f"INSERT INTO domains (id, domain, homedir, active) VALUES "
                 f"(1, '{DOMAIN}', '{self._mail}/1', 1), (2, '{CLOSED}', '{self._mail}/2', 0);"]
        for address, mailbox in state.mailboxes.items():
            home, local = self.home(address), address.partition("@")[0]
            lines.append(
                "INSERT INTO mailboxes (id, local_part, domain_id, homedir, maildir, password, quota) "
                f"VALUES ({self._ids[address]}, '{local}', 1, '{home}', 'maildir:{home}/Maildir', '', 1);"
                + self.statement(address, mailbox))
        for address, alias in state.aliases.items():
            number, local = self._ids[address], address.partition("@")[0]
            lines.append(f"INSERT INTO aliases (id, local_part, domain_id) VALUES "
                         f"({number}, '{local}', 1);" + self.statement(address, alias))
            lines += [f"INSERT INTO alias_senders (alias_id, mailbox_id) VALUES "
                      f"({number}, {self._ids[user]});" for user in alias.senders]
        return "\n".join(lines)

    def statement(self, address, row):
        """SQL that writes this row of that address; it may run any number of times."""
        number = self._ids[address]
        if not hasattr(row, "recipients"):
            return (f"UPDATE mum.mailboxes SET active = {row.active:d}, send_only = {row.send_only:d}, "
                    f"password = {_text(hashes.bcrypt(row.password, cost=4))} WHERE id = {number};")
        values = ", ".join(f"({number}, {_text(recipient)}, {self._ids.get(recipient, 'NULL')})"
                           for recipient in row.recipients)
        return ("START TRANSACTION;"
                f"UPDATE mum.aliases SET active = {row.active:d} WHERE id = {number};"
                f"DELETE FROM mum.alias_recipients WHERE alias_id = {number};"
                "INSERT INTO mum.alias_recipients (alias_id, recipient_address, mailbox_id) "
                f"VALUES {values};"
                "COMMIT;")

    def fill(self, address, full):
        """Puts a large mail into the mailbox, or takes it away. It has another name each time,
        as each mail has. A delivery that is under way may have listed the folder before, and
        note its time after that: then Dovecot does not look again. So the time changes again.
        """
        path = self._large[address]
        name = f"{next(self._numbers)}.M1P1.test,S={GIGABYTE + 1},W={GIGABYTE + 1}:2,S"
        folder = self.home(address) / "Maildir/cur"
        self._large[address] = path.rename((folder if full else self.home(address)) / name)
        time.sleep(TOUCHED)
        os.utime(folder)

    def _locks(self):
        """(path, what tells it from a later one) of Dovecot's locks of maildirs."""
        for path in self._mail.glob("*/Maildir/dovecot-uidlist.lock"):
            with contextlib.suppress(OSError):      # it has just been released
                status = path.stat()
                yield path, (status.st_ino, status.st_ctime_ns)

    def remove_left_locks(self):
        """Those that a killed process left: Dovecot respects them for two minutes, in which it
        does not see that a large mail has gone.
        """
        before = set(self._locks())
        time.sleep(LOCKED)
        for path, _ in before & set(self._locks()):
            path.unlink(missing_ok=True)

    # ---- what they hold ----

    def watched(self):
        """(name, process) of what runs our code. Dovecot may have two for a moment."""
        return [("mumd", self.mumd.process),
                *(("auth", Running(pid)) for pid in self.dovecot.auth_pids())]

    # ---- the end ----

    def heal(self):
        """Waits until everything works again; returns what does not."""
        user = next(name for name, habit in self.plan.habits.items() if habit == "none")
        password = self.plan.state.mailboxes[user].password
        try:
            wait_until(lambda: self.mumd.lookup("domains", DOMAIN) == f"OK {DOMAIN}".encode(),
                       "mumd after all faults", 10)
            wait_until(lambda: self.dovecot.login(user, password) == "ok",
                       "logins after all faults", 10)
        except (LabError, OSError) as error:
            return [f"after all faults: {error}"]
        return []

    def counts(self):
        """What mumctl senders says; None if it says nothing."""
        asked = time.time()
        try:
            senders = Mumctl(self.mumd.config).json("senders")["senders"]
        except LabError:
            return None
        return Counts({one["login"]: Count(one["sent"], one["over"], one["left"]) for one in senders},
                      asked, time.time())

    def drain(self, timeout=60):
        """Sends all mail in Postfix's queue; returns what cannot be sent."""
        end = time.monotonic() + timeout
        self.postfix.flush()
        while not self.postfix.is_idle():
            if time.monotonic() > end:
                return [f"mail that stays in the queue: {self.postfix.log()[-2000:]}"]
            time.sleep(1)
            self.postfix.flush()
        return []

    def complaints(self):
        """Lines that no server may log."""
        return ([f"in Dovecot's log: {line}" for line in self.dovecot.complaints()
                 if not KILLED.search(line)]
                + self.dovecot.sanitizer_reports()
                + [f"in mumd's log: {line}" for line in self.mumd.log() if COMPLAINTS.search(line)])

    def deliveries(self):
        """The deliveries of our mails, whose subject is their id; not of bounces."""
        for address in self.plan.state.mailboxes:
            maildir = self.home(address) / "Maildir"
            for path in [*maildir.glob("new/*"), *maildir.glob("cur/*")]:
                subject = _subject(path)
                if subject.startswith("soak-"):
                    yield Delivery(subject, address, _delivery_time(path.name))
        for mail in self.outside.mails():
            if mail.subject.startswith("soak-"):
                yield Delivery(mail.subject, plain(mail.recipient), float("inf"))

    def logged(self):
        """(bounces, repeats) for the history: mails that Postfix gave up, and mails that it
        sent again because nobody confirmed the first time. Postfix reuses the names of
        queue files.
        """
        ids, bounces, repeats = {}, [], set()
        for line in self.postfix.log().splitlines():
            message = _MESSAGE_ID.search(line)
            recipient = _RECIPIENT.search(line)
            if message:
                ids[message[1]] = message[2]
            if not recipient or not ids.get(recipient["queue"], "").startswith("soak-"):
                continue
            name, to = ids[recipient["queue"]], plain(recipient["to"])
            if " status=bounced " in line:
                bounces.append(Bounce(name, to, _log_time(line)))
            if _AGAIN.search(line):
                repeats.add((name, to))
        return Logged(bounces, repeats)


def _subject(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line == "\n":
                return ""
            if line.startswith("Subject: "):
                return line[len("Subject: "):].strip()
    return ""


def _delivery_time(name):
    """The time in the name of a file in a maildir: "SECONDS.MMICROSECONDSP..."."""
    seconds, micro = re.match(r"(\d+)\.M(\d+)P", name).groups()
    return int(seconds) + int(micro) / 1e6


def _log_time(line):
    """A line has local time without a year; takes the nearest year."""
    month, day, clock = line.split(maxsplit=3)[:3]
    moment = (MONTHS[month], int(day), *map(int, clock.split(":")))
    now = time.time()
    year = time.localtime(now).tm_year
    return min((time.mktime((number, *moment, 0, 0, -1)) for number in (year - 1, year, year + 1)),
               key=lambda when: abs(when - now))
