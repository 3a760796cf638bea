# SPDX-License-Identifier: MIT
"""mumctl user and mumctl domain: who may send as what, how mail comes, what is refused.

Over random databases, against a model that expands aliases as Postfix does; and over a
hundred thousand mailboxes and aliases.
"""

import contextlib
import datetime
import os
import random

import pytest

from conformance.data import Generator, text_of
from conformance.database import Database
from conformance.names import fold_address, is_clean
from dovecot_stores import STORES
from lab import MariaDB, Mumctl, Mumd
from lab.lab import ENVIRONMENT
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mumd import mariadb_settings, sqlite_settings
from mumctl_world import World
from reverse_model import Views

SEEDS = (1, 2, 5, 6)

# Seconds. One is enough where nothing else runs; on a busy processor it takes several.
LIMIT = 5
# Set for a build with sanitizers, which is slower.
SLOWER = 4 if "ASAN_OPTIONS" in os.environ else 1


# ---- random databases ----

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


class Random:
    """One seed after the other in MariaDB and in SQLite, and mumctl for each of them."""

    def __init__(self, lab):
        self.server = MariaDB(lab, name="reverse-db").start().load_mum("")
        self._database = Database(self.server, lab.path / "reverse.sqlite")
        dovecot = {"user": "mum_dovecot", "password": DOVECOT_PASSWORD}
        self.ctls = {
            name: Mumctl(Mumd(lab, {"database": database, "dovecot": dovecot},
                              name=f"reverse-{name}").config)
            for name, database in (
                ("mariadb", mariadb_settings(self.server, POSTFIX_PASSWORD)),
                ("sqlite", sqlite_settings(self._database.path)))}
        self.seed = None

    def load(self, seed):
        if seed != self.seed:
            rows = self._database.load(Web(seed).make())
            self._database.learn(
                [row.local_part for table in ("mailboxes", "aliases") for row in rows[table]] +
                [row.domain for row in rows["domains"]] +
                [row.recipient_address for row in rows["alias_recipients"]])
            self.views = Views(rows, self._database.collate)
            self.seed = seed
        return self.views


@pytest.fixture(scope="module")
def databases(lab):
    databases = Random(lab)
    yield databases
    databases.server.stop()


@pytest.fixture(scope="module")
def without_doveadm(lab):
    """The machine's own Dovecot has no say here."""
    folder = lab.directory("reverse-bin")
    (folder / "doveadm").write_text("#!/bin/sh\nexit 75\n")
    (folder / "doveadm").chmod(0o755)
    return {"PATH": f"{folder}:{ENVIRONMENT['PATH']}"}


def said_of_ways(document):
    return {way["alias"]: (len(way["path"]), way["deferred"]) for way in document["aliases"]}


def wanted_ways(views, mailbox):
    aliases = {row.id: row for row in views.rows["aliases"]}
    return {views.address(aliases[number]): way
            for number, way in views.ways(mailbox).items()}


def judge_user(views, mailbox, document):
    address = views.address(mailbox)
    assert {fold_address(one["address"]) for one in document["may_send_as"]} == \
        views.may_send_as(mailbox), address
    expiry = {views.address(row): row.deactivate_at for row in views.rows["aliases"]}
    for way in document["aliases"]:
        assert way["path"][0] == way["alias"] and views.is_way(way["path"], mailbox), way
        assert way["expires"] == expiry[way["alias"]]
    if mailbox.send_only:
        assert (document["aliases"], document["receives"], document["quota"]) == (
            [], False, None)
        return 0
    assert said_of_ways(document) == wanted_ways(views, mailbox), address
    assert document["receives"] == views.receives(mailbox), address
    assert (document["quota"]["gb"], document["quota"]["source"]) == views.quota(mailbox)
    assert document["quota"]["used_kib"] is None and document["quota"]["full"] is None
    return len(document["aliases"])


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("seed", SEEDS)
def test_user_is_right_over_random_rows(databases, without_doveadm, seed, store):
    views = databases.load(seed)
    ways = 0
    rows = [row for row in views.rows["mailboxes"] if is_clean(views.address(row))]
    for mailbox in random.Random(seed).sample(rows[:-5], 5) + rows[-5:]:
        address = views.address(mailbox)
        seen = databases.ctls[store].run("--json", "user", address, environment=without_doveadm)
        document = seen.json()
        if seen.status == 75 and document["result"] == "temporary":     # its row is not usable
            continue
        if mailbox.active and views.domains[mailbox.domain_id].active:
            assert seen.status == (1 if mailbox.send_only else 0), (address, seen.seen)
            ways += judge_user(views, mailbox, document)
        else:
            assert (seen.status, set(document)) == (1, {"result", "user"}), address
    assert ways > 5


