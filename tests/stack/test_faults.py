# SPDX-License-Identifier: MIT
"""The way between mumd and MariaDB breaks: in the middle of a reply, silently, or to one of
two hosts.

Each test says the fault, the reply that clients see, the deadline of an answer and how long
it takes until all is well again. mumd has no cache, so each question reaches the database.
"""

import concurrent.futures
import contextlib
import time

import pytest

from fakes.fault_proxy import FaultProxy
from lab import MariaDB, PrivateCa, free_port, netstring, sample, wait_until
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import mariadb_settings
from asker import ALICE, MIXED, NO_CACHE, TROUBLE, MixedAsker, many_askers, timed

INFO = ("aliases", "info@example.test")
SALES = ("aliases", "sales@second.test")
INFO_RIGHT = b"OK bob@example.test,alice@example.test,friend@external.test"
LIMIT = ("aliases", "limit@big.test")       # a reply of 100 kB, of several hundred rows
LANES = 4                                   # that try the cuts of one dialogue in parallel


@pytest.fixture(scope="module")
def first(database):
    return database


@pytest.fixture(scope="module")
def second(lab):
    return MariaDB(lab, "db-second").start().load_mum(sample.mariadb_text())


@pytest.fixture
def behind(make_mumd):
    """behind(hosts, **database): a mumd that finds its databases at these places."""
    def make(*hosts, **database):
        names = [f"{host[0]}:{host[1]}" if isinstance(host, tuple) else f"unix:{host}"
                 for host in hosts]
        settings = {"driver": "mariadb", "hosts": names, "name": "mum", "user": "mum_postfix",
                    "password": POSTFIX_PASSWORD, **database}
        return make_mumd({"database": settings, "cache": NO_CACHE})
    return make


@pytest.fixture
def proxies(lab):
    """proxies(server, tcp=True): a fault proxy before it."""
    with contextlib.ExitStack() as stack:
        def make(server, tcp=True):
            address = (("127.0.0.1", free_port()) if tcp
                       else lab.path / f"fault-{time.monotonic_ns()}")
            return stack.enter_context(FaultProxy(address, server))
        yield make


def learn(proxy, client, question):
    """Bytes of answers from the greeting to the last row, and the right reply."""
    client.ask(*question)       # now mumd has asked what it asks only once
    proxy.close()
    right = client.ask(*question)
    proxy.close()
    return proxy.answered, right


# ---- in the middle of a reply ----

def cut_lane(proxy, mumd, question, counts):
    """The replies to one question, with its first connection cut behind each of the counts."""
    replies = {}
    with mumd.map_client() as client:
        client.ask(*question)
        for count, reset in counts:
            proxy.cut(count, times=1, reset=reset)
            proxy.close()
            replies[count, reset] = client.ask(*question)
    return replies


def cut_lanes(proxies, behind, server, counts):
    """The same for all counts, in lanes that do not wait for each other."""
    lanes = []
    for lane in range(LANES):
        proxy = proxies(server)
        lanes.append((proxy, behind(proxy.address, connections="1"), INFO, counts[lane::LANES]))
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        replies = {}
        for result in pool.map(lambda lane: cut_lane(*lane), lanes):
            replies.update(result)
    return replies


def test_a_reply_of_the_server_cut_anywhere_is_asked_again(proxies, behind, first):
    """Fault: a connection ends behind n bytes of answers, for every n from the first of the
    greeting to the last of the rows; each fourth time with a RST. Reply: the right one, whole.
    Deadline: 2 s. Recovery: at once, on the next connection."""
    proxy = proxies(first.socket)
    with behind(proxy.address, connections="1").map_client() as client:
        total, right = learn(proxy, client, INFO)
    assert right == INFO_RIGHT and total > 1000
    counts = [(n, False) for n in range(total + 1)] + [(n, True) for n in range(0, total, 4)]
    replies = cut_lanes(proxies, behind, first.socket, counts)
    assert len(replies) == len(counts)
    assert {cut: reply for cut, reply in replies.items() if reply != INFO_RIGHT} == {}


def test_a_long_reply_cut_anywhere_is_asked_again(proxies, behind, first):
    """Fault: as above, in the rows of an alias of 100 kB. Reply: all of them. Deadline: 2 s.
    Recovery: at once."""
    proxy = proxies(first.socket, tcp=False)
    mumd = behind(proxy.address, connections="1")
    with mumd.map_client() as client:
        total, right = learn(proxy, client, LIMIT)
    assert len(right) == 100000
    replies = cut_lane(proxy, mumd, LIMIT, [(n, False) for n in range(1400, total, 2477)])
    assert set(replies.values()) == {right} and len(replies) > 30


