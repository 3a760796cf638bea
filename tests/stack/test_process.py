# SPDX-License-Identifier: MIT
"""mumd as a process: configuration, signals, privileges, the log."""

import os
import pathlib
import pwd
import signal
import socket
import stat

import pytest

from lab import Mumd, SocketmapClient, free_port, metrics, wait_until
from lab.lab import TOP, accepts, in_own_mounts, run
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import mariadb_settings, sqlite_settings

ALICE = ("mailboxes", "alice@example.test")
STRANGER_SENDS = {"sender": "x@foreign.test", "sasl_username": "alice@example.test",
                  "recipient": "bob@example.test"}
NOT_OWNED = "553 5.7.1 not owned by user alice@example.test"


@pytest.fixture
def settings(mariadb, sqlite):
    # A reload may take what the first file named.
    return {"database": mariadb_settings(mariadb, POSTFIX_PASSWORD, path=sqlite)}


@pytest.fixture
def mumd(make_mumd, settings):
    return make_mumd(settings)


# ---- SIGTERM ----

def test_sigterm_ends_it_with_success_and_removes_its_sockets(mumd):
    assert mumd.lookup(*ALICE) == b"OK 1"
    mumd.terminate()
    assert mumd.process.wait() == 0
    assert not accepts(mumd.socketmap) and not accepts(mumd.policy)
    assert not accepts(("127.0.0.1", mumd.socketmap_port))


def test_sigterm_does_not_wait_for_idle_clients(mumd):
    with mumd.map_client() as client, mumd.policy_client() as policy:
        assert client.ask(*ALICE) == b"OK 1"
        mumd.terminate()
        assert mumd.process.wait(1.5) == 0
        assert client.read_to_end() == b"" and policy.read_to_end() == b""


def test_sigterm_answers_what_was_asked_before(mumd, mariadb):
    with mumd.map_client() as client, mumd.policy_client() as policy:
        with mariadb.locked("mailboxes", "domains", "aliases", "alias_recipients",
                            "alias_senders"):
            client.send(b"28:mailboxes alice@example.test,")
            policy.send(policy.request(**STRANGER_SENDS))
            wait_until(lambda: mariadb.sql(
                "SELECT 1 FROM information_schema.processlist WHERE user = 'mum_postfix' "
                "AND command IN ('Query', 'Execute')"), "a question waits for the lock")
            wait_until(policy.is_read, "the other request arrives")
            mumd.terminate()
            wait_until(lambda: not accepts(mumd.socketmap), "no new clients")
            assert mumd.process.running()
        assert client.reply() == b"OK 1"
        assert policy.reply() == NOT_OWNED
        assert mumd.process.wait() == 0


def test_sigterm_ends_it_while_the_database_hangs(make_mumd, settings, mariadb):
    settings["database"]["deadline"] = "500ms"
    mumd = make_mumd(settings)
    assert mumd.lookup(*ALICE) == b"OK 1"
    with mumd.map_client() as client, mariadb.paused():
        client.send(b"26:mailboxes bob@example.test,")
        wait_until(client.is_read, "the request arrives")
        mumd.terminate()
        assert client.reply().startswith(b"TEMP ")
        assert mumd.process.wait(3) == 0


def test_a_new_mumd_takes_over_what_a_killed_one_left(make_mumd, settings, lab):
    first = make_mumd(settings)
    first.process.signal(signal.SIGKILL)
    first.process.wait()
    assert first.socketmap.exists()     # nobody removed it
    first.start()
    assert first.lookup(*ALICE) == b"OK 1"


def test_a_second_mumd_leaves_the_sockets_of_the_first_alone(mumd, lab, settings):
    second = Mumd(lab, settings, name="second", sockets=mumd.sockets)
    process = second.launch()
    assert process.wait() != 0
    assert any(str(mumd.socketmap) in line for line in second.log())
    assert mumd.lookup(*ALICE) == b"OK 1"


# ---- SIGHUP ----

