# SPDX-License-Identifier: MIT
"""The answers are the same whatever the server's default collation was when MUM's database
was made, and whatever collation the tables have.

tests/matrix/run tries other versions of the server, and all combinations.
"""

import pytest

from collations import DEFAULTS, SCHEMAS, Site
from lab import MariaDB
from lab.mariadb import COLLATION

pytestmark = pytest.mark.many


# Collations of tables that do no harm, each with all defaults of the server; the others
# only with the defaults of a new Debian 12 and 13 and of an old server.
USUAL = [COLLATION, "utf8mb4_general_ci", "utf8mb4_unicode_520_ci", "utf8mb4_bin"]
FEW = ["utf8mb4_general_ci", "utf8mb4_uca1400_ai_ci", "latin1_swedish_ci"]


@pytest.fixture(scope="module")
def server(lab):
    return MariaDB(lab, "db-collations").start()


@pytest.fixture(scope="module", ids="-".join, params=[
    (default, schema) for schema in SCHEMAS
    for default in (DEFAULTS if schema in USUAL else FEW)])
def site(request, lab, server):
    with Site(lab, server, *request.param) as site:
        yield site


def test_each_question_is_answered(site):
    assert not site.ask()


def test_questions_that_are_asked_at_once_are_answered(site):
    wrong, statements = site.ask_at_once()
    assert not wrong
    assert 0 < statements < len(site.schema.questions()) / 2


def test_users_are_found_and_their_passwords_are_right(site):
    assert not site.log_in()


@pytest.mark.parametrize("default, own", [("latin1_swedish_ci", "utf8mb4_general_ci"),
                                          ("utf8mb4_general_ci", "latin1_swedish_ci")])
def test_a_database_may_have_another_default_than_its_server(lab, server, default, own):
    with Site(lab, server, default, COLLATION, own) as site:
        assert not site.ask()
        assert not site.ask_at_once()[0]
        assert not site.log_in()


@pytest.mark.parametrize("old, new", [
    (COLLATION, "utf8mb4_bin"), ("utf8mb4_bin", COLLATION), (COLLATION, "utf8mb4_general_ci"),
    (COLLATION, "utf8mb3_unicode_ci"), (COLLATION, "latin1_swedish_ci"),
    ("utf8mb3_unicode_ci", COLLATION), ("latin1_swedish_ci", COLLATION),
    ("mixed collations", "mixed character sets")])
def test_tables_may_be_altered_meanwhile(lab, server, old, new):
    """Nobody tells mumd, and connections stay open: both shapes of their statements notice it."""
    with Site(lab, server, "utf8mb4_general_ci", old) as site:
        assert not site.ask() and not site.ask_at_once()[0]
        site.alter(new)
        assert not site.ask()
        site.alter(old)
        assert not site.ask_at_once()[0]
        assert not site.log_in()
