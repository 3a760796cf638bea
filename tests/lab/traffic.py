# SPDX-License-Identifier: MIT
"""Mail that flows in a Machine while something is done to it, and what became of it."""

import collections
import json
import re
import subprocess

from .lab import TOP, wait_until


class Traffic:
    """mail_traffic.py on the machine's loopback, with these lines; begins no mail after that
    many seconds."""

    def __init__(self, machine, directory, seconds, lines):
        self._out = directory / "traffic"
        with open(self._out, "w", encoding="utf-8") as out:
            self._process = subprocess.Popen(
                machine.in_its_network("/usr/bin/python3", TOP / "tests/lab/mail_traffic.py",
                                       seconds, json.dumps(lines)), stdout=out)

    def tries(self):
        return [json.loads(line) for line in self._out.read_text().splitlines()]

    def end(self):
        """Begins nothing more, and waits for the last tries."""
        self._process.terminate()
        assert self._process.wait(60) == 0
        return self.tries()

    def stop(self):
        self._process.kill()


def delivered(machine):
    """{(subject, mailbox): copies}"""
    seen = machine.run("find /srv/mail/mailboxes -path '*/new/*' -o -path '*/cur/*' | "
                       "xargs grep '^Subject: ' || true").stdout
    return collections.Counter((subject, re.search(r"/(\w+)/(new|cur)/", path)[1])
                               for path, _, subject in (line.partition(":Subject: ")
                                                        for line in seen.splitlines()))


def verdicts(machine, tries, boxes):
    """Of mail over SMTP, when no more is begun, in this order: (what should be, whether it is,
    what was seen). boxes: {recipient: the mailboxes behind it}"""
    codes = collections.Counter(one["code"] for one in tries)
    refused = [one for one in tries if one["code"] >= 500]
    yield "no mail is refused for good", refused == [], f"{refused[:3]} {dict(codes)}"
    last = {one["subject"]: one for one in tries}
    waiting = [one for one in last.values() if one["code"] != 250]
    yield "all are taken at last", waiting == [], str(waiting[:3] or len(last))
    wait_until(lambda: "queue is empty" in machine.run("postqueue -f; postqueue -p").stdout,
               "an empty queue", 120, interval=1)
    bounced = machine.run("grep status=bounced /var/log/mail.log || true").stdout
    yield "none bounces", bounced == "", bounced
    wanted = collections.Counter((one["subject"], box) for one in last.values()
                                 for box in boxes[one["line"][1]])
    copies = collections.Counter({mail: count for mail, count in delivered(machine).items()
                                  if mail[0] in last})
    yield ("each arrives, once", copies == wanted,
           f"{copies - wanted} {wanted - copies}" if copies != wanted else str(wanted.total()))
