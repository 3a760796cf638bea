# SPDX-License-Identifier: MIT
"""MariaDB runs and does what it should not: it refuses, kills, restarts, or is read-only.

Each test says the fault, the reply that clients see, the deadline of an answer and how long
it takes until all is well again. Without a cache, so that each question is asked.
"""

import contextlib
import socket
import time

import pytest

from lab import wait_until
from lab.lab import in_own_mounts
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import mariadb_settings
from asker import ALICE, MIXED, NO_CACHE, MixedAsker, many_askers, timed


@pytest.fixture
def over(make_mumd, database):
    """over(**database): a mumd over that MariaDB."""
    def make(**more):
        return make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD, **more),
                          "cache": NO_CACHE})
    return make


def told(mumd, after=0):
    """What mumd has logged about its database."""
    return [line for line in mumd.log()[after:] if " database " in line or ": database" in line]


def status(database, name):
    return int(database.sql(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])


def test_a_read_only_replica_answers_as_any(over, database):
    """Fault: the server takes no writes; connections made before and after. Reply: the right
    one."""
    before = over()
    with database.variable("read_only", 1):
        for mumd in (before, over()):
            with MixedAsker(mumd, pause=0) as asker:
                wait_until(lambda: len(asker.answers) > 5 * len(MIXED), "answers")
            assert asker.failures() == []


def test_a_server_that_is_full_is_asked_over_the_connections_that_are_there(over, database):
    """Fault: max_connections is reached before we have all of ours, under load. Reply: the
    right one. Deadline: 2 s. One line in the log."""
    mumd = over(connections="4")
    assert mumd.lookup(*ALICE) == b"OK 1"
    held = len(database.connections())
    with database.full():
        with many_askers(mumd, 8, pause=0) as askers:
            wait_until(lambda: all(len(asker.answers) > 50 for asker in askers), "answers")
            assert len(database.connections()) == held < 4
        assert [asker.failures() for asker in askers] == [[]] * 8
        assert len(told(mumd)) == 1 and "(1040)" in told(mumd)[0]


def test_a_wrong_password_is_tried_slowly_and_told_once(over, database):
    """Fault: the password is another one for three seconds, under load. Reply: TEMP.
    Deadline: 500 ms here. The server sees at most one try in a second and a half, so that it
    does not shut us out (max_connect_errors); the log mentions the password once, even if a
    question lost its connection first. Recovery: within 2.5 s, the pause between two tries.
    """
    mumd = over(deadline="500ms")
    assert mumd.lookup(*ALICE) == b"OK 1"
    with many_askers(mumd, 4) as askers:
        database.sql("ALTER USER mum_postfix@localhost IDENTIFIED BY 'other'")
        database.disconnect("mum_postfix")
        with database.general_log() as path:
            time.sleep(3)
            tries = path.read_text(errors="replace").count("Access denied for user 'mum_postfix'")
        database.sql(f"ALTER USER mum_postfix@localhost IDENTIFIED BY '{POSTFIX_PASSWORD}'")
        back = time.monotonic()
        wait_until(lambda: all(asker.right_since(back) for asker in askers), "recovery")
        recovered = max(asker.right_since(back) for asker in askers) - back
    assert 1 <= tries <= 3
    assert recovered < 2.5
    assert all(asker.wrong() == [] and asker.slowest() < 1.5 for asker in askers)
    *start, end = told(mumd)
    assert ["(1045)" in line for line in start if "error: " in line] == [True]
    assert len(start) <= 2 and "answers again" in end


# ---- KILL ----

KILLS = 10000
SPARE = 100         # KILLs that may hit a connection a second time
KILLING = 240       # seconds that it may take; on an idle machine it takes 40

# Runs in the server, which is faster than a statement for each. Connections get time to
# answer their first question, as idle ones have: the server sees one asleep, too, while
# that question is on its way. Error 1094: the connection is already gone, and is not counted.
KILLER = """
DELIMITER //
BEGIN NOT ATOMIC
  DECLARE killed, passes, newest, grown BIGINT DEFAULT 0;
  DECLARE began TIMESTAMP(6) DEFAULT SYSDATE(6);
  DECLARE CONTINUE HANDLER FOR 1094 SET killed = killed - 1;
  WHILE killed < {kills} AND SYSDATE(6) < began + INTERVAL {seconds} SECOND DO
    IF passes MOD 3 = 0 THEN
      SET grown = newest;
      SELECT MAX(id) INTO newest FROM information_schema.processlist;
    END IF;
    FOR idle IN (SELECT id FROM information_schema.processlist
                 WHERE user = 'mum_postfix' AND command = 'Sleep' AND time_ms > 1
                       AND id <= grown) DO
      KILL CONNECTION idle.id;
      SET killed = killed + 1;
    END FOR;
    DO SLEEP(0.002);
    SET passes = passes + 1;
  END WHILE;
  SELECT killed;
END //
"""


@pytest.mark.many
def test_ten_thousand_killed_idle_connections_are_invisible(over, database):
    """Fault: connections are KILLed as soon as they have been idle for a millisecond, 10,000 of
    them as the server counts, while 24 clients ask. Reply: the right one, each time. Deadline:
    2 s. Recovery: at once."""
    with contextlib.ExitStack() as stack:
        askers = [asker for _ in range(4)
                  for asker in stack.enter_context(many_askers(over(connections="8"), 6, 0.01))]
        aborted = status(database, "Aborted_clients")
        database.sql(KILLER.format(kills=KILLS + SPARE, seconds=KILLING))
    assert status(database, "Aborted_clients") - aborted >= KILLS
    assert [asker.failures() for asker in askers] == [[]] * len(askers)


# ---- names ----

@pytest.fixture
def mute_resolver(lab):
    """A command that runs another one in a place whose only name server never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.153", 53))
        path = lab.path / "resolv.conf"
        path.write_text("nameserver 127.0.0.153\n")
        yield in_own_mounts(f'mount --bind {path} /etc/resolv.conf && exec "$@"')


def test_a_name_server_that_is_silent_delays_nobody_who_can_be_answered(make_mumd, database,
                                                                       mute_resolver):
    """Fault: the first host's name is asked of a name server that never answers. Reply: the
    right one from the second host. Deadline: 2 s. On SIGTERM mumd ends at once, although
    the name server has still not answered.
    """
    mumd = make_mumd({"database": mariadb_settings(
        database, POSTFIX_PASSWORD, hosts=["db.nowhere.test:3306", f"unix:{database.socket}"],
        tls="off"), "cache": NO_CACHE}, runner=mute_resolver)
    answer, seconds = timed(mumd.lookup, *ALICE)
    assert answer == b"OK 1" and seconds < 2
    with MixedAsker(mumd) as asker:
        time.sleep(1.5)
    assert asker.failures() == [] and asker.slowest() < 0.5
    _, seconds = timed(mumd.stop)
    assert mumd.process.status == 0 and seconds < 1


def test_an_error_that_we_do_not_know_is_said_once(over, database):
    """Fault: the server prepares no statement (1461, which is in no table of ours). Reply:
    TEMP. Recovery: within 1 s. There are two lines about it, however many questions come.
    """
    mumd = over(deadline="1s")
    with mumd.map_client() as client:
        with database.variable("max_prepared_stmt_count", 0):
            database.disconnect("mum_postfix")
            assert all(client.ask(*ALICE).startswith(b"TEMP ") for _ in range(3))
        wait_until(lambda: client.ask(*ALICE) == b"OK 1", "an answer", timeout=1)
    broken, mended = (line for line in told(mumd) if "question=delivery" in line)
    assert "(1461)" in broken and "mail is deferred" in broken and "answered again" in mended