def judge_domain(views, name, document):
    ids = views.ids(name)
    mailboxes = [row for row in views.rows["mailboxes"]
                 if row.domain_id in ids and is_clean(row.local_part)]
    aliases = [row for row in views.rows["aliases"] if row.domain_id in ids]
    now = text_of(datetime.datetime.now(datetime.UTC))
    assert document["active"] == any(views.domains[number].active for number in ids)
    assert {one["address"] for one in document["mailboxes"]} >= set(map(views.address, mailboxes))
    assert {one["alias"] for one in document["aliases"]} == set(map(views.address, aliases))
    assert {(one["alias"], one["expires"]) for one in document["expiring"]} == {
        (views.address(row), row.deactivate_at) for row in aliases
        if row.deactivate_at and row.deactivate_at >= now}
    refused = {fold_address(one["address"]): one["why"] for one in document["refused"]}
    assert all(refused.values())
    rows = mailboxes + [row for row in aliases if is_clean(row.local_part)]
    assert {one for one in refused if is_clean(one)} == {
        fold_address(views.address(row)) for row in rows if views.refuses(row)}
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


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("seed", SEEDS)
def test_domain_is_right_over_random_rows(databases, seed, store):
    views = databases.load(seed)
    refused = 0
    for row in views.rows["domains"]:
        if not is_clean(row.domain):
            continue
        seen = databases.ctls[store].run("--json", "domain", row.domain)
        assert seen.status == 0, seen.seen
        refused += judge_domain(views, row.domain, seen.json())
        judge_quotas(views, seen.json())
    assert refused > 10


# ---- what no model says ----

@pytest.fixture(scope="module", params=list(STORES))
def world(lab, request):
    return World(lab, request.param, "reverse")


def test_text_of_user(world, without_doveadm):
    seen = world.ctl.run("user", "anna@example.test", environment=without_doveadm)
    fields, _, more = seen.stdout.partition("\n\n")
    assert seen.status == 0 and fields.startswith("user=anna@example.test\nhome=")
    assert more == """\
may send as
  anna@example.test
  info@example.test

gets mail to its own address: yes
gets mail by way of
  abuse@example.test
  info@example.test
  postmaster@example.test

quota: 3 GB, the domain's
"""


def test_text_of_a_way_that_expires(world, without_doveadm):
    rows = [("aliases", {"id": 2001, "local_part": "brief", "domain_id": 1,
                         "deactivate_at": "2037-01-02 03:04:05"}),
            ("alias_recipients", {"id": 2001, "alias_id": 2001,
                                  "recipient_address": "info@example.test"}),
            ("alias_senders", {"id": 2001, "alias_id": 2001, "mailbox_id": 1})]
    with world.rows(rows):
        seen = world.ctl.run("user", "anna@example.test", environment=without_doveadm)
        domain = world.ctl.run("domain", "example.test")
    assert "\n  brief@example.test, until 2037-01-02 03:04:05\n" in seen.stdout
    assert ("\n  brief@example.test -> info@example.test, until 2037-01-02 03:04:05\n"
            in seen.stdout)
    assert ("\n1 aliases expire\n  2037-01-02 03:04:05: brief@example.test\n"
            in domain.stdout)


def test_text_of_domain(world):
    seen = world.ctl.run("domain", "EXAMPLE.test")
    assert (seen.status, seen.stdout, seen.stderr) == (0, """\
example.test: active
3 mailboxes, quotas of 3 GB
  anna@example.test: active, 3 GB
  gone@example.test: inactive
  scanner@example.test: send-only
3 aliases
  abuse@example.test -> anna@example.test
  info@example.test -> anna@example.test
  postmaster@example.test -> anna@example.test
0 aliases expire
mail to 2 addresses is refused
  gone@example.test: the mailbox is inactive
  scanner@example.test: <scanner@example.test>: the mailbox is active, and send-only
""", "")


