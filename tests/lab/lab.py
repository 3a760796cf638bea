# SPDX-License-Identifier: MIT
"""The scratch directory, and the life of what runs in it."""

import contextlib
import os
import pathlib
import pwd
import grp
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from concurrent import futures

TOP = pathlib.Path(__file__).resolve().parents[2]

# Daemons must not use a proxy or another option file, and programs must be able to
# read their messages.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
# These tell a build with sanitizers where to report.
ENVIRONMENT.update({name: value for name, value in os.environ.items()
                    if name.endswith("SAN_OPTIONS")})


class LabError(Exception):
    """Something in the lab did not work; the text has the end of its log."""


def wait_until(condition, what, timeout=10.0, interval=0.01):
    """Returns the first true result of condition(), else raises LabError. If condition() takes
    long, because it runs programs, what it waits for gets as much time in between.
    """
    end = time.monotonic() + timeout
    while True:
        asked = time.monotonic()
        result = condition()
        if result:
            return result
        now = time.monotonic()
        if now > end:
            raise LabError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(max(interval, min(now - asked, 0.1)))


_BLOCK, _BLOCKS = 100, 200
_blocks = []    # the sockets that keep them ours
_ports = []     # of the newest block, those that are left


def _claim_block(end):
    """Ports that no other lab in our network takes: only one process can bind an abstract
    socket (unix(7)) there, and the socket goes with the process."""
    for block in random.sample(range(_BLOCKS), _BLOCKS):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0mum-lab-ports-{block}")
        except OSError:
            claim.close()
            continue
        _blocks.append(claim)
        return range(end - _BLOCK * (block + 1), end - _BLOCK * block)
    raise LabError("other labs have taken all ports")


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on; no lab gets the same one again.

    It is below the ports that the kernel gives to clients: else a client could
    take it before the server binds it.
    """
    clients = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    end = max(int(clients[0]), 1025 + _BLOCK * _BLOCKS)
    while True:
        if not _ports:
            _ports.extend(_claim_block(end))
        port = _ports.pop()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def accepts(address):
    """Does somebody listen there? A path, or (host, port)."""
    family = (socket.AF_UNIX if not isinstance(address, tuple)
              else socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    with socket.socket(family) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address if isinstance(address, tuple) else str(address))
        except OSError:
            return False
    return True


def tail(path, lines=20):
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)


class HasLog:
    """A server that writes to .log_path."""

    def log(self):
        """The lines so far."""
        try:
            return self.log_path.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def wait_log(self, *words, after=0, timeout=10):
        """The first line behind number `after` that holds all the words."""
        def find():
            return next((line for line in self.log()[after:]
                         if all(word in line for word in words)), None)
        return wait_until(find, f"{words} in the log:\n{tail(self.log_path)}", timeout)


def _fields(stat):
    """The fields of a file such as /proc/PID/stat, from the third one, the state, on."""
    return stat.read_text().rpartition(")")[2].split()


def in_own_mounts(script, *options):
    """argv of a shell whose mounts nobody else sees; arguments appended to it become "$@"."""
    # In a chroot / is not a mount point, so nothing can be made private.
    return ["unshare", "--mount", "--propagation", "unchanged", *options, "sh", "-c",
            f"mount --make-rprivate / 2>/dev/null || true\n{script}", "sh"]


def cpu_of(pid):
    """Seconds of processor time that its present threads have used."""
    nanoseconds = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):     # it has just ended
            nanoseconds += int((thread / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


class Running:
    """What the kernel says of a process."""

    def __init__(self, pid):
        self.pid = pid

    def cpu(self):
        """Seconds of processor time so far."""
        fields = _fields(pathlib.Path(f"/proc/{self.pid}/stat"))
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        """How many are open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def rss(self):
        """Resident memory in bytes."""
        return self._memory("VmRSS")

    def heap(self):
        """The part of it that is no page of a file, which the kernel drops and reads again."""
        return self._memory("RssAnon")

    def _memory(self, name):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        line = next((line for line in status.splitlines() if line.startswith(name + ":")), None)
        if line is None:
            raise ProcessLookupError(f"process {self.pid} has ended")
        return int(line.split()[1]) * 1024


