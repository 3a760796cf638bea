# SPDX-License-Identifier: MIT
"""The fault proxy does what it says; otherwise the tests that use it would show nothing."""

import contextlib
import socketserver
import threading
import time

import pytest

from fakes.fault_proxy import FaultProxy
from lab import free_port, wait_until
from lab.clients import Client
from lab.lab import accepts


class _Upper(socketserver.StreamRequestHandler):
    """Each line comes back in capitals; "bye" ends it."""

    def handle(self):
        for line in self.rfile:
            if line == b"bye\n":
                return
            self.wfile.write(line.upper())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@pytest.fixture(scope="module")
def server():
    with _Server(("127.0.0.1", free_port()), _Upper) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address
        server.shutdown()


@pytest.fixture(params=["tcp", "unix"])
def proxy(request, lab, server):
    address = (("127.0.0.1", free_port()) if request.param == "tcp"
               else lab.path / f"proxy-{time.monotonic_ns()}")
    with FaultProxy(address, server) as proxy:
        yield proxy


def client_of(proxy):
    address = proxy.address
    return Client(address if isinstance(address, tuple) else str(address), timeout=3)


def ask(client, line=b"hello world\n"):
    client.send(line)
    return client.read_until(b"\n")


def test_everything_passes_without_a_fault(proxy):
    long = b"x" * 3_000_000 + b"\n"
    with client_of(proxy) as client, client_of(proxy) as other:
        threading.Thread(target=client.send, args=(long,), daemon=True).start()
        assert ask(other) == b"HELLO WORLD"
        assert client.read_until(b"\n") == long.upper()[:-1]
        assert (proxy.connections, proxy.open) == (2, 2)
        client.send(b"bye\n")
        assert client.read_to_end() == b""
    wait_until(lambda: proxy.open == 0, "both are gone")


def test_a_server_that_is_away_ends_the_connection(lab):
    with FaultProxy(lab.path / "proxy-to-nobody", ("127.0.0.1", free_port())) as proxy:
        assert client_of(proxy).read_to_end() == b""


def test_delay_holds_back_answers_and_heal_ends_it(proxy):
    with client_of(proxy) as client:
        for seconds in (0.2, 0):
            proxy.delay(seconds)
            start = time.monotonic()
            assert ask(client) == b"HELLO WORLD"
            assert seconds <= time.monotonic() - start < seconds + 0.15
        proxy.delay(9)
        proxy.heal()
        assert ask(client) == b"HELLO WORLD"


@pytest.mark.parametrize("count", range(13))
def test_cut_ends_the_next_connections_behind_so_many_bytes(proxy, count):
    with client_of(proxy) as old:
        assert ask(old, b"1\n") == b"1"
        proxy.cut(count, times=2)
        for _ in range(2):
            with client_of(proxy) as client:
                with contextlib.suppress(OSError):
                    client.send(b"hello world\n")
                assert client.read_to_end() == b"HELLO WORLD\n"[:count]
        with client_of(proxy) as client:
            assert ask(client) == b"HELLO WORLD"
        assert ask(old) == b"HELLO WORLD"


def test_cut_holds_for_all_until_heal(proxy):
    proxy.cut(5)
    for _ in range(4):
        with client_of(proxy) as client:
            client.send(b"hello world\n")
            assert client.read_to_end() == b"HELLO"
    proxy.heal()
    with client_of(proxy) as client:
        assert ask(client) == b"HELLO WORLD"
        proxy.close()
        assert client.read_to_end() == b"" and proxy.answered == 12


def test_corrupt_turns_one_byte(proxy):
    proxy.corrupt(4, times=1)
    with client_of(proxy) as client:
        assert ask(client) == b"HELL" + bytes([ord("O") ^ 0xff]) + b" WORLD"
        assert ask(client) == b"HELLO WORLD"
    with client_of(proxy) as client:
        assert ask(client) == b"HELLO WORLD"


def test_black_hole_is_silent_and_stays_so(proxy):
    with client_of(proxy) as old, client_of(proxy) as idle:
        assert ask(old) == b"HELLO WORLD" and ask(idle) == b"HELLO WORLD"
        proxy.black_hole()
        with client_of(proxy) as new:
            for client in (old, new):
                client.send(b"hello\n")
                client.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    client.read_until(b"\n")
            proxy.heal()
            assert ask(idle) == b"HELLO WORLD"
            for client in (old, new):
                with pytest.raises(TimeoutError):
                    ask(client)


def test_refuse_keeps_new_ones_out_and_old_ones_in(proxy):
    address = proxy.address
    with client_of(proxy) as old:
        assert ask(old) == b"HELLO WORLD"
        proxy.refuse()
        assert not accepts(address)
        assert ask(old) == b"HELLO WORLD"
        proxy.heal()
        assert accepts(address)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_an_end_is_of_the_kind_that_was_asked_for(proxy, how):
    with client_of(proxy) as client:
        assert ask(client) == b"HELLO WORLD"
        getattr(proxy, how)()
        tcp = isinstance(proxy.address, tuple)
        with pytest.raises(ConnectionResetError) as caught:     # of the client, at any end
            client.read_until(b"\n")
        assert ("closed by the server" in str(caught.value)) == (not tcp or how == "close")
    with client_of(proxy) as client:
        assert ask(client) == b"HELLO WORLD"
