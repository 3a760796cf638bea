# SPDX-License-Identifier: MIT
"""The way between Dovecot's auth and MariaDB breaks; and rows that no program should have
written.

Each test says the fault, the reply that clients see, the deadline of an answer and how long
it takes until all is well again.
"""

import contextlib
import threading
import time
import types

import pytest

from fakes.fault_proxy import FaultProxy
from lab import PrivateCa, free_port, hashes, wait_until
from lab.mum_dovecot import quota
from dovecot_stores import MariaStore, SqliteStore

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

NO_CACHE = {"cache": {"ttl": "0s"}}


@pytest.fixture(scope="module")
def first(lab):
    store = MariaStore(lab, name="fault-first")
    store.add("user", quota=5)
    return store


@pytest.fixture(scope="module")
def second(lab):
    store = MariaStore(lab, name="fault-second")
    store.add("user", quota=5)
    return store


USER = "user@example.test"
QUOTA = "5"


@pytest.fixture(scope="module")
def dovecot_behind(make_module_dovecot, first):
    """dovecot_behind(hosts, **database): a Dovecot that finds its databases at these places."""
    def make(*hosts, options=None, **database):
        names = [f"{host[0]}:{host[1]}" if isinstance(host, tuple) else f"unix:{host}"
                 for host in hosts]
        store = types.SimpleNamespace(
            name="behind", settings={**first.settings, "hosts": names, **database})
        return make_module_dovecot(store, options=options, sections=NO_CACHE)
    return make


@pytest.fixture(scope="module")
def proxy(first):
    with FaultProxy(("127.0.0.1", free_port()), first.server.socket) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def on_one(dovecot_behind, proxy):
    """With one connection, through the proxy."""
    return dovecot_behind(proxy.address, connections="1",
                          options={"deadline": "1s", "smtp_deadline": "1s"})


@pytest.fixture(scope="module")
def on_two(dovecot_behind, first, second):
    """With two hosts, each of which gets half of the deadline."""
    return dovecot_behind(first.server.socket, second.server.socket, options={"deadline": "2s"})


class Requests(threading.Thread):
    """userdb lookups and logins, one after the other, all along a fault; a context."""

    def __init__(self, dovecot):
        super().__init__(daemon=True)
        self.replies = []       # (when, "USER" or "OK" where all is well, seconds)
        self._dovecot, self._stop_it = dovecot, threading.Event()

    def run(self):
        with self._dovecot.userdb_client() as userdb, self._dovecot.auth_client() as auth:
            while not self._stop_it.is_set():
                for reply in (userdb.user(USER), auth.login(USER, "secret")):
                    self.replies.append((time.monotonic(), reply.kind, reply.seconds))

    def __enter__(self):
        self.start()
        wait_until(lambda: len(self.replies) > 1, "the first replies")
        return self

    def __exit__(self, *exception):
        self._stop_it.set()
        self.join(20)
        assert not self.is_alive()

    def kinds(self):
        return {kind for _, kind, _ in self.replies}

    def slowest(self):
        return max(seconds for _, _, seconds in self.replies)

    def goes_on(self, moment):
        return self.replies[-1][0] > moment


def length_of_a_lookup(proxy, userdb):
    """Bytes of the server's answers, from the greeting to the last row."""
    for _ in range(2):
        proxy.close()
        assert quota(userdb.user(USER).fields) == QUOTA
    proxy.close()
    return proxy.answered


def test_a_reply_cut_anywhere_is_asked_again(proxy, on_one):
    """Fault: a connection ends behind n bytes of the server's answers, each fifth time with a
    RST, all along a userdb lookup. Reply: the right fields. Deadline: 1 s here. Recovery: at
    once."""
    with on_one.userdb_client() as userdb:
        total = length_of_a_lookup(proxy, userdb)
        assert total > 700
        for number, count in enumerate(range(0, total, 5)):
            proxy.cut(count, times=1, reset=number % 5 == 0)
            proxy.close()
            reply = userdb.user(USER)
            assert reply.kind == "USER" and quota(reply.fields) == QUOTA, count


def test_replies_that_are_always_cut_are_an_internal_failure(proxy, on_one):
    """Fault: every connection ends behind n bytes of answers. Reply: FAIL to a lookup of the
    userdb, temp_fail to a login; never NOTFOUND, never a refusal. Deadline: 1 s here.
    Recovery: within 1 s."""
    with on_one.userdb_client() as userdb, on_one.auth_client() as auth:
        total = length_of_a_lookup(proxy, userdb)
        for count in range(0, total, 199):
            proxy.cut(count)
            proxy.close()
            login = auth.start([(USER, "secret", "imap")])
            lookup = userdb.start([("USER", USER, "lmtp")])
            (reply,) = userdb.collect(lookup).values()
            assert reply.kind == "FAIL" and reply.seconds < 2, count
            (reply,) = auth.collect(login).values()
            assert reply.fields["code"] == "temp_fail" and reply.seconds < 2, count
        proxy.heal()
        healed = time.monotonic()
        wait_until(lambda: userdb.user(USER).kind == "USER", "recovery")
    assert time.monotonic() - healed < 1


