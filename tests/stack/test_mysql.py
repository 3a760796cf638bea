# SPDX-License-Identifier: MIT
"""What MySQL does in another way than MariaDB. Only tests/mysql/run runs this file."""

import pytest

from asker import ALICE, NO_CACHE, MixedAsker
from lab import MariaDB, Mumctl, PrivateCa, hashes, sample, wait_until
from lab.lab import TOP, run
from lab.manual import commands
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mum_dovecot import MumDovecot
from lab.mumd import GROUP, mariadb_settings
from mumctl_world import World

USER = "alice@example.test"


@pytest.fixture(scope="module")
def authority(lab):
    return PrivateCa(lab.path / "mysql-ca")


@pytest.fixture(scope="module")
def server(lab, authority):
    """A server with a certificate for localhost, where alice has the password "secret"."""
    server = MariaDB(lab, "db-mysql")
    certificate, key = authority.issue("mysql", "DNS:localhost,IP:127.0.0.1")
    server.use_tls(certificate, key, authority.certificate)
    server.start().load_mum(sample.mariadb_text())
    server.sql(f"UPDATE mum.mailboxes SET password = '{hashes.bcrypt(cost=4)}' WHERE id = 1")
    return server


@pytest.fixture
def settings(server, authority):
    """settings(password, host, **more): of section database, for that host of the server."""
    def make(password, host, **more):
        hosts = [f"unix:{server.socket}" if host == "unix" else f"{host}:{server.port}"]
        return mariadb_settings(server, password, hosts=hosts, tls_ca=authority.certificate,
                                **more)
    return make


@pytest.fixture
def over(make_mumd, settings):
    """over(host, **more): a mumd without a cache over that host of the server."""
    def make(host, **more):
        return make_mumd({"database": settings(POSTFIX_PASSWORD, host, **more),
                          "cache": NO_CACHE})
    return make


@pytest.fixture
def dovecot_over(lab, settings):
    """dovecot_over(host, **more): a Dovecot with the module over that host of the server."""
    made = []

    def make(host, **more):
        number = len(list(lab.path.iterdir()))
        made.append(MumDovecot(lab, settings(DOVECOT_PASSWORD, host, **more),
                               name=f"mysql-dovecot-{number}"))
        return made[-1].start()
    yield make
    for dovecot in made:
        dovecot.stop()


WAYS = {
    "unix socket": ("unix", {}),
    "loopback in plain text": ("127.0.0.1", {"tls": "off"}),
    "verify-full by name": ("localhost", {"tls": "verify-full"}),
    "verify-full by address": ("127.0.0.1", {"tls": "verify-full"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_mumd_needs_no_warm_cache_of_passwords(over, server, way):
    """If the server has no hash of the password in memory, caching_sha2_password asks for
    the password itself: encrypted by TLS or by its RSA key, or over a unix socket.
    """
    host, more = WAYS[way]
    server.sql("FLUSH PRIVILEGES")
    with MixedAsker(over(host, **more), pause=0) as asker:
        wait_until(lambda: len(asker.answers) > 50, "answers")
    assert asker.failures() == []


@pytest.mark.parametrize("way", WAYS)
def test_a_login_needs_no_warm_cache_of_passwords(dovecot_over, server, way):
    host, more = WAYS[way]
    server.sql("FLUSH PRIVILEGES")
    dovecot = dovecot_over(host, **more)
    assert dovecot.login(USER, "secret") == "ok"
    assert dovecot.login(USER, "wrong") == "refused"
    assert dovecot.user(USER)["home"]


def test_a_login_over_tls_where_the_account_requires_it(dovecot_over, server):
    """Without TLS it is a temporary failure, not a wrong password."""
    server.sql("ALTER USER mum_dovecot@'127.0.0.1' REQUIRE SSL; FLUSH PRIVILEGES")
    try:
        host, more = WAYS["verify-full by address"]
        assert dovecot_over(host, **more).login(USER, "secret") == "ok"
        plain = dovecot_over(host, tls="off")
        assert plain.login(USER, "secret") == "temp_fail"
    finally:
        server.sql("ALTER USER mum_dovecot@'127.0.0.1' REQUIRE NONE")


def test_verify_ca_is_refused_and_says_what_to_do(over, dovecot_over):
    mumd = over("localhost", tls="verify-ca", deadline="500ms")
    assert mumd.lookup(*ALICE).startswith(b"TEMP ")
    assert any("(5010)" in line and 'set tls = "verify-full"' in line for line in mumd.log())
    cures = [one["mend"] for one in Mumctl(mumd.config).findings()
             if one["code"] == "database-unreachable"]
    assert cures and all('database.tls = "verify-full"' in cure for cure in cures)
    dovecot = dovecot_over("localhost", tls="verify-ca")
    assert dovecot.login(USER, "secret") == "temp_fail"
    assert 'set tls = "verify-full"' in dovecot.log_path.read_text()


# ---- grants ----

@pytest.fixture(scope="module")
def world(lab):
    return World(lab, "mariadb", "mysql")


def test_the_grants_of_the_readme(world):
    """Its block of commands, word for word, but for the folders and the administrator's login."""
    block = next(one.text for one in commands("README.md") if "grants.sql <<" in one.text)
    block = block.replace("/usr/share/doc/mumd/examples", str(TOP / "conf-examples"))
    block = block.replace("/etc/mum/", f"{world.directory}/").replace("-g mum ", f"-g {GROUP} ")
    for path in (world.postfix_password, world.dovecot_password):
        path.unlink()
    world.store.run("DROP USER mum_postfix@localhost, mum_dovecot@localhost")
    client = f"command mariadb --no-defaults -u root -S {world.store.server.socket}"
    run("sh", "-euc", f'mariadb() {{ {client} "$@"; }}\n{block}')
    world.mumd.reload()
    domain = ("domains", "example.test")
    wait_until(lambda: world.mumd.lookup(*domain) == b"OK example.test", "a login")
    result = world.ctl.run("check")
    assert result.stdout == "0 errors, 0 warnings\n", result.seen
