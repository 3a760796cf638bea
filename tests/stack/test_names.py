# SPDX-License-Identifier: MIT
"""Names that fold, split or fit in an unusual way, with both stores."""

import sqlite3

import pytest

from lab import MariaDB, Mumd, sample
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import mariadb_settings, sqlite_settings
from test_maps import NOTFOUND, check

# 62 characters, which fit MUM's columns; as A-labels 231, which do not.
WIDE = ".".join(["äжカ字한ไ"] * 9)
WIDE_A = ".".join(["xn--4ca41ow7lr09auu7b680j"] * 9)
CHEROKEE, CHEROKEE_SMALL, CHEROKEE_A = "ᎠᎡᎢ.test", "ꭰꭱꭲ.test", "xn--58dcd.test"

ROWS = f"""
INSERT INTO domains (id, domain, homedir, active) VALUES
  (90, '{WIDE}', '/srv/90', 1), (91, '{CHEROKEE}', '/srv/91', 1),
  (92, 'istanbul.test', '/srv/92', 1);
INSERT INTO mailboxes (id, local_part, domain_id, password, homedir, maildir) VALUES
  (90, 'uwe', 90, '', '/srv/u', 'maildir:/srv/u'), (91, 'sequoyah', 91, '', '/srv/s', 'maildir:/srv/s'),
  (92, 'max', 92, '', '/srv/m', 'maildir:/srv/m');
INSERT INTO aliases (id, local_part, domain_id) VALUES (90, 'team', 90), (91, 'ist', 1);
INSERT INTO alias_recipients (alias_id, recipient_address, mailbox_id) VALUES
  (90, 'uwe@{WIDE}', 90), (90, 'friend@external.test', NULL), (91, 'max@İstanbul.test', NULL);
INSERT INTO alias_senders (alias_id, mailbox_id) VALUES (90, 90);
INSERT INTO tls_policies (domain, policy, active) VALUES
  ('{WIDE}', 'encrypt', 1), ('[{WIDE}]:25', 'may', 1);
"""

# To MUM's unique index on MariaDB they are the same; SQLite holds both.
FOREIGN = """
INSERT INTO aliases (id, local_part, domain_id) VALUES (95, 'streets', 1);
INSERT INTO alias_recipients (alias_id, recipient_address) VALUES
  (95, 'Strasse@external.test'), (95, 'strasse@external.test'), (95, 'straße@external.test'),
  (95, 'strasse@EXTERNAL.test'), (95, 'x@bücher.example'), (95, 'x@xn--bcher-kva.example');
"""


def _sqlite(lab):
    path = lab.path / "names.sqlite"
    sample.write_sqlite(path)
    with sqlite3.connect(path) as connection:
        connection.executescript(ROWS)
    return sqlite_settings(path)


def _mariadb(lab):
    server = MariaDB(lab, name="names-db").start().load_mum(sample.mariadb_text() + ROWS)
    return mariadb_settings(server, POSTFIX_PASSWORD)


@pytest.fixture(scope="module", params=[_mariadb, _sqlite], ids=["mariadb", "sqlite"])
def mumd(request, lab):
    mumd = Mumd(lab, {"database": request.param(lab), "cache": {"ttl": "1h"},
                      "address": {"recipient_delimiter": "+-="}},
                name=f"names{request.param.__name__}").start()
    yield mumd
    mumd.stop()


@pytest.fixture(scope="module")
def client(mumd):
    with mumd.map_client() as client:
        yield client


@pytest.mark.parametrize("domain", [WIDE, WIDE_A, WIDE.upper(), WIDE_A.upper()],
                         ids=["U", "A", "U-upper", "A-upper"])
@pytest.mark.parametrize("table, key, want", [
    ("domains", "%s", f"OK {WIDE}"),
    ("mailboxes", "uwe@%s", "OK 1"),
    ("mailboxes", "uwe+ext@%s", "OK 1"),
    ("mailboxes", "max@%s", NOTFOUND),
    ("aliases", "team@%s", f"OK uwe@{WIDE_A},friend@external.test"),
    ("sender-login-maps", "team@%s", f"OK uwe@{WIDE}"),
    ("recipient-access", "uwe@%s", "OK DUNNO"),
    ("tls-policies", "%s", "OK encrypt"),
    ("tls-policies", "[%s]:25", "OK may"),
    ("tls-policies", "[%s]:26", NOTFOUND)])
def test_a_domain_too_wide_as_alabels_is_found(client, table, key, want, domain):
    assert len(WIDE) <= 191 < len(WIDE_A)
    check(client, table, key % domain, want)


@pytest.mark.parametrize("domain", [CHEROKEE, CHEROKEE_SMALL, CHEROKEE_A])
def test_letters_whose_capitals_uts46_prefers(client, domain):
    check(client, "domains", domain, f"OK {CHEROKEE}")
    check(client, "mailboxes", f"sequoyah@{domain}", "OK 1")


def test_a_dotted_capital_i_makes_another_domain(client):
    check(client, "mailboxes", "max@istanbul.test", "OK 1")
    check(client, "mailboxes", "max@ISTANBUL.test", "OK 1")
    check(client, "mailboxes", "max@İstanbul.test", NOTFOUND)
    check(client, "domains", "İstanbul.test", NOTFOUND)
    check(client, "aliases", "ist@example.test", "OK max@xn--istanbul-o0e.test")


# The second name is split and the first is not, whichever of them is in the cache.
@pytest.mark.parametrize("whole, split", [
    ("%s-request@example.test", "%s-requests@example.test"),
    ("%s\u2260b@example.test", "%s=\u0338b@example.test")])
@pytest.mark.parametrize("first", ["whole", "split"])
def test_no_name_answers_for_another(client, whole, split, first):
    name = {"whole": "alice", "split": "bob"}[first]
    wanted = {whole % name: NOTFOUND, split % name: "OK 1"}
    keys = sorted(wanted, reverse=(first == "split") != (whole % name < split % name))
    for key in [*keys, *keys]:
        check(client, "mailboxes", key, wanted[key])


@pytest.mark.parametrize("first", ["smtpd", "cleanup"])
def test_smtpd_and_cleanup_get_one_answer(client, first):
    """smtpd folds the address, cleanup sends it as it came in."""
    keys = [f"alice-{first}-request@example.test", f"alice-{first}-reque\u017ft@example.test"]
    for key in keys if first == "smtpd" else keys[::-1]:
        check(client, "mailboxes", key, NOTFOUND)


def test_foreign_local_parts_differ_by_their_bytes(lab, make_mumd):
    path = lab.path / "foreign.sqlite"
    sample.write_sqlite(path)
    with sqlite3.connect(path) as connection:
        connection.executescript(FOREIGN)
    with make_mumd({"database": sqlite_settings(path)}).map_client() as client:
        check(client, "aliases", "streets@example.test",
              "OK Strasse@external.test,strasse@external.test,straße@external.test,"
              "x@xn--bcher-kva.example")
