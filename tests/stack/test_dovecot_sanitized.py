# SPDX-License-Identifier: MIT
"""The module of a build with sanitizers inside Dovecot's auth and its workers.

MUM_AUTH_MODULE_ASAN names the libauthdb_mum.so of a build configured with
--enable-sanitizers; without it the test fails.
"""

import threading
import time

import pytest

from lab import hashes, wait_until

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]


def exercise(dovecot, store, users):
    """Asks auth everything that it can be asked, also about odd rows."""
    with dovecot.auth_client() as client, dovecot.userdb_client() as userdb:
        client.ask_all([(user, word, service) for user in users + ["nobody@example.test", "@", "x"]
                        for word in ("secret", "wrong") for service in ("imap", "smtp")])
        userdb.users(users + ["nobody@example.test", "l" * 300, "@"])
        for user in users:
            userdb.password(user)
        list(userdb.listing())
    dovecot.doveadm("user", "*")


def test_sanitizers_find_nothing_in_the_module(store, make_dovecot):
    dovecot = make_dovecot(store, sanitized=True, prefetch=True,
                           options={"deadline": "1s", "smtp_deadline": "2s"})
    name = f"asan{time.monotonic_ns()}"
    users = [store.add(f"{name}a"), store.add(f"{name}b", send_only=1),
             store.add(f"{name}c", password=hashes.argon2()), store.add(f"{name}d", active=0),
             store.add(f"{name}e", password="x" * 191), store.add(f"{name}f", password=""),
             store.add("ß" * 191, password=hashes.sha512()),
             store.add(f"{name}g", homedir=f"{name}-relative", maildir="h" * 191)]
    assert dovecot.login(users[0], "secret") == "ok"
    exercise(dovecot, store, users)
    trouble = "server down" if store.name == "mariadb" else "locked database"
    with store.trouble(trouble):
        pending = threading.Thread(target=exercise, args=(dovecot, store, users))
        pending.start()
        pending.join()
    wait_until(lambda: dovecot.login(users[0], "secret") == "ok", "logins again")
    with dovecot.auth_client() as client, dovecot.userdb_client() as userdb:
        with store.trouble("renamed table"):
            client.start([(users[0], "secret", "smtp")] * 5)
            userdb.start([("USER", "somebody@example.test", "lmtp")] * 5)
            old = dovecot.reload()
    dovecot.wait_ended(old)
    exercise(dovecot, store, users)
    with store.trouble("renamed table"), dovecot.auth_client() as client:
        client.start([(users[0], "secret", "imap")] * 5)
        time.sleep(0.2)
        assert dovecot.terminate() == 0
    for user in users:
        store.remove(user)
    assert dovecot.sanitizer_reports() == []
    assert dovecot.complaints() == []


def test_sanitizers_are_at_work(store, make_dovecot):
    """Otherwise the test above could not find anything."""
    dovecot = make_dovecot(store, sanitized=True)
    assert dovecot.user("nobody@example.test") is None
    maps = open(f"/proc/{dovecot.auth_pid()}/maps").read()
    assert "libasan.so" in maps and "libauthdb_mum.so" in maps
