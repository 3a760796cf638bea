# SPDX-License-Identifier: MIT
"""How a password is verified: what the log says, how long it takes, and which rows with a
{SCHEME} prefix count. Stock sql is asked the same about the same rows.
"""

import itertools
import re
import time

import pytest

from lab import hashes, wait_until
from lab.mum_dovecot import verdict

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)

# name: what the lab's Dovecot is
DRIVERS = {
    "stock": {"driver": "sql"},
    "worker": {"options": {"allow_scheme_prefix": "true"}},
    "inline": {"options": {"allow_scheme_prefix": "true", "verify": "inline"}},
}


def add(store, password=None, **columns):
    return store.add(f"v{next(_numbers)}", password=password, **columns)


# ---- the log ----

OF_A_LOGIN = re.compile(r"mismatch|unknown user|mum: |[Pp]assword")
OF_NO_LOGIN = re.compile(r"end-of-test|Weak password schemes are allowed")


def failure_lines(dovecot, user, password="wrong"):
    """The lines that a login from 192.0.2.1 adds to the log, without date and process."""
    before = len(dovecot.log())
    dovecot.doveadm("auth", "test", "-x", "service=imap", "-x", "rip=192.0.2.1", user, password)
    dovecot.auth_test("end-of-test@example.test", "x")
    dovecot.wait_log("end-of-test@example.test", after=before)
    time.sleep(0.3)     # a worker's lines arrive separately
    return [dovecot.language.login_line(line) for line in dovecot.log()[before:]
            if OF_A_LOGIN.search(line) and not OF_NO_LOGIN.search(line)]


@pytest.mark.parametrize("who", DRIVERS)
def test_failed_login_is_one_line_with_user_and_address(stores, dovecots, who):
    store = stores("mariadb")
    dovecot = dovecots(store, **DRIVERS[who])
    name = "sql" if who == "stock" else "mum"
    for user, text in ((add(store), "Password mismatch"),
                       (f"no{next(_numbers)}@example.test", "unknown user")):
        assert failure_lines(dovecot, user) == [f"{name}({user},192.0.2.1): {text}"]


@pytest.mark.parametrize("who", ["worker", "inline"])
@pytest.mark.parametrize("password", ["", "$2y$19$" + "A" * 53, "{SHA256}short", "{BLF-CRYPT}x"])
def test_refused_hash_is_one_line_with_user_and_address(stores, dovecots, who, password):
    store = stores("mariadb")
    user = add(store, password)
    line, = failure_lines(dovecots(store, **DRIVERS[who]), user, "secret")
    assert line.startswith(f"mum({user},192.0.2.1): ")


# ---- rows with a prefix ----

PREFIXED = {
    "{PLAIN}$ecret": ("$ecret", "ok"),
    "{PLAIN}_secret": ("_secret", "ok"),
    "{CLEARTEXT}$1$notahash": ("$1$notahash", "ok"),
    "{CLEAR}$6$rounds=999999999$x": ("$6$rounds=999999999$x", "ok"),
    "{PLAIN}secret": ("secret", "ok"),
    "{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69": ("secret", "ok"),
    "{CRYPT}abJnggxhB/yWI": ("test", "refused"),
    "{SHA256-CRYPT}" + hashes.sha512(): ("secret", "ok"),
    # a hash that the scheme's verifier cannot read
    "{SHA256}5en6G6MezRroT3XKqkdPOmY/BfQ=": ("secret", "refused"),
    "{SHA256}short": ("secret", "refused"),
    "{SHA512}": ("secret", "refused"),
    "{BLF-CRYPT}x": ("secret", "refused"),
    "{BLF-CRYPT}$6$saltsalt$x": ("secret", "refused"),
    "{CRAM-MD5}x": ("secret", "refused"),
    "{PLAIN-MD5}nothex": ("secret", "refused"),
    "{SSHA}x": ("secret", "refused"),
    "{SSHA256}c2hvcnQ=": ("secret", "refused"),
    "{SMD5}!!!": ("secret", "refused"),
    "{MD5}x": ("secret", "refused"),
    "{SCRAM-SHA-1}4096,x": ("secret", "refused"),
    "{PBKDF2}$1$salt$1000$short": ("secret", "refused"),
    "{ARGON2ID}x": ("secret", "refused"),
    "{CRYPT}x": ("secret", "refused"),
    "{DES-CRYPT}short": ("secret", "refused"),
}


