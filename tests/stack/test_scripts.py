# SPDX-License-Identifier: MIT
"""Scripts that are run by hand say how."""

import subprocess

import pytest

from lab.lab import TOP

pytestmark = pytest.mark.other_programs

SCRIPTS = ("tests/32bit/run", "tests/bench/run", "tests/debian/check-bare", "tests/machine/run",
           "tests/matrix/run", "tests/mysql/run", "tests/stack/conformance/run",
           "tests/stack/soak/run")


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_the_usage_and_nothing_is_done(script, tmp_path):
    shown = subprocess.run([TOP / script, "--help"], cwd=tmp_path, capture_output=True, text=True,
                           timeout=10, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("usage: ")
    assert not list(tmp_path.iterdir())
