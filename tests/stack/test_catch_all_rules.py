# SPDX-License-Identifier: MIT
"""Catch-alls and roles against a model of a page, over random databases."""

import collections
import random

import pytest

from dovecot_stores import STORES
from lab import Mumd
from lab.mariadb import POSTFIX_PASSWORD

SEND_ONLY = b"OK 550 5.2.1 mailbox does not accept mail (send-only)"
DEAD = b"OK 550 5.2.1 alias leads to no mailbox that accepts mail"
NOTFOUND = b"NOTFOUND "

DOMAINS = {"one.test": (11, 1), "two.test": (12, 1), "shut.test": (13, 0)}
LOCALS = ["anna", "ben", "ben+x", "postmaster", "abuse", "double-bounce"]
ASKED = [*LOCALS, "nobody", "anna+x", "ben+x+y", "nobody+x", "abuse+x", "double-bounce+x"]
ROLES = ("postmaster", "abuse")
NEVER = ("double-bounce", "mailer-daemon")
PAST = "2020-01-01 00:00:00"

Mailbox = collections.namedtuple("Mailbox", "address active send_only")
# recipients: (text, Mailbox or None); senders: Mailboxes
Alias = collections.namedtuple("Alias", "active expired recipients senders")
Settings = collections.namedtuple("Settings", "catch_all senders roles recipient")


def is_ours(address):
    return DOMAINS.get(address.partition("@")[2], (0, 0))[1] == 1


class Model:
    """What mumd(8) says, word by word; no tables, no statements, no cache."""

    def __init__(self, mailboxes, aliases, settings):
        self.mailboxes, self.aliases, self.settings = mailboxes, aliases, settings

    @staticmethod
    def forms(address):
        """[(name, extension)]: the full form and the base form."""
        local, _, domain = address.partition("@")
        base, plus, extension = local.partition("+")
        return [(address, "")] + ([(f"{base}@{domain}", plus + extension)] if plus else [])

    def names(self, address):
        return [name for name, _ in self.forms(address)]

    def is_known(self, address):
        return any(name in self.mailboxes or name in self.aliases
                   for name in self.names(address))

    def is_role(self, address):
        locals_ = [name.partition("@")[0] for name in self.names(address)]
        return any(local in self.settings.roles for local in locals_) and not any(
            local in NEVER for local in locals_)

    def catch_all(self, address):
        """The catch-all that may answer for the address, or None."""
        if not self.settings.catch_all or self.is_known(address) or any(
                name.partition("@")[0] in NEVER for name in self.names(address)):
            return None
        return "@" + address.partition("@")[2]

    def mailbox(self, address):
        """The first active one, or None."""
        found = [self.mailboxes[name] for name in self.names(address)
                 if name in self.mailboxes and is_ours(name) and self.mailboxes[name].active]
        return found[0] if found else None

    def accepts(self, address):
        mailbox = self.mailbox(address)
        return mailbox is not None and not mailbox.send_only

    def exists(self, name):
        """Is it an alias that counts?"""
        alias = self.aliases.get(name)
        return alias is not None and is_ours(name) and alias.active and not alias.expired

    def takes(self, name):
        return name is not None and self.exists(name) and bool(self.aliases[name].recipients)

    def is_live(self, recipient, of, kind):
        """recipient of the alias `of`, which is a "name", a "role" or a "catch-all"."""
        text, mailbox = recipient
        address = mailbox.address if mailbox else text
        if address == of:
            return kind == "name" and of in self.mailboxes and is_ours(of) and (
                self.mailboxes[of].active and not self.mailboxes[of].send_only)
        if mailbox and not is_ours(address):
            return False
        if mailbox and mailbox.active and not mailbox.send_only:
            return True
        if not is_ours(address):
            return True
        takers = [name for name in self.names(address) if self.takes(name)]
        if takers:
            return takers[0] != of
        if self.accepts(address):
            return mailbox is None      # else it is its base form that accepts mail
        if kind != "role" and self.is_role(address):
            return True
        return kind == "name" and self.takes(self.catch_all(address))

    def live(self, name, kind="name"):
        addresses = [mailbox.address if mailbox else text
                     for text, mailbox in self.aliases[name].recipients
                     if self.is_live((text, mailbox), name, kind)]
        return list(dict.fromkeys(addresses))

    def recipients(self, address):
        """What the alias map answers, or None."""
        for name, extension in self.forms(address):
            if self.exists(name) and self.live(name):
                return [recipient.replace("@", extension + "@") for recipient in self.live(name)]
        if self.is_role(address) and is_ours(address) and not self.accepts(address):
            role = next(name for name in self.names(address)
                        if name.partition("@")[0] in self.settings.roles)
            if self.is_live((self.settings.recipient, None), role, "role"):
                return [self.settings.recipient]
        catch_all = self.catch_all(address)
        if catch_all is not None and self.exists(catch_all):
            return self.live(catch_all, "catch-all") or None
        return None

    def access(self, address):
        if self.recipients(address) is not None:
            return b"OK DUNNO"
        mailbox = self.mailbox(address)
        if mailbox is not None:
            return SEND_ONLY if mailbox.send_only else b"OK DUNNO"
        existing = [name for name in self.names(address) if self.exists(name)]
        if not existing:
            return NOTFOUND
        return DEAD if self.aliases[existing[0]].recipients else b"OK DUNNO"

    def owners(self, address):
        names = self.names(address)
        if self.settings.senders and self.catch_all(address) is not None:
            names = names + [self.catch_all(address)]
        for name in names:
            mailbox = self.mailboxes.get(name)
            alias = self.aliases.get(name)
            owners = [mailbox] if mailbox and mailbox.active and is_ours(name) else []
            if alias and self.exists(name):
                owners += [sender for sender in alias.senders
                           if sender.active and is_ours(sender.address)]
            if owners:
                return list(dict.fromkeys(owner.address for owner in owners))
        return None


