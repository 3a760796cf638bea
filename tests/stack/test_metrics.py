# SPDX-License-Identifier: MIT
"""/metrics, /healthz and /readyz of a real mumd: numbers that move as they must, failure
and recovery, reloads, and hostile clients.
"""

import contextlib
import os
import signal
import stat
import threading
import time

import pytest

from lab import MariaDB, Mumd, netstring, sample, wait_until
from lab import metrics
from lab.clients import Client
from lab.lab import accepts, run
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import mariadb_settings, sqlite_settings

ALICE = ("mailboxes", "alice@example.test")
LISTEN = {"listen": Mumd.METRICS}
NO_CACHE = {"ttl": "0s", "stale": "0s"}
REQUESTS, DECISIONS = "mumd_requests_total", "mumd_policy_decisions_total"
DURATION = "mumd_question_duration_seconds"


@pytest.fixture(scope="module")
def database(lab):
    """A MariaDB that these tests may stop and lock. Each test must leave it running."""
    return MariaDB(lab, "db-metrics").start().load_mum(sample.mariadb_text())


@pytest.fixture
def mumd(make_mumd, database, sqlite):
    # A reload may take the path that the first file named.
    return make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD, path=sqlite),
                      "metrics": LISTEN})


def host_of(database):
    return f"unix:{database.socket}"


# ---- numbers ----

@pytest.mark.parametrize("table, key, result", [
    ("mailboxes", "alice@example.test", "found"),
    ("mailboxes", "nobody@example.test", "not_found"),
    ("mailboxes", "", "not_found"),
    ("domains", "example.test", "found"),
    ("aliases", "info@example.test", "found"),
    ("aliases", "shop@example.test", "not_found"),
    ("sender-login-maps", "alice@example.test", "found"),
    ("recipient-access", "sendonly@example.test", "found"),
    ("tls-policies", "nosuch.test", "not_found"),
])
def test_each_request_is_counted_once(mumd, table, key, result):
    before = mumd.page()
    mumd.lookup(table, key)
    after = mumd.page()
    changed = {labels for labels, number in after.samples.items()
               if labels[0] == REQUESTS and number != before.samples[labels]}
    assert changed == {(REQUESTS, (("map", table), ("result", result)))}
    assert after.sum(REQUESTS) == before.sum(REQUESTS) + 1


def test_a_map_that_does_not_exist_is_counted_without_its_name(mumd):
    mumd.lookup("nosuch", "key")
    page = mumd.page()
    assert page.sum(REQUESTS, map="unknown", result="no_such_map") == 1
    assert "nosuch" not in page.text


def test_a_value_that_postfix_must_not_be_handed_is_counted(mumd):
    key = next(f"{row[1]}@dirty.test" for row in sample.ALIASES if row[2] == 9)
    assert mumd.lookup("aliases", key).startswith(b"TEMP ")
    assert mumd.page().sum(REQUESTS, map="aliases", result="bad_value") == 1


SENDS = {"sender": "x@foreign.test", "sasl_username": "alice@example.test",
         "recipient": "bob@example.test"}
TO_SEND_ONLY = {"sender": "x@foreign.test", "recipient": "sendonly@example.test"}
TO_DEAD = {"sender": "x@foreign.test", "recipient": "shop@example.test"}


@pytest.mark.parametrize("policy, request_, want", [
    ({}, SENDS, [("recipient", "dunno", "none"), ("sender", "reject", "sender_not_owned")]),
    ({}, TO_SEND_ONLY, [("recipient", "reject", "send_only")]),
    ({}, TO_DEAD, [("recipient", "reject", "dead_alias")]),
    ({"recipient": "warn"}, TO_DEAD, [("recipient", "would_reject", "dead_alias")]),
    ({"recipient": "off"}, TO_DEAD, [("none", "dunno", "not_checked")]),
    ({"sender": "warn"}, SENDS,
     [("recipient", "dunno", "none"), ("sender", "would_reject", "sender_not_owned")]),
    ({"sender_unauthenticated": "reject"},
     {"sender": "alice@example.test", "recipient": "bob@example.test"},
     [("recipient", "dunno", "none"), ("sender", "reject", "not_logged_in")]),
    ({}, {**SENDS, "protocol_state": "DATA"}, [("none", "dunno", "not_checked")]),
])
def test_each_check_is_counted_with_its_action_and_reason(make_mumd, mariadb, policy, request_,
                                                          want):
    mumd = make_mumd({"database": mariadb_settings(mariadb, POSTFIX_PASSWORD),
                      "metrics": LISTEN, "policy": policy})
    mumd.decide(**request_)
    counted = [(labels["check"], labels["action"], labels["reason"])
               for labels, number in mumd.page().series(DECISIONS) if number == 1]
    assert sorted(counted) == sorted(want)
    assert mumd.page().sum(DECISIONS) == len(want)


