# SPDX-License-Identifier: MIT
"""mumctl user and mumctl domain: who may send as what, how mail comes, what is refused.

Over random databases, against a model that expands aliases as Postfix does; and over a
hundred thousand mailboxes and aliases.
"""

import collections
import contextlib
import os
import random
import time

import pytest

from conformance.names import is_clean
from dovecot_stores import STORES
from lab.lab import ENVIRONMENT
from lab.mariadb import COLLATION
from mumctl_world import World
from reverse_world import CASES, Random, judge_domain, judge_quotas, judge_user

SEEDS = (1, pytest.param(2, marks=pytest.mark.long))

# Seconds of processor time. One is enough where nothing else runs.
LIMIT = 5
# Seconds that pass where nothing else runs, in the best of some runs. A domain of so many is
# read and printed whole.
ELAPSED, RUNS = {"user": {"mariadb": 1, "sqlite": 2}, "domain": {"mariadb": 1, "sqlite": 2}}, 10
# Set for a build with sanitizers, which is slower.
SLOWER = 4 if "ASAN_OPTIONS" in os.environ else 1


# ---- random databases ----

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


# What the tests are about is there often enough: {kind: ways}
WANTED = {"off": {"alias": 5}, "catch-all": {"alias": 5, "catch-all": 1},
          "roles": {"alias": 5, "role": 5}, "both": {"alias": 5}}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_user_is_right_over_random_rows(databases, without_doveadm, seed, case, store):
    views = databases.load(seed, case)
    kinds = collections.Counter()
    rows = [row for row in views.rows["mailboxes"] if is_clean(views.address(row))]
    for mailbox in random.Random(seed).sample(rows[:-5], 5) + rows[-5:]:
        address = views.address(mailbox)
        seen = databases.ctls[store, case].run("--json", "user", address,
                                               environment=without_doveadm)
        document = seen.json()
        if seen.status == 75 and document["result"] == "temporary":     # its row is not usable
            continue
        if mailbox.active and views.domains[mailbox.domain_id].active:
            assert seen.status == (1 if mailbox.send_only else 0), (address, seen.seen)
            kinds.update(way["kind"] for way in judge_user(views, mailbox, document))
        else:
            assert (seen.status, set(document)) == (1, {"result", "user"}), address
    assert all(kinds[kind] >= count for kind, count in WANTED[case].items()), kinds


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_domain_is_right_over_random_rows(databases, seed, case, store):
    views = databases.load(seed, case)
    refused = 0
    for row in views.rows["domains"]:
        if not is_clean(row.domain):
            continue
        seen = databases.ctls[store, case].run("--json", "domain", row.domain)
        assert seen.status == 0, seen.seen
        refused += judge_domain(views, row.domain, seen.json())
        judge_quotas(views, seen.json())
    assert refused > 10


@contextlib.contextmanager
def collations_of_their_own(server):
    tables = {"mailboxes": "utf8mb4_general_ci", "aliases": "utf8mb4_unicode_520_ci"}
    alter = "ALTER TABLE mum.{} CONVERT TO CHARACTER SET utf8mb4 COLLATE {};"
    server.sql("".join(alter.format(*item) for item in tables.items()))
    try:
        yield
    finally:
        server.sql("".join(alter.format(table, COLLATION) for table in tables))


@pytest.mark.parametrize("case", ["catch-all", "both"])
def test_each_table_may_have_a_collation_of_its_own(databases, without_doveadm, case):
    def seen():
        return [ctl.run("--json", *command, environment=without_doveadm)
                for command in [*(("domain", domain) for domain in domains),
                                *(("user", user) for user in users)]]

    views, ctl = databases.load(1, case), databases.ctls["mariadb", case]
    domains = [row.domain for row in views.rows["domains"] if is_clean(row.domain)]
    users = [views.address(row) for row in views.rows["mailboxes"][-5:]]
    before = seen()
    with collations_of_their_own(databases.server):
        after = seen()
    assert [one.stdout for one in after] == [one.stdout for one in before]
    assert {one.status for one in before} <= {0, 1, 75} and 0 in {one.status for one in before}


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


FALLBACKS = {"other_maps": "off", "catch_all": "on", "catch_all_senders": "on",
             "roles": ["postmaster", "hostmaster"], "role_recipient": "anna@example.test"}
