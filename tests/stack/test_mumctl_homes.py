# SPDX-License-Identifier: MIT
"""mumctl homes: what lies on the disk, against what rows name."""

import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest

from dovecot_stores import STORES
from fakes.fault_proxy import FaultProxy
from lab import Mumctl
from lab.lab import ENVIRONMENT, run
from lab.mum_dovecot import MAIL_USER, MumDovecot
from mumctl_world import World


class Disk(World):
    """A World with a folder for homes, root: MUM's own layout below it."""

    def __init__(self, lab, name):
        super().__init__(lab, name, "homes")
        self.root = lab.directory(f"disk-{name}", MAIL_USER)
        self.ids = iter(range(1001, 9999))
        self.store.run("DELETE FROM mailboxes")     # those of World have homes elsewhere

    def folder(self, *parts, file="cur/1", owner=MAIL_USER):
        """One with a file in it, as a text."""
        path = self.root.joinpath(*parts)
        place = path / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("mail")
        run("chown", "-R", f"{owner}:", path)
        return str(path)

    @contextlib.contextmanager
    def mailboxes(self, *rows):
        """Of (local part, {column: value}); homedir is MUM's unless given."""
        made = []
        for local, columns in rows:
            columns = {"domain_id": 1, **columns}
            home = str(self.root / "example.test" / local)
            made.append(("mailboxes", {
                "id": next(self.ids), "local_part": local, "password": "x", "homedir": home,
                "maildir": f"maildir:{columns.get('homedir', home)}:LAYOUT=fs", **columns}))
        with self.rows(made):
            yield

    def homes(self, *arguments, ctl=None):
        return (ctl or self.ctl).run("homes", *arguments)

    def found(self, *arguments):
        """The report, without commands and numbers: {"orphans": [path], ...}"""
        seen = self.homes("--json", *arguments)
        report = seen.json()
        grave = any(report[kind] for kind in ("orphans", "shared", "nested"))
        assert (seen.status, seen.stderr, report["complete"]) == (int(grave), "", True)
        return {
            "orphans": [item["path"] for item in report["orphans"]],
            "shared": [(item["path"], *item["mailboxes"]) for item in report["shared"]],
            "nested": [(item["mailbox"], item["inside"]) for item in report["nested"]],
            "missing": [item["mailbox"] for item in report["missing"]]}


def want(**kinds):
    return {"orphans": [], "shared": [], "nested": [], "missing": [], **kinds}


@pytest.fixture(scope="module", params=list(STORES))
def module_disk(lab, request):
    return Disk(lab, request.param)


@pytest.fixture
def disk(module_disk):
    yield module_disk
    for path in module_disk.root.iterdir():
        path.unlink() if path.is_symlink() or not path.is_dir() else shutil.rmtree(path)


ANNA = ("anna", {})


# ---- what belongs ----

def test_folder_without_a_mailbox(disk):
    ben = disk.folder("example.test", "ben")
    disk.folder("example.test", "anna")
    with disk.mailboxes(ANNA):
        assert disk.found() == want(orphans=[ben])


@pytest.mark.parametrize("columns", [
    {}, {"active": 0}, {"send_only": 1}, {"domain_id": 3}, {"homedir": "{root}/example.test/x/"},
    {"homedir": "{root}//example.test/./x"}, {"homedir": "{root}/example.test/../example.test/x"},
    {"homedir": "/nowhere/x", "maildir": "maildir:{root}/example.test/x"},
    {"homedir": "/nowhere/x", "maildir": "mdbox:~/mail:INDEX={root}/example.test/x"},
    {"homedir": "/nowhere/x", "maildir": "maildir:~/m:SHINY:INDEX={root}/example.test/x/"},
    {"homedir": "/nowhere/x", "maildir": "maildir:{root}/example.test/x/deep/er"},
    {"homedir": "/nowhere/x", "maildir": "maildir:{root}/example.test/%n"},
    {"homedir": "{root}/link", "maildir": "maildir:~/m"},
], ids=str)
def test_any_row_keeps_it(disk, columns):
    """As long as anything that it stores names the folder, or something in it."""
    disk.folder("example.test", "anna")
    home = disk.folder("example.test", "x")
    os.symlink(home, disk.root / "link")
    columns = {name: value.format(root=disk.root) if isinstance(value, str) else value
               for name, value in columns.items()}
    with disk.mailboxes(ANNA, ("x", columns)):
        assert home not in disk.found("--under", disk.root)["orphans"]


