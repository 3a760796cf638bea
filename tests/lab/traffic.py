# SPDX-License-Identifier: MIT
"""Mail that flows in a Machine while something is done to it, and what became of it."""

import collections
import json
import re
import subprocess

from .lab import TOP


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
