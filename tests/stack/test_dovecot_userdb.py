# SPDX-License-Identifier: MIT
"""Homes, mail locations, quotas, and the list of all users."""

import contextlib
import itertools
import pathlib
import sqlite3
import time

import pytest

from lab import hashes
from lab.mum_dovecot import mail, quota
from lab.mumctl import Mumctl
from dovecot_stores import MariaStore, SqliteStore

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)
MANY = 100_000

# The module remembers users for some seconds, as mumd does.
UNCACHED = {"cache": {"ttl": "0s"}}


def add(store, **columns):
    return store.add(f"b{next(_numbers)}", **columns)


QUOTAS = [
    ("example.test", 5, "5"),
    ("example.test", None, "3"),     # the domain's
    ("example.test", 0, "0"),        # none, whatever the domain says
    ("noquota.test", None, "0"),
    ("noquota.test", 1, "1"),
    ("noquota.test", 4294967295, "4294967295"),
]


@pytest.mark.parametrize("domain, gigabytes, expected", QUOTAS)
def test_quota_is_the_mailbox_s_else_the_domain_s_else_none(store, dovecot, domain,
                                                              gigabytes, expected):
    user = add(store, domain=domain, quota=gigabytes)
    assert quota(dovecot.user(user)) == expected


def test_home_and_mail_are_as_stored(store, dovecot):
    user = add(store, homedir="/srv/with space/o'brien/ä", maildir="mdbox:~/mdbox:INDEX=/var/index/%u")
    fields = dovecot.user(user)
    assert (fields["user"], fields["home"]) == (user, "/srv/with space/o'brien/ä")
    assert (mail(fields), quota(fields)) == ("mdbox:~/mdbox:INDEX=/var/index/%u", "3")


def test_who_is_activated_has_a_home_at_once(store, make_dovecot):
    """Whose login is allowed must have one. Other answers count for ten seconds."""
    dovecot = make_dovecot(store)
    user = add(store, active=0)
    for _ in range(3):
        assert dovecot.user(user) is None
        time.sleep(0.01)
    store.change(user, active=1)
    assert dovecot.user(user)["user"] == user


def test_user_is_found_in_any_spelling_and_gets_the_stored_one(store, dovecot):
    user = store.add("Mixed.Spelling")
    assert dovecot.user("mixed.SPELLING@EXAMPLE.test")["user"] == user
    assert dovecot.doveadm("user", "-f", "home", user.upper()).returncode == 0


NOBODY = {"send-only": {"send_only": 1}, "inactive": {"active": 0},
          "inactive and send-only": {"active": 0, "send_only": 1},
          "in an inactive domain": {"domain": "closed.test"}}


@pytest.mark.parametrize("case", NOBODY)
def test_who_gets_no_mail_is_nobody(store, dovecot, case):
    user = add(store, **NOBODY[case])
    assert dovecot.user(user) is None
    assert dovecot.doveadm("user", user).returncode == 67


@pytest.mark.parametrize("name", ["nobody@example.test", "nobody", "@", "a@b@example.test", "",
                                  "x@closed.test", "b1+ext@example.test", "%u", "tab\tbed@example.test"])
def test_who_is_not_there_is_nobody(store, dovecot, name):
    assert dovecot.user(name) is None


DIRTY = {
    "empty home": {"homedir": ""},
    "relative home": {"homedir": "srv/mail"},
    "home with ..": {"homedir": "/srv/../etc"},
    "home that ends in ..": {"homedir": "/srv/mail/.."},
    "home of ..": {"homedir": "/.."},
    "home with a newline": {"homedir": "/srv/x\nuserdb_uid=0"},
    "home with a tab": {"homedir": "/srv/x\tuid=0"},
    "home with a delete": {"homedir": "/srv/x\x7f"},
    "empty mail": {"maildir": ""},
    "mail with a newline": {"maildir": "maildir:~/x\nuid=0"},
    "mail with a tab": {"maildir": "maildir:~/x\tuid=0"},
}
DIRTY_SQLITE = {            # MariaDB's columns cannot hold these
    "quota of 2^33": {"quota": 2 ** 33},
    "quota below nothing": {"quota": -1},
    "quota of words": {"quota": "much"},
    "quota of bytes": {"quota": "5G"},
    "quota of 2^63": {"quota": 2 ** 63 - 1},
}


