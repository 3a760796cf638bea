# SPDX-License-Identifier: MIT
"""A whole Debian for one test, in which commands run as in the manuals.

It has its own mounts, processes and loopback, so its /etc/postfix, its port 25 and so on
are not those of this machine. Nothing of it remains afterwards.
"""

import contextlib
import os
import pathlib
import shlex
import signal
import subprocess
import tempfile

from .lab import ENVIRONMENT, LabError, Process, TOP, in_own_mounts, run, tail, wait_until

# Replaces systemctl, because a machine has no systemd: it runs mumd itself.
SYSTEMCTL = """#!/bin/sh
case "$*" in
"enable --now mumd" | "start mumd") pgrep -x mumd >/dev/null || exec mumd ;;
"disable --now mumd.service mumd.socket" | "stop mumd")
	pkill -x mumd
	while pgrep -x mumd >/dev/null; do sleep 0.1; done ;;
"reload mumd") exec pkill -HUP -x mumd ;;
*)
	echo "the machines of the tests have no: systemctl $*" >&2
	exit 1 ;;
esac
"""

# As systemd has it. With the kernel's 10, postlogd's socket is full when some processes of
# Postfix begin to speak, and master, which has to start postlogd, may wait for it for ever.
OWN_NETWORK = "ip link set lo up; echo 512 >/proc/sys/net/unix/max_dgram_qlen"

SHELL_ENVIRONMENT = {**ENVIRONMENT, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}


class Machine:
    """root: a directory with a Debian in it, or None for a copy of this machine's
    own; the copy's changes stay in memory. online: with this machine's network.
    seen: directories that it must see, even on other file systems."""

    def __init__(self, lab, root=None, online=False, seen=()):
        self._lab = lab
        self._seen = [shlex.quote(str(path)) for path in seen]
        self._online = online
        self._root = pathlib.Path(root) if root else lab.directory("machine")
        self._copy = root is None
        self._log = lab.path / "machine.log"
        self._init = None

    def start(self):
        root = shlex.quote(str(self._root))
        steps = ["set -e"]
        if self._copy:
            layers = self._lab.directory("machine-layers")
            steps += [f"mount -t tmpfs none {layers}",
                      f"mkdir {layers}/upper {layers}/work",
                      f"mount -t overlay none {root} -o "
                      f"lowerdir=/,upperdir={layers}/upper,workdir={layers}/work"]
        for path in self._seen:
            steps += [f"mkdir -p {root}{path}", f"mount --bind {path} {root}{path}",
                      f"mount -o remount,bind,ro {root}{path}"]
        steps += [f"mount -t proc none {root}/proc", f"mount --rbind /dev {root}/dev",
                  f"mount -t tmpfs -o mode=755 none {root}/run",
                  "true" if self._online else OWN_NETWORK,
                  # start() waits for "up": before, writes would go to this machine.
                  f"exec chroot {root} sh -c 'echo up; while :; do sleep 1000; done'"]
        self._log.write_text("")
        process = self._lab.own(Process(
            in_own_mounts("\n".join(steps), "--pid", "--fork", "--kill-child",
                          *([] if self._online else ["--net"])), self._log))
        self._lab.own(self)

        def child():
            if not process.running():
                raise LabError(f"no machine:\n{tail(self._log)}")
            listing = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
            return "up" in self._log.read_text() and listing.read_text().split()
        self._init = int(wait_until(child, "a machine")[0])
        self.write("/usr/local/sbin/systemctl", SYSTEMCTL, 0o755)
        return self

    def stop(self):
        """Ends its first process, and with it all others."""
        if self._init is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init, signal.SIGKILL)
            self._init = None

    # ---- in it ----

    def _shell(self, commands, cwd):
        return ["nsenter", f"--target={self._init}", "--mount", "--net", "--pid", "--root",
                "--wd", "sh", "-ec", f"cd {shlex.quote(cwd)}\n{commands}"]

    def stream(self, commands, cwd="/root"):
        """Runs commands in a shell, however long, with output on ours. The exit status."""
        return subprocess.run(self._shell(commands, cwd), env=SHELL_ENVIRONMENT, cwd="/",
                              stdin=subprocess.DEVNULL, check=False).returncode

    def run(self, commands, *, answers="", cwd="/root", check=True, timeout=60):
        """Runs commands in a shell; answers is what a user would type. Returns a
        CompletedProcess, with the errors in the output.
        """
        # A file, not a pipe, because servers that it starts keep the standard output open.
        with tempfile.TemporaryFile("w+", errors="replace") as out:
            try:
                result = subprocess.run(
                    self._shell(commands, cwd), env=SHELL_ENVIRONMENT, input=answers,
                    stdout=out, stderr=out, text=True, timeout=timeout, cwd="/")
                end = f"exit {result.returncode}"
            except subprocess.TimeoutExpired:
                result, end = None, f"no end within {timeout} s"
            out.seek(0)
            seen = out.read()
        if result is None or (check and result.returncode != 0):
            last = "\n".join(seen.splitlines()[-60:])
            raise LabError(f"{end} of\n{commands}\n{last}")
        result.stdout = seen
        return result

    def write(self, path, text, mode=0o644):
        """Writes a file of the machine."""
        self.run(f"mkdir -p {shlex.quote(str(pathlib.PurePath(path).parent))}; "
                 f"cat >{shlex.quote(path)}; chmod {mode:o} {shlex.quote(path)}", answers=text)

    def path(self, path):
        """The same file, seen from outside; for its sockets, too."""
        return pathlib.Path(f"/proc/{self._init}/root{path}")

    # ---- as its user ----

    def in_its_network(self, *argv):
        """argv that runs a program of ours on this machine's loopback."""
        return ["nsenter", f"--target={self._init}", "--net", *map(str, argv)]

    def mail_user(self, *arguments):
        """tests/lab/mail_user.py on this machine's loopback: (good, what it prints)."""
        result = run(*self.in_its_network("/usr/bin/python3", TOP / "tests/lab/mail_user.py",
                                          *arguments), check=False)
        return result.returncode == 0, (result.stdout + result.stderr).strip()
