# SPDX-License-Identifier: MIT
"""MUM's database as sites have it: the server's default collation, the collation of the
tables, and the answers, which depend on neither. For test_collations.py and tests/matrix/run.
"""

import collections
import contextlib

from lab import Mumctl, Mumd, netstring, sample
from lab.lab import give
from lab.mariadb import COLLATION, DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mumd import mariadb_settings
from test_maps import NOTFOUND, PERM, TABLES, TEMP

# Collations that a plain CREATE DATABASE may give: the first on Debian 12, the last on
# Debian 13, the others with older versions or another my.cnf.
DEFAULTS = ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin", "latin1_swedish_ci",
            "utf8mb3_general_ci", "utf8mb4_uca1400_ai_ci"]

NAMED = ("domains", "mailboxes", "aliases", "alias_recipients", "tls_policies")


def all_tables(collation):
    return {table: collation for table in (*NAMED, "alias_senders", "size_measurements")}


# Name: {table: collation}, for tables that differ from MUM's migrations.
SCHEMAS = {
    **{collation: all_tables(collation) for collation in (
        COLLATION, "utf8mb4_general_ci", "utf8mb4_unicode_520_ci", "utf8mb4_bin",
        "utf8mb4_uca1400_ai_ci", "utf8mb3_unicode_ci", "latin1_swedish_ci", "binary")},
    "mixed collations": {"mailboxes": "utf8mb4_general_ci", "aliases": "utf8mb4_unicode_520_ci"},
    "mixed character sets": {"mailboxes": "utf8mb3_unicode_ci", "aliases": "latin1_swedish_ci",
                             "alias_recipients": "utf8mb3_general_ci",
                             "tls_policies": "utf8mb4_bin"},
}

ENCODINGS = {"utf8mb4": "utf-8", "binary": "utf-8", "utf8mb3": "ucs-2", "latin1": "cp1252"}

# Rows besides the sample's: names of four-byte characters, and a name that such a name
# must not become if a column cannot hold these. (table, column: value)
MORE = [
    ("domains", {"id": 101, "domain": "𠮷.test", "homedir": "/srv/mail/d101"}),
    ("mailboxes", {"id": 101, "local_part": "𠮷", "domain_id": 101}),
    ("mailboxes", {"id": 102, "local_part": "?", "domain_id": 1}),
    ("aliases", {"id": 101, "local_part": "🎉", "domain_id": 1}),
    ("alias_recipients", {"alias_id": 101, "recipient_address": "alice@example.test",
                          "mailbox_id": 1}),
    ("alias_senders", {"alias_id": 101, "mailbox_id": 1}),
    ("tls_policies", {"domain": "𠮷.test", "policy": "encrypt", "params": "ciphers=high"}),
]

# (map, key, answer)
QUESTIONS = [(name, key, want) for name, rows in TABLES.items() for key, want in rows] + [
    ("domains", "𠮷.test", "OK 𠮷.test"),
    ("domains", "xn--7l3i.test", "OK 𠮷.test"),
    ("domains", "𠮸.test", NOTFOUND),
    ("mailboxes", "𠮷@𠮷.test", "OK 1"),
    ("mailboxes", "𠮷+x@xn--7l3i.test", "OK 1"),
    ("mailboxes", "𠮸@𠮷.test", NOTFOUND),
    ("mailboxes", "?@example.test", "OK 1"),
    ("mailboxes", "?+x@example.test", "OK 1"),
    ("mailboxes", "🎊@example.test", NOTFOUND),
    ("mailboxes", "jörg+ext@example.test", "OK 1"),
    ("mailboxes", "uwe+ext@xn--bcher-kva.test", "OK 1"),
    ("aliases", "🎉@example.test", "OK alice@example.test"),
    ("aliases", "🎉+x@example.test", "OK alice+x@example.test"),
    ("aliases", "🎊@example.test", NOTFOUND),
    ("aliases", "?@example.test", NOTFOUND),
    ("aliases", "müller+x@example.test", "OK jörg+x@example.test"),
    ("sender-login-maps", "🎉@example.test", "OK alice@example.test"),
    ("sender-login-maps", "𠮷@xn--7l3i.test", "OK 𠮷@𠮷.test"),
    ("sender-login-maps", "😀@example.test", "OK 😀@example.test"),
    ("sender-login-maps", "gross@example.test", "OK Groß@example.test"),
    ("sender-login-maps", "σασ@example.test", "OK σας@example.test"),
    ("recipient-access", "🎉@example.test", "OK DUNNO"),
    ("recipient-access", "😀+x@example.test", "OK DUNNO"),
    ("recipient-access", "jörg@example.test", "OK DUNNO"),
    ("tls-policies", "𠮷.test", "OK encrypt ciphers=high"),
    ("tls-policies", "xn--7l3i.test", "OK encrypt ciphers=high"),
]

