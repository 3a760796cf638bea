# SPDX-License-Identifier: MIT
"""What only MySQL does. Only tests/mysql/run runs this file."""

import pytest

from asker import ALICE, NO_CACHE, MixedAsker
from lab import MariaDB, PrivateCa, sample, wait_until
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mum_dovecot import MumDovecot
from lab.mumd import mariadb_settings


@pytest.fixture(scope="module")
def authority(lab):
    return PrivateCa(lab.path / "mysql-ca")


@pytest.fixture(scope="module")
def server(lab, authority):
    """A server with a certificate for localhost."""
    server = MariaDB(lab, "db-mysql")
    certificate, key = authority.issue("mysql", "DNS:localhost,IP:127.0.0.1")
    server.use_tls(certificate, key, authority.certificate)
    return server.start().load_mum(sample.mariadb_text())


@pytest.fixture
def over(make_mumd, server, authority):
    """over(host, **more): a mumd without a cache over that host of the server."""
    def make(host, **more):
        hosts = [f"unix:{server.socket}" if host == "unix" else f"{host}:{server.port}"]
        return make_mumd({"database": mariadb_settings(
            server, POSTFIX_PASSWORD, hosts=hosts, tls_ca=authority.certificate, **more),
            "cache": NO_CACHE})
    return make


WAYS = {
    "unix socket": ("unix", {}),
    "loopback in plain text": ("127.0.0.1", {"tls": "off"}),
    "verify-full by name": ("localhost", {"tls": "verify-full"}),
    "verify-full by address": ("127.0.0.1", {"tls": "verify-full"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_login_needs_no_warm_cache_of_passwords(over, server, way):
    """If the server has no hash of the password in memory, caching_sha2_password asks for
    the password itself: encrypted by TLS or by its RSA key, or over a unix socket.
    """
    host, more = WAYS[way]
    server.sql("FLUSH PRIVILEGES")
    with MixedAsker(over(host, **more), pause=0) as asker:
        wait_until(lambda: len(asker.answers) > 50, "answers")
    assert asker.failures() == []


def test_verify_ca_is_refused_and_says_what_to_do(over):
    mumd = over("localhost", tls="verify-ca", deadline="500ms")
    assert mumd.lookup(*ALICE).startswith(b"TEMP ")
    assert any("(5010)" in line and 'set tls = "verify-full"' in line for line in mumd.log())


def test_connections_that_are_killed_are_invisible(over, server):
    with MixedAsker(over("unix"), pause=0) as asker:
        for _ in range(20):
            for connection in server.connections():
                server.sql(f"KILL {connection}", check=False)
            asked = len(asker.answers)
            wait_until(lambda asked=asked: len(asker.answers) > asked + 5, "answers")
    assert asker.failures() == []


def test_a_restart_is_waited_for(over, server):
    mumd = over("unix")
    assert mumd.lookup(*ALICE) == b"OK 1"
    server.stop()
    assert mumd.lookup(*ALICE).startswith(b"TEMP ")
    server.start()
    wait_until(lambda: mumd.lookup(*ALICE) == b"OK 1", "recovery")


def test_the_auth_module_logs_in_with_a_cold_cache(lab, server):
    server.sql("FLUSH PRIVILEGES")
    dovecot = MumDovecot(lab, mariadb_settings(server, DOVECOT_PASSWORD),
                         name="mysql-dovecot").start()
    assert dovecot.user("alice@example.test")["home"]