def test_what_is_in_a_home_is_its_owners(disk):
    """A home in a home: the folder that it is in is no place to look for others."""
    disk.folder("example.test", "anna")
    disk.folder("example.test", "anna", "Archive")
    with disk.mailboxes(ANNA, ("anna/Archive", {})):
        assert disk.found("--under", disk.root / "example.test/anna") == want(
            nested=[("anna/Archive@example.test", "anna@example.test")])


def test_deleted_domain_wants_under(disk):
    gone = disk.folder("gone.test", "ben")
    disk.folder("example.test", "anna")
    carl = disk.folder("example.test", "carl")
    with disk.mailboxes(ANNA):
        assert disk.found() == want(orphans=[carl])
        assert disk.found("--under", disk.root) == want(
            orphans=[carl, str(pathlib.Path(gone).parent)])


def test_homes_of_the_system_are_not_ours(disk):
    """A mailbox has moved among them."""
    system = {line.split(":")[5] for line in pathlib.Path("/etc/passwd").read_text().splitlines()}
    with disk.mailboxes(ANNA, ("odd", {"homedir": "/var/odd", "maildir": "maildir:/var/odd"})):
        assert not set(disk.found()["orphans"]) & system


def test_files_and_links_are_no_homes(disk):
    disk.folder("example.test", "anna")
    other = disk.folder("elsewhere", "y")
    os.symlink(other, disk.root / "example.test/y")
    (disk.root / "example.test/lost+found").mkdir()
    (disk.root / "example.test/file").write_text("")
    with disk.mailboxes(ANNA):
        assert disk.found() == want()


# ---- missing, shared, nested ----

def test_missing_homes(disk):
    """Neither home nor mail is there; for the exit status that is nothing yet."""
    disk.folder("example.test", "anna")
    disk.folder("mail", "ben")
    with disk.mailboxes(ANNA, ("ben", {"maildir": f"maildir:{disk.root}/mail/ben"}),
                        ("carl", {}), ("send", {"send_only": 1}), ("off", {"active": 0})):
        assert disk.found() == want(missing=["carl@example.test", "off@example.test"])
        seen = disk.homes()
        assert seen.status == 0
        assert seen.stdout == (
            f"missing: {disk.root}/example.test/carl: of <carl@example.test>\n"
            f"missing: {disk.root}/example.test/off: of <off@example.test>, inactive\n"
            "0 orphans, 0 shared, 0 nested, 2 missing\n")


def test_shared_homes(disk):
    """By a slash, by a link, and the home of one that is the mail of another."""
    home = disk.folder("example.test", "anna")
    os.symlink(home, disk.root / "link")
    with disk.mailboxes(ANNA, ("ben", {"homedir": home + "/", "maildir": "maildir:~/m"}),
                        ("carl", {"homedir": f"{disk.root}/link", "maildir": "maildir:~/n"}),
                        ("dora", {"homedir": "/nowhere", "maildir": f"mdbox:{home}"})):
        assert disk.found() == want(shared=[(
            home, *(f"{name}@example.test" for name in ("anna", "ben", "carl", "dora")))])


def test_nested_homes(disk):
    disk.folder("example.test", "anna", "deep")
    with disk.mailboxes(ANNA, ("ben", {"homedir": f"{disk.root}/example.test/anna/deep"}),
                        ("anna2", {})):
        found = disk.found()
        assert found["nested"] == [("ben@example.test", "anna@example.test")]
        assert found["shared"] == []
        assert (f"nested: {disk.root}/example.test/anna/deep: of <ben@example.test>, inside that "
                "of <anna@example.test>\n") in disk.homes().stdout


# A row with id 9999 is there from the second connection on that reads mailboxes.
LATER = """
RENAME TABLE mailboxes TO all_mailboxes;
CREATE TABLE readers (id INT PRIMARY KEY);
DELIMITER //
CREATE FUNCTION readings() RETURNS INT MODIFIES SQL DATA
BEGIN
    INSERT IGNORE INTO readers VALUES (CONNECTION_ID());
    RETURN (SELECT COUNT(*) FROM readers);
END //
DELIMITER ;
CREATE VIEW mailboxes AS SELECT * FROM all_mailboxes WHERE id <> 9999 OR readings() > 1
"""
SOONER = """
DROP VIEW mailboxes;
DROP FUNCTION readings;
DROP TABLE readers;
RENAME TABLE all_mailboxes TO mailboxes
"""


