# SPDX-License-Identifier: MIT
"""The tables of doc/differences.md: stock and ours are asked each key in them, and answer
what they say.
"""

import collections
import functools
import itertools
import re

import pytest

from conformance.database import literal
from conformance.entries import DOCUMENT
from conformance.senders import stock_answers, verdict
from conformance.stock import StockPostfix
from lab import MariaDB, Mumctl, Mumd, Postfix, free_port, hashes, sample
from lab.lab import run
from lab.mariadb import POSTFIX_PASSWORD
from lab.mum_dovecot import MumDovecot
from lab.mumd import mariadb_settings
from lab.rewrite import RESOLVE_ERROR, RESOLVE_FAILED, TrivialRewrite

Row = collections.namedtuple("Row", "entry table key stock ours")

# MAP `KEY` and maybe more | stock | ours
LINE = re.compile(r"\| ([a-z0-9 -]+) `([^`]*)`[^|]* \| ([^|]+) \| ([^|]+) \|")

# Mailboxes that sample.py does not have: local part, and what is odd about it.
MAILBOXES = {
    "tab\tbed": {}, "a@b": {}, "sha512": {"password": hashes.sha512(rounds=1000)},
    "argon2": {"password": hashes.argon2(time=1, memory_kib=64)},
    "costly": {"password": hashes.bcrypt(cost=9)}, "prefixed": {"password": "{PLAIN}secret"},
    "relative": {"homedir": "srv/mail"}, "upwards": {"homedir": "/srv/../../etc"},
    "climber": {"maildir": "maildir:/srv/mail/../../etc"},
    "nowhere": {"maildir": ""}, "plenty": {"domain_id": 99}}


def _insert(table, **row):
    values = ", ".join(map(literal, row.values()))
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values});"


def _mailbox(local, odd):
    usual = {"local_part": local, "domain_id": 1, "password": hashes.bcrypt(cost=4),
             "homedir": f"/srv/mail/{local}", "maildir": f"maildir:/srv/mail/{local}"}
    return _insert("mailboxes", **{**usual, **odd})


MORE = "\n".join([
    _insert("domains", id=99, domain="huge.test", quota=1 << 33, homedir="/srv/99", active=1),
    *itertools.starmap(_mailbox, MAILBOXES.items()),
    _insert("aliases", id=99, local_part="semicolon", domain_id=1),
    _insert("alias_recipients", alias_id=99, recipient_address="friend@external.test;other")])


# Recipients with a mailbox id of sample.py (bob is 2), and own addresses that were
# typed, without an id.
TYPED = {
    "typed": [(name, None) for name in ("alice@", "gone@", "ina@", "sendonly@")],
    "typeddead": [("sendonly+x@", None)],
    "selfext": [("selfext+x@", None), ("selfext@example.test.", None), ("carol@second.test", None)],
    "renamed": [("bob@old.example", 2)]}


def _typed(alias, local, recipients):
    return [_insert("aliases", id=alias, local_part=local, domain_id=1),
            *(_insert("alias_recipients", alias_id=alias, mailbox_id=mailbox,
                      recipient_address=text + "example.test" if text.endswith("@") else text)
              for text, mailbox in recipients)]


MORE += "\n" + "\n".join(itertools.chain.from_iterable(
    _typed(alias, *item) for alias, item in enumerate(TYPED.items(), 110)))

# Lists longer than 1024 bytes: in one, byte 1024 is in the middle of a character; and
# senders of two aliases, of which the second has a mailbox of its name.
WIDE = ["axxxxxx@external.test"] + [f"r{n:03d}-{'ö' * 20}@external.test" for n in range(60)]
SENDERS = range(200, 260)
MORE += "\n" + "\n".join([
    _insert("aliases", id=100, local_part="wide", domain_id=1),
    *(_insert("alias_recipients", alias_id=100, recipient_address=address)
      for address in WIDE),
    *(_insert("mailboxes", id=n, local_part=f"somebody-number-{n}", domain_id=1, password="",
              homedir=f"/srv/{n}", maildir=f"maildir:/srv/{n}") for n in SENDERS),
    *(_insert("aliases", id=alias, local_part=name, domain_id=1)
      for alias, name in ((101, "owned"), (102, "sha512"))),
    *(_insert("alias_senders", alias_id=alias, mailbox_id=n)
      for alias in (101, 102) for n in SENDERS)])


def rows():
    """All rows of the tables; a line of a table that cannot be read fails."""
    entry, found = None, []
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("### "):
            entry = line.split()[1].rstrip(".")
        if entry and line.startswith("| ") and not line.startswith("| question |"):
            table, key, *cells = LINE.fullmatch(line).groups()
            key = key.replace("\\t", "\t")
            found.append(Row(entry, table, key + "example.test" if key.endswith("@") else key,
                             *cells))
    return found


def holds(cell, answer):
    if cell.startswith("`"):
        text = re.escape(cell.strip("`")).replace(r"\.\.\.", "[^,]*")
        return re.fullmatch(re.sub(r"^\[\^,\]\*,", "(.*,)?", text), answer or "") is not None
    return {"-": answer is None, "temporary failure": answer == "TEMP",
            "the value": answer not in (None, "TEMP")}.get(cell, answer == cell)


