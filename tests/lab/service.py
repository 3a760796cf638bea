# SPDX-License-Identifier: MIT
"""A small service manager: it holds sockets, gets notifications and filters system calls,
as systemd does, but without systemd.
"""

import ctypes
import os
import pathlib
import re
import select
import socket
import struct
import sys
import time

from .lab import ENVIRONMENT, LabError, Process, run

# Runs in the new process: puts descriptors where sd_listen_fds(3) says, and execs.
LAUNCHER = """
import os, sys
fds, argv = [int(fd) for fd in sys.argv[1].split(",") if fd], sys.argv[2:]
high = [os.dup(fd) if fd < 100 else fd for fd in fds]
high = [os.dup2(fd, 100 + n, inheritable=False) for n, fd in enumerate(high)]
for n, fd in enumerate(high):
    os.dup2(fd, 3 + n)
if fds:
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(fds))
if os.environ.get("WATCHDOG_PID") == "mine":
    os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(argv[0], argv)
"""


class NotifySocket:
    """What arrives on $NOTIFY_SOCKET, one dict for each message."""

    def __init__(self, address):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        if not address.startswith("\0"):
            os.chmod(address, 0o777)
        self.name = "@" + address[1:] if address.startswith("\0") else address

    def close(self):
        self._socket.close()

    def next(self, timeout=10):
        """The next message; None if nothing comes in time."""
        if not select.select([self._socket], [], [], timeout)[0]:
            return None
        message = self._socket.recv(4096).decode()
        return dict(line.split("=", 1) for line in message.splitlines())

    def wait(self, name, timeout=10):
        """The first message that has this variable."""
        end = time.monotonic() + timeout
        while True:
            message = self.next(max(0, end - time.monotonic()))
            if message is None:
                raise LabError(f"no {name} within {timeout:g} s")
            if name in message:
                return message


def launch(lab, mumd, sockets=(), names=None, user=None, prefix=(), **variables):
    """Runs this Mumd and hands it the listening sockets; returns the process."""
    environment = dict(variables)
    if names is not None:
        environment["LISTEN_FDNAMES"] = ":".join(names)
    fds = [sock.fileno() for sock in sockets]
    argv = [sys.executable, "-c", LAUNCHER, ",".join(map(str, fds)), *prefix,
            mumd.program(), "-c", mumd.config, "-F"]
    assigned = [f"{name}={value}" for name, value in environment.items()]
    options = {"user": user, "group": user and "nogroup",
               "extra_groups": []} if user else {}
    mumd.process = lab.own(Process(["env", *assigned, *argv], mumd.log_path, cwd="/",
                                   pass_fds=fds, **options))
    return mumd.process


def listening_unix(path, mode=0o666):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    os.chmod(path, mode)
    sock.listen(1024)
    return sock


# ---- SystemCallFilter= ----

_BPF_LOAD, _BPF_JUMP_EQUAL, _BPF_RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO_EPERM = 0x7fff0000, 0x00050001
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2


def _group(name):
    """The system calls of @name, groups inside it resolved."""
    calls = set()
    for word in run("systemd-analyze", "syscall-filter", "--no-pager", name).stdout.split("\n")[1:]:
        word = word.strip()
        if word.startswith("@"):
            calls |= _group(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return calls


def allowed_calls(unit):
    """The calls that the SystemCallFilter= lines of a unit allow: a list, then exceptions."""
    allowed = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", pathlib.Path(unit).read_text(), re.M):
        calls = set().union(*(_group(word) if word.startswith("@") else {word}
                              for word in line.lstrip("~").split()))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def _numbers():
    header = run("gcc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null").stdout
    return {name: int(number) for name, number in
            re.findall(r"^#define __NR_(\w+) (\d+)$", header, re.M)}


def write_filter(unit, path):
    """A BPF program for seccomp(2) that does what systemd makes of the unit."""
    numbers = _numbers()
    # systemd always allows these: it must exec the program.
    calls = allowed_calls(unit) | {"execve", "exit", "exit_group", "rt_sigreturn"}
    program = struct.pack("=HBBI", _BPF_LOAD, 0, 0, 0)
    for name in sorted(calls & numbers.keys()):
        program += struct.pack("=HBBI", _BPF_JUMP_EQUAL, 0, 1, numbers[name])
        program += struct.pack("=HBBI", _BPF_RETURN, 0, 0, _ALLOW)
    program += struct.pack("=HBBI", _BPF_RETURN, 0, 0, _ERRNO_EPERM)
    path.write_bytes(program)


# Loads such a program and execs under it.
FILTERED = """
import ctypes, os, struct, sys
program = open(sys.argv[1], "rb").read()
buffer = ctypes.create_string_buffer(program)
header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, header):
    sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[2], sys.argv[2:])
"""