def test_mailbox_made_meanwhile(disk):
    """Its home was nobody's when the disk was read."""
    if disk.name == "sqlite":       # the same code, and no such view
        return
    disk.folder("example.test", "anna")
    disk.folder("example.test", "new")
    with disk.mailboxes(ANNA, ("new", {"id": 9999})), disk.changed((LATER, SOONER)):
        assert disk.found() == want()
        assert disk.store.server.sql("SELECT COUNT(*) FROM mum.readers") == [["2"]]


# ---- commands, sizes ----

NAMES = ["plain", "with space", "it's", 'double"quote', "$(touch pwned)", "`id`", "-rf", "new\nline",
         "esc\x1b[31m", "tab\t", "back\\slash", "jörg", "c1\u0085", b"latin\xe9", "*", "~", "#x", "!"]


def test_commands_move_exactly_what_was_named(disk):
    disk.folder("example.test", "anna")
    root = os.fsencode(disk.root / "example.test")
    for name in NAMES:
        os.mkdir(root + b"/" + os.fsencode(name))
    run("chown", "-R", f"{MAIL_USER}:", disk.root)
    with disk.mailboxes(ANNA):
        seen = disk.homes()
    assert seen.status == 1
    script = seen.stdout[seen.stdout.index("\n# "):]
    assert not set(seen.stdout) & set(map(chr, [*range(10), *range(11, 32), 127, 0x85]))
    archive = disk.root / "archive"
    script = script.replace("archive=/var/backups/", f"archive={disk.root}/")
    where = next(line for line in script.splitlines() if line.startswith("archive="))
    result = subprocess.run(["bash", "-e"], input=script.encode("utf-8", "surrogateescape"),
                            cwd=disk.root, env=ENVIRONMENT, capture_output=True)
    assert (result.returncode, result.stderr) == (0, b"")
    archive = pathlib.Path(where.partition("=")[2])
    moved = {name.partition(b"-")[2] for name in os.listdir(os.fsencode(archive))}
    assert moved == set(map(os.fsencode, NAMES))
    assert os.listdir(root) == [b"anna"] and not (disk.root / "pwned").exists()


def test_what_root_owns_has_no_command(disk):
    disk.folder("example.test", "anna")
    disk.folder("example.test", "scripts", owner="root")
    with disk.mailboxes(ANNA):
        assert disk.homes("--json").json()["orphans"][0]["command"] is None
        assert f"root's own, so no mailbox had it: {disk.root}/example.test/scripts\n" in (
            disk.homes().stdout)


def test_sizes_and_ages(disk):
    disk.folder("example.test", "anna")
    home = pathlib.Path(disk.folder("example.test", "ben"))
    (home / "cur/2").write_bytes(b"x" * 1_000_000)
    os.symlink("/usr", home / "link")
    for path in (home / "cur/1", home / "cur/2", home / "link"):
        os.utime(path, (1, 86400 * 365), follow_symlinks=False)
    with disk.mailboxes(ANNA):
        item, = disk.homes("--size", "--json").json()["orphans"]
        assert 970 < item["kib"] < 1100 and item["changed"] == "1971-01-01T00:00:00Z"
        assert "KiB, last change 1971-01-01\n" in disk.homes("--size").stdout
        assert "kib" not in disk.homes("--json").json()["orphans"][0]


# ---- in trouble ----

def want_nothing(seen, status=75):
    assert (seen.status, seen.stdout, seen.stderr.count("\n")) == (status, "", 1)


def test_database_without_an_answer(disk):
    disk.folder("example.test", "ben")
    if disk.name == "mariadb":
        with disk.store.server.paused():
            want_nothing(disk.homes())
    else:
        with disk.store.trouble("locked database"):
            want_nothing(disk.homes())


