# SPDX-License-Identifier: MIT
"""When the database fails there is never a wrong answer, and never a crash; and the life of
auth.

The tests of the first part say the fault, the reply that clients see, the deadline of an
answer and how long it takes until all is well again.
"""

import concurrent.futures
import contextlib
import itertools
import os
import signal
import threading
import time

import pytest

from lab import MailRecorder, Mumd, Postfix, SmtpDialogue, free_port, hashes, wait_until
from lab.mariadb import POSTFIX_PASSWORD
from lab.mum_dovecot import verdict
from asker import timed
from dovecot_stores import HARMLESS, STORES, TROUBLES, MariaStore, SqliteStore

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)


class MailHost:
    """Postfix and mumd before a Dovecot, on a store that tests may break."""

    def __init__(self, lab, name, dovecots):
        self.store = STORES[name.split("-")[0]](lab, name=f"break-{name}")
        self.user = self.store.add("user")
        self.send_only = self.store.add("sendonly", send_only=1)
        outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
        self.postfix = Postfix(lab, outside.address, name=f"pf-break-{name}")
        database = dict(self.store.settings)
        if database["driver"] == "mariadb":
            database["password"] = POSTFIX_PASSWORD
        self.mumd = Mumd(lab, {"database": database}, name=f"mumd-break-{name}",
                         sockets=self.postfix.sockets).start()
        self.dovecot = dovecots(self.store, postfix=self.postfix, sections={"cache": {"ttl": "0s"}})
        self.postfix.start()

    def submission(self, user=None, password="secret"):
        """The reply to AUTH."""
        dialogue = SmtpDialogue(self.postfix.submission_port)
        return dialogue.login(user or self.user, password)


@pytest.fixture(scope="module")
def hosts(lab, _session_factory):
    made = {}

    def get(name):
        if name not in made:
            made[name] = MailHost(lab, name, _session_factory)
        return made[name]
    return get


def can_log_in(dovecot, user):
    """An auth process that ends cuts off its clients."""
    try:
        return dovecot.login(user, "secret") == "ok"
    except OSError:
        return False


def assert_logs_in_within_a_second(dovecot, user):
    """At once after an outage."""
    said, seconds = timed(dovecot.login, user, "secret")
    assert said == "ok" and seconds < 1


def ask_all_ways(host):
    """Asks with all clients at once: {kind of client: (answer, seconds)}."""
    dovecot, user = host.dovecot, host.user

    def rcpt():
        with dovecot.lmtp() as lmtp:
            return lmtp.rcpt(user)

    def imap(name, password):
        return lambda: dovecot.imap().enter(name, password)

    ways = {
        "doveadm auth test": lambda: dovecot.auth_test(user, "secret"),
        "doveadm auth test, wrong password": lambda: dovecot.auth_test(user, "wrong"),
        "doveadm auth test, nobody": lambda: dovecot.auth_test("nobody@example.test", "secret"),
        "doveadm user": lambda: dovecot.doveadm("user", user).returncode,
        "doveadm user, nobody": lambda: dovecot.doveadm("user", "nobody@example.test").returncode,
        "doveadm user *": lambda: dovecot.doveadm("user", "*").returncode,
        "IMAP": imap(user, "secret"),
        "IMAP, nobody": imap("nobody@example.test", "secret"),
        "LMTP": rcpt,
        "submission": host.submission,
        "submission, wrong password": lambda: host.submission(password="wrong"),
        "submission, nobody": lambda: host.submission("nobody@example.test"),
        "submission, send-only": lambda: host.submission(host.send_only),
    }
    with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
        futures = {way: pool.submit(timed, function) for way, function in ways.items()}
        return {way: future.result() for way, future in futures.items()}


def beginning(replies):
    return {way: reply[:13] if way.startswith("IMAP") else
            reply[:9] if way == "LMTP" else
            reply[:3] if way.startswith("submission") else reply
            for way, (reply, _) in replies.items()}


def late(replies):
    """The replies that came more than two seconds after their deadline; 39 clients start at
    once, which may take a second. For submission it is Postfix's.
    """
    return {way: seconds for way, (_, seconds) in replies.items()
            if seconds > (10 if way.startswith("submission") else 5) + 2}


