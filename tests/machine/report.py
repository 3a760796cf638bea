# SPDX-License-Identifier: MIT
"""What is printed: each check as it comes, and the figures at the end."""

import collections
import time

from lab import LabError

_began = time.monotonic()
_figures = collections.Counter()


def seconds():
    return time.monotonic() - _began


def say(text):
    print(f"{seconds():5.0f} s  {text}", flush=True)


def show(text):
    print("\n".join("         " + line for line in text.splitlines()), flush=True)


def expect(what, good, seen=""):
    if not good:
        raise LabError(f"NOT: {what}\n{seen}")
    say(f"{what}: {seen.splitlines()[-1] if seen else 'ok'}")


def count(**figures):
    """Adds to the figures."""
    _figures.update(figures)


def figures():
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in _figures.items())
