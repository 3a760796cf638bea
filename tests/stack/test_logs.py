# SPDX-License-Identifier: MIT
"""What mumd logs: for each refusal a line that programs can read, for each problem two
lines, in the style of Postfix; and what no line and no core dump may hold.
"""

import contextlib
import os
import pathlib
import pwd
import re
import resource
import select
import shlex
import signal
import socket
import subprocess
import time

import pytest

from lab import MariaDB, sample, wait_until
from lab.clients import netstring
from lab.lab import ENVIRONMENT, TOP, Process, accepts, in_own_mounts, run
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import Mumd, mariadb_settings, sandbox_line, sqlite_settings

pytestmark = pytest.mark.memory

ALICE = ("mailboxes", "alice@example.test")
NO_CACHE = {"ttl": "0s", "stale": "0s"}


@pytest.fixture(scope="module")
def database(lab):
    """A MariaDB that these tests may stop and change. Each test must leave it as it was."""
    return MariaDB(lab, "db-logs").start().load_mum(sample.mariadb_text())


@pytest.fixture
def mumd(make_mumd, sqlite):
    return make_mumd({"database": sqlite_settings(sqlite)})


# ---- one line for each refusal ----

LINE = re.compile(r"mumd\[\d+\]: (?:error: )?(socketmap|policy): (reject|would reject|no answer): (.*)")
PAIR = re.compile(r"(\w+)=(?:<([^<>]*)>|([^\s<>]+))(?: |$|(?=:))")


def unescape(text):
    """\\xHH back to bytes, the rest as UTF-8; the text as clients() below gave it."""
    data = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]),
                  text.encode("utf-8", "surrogateescape"))
    return data.decode("utf-8", "surrogateescape")


def parsed(line):
    """(service, verb, {name: value}) as a program would read it."""
    match = LINE.fullmatch(line)
    assert match, line
    pairs, at, rest = {}, 0, match[3]
    while at < len(rest) and not rest[at:].startswith(": "):
        pair = PAIR.match(rest, at)
        assert pair and pair[1] not in pairs, line
        pairs[pair[1]] = unescape(pair[2] if pair[2] is not None else pair[3])
        at = pair.end()
    return match[1], match[2], pairs


def refusals(mumd, seen):
    return [line for line in mumd.log()[seen:] if LINE.match(line)]


def documented_reasons():
    manual = (TOP / "doc/mumd-monitoring.8").read_text()
    section = manual[manual.index(".Sh DIAGNOSTICS"):manual.index(".Sh METRICS")]
    return set(re.findall(r"^\.It Cm ([a-z_]+)$", section, re.M))


SENDS = {"sender": "x@foreign.test", "sasl_username": "alice@example.test",
         "recipient": "bob@example.test", "client_name": "c.test",
         "client_address": "192.0.2.7", "queue_id": "4C1D8200AB"}


@pytest.mark.parametrize("policy, change, reason", [
    ({}, {}, "sender_not_owned"),
    ({"sender": "warn"}, {}, "sender_not_owned"),
    ({"sender_unauthenticated": "reject"}, {"sasl_username": "", "sender": "bob@example.test"},
     "not_logged_in"),
    ({}, {"recipient": "sendonly@example.test"}, "send_only"),
    ({"recipient": "warn", "sender": "off"}, {"recipient": "sendonly@example.test"}, "send_only"),
    ({}, {"recipient": "shop@example.test"}, "dead_alias"),
])
def test_a_refusal_is_one_line_with_a_documented_reason(make_mumd, sqlite, policy, change, reason):
    mumd = make_mumd({"database": sqlite_settings(sqlite), "policy": policy})
    seen = len(mumd.log())
    request = {**SENDS, **change}
    action = mumd.decide(**request)
    lines = refusals(mumd, seen)
    assert len(lines) == 1 and len(mumd.log()) == seen + 1
    service, verb, pairs = parsed(lines[0])
    assert (service, verb) == ("policy", "would reject" if "warn" in policy.values() else "reject")
    assert action == ("DUNNO" if verb == "would reject" else pairs["action"])
    assert pairs["reason"] == reason and reason in documented_reasons()
    for name, attribute in (("sender", "sender"), ("recipient", "recipient"),
                            ("login", "sasl_username"), ("queue_id", "queue_id")):
        assert pairs[name] == request[attribute]


