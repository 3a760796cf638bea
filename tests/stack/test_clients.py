# SPDX-License-Identifier: MIT
"""Many clients, slow clients, and clients that send garbage."""

import contextlib
import threading
import time

import pytest

from lab import Mumd, PolicyClient, SocketmapClient, netstring, wait_until
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import mariadb_settings

ALICE = b"28:mailboxes alice@example.test,"
REQUEST = PolicyClient.request(sender="x@foreign.test", recipient="alice@example.test")
REFUSED = PolicyClient.request(sender="x@foreign.test", recipient="sendonly@example.test")
SEND_ONLY = "550 5.2.1 mailbox does not accept mail (send-only)"


@pytest.fixture(scope="module")
def mumd(lab, mariadb):
    return Mumd(lab, {"database": mariadb_settings(mariadb, POSTFIX_PASSWORD)},
                name="mumd-clients").start()


def replies_to_the_end(client):
    """Whole socketmap replies until the server closes; anything else fails."""
    replies = []
    with contextlib.suppress(ConnectionError):
        while True:
            replies.append(client.reply())
    assert client.read_to_end() == b""
    return replies


class Unaffected:
    """A context: others are served meanwhile, and afterwards the log has `lines` more lines."""

    def __init__(self, mumd, lines):
        self._mumd, self._lines = mumd, lines

    def __enter__(self):
        self._other, self._policy = self._mumd.map_client(), self._mumd.policy_client()
        self.serve()
        self._seen = len(self._mumd.log())
        return self

    def serve(self):
        self._other.send(ALICE)
        assert self._other.reply() == b"OK 1"
        self._policy.send(REQUEST)
        assert self._policy.reply() == "DUNNO"

    def __exit__(self, kind, *exception):
        if kind is None:
            wait_until(lambda: len(self._mumd.log()) - self._seen >= self._lines,
                       f"{self._lines} lines in the log")
            self.serve()
            assert len(self._mumd.log()) - self._seen == self._lines, \
                self._mumd.log()[self._seen:]
        self._other.close()
        self._policy.close()