@contextlib.contextmanager
def removed(store, user):
    """Removes the user: homes are unique in MUM, and the next test may need this one."""
    try:
        yield user
    finally:
        store.remove(user)


def temporary_for_this_user_only(store, dovecot, columns):
    with removed(store, add(store, **columns)) as user:
        check_temporary(store, dovecot, user)


def check_temporary(store, dovecot, user):
    other = add(store)
    after = len(dovecot.log())
    assert dovecot.user(user) == "temp_fail"
    dovecot.wait_log(user, after=after)
    lines = [line for line in dovecot.log()[after:] if user in line]
    assert len(lines) == 1 and "mailboxes row of <" in lines[0] and "Error" in lines[0]
    with dovecot.lmtp() as lmtp:
        assert lmtp.rcpt(user).startswith("451 4.3.0")
        assert lmtp.rcpt(other).startswith("250")
    assert dovecot.doveadm("user", user).returncode == 75
    assert dovecot.imap().enter(user, "secret") != "OK"
    assert dovecot.imap().enter(other, "secret") == "OK"


@pytest.mark.parametrize("case", DIRTY)
def test_dirty_row_is_a_temporary_failure_and_a_line_in_the_log(store, dovecot, case):
    temporary_for_this_user_only(store, dovecot, DIRTY[case])


@pytest.mark.parametrize("case", DIRTY_SQLITE)
def test_absurd_quota_of_a_mailbox_is_a_temporary_failure(stores, dovecots, case):
    store = stores("sqlite")
    temporary_for_this_user_only(store, dovecots(store), DIRTY_SQLITE[case])


def test_absurd_quota_of_a_domain_is_a_temporary_failure(store, dovecots):
    dovecot = dovecots(store, sections=UNCACHED)
    user = add(store, domain="noquota.test")
    store.run(f"UPDATE domains SET quota = {2 ** 33} WHERE id = 2")
    try:
        assert dovecot.user(user) == "temp_fail"
    finally:
        store.run("UPDATE domains SET quota = NULL WHERE id = 2")
    assert quota(dovecot.user(user)) == "0"


@pytest.mark.parametrize("case", ["home with ..", "home with a newline", "empty home"])
def test_prefetch_hands_out_no_dirty_row(store, dovecots, case):
    dovecot = dovecots(store, prefetch=True)
    with removed(store, add(store, **DIRTY[case])) as user:
        assert dovecot.imap().enter(user, "secret") != "OK"
        assert dovecot.user(user) == "temp_fail"


# ---- prefetch ----

def statements_of_a_login(store, dovecot, user):
    """How many statements one IMAP login needs. The connections exist before."""
    assert dovecot.imap().enter(user, "secret") == "OK"
    with store.server.general_log() as log:
        assert dovecot.imap().enter(user, "secret") == "OK"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return sum("Execute" in line for line in lines)


def test_prefetch_saves_the_second_lookup(stores, dovecots):
    store = stores("mariadb")
    user = add(store)
    assert [statements_of_a_login(store, dovecots(store, sections=UNCACHED, prefetch=prefetch), user)
            for prefetch in (True, False)] == [2, 3]


def test_prefetch_answers_as_the_userdb_does(store, dovecots):
    user = add(store, quota=2)
    for dovecot in (dovecots(store), dovecots(store, prefetch=True)):
        imap = dovecot.imap()
        assert imap.enter(user, "secret") == "OK"
        assert imap.quota() == (0, 2 * 1024 * 1024)
        imap.logout()
        with dovecot.lmtp() as lmtp:
            assert lmtp.rcpt(user).startswith("250")


# ---- all users ----

def expected_users(store, dovecot):
    """The addresses of the store that the userdb finds."""
    query = "SELECT local_part, domain FROM mailboxes m JOIN domains d ON d.id = domain_id"
    if isinstance(store, MariaStore):
        rows = store.server.sql(f"SELECT HEX(CONCAT(local_part, '@', domain)) FROM mum.mailboxes m "
                                "JOIN mum.domains d ON d.id = domain_id")
        names = [bytes.fromhex(row[0]).decode() for row in rows]
    else:
        connection = sqlite3.connect(store.path)
        names = ["@".join(row) for row in connection.execute(query)]
        connection.close()
    with dovecot.userdb_client() as client:
        replies = client.users(names)
    return sorted(name for name, reply in zip(names, replies) if reply.kind == "USER"
                  or reply.kind == "FAIL")