def test_what_is_accepted_logs_nothing(mumd):
    seen = len(mumd.log())
    for recipient in ("alice@example.test", "nobody@example.test", "x@foreign.test", ""):
        assert mumd.decide(sender="y@foreign.test", recipient=recipient) == "DUNNO"
    assert mumd.log()[seen:] == []


def test_a_refusal_before_the_queue_is_noqueue_as_in_postfix(mumd):
    seen = len(mumd.log())
    mumd.decide(**{**SENDS, "queue_id": ""})
    assert parsed(refusals(mumd, seen)[0])[2]["queue_id"] == "NOQUEUE"


@pytest.mark.parametrize("table, key, verb, reason", [
    ("recipient-access", "sendonly@example.test", "reject", "send_only"),
    ("recipient-access", "shop@example.test", "reject", "dead_alias"),
    ("aliases", "many@big.test", "no answer", "value_too_long"),
    ("aliases", None, "no answer", "value_unclean"),
])
def test_a_map_that_refuses_or_cannot_answer_logs_one_line(mumd, table, key, verb, reason):
    if reason == "value_too_long":
        key = next(f"{row[1]}@big.test" for row in sample.ALIASES if row[2] == 8
                   and mumd.lookup("aliases", f"{row[1]}@big.test").startswith(b"TEMP"))
    if reason == "value_unclean":
        key = next(f"{row[1]}@dirty.test" for row in sample.ALIASES if row[2] == 9)
    seen = len(mumd.log())
    mumd.lookup(table, key)
    lines = refusals(mumd, seen)
    assert len(lines) == 1 and len(mumd.log()) == seen + 1
    service, got, pairs = parsed(lines[0])
    assert (service, got) == ("socketmap", verb)
    assert pairs["map"] == table and pairs["reason"] == reason and reason in documented_reasons()
    assert pairs["key"] == key


def test_an_empty_value_is_not_answered_but_named(make_mumd, database):
    """A lax server turns a policy that MUM's column does not know into an empty one."""
    mumd = make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD)})
    database.sql("SET sql_mode = ''; INSERT INTO mum.tls_policies (domain, policy, active) "
                 "VALUES ('lax.test', 'strict', 1)")
    try:
        seen = len(mumd.log())
        assert mumd.lookup("tls-policies", "lax.test").startswith(b"TEMP ")
    finally:
        database.sql("DELETE FROM mum.tls_policies WHERE domain = 'lax.test'")
    pairs = parsed(refusals(mumd, seen)[0])[2]
    assert (pairs["map"], pairs["key"], pairs["reason"]) == (
        "tls-policies", "lax.test", "value_empty")


