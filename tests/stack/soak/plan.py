# SPDX-License-Identifier: MIT
"""Everything random in a soak comes from its seed: rows, faults, and each actor's dice."""

import collections
import random

from soak.model import DOMAIN, FOREIGN, GREEDY, Alias, Mailbox, State

PASSWORDS = ("first secret", "second secret")
WRONG = "wrong"

# What may change about a mailbox or alias. For each only one thing changes: so if two
# questions see different states, they never make an answer that no state would give.
HABITS = ("active", "active", "password", "send_only", "none", "full")

# Faults, and how many seconds each lasts. Two lanes strike independently of each other.
LANES = {
    "database": {"database hung": (0.5, 7), "database killed": (0, 2), "connections killed": (1, 3),
                 "tables locked": (1, 5), "too many connections": (1, 6), "network cut": (1, 3),
                 "network silent": (0.5, 5), "wrong password": (1, 3), "first host gone": (1, 4),
                 "first host silent": (1, 4)},
    "services": {"mumd reloaded": (0, 1), "mumd restarted": (0, 1), "mumd killed": (0, 1),
                 "no descriptors": (0.5, 2), "dovecot reloaded": (0, 1),
                 "postfix reloaded": (0, 1), "slow clients": (2, 4), "quota-status hung": (1, 5),
                 "quota-status killed": (1, 4)},
}
# What ends mumd, or Dovecot's auth: these strike only until the last part of the soak, an hour at
# most, so that one process of each lives for all of it, and what it holds can be compared.
ENDS = {"mumd restarted", "mumd killed", "dovecot reloaded"}
LAST_PART, HOUR = 1 / 3, 3600

CROWDS = 2      # aliases whose recipients may all be full at a time

CALM_BEFORE, CALM_AFTER = 2, 8      # seconds at both ends without a new fault
PAUSE = {"database": (1, 4), "services": (1, 6)}

# at: seconds from the start. A lane that is late strikes as soon as it can.
Strike = collections.namedtuple("Strike", "at kind seconds")


class Plan:
    """state: the first one. habits: {address: what is changed about it}. strikes: by lane.
    last_part: the second in which it begins.
    """

    def __init__(self, seed, seconds, mailboxes=24, aliases=8):
        self.seed, self.seconds = seed, seconds
        self.last_part = seconds - min(seconds * LAST_PART, HOUR)
        dice = self.dice("rows")
        users = [f"user{number}@{DOMAIN}" for number in range(mailboxes)]
        self.habits = {user: HABITS[number % len(HABITS)] for number, user in enumerate(users)}
        rows = {user: Mailbox(dice.random() < 0.8 or self.habits[user] in ("none", "full"),
                              self.habits[user] == "send_only", PASSWORDS[0]) for user in users}
        rows[GREEDY] = Mailbox(True, False, PASSWORDS[0])
        rows[f"gone@{DOMAIN}"] = Mailbox(False, False, PASSWORDS[0])
        rows[f"scanner@{DOMAIN}"] = Mailbox(True, True, PASSWORDS[0])
        self.members = {f"list{number}@{DOMAIN}": dice.sample(users, 4) + [f"friend{number}@{FOREIGN}"]
                        for number in range(aliases)}
        for number, alias in enumerate(self.members):
            self.habits[alias] = ("recipients", "active", "recipients")[number % 3]
        for number in range(CROWDS):
            alias = f"crowd{number}@{DOMAIN}"
            self.members[alias] = dice.sample(self.of_habit("full"), 2)
            self.habits[alias] = "recipients"
        self.state = State(rows, {alias: Alias(True, self.recipients(dice, alias),
                                               tuple(dice.sample(users, 3)))
                                  for alias in self.members})
        self.strikes = {lane: self._strikes(lane) for lane in LANES}

    def of_habit(self, habit):
        return [address for address, its in self.habits.items() if its == habit]

    def dice(self, name):
        """Each actor has its own dice, so what others do does not change them."""
        return random.Random(f"{self.seed} {name}")

    def recipients(self, dice, alias):
        members = self.members[alias]
        return tuple(dice.sample(members, dice.randint(1, len(members))))

    def _strikes(self, lane):
        """Yields all kinds in a new order, again and again."""
        dice = self.dice(lane)
        at, kinds, strikes = CALM_BEFORE + dice.random(), [], []
        while at < self.seconds - CALM_AFTER:
            if not kinds:
                kinds = dice.sample(sorted(LANES[lane]), len(LANES[lane]))
            kind = kinds.pop()
            if kind in ENDS and at > self.last_part:
                continue
            strike = Strike(at, kind, dice.uniform(*LANES[lane][kind]))
            strikes.append(strike)
            at += strike.seconds + dice.uniform(*PAUSE[lane])
        return strikes

    def kinds(self):
        """The kinds of the faults that strike."""
        return {strike.kind for strikes in self.strikes.values() for strike in strikes}

    def next_change(self, dice):
        """A function from a state to the next one, and the address that it changes."""
        address = dice.choice([name for name, habit in self.habits.items() if habit != "none"])
        habit = self.habits[address]
        recipients = self.recipients(dice, address) if habit == "recipients" else None

        def change(state):
            rows = state.aliases if address in state.aliases else state.mailboxes
            old = rows[address]
            new = old._replace(**{
                "active": lambda: {"active": not old.active},
                "send_only": lambda: {"send_only": not old.send_only},
                "full": lambda: {"full": not old.full},
                "password": lambda: {"password": PASSWORDS[old.password == PASSWORDS[0]]},
                "recipients": lambda: {"recipients": recipients},
            }[habit]())
            changed = {**rows, address: new}
            return (state._replace(aliases=changed) if address in state.aliases
                    else state._replace(mailboxes=changed))
        return address, change
