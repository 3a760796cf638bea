# SPDX-License-Identifier: MIT
"""All questions and answers of a soak, all changes, and all faults.

Times are those of time.time(). Many threads write; nobody reads before the end.
"""

import bisect
import collections
import imaplib
import threading
import time

# kind: a key of KINDS of judge.py. question: its arguments there. reply: as it came.
Answer = collections.namedtuple("Answer", "kind question reply asked answered")

# rcpts: the Answers to RCPT. reply: to the end of the data; "" when none came.
Message = collections.namedtuple("Message", "id rcpts reply asked answered")

# What a mailbox held when somebody read it: the ids of mails, twice if there twice.
Reading = collections.namedtuple("Reading", "user ids when")

# A mail that was found afterwards; to: without extension.
Delivery = collections.namedtuple("Delivery", "id to when")
Bounce = collections.namedtuple("Bounce", "id to when")

# What a process holds: bytes of its heap and stacks, and open descriptors. name: of its program.
Sample = collections.namedtuple("Sample", "name pid when memory descriptors")

# When this machine did not run the soak.
Hiccup = collections.namedtuple("Hiccup", "began ended")

NO_ANSWER = "no answer: "


class Limits(collections.namedtuple("Limits", "ttl stale lookup login smtp_login room quota")):
    """What mum.conf says, in seconds: how old an answer may be, and the deadlines of mumd's
    lookups, of logins and of logins over SMTP; how long room in a mailbox is remembered, and
    the deadline of the question about it.
    """

    @property
    def recipient(self):
        """The deadline of the policy service: it looks up, and then asks about the quota."""
        return self.lookup + self.quota

    @property
    def room_age(self):
        """How old it may be that a mailbox had room: the answer took its time, and whoever
        asks anew may take as long, while others still go by the old answer.
        """
        return self.room + 2 * self.quota


class Version:
    """A state of the database, from which answers may come between earliest and latest."""

    def __init__(self, state, earliest, latest=float("inf")):
        self.state, self.earliest, self.latest = state, earliest, latest


class Fault:
    def __init__(self, kind, began, ended=float("inf")):
        self.kind, self.began, self.ended = kind, began, ended


class Spans:
    """Finds those of many items that overlap a time. span(item): (when it began, when it ended).

    A long soak has millions of answers: each must be judged without a look at all faults.
    """

    def __init__(self, items, span):
        self._spans = sorted(((*span(item), item) for item in items), key=lambda one: one[:2])
        self._begins = [began for began, _, _ in self._spans]
        self._ends = []     # the latest end so far
        for _, ended, _ in self._spans:
            self._ends.append(max(ended, self._ends[-1]) if self._ends else ended)

    def between(self, since, until):
        """In the order of their beginnings."""
        first = bisect.bisect_left(self._ends, since)
        behind = bisect.bisect_right(self._begins, until)
        return [item for _, ended, item in self._spans[first:behind] if ended >= since]


class History:
    """state: the first one. limits: Limits."""

    def __init__(self, state, limits):
        self.limits = limits
        self.began = time.time()
        self.versions = [Version(state, float("-inf"))]
        self.answers, self.messages, self.readings, self.faults = [], [], [], []
        self.deliveries, self.bounces, self.hiccups, self.samples = [], [], [], []
        self.repeats = set()    # (id, to) where a server ended before it had confirmed a delivery
        self.counts = None      # Counts of limit.py, in the end
        self.problems = []      # anything else that must not happen, as text
        self._lock = threading.Lock()

    @property
    def state(self):
        """The present state; call it only while nobody changes it."""
        return self.versions[-1].state

    def change(self, state, write):
        """write() puts this state into the database; from now on both states may be seen."""
        before = self.versions[-1]
        self.versions.append(Version(state, time.time()))
        write()
        before.latest = time.time()

    def possible(self, since, until):
        """The versions that somebody may have seen in that time. Neither their beginnings nor
        their ends ever go back.
        """
        first = bisect.bisect_left(self.versions, since, key=lambda version: version.latest)
        behind = bisect.bisect_right(self.versions, until, key=lambda version: version.earliest)
        return self.versions[first:behind]

    def ask(self, kind, question, function):
        """Records the answer of function() and returns it; an exception is no answer."""
        asked = time.time()
        try:
            reply = function()
        except (OSError, EOFError, ValueError, imaplib.IMAP4.error) as error:
            reply = f"{NO_ANSWER}{error or type(error).__name__}"
        return self.record(Answer(kind, question, reply, asked, time.time()))

    def record(self, answer):
        with self._lock:
            self.answers.append(answer)
        return answer

    def begin(self, kind):
        """Records a fault; the caller sets its end."""
        return self._add(Fault(kind, time.time()))

    def seen(self, kind, since):
        """Records a fault that has ended by now, and began at that time or later."""
        return self._add(Fault(kind, since, time.time()))

    def _add(self, fault):
        with self._lock:
            self.faults.append(fault)
        return fault

    def faults_between(self, since, until):
        return [fault for fault in self.faults if fault.began <= until and fault.ended >= since]