def some_world(pick):
    mailboxes = {}
    for domain in DOMAINS:
        for local in pick.sample(LOCALS, pick.randint(0, 4)):
            address = f"{local}@{domain}"
            mailboxes[address] = Mailbox(address, pick.random() < 0.7, pick.random() < 0.3)
    aliases = {}
    texts = ["friend@outside.test",
             *(f"{local}@{domain}" for domain in DOMAINS for local in ASKED)]
    for domain in DOMAINS:
        for local in pick.sample(LOCALS, pick.randint(0, 3)) + ([""] if pick.random() < 0.8 else []):
            recipients = []
            for _ in range(pick.choice([0, 1, 1, 2, 3])):
                if mailboxes and pick.random() < 0.4:
                    mailbox = pick.choice(list(mailboxes.values()))
                    recipients.append((mailbox.address, mailbox))
                else:
                    recipients.append((pick.choice(texts), None))
            # MUM's tables take a text once
            recipients = list({text: (text, mailbox) for text, mailbox in recipients}.values())
            senders = pick.sample(list(mailboxes.values()), min(len(mailboxes), pick.randint(0, 2)))
            aliases[f"{local}@{domain}"] = Alias(pick.random() < 0.8, pick.random() < 0.2,
                                                 recipients, senders)
    return Model(mailboxes, aliases, None)


class World:
    """One mumd for each of the settings, over a database that is filled anew."""

    SETTINGS = [Settings(False, False, (), ""),
                Settings(True, False, (), ""),
                Settings(True, True, ROLES, "ben@one.test"),
                Settings(False, False, ROLES, "abuse@two.test"),
                Settings(True, True, ROLES, "friend@outside.test")]

    def __init__(self, lab, name):
        self.store = STORES[name](lab, f"catchall-rules-{name}")
        for domain, (number, active) in DOMAINS.items():
            self.store.insert("domains", id=number, domain=domain, active=active,
                              homedir=f"/srv/{number}")
        self.mumds = [
            Mumd(lab, self.settings(one), name=f"mumd-catchall-rules-{name}-{number}").start()
            for number, one in enumerate(self.SETTINGS)]
        self.name = name

    def settings(self, settings, ttl="0s"):
        """mum.conf of a mumd."""
        database = dict(self.store.settings)
        if "hosts" in database:
            database["password"] = POSTFIX_PASSWORD
        return {"database": database, "cache": {"ttl": ttl}, "address": {
            "other_maps": "off", "catch_all": "on" if settings.catch_all else "off",
            "catch_all_senders": "on" if settings.senders else "off",
            "roles": settings.roles, "role_recipient": settings.recipient}}

    def _insert(self, table, columns, rows):
        if rows:
            values = ", ".join("(%s)" % ", ".join(map(self.store.literal, row)) for row in rows)
            self.store.run(f"INSERT INTO {table} ({columns}) VALUES {values}")

    def fill(self, model):
        for table in ("alias_recipients", "alias_senders", "aliases", "mailboxes"):
            self.store.run(f"DELETE FROM {table}")
        ids = {address: number for number, address in enumerate(model.mailboxes, 1)}
        self._insert("mailboxes", "id, local_part, domain_id, password, homedir, maildir, active, "
                     "send_only", [
                         (ids[address], address.partition("@")[0],
                          DOMAINS[address.partition("@")[2]][0], "", f"/srv/h{ids[address]}",
                          f"maildir:/srv/h{ids[address]}", int(mailbox.active),
                          int(mailbox.send_only))
                         for address, mailbox in model.mailboxes.items()])
        numbered = list(enumerate(model.aliases.items(), 1))
        self._insert("aliases", "id, local_part, domain_id, active, deactivate_at", [
            (number, name.partition("@")[0], DOMAINS[name.partition("@")[2]][0],
             int(alias.active), PAST if alias.expired else None)
            for number, (name, alias) in numbered])
        self._insert("alias_recipients", "alias_id, recipient_address, mailbox_id", [
            (number, text, ids[mailbox.address] if mailbox else None)
            for number, (_, alias) in numbered for text, mailbox in alias.recipients])
        self._insert("alias_senders", "alias_id, mailbox_id", [
            (number, ids[sender.address])
            for number, (_, alias) in numbered for sender in alias.senders])

    def stop(self):
        for mumd in self.mumds:
            mumd.stop()


