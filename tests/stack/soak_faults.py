# SPDX-License-Identifier: MIT
"""What strikes a soak. Each fault is a context: it holds inside, and is undone at the end."""

import contextlib
import subprocess
import threading
import time

from lab.clients import connect
from lab.lab import ENVIRONMENT

DATABASE_USERS = ("mum_postfix", "mum_dovecot")
CLIENTS = 60        # slow ones, at each socket
FEW = 10            # the least that max_connections can be


@contextlib.contextmanager
def _again_and_again(function, pause=0.2):
    """function() is called from a thread meanwhile."""
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
    """Others take all that the server allows. An administrator may have one more."""
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
def dovecot_reloaded(world):
    world.dovecot.reload()
    yield


@contextlib.contextmanager
def postfix_reloaded(world):
    world.postfix.command("reload")
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


FAULTS = {function.__name__.replace("_", " "): function for function in (
    database_hung, database_killed, connections_killed, tables_locked, too_many_connections,
    mumd_reloaded, mumd_restarted, mumd_killed, dovecot_reloaded, postfix_reloaded, slow_clients)}
