# SPDX-License-Identifier: MIT
"""Rows that no program should have written, read by mumd.

Fault: a row that is dirty, cut, huge or senseless. Reply: never a part of it, and never
bytes that the next program would misread: TEMP or DEFER_IF_PERMIT and a line in the log; or
"not found" if the row does not answer the question. For everybody else the right one.
Deadline: 2 s. Recovery: when the row is corrected. What Dovecot reads of such rows is in
test_dovecot_userdb.py (homes, quotas) and test_dovecot_passdb.py (hashes).
"""

import itertools

import pytest

from lab import Mumd
from lab.mariadb import POSTFIX_PASSWORD
from asker import NO_CACHE, TROUBLE, timed
from dovecot_stores import STORES

TEMP = "TEMP temporary lookup failure"
NOT_FOUND = "NOTFOUND "
DEAD = "550 5.2.1 alias leads to no mailbox that accepts mail"
GOOD = "good@example.test"
NOT_OWNED = "553 5.7.1 not owned by user stranger@example.test"

# name: (recipients, what the aliases map says, what the policy service says)
RECIPIENTS = {
    "newline": (["x@y.test\nDATA: z"], TEMP, "DUNNO"),
    "newline behind a good one": (["x@y.test", "x@z.test\nDATA: z"], TEMP, "DUNNO"),
    "carriage return": (["x\r@y.test"], TEMP, "DUNNO"),
    "tab": (["x\ty@y.test"], TEMP, "DUNNO"),
    "escape": (["x\x1b[2J@y.test"], TEMP, "DUNNO"),
    "delete": (["x\x7f@y.test"], TEMP, "DUNNO"),
    "C1 control": (["x\x85@y.test"], TEMP, "DUNNO"),
    "NUL": (["x@y.test\0.evil.test"], TEMP, TROUBLE),
    "NUL behind a good one": (["x@y.test", "\0"], TEMP, TROUBLE),
    "empty": ([""], NOT_FOUND, DEAD),
    "blank": ([" \t "], NOT_FOUND, DEAD),
    "two in one": (["x@y.test,x@z.test"], 'OK "x@y.test,x"@z.test', "DUNNO"),
    "as long as the column": (["r" * 184 + "@y.test"], "OK " + "r" * 184 + "@y.test", "DUNNO"),
    "fifty thousand": ([f"r{n}@y.test" for n in range(50000)], TEMP, "DUNNO"),
}
RECIPIENTS_SQLITE = {       # MariaDB's columns cannot hold these
    "not UTF-8": ([b"x\xff@y.test"], TEMP, "DUNNO"),
    "cut UTF-8": ([b"x@y.test\xc3"], TEMP, "DUNNO"),
    "surrogate": ([b"x\xed\xa0\x80@y.test"], TEMP, "DUNNO"),
    "a megabyte": (["r" * 1000000 + "@y.test"], TEMP, "DUNNO"),
}

# name: (policy, params, answer); the domain is name.test
POLICIES = {
    "newline": ("secure", "match=a\nb", TEMP),
    "tab": ("secure", "match=a\tb", TEMP),
    "nul": ("secure", "match=a\0b", TEMP),
    "null": ("secure", None, "OK secure"),
    "long": ("secure", "m" * 60000, "OK secure " + "m" * 60000),
}
POLICIES_SQLITE = {
    "latin": ("secure", b"match=\xe4", TEMP),
    "toolong": ("secure", "m" * 100000, TEMP),
}

# name of a sender beside GOOD: (sender-login-maps, policy for GOOD, policy for a stranger)
SENDERS = {
    "new\nline": (TEMP, "DUNNO", NOT_OWNED),
    "nul\0byte": (TEMP, TROUBLE, TROUBLE),
    "comma,name": (f"OK {GOOD},comma,name@example.test", "DUNNO", NOT_OWNED),
    "l" * 191: (f"OK {GOOD},{'l' * 191}@example.test", "DUNNO", NOT_OWNED),
}

# {stored: asked}; to a collation the two are equal
DOMAINS = {"ctl\x01.test": "ctl.test", "blank.test ": "blank.test", "zero\0.test": "zero.test",
           "line\nfeed.test": "line", "": ".test"}

# Expired long ago, whatever this date means.
DATES = ["0000-00-00 00:00:00"]