def test_replies_that_are_always_cut_are_trouble(proxies, behind, first):
    """Fault: every connection ends behind n bytes of answers, for some n all along the
    dialogue. Reply: TEMP. Deadline: 200 ms here. Recovery: within 1 s."""
    proxy = proxies(first.socket)
    mumd = behind(proxy.address, connections="1", deadline="200ms")
    with mumd.map_client() as client:
        # one statement; with two, each could succeed on a connection of its own
        total, _ = learn(proxy, client, SALES)
        for count in range(0, total, 67):
            proxy.cut(count)
            proxy.close()
            answer, seconds = timed(client.ask, *SALES)
            assert answer.startswith(b"TEMP ") and seconds < 1.2, count
        proxy.heal()
        healed = time.monotonic()
        wait_until(lambda: client.ask(*SALES) == b"OK carol@second.test", "recovery")
    assert time.monotonic() - healed < 1


@pytest.fixture(scope="module")
def encrypted(lab):
    """(a server with TLS, the certificate of its authority)"""
    authority = PrivateCa(lab.directory("ca-faults"))
    server = MariaDB(lab, "db-faults-tls")
    server.use_tls(*authority.issue("server", "DNS:localhost, IP:127.0.0.1"),
                   authority.certificate)
    return server.start().load_mum(sample.mariadb_text()), authority.certificate


def waiting(database):
    """How many of mumd's connections wait for a locked table."""
    return int(database.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE "
                            "user = 'mum_postfix' AND state LIKE 'Waiting for table%'")[0][0])


def test_connections_that_are_all_dead_are_all_left(proxies, behind, first):
    """Fault: seven connections have answered once and end with the next answer. Reply: the right
    one. Deadline: 20 s here. Recovery: at once, on a new connection."""
    proxy = proxies(first.socket)
    mumd = behind(proxy.address, connections="8", deadline="20s")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(mumd.map_client()) for _ in range(7)]
        total, _ = learn(proxy, clients[0], ("mailboxes", "alice+x@example.test"))
        proxy.cut(total + 1, times=7)
        with first.locked("mailboxes"):
            for number, client in enumerate(clients, start=1):
                client.send(netstring(b"mailboxes alice+%d@example.test" % number))
                wait_until(lambda count=number: waiting(first) == count, "one more connection")
        assert {client.reply() for client in clients} == {b"OK 1"}
        assert proxy.open == 7
        answer, seconds = timed(clients[0].ask, "mailboxes", "alice+8@example.test")
        assert answer == b"OK 1" and seconds < 1


@pytest.mark.parametrize("fault", ["cut", "corrupt"])
def test_an_encrypted_reply_that_is_damaged_is_asked_again(proxies, behind, encrypted, fault):
    """Fault: over TLS, behind n bytes of answers to statements, the connection ends, or one
    byte is another one. Reply: the right one. Deadline: 2 s. Recovery: at once."""
    server, authority = encrypted
    proxy = proxies(server.address)
    mumd = behind(proxy.address, connections="1", tls="verify-full", tls_ca=authority)
    with mumd.map_client() as client:
        total, right = learn(proxy, client, INFO)
        assert right == INFO_RIGHT
        for count in range(total - 1000, total, 83):
            getattr(proxy, fault)(count, times=1)
            proxy.close()
            assert client.ask(*INFO) == INFO_RIGHT, count


# ---- silently ----

HANGS = ["hung server", "black hole"]


@contextlib.contextmanager
def hanging(how, server, proxy):
    """From outside both are silent; a hung server later goes on where it was."""
    if how == "hung server":
        with server.paused():
            yield
    else:
        proxy.black_hole()
        yield
        proxy.heal()


@pytest.mark.parametrize("how", HANGS)
def test_a_database_that_hangs_is_waited_for_no_longer_than_the_deadline(proxies, behind, first,
                                                                         how):
    """Fault: the server or the network is silent, without an end of connections. Reply: TEMP
    or DEFER_IF_PERMIT, for a hundred clients at once, twice. Deadline: 500 ms + 1 s. Recovery:
    within 1 s."""
    proxy = proxies(first.socket)
    mumd = behind(proxy.address, deadline="500ms")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(mumd.map_client()) for _ in range(80)]
        deciders = [stack.enter_context(mumd.policy_client()) for _ in range(20)]
        assert clients[0].ask(*ALICE) == b"OK 1"
        with hanging(how, first, proxy):
            for turn in range(2):
                start = time.monotonic()
                for n, client in enumerate(clients):
                    client.send(netstring(b"mailboxes alice+%d.%d@example.test" % (turn, n)))
                for n, decider in enumerate(deciders):
                    decider.send(decider.request(recipient=f"bob+{turn}.{n}@example.test"))
                assert all(client.reply().startswith(b"TEMP ") for client in clients)
                assert {decider.reply() for decider in deciders} == {TROUBLE}
                assert time.monotonic() - start < 1.5
        back = time.monotonic()
        wait_until(lambda: clients[0].ask(*ALICE) == b"OK 1", "recovery")
    assert time.monotonic() - back < 1