TEMPORARY = {
    "doveadm auth test": "temp_fail", "doveadm auth test, wrong password": "temp_fail",
    "doveadm auth test, nobody": "temp_fail",
    "doveadm user": 75, "doveadm user, nobody": 75, "doveadm user *": 75,
    "IMAP": "[UNAVAILABLE]", "IMAP, nobody": "[UNAVAILABLE]", "LMTP": "451 4.3.0",
    "submission": "454", "submission, wrong password": "454", "submission, nobody": "454",
    "submission, send-only": "454",
}
HEALTHY = {
    "doveadm auth test": "ok", "doveadm auth test, wrong password": "refused",
    "doveadm auth test, nobody": "refused",
    "doveadm user": 0, "doveadm user, nobody": 67, "doveadm user *": 0,
    "IMAP": "OK", "IMAP, nobody": "[AUTHENTICATI", "LMTP": "250 2.1.5",
    "submission": "235", "submission, wrong password": "535", "submission, nobody": "535",
    "submission, send-only": "235",
}


def assert_trouble_is_temporary(host, trouble):
    assert beginning(ask_all_ways(host)) == HEALTHY
    with host.store.trouble(trouble):
        replies = ask_all_ways(host)
        assert beginning(replies) == TEMPORARY
        assert late(replies) == {}
    reply, seconds = timed(host.dovecot.login, host.user, "secret")
    assert reply == "ok" and seconds < (2.5 if trouble == "wrong password" else 1)
    assert beginning(ask_all_ways(host)) == HEALTHY
    assert host.dovecot.complaints() == []


@pytest.mark.parametrize("troubles", TROUBLES, ids=", ".join)
def test_trouble_is_a_temporary_failure_for_everybody_and_ends_with_it(hosts, troubles):
    """Fault: one at each of three stores. Reply: [UNAVAILABLE], 451, 454, 75; never a refused
    login, never an unknown user. Deadline: 5 s; submission has Postfix's, 10 s. Recovery: the
    first login is answered within 1 s; after a wrong password within 2.5 s, the pause between
    two tries."""
    broken = [hosts(name) for name in ("mariadb", "mariadb-2", "sqlite")]
    with concurrent.futures.ThreadPoolExecutor(len(broken)) as pool:
        list(pool.map(assert_trouble_is_temporary, broken, troubles))


@pytest.mark.parametrize("trouble", HARMLESS)
def test_what_a_server_may_do_is_not_noticed(hosts, trouble):
    """Fault: the server takes no writes, or closes what was idle for a second. Reply: the right
    one. Deadline: 5 s. Recovery: none needed."""
    host = hosts("mariadb")
    with host.store.trouble(trouble):
        for _ in range(2):
            replies = ask_all_ways(host)
            assert beginning(replies) == HEALTHY and late(replies) == {}
            if trouble == "impatient server":
                assert host.store.connections() > 0
                wait_until(lambda: host.store.connections() == 0, "idle connections closed")


def test_restart_of_the_database_is_never_a_wrong_password(hosts):
    """Fault: the database restarts three times, during submission logins. Reply: 235 or 454.
    Deadline: Postfix's 10 s. Recovery: within 1 s after it answers a ping."""
    host = hosts("mariadb")
    replies, done = [], threading.Event()

    def log_in():
        while not done.is_set():
            reply, seconds = timed(host.submission)
            replies.append((time.monotonic(), reply, seconds))

    clients = [threading.Thread(target=log_in) for _ in range(4)]
    for client in clients:
        client.start()
    for _ in range(3):
        host.store.server.stop()
        time.sleep(0.5)
        host.store.server.start()
        back = time.monotonic()
        time.sleep(1.1)
        assert any(back < when < back + 1 and reply.startswith("235")
                   for when, reply, _ in replies)
    done.set()
    for client in clients:
        client.join()
    assert {reply[:3] for _, reply, _ in replies} <= {"235", "454"}
    assert max(seconds for _, _, seconds in replies) < 11
    assert sum(reply.startswith("235") for _, reply, _ in replies) > len(replies) / 2


