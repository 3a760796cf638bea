# SPDX-License-Identifier: MIT
"""mumctl compare: on the databases of the conformance test each difference that it
prints has a number of doc/differences.md, and one that the model there agrees with."""

import contextlib
import os
import re
import shutil
import unicodedata

import pytest

from conformance.data import MAX_BCRYPT_COST, Generator
from conformance.database import Database
from conformance.entries import entries
from conformance.judge import ALL_RULES, LISTS, Judge
from conformance.keys import MAPS, Keys
from conformance.logins import LOGIN_RULES, Logins
from conformance.model import NAMES, STOCK, TEMP, Model
from conformance.names import fold_domain, fold_local
from conformance.passwords import PASSWORD_RULES, Passwords
from conformance.stock import StockPostfix
from lab import MariaDB, Mumctl, Mumd, free_port
from lab.mariadb import POSTFIX_PASSWORD
from lab.dovecot_language import Dovecot23
from lab.mum_dovecot import MumDovecot, write_compared
from lab.mumd import mariadb_settings

SEEDS = (1, 2)


class Compared:
    """One MariaDB for all seeds, MUM's stock files for it, and mumctl."""

    def __init__(self, lab):
        self.lab = lab
        self.server = MariaDB(lab, name="compare-db").start().load_mum("")
        self.database = Database(self.server, lab.path / "compare.sqlite")
        self.files = StockPostfix(lab, self.server).directory
        database = mariadb_settings(self.server, POSTFIX_PASSWORD)
        stock = MumDovecot(lab, database, name="compare-stock", driver="sql")
        # the file of MUM's manual, which is for 2.3, whichever is installed
        self.dovecot = stock.directory / "dovecot-sql.conf"
        write_compared(self.dovecot, database, Dovecot23("2.3"))
        # and what the installed one reads
        self.dovecot_here = stock.directory / "dovecot-here.conf"
        write_compared(self.dovecot_here, database)
        self.config = Mumd(lab, {"database": database, "dovecot": {
            "user": "mum_dovecot", "password_file": stock.directory / "dovecot.password",
            "max_bcrypt_cost": MAX_BCRYPT_COST}}, name="compare").config
        self.ctl = Mumctl(self.config)
        self.environment = {"MAIL_CONFIG": str(self.files)}
        self._loaded = None

    def run(self, *options):
        return self.ctl.run("--json", "compare", "--postfix", self.files, *options,
                            environment=self.environment)

    def load(self, seed):
        if self._loaded is None or self._loaded[0] != seed:
            rows = self.database.load(Generator(seed).make())
            self._loaded = seed, rows, Model(rows, self.database.collate)
        return self._loaded[1:]


@pytest.fixture(scope="module")
def compared(lab):
    return Compared(lab)


def numbers_of(model, table, key):
    """The entries by which the model explains the difference; None if it cannot."""
    rules = ALL_RULES[table]
    right, plain = model.ask(table, key, rules), model.ask(table, key, STOCK)
    if right == plain:
        return None
    names = Judge(model, {}, {}, "+").reasons(table, key, right, plain)
    return {number for number, rule in entries() if rule in names}


def judge(model, differences):
    """What is wrong with the differences, as texts."""
    wrong = []
    for one in differences:
        said = set(one["difference"].split())
        allowed = allowed_numbers(model, one)
        if not said or not said <= allowed:
            wrong.append(f"{one} {sorted(allowed)}")
    return wrong


def allowed_numbers(model, one):
    known = numbers_of(model, one["map"], one["key"])
    if known is None and one["map"] in LISTS:   # stock does not promise an order
        return {"D5"}
    if model.ask(one["map"], one["key"], NAMES) is None:
        # it is not our name, whatever else the row has for which stock takes it
        return known | {"D1"}
    return known or set()


