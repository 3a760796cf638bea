# SPDX-License-Identifier: MIT
"""Who gets in with which password. A key is "PASSWORD > USER"."""

import functools
import random

from conformance.logins import HASH, LOGIN_RULES, service_of
from lab import hashes

MAPS = ("login imap", "login smtp")
PASSWORD_RULES = {table: LOGIN_RULES[f"passdb {service_of(table)}"] | {"hash-schemes"}
                  for table in MAPS}

RIGHT = "secret"    # of each mailbox whose hash is one
WRONG = ["", "Secret", "secret ", "secre", "secrets", "s\u00e9cret", "{PLAIN}secret", "*"]


def keys(seed, rows, logins):
    """Each mailbox with the right password and with a wrong one; and some other names."""
    chance = random.Random(f"passwords {seed}")
    domains = {row.id: row.domain for row in rows["domains"]}
    users = [f"{row.local_part}@{domains[row.domain_id]}" for row in rows["mailboxes"]]
    texts = [f"{password} > {user}" for user in users
             for password in (RIGHT, chance.choice(WRONG))]
    texts += [f"{RIGHT} > {user}" for user in chance.sample(logins, min(30, len(logins)))]
    return list(dict.fromkeys(texts))


def split(key):
    password, user = key.split(" > ", 1)
    return user, password


@functools.lru_cache(None)
def _is_hash_of(stored, password):
    """Judged by the libraries of crypt(5) and argon2."""
    if stored.startswith("$argon2"):
        return hashes.argon2_verify(password, stored)
    try:
        return hashes.crypt(password, stored) == stored
    except ValueError:
        return False


def _stock_verifies(stored, password):
    """It takes each hash that names no scheme for BLF-CRYPT."""
    if stored.startswith("{PLAIN}"):
        return stored == "{PLAIN}" + password
    return stored.startswith("$2") and _is_hash_of(stored, password)


class Passwords:
    """logins: a Logins of the same rows."""

    def __init__(self, logins):
        self._logins = logins

    def ask(self, table, key, rules):
        """The name of the user who is logged in, or None."""
        user, password = split(key)
        stored = self._logins.hash_of(user, rules)
        if stored is None:
            return None
        good = (HASH.fullmatch(stored) and _is_hash_of(stored, password)
                if "hash-schemes" in rules else _stock_verifies(stored, password))
        return self._logins.passdb(user, service_of(table), rules) if good else None
