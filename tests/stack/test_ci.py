# SPDX-License-Identifier: MIT
""".ci/run adds up ./check --all and the short one of the other Debian; scripts of two lines stand
in their places.
"""

import os
import platform
import shutil
import subprocess

import pytest

from lab.lab import TOP, wait_until

pytestmark = pytest.mark.other_programs

OTHER = {"bookworm": "trixie", "trixie": "bookworm"}
GREEN = "echo '7 passed, 0 failed'"
RED = "echo '5 passed, 2 failed'; exit 1"
# What check-bare says after the last line of what it runs.
BARE = "echo 'MariaDB there: 10 of 11'; echo '---- exit 0 ----'"

# What ./check and check-bare do, the last line, and is all well?
CASES = {
    "both green": (GREEN, f"{GREEN}; {BARE}", "14 passed, 0 failed", True),
    "first red": (RED, GREEN, "12 passed, 2 failed", False),
    "second red": (GREEN, RED, "12 passed, 2 failed", False),
    "both red": (RED, RED, "10 passed, 4 failed", False),
    "first fails without a failed test": (f"{GREEN}; exit 1", GREEN, "14 passed, 1 failed", False),
    "second fails without a failed test": (GREEN, f"{GREEN}; exit 1", "14 passed, 1 failed",
                                           False),
    "first red, and the exit status does not say so": ("echo '5 passed, 2 failed'", GREEN,
                                                       "12 passed, 2 failed", False),
    "first silent": (":", GREEN, "7 passed, 1 failed", False),
    "second silent": (GREEN, ":", "7 passed, 1 failed", False),
    "both silent": (":", ":", "0 passed, 2 failed", False),
    "first killed": ("kill -9 $$", GREEN, "7 passed, 1 failed", False),
    "second killed": (GREEN, "kill -9 $$", "7 passed, 1 failed", False),
    "second killed after its sum": (GREEN, f"{GREEN}; kill -9 $$", "14 passed, 1 failed", False),
    "a sum is a whole line": (GREEN, "echo 'units: 7 passed, 0 failed'", "7 passed, 1 failed",
                              False),
    "the last sum is the one": (f"echo '1 passed, 1 failed'; {GREEN}", GREEN,
                                "14 passed, 0 failed", True),
}


@pytest.fixture
def ci(tmp_path):
    """ci(check, check_bare) is the command line of a .ci/run between such scripts."""
    def make(check, check_bare):
        for name, text in (("check", check), ("tests/debian/check-bare", check_bare)):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
        (tmp_path / ".ci").mkdir()
        return shutil.copy(TOP / ".ci/run", tmp_path / ".ci/run")
    return make


@pytest.fixture(autouse=True)
def no_packages(tmp_path, monkeypatch):
    """Tests install nothing."""
    apt = tmp_path / "bin/apt-get"
    apt.parent.mkdir()
    apt.write_text("#!/bin/sh\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{apt.parent}:{os.environ['PATH']}")


def run(command):
    return subprocess.run([command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=30, check=False)


@pytest.mark.parametrize("name", CASES)
def test_the_last_line_is_the_sum_of_both(ci, name):
    check, check_bare, last, well = CASES[name]
    shown = run(ci(check, check_bare))
    assert shown.stdout.splitlines()[-1] == last
    assert (shown.returncode == 0) == well


def test_alone_it_is_the_check(ci):
    command = ci(f'echo "$*"; {RED}', GREEN)
    shown = subprocess.run([command, "--alone"], capture_output=True, text=True, timeout=30,
                           check=False)
    assert (shown.stdout, shown.returncode) == ("--all\n5 passed, 2 failed\n", 1)


def test_another_option_is_none(ci):
    shown = subprocess.run([ci(GREEN, GREEN), "--both"], capture_output=True, text=True,
                           timeout=30, check=False)
    assert (shown.stdout, shown.returncode) == ("", 64)
    assert shown.stderr.startswith("usage: .ci/run [--alone]\n")


def test_the_second_is_the_short_check_of_the_other_debian(ci, tmp_path):
    seen = tmp_path / "seen"
    script = f'printf "%s, CI=%s|" "$0 $*" "$CI" >>{seen}; {GREEN}'
    assert run(ci(script, script)).returncode == 0
    other = OTHER[platform.freedesktop_os_release()["VERSION_CODENAME"]]
    assert seen.read_text().split("|")[:2] == [
        "./check --all, CI=true",
        f"tests/debian/check-bare --suite {other} --updates with ./check --short, CI=true"]


@pytest.mark.parametrize("minutes, last", [(45, "14 passed, 0 failed"), (46, "7 passed, 0 failed")])
def test_a_slow_machine_leaves_out_the_other_debian(ci, tmp_path, minutes, last):
    clock = tmp_path / "bin/date"
    clock.write_text(f"#!/bin/sh\n[ -e {tmp_path}/later ] && echo {1000 + 60 * minutes} || echo 1000\n")
    clock.chmod(0o755)
    shown = run(ci(f"touch {tmp_path}/later; {GREEN}", GREEN)).stdout.splitlines()
    assert shown[-1] == last
    assert (shown[-2].startswith("left out: Debian ")) == (minutes > 45)


def test_a_debian_that_cannot_be_had_is_left_out(ci):
    shown = run(ci(GREEN, "echo 'no Debian from there'; exit 69"))
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[-2:] == [
        f"left out: Debian {OTHER[platform.freedesktop_os_release()['VERSION_CODENAME']]}, "
        "which could not be had here", "7 passed, 0 failed"]


def test_output_is_seen_as_it_comes(ci, tmp_path):
    go_on = tmp_path / "go on"
    wait = f"until [ -e '{go_on}' ]; do sleep 0.1; done"
    log = tmp_path / "log"
    with log.open("w") as out, subprocess.Popen(
            [ci(f"echo begun; echo an error >&2; {wait}; {GREEN}", GREEN)],
            stdout=out) as running:
        try:
            wait_until(lambda: log.read_text() == "begun\nan error\n", "the first two lines")
        finally:
            go_on.touch()
        assert running.wait(30) == 0
    assert log.read_text().splitlines()[-1] == "14 passed, 0 failed"