def test_reload_is_never_a_wrong_password(hosts):
    """Fault: the old auth process ends while submission logins wait for a database that hangs.
    Reply: 454. Deadline: Postfix's 10 s. Recovery: the first login is answered within 1 s."""
    host = hosts("mariadb")
    with host.store.trouble("server hung"), concurrent.futures.ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(host.submission) for _ in range(4)]
        time.sleep(0.3)     # they have reached the auth process
        host.dovecot.reload()
        replies = [future.result() for future in futures]
    assert {reply[:3] for reply in replies} == {"454"}
    assert_logs_in_within_a_second(host.dovecot, host.user)
    assert host.dovecot.complaints() == []


@pytest.mark.parametrize("verb", ["USER", "PASS"])
@pytest.mark.parametrize("found", [True, False])
def test_asker_that_goes_away_harms_nobody(lab, make_dovecot, verb, found):
    """Fault: a service, or doveadm, is killed while its lookup waits for the database, which comes
    back in time or not. Reply: none. Recovery: none is needed, auth lives on."""
    store = MariaStore(lab, name=f"gone-{verb}-{found}")
    dovecot = make_dovecot(store, options={"deadline": "2s"})
    user = store.add("user")
    pid = wait_until(dovecot.auth_pid, "auth runs")
    with store.trouble("locked table"):
        with dovecot.master_client() as client:
            client.start([(verb, user, "lmtp")])
            time.sleep(0.3)     # it waits for the database
        time.sleep(0.5 if found else 2.5)
    assert dovecot.user(user)["user"] == user
    assert dovecot.auth_pid() == pid
    assert dovecot.complaints() == []


def test_auth_that_is_killed_is_a_temporary_failure_to_postfix(hosts):
    """Fault: kill -9 of the auth process, or it ends for want of memory, while logins wait for the
    database. Reply: 454, from Postfix. IMAP clients get [AUTHENTICATIONFAILED] (2.4:
    [UNAVAILABLE]) and lose their connection: so says Dovecot's imap-login of an auth process that is gone, whatever the
    passdb. Deadline: none, all are told at once. Recovery: within 1 s, without a reload."""
    host = hosts("mariadb")
    waiting = [host.submission, lambda: host.dovecot.imap().enter(host.user, "secret")] * 4
    with concurrent.futures.ThreadPoolExecutor(len(waiting)) as pool:
        with host.store.trouble("locked table"):
            futures = [pool.submit(timed, way) for way in waiting]
            time.sleep(0.5)     # they have reached the auth process
            os.kill(host.dovecot.auth_pid(), signal.SIGKILL)
            replies = [future.result() for future in futures]
    assert {reply[:3] for reply, _ in replies[::2]} == {"454"}
    assert {reply.split()[0] for reply, _ in replies[1::2]} == {
        host.dovecot.language.dead_auth}
    assert max(seconds for _, seconds in replies) < 2
    for way, right in zip(waiting[:2], ("235", "OK")):
        reply, seconds = timed(way)
        assert reply.startswith(right) and seconds < 1
    (complaint,) = host.dovecot.complaints()
    assert "service(auth)" in complaint and "killed with signal 9" in complaint
    host.dovecot.log_path.write_text("")


def test_killed_database_in_the_middle_of_lookups_ends_no_process(lab, make_dovecot):
    """Fault: kill -9 of the database while logins and lookups wait for a table, three times.
    Reply: the right one. Deadline: 5 s. Recovery: within it, all are asked again."""
    store = MariaStore(lab, name="killed")
    user = store.add("user")
    dovecot = make_dovecot(store)
    assert dovecot.login(user, "secret") == "ok"
    before = dovecot.auth_pid()
    with dovecot.auth_client() as client, dovecot.userdb_client() as userdb:
        for _ in range(3):
            with store.server.session() as session:
                session.execute("LOCK TABLES mailboxes WRITE, domains WRITE")
                logins = client.start([(user, "secret", "imap")] * 8)
                lookups = userdb.start([("USER", f"someone{next(_numbers)}@example.test", "lmtp")] * 8)
                wait_until(lambda: store.connections() > 0, "a lookup that waits for the table")
                store.server.kill()
            store.server.start()
            # they were asked again within their deadline
            assert {verdict(reply) for reply in client.collect(logins).values()} == {"ok"}
            assert {reply.kind for reply in userdb.collect(lookups).values()} == {"NOTFOUND"}
    assert dovecot.auth_pid() == before


