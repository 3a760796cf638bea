# SPDX-License-Identifier: MIT
"""A proxy before a real server that treats the answers as a bad network does."""

import collections
import contextlib
import pathlib
import selectors
import socket
import struct
import threading
import time

LONGEST_WAIT = 10.0     # seconds until a command must be done


def _socket(address):
    return socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)


def _plain(address):
    return address if isinstance(address, tuple) else str(address)


class _Link:
    """One client's connection, and ours to the server for it."""

    def __init__(self, client, server, cut, corrupt):
        self.client, self.server = client, server
        self.asked, self.answered = collections.deque(), collections.deque()    # (due, bytes)
        self.passed = 0             # bytes of answers that came from the server
        self.cut, self.corrupt = cut, corrupt
        self.silent = False         # bytes are lost, so no others may follow
        self.ending = False         # closed when what was answered has been sent
        self.reset = False          # ... and how


class FaultProxy:
    """Passes everything on until a fault is set; faults can be set at any time.

    It listens at address and passes on to server: paths of unix sockets or ("127.0.0.1",
    port), also one of each. A fault holds from the return of its call until heal(), for all
    connections unless its text says otherwise; several faults can hold together. A
    connection that ends does so on both sides.

    connections: how many were accepted so far. open: how many are open now. answered: how
    many bytes the server had sent on the connection that ended last.
    """

    def __init__(self, address, server):
        self.address, self.server = address, server
        self.connections = self.answered = 0
        self._links = set()
        self._listening = None
        self._commands = collections.deque()
        self._selector = selectors.DefaultSelector()
        self._bell, self._rung = socket.socketpair()
        self._selector.register(self._rung, selectors.EVENT_READ, self._obey)
        self._running = True
        self._be_well()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def stop(self):
        if self._running:
            self._do(self._end)
            self._thread.join(LONGEST_WAIT)

    @property
    def open(self):
        return len(self._links)

    # ---- faults ----

    def delay(self, seconds):
        """Each part of an answer comes so many seconds later."""
        self._do(lambda: setattr(self, "_delay", seconds))

    def black_hole(self):
        """Connections are accepted and stay open, but nothing passes in either direction.

        A connection that has lost bytes stays silent, also after heal().
        """
        self._do(lambda: setattr(self, "_hole", True))

    def refuse(self):
        """Nobody listens. Existing connections go on."""
        self._do(self._unlisten)

    def cut(self, count, times=None, reset=False):
        """A connection ends after `count` bytes of answers; reset: with a RST.

        This holds for connections made from now on: for all of them, or for the next `times`.
        """
        self._do(lambda: self._mark("_cut", (count, reset), times))

    def corrupt(self, position, times=None):
        """The byte behind the first `position` bytes of answers arrives with its bits flipped.

        This holds for connections made from now on: for all of them, or for the next `times`.
        """
        self._do(lambda: self._mark("_corrupt", position, times))

    def close(self):
        """Existing connections end in good order. New ones are not affected."""
        self._do(lambda: self._drop_all(reset=False))

    def reset(self):
        """The same with a RST, for connections over TCP."""
        self._do(lambda: self._drop_all(reset=True))

    def heal(self):
        """Ends all faults, except for connections that have lost bytes."""
        self._do(self._be_well)

    def _do(self, command):
        done = threading.Event()
        self._commands.append((command, done))
        self._bell.send(b"!")
        if not done.wait(LONGEST_WAIT):
            raise TimeoutError("the fault proxy is stuck")

    # ---- from here on, in its own thread ----

    def _run(self):
        wait = None
        while self._running:
            for key, _ in self._selector.select(wait):
                if key.fileobj.fileno() >= 0:       # not closed by the one before it
                    key.data()
            wait = self._send()
        self._selector.close()
        self._bell.close()
        self._rung.close()

    def _obey(self):
        self._rung.recv(4096)
        while self._commands:
            command, done = self._commands.popleft()
            command()
            done.set()

    def _end(self):
        self._drop_all(reset=False)
        self._unlisten()
        self._running = False

    def _be_well(self):
        self._delay, self._hole = 0, False
        self._cut = self._corrupt = (None, None)    # what, and for how many connections
        if self._listening is None:
            self._listen()

    def _mark(self, name, what, times):
        setattr(self, name, (what, times))

    def _next(self, name):
        """Applies that fault to a new connection."""
        what, times = getattr(self, name)
        if times is not None:
            self._mark(name, what if times > 1 else None, times - 1)
        return what

    def _listen(self):
        if not isinstance(self.address, tuple):
            pathlib.Path(self.address).unlink(missing_ok=True)
        self._listening = _socket(self.address)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind(_plain(self.address))
        if not isinstance(self.address, tuple):
            pathlib.Path(self.address).chmod(0o666)
        self._listening.listen(128)
        self._selector.register(self._listening, selectors.EVENT_READ, self._accept)

    def _unlisten(self):
        if self._listening is not None:
            self._selector.unregister(self._listening)
            self._listening.close()
            self._listening = None

    def _accept(self):
        client = self._listening.accept()[0]
        server = _socket(self.server)
        self.connections += 1
        server.settimeout(1)
        try:
            server.connect(_plain(self.server))
        except OSError:             # nobody behind us: the client learns it like this
            client.close()
            server.close()
            return
        link = _Link(client, server, self._next("_cut"), self._next("_corrupt"))
        for end in (client, server):
            end.setblocking(False)
        self._selector.register(client, selectors.EVENT_READ, lambda: self._from_client(link))
        self._selector.register(server, selectors.EVENT_READ, lambda: self._from_server(link))
        self._links.add(link)
        if link.cut is not None and link.cut[0] == 0:
            self._drop(link, link.cut[1])

    @staticmethod
    def _read(end):
        """b"" at the end, however the connection ends."""
        try:
            return end.recv(65536)
        except OSError:
            return b""

    def _swallow(self, link):
        link.silent = link.silent or self._hole
        return link.silent

    def _from_client(self, link):
        data = self._read(link.client)
        if not data:
            self._drop(link, reset=False)
        elif not self._swallow(link):
            link.asked.append((0, data))

    def _from_server(self, link):
        data = self._read(link.server)
        if self._swallow(link):
            if not data:            # nobody is told
                self._selector.unregister(link.server)
            return
        if not data:
            self._selector.unregister(link.server)
            link.ending = True
            return
        link.answered.append((time.monotonic() + self._delay, self._damage(link, data)))
        link.passed += len(data)

    @staticmethod
    def _damage(link, data):
        at = -1 if link.corrupt is None else link.corrupt - link.passed
        if 0 <= at < len(data):
            data = data[:at] + bytes([data[at] ^ 0xff]) + data[at + 1:]
        if link.cut is not None and link.passed + len(data) >= link.cut[0]:
            data = data[:max(0, link.cut[0] - link.passed)]
            link.ending, link.reset = True, link.cut[1]
        return data

    def _send(self):
        """Sends what is due; returns how long until something else is due, or None."""
        now, soonest = time.monotonic(), None
        for link in list(self._links):
            try:
                due = [self._send_parts(link.asked, link.server, now),
                       self._send_parts(link.answered, link.client, now)]
            except OSError:
                self._drop(link, reset=False)
                continue
            if link.ending and not link.answered:
                self._drop(link, link.reset)
                continue
            for moment in filter(None, due):
                soonest = moment if soonest is None else min(soonest, moment)
        return None if soonest is None else max(0, soonest - time.monotonic())

    @staticmethod
    def _send_parts(parts, target, now):
        """Returns when to call it again, or None."""
        while parts:
            due, data = parts[0]
            if due > now:
                return due
            try:
                sent = target.send(data)
            except BlockingIOError:
                return now + 0.001
            parts.popleft()
            if sent < len(data):
                parts.appendleft((due, data[sent:]))
        return None

    def _drop(self, link, reset):
        if link not in self._links:
            return
        self._links.discard(link)
        self.answered = link.passed
        for end in (link.client, link.server):
            with contextlib.suppress(KeyError):
                self._selector.unregister(end)
            if reset:               # nothing waits to be sent: the other side gets a RST
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()

    def _drop_all(self, reset):
        for link in list(self._links):
            self._drop(link, reset)
