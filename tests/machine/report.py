# SPDX-License-Identifier: MIT
"""What is printed, and which checks failed."""

import time

from lab import LabError

_began = time.monotonic()


def say(text):
    print(f"{time.monotonic() - _began:5.0f} s  {text}", flush=True)


def show(text):
    print("\n".join("         " + line for line in text.splitlines()), flush=True)


def expect(what, good, seen=""):
    if not good:
        raise LabError(f"NOT: {what}\n{seen}")
    say(f"{what}: {seen.splitlines()[-1] if seen else 'ok'}")