class Answers:
    """What stock's answers and ours share: Dovecot for users."""

    def __init__(self, dovecot):
        self.dovecot = dovecot

    def ask(self, table, key):
        word, _, service = table.partition(" ")
        if word == "login":
            return verdict(self.dovecot.login(key, "secret", service) == "ok")
        if word == "userdb":
            fields = self.dovecot.user(key)
            return fields["user"] if isinstance(fields, dict) else fields and "TEMP"
        if word == "doveadm":
            return self.dovecot.doveadm("user", key).stdout.strip() or None
        if word == "recipient":
            return self.recipient(key)
        return self.sender(key) if word == "sender" else self.map(table, key)


class Stock(Answers):
    def __init__(self, lab, server):
        self._lab = lab
        dovecot = MumDovecot(lab, mariadb_settings(server, ""), name="stock", driver="sql",
                             settings="auth_username_chars =\n")
        # the file ends as in MUM's manual
        queries, condition = dovecot.language.iterate_query(dovecot.directory / "dovecot-sql.conf")
        before, word, last = queries.read_text().rpartition("WHERE ")
        queries.write_text(f"{before}{word}{condition} AND {last}")
        super().__init__(dovecot.start())
        self.files = StockPostfix(lab, server).directory

    def map(self, table, key):
        result = run("postmap", "-c", self.files, "-q", key,
                     f"mysql:{self.files}/{table}.cf", check=False)
        return result.stdout[:-1] if result.returncode == 0 else None

    @functools.cached_property
    def _rewrite(self):
        postfix = Postfix(self._lab, ("127.0.0.1", free_port()), name="differences-pf")
        postfix.set("virtual_mailbox_domains = example.test", "virtual_mailbox_maps =",
                    "virtual_alias_maps =")
        return TrivialRewrite(postfix.start())

    def recipient(self, key):
        """Postfix resolves it and asks the map."""
        resolved, flags = self._rewrite.resolve(self._rewrite.rewrite(key))
        assert not flags & (RESOLVE_ERROR | RESOLVE_FAILED)
        return self.map("recipient-access", resolved)

    def sender(self, key):
        """Postfix splits the answer of the map."""
        found = {key: self.map("sender-login-maps", key)}
        return stock_answers([f"{key} > {key}"], found, "+")[f"{key} > {key}"]


class Ours(Answers):
    def __init__(self, lab, server):
        super().__init__(MumDovecot(
            lab, mariadb_settings(server, ""), name="ours", settings="auth_username_chars =\n",
            options={"max_bcrypt_cost": 8}).start())
        self.mumd = Mumd(lab, {"database": mariadb_settings(server, POSTFIX_PASSWORD)}).start()

    def map(self, table, key):
        with self.mumd.map_client() as client:
            word, _, value = client.ask(table, key).decode().partition(" ")
        return {"OK": value, "TEMP": "TEMP"}.get(word)

    def sender(self, key):
        with self.mumd.policy_client() as client:
            return verdict(client.ask(sender=key, sasl_username=key, sasl_method="PLAIN",
                                      policy_context="sender", recipient=key) == "DUNNO")

    def recipient(self, key):
        with self.mumd.policy_client() as client:
            return client.ask(recipient=key, policy_context="recipient")


@pytest.fixture(scope="module")
def server(lab):
    return MariaDB(lab, name="differences-db").start().load_mum(sample.mariadb_text() + MORE)


@pytest.fixture(scope="module")
def both(lab, server):
    return Stock(lab, server), Ours(lab, server)


@pytest.fixture
def cut(server):
    """MySQL's default; MariaDB's is 1 MB."""
    server.sql("SET GLOBAL group_concat_max_len = 1024")
    yield
    server.sql("SET GLOBAL group_concat_max_len = DEFAULT")


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.entry}-{row.table}-{row.key!r}")
def test_both_answer_what_the_table_says(both, request, row):
    if row.key.startswith("big@"):
        request.getfixturevalue("cut")
    stock, ours = (who.ask(row.table, row.key) for who in both)
    assert holds(row.stock, stock), f"stock: {stock}"
    assert holds(row.ours, ours), f"ours: {ours}"


def test_each_entry_has_a_table():
    listed = re.findall(r"^### (D\d+)", DOCUMENT.read_text(), re.MULTILINE)
    assert {row.entry for row in rows()} == set(listed)


CUT = [("aliases", "big", 1024), ("aliases", "wide", 1023), ("sender-login-maps", "owned", 1024),
       ("sender-login-maps", "sha512", len("sha512@example.test,") + 1024)]


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("table, name, size", CUT)
def test_compare_knows_a_list_that_is_cut(both, tmp_path, table, name, size):
    stock, ours = both
    (tmp_path / "keys").write_text(f"{name}@example.test\n")
    document = Mumctl(ours.mumd.config).json("compare", "--postfix", stock.files, "--keys",
                                             tmp_path / "keys",
                                             environment={"MAIL_CONFIG": str(stock.files)})
    one = next(one for one in document["differences"] if one["map"] == table)
    assert one["difference"].split()[-1] == "D15" and document["unexplained"] == 0
    assert len(one["stock"].encode()) == size < len(one["mum"].encode())
