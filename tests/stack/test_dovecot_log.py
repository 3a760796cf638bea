# SPDX-License-Identifier: MIT
"""Each line of the module's in Dovecot's log names the module once: where Dovecot does so
by itself, we do not. (What a refused login says is in test_dovecot_verify.py.)"""

import itertools
import re

import pytest

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)

# "mum: ", and of Dovecot 2.3, for one user, "mum(USER,ADDRESS): "
NAME = re.compile(r"\bmum(?=: |\()")


def add(store, **columns):
    return store.add(f"log{next(_numbers)}", **columns)


def refused_hash(store, dovecot):
    dovecot.login(add(store, password="plain"), "secret")


def row_that_nobody_can_use(store, dovecot):
    dovecot.user(add(store, homedir="srv/mail"))


def trouble(ask):
    """Such as a login while there is no table."""
    def happens(store, dovecot):
        user = add(store)
        with store.trouble("renamed table"):
            ask(dovecot, user)
    return happens


MISSING = "Table 'mum.mailboxes' doesn't exist (1146)"

# what happens, and a part of each line that it leaves
LINES = {
    "refused hash": (refused_hash, ["mailboxes.password of <"]),
    "row": (row_that_nobody_can_use, ["mailboxes row of <"]),
    "login": (trouble(lambda dovecot, user: dovecot.login(user, "secret")),
              ["question=credential", f"mysqld.sock: {MISSING}"]),
    "lookup": (trouble(lambda dovecot, user: dovecot.user(user)),
               [f"mysqld.sock: {MISSING}"]),
    "list": (trouble(lambda dovecot, _: dovecot.doveadm("user", "*")),
             ["question=users", f"mysqld.sock: {MISSING}"]),
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_names_the_module_once(stores, dovecots, case):
    happens, parts = LINES[case]
    store = stores("mariadb")
    dovecot = dovecots(store)
    after = len(dovecot.log())
    happens(store, dovecot)
    for part in parts:
        line = dovecot.wait_log("Error", part, after=after)
        assert len(NAME.findall(line)) == 1, line
