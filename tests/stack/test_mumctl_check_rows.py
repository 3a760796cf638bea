# SPDX-License-Identifier: MIT
"""mumctl check finds each bad row, and names its place and its cure."""

import collections
import re

import pytest

from check_findings import pick
from check_rows import BCRYPT, ROWS, alias, mailbox
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD

pytest_plugins = ["check_fixtures"]


def place(table, columns):
    """How the place of a finding about this row begins."""
    return (f"tls_policies.domain=<{columns['domain']}>" if table == "tls_policies" else
            f"{table}.id={columns['id']} ")


@pytest.fixture(scope="module")
def spoilt(world):
    """check's output with all rows above at once: JSON, text, and text with --all."""
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
    assert len(said) == len(wanted), said   # and nothing about good rows


def test_errors_end_with_78_and_are_counted(spoilt):
    document = spoilt["json"].json()
    assert {spoilt[kind].status for kind in spoilt} == {78}
    levels = [one["level"] for one in document["findings"]]
    assert document["errors"] == levels.count("error") > 10
    assert document["warnings"] == levels.count("warning") > 3
    assert spoilt["all"].stdout.splitlines()[-1] == (
        f"{document['errors']} errors, {document['warnings']} warnings, "
        f"{document['notes']} notes")
    assert document["notes"] == levels.count("note") > 2


def test_a_line_is_one_finding_and_no_terminal_obeys_it(spoilt):
    document = spoilt["json"].json()
    lines = spoilt["all"].stdout.splitlines()
    assert len(lines) == len(document["findings"]) + 3    # both kinds, and the count
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
    assert len(everything.stdout.splitlines()) == 25


def test_what_is_new_with_mumd_is_told_from_what_is_as_with_stock(spoilt):
    """Told apart by code; notes are not counted."""
    findings = spoilt["json"].json()["findings"]
    for line, as_with_stock in zip(spoilt["all"].stdout.splitlines()[-3:], (False, True)):
        title, _, codes = line.partition("may wait: " if as_with_stock else "depends on it: ")
        assert title == ("as with MUM's mysql: files, " if as_with_stock else
                         "new with mumd, to be fixed before mail ")
        wanted = collections.Counter(
            one["code"] for one in findings
            if one["level"] != "note" and one["as_with_stock"] == as_with_stock)
        assert codes == ", ".join(f"{code} {count}" for code, count in wanted.items())
    kinds = {one["code"]: one["as_with_stock"] for one in findings}
    assert not kinds["hash-refused"] and kinds["alias-dead"]


def test_no_hash_and_no_password_is_printed(spoilt):
    for result in spoilt.values():
        for secret in ("hash-canary", BCRYPT[7:], POSTFIX_PASSWORD, DOVECOT_PASSWORD):
            assert secret not in result.seen


# ---- notes, and what is said once for all domains ----

def in_domain(number, domain, *local_parts):
    yield ("domains", {"id": number, "domain": domain, "homedir": f"/{number}"})
    for place, local_part in enumerate(local_parts):
        yield mailbox(number * 10 + place, local_part, domain_id=number)


def test_notes_count_and_do_not_matter_for_the_status(world):
    with world.rows([*alias(1700, "over", deactivate_at="2020-01-01 00:00:00")]):
        result = world.ctl.run("check")
    lines = result.stdout.splitlines()
    assert result.status == 0
    assert [line.partition(" aliases.id")[0] for line in lines] == [
        "note: alias-expired:", "0 errors, 0 warnings, 1 notes"]


def test_domains_without_postmaster_and_abuse_are_one_line(world):
    rows = [row for number, names in enumerate([
        ["a"], ["a", "postmaster"], ["a", "abuse"], ["Postmaster", "ABUSE"], []])
        for row in in_domain(1710 + number, f"roles{number}.test", *names)]
    with world.rows(rows):
        found = world.ctl.findings()
    assert [one["code"] for one in found] == ["role-missing"]
    assert found[0]["level"] == "note" and found[0]["where"] == "domains"
    assert found[0]["what"].startswith("3 have no postmaster@ or no abuse@")
    assert set(re.findall(r"roles\d", found[0]["what"])) == {"roles0", "roles1", "roles2"}


def test_of_many_domains_three_are_named(world):
    with world.rows([row for number in range(1800, 2800)
                     for row in in_domain(number, f"many{number}.test", "a")]):
        found = world.ctl.findings()
    assert [one["code"] for one in found] == ["role-missing"]
    assert found[0]["what"].startswith("1000 have no postmaster@")
    assert len(re.findall(r"many\d", found[0]["what"])) == 3


def test_a_role_that_takes_no_mail_is_missing(world):
    with world.rows([*in_domain(1720, "mute.test", "abuse"),
                     mailbox(17209, "postmaster", domain_id=1720, send_only=1)]):
        assert [one["code"] for one in world.ctl.findings()] == ["role-missing"]


# ---- what is printed to cure them does ----

CURED = ["recipients whose mailboxes have another address now", "own addresses that were typed",
         "quotas over what the domain allows", "aliases that do not exist any more"]


def by_statements(findings):
    return [one for one in findings
            if one["mend"].partition(" ")[0] in ("UPDATE", "DELETE", "PRAGMA")]


@pytest.mark.parametrize("case", CURED)
def test_the_statements_cure(world, case):
    with world.rows(ROWS[case][0]):
        found = by_statements(world.ctl.findings())
        assert found
        for one in found:
            for statement in one["mend"].split("; "):
                world.store.run(statement)
        assert by_statements(world.ctl.findings()) == []
