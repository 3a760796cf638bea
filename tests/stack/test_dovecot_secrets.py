# SPDX-License-Identifier: MIT
"""Passwords and hashes on their way through Dovecot's auth process: no line of the log
holds one, however much is logged, and no core dump holds the database's password."""

import os
import resource
import signal

import pytest

from lab import hashes
from lab.lab import run
from lab.mariadb import DOVECOT_PASSWORD
from lab.mum_dovecot import MumDovecot, verdict

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

# Makes Dovecot log as much as possible, except passwords themselves.
LOUD = "auth_debug = yes\nauth_verbose = yes\nmail_debug = yes\n"
TYPED = ("typed-canary-right", "typed-canary-wrong")


@pytest.fixture
def store(stores):
    return stores("mariadb")


def canary_hashes():
    """{name of a mailbox: what stands in its row}, good ones and bad ones."""
    right = TYPED[0]
    return {
        "bcrypt": hashes.bcrypt(right),
        "sha512": hashes.sha512(right),
        "yescrypt": hashes.yescrypt(right),
        "argon2": hashes.argon2(right),
        "costly": hashes.bcrypt(right).replace("$05$", "$31$"),
        "cut": hashes.bcrypt(right)[:40],
        "plain": "{PLAIN}" + right,
        "unknown": "{CANARY}hash-canary-one",
        "none": "hash-canary-two",
        "dollar": "$canary$hash-canary-three",
        "unclean": "hash-canary-four\x1b[2J",
    }


def test_no_line_holds_a_password_or_a_hash(store, make_dovecot):
    rows = canary_hashes()
    users = {name: store.add(f"canary-{name}", password=text) for name, text in rows.items()}
    users["sendonly"] = store.add("canary-sendonly", password=rows["bcrypt"], send_only=1)
    users["nohome"] = store.add("canary-nohome", password=rows["bcrypt"], homedir="canary-relative")
    users["nobody"] = "nobody@example.test"
    loud = [make_dovecot(store, settings=LOUD, options={"deadline": "500ms"}),
            make_dovecot(store, settings=LOUD, options={"allow_scheme_prefix": "true"}),
            make_dovecot(store, settings=LOUD, options={"verify": "inline"}, prefetch=True)]
    verdicts = set()
    for dovecot in loud:
        # All at once, because Dovecot answers each failure after half a second.
        with dovecot.auth_client() as client:
            verdicts |= {verdict(reply) for reply in client.ask_all(
                [(user, typed, "imap") for user in users.values() for typed in TYPED])}
        with dovecot.master_client() as client:
            client.users(users.values())
            for user in users.values():     # doveadm auth lookup
                client.password(user)
        dovecot.doveadm("user", "*")
    dovecot = loud[0]
    for trouble in ("server down", "wrong password", "renamed table"):
        with store.trouble(trouble):
            verdicts.add(dovecot.login(users["bcrypt"], TYPED[0]))
    assert verdicts >= {"ok", "refused", "temp_fail"}
    log = "\n".join(line for dovecot in loud for line in dovecot.log())
    assert "mailboxes.password of <canary-costly@example.test>" in log     # so it did happen
    secrets = [DOVECOT_PASSWORD, "somebody changed it", *TYPED]
    for text in rows.values():
        secrets += [text, text.rpartition("$")[2], text.partition("}")[2] or text]
    for secret in secrets:
        assert secret not in log, secret


def test_the_kernel_writes_no_core_dump_of_auth(lab, store):
    """As Dovecot starts it; nothing of ours changes that."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        dovecot = MumDovecot(lab, store.settings, name="dc-abort").start()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    user = store.add("canary-abort")
    assert dovecot.login(user, "secret") == "ok"
    os.kill(dovecot.auth_pid(), signal.SIGABRT)
    assert "core not dumped" in dovecot.wait_log("killed with signal 6")
    dovecot.stop()


def test_a_core_dump_of_auth_holds_no_database_password(lab, store, make_dovecot):
    """Root makes the dump with gcore(1). Dovecot's own buffers still hold the latest
    passwords and hashes of users.
    """
    dovecot = make_dovecot(store)
    user = store.add("canary-dumped")
    assert dovecot.login(user, "secret") == "ok"
    pid, cores = dovecot.auth_pid(), []
    for options in ((), ("-a",)):
        run("gcore", *options, "-o", lab.path / "auth", pid)
        path = lab.path / f"auth.{pid}"
        cores.append(path.read_bytes())
        path.unlink()
    assert b"mum_dovecot" in cores[0] and DOVECOT_PASSWORD.encode() not in cores[0]
    assert DOVECOT_PASSWORD.encode() in cores[1]    # the search does find it where it is