def test_the_cache_and_the_time_that_questions_take(mumd, database):
    wait_until(lambda: mumd.page().sum("mumd_lookups_in_flight") == 0, "the first test is done")
    before = mumd.page()
    mumd.lookup("tls-policies", "null.test")
    mumd.lookup("tls-policies", "null.test")
    page = mumd.page()
    assert page.sum("mumd_cache_misses_total", question="tls") == 1
    assert page.sum("mumd_cache_hits_total", question="tls") == 1
    assert page.sum("mumd_cache_entries") == before.sum("mumd_cache_entries") + 1
    assert page.sum(f"{DURATION}_count", question="tls") == 1
    assert 0 < page.sum(f"{DURATION}_sum", question="tls") < 2
    with mumd.map_client() as client, mumd.map_client() as other:
        with database.locked("tls_policies"):
            for one in (client, other):
                one.send(netstring(b"tls-policies plain.test"))
            wait_until(lambda: mumd.page().sum("mumd_lookups_in_flight") == 2, "both wait")
            time.sleep(0.3)
        assert client.reply() and other.reply()
    page = mumd.page()
    assert page.sum(f"{DURATION}_count", question="tls") == 3
    assert page.sum(f"{DURATION}_bucket", question="tls", le="0.25") == 1
    assert page.sum(f"{DURATION}_bucket", question="tls", le="+Inf") == 3
    assert page.sum("mumd_questions_joined_total", question="tls") == 1
    assert page.sum("mumd_lookups_in_flight") == 0


def test_connections_and_clients(mumd, database):
    mumd.lookup(*ALICE)
    page = mumd.page()
    host = host_of(database)
    assert page.sum("mumd_database_up") == 1
    assert page.sum("mumd_database_connections", host=host, state="idle") >= 1
    assert page.sum("mumd_database_connections", host=host, state="busy") == 0
    assert page.sum("mumd_database_connects_total", host=host) >= 1
    clients, accepted = page.sum("mumd_clients"), page.sum("mumd_clients_accepted_total")
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(mumd.map_client()).ask(*ALICE)
            stack.enter_context(mumd.policy_client()).ask()
        page = mumd.page()
        assert page.sum("mumd_clients") == clients + 10
        assert page.sum("mumd_clients_accepted_total") == accepted + 10
        with database.locked("domains"):
            stack.enter_context(mumd.map_client()).send(netstring(b"domains nosuch.test"))
            wait_until(lambda: mumd.page().sum("mumd_database_connections", host=host,
                                               state="busy") == 1, "a busy one")
    wait_until(lambda: mumd.page().sum("mumd_clients") == clients, "they leave")


def test_clients_that_mumd_closes(make_mumd, mariadb):
    mumd = make_mumd({"database": mariadb_settings(mariadb, POSTFIX_PASSWORD),
                      "metrics": LISTEN, "process": {"max_clients": 3}})
    # who looked whether mumd is there
    wait_until(lambda: mumd.page().sum("mumd_clients") == 0, "nobody")
    closed = mumd.page().sum("mumd_clients_closed_total", reason="idle")
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(mumd.map_client()).ask(*ALICE)
        with mumd.map_client() as client:
            client.send(b"nonsense,")
            client.read_to_end()
        page = mumd.page()
    assert page.sum("mumd_clients_max") == 3
    assert page.sum("mumd_clients_closed_total", reason="idle") == closed + 3
    assert page.sum("mumd_clients_closed_total", reason="bad_request") == 1


def test_the_process(mumd):
    page = mumd.page()
    assert page.sum("process_open_fds") == pytest.approx(
        len(os.listdir(f"/proc/{mumd.process.pid}/fd")), abs=3)
    assert page.sum("process_resident_memory_bytes") == pytest.approx(mumd.rss(), rel=0.2)
    assert page.sum("process_cpu_seconds_total") > 0
    assert abs(page.sum("process_start_time_seconds") - time.time()) < 60
    assert page.series("mumd_build_info")[0][1] == 1


