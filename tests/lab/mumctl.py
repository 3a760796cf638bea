# SPDX-License-Identifier: MIT
"""mumctl, run as an admin runs it: from a shell, in a pipe or on a terminal."""

import json
import os
import pathlib
import pty
import re
import select
import subprocess
import time

from .lab import ENVIRONMENT, LabError, TOP


def binary():
    return pathlib.Path(os.environ.get("MUMCTL", TOP / "mumctl/mumctl")).resolve()


class Result:
    """status, stdout and stderr of one run. seen holds them together."""

    def __init__(self, status, stdout, stderr=""):
        self.status, self.stdout, self.stderr = status, stdout, stderr
        self.seen = stdout + stderr

    def json(self):
        """The one line of JSON that --json promises."""
        if self.stdout.count("\n") != 1 or not self.stdout.endswith("\n"):
            raise LabError(f"not one line of JSON:\n{self.seen}")
        return json.loads(self.stdout)


class Mumctl:
    """config: the path of its mum.conf. prefix: words before the command, such as setpriv."""

    def __init__(self, config, prefix=()):
        self.config = config
        self._prefix = list(prefix)

    def _argv(self, arguments):
        return [*self._prefix, str(binary()), "-c", str(self.config), *map(str, arguments)]

    def run(self, *arguments, input="", environment=None):
        result = subprocess.run(
            self._argv(arguments), input=input.encode("utf-8", "surrogateescape"),
            env={**ENVIRONMENT, **(environment or {})}, capture_output=True, timeout=120)
        return Result(result.returncode, _text(result.stdout), _text(result.stderr))

    def json(self, *arguments, **options):
        return self.run("--json", *arguments, **options).json()

    def quota_status_lines(self):
        """What setup prints for quota-status: the end of Dovecot's configuration."""
        return re.search(r"(plugin \{\n  )?quota_status_success.*\Z",
                         self.json("setup")["dovecot.conf"], re.S)[0]

    def findings(self, *options):
        """The findings of check: [{"level", "code", "where", "what", "mend"}, ...]"""
        return self.json("check", *options)["findings"]

    def on_terminal(self, *arguments, prompt=None, typed="", timeout=30):
        """Types `typed` after `prompt`. seen is all that the terminal shows."""
        master, slave = pty.openpty()
        child = subprocess.Popen(self._argv(arguments), stdin=slave, stdout=slave,
                                 stderr=slave, env=ENVIRONMENT, start_new_session=True)
        os.close(slave)
        shown, end = b"", time.monotonic() + timeout
        try:
            while True:
                if not select.select([master], [], [], max(0, end - time.monotonic()))[0]:
                    raise LabError(f"mumctl still runs after {timeout} s: {_text(shown)}")
                try:
                    data = os.read(master, 65536)
                except OSError:     # nobody holds the other end any more
                    break
                if not data:
                    break
                shown += data
                if prompt is not None and prompt.encode() in shown:
                    os.write(master, typed.encode())
                    prompt = None
            return Result(child.wait(10), _text(shown))
        finally:
            child.kill()
            child.wait()
            os.close(master)


def _text(data):
    return data.decode("utf-8", "surrogateescape")
