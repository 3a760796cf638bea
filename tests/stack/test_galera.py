# SPDX-License-Identifier: MIT
"""A cluster of three database servers that lose each other.

Each test says the fault, the reply that clients see, the deadline of an answer
and how long it takes until all is well again.
"""

import concurrent.futures
import contextlib
import time

import pytest

from asker import Asker
from lab import Mumd, sample, wait_until
from lab.galera import Galera
from lab.lab import LabError
from lab.mariadb import POSTFIX_PASSWORD
from lab.mum_dovecot import MumDovecot
from lab.mumd import mariadb_settings

pytestmark = [pytest.mark.other_programs, pytest.mark.long]

ALICE = "alice@example.test"
BOB = "bob@example.test"
NOBODY = "nobody@example.test"
USERS = ("mum_postfix", "mum_dovecot")
# The default deadline of logins: until the cluster has settled without a node, the others
# may refuse everything for a while, too, and a login has no answer in a cache.
TTL, DEADLINE, LOGIN_DEADLINE = 0.5, 1, 5

# Seconds that an answer may take beyond its deadline, and the first answer after the
# recovery.
SLACK = 1


class Site:
    """mumd and Dovecot with all three nodes, in the same order."""

    def __init__(self, lab):
        self.cluster = Galera(lab).start()
        self.nodes = self.cluster.nodes
        self.nodes[0].load_mum(sample.mariadb_text())
        database = mariadb_settings(self.nodes[0], POSTFIX_PASSWORD,
                                    hosts=[f"127.0.0.1:{node.port}" for node in self.nodes],
                                    deadline=f"{DEADLINE}s")
        cache = {"ttl": f"{TTL * 1000:.0f}ms"}
        self.mumd = Mumd(lab, {"database": database, "cache": cache}, name="mumd-galera").start()
        self.dovecot = MumDovecot(lab, database, name="dc-galera", sections={"cache": cache},
                                  options={"deadline": f"{LOGIN_DEADLINE}s"}).start()

    def mailbox(self, address):
        return self.mumd.lookup("mailboxes", address)

    def home(self, address):
        user = self.dovecot.user(address)
        return "found" if isinstance(user, dict) else user or "nobody"

    def known(self, address):
        """What all of them answer about a mailbox whose password is "secret"."""
        return (self.mailbox(address), self.dovecot.login(address, "secret"), self.home(address))

    def is_seen(self, address, active):
        """Waits until all answers show that the mailbox has changed."""
        wanted = (b"OK 1", "ok", "found") if active else (b"NOTFOUND ", "refused", "nobody")
        wait_until(lambda: self.known(address) == wanted, f"{address}: {wanted}", TTL + 1)

    def uses(self, node):
        """Do they use this node? Asks first, because connections are made when they are needed."""
        return self.known(ALICE) == (b"OK 1", "ok", "found") and all(
            node.connections(user) for user in USERS)

    def uses_only(self, node):
        return self.uses(node) and not any(
            other.connections(user) for user in USERS
            for other in self.nodes if other is not node and other.process.running())

    @contextlib.contextmanager
    def asked_all_along(self):
        """(asker of mumd, of Dovecot for logins, of Dovecot for homes): all ask about alice."""
        with self.mumd.map_client() as client, \
                Asker(lambda: client.ask("mailboxes", ALICE), b"OK 1") as mailbox, \
                Asker(lambda: self.dovecot.login(ALICE, "secret"), "ok") as login, \
                Asker(lambda: self.home(ALICE), "found") as home:
            yield mailbox, login, home


def set_active(node, address, active):
    local = address.partition("@")[0]
    node.sql(f"UPDATE mum.mailboxes SET active = {active} WHERE local_part = '{local}'")


@pytest.fixture(scope="module")
def site(lab):
    site = Site(lab)
    yield site
    for server in (site.dovecot, site.mumd, *site.nodes):
        server.stop()
    assert site.dovecot.complaints() == []


def is_outside(node):
    return "ERROR 1047" in node.sql("SELECT 1 FROM mum.domains", check=False).stderr


def assert_in_time(mailbox, login, home):
    assert mailbox.slowest() < DEADLINE + SLACK
    assert max(login.slowest(), home.slowest()) < LOGIN_DEADLINE + SLACK


