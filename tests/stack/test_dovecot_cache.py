# SPDX-License-Identifier: MIT
"""What Dovecot's auth cache does with the module, as the README says."""

import itertools
import re

import pytest

from lab import hashes, wait_until
from lab.lab import TOP
from lab.mum_dovecot import quota
from dovecot_stores import MariaStore

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)

UNCACHED = {"cache": {"ttl": "0s"}}


def settings(worker, ttl="1 hour"):
    return (f"auth_cache_size = 10M\nauth_cache_ttl = {ttl}\nauth_cache_negative_ttl = {ttl}\n"
            f"auth_cache_verify_password_with_worker = {worker}\n")


def cached(dovecots, store, worker):
    return dovecots(store, sections=UNCACHED, settings=settings(worker))


@pytest.mark.parametrize("worker", ["yes", "no"])
def test_nobody_is_somebody_else(store, dovecots, worker):
    """A key without the user's name would make everybody the first one."""
    dovecot = cached(dovecots, store, worker)
    users = {store.add(f"self{next(_numbers)}", password=hashes.bcrypt(word, cost=4)): word
             for word in ("one", "two", "three")}
    for _ in range(2):
        with dovecot.auth_client() as client, dovecot.userdb_client() as userdb:
            for user, word in users.items():
                assert client.login(user, word).fields["user"] == user
                assert userdb.user(user).fields["user"] == user
            assert len({userdb.user(user).fields["home"] for user in users}) == len(users)
        for user, word in users.items():
            assert [dovecot.login(user, other) for other in users.values()] == [
                "ok" if other == word else "refused" for other in users.values()]
        assert dovecot.login("nobody@example.test", "one") == "refused"


@pytest.mark.parametrize("worker", ["yes", "no"])
def test_cache_saves_the_lookup_of_a_login(stores, dovecots, worker):
    store = stores("mariadb")
    dovecot = cached(dovecots, store, worker)
    user = store.add(f"saved{next(_numbers)}")
    assert dovecot.login(user, "secret") == "ok"
    with store.server.general_log() as log:
        assert [dovecot.login(user, "secret") for _ in range(5)] == ["ok"] * 5
        assert "Execute" not in (log.read_text() if log.exists() else "")


CHANGED = {"no": ("ok", "refused"), "yes": ("refused", "ok")}


@pytest.mark.parametrize("worker", CHANGED)
def test_after_a_password_change(store, dovecots, worker):
    """After a mismatch auth asks again if it verified the hash itself; if a worker did, the
    mismatch is final.
    """
    dovecot = cached(dovecots, store, worker)
    user = store.add(f"changed{next(_numbers)}")
    assert dovecot.login(user, "secret") == "ok"
    store.change(user, password=hashes.bcrypt("new", cost=4))
    assert (dovecot.login(user, "new"), dovecot.login(user, "secret")) == CHANGED[worker]


@pytest.mark.parametrize("worker", ["yes", "no"])
def test_flush_makes_a_new_password_count(store, dovecots, worker):
    dovecot = cached(dovecots, store, worker)
    user = store.add(f"flushed{next(_numbers)}")
    assert dovecot.login(user, "secret") == "ok"
    store.change(user, password=hashes.bcrypt("new", cost=4))
    flushed = dovecot.doveadm("auth", "cache", "flush", user)
    assert flushed.returncode == 0
    assert (dovecot.login(user, "new"), dovecot.login(user, "secret")) == ("ok", "refused")


@pytest.mark.parametrize("worker", ["yes", "no"])
def test_disabled_mailbox_logs_in_until_it_is_flushed(store, dovecots, worker):
    dovecot = cached(dovecots, store, worker)
    user = store.add(f"disabled{next(_numbers)}")
    assert dovecot.login(user, "secret") == "ok"
    store.change(user, active=0)
    assert dovecot.login(user, "secret") == "ok"
    dovecot.doveadm("auth", "cache", "flush", user)
    assert dovecot.login(user, "secret") == "refused"


def test_unknown_user_is_remembered_until_it_is_flushed(store, dovecots):
    dovecot = cached(dovecots, store, "no")
    user = f"unborn{next(_numbers)}@example.test"
    assert dovecot.login(user, "secret") == "refused"
    store.add(user.partition("@")[0])
    assert dovecot.login(user, "secret") == "refused"
    dovecot.doveadm("auth", "cache", "flush", user)
    assert dovecot.login(user, "secret") == "ok"