CAUGHT = [("aliases", {"id": 2001, "local_part": "", "domain_id": 1}),
          ("aliases", {"id": 2002, "local_part": "list", "domain_id": 1}),
          ("alias_recipients", {"id": 2001, "alias_id": 2001,
                                "recipient_address": "anna@example.test", "mailbox_id": 1}),
          ("alias_recipients", {"id": 2002, "alias_id": 2002,
                                "recipient_address": "whoever@example.test", "mailbox_id": None}),
          ("alias_senders", {"id": 2001, "alias_id": 2001, "mailbox_id": 1})]


def test_text_of_roles_and_of_a_catch_all(world, without_doveadm):
    ctl = world.ctl_with(address=FALLBACKS)
    with world.rows(CAUGHT):
        user = ctl.run("user", "anna@example.test", environment=without_doveadm)
        domain = ctl.run("domain", "example.test")
        off = world.ctl.run("--json", "domain", "example.test").json()
    assert user.stdout.partition("\n\n")[2] == """\
may send as
  anna@example.test
  @example.test
  info@example.test

gets mail to its own address: yes
gets mail by way of
  the catch-all @example.test
  abuse@example.test
  a role, hostmaster@example.test
  a role, hostmaster@noquota.test
  a role, hostmaster@xn--bcher-kva.test
  info@example.test
  list@example.test -> @example.test
  postmaster@example.test
  a role, postmaster@noquota.test
  a role, postmaster@xn--bcher-kva.test

quota: 3 GB, the domain's
"""
    assert "\n  the catch-all @example.test -> anna@example.test\n" in domain.stdout
    assert "\n1 roles\n  hostmaster@example.test -> anna@example.test\n" in domain.stdout
    assert off["roles"] == [] and "@example.test" in [one["address"] for one in off["refused"]]


def test_a_catch_all_is_asked_by_a_name_that_nobody_has(world, without_doveadm):
    """Neither a role nor an inactive mailbox, nor one with an extension."""
    ctl = world.ctl_with(address={**FALLBACKS, "roles": ["nobody0"], "recipient_delimiter": "1",
                                  "role_recipient": "friend@external.test"})
    known = [("mailboxes", {"id": 2000 + n, "local_part": name, "domain_id": 1, "active": 0,
                            "password": "", "homedir": f"/srv/{name}",
                            "maildir": f"maildir:/srv/{name}"})
             for n, name in enumerate(("nobody", "nobody2"))]
    with world.rows(CAUGHT + known):
        user = ctl.run("--json", "user", "anna@example.test", environment=without_doveadm).json()
        domain = ctl.run("--json", "domain", "example.test").json()
    assert ["@example.test"] in [way["path"] for way in user["aliases"]]
    assert "@example.test" in [one["address"] for one in user["may_send_as"]]
    assert {"alias": "@example.test", "catch_all": True, "recipients": ["anna@example.test"],
            "expires": None} in domain["aliases"]


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


def test_doveadm_that_hangs(lab, world):
    folder = lab.directory(f"reverse-doveadm-{world.name}-hangs")
    (folder / "doveadm").write_text("#!/bin/sh\nexec sleep 600\n")
    (folder / "doveadm").chmod(0o755)
    seen = world.ctl.run("user", "anna@example.test",
                         environment={"PATH": f"{folder}:{ENVIRONMENT['PATH']}"})
    assert (seen.status, seen.stdout.splitlines()[-1]) == (0, "quota: 3 GB, the domain's")
    assert seen.stderr == ("mumctl: anna@example.test: how full is unknown: doveadm did not "
                           "answer within 5 s\n")


LONG = "\u00fc" * 150 + "@elsewhere.test"


def test_a_domain_with_long_texts(world):
    """Values of more bytes than a cell has at first."""
    for number in range(3):
        world.store.insert("aliases", id=900 + number, local_part=f"long{number}", domain_id=1)
        world.store.insert("alias_recipients", alias_id=900 + number, recipient_address=LONG)
    seen = world.ctl.run("--json", "domain", "example.test").json()
    world.store.run("DELETE FROM alias_recipients WHERE alias_id >= 900")
    world.store.run("DELETE FROM aliases WHERE id >= 900")
    assert [alias["recipients"] for alias in seen["aliases"]
            if alias["alias"].startswith("long")] == [[LONG]] * 3


