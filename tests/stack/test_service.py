# SPDX-License-Identifier: MIT
"""mumd as a service: readiness, watchdog, sockets that a service manager holds, restarts
that lose nothing, and the unit files. All of it without systemd as init.
"""

import contextlib
import itertools
import os
import pwd
import grp
import re
import shutil
import signal
import socket
import sqlite3
import stat
import sys
import time

import pytest

from lab import Mumd, PolicyClient, SocketmapClient, wait_until
from lab.clients import netstring
from lab.lab import TOP, accepts, run, tail
from lab.load import Load
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import binary, mariadb_settings, sandbox_line, sqlite_settings
from lab.service import FILTERED, NotifySocket, launch, listening_unix, write_filter

pytestmark = pytest.mark.memory

ALICE = ("mailboxes", "alice@example.test")
REFUSED = {"sender": "x@foreign.test", "recipient": "sendonly@example.test"}
SEND_ONLY = "550 5.2.1 mailbox does not accept mail (send-only)"
UNITS = TOP / "conf-examples/systemd"

_names = itertools.count(1)


@pytest.fixture
def mumd(lab, sqlite):
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite, deadline="300ms")},
                name=f"service{next(_names)}")
    yield mumd
    mumd.stop()


@pytest.fixture(params=["path", "abstract"])
def manager(request, lab):
    name = f"notify{next(_names)}"
    manager = NotifySocket(str(lab.path / name) if request.param == "path"
                           else f"\0{lab.path.name}-{name}")
    yield manager
    manager.close()


@pytest.fixture
def one_manager(lab):
    manager = NotifySocket(str(lab.path / f"notify{next(_names)}"))
    yield manager
    manager.close()


# ---- readiness ----

def test_it_is_ready_when_it_answers_and_not_before(lab, mumd, manager):
    launch(lab, mumd, NOTIFY_SOCKET=manager.name)
    message = manager.next()
    assert message["READY"] == "1" and "clients" in message["STATUS"]
    assert mumd.lookup(*ALICE) == b"OK 1" and mumd.decide(**REFUSED) == SEND_ONLY
    assert manager.next(timeout=0.3) is None
    mumd.terminate()
    assert manager.next()["STOPPING"] == "1"
    assert mumd.process.wait() == 0


def test_it_is_never_ready_with_a_bad_configuration(lab, mumd, one_manager):
    mumd.write_text('database { driver = "oracle" }\n')
    assert launch(lab, mumd, NOTIFY_SOCKET=one_manager.name).wait() == 78
    assert one_manager.next(timeout=0) is None


def test_it_is_never_ready_when_it_cannot_listen(lab, mumd, one_manager):
    with socket.create_server(("127.0.0.1", mumd.socketmap_port)):
        assert launch(lab, mumd, NOTIFY_SOCKET=one_manager.name).wait() == 78
    assert one_manager.next(timeout=0) is None


def test_a_reload_is_told_from_beginning_to_end(lab, mumd, one_manager):
    launch(lab, mumd, NOTIFY_SOCKET=one_manager.name)
    one_manager.wait("READY")
    good = mumd.config.read_text()
    for text in (good, 'database { driver = "oracle" }\n', good.replace("mum.sqlite", "no.sqlite")):
        mumd.write_text(text)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        mumd.reload()
        message = one_manager.next()
        assert message["RELOADING"] == "1"
        assert before <= int(message["MONOTONIC_USEC"]) <= before + 5_000_000
        assert one_manager.next()["READY"] == "1"
    assert mumd.lookup(*ALICE) == b"OK 1"


