# SPDX-License-Identifier: MIT
"""What can be wrong at mumd's sockets, each as a context in which it is wrong: for
test_mumctl_check_ways.py.
"""

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import threading

from check_findings import finding
from lab import Mumd
from lab.lab import free_port, give
from lab.mumd import sqlite_settings


@contextlib.contextmanager
def mode(path, bits):
    before = path.stat().st_mode & 0o7777
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


def at_both(mumd, code, mend, what):
    return [finding(code, "error", f"unix:{path}", mend, what)
            for path in (mumd.socketmap, mumd.policy)]


@contextlib.contextmanager
def nobody_at_the_sockets(world):
    port = free_port()
    ctl = world.ctl_with(socketmap={"listen": [f"unix:{world.directory}/none"]},
                         policy={"listen": [f"inet:127.0.0.1:{port}"]})
    yield ctl, [finding("socket-dead", "error", f"unix:{world.directory}/none", "start mumd",
                        "No such file"),
                finding("socket-dead", "error", f"inet:127.0.0.1:{port}", "start mumd",
                        "Connection refused")]


@contextlib.contextmanager
def socket_closed_to_postfix(world):
    with mode(world.mumd.policy, 0o600):
        yield world.ctl_with(), [
            finding("socket-denied", "error", f"unix:{world.mumd.policy}", "process.socket_group",
                    "user postfix may not connect")]


@contextlib.contextmanager
def folder_closed_to_postfix(world):
    with mode(world.mumd.sockets, 0o700):
        yield world.ctl_with(), [
            finding("socket-denied", "error", f"unix:{path}", "modes of its folders")
            for path in (world.mumd.socketmap, world.mumd.policy)]


@contextlib.contextmanager
def sockets_that_nobody_accepts_from(world):
    """Their queues are full, so a client that connects waits."""
    with contextlib.ExitStack() as stack:
        def make(family, address):
            listener, client = [stack.enter_context(socket.socket(family)) for _ in range(2)]
            listener.bind(address)
            listener.listen(0)
            client.connect(listener.getsockname())
            return listener.getsockname()

        path = make(socket.AF_UNIX, f"{world.directory}/full")
        stack.callback(os.unlink, path)
        os.chmod(path, 0o666)
        yield world.ctl_with(socketmap={"listen": [f"unix:{path}"]}), [
            finding("socket-dead", "error", f"unix:{path}", "start mumd", "Connection timed out")]


@contextlib.contextmanager
def mumd_stopped(world):
    """The kernel still takes connections, as systemd does for a mumd that has failed."""
    world.mumd.process.pause()
    try:
        yield world.ctl_with(database={"deadline": "100ms"}), at_both(
            world.mumd, "socket-silent", "restart mumd", "gives no answer in time")
    finally:
        world.mumd.process.signal(signal.SIGCONT)


@contextlib.contextmanager
def answering(path, reply):
    """Whoever connects at path gets these bytes for a question."""
    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(4096)
                client.sendall(reply)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        os.chmod(path, 0o666)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"unix:{path}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            os.unlink(path)


@contextlib.contextmanager
def others_at_the_sockets(world):
    """They hang up, or send half an answer, or one of another protocol."""
    replies = [b"", b"9:NOTFOUND", b"HTTP/1.0 400 Bad Request\r\n\r\n"]
    with contextlib.ExitStack() as stack:
        entries = [stack.enter_context(answering(world.directory / f"other{number}", reply))
                   for number, reply in enumerate(replies + [b"220 smtp\n\n"])]
        yield (world.ctl_with(socketmap={"listen": entries[:3]}, policy={"listen": entries[3:]}),
               [finding("socket-silent", "error", entry, "see mumd's log", "it hangs up without")
                for entry in entries])


@contextlib.contextmanager
def mumd_without_database(world):
    """It runs, and its sockets answer "temporary" to all."""
    mumd = Mumd(world.lab, {"database": sqlite_settings(world.directory / "none.sqlite",
                                                        deadline="200ms")},
                name=f"none-{world.name}").start()
    try:
        yield world.ctl_with(socketmap={"listen": [f"unix:{mumd.socketmap}"]},
                             policy={"listen": [f"unix:{mumd.policy}"]}), [
            finding("socket-differs", "error", f"unix:{mumd.socketmap}", "see mumd's log",
                    'an unknown domain: mumd answers "TEMP temporary lookup failure", '
                    'mumctl "NOTFOUND "'),
            finding("socket-differs", "error", f"unix:{mumd.policy}", "see mumd's log",
                    'an unknown recipient: mumd answers "DEFER_IF_PERMIT 4.3.0 temporary lookup '
                    'failure", mumctl "DUNNO"')]
    finally:
        mumd.stop()


@contextlib.contextmanager
def mumd_with_another_database(world):
    """An empty copy, as after a change of mum.conf without a reload."""
    path = world.directory / "empty.sqlite"
    shutil.copy(world.store.path, path)
    give(path, "root", "root")
    path.chmod(0o644)
    with sqlite3.connect(path) as copy:
        for table in ("alias_recipients", "alias_senders", "aliases", "mailboxes", "domains"):
            copy.execute(f"DELETE FROM {table}")
    mumd = Mumd(world.lab, {"database": sqlite_settings(path)}, name="another").start()
    try:
        yield world.ctl_with(socketmap={"listen": [f"unix:{mumd.socketmap}"]},
                             policy={"listen": [f"unix:{mumd.policy}"]},
                             cache={"ttl": "0s"}), [
            finding("socket-differs", "error", f"unix:{mumd.socketmap}",
                    "reload mumd when mum.conf has changed",
                    'a domain of MUM\'s: mumd answers "NOTFOUND ", mumctl "OK ')]
    finally:
        mumd.stop()


@contextlib.contextmanager
def no_quota_status(world):
    path = world.directory / "no-quota-status"
    yield world.ctl_with(policy={"quota": "warn", "quota_status": f"unix:{path}"}), [
        finding("quota-silent", "warning", f"unix:{path}",
                'see service quota-status in the lines for Dovecot that "mumctl setup" prints',
                "as user nobody: No such file or directory; mail to full mailboxes is accepted")]


BOTH, SQLITE = ("mariadb", "sqlite"), ("sqlite",)
SOCKETS = [
    (nobody_at_the_sockets, BOTH, 78), (socket_closed_to_postfix, SQLITE, 78),
    (folder_closed_to_postfix, SQLITE, 78), (sockets_that_nobody_accepts_from, SQLITE, 78),
    (mumd_stopped, BOTH, 78), (others_at_the_sockets, SQLITE, 78),
    (mumd_without_database, BOTH, 78), (mumd_with_another_database, SQLITE, 78),
    (no_quota_status, SQLITE, 1),
]