HOSTILE = {
    "the end of the value": "a> reason=none login=<root@example.test",
    "a blank and an equals sign": '"a queue_id=x"@foreign.test',
    "a backslash": "a\\x3e@foreign.test",
    "an escape sequence": "\x1b[2Ja@foreign.test",
    "a carriage return": "a\rmumd[1]: forged@foreign.test",
    "a C1 control": "a\x9b@foreign.test",
    "UTF-8": "jörg@foreign.test",
    "no UTF-8": "a\udcff@foreign.test",
    "a percent sign": "%s%n%d@foreign.test",
    "delete": "a\x7f@foreign.test",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_value_can_forge_another_or_a_line(mumd, value):
    """Each value is read back as it was sent."""
    seen = len(mumd.log())
    request = {**SENDS, "sender": value, "sasl_username": value, "client_name": value,
               "queue_id": value}
    mumd.decide(**request)
    new = mumd.log_path.read_bytes().split(b"\n")[seen:-1]
    assert len(new) == 1 and not re.search(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]", new[0])
    _, _, pairs = parsed(new[0].decode("utf-8", "surrogateescape"))
    assert pairs["sender"] == pairs["login"] == pairs["queue_id"] == value
    assert pairs["client"] == f"{value}[{request['client_address']}]"
    assert pairs["recipient"] == request["recipient"]


def test_a_long_value_is_cut_and_what_comes_behind_it_is_not(mumd):
    seen = len(mumd.log())
    long = "l" * 10000 + "@foreign.test"
    mumd.decide(**{**SENDS, "sender": long, "sasl_username": long, "client_name": long})
    _, _, pairs = parsed(refusals(mumd, seen)[0])
    assert pairs["sender"].startswith("l" * 300) and pairs["sender"].endswith("...")
    assert pairs["queue_id"] == SENDS["queue_id"] and pairs["recipient"] == SENDS["recipient"]


# ---- one line when trouble begins, and one when it ends ----

def test_a_database_that_goes_and_comes_is_two_lines(make_mumd, database):
    mumd = make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD, deadline="200ms"),
                      "cache": NO_CACHE})
    assert mumd.lookup(*ALICE) == b"OK 1"
    seen = len(mumd.log())
    database.stop()
    try:
        for _ in range(8):
            assert mumd.lookup(*ALICE).startswith(b"TEMP ")
            mumd.decide(**SENDS)
    finally:
        database.start()
    wait_until(lambda: mumd.lookup(*ALICE) == b"OK 1", "it is back")
    lines = mumd.log()[seen:]
    assert len(lines) == 2, lines
    assert "warning: database unix:" in lines[0] and "trying again" in lines[0]
    assert "answers again after" in lines[1]


def test_a_missing_table_is_two_lines(make_mumd, database):
    mumd = make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD),
                      "cache": NO_CACHE})
    seen = len(mumd.log())
    database.sql("RENAME TABLE mum.tls_policies TO mum.tls_elsewhere")
    try:
        for _ in range(5):
            assert mumd.lookup("tls-policies", "null.test").startswith(b"TEMP ")
    finally:
        database.sql("RENAME TABLE mum.tls_elsewhere TO mum.tls_policies")
    mumd.lookup("tls-policies", "null.test")
    lines = mumd.log()[seen:]
    assert len(lines) == 2, lines
    assert "error: database: question=tls: " in lines[0] and "mumctl setup" in lines[0]
    assert "question=tls: answered again" in lines[1]


def test_too_many_connections_are_two_lines(make_mumd, database):
    """The server has room for one of our two connections; later for both."""
    mumd = make_mumd({"database": mariadb_settings(database, POSTFIX_PASSWORD),
                      "cache": NO_CACHE})
    assert mumd.lookup(*ALICE) == b"OK 1"
    seen = len(mumd.log())
    limit = "ALTER USER 'mum_postfix'@'localhost' WITH MAX_USER_CONNECTIONS "
    time.sleep(0.5)     # a KILL while one is being made would be another problem
    database.sql(limit + "1; KILL USER mum_postfix")

    def two_questions():
        with mumd.map_client() as one, mumd.map_client() as other:
            with database.locked("tls_policies"):
                one.send(netstring(b"tls-policies null.test"))
                time.sleep(0.1)
                other.send(netstring(b"mailboxes alice@example.test"))
                time.sleep(0.3)
            return one.reply(), other.reply()
    try:
        two_questions()
        two_questions()
    finally:
        database.sql(limit + "0")
    wait_until(lambda: two_questions() and "has room" in mumd.log()[-1], "room", timeout=20)
    lines = [line for line in mumd.log()[seen:] if "database " in line]
    assert len(lines) == 2, lines
    assert "going on with fewer connections" in lines[0]


def test_no_room_for_clients_is_two_lines(make_mumd, sqlite):
    mumd = make_mumd({"database": sqlite_settings(sqlite), "process": {"max_clients": 4}})
    mumd.lookup(*ALICE)         # mumd has seen that the client which tested the socket has left
    seen = len(mumd.log())
    with contextlib.ExitStack() as stack:
        for _ in range(12):
            stack.enter_context(mumd.map_client()).ask(*ALICE)
    mumd.wait_log("there is room again", after=seen)
    lines = mumd.log()[seen:]
    assert len(lines) == 2 and "raise process.max_clients" in lines[0]


