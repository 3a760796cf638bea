# SPDX-License-Identifier: MIT
"""mumctl compare against the installed Dovecot with stock's queries: the SQL file of 2.3, or
the configuration of 2.4. What it says of stock is what that Dovecot answers.
"""

import pytest

from lab import Mumctl
from lab.dovecot_language import Dovecot23, Dovecot24, dovecot_language
from lab.mariadb import DOVECOT_PASSWORD
from lab.mum_dovecot import verdict, write_compared
from test_mumctl_compare_changes import IN, changes, logins_of

pytest_plugins = ["compare_fixtures"]

UNREADABLE = dovecot_language().unreadable_words
CHANGED = logins_of(dovecot_language())
# with a limit that takes each hash
CHANGED_USUALLY = set(CHANGED) - {"costly@example.test"}


@pytest.fixture(scope="module")
def cheap(stock_world):
    return stock_world.ctl_with("compared-cheap", dovecot={
        **stock_world.settings["dovecot"], "max_bcrypt_cost": 8})


def test_each_login_that_changes_has_its_words(stock_world, cheap):
    result = stock_world.run(ctl=cheap)
    dovecot = result.json()["dovecot"]
    assert result.status == 0 and result.stderr.count("not compared") == 0, result.seen
    assert changes(dovecot) == CHANGED
    assert (dovecot["unexplained"], dovecot["not_compared"]) == (0, [])
    assert DOVECOT_PASSWORD not in result.seen


def stock_words(reply):
    return {"ok": IN, "temp_fail": UNREADABLE}.get(verdict(reply), "refuses every password")


def test_the_words_about_stock_are_what_it_does(stock_world, cheap):
    """Each login that is compared: accepted with the right password or not, with mail or not."""
    told = changes(stock_world.run("--all", ctl=cheap).json()["dovecot"])
    stock_world.stock.add_settings("auth_username_chars =\n")
    with stock_world.stock.start().auth_client() as client:
        replies = client.ask_all([(user, "secret", "smtp") for user in told])
    try:
        for (user, (words, _, _)), reply in zip(told.items(), replies):
            said = next((word for word in (IN, UNREADABLE) if word in words), None)
            if said is not None:
                assert stock_words(reply) == said, user
            if "finds its mail" in words:
                assert isinstance(stock_world.stock.user(user), dict), user
            if "knows no such login" in words:
                assert verdict(reply) == "refused" and stock_world.stock.user(user) is None, user
    finally:
        stock_world.stock.stop()


def test_without_an_option_it_reads_what_the_installed_dovecot_has(stock_world, tmp_path):
    """2.3 has no settings about queries, only the file of MUM's manual."""
    script = tmp_path / "doveconf"
    script.write_text(f'#!/bin/sh\nexec /usr/bin/doveconf -c {stock_world.sql_file} "$@"\n')
    script.chmod(0o755)
    ctl = Mumctl(stock_world.ctl.config, ["env", f"PATH={tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"])
    result = ctl.run("--json", "compare", "--postfix", stock_world.files,
                     environment={"MAIL_CONFIG": str(stock_world.files)})
    if dovecot_language().generation == "2.4":
        assert set(changes(result.json()["dovecot"])) == CHANGED_USUALLY
    else:
        assert "/etc/dovecot/dovecot-sql.conf: No such file" in result.stderr
        assert "dovecot" not in result.json()


def test_the_file_of_2_3_is_compared_with_either(stock_world, cheap, tmp_path):
    path = tmp_path / "dovecot-sql.conf"
    language = Dovecot23("2.3")
    write_compared(path, stock_world.settings["database"], language)
    result = stock_world.run("--dovecot", path, ctl=cheap)
    assert changes(result.json()["dovecot"]) == logins_of(language)


def test_a_configuration_of_2_4_needs_its_doveconf(stock_world, tmp_path):
    path = tmp_path / "dovecot.conf"
    write_compared(path, stock_world.settings["database"], Dovecot24("2.4.1"))
    result = stock_world.run("--dovecot", path)
    if dovecot_language().generation == "2.4":
        assert set(changes(result.json()["dovecot"])) == CHANGED_USUALLY
    else:
        assert result.status == 75 and "dovecot" not in result.json()
        assert f"{path}: doveconf: " in result.stderr
        assert "; Dovecot's answers are not compared\n" in result.stderr


# The end of the query for mail, and the same with a row for anybody behind it.
SECOND_ROW = {
    "2.3": ("AND mailboxes.send_only = 0;", "AND mailboxes.send_only = 0 UNION ALL SELECT '/second', "
            "'maildir:/second', '*:storage=1G';"),
    "2.4": (") AS found", ") AS found UNION ALL SELECT '/second', 'maildir', '.', '1G', "
            "'/second', NULL"),
}


def test_of_several_rows_about_mail_the_first_one_counts(stock_world):
    old, new = SECOND_ROW[dovecot_language().generation]
    stock = stock_world.stock_again("rows")
    path = stock.directory / "dovecot-sql.conf"
    queries, _ = stock.language.iterate_query(path)
    queries.write_text(queries.read_text().replace(old, new, 1))
    try:
        stock.start()
        homes = [stock.user(user)["home"] for user in ("carol@second.test", "nobody@nowhere.test")]
    finally:
        stock.stop()
    assert homes == ["/srv/mail/h3", "/second"]
    compared = path if stock.language.generation == "2.3" else stock.config
    document = stock_world.run("--dovecot", compared).json()["dovecot"]
    assert document["unexplained"] > 0      # whom only the second row knows
    assert "carol@second.test" not in {one["key"] for one in document["differences"]}
