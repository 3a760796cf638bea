# SPDX-License-Identifier: MIT
"""Other policy services of this field, as far as they are installed here."""

import os
import pathlib
import signal

import lab
from lab.lab import accepts, run

POSTFWD = pathlib.Path("/usr/sbin/postfwd2")
# It looks nothing up: no database, no DNS, no log. That is the most that it can do.
ONE_RULE = "id=ALL; recipient=~.; action=dunno\n"


class Postfwd:
    """postfwd with one rule, which is true of each request. It becomes a daemon of its own."""

    def __init__(self, the_lab):
        directory = the_lab.directory("postfwd")
        rules, self._pid_file = directory / "rules", directory / "pid"
        rules.write_text(ONE_RULE)
        port = lab.free_port()
        self.path = f"127.0.0.1:{port}"
        run(POSTFWD, "--nodns", "--norulelog", "--norulestats", "--noidlestats", "--perfmon",
            "--interface", "127.0.0.1", "--port", str(port), "--user", "nobody", "--group",
            "nogroup", "--pidfile", self._pid_file, "--file", rules)
        the_lab.own(self)
        lab.wait_until(lambda: accepts(("127.0.0.1", port)), "postfwd")

    def stop(self):
        os.kill(int(self._pid_file.read_text()), signal.SIGTERM)


def start(the_lab):
    """{name: server} of those that are installed."""
    return {"postfwd": Postfwd(the_lab)} if POSTFWD.exists() else {}
