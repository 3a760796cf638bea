# SPDX-License-Identifier: MIT
"""Dovecot's quota-status, as it is and as it must not be: each test says how it answers."""

import contextlib
import os
import pathlib
import select
import socket
import threading
import time

DUNNO = "DUNNO"
FULL = "452 4.2.2 mailbox is full"
TROUBLE = "DEFER_IF_PERMIT Temporary internal error"


class QuotaStatus:
    """One thread for each connection, as Dovecot has a process for each.

    actions: {mailbox: action}; others get `default`. delays: {mailbox: seconds}, and
    `delay` for all, probes too. raw: the bytes of every answer instead. silent: no
    answers; silent_mailboxes: to probes alone. limit: connections that are served at a time; the kernel keeps the others.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.actions, self.delays = {}, {}
        self.default, self.delay = DUNNO, 0
        self.raw, self.silent, self.limit = None, False, 1000
        self.silent_mailboxes = False
        self.asked = []             # (mailbox, size), without probes
        self.probes = []            # time.monotonic()
        self._listener = None
        self._connections = set()

    def start(self):
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        os.chmod(self.path, 0o666)
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()
        return self

    def stop(self):
        """As a service that is killed: its connections end, too."""
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.reload()

    def reload(self):
        """As doveadm reload: the connections end."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def connections(self):
        return len(self._connections)

    def mailboxes(self):
        return [mailbox for mailbox, _ in self.asked]

    def _accept(self, listener):
        while True:
            try:
                select.select([listener], [], [])
                while len(self._connections) >= self.limit:
                    time.sleep(0.005)
                connection, _ = listener.accept()
            except (OSError, ValueError):       # stopped
                return
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        try:
            with connection:
                self._answer_all(connection)
        except OSError:
            pass
        finally:
            self._connections.discard(connection)

    def _answer_all(self, connection):
        unread = b""
        while True:
            while b"\n\n" not in unread:
                data = connection.recv(4096)
                if not data:
                    return
                unread += data
            request, _, unread = unread.partition(b"\n\n")
            words = dict(line.split("=", 1) for line in request.decode().split("\n"))
            assert list(words) == ["request", "protocol_state", "recipient", "size"], words
            self._answer(connection, words["recipient"], int(words["size"]))

    def _answer(self, connection, mailbox, size):
        is_probe = mailbox.startswith("mumd-probe-")
        if is_probe:
            self.probes.append(time.monotonic())
        else:
            self.asked.append((mailbox, size))
        time.sleep(self.delay + self.delays.get(mailbox, 0))
        while self.silent or (self.silent_mailboxes and not is_probe):
            time.sleep(0.01)
        action = self.actions.get(mailbox, self.default)
        connection.sendall(self.raw if self.raw is not None else f"action={action}\n\n".encode())
        if self.raw is not None and not self.raw.endswith(b"\n\n"):
            raise OSError("half an answer is the last one")
