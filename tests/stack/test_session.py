# SPDX-License-Identifier: MIT
"""The session of a database connection is set, read back and tried; or it is refused, and
the log says why.

conformance/hostile.py tries settings of the server itself; here a proxy before the server
does not let us set anything, or lies.
"""

import contextlib

import pytest

from fakes.lying_proxy import LyingProxy
from fakes.rogue_mariadb import RogueMariaDB
from lab import MariaDB, sample, wait_until
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumctl import Mumctl
from asker import ALICE, NO_CACHE

SET = ("SET ", "ROLLBACK")
CLIENT_LOCAL_FILES = 0x80


@pytest.fixture(scope="module")
def server(lab):
    """A server whose settings tests may change. Each test must restore them."""
    return MariaDB(lab, "db-session").start().load_mum(sample.mariadb_text())


@contextlib.contextmanager
def at_connect(server, statement):
    server.sql(f'SET GLOBAL init_connect = "{statement}"')
    try:
        yield
    finally:
        server.sql("SET GLOBAL init_connect = ''")


def behind(proxy, **more):
    return {"database": {"driver": "mariadb", "hosts": [f"127.0.0.1:{proxy.port}"],
                         "name": "mum", "user": "mum_postfix", "password": POSTFIX_PASSWORD,
                         "deadline": "500ms", **more}, "cache": NO_CACHE}


def refusal(mumd):
    """Checks that mail is deferred; returns the only line that says why."""
    assert mumd.lookup(*ALICE).startswith(b"TEMP ")
    assert mumd.lookup("mailboxes", "nobody@example.test").startswith(b"TEMP ")
    lines = [line for line in mumd.log() if "in the session" in line]
    assert len(lines) == 1, mumd.log()
    return lines[0]


# what is set | the variable that the log names, and its value
WRONG = [
    ("SET autocommit=0", "autocommit", "0"),
    ("SET character_set_client=latin1", "character_set_client", "latin1"),
    ("SET character_set_results=utf8mb3", "character_set_results", "utf8mb3"),
    ("SET character_set_results=NULL", "character_set_results", "NULL"),
    ("SET character_set_connection=latin1", "character_set_connection", "latin1"),
    ("SET collation_connection=utf8mb4_bin", "collation_connection", "utf8mb4_bin"),
    ("SET sql_select_limit=1000", "sql_select_limit", "1000"),
    ("SET tx_isolation='READ-UNCOMMITTED'", "tx_isolation", "READ-UNCOMMITTED"),
]


@pytest.mark.parametrize("statement, name, value", WRONG)
def test_what_cannot_be_set_is_refused_by_its_name(make_mumd, server, statement, name, value):
    good = "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci; "
    with at_connect(server, good + statement), LyingProxy(server.socket, SET) as proxy:
        line = refusal(make_mumd(behind(proxy)))
    assert f"database 127.0.0.1:{proxy.port}: {name} stays {value} in the session" in line
    assert "init_connect" in line and "proxy" in line


# what is set | what the log names
HIDDEN = [
    ("SET autocommit=0", "autocommit"),
    ("START TRANSACTION READ ONLY", "autocommit"),
    ("SET NAMES latin1", "character_set_client"),
    ("SET NAMES utf8mb3", "character_set_client"),
    ("SET NAMES utf8mb4, character_set_results=latin1", "character_set_results"),
    ("SET NAMES utf8mb4, sql_select_limit=1", "sql_select_limit"),
    ("SET NAMES utf8mb4, sql_select_limit=0", "sql_select_limit"),
]


@pytest.mark.parametrize("statement, name", HIDDEN)
def test_what_is_hidden_is_found_by_what_it_does(make_mumd, server, statement, name):
    with at_connect(server, statement), LyingProxy(server.socket, SET, ["@@"]) as proxy:
        line = refusal(make_mumd(behind(proxy)))
    assert f"{name} stays " in line


def test_what_is_right_may_be_hidden(make_mumd, server):
    with at_connect(server, "SET NAMES utf8mb4"), \
            LyingProxy(server.socket, SET, ["@@"]) as proxy:
        assert make_mumd(behind(proxy)).lookup(*ALICE) == b"OK 1"


