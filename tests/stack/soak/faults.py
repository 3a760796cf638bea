# SPDX-License-Identifier: MIT
"""The faults of a soak. Each is a context: it holds inside, and is undone at the end."""

import contextlib
import os
import signal
import subprocess
import threading
import time

from lab.clients import connect
from lab.lab import ENVIRONMENT, wait_until
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD

DATABASE_USERS = {"mum_postfix": POSTFIX_PASSWORD, "mum_dovecot": DOVECOT_PASSWORD}
CLIENTS = 60        # slow ones, at each socket
LATE_CLIENTS = 50   # who find no descriptor
DESCRIPTORS = 1000  # are enough
FEW = 10            # the least that max_connections can be


@contextlib.contextmanager
def _again_and_again(function, pause=0.2):
    """Calls function() from a thread until the context ends."""
    over = threading.Event()

    def run():
        while not over.is_set():
            function()
            over.wait(pause)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


# ---- the database ----

def database_hung(world):
    return world.server.paused()


@contextlib.contextmanager
def database_killed(world):
    world.server.kill()
    try:
        yield
    finally:
        world.server.start()


def _kill_connections(session):
    for user in DATABASE_USERS:
        session.execute(f"KILL USER {user}")


@contextlib.contextmanager
def connections_killed(world):
    with world.server.session() as session, \
            _again_and_again(lambda: _kill_connections(session)):
        yield


def tables_locked(world):
    return world.server.locked("domains", "mailboxes", "aliases", "alias_recipients")


@contextlib.contextmanager
def too_many_connections(world):
    """Others take all connections that the server allows. An administrator may have one more."""
    argv = ["mariadb", "--no-defaults", "-S", str(world.server.socket)]
    with world.server.session() as session:
        old = world.server.sql("SELECT @@global.max_connections")[0][0]
        session.execute(f"SET GLOBAL max_connections = {FEW}")
        others = []
        try:
            while sum(other.poll() is None for other in others) < FEW - 1:
                _kill_connections(session)
                others.append(subprocess.Popen(argv, env=ENVIRONMENT, stdin=subprocess.PIPE,
                                               stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL))
                time.sleep(0.05)
            _kill_connections(session)
            yield
        finally:
            for other in others:
                other.kill()
                other.wait()
                other.stdin.close()
            session.execute(f"SET GLOBAL max_connections = {old}")


@contextlib.contextmanager
def wrong_password(world):
    def change(passwords):
        world.server.sql("".join(f"ALTER USER {user}@localhost IDENTIFIED BY '{password}';"
                                 f"KILL USER {user};" for user, password in passwords.items()))
    change(dict.fromkeys(DATABASE_USERS, "another"))
    try:
        yield
    finally:
        change(DATABASE_USERS)


# ---- the way to the database ----

@contextlib.contextmanager
def _healed(*proxies):
    try:
        yield
    finally:
        for proxy in proxies:
            proxy.heal()


@contextlib.contextmanager
def network_cut(world):
    """Connections end in the middle of an answer, the first one or a later one."""
    dice = world.plan.dice("network cut")

    def cut():
        for proxy in world.hosts:
            proxy.cut(dice.randrange(4000), reset=dice.random() < 0.5)
            proxy.close()
    with _healed(*world.hosts), _again_and_again(cut, 0.3):
        yield


@contextlib.contextmanager
def network_silent(world):
    with _healed(*world.hosts):
        for proxy in world.hosts:
            proxy.black_hole()
        yield


@contextlib.contextmanager
def first_host_gone(world):
    first = world.hosts[0]
    with _healed(first):
        first.refuse()
        first.close()
        yield
        if not world.hosts[1].is_used():
            raise RuntimeError("nobody asks the second host")


@contextlib.contextmanager
def first_host_silent(world):
    first = world.hosts[0]
    with _healed(first):
        first.black_hole()
        yield


# ---- the services ----

@contextlib.contextmanager
def mumd_reloaded(world):
    world.mumd.reload()
    yield


@contextlib.contextmanager
def _mumd_away(world, end):
    if not world.mumd.process.running():
        raise RuntimeError(f"mumd has ended with {world.mumd.process.status}")
    end()
    try:
        yield
    finally:
        world.mumd.start()


def mumd_restarted(world):
    return _mumd_away(world, world.mumd.stop)


def mumd_killed(world):
    return _mumd_away(world, world.mumd.kill)


@contextlib.contextmanager
def no_descriptors(world):
    """mumd has none for new clients, and says so."""
    mumd = world.mumd
    lines = len(mumd.log())
    with contextlib.ExitStack() as stack:
        mumd.limit_descriptors(mumd.process.descriptors())
        stack.callback(mumd.limit_descriptors, DESCRIPTORS)
        for _ in range(LATE_CLIENTS):
            stack.enter_context(contextlib.closing(connect(mumd.socketmap)))
        mumd.wait_log("Too many open files", after=lines)
        yield


@contextlib.contextmanager
def dovecot_reloaded(world):
    world.old_auths |= world.dovecot.reload()
    yield


@contextlib.contextmanager
def postfix_reloaded(world):
    world.postfix.command("reload")
    yield


def _signal_quota_status(world, number):
    for pid in world.dovecot.children("quota-status"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def quota_status_hung(world):
    """Processes that are started meanwhile hang, too."""
    try:
        with _again_and_again(lambda: _signal_quota_status(world, signal.SIGSTOP), 0.05):
            yield
    finally:
        _signal_quota_status(world, signal.SIGCONT)


@contextlib.contextmanager
def without_quota_status(world):
    """Without the socket Dovecot does not start it again."""
    away = world.quota_status.with_name("away")
    world.quota_status.rename(away)
    try:
        _signal_quota_status(world, signal.SIGKILL)
        yield
    finally:
        away.rename(world.quota_status)


@contextlib.contextmanager
def quota_status_killed(world):
    with without_quota_status(world):
        wait_until(lambda: not list(world.dovecot.children("quota-status")), "its end", 10)
        world.remove_left_locks()
        yield


@contextlib.contextmanager
def slow_clients(world):
    """A byte of a request now and then; every other one only connects."""
    requests = {world.mumd.socketmap: b"48:mailboxes user0@soak.test",
                world.mumd.policy: b"request=smtpd_access_policy\n"}
    with contextlib.ExitStack() as stack:
        clients = [(stack.enter_context(contextlib.closing(connect(path))), iter(text))
                   for path, text in requests.items() for _ in range(CLIENTS)]

        def drip():
            for client, text in clients[::2]:
                with contextlib.suppress(OSError):      # mumd may end meanwhile
                    client.sendall(bytes([next(text)]))
        stack.enter_context(_again_and_again(drip, 0.5))
        yield


def _kind(function):
    return function.__name__.replace("quota_status", "quota-status").replace("_", " ")


FAULTS = {_kind(function): function for function in (
    database_hung, database_killed, connections_killed, tables_locked, too_many_connections,
    wrong_password, network_cut, network_silent, first_host_gone, first_host_silent,
    mumd_reloaded, mumd_restarted, mumd_killed, no_descriptors, dovecot_reloaded,
    postfix_reloaded, quota_status_hung, quota_status_killed, slow_clients)}
