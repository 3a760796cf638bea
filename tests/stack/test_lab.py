# SPDX-License-Identifier: MIT
"""What the lab promises to its tests."""

import subprocess
import sys

import pytest

from lab import LabError, Postfix, free_port
from lab.lab import TOP

PORTS = "from lab import free_port; print(*(free_port() for _ in range(150)))"


def test_no_port_is_given_to_two_labs():
    # Their output ends with them: until then each of them keeps its ports.
    labs = [subprocess.Popen([sys.executable, "-c", PORTS + "; input()"], cwd=TOP / "tests",
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(5)]
    given = [port for lab in labs for port in lab.stdout.readline().split()]
    for lab in labs:
        lab.communicate("\n")
    assert len(given) == 750 == len(set(given))


LEFT_OUT = """
import lab.mumd, pytest
lab.mumd.has_landlock = lambda: False
pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "stack/test_sandbox.py", "stack/test_lab.py"])
"""


def test_it_is_said_which_tests_are_left_out():
    said = subprocess.run([sys.executable, "-B", "-c", LEFT_OUT], cwd=TOP / "tests", check=False,
                          stdout=subprocess.PIPE, text=True).stdout
    lines = [line for line in said.splitlines() if line.startswith("left out: ")]
    assert lines == ["left out: test_sandbox.py: this kernel has no landlock, or a filter forbids it"]
    assert "test_sandbox.py::" not in said


def test_a_setting_that_main_cf_has_twice_is_refused(lab):
    """It made Postfix wait for ever, now and then."""
    postfix = Postfix(lab, ("127.0.0.1", free_port()), name="twice")
    postfix.set("smtputf8_enable = no")
    postfix.command("check")
    with (postfix.config / "main.cf").open("a") as main_cf:
        main_cf.write("smtputf8_enable = yes\n")
    with pytest.raises(LabError, match="give each setting once"):
        postfix.command("check")
