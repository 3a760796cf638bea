# SPDX-License-Identifier: MIT
"""MariaDB over TCP: encrypted and with a proven server, or not at all."""

import contextlib

import pytest

from lab import MariaDB, Mumctl, PrivateCa, sample, wait_until
from fakes.rogue_mariadb import RogueMariaDB
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import mariadb_settings

ALICE = ("mailboxes", "alice@example.test")


class Certificates:
    """Certificates for our server, for another one, and from another authority."""

    def __init__(self, directory):
        self.ca = PrivateCa(directory / "ca")
        self.stranger = PrivateCa(directory / "stranger", "Another CA")
        own = "DNS:localhost, IP:127.0.0.1"
        self.good = (*self.ca.issue("server", own), self.ca.certificate)
        self.other_name = (*self.ca.issue("other", "DNS:other.test, IP:127.0.0.2"),
                           self.ca.certificate)
        self.by_stranger = (*self.stranger.issue("server", own), self.stranger.certificate)


@pytest.fixture(scope="module")
def certificates(lab):
    return Certificates(lab.directory("certificates"))


@pytest.fixture(scope="module")
def plain(lab):
    """A server without TLS that nobody else uses."""
    return MariaDB(lab, "db-plain").start().load_mum(sample.mariadb_text())


@pytest.fixture(scope="module")
def server(lab, certificates):
    database = MariaDB(lab, "db-tls")
    database.use_tls(*certificates.good)
    return database.start().load_mum(sample.mariadb_text())


@pytest.fixture
def over_tcp(make_mumd, certificates):
    def make(database, host="localhost", **more):
        settings = {"driver": "mariadb", "hosts": [f"{host}:{database.port}"], "name": "mum",
                    "user": "mum_postfix", "password": POSTFIX_PASSWORD, "deadline": "1s",
                    "tls": "verify-full", "tls_ca": certificates.ca.certificate, **more}
        return make_mumd({"database": settings, "cache": {"ttl": "0s", "stale": "0s"}})
    return make


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("tls", ["verify-full", "verify-ca"])
def test_a_proven_server_is_used_with_encryption(over_tcp, server, host, tls):
    accepted = int(server.sql("SHOW STATUS LIKE 'Ssl_finished_accepts'")[0][1])
    mumd = over_tcp(server, host, tls=tls)
    with mumd.map_client() as client:
        for n in range(200):
            assert client.ask("mailboxes", f"alice+{n}@example.test") == b"OK 1"
        assert client.ask("aliases", "limit@big.test").startswith(b"OK r00000")
    assert int(server.sql("SHOW STATUS LIKE 'Ssl_finished_accepts'")[0][1]) > accepted
    # a user that may not log in over plain text gets in
    server.sql("ALTER USER mum_postfix@'127.0.0.1' REQUIRE SSL")
    server.disconnect("mum_postfix")
    try:
        wait_until(lambda: mumd.lookup(*ALICE) == b"OK 1", "with REQUIRE SSL", timeout=3)
    finally:
        server.sql("ALTER USER mum_postfix@'127.0.0.1' REQUIRE NONE")


def test_a_server_that_requires_tls(make_mumd, over_tcp, server):
    """Over a unix socket it needs none. Who comes without it is told what is wrong."""
    with server.variable("require_secure_transport", 1):
        assert over_tcp(server).lookup(*ALICE) == b"OK 1"
        unix = mariadb_settings(server, POSTFIX_PASSWORD)
        assert make_mumd({"database": unix}).lookup(*ALICE) == b"OK 1"
        mumd = over_tcp(server, tls="off", deadline="300ms")
        assert mumd.lookup(*ALICE).startswith(b"TEMP ")
        why = [line for line in mumd.log() if f":{server.port}: " in line]
        assert len(why) == 1 and "error: " in why[0] and "fix [database]" in why[0], why


def test_a_lookup_over_tls_does_not_delay_others(over_tcp, server):
    """TLS sockets of the client library block unless we prevent it."""
    mumd = over_tcp(server)
    with mumd.map_client() as blocked, mumd.map_client() as other:
        for table, key in (ALICE, ("tls-policies", "null.test")):
            other.ask(table, key)
        with server.locked("tls_policies"):
            blocked.send(b"22:tls-policies null.test,")
            for n in range(50):
                other.settimeout(0.25)
                assert other.ask("mailboxes", f"bob+{n}@example.test") == b"OK 1"
        blocked.reply()


