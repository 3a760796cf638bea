# SPDX-License-Identifier: MIT
"""What we answer: mumd with MariaDB and with SQLite."""

import itertools

from conformance.names import is_clean
from conformance.senders import verdict
from lab import LabError, Mumd
from lab.clients import netstring
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import mariadb_settings, sqlite_settings

# Requests on their way at once; few enough for the buffers of both sides.
WINDOW = 100

FRESH = {"ttl": "0s", "stale": "0s"}


class OurPostfix:
    """stores: {name: Mumd}."""

    def __init__(self, lab, server, sqlite_path, delimiters):
        sections = {"cache": FRESH, "address": {"recipient_delimiter": delimiters}}
        databases = {"mariadb": mariadb_settings(server, POSTFIX_PASSWORD),
                     "sqlite": sqlite_settings(sqlite_path)}
        self.stores = {
            name: Mumd(lab, {"database": database, **sections}, name=f"conf-mumd-{name}").start()
            for name, database in databases.items()}
        self._clients = {name: mumd.map_client(timeout=60) for name, mumd in self.stores.items()}
        self._policies = {name: mumd.policy_client(timeout=60)
                          for name, mumd in self.stores.items()}

    def ask_all(self, store, keys):
        """{map: [key, ...]} -> {map: {key: value or "TEMP"}}, as StockPostfix does."""
        client = self._clients[store]
        answers = {table: {} for table in keys}
        questions = ((table, key) for table in keys for key in keys[table])
        while True:
            window = list(itertools.islice(questions, WINDOW))
            if not window:
                return answers
            client.send(b"".join(netstring(table.encode() + b" " + _bytes(key))
                                 for table, key in window))
            for table, key in window:
                _keep(answers[table], key, client.reply())

    def ask_senders(self, store, pairs):
        """Asks the policy service about "LOGIN > SENDER", as on submission."""
        answers = {}
        for pair in pairs:
            login, sender = pair.split(" > ", 1)
            action = self._policies[store].ask(sender=sender, sasl_username=login,
                                               sasl_method="PLAIN", policy_context="sender",
                                               recipient="friend@external.test")
            if action not in ("DUNNO", f"553 5.7.1 not owned by user {printed(login)}"):
                raise LabError(f"the policy service answers {action!r} to {pair!r}")
            answers[pair] = verdict(action == "DUNNO")
        return answers

    def ask_recipients(self, store, recipients):
        """Asks the policy service about recipients, as for mail from a stranger."""
        return {recipient: self._policies[store].ask(
                    sender="friend@external.test", policy_context="recipient",
                    recipient=recipient) for recipient in recipients}

    def close(self):
        for client in (*self._clients.values(), *self._policies.values()):
            client.close()
        for mumd in self.stores.values():
            mumd.stop()


def printed(login):
    return login if is_clean(login) else "?"


def _bytes(key):
    return key.encode("utf-8", "surrogateescape")


def _keep(answers, key, reply):
    word, _, value = reply.decode("utf-8", "surrogateescape").partition(" ")
    if word == "OK":
        answers[key] = value
    elif word == "TEMP":
        answers[key] = "TEMP"
    elif word != "NOTFOUND":
        raise LabError(f"mumd answers {reply!r} to {key!r}")
