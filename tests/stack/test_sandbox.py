# SPDX-License-Identifier: MIT
"""mumd locks itself in: what it cannot do any more, and what it still can."""

import signal

import pytest

from lab import wait_until
from lab.lab import give
from lab.mariadb import POSTFIX_PASSWORD
from lab.mumd import GROUP, USER, mariadb_settings, sqlite_settings
from lab.preload import Preloaded, build

pytestmark = pytest.mark.memory

ALICE = ("mailboxes", "alice@example.test")
ANSWER = 2048       # tests/fakes/intruder.c


class Intruder(Preloaded):
    """A program that is run with .runner does what it is told."""

    def order(self, mumd, what, path):
        """The name of the error, or None."""
        text = f"{what} {path}".encode() + b"\0"
        self.memory[ANSWER] = 0
        self.memory[:len(text)] = text
        mumd.process.signal(signal.SIGUSR2)
        wait_until(lambda: self.memory[ANSWER], "an answer")
        answer = self.memory[ANSWER:].partition(b"\0")[0].decode()
        return None if answer == "0" else answer


@pytest.fixture(scope="module")
def intruder(lab):
    return Intruder(build(lab, "intruder"), "MUM_INTRUDER", lab.path / "intruder", 4096)


@pytest.fixture(scope="module")
def database(lab, sqlite):
    """In a folder of its own, for mumd may change what is below it."""
    path = lab.directory("locked-in", USER, GROUP) / "mum.sqlite"
    path.write_bytes(sqlite.read_bytes())
    return path


@pytest.fixture
def elsewhere(lab):
    """A folder in which mumd's user may do everything, and which mum.conf does not name."""
    folder = lab.directory("elsewhere", USER, GROUP)
    (folder / "empty").mkdir(exist_ok=True)
    give(folder / "empty", USER, GROUP)
    (folder / "file").write_text("for everybody\n")
    (folder / "file").chmod(0o666)
    return folder


ORDERS = [("list", "{}"), ("read", "{}/file"), ("write", "{}/file"), ("empty", "{}/file"),
          ("remove", "{}/file"), ("create", "{}/new"), ("folder", "{}/new-folder"),
          ("unfolder", "{}/empty"), ("fifo", "{}/new-fifo"), ("link", "{}/new-link"),
          ("run", "/bin/true")]


@pytest.mark.parametrize("sandbox, answer", [("true", "EACCES"), ("false", None)],
                         ids=["locked in", "free"])
def test_who_breaks_in_reaches_no_other_folder(make_mumd, database, intruder, elsewhere, sandbox,
                                              answer):
    mumd = make_mumd({"database": sqlite_settings(database), "process": {"sandbox": sandbox}},
                     runner=intruder.runner)
    answers = {what: intruder.order(mumd, what, path.format(elsewhere)) for what, path in ORDERS}
    assert answers == {what: answer for what, _ in ORDERS}
    assert mumd.lookup(*ALICE) == b"OK 1"


def test_a_folder_has_the_rights_that_mumd_needs(make_mumd, database, intruder):
    mumd = make_mumd({"database": sqlite_settings(database)}, runner=intruder.runner)
    for folder in (mumd.directory, mumd.sockets):
        give(folder, USER, GROUP)
    for what, path, answer in [
            ("read", "/etc/hosts", None), ("create", "/etc/new", "EACCES"),
            ("read", mumd.config, None), ("write", mumd.config, "EACCES"),
            ("create", mumd.directory / "new", "EACCES"),
            ("create", mumd.sockets / "new", "EACCES"), ("remove", mumd.policy, None),
            ("create", database.parent / "new", None), ("remove", database.parent / "new", None),
            ("folder", database.parent / "new", "EACCES"), ("run", "/bin/true", "EACCES")]:
        assert intruder.order(mumd, what, path) == answer, (what, path)