@pytest.mark.parametrize("last_is_good", [True, False])
def test_it_is_ready_when_the_last_of_several_reloads_is_done(lab, mumd, one_manager, sqlite,
                                                             last_is_good):
    """The second and the third are asked for while the first waits for a lock."""
    def reloading():
        mumd.reload()
        assert one_manager.next()["RELOADING"] == "1"
    path = lab.path / f"reloaded{next(_names)}.sqlite"
    shutil.copy(sqlite, path)
    mumd.write({"database": sqlite_settings(path, deadline="60s")})
    launch(lab, mumd, NOTIFY_SOCKET=one_manager.name)
    one_manager.wait("READY")
    seen = len(mumd.log())
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    reloading()
    assert mumd.lookup("aliases", "example.test") == b"NOTFOUND "   # it has read the file
    mumd.write({"database": sqlite_settings(path, deadline="300ms"),
                "address": {"recipient_delimiter": "-"}})
    if not last_is_good:
        mumd.write_text('database { driver = "oracle" }\n')
    reloading()
    reloading()
    assert one_manager.next(timeout=0.3) is None
    writer.execute("COMMIT")
    assert one_manager.next()["READY"] == "1"
    assert (mumd.lookup("mailboxes", "alice-x@example.test") == b"OK 1") == last_is_good
    assert one_manager.next(timeout=0.5) is None
    writer.close()
    done = [line for line in mumd.log()[seen:] if "reload: " in line and line.endswith(": done")]
    assert len(done) == 1 + last_is_good


def test_a_manager_that_is_gone_or_reads_nothing_changes_nothing(lab, mumd, one_manager):
    launch(lab, mumd, NOTIFY_SOCKET=one_manager.name, WATCHDOG_USEC="4000")
    one_manager.wait("READY")
    time.sleep(0.5)             # far more than its queue holds
    assert mumd.lookup(*ALICE) == b"OK 1"
    one_manager.close()
    time.sleep(0.1)
    assert mumd.lookup(*ALICE) == b"OK 1"
    mumd.terminate()
    assert mumd.process.wait() == 0


# ---- watchdog ----

def test_the_watchdog_is_fed_twice_in_its_time_and_not_while_mumd_hangs(lab, mumd, one_manager):
    launch(lab, mumd, NOTIFY_SOCKET=one_manager.name, WATCHDOG_USEC="400000",
           WATCHDOG_PID="mine")
    one_manager.wait("READY")
    start, fed = time.monotonic(), 0
    while time.monotonic() < start + 1:
        fed += (one_manager.next(0.4) or {}).get("WATCHDOG") == "1"
    assert 3 <= fed <= 7
    mumd.process.signal(signal.SIGSTOP)
    while one_manager.next(timeout=0) is not None:
        pass
    assert one_manager.next(timeout=0.7) is None
    mumd.process.signal(signal.SIGCONT)
    assert one_manager.next(timeout=2)["WATCHDOG"] == "1"