def test_promtool_finds_nothing_to_complain_of(mumd):
    mumd.lookup(*ALICE)
    mumd.decide(**SENDS)
    result = run("promtool", "check", "metrics", input=mumd.page().text, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_no_address_is_on_the_page(mumd):
    mumd.lookup(*ALICE)
    mumd.decide(**SENDS)
    text = mumd.page().text
    for word in ("alice", "foreign.test", "example.test", POSTFIX_PASSWORD, "mum_postfix"):
        assert word not in text


def test_a_hostile_host_name_does_not_break_the_page(make_mumd, mariadb):
    names = ['evil"} 1', "back\\slash", "line\tbreak 7", "bücher.test", 'evil"} 1']
    database = mariadb_settings(mariadb, POSTFIX_PASSWORD)
    database["hosts"] += names
    mumd = make_mumd({"database": database, "metrics": LISTEN})
    page = mumd.page()
    hosts = {labels["host"] for labels, _ in page.series("mumd_database_connects_total")}
    assert hosts == {host_of(mariadb), 'evil"} 1', "back\\slash", "line?break 7", "bücher.test"}
    result = run("promtool", "check", "metrics", input=page.text, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


# ---- trouble and recovery ----

def ready(mumd):
    status, _, text = mumd.http("/readyz")
    return status, text.strip()


@pytest.mark.parametrize("check", ["recipient", "sender"])
def test_check_that_warns_takes_mail_without_the_database(make_mumd, check):
    mumd = make_mumd({"database": {"hosts": ["unix:/nonexistent/mysqld.sock"],
                                   "deadline": "200ms"},
                      "metrics": LISTEN, "policy": {check: "warn"}})
    assert mumd.decide(policy_context=check, sender="a@example.test",
                       recipient="b@example.test", sasl_username="c@example.test") == "DUNNO"
    assert mumd.page().sum(DECISIONS, check=check, action="would_defer", reason="no_answer") == 1


def test_trouble_and_recovery_are_seen(make_mumd, database):
    mumd = make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD, deadline="500ms"),
                      "metrics": LISTEN, "cache": NO_CACHE})
    wait_until(lambda: ready(mumd) == (200, "ready"), "ready")
    database.stop()
    try:
        assert mumd.lookup(*ALICE).startswith(b"TEMP ")
        mumd.decide(**TO_DEAD)
        status, text = wait_until(lambda: ready(mumd) if ready(mumd)[0] == 503 else None,
                                  "not ready")
        assert text.startswith("not ready: the database does not answer: ") and "\n" not in text
        assert mumd.http("/healthz")[0] == 200
        page = mumd.page()
        assert page.sum("mumd_database_up") == 0
        assert page.sum(REQUESTS, map="mailboxes", result="tempfail") == 1
        assert page.sum(DECISIONS, check="recipient", action="defer", reason="no_answer") == 1
        assert page.sum("mumd_database_errors_total", **{"class": "lost"}) > 0
        assert page.sum("mumd_lookup_timeouts_total") >= 2
        assert page.sum(f"{DURATION}_bucket", question="delivery", le="0.25") == 0
        assert page.sum(f"{DURATION}_count", question="delivery") == 2
        assert page.sum("mumd_database_connections", state="idle") == 0
    finally:
        database.start()
    wait_until(lambda: ready(mumd) == (200, "ready"), "ready again")
    assert mumd.lookup(*ALICE) == b"OK 1"
    page = mumd.page()
    assert page.sum("mumd_database_up") == 1
    assert page.sum(REQUESTS, map="mailboxes", result="tempfail") == 1


def test_a_missing_right_is_misconfigured(make_mumd, database):
    mumd = make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD),
                      "metrics": LISTEN, "cache": NO_CACHE})
    database.sql("RENAME TABLE mum.tls_policies TO mum.tls_elsewhere")
    try:
        assert mumd.lookup("tls-policies", "null.test").startswith(b"TEMP ")
    finally:
        database.sql("RENAME TABLE mum.tls_elsewhere TO mum.tls_policies")
    page = mumd.page()
    assert page.sum(REQUESTS, map="tls-policies", result="misconfigured") == 1
    assert page.sum("mumd_database_errors_total", **{"class": "misconfigured"}) == 1


