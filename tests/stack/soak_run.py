# SPDX-License-Identifier: MIT
"""One soak, from its seed to its verdict."""

import time

from soak_actors import Lane, cast
from soak_history import History
from soak_judge import Judge
from soak_plan import Plan
from soak_world import World

TTL, STALE = 1, 5       # seconds, in mum.conf; shorter than some faults last


class Soak:
    """say: takes a line about each fault. sanitized: the Dovecot module is of such a build."""

    def __init__(self, seed, minutes, say, sanitized=False):
        self.plan = Plan(seed, minutes * 60)
        self._say = say
        self._sanitized = sanitized
        self.history = None
        self.judge = None

    def run(self, lab):
        """The violations."""
        world = World(lab, self.plan, TTL, STALE, self._sanitized)
        self.history = history = History(self.plan.state, TTL, STALE)
        actors = cast(world, history, self._say)
        for actor in actors:
            actor.start()
        time.sleep(self.plan.seconds)
        self._finish(actors)
        history.problems += world.heal() + world.drain()
        history.problems += world.complaints()
        history.deliveries += world.deliveries()
        arrivals = world.logged()
        history.bounces += arrivals.bounces
        history.repeats |= arrivals.repeats
        self.judge = Judge(history).run()
        return self.judge.violations

    def _finish(self, actors):
        """Faults first, so that the others can."""
        for actor in sorted(actors, key=lambda actor: not isinstance(actor, Lane)):
            actor.over.set()
            if isinstance(actor, Lane):
                actor.join(60)
        for actor in actors:
            actor.join(60)
            if actor.is_alive():
                self.history.problems.append(f"{actor.name} does not end")

    def figures(self):
        history, judge = self.history, self.judge
        accepted = [message for message in history.messages if message.reply.startswith("250")]
        logins = [answer for answer in history.answers if answer.kind in ("AUTH", "LOGIN", "auth")]
        return (f"{len(accepted)} messages accepted, {len(history.deliveries)} delivered, "
                f"{len(history.bounces)} bounced, {len(history.repeats)} sent again; {len(logins)} logins, {len(history.readings)} readings; "
                f"{len(history.answers)} answers, {sum(judge.temporary.values())} of them temporary "
                f"failures; {len(history.versions) - 1} changes; {len(history.faults)} faults; "
                f"slowest recovery {judge.slowest_recovery:.2f} s")