def test_an_encrypted_reply_that_is_damaged_is_asked_again(lab, dovecot_behind):
    """Fault: over TLS, the connection ends behind n bytes of answers, or one byte is another
    one. Reply: the right fields. Deadline: 5 s. Recovery: at once."""
    authority = PrivateCa(lab.directory("ca-dovecot-faults"))
    store = MariaStore(lab, name="fault-tls")
    store.add("user", quota=5)
    store.server.stop()
    store.server.use_tls(*authority.issue("server", "IP:127.0.0.1"), authority.certificate)
    store.server.start()
    with FaultProxy(("127.0.0.1", free_port()), ("127.0.0.1", store.server.port)) as proxy:
        dovecot = dovecot_behind(proxy.address, connections="1", tls="verify-full",
                                 tls_ca=authority.certificate)
        with dovecot.userdb_client() as userdb:
            total = length_of_a_lookup(proxy, userdb)
            for count in range(total - 500, total, 97):
                for fault in (proxy.cut, proxy.corrupt):
                    fault(count, times=1)
                    proxy.close()
                    assert quota(userdb.user(USER).fields) == QUOTA, (count, fault)


def test_killed_connections_are_not_noticed_under_load(first, on_two):
    """Fault: all connections are KILLed a hundred times, idle and busy ones, while three
    clients ask. Reply: the right one. Deadline: 2 s here. Recovery: at once."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Requests(on_two)) for _ in range(3)]
        for _ in range(100):
            first.server.disconnect("mum_dovecot")
    assert all(client.kinds() == {"USER", "OK"} for client in clients)


@pytest.mark.parametrize("fault", ["killed", "hung"])
def test_the_second_host_answers_when_the_first_fails(first, second, on_two, fault):
    """Fault: the first of two hosts crashes or is stopped, during logins and lookups. Reply:
    the right one from the other. Deadline: 2 s here, half of it for the first host. Recovery:
    back on the first within 3 s after it is back."""
    with Requests(on_two) as one, Requests(on_two) as other:
        wait_until(lambda: second.connections() == 0, "the first host")
        if fault == "killed":
            first.server.kill()
            wait_until(second.connections, "failover")
            time.sleep(0.5)
            first.server.start()
        else:
            with first.server.paused():
                wait_until(second.connections, "failover")
                time.sleep(0.5)
        back = time.monotonic()
        wait_until(lambda: second.connections() == 0, "the return")
        returned = time.monotonic() - back
        wait_until(lambda: one.goes_on(back + returned) and other.goes_on(back + returned),
                   "replies")
    assert one.kinds() == other.kinds() == {"USER", "OK"}
    assert returned < 3
    assert max(one.slowest(), other.slowest()) < (1 if fault == "killed" else 2)


# ---- rows ----

ROWS = {        # name: (columns, login, LMTP)
    "home of a megabyte": ({"homedir": "/" + "h" * 1000000}, "ok", "451"),
    "home not UTF-8": ({"homedir": b"/srv/\xff"}, "ok", "451"),
    "home with a NUL": ({"homedir": "/srv/x\0y"}, "ok", "451"),
    "mail not UTF-8": ({"maildir": b"maildir:/srv/\xff"}, "ok", "451"),
    "hash of a megabyte": ({"password": "$6$salt$" + "A" * 1000000}, "refused", "250"),
    "hash not UTF-8": ({"password": b"$2y$04$\xff"}, "refused", "250"),
    "hash with a NUL": ({"password": hashes.bcrypt(cost=4) + "\0x"}, "refused", "250"),
}


NAMES = ["new\nline", "tab\tname", "\x01", "c1\x85"]       # of mailboxes


def test_rows_that_mariadb_could_not_hold_hurt_nobody_else(lab, make_dovecot):
    """Fault: SQLite holds a home, a mail or a hash that is huge or no text, and names of
    mailboxes with a newline, a tab, a NUL or no UTF-8. Reply: 451 to mail for this user, a
    refused login for a bad hash; such names are nobody and in no list; the right one for
    everybody else. Deadline: 5 s. Recovery: with the row."""
    store = SqliteStore(lab, name="bad-rows")
    good = store.add("good")
    users = {store.add(f"bad{n}", **columns): (login, lmtp)
             for n, (columns, login, lmtp) in enumerate(ROWS.values())}
    for name in [*NAMES, "nul\0name", "x"]:
        store.add(name)
    store.run("UPDATE mailboxes SET local_part = CAST(X'78ff' AS TEXT) WHERE local_part = 'x'")
    dovecot = make_dovecot(store)
    with dovecot.lmtp() as lmtp:
        for user, (login, reply) in users.items():
            assert dovecot.login(user, "secret") == login, user
            assert lmtp.rcpt(user)[:3] == reply, user
            assert lmtp.rcpt(good)[:3] == "250"
    assert dovecot.login(good, "secret") == "ok"
    assert set(dovecot.doveadm("user", "*").stdout.splitlines()) == {good, *users}
    for name in [*NAMES, "new", "x"]:
        assert dovecot.user(f"{name}@example.test") is None
        assert dovecot.login(f"{name}@example.test", "secret") == "refused"