BAD_FRAMES = {
    "a huge length": b"99999999999999999999:mailboxes alice@example.test,",
    "a length over 32 bits": b"4294967324:mailboxes alice@example.test,",
    "a length over the limit": b"100000:" + b"k" * 100000 + b",",
    "a negative length": b"-1:mailboxes alice@example.test,",
    "a signed length": b"+28:mailboxes alice@example.test,",
    "a padded length": b"028:mailboxes alice@example.test,",
    "two zeros": b"00:,",
    "a hexadecimal length": b"0x1c:mailboxes alice@example.test,",
    "no length": b":mailboxes alice@example.test,",
    "a blank before the length": b" 28:mailboxes alice@example.test,",
    "no netstring": b"mailboxes alice@example.test\n",
    "another protocol": b"GET / HTTP/1.0\r\n\r\n",
    "no comma": b"28:mailboxes alice@example.test;",
    "a length too short": b"27:mailboxes alice@example.test,",
    "a length too long": b"29:mailboxes alice@example.test,28:mailboxes alice@example.test,",
    "digits without end": b"1" * 5000,
    "binary": bytes(range(256)),
    "an empty payload": b"0:,",
    "a table without a key": b"9:mailboxes,",
    "only a NUL": b"1:\0,",
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frame_closes_this_client_and_is_logged_once(mumd, name):
    with Unaffected(mumd, lines=1), mumd.map_client() as client:
        client.send(ALICE)
        assert client.reply() == b"OK 1"
        with contextlib.suppress(ConnectionError):
            client.send(BAD_FRAMES[name])
        assert all(reply.split(b" ")[0] in (b"PERM", b"TEMP")
                   for reply in replies_to_the_end(client))


@pytest.mark.parametrize("payload", [b" ", b" alice@example.test",
                                     b"mail\0boxes alice@example.test",
                                     b"\xff alice@example.test", b"n" * 300 + b" x"])
def test_a_request_without_a_known_table_is_a_permanent_error(mumd, payload):
    with Unaffected(mumd, lines=1), mumd.map_client() as client:
        client.send(netstring(payload))
        assert client.reply().startswith(b"PERM ")
        client.send(ALICE)
        assert client.reply() == b"OK 1"


@pytest.mark.parametrize("length", [0, 191, 192, 9990])
def test_a_key_of_any_length_that_postfix_sends_is_answered(mumd, length):
    with Unaffected(mumd, lines=0), mumd.map_client() as client:
        assert client.ask("mailboxes", b"k" * length) == b"NOTFOUND "
        client.send(ALICE)
        assert client.reply() == b"OK 1"


@pytest.mark.parametrize("length", [10000, 10001, 20000])
def test_a_key_longer_than_postfix_sends_is_answered_or_closed(mumd, length):
    lines = len(mumd.log())
    with mumd.map_client() as client:
        client.send(netstring(b"mailboxes " + b"k" * length))
        try:
            assert client.reply() == b"NOTFOUND "
            assert len(mumd.log()) == lines
        except ConnectionError:
            wait_until(lambda: len(mumd.log()) == lines + 1, "one line in the log")


def test_a_request_cut_anywhere_is_waited_for(mumd):
    with Unaffected(mumd, lines=0) as others:
        for cut in range(1, len(ALICE)):
            with mumd.map_client() as client:
                client.send(ALICE[:cut])
                others.serve()
                client.send(ALICE[cut:])
                assert client.reply() == b"OK 1"


def test_a_request_cut_anywhere_by_a_close_is_no_event(mumd):
    with Unaffected(mumd, lines=0):
        for wire, connect in ((ALICE, mumd.map_client), (REQUEST, mumd.policy_client)):
            for cut in range(0, len(wire), 7):
                with connect() as client:
                    client.send(wire[:cut])


def test_a_client_that_stops_sending_gets_its_answers(mumd):
    with mumd.map_client() as client:
        client.send(ALICE * 3)
        client.shutdown()
        assert replies_to_the_end(client) == [b"OK 1"] * 3
    with mumd.policy_client() as client:
        client.send(REQUEST * 3)
        client.shutdown()
        assert client.read_to_end() == b"action=DUNNO\n\n" * 3


def test_a_client_that_leaves_before_its_answer_is_no_event(mumd, mariadb):
    with Unaffected(mumd, lines=0):
        with mariadb.locked("tls_policies"):
            for n in range(5):
                with mumd.map_client() as client:
                    client.send(netstring(b"tls-policies gone%d.test" % n))


@pytest.mark.memory
def test_a_client_that_does_not_read_is_not_fed_without_end(mumd):
    """Its requests wait; our memory does not grow by replies that it could have read."""
    with Unaffected(mumd, lines=0) as others, mumd.map_client() as client:
        before = mumd.rss()
        client.settimeout(0.3)
        ask = netstring(b"aliases limit@big.test")      # a reply of 100 kB
        with contextlib.suppress(TimeoutError):
            for _ in range(100):
                client.send(ask * 1000)
        others.serve()
        assert mumd.rss() - before < 8 << 20


@pytest.mark.parametrize("wire", [
    b"\n", b"no equals sign\n\n", b"=x\n\n", b"=\n\n", b"request=\n\n", b"request=other\n\n",
    b"request=junk=x\n\n", b"recipient=alice@example.test\n\n",
    REQUEST.replace(b"recipient=alice", b"recipient=al\0ice"), b"GET / HTTP/1.0\r\n\r\n"])
def test_a_policy_request_of_another_kind_is_closed_and_logged_once(mumd, wire):
    with Unaffected(mumd, lines=1), mumd.policy_client() as client:
        client.send(wire + b"\n")
        assert client.read_to_end() == b""


def test_a_thousand_short_attributes_are_passed_over(mumd):
    with Unaffected(mumd, lines=0), mumd.policy_client() as client:
        client.send(b"".join(b"a%d=x\n" % n for n in range(1000)) + REQUEST)
        assert client.reply() == "DUNNO"


POLICY_FLOODS = {
    "100,000 attributes": b"".join(b"a%d=x\n" % n for n in range(100000)) + REQUEST,
    "a value of 100 kB": REQUEST[:-1] + b"x=" + b"y" * 100000 + b"\n\n",
    "a name of 100 kB": REQUEST[:-1] + b"y" * 100000 + b"=x\n\n",
    "no end": b"a=b\n" * 300000,
    "a line without end": b"a" * 1000000,
}


@pytest.mark.parametrize("name", POLICY_FLOODS)
def test_a_policy_flood_is_closed_and_logged_once(mumd, name):
    flood = POLICY_FLOODS[name]
    before = mumd.rss()
    with Unaffected(mumd, lines=1), mumd.policy_client() as client:
        with contextlib.suppress(ConnectionError):
            client.send(flood)
        assert client.read_to_end() == b""
    assert mumd.rss() - before < 4 << 20


def test_an_attribute_named_twice_cannot_smuggle_a_recipient(mumd):
    """The first or the last may count, but the reply is one action."""
    with mumd.policy_client() as client:
        client.send(REFUSED[:-1] + b"recipient=alice@example.test\n\n")
        assert client.reply() in (SEND_ONLY, "DUNNO")


@pytest.mark.parametrize("value", [b"\xff\xfe", b"\r", b"x\x1by"])
def test_odd_bytes_in_a_policy_request_are_answered(mumd, value):
    with Unaffected(mumd, lines=0), mumd.policy_client() as client:
        client.send(REFUSED.replace(b"recipient=sendonly", b"recipient=" + value))
        assert client.reply() == "DUNNO"
        client.send(REQUEST.replace(b"helo_name=", b"helo_name=" + value))
        assert client.reply() == "DUNNO"


def test_one_byte_a_second_delays_nobody_else(mumd):
    """Two clients send the last bytes of a request like that; nobody notices."""
    def drip(client, wire):
        for byte in wire:
            client.send(bytes([byte]))
            time.sleep(1)       # this is the subject of the test
    with Unaffected(mumd, lines=0) as others:
        with mumd.map_client() as slow, mumd.policy_client() as slower:
            slow.send(ALICE[:-5])
            slower.send(REQUEST[:-5])
            threads = [threading.Thread(target=drip, args=pair, daemon=True)
                       for pair in ((slow, ALICE[-5:]), (slower, REQUEST[-5:]))]
            for thread in threads:
                thread.start()
            slowest, rounds = 0, 0
            while any(thread.is_alive() for thread in threads):
                start = time.monotonic()
                others.serve()
                slowest, rounds = max(slowest, time.monotonic() - start), rounds + 1
            assert slow.reply() == b"OK 1" and slower.reply() == "DUNNO"
        assert slowest < 0.5 and rounds > 1000


@pytest.mark.memory
def test_five_hundred_idle_and_sixteen_busy_clients(make_mumd, mariadb):
    """In under 20 MB, on no more connections than configured."""
    before = set(mariadb.connections())
    mumd = make_mumd({"database": mariadb_settings(mariadb, POSTFIX_PASSWORD, connections="2")})
    errors, slow, most = [], [], 0

    def work(number):
        with mumd.map_client() as maps, mumd.policy_client() as policy:
            for n in range(150):
                start = time.monotonic()
                key = f"alice+{number}.{n}@example.test"
                if maps.ask("mailboxes", key) != b"OK 1":
                    errors.append(key)
                if policy.ask(sender="", recipient=f"sendonly+{number}.{n}@example.test",
                              policy_context="recipient") != SEND_ONLY:
                    errors.append(n)
                slow.append(time.monotonic() - start)

    with contextlib.ExitStack() as stack:
        idle = []
        for n in range(250):
            idle.append(stack.enter_context(mumd.map_client()))
            idle.append(stack.enter_context(mumd.policy_client()))
            if n % 2:       # half of them have asked something before
                assert idle[-2].ask("mailboxes", "alice@example.test") == b"OK 1"
        threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(16)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most = max(most, len(set(mariadb.connections()) - before))
        assert errors == []
        assert mumd.rss() < 20 << 20
        assert 1 <= most <= 2
        assert sorted(slow)[len(slow) * 99 // 100] < 0.5
        for client in idle[::2]:
            client.send(ALICE)
        assert all(client.reply() == b"OK 1" for client in idle[::2])


def test_a_client_over_the_limit_takes_the_place_of_an_idle_one(make_mumd, mariadb):
    """The idle client connects again and is served: Postfix does so silently."""
    mumd = make_mumd({"database": mariadb_settings(mariadb, POSTFIX_PASSWORD),
                      "process": {"max_clients": "10"}})
    lines = len(mumd.log())
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(10):
            clients.append(stack.enter_context(mumd.map_client()))
            assert clients[-1].ask("mailboxes", "alice@example.test") == b"OK 1"
        assert mumd.lookup("mailboxes", "alice@example.test") == b"OK 1"
        closed = 0
        for client in clients:
            try:
                assert client.ask("mailboxes", "alice@example.test") == b"OK 1"
            except ConnectionError:
                closed += 1
                assert mumd.lookup("mailboxes", "alice@example.test") == b"OK 1"
        assert closed <= 2
    assert len(mumd.log()) - lines <= 2     # when it begins, and when it ends


@pytest.mark.long
def test_clients_that_read_nothing_do_not_keep_others_out_for_ever(make_mumd, mariadb):
    """Each place is taken by a client that asks and never reads; after 30 s there is room
    again.
    """
    mumd = make_mumd({"database": mariadb_settings(mariadb, POSTFIX_PASSWORD),
                      "process": {"max_clients": "5"}})
    ask = netstring(b"aliases limit@big.test")      # a reply of 100 kB

    def is_served():
        try:
            return mumd.lookup("mailboxes", "alice@example.test") == b"OK 1"
        except ConnectionError:
            return False
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            client = stack.enter_context(mumd.map_client())
            client.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                for _ in range(100):
                    client.send(ask * 1000)
        assert not is_served()
        wait_until(is_served, "room", timeout=60, interval=0.5)
    mumd.wait_log("socketmap: closing a client that did not read its reply in time")


@pytest.mark.memory
def test_connecting_and_leaving_leaves_nothing_behind(mumd):
    before = mumd.rss()
    for _ in range(2000):
        socketmap = SocketmapClient(mumd.socketmap)
        socketmap.close()
    assert mumd.lookup("mailboxes", "alice@example.test") == b"OK 1"
    assert mumd.rss() - before < 1 << 20


def test_a_flood_of_bad_requests_does_not_fill_the_log(mumd):
    seen = len(mumd.log())
    for _ in range(250):
        with mumd.map_client() as client:
            client.send(b"nonsense,")
            client.read_to_end()
    lines = [line for line in mumd.log()[seen:] if "bad request" in line]
    # Lines of earlier tests count, too, and a new count may have begun.
    assert 1 < len(lines) < 210
    assert any("not logged for a while" in line for line in mumd.log())
    assert mumd.lookup("mailboxes", "alice@example.test") == b"OK 1"