def test_sighup_takes_a_good_configuration_without_losing_a_client(mumd, settings):
    with mumd.policy_client() as policy, mumd.map_client() as client:
        assert policy.ask(**STRANGER_SENDS) == NOT_OWNED
        assert client.ask(*ALICE) == b"OK 1"
        mumd.write({**settings, "policy": {"sender_login": "known"}})
        mumd.reload()
        wait_until(lambda: policy.ask(**STRANGER_SENDS) == "DUNNO", "the new rule")
        assert client.ask(*ALICE) == b"OK 1"
        assert mumd.decide(**STRANGER_SENDS) == "DUNNO"
    assert mumd.process.running()


def test_sighup_takes_another_database(mumd, settings, sqlite):
    assert mumd.lookup(*ALICE) == b"OK 1"
    mumd.write({"database": sqlite_settings(sqlite), "address": {"recipient_delimiter": "-"}})
    mumd.reload()
    wait_until(lambda: mumd.lookup("mailboxes", "alice-x@example.test") == b"OK 1", "the new one")


def test_sighup_in_the_middle_of_a_lookup_answers_it(mumd, settings, mariadb):
    with mumd.map_client() as client:
        with mariadb.locked("mailboxes", "domains"):
            client.send(b"28:mailboxes alice@example.test,")
            wait_until(lambda: mariadb.sql(
                "SELECT 1 FROM information_schema.processlist WHERE user = 'mum_postfix' "
                "AND command IN ('Query', 'Execute')"), "the question waits for the lock")
            mumd.write({**settings, "policy": {"sender_login": "known"}})
            mumd.reload()
            wait_until(lambda: mumd.decide(sender="", recipient="", policy_context="sender")
                       == "DUNNO", "still served")
        assert client.reply() == b"OK 1"


@pytest.mark.parametrize("text, words", [
    ("database {\n    driver = \"oracle\"\n}\n", [":2:", "driver", "oracle"]),
    ("database {\n    driver\n", [":"]),
    ("database {\n}\nnonsense {\n}\n", ["nonsense"]),
    ("database {\n    password_file = \"/nonexistent/secret\"\n}\n",
     [":2:", "/nonexistent/secret"]),
])
def test_sighup_with_a_bad_configuration_changes_nothing_and_says_why(mumd, text, words):
    seen = len(mumd.log())
    with mumd.policy_client() as policy:
        mumd.write_text(text)
        mumd.reload()
        mumd.wait_log(str(mumd.config), *words, after=seen)
        assert policy.ask(**STRANGER_SENDS) == NOT_OWNED
    assert mumd.lookup(*ALICE) == b"OK 1"
    assert mumd.process.running()


def test_sighup_with_an_unreachable_database_changes_nothing_and_says_why(mumd, settings):
    seen = len(mumd.log())
    database = {**settings["database"], "hosts": ["unix:/nonexistent/mysqld.sock"],
                "deadline": "300ms"}
    mumd.write({"database": database, "policy": {"sender_login": "known"}})
    mumd.reload()
    mumd.wait_log("/nonexistent/mysqld.sock", after=seen)
    mumd.wait_log(str(mumd.config), after=seen)
    assert mumd.decide(**STRANGER_SENDS) == NOT_OWNED
    assert mumd.lookup("mailboxes", "bob@example.test") == b"OK 1"


@pytest.mark.memory
def test_sighup_over_and_over_leaves_nothing_behind(mumd, settings, mariadb):
    others = set(mariadb.connections())
    with mumd.map_client() as client:
        sizes = []
        for n in range(40):
            # so that the test sees when each configuration is in use
            mumd.write({**settings, "address": {"recipient_delimiter": "-+"[n % 2]}})
            mumd.reload()
            key = f"alice{'-+'[n % 2]}x{n}@example.test"
            wait_until(lambda key=key: client.ask("mailboxes", key) == b"OK 1", "the new one")
            sizes.append(mumd.rss())
        assert sizes[-1] - sizes[9] < 2 << 20
    wait_until(lambda: len(set(mariadb.connections()) - others) <= 2, "old connections end")
    assert len(os.listdir(f"/proc/{mumd.process.pid}/fd")) < 40
    assert len(os.listdir(f"/proc/{mumd.process.pid}/task")) <= 2


# ---- sockets ----

