# SPDX-License-Identifier: MIT
"""The end of auth with lookups in flight, with any passdb and userdb blocks in a row: no
crash, and a temporary failure for all who wait.

Dovecot makes one module of the blocks that have the same args.
"""

import os
import signal
import time

import pytest

from lab import wait_until
from lab.mum_dovecot import verdict, write_stock_sql
from dovecot_stores import MariaStore

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

# A letter for each block, the same letter for the same args; the first is the shipped one.
ALIKE_AND_OTHERS = ["a", "aa", "ab", "aaa", "aab", "aba", "abb", "abc"]

# s: stock sql, which Dovecot asks in its workers, where sanitizers cannot run; p:
# passwd-file.
PLAIN = ["as", "ap", "aas", "asa", "aa", "aba"]

DEADLINE = 500      # ms that a block of ours keeps a lookup


@pytest.fixture(scope="module")
def store(lab):
    store = MariaStore(lab, name="ends")
    store.add("user")
    return store


def arguments(dovecot, store, letter):
    """driver and args of a block; writes their file."""
    if letter == "a":
        return "mum", dovecot.mum_conf
    path = dovecot.directory / f"other-{letter}.conf"
    if letter == "s":
        write_stock_sql(path, store.settings)
        return "sql", path
    if letter == "p":
        path.write_text("somebody@example.test:{PLAIN}secret::::/nonexistent\n")
        return "passwd-file", path
    path.write_text(dovecot.mum_conf.read_text())
    return "mum", path


def start(make_dovecot, store, letters, sanitized):
    dovecot = make_dovecot(store, start=False, sanitized=sanitized,
                           options={"deadline": f"{DEADLINE}ms"})
    blocks = ""
    for letter in letters[1:]:
        driver, args = arguments(dovecot, store, letter)
        for kind in ("passdb", "userdb"):
            blocks += f"{kind} {{\n  driver = {driver}\n  args = {args}\n}}\n"
    dovecot.add_settings(blocks)
    return dovecot.start()


def end_with_lookups_in_flight(dovecot, store, wait):
    user = "user@example.test"
    with store.trouble("server hung"), dovecot.auth_client() as postfix, \
            dovecot.auth_client() as others, dovecot.master_client() as admin, \
            dovecot.userdb_client() as lmtp:
        started = others.start([(user, "secret", "imap")] * 3)
        postfix.start([(user, "secret", "smtp")])
        admin.start([("PASS", user, "imap"), ("PASS", user, "smtp")])
        lmtp.start([("USER", user, "lmtp")] * 3)
        time.sleep(wait)
        os.kill(dovecot.auth_pid(), signal.SIGTERM)
        assert postfix.read_to_end() == b""
        replies = others.collect(started).values()
    assert {verdict(reply) for reply in replies} == {"temp_fail"}


def check(make_dovecot, store, letters, block, sanitized):
    dovecot = start(make_dovecot, store, letters, sanitized)
    assert dovecot.login("user@example.test", "secret") == "ok"
    end_with_lookups_in_flight(dovecot, store, DEADLINE * (block + 0.5) / 1000)
    wait_until(lambda: dovecot.login("user@example.test", "secret") == "ok", "a login again")
    assert dovecot.terminate() == 0
    assert dovecot.complaints() == [] and dovecot.sanitizer_reports() == []


# In the last case all blocks have failed, and only Postfix does not know it yet.
CASES = [(letters, block) for letters in ALIKE_AND_OTHERS for block in range(len(letters) + 1)]


@pytest.mark.parametrize("letters, block", CASES, ids=str)
def test_end_with_lookups_in_a_block_is_clean(make_dovecot, store, letters, block):
    check(make_dovecot, store, letters, block, sanitized=True)


@pytest.mark.parametrize("letters", PLAIN)
def test_end_without_sanitizers_is_clean(make_dovecot, store, letters):
    check(make_dovecot, store, letters, 0, sanitized=False)