def test_ready_while_the_cache_stands_in_and_not_afterwards(make_mumd, database):
    mumd = make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD, deadline="200ms"),
                      "metrics": LISTEN, "cache": {"ttl": "100ms", "stale": "3s"}})
    assert mumd.lookup(*ALICE) == b"OK 1"
    database.stop()
    try:
        time.sleep(0.2)
        assert mumd.lookup(*ALICE) == b"OK 1"
        status, text = wait_until(lambda: ready(mumd) if ready(mumd)[1] != "ready" else None,
                                  "it is known")
        assert status == 200 and "from the cache" in text
        assert mumd.page().sum("mumd_stale_answers_total") >= 1
        wait_until(lambda: ready(mumd)[0] == 503, "the cache is too old", timeout=15)
        assert mumd.lookup(*ALICE).startswith(b"TEMP ")
    finally:
        database.start()
    wait_until(lambda: ready(mumd) == (200, "ready"), "ready again")


def test_a_database_that_is_down_from_the_start_is_not_ready(make_mumd, lab):
    mumd = make_mumd({"database": sqlite_settings(lab.path / "nosuch.sqlite", deadline="200ms"),
                      "metrics": LISTEN})
    assert ready(mumd)[0] == 503
    assert mumd.http("/healthz")[0] == 200
    assert mumd.page().sum("mumd_database_up") == 0


def test_readers_of_readyz_are_no_load_for_the_database(mumd, database):
    wait_until(lambda: ready(mumd)[0] == 200, "ready")

    def questions():
        return int(database.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")[0][1])
    before, start = questions(), time.monotonic()
    for _ in range(50):
        assert ready(mumd)[0] == 200
    assert questions() - before <= 2 + (time.monotonic() - start)


def test_not_ready_while_stopping(mumd, database):
    with mumd.map_client() as client:
        with database.locked("mailboxes", "domains"):
            client.send(netstring(b"mailboxes alice@example.test"))
            wait_until(client.is_read, "the request arrives")
            mumd.terminate()
            wait_until(lambda: not accepts(mumd.socketmap), "no new clients")
            assert ready(mumd) == (503, "not ready: stopping")
            assert mumd.http("/healthz")[0] == 200
        assert client.reply() == b"OK 1"
    assert mumd.process.wait() == 0


# ---- reload ----

def assert_grown(before, after):
    for key, number in before.totals().items():
        assert after.samples.get(key, -1) >= number, key


def test_totals_survive_a_reload(mumd, database, sqlite):
    for key in ("alice@example.test", "bob@example.test", "nobody@example.test"):
        mumd.lookup("mailboxes", key)
        mumd.lookup("mailboxes", key)
    mumd.decide(**SENDS)
    pages = [mumd.page()]
    with mumd.map_client() as client, database.locked("mailboxes", "domains"):
        # The old core must live on to answer this one.
        client.send(netstring(b"mailboxes carol@second.test"))
        wait_until(lambda: mumd.page().sum("mumd_lookups_in_flight") == 1, "it waits")
        mumd.write({"database": sqlite_settings(sqlite), "metrics": LISTEN,
                    "process": {"max_clients": 77}})
        mumd.reload()
        wait_until(lambda: mumd.page().sum("mumd_reloads_total", result="success") == 1, "done")
        pages.append(mumd.page())
        assert pages[-1].sum("mumd_lookups_in_flight") == 1
        assert pages[-1].sum("mumd_database_connections", host=host_of(database)) > 0
    wait_until(lambda: mumd.page().sum("mumd_database_connections", host=host_of(database)) == 0,
               "the old core goes")
    pages.append(mumd.page())
    mumd.lookup(*ALICE)
    pages.append(mumd.page())
    for before, after in zip(pages, pages[1:]):
        assert_grown(before, after)
    assert pages[-1].sum("mumd_clients_max") == 77
    assert pages[-1].sum("mumd_database_connects_total", host=str(sqlite)) == 1
    assert pages[-1].sum("mumd_cache_hits_total", question="delivery") >= 3


def test_totals_survive_reload_after_reload(mumd):
    before = mumd.page()
    for n in range(20):
        mumd.lookup("mailboxes", f"alice+{n}@example.test")
        mumd.reload()
        wait_until(lambda n=n: mumd.page().sum("mumd_reloads_total", result="success") == n + 1,
                   "the reload")
        after = mumd.page()
        assert_grown(before, after)
        before = after
    assert before.sum(REQUESTS, map="mailboxes", result="found") == 20
    assert before.sum("mumd_cache_misses_total", question="delivery") == 20


def test_a_reload_that_fails_is_seen_until_one_succeeds(make_mumd, database):
    mumd = make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD, deadline="300ms"),
                      "metrics": LISTEN})
    good = mumd.config.read_text()
    for text in ('database { driver = "oracle" }\n',                    # cannot be read
                 good.replace("mysqld.sock", "nosuch.sock")):           # reads no table
        failed = mumd.page().sum("mumd_reloads_total", result="failure")
        mumd.write_text(text)
        mumd.reload()
        wait_until(lambda n=failed: mumd.page().sum("mumd_reloads_total", result="failure") == n + 1,
                   "it fails")
        assert mumd.page().sum("mumd_last_reload_successful") == 0
    mumd.write_text(good)
    mumd.reload()
    wait_until(lambda: mumd.page().sum("mumd_last_reload_successful") == 1, "it succeeds")