def test_answers_that_come_late_but_in_time_are_right(proxies, behind, first):
    """Fault: each part of an answer takes 100 ms. Reply: the right one; while it is later
    than the deadline, TEMP. Deadline: 1 s here. Recovery: at once; or, if a connection was
    being made, after a deadline, when it is given up, because its answers stay late.
    """
    proxy = proxies(first.socket)
    mumd = behind(proxy.address, deadline="1s")
    with mumd.map_client() as client:
        assert client.ask(*ALICE) == b"OK 1"    # over a connection that is made by now
        proxy.delay(0.1)
        for table, key, right in MIXED[:3]:
            assert client.ask(table, key.replace("#", "x")) == right.replace("#", "x").encode()
        proxy.delay(3)
        answer, seconds = timed(client.ask, *ALICE)
        assert answer.startswith(b"TEMP ") and seconds < 2
        proxy.heal()
        wait_until(lambda: client.ask(*ALICE) == b"OK 1", "recovery", timeout=2)


def test_connections_that_are_reset_are_invisible(proxies, behind, first):
    """Fault: the network resets all connections, idle or busy, each time when everybody has
    an answer. Reply: the right one. Deadline: 2 s. Recovery: at once.
    """
    proxy = proxies(first.socket)
    mumd = behind(proxy.address)
    with many_askers(mumd, 6, pause=0) as askers:
        for _ in range(60):
            proxy.reset()
            back = time.monotonic()
            wait_until(lambda: all(asker.right_since(back) for asker in askers), "answers")
    assert proxy.connections > 60
    assert [asker.failures() for asker in askers] == [[]] * 6


# ---- one of several hosts ----

def gone(proxy, server):
    proxy.refuse()
    proxy.close()


def silent(proxy, server):
    proxy.black_hole()


def ended(proxy, server):
    proxy.close()
    server.stop()


def crashed(proxy, server):
    server.kill()


@pytest.mark.parametrize("fault, slowest", [(gone, 1), (ended, 1), (crashed, 1), (silent, 1.5)])
def test_the_second_host_answers_when_the_first_fails(proxies, behind, first, second, fault,
                                                      slowest):
    """Fault: the first of two hosts refuses, ends, crashes or falls silent, under load. Reply:
    the right one from the other; not one TEMP. Deadline: 2 s, half of it for the first host.
    Recovery: back on the first within 3 s after it is back."""
    proxy = proxies(first.address)
    mumd = behind(proxy.address, second.socket, connections="8")
    with many_askers(mumd, 8) as askers:
        wait_until(lambda: proxy.open > 3, "connections to the first")
        assert second.connections() == []
        fault(proxy, first)
        failed = time.monotonic()
        wait_until(second.connections, "failover")
        wait_until(lambda: all(asker.right_since(failed + slowest) for asker in askers), "answers")
        if not first.process.running():
            first.start()
        proxy.heal()
        back = time.monotonic()
        wait_until(lambda: proxy.open and not second.connections(), "the return")
        returned = time.monotonic() - back
    assert [asker.failures() for asker in askers] == [[]] * 8
    assert max(asker.slowest() for asker in askers) < slowest
    assert returned < 3


def test_a_question_waits_for_one_connection_to_a_silent_host_only(proxies, behind, first, second):
    """Fault: the first of two hosts falls silent while several connections to it are idle.
    Reply: the right one from the second, after half of the deadline. Deadline: 2 s."""
    proxy = proxies(first.address)
    mumd = behind(proxy.address, second.socket, connections="4")
    with many_askers(mumd, 8, pause=0):
        wait_until(lambda: proxy.open > 2, "connections")
    proxy.black_hole()
    answer, seconds = timed(mumd.lookup, *ALICE)
    assert answer == b"OK 1" and seconds < 1.5


def test_a_hung_first_host_is_left_for_the_second(behind, first, second):
    """Fault: the first of two hosts is stopped (SIGSTOP): it accepts and says nothing. Reply:
    the right one. Deadline: 2 s; who comes later does not wait for the first host. Recovery:
    back on the first within 3 s."""
    mumd = behind(first.socket, second.socket)
    with MixedAsker(mumd) as asker:
        with first.paused():
            hung = time.monotonic()
            wait_until(lambda: asker.right_since(hung + 1.5), "failover")
            later = time.monotonic()
            time.sleep(1)
        wait_until(lambda: not second.connections(), "the return", timeout=3)
    assert asker.failures() == []
    assert asker.slowest() < 1.5
    assert max(answer.seconds for answer in asker.answers if answer.when > later) < 0.5


def test_a_first_host_that_is_hung_at_the_start_delays_the_first_answer_only(behind, first,
                                                                             second):
    """Fault: mumd starts while the first of two hosts hangs. Reply: the right one. Deadline:
    2 s."""
    with first.paused():
        mumd = behind(first.socket, second.socket)
        answer, seconds = timed(mumd.lookup, *ALICE)
        assert answer == b"OK 1" and seconds < 2
        for n in range(50):
            answer, seconds = timed(mumd.lookup, "mailboxes", f"bob+{n}@example.test")
            assert answer == b"OK 1" and seconds < 0.5
