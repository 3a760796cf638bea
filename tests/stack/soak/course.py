# SPDX-License-Identifier: MIT
"""One soak, from its seed to its verdict."""

import time

from soak import memory
from soak.actors import Lane, cast
from soak.history import History, Limits
from soak.judge import KINDS, Judge
from soak.model import GREEDY
from soak.plan import Plan
from soak.world import World

# So short that answers become stale before some faults end; the deadlines are the usual
# ones.
LIMITS = Limits(ttl=1, stale=5, lookup=2, login=5, smtp_login=12, room=1, quota=1)


class Soak:
    """say: called with a line about each fault. sanitized: the Dovecot module is built with
    sanitizers.
    """

    def __init__(self, seed, minutes, say, sanitized=False):
        self.plan = Plan(seed, minutes * 60)
        self._say = say
        self._sanitized = sanitized
        self.history = None
        self.judge = None

    def run(self, lab):
        """Runs the soak; returns the violations."""
        world = World(lab, self.plan, LIMITS, self._sanitized)
        self.history = history = History(self.plan.state, LIMITS)
        actors = cast(world, history, self._say)
        for actor in actors:
            actor.start()
        time.sleep(self.plan.seconds)
        self._finish(actors)
        history.problems += world.heal()
        history.counts = world.counts()
        if history.counts is None:
            history.problems.append("mumctl senders says nothing")
        history.problems += world.drain()
        history.problems += world.complaints()
        history.deliveries += world.deliveries()
        arrivals = world.logged()
        history.bounces += arrivals.bounces
        history.repeats |= arrivals.repeats
        self.judge = Judge(history).run()
        self.judge.judge_memory(history.began + self.plan.last_part, history.began + self.plan.seconds)
        self.judge.judge_amount(self.plan.seconds / 60, self.plan.kinds())
        return self.judge.violations

    def _finish(self, actors):
        """Ends the faults first, so that the other actors can end."""
        for actor in sorted(actors, key=lambda actor: not isinstance(actor, Lane)):
            actor.over.set()
            if isinstance(actor, Lane):
                actor.join(60)
        for actor in actors:
            actor.join(60)
            if actor.is_alive():
                self.history.problems.append(f"{actor.name} does not end")

    def figures(self):
        """A line for each kind of question, and the sums."""
        history, judge = self.history, self.judge
        lines = [f"{'':20}{'answers':>9}{'trouble':>9}  last one after a fault"]
        lines += [f"{kind:20}{judge.definite[kind]:9}{judge.temporary[kind]:9}"
                  f"{max(0, judge.recovery[kind]):7.2f} s" for kind in KINDS]
        accepted = [message for message in history.messages if message.reply.startswith("250")]
        lines.append(f"{len(accepted)} messages accepted, {len(history.deliveries)} delivered, "
                     f"{len(history.bounces)} bounced, {len(history.repeats)} sent again; "
                     f"{len(history.readings)} readings; {len(history.versions) - 1} changes; "
                     f"{len(history.faults)} faults of {len({fault.kind for fault in history.faults})} kinds")
        lines.append(f"full mailboxes: {judge.full['refused']} recipients refused, "
                     f"{judge.full['in doubt']} accepted in doubt")
        lines.append("the limit of a login: " + ", ".join(
            f"{number} times {word}" for word, number in sorted(judge.limited.items()))
            + f"; mumctl senders: {history.counts and history.counts.all.get(GREEDY)}")
        lines.append("slowest answers: " + ", ".join(
            f"{name} {seconds:.2f} s" for name, seconds in sorted(judge.slowest.items()))
            + f"; {len(history.hiccups)} hiccups of this machine, the longest "
            f"{max((hiccup.ended - hiccup.began for hiccup in history.hiccups), default=0):.2f} s")
        lines += map(memory.told, memory.compare(history.samples, history.began + self.plan.last_part))
        return "\n".join(lines)
