# SPDX-License-Identifier: MIT
"""Compares what stock, we and the model say about one database."""

import collections
import itertools

from conformance.keys import ADDRESS_MAPS
from conformance.logins import LOGIN_RULES, Logins
from conformance.model import RULES, SEARCH, STOCK
from conformance.names import WIDTH, is_text, quote_address, search_keys, unquote
from conformance.passwords import PASSWORD_RULES, Passwords
from conformance.recipients import RECIPIENT_RULES, Recipients
from conformance.senders import SENDER_RULES, Senders

ALL_RULES = {**RULES, **LOGIN_RULES, **PASSWORD_RULES, **RECIPIENT_RULES, **SENDER_RULES}

LISTS = ("aliases", "sender-login-maps")    # whose order stock leaves open

Failure = collections.namedtuple("Failure", "map key what said expected")


def _is_equal(table, one, other):
    """Are two answers of that map the same, as far as stock promises?"""
    if table in LISTS and None not in (one, other):
        return sorted(one.split(",")) == sorted(other.split(","))
    return one == other


def is_overlong(key):
    """Is the key wider than MUM's columns? Then, if some characters weigh nothing, whether
    it is found depends on how MariaDB reads the table.
    """
    return any(len(part.casefold()) > WIDTH for part in key.rpartition("@"))


class Judge:
    """One database. stock, ours: {map: {key: value}}; ours for each store. Dovecot's
    questions about users count as maps, too.
    """

    def __init__(self, model, stock, ours, delimiters):
        self._model = model
        self._logins = Logins(model)
        # who knows what is right of which table
        self._models = {}
        for rules, knows in ((RULES, model), (LOGIN_RULES, self._logins),
                             (PASSWORD_RULES, Passwords(self._logins)),
                             (RECIPIENT_RULES, Recipients(model)),
                             (SENDER_RULES, Senders(model))):
            self._models.update(dict.fromkeys(rules, knows))
        self._stock = stock
        self._ours = ours
        self._delimiters = delimiters
        self.failures = []
        self.rules_seen = collections.Counter()

    def judge(self, keys):
        for table in keys:
            for key in keys[table]:
                self._judge_key(table, key)

    def judge_mended(self, listed):
        """Judges the users that stock Dovecot lists if its query does not ask for a name."""
        expected = self._logins.listed({"iteration"})
        if listed != expected:
            self._fail("iteration", "", "mended stock and the model", listed, expected)

    def _fail(self, table, key, what, said, expected):
        self.failures.append(Failure(table, key, what, said, expected))

    def _right(self, table, key, rules):
        return self._models[table].ask(table, key, rules)

    def _judge_key(self, table, key):
        right = self._right(table, key, ALL_RULES[table])
        for store, answers in self._ours.items():
            said = answers[table].get(key)
            if said != right:
                self._fail(table, key, f"we on {store} and the model", said, right)
        stock = self._stock[table].get(key)
        self._judge_stock(table, key, stock, right)

    def _judge_stock(self, table, key, stock, right):
        plain = self._right(table, key, STOCK)
        if is_overlong(key) and not _is_equal(table, stock, plain):
            self.rules_seen["exact-names"] += 1
            return
        if not _is_equal(table, stock, plain):
            self._fail(table, key, "stock and the model without rules", stock, plain)
        if table in ADDRESS_MAPS and is_text(key) and unquote(key.rpartition("@")[0]) is None:
            self._judge_search(table, key)
        if stock != right:
            self.rules_seen.update(self.reasons(table, key, right, plain))

    def _judge_search(self, table, key):
        """Judges what Postfix gets in the end for an address in its internal form: by many
        questions to a mysql: table, or by one or two to mumd.
        """
        stock = next((self._with_extension(table, form, extension)
                      for form, extension in search_keys(table, key, self._delimiters)
                      if form in self._stock[table]), None)
        asked = dict.fromkeys([quote_address(key), key])
        ours = next((value for value in (self._model.ask(table, form, SEARCH) for form in asked)
                     if value is not None), None)
        if not _is_equal(table, stock, ours):
            self._fail(table, key, "stock after all questions of Postfix and the model with "
                       "its search", stock, ours)

    def _with_extension(self, table, key, extension):
        if table != "aliases" or not extension:
            return self._stock[table][key]
        return self._model.aliases(key, STOCK, extension)

    def reasons(self, table, key, right, plain):
        """The rules that make the difference between stock and us."""
        rules = ALL_RULES[table]
        reasons = [rule for rule in sorted(rules)
                   if self._right(table, key, rules - {rule}) != right
                   or self._right(table, key, {rule}) != plain]
        if not reasons:     # only several rules together make a difference
            reasons = next((list(some) for some in itertools.combinations(sorted(rules), 2)
                            if self._right(table, key, set(some)) != plain), [])
        if not reasons and not _is_equal(table, plain, right):
            self._fail(table, key, "stock and us, for no reason", plain, right)
        return reasons