def test_iteration_lists_whom_the_userdb_finds(store, dovecot):
    add(store), add(store, send_only=1), add(store, active=0), add(store, domain="closed.test")
    store.add("with space3"), store.add("jörg3"), store.add("idn3", domain="bücher.test")
    listed = dovecot.doveadm("user", "*")
    assert listed.returncode == 0
    assert sorted(listed.stdout.splitlines()) == expected_users(store, dovecot)


@pytest.mark.parametrize("pattern, names", [
    ("pa?tern*@example.test", {"pattern1@example.test", "pattern2@example.test"}),
    ("pattern*", {"pattern1@example.test", "pattern2@example.test", "pattern3@noquota.test"}),
    ("pattern*@noquota.*", {"pattern3@noquota.test"}),
    ("pattern9*", set()),
])
def test_iteration_takes_a_pattern(store, dovecot, pattern, names):
    if not hasattr(store, "has_patterns"):
        store.has_patterns = [store.add("pattern1"), store.add("pattern2"),
                              store.add("pattern3", domain="noquota.test"),
                              store.add("pattern4", send_only=1)]
    assert set(dovecot.doveadm("user", pattern).stdout.splitlines()) == names


def test_field_of_the_block_replaces_ours(store, make_dovecot):
    """override_fields, and fields { } of 2.4."""
    user = add(store)
    dovecot = make_dovecot(store, front="""
userdb {
  driver = mum
  args = %(args)s
  override_fields = home=/h/own
}
""")
    fields = dovecot.user(user)
    assert (fields["home"], quota(fields)) == ("/h/own", "3")


def test_doveadm_does_something_for_all(make_dovecot, lab):
    for kind in (MariaStore, SqliteStore):
        store = kind(lab, name=f"all-{kind.__name__.lower()}")
        users = [add(store), add(store), add(store, domain="noquota.test")]
        add(store, send_only=1)
        found = make_dovecot(store).doveadm("-f", "tab", "mailbox", "status", "-A", "messages", "INBOX")
        assert found.returncode == 0, found.stderr
        assert sorted(line.split("\t")[0] for line in found.stdout.splitlines()[1:]) == sorted(users)


def test_empty_database_lists_nobody(make_dovecot, lab):
    store = SqliteStore(lab, name="empty")
    listed = make_dovecot(store).doveadm("user", "*")
    assert (listed.returncode, listed.stdout) == (0, "")


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
def crowded(request, lab):
    """A store with 100,000 users who are listed; each tenth row is not."""
    store = {"mariadb": MariaStore, "sqlite": SqliteStore}[request.param](
        lab, name=f"crowd-{request.param}")
    total = MANY * 10 // 9
    columns = ("INSERT INTO mailboxes (id, local_part, domain_id, password, homedir, maildir, active) ")
    if request.param == "mariadb":
        store.server.sql(columns + f"SELECT seq, CONCAT('user', seq), 1, '{hashes.bcrypt(cost=4)}', "
                         "CONCAT('/srv/', seq), CONCAT('maildir:/srv/', seq), seq % 10 <> 0 "
                         f"FROM seq_1_to_{total}", database="mum")
    else:
        store.run(columns + "WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n "
                  f"WHERE seq < {total}) SELECT seq, 'user' || seq, 1, '{hashes.bcrypt(cost=4)}', "
                  "'/srv/' || seq, 'maildir:/srv/' || seq, seq % 10 <> 0 FROM n")
    return store