def refused(mumd, database, logged_in=False):
    """A temporary failure, a line that says why, and no statement on the server."""
    with database.general_log() as path:
        assert mumd.lookup(*ALICE).startswith(b"TEMP ")
        assert mumd.decide(sender="x@foreign.test", recipient="alice@example.test") == \
            "DEFER_IF_PERMIT 4.3.0 temporary lookup failure"
        database.sql("SELECT 'the end of the log'")
        text = path.read_text(errors="replace")
    assert "the end of the log" in text
    assert logged_in or "mum_postfix" not in text
    assert "domains" not in text and "max_statement_time" not in text
    assert database.connections() == []
    why = [line for line in mumd.log() if f":{database.port}: " in line]
    assert len(why) == 1 and ("TLS" in why[0] or "encrypted" in why[0]), mumd.log()
    assert POSTFIX_PASSWORD not in "\n".join(mumd.log())


@pytest.mark.parametrize("tls", ["verify-full", "verify-ca"])
def test_a_server_without_tls_is_refused(over_tcp, plain, tls):
    # verify-ca must log in to see that the connection is not encrypted, but then asks
    # nothing
    refused(over_tcp(plain, tls=tls), plain, logged_in=tls == "verify-ca")


@pytest.mark.parametrize("plugin", [b"mysql_clear_password", b"dialog", b"sha256_password",
                                    b"caching_sha2_password"])
@pytest.mark.parametrize("tls", ["verify-full", "verify-ca"])
def test_a_server_in_the_middle_does_not_get_the_password(over_tcp, tls, plugin):
    with RogueMariaDB(plugin) as rogue:
        mumd = over_tcp(rogue, tls=tls)
        assert mumd.lookup(*ALICE).startswith(b"TEMP ")
        wait_until(lambda: any("database localhost" in line for line in mumd.log()),
                   "the refusal is logged")
        assert (b"mum_postfix" in rogue.heard) == (tls == "verify-ca")
        assert POSTFIX_PASSWORD.encode() not in rogue.heard and rogue.answers == 0
        if tls == "verify-ca":      # with which no account of MySQL 9 can log in
            assert any('set tls = "verify-full"' in line for line in mumd.log())
            cures = {one["mend"] for one in Mumctl(mumd.config).findings()
                     if one["code"] == "database-unreachable"}
            assert ['database.tls = "verify-full"' in cure for cure in cures] == [True]


@contextlib.contextmanager
def certificate_of(server, certificates, another):
    server.use_tls(*another)
    server.reload_tls()
    try:
        yield
    finally:
        server.use_tls(*certificates.good)
        server.reload_tls()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_server_of_another_name_is_refused(over_tcp, server, certificates, host):
    with certificate_of(server, certificates, certificates.other_name):
        refused(over_tcp(server, host), server)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_verify_ca_checks_only_the_authority(over_tcp, server, certificates, host):
    with certificate_of(server, certificates, certificates.other_name):
        assert over_tcp(server, host, tls="verify-ca").lookup(*ALICE) == b"OK 1"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("tls", ["verify-full", "verify-ca"])
def test_a_server_of_a_foreign_authority_is_refused(over_tcp, server, certificates, tls, host):
    refused(over_tcp(server, host, tls=tls, tls_ca=certificates.stranger.certificate), server)


def test_the_server_is_used_once_it_is_fixed(over_tcp, server, certificates):
    with certificate_of(server, certificates, certificates.by_stranger):
        mumd = over_tcp(server)
        assert mumd.lookup(*ALICE).startswith(b"TEMP ")
    wait_until(lambda: mumd.lookup(*ALICE) == b"OK 1", "the good certificate", timeout=3)


def test_loopback_needs_no_tls_by_default(make_mumd, plain):
    for host in ("localhost", "127.0.0.1"):
        mumd = make_mumd({"database": mariadb_settings(plain, POSTFIX_PASSWORD,
                                                       hosts=[f"{host}:{plain.port}"])})
        assert mumd.lookup(*ALICE) == b"OK 1"
