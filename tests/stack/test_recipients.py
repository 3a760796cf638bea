# SPDX-License-Identifier: MIT
"""What the recipients of an alias mean, in real databases with rows as MUM writes them.

A mailbox that was renamed, own addresses that somebody typed as "external", and more
recipients than a reply can hold.
"""

import statistics
import time

import pytest

from dovecot_stores import STORES
from lab import Mumd
from lab.mariadb import POSTFIX_PASSWORD

NOTFOUND = b"NOTFOUND "
DEAD = b"OK 550 5.2.1 alias leads to no mailbox that accepts mail"

# {local part of the alias: ([(text, mailbox or None)], the answer of the map, or None)}
ALIASES = {
    "present": ([("anna@old.example", "anna")], "anna@example.test"),
    "blank-text": ([(" ", "anna")], "anna@example.test"),
    "typed": ([("anna@example.test", None)], "anna@example.test"),
    "typed-sender": ([("scanner@example.test", None)], None),
    "typed-extension": ([("scanner+x@example.test", None)], None),
    "typed-inactive": ([("gone@example.test", None)], None),
    "typed-unknown": ([("nobody@example.test", None)], "nobody@example.test"),
    "typed-dot": ([("scanner@example.test.", None)], None),
    "typed-percent": ([("scanner%example.test", None)], None),
    "typed-bang": ([("example.test!scanner", None)], None),
    "typed-a-label": ([("uwe@xn--bcher-kva.test", None)], "uwe@xn--bcher-kva.test"),
    "typed-dead-a-label": ([("ulf@xn--bcher-kva.test", None)], None),
    "typed-alias": ([("typed@example.test", None)], "typed@example.test"),
    "blanks": ([("\t", None), (" \r\n", None)], None),
    "typed-blanks": ([("blanks@example.test", None)], None),
    "typed-closed": ([("anna@closed.test", None)], "anna@closed.test"),
    "sender": ([("scanner@example.test", "scanner")], None),
    "both": ([("twin@example.test", "twin")], "twin@example.test"),
    "twin": ([("friend@external.test", None)], "friend@external.test"),
    "itself": ([("itself+x@example.test", None), ("anna@example.test", "anna")],
               "anna@example.test"),
    "foreign": ([("Anna@external.test", None), ("anna@external.test", None)],
                "Anna@external.test,anna@external.test"),
}


class World:
    """Mailboxes, aliases that lead to them, and a mumd."""

    def __init__(self, lab, name):
        self.store = STORES[name](lab, f"recipients-{name}")
        self._numbers = {}
        for local, odd in (("anna", {}), ("scanner", {"send_only": 1}), ("gone", {"active": 0}),
                           ("twin", {"send_only": 1})):
            self._numbers[local] = len(self._numbers) + 1
            self.store.add(local, **odd)
        self.store.add("uwe", "bücher.test")
        self.store.add("ulf", "bücher.test", active=0)
        for number, (local, (recipients, _)) in enumerate(ALIASES.items(), 1):
            # to MariaDB's unique index two texts that differ in case are the same
            both = local != "foreign" or name == "sqlite"
            self._alias(number, local, recipients if both else recipients[:1])
        settings = dict(self.store.settings)
        if name == "mariadb":
            settings["password"] = POSTFIX_PASSWORD
        self.mumd = Mumd(lab, {"database": settings, "cache": {"ttl": "60s"}},
                         name=f"recipients-{name}-mumd").start()

    def _alias(self, number, local, recipients):
        self.store.insert("aliases", id=number, local_part=local, domain_id=1)
        for text, mailbox in recipients:
            self.store.insert("alias_recipients", alias_id=number, recipient_address=text,
                              mailbox_id=self._numbers.get(mailbox))

    def add_crowd(self, local, count, name):
        """An alias with so many recipients; name(n) is one."""
        self.store.insert("aliases", id=900, local_part=local, domain_id=1)
        for first in range(0, count, 1000):
            rows = ", ".join(f"(900, '{name(n)}')" for n in range(first, first + 1000))
            self.store.run(f"INSERT INTO alias_recipients (alias_id, recipient_address) "
                           f"VALUES {rows}")


@pytest.fixture(scope="module", params=list(STORES))
def world(request, lab):
    world = World(lab, request.param)
    yield world
    world.mumd.stop()


@pytest.mark.parametrize("local", ALIASES)
def test_a_recipient_is_what_it_stands_for(world, local):
    recipients, want = ALIASES[local]
    if world.store.name.endswith("mariadb") and local == "foreign":
        want = "Anna@external.test"
    key = f"{local}@example.test"
    assert world.mumd.lookup("aliases", key) == (NOTFOUND if want is None
                                                 else b"OK " + want.encode())
    assert world.mumd.lookup("recipient-access", key) == (DEAD if want is None else b"OK DUNNO")
    action = world.mumd.decide(protocol_state="RCPT", policy_context="recipient", recipient=key)
    assert action == (DEAD[3:].decode() if want is None else "DUNNO")


def test_an_alias_without_an_answer_costs_a_millisecond(world):
    """After the first time; and it does not delay anybody else."""
    count = 30000
    world.add_crowd("crowd", count, lambda n: f"somebody-{n:05d}@external{n % 50}.test")
    with world.mumd.map_client() as client, world.mumd.map_client() as bystander:
        assert client.ask("aliases", "crowd@example.test").startswith(b"TEMP ")
        asked, others = [], []
        for _ in range(200):
            start = time.monotonic()
            assert client.ask("aliases", "crowd@example.test").startswith(b"TEMP ")
            between = time.monotonic()
            assert bystander.ask("mailboxes", "anna@example.test") == b"OK 1"
            asked.append(between - start)
            others.append(time.monotonic() - between)
        assert client.ask("recipient-access", "crowd@example.test") == b"OK DUNNO"
    assert statistics.median(asked) < 0.001 and statistics.median(others) < 0.001
    assert any("value_too_long" in line for line in world.mumd.log())
