# SPDX-License-Identifier: MIT
"""Puts rows into MariaDB, reads back what its unique keys allow, and copies exactly that to
SQLite. Also asks MariaDB which texts are equal by its collation.
"""

import sqlite3

from conformance.data import TABLES
from conformance.names import WIDTH
from lab.lab import TOP

# MUM's own query, as Dovecot fills it in for `doveadm user '*'`.
STOCK_ITERATION = """SELECT mailboxes.local_part AS username, domains.domain
  FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id
  WHERE mailboxes.local_part = '' AND domains.domain = ''
    AND domains.active = 1 AND mailboxes.active = 1 AND mailboxes.send_only = 0;"""

NUMBERS = {"id", "domain_id", "quota", "send_only", "active", "mailbox_id", "alias_id"}


def _cell(name):
    value = name if name in NUMBERS else f"CONCAT('x', HEX({name}))"
    return f"COALESCE({value}, '-')"


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return f"_utf8mb4 X'{value.encode().hex()}'" if value else "''"


def _columns(table):
    return ", ".join(TABLES[table]._fields)


class Database:
    """server: a MariaDB of the lab with MUM's tables; path: the SQLite file to write."""

    def __init__(self, server, path):
        self._server = server
        self.path = path
        self._weights = {}
        connection = sqlite3.connect(path)
        connection.executescript((TOP / "conf-examples/schema-sqlite.sql").read_text())
        connection.close()
        path.chmod(0o644)

    def load(self, candidates):
        """The rows that are in both databases afterwards."""
        lines = ["SET NAMES utf8mb4; USE mum; SET autocommit = 0, sql_mode = '';"]
        lines += [f"DELETE FROM {table};" for table in reversed(TABLES)]
        for table, rows in candidates.items():
            values = ",\n".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)
            if values:
                lines.append(f"INSERT IGNORE INTO {table} ({_columns(table)}) VALUES\n{values};")
        lines.append("COMMIT;")
        lines += [self._select(table) for table in TABLES]
        rows = {table: [] for table in TABLES}
        for table, *cells in self._server.sql("\n".join(lines)):
            rows[table].append(TABLES[table](*map(_value, cells)))
        self._copy(rows)
        return rows

    @staticmethod
    def _select(table):
        # text is in hexadecimal, so nothing needs escapes
        cells = ", ".join(map(_cell, TABLES[table]._fields))
        return f"SELECT '{table}', {cells} FROM {table} ORDER BY id;"

    def _copy(self, rows):
        connection = sqlite3.connect(self.path)
        connection.execute("PRAGMA synchronous = OFF")
        with connection:
            for table in reversed(TABLES):
                connection.execute(f"DELETE FROM {table}")
            for table, kind in TABLES.items():
                marks = ", ".join("?" * len(kind._fields))
                connection.executemany(
                    f"INSERT INTO {table} ({_columns(table)}) VALUES ({marks})", rows[table])
        connection.close()

    def learn(self, texts):
        """Asks for the weights of all these texts at once."""
        new = sorted({text for text in texts if text not in self._weights
                      and not any("\ud800" <= char < "\ue000" for char in text)})
        if not new:
            return
        values = ",\n".join(f"({number}, {literal(text)})" for number, text in enumerate(new))
        rows = self._server.sql(
            "SET NAMES utf8mb4; USE mum; CREATE TEMPORARY TABLE texts (id int PRIMARY KEY, "
            "text varchar(2000) NOT NULL) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;\n"
            f"INSERT INTO texts VALUES {values};\n"
            "SELECT id, HEX(WEIGHT_STRING(text)) FROM texts;")
        for number, *weight in rows:
            self._weights[new[int(number)]] = _without_blanks(weight[0] if weight else "")

    def collate(self, text):
        """A value that is equal for texts that MUM's columns take for equal; None if a text
        does not fit.
        """
        if len(text.rstrip(" ")) > WIDTH:
            return None
        if text not in self._weights:
            self.learn([text])
        return self._weights.get(text)

    def stock_iteration(self):
        return ["@".join(row) for row in self._server.sql(STOCK_ITERATION, database="mum")]


def _value(cell):
    if cell == "-":
        return None
    return bytes.fromhex(cell[1:]).decode() if cell.startswith("x") else int(cell)


def _without_blanks(weight):
    """PAD SPACE: blanks at the end weigh nothing."""
    while weight.endswith("0209"):
        weight = weight[:-4]
    return weight
