# SPDX-License-Identifier: MIT
"""What Postfix says to mumd: socketmap and policy requests, byte by byte."""

import fcntl
import select
import socket
import struct
import termios


def connect(address, timeout=10):
    """address: a path, or (host, port)."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    sock = socket.socket(family)
    sock.settimeout(timeout)
    sock.connect(address if isinstance(address, tuple) else str(address))
    return sock


def netstring(payload):
    return b"%d:%s," % (len(payload), payload)


class Client:
    """A connection that can also send what no good client would."""

    def __init__(self, address, timeout=10):
        self._socket = connect(address, timeout)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self._socket.close()

    def send(self, data):
        self._socket.sendall(data)

    def shutdown(self):
        """Sends no more requests; answers may still come."""
        self._socket.shutdown(socket.SHUT_WR)

    def is_ended(self):
        """Has the server ended the connection, or sent something that nobody asked for?"""
        return bool(select.select([self._socket], [], [], 0)[0])

    def settimeout(self, seconds):
        self._socket.settimeout(seconds)

    def is_read(self):
        """Has the server read all that was sent? (On a unix socket only.)"""
        unread = fcntl.ioctl(self._socket, termios.TIOCOUTQ, struct.pack("i", 0))
        return struct.unpack("i", unread)[0] == 0

    def read_until(self, end):
        while end not in self._buffer:
            self._more()
        line, _, self._buffer = self._buffer.partition(end)
        return line

    def read_exactly(self, count):
        while len(self._buffer) < count:
            self._more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def read_to_end(self):
        """All that comes until the other side closes (or resets)."""
        try:
            while True:
                self._more()
        except ConnectionError:
            data, self._buffer = self._buffer, b""
            return data

    def _more(self):
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError("closed by the server")
        self._buffer += data


class SocketmapClient(Client):
    def ask(self, table, key):
        """The reply's payload as bytes; str keys are sent as UTF-8."""
        key = key.encode() if isinstance(key, str) else key
        self.send(netstring(table.encode() + b" " + key))
        return self.reply()

    def reply(self):
        length = self.read_until(b":")
        payload = self.read_exactly(int(length) + 1)
        if not payload.endswith(b",") or length != b"%d" % (len(payload) - 1):
            raise ValueError(f"not a netstring: {length!r} {payload!r}")
        return payload[:-1]


class PolicyClient(Client):
    # What Postfix 3.7 sends, in its order.
    ATTRIBUTES = {
        "request": "smtpd_access_policy", "protocol_state": "RCPT",
        "protocol_name": "ESMTP", "client_address": "127.0.0.1",
        "client_name": "unknown", "client_port": "43158",
        "reverse_client_name": "unknown", "server_address": "127.0.0.1",
        "server_port": "25", "helo_name": "c.test", "sender": "", "recipient": "",
        "recipient_count": "0", "queue_id": "", "instance": "ab4.6b029879.bbac2.0",
        "size": "0", "etrn_domain": "", "stress": "", "sasl_method": "",
        "sasl_username": "", "sasl_sender": "", "ccert_subject": "", "ccert_issuer": "",
        "ccert_fingerprint": "", "ccert_pubkey_fingerprint": "",
        "encryption_protocol": "", "encryption_cipher": "", "encryption_keysize": "0",
        "policy_context": "",
    }

    @classmethod
    def request(cls, **attributes):
        """The bytes of a request; an attribute that is None is left out."""
        merged = {**cls.ATTRIBUTES, **attributes}
        lines = [f"{name}={value}\n" for name, value in merged.items() if value is not None]
        return "".join(lines).encode("utf-8", "surrogateescape") + b"\n"

    def ask(self, **attributes):
        self.send(self.request(**attributes))
        return self.reply()

    def reply(self):
        """The action as text; the reply must be exactly one attribute."""
        reply = self.read_until(b"\n\n").decode()
        if not reply.startswith("action=") or "\n" in reply:
            raise ValueError(f"not one action: {reply!r}")
        return reply[len("action="):]