def test_no_descriptors_are_two_lines(make_mumd, sqlite):
    mumd = make_mumd({"database": sqlite_settings(sqlite)})
    assert mumd.lookup(*ALICE) == b"OK 1"
    mumd.limit_descriptors(mumd.process.descriptors() + 25)
    seen = len(mumd.log())
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(mumd.map_client()) for _ in range(40)]
        mumd.wait_log("accept: ", after=seen)
        time.sleep(1.2)         # another try
        for client in clients[:39]:
            client.close()
        assert clients[39].ask(*ALICE) == b"OK 1"
    lines = mumd.log()[seen:]
    assert len(lines) == 2, lines
    assert "Too many open files" in lines[0] and "accept: works again after" in lines[1]


# ---- where it logs ----

SYSLOG_LINE = re.compile(r"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d mumd\[(\d+)\]: (.*)")
MAIL, ERROR, WARNING, INFO = 2, 3, 4, 6


class Syslogd:
    """The socket of a syslogd; only the test reads from it."""

    def __init__(self, path):
        self._path = path
        self._socket = None
        self.start()

    def start(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._path.chmod(0o666)

    def stop(self):
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def line(self, timeout=10):
        """(facility, priority, pid, text), or None when none comes."""
        self._socket.settimeout(timeout)
        try:
            text = self._socket.recv(8192).decode()
        except (TimeoutError, BlockingIOError):
            return None
        got = SYSLOG_LINE.fullmatch(text)
        assert got, text
        return int(got[1]) >> 3, int(got[1]) & 7, int(got[2]), got[3]


@contextlib.contextmanager
def in_background(lab, sqlite, name, folder="/", config=None):
    """(mumd, syslogd, pid), in a mount namespace where /dev/log is ours. config: the file's
    name in that folder, if mumd is not given the whole path.
    """
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite)}, name=name)
    devices = lab.directory(f"{name}/dev")
    for device in ("null", "urandom"):
        (devices / device).touch()
    binds = "".join(f"mount --bind /dev/{device} {shlex.quote(str(devices / device))} && "
                    for device in ("null", "urandom"))
    script = (f"{binds}"
              f"mount --rbind {shlex.quote(str(devices))} /dev && "
              f"cd {shlex.quote(str(folder))} && "
              f"exec {shlex.quote(str(mumd.program()))} -c {shlex.quote(str(config or mumd.config))}")
    syslogd = Syslogd(devices / "log")
    parent = Process(in_own_mounts(script), lab.path / f"{name}/out.log")
    assert parent.wait() == 0, parent.log.read_text()
    assert syslogd.line()[3].startswith(sandbox_line())
    facility, priority, pid, text = syslogd.line()
    try:
        assert str(config or mumd.config) in pathlib.Path(f"/proc/{pid}/cmdline").read_text()
        assert (facility, priority) == (MAIL, INFO) and text.endswith(" ready")
        yield mumd, syslogd, pid
    finally:
        os.kill(pid, signal.SIGTERM)
        syslogd.stop()
        wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "its end")
    assert parent.log.read_text() == ""


def test_in_the_background_it_logs_to_syslog_facility_mail(lab, sqlite):
    with in_background(lab, sqlite, "syslogged") as (mumd, syslogd, pid):
        mumd.decide(**SENDS)
        assert syslogd.line()[:3] == (MAIL, INFO, pid)
        mumd.lookup("nosuch", "key")
        facility, priority, _, text = syslogd.line()
        assert (facility, priority) == (MAIL, WARNING) and text.startswith("warning: ")
        mumd.write_text("nonsense\n")
        os.kill(pid, signal.SIGHUP)
        facility, priority, _, text = syslogd.line()
        assert (facility, priority) == (MAIL, ERROR) and text.startswith("error: ")


