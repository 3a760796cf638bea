# SPDX-License-Identifier: MIT
"""A client that asks during a whole test, and keeps the answers."""

import collections
import contextlib
import itertools
import threading
import time

from lab import wait_until

ALICE = ("mailboxes", "alice@example.test")
TROUBLE = "DEFER_IF_PERMIT 4.3.0 temporary lookup failure"
SEND_ONLY = "550 5.2.1 mailbox does not accept mail (send-only)"
NO_CACHE = {"ttl": "0s", "stale": "0s"}

# Each kind of question about the sample: table, key, answer; "policy" is the policy
# service. "#" becomes a number, so that nobody has asked this before.
MIXED = [
    ("mailboxes", "alice+#@example.test", "OK 1"),
    ("mailboxes", "nobody#@example.test", "NOTFOUND "),
    ("aliases", "info+#@example.test",
     "OK bob+#@example.test,alice+#@example.test,friend+#@external.test"),
    ("domains", "second.test", "OK second.test"),
    ("domains", "foreign#.test", "NOTFOUND "),
    ("sender-login-maps", "sales+#@second.test", "OK alice@example.test"),
    ("tls-policies", "null.test", "OK encrypt"),
    ("recipient-access", "sendonly+#@example.test", "OK " + SEND_ONLY),
    ("policy", "sendonly+#@example.test", SEND_ONLY),
    ("policy", "bob+#@example.test", "DUNNO"),
]

Answer = collections.namedtuple("Answer", "when text seconds right")

_numbers = itertools.count()


class Asker(threading.Thread):
    """with Asker(ask, right) ...: calls ask() again and again; answers keeps the results."""

    def __init__(self, ask, right, pause=0.005):
        super().__init__(daemon=True)
        self.answers = []
        self._ask, self._right, self._pause = ask, right, pause
        self._stop_it = threading.Event()

    def run(self):
        while not self._stop_it.is_set():
            self._note(self._ask, self._right)

    def _note(self, ask, right):
        start = time.monotonic()
        text = ask()
        now = time.monotonic()
        self.answers.append(Answer(now, text, now - start, text == right))
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
        """The set of the first words of all answers."""
        return {answer.text.split()[0] for answer in self.answers}

    def failures(self):
        """Each answer that was not the right one."""
        return [answer for answer in self.answers if not answer.right]

    def slowest(self):
        return max(answer.seconds for answer in self.answers)

    def right_since(self, moment):
        """The time of the first right answer after moment, or None."""
        return next((answer.when for answer in self.answers
                     if answer.when >= moment and answer.right), None)


class MixedAsker(Asker):
    """Asks mumd the questions of MIXED one after the other, beginning with number `first`.

    lost: how often mumd ended a connection or did not listen.
    """

    def __init__(self, mumd, pause=0.005, first=0):
        super().__init__(None, None, pause)
        self.lost = 0
        self._mumd = mumd
        self._questions = itertools.islice(itertools.cycle(MIXED), first, None)

    def run(self):
        while not self._stop_it.is_set():
            try:
                with self._mumd.map_client() as maps, self._mumd.policy_client() as policy:
                    while not self._stop_it.is_set():
                        self._ask_next(maps, policy)
            except OSError:
                self.lost += 1
                self._stop_it.wait(0.01)

    def _ask_next(self, maps, policy):
        number = str(next(_numbers))
        table, key, right = (text.replace("#", number) for text in next(self._questions))
        if table == "policy":
            self._note(lambda: policy.ask(sender="x@foreign.test", recipient=key), right)
        else:
            self._note(lambda: maps.ask(table, key).decode(), right)

    def failures(self):
        return super().failures() + ["lost"] * self.lost

    def wrong(self):
        """Each answer that was neither right nor temporary."""
        return [answer for answer in super().failures()
                if answer.text != TROUBLE and not answer.text.startswith("TEMP ")]


@contextlib.contextmanager
def many_askers(mumd, count, pause=0.005):
    """So many askers at once, each beginning with another question."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(MixedAsker(mumd, pause, first)) for first in range(count)]


def timed(function, *arguments):
    start = time.monotonic()
    result = function(*arguments)
    return result, time.monotonic() - start