def listening_on(lab, settings, hosts, **listen):
    """A mumd, not started, to which /etc/hosts has these lines."""
    path = lab.directory("hosts") / f"{free_port()}"
    path.write_text("".join(f"{address} many.test\n" for address in hosts))
    return Mumd(lab, {**settings, **{name: {"listen": entries}
                                     for name, entries in listen.items()}},
                name=f"listening-{path.name}",
                runner=in_own_mounts(f'mount --bind {path} /etc/hosts && exec "$@"'))


def test_all_addresses_of_a_name_are_listened_on(lab, settings):
    """An address that this machine does not have is left out and logged; one that
    /etc/hosts has twice is bound once.
    """
    hosts = ("198.51.100.7", "127.0.0.1", "127.0.0.2", "127.0.0.1", "::1", "2001:db8::1")
    ports = [free_port() for _ in range(3)]
    mumd = listening_on(lab, settings, hosts)
    mumd.write({**settings, "metrics": {"listen": f"inet:many.test:{ports[2]}",
                                        "allow_remote": "true"},
                "socketmap": {"listen": [f"unix:{mumd.socketmap}", f"inet:many.test:{ports[0]}"]},
                "policy": {"listen": [f"unix:{mumd.policy}", f"inet:many.test:{ports[1]}"]}})
    mumd.start()
    for port in ports:
        for address in ("127.0.0.1", "127.0.0.2", "::1"):
            assert accepts((address, port)), (address, port)
        line, = [one for one in mumd.log() if f"listen: inet:many.test:{port}: left out " in one]
        for address in ("198.51.100.7", "2001:db8::1"):
            assert f"{address}: Cannot assign requested address" in line
        assert "warning: " in line and "127.0.0." not in line
    with SocketmapClient(("127.0.0.2", ports[0])) as client:
        assert client.ask(*ALICE) == b"OK 1"
    assert metrics.fetch(("127.0.0.2", ports[2]), "/healthz")[0] == 200
    mumd.stop()


def test_an_address_of_a_name_that_another_process_has_is_an_error(lab, settings):
    """Otherwise Postfix would ask the other process."""
    port = free_port()
    with socket.create_server(("127.0.0.2", port)):
        mumd = listening_on(lab, settings, ("127.0.0.1", "127.0.0.2"),
                            socketmap=[f"inet:many.test:{port}"])
        assert mumd.launch().wait() == 78
    assert (f"error: listen: inet:many.test:{port}: 127.0.0.2: Address already in use"
            in "\n".join(mumd.log()))


def test_a_name_without_an_address_of_this_machine_is_an_error(lab, settings):
    mumd = listening_on(lab, settings, ("198.51.100.7", "198.51.100.8"),
                        policy=["inet:many.test:9999"])
    assert mumd.launch().wait() == 78
    assert ("listen: inet:many.test:9999: 198.51.100.7: Cannot assign requested address, "
            "198.51.100.8: Cannot assign requested address" in "\n".join(mumd.log()))


# ---- configuration ----

def test_dash_t_accepts_a_good_file_and_says_nothing_of_secrets(make_mumd, settings):
    mumd = make_mumd(settings, start=False)
    status, text = mumd.check()
    assert status == 0
    assert POSTFIX_PASSWORD not in text


def test_dash_t_prints_all_errors_at_once_with_file_and_line(make_mumd, settings):
    mumd = make_mumd(settings, start=False)
    lines = [
        'database {',
        '    driver = "oracle"',
        '    connections = 0',
        '    deadline = "soon"',
        '    tls = "perhaps"',
        '    password_file = "/nonexistent/secret"',
        '    colour = "red"',
        '    hosts = {"unix:relative"}',
        '}',
        'mum { timezone = "Mars/Olympus" }',
        'socketmap { listen = {"tcp:25"} }',
        'policy {',
        '    sender_login = "sometimes"',
        '    recipient = "no"',
        '}',
        'process { socket_mode = "rw" max_clients = -1 }',
        'kitchen {',
        '}',
    ]
    mumd.write_text("\n".join(lines) + "\n")
    status, text = mumd.check()
    assert status != 0
    for number, word in [(2, "oracle"), (3, "connections"), (4, "soon"), (5, "perhaps"),
                         (6, "/nonexistent/secret"), (7, "colour"), (8, "relative"),
                         (10, "Mars/Olympus"), (11, "tcp:25"), (13, "sometimes"),
                         (14, "recipient"), (16, "socket_mode"), (16, "max_clients"),
                         (17, "kitchen")]:
        assert any(line.startswith(f"{mumd.config}:{number}: ") and word in line
                   for line in text.splitlines()), (number, word, text)