def test_in_the_background_a_relative_path_is_read_again(lab, sqlite):
    """Relative to the folder in which mumd was started."""
    name = "relative"
    folder = lab.path / name
    with in_background(lab, sqlite, name, folder, "./mum.conf") as (mumd, syslogd, pid):
        os.kill(pid, signal.SIGHUP)
        assert syslogd.line()[1:4:2] == (INFO, f"reload: {folder}/./mum.conf: done")
        mumd.config.rename(folder / "old.conf")
        (folder / "new.conf").write_text("nonsense\n")
        mumd.config.symlink_to("new.conf")
        os.kill(pid, signal.SIGHUP)
        assert f"{folder}/./mum.conf:1: " in syslogd.line()[3]


def test_a_syslogd_that_hangs_holds_up_no_mail(lab, sqlite):
    """Lines that it does not read are lost, and counted."""
    with in_background(lab, sqlite, "unread-syslog") as (mumd, syslogd, _):
        with mumd.policy_client(timeout=5) as client:
            start = time.monotonic()
            for _ in range(1000):       # far more than its queue holds
                assert client.ask(**SENDS).startswith("553 ")
            assert time.monotonic() - start < 3
            seen = 0
            while syslogd.line(timeout=0.2) is not None:
                seen += 1
            assert 0 < seen < 1000
            client.ask(**SENDS)
        assert syslogd.line()[1:4:2] == (
            WARNING, f"warning: {1000 - seen} lines are lost here: nobody read them")
        assert syslogd.line()[3].startswith("policy: reject: ")


def test_standard_error_that_nobody_reads_holds_up_no_mail(lab, sqlite):
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite)}, name="unread-stderr")
    with subprocess.Popen([mumd.program(), "-c", mumd.config, "-F"], env=ENVIRONMENT, cwd="/",
                          stderr=subprocess.PIPE, text=True) as process:
        try:
            assert sandbox_line() in process.stderr.readline()
            assert process.stderr.readline().endswith(" ready\n")
            with mumd.policy_client(timeout=5) as client:
                for _ in range(1000):
                    assert client.ask(**SENDS).startswith("553 ")
                seen = 0
                while select.select([process.stderr], [], [], 0.2)[0]:
                    seen += os.read(process.stderr.fileno(), 1 << 20).count(b"\n")
                assert 0 < seen < 1000
                client.ask(**SENDS)
            assert f"warning: {1000 - seen} lines are lost here" in process.stderr.readline()
            assert "policy: reject: " in process.stderr.readline()
        finally:
            process.terminate()


def test_a_new_syslogd_gets_the_lines_that_follow(lab, sqlite):
    with in_background(lab, sqlite, "new-syslog") as (mumd, syslogd, _):
        syslogd.stop()
        mumd.decide(**SENDS)
        syslogd.start()
        mumd.decide(**SENDS)
        assert "1 lines are lost" in syslogd.line()[3]
        assert syslogd.line()[3].startswith("policy: reject: ")
        syslogd.stop()
        syslogd.start()
        mumd.decide(**SENDS)    # a restart of syslogd that mumd did not notice loses no line
        assert syslogd.line()[3].startswith("policy: reject: ")


def test_to_the_journal_it_tells_the_priority(lab, sqlite):
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite)}, name="journalled")
    mumd.log_path.touch()
    status = mumd.log_path.stat()
    mumd.process = lab.own(Process(
        ["env", f"JOURNAL_STREAM={status.st_dev}:{status.st_ino}", mumd.program(), "-c", mumd.config,
         "-F"], mumd.log_path, cwd="/"))
    mumd.wait_log(" ready")
    mumd.decide(**SENDS)
    mumd.lookup("nosuch", "key")
    begins = [f"<6>{sandbox_line()}", "<6>version ", "<6>policy: reject: ", "<4>warning: "]
    for line, begin in zip(mumd.log(), begins, strict=True):
        assert line.startswith(begin)
    mumd.stop()


# ---- what no line holds ----

