# SPDX-License-Identifier: MIT
"""Many requests at once: which wait for which, and what an unknown user costs."""

import collections
import itertools
import os
import random
import signal
import statistics
import threading
import time

import pytest

from lab import hashes
from lab.mum_dovecot import quota, verdict

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)

BATCH = 20
UNCACHED = {"cache": {"ttl": "0s"}}


def strangers(count):
    return [f"stranger{next(_numbers)}@example.test" for _ in range(count)]


def batch_mean(dovecot, client, users):
    """Mean seconds of processor time of auth and its workers for a login with a wrong
    password, in a pipelined batch. So other load on the machine does not count.
    """
    before = dovecot.cpu()
    replies = client.ask_all([(user, "wrong", "imap") for user in users])
    assert all(reply.kind == "FAIL" and "code" not in reply.fields for reply in replies)
    return dovecot.cpu_since(before) / len(users)


def compare_means(dovecot, kinds):
    """The smallest means of interleaved batches, by kind; runs more batches until they agree.

    The smallest, because a busy machine's caches only add time.
    """
    means = {kind: [] for kind in kinds}
    with dovecot.auth_client(timeout=120) as client:
        for number in range(20):
            order = list(kinds)
            random.shuffle(order)
            for kind in order:
                means[kind].append(batch_mean(dovecot, client, kinds[kind]()))
            least = {kind: min(values) for kind, values in means.items()}
            if number >= 2 and max(least.values()) < 1.1 * min(least.values()):
                break
    return least


def test_three_hundred_at_once_on_a_cold_server_all_log_in(store, make_dovecot):
    """Fault: auth knows no worker yet, nor how many it may have. Reply: OK to each, none has to
    come again. Deadline: that of the verifications. Recovery: none needed."""
    users = [store.add(f"cold{next(_numbers)}") for _ in range(10)]
    dovecot = make_dovecot(store)
    with dovecot.auth_client(timeout=120) as client:
        replies = client.ask_all([(user, "secret", "imap") for user in users * 30])
    assert collections.Counter(map(verdict, replies)) == {"ok": 300}


def storm(store, count, cost):
    """[(user, password, protocol)] of logins whose verification takes a while."""
    users = [store.add(f"storm{next(_numbers)}", password=hashes.bcrypt(cost=cost))
             for _ in range(count)]
    return [(user, "secret", "imap") for user in users]


def at_once():
    """How many verifications the workers get at the same time, at most."""
    return len(os.sched_getaffinity(0))


def test_a_storm_needs_no_more_workers_than_processors(store, make_dovecot):
    dovecot = make_dovecot(store)
    count = 10 * at_once()
    with dovecot.auth_client(timeout=120) as client:
        replies = client.ask_all(storm(store, count, cost=8))
    assert collections.Counter(map(verdict, replies)) == {"ok": count}
    assert 1 <= len(dovecot.worker_pids()) <= at_once()


def test_logins_that_wait_for_seconds_are_told_and_in_time_again(store, make_dovecot):
    """Fault: the workers stand still for seconds. Reply: OK to each. Recovery: by itself; the
    log has a line about the begin, while they stand still, and one about the end."""
    dovecot = make_dovecot(store)
    with dovecot.auth_client(timeout=120) as client:
        client.ask_all(storm(store, 4 * at_once(), cost=8))
        workers = dovecot.worker_pids()
        assert len(workers) == at_once()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            started = client.start(storm(store, 4 * at_once(), cost=8))
            dovecot.wait_log("logins wait for an auth worker to verify their passwords:",
                             " wait, one for 3 s;")
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)
        replies = client.collect(started)
    assert {verdict(reply) for reply in replies.values()} == {"ok"}
    dovecot.wait_log("no login waits for an auth worker any more; 0 were given up")