@pytest.mark.parametrize("service", ["imap", "smtp"])
@pytest.mark.parametrize("who", DRIVERS)
def test_prefixed_rows_answer_as_stock(stores, dovecots, who, service):
    store = stores("mariadb")
    dovecot = dovecots(store, **DRIVERS[who])
    with dovecot.auth_client() as client:
        replies = client.ask_all([(add(store, row), password, service)
                                  for row, (password, _) in PREFIXED.items()])
    seen = {row: verdict(reply) for row, reply in zip(PREFIXED, replies)}
    unreadable = dovecot.language.stock_unreadable_hash
    if who == "stock":      # and its line about DES-CRYPT comes from the library
        seen = {row: "refused" if said == unreadable else said for row, said in seen.items()}
    assert seen == {row: expected for row, (_, expected) in PREFIXED.items()}
    # it is never held like a temporary failure
    assert max(reply.seconds for reply in replies) < 8


# ---- time ----

COSTLY = hashes.bcrypt(cost=12)

REFUSED = {"empty": "", "locked": "!" + COSTLY, "cost": "$2y$19$" + "A" * 53,
           "malformed": "$2y$04$short", "plain": "secret", "brace": "{SHA256}short",
           "no bcrypt": "{BLF-CRYPT}x", "no digest": "{CRAM-MD5}x", "no DES": "{CRYPT}x"}

def cost(dovecot, user, password):
    """Seconds of processor time for a refused login, so other load on the machine does not
    count.
    """
    before = dovecot.cpu()
    assert dovecot.login(user, password) == "refused"
    return dovecot.cpu_since(before)


@pytest.mark.parametrize("who", ["worker", "inline"])
def test_refused_login_costs_what_a_wrong_password_costs(stores, make_dovecot, who):
    """Counted in auth and its workers, because auth rounds up the time of a refusal, which
    hides the cost from clients.
    """
    store = stores("mariadb")
    dovecot = make_dovecot(store, **DRIVERS[who])
    usual = add(store, COSTLY)
    assert dovecot.login(usual, "secret") == "ok"
    wrong = cost(dovecot, usual, "wrong")
    assert wrong > 0.1
    users = {"unknown": "nobody@example.test",
             **{name: add(store, password) for name, password in REFUSED.items()}}
    costs = {name: cost(dovecot, user, "secret") for name, user in users.items()}
    assert {name: cost for name, cost in costs.items() if not wrong / 2 < cost < wrong * 2} == {}


# ---- where nothing is verified ----

@pytest.mark.parametrize("who", DRIVERS)
def test_lookup_without_a_login_has_no_use_for_the_hash(stores, dovecots, who):
    store = stores("mariadb")
    dovecot = dovecots(store, **DRIVERS[who], settings="protocol lmtp {\n  lmtp_proxy = yes\n}\n")
    for password in (None, *REFUSED.values()):
        user = add(store, password)
        found = dovecot.doveadm("auth", "lookup", "-x", "service=lmtp", user)
        if who == "stock" and password in ("{SHA256}short", "{CRAM-MD5}x"):
            continue    # stock has none that it can decode
        assert found.returncode == 0 and f"user      : {user}" in found.stdout, password
        with dovecot.lmtp() as lmtp:
            assert lmtp.rcpt(user).startswith("250 "), password
    unknown = f"no{next(_numbers)}@example.test"
    assert dovecot.doveadm("auth", "lookup", "-x", "service=lmtp", unknown).returncode != 0
    with dovecot.lmtp() as lmtp:
        assert lmtp.rcpt(unknown).startswith("550 ")


@pytest.mark.parametrize("lines", ["default_fields = nopassword=y", "override_fields = nopassword=y"])
def test_passdb_that_takes_any_password_takes_it(stores, make_dovecot, lines):
    """As Dovecot documents for nopassword; it has no effect after verifying."""
    store = stores("mariadb")
    dovecot = make_dovecot(store, front=f"""
passdb {{
  driver = mum
  args = %(args)s
  {lines}
}}
""")
    users = [add(store, password) for password in ("", "$2y$04$short")]
    before = lines.startswith("default") or not dovecot.language.has_override_fields
    expected = "ok" if before else "refused"
    assert [dovecot.login(user, "anything") for user in users] == [expected] * 2
    wait_until(lambda: dovecot.login("nobody@example.test", "x") == "refused", "an unknown user")


@pytest.mark.parametrize("who", DRIVERS)
def test_deny_passdb_in_front_denies_those_it_names(lab, stores, make_dovecot, who):
    """Also in the worker, where the first passdb is not the one that verifies."""
    store = stores("mariadb")
    banned, other = add(store), add(store)
    file = lab.path / f"banned-{who}"
    file.write_text(f"{banned}:\n")
    file.chmod(0o644)
    dovecot = make_dovecot(store, **DRIVERS[who], front=f"""
passdb {{
  driver = passwd-file
  args = {file}
  deny = yes
}}
""")
    assert [dovecot.login(user, word) for user in (banned, other) for word in ("secret", "wrong")] \
        == ["user_disabled", "user_disabled", "ok", "refused"]
