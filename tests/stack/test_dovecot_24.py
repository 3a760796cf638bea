# SPDX-License-Identifier: MIT
"""What Dovecot 2.4 has and 2.3 does not: fields { }, settings, weak schemes. conftest.py
leaves out these tests if 2.3 is installed.
"""

import itertools
import time

import pytest

from lab import hashes, wait_until
from lab.dovecot_language import mail_setting_names
from lab.mum_dovecot import verdict
from dovecot_stores import MariaStore, SqliteStore

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)


@pytest.fixture
def store(stores):
    return stores("sqlite")


def add(store, **columns):
    return store.add(f"n{next(_numbers)}", **columns)


def shiny():
    """A maildir that 2.4 cannot express; maildirs are unique in MUM."""
    return f"maildir:/m{next(_numbers)}:SHINY"


def block(kind, *lines, name="mum"):
    return "".join(f"{line}\n" for line in (f"{kind} {name} {{", *lines, "}"))


def fields(**values):
    return ["fields {", *(f"{name} = {value}" for name, value in values.items()), "}"]


# ---- fields { } ----

OWN = {"sieve_script_path": "%{mum:home}/sieve", "x_user": "%{mum:user}",
       "x_driver": "%{mum:mail_driver | upper}", "x_quota": "%{mum:quota_storage_size}",
       "x_nothing": "(%{mum:mail_alt_path})"}


def test_own_fields_have_ours_in_them(store, make_dovecot):
    user = add(store, homedir="/h/x", maildir="maildir:/h/x/m", quota=7)
    dovecot = make_dovecot(store, settings=block("userdb", *fields(**OWN)))
    seen = dovecot.user(user.upper())
    assert {name: seen[name] for name in OWN} == {
        "sieve_script_path": "/h/x/sieve", "x_user": user, "x_driver": "MAILDIR", "x_quota": "7G",
        "x_nothing": "()"}
    assert (seen["home"], seen["mail_path"], seen["user"]) == ("/h/x", "/h/x/m", user)


def test_every_name_is_always_there(store, make_dovecot):
    """A missing name would be an error, and a temporary failure."""
    names = ["user", "home", "quota_storage_size", *mail_setting_names()]
    assert len(names) > 20
    own = {f"x_{name}": f"(%{{mum:{name}}})" for name in names}
    dovecot = make_dovecot(store, settings=block("userdb", *fields(**own)) + block(
        "passdb", *fields(**own, x_password="%{mum:password}")))
    users = [add(store), add(store, send_only=1), add(store, maildir=shiny()),
             add(store, password="")]
    assert set(own) <= set(dovecot.user(users[0]))
    with dovecot.auth_client() as client:
        replies = client.ask_all([(user, "secret", "smtp") for user in users])
    assert list(map(verdict, replies)) == ["ok", "ok", "ok", "refused"]
    assert set(own) <= set(replies[0].fields)


def test_own_fields_of_a_userdb_that_imports_nothing(store, make_dovecot):
    dovecot = make_dovecot(store, settings=block(
        "userdb", "fields_import_all = no", *fields(home="%{mum:home}", mail_path="%{mum:home}/own")))
    user = add(store, homedir="/h/alone")
    seen = dovecot.user(user)
    assert {name: seen[name] for name in ("home", "mail_path")} == {
        "home": "/h/alone", "mail_path": "/h/alone/own"}
    assert "mail_driver" not in seen and "quota_storage_size" not in seen
    # a location that 2.4 cannot express is still a failure, not an empty field
    assert dovecot.user(add(store, maildir=shiny())) == "temp_fail"


def test_passdb_that_imports_nothing_has_no_password(store, make_dovecot):
    dovecot = make_dovecot(store, settings=block("passdb", "fields_import_all = no"))
    user = add(store)
    assert [dovecot.login(user, word) for word in ("secret", "wrong", "")] == ["refused"] * 3


PASSWORD = block("passdb", "fields_import_all = no", *fields(password="%{mum:password}"))
CACHE = "auth_cache_size = 1M\n"


@pytest.mark.parametrize("cache", ["", CACHE])
def test_passdb_that_imports_the_password_alone(store, make_dovecot, cache):
    dovecot = make_dovecot(store, settings=PASSWORD + cache)
    good, none, costly = (add(store, password=password)
                          for password in (None, "", "$2y$19$" + "A" * 53))
    for _ in range(2):
        assert [dovecot.login(user, word) for user in (good, none, costly)
                for word in ("secret", "wrong", "")] == ["ok"] + ["refused"] * 8
    send_only = add(store, send_only=1)
    assert dovecot.login(send_only, "secret", "imap") == "user_disabled"
    assert dovecot.login(send_only, "secret", "smtp") == "ok"


def test_name_that_is_not_ours_is_a_temporary_failure(store, make_dovecot):
    dovecot = make_dovecot(store, settings=block("userdb", *fields(x="%{mum:shoe_size}")))
    assert dovecot.user(add(store)) == "temp_fail"
    dovecot.wait_log("No such field 'shoe_size'")


def test_prefetch_of_own_fields(store, make_dovecot):
    """They give no home to a user without mail, or with a location that 2.4 cannot express."""
    dovecot = make_dovecot(store, prefetch=True, settings=block(
        "passdb", *fields(userdb_home="%{mum:home}", userdb_x="%{mum:mail_path}")))
    bad = add(store, maildir=shiny())
    good = add(store)
    assert dovecot.imap().enter(good, "secret") == "OK"
    assert dovecot.imap().enter(bad, "secret") != "OK"
    dovecot.wait_log(f"mailboxes row of <{bad}>")