class Rows:
    """A store full of such rows, and a mumd over it. An alias is named by its number."""

    def __init__(self, lab, name):
        self.store = store = STORES[name](lab, name=f"rows-{name}")
        self._ids = itertools.count(100)
        self.aliases = {}
        sqlite = name == "sqlite"
        # In MariaDB all at once and, as in an old MySQL, values that do not fit are
        # changed to fit.
        statements = ["SET sql_mode = ''"]
        if not sqlite:
            store.run = statements.append
        store.add("good")
        self.recipients = {**RECIPIENTS, **(RECIPIENTS_SQLITE if sqlite else {})}
        self.policies = {**POLICIES, **(POLICIES_SQLITE if sqlite else {})}
        for case, (recipients, _, _) in self.recipients.items():
            self._alias(case, recipients)
        for case, (policy, params, _) in self.policies.items():
            store.insert("tls_policies", domain=f"{case}.test", policy=policy, params=params)
        for case in SENDERS:
            store.add(case)
            self._alias(case, [GOOD], senders=f"SELECT {{id}}, id FROM mailboxes WHERE id = 1 OR "
                                              f"local_part = {store.literal(case)} ORDER BY id")
        for domain in DOMAINS:
            number = next(self._ids)
            store.insert("domains", id=number, domain=domain, homedir=f"/d{number}")
            store.insert("mailboxes", local_part="u", domain_id=number, password="",
                         homedir=f"/m{number}", maildir=f"m{number}")
        for date in DATES:
            self._alias(date, ["x@y.test"], deactivate_at=date)
        settings = dict(store.settings)
        if not sqlite:
            settings["password"] = POSTFIX_PASSWORD
            store.server.sql(";\n".join(statements) + ";", database="mum")
        self.mumd = Mumd(lab, {"database": settings, "cache": NO_CACHE},
                         name=f"mumd-rows-{name}").start()

    def _alias(self, case, recipients, senders=None, **columns):
        number = next(self._ids)
        self.aliases[case] = f"a{number}@example.test"
        self.store.insert("aliases", id=number, local_part=f"a{number}", domain_id=1, **columns)
        rows = ", ".join(f"({number}, {self.store.literal(text)})" for text in recipients)
        self.store.run(f"INSERT INTO alias_recipients (alias_id, recipient_address) VALUES {rows}")
        if senders:
            self.store.run("INSERT INTO alias_senders (alias_id, mailbox_id) "
                           + senders.format(id=number))

    def lookup(self, table, key):
        reply, seconds = timed(self.mumd.lookup, table, key)
        assert seconds < 3      # the deadline, and more for a busy machine
        if reply == TEMP.encode():
            self.mumd.wait_log("error: ", f"key=<{key}>")
        assert self.mumd.lookup("mailboxes", GOOD) == b"OK 1"
        return reply.decode()

    def recipient(self, key):
        return self.mumd.decide(sender="x@y.test", recipient=key, policy_context="recipient")

    def sender(self, key, login):
        return self.mumd.decide(sender=key, sasl_username=login, recipient=GOOD,
                                policy_context="sender")


@pytest.fixture(scope="module", params=list(STORES))
def rows(request, lab):
    return Rows(lab, request.param)


def test_recipients(rows):
    for case, (_, mapped, decided) in rows.recipients.items():
        key = rows.aliases[case]
        assert (rows.lookup("aliases", key), rows.recipient(key)) == (mapped, decided), case


def test_tls_policies(rows):
    for case, (_, _, answer) in rows.policies.items():
        assert rows.lookup("tls-policies", f"{case}.test") == answer, case


def test_senders(rows):
    for case, (mapped, good, stranger) in SENDERS.items():
        key = rows.aliases[case]
        assert rows.lookup("sender-login-maps", key) == mapped, case
        assert rows.sender(key, GOOD) == good, case
        assert rows.sender(key, "stranger@example.test") == stranger, case


def test_domains_are_those_that_are_asked_for(rows):
    for stored, asked in DOMAINS.items():
        assert rows.lookup("domains", asked) == NOT_FOUND, stored
        assert rows.lookup("mailboxes", f"u@{asked}") == NOT_FOUND, stored


def test_dates_that_are_none(rows):
    for date in DATES:
        assert rows.lookup("aliases", rows.aliases[date]) == NOT_FOUND
