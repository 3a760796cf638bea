# SPDX-License-Identifier: MIT
"""mumctl compare where an admin has changed stock's queries of Dovecot 2.4, and settings
around them. conftest.py leaves out these tests if 2.3 is installed.
"""

import re

import pytest

from lab.dovecot_language import dovecot_language
from lab.lab import run
from lab.mariadb import DOVECOT_PASSWORD
from test_mumctl_compare_changes import FAILS, changes, logins_of

pytest_plugins = ["compare_fixtures"]

# mum.conf takes each hash here
CHANGED = set(logins_of(dovecot_language())) - {"costly@example.test"}

# Words of the file and others, the status, and what is said. Where answers are not compared,
# the rest is.
NO_PASSDB = "it has no passdb of the sql driver; Dovecot's answers are not compared"
CASES = {
    "other spaces": ([("%{user | domain}", "%{ user|domain }")], 0, ""),
    "another name": ([("passdb sql {", "passdb mine {\n  driver = sql\n"),
                      ("userdb sql {", "userdb mine {\n  driver = sql\n")], 0, ""),
    "a passdb of others": ([("passdb sql {", "passdb static {\n  password = x\n}\npassdb sql {")],
                           0, ""),
    "as it is typed": ([("mail_driver = mbox\n", "auth_username_format = %{user | lower}\n")], 0, ""),
    "home from fields": ([("userdb sql {",
                           "userdb sql {\n  fields {\n    home = %{sql:home}\n  }\n")], 0, ""),
    "another home": ([("mailboxes.homedir AS home", "'/elsewhere' AS home")], 1, ""),
    "another home from fields": ([("userdb sql {", "userdb sql {\n  fields {\n"
                                   "    home = /elsewhere/%{sql:home}\n  }\n")], 1, ""),
    "no active mailboxes": ([("AND mailboxes.active = 1\n", "\n")], 1, ""),
    "another format": ([("mail_driver = mbox\n",
                         "auth_username_format = x%{user | lower}\n")], 1, ""),
    "nothing imported": ([("passdb sql {", "passdb sql {\n  fields_import_all = no\n")], 1, ""),
    "another database": ([("dbname = mum\n", "dbname = other\n")], 0, "asks another database"),
    "plain passwords": ([("= BLF-CRYPT", "= PLAIN")], 0, "no hash in MUM has its default_password_scheme"),
    "an unknown filter": ([("%{user | domain}", "%{user | domain | sha256}")], 0,
                          "the query of its passdb has a variable or a filter that mumctl does "
                          "not know"),
    "a filter with arguments": ([("%{user | domain}", "%{user | default('x') | domain}")], 0,
                                "the query of its passdb has a variable or a filter"),
    "an unknown variable": ([("mail_driver = mbox\n", "auth_username_format = %{session}\n")], 0,
                            "its auth_username_format has a variable or a filter"),
    "an unknown variable in fields": ([("userdb sql {", "userdb sql {\n  fields {\n"
                                        "    home = /h/%{session}\n  }\n")], 0,
                                      "a field in fields { } has a variable or a filter"),
    "outside of quotes": ([("'%{user | username}'", "%{user | username}")], 0,
                          "or one outside of quotes"),
    "our own": ([("passdb sql {", "passdb other {\n  driver = static\n")], 0, NO_PASSDB),
    "two passdbs": ([("userdb sql {", "passdb more {\n  driver = sql\n}\nuserdb sql {")], 0,
                    "it has several passdbs of the sql driver; Dovecot's answers are not"),
    "a broken file": ([("userdb sql {", "userdb sql {\n  nosuch = x\n")], 75,
                      "nosuch: Unknown setting: nosuch"),
    # denied or unknown, depending on the server's version
    "a column": ([("mailboxes.password", "mailboxes.nosuch AS password")], 75, "nosuch'"),
}


@pytest.mark.parametrize("name", CASES)
def test_settings_of_the_admins_own(stock_world, changed_file, name):
    pairs, status, said = CASES[name]
    result = stock_world.run("--dovecot", changed_file(*pairs))
    assert result.status == status and said in result.stderr, result.seen
    dovecot = result.json().get("dovecot", {})
    assert (dovecot.get("unexplained", 0) > 0) == (status == 1)
    assert ("names" in dovecot) == (said == "" or name == "a column")
    assert DOVECOT_PASSWORD not in result.seen