@pytest.mark.parametrize("section, option, value", [
    ("database", "tls_ca", "/nonexistent/ca.pem"),
    ("database", "hosts", ["db.example.org:65536"]),
    ("socketmap", "listen", ["inet:127.0.0.1:65536"]),
    ("policy", "listen", ["inet:127.0.0.1:smtp2"]),
    ("process", "user", "no-such-user"),
    ("process", "socket_group", "no-such-group"),
])
def test_dash_t_finds_what_would_fail_at_the_start(make_mumd, settings, section, option, value):
    settings["database"]["tls"] = "verify-full"
    settings.setdefault(section, {})[option] = value
    mumd = make_mumd(settings, start=False)
    word = value if isinstance(value, str) else value[0]
    lines = mumd.config.read_text().splitlines()
    number = 1 + next(n for n, line in enumerate(lines) if word in line)
    status, text = mumd.check()
    assert status != 0
    assert any(line.startswith(f"{mumd.config}:{number}: ") and word in line
               for line in text.splitlines()), text


def test_dash_t_stops_at_a_syntax_error_with_its_line(make_mumd, settings):
    mumd = make_mumd(settings, start=False)
    mumd.write_text('database {\n    name = "mum"\n    user = = "x"\n}\n')
    status, text = mumd.check()
    assert status != 0 and f"{mumd.config}:3: " in text


@pytest.mark.parametrize("mode, inline, status", [(0o640, True, 0), (0o644, True, 1),
                                                  (0o600, False, 0), (0o604, False, 1)])
def test_a_password_that_everybody_can_read_is_refused(make_mumd, settings, lab, mode, inline,
                                                       status):
    secret = lab.path / f"secret-{mode:o}-{inline}"
    secret.write_text(POSTFIX_PASSWORD + "\n")
    secret.chmod(mode if not inline else 0o600)
    if not inline:
        del settings["database"]["password"]
        settings["database"]["password_file"] = secret
    mumd = make_mumd(settings, start=False)
    if inline:
        mumd.config.chmod(mode)
    got, text = mumd.check()
    assert (got == 0) == (status == 0), text
    if status:
        assert "chmod" in text and str(mumd.config if inline else secret) in text


def test_a_password_file_is_used(make_mumd, settings, lab):
    secret = lab.path / "postfix.password"
    secret.write_text(settings["database"].pop("password") + "\n")
    secret.chmod(0o640)
    settings["database"]["password_file"] = secret
    assert make_mumd(settings).lookup(*ALICE) == b"OK 1"


def test_a_missing_file_is_an_error(make_mumd, settings):
    mumd = make_mumd(settings, start=False)
    mumd.config.unlink()
    status, text = mumd.check()
    assert status != 0 and str(mumd.config) in text


def test_it_does_not_start_with_a_bad_configuration(make_mumd, settings):
    mumd = make_mumd(settings, start=False)
    mumd.write_text('database { driver = "oracle" }\n')
    assert mumd.launch().wait() != 0
    assert any(f"{mumd.config}:1: " in line for line in mumd.log())
    assert not mumd.socketmap.exists()


def test_the_shipped_example_is_good(make_mumd, settings, lab, mariadb):
    """Unchanged, except for paths on this machine."""
    secret = lab.path / "example.password"
    secret.write_text(POSTFIX_PASSWORD + "\n")
    secret.chmod(0o600)
    mumd = make_mumd(settings, start=False)
    text = (TOP / "conf-examples/mum.conf").read_text()
    for old, new in [("/etc/mum/postfix.password", secret),
                     ("/run/mysqld/mysqld.sock", mariadb.socket),
                     ('# listen = {"unix:/var/spool/postfix/mum/socketmap"}',
                      f'listen = {{"unix:{mumd.socketmap}"}}'),
                     ('# listen = {"unix:/var/spool/postfix/mum/policy"}',
                      f'listen = {{"unix:{mumd.policy}"}}'),
                     ('# user = "mum" ', 'user = "nobody"')]:
        assert old in text
        text = text.replace(old, str(new))
    mumd.write_text(text)
    status, output = mumd.check()
    assert status == 0, output
    assert mumd.start().lookup(*ALICE) == b"OK 1"