def test_a_changed_listen_needs_a_restart_and_the_log_says_so(mumd, database):
    mumd.write({"database": mariadb_settings(database, POSTFIX_PASSWORD),
                "metrics": {"listen": ""}})
    mumd.reload()
    mumd.wait_log("a changed listen option needs a restart")
    assert mumd.page().sum("mumd_reloads_total", result="success") == 1


# ---- where it listens, and what it takes ----

def test_nobody_listens_by_default(make_mumd, mariadb):
    mumd = make_mumd({"database": mariadb_settings(mariadb, POSTFIX_PASSWORD)})
    assert mumd.lookup(*ALICE) == b"OK 1"
    with pytest.raises(OSError):
        mumd.http("/metrics")


def test_it_listens_on_a_unix_socket(make_mumd, mariadb, lab):
    mumd = make_mumd({"database": mariadb_settings(mariadb, POSTFIX_PASSWORD)}, start=False)
    path = mumd.sockets / "metrics"
    mumd.write({"database": mariadb_settings(mariadb, POSTFIX_PASSWORD),
                "metrics": {"listen": f"unix:{path}"}})
    mumd.start()
    assert metrics.fetch(path, "/healthz")[0] == 200
    assert metrics.fetch(path, "/readyz")[0] == 200
    metrics.Page(metrics.fetch(path, "/metrics")[2])
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    mumd.terminate()
    assert mumd.process.wait() == 0
    assert not path.exists()


def test_other_addresses_need_to_be_allowed(make_mumd, mariadb):
    everywhere = {"listen": "inet:0.0.0.0:METRICS_PORT"}
    settings = {"database": mariadb_settings(mariadb, POSTFIX_PASSWORD), "metrics": everywhere}
    mumd = make_mumd(settings, start=False)
    status, text = mumd.check()
    assert status == 78 and "metrics.allow_remote" in text
    mumd.write({**settings, "metrics": {**everywhere, "allow_remote": "true"}})
    assert mumd.start().http("/healthz")[0] == 200


def test_a_port_that_is_taken_is_an_error(make_mumd, mumd, mariadb):
    other = make_mumd({"database": mariadb_settings(mariadb, POSTFIX_PASSWORD),
                       "metrics": {"listen": f"inet:127.0.0.1:{mumd.metrics_port}"}}, start=False)
    assert other.launch().wait() == 78
    assert any("listen: " in line and str(mumd.metrics_port) in line for line in other.log())


