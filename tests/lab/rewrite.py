# SPDX-License-Identifier: MIT
"""Postfix's trivial-rewrite(8), asked as its own daemons ask it."""

import socket

RESOLVE_FAILED, RESOLVE_ERROR = 1, 4


def quote_local(address):
    """The external form of an address without quotes (RFC 822)."""
    start = address.index(":") + 1 if address.startswith("@") and ":" in address else 0
    local, at, domain = address[start:].rpartition("@")
    if not at:
        local, domain = domain, ""
    if local and not (local.startswith(".") or local.endswith(".") or ".." in local or
                      any(char < " " or char in ' ()<>@,;:\\"[]\x7f' for char in local)):
        return address
    quoted = local.replace("\\", "\\\\").replace('"', '\\"')
    return f'{address[:start]}"{quoted}"{at}{domain}'


def unquote_local(address):
    """The internal form of an address as Postfix logs it."""
    internal, quoted, last, chars = "", False, None, iter(enumerate(address))
    for position, char in chars:
        if char == '"':
            quoted = not quoted
            continue
        if char == "@" and not quoted:
            last = len(internal), position
        elif char == "\\":
            position, char = next(chars, (position, ""))
        internal += char
    return internal if last is None else internal[:last[0]] + address[last[1]:]


class TrivialRewrite:
    """A connection to private/rewrite of a running Postfix."""

    def __init__(self, postfix):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(str(postfix.queue / "private/rewrite"))
        self._buffer = b""
        self._read()    # the name of its protocol

    def close(self):
        self._socket.close()

    def _parsed(self):
        """(values, length) of one reply, or None: NAME NUL VALUE NUL ... NUL."""
        values, at = [], 0
        while (end := self._buffer.find(b"\0", at)) > at:
            value_end = self._buffer.find(b"\0", end + 1)
            if value_end < 0:
                return None
            values.append(self._buffer[end + 1:value_end])
            at = value_end + 1
        return (values, at + 1) if end == at else None

    def _read(self):
        while (parsed := self._parsed()) is None:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("trivial-rewrite has closed the connection")
            self._buffer += data
        values, length = parsed
        self._buffer = self._buffer[length:]
        return [value.decode("utf-8", "surrogateescape") for value in values]

    def _ask(self, **attributes):
        self._socket.sendall(b"".join(
            b"%s\0%s\0" % (name.encode(), value.encode("utf-8", "surrogateescape"))
            for name, value in attributes.items()) + b"\0")
        return self._read()

    def rewrite(self, address):
        """What cleanup(8) writes into the queue; both without quotes."""
        _, external = self._ask(request="rewrite", rule="local", address=quote_local(address))
        return unquote_local(external)

    def resolve(self, address):
        """(recipient, flags) of an address that rewrite() gave."""
        *_, recipient, flags = self._ask(request="resolve", sender="", address=address)
        return recipient, int(flags)
