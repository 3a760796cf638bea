# SPDX-License-Identifier: MIT
"""SMTP line by line, so that a test sees each reply."""

import base64

from .clients import Client


class SmtpDialogue(Client):
    """SMTP after the greeting and EHLO; replies has (command, reply) of every command."""

    def __init__(self, port, timeout=30):
        super().__init__(("127.0.0.1", port), timeout)
        self.replies = []
        self._reply("")
        self.command("EHLO client.test")

    def command(self, line):
        """The last line of the reply, such as "250 2.1.5 Ok"."""
        self.send(line.encode() + b"\r\n")
        return self._reply(line)

    def _reply(self, command):
        line = self.read_until(b"\r\n").decode(errors="replace")
        while line[3:4] == "-":
            line = self.read_until(b"\r\n").decode(errors="replace")
        self.replies.append((command, line))
        return line

    def login(self, user, password="secret"):
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.command(f"AUTH PLAIN {token}")

    def mail(self, sender, options=""):
        return self.command(f"MAIL FROM:<{sender}>{options}")

    def rcpt(self, recipient):
        return self.command(f"RCPT TO:<{recipient}>")

    def data(self, subject, sender="", body="Hello.", message_id=None):
        reply = self.command("DATA")
        if not reply.startswith("354"):
            return reply
        more = f"Message-ID: <{message_id}>\r\n" if message_id else ""
        return self.command(f"From: <{sender}>\r\n{more}Subject: {subject}\r\n\r\n{body}\r\n.")

    def reset(self):
        return self.command("RSET")

    def quit(self):
        self.command("QUIT")
        self.close()
