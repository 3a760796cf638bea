# SPDX-License-Identifier: MIT
"""A proxy before a real server that does not pass on some statements, as some proxies do,
and lies about it.
"""

import contextlib
import socket
import threading

COM_QUERY, COM_STMT_EXECUTE = 0x03, 0x17
SERVER_STATUS_AUTOCOMMIT = 2
UNKNOWN_SYSTEM_VARIABLE = 1193


def _packet(number, payload):
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


# https://mariadb.com/kb/en/ok_packet/, https://mariadb.com/kb/en/err_packet/
DONE = _packet(1, b"\0\0\0" + SERVER_STATUS_AUTOCOMMIT.to_bytes(2, "little") + b"\0\0")
UNKNOWN = _packet(1, b"\xff" + UNKNOWN_SYSTEM_VARIABLE.to_bytes(2, "little") +
                  b"#HY000Unknown system variable")


class LyingProxy:
    """with LyingProxy(path of the server's socket) as proxy: proxy.port, of 127.0.0.1.

    swallow: what a statement begins with that is said to be done, and is not.
    hide: what a statement holds that is refused, as a variable that is not known is.
    instead: what a statement begins with, and the statement that the server gets instead.
    before: a statement of its own, before the next prepared one is executed; once.
    heard: all statements that came.
    """

    def __init__(self, server, swallow=(), hide=(), instead=()):
        self.swallow, self.hide, self.instead = swallow, hide, dict(instead)
        self.before = None
        self.heard = []
        self._server = str(server)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._server)
            answers = _Answers(server, client)
            while True:
                header = client.recv(4, socket.MSG_WAITALL)
                if len(header) < 4:
                    break
                payload = client.recv(int.from_bytes(header[:3], "little"), socket.MSG_WAITALL)
                reply = self._reply(header[3], payload)
                if reply is not None:
                    client.sendall(reply)
                    continue
                if self.before is not None and payload[:1] == bytes([COM_STMT_EXECUTE]):
                    statement, self.before = self.before, None
                    answers.swallow()
                    server.sendall(_packet(0, bytes([COM_QUERY]) + statement.encode()))
                    answers.wait()
                server.sendall(_packet(header[3], self._exchange(payload)))
            server.shutdown(socket.SHUT_RDWR)

    def _reply(self, number, payload):
        """Its own answer, or None."""
        if number != 0 or payload[:1] != bytes([COM_QUERY]):
            return None
        text = payload[1:].decode(errors="replace")
        self.heard.append(text)
        if any(text.startswith(words) for words in self.swallow):
            return DONE
        return UNKNOWN if any(word in text for word in self.hide) else None

    def _exchange(self, payload):
        for words, statement in self.instead.items():
            if payload.startswith(bytes([COM_QUERY]) + words.encode()):
                return bytes([COM_QUERY]) + statement.encode()
        return payload


class _Answers:
    """Passes on a server's answers, except one that the client did not ask for."""

    def __init__(self, server, client):
        self._server, self._client = server, client
        self._swallowed = threading.Event()
        self._swallow = False
        threading.Thread(target=self._run, daemon=True).start()

    def swallow(self):
        self._swallow = True

    def wait(self):
        self._swallowed.wait(5)

    def _run(self):
        with contextlib.suppress(OSError):
            while data := self._server.recv(65536):
                if self._swallow:
                    self._swallow = False
                    self._swallowed.set()
                else:
                    self._client.sendall(data)
            self._client.shutdown(socket.SHUT_RDWR)
