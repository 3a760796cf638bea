# SPDX-License-Identifier: MIT
"""What the stack tests share: servers that live as long as the run."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lab import Lab, MailRecorder, MariaDB, Mumd, free_port, sample  # noqa: E402
from lab.dovecot_language import dovecot_language  # noqa: E402
from lab.mariadb import POSTFIX_PASSWORD  # noqa: E402
from lab.mumd import has_landlock, mariadb_settings, sqlite_settings  # noqa: E402
from servers import Stack  # noqa: E402

# All but "long" meet the build without sanitizers in ./check, all other tests the one that has
# them. "many" and "long" are for ./check --all.
MARKERS = {
    "auth_module": "loads the auth module; the run without sanitizers loads one that has them, too",
    "memory": "measures memory, reads it, or limits it or what else sanitizers need",
    "other_programs": "units, packages, rules, a cluster, pages: no other way through the code",
    "many": "asks the same over and over: no other way through the code",
    "long": "waits, builds or moves a machine for half a minute or more",
}


def pytest_configure(config):
    for name, text in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {text}")


# These take minutes. They come first; otherwise one process might still run one of them
# when all others have ended.
LONG = ["test_soak.py", "test_migration.py", "test_manuals.py", "test_dovecot_failure.py",
        "test_mumctl.py", "test_systemd.py", "test_mumctl_check_ways.py"]


def left_out():
    """{file: why its tests are not run here}"""
    return {name: why for name, here, why in [
        ("test_dovecot_24.py", dovecot_language().settings_module, "Dovecot 2.3 is installed"),
        ("test_mumctl_compare_24.py", dovecot_language().settings_module, "Dovecot 2.3 is installed"),
        ("test_mysql.py", "LAB_MYSQL" in os.environ, "tests/mysql/run has a MySQL"),
        ("test_sandbox.py", has_landlock(), "this kernel has no landlock, or a filter forbids it"),
    ] if not here}


def pytest_collection_modifyitems(items):
    absent = left_out()
    items[:] = [item for item in items if item.path.name not in absent]
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_terminal_summary(terminalreporter, config):
    """A line for each file that was left out of those that were asked for."""
    asked = {pathlib.Path(argument.partition("::")[0]).name for argument in config.args
             if ".py" in argument}
    for name, why in left_out().items():
        if not asked or name in asked:
            terminalreporter.write_line(f"left out: {name}: {why}")


@pytest.fixture(scope="session")
def lab():
    with Lab() as lab:
        yield lab


@pytest.fixture(scope="session")
def mariadb(lab):
    """MUM's sample data in MariaDB. Tests must not change it."""
    return MariaDB(lab).start().load_mum(sample.mariadb_text())


@pytest.fixture(scope="session")
def database(lab):
    """The same in a server that tests may stop, kill and hang. Each test must leave it
    running and as it was.
    """
    return MariaDB(lab, "db-faults").start().load_mum(sample.mariadb_text())


@pytest.fixture(scope="session")
def sqlite(lab):
    """The path of MUM's sample data in SQLite. Tests must not change it."""
    path = lab.path / "mum.sqlite"
    sample.write_sqlite(path)
    return path


@pytest.fixture(scope="session")
def outside(lab):
    """Everybody else's mail server."""
    return lab.own(MailRecorder(("127.0.0.1", free_port())))


@pytest.fixture(scope="session")
def stacks(lab, outside, mariadb, sqlite):
    """Each stack by its database, made when it is first needed."""
    databases = {"mariadb": mariadb_settings(mariadb, POSTFIX_PASSWORD),
                 "sqlite": sqlite_settings(sqlite)}
    made = {}

    def get(name):
        if name not in made:
            made[name] = Stack(lab, outside, name, databases[name])
        return made[name]
    return get


@pytest.fixture(scope="session", params=["mariadb", "sqlite"])
def stack(request, stacks):
    return stacks(request.param)


@pytest.fixture
def make_mumd(lab):
    """make_mumd(settings) is a started mumd that ends with the test."""
    made = []

    def make(settings, start=True, **options):
        made.append(Mumd(lab, settings, name=f"m{len(list(lab.path.iterdir()))}", **options))
        return made[-1].start() if start else made[-1]
    yield make
    for mumd in made:
        mumd.stop()