@pytest.mark.parametrize("variables", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"},
                                       {"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}])
def test_nobody_is_fed_who_did_not_ask(lab, mumd, one_manager, variables):
    launch(lab, mumd, NOTIFY_SOCKET=one_manager.name, **variables)
    one_manager.wait("READY")
    assert one_manager.next(timeout=0.3) is None


# ---- sockets that somebody else holds ----

@pytest.fixture
def held(lab):
    """held(path or port): a listening socket that is closed when the test ends."""
    with contextlib.ExitStack() as stack:
        def make(where):
            if isinstance(where, int):
                sock = socket.create_server(("127.0.0.1", where))
            else:
                sock = listening_unix(where)
            return stack.enter_context(sock)
        yield make


def started(lab, mumd, sockets, **options):
    seen = len(mumd.log())
    launch(lab, mumd, sockets, **options)
    wait_until(lambda: any(line.endswith(" ready") for line in mumd.log()[seen:])
               or not mumd.process.running(), "mumd")
    assert mumd.process.running(), tail(mumd.log_path)


@pytest.mark.parametrize("user", [None, "nobody"])
def test_named_sockets_are_taken_in_place_of_those_of_mum_conf(lab, mumd, held, user):
    directory = lab.directory(f"held{next(_names)}", "nobody")
    sockets = [held(directory / "policy"), held(directory / "map"), held(directory / "metrics")]
    started(lab, mumd, sockets, names=["policy", "socketmap", "metrics"], user=user)
    with SocketmapClient(directory / "map") as client:
        assert client.ask(*ALICE) == b"OK 1"
    with PolicyClient(directory / "policy") as client:
        assert client.ask(**REFUSED) == SEND_ONLY
    assert not mumd.socketmap.exists() and not accepts(("127.0.0.1", mumd.policy_port))
    mumd.terminate()
    assert mumd.process.wait() == 0
    assert {path.name for path in directory.iterdir()} == {"map", "policy", "metrics"}
    for path in directory.iterdir():
        assert accepts(path)            # clients wait for the next mumd


def test_sockets_without_a_name_of_ours_are_told_apart_by_their_address(lab, mumd, held):
    """As a mumd.socket with two ListenStream= hands them over."""
    sockets = [held(mumd.policy), held(mumd.socketmap), held(mumd.policy_port)]
    started(lab, mumd, sockets, names=["mumd.socket"] * 3)
    assert mumd.lookup(*ALICE) == b"OK 1" and mumd.decide(**REFUSED) == SEND_ONLY
    with PolicyClient(("127.0.0.1", mumd.policy_port)) as client:
        assert client.ask(**REFUSED) == SEND_ONLY


def test_a_service_without_such_a_socket_listens_as_mum_conf_says(lab, mumd, held):
    started(lab, mumd, [held(mumd.socketmap)])
    assert mumd.lookup(*ALICE) == b"OK 1" and mumd.decide(**REFUSED) == SEND_ONLY
    with PolicyClient(("127.0.0.1", mumd.policy_port)) as client:
        assert client.ask(**REFUSED) == SEND_ONLY


def test_a_socket_that_is_for_nothing_is_an_error(lab, mumd, held):
    path = lab.path / f"stray{next(_names)}"
    launch(lab, mumd, [held(mumd.socketmap), held(path)], names=["mumd.socket"] * 2)
    assert mumd.process.wait() == 78
    assert any(f"unix:{path}" in line and "FileDescriptorName" in line for line in mumd.log())


def test_a_socket_of_another_kind_is_an_error(lab, mumd):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        assert launch(lab, mumd, [datagrams], names=["socketmap"]).wait() == 78
    assert any("stream socket" in line for line in mumd.log())


@pytest.mark.parametrize("count", ["65", "99999999999", "-1"])
def test_more_sockets_than_anybody_listens_on_are_an_error(lab, mumd, count):
    script = f'LISTEN_PID=$$ LISTEN_FDS={count} exec "$@"'
    result = run("sh", "-c", script, "sh", mumd.program(), "-c", mumd.config, "-F", check=False)
    assert result.returncode == 78
    assert "LISTEN_FDS: more than 64 sockets" in result.stderr


def test_sockets_that_were_meant_for_another_process_are_left_alone(lab, mumd):
    started(lab, mumd, [], LISTEN_PID="1", LISTEN_FDS="2")
    assert mumd.lookup(*ALICE) == b"OK 1"


def test_a_client_that_comes_before_mumd_is_served(lab, mumd, held):
    sockets = [held(mumd.socketmap), held(mumd.policy)]
    with mumd.map_client() as client, mumd.policy_client() as policy:
        client.send(netstring(b"mailboxes alice@example.test"))
        policy.send(policy.request(**REFUSED))
        started(lab, mumd, sockets)
        assert client.reply() == b"OK 1" and policy.reply() == SEND_ONLY


# ---- restarts lose nothing ----

def test_restarts_under_load_lose_no_request(lab, mumd, held):
    sockets = [held(mumd.socketmap), held(mumd.policy)]
    started(lab, mumd, sockets)
    load = [Load(mumd.map_client, ALICE, keep) for keep in (True, True, True, False, False, False)]
    for one in load:
        one.start()
    try:
        for _ in range(8):
            enough = {one: one.answered + 20 for one in load}
            wait_until(lambda: all(one.answered >= enough[one] or one.trouble for one in load),
                       "answers", timeout=20)
            mumd.terminate()
            assert mumd.process.wait() == 0
            launch(lab, mumd, sockets)
        wait_until(lambda: all(one.answered >= enough[one] + 20 or one.trouble for one in load),
                   "answers after the last restart", timeout=20)
    finally:
        for one in load:
            one.end()
    assert [one.trouble for one in load] == [[]] * len(load)
    # Only idle connections end with their mumd.
    assert all(one.again <= 8 for one in load)
    assert not any(one.is_alive() for one in load)


# ---- without rights from the start ----

def test_it_starts_without_rights_as_the_unit_has_it(lab, sqlite):
    """With User= of the unit, and the directory of tmpfiles.d, so Postfix can connect."""
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite)}, name=f"service{next(_names)}")
    os.chown(mumd.sockets, pwd.getpwnam("nobody").pw_uid, grp.getgrnam("postfix").gr_gid)
    mumd.sockets.chmod(0o2750)
    started(lab, mumd, [], user="nobody")
    assert mumd.lookup(*ALICE) == b"OK 1" and mumd.decide(**REFUSED) == SEND_ONLY
    for path in (mumd.socketmap, mumd.policy):
        info = path.stat()
        assert info.st_gid == grp.getgrnam("postfix").gr_gid
        assert stat.S_IMODE(info.st_mode) == 0o660
    assert not [line for line in mumd.log() if "warning" in line]
    mumd.stop()


