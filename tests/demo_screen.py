# SPDX-License-Identifier: MIT
"""What ./demo prints, and its score."""

import os
import re
import sys


class Screen:
    """Lines of what was asked, what MUM has and what came back; and the score."""

    def __init__(self):
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.good = self.bad = 0

    def _paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self._colour else text

    @staticmethod
    def line(text=""):
        print(text, flush=True)

    def title(self, text, how=""):
        self.line("\n" + self._paint("1", text) + (f"  {how}" if how else ""))

    def compare(self, asked, has, got, want):
        if got == want:
            self.good += 1
            mark = self._paint("32", "ok")
        else:
            self.bad += 1
            mark = self._paint("31", "NO")
        self.line(f"  {mark} {asked:<18}  {has:<24}  {got}")
        if got != want:
            self.line(f"     {'':<18}  {'':<24}  wanted: {want}")


def short(reply):
    """Without Postfix's "<address>: Recipient address rejected: "."""
    return re.sub(r"^(\d+ \S+) <[^>]*>: (?:\w+ address rejected: )?", r"\1 ", reply)
