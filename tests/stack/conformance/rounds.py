# SPDX-License-Identifier: MIT
"""The servers for any number of seeds, and the run of a seed."""

import concurrent.futures
import time

from conformance.data import Generator
from conformance.database import Database
from conformance.judge import Judge
from conformance import passwords
from conformance import recipients
from conformance import senders
from conformance.dovecot import Users
from conformance.hostile import hostile, sees_changes
from conformance.keys import ADDRESS_MAPS, MAPS, Keys
from conformance.logins import LOGIN_RULES
from conformance.model import Model
from conformance.names import search_keys
from conformance.ours import FRESH, OurPostfix
from conformance.stock import StockPostfix
from lab import MariaDB
from lab.mumd import mariadb_settings, sqlite_settings


class Result:
    def __init__(self, seed, delimiters, rows, judge, keys, seconds):
        self.seed, self.delimiters = seed, delimiters
        self.rows, self.seconds = rows, seconds
        self.failures, self.rules_seen = judge.failures, judge.rules_seen
        self.keys = sum(map(len, keys.values()))


class Conformance:
    """with Lab() as lab: run(seed) for each seed, then close()."""

    def __init__(self, lab, delimiters="+"):
        self._delimiters = delimiters
        self._threads = concurrent.futures.ThreadPoolExecutor()
        self._server = server = MariaDB(lab, name="conf-db").start().load_mum("")
        self._database = Database(server, lab.path / "conformance.sqlite")
        self._stock = StockPostfix(lab, server)
        self._ours = OurPostfix(lab, server, self._database.path, delimiters)
        mariadb, sqlite = mariadb_settings(server, ""), sqlite_settings(self._database.path)
        self._stock_users = Users(lab, mariadb, "stock", "sql", FRESH)
        self._our_users = {"mariadb": Users(lab, mariadb, "mariadb", "mum", FRESH),
                           "sqlite": Users(lab, sqlite, "sqlite", "mum", FRESH)}

    def close(self):
        self._ours.close()
        for users in (self._stock_users, *self._our_users.values()):
            users.close()
        self._threads.shutdown()
        self._server.stop()

    def run(self, seed, only_map=None, only_key=None):
        """All keys of a seed; or those of one map; or one key there."""
        start = time.monotonic()
        rows, tables = self._prepare(seed, only_map, only_key)
        stock, ours, mended = self._ask(rows, tables)
        return self._result(seed, rows, tables, stock, ours, mended, start)

    def run_hostile(self, seed, settings):
        """(setting, Result, what else is wrong) for each setting of the server.

        Stock and SQLite are asked once, without such settings: their answers are right.
        Logins are left out, because they need no more from the database than a passdb lookup.
        """
        rows, tables = self._prepare(seed, None, None)
        for table in passwords.MAPS:
            del tables[table]
        stock, ours, mended = self._ask(rows, tables)
        for number, setting in enumerate(settings):
            start = time.monotonic()
            with hostile(self._server, setting):
                answers = _merged(self._ask_store("mariadb", tables))
                wrong = sees_changes(self._server, self._ours.stores["mariadb"], number)
            yield setting, self._result(seed, rows, tables, stock, {**ours, "mariadb": answers},
                                        mended, start), wrong

    def _prepare(self, seed, only_map, only_key):
        rows = self._database.load(Generator(seed).make())
        keys = Keys(seed, rows)
        tables = {**keys.by_map, **{table: keys.logins for table in LOGIN_RULES},
                  "iteration": [""],
                  **dict.fromkeys(passwords.MAPS, passwords.keys(seed, rows, keys.logins)),
                  recipients.MAP: recipients.keys(seed, rows, keys.by_map[recipients.ACCESS]),
                  senders.MAP: senders.keys(seed, rows, keys.by_map["sender-login-maps"])}
        if only_map is not None:
            tables = {only_map: tables[only_map] if only_key is None else [only_key]}
        return rows, tables

    def _result(self, seed, rows, tables, stock, ours, mended, start):
        judge = Judge(Model(rows, self._database.collate, self._delimiters), stock, ours,
                      self._delimiters)
        judge.judge(tables)
        if "iteration" in tables:
            judge.judge_mended(mended)
        return Result(seed, self._delimiters, rows, judge, tables, time.monotonic() - start)

    def _ask(self, rows, tables):
        """Asks all of them at once: (stock's answers, ours for each store, the corrected
        stock's list).
        """
        maps, users, logins, pairs, takers = _by_kind(tables)
        asked = {**maps, senders.OWNERS: maps.get(senders.OWNERS, []) + senders.senders_of(pairs),
                 recipients.ACCESS: maps.get(recipients.ACCESS, []) + takers}
        submit = self._threads.submit
        self._stock_users.wake()
        stock = [submit(self._stock.ask_all, self._with_search(asked)),
                 submit(self._stock_users.ask_all, users),
                 submit(self._stock_users.log_in_all, logins)]
        ours = {store: self._ask_store(store, tables) for store in self._ours.stores}
        self._learn(rows, tables)
        stock = _merged(stock)
        stock[senders.MAP] = senders.stock_answers(pairs, stock[senders.OWNERS],
                                                   self._delimiters)
        stock[recipients.MAP] = recipients.stock_answers(takers, stock[recipients.ACCESS],
                                                         self._delimiters)
        # MUM's own query; the stock Dovecot here has the corrected one
        mended = stock["iteration"][""]
        stock["iteration"][""] = tuple(self._database.stock_iteration())
        ours = {store: _merged(answers) for store, answers in ours.items()}
        return stock, ours, mended

    def _ask_store(self, store, tables):
        """Futures of our answers."""
        maps, users, logins, pairs, takers = _by_kind(tables)
        submit = self._threads.submit
        return [submit(self._ours.ask_all, store, maps),
                submit(self._our_users[store].ask_all, users),
                submit(self._our_users[store].log_in_all, logins),
                submit(self._ask_policy, store, pairs, takers)]

    def _ask_policy(self, store, pairs, takers):
        return {senders.MAP: self._ours.ask_senders(store, pairs),
                recipients.MAP: self._ours.ask_recipients(store, takers)}

    def _with_search(self, keys):
        """Adds the keys that Postfix looks up in a mysql: table for these addresses."""
        return {table: list(dict.fromkeys(
                    form for key in asked for form, _ in [(key, "")] + search_keys(
                        table, key, self._delimiters))) if table in ADDRESS_MAPS else asked
                for table, asked in keys.items()}

    def _learn(self, rows, tables):
        """Asks all that the model will need to know about the collation, in one question."""
        texts = {row.domain for row in rows["domains"] + rows["tls_policies"]}
        texts |= {row.local_part for row in rows["mailboxes"] + rows["aliases"]}
        keys = {key for keys in tables.values() for key in keys}
        for key in keys | {key.split(" > ", 1)[-1] for key in keys}:
            local, _, domain = key.rpartition("@")
            plain = local.strip('"')
            texts |= {text.casefold() for text in (
                key, local, domain, plain, local.partition("+")[0], plain.partition("+")[0])}
        self._database.learn(texts)


def _by_kind(tables):
    """Keys by the service that is asked: (maps, users, logins, senders, recipients)."""
    users = next((keys for table, keys in tables.items()
                  if table in LOGIN_RULES and table != "iteration"), [])
    return ({table: keys for table, keys in tables.items() if table in MAPS}, users,
            {table: keys for table, keys in tables.items() if table in passwords.MAPS},
            tables.get(senders.MAP, []), tables.get(recipients.MAP, []))


def _merged(futures):
    return {table: answers for future in futures for table, answers in future.result().items()}
