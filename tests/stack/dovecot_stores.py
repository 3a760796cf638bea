# SPDX-License-Identifier: MIT
"""MUM's tables for the tests with Dovecot, in MariaDB and in SQLite; tests may write to them."""

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
    def _changed(self, breakage, repair):
        self.run(breakage)
        try:
            yield
        finally:
            self.run(repair)

    def _renamed_table(self):
        return self._changed("ALTER TABLE mailboxes RENAME TO mailboxes_away",
                             "ALTER TABLE mailboxes_away RENAME TO mailboxes")

    def _missing_column(self):
        return self._changed("ALTER TABLE mailboxes RENAME COLUMN active TO active_away",
                             "ALTER TABLE mailboxes RENAME COLUMN active_away TO active")

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

    def _locked_table(self):
        return self.server.locked("mailboxes", "domains")

    @contextlib.contextmanager
    def _full_server(self):
        self._disconnect()
        with self.server.full():
            yield

    def _revoked_grant(self):
        return self._changed("REVOKE SELECT (active) ON mailboxes FROM mum_dovecot@localhost",
                             "GRANT SELECT (active) ON mailboxes TO mum_dovecot@localhost")

    @contextlib.contextmanager
    def _read_only_server(self):
        with self.server.variable("read_only", 1):
            self._disconnect()
            yield

    @contextlib.contextmanager
    def _impatient_server(self):
        """It closes connections that are idle for a second, again and again."""
        with self.server.variable("wait_timeout", 1):
            self._disconnect()
            yield

    @contextlib.contextmanager
    def _wrong_password(self):
        self._password("somebody changed it")
        self._disconnect()
        try:
            yield
        finally:
            self._password(None)

    def _password(self, text):
        for host in ("localhost", "127.0.0.1"):
            self.server.sql(f"ALTER USER mum_dovecot@'{host}' "
                            f"IDENTIFIED BY '{text or DOVECOT_PASSWORD}'")

    def _disconnect(self):
        self.server.disconnect("mum_dovecot", "mum_postfix")

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
    def _missing_file(self):
        away = self.path.rename(self.path.with_suffix(".away"))
        try:
            yield
        finally:
            away.rename(self.path)

    @contextlib.contextmanager
    def _locked_database(self):
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()


STORES = {"mariadb": MariaStore, "sqlite": SqliteStore}

# Troubles at the same time: of a MariaDB, of another one, and of SQLite.
TROUBLES = [("server down", "locked table", "locked database"),
            ("server hung", "full server", "renamed table"),
            ("wrong password", "missing column", "missing column"),
            ("renamed table", "revoked grant", "missing file")]
HARMLESS = ["read only server", "impatient server"]