def test_a_variable_that_is_not_known_is_tried_by_its_other_name(make_mumd, server):
    hidden = ["tx_isolation", "max_statement_time"]
    with at_connect(server, "SET autocommit=0, NAMES latin1"), \
            LyingProxy(server.socket, hide=hidden) as proxy:
        mumd = make_mumd(behind(proxy))
        assert mumd.lookup(*ALICE) == b"OK 1"
        heard = "\n".join(proxy.heard)
    assert "max_execution_time=500" in heard
    assert "SET transaction_isolation=" in heard and "@@session.transaction_iso" in heard


def test_a_server_of_another_name_is_used_with_its_limits(make_mumd, server):
    """Hardened servers and proxies hide the word MariaDB."""
    server.stop()
    server.start(options=["--version=5.7.99-hidden"])
    try:
        with server.general_log() as path:
            mumd = make_mumd(behind(server))
            assert mumd.lookup(*ALICE) == b"OK 1"
            text = path.read_text(errors="replace")
        assert "max_statement_time=0.500" in text
    finally:
        server.stop()
        server.start()


@pytest.mark.parametrize("statement", ["SET autocommit=0", "BEGIN"])
def test_a_connection_that_falls_into_a_transaction_is_made_anew(make_mumd, server, statement):
    new = ("mailboxes", "later@example.test")
    with LyingProxy(server.socket) as proxy:
        mumd = make_mumd(behind(proxy, connections=1))
        assert mumd.lookup(*ALICE) == b"OK 1"
        before = server.connections()
        proxy.before = statement
        assert mumd.lookup(*new) == b"NOTFOUND "
        assert proxy.before is None and server.connections() != before
        server.sql("INSERT INTO mailboxes (local_part, domain_id, password, homedir, maildir) "
                   "SELECT 'later', id, 'x', '/x', 'maildir:/x' FROM domains "
                   "WHERE domain = 'example.test'", database="mum")
        try:
            assert mumd.lookup(*new) == b"OK 1"
        finally:
            server.sql("DELETE FROM mailboxes WHERE local_part = 'later'", database="mum")
        assert server.sql("SELECT COUNT(*) FROM information_schema.innodb_trx") == [["0"]]


def test_replicas_that_only_read_are_used(make_mumd, server):
    with server.variable("read_only", 1), server.variable("tx_read_only", 1):
        server.disconnect("mum_postfix")
        assert make_mumd(behind(server)).lookup(*ALICE) == b"OK 1"


def test_the_tool_says_what_is_wrong_with_the_session(make_mumd, server):
    with at_connect(server, "SET NAMES latin1"), LyingProxy(server.socket, SET) as proxy:
        mumd = make_mumd(behind(proxy))
        result = Mumctl(mumd.config).run("check")
        assert "character_set_client stays latin1 in the session" in result.stdout
        assert result.status == 78
        assert "character_set_client" in refusal(mumd)


@pytest.mark.parametrize(("instead", "why"), [
    ({"SELECT @@session.": "SELECT 1"}, "character_set_client stays 1"),
    ({"SELECT @@session.": "SELEC", "SELECT \'": "SELECT 1 UNION ALL SELECT 2"}, "has other columns"),
    ({"SELECT TABLE_NAME": "SELECT 1"}, "the collation of a column cannot be read"),
])
def test_answers_with_other_columns_than_asked_for(make_mumd, server, instead, why):
    with LyingProxy(server.socket, instead=instead) as proxy:
        mumd = make_mumd(behind(proxy))
        assert mumd.lookup(*ALICE).startswith(b"TEMP ")
        assert len([line for line in mumd.log() if why in line]) == 1, mumd.log()


def test_no_server_may_ask_for_a_file(make_mumd):
    """We do not offer it, so libmariadb refuses, whatever its default."""
    with RogueMariaDB() as rogue:
        mumd = make_mumd(behind(rogue))
        assert mumd.lookup(*ALICE).startswith(b"TEMP ")
        wait_until(lambda: len(rogue.heard) > 4, "a login")
    assert not int.from_bytes(rogue.heard[:4], "little") & CLIENT_LOCAL_FILES
