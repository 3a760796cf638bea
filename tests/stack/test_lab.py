# SPDX-License-Identifier: MIT
"""What the lab promises to tests that run beside each other."""

import subprocess
import sys

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
