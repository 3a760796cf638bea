# SPDX-License-Identifier: MIT
""".ci/nightly runs each command of its list within its bound; a timeout(1) that writes down what
it is asked stands in the place of the real one.
"""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from lab.lab import TOP

pytestmark = pytest.mark.other_programs

LIST = re.findall(r"^(\S+) (\d+) (.*)$",
                  (TOP / ".ci/nightly").read_text().partition("<<'END'\n")[2].partition("END\n")[0],
                  re.M)
NAMES = [name for name, _, _ in LIST]

TIMEOUT = """#!/bin/sh
# timeout --kill-after=5m BOUND sh -c COMMAND
printf '%s|%s\\n' "$2" "$5" >>"$calls"
echo "last line of $2"
case "$5" in *"$broken"*) exit 124 ;; esac
"""


@pytest.fixture
def nightly(tmp_path):
    """nightly(*names, broken="", timeout=True) runs it: its CompletedProcess, and "BOUND|COMMAND"
    of each call of timeout."""
    (tmp_path / "checkout/.ci").mkdir(parents=True)
    script = shutil.copy(TOP / ".ci/nightly", tmp_path / "checkout/.ci")
    fake = tmp_path / "bin/timeout"
    fake.parent.mkdir()
    fake.write_text(TIMEOUT)
    fake.chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()

    def run(*names, broken="no such command"):
        shown = subprocess.run(
            [script, *names], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
            env={**os.environ, "PATH": f"{fake.parent}:{os.environ['PATH']}",
                 "calls": str(calls), "broken": broken})
        return shown, calls.read_text().splitlines()
    return run


def test_all_of_the_list_runs_each_within_its_bound(nightly):
    shown, calls = nightly()
    assert calls == [f"{minutes}m|{command}" for _, minutes, command in LIST]
    assert shown.returncode == 0
    *lines, last = shown.stdout.splitlines()
    assert last == f"{len(LIST)} passed, 0 failed"
    for line, (name, minutes, _) in zip(lines, LIST, strict=True):
        assert line == f"ok      {name}, 0 of {minutes} minutes: last line of {minutes}m"


def test_the_others_run_when_one_fails(nightly, tmp_path):
    shown, calls = nightly(broken="dist-upgrade")
    assert len(calls) == len(LIST)
    assert shown.returncode == 1
    assert (f"FAILED  dist-upgrade, 0 of 60 minutes, exit 124: "
            f"{tmp_path}/checkout/build-nightly/dist-upgrade.log\n") in shown.stdout
    assert shown.stdout.endswith(f"{len(LIST) - 1} passed, 1 failed\n")


def test_only_what_is_named_runs(nightly):
    shown, calls = nightly("mysql", "soak")
    assert [call.partition("|")[2] for call in calls] == [
        "tests/mysql/run", "tests/stack/soak/run --minutes 40"]
    assert shown.stdout.endswith("2 passed, 0 failed\n")


@pytest.mark.parametrize("name", ["--help", "machine", "soak mysql", "."])
def test_another_name_is_none(nightly, name):
    shown, calls = nightly("soak", name)
    assert (shown.returncode, calls) == (64, [])
    assert shown.stdout.startswith("usage: .ci/nightly [NAME...]\n")
    assert shown.stdout.endswith("\n".join(["The list:", *NAMES, ""]))


def test_each_command_is_one_of_this_tree():
    named = re.findall(r"(?:\.\./source/)?(tests/\S+)", " ".join(command for _, _, command in LIST))
    assert len(named) >= len(LIST)
    for path in named:
        assert os.access(pathlib.Path(TOP, path), os.R_OK), path