def test_get_and_head(mumd):
    status, headers, text = mumd.http("/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert int(headers["Content-Length"]) == len(text.encode())
    with Client(("127.0.0.1", mumd.metrics_port)) as client:
        client.send(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = client.read_to_end().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and body == b""
    assert mumd.http("/metrics?x=y")[0] == 200
    assert mumd.http("/")[0] == 404
    assert mumd.http("/metrics/")[0] == 404


BAD_REQUESTS = {
    "another method": (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                       b"HTTP/1.1 501"),
    "one without a body": (b"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 501"),
    "a body": (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
               b"HTTP/1.1 413"),
    "a huge body": (b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                    b"HTTP/1"),
    "a long line": (b"GET /" + b"x" * 10000 + b" HTTP/1.1\r\n\r\n", b"HTTP/1"),
    "a long header": (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 10000 + b"\r\n\r\n", b"HTTP/1"),
    "many headers": (b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 3000, b"HTTP/1"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00" + b"\0" * 500 + b"\r\n\r\n", b""),
    "nonsense": (b"nonsense\r\n\r\n", b""),
}


@pytest.mark.parametrize("request_, first", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_what_is_no_good_request_gets_no_page(mumd, request_, first):
    with Client(("127.0.0.1", mumd.metrics_port), timeout=15) as client:
        with contextlib.suppress(ConnectionError):
            client.send(request_)
        answer = client.read_to_end()
    assert b"mumd_" not in answer and not answer.startswith(b"HTTP/1.1 200")
    assert answer.startswith(first) or answer == b""
    assert mumd.http("/healthz")[0] == 200


def descriptors(mumd):
    return len(os.listdir(f"/proc/{mumd.process.pid}/fd"))


def answer_times(mumd, seconds):
    times, end = [], time.monotonic() + seconds
    with mumd.map_client() as client:
        while time.monotonic() < end:
            start = time.monotonic()
            assert client.ask(*ALICE) == b"OK 1"
            times.append(time.monotonic() - start)
            time.sleep(0.002)
    return sorted(times)


def test_a_crowd_of_slow_clients_is_bounded_and_delays_nobody(mumd):
    """200 connections, some idle, some very slow: few get in, and none stays for long."""
    address = ("127.0.0.1", mumd.metrics_port)
    before = descriptors(mumd)
    mumd.lookup(*ALICE)
    start, most, stop = time.monotonic(), 0, threading.Event()

    def trickle(clients):
        while not stop.wait(0.4):
            for client in clients:
                with contextlib.suppress(OSError):
                    client.send(b"x")

    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(Client(address)) for _ in range(200)]
        for client in crowd[:100]:
            client.send(b"GET /met")
        thread = threading.Thread(target=trickle, args=(crowd[:100],))
        thread.start()
        try:
            times = answer_times(mumd, 2)
            most = descriptors(mumd)
            # Each batch of the crowd gets its ten seconds at most.
            wait_until(lambda: crowd_has_lost(crowd, 32), "the first are closed", timeout=14)
            took = time.monotonic() - start
        finally:
            stop.set()
            thread.join()
    assert most <= before + 32 + 8
    assert times[len(times) * 99 // 100] < 0.05
    assert took > 2
    assert mumd.page().sum(REQUESTS, map="mailboxes", result="found") > 100
    wait_until(lambda: descriptors(mumd) <= before + 4, "nothing is left", timeout=15)


def crowd_has_lost(crowd, count):
    lost = 0
    for client in crowd:
        client.settimeout(0.001)
        try:
            client.read_exactly(1)
        except ConnectionError:
            lost += 1
        except OSError:
            pass
    return lost >= count


def test_a_client_that_reads_nothing_is_closed(mumd):
    before = descriptors(mumd)
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(Client(("127.0.0.1", mumd.metrics_port)))
            client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        wait_until(lambda: descriptors(mumd) <= before + 2, "closed", timeout=15)
    assert mumd.http("/healthz")[0] == 200


@pytest.mark.memory
def test_it_leaves_nothing_behind(mumd):
    for _ in range(300):
        mumd.http("/metrics")
        mumd.http("/readyz")
    size, fds = mumd.rss(), descriptors(mumd)
    for _ in range(1000):
        mumd.http("/metrics")
        mumd.http("/readyz")
    assert mumd.rss() - size < 1 << 20
    assert descriptors(mumd) <= fds + 2


def test_it_ends_cleanly_with_clients_at_the_pages(make_mumd, database):
    mumd = make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD, deadline="1s"),
                      "metrics": LISTEN, "cache": NO_CACHE})
    mumd.lookup(*ALICE)
    with contextlib.ExitStack() as stack:
        stack.enter_context(database.paused())
        for request_ in (b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /rea", b""):
            for n in range(3):
                client = stack.enter_context(Client(("127.0.0.1", mumd.metrics_port)))
                client.send(request_)
                if n == 2:
                    client.close()
        time.sleep(0.3)
        mumd.process.signal(signal.SIGTERM)
        assert mumd.process.wait(5) == 0
