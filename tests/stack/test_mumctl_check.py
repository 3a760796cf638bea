# SPDX-License-Identifier: MIT
"""mumctl check: silence where all is well, each text made by a test, many rows."""

import os
import re
import time

import pytest

from check_rows import ROWS
from check_ways import CASES
from dovecot_stores import STORES
from lab.lab import TOP
from mumctl_world import World

pytest_plugins = ["check_fixtures"]

# A build with sanitizers is told so by these; it takes its time.
SLOWER = 4 if "ASAN_OPTIONS" in os.environ else 1


def test_nothing_is_found_where_nothing_is_wrong(world):
    result = world.ctl.run("check")
    assert (result.status, result.stdout, result.stderr) == (0, "0 errors, 0 warnings\n", "")
    assert world.ctl.json("check") == {"errors": 0, "warnings": 0, "notes": 0,
                                       "findings": []}


# ---- the list itself ----

STRING = r'"(?:[^"\\]|\\.)*"'

# Texts that a call has in a variable, by code: all of this file, or these.
ELSEWHERE = {
    "hash-refused": "common/hash.c", "mailbox-unusable": "common/rules.c",
    "tls-params": "mumctl/tls-policy.c",
    "recipient-unusable": ["a row holds a value that cannot be read"],
}


def arguments(call):
    """Of a call in C."""
    found, depth = [""], 0
    for token in re.findall(rf"{STRING}|.", call, re.DOTALL):
        depth += (token == "(") - (token == ")")
        if token == "," and depth == 0:
            found.append("")
        else:
            found[-1] += token
    return found


def texts(source):
    """Its string literals with words in them, those joined that C joins."""
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    joined = ["".join(one[1:-1] for one in re.findall(STRING, row)).replace('\\"', '"')
              for row in re.findall(rf"(?:{STRING}\s*)+", source)]
    return [text for text in joined if re.search("[a-z]{2}", text)]


def pattern(text):
    """For what it becomes in print."""
    return ".*".join(map(re.escape, re.split(r"%[.*\d]*[a-z]+", text)))


def texts_in_sources():
    """{(code, member of a finding, pattern)}: whatever check can print."""
    source = "\n".join(path.read_text() for path in sorted((TOP / "mumctl").glob("check*.c")))
    said = set()
    for name, call in re.findall(r"\b(report_add|add_finding)\((.*?)\);\n", source, re.DOTALL):
        words = arguments(call)
        if not words[1].strip().startswith("LEVEL_"):
            continue    # these two functions themselves
        where, mend = (words[3], words[4]) if name == "report_add" else ("", words[3])
        what = words[words.index(mend) + 1:]    # a format comes first
        code = texts(words[2])[0]
        said |= {(code, "code", "")} | {
            (code, member, begin + pattern(text)) for member, begin, some in (
                ("where", "^", where), ("mend", "^", mend), ("what", "^", what[0]),
                ("what", "", ",".join(what[1:])))
            for text in texts(some)}
    for code, place in ELSEWHERE.items():
        some = texts((TOP / place).read_text()) if isinstance(place, str) else place
        said |= {(code, "what", pattern(text)) for text in some if " " in text}
    return said


def is_said(findings, code, member, text):
    return any(one["code"] == code and re.search(text, one[member]) for one in findings)


def test_each_text_of_the_sources_is_made_here(worlds):
    """So that a new one has a test."""
    found = []
    for store in STORES:
        with worlds(store).rows([row for rows, _ in ROWS.values() for row in rows]):
            found += worlds(store).ctl.findings()
    for way, store, _ in CASES:
        with way(worlds(store)) as (ctl, _):
            found += ctl.findings()
    said = texts_in_sources()
    assert [one for one in sorted(said) if not is_said(found, *one)] == []
    assert {code for code, _, _ in said} == {one["code"] for one in found}
    assert len(said) > 70


# ---- many rows ----

@pytest.fixture(scope="module", params=list(STORES))
def crowd(request, lab):
    """A MUM of the same make with 100,000 mailboxes and 100,000 aliases."""
    world = World(lab, request.param, "many")
    world.add_many(100000)
    return world


@pytest.mark.many
def test_a_hundred_thousand_of_each_take_less_than_five_seconds(crowd):
    start = time.monotonic()
    result = crowd.ctl.run("check")
    seconds = time.monotonic() - start
    assert (result.status, result.stdout, result.stderr) == (0, "0 errors, 0 warnings\n", "")
    print(f"{crowd.name}: {seconds:.2f} s")
    assert seconds < 5 * SLOWER


@pytest.mark.many
def test_a_terminal_shows_how_far_it_is(crowd):
    shown = crowd.ctl.on_terminal("check", timeout=60).seen
    for table in ("aliases", "mailboxes"):
        assert f"\rmumctl: {table}: 1000" in shown and f"\rmumctl: {table}: 100000" in shown
    assert shown.rpartition("\r" + " " * 60 + "\r")[2] == "0 errors, 0 warnings\r\n"
