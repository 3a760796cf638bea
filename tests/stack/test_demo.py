# SPDX-License-Identifier: MIT
"""./demo --keep: what it says is true while it runs, and it ends without leaving a trace.

./check runs ./demo itself, which builds before it starts tests/demo.py.
"""

import pathlib
import re
import subprocess
import sys

import pytest

from lab import mumctl
from lab.lab import ENVIRONMENT, TOP, accepts, run
from lab.mum_dovecot import module_path
from lab.mumd import binary

pytestmark = pytest.mark.other_programs

# Each thing that can be asked, and a part of the answer.
ASKED = {"ask a map": "@", "a password": "auth succeeded", "a user": "quota_",
         "all users": "@mum.test"}


@pytest.fixture
def kept():
    """{what: how}, as it is printed at the end."""
    environment = {**ENVIRONMENT, "MUMD": str(binary()), "MUMCTL": str(mumctl.binary()),
                   "MUM_AUTH_MODULE": str(module_path())}
    shown = subprocess.run([sys.executable, TOP / "tests/demo.py", "--keep"], check=False,
                           env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=120)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    _, _, told = shown.stdout.partition("It goes on running.")
    lines = {line[2:13].strip(): line[14:] for line in told.splitlines() if line.strip()}
    yield lines
    if pathlib.Path(lines["stop it"]).exists():
        run(lines["stop it"])


def test_what_is_kept_can_be_asked_and_stopped(kept):
    for what, part in ASKED.items():
        asked = subprocess.run(["sh", "-c", kept[what]], check=False, env=ENVIRONMENT,
                               capture_output=True, text=True, timeout=30)
        assert asked.returncode == 0 and part in asked.stdout, (what, kept[what], asked)
    ports = [int(re.match(r"127\.0\.0\.1:(\d+)", kept[what]).group(1))
             for what in ("port 25", "submission", "IMAP")]
    assert all(accepts(("127.0.0.1", port)) for port in ports)
    stop = pathlib.Path(kept["stop it"])
    assert run(stop).stdout == "All stopped.\n"
    assert not stop.parent.exists()
    assert not any(accepts(("127.0.0.1", port)) for port in ports)
    environs = [entry / "environ" for entry in pathlib.Path("/proc").iterdir()
                if entry.name.isdigit()]
    for environ in environs:
        try:
            assert str(stop.parent).encode() not in environ.read_bytes()
        except OSError:     # it has ended
            pass