def test_the_shipped_example_shows_each_default(make_mumd, settings):
    """With the comment signs removed, it has no errors except for files that this machine
    does not have.
    """
    text = (TOP / "conf-examples/mum.conf").read_text().splitlines()
    shown = [line.replace("# ", "", 1) if line.startswith("    # ") and " = " in line else line
             for line in text]
    mumd = make_mumd(settings, start=False)
    mumd.write_text("\n".join(shown) + "\n")
    _, output = mumd.check()
    for line in output.splitlines():
        assert "/etc/mum/postfix.password" in line or "mum.sqlite" in line \
            or '"mum"' in line or "/var/spool/postfix/mum" in line, output


@pytest.mark.memory
def test_it_says_why_it_cannot_go_into_the_background(make_mumd, settings):
    """Its user may start no more processes."""
    mumd = make_mumd(settings, start=False)
    result = run("prlimit", "--nproc=0", mumd.program(), "-c", mumd.config, check=False)
    assert result.returncode == 71
    assert "error: cannot go into the background: " in result.stderr


def heaps(pid):
    """How many more than the first one: glibc reserves 64 MB for each, of which it uses little."""
    sizes = [[int(end, 16) for end in line.split()[0].split("-")]
             for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
             if line.split()[1] == "---p" and len(line.split()) == 5]
    return sum(48 << 20 < end - start < 64 << 20 for start, end in sizes)


@pytest.mark.memory
def test_threads_that_connect_have_no_heap_of_their_own(make_mumd, settings):
    mumd = make_mumd(settings)
    assert mumd.lookup(*ALICE) == b"OK 1"
    assert heaps(mumd.process.pid) == 0


# ---- privileges and the log ----

def test_it_runs_without_privileges_on_sockets_for_postfix_only(mumd):
    status = pathlib.Path(f"/proc/{mumd.process.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    nobody = pwd.getpwnam("nobody")
    assert set(fields["Uid"].split()) == {str(nobody.pw_uid)}
    assert set(fields["Gid"].split()) == {str(nobody.pw_gid)}
    assert "0" not in fields["Groups"].split()
    assert int(fields["CapEff"], 16) == 0 and int(fields["CapPrm"], 16) == 0
    assert fields["NoNewPrivs"] == "1"      # without the unit
    for path in (mumd.socketmap, mumd.policy):
        info = path.stat()
        assert stat.S_IMODE(info.st_mode) == 0o660
        assert info.st_gid == pwd.getpwnam("postfix").pw_gid


def test_the_password_is_nowhere_to_be_seen(mumd):
    assert mumd.lookup(*ALICE) == b"OK 1"
    process = pathlib.Path(f"/proc/{mumd.process.pid}")
    for name in ("cmdline", "environ"):
        assert POSTFIX_PASSWORD.encode() not in (process / name).read_bytes()
    assert POSTFIX_PASSWORD not in "\n".join(mumd.log())


def test_a_key_cannot_forge_a_line_in_the_log(make_mumd, settings):
    mumd = make_mumd({**settings, "policy": {"recipient": "warn", "sender": "warn"}})
    seen = len(mumd.log())
    for value in ("a\x1b[2J@example.test", "x@example.test\rforged", "ü\u202e@example.test"):
        mumd.lookup("nosuch", value)
        mumd.lookup("nosuch\nforged line", value)
        mumd.decide(sender=value, recipient="sendonly@example.test", sasl_username=value)
    text = mumd.log_path.read_bytes()
    assert b"\x1b" not in text and b"\r" not in text
    assert not any(line.startswith("forged") for line in mumd.log()[seen:])
