# SPDX-License-Identifier: MIT
"""usage: asker.py load FILE     in the guest: eight clients ask mumd until there is FILE
       asker.py smtp FILE         one client gives mail to Postfix until the machine ends
       asker.py data LOGIN COUNT  prints what Postfix is told at DATA of a mail to COUNT

"load" prints one line of JSON: questions answered, those asked again as Postfix does it, what
was lost or answered wrongly, and the longest wait. "smtp" writes lines "uptime, answer to
RCPT" of port 25, each at once to the disk, and looks for nothing but that port: it begins
before Postfix does.
"""

import json
import os
import pathlib
import smtplib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lab import PolicyClient, SocketmapClient  # noqa: E402
from lab.load import Load  # noqa: E402

SOCKETS = pathlib.Path("/var/spool/postfix/mum")
ANNA, SCANNER, NOBODY = (f"{name}@example.org" for name in ("anna", "scanner", "nobody"))
SEND_ONLY = b"550 5.2.1 mailbox does not accept mail (send-only)"


class TimedLoad(Load):
    longest = 0.0

    def _ask(self, client):
        began = time.monotonic()
        try:
            return super()._ask(client)
        finally:
            self.longest = max(self.longest, time.monotonic() - began)


class RecipientClient(PolicyClient):
    def ask(self, recipient):
        return super().ask(recipient=recipient, policy_context="recipient")


def socketmap(timeout):
    return SocketmapClient(SOCKETS / "socketmap", timeout)


def policy(timeout):
    return RecipientClient(SOCKETS / "policy", timeout)


# Each of them with a connection that stays and with one for each question.
QUESTIONS = ((socketmap, ("mailboxes", ANNA), b"OK 1"),
             (socketmap, ("mailboxes", NOBODY), b"NOTFOUND "),
             (socketmap, ("recipient-access", SCANNER), b"OK " + SEND_ONLY),
             (policy, (ANNA,), "DUNNO"))


def load(end):
    clients = [TimedLoad(connect, question, keep, answer)
               for connect, question, answer in QUESTIONS for keep in (True, False)]
    for client in clients:
        client.start()
    while not os.path.exists(end):
        time.sleep(0.5)
    for client in clients:
        client.end()
    print(json.dumps({"answered": sum(client.answered for client in clients),
                      "again": sum(client.again for client in clients),
                      "trouble": [text for client in clients for text in client.trouble],
                      "longest": max(client.longest for client in clients)}))


def rcpt():
    """The answer to a mail for an alias, in few words."""
    try:
        with smtplib.SMTP("127.0.0.1", 25, "probe.test", timeout=60) as smtp:
            smtp.ehlo()
            smtp.mail("friend@example.net")
            code, reply = smtp.rcpt("info@example.org")
            return f"{code} {reply.decode(errors='replace')}"
    except ConnectionRefusedError:
        return "refused"
    except (OSError, smtplib.SMTPException) as error:
        return f"cut {error!r}"


def ask_smtp(path):
    with open(path, "w", encoding="utf-8") as log:
        while True:
            answer = rcpt()
            uptime = pathlib.Path("/proc/uptime").read_text().split()[0]
            print(uptime, answer, file=log, flush=True)
            os.fsync(log.fileno())
            time.sleep(0.1)


def ask_data(login, count):
    with PolicyClient(SOCKETS / "policy", 10) as client:
        print(client.ask(policy_context="limit", protocol_state="DATA", sender=login,
                         sasl_username=login, recipient_count=count))


if __name__ == "__main__":
    {"load": load, "smtp": ask_smtp, "data": ask_data}[sys.argv[1]](*sys.argv[2:])