def crowd():
    return {f"user{n}@example.test" for n in range(1, MANY * 10 // 9 + 1) if n % 10}


@pytest.fixture
def dovecot_of_crowd(crowded, make_dovecot):
    """On a busy machine, with any driver, Dovecot 2.3's auth process may overlook the end
    of a long list that it has already read, until the worker reports that it is idle.
    """
    return make_dovecot(crowded, settings="service auth-worker {\n  idle_kill = 2 s\n}\n")


def is_whole(dovecot, users, expected):
    """Is the list complete? It may also say that it is not, exactly then, as Dovecot does by
    itself if its reader pauses.
    """
    if dovecot.language.breaks_off_lists and users[-1] is False:
        return len(users) - 1 < expected and set(users[:-1]) <= crowd()
    return len(set(users)) == expected and set(users) <= crowd()


def list_with_doveadm(dovecot):
    """The list ends with False if doveadm says that it is not complete."""
    said = dovecot.doveadm("user", "*")
    assert said.returncode in (0, 75)
    return said.stdout.splitlines() + [False] * (said.returncode != 0)


def peak_memory(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines()
                if line.startswith("VmHWM:"))


def test_a_hundred_thousand_are_listed_each_once(dovecot_of_crowd):
    for _ in range(5):      # doveadm does not pause of itself, but the machine may be busy
        listed = list_with_doveadm(dovecot_of_crowd)
        assert len(listed) == len(set(listed)) and is_whole(dovecot_of_crowd, listed, MANY)
        if listed[-1] is not False:
            break
    assert listed[-1] is not False


def test_mumctl_lists_a_hundred_thousand_without_dovecot(dovecot_of_crowd):
    listed = Mumctl(dovecot_of_crowd.mum_conf).run("list")
    assert (listed.status, listed.stderr) == (0, "")
    assert len(listed.stdout.splitlines()) == MANY and set(listed.stdout.splitlines()) == crowd()


def test_listing_a_hundred_thousand_takes_no_more_memory_than_a_few(dovecot_of_crowd):
    with dovecot_of_crowd.userdb_client() as client:
        listing = client.listing()
        for _ in range(3000):
            next(listing)
        worker, = dovecot_of_crowd.worker_pids()
        early = peak_memory(worker)
        names = list(itertools.islice(listing, MANY - 10000))
        late = peak_memory(worker)      # at the end the worker may be gone
        assert is_whole(dovecot_of_crowd, names + list(listing), MANY - 3000)
        assert late - early < 3 * 1024 * 1024


def test_reader_that_pauses_holds_up_nobody(dovecot_of_crowd):
    with dovecot_of_crowd.userdb_client() as slow:
        listing = slow.listing()
        first = [next(listing) for _ in range(10)]
        time.sleep(1)
        started = time.monotonic()
        assert dovecot_of_crowd.user("user1@example.test")
        assert dovecot_of_crowd.login("user2@example.test", "secret") == "ok"
        assert time.monotonic() - started < 1
        assert is_whole(dovecot_of_crowd, first + list(listing), MANY)


def test_reader_that_goes_away_in_the_middle_does_no_harm(dovecot_of_crowd):
    for _ in range(5):
        with dovecot_of_crowd.userdb_client() as client:
            listing = client.listing()
            for _ in range(10):
                next(listing)
    assert dovecot_of_crowd.user("user1@example.test")
    assert is_whole(dovecot_of_crowd, list_with_doveadm(dovecot_of_crowd), MANY)


def test_listing_that_breaks_off_says_so(lab, make_dovecot):
    """The connection is killed in the middle and the server is away: the list is not just
    short.
    """
    store = MariaStore(lab, name="broken-list")
    store.server.sql("INSERT INTO mailboxes (id, local_part, domain_id, password, homedir, maildir) "
                     "SELECT seq, CONCAT('user', seq), 1, 'x', CONCAT('/srv/', seq), "
                     "CONCAT('maildir:/srv/', seq) FROM seq_1_to_20000", database="mum")
    dovecot = make_dovecot(store, options={"deadline": "1s"})
    with dovecot.userdb_client() as client:
        listing = client.listing()
        next(listing)
        with store.trouble("server down"):
            assert list(listing)[-1] is False
        again = list(client.listing())
        assert len(again) == 20000 or dovecot.language.breaks_off_lists and again[-1] is False


def test_only_a_listing_worker_talks_to_the_database(lab, make_dovecot):
    store = MariaStore(lab, name="connections")
    users = [add(store) for _ in range(3)]
    dovecot = make_dovecot(store)
    with dovecot.auth_client() as client, dovecot.userdb_client() as userdb:
        for _ in range(3):
            client.ask_all([(user, "secret", "imap") for user in users * 30])
            userdb.users(users * 100)
            assert store.connections() <= 2
        assert len(dovecot.worker_pids()) > 0
    dovecot.doveadm("user", "*")
    assert store.connections() <= 3


def test_number_of_connections_is_the_admins(lab, make_dovecot):
    store = MariaStore(lab, name="one-connection")
    store.settings["connections"] = 1
    dovecot = make_dovecot(store)
    users = [add(store) for _ in range(3)]
    with dovecot.auth_client() as client, dovecot.userdb_client() as userdb:
        client.ask_all([(user, "secret", "imap") for user in users * 30])
        userdb.users(users * 200)
        assert store.connections() == 1
