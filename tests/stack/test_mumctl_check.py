# SPDX-License-Identifier: MIT
"""mumctl check: no findings if all is well; and many rows."""

import os

import pytest

from dovecot_stores import STORES
from mumctl_world import World

pytest_plugins = ["check_fixtures"]

# Set for a build with sanitizers, which is slower.
SLOWER = 4 if "ASAN_OPTIONS" in os.environ else 1


def test_nothing_is_found_where_nothing_is_wrong(world):
    result = world.ctl.run("check")
    assert (result.status, result.stdout, result.stderr) == (0, "0 errors, 0 warnings\n", "")
    assert world.ctl.json("check") == {"errors": 0, "warnings": 0, "notes": 0,
                                       "findings": []}


# ---- many rows ----

@pytest.fixture(scope="module", params=list(STORES))
def crowd(request, lab):
    """A world with 100,000 mailboxes and 100,000 aliases."""
    world = World(lab, request.param, "many")
    world.add_many(100000)
    return world


def work():
    """Seconds of processor time of child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


@pytest.mark.many
def test_a_hundred_thousand_of_each_take_less_than_five_seconds(crowd):
    """Of mumctl's own processor time, because elapsed time depends on other load."""
    before = work()
    result = crowd.ctl.run("check")
    seconds = work() - before
    assert (result.status, result.stdout, result.stderr) == (0, "0 errors, 0 warnings\n", "")
    print(f"{crowd.name}: {seconds:.2f} s")
    assert seconds < 5 * SLOWER


@pytest.mark.many
def test_a_terminal_shows_how_far_it_is(crowd):
    shown = crowd.ctl.on_terminal("check", timeout=60).seen
    for table in ("aliases", "mailboxes"):
        assert f"\rmumctl: {table}: 1000" in shown and f"\rmumctl: {table}: 100000" in shown
    assert shown.rpartition("\r" + " " * 60 + "\r")[2] == "0 errors, 0 warnings\r\n"
