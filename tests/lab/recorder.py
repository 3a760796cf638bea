# SPDX-License-Identifier: MIT
"""The far end of a delivery: accepts mail and remembers who got what."""

import collections
import os
import pathlib
import socketserver
import ssl
import threading

from .lab import wait_until

Mail = collections.namedtuple("Mail", "recipient sender subject")


class _Session(socketserver.StreamRequestHandler):
    def _say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def _encrypt(self):
        self.request = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.setup()

    @staticmethod
    def _path(line):
        return line.partition("<")[2].rpartition(">")[0]

    def _message(self):
        """Reads up to the dot on its own line; returns the subject and the text."""
        subject, text = "", b""
        while True:
            line = self.rfile.readline()
            if not line or line == b".\r\n":
                return subject, text.decode(errors="replace")
            text += line
            if line.lower().startswith(b"subject: ") and not subject:
                subject = line[len("subject: "):].strip().decode(errors="replace")

    def handle(self):
        sender, recipients = "", []
        self._say("220 recorder.test")
        while raw := self.rfile.readline():     # another file after STARTTLS
            line = raw.decode(errors="replace").rstrip("\r\n")
            verb = line[:4].upper()
            if verb in ("EHLO", "LHLO"):
                self._say("250-recorder.test")
                if self.server.tls:
                    self._say("250-STARTTLS")
                self._say("250 8BITMIME")
            elif verb == "STAR" and self.server.tls:
                self._say("220 2.0.0 go on")
                try:
                    self._encrypt()
                except OSError:     # the client does not want to any more
                    return
            elif verb == "MAIL":
                sender, recipients = self._path(line), []
                self._say("250 2.1.0 ok")
            elif verb == "RCPT" and self._path(line) in self.server.refused:
                self._say("550 5.1.1 no such user")
            elif verb == "RCPT":
                recipients.append(self._path(line))
                self._say("250 2.1.5 ok")
            elif verb == "DATA":
                self._say("354 go on")
                subject, text = self._message()
                self.server.record([Mail(rcpt, sender, subject) for rcpt in recipients], text)
                for _ in recipients if self.server.lmtp else [None]:
                    self._say("250 2.0.0 kept")
            elif verb == "QUIT":
                self._say("221 2.0.0 bye")
                return
            else:
                self._say("250 2.0.0 ok")


class _Records:
    daemon_threads = True
    allow_reuse_address = True

    tls = None

    def start_records(self, lmtp):
        self.lmtp = lmtp
        self.refused = ()
        self._mails, self._texts = [], []
        self._lock = threading.Lock()

    def record(self, mails, text):
        with self._lock:
            self._mails += mails
            self._texts += [text] * len(mails)

    def texts(self, recipient):
        with self._lock:
            return [text for mail, text in zip(self._mails, self._texts)
                    if mail.recipient == recipient]

    def mails(self):
        with self._lock:
            return list(self._mails)


class _Tcp(_Records, socketserver.ThreadingTCPServer):
    pass


class _Unix(_Records, socketserver.ThreadingUnixStreamServer):
    pass


class MailRecorder:
    """An LMTP server on a path, or an SMTP server on ("127.0.0.1", port).

    certificate: (certificate, key), for STARTTLS.
    """

    def __init__(self, address, certificate=None):
        if isinstance(address, tuple):
            self._server = _Tcp(address, _Session)
            self._server.start_records(lmtp=False)
        else:
            pathlib.Path(address).unlink(missing_ok=True)
            self._server = _Unix(str(address), _Session)
            self._server.start_records(lmtp=True)
            os.chmod(address, 0o666)
        if certificate is not None:
            self._server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server.tls.load_cert_chain(*certificate)
        self.address = address
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def refuse(self, recipients):
        """Refuses them, as a server that does not know them."""
        self._server.refused = tuple(recipients)

    def mails(self, subject=None):
        """The mails that have come: all of them, or those with that subject."""
        return [mail for mail in self._server.mails()
                if subject is None or mail.subject == subject]

    def texts(self, recipient):
        """The mails to the recipient, whole."""
        return self._server.texts(recipient)

    def recipients(self, subject):
        """Who got it, sorted; a recipient who got it twice is listed twice."""
        return sorted(mail.recipient for mail in self.mails(subject))

    def wait(self, subject, count):
        wait_until(lambda: len(self.mails(subject)) >= count,
                   f"{count} deliveries of {subject!r}, got {self.mails(subject)}")
