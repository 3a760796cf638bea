# SPDX-License-Identifier: MIT
"""What the tests of mumctl share: a small MUM in one store, a mumd before it, and mumctl."""

import contextlib
import itertools

from lab import Mumctl, Mumd, hashes
from lab.lab import give
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mumd import GROUP
from dovecot_stores import STORES

_numbers = itertools.count()

# Each table behind those to which its rows refer.
TABLES = ("domains", "mailboxes", "aliases", "alias_senders", "alias_recipients", "tls_policies")


class World:
    """At first nothing is wrong here. Tests break it, and repair it again."""

    def __init__(self, lab, name, prefix="ctl"):
        self.lab = lab
        self.name = name
        self.store = STORES[name](lab, f"{prefix}-{name}")
        self.directory = lab.directory(f"{prefix}-{name}-etc")
        self.postfix_password = self._secret("postfix.password", POSTFIX_PASSWORD, GROUP, 0o640)
        self.dovecot_password = self._secret("dovecot.password", DOVECOT_PASSWORD, "root", 0o600)
        if name == "mariadb":   # a plain CREATE DATABASE is worth a note
            self.store.run("ALTER DATABASE mum COLLATE utf8mb4_unicode_ci")
        self._fill()
        self.mumd = Mumd(lab, self.settings(), name=f"{prefix}-{name}").start()
        self.ctl = Mumctl(self.mumd.config)

    def _secret(self, name, text, group, mode):
        path = self.directory / name
        path.write_text(text + "\n")
        give(path, "root", group)
        path.chmod(mode)
        return path

    def settings(self):
        database = dict(self.store.settings)
        database.pop("password", None)
        if self.name == "mariadb":
            database["password_file"] = self.postfix_password
        return {"database": database,
                "dovecot": {"user": "mum_dovecot", "password_file": self.dovecot_password}}

    def _fill(self):
        anna = self.store.add("anna")
        self.store.add("scanner", send_only=1)
        self.store.add("gone", active=0)
        self.store.insert("aliases", id=1, local_part="info", domain_id=1, active=1)
        self.store.insert("alias_recipients", alias_id=1, recipient_address=anna, mailbox_id=1)
        self.store.insert("alias_senders", alias_id=1, mailbox_id=1)
        for number, role in ((2, "postmaster"), (3, "abuse")):
            self.store.insert("aliases", id=number, local_part=role, domain_id=1, active=1)
            self.store.insert("alias_recipients", alias_id=number, recipient_address=anna,
                              mailbox_id=1)
        self.store.insert("tls_policies", domain="secure.test", policy="secure",
                          params="match=mx.secure.test ciphers=high", active=1)

    def add_many(self, count):
        """Adds so many mailboxes, and aliases that lead to them and, 500 in a row, one to
        the next.
        """
        hashed = hashes.bcrypt(cost=4)
        numbers = range(10, 10 + count)
        self._insert_many(
            "mailboxes (id, local_part, domain_id, password, homedir, maildir)",
            [f"({n}, 'm{n}', 1, '{hashed}', '/srv/{n}', 'maildir:/srv/{n}')" for n in numbers])
        self._insert_many("aliases (id, local_part, domain_id)",
                          [f"({n}, 'a{n}', 1)" for n in numbers])
        self._insert_many("alias_recipients (alias_id, recipient_address, mailbox_id)",
                          [f"({n}, 'm{n}@example.test', {n})" for n in numbers])
        self._insert_many("alias_recipients (alias_id, recipient_address)",
                          [f"({n}, 'a{n + 1}@example.test')" for n in numbers[:-1] if n % 500])

    def add_caught(self, count):
        """Adds so many domains, each with a catch-all that anna gets and may send as."""
        numbers = range(10, 10 + count)
        self._insert_many("domains (id, domain, homedir)",
                          [f"({n}, 'd{n}.test', '/srv/d{n}')" for n in numbers])
        self._insert_many("aliases (id, local_part, domain_id)",
                          [f"({n}, '', {n})" for n in numbers])
        self._insert_many("alias_recipients (alias_id, recipient_address, mailbox_id)",
                          [f"({n}, 'anna@example.test', 1)" for n in numbers])
        self._insert_many("alias_senders (alias_id, mailbox_id)", [f"({n}, 1)" for n in numbers])

    def _insert_many(self, table, rows, at_once=20000):
        for start in range(0, len(rows), at_once):
            self.store.run(f"INSERT INTO {table} VALUES {','.join(rows[start:start + at_once])}")

    def ctl_with(self, **sections):
        """mumctl with these options besides; the sockets are those of the running mumd."""
        settings = self.settings()
        settings["socketmap"] = {"listen": [f"unix:{self.mumd.socketmap}"]}
        settings["policy"] = {"listen": [f"unix:{self.mumd.policy}"]}
        for section, options in sections.items():
            settings[section] = {**settings.get(section, {}), **options}
        return Mumctl(Mumd(self.lab, settings, name=f"ctl-{next(_numbers)}",
                           sockets=self.mumd.sockets).config)

    @contextlib.contextmanager
    def rows(self, rows):
        """A context with the rows [(table, {column: value}), ...]; their ids are above 1000."""
        try:
            kinds = {}
            for table, row in rows:
                kinds.setdefault((TABLES.index(table), ", ".join(row)), []).append(
                    f"({', '.join(map(self.store.literal, row.values()))})")
            for (table, names), some in sorted(kinds.items()):
                self._insert_many(f"{TABLES[table]} ({names})", some)
            yield
        finally:
            for table in reversed(TABLES):
                self.store.run(f"DELETE FROM {table} WHERE id > 1000")

    @contextlib.contextmanager
    def changed(self, *statements):
        """A context with pairs of statements: what the administrator does, and what undoes it."""
        for done, _ in statements:
            self.store.run(done)
        try:
            yield
        finally:
            for _, undone in reversed(statements):
                self.store.run(undone)
