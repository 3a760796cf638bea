# SPDX-License-Identifier: MIT
"""Random databases for mumctl user and mumctl domain, and what is wanted of both."""

import datetime

from conformance.data import Generator, text_of
from conformance.database import Database
from conformance.names import fold_address, is_clean
from fallback_model import OFF, ROLE, Settings
from lab import MariaDB, Mumctl, Mumd
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mumd import mariadb_settings, sqlite_settings
from reverse_model import Views


class Web(Generator):
    """Besides, a few names of which most lead to others: copies, loops, extensions."""

    BOXES = ["m0", "m1", "m2", "w1", "w1+x"]
    NAMES = [f"w{number}" for number in range(9)] + ["m0", "w2+x"]

    def make(self):
        super().make()
        boxes = {name: self._box(name) for name in self.BOXES}
        for name in self.NAMES:
            alias = self._add("aliases", name, 1, int(self._chance(95)), self._expiry())
            if name in boxes and self._chance(60):
                self._add("alias_recipients", alias.id, f"{name}@example.test", boxes[name])
            for address, number in self._targets(boxes):
                self._add("alias_recipients", alias.id, address, number)
            self._add("alias_senders", self.random.choice(list(boxes.values())), alias.id)
        return self.rows

    def _expiry(self):
        return self.random.choice([None] * 8 + ["2037-01-01 00:00:00"] * 3 +
                                  ["2001-01-01 00:00:00"])

    def _box(self, name):
        password = self.rows["mailboxes"][0].password
        return self._add("mailboxes", name, 1, password, self.random.choice([None, 0, 5]),
                         f"/srv/web/{name}", f"maildir:/srv/web/{name}",
                         int(self._chance(5)), 1).id

    def _targets(self, boxes):
        for _ in range(self.random.choice([1, 2, 2])):
            name = self.random.choice(self.BOXES + self.NAMES)
            yield self.random.choice([
                f"{name}@example.test", f"{name}@example.test", f"{name}+x@example.test",
                f" {name.upper()}@Example.Test", f"example.test!{name}",
                f"{name}%example.test"]), boxes.get(name) if self._chance(40) else None


class Lost(Web):
    """Besides, catch-alls, and recipients that have no name of MUM or that of a role."""

    ROLES = ["postmaster", "abuse", "w7"]

    def make(self):
        super().make()
        web = self.rows["aliases"][-len(self.NAMES):]
        for domain in list(self.rows["domains"]):
            if not self._chance(80) and domain.id != 1:
                continue
            active, expiry = int(self._chance(90)), self._expiry()
            alias = self._add("aliases", "", domain.id, *(
                (1, None) if domain.id == 1 else (active, expiry)))
            self._lose([alias])
            if domain.id == 1:
                self._add("alias_recipients", alias.id, "m1@example.test", None)
            self._add("alias_senders", self.rows["mailboxes"][-1].id, alias.id)
        self._lose(web)
        return self.rows

    def _box(self, name):
        number = super()._box(name)
        if name == "m2":        # the recipient of roles is there in any case
            self.rows["mailboxes"][-1] = self.rows["mailboxes"][-1]._replace(
                send_only=0, quota=5)
        return number

    def _lose(self, aliases):
        for alias in aliases:
            domain = self.random.choice(self.rows["domains"]).domain
            role = self.random.choice(self.ROLES)
            self._add("alias_recipients", alias.id, *self.random.choice([
                ("Lost@example.test", None), ("lost+x@Example.test", None),
                (f"lost@{domain}", None), (f"{role}@{domain}", None),
                (f"{role}+x@example.test", None), ("example.test!lost", None),
                ("double-bounce@example.test", None), (f"w1@{domain}", None)]))
            if self._chance(60):
                self._add("alias_recipients", alias.id, *next(self._targets({})))


ROLES = ("Postmaster", "abuse", "w7")
CASES = {
    "off": OFF,
    "catch-all": Settings(True, False, (), ""),
    "both": Settings(True, True, ROLES, "w0@example.test"),
    "roles": Settings(False, False, ROLES, "m2@example.test"),
}


def options(settings):
    """Of the section address."""
    if settings == OFF:
        return {}
    return {"other_maps": "off", "catch_all": "on" if settings.catch_all else "off",
            "catch_all_senders": "on" if settings.senders else "off",
            "roles": settings.roles, "role_recipient": settings.recipient}


