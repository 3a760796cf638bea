# SPDX-License-Identifier: MIT
"""Bad servers: one asks for the password in clear text, one hangs up."""

import contextlib
import socket
import threading
import time

CLIENT_PROTOCOL_41 = 0x00000200
CLIENT_SSL = 0x00000800
CLIENT_SECURE_CONNECTION = 0x00008000
CLIENT_PLUGIN_AUTH = 0x00080000
CAPABILITIES = CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH


def _packet(number, payload):
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def _greeting(capabilities=CAPABILITIES):
    """https://mariadb.com/kb/en/connection/#initial-handshake-packet"""
    low, high = (capabilities & 0xffff).to_bytes(2, "little"), (capabilities >> 16).to_bytes(2, "little")
    return _packet(0, b"\x0a" + b"10.11.0-MariaDB\0" + bytes(4) + b"scramble" + b"\0" + low +
                   b"\x2d" + bytes(2) + high + b"\x15" + bytes(10) + b"scramble1234\0" +
                   b"mysql_native_password\0")


class RogueMariaDB:
    """It has no TLS.

    with RogueMariaDB() as rogue: rogue.port; rogue.heard is all that clients sent."""

    def __init__(self, plugin=b"mysql_clear_password"):
        self.heard = b""
        self.answers = 0    # to what it asked after the greeting
        self._switch = b"\xfe" + plugin + b"\0" + b"scramble12345678901\0"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                with self._listener.accept()[0] as client, contextlib.suppress(OSError):
                    self._talk(client)

    def _talk(self, client):
        client.settimeout(2)
        client.sendall(_greeting())
        number = self._packet_from(client)
        if number is not None:
            client.sendall(_packet(number + 1, self._switch))
        if self._packet_from(client) is not None:
            self.answers += 1

    def _packet_from(self, client):
        header = client.recv(4, socket.MSG_WAITALL)
        if len(header) < 4:
            return None
        self.heard += client.recv(int.from_bytes(header[:3], "little"), socket.MSG_WAITALL)
        return header[3]


class HangingUp(RogueMariaDB):
    """It offers TLS, and hangs up when a client starts it.

    delay(): seconds until it greets. Clients come one by one.
    """

    def __init__(self, delay=lambda: 0):
        super().__init__()
        self._delay = delay

    def _talk(self, client):
        client.settimeout(2)
        time.sleep(self._delay())
        client.sendall(_greeting(CAPABILITIES | CLIENT_SSL))
        self._packet_from(client)
