# SPDX-License-Identifier: MIT
"""What Postfix and Dovecot's own services say to Dovecot's auth process."""

import base64
import collections
import imaplib
import itertools
import poplib
import time

from .clients import Client

# kind: OK, FAIL, NOTFOUND, USER, PASS; fields: what follows the id, flags are "".
# seconds: from the request to the reply.
Reply = collections.namedtuple("Reply", "kind fields seconds")

_connection_ids = itertools.count(4711)


def escape(text):
    """Dovecot's str_tabescape()."""
    text = text.encode() if isinstance(text, str) else text
    for plain, coded in ((b"\1", b"\0011"), (b"\0", b"\0010"), (b"\t", b"\1t"),
                         (b"\r", b"\1r"), (b"\n", b"\1n")):
        text = text.replace(plain, coded)
    return text


def unescape(text):
    for plain, coded in (("\t", "\1t"), ("\r", "\1r"), ("\n", "\1n"), ("\0", "\0010"),
                         ("\1", "\0011")):
        text = text.replace(coded, plain)
    return text


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode()


class _Pipeline(Client):
    """Requests with numbers; replies come in any order."""

    def __init__(self, path, timeout):
        super().__init__(str(path), timeout)
        self._ids = itertools.count(1)

    def start(self, requests):
        """Sends all of them in one write, without waiting: {id: when}."""
        numbered = [(next(self._ids), request) for request in requests]
        data = b"".join(self._line(number, request) for number, request in numbered)
        now = time.monotonic()
        self.send(data)
        return {number: now for number, _ in numbered}

    def ask_all(self, requests):
        """Sends all at once; returns the replies in the order of the requests."""
        started = self.start(requests)
        replies = self.collect(started)
        return [replies[number] for number in started]

    def ask_windowed(self, requests, window):
        """The same with at most `window` requests in flight."""
        waiting = iter(requests)
        started, replies = {}, {}
        for request in itertools.islice(waiting, window):
            started.update(self.start([request]))
        while len(replies) < len(started):
            number, reply = self.next_reply(started)
            replies[number] = reply
            for request in itertools.islice(waiting, 1):
                started.update(self.start([request]))
        return [replies[number] for number in started]

    def collect(self, started):
        replies = {}
        while len(replies) < len(started):
            number, reply = self.next_reply(started)
            replies[number] = reply
        return replies

    def next_reply(self, started):
        kind, number, *fields = self.read_until(b"\n").decode(errors="replace").split("\t")
        number = int(number)
        seconds = time.monotonic() - started[number]
        parsed = {}
        for field in fields:
            name, _, value = field.partition("=")
            parsed[unescape(name)] = unescape(value)
        return number, Reply(kind, parsed, seconds)

    def _line(self, number, request):
        raise NotImplementedError


class AuthClient(_Pipeline):
    """auth-client protocol: PLAIN logins, each (user, password, service)."""

    def __init__(self, path, timeout=60):
        super().__init__(path, timeout)
        self.mechanisms = []
        self.send(b"VERSION\t1\t2\nCPID\t%d\n" % next(_connection_ids))
        while True:
            line = self.read_until(b"\n").decode().split("\t")
            if line[0] == "MECH":
                self.mechanisms.append(line[1])
            if line[0] == "DONE":
                return

    def _line(self, number, request):
        user, password, service = request
        token = base64.b64encode(b"\0" + _bytes(user) + b"\0" + _bytes(password))
        # without no-penalty, anvil makes an address wait whose login failed before
        return (b"AUTH\t%d\tPLAIN\tservice=%s\tsecured\tno-penalty\tlip=127.0.0.1\t"
                b"rip=127.0.0.1\tresp=%s\n" % (number, service.encode(), token))

    def login(self, user, password, service="imap"):
        return self.ask_all([(user, password, service)])[0]


