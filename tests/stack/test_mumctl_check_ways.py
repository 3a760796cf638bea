# SPDX-License-Identifier: MIT
"""mumctl check finds whatever else is wrong, and what it prints as a cure works."""

import re

import pytest

from check_findings import matches
from check_rows import ROWS
from check_settings import ANOTHER_MAP, with_postfix
from check_ways import (CASES, NATIVE_HASH, all_indexes_missing_in_mariadb,
                        all_indexes_missing_in_sqlite)
from check_texts import is_said, texts_in_sources
from dovecot_stores import STORES
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD

pytest_plugins = ["check_fixtures"]


@pytest.fixture(scope="module")
def find(worlds):
    """find(way, store): what check says when that is wrong, and what it should say; asked once."""
    done = {}

    def find(way, store):
        if (way, store) not in done:
            with way(worlds(store)) as (ctl, wanted):
                done[way, store] = ctl.run("--json", "check"), wanted
        return done[way, store]
    return find


@pytest.mark.parametrize("way, store, status", CASES,
                         ids=[f"{way.__name__}-{store}" for way, store, _ in CASES])
def test_what_is_wrong_is_found(find, way, store, status):
    """check finds this, and nothing else."""
    result, wanted = find(way, store)
    findings = result.json()["findings"]
    for want in wanted:
        assert any(matches(one, want) for one in findings), (want, findings)
    assert [one for one in findings if not any(matches(one, want) for want in wanted)] == []
    assert len(findings) == len(wanted), findings
    assert result.status == status
    for secret in (POSTFIX_PASSWORD, DOVECOT_PASSWORD, NATIVE_HASH[1:]):
        assert secret not in result.seen


def test_each_text_of_the_sources_is_made_here(worlds, find):
    """So that each new text has a test."""
    found = []
    for store in STORES:
        with worlds(store).rows([row for rows, _ in ROWS.values() for row in rows]):
            found += worlds(store).ctl.findings()
    for way, store, _ in CASES:
        found += find(way, store)[0].json()["findings"]
    said = texts_in_sources()
    assert [one for one in sorted(said) if not is_said(found, *one)] == []
    assert {code for code, _ in said} == {one["code"] for one in found}
    assert len(said) > 70


@pytest.mark.parametrize("store, way", [("mariadb", all_indexes_missing_in_mariadb),
                                        ("sqlite", all_indexes_missing_in_sqlite)])
def test_the_cure_for_indexes_cures_them(worlds, store, way):
    """After the printed statements, run as they are, check finds nothing."""
    world = worlds(store)
    with way(world):
        cures = [one["mend"] for one in world.ctl.findings()]
        made = [re.fullmatch(r'CREATE INDEX "?(\w+)"? ON "?(\w+)"? .*', one).groups()
                for one in cures]
        drop = "DROP INDEX {0} ON {1}" if store == "mariadb" else "DROP INDEX {0}"
        with world.changed(*[(cure, f"SET foreign_key_checks = 0; {drop}".format(*names)
                              if store == "mariadb" else drop.format(*names))
                             for cure, names in zip(cures, made)]):
            assert world.ctl.findings() == []


RIGHTS = {
    # {what is wrong: (what caused it, what is found)}
    "a right is missing": (
        "REVOKE SELECT (policy, params) ON mum.tls_policies FROM mum_postfix@localhost",
        {"grant-missing"}),
    "two rights of Dovecot are missing": (
        "REVOKE SELECT (password, quota) ON mum.mailboxes FROM mum_dovecot@localhost",
        {"grant-missing"}),
    "password as a column": (
        "GRANT SELECT (password) ON mum.mailboxes TO mum_postfix@localhost",
        {"grant-password"}),
    "password with its table": (
        "GRANT SELECT ON mum.mailboxes TO mum_postfix@localhost", {"grant-password"}),
    "password with the whole database": (
        "GRANT SELECT ON mum.* TO mum_postfix@localhost", {"grant-password"}),
    "writes to a column": (
        "GRANT UPDATE (active) ON mum.mailboxes TO mum_dovecot@localhost", {"grant-writes"}),
    "writes to a table": (
        "GRANT INSERT, DELETE ON mum.aliases TO mum_postfix@localhost", {"grant-writes"}),
    "everything in the database": (
        "GRANT ALL PRIVILEGES ON mum.* TO mum_postfix@localhost WITH GRANT OPTION",
        {"grant-writes", "grant-password"}),
    "everything": (
        "GRANT ALL PRIVILEGES ON *.* TO mum_postfix@localhost, mum_dovecot@localhost",
        {"grant-writes", "grant-password"}),
}


@pytest.mark.parametrize("wrong", RIGHTS)
def test_the_cure_for_a_right_cures_it(worlds, wrong):
    world = worlds("mariadb")
    statement, codes = RIGHTS[wrong]
    world.store.run(statement)
    found = world.ctl.findings()
    assert {one["code"] for one in found} == codes
    for one in found:
        world.store.run(one["mend"])
    assert world.ctl.findings() == []


def test_setup_says_that_no_other_map_is_asked(worlds):
    """setup prints this option only if main.cf says so; otherwise it stays at its default."""
    world = worlds("sqlite")
    for changes, wanted in (({}, True), (ANOTHER_MAP, False),
                            ({"virtual_mailbox_maps": "hash:/etc/postfix/vmailbox"}, False),
                            ({"virtual_alias_maps": "", "virtual_mailbox_maps": ""}, False)):
        ctl = with_postfix(world, changes)
        said = ctl.json("setup")["mum.conf"]
        assert ("other_maps = false" in said) == wanted, (changes, said)
        assert (said in ctl.run("setup").stdout) and (said == "" or wanted)