@pytest.fixture
def broken(lab):
    """A MariaDB that finds at the third mailbox that it cannot read them."""
    world = World(lab, "mariadb", "reverse-broken")
    world.store.run("RENAME TABLE mailboxes TO whole")
    world.store.run("CREATE VIEW mailboxes AS SELECT * FROM whole"
                    " WHERE id < 3 OR 18446744073709551615 + id > 0")
    return world.ctl


def test_a_domain_whose_mailboxes_cannot_be_read(broken):
    """The aliases are on their way by then, and nobody waits for them."""
    seen = broken.run("domain", "example.test")
    assert (seen.status, seen.stdout) == (75, "")
    assert "BIGINT UNSIGNED value is out of range" in seen.stderr


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


def crowding():
    """How many processes share a processor, 1 if it is ours alone."""
    return max(1, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


@pytest.mark.many
@pytest.mark.parametrize("words", [("user", "m1499@example.test"), ("domain", "example.test")])
def test_nobody_waits_for_long(crowd, without_doveadm, words):
    seen = []
    for _ in range(RUNS):
        limit = ELAPSED[words[0]][crowd.name] * SLOWER * crowding()
        began = time.monotonic()
        assert crowd.ctl.run(*words, environment=without_doveadm).status == 0
        seen.append((time.monotonic() - began, limit))
        if seen[-1][0] < limit:
            break
    print(f"{words[0]}: " + ", ".join(f"{seconds:.2f} of {limit:.2f} s" for seconds, limit in seen))
    assert seen[-1][0] < seen[-1][1]


@contextlib.contextmanager
def caught(crowd):
    """mumctl with a catch-all that one mailbox gets, and an alias that leads to it."""
    rows = [("aliases", {"id": 200001, "local_part": "", "domain_id": 1}),
            ("aliases", {"id": 200002, "local_part": "list", "domain_id": 1}),
            ("alias_recipients", {"alias_id": 200001, "recipient_address": "m1499@example.test"}),
            ("alias_recipients", {"alias_id": 200002, "recipient_address": "lost@example.test"})]
    for table, row in rows:
        crowd.store.insert(table, **row)
    try:
        yield crowd.ctl_with(address={**FALLBACKS, "role_recipient": "m1499@example.test"})
    finally:
        crowd.store.run("DELETE FROM alias_recipients WHERE alias_id > 200000")
        crowd.store.run("DELETE FROM aliases WHERE id > 200000")


@pytest.mark.many
def test_a_catch_all_of_a_hundred_thousand(crowd, without_doveadm):
    """No alias that leads to a name of MUM is asked about."""
    with caught(crowd) as ctl:
        user = timed(lambda: ctl.run("--json", "user", "m1499@example.test",
                                     environment=without_doveadm))
        domain = timed(lambda: ctl.run("--json", "domain", "example.test"))
    kinds = collections.Counter(way["kind"] for way in user["aliases"])
    assert kinds["catch-all"] == 1 and kinds["alias"] == 500
    assert ["list@example.test", "@example.test"] in [way["path"] for way in user["aliases"]]
    assert len(domain["aliases"]) == 100005 and len(domain["roles"]) == 1
    assert [one["address"] for one in domain["refused"]] == ["gone@example.test",
                                                             "scanner@example.test"]


@pytest.mark.many
@pytest.mark.parametrize("store", STORES)
def test_catch_alls_of_ten_thousand_domains(lab, store, without_doveadm):
    """What is known of each domain is read for all of them at once."""
    world = World(lab, store, "reverse-domains")
    world.add_caught(10000)
    ctl = world.ctl_with(address={"catch_all": "on", "catch_all_senders": "on",
                                  "other_maps": "off"})
    document = timed(lambda: ctl.run("--json", "user", "anna@example.test",
                                     environment=without_doveadm))
    kinds = collections.Counter(way["kind"] for way in document["aliases"])
    assert kinds == {"catch-all": 10000, "alias": 3}
    assert len(document["may_send_as"]) == 10002