# ---- the cache's key ----

def test_own_field_that_depends_on_the_client_is_cached_for_that_client(store, make_dovecot):
    dovecot = make_dovecot(store, settings=CACHE + block(
        "passdb", *fields(x_from="%{remote_ip}")))
    user = add(store)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        said = dovecot.doveadm("auth", "test", "-x", f"rip={address}", user, "secret").stdout
        assert f"x_from={address}" in said


# ---- settings ----

def other_conf(dovecot, old, new):
    """A file beside Dovecot's mum.conf that differs from it in this."""
    text = dovecot.mum_conf.read_text()
    assert text.count(old) == 1
    other = dovecot.directory / "other.conf"
    other.write_text(text.replace(old, new))
    return other


def test_passdb_may_read_a_file_of_its_own(store, make_dovecot):
    dovecot = make_dovecot(store, start=False)
    other = other_conf(dovecot, "dovecot {\n", "dovecot {\n    send_only_refuse = {}\n")
    dovecot.add_settings(block("passdb", f"mum_config_file = {other}"))
    dovecot.start()
    # the other one refuses it; test_passdb_that_imports_the_password_alone
    assert dovecot.login(add(store, send_only=1), "secret", "imap") == "ok"
    said = dovecot.doveconf("-n")
    assert f"mum_config_file = {other}" in said and f"mum_config_file = {dovecot.mum_conf}" in said


def test_userdb_may_read_a_file_of_its_own(lab, store, make_dovecot):
    """Another database, where the same user has another home."""
    elsewhere = SqliteStore(lab, name="elsewhere")
    name = f"n{next(_numbers)}"
    user = store.add(name, homedir="/h/here")
    elsewhere.add(name, homedir="/h/elsewhere", password="")
    dovecot = make_dovecot(store, start=False)
    other = other_conf(dovecot, str(store.path), str(elsewhere.path))
    dovecot.add_settings(block("userdb", f"mum_config_file = {other}"))
    dovecot.start()
    assert dovecot.user(user)["home"] == "/h/elsewhere"
    assert dovecot.login(user, "secret") == "ok"
    # a worker of its own makes the list
    only_there = elsewhere.add(f"n{next(_numbers)}")
    assert set(dovecot.doveadm("user", "*").stdout.split()) == {user, only_there}


# ---- weak schemes ----

# Who verifies: an auth worker, auth itself, and with a cache either.
VERIFIERS = {
    "worker": {},
    "inline": {"verify": "inline"},
    "cache": {"settings": CACHE},
    "cache, worker": {"settings": CACHE + "auth_cache_verify_password_with_worker = yes\n"},
    "cache, inline": {"verify": "inline", "settings": CACHE},
}


@pytest.mark.parametrize("allowed", ["no", "yes"])
@pytest.mark.parametrize("verifier", VERIFIERS)
def test_weak_scheme_is_refused_unless_it_is_allowed(store, make_dovecot, verifier, allowed):
    """Never a temporary failure; and a line says why."""
    options = {"allow_scheme_prefix": "true", **VERIFIERS[verifier]}
    settings = options.pop("settings", "") + f"auth_allow_weak_schemes = {allowed}\n"
    dovecot = make_dovecot(store, options=options, settings=settings)
    weak = "ok" if allowed == "yes" else "refused"
    rows = {"$1$saltsalt$9xy1btjgzLYfb7hivXtC//": weak,
            "{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69": weak,
            "{SHA256-CRYPT}" + hashes.sha512(): "ok"}
    for password, expected in rows.items():
        user = add(store, password=password)
        after = len(dovecot.log())
        # a cache answers from the second on; and if it became the dummy for unknown users, it
        # would be refused again, and cost nothing
        assert [dovecot.login(user, word) for word in ("secret", "wrong", "secret")] == [
            expected, "refused", expected]
        assert dovecot.login("end-of-test@example.test", "x") == "refused"
        dovecot.wait_log("end-of-test@example.test", after=after)
        lines = [line for line in dovecot.log()[after:] if "Weak password scheme '" in line]
        assert len(lines) == (3 if expected == "refused" else 0)
        assert all(user in line and "Error" in line for line in lines)


# ---- temporary failures ----

@pytest.mark.parametrize("verb", ["USER", "PASS"])
def test_a_failure_is_not_held_back_from_who_asks_without_a_login(lab, make_dovecot, verb):
    """Fault: the database hangs; one asker waits, another has gone. Dovecot would hold its answer
    back for auth_internal_failure_delay, and crash if the asker went away meanwhile."""
    store = MariaStore(lab, name=f"delay-{verb}")
    dovecot = make_dovecot(store, options={"deadline": "1s"},
                           settings="auth_internal_failure_delay = 3s\n")
    question = (verb, store.add("user"), "lmtp")
    pid = wait_until(dovecot.auth_pid, "auth runs")
    with store.trouble("locked table"):
        with dovecot.master_client() as client:
            client.start([question])
            time.sleep(0.3)     # it waits for the database
        with dovecot.master_client() as client:
            (answer,) = client.ask_all([question])
    assert answer.kind == "FAIL" and 0.9 < answer.seconds < 2
    time.sleep(5)       # as long as Dovecot would hold back what it was told before
    assert dovecot.auth_pid() == pid
    assert dovecot.complaints() == []