def test_one_line_says_so(make_mumd, database):
    mumd = make_mumd({"database": sqlite_settings(database)})
    said, = [line for line in mumd.log() if "locked in" in line]
    folders = f"{database.parent.resolve()}, {mumd.sockets.resolve()}"
    assert said.endswith(f"locked in: starts no program, writes only in {folders}")
    free = make_mumd({"database": sqlite_settings(database), "process": {"sandbox": "false"}})
    assert [line for line in free.log() if "locked in" in line] == []


def reloaded(mumd, how):
    seen = len(mumd.log())
    mumd.reload()
    wait_until(lambda: any("reload: " in line and how in line for line in mumd.log()[seen:]), how)


def test_a_file_in_the_place_of_another_is_read(make_mumd, database):
    """As an editor saves it."""
    mumd = make_mumd({"database": sqlite_settings(database)})
    new = mumd.directory / "mum.conf.new"
    new.write_text(mumd.config.read_text() + 'cache { ttl = "1s" }\n')
    give(new, "root", GROUP)
    new.chmod(0o640)
    new.rename(mumd.config)
    reloaded(mumd, ": done")
    other = database.with_name("other")
    other.write_bytes(database.read_bytes())
    other.rename(database)
    assert mumd.lookup(*ALICE) == b"OK 1"


# What mum.conf names, by option: settings from the database's settings and a folder.
NAMED = {
    "path": lambda settings, folder: {"database": {**settings, "path": folder / "mum.sqlite"}},
    "tls_ca": lambda settings, folder: {"database": {**settings, "tls_ca": folder / "ca.pem"}},
    "send_state": lambda settings, folder: {"database": settings, "policy": {
        "send": "enforce", "send_state": folder / "senders"}},
    "send_socket": lambda settings, folder: {"database": settings, "policy": {
        "send": "enforce", "send_socket": folder / "senders.sock"}},
    "socketmap.listen": lambda settings, folder: {"database": settings, "socketmap": {
        "listen": f"unix:{folder}/socketmap"}},
    "metrics.listen": lambda settings, folder: {"database": settings, "metrics": {
        "listen": f"unix:{folder}/metrics"}},
}


@pytest.mark.parametrize("option", NAMED)
def test_a_reload_that_needs_another_folder_is_refused(make_mumd, database, elsewhere, mariadb, option):
    mumd = make_mumd({"database": sqlite_settings(database)})
    settings = (mariadb_settings(mariadb, POSTFIX_PASSWORD) if option == "tls_ca" else sqlite_settings(database))
    (elsewhere / "mum.sqlite").write_bytes(database.read_bytes())
    (elsewhere / "ca.pem").write_text("")
    mumd.write(NAMED[option](settings, elsewhere))
    reloaded(mumd, "going on with the old configuration")
    why, = [line for line in mumd.log() if "process.sandbox" in line]
    assert f"without the folder {elsewhere.resolve()}" in why and "restart it" in why
    assert mumd.lookup(*ALICE) == b"OK 1"
    mumd.stop()
    seen = len(mumd.log())
    mumd.launch()
    mumd.wait_log(" ready", after=seen)


def test_a_password_file_in_another_folder_is_read_after_a_restart(make_mumd, mariadb, elsewhere):
    settings = mariadb_settings(mariadb, POSTFIX_PASSWORD)
    mumd = make_mumd({"database": settings})
    file = elsewhere / "password"
    file.write_text(POSTFIX_PASSWORD + "\n")
    give(file, USER, GROUP)
    file.chmod(0o600)
    mumd.write({"database": {**settings, "password": "", "password_file": file}})
    reloaded(mumd, "going on with the old configuration")
    assert any(f"{file}: Permission denied" in line for line in mumd.log())
    assert any("locked itself in" in line and "restart it" in line for line in mumd.log())
    assert mumd.lookup(*ALICE) == b"OK 1"
    mumd.stop()
    assert mumd.start().lookup(*ALICE) == b"OK 1"


def test_a_link_is_followed_to_its_folder(make_mumd, database, elsewhere):
    link = elsewhere / "linked.sqlite"
    link.symlink_to(database)
    mumd = make_mumd({"database": sqlite_settings(link)})
    assert mumd.lookup(*ALICE) == b"OK 1"
