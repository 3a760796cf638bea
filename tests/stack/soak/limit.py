# SPDX-License-Identifier: MIT
"""What the limit of a login allows, whatever mumd has counted while it came and went.

Nobody sees mumd count. So a login has two accounts: what surely counts, and all that may. An answer
is right if the one or the other makes it so. Times are seconds; a recipient drains in INTERVAL.
"""

import bisect
import collections

from soak.excuses import LONGEST, MUMD, THEIRS, excuses
from soak.history import Spans
from soak.model import BURST, GREEDY, INTERVAL
from soak.replies import NEVER, TEMPORARY, TOO_MUCH, word_of

# What the limit says; a soak must have each.
REFUSALS = (TOO_MUCH, NEVER)

# A new mumd knows whole seconds of the time between.
ROUNDED = 1

# A login in "mumctl senders", and all of them, asked and answered at these times.
Count = collections.namedtuple("Count", "sent over left")
Counts = collections.namedtuple("Counts", "all asked answered")
NOBODY = Count(0, 0, BURST)

# Recipients of a mail, which mumd counted between these times: at least and at most so many, and
# how many it refused.
Taken = collections.namedtuple("Taken", "least most over began ended")


class Limit:
    """history: the whole one."""

    def __init__(self, history):
        self._history = history
        self._faults = Spans(history.faults, lambda fault: (fault.began, fault.ended + LONGEST))
        ends = [(fault.began, fault.ended) for fault in history.faults
                if fault.kind in ("mumd restarted", "mumd killed")]
        self._ends = Spans(ends, lambda end: (end[0], end[1] + ROUNDED + BURST * INTERVAL))
        self._fresh = max((ended for _, ended in ends), default=0)
        self._taken = collections.defaultdict(list)
        for message in sorted(history.messages, key=lambda message: message.asked):
            if message.rcpts[0].kind in ("submission RCPT", "limited RCPT"):
                self._taken[message.rcpts[0].question[0]].append(self._take(message))
        self._begins = [taken.began for taken in self._taken[GREEDY]]
        self._debts = list(self._all_debts(sorted(ended for _, ended in ends)))

    def _take(self, message):
        number = sum(word_of(rcpt.reply) == "250" for rcpt in message.rcpts)
        word, away = word_of(message.reply), self._is_mumd_away(message)
        return Taken(number if word == "250" and not away else 0,
                     number * (1 + away) if word in ("250", TEMPORARY) else 0,
                     number if word in REFUSALS else 0, message.asked, message.answered)

    def _is_mumd_away(self, answer):
        """Then Postfix lets the mail pass, or asks twice."""
        return any(excuses(fault, MUMD, answer.asked, answer.answered, True, THEIRS)
                   for fault in self._faults.between(answer.asked, answer.answered))

    # ---- the two accounts of the login with the small limit ----

    def _all_debts(self, ends):
        """For each mail: when all has drained that may count by then. ends: when mumd came back;
        what it knows from before may drain a little later.
        """
        until, number = 0, 0
        for taken in self._taken[GREEDY]:
            while number < len(ends) and ends[number] < taken.ended:
                until, number = until + ROUNDED, number + 1
            until = min(max(until, taken.ended) + taken.most * INTERVAL,
                        taken.ended + BURST * INTERVAL)
            yield until

    def least_left(self, when):
        """Recipients that it may send to then at least."""
        number = bisect.bisect_left(self._begins, when)
        until = self._debts[number - 1] if number > 0 else 0
        return _left(until + ROUNDED * bool(self._ends.between(when, when)), when)

    def most_left(self, when):
        """Recipients that it may send to then at most. What a mumd before has counted may be
        lost.
        """
        since = max((ended for _, ended in self._ends.between(when, when)), default=0)
        first = bisect.bisect_left(self._begins, max(since, when - BURST * INTERVAL))
        until = 0
        for taken in self._taken[GREEDY][first:]:
            if taken.ended >= when:
                break
            until = max(until, taken.began) + taken.least * INTERVAL
        return _left(until, when)

    def right(self, answer):
        """The words that are right for it, at RCPT and at DATA."""
        number = _number(answer)
        passes = ({"250"} if answer.kind == "limited DATA" and self._is_mumd_away(answer)
                  else set())
        if number > BURST:
            return passes | {NEVER}
        if self.most_left(answer.answered) >= number:
            passes.add("250")
        return passes | ({TOO_MUCH} if self.least_left(answer.asked) < number else set())

    # ---- what mumctl senders says in the end ----

    def judge_senders(self):
        """(login, what is said, what would be right) for each that is wrong."""
        counts = self._history.counts
        for login in sorted({*counts.all, *self._taken} if counts else ()):
            count, bounds = counts.all.get(login, NOBODY), self._bounds(login, counts)
            if not all(low <= number <= high for number, (low, high) in zip(count, bounds)):
                yield login, str(count), " ".join(
                    f"{name}={low}..{high}" for name, (low, high) in zip(Count._fields, bounds))

    def _bounds(self, login, counts):
        """((least, most) sent, the same of those over the limit, and of those left). A mumd that
        was restarted has forgotten those who had no debt.
        """
        taken = self._taken[login]
        sent = (sum(one.least for one in taken if one.began >= self._fresh),
                sum(one.most for one in taken))
        if login != GREEDY:
            return sent, (0, 0)
        refused = [answer for answer in self._history.answers if answer.kind.startswith("limited")
                   and word_of(answer.reply) != "250"]
        return (sent,
                (sum(_number(answer) for answer in refused if answer.asked >= self._fresh
                     and word_of(answer.reply) in REFUSALS),
                 2 * sum(map(_number, refused))),       # Postfix may have asked twice
                (self.least_left(counts.asked), self.most_left(counts.answered)))


def _number(answer):
    """Recipients that it was about."""
    return int(answer.question[1]) if answer.kind == "limited DATA" else 1


def _left(until, when):
    return int((when + BURST * INTERVAL - max(until, when)) / INTERVAL + 1e-9)