class Everything:
    """All that a mumd with these settings has told anybody."""

    def __init__(self, lab, name, settings):
        self._told = []
        self.mumd = Mumd(lab, settings, name=name)

    def told(self, text):
        self._told.append(text if isinstance(text, str) else text.decode(errors="replace"))

    def ask(self):
        self.told(self.mumd.lookup(*ALICE))
        self.told(self.mumd.lookup("tls-policies", "null.test"))
        self.told(self.mumd.lookup("nosuch", "key"))
        self.told(self.mumd.decide(**SENDS))
        for path in ("/metrics", "/readyz"):
            self.told(self.mumd.http(path)[2])

    def reload(self, text):
        seen = len(self.mumd.log())
        self.mumd.write_text(text)
        self.mumd.reload()
        wait_until(lambda: any("reload: " in line for line in self.mumd.log()[seen:]), "a reload")

    def text(self):
        process = pathlib.Path(f"/proc/{self.mumd.process.pid}")
        shown = [(process / name).read_bytes().decode(errors="replace")
                 for name in ("cmdline", "environ", "comm")]
        return "\n".join(self._told + shown + self.mumd.log())


def broken(inline):
    """What admins may make of a mum.conf with the password in it."""
    return [inline.replace("password = ", "password "),
            inline.replace(f'"{POSTFIX_PASSWORD}"', f"x {POSTFIX_PASSWORD}"),
            inline.replace(f'"{POSTFIX_PASSWORD}"', f"x}} {POSTFIX_PASSWORD}"),
            inline + "nonsense {\n",
            inline.replace("mysqld.sock", "nosuch.sock")]


def through_trouble(every, database, settings, inline):
    """Asks while the database fails in each way; it is gone in the end."""
    user = "'mum_postfix'@'localhost'"
    database.sql(f"ALTER USER {user} IDENTIFIED BY 'another'; KILL USER mum_postfix")
    every.ask()                                                 # refused
    every.reload(inline)
    database.sql(f"ALTER USER {user} IDENTIFIED BY '{POSTFIX_PASSWORD}'")
    database.sql("RENAME TABLE mum.tls_policies TO mum.tls_elsewhere")
    wait_until(lambda: every.mumd.lookup(*ALICE) == b"OK 1", "let in again")
    every.ask()                                                 # a table is missing
    database.sql("RENAME TABLE mum.tls_elsewhere TO mum.tls_policies")
    tls = {**settings, "hosts": [f"127.0.0.1:{database.port}"], "tls": "verify-full",
           "tls_ca": "/etc/ssl/certs/ca-certificates.crt"}
    every.mumd.write({"database": tls})
    every.reload(every.mumd.config.read_text())                 # no TLS there
    with database.paused():
        every.ask()                                             # hung
    database.stop()
    every.ask()                                                 # gone


def test_the_canary_sings_nowhere(lab, database):
    """The database's password, through all failures of mumd."""
    secret = lab.path / "canary.password"
    secret.write_text(POSTFIX_PASSWORD + "\n")
    os.chown(secret, 0, pwd.getpwnam("nobody").pw_gid)
    secret.chmod(0o640)
    settings = mariadb_settings(database, POSTFIX_PASSWORD, deadline="300ms")
    del settings["password"]
    settings["password_file"] = secret
    every = Everything(lab, "canary", {"database": settings, "cache": NO_CACHE,
                                       "metrics": {"listen": Mumd.METRICS}})
    mumd = every.mumd
    database.sql("SET GLOBAL general_log_file = 'general.log'; SET GLOBAL general_log = ON")
    good = mumd.config.read_text()
    inline = good.replace(f'password_file = "{secret}"', f'password = "{POSTFIX_PASSWORD}"')
    assert inline != good
    try:
        every.told("".join(map(str, mumd.check())))
        mumd.start()
        every.ask()
        every.reload(inline)                                    # in mum.conf itself
        every.ask()
        for bad in [*broken(inline),
                    good.replace(str(secret), POSTFIX_PASSWORD),
                    good.replace("unix:" + str(database.socket), f"u:{POSTFIX_PASSWORD}@h")]:
            mumd.write_text(bad)
            every.told("".join(map(str, mumd.check())))
            every.reload(bad)
            every.ask()
        mumd.write_text(good)
        through_trouble(every, database, settings, inline)
        told = every.text()
    finally:
        mumd.stop()
        if not database.process.running():
            database.start()
        database.sql("SET GLOBAL general_log = OFF")
    assert "another" not in told        # nobody repeats that password either
    assert POSTFIX_PASSWORD not in told
    general = (database.directory / "data/general.log").read_text(errors="replace")
    statements = "\n".join(line for line in general.splitlines() if "ALTER USER" not in line)
    assert "mum_postfix" in statements and POSTFIX_PASSWORD not in statements