def test_domain_that_is_not_there_or_has_nothing(world):
    seen = world.ctl.run("--json", "domain", "nobody.test")
    assert (seen.status, seen.json()) == (1, {"result": "not-found", "domain": "nobody.test"})
    assert "no domain has this name" in seen.stderr
    seen = world.ctl.run("--json", "domain", "closed.test")
    assert (seen.status, seen.json()["active"], seen.json()["mailboxes"]) == (0, False, [])
    assert world.ctl.run("domain").status == world.ctl.run("domain", "a", "b").status == 64


def test_database_that_gives_no_answer(world):
    with world.store.trouble("renamed table"):
        for words in (("domain", "example.test"), ("user", "anna@example.test")):
            assert world.ctl.run(*words).status == 78, words
    with world.changed(("ALTER TABLE alias_senders RENAME TO away",
                        "ALTER TABLE away RENAME TO alias_senders")):
        seen = world.ctl.run("user", "anna@example.test")
        assert seen.status == 78 and seen.stdout.startswith("user=anna@example.test\n")
        assert "aliases and senders cannot be read" in seen.stderr
        document = world.ctl.run("--json", "user", "anna@example.test").json()
        assert document["result"] == "found" and "aliases" not in document


def doveadm(lab, name, printed):
    folder = lab.directory(f"reverse-doveadm-{name}")
    (folder / "doveadm").write_text(f"#!/bin/sh\nprintf '{printed}'\n")
    (folder / "doveadm").chmod(0o755)
    return {"PATH": f"{folder}:{ENVIRONMENT['PATH']}"}


HEADER = r"Quota name\tType\tValue\tLimit\t%%\n"


@pytest.mark.parametrize("name, printed, kib, said", [
    ("used", r"User quota\tSTORAGE\t1572864\t3145728\t50\nUser quota\tMESSAGE\t7\t-\t0\n",
     1572864, "quota: 3 GB, the domain's; 1572864 KiB used, 50.0 %"),
    ("error", r"User quota\tSTORAGE\terror\terror\terror\n", None, "quota: 3 GB, the domain's"),
    ("junk", r"\t\t\t\t\t\t\n\001", None, "quota: 3 GB, the domain's")])
def test_how_full_it_is_where_doveadm_says_so(lab, world, name, printed, kib, said):
    environment = doveadm(lab, f"{world.name}-{name}", HEADER + printed)
    seen = world.ctl.run("--json", "user", "anna@example.test", environment=environment)
    assert seen.json()["quota"] == {"gb": 3, "source": "domain", "used_kib": kib, "full": None}
    seen = world.ctl.run("user", "anna@example.test", environment=environment)
    assert seen.stdout.splitlines()[-1] == said


# ---- a hundred thousand ----

@pytest.fixture(scope="module", params=list(STORES))
def crowd(request, lab):
    """A world with 100,000 mailboxes and 100,000 aliases, of which most lead to the next."""
    world = World(lab, request.param, "reverse-many")
    world.add_many(100000)
    return world


def work():
    """Seconds of processor time of child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def timed(run):
    before = work()
    seen = run()
    seconds = work() - before
    print(f"{seconds:.2f} s")
    assert seen.status == 0 and seconds < LIMIT * SLOWER
    return seen.json()


@pytest.mark.many
def test_user_of_a_hundred_thousand(crowd, without_doveadm):
    """Of mumctl's own processor time, because elapsed time depends on other load."""
    document = timed(lambda: crowd.ctl.run("--json", "user", "m1499@example.test",
                                           environment=without_doveadm))
    assert len(document["aliases"]) == 499
    assert max(len(way["path"]) for way in document["aliases"]) == 499
    assert document["receives"] and not any(way["deferred"] for way in document["aliases"])


@pytest.mark.many
def test_domain_of_a_hundred_thousand(crowd):
    document = timed(lambda: crowd.ctl.run("--json", "domain", "example.test"))
    assert len(document["mailboxes"]) == len(document["aliases"]) == 100003
    assert [one["address"] for one in document["refused"]] == ["gone@example.test",
                                                               "scanner@example.test"]
