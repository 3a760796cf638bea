# SPDX-License-Identifier: MIT
"""usage: asker.py map FILE     in the guest: six clients ask mumd until there is FILE
       asker.py smtp FILE         one client gives mail to Postfix until the machine ends

"map" prints one line: questions answered, asked again as Postfix does it, lost, and the
longest wait. "smtp" writes lines "uptime, answer to RCPT" of port 25, each at once to the
disk, and looks for nothing but that port: it begins before Postfix does.
"""

import os
import pathlib
import smtplib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lab import SocketmapClient  # noqa: E402
from lab.load import Load  # noqa: E402

SOCKET = "/var/spool/postfix/mum/socketmap"


class TimedLoad(Load):
    longest = 0.0

    def _ask(self, client):
        began = time.monotonic()
        try:
            return super()._ask(client)
        finally:
            self.longest = max(self.longest, time.monotonic() - began)


def connect(timeout):
    return SocketmapClient(SOCKET, timeout)


def ask_maps(end):
    load = [TimedLoad(connect, ("mailboxes", "anna@example.org"), keep)
            for keep in (True, True, True, False, False, False)]
    for client in load:
        client.start()
    while not os.path.exists(end):
        time.sleep(0.5)
    for client in load:
        client.end()
    trouble = [text for client in load for text in client.trouble]
    print(f"{sum(client.answered for client in load)} answered, "
          f"{sum(client.again for client in load)} asked again, {len(trouble)} lost, "
          f"longest wait {max(client.longest for client in load):.2f} s")
    print("\n".join(trouble[:5]), file=sys.stderr)
    return 1 if trouble else 0


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


if __name__ == "__main__":
    if sys.argv[1] == "map":
        sys.exit(ask_maps(sys.argv[2]))
    ask_smtp(sys.argv[2])
