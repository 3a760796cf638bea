# SPDX-License-Identifier: MIT
"""Mail that flows while something else is done, on the loopback it is run in.

    mail_traffic.py SECONDS LINES    begins each kind once a second, for SECONDS

LINES is a JSON object of what it does in turns, by kind:

    {"smtp": [[SENDER, RECIPIENT], ...],                    port 25, as another server
     "submission": [[LOGIN, SENDER, RECIPIENT, PORT], ...],  587 or 465
     "imap": [LOGIN, ...]}                                   port 143

Each try is one line of JSON on standard output: kind, subject, line, code, text. As a
server or a mail program does, it tries again after a failure for now: each second, until 30
seconds after the end. The password is "secret". SIGTERM is also the end.
"""

import concurrent.futures
import imaplib
import json
import signal
import smtplib
import sys
import threading
import time

from mail_user import send, submit

AFTERWARDS = 30
PATIENCE = 20       # seconds that a client waits for a reply
# Seconds before a login, so that at any moment some clients are connected and not yet
# logged in.
THINKING = 1.5

over = threading.Event()
printing = threading.Lock()


def smtp_once(subject, sender, recipient):
    return send(sender, recipient, subject)


def submission_once(subject, login, sender, recipient, port):
    return submit(login, sender, recipient, subject, port, THINKING)


def imap_once(_, login):
    """The code is 535 for a wrong password, 454 for any other failure."""
    with imaplib.IMAP4("127.0.0.1", 143, PATIENCE) as imap:
        time.sleep(THINKING)
        try:
            imap.login(login, "secret")
            imap.select("INBOX")
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            text = str(error)
            return (535 if "AUTHENTICATIONFAILED" in text else 454), text
    return 250, "ok"


ONCE = {"smtp": smtp_once, "submission": submission_once, "imap": imap_once}


def attempt(kind, subject, line):
    """Returns a code; 421 if the connection breaks or cannot be made."""
    try:
        code, reply = ONCE[kind](subject, *(line if isinstance(line, list) else [line]))
    except (OSError, smtplib.SMTPException, imaplib.IMAP4.error) as error:
        code, reply = 421, f"{type(error).__name__}: {error}"
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    with printing:
        print(json.dumps({"when": time.time(), "kind": kind, "subject": subject, "line": line,
                          "code": code, "text": text}), flush=True)
    return code


def until_done(kind, subject, line, end):
    while 400 <= attempt(kind, subject, line) < 500 and time.monotonic() < end:
        time.sleep(1)


def main():
    seconds, lines = float(sys.argv[1]), json.loads(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(500) as pool:
        number = 0
        while not over.is_set() and time.monotonic() < start + seconds:
            for kind, some in lines.items():
                pool.submit(until_done, kind, f"{kind}-{number}", some[number % len(some)],
                            start + seconds + AFTERWARDS)
            number += 1
            over.wait(max(0, start + number - time.monotonic()))


if __name__ == "__main__":
    main()