class Process(Running):
    """One child process whose output goes to a file."""

    def __init__(self, argv, log, **popen):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self._child = subprocess.Popen(
                [str(arg) for arg in argv], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, env=ENVIRONMENT, start_new_session=True, **popen)
        super().__init__(self._child.pid)

    def running(self):
        return self._child.poll() is None

    @property
    def status(self):
        """As in subprocess: None while it runs, -N if signal N ended it."""
        return self._child.poll()

    def signal(self, number):
        if self.running():
            self._child.send_signal(number)

    def wait(self, timeout=10):
        return self._child.wait(timeout)

    def stop(self, timeout=15):
        """Asks it to end; kills it if it does not."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.wait(timeout)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()

    def pause(self):
        """Stops it; returns when none of its threads runs any more. SIGCONT ends the pause."""
        self.signal(signal.SIGSTOP)
        wait_until(self._is_paused, f"process {self.pid} stops", interval=0.001)

    def _is_paused(self):
        threads = pathlib.Path(f"/proc/{self.pid}/task").iterdir()
        try:
            return all(_fields(thread / "stat")[0] == "T" for thread in threads)
        except FileNotFoundError:   # one that has just ended
            return False


class Lab:
    """with Lab() as lab: ... Afterwards lab.path and all that ran in it are gone.

    keep=True keeps the directory, not the processes. SIGTERM ends a lab as an interrupt
    does, so nothing outlives it.
    """

    def __init__(self, keep=False):
        self._keep = keep
        self._stack = contextlib.ExitStack()
        self._independent = []
        self._old_handler = None
        self.path = None

    def __enter__(self):
        # /tmp, not TMPDIR: a unix socket's path must fit into 107 bytes. Open
        # to all: Postfix, MariaDB and Dovecot run as users of their own.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="mumlab-", dir="/tmp"))
        self.path.chmod(0o755)
        if threading.current_thread() is threading.main_thread():
            self._old_handler = signal.signal(signal.SIGTERM, self._interrupt)
        return self

    def __exit__(self, *exception):
        try:
            # Most of them take a second.
            with futures.ThreadPoolExecutor(32) as pool:
                list(pool.map(lambda server: server.stop(), self._independent))
        finally:
            self._close()

    def _close(self):
        try:
            self._stack.close()
        finally:
            if self._old_handler is not None:
                signal.signal(signal.SIGTERM, self._old_handler)
            if not self._keep:
                shutil.rmtree(self.path, ignore_errors=True)

    @staticmethod
    def _interrupt(number, frame):
        raise KeyboardInterrupt(f"signal {number}")

    def own(self, server, independent=False):
        """The lab calls server.stop() at its end: first of independent ones, side by side,
        then of the others, the last one first.
        """
        if not independent:
            self.at_end(server.stop)
        elif server not in self._independent:
            self._independent.append(server)
        return server

    def at_end(self, function):
        self._stack.callback(function)

    def directory(self, name, owner="root", group=None, mode=0o755):
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        give(path, owner, group)
        path.chmod(mode)
        return path


def give(path, owner, group=None):
    user = pwd.getpwnam(owner)
    os.chown(path, user.pw_uid, grp.getgrnam(group).gr_gid if group else user.pw_gid)


def run(*argv, check=True, timeout=120, **options):
    """Runs a short command; returns its output as text. LabError if it fails."""
    result = subprocess.run([str(arg) for arg in argv], env=ENVIRONMENT,
                            capture_output=True, text=True, timeout=timeout, **options)
    if check and result.returncode != 0:
        raise LabError(f"{' '.join(str(arg) for arg in argv)}: exit {result.returncode}\n"
                       f"{result.stdout}{result.stderr}")
    return result