@pytest.mark.parametrize("process, warned", [
    ({}, True), ({"socket_mode": "0666"}, False), ({"socket_group": "nogroup"}, False)])
def test_without_rights_a_socket_that_postfix_cannot_reach_is_told_of(lab, sqlite, process,
                                                                     warned):
    """As in a container: the folder has no setgid bit, so the socket gets mumd's own group."""
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite), "process": process},
                name=f"service{next(_names)}")
    mumd.sockets.chmod(0o755)
    started(lab, mumd, [], user="nobody")
    told = [line for line in mumd.log() if "warning" in line]
    assert len(told) == (2 if warned else 0), told
    for line, path in zip(told, (mumd.socketmap, mumd.policy)):
        assert f"listen: unix:{path}: process.socket_group = \"postfix\" could not be" in line
    mumd.stop()


# ---- unit files ----

def settings(unit):
    """[(name, value)] of a unit file."""
    return re.findall(r"^([A-Z]\w*)=(.*)$", (UNITS / unit).read_text(), re.M)


@pytest.fixture
def units(tmp_path):
    """Both units as they would be installed, but with the mumd that was built here."""
    for name in ("mumd.service", "mumd.socket"):
        text = (UNITS / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/sbin/mumd", str(binary())))
    return tmp_path


def test_systemd_takes_the_units(units):
    result = run("systemd-analyze", "verify", "--man=no", units / "mumd.service",
                 units / "mumd.socket", check=False)
    ours = [line for line in (result.stdout + result.stderr).splitlines() if "mumd" in line]
    assert (result.returncode, ours) == (0, [])


def test_the_exposure_is_at_most_one(units):
    result = run("systemd-analyze", "security", "--offline=true", "--threshold=10", "--no-pager",
                 units / "mumd.service", check=False)
    assert result.returncode == 0, result.stdout


def test_the_units_fit_the_defaults():
    """Paths, user and groups are those of mum.conf, and the time to stop fits it."""
    example = (TOP / "conf-examples/mum.conf").read_text()
    sockets = [value for name, value in settings("mumd.socket") if name == "ListenStream"]
    assert sockets == re.findall(r'# listen = \{"unix:([^"]*)"\}', example)
    unit = dict(settings("mumd.socket")) | dict(settings("mumd.service"))
    assert f'# user = "{unit["User"]}"' in example
    assert unit["SocketUser"] == unit["User"]
    assert f'# socket_group = "{unit["SocketGroup"]}"' in example
    assert f'# socket_mode = "{unit["SocketMode"]}"' in example
    assert unit["Type"] == "notify" and int(unit["WatchdogSec"].rstrip("s")) > 0
    clients = int(re.search(r"# max_clients = (\d+)", example)[1])
    assert int(unit["LimitNOFILE"]) >= clients + 64


def test_the_directory_of_sqlite_stays_that_of_mum():
    """It is writable, for SQLite's WAL; with StateDirectory= systemd would take it over."""
    example = (TOP / "conf-examples/mum.conf").read_text()
    directory = os.path.dirname(re.search(r'# path = "([^"]*)"', example)[1])
    unit = settings("mumd.service")
    assert ("ReadWritePaths", f"-{directory}") in unit
    assert ("StateDirectory", os.path.basename(directory)) not in unit


def test_the_directories_of_the_limits_are_the_units():
    """systemd makes them, and lets mumd write there."""
    example = (TOP / "conf-examples/mum.conf").read_text()
    unit = dict(settings("mumd.service"))
    assert f'# send_state = "/var/lib/{unit["StateDirectory"]}/' in example
    assert f'# send_socket = "/run/{unit["RuntimeDirectory"]}/' in example


def test_user_and_directory_are_made_as_the_units_want_them(tmp_path):
    """By systemd-sysusers and systemd-tmpfiles, in a root of their own."""
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group"):
        (tmp_path / "etc" / name).write_text("root:x:0:0::/:/bin/sh\n" if name == "passwd"
                                             else "root:x:0:\npostfix:x:123:\n")
    (tmp_path / "var/spool/postfix").mkdir(parents=True)
    run("systemd-sysusers", f"--root={tmp_path}", UNITS / "sysusers.d/mum.conf")
    user = next(line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()
                if line.startswith("mum:"))
    assert 0 < int(user[2]) < 1000 and user[6].endswith("nologin")
    run("systemd-tmpfiles", f"--root={tmp_path}", "--create", UNITS / "tmpfiles.d/mum.conf")
    info = (tmp_path / "var/spool/postfix/mum").stat()
    assert (info.st_uid, info.st_gid) == (int(user[2]), 123)
    assert stat.S_IMODE(info.st_mode) == 0o2750


@pytest.mark.parametrize("activated", [True, False])
def test_it_does_its_work_within_the_units_system_calls(lab, mariadb, held, one_manager, activated):
    """User=, NoNewPrivileges= and SystemCallFilter= as in the unit; the rest of its
    sandbox needs systemd."""
    mumd = Mumd(lab, {"database": mariadb_settings(mariadb, POSTFIX_PASSWORD),
                      "process": {"socket_group": "nogroup"},     # nobody's own
                      "policy": {"send": "enforce"},
                      "metrics": {"listen": Mumd.METRICS}}, name=f"service{next(_names)}")
    for folder in (mumd.send_state.parent, mumd.send_socket.parent):
        folder.mkdir()
        run("chown", "nobody", folder)      # as systemd does
    program = lab.path / f"filter{next(_names)}"
    write_filter(UNITS / "mumd.service", program)
    sockets = [held(mumd.socketmap), held(mumd.policy)] if activated else []
    started(lab, mumd, sockets, user="nobody", NOTIFY_SOCKET=one_manager.name,
            WATCHDOG_USEC="200000",
            prefix=[sys.executable, "-c", FILTERED, program])
    one_manager.wait("WATCHDOG")
    status = open(f"/proc/{mumd.process.pid}/status").read()
    assert re.search(r"^Seccomp:\s+2$", status, re.M)
    assert any(sandbox_line() in line for line in mumd.log())
    assert mumd.lookup(*ALICE) == b"OK 1" and mumd.decide(**REFUSED) == SEND_ONLY
    assert mumd.page().sum("process_open_fds") > 0
    assert mumd.http("/readyz")[0] == 200
    mumd.reload()
    mumd.wait_log("reload: ", ": done")
    assert mumd.lookup(*ALICE) == b"OK 1"
    assert mumd.senders() == {}
    assert not any("warning" in line or "error" in line for line in mumd.log()), mumd.log()
    mumd.terminate()
    assert mumd.process.wait() == 0
    assert mumd.send_state.exists()