# ---- core dumps ----

def dumped_by_the_kernel(argv, directory, ready, user=None):
    """(did the kernel write a core dump, who owns /proc/PID: root, if the process must not be
    dumped). Nothing else prevents a dump: there is no limit, and a directory to write to.
    """
    account = pwd.getpwnam(user) if user else None
    child = subprocess.Popen(
        [str(arg) for arg in argv], cwd=directory, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user,
        group=account and account.pw_gid, extra_groups=[] if user else None,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
    try:
        wait_until(ready, "it runs")
        owner = pathlib.Path(f"/proc/{child.pid}/environ").stat().st_uid
        os.kill(child.pid, signal.SIGABRT)
        how = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert how.si_status == signal.SIGABRT
        return how.si_code == os.CLD_DUMPED, owner
    finally:
        child.kill()
        child.wait()


@pytest.fixture
def writable(lab):
    return lab.directory(f"cores{len(list(lab.path.iterdir()))}", "nobody", mode=0o777)


def test_another_process_could_write_a_core_dump(writable):
    """Otherwise the next test would show nothing."""
    started = time.monotonic()
    _, owner = dumped_by_the_kernel(["sleep", "60"], writable,
                                    lambda: time.monotonic() > started + 0.1, user="nobody")
    assert owner == pwd.getpwnam("nobody").pw_uid


@pytest.mark.parametrize("user", [None, "nobody"])
def test_the_kernel_writes_no_core_dump_of_mumd(lab, sqlite, writable, user):
    """Neither if root started it nor if it started without rights."""
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite)}, name=f"core-{user}")
    dumped, owner = dumped_by_the_kernel(
        [mumd.program(), "-c", mumd.config, "-F"], writable,
        lambda: accepts(mumd.socketmap) and mumd.lookup(*ALICE) == b"OK 1", user=user)
    assert not dumped and owner == 0
    assert not list(writable.iterdir())


def core_of(lab, pid, *options):
    """The dump that gcore(1), run by root, writes; the kernel's rules are the same."""
    run("gcore", *options, "-o", lab.path / "core", pid)
    path = lab.path / f"core.{pid}"
    try:
        return path.read_bytes()
    finally:
        path.unlink()


def test_a_core_dump_holds_no_password(lab, make_mumd, database):
    secret = lab.path / "core.password"
    secret.write_text(POSTFIX_PASSWORD + "\n")
    secret.chmod(0o600)
    os.chown(secret, pwd.getpwnam("nobody").pw_uid, -1)
    settings = mariadb_settings(database, POSTFIX_PASSWORD)
    del settings["password"]
    settings["password_file"] = secret
    mumd = make_mumd({"database": settings, "cache": NO_CACHE})
    assert mumd.lookup(*ALICE) == b"OK 1"
    pid, password = mumd.process.pid, POSTFIX_PASSWORD.encode()
    mumd.reload()
    mumd.wait_log("reload: ", ": done")
    assert mumd.lookup(*ALICE) == b"OK 1"
    core = core_of(lab, pid)
    assert b"mum_postfix" in core and password not in core
    assert password in core_of(lab, pid, "-a")      # so the search does find it
    database.sql("ALTER USER 'mum_postfix'@'localhost' IDENTIFIED BY 'x'; KILL USER mum_postfix")
    try:
        assert mumd.lookup(*ALICE).startswith(b"TEMP ")
    finally:
        database.sql("ALTER USER 'mum_postfix'@'localhost' IDENTIFIED BY "
                     f"'{POSTFIX_PASSWORD}'")
    assert password not in core_of(lab, pid)
