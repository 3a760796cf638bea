# SPDX-License-Identifier: MIT
"""What the soak's judge says of memory and descriptors."""

import pytest

from soak.history import History, Limits, Sample
from soak.judge import Judge
from soak.memory import DESCRIPTORS, MEMORY, SHORTEST, WARM
from soak.model import State
from soak.plan import ENDS, HOUR, LANES, Plan

LIMITS = Limits(ttl=2, stale=10, lookup=2, login=5, smtp_login=12, room=1, quota=1)
MB = 1 << 20
SINCE, UNTIL = 2400, 3600       # the last part of an hour


def process(memory=lambda age: 10 * MB, descriptors=lambda age: 40, name="mumd", pid=1, born=2300,
            died=UNTIL):
    return [Sample(name, pid, when, int(memory(when - born)), int(descriptors(when - born)))
            for when in range(born, died)]


def told(*processes, since=SINCE, until=UNTIL):
    history = History(State({}, {}), LIMITS)
    history.samples = [sample for samples in processes for sample in samples]
    judge = Judge(history).run()
    judge.judge_memory(since, until)
    return [(violation.what, violation.question) for violation in judge.violations]


AUTH = process(name="auth", pid=2)
GROWN = ("memory or descriptors", "mumd")


def busy_then_idle(age):
    """Clients that come and go."""
    return 40 + 120 * (age % 45 < 4)


@pytest.mark.parametrize("name, mumd", [
    ("flat", process()),
    ("warming up", process(lambda age: 8 * MB + min(age, WARM) * 8192, lambda age: min(40, age))),
    ("less in the end", process(lambda age: 12 * MB - age * 1000)),
    ("a crowd now and then", process(descriptors=busy_then_idle)),
    ("a heap that grows once", process(lambda age: 10 * MB + (age > 900) * MEMORY)),
    ("a percent", process(lambda age: 100 * MB + (age > 900) * MB)),
])
def test_what_stays_is_right(name, mumd):
    assert told(mumd, AUTH) == []


@pytest.mark.parametrize("name, mumd", [
    ("a leak of memory", process(lambda age: 10 * MB + age * 500)),
    ("a leak in a large process", process(lambda age: 500 * MB + age * 13000)),
    ("a step", process(lambda age: 10 * MB + (age > 900) * (MB // 10 + MEMORY + 4096))),
    ("a leak of descriptors", process(descriptors=lambda age: busy_then_idle(age) + age / 60)),
    ("a few descriptors", process(descriptors=lambda age: 40 + (age > 900) * (DESCRIPTORS + 1))),
])
def test_what_grows_is_seen(name, mumd):
    assert told(mumd, AUTH) == [GROWN]
    assert told(AUTH, [sample._replace(name="mumd") for sample in mumd]) == [GROWN]


def test_each_process_is_compared_with_itself():
    """Faults end it: the next one is another."""
    leaky = process(lambda age: 10 * MB + age * 800, pid=4, born=2700)
    assert told(process(died=2700), process(lambda age: 20 * MB, pid=3, born=2700), AUTH) == []
    assert told(process(died=2700), leaky, AUTH) == [GROWN]


def test_what_was_before_the_last_part_is_not_compared():
    assert told(process(lambda age: 10 * MB + min(age, 2000) * 5000, born=0), AUTH, since=2400) == []
    assert told(process(lambda age: 10 * MB + age * 500, born=0, died=2400), process(pid=3), AUTH) == []


def test_a_long_soak_must_have_compared_both():
    short = process(born=UNTIL - WARM - SHORTEST + 10)
    assert told(process()) == [("memory or descriptors", "auth")]
    assert told(short, AUTH) == [GROWN]
    assert told(short, AUTH, since=UNTIL - WARM - SHORTEST) == []


@pytest.mark.parametrize("minutes, last", [(2, 40), (60, 1200), (180, HOUR), (1440, HOUR)])
def test_nothing_ends_them_in_the_last_part(minutes, last):
    plan = Plan(1, minutes * 60)
    assert plan.last_part == minutes * 60 - last
    late = [strike for strikes in plan.strikes.values() for strike in strikes if strike.at > plan.last_part]
    assert not ENDS & {strike.kind for strike in late}
    if minutes >= 60:
        assert {strike.kind for strike in late} == {kind for kinds in LANES.values() for kind in kinds} - ENDS
