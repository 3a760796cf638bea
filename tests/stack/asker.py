# SPDX-License-Identifier: MIT
"""Somebody who asks the same question all along a test."""

import threading
import time

from lab import wait_until


class Asker(threading.Thread):
    """with Asker(ask, right) ...: calls ask() again and again; keeps (time, answer, seconds)."""

    def __init__(self, ask, right, pause=0.005):
        super().__init__(daemon=True)
        self.answers = []
        self._ask, self._right, self._pause = ask, right, pause
        self._stop_it = threading.Event()

    def run(self):
        while not self._stop_it.is_set():
            start = time.monotonic()
            answer = self._ask()
            self.answers.append((time.monotonic(), answer, time.monotonic() - start))
            self._stop_it.wait(self._pause)

    def __enter__(self):
        self.start()
        wait_until(lambda: self.answers, "the first answer")
        return self

    def __exit__(self, *exception):
        self._stop_it.set()
        self.join(20)
        assert not self.is_alive()

    def words(self):
        """The first word of each answer there was."""
        return {answer.split()[0] for _, answer, _ in self.answers}

    def slowest(self):
        return max(seconds for _, _, seconds in self.answers)

    def right_since(self, moment):
        """The time of the first right answer after moment, or None."""
        return next((when for when, answer, _ in self.answers
                     if when >= moment and answer == self._right), None)