# Settings of stock's own blocks.
FIELDS = {
    "of the row": ("userdb", "fields {\n  home = /elsewhere/%{sql:home}\n}"),
    "of the user": ("userdb", "fields {\n  home = /h/%{user | domain}/%{user | username | upper}\n"
                    "  mail_path = /m/%{sql:mail_path}\n}"),
    "nothing else": ("userdb", "fields_import_all = no\nfields {\n  home = /h%{sql:home}\n}"),
    "nothing in the row": ("userdb", "fields {\n  home = /h%{sql:nosuch}\n}"),
    "a password": ("passdb", "fields_import_all = no\n"
                   "fields {\n  password = {BLF-CRYPT}%{sql:password}\n}"),
    "another password": ("passdb", "fields_import_all = no\n"
                         "fields {\n  password = %{sql:password}\n}"),
    "two passwords": ("passdb", "fields {\n  password = {PLAIN}other\n}"),
    "no password": ("passdb", "fields_import_all = no"),
}


@pytest.fixture(params=FIELDS)
def stock_with_fields(stock_world, request):
    """Stock's Dovecot with these settings, and the file that it reads."""
    kind, lines = FIELDS[request.param]
    stock = stock_world.stock_again(f"fields-{list(FIELDS).index(request.param)}")
    stock.add_settings(f"{kind} sql {{\n{lines}\n}}\n")
    stock.start()
    yield stock
    stock.stop()


def test_fields_are_what_dovecot_makes_of_them(stock_world, stock_with_fields):
    user = "carol@second.test"
    dovecot = stock_world.run("--dovecot", stock_with_fields.config).json()["dovecot"]
    words = next((one["stock"] for one in dovecot["differences"] if one["key"] == user), "")
    login = stock_with_fields.login(user, "secret", "smtp")
    assert ("refuses every password" in words) == (login == "refused"), (words, login)
    fields = stock_with_fields.user(user)
    assert ("fails for now" in words) == (fields == "temp_fail"), (words, fields)
    shown = dict(re.findall(r'(\w+) "([^"]*)"', words))
    assert shown.items() <= fields.items() if shown else fields != {}
    assert (words == "") == (login == "ok" and isinstance(fields, dict) and
                             not fields["home"].startswith(("/elsewhere/", "/h/")))


def test_fields_that_only_one_side_has_are_named(stock_world, changed_file):
    path = changed_file(("SELECT home, mail_driver, mail_inbox_path,",
                    "SELECT 'vmail' AS uid, home, mail_driver,"),
                   ("userdb sql {", "userdb sql {\n  fields {\n    gid = %{session}\n  }\n"))
    result = stock_world.run("--dovecot", path)
    assert result.status == 0, result.seen
    assert result.json()["dovecot"]["not_compared"] == ["uid", "gid", "mail_inbox_path"]
    assert ("\nNot compared, since only one side has it: uid, gid, mail_inbox_path.\n"
            in stock_world.run("--dovecot", path, json=False).stdout)


def test_a_location_that_2_4_cannot_express_fails_with_us(stock_world):
    row = "UPDATE mailboxes SET maildir = '{}' WHERE local_part = 'carol'"
    stock_world.server.sql(row.format("maildir:/srv/carol:SHINY"), database="mum")
    try:
        told = changes(stock_world.run().json()["dovecot"])
    finally:
        stock_world.server.sql(row.format("maildir:/srv/carol"), database="mum")
    stock, ours, number = told["carol@second.test"]
    assert (stock, number) == ("finds its mail", "D23")
    assert ours.startswith(FAILS.format("maildir")[:-1]) and "SHINY" in ours


def test_the_fields_that_differ_are_shown(stock_world, changed_file):
    path = changed_file(("SUBSTRING_INDEX(rest, ':', 1) AS mail_path", "'/x' AS mail_path"))
    told = stock_world.run("--dovecot", path, "--all").json()["dovecot"]["differences"]
    one = next(one for one in told if one["key"] == "carol@second.test")
    assert re.fullmatch(r'finds its mail: mail_path "/x"', one["stock"])
    assert re.fullmatch(r'finds its mail: mail_path "/[^"]*"', one["mum"])


def test_what_doveconf_saved_is_read_too(stock_world, tmp_path):
    path = tmp_path / "saved.conf"
    path.write_text(run("doveconf", "-n", "-c", stock_world.sql_file).stdout)
    assert DOVECOT_PASSWORD not in path.read_text()
    assert set(changes(stock_world.run("--dovecot", path).json()["dovecot"])) == CHANGED


def test_a_query_for_lists_by_name_finds_nobody(stock_world, changed_file):
    """As with MUM's own of 2.3: it is asked without a user."""
    path = changed_file(("iterate_query = ", "iterate_query = SELECT 'x' AS username FROM mailboxes "
                    "WHERE local_part = '%{user | username}' AND id = '%{user | domain}' UNION "))
    dovecot = stock_world.run("--dovecot", path).json()["dovecot"]
    assert dovecot["listed_stock"] == 0 < dovecot["listed_mum"]