@pytest.mark.parametrize("worker", ["yes", "no"])
def test_send_only_never_reads_mail_by_a_cached_login_for_submission(store, dovecots, worker):
    dovecot = cached(dovecots, store, worker)
    user = store.add(f"sender{next(_numbers)}", send_only=1)
    for _ in range(3):
        assert dovecot.login(user, "secret", "smtp") == "ok"
        assert dovecot.login(user, "secret", "imap") == "user_disabled"
        assert dovecot.login(user, "wrong", "imap") == "refused"
        assert dovecot.login(user, "wrong", "smtp") == "refused"


@pytest.mark.parametrize("worker", ["yes", "no"])
def test_cached_answer_is_the_same_answer(store, dovecots, worker):
    dovecot = cached(dovecots, store, worker)
    user = store.add(f"Same{next(_numbers)}", quota=4)
    with dovecot.auth_client() as client, dovecot.userdb_client() as userdb:
        for _ in range(2):
            assert client.login(user.upper(), "secret").fields["user"] == user
            assert quota(userdb.user(user.upper()).fields) == "4"


def test_trouble_is_never_cached(lab, make_dovecot):
    store = MariaStore(lab, name="cache-trouble")
    dovecot = make_dovecot(store, sections=UNCACHED, options={"deadline": "1s"},
                           settings=settings("no"))
    user = store.add("user")
    with store.trouble("server down"):
        assert dovecot.login(user, "secret") == "temp_fail"
        assert dovecot.user(user) == "temp_fail"
    wait_until(lambda: dovecot.login(user, "secret") == "ok", "the first login", 5)
    wait_until(lambda: isinstance(dovecot.user(user), dict), "the first lookup", 5)


def test_expired_entry_serves_while_the_database_is_down(lab, make_dovecot):
    store = MariaStore(lab, name="cache-expired")
    dovecot = make_dovecot(store, sections=UNCACHED, options={"deadline": "1s"},
                           settings=settings("no", ttl="1s"))
    user = store.add("user")
    assert dovecot.login(user, "secret") == "ok"
    with store.trouble("server down"):
        wait_until(lambda: dovecot.login(user, "secret") == "ok"
                   and any("expired data from cache" in line for line in dovecot.log()),
                   "a login from an expired entry", 15)


@pytest.mark.parametrize("worker", ["yes", "no"])
def test_hash_that_dovecot_cannot_read_is_refused_again(store, dovecots, worker):
    """Its cache would call it a temporary failure, so it must not get it."""
    dovecot = dovecots(store, options={"allow_scheme_prefix": "true"}, sections=UNCACHED,
                       settings=settings(worker))
    for password in ("{MD5}x", "{ARGON2ID}x", "{CRYPT}x"):
        user = store.add(f"unreadable{next(_numbers)}", password=password)
        assert [dovecot.login(user, "secret") for _ in range(3)] == ["refused"] * 3


SPELLINGS = {
    "Mixed.Case": ("mixed.case", "Mixed.Case", "MIXED.CASE"),
    "umlaut": ("umlaut", "Umlaut"),
}


@pytest.mark.parametrize("worker", ["yes", "no"])
@pytest.mark.parametrize("local", SPELLINGS)
def test_flush_without_a_name_forgets_every_spelling(stores, dovecots, worker, local):
    """The command of README.md and of both examples. A flush by MUM's name would miss logins
    typed in another spelling, also in another spelling of the domain.
    """
    store = stores("mariadb")
    dovecot = cached(dovecots, store, worker)
    number = next(_numbers)
    stored = store.add(f"{local}{number}", domain="bücher.test")
    logins = [f"{typed}{number}@{domain}" for typed in SPELLINGS[local]
              for domain in ("bücher.test", "xn--bcher-kva.test")]
    assert {dovecot.login(login, "secret") for login in logins} == {"ok"}
    store.change(stored, password=hashes.bcrypt("new", cost=4))
    by_name = dovecot.doveadm("auth", "cache", "flush", stored)
    flushed = int(by_name.stdout.split()[0])
    assert flushed < len({login.lower() for login in logins}), "a name is enough: say so"
    command, = re.findall(r"^doveadm auth cache flush.*", (TOP / "README.md").read_text(), re.M)
    for example in (TOP / "conf-examples").glob("dovecot-*.conf"):
        assert f'"{command}"' in example.read_text(), example
    assert dovecot.doveadm(*command.split()[1:]).returncode == 0
    assert {(dovecot.login(login, "new"), dovecot.login(login, "secret"))
            for login in logins} == {("ok", "refused")}