def test_database_that_breaks_off(lab, disk):
    """In the middle of the rows: homes that the rest of them names would be nobody's. SQLite has
    no network."""
    if disk.name == "sqlite":
        return
    disk.folder("example.test", "ben")
    proxy = FaultProxy(lab.directory("homes-proxy") / "socket", disk.store.server.socket)
    ctl = disk.ctl_with(database={"hosts": [f"unix:{proxy.address}"]})
    with proxy, disk.mailboxes(*((f"user{number}", {}) for number in range(2000))):
        whole = disk.homes(ctl=ctl)
        assert whole.status == 1 and f"{disk.root}/example.test/ben" in whole.stdout
        total = proxy.answered
        assert total > 100000
        for count in (total // 2, total - 100):
            proxy.cut(count)
            want_nothing(disk.homes(ctl=ctl))


def test_database_without_the_table(disk):
    with disk.store.trouble("renamed table"):
        want_nothing(disk.homes(), 78)


def test_empty_database(disk):
    disk.folder("example.test", "ben")
    want_nothing(disk.homes("--under", disk.root), 78)


def test_home_that_cannot_be_looked_at(disk):
    """Nobody knows then what belongs."""
    disk.folder("example.test", "anna")
    (disk.root / "example.test").chmod(0o700)
    with disk.mailboxes(ANNA), as_nobody(disk) as ctl:
        seen = disk.homes(ctl=ctl)
    assert seen.status == 75 and seen.stdout == "" and "Permission denied" in seen.stderr


def test_folder_that_cannot_be_read(disk):
    """The rest is printed, and the status says that it is not all."""
    disk.folder("example.test", "anna")
    disk.folder("gone.test", "ben")
    (disk.root / "example.test").chmod(0o711)
    with disk.mailboxes(ANNA), as_nobody(disk) as ctl:
        seen = disk.homes("--json", "--under", disk.root, ctl=ctl)
    report = seen.json()
    assert (seen.status, report["complete"], len(report["orphans"])) == (75, False, 1)
    assert "not all could be read" in seen.stderr


@contextlib.contextmanager
def as_nobody(disk):
    """mumctl as a user who may read mum.conf and little else."""
    ctl = disk.ctl_with()
    paths = [ctl.config, disk.dovecot_password, disk.postfix_password]
    for path in paths:
        run("chgrp", "nogroup", path)
        path.chmod(0o640)
    ctl._prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    try:
        yield ctl
    finally:
        run("chgrp", "root", disk.dovecot_password)
        disk.dovecot_password.chmod(0o600)


@pytest.mark.parametrize("arguments, status", [
    (["--under"], 64), (["--under", "relative"], 64), (["--under", "/"], 64),
    (["--under", "/usr/../"], 64), (["--under", "/nowhere"], 66), (["anna"], 64),
], ids=str)
def test_wrong_usage(disk, arguments, status):
    seen = disk.homes(*arguments)
    assert (seen.status, seen.stdout) == (status, "")


# ---- with Dovecot ----

def test_what_dovecot_made(disk, lab):
    """A mailbox gets mail, and is deleted; another is made with its name."""
    dovecot = MumDovecot(lab, disk.store.settings, f"homes-dc-{disk.name}").start()
    try:
        with disk.mailboxes(ANNA, ("ben", {})):
            for name in ("anna", "ben"):
                dovecot.doveadm("save", "-u", f"{name}@example.test", input="Subject: x\n\nx\n",
                                check=True)
            assert disk.found() == want()
        with disk.mailboxes(ANNA):
            assert disk.found() == want(orphans=[f"{disk.root}/example.test/ben"])
    finally:
        dovecot.stop()


# ---- many ----

MANY, THERE = 100_000, 1000


@pytest.mark.many
@pytest.mark.memory
def test_many_homes(disk):
    """The last of them are there, and as many folders that are nobody's; in 128 MB."""
    folder = disk.root / "example.test"
    for n in range(MANY - THERE, MANY + THERE):
        os.makedirs(folder / f"m{n}")
    disk._insert_many(
        "mailboxes (id, local_part, domain_id, password, homedir, maildir)",
        [f"({2000 + n}, 'm{n}', 1, 'x', '{folder}/m{n}', 'maildir:{folder}/m{n}:LAYOUT=fs')"
         for n in range(MANY)])
    try:
        seen = Mumctl(disk.ctl.config, ["prlimit", f"--data={128 << 20}"]).run("homes", "--json")
    finally:
        disk.store.run("DELETE FROM mailboxes WHERE id >= 2000")
    assert (seen.status, seen.stderr) == (1, "")
    assert {item["path"] for item in seen.json()["orphans"]} == {
        f"{folder}/m{n}" for n in range(MANY, MANY + THERE)}
    assert len(seen.json()["missing"]) == MANY - THERE