def names_by_map(rows):
    """{map: {name, ...}}: the names in the database that fit on one line."""
    domains = {row.id: row.domain for row in rows["domains"]}
    addresses = {f"{row.local_part}@{domains[row.domain_id]}"
                 for table in ("mailboxes", "aliases") for row in rows[table]}
    names = {table: addresses for table in MAPS}
    # other mail servers write A-labels
    names["domains"] = set(domains.values()) | {
        fold_domain(name) for name in domains.values() if fold_domain(name) != fold_local(name)}
    names["tls-policies"] = {row.domain for row in rows["tls_policies"]}
    return {table: {name for name in some if not any(unicodedata.category(char) == "Cc"
                                                     for char in name)}
            for table, some in names.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_name_of_the_database_is_compared(compared, seed):
    rows, model = compared.load(seed)
    result = compared.run()
    document = result.json()
    assert document["different"] == len(document["differences"]) > 10
    assert (result.status, document["unexplained"]) == (0, 0), [
        one for one in document["differences"] if one["difference"] == "?"]
    assert judge(model, document["differences"]) == []
    names = names_by_map(rows)
    assert document["compared"] == sum(map(len, names.values()))
    told = {(one["map"], one["key"]) for one in document["differences"]}
    assert len({table for table, _ in told}) >= 4   # in two maps no stored name differs
    missing = [(table, key) for table in MAPS for key in names[table]
               if (numbers_of(model, table, key) or set()) - {"D5"}     # stock: any order
               and (table, key) not in told]
    assert missing == []


def has_mail(answer):
    """The userdb's answer without the name, which changes nothing by D22."""
    return answer if answer in (None, TEMP) else answer[1:]


@pytest.mark.parametrize("seed", SEEDS)
def test_each_login_that_changes_for_dovecot_is_named(compared, seed):
    rows, model = compared.load(seed)
    logins = Logins(model)
    passwords = Passwords(logins)
    domains = {row.id: row.domain for row in rows["domains"]}
    expected = set()
    for row in rows["mailboxes"]:
        user = f"{row.local_part}@{domains[row.domain_id]}"
        key = f"secret > {user}"
        login = [passwords.ask("login smtp", key, rules) is not None
                 for rules in (STOCK, PASSWORD_RULES["login smtp"])]
        mail = [has_mail(logins.userdb(user, rules))
                for rules in (STOCK, LOGIN_RULES["userdb"])]
        if user.isprintable() and (login[0] != login[1] or mail[0] != mail[1]):
            expected.add(user)
    result = compared.run("--dovecot", compared.dovecot)
    document = result.json()["dovecot"]
    assert (result.status, document["unexplained"]) == (0, 0), document["differences"]
    assert {one["name"] for one in document["changed"]} == expected
    assert len(expected) > 1
    assert document["listed_mum"] == len(logins.listed(LOGIN_RULES["iteration"]))
    # With 2.4 some logins fail that others refuse.
    here = compared.run("--dovecot", compared.dovecot_here).json()["dovecot"]
    assert here["unexplained"] == 0, here["differences"]
    assert {one["name"] for one in here["changed"]} >= expected
    assert here["not_compared"] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_names_that_come_near_have_a_number_too(compared, seed):
    rows, model = compared.load(seed)
    keys = Keys(seed, rows, density=2).by_map
    for table in MAPS:
        path = compared.lab.path / "keys"
        asked = [key for key in keys[table] if key.isprintable() and key.strip() and "\t" not in key]
        path.write_text("".join(f"{key}\n" for key in asked))
        compared.database.learn({text for key in asked for text in (
            key.casefold(), key.rpartition("@")[0].casefold(), key.rpartition("@")[2].casefold())})
        document = compared.run("--keys", path).json()
        told = [one for one in document["differences"] if one["map"] == table]
        assert document["compared"] == 6 * len(asked)
        assert judge(model, told) == []


def test_a_line_says_number_map_key_and_both_answers(compared):
    compared.load(1)
    result = compared.ctl.run("compare", "--postfix", compared.files, "--all",
                              environment=compared.environment)
    lines = result.stdout.splitlines()
    document = compared.run().json()
    for one in document["differences"]:
        stock, mum = (f'"{one[side]}"' if side in one else "-" for side in ("stock", "mum"))
        line = f"  {one['difference']} {one['map']} <{one['key']}>: stock {stock}, mumd {mum}"
        assert line in lines or not line.isprintable()
    assert "0 answers differ for no known reason." in lines
    assert lines[0] == (f"{document['names_changed']} of {document['names']} addresses and domains "
                        "change for mail:")
    assert POSTFIX_PASSWORD not in result.seen and "stock-secret" not in result.seen


@pytest.fixture
def copy(compared, tmp_path):
    """copy(name, ...): a directory with only these files of the admin."""
    def make(*names):
        for name in names:
            shutil.copy(compared.files / f"{name}.cf", tmp_path)
        return tmp_path
    return make


QUERIES = [
    ("domains", "SELECT domain FROM", "SELECT 'other' FROM"),
    ("domains", "AND active = 1", ""),
    ("mailboxes", "AND mailboxes.active = 1", ""),
    ("mailboxes", "AND mailboxes.active = 1", "AND mailboxes.send_only = 0"),
    ("aliases", "AND aliases.active = 1", "AND alias_recipients.mailbox_id IS NULL"),
    ("aliases", "DISTINCT", "'x',"),
    ("recipient-access", "AND mailboxes.active = 1", ""),
    ("tls-policies", "policy, params", "policy"),
    ("tls-policies", "policy, params", "'may', params"),
]


@pytest.mark.parametrize("table, old, new", QUERIES)
def test_another_query_of_the_admin_is_no_known_difference(compared, copy, table, old, new):
    compared.load(1)
    path = copy(table) / f"{table}.cf"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    result = compared.ctl.run("--json", "compare", "--postfix", path.parent,
                              environment=compared.environment)
    assert result.status == 1 and result.json()["unexplained"] > 0
    assert {one["map"] for one in result.json()["differences"] if one["difference"] == "?"} == {
        table}


# These queries give more rows, whatever the question.
UNIONS = {
    "domains": "UNION SELECT 'gross.test'",
    "mailboxes": "UNION SELECT 1",
    "aliases": "UNION SELECT 'all@catch.test'",
    "recipient-access": "UNION SELECT 'DUNNO'",
    "sender-login-maps": "UNION SELECT 'boss@example.test'",
    "tls-policies": "UNION SELECT 'encrypt', ''",
}


@pytest.mark.parametrize("table", UNIONS)
def test_what_the_database_has_under_no_name_is_no_known_difference(compared, copy, table):
    """D1 is the reason only if the database takes a name for the key."""
    rows, _ = compared.load(1)
    path = copy(table) / f"{table}.cf"
    query = path.read_text().replace(";", "").replace("LIMIT 1", "").rstrip("\n ")
    path.write_text(f"{query} {UNIONS[table]}\n")
    keys = path.parent / "keys"
    names = ["no-such.test", "nö-such.test", "n" * 200 + ".test"]
    if table not in ("domains", "tls-policies"):
        names = [f"{local}@{row.domain}" for row in rows["domains"] if row.domain.isprintable()
                 for local in ("no-such", "nö-such", "n" * 200)]
    keys.write_text("".join(f"{name}\n" for name in names))
    result = compared.ctl.run("--json", "compare", "--postfix", path.parent, "--keys", keys,
                              environment=compared.environment)
    document = result.json()
    assert {one["difference"] for one in document["differences"]} == {"?"}, document
    assert result.status == 1 and document["unexplained"] == len(names)


def test_no_row_answers_for_another_key(compared, copy):
    """postmap prints values as they are, with their line ends."""
    names = [f"{name}@forged.test" for name in ("first", "forger", "last")]
    sql = ["USE mum; INSERT INTO domains (id, domain, homedir) VALUES (9000, 'forged.test', '/f')"]
    for number, name in enumerate(names, 9000):
        value = "friend@external.test"
        if number == 9001:
            value += "".join(f"\\n{key}\\tforged@external.test" for key in names if key != name)
        local = name.partition("@")[0]
        sql += [f"INSERT INTO aliases (id, local_part, domain_id) VALUES ({number}, '{local}', 9000)",
                "INSERT INTO alias_recipients (alias_id, recipient_address) "
                f"VALUES ({number}, '{value}')"]
    compared.server.sql(";\n".join(sql))
    path = copy("aliases")
    (path / "keys").write_text("".join(f"{name}\n" for name in names))
    result = compared.ctl.run("--json", "compare", "--postfix", path, "--keys", path / "keys",
                              environment=compared.environment)
    compared.server.sql("DELETE FROM mum.domains WHERE id = 9000")
    assert {(one["key"], one["difference"]) for one in result.json()["differences"]} == {
        ("forger@forged.test", "D15")}


def test_a_file_that_is_not_there_is_named_and_left_out(compared, copy):
    compared.load(1)
    there = copy("aliases", "tls-policies")
    result = compared.ctl.run("--json", "compare", "--postfix", there,
                              environment=compared.environment)
    assert result.status == 0 and f"{there}/domains.cf: No such file" in result.stderr
    assert {one["map"] for one in result.json()["differences"]} == {"aliases", "tls-policies"}


@pytest.mark.parametrize("change", [("password = ", "password = wrong-"),
                                    ("FROM", "FROM nowhere,")])
def test_a_file_that_cannot_be_asked_is_75_and_no_difference(compared, copy, change):
    """It must not count as "not found": postmap ends with the same status for both."""
    compared.load(1)
    path = copy("mailboxes") / "mailboxes.cf"
    path.write_text(path.read_text().replace(*change))
    result = compared.ctl.run("compare", "--postfix", path.parent,
                              environment=compared.environment)
    assert result.status == 75 and f"{path}: postmap could not ask" in result.stderr
    assert "mailboxes <" not in result.stdout
    assert result.stdout.endswith("This is not all: an answer was missing.\n")


# The maps with files, the table that nobody can read (None: no server), a key, and how
# many maps are compared before; stock is not asked about a locked table.
SILENCES = {
    "all maps": (["domains"], None, "secure.test", 0),
    "the second map": (["domains", "mailboxes"], "mailboxes", "x@secure.test", 1),
    "what an explanation asks": (["tls-policies"], "domains", "secure.test", 0),
}


@pytest.mark.parametrize("silence", SILENCES)
def test_a_database_that_gives_us_no_answer_is_75_and_no_difference(compared, copy, silence):
    """compare says so once, and no further name waits for its deadline."""
    maps, locked, key, answered = SILENCES[silence]
    compared.load(1)
    there = copy(*maps)
    (there / "keys").write_text(f"{key}\n" * 20)
    settings = mariadb_settings(compared.server, POSTFIX_PASSWORD, deadline="500ms")
    if locked is None:
        settings["hosts"] = [f"127.0.0.1:{free_port()}"]
    elif locked in maps:
        path = there / f"{locked}.cf"
        path.write_text(re.sub("query = .*", "query = SELECT '%s'", path.read_text()))
    ctl = Mumctl(Mumd(compared.lab, {"database": settings}, name=f"silent-{locked}").config)
    with compared.server.locked(f"mum.{locked}") if locked else contextlib.nullcontext():
        result = ctl.run("--json", "compare", "--postfix", there, "--keys", there / "keys",
                         environment=compared.environment)
    document = result.json()
    assert (result.status, document["complete"]) == (75, False)
    assert [document[name] for name in ("compared", "different", "unexplained", "changed")] == [
        answered, 0, 0, []], result.seen
    said = [line for line in result.stderr.splitlines()
            if line.startswith((f"mumctl: {key}: ", "mumctl: database: "))]
    assert len(said) == 1, result.stderr


def test_a_file_that_is_there_and_cannot_be_read_is_75(compared, copy):
    compared.load(1)
    path = copy("mailboxes") / "domains.cf"
    path.symlink_to(path)
    result = compared.ctl.run("compare", "--postfix", path.parent,
                              environment=compared.environment)
    assert result.status == 75 and f"{path}: Too many levels of symbolic" in result.stderr


def test_to_have_compared_nothing_is_no_success(compared, tmp_path):
    for path in (tmp_path, tmp_path / "typo"):
        result = compared.ctl.run("compare", "--postfix", path, environment=compared.environment)
        assert result.status == 66 and f"{path}: nothing was compared" in result.stderr
    empty = tmp_path / "keys"
    empty.write_text("")
    assert compared.run("--keys", empty).status == 66


@pytest.mark.parametrize("kind, why", [("nothing", "No such file"), ("pipe", "not a regular file"),
                                       ("folder", "not a regular file")])
def test_a_file_of_keys_that_cannot_be_read_twice_is_named(compared, tmp_path, kind, why):
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    result = compared.run("--keys", path)
    assert result.status == 66 and f"{path}: {why}" in result.stderr


def test_without_a_descriptor_to_spare_it_complains_and_leaves_nothing(compared, copy):
    """Wherever a descriptor is needed: 75 with a reason, not a crash."""
    compared.load(1)
    there = copy("domains", "tls-policies")
    keys = there / "keys"
    keys.write_text("example.test\n")
    scratch = there / "tmp"
    scratch.mkdir()
    environment = {**compared.environment, "TMPDIR": str(scratch)}
    seen = set()
    for number in range(7, 16):
        ctl = Mumctl(compared.config, ["prlimit", f"--nofile={number}"])
        for options in ((), ("--keys", keys)):
            result = ctl.run("compare", "--postfix", there, *options, environment=environment)
            assert result.status in (0, 1, 66, 75), (number, result.seen)
            assert (result.status == 75) <= ("mumctl: " in result.stderr), number
            assert list(scratch.iterdir()) == []
            seen |= set(result.stderr.splitlines())
    said = [line.rpartition("/")[2] for line in seen if line.endswith(": Too many open files")]
    assert "mumctl: postmap: Too many open files" in said
    assert any(line.startswith("mumctl-keys-") for line in said)