class Random:
    """One seed after the other in MariaDB and in SQLite, and mumctl for each of the cases."""

    def __init__(self, lab):
        self.server = MariaDB(lab, name="reverse-db").start().load_mum("")
        self._database = Database(self.server, lab.path / "reverse.sqlite")
        dovecot = {"user": "mum_dovecot", "password": DOVECOT_PASSWORD}
        self.ctls = {
            (name, case): Mumctl(Mumd(lab, {"database": database, "dovecot": dovecot,
                                            "address": options(settings)},
                                      name=f"reverse-{name}-{case}").config)
            for case, settings in CASES.items() for name, database in (
                ("mariadb", mariadb_settings(self.server, POSTFIX_PASSWORD)),
                ("sqlite", sqlite_settings(self._database.path)))}
        self.loaded = None

    def load(self, seed, case):
        if self.loaded != (seed, case):
            rows = self._database.load((Web if case == "off" else Lost)(seed).make())
            self._database.learn(
                [row.local_part for table in ("mailboxes", "aliases") for row in rows[table]] +
                [row.domain for row in rows["domains"]] +
                [row.recipient_address for row in rows["alias_recipients"]])
            self.views = Views(rows, self._database.collate, CASES[case])
            self.loaded = seed, case
        return self.views


def said_of_ways(document):
    return {(way["alias"], way["kind"]): (len(way["path"]), way["deferred"])
            for way in document["aliases"]}


def judge_user(views, mailbox, document):
    address = views.address(mailbox)
    assert {fold_address(one["address"]) for one in document["may_send_as"]} == \
        views.may_send_as(mailbox), address
    expiry = {views.address(row): row.deactivate_at for row in views.rows["aliases"]}
    for way in document["aliases"]:
        assert way["path"][0] == way["alias"] and views.is_way(way["path"], mailbox), way
        assert way["expires"] == (None if way["kind"] == ROLE else expiry[way["alias"]])
    if mailbox.send_only:
        assert (document["aliases"], document["receives"], document["quota"]) == (
            [], False, None)
        return []
    said, wanted = said_of_ways(document), views.ways(mailbox)
    assert said == wanted, (address, said.items() - wanted.items(), wanted.items() - said.items())
    assert document["receives"] == views.receives(mailbox), address
    assert (document["quota"]["gb"], document["quota"]["source"]) == views.quota(mailbox)
    assert document["quota"]["used_kib"] is None and document["quota"]["full"] is None
    return document["aliases"]


def judge_recipients(views, ids, aliases, document):
    told = {one["alias"]: one["recipients"] for one in document["aliases"]}
    assert set(told) == set(map(views.address, aliases))
    for row in aliases:
        wanted = views.recipients(row)
        assert wanted is None or told[views.address(row)] == wanted, (
            views.address(row), told[views.address(row)], wanted)
    roles = {one["alias"]: one["recipients"] for one in document["roles"]}
    assert roles == views.taken_roles(ids), (roles, views.taken_roles(ids))
    assert {one["alias"] for one in document["aliases"] if "catch_all" in one} == {
        views.address(row) for row in aliases
        if views.settings.catch_all and row.local_part == ""}


def judge_domain(views, name, document):
    ids = views.ids(name)
    mailboxes = [row for row in views.rows["mailboxes"]
                 if row.domain_id in ids and is_clean(row.local_part)]
    aliases = [row for row in views.rows["aliases"] if row.domain_id in ids]
    now = text_of(datetime.datetime.now(datetime.UTC))
    assert document["active"] == any(views.domains[number].active for number in ids)
    assert {one["address"] for one in document["mailboxes"]} >= set(map(views.address, mailboxes))
    judge_recipients(views, ids, aliases, document)
    assert {(one["alias"], one["expires"]) for one in document["expiring"]} == {
        (views.address(row), row.deactivate_at) for row in aliases
        if row.deactivate_at and row.deactivate_at >= now}
    refused = {fold_address(one["address"]): one["why"] for one in document["refused"]}
    assert all(refused.values())
    rows = mailboxes + [row for row in aliases if is_clean(row.local_part)]
    told = {one for one in refused if is_clean(one)}
    wanted = {fold_address(views.address(row)) for row in rows if views.refuses(row)}
    assert told == wanted, told ^ wanted
    return len(refused)


def judge_quotas(views, document):
    known = {views.address(row): row for row in views.rows["mailboxes"]}
    told = [one for one in document["mailboxes"] if "quota_source" in one]
    for one in told:
        assert (one["quota_gb"], one["quota_source"]) == views.quota(known[one["address"]])
    assert document["quota"] == {
        "sum_gb": sum(one["quota_gb"] or 0 for one in told),
        "unlimited": sum(one["quota_gb"] is None for one in told)}
    silent = [known[one["address"]] for one in document["mailboxes"]
              if "quota_source" not in one and "trouble" not in one
              and is_clean(one["address"])]
    assert all(row.send_only or not row.active or not views.domains[row.domain_id].active
               for row in silent)