def test_cut_connection_is_not_noticed(lab, make_dovecot):
    """Fault: all idle connections are KILLed, ten times. Reply: the right one. Deadline: 5 s.
    Recovery: at once; nothing in the log."""
    store = MariaStore(lab, name="cut")
    user = store.add("user")
    dovecot = make_dovecot(store, sections={"cache": {"ttl": "0s"}})
    after = None
    for _ in range(10):
        assert dovecot.login(user, "secret") == "ok" and dovecot.user(user)
        after = len(dovecot.log())
        for number in store.server.connections("mum_dovecot"):
            store.server.sql(f"KILL {number}", check=False)
    assert dovecot.login(user, "secret") == "ok"
    assert not [line for line in dovecot.log()[:after] if "Error" in line or "Warning: mum" in line]


def test_wrong_answers_do_not_come_from_a_dovecot_started_without_database(lab, make_dovecot):
    """Fault: the database is down when Dovecot starts. Reply: temp_fail. Deadline: 1 s here.
    Recovery: the first login is answered within 1 s."""
    store = MariaStore(lab, name="late")
    user = store.add("user")
    with store.trouble("server down"):
        dovecot = make_dovecot(store, options={"deadline": "1s"})
        for ask in (lambda: dovecot.login(user, "secret"), lambda: dovecot.user(user)):
            reply, seconds = timed(ask)
            assert reply == "temp_fail" and seconds < 2
    assert_logs_in_within_a_second(dovecot, user)


def test_sqlite_file_that_comes_late_is_found(lab, make_dovecot):
    """Fault: the file is not there when Dovecot starts. Reply: temp_fail. Deadline: 1 s here.
    Recovery: the first login is answered within 1 s."""
    store = SqliteStore(lab, name="late-file")
    user = store.add("user")
    away = store.path.with_suffix(".away")
    store.path.rename(away)
    dovecot = make_dovecot(store, options={"deadline": "1s"})
    reply, seconds = timed(dovecot.login, user, "secret")
    assert reply == "temp_fail" and seconds < 2
    assert not store.path.exists()
    away.rename(store.path)
    assert_logs_in_within_a_second(dovecot, user)


@pytest.mark.parametrize("trouble", ["server hung", "locked table"])
def test_logins_are_answered_by_their_deadline(lab, make_dovecot, trouble):
    """Fault: the server is stopped, or waits for a table until its own limit, which is the
    deadline, too. Reply: temp_fail. Deadline: 2 s here, 4 s for submission; Dovecot keeps failures
    for half a second. Recovery: within 1 s."""
    store = MariaStore(lab, name=f"deadline-{trouble.replace(' ', '-')}")
    user = store.add("user")
    dovecot = make_dovecot(store, options={"deadline": "2s", "smtp_deadline": "4s"})
    assert dovecot.login(user, "secret") == "ok"
    with store.trouble(trouble), dovecot.auth_client() as client:
        for services in (["imap"], ["imap", "smtp"] * 20):
            replies = client.ask_all([(user, "secret", service) for service in services])
            assert all(verdict(reply) == "temp_fail" for reply in replies)
            assert all(1.9 < reply.seconds < 3 for reply in replies[::2])
            assert all(3.9 < reply.seconds < 5 for reply in replies[1::2])
    assert_logs_in_within_a_second(dovecot, user)


def storm(dovecot, users):
    """60 logins at once, a third of them Postfix's: the replies."""
    with dovecot.auth_client(timeout=30) as client:
        return client.ask_all([(user, password, service) for user in users
                               for password in ("secret", "wrong")
                               for service in ("imap", "pop3", "smtp")])


@pytest.mark.parametrize("trouble, first", [("server down", "list"), ("server down", "storm"),
                                            ("server hung", "both")])