def test_unknown_user_costs_what_a_known_one_costs(store, make_dovecot):
    dovecot = make_dovecot(store)
    known = [store.add(f"cost{next(_numbers)}", password=hashes.bcrypt(cost=8))
             for _ in range(BATCH)]
    inactive = [store.add(f"cost{next(_numbers)}", password=hashes.bcrypt(cost=8), active=0)
                for _ in range(BATCH)]
    dovecot.login(known[0], "wrong")        # now it has seen a usual hash
    least = compare_means(dovecot, {"known": lambda: known, "inactive": lambda: inactive,
                                    "unknown": lambda: strangers(BATCH)})
    # They seldom come nearer to each other while other tests keep all processors busy.
    assert max(least.values()) < 1.25 * min(least.values()), least


def test_first_unknown_user_costs_what_mum_s_own_hash_costs(store, make_dovecot):
    """Before any hash has been seen: bcrypt, cost 10."""
    user = store.add(f"first{next(_numbers)}", password=hashes.bcrypt(cost=10))
    unknown, known = [], []
    for _ in range(3):
        dovecot = make_dovecot(store)
        with dovecot.auth_client() as client:
            dovecot.user("warm@example.test")
            unknown.append(batch_mean(dovecot, client, strangers(8)))
            known.append(batch_mean(dovecot, client, [user] * 8))
        dovecot.stop()
    assert 0.5 < statistics.median(unknown) / statistics.median(known) < 2


def test_userdb_answers_while_eight_log_in(store, make_dovecot):
    dovecot = make_dovecot(store, sections=UNCACHED)
    users = [store.add(f"busy{next(_numbers)}", password=hashes.bcrypt(cost=12)) for _ in range(8)]
    others = [store.add(f"quiet{next(_numbers)}") for _ in range(5)]
    verdicts, seconds = [], []

    def log_in(user):
        verdicts.append(dovecot.login(user, "secret"))

    with dovecot.userdb_client() as client:
        client.users(others)
        logins = [threading.Thread(target=log_in, args=(user,)) for user in users]
        for login in logins:
            login.start()
        while any(login.is_alive() for login in logins):
            seconds += [reply.seconds for reply in client.users(others, window=1)]
            time.sleep(0.01)
    assert verdicts == ["ok"] * 8
    assert len(seconds) > 20
    assert statistics.quantiles(seconds, n=100)[98] < 0.1


def test_hostile_hash_keeps_nobody_waiting(store, make_dovecot):
    dovecot = make_dovecot(store)
    hostile = store.add(f"hostile{next(_numbers)}",
                        password="$6$rounds=999999999$saltsalt$" + "A" * 86)
    user = store.add(f"victim{next(_numbers)}")
    # each of the hostile logins then costs as much as a wrong password for this one
    assert dovecot.login(user, "secret") == "ok"
    with dovecot.auth_client() as client:
        client.start([(hostile, "x", "imap")] * 100)
        started = time.monotonic()
        assert dovecot.login(user, "secret") == "ok"
        assert time.monotonic() - started < 2


def test_a_thousand_logins_in_one_write_are_all_answered_right(store, make_dovecot):
    dovecot = make_dovecot(store)
    users = [store.add(f"many{next(_numbers)}") for _ in range(10)]
    requests = [(random.choice(users), random.choice(("secret", "wrong")), "imap")
                for _ in range(1000)]
    with dovecot.auth_client(timeout=120) as client:
        replies = client.ask_all(requests)
    assert [reply.kind for reply in replies] == \
        ["OK" if password == "secret" else "FAIL" for _, password, _ in requests]
    assert [reply.fields["user"] for reply in replies] == [user for user, _, _ in requests]


def test_a_thousand_lookups_in_one_write_are_all_answered_right(store, make_dovecot):
    dovecot = make_dovecot(store, sections=UNCACHED)
    users = [store.add(f"found{next(_numbers)}", quota=number) for number in range(1, 11)]
    asked = [random.choice(users + strangers(3)) for _ in range(1000)]
    with dovecot.userdb_client() as client:
        replies = client.users(asked)
    for user, reply in zip(asked, replies):
        if user in users:
            assert quota(reply.fields) == str(users.index(user) + 1)
        else:
            assert reply.kind == "NOTFOUND"
