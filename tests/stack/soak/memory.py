# SPDX-License-Identifier: MIT
"""Do mumd and Dovecot's auth hold as much at the end of a soak as before?

The last part of a soak ends neither of them (plan.py). There, what a process holds in the first
third of its time is compared with the last third.
"""

import collections

# Seconds of a process's life that are not compared, for caches and heap fill; and how much
# there must be after them.
WARM, SHORTEST = 300, 300

PERCENT = 1
# A page of memory is 4 kB. glibc takes 128 kB and more at a time from the kernel, whose pages
# are counted one by one as they are first touched. Postfix and Dovecot keep some more
# processes, each with its connections, when there was more to do.
MEMORY, DESCRIPTORS = 128 << 10, 5

PROGRAMS = ("mumd", "auth")

# Of one process: what it held in the two thirds.
Compared = collections.namedtuple("Compared", "name pid seconds what before after")


def middle(numbers):
    """Crowds of clients come and go."""
    return sorted(numbers)[len(numbers) // 2]


def compare(samples, since):
    """A Compared for memory and descriptors of each process that lived long enough."""
    series = collections.defaultdict(list)
    for sample in samples:
        series[sample.name, sample.pid].append(sample)
    for (name, pid), mine in series.items():
        begin, end = max(since, mine[0].when + WARM), mine[-1].when
        third = (end - begin) / 3
        if third * 3 < SHORTEST:
            continue
        first = [one for one in mine if begin <= one.when <= begin + third]
        last = [one for one in mine if end - third <= one.when]
        for what in ("memory", "descriptors"):
            yield Compared(name, pid, end - begin, what,
                           *(middle([getattr(one, what) for one in part]) for part in (first, last)))


def has_grown(compared):
    slack = {"memory": MEMORY, "descriptors": DESCRIPTORS}[compared.what]
    return compared.after > compared.before * (1 + PERCENT / 100) + slack


def judge(samples, since, until):
    """(program, what is wrong, what would be right) for each fault."""
    done = list(compare(samples, since))
    for one in filter(has_grown, done):
        yield one.name, told(one), f"not more than {PERCENT} % more"
    for name in PROGRAMS:
        if until - since > WARM + 2 * SHORTEST and name not in {one.name for one in done}:
            yield name, "none lived long enough to be compared", "one that did"


def told(one):
    unit, scale = ("kB", 1024) if one.what == "memory" else ("", 1)
    return (f"{one.name}'s {one.what}: {one.before // scale}{unit and ' ' + unit}, at last "
            f"{one.after // scale}{unit and ' ' + unit} ({one.seconds:.0f} s)")