def test_start_without_a_database_is_a_temporary_failure(lab, make_dovecot, trouble, first):
    """Fault: the database is away while auth and its first workers start: one for doveadm, which
    lists all users, and 60 clients log in. Reply: 75; a temporary failure to each. Deadline: as
    set here. Recovery: the first login is answered within 1 s, by the same auth process."""
    store = MariaStore(lab, name=f"cold-{trouble.replace(' ', '-')}-{first}")
    users = [store.add(f"user{n}") for n in range(10)]
    with store.trouble(trouble), concurrent.futures.ThreadPoolExecutor(2) as pool:
        dovecot = make_dovecot(store, options={"deadline": "2s", "smtp_deadline": "4s"})
        asked = {"list": lambda: timed(dovecot.doveadm, "user", "*"),
                 "storm": lambda: storm(dovecot, users)}
        futures = {}
        for name in sorted(asked, key=lambda name: name != first):
            futures[name] = pool.submit(asked[name])
            if first != "both":
                futures[name].result()
        (listed, seconds), replies = futures["list"].result(), futures["storm"].result()
        auth = dovecot.auth_pid()
    assert (listed.returncode, listed.stdout) == (75, "") and seconds < 7
    assert [verdict(reply) for reply in replies] == ["temp_fail"] * 60
    assert max(reply.seconds for reply in replies) < 7
    assert_logs_in_within_a_second(dovecot, users[0])
    assert sorted(dovecot.doveadm("user", "*", check=True).stdout.split()) == users
    assert dovecot.auth_pid() == auth and dovecot.complaints() == []


# The lab's dovecot.conf switches it off, in 2.4 also by auth_failure_delay = 0.
PENALTY = """
auth_failure_delay = 1 s
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0600
  }
}
"""


def test_an_outage_makes_nobody_wait_afterwards(lab, make_dovecot):
    """Fault: twelve logins from one address, as of a webmail, while a table is missing. Reply:
    [UNAVAILABLE]. Deadline: 5 s. Recovery: the right login is answered within 1 s, although
    Dovecot lets an address wait 4 s to 15 s whose logins were refused."""
    store = MariaStore(lab, name="penalty")
    user = store.add("user")
    dovecot = make_dovecot(store, settings=PENALTY)

    def log_in(password):
        return timed(dovecot.imap().enter, user, password)

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        with store.trouble("renamed table"):
            replies = list(pool.map(log_in, [f"password {n}" for n in range(12)]))
            replies.append(log_in("secret"))
    assert {reply[:13] for reply, _ in replies} == {"[UNAVAILABLE]"}
    assert max(seconds for _, seconds in replies) < 6
    reply, seconds = log_in("secret")
    assert reply == "OK" and seconds < 1
    assert log_in("wrong")[0].startswith("[AUTHENTICATIONFAILED]")
    reply, seconds = log_in("secret")
    assert reply == "OK" and seconds > 3.5


# ---- the life of auth ----

@pytest.mark.parametrize("how", ["terminate", "reload", "interrupt auth"])
def test_end_with_lookups_pending_is_clean(lab, make_dovecot, how):
    store = MariaStore(lab, name=f"end-{how.replace(' ', '-')}")
    user = store.add("user")
    slow = store.add("slow", password=hashes.bcrypt(cost=12))
    dovecot = make_dovecot(store)
    assert dovecot.login(user, "secret") == "ok"
    with dovecot.auth_client() as client, dovecot.userdb_client() as userdb, \
            store.server.session() as session:
        client.start([(slow, "secret", "imap")] * 4 + [("nobody@example.test", "x", "imap")] * 2)
        time.sleep(0.1)
        session.execute("LOCK TABLES mailboxes WRITE, domains WRITE")
        client.start([(user, "secret", service) for service in ("imap", "smtp") for _ in range(5)])
        userdb.start([("USER", f"a{n}@example.test", "lmtp") for n in range(5)])
        time.sleep(0.2)
        if how == "terminate":
            assert dovecot.terminate() == 0
        elif how == "reload":
            dovecot.reload()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(dovecot.auth_pid(), signal.SIGINT)
    if how != "terminate":
        wait_until(lambda: can_log_in(dovecot, user), "logins again")
        assert dovecot.user(user)
        assert dovecot.terminate() == 0
    assert dovecot.complaints() == []


def test_end_while_logins_are_held_for_smtp_is_clean(lab, make_dovecot):
    store = MariaStore(lab, name="held")
    user = store.add("user")
    dovecot = make_dovecot(store)
    with store.trouble("server down"), dovecot.auth_client() as client:
        client.start([(user, "secret", "smtp")] * 5)
        time.sleep(0.5)
        assert dovecot.terminate() == 0
    assert dovecot.complaints() == []