# (login, the mailbox's id and stored name; None: nobody)
LOGINS = [
    ("alice@example.test", (1, "alice@example.test")),
    ("ALICE@Example.Test", (1, "alice@example.test")),
    ("alice+x@example.test", None),
    ("joe+tag@example.test", (9, "joe+tag@example.test")),
    ("jörg@example.test", (8, "jörg@example.test")),
    ("jorg@example.test", None),
    ("uwe@bücher.test", (14, "uwe@bücher.test")),
    ("uwe@xn--bcher-kva.test", (14, "uwe@bücher.test")),
    ("anna@café.test", (20, "anna@xn--caf-dma.test")),
    ("straße@second.test", (13, "strasse@second.test")),
    ("mixed.case@second.test", (12, "Mixed.Case@second.test")),
    ("ulla@upper.test", (15, "ulla@Upper.Test")),
    ("gross@example.test", (22, "Groß@example.test")),
    ("σασ@example.test", (23, "σας@example.test")),
    ("😀@example.test", (21, "😀@example.test")),
    ("🎊@example.test", None),
    ("𠮷@xn--7l3i.test", (101, "𠮷@𠮷.test")),
    ("?@example.test", (102, "?@example.test")),
]

# ---- which row a column cannot hold, or not find ----

# We ask for the folded form of a name. A stored name that is not folded is found if the
# column takes the two for equal: differences.md, D1. These are not equal.
NOT_FOLDED = {"Groß", "σας", "Mixed.Case", "Upper.Test"}
UNEQUAL = {
    "utf8mb4_general_ci": {"Groß"},
    "latin1_swedish_ci": {"Groß"},
    "utf8mb4_bin": NOT_FOLDED,
    "binary": NOT_FOLDED,
}

# (table, stored name): the keys that only this row answers
KEYS = {
    ("domains", "Upper.Test"): {"upper.test", "ulla@upper.test"},
    ("domains", "𠮷.test"): {"𠮷.test", "xn--7l3i.test", "𠮷@𠮷.test", "𠮷@xn--7l3i.test",
                            "𠮷+x@xn--7l3i.test"},
    ("mailboxes", "𠮷"): {"𠮷@𠮷.test", "𠮷@xn--7l3i.test", "𠮷+x@xn--7l3i.test"},
    ("mailboxes", "Mixed.Case"): {"mixed.case@second.test"},
    ("mailboxes", "Groß"): {"groß@example.test", "gross@example.test", "GROSS@example.test"},
    ("mailboxes", "σας"): {"ΣΑΣ@example.test", "σασ@example.test"},
    ("mailboxes", "😀"): {"😀@example.test", "😀+x@example.test"},
    ("aliases", "🎉"): {"🎉@example.test", "🎉+x@example.test"},
    ("tls_policies", "𠮷.test"): {"𠮷.test", "xn--7l3i.test"},
}


def can_hold(collation, text):
    encoding = ENCODINGS[collation.partition("_")[0]]
    if encoding == "ucs-2":
        return all(char <= "\uffff" for char in text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


class Schema:
    """One of SCHEMAS: what its columns hold and find."""

    def __init__(self, name):
        self.name = name
        self.collations = SCHEMAS[name]

    def holds(self, table, name):
        return can_hold(self.collations.get(table, COLLATION), name)

    def _lacks(self, table, name):
        """Is the row of that name missing for whoever asks?"""
        return (not self.holds(table, name)
                or name in UNEQUAL.get(self.collations.get(table, COLLATION), ()))

    def rows(self):
        """INSERT statements of all rows that the columns hold."""
        lines, missing = [sample.mariadb_text(self.holds)], set()
        for table, row in MORE:
            name = row.get("local_part", row.get("domain", ""))
            owners = {("domains", row.get("domain_id")), ("aliases", row.get("alias_id"))}
            if not self.holds(table, name) or owners & missing:
                missing.add((table, row.get("id")))
                continue
            if table == "mailboxes":
                row = {**row, "password": sample.PASSWORD, "homedir": f"/srv/mail/h{row['id']}",
                       "maildir": f"maildir:/srv/mail/h{row['id']}/Maildir"}
            values = ", ".join(str(value) if isinstance(value, int) else f"'{value}'"
                               for value in row.values())
            lines.append(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values});")
        return "\n".join(lines) + "\n"

    def _vain(self, name, key):
        """Would only a missing row answer this key of a map?"""
        return any(key in keys and self._lacks(table, stored)
                   for (table, stored), keys in KEYS.items()
                   if (table == "tls_policies") == (name == "tls-policies"))

    def questions(self):
        """(map, key, answer)"""
        return [(name, key, NOTFOUND if self._vain(name, key) else want)
                for name, key, want in QUESTIONS]

    def logins(self):
        """(login, the mailbox's id and stored name, or None)"""
        return [(login, None if self._vain("mailboxes", login) else want)
                for login, want in LOGINS]