def test_a_node_that_falls_out_of_the_cluster_is_missed_by_nobody(site):
    """Fault: a node keeps our connections and refuses everything (1047); the others go on
    without it. Reply: the right one. Deadline: 1 s for mumd here, 5 s for Dovecot. Recovery: none
    needed; the second host within the deadline, the first when the cluster has it back."""
    first, second, _ = site.nodes
    assert site.uses_only(first)
    with site.asked_all_along() as askers:
        with site.cluster.isolated(first):
            wait_until(lambda: is_outside(first), "the node out of the cluster", 15, 0.1)
            wait_until(lambda: site.uses_only(second), "the second host", DEADLINE + SLACK)
        wait_until(lambda: site.uses_only(first), "return to the first host", 15, 0.1)
    assert [asker.words() for asker in askers] == [{b"OK"}, {"ok"}, {"found"}]
    assert_in_time(*askers)


def test_nodes_that_are_killed_make_nobody_unknown_and_come_back(site):
    """Fault: kill -9 of the first node, then of the second, which leaves one without a quorum
    (1047), then all come back. Reply: the right one; without a quorum what mumd knew, TEMP,
    DEFER_IF_PERMIT, temp_fail, FAIL. Deadline: 1 s for mumd here, 5 s for Dovecot. Recovery:
    within 1 s after there is a quorum."""
    first, second, third = site.nodes
    assert site.uses_only(first)
    with site.asked_all_along() as askers:
        first.kill()
        killed = time.monotonic()
        wait_until(lambda: all(asker.right_since(killed + 2 * TTL) for asker in askers), "answers")
        set_active(second, BOB, 0)
        site.is_seen(BOB, active=False)
        assert site.uses_only(second)
        assert [asker.words() for asker in askers] == [{b"OK"}, {"ok"}, {"found"}]
        second.kill()
        lose_quorum(site, third)
        founded = time.monotonic()
        wait_until(lambda: all(asker.right_since(founded) for asker in askers), "answers", 10)
    assert max(asker.right_since(founded) - founded for asker in askers) < SLACK
    assert_in_time(*askers)
    mailbox, login, home = (asker.words() for asker in askers)
    assert mailbox == {b"OK"}       # the cache went on answering
    assert (login, home) == ({"ok", "temp_fail"}, {"found", "temp_fail"})
    set_active(third, BOB, 1)
    site.is_seen(BOB, active=True)
    site.cluster.join(first, second)
    wait_until(lambda: site.uses_only(first), "return to the first host", 5, 0.1)
    set_active(second, BOB, 0)
    site.is_seen(BOB, active=False)


def lose_quorum(site, survivor):
    """Until an admin decides that the survivor is the cluster."""
    wait_until(lambda: is_outside(survivor), "the survivor without a quorum", 20, 0.1)
    time.sleep(TTL)
    assert survivor.accepts() and survivor.sql("SELECT 1") == [["1"]]       # which proves nothing
    with pytest.raises(LabError, match="1047"):
        set_active(survivor, BOB, 1)
    assert_stale_or_temporary(site)
    site.cluster.found_anew(survivor)


def assert_stale_or_temporary(site):
    """For addresses in the cache, for unknown ones, and for those that nobody has asked for."""
    never_asked = "carol@second.test"
    logins = [(user, password, "imap") for user in (ALICE, BOB, NOBODY)
              for password in ("secret", "wrong")]
    with site.dovecot.auth_client() as auth, site.dovecot.userdb_client() as userdb, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        known, inactive, unknown, new = pool.map(site.mailbox, (ALICE, BOB, NOBODY, never_asked))
        action = pool.submit(site.mumd.decide, sender="x@foreign.test", recipient=never_asked)
        users = pool.submit(userdb.users, [ALICE, BOB, NOBODY, never_asked])
        replies = auth.ask_all(logins)
    assert (known, inactive) == (b"OK 1", b"NOTFOUND ")
    assert unknown.startswith(b"TEMP ") and new.startswith(b"TEMP ")
    assert action.result().startswith("DEFER_IF_PERMIT 4.3.0 ")
    assert {reply.kind for reply in users.result()} == {"FAIL"}
    assert {(reply.kind, reply.fields.get("code")) for reply in replies} == {("FAIL", "temp_fail")}
    assert max(reply.seconds for reply in replies) < LOGIN_DEADLINE + SLACK