@pytest.fixture(scope="module", params=list(STORES))
def world(request, lab):
    world = World(lab, request.param)
    yield world
    world.stop()


def listed(values):
    return NOTFOUND if values is None else b"OK " + ",".join(values).encode()


def ask_all(mumd, model, seen):
    with mumd.map_client() as client:
        for domain in DOMAINS:
            for local in ASKED:
                address = f"{local}@{domain}"
                want = {"aliases": listed(model.recipients(address)),
                        "recipient-access": model.access(address),
                        "sender-login-maps": listed(model.owners(address)),
                        "mailboxes": b"OK 1" if model.mailbox(address) else NOTFOUND}
                got = {table: client.ask(table, address) for table in want}
                assert got == want, (address, model.settings, model.mailboxes, model.aliases)
                if model.recipients(address) and not any(
                        model.exists(name) and model.live(name)
                        for name in model.names(address)):
                    seen["role" if model.is_role(address) else "catch-all"] += 1
            assert client.ask("aliases", "@" + domain) == NOTFOUND


@pytest.mark.many
def test_each_answer_is_the_models(world):
    """The model has no statement, no form and no cache in common with mumd."""
    pick = random.Random(f"catch-all {world.name}")
    seen = collections.Counter()
    for _ in range(30 if world.name == "sqlite" else 15):
        model = some_world(pick)
        world.fill(model)
        for mumd, settings in zip(world.mumds, world.SETTINGS):
            ask_all(mumd, Model(model.mailboxes, model.aliases, settings), seen)
    # What the test is about was asked often enough.
    assert seen["role"] > 40 and seen["catch-all"] > 40, seen


# ---- trouble, and a change of mum.conf ----

BEN = Mailbox("ben@one.test", True, False)
CAUGHT = Model({BEN.address: BEN},
               {"@one.test": Alias(True, False, [("ben@one.test", BEN)], [BEN])}, None)


def test_without_an_answer_nobody_is_unknown(world):
    """Neither a name that a catch-all may have nor one that a role may have; stale answers, of
    names that were asked for, still count."""
    world.fill(CAUGHT)
    mumd = world.mumds[2]
    tables = ("aliases", "recipient-access", "sender-login-maps")
    names = ("never.asked@one.test", "abuse+never.asked@two.test")
    asked = [(table, name) for table in tables for name in ("asked@one.test", "abuse@two.test")]
    with mumd.map_client() as client:
        before = [client.ask(*one) for one in asked]
        assert before == [b"OK ben@one.test"] * 2 + [b"OK DUNNO"] * 2 + [b"OK ben@one.test",
                                                                        NOTFOUND]
        with world.store.trouble("renamed table"):
            answers = [client.ask(table, name) for table in tables for name in names]
            stale = [client.ask(*one) for one in asked]
    assert all(answer.startswith(b"TEMP ") for answer in answers), answers
    assert stale == before


def test_a_reload_turns_it_on_and_off_at_once(world, lab):
    """What the cache has of a name was asked for with other options, and other forms."""
    world.fill(CAUGHT)
    off, on = World.SETTINGS[0], World.SETTINGS[2]
    mumd = Mumd(lab, world.settings(on, "1h"), name=f"catchall-reload-{world.name}").start()
    caught = [b"OK ben@one.test", b"OK ben@one.test", b"OK DUNNO", b"OK ben@one.test"]
    questions = [("aliases", "someone@one.test"), ("aliases", "abuse@two.test"),
                 ("recipient-access", "someone@one.test"),
                 ("sender-login-maps", "someone@one.test")]
    for options, wanted in ((on, caught), (off, [NOTFOUND] * 4), (on, caught)):
        seen = len(mumd.log())
        mumd.write(world.settings(options, "1h"))
        mumd.reload()
        mumd.wait_log("reload: ", ": done", after=seen)
        for _ in range(2):
            assert [mumd.lookup(*one) for one in questions] == wanted
    mumd.stop()