# ---- asking ----

def judge(name, key, want, got):
    """[] if the answer is right, else a short line that says what is wrong."""
    if got.startswith(want + " ") if want in (TEMP, PERM) else got == want:
        return []
    return [f"{name} {key}: {got:.100s}, not {want:.100s}"]


class Site:
    """with Site(lab, server, default, schema): MUM's database on that server, and a mumd
    before it. `default` is the server's collation, with a plain CREATE DATABASE; own: the
    collation that CREATE DATABASE names instead.
    """

    # How many ask at once. mumd has fewer connections to the database, so the rest waits.
    CLIENTS = 100

    _made = 0

    def __init__(self, lab, server, default, schema, own=None):
        self._lab, self.server, self._default, self._own = lab, server, default, own
        self.schema = Schema(schema)
        Site._made += 1
        self._name = f"site-{Site._made}"
        self.mumd = self.ctl = None

    def __enter__(self):
        self.server.sql("DROP DATABASE IF EXISTS mum; "
                        f"SET GLOBAL collation_server = {self._default}")
        self.server.load_mum(self.schema.rows(), self._own, self.schema.collations)
        password = self._lab.directory(f"{self._name}-etc") / "dovecot.password"
        password.write_text(DOVECOT_PASSWORD + "\n")
        give(password, "root")
        password.chmod(0o600)
        self.mumd = Mumd(self._lab, {
            "database": mariadb_settings(self.server, POSTFIX_PASSWORD),
            "dovecot": {"user": "mum_dovecot", "password_file": password},
            "cache": {"ttl": "0s", "stale": "0s"}}, name=self._name).start()
        self.ctl = Mumctl(self.mumd.config)
        return self

    def __exit__(self, *exception):
        self.mumd.stop()

    def alter(self, schema):
        """Alters the tables, and fills them with what their columns can hold then."""
        self.schema = Schema(schema)
        lines = ["USE mum;", "SET foreign_key_checks = 0;"]
        for table in SCHEMAS[COLLATION]:
            collation = self.schema.collations.get(table, COLLATION)
            lines += [f"DELETE FROM {table};",
                      f"ALTER TABLE {table} CONVERT TO CHARACTER SET "
                      f"{collation.partition('_')[0]} COLLATE {collation};"]
        self.server.sql("\n".join(lines) + "\nSET NAMES utf8mb4;\n" + self.schema.rows())

    def ask(self):
        """Asks each question alone; returns a line for each wrong answer."""
        with self.mumd.map_client() as client:
            return [line for name, key, want in self.schema.questions()
                    for line in judge(name, key, want, client.ask(name, key).decode())]

    def ask_at_once(self):
        """The same, but with so many at a time that statements have many names. Also
        returns how many statements there were.
        """
        questions, wrong = self.schema.questions(), []
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.mumd.map_client()) for _ in range(self.CLIENTS)]
            before = self._statements()
            for start in range(0, len(questions), self.CLIENTS):
                some = list(zip(clients, questions[start:start + self.CLIENTS]))
                with self.server.paused():
                    for client, (name, key, _) in some:
                        client.send(netstring(f"{name} {key}".encode()))
                for client, question in some:
                    wrong += judge(*question, client.reply().decode())
            return wrong, self._statements() - before

    def _statements(self):
        return int(self.server.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")[0][1])

    def log_in(self):
        """The same for passdb and userdb, as mumctl asks them."""
        wrong = []
        for login, want in self.schema.logins():
            user = self.ctl.run("--json", "user", login)
            auth = self.ctl.run("--json", "auth", "--password-stdin", login, input="secret\n")
            seen = user.json(), auth.json()
            got = " ".join(str(part.get(name)) for part, name in zip(
                (*seen, seen[0], seen[0]), ("result", "result", "user", "home")))
            right = "not-found unknown" if want is None else "found right"
            name = login if want is None else want[1]
            home = None if want is None else f"/srv/mail/h{want[0]}"
            wrong += judge("login", login, f"{right} {name} {home}", got)
        return wrong

    def errors(self):
        """What mumd has logged about the database, and how often."""
        return collections.Counter(line.partition("warning: database: ")[2].partition(";")[0]
                                   for line in self.mumd.log() if "warning: database: " in line)