@pytest.mark.parametrize("waiting_for", ["database", "worker"])
def test_end_of_auth_is_no_failed_login_to_postfix(lab, make_dovecot, waiting_for):
    """Postfix gets no reply but sees the connection close, which it takes for a temporary
    failure.
    """
    store = MariaStore(lab, name=f"hang-up-{waiting_for}")
    slow = store.add("slow", password=hashes.bcrypt(cost=14))
    dovecot = make_dovecot(store)
    hung = store.trouble("server hung" if waiting_for == "database" else "nothing")
    with hung, dovecot.auth_client() as postfix, dovecot.auth_client() as others, \
            dovecot.master_client() as admin:
        started = others.start([(slow, "secret", "imap")])
        postfix.start([(slow, "secret", "smtp")])
        admin.start([("PASS", slow, "smtp")])
        time.sleep(0.3)
        os.kill(dovecot.auth_pid(), signal.SIGTERM)
        assert postfix.read_to_end() == b""
        assert {verdict(reply) for reply in others.collect(started).values()} == {"temp_fail"}
    assert dovecot.terminate() == 0
    assert dovecot.complaints() == []


def test_end_while_listing_is_clean(lab, make_dovecot):
    store = MariaStore(lab, name="end-list")
    store.server.sql("INSERT INTO mailboxes (id, local_part, domain_id, password, homedir, maildir) "
                     "SELECT seq, CONCAT('user', seq), 1, 'x', CONCAT('/srv/', seq), "
                     "CONCAT('maildir:/srv/', seq) FROM seq_1_to_20000", database="mum")
    dovecot = make_dovecot(store)
    with dovecot.userdb_client() as client:
        listing = client.listing()
        for _ in range(10):
            next(listing)
        assert dovecot.terminate() == 0
    assert dovecot.complaints() == []


def test_reloads_during_logins_refuse_nobody(store, make_dovecot):
    user = store.add(f"reload{next(_numbers)}")
    dovecot = make_dovecot(store)
    verdicts, done = [], threading.Event()

    def log_in():
        while not done.is_set():
            try:
                verdicts.append(dovecot.login(user, "secret"))
            except OSError:         # the old auth process is gone: clients connect again
                pass

    clients = [threading.Thread(target=log_in) for _ in range(3)]
    for client in clients:
        client.start()
    for _ in range(5):
        dovecot.reload()
        enough = verdicts.count("ok") + 5
        wait_until(lambda count=enough: verdicts.count("ok") >= count, "logins after a reload", 20)
    done.set()
    for client in clients:
        client.join()
    assert set(verdicts) <= {"ok", "temp_fail"}
    assert dovecot.terminate() == 0
    assert dovecot.complaints() == [], "\n".join(dovecot.log()[-60:])


def test_new_mum_conf_counts_after_a_reload(store, make_dovecot):
    user = store.add(f"conf{next(_numbers)}", send_only=1)
    dovecot = make_dovecot(store)
    assert dovecot.login(user, "secret", "imap") == "user_disabled"
    dovecot.write_mum(store.settings, options={"send_only_refuse": []})
    dovecot.wait_ended(dovecot.reload())
    assert dovecot.login(user, "secret", "imap") == "ok"


def test_bad_mum_conf_names_its_faults_in_the_log(store, make_dovecot):
    dovecot = make_dovecot(store, start=False)
    dovecot.mum_conf.write_text("dovecot {\n    verify = \"sometimes\"\n    colour = \"red\"\n}\n")
    dovecot.start()
    try:
        dovecot.auth_client(timeout=1)
    except OSError:
        pass
    dovecot.wait_log("mum.conf:2")
    dovecot.wait_log("mum.conf:3")
    dovecot.stop()
    dovecot.log_path.write_text("")     # auth ends with Fatal, as it should


def test_password_file_may_be_roots_alone(store, dovecot):
    path = dovecot.directory / "dovecot.password"
    assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (0, 0o600)
    assert dovecot.login(store.add(f"root{next(_numbers)}"), "secret") == "ok"


def test_secrets_stay_out_of_the_log(store, make_dovecot):
    dovecot = make_dovecot(store, settings="auth_debug = yes\n")
    password = hashes.sha512("hunter-two")
    user = store.add(f"debug{next(_numbers)}", password=password)
    assert dovecot.login(user, "hunter-two") == "ok"
    assert dovecot.login(user, "hunter-three") == "refused"
    log = "\n".join(dovecot.log())
    for secret in (password, password.rpartition("$")[2], "hunter", "dovecot-secret-canary"):
        assert secret not in log