class UserdbClient(_Pipeline):
    """auth-userdb protocol: USER lookups, PASS lookups, LIST."""

    def __init__(self, path, timeout=60):
        super().__init__(path, timeout)
        self.send(b"VERSION\t1\t0\n")
        while not self.read_until(b"\n").startswith(b"SPID"):
            pass

    def _line(self, number, request):
        verb, user, service = request
        return b"%s\t%d\t%s\tservice=%s\n" % (verb.encode(), number, escape(user),
                                              service.encode())

    def next_reply(self, started):
        number, reply = super().next_reply(started)
        if reply.kind == "USER":    # its first field is the name
            name = next(iter(reply.fields))
            fields = {key: value for key, value in reply.fields.items() if key != name}
            reply = Reply("USER", {"user": name, **fields}, reply.seconds)
        return number, reply

    def user(self, user, service="lmtp"):
        return self.ask_all([("USER", user, service)])[0]

    def users(self, users, service="lmtp", window=None):
        requests = [("USER", user, service) for user in users]
        return self.ask_windowed(requests, window) if window else self.ask_all(requests)

    def password(self, user, service="imap"):
        """PASS: the stored hash, as doveadm auth lookup asks for it."""
        return self.ask_all([("PASS", user, service)])[0]

    def listing(self, service="doveadm"):
        """Yields one user at a time, as the server sends them; False if the list fails."""
        number = next(self._ids)
        self.send(b"LIST\t%d\tuser=*\tservice=%s\n" % (number, service.encode()))
        while True:
            kind, _, *fields = self.read_until(b"\n").decode().split("\t")
            if kind != "LIST":
                if kind != "DONE" or fields == ["fail"]:
                    yield False
                return
            yield unescape(fields[0])


def imap_quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Imap(imaplib.IMAP4):
    """imaplib that can send any name, and says why a login was refused."""

    def __init__(self, port, timeout=60):
        super().__init__("127.0.0.1", port, timeout)

    def enter(self, user, password):
        """"OK", or the server's refusal such as "[UNAVAILABLE] Temporary ..."."""
        try:
            self.login(imap_quoted(user), password)
        except imaplib.IMAP4.error as error:
            return error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        return "OK"

    def quota(self, mailbox="INBOX"):
        """(used, limit) in KiB; None where there is no limit."""
        _, (_, lines) = self.getquotaroot(mailbox)
        line = (lines[0] or b"").decode()
        if "STORAGE" not in line:
            return None
        words = line.replace("(", " ").replace(")", " ").split()
        at = words.index("STORAGE")
        return int(words[at + 1]), int(words[at + 2])


class Pop3(poplib.POP3):
    def __init__(self, port, timeout=60):
        super().__init__("127.0.0.1", port, timeout)

    def enter(self, user, password):
        try:
            self.user(user)
            self.pass_(password)
        except poplib.error_proto as error:
            return error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        return "OK"


class LmtpDialogue(Client):
    """LMTP line by line, after the greeting and LHLO."""

    def __init__(self, port, timeout=60):
        super().__init__(("127.0.0.1", port), timeout)
        self._reply()
        self.command("LHLO client.test")

    def command(self, line):
        self.send(line.encode() + b"\r\n")
        return self._reply()

    def _reply(self):
        line = self.read_until(b"\r\n").decode(errors="replace")
        while line[3:4] == "-":
            line = self.read_until(b"\r\n").decode(errors="replace")
        return line

    def rcpt(self, recipient, sender="stranger@foreign.test"):
        self.command("RSET")
        self.command(f"MAIL FROM:<{sender}>")
        return self.command(f"RCPT TO:<{recipient}>")

    def deliver(self, recipient, subject, body="Hello."):
        """The last reply; if RCPT is refused, the reply to that."""
        reply = self.rcpt(recipient)
        if not reply.startswith("250"):
            return reply
        self.command("DATA")
        return self.command(f"From: <stranger@foreign.test>\r\nSubject: {subject}\r\n\r\n{body}\r\n.")
