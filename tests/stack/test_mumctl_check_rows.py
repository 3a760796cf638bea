# SPDX-License-Identifier: MIT
"""mumctl check: each row that hurts is found, with what it says of place and cure."""

import re

import pytest

from check_findings import pick
from check_rows import BCRYPT, ROWS, alias
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD

pytest_plugins = ["check_fixtures"]


def place(table, columns):
    """How the place of a finding about this row begins."""
    return (f"tls_policies.domain=<{columns['domain']}>" if table == "tls_policies" else
            f"{table}.id={columns['id']} ")


@pytest.fixture(scope="module")
def spoilt(world):
    """All of the rows above at once: (JSON, text with and without --all)."""
    with world.rows([row for rows, _ in ROWS.values() for row in rows]):
        return {"json": world.ctl.run("--json", "check"), "text": world.ctl.run("check"),
                "all": world.ctl.run("check", "--all")}


@pytest.mark.parametrize("case", ROWS)
def test_a_row_that_hurts_is_found(spoilt, case):
    findings = spoilt["json"].json()["findings"]
    rows, wanted = ROWS[case]
    for want in wanted:
        pick(findings, want)
    places = tuple(place(table, columns) for table, columns in rows)
    said = [one for one in findings if one["where"].startswith(places)]
    assert len(said) == len(wanted), said   # and nothing of the rows that are right


def test_errors_end_with_78_and_are_counted(spoilt):
    document = spoilt["json"].json()
    assert {spoilt[kind].status for kind in spoilt} == {78}
    levels = [one["level"] for one in document["findings"]]
    assert document["errors"] == levels.count("error") > 10
    assert document["warnings"] == levels.count("warning") > 3
    assert spoilt["all"].stdout.splitlines()[-1] == (
        f"{document['errors']} errors, {document['warnings']} warnings")


def test_a_line_is_one_finding_and_no_terminal_obeys_it(spoilt):
    document = spoilt["json"].json()
    lines = spoilt["all"].stdout.splitlines()
    assert len(lines) == len(document["findings"]) + 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", spoilt["all"].stdout)
    assert any(r"esc\x1b[2J@example.test" in line for line in lines)


def test_ten_of_a_kind_are_enough_unless_all_are_wanted(world):
    rows = [row for number in range(1400, 1423) for row in alias(number, f"none{number}")]
    with world.rows(rows):
        result = world.ctl.run("check")
        everything = world.ctl.run("check", "--all")
    lines = result.stdout.splitlines()
    assert result.status == 1
    assert len([line for line in lines if line.startswith("warning: alias-empty: ")]) == 10
    assert "alias-empty: 13 more; --all prints them" in lines
    assert len(everything.stdout.splitlines()) == 24


def test_no_hash_and_no_password_is_printed(spoilt):
    for result in spoilt.values():
        for secret in ("hash-canary", BCRYPT[7:], POSTFIX_PASSWORD, DOVECOT_PASSWORD):
            assert secret not in result.seen
