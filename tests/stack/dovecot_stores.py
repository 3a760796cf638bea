# SPDX-License-Identifier: MIT
"""MUM's tables for the tests with Dovecot, in MariaDB and in SQLite, to be written to."""

import contextlib
import itertools
import sqlite3

from lab import MariaDB, hashes
from lab.lab import TOP
from lab.mariadb import DOVECOT_PASSWORD
from lab.mumd import mariadb_settings, sqlite_settings

SECRET = "secret"

# name: (id, quota in GB, active)
DOMAINS = {
    "example.test": (1, 3, 1),
    "noquota.test": (2, None, 1),
    "closed.test": (3, None, 0),
    "bücher.test": (4, None, 1),
}


class Store:
    """add() and change() rows; trouble() is a context for each name in troubles."""

    def __init__(self, lab, name):
        self._lab = lab
        self._ids = itertools.count(1)
        self.name = name
        self.mail = lab.directory(f"mail-{name}", "mail", mode=0o770)

    def _fill(self):
        for domain, (number, quota, active) in DOMAINS.items():
            self.insert("domains", id=number, domain=domain, quota=quota, active=active,
                        homedir=f"{self.mail}/{number}")

    def run(self, sql):
        raise NotImplementedError

    def literal(self, value):
        if value is None:
            return "NULL"
        if isinstance(value, int):
            return str(value)
        data = value.encode() if isinstance(value, str) else value
        return self.TEXT % (data.hex(),)

    def insert(self, table, **columns):
        names = ", ".join(columns)
        values = ", ".join(map(self.literal, columns.values()))
        self.run(f"INSERT INTO {table} ({names}) VALUES ({values})")

    def add(self, local, domain="example.test", password=None, **columns):
        """A mailbox whose password is "secret"; its address."""
        number = next(self._ids)
        home = f"{self.mail}/h{number}"
        self.insert("mailboxes", **{
            "id": number, "local_part": local, "domain_id": DOMAINS[domain][0],
            "password": hashes.bcrypt(cost=4) if password is None else password,
            "homedir": home, "maildir": f"maildir:{home}/Maildir", **columns})
        return f"{local}@{domain}"

    def change(self, address, **columns):
        local, _, domain = address.rpartition("@")
        values = ", ".join(f"{name} = {self.literal(value)}" for name, value in columns.items())
        self.run(f"UPDATE mailboxes SET {values} WHERE local_part = {self.literal(local)} "
                 f"AND domain_id = {DOMAINS[domain][0]}")

    def remove(self, address):
        local, _, domain = address.rpartition("@")
        self.run(f"DELETE FROM mailboxes WHERE local_part = {self.literal(local)} "
                 f"AND domain_id = {DOMAINS[domain][0]}")

    @contextlib.contextmanager
    def _nothing(self):
        yield

    @contextlib.contextmanager
    def _renamed_table(self):
        self.run("ALTER TABLE mailboxes RENAME TO mailboxes_away")
        try:
            yield
        finally:
            self.run("ALTER TABLE mailboxes_away RENAME TO mailboxes")

    def trouble(self, name):
        return getattr(self, "_" + name.replace(" ", "_"))()


class MariaStore(Store):
    TEXT = "CONVERT(X'%s' USING utf8mb4) COLLATE utf8mb4_unicode_ci"

    def __init__(self, lab, name="mariadb"):
        super().__init__(lab, name)
        self.server = MariaDB(lab, name=f"db-{name}").start().load_mum("")
        self.settings = mariadb_settings(self.server, "")
        self._fill()

    def run(self, sql):
        self.server.sql(sql + ";", database="mum")

    @contextlib.contextmanager
    def _server_down(self):
        self.server.stop()
        try:
            yield
        finally:
            self.server.start()

    @contextlib.contextmanager
    def _server_hung(self):
        with self.server.paused():
            yield

    @contextlib.contextmanager
    def _wrong_password(self):
        self._password("somebody changed it")
        for number in self.server.connections("mum_dovecot"):
            self.server.sql(f"KILL {number}", check=False)
        try:
            yield
        finally:
            self._password(None)

    def _password(self, text):
        for host in ("localhost", "127.0.0.1"):
            self.server.sql(f"ALTER USER mum_dovecot@'{host}' "
                            f"IDENTIFIED BY '{text or DOVECOT_PASSWORD}'")

    def connections(self):
        return len(self.server.connections("mum_dovecot"))


class SqliteStore(Store):
    TEXT = "CAST(X'%s' AS TEXT)"

    def __init__(self, lab, name="sqlite"):
        super().__init__(lab, name)
        self.path = lab.path / f"{name}.sqlite"
        connection = sqlite3.connect(self.path)
        connection.executescript((TOP / "conf-examples/schema-sqlite.sql").read_text())
        connection.close()
        self.path.chmod(0o644)
        self.settings = sqlite_settings(self.path)
        self._fill()

    def run(self, sql):
        with contextlib.closing(sqlite3.connect(self.path, timeout=20)) as connection:
            with connection:
                connection.execute(sql)

    @contextlib.contextmanager
    def _database_locked(self):
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()


STORES = {"mariadb": MariaStore, "sqlite": SqliteStore}

TROUBLES = [("mariadb", "server down"), ("mariadb", "server hung"),
            ("mariadb", "wrong password"), ("mariadb", "renamed table"),
            ("sqlite", "database locked"), ("sqlite", "renamed table")]
