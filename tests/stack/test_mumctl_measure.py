# SPDX-License-Identifier: MIT
"""mumctl measure: a real Dovecot's sizes in MUM's table, read as MUM reads it."""

import concurrent.futures
import contextlib
import datetime
import re
import shutil
import sqlite3

import pytest

from dovecot_stores import STORES
from fakes.fault_proxy import FaultProxy
from lab import Mumctl
from lab.lab import ENVIRONMENT, TOP, run, wait_until
from lab.mum_dovecot import MAIL_USER, MumDovecot
from lab.mumctl import binary
from mumctl_world import World

PASSWORD = "measure's password"

# As Eloquent asks: sizeMeasurements() of a mailbox and a domain, ofRootFolder().
OF_ONE = ("SELECT size, created_at FROM size_measurements WHERE measurable_id = {id} AND "
          "measurable_id IS NOT NULL AND measurable_type = {type}")
OF_ALL = ("SELECT size, created_at FROM size_measurements WHERE measurable_id IS NULL AND "
          "measurable_type IS NULL ORDER BY created_at DESC")
DELETE_OLD = "DELETE FROM size_measurements WHERE created_at < '{before}'"


class Measured(World):
    """A World whose Dovecot is in mumctl's PATH, and whose measuring user has its grants."""

    def __init__(self, lab, name):
        super().__init__(lab, name, "measure")
        self.secret = self._secret("measure.password", PASSWORD, "root", 0o600)
        if name == "mariadb":
            self.store.server.sql(grants(), database="mum")
        self.ctl = self.ctl_with()
        self.dovecot = MumDovecot(lab, self.store.settings, f"measure-dc-{name}",
                                  settings="auth_username_chars =\n").start()

    def settings(self):
        settings = super().settings()
        if hasattr(self, "secret"):
            settings["measure"] = {"password_file": self.secret}
        return settings

    def rows(self, sql):
        """[(size, created_at), ...], as text."""
        if self.name == "mariadb":
            return [tuple(row) for row in self.store.server.sql(sql, database="mum")]
        with contextlib.closing(sqlite3.connect(self.store.path)) as connection:
            return [tuple(map(str, row)) for row in connection.execute(sql)]

    def inserts(self):
        """Statements so far; SQLite does not count them."""
        if self.name != "mariadb":
            return 0
        return int(self.store.server.sql("SHOW GLOBAL STATUS LIKE 'Com_insert'")[0][1])

    def sizes(self, what, number):
        kind = self.store.literal(f"App\\{what}")
        return [int(size) for size, _ in self.rows(OF_ONE.format(id=number, type=kind))]

    def whole(self):
        return [int(size) for size, _ in self.rows(OF_ALL)]

    def mail(self, number, *sizes, folder=""):
        """A new home with mails of these sizes, as their names say; or one more folder there."""
        home = self.store.mail / f"h{number}"
        if not folder and home.exists():
            shutil.rmtree(home)
        directory = home / "Maildir" / folder
        for name in ("cur", "new", "tmp"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        for n, size in enumerate(sizes):
            (directory / "cur" / f"{n}.M1.h,S={size},W={size}:2,S").write_text("x" * 30)
        run("chown", "-R", f"{MAIL_USER}:", self.store.mail)
        return directory

    def measure(self, *arguments, doveadm=None, ctl=None):
        """doveadm: the shell that takes its place, of this world's unless told."""
        return (ctl or self.ctl).run("measure", *arguments, environment={
            "PATH": self._path_with(doveadm or self.doveadm())})

    def measure_on_terminal(self, doveadm):
        path = self._path_with(doveadm)
        return Mumctl(self.ctl.config, ["env", f"PATH={path}"]).on_terminal("measure")

    def _path_with(self, doveadm):
        folder = self.lab.directory(f"measure-bin-{self.name}")
        script = folder / "doveadm"
        script.write_text(f"#!/bin/sh\n{doveadm}\n")
        script.chmod(0o755)
        return f"{folder}:{ENVIRONMENT['PATH']}"

    def doveadm(self, config=None):
        return f'exec {self.dovecot.doveadm_in_shell(config)} "$@"'


def grants():
    """The lines of grants.sql that are commented out, for whoever wants them."""
    text = (TOP / "conf-examples/grants.sql").read_text()
    lines = re.findall(r"^-- ((?:CREATE|GRANT) .*mum_measure.*;)$", text, re.MULTILINE)
    assert len(lines) == 2
    return "\n".join(lines).replace("change-me-measure", PASSWORD.replace("'", "''"))


@pytest.fixture(scope="module", params=list(STORES))
def module_world(lab, request):
    world = Measured(lab, request.param)
    yield world
    world.dovecot.stop()


@pytest.fixture
def world(module_world):
    yield module_world
    module_world.store.run("DELETE FROM size_measurements")


def test_what_mum_reads(world):
    """anna 1 MiB and a bit, the rest empty; scanner and gone have no mail for Dovecot."""
    world.mail(1, 1 << 20, 100)
    seen = world.measure()
    assert (seen.status, seen.seen) == (0, "1 mailboxes, 3 domains, 1025 KiB in all\n")
    assert world.sizes("Mailbox", 1) == [1025]
    assert world.sizes("Domain", 1) == [1025]
    assert world.sizes("Domain", 2) == [0]      # without mailboxes
    assert world.whole() == [1025]
    # send-only, inactive, and an inactive domain
    assert [world.sizes("Mailbox", 2), world.sizes("Mailbox", 3), world.sizes("Domain", 3)] == [
        [], [], []]
    # what a name is to Eloquent is not another one's
    assert world.rows("SELECT COUNT(*), COUNT(DISTINCT measurable_type) FROM size_measurements"
                      ) == [("5", "2")]


def test_times_are_those_of_mum(world):
    """UTC, whatever the server's zone, in both columns, and deleted when they are old."""
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)
    assert world.measure().status == 0
    times = {row for row in world.rows("SELECT created_at, updated_at FROM size_measurements")}
    (created, updated), = times
    assert created == updated
    assert before <= datetime.datetime.fromisoformat(created) <= before + datetime.timedelta(
        minutes=1)
    world.store.run(DELETE_OLD.format(before=before - datetime.timedelta(days=1)))
    assert world.whole()
    world.store.run(DELETE_OLD.format(before=before + datetime.timedelta(days=1)))
    assert not world.whole()


def test_json(world):
    world.mail(1, 2048)
    seen = world.measure("--json")
    assert (seen.status, seen.stderr) == (0, "")
    result = seen.json()
    assert result == {"result": "found", "source": "quota", "mailboxes": 1, "domains": 3,
                      "kib": world.whole()[0], "failed": []}


# ---- a mailbox that fails ----

@contextlib.contextmanager
def mailbox(world, local, domain="example.test", **columns):
    """Its id; it is gone afterwards."""
    address = world.store.add(local, domain, **columns)
    found = world.rows("SELECT MAX(id) FROM mailboxes")
    try:
        yield int(found[0][0])
    finally:
        world.store.remove(address)


def test_mailbox_that_fails_has_no_row(world):
    """Nor have its domain and the whole; the others have theirs."""
    world.mail(1, 4096)
    with mailbox(world, "idn", "bücher.test"), mailbox(world, "rel", homedir="relative") as bad:
        seen = world.measure("--json")
        assert (seen.status, seen.stderr.count("\n")) == (75, 1)
        assert "<rel@example.test>: no size" in seen.stderr and "doveadm says:" in seen.stderr
        assert seen.json() == {"result": "temporary", "source": "quota", "mailboxes": 2,
                               "domains": 2, "kib": None, "failed": ["rel@example.test"]}
        assert world.sizes("Mailbox", 1) == [4] and world.sizes("Mailbox", bad) == []
        assert world.sizes("Domain", 1) == [] and world.sizes("Domain", 4) == [0]
        assert world.whole() == []


def test_folder_that_cannot_be_read(world):
    """A sum without it would be wrong: neither quota nor vsize counts then."""
    for config in (None, without_quota(world)):
        world.mail(1, 4096)
        broken = world.mail(1, 4096, folder=".Broken")
        broken.chmod(0)
        try:
            seen = world.measure("--json", doveadm=world.doveadm(config))
        finally:
            broken.chmod(0o700)
            run("rm", "-r", broken)
        assert (seen.status, seen.json()["failed"]) == (75, ["anna@example.test"])
        assert seen.json()["source"] == ("vsize" if config else "quota")
        assert world.sizes("Mailbox", 1) == [] and world.whole() == []


def without_quota(world, line="quota"):
    """dovecot.conf without the lines that hold this, and without the block of 2.4."""
    path = world.dovecot.directory / "no-quota.conf"
    text = re.sub(r'^quota ".*" \{\n\}\n', "", world.dovecot.config.read_text(), flags=re.M)
    path.write_text("".join(one for one in text.splitlines(True)
                            if line not in one or "rcpt" in one))
    return path


@pytest.mark.parametrize("line", ["quota", "quota = count"], ids=["no plugin", "no root"])
def test_without_quota_all_folders_count(world, line):
    world.mail(1, 1500, 5000)
    world.mail(1, 100, folder=".Sent")
    seen = world.measure("--json", doveadm=world.doveadm(without_quota(world, line)))
    run("rm", "-r", world.store.mail / "h1/Maildir/.Sent")
    assert (seen.status, seen.json()["source"], seen.stderr) == (0, "vsize", "")
    assert world.sizes("Mailbox", 1) == [7] == world.whole()


# ---- names, rights, races ----

NAMES = ["Ben.Mixed", "o'brien", "with space", "jörg", "a/b", "100%"]


def test_any_name_has_its_size(world):
    with contextlib.ExitStack() as stack:
        ids = [stack.enter_context(mailbox(world, name)) for name in NAMES]
        ids.append(stack.enter_context(mailbox(world, "other", "bücher.test")))
        for n, number in enumerate(ids, 2):
            world.mail(number, 1024 * n)
        seen = world.measure()
        assert (seen.status, seen.stderr) == (0, "")
        assert [world.sizes("Mailbox", number) for number in ids] == [
            [n] for n, _ in enumerate(ids, 2)]
        assert world.sizes("Domain", 4) == [len(ids) + 1]


def test_name_that_nobody_can_have(world):
    """An import of a catch-all: Dovecot lists it, and knows nobody of this name."""
    with mailbox(world, ""):
        assert world.measure().status == 0
        assert len(world.whole()) == 1


def test_user_may_insert_and_nothing_else(world):
    if world.name == "sqlite":      # test_inspect.c
        return
    for statement in ("SELECT size FROM size_measurements", "SELECT id FROM mailboxes",
                      "DELETE FROM size_measurements", "UPDATE size_measurements SET size = 1"):
        result = world.store.server.sql(statement, "mum_measure", PASSWORD, "mum", check=False)
        assert "denied" in result.stderr


@contextlib.contextmanager
def no_table(world):
    with world.changed(("ALTER TABLE size_measurements RENAME TO away",
                        "ALTER TABLE away RENAME TO size_measurements")):
        yield


@contextlib.contextmanager
def no_mailboxes(world):
    with world.store.trouble("renamed table"):
        yield


def trigger(world):
    """The last row, that of the whole, is refused."""
    body = ("FOR EACH ROW SET NEW.size = IF(NEW.measurable_type IS NULL, "
            "(SELECT 1 UNION SELECT 2), NEW.size)" if world.name == "mariadb" else
            "WHEN NEW.measurable_type IS NULL BEGIN SELECT RAISE(FAIL, 'no'); END")
    return world.changed((f"CREATE TRIGGER no_whole BEFORE INSERT ON size_measurements {body}",
                          "DROP TRIGGER no_whole"))


@pytest.mark.parametrize("trouble, status", [(no_table, 78), (no_mailboxes, 78), (trigger, 75)],
                         ids=lambda value: getattr(value, "__name__", ""))
def test_all_or_nothing_is_written(world, trouble, status):
    with trouble(world):
        seen = world.measure()
        assert (seen.status, seen.stdout, seen.stderr.count("\n")) == (status, "", 1)
    assert world.rows("SELECT COUNT(*) FROM size_measurements") == [("0",)]


def test_database_that_breaks_off(world):
    """In the middle of the mailboxes, or of the rows that it is given. SQLite has no network."""
    if world.name == "sqlite":
        return
    proxy = FaultProxy(world.directory / "proxy", world.store.server.socket)
    ctl = world.ctl_with(database={"hosts": [f"unix:{proxy.address}"]})
    with proxy:
        assert world.measure(ctl=ctl).status == 0
        rows = world.rows("SELECT COUNT(*) FROM size_measurements")
        with many(world, 2000, world.directory) as doveadm:
            for count in (300, 20000):
                proxy.cut(count)
                seen = world.measure(doveadm=doveadm, ctl=ctl)
                assert (seen.status, seen.stdout, seen.stderr.count("\n")) == (75, "", 1), count
            proxy.heal()
            assert world.rows("SELECT COUNT(*) FROM size_measurements") == rows


def test_wrong_password(world):
    """SQLite has none."""
    ctl = world.ctl_with(measure={"password_file": world.postfix_password})
    seen = world.measure(ctl=ctl)
    assert (seen.status, len(world.whole())) == ((75, 0) if world.name == "mariadb" else (0, 1))


def test_mailbox_deleted_meanwhile(world):
    """It has neither failed nor a row; one that was made meanwhile is not expected."""
    asked, answer = (world.directory / name for name in ("asked", "answer"))
    doveadm = (f"touch {asked}; while [ ! -e {answer} ]; do sleep 0.05; done; "
               f"printf 'anna@example.test\\tq\\tSTORAGE\\t5\\t-\\t0\\n'")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with mailbox(world, "short") as number:
            seen = pool.submit(world.measure, doveadm=doveadm)
            wait_until(asked.exists, "doveadm")
        with mailbox(world, "new"):
            answer.write_text("")
            assert (seen.result().status, seen.result().stderr) == (0, "")
    assert world.whole() == [5] and world.sizes("Mailbox", number) == []
    asked.unlink()
    answer.unlink()


# ---- what doveadm may print ----

ROW = "anna@example.test\tUser quota\tSTORAGE\t5\t-\t0\n"

HOSTILE = {
    "nothing": ("", []),
    "no row at all": ("Username\tvsize\n", []),
    "cut in the last row": (ROW[:-1], []),
    "the first of two roots counts": (ROW + ROW.replace("5", "7"), [5]),
    "an error": (ROW.replace("5", "error"), []),
    "a negative size": (ROW.replace("5", "-5"), []),
    "a size beyond all disks": (ROW.replace("5", "9" * 18), []),
    "others": (ROW.replace("anna", "stranger") + ROW, [5]),
    "junk": ("\t\n\n\x01\x80\t\t\t\t\t\n" + "x" * 100000 + "\n" + ROW, [5]),
    "a long name": (ROW.replace("anna", "a" * 5000), []),
    "a NUL byte": ("\0" + ROW, []),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_output_of_doveadm(world, case, tmp_path):
    printed, sizes = HOSTILE[case]
    (tmp_path / "out").write_text(printed, encoding="latin-1")
    seen = world.measure(doveadm=f"cat {tmp_path}/out")
    assert (seen.status, world.sizes("Mailbox", 1)) == (0 if sizes else 75, sizes)
    assert world.whole() == sizes


def test_doveadm_that_complains_a_lot(world):
    """Of all its lines the first one is shown, on one line, and clean."""
    lines = "for n in 1 2 3; do printf 'bad \\033[1m%s\\n' $n >&2; done; "
    for doveadm, said in ((lines, "bad \\x1b[1m1"), (
            lines + "echo doveadm: Error: worse >&2; echo Fatal: end >&2; ", "doveadm: Error: worse")):
        seen = world.measure(doveadm=doveadm + "exit 1")
        assert (seen.status, seen.stderr.count("\n")) == (75, 1)
        assert seen.stderr.endswith(f"doveadm says: {said}\n")


def test_sums_of_an_end_that_nobody_is_named_for(world):
    """Without quota: whose folder was it?"""
    with_end = 'case $* in *quota*) exit 64;; esac; printf "anna@example.test\\t5\\n"; exit '
    seen = world.measure("--json", doveadm=with_end + "75")
    assert (seen.status, seen.json()["failed"]) == (75, ["anna@example.test"])
    assert world.measure(doveadm=with_end + "0").status == 0
    assert world.whole() == [1]


def test_doveadm_that_hangs(world):
    """It is killed. Sizes that it has printed count; where there is none, vsize is not tried."""
    asked = world.directory / "asked-while-it-hangs"
    ctl = world.ctl_with(measure={"deadline": "1s"})
    for row, sizes in (("", []), (ROW, [5])):
        asked.write_text("")
        seen = world.measure(doveadm=f"echo >> {asked}; printf '{row}'; exec sleep 600", ctl=ctl)
        assert seen.status == 75
        assert "measure: doveadm printed nothing for 1 s, and was killed\n" in seen.stderr
        assert (world.sizes("Mailbox", 1), world.whole()) == (sizes, sizes)
        assert asked.read_text() == "\n"


# ---- the timer ----

def test_units_are_right(tmp_path):
    for name in ("mum-measure.service", "mum-measure.timer"):
        text = (TOP / "conf-examples/systemd" / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/sbin/mumctl measure", f"{binary()} measure"))
    run("systemd-analyze", "verify", "--man=no", tmp_path / "mum-measure.timer")
    assert f"ExecStart={binary()} measure\n" in (tmp_path / "mum-measure.service").read_text()


# ---- many ----

MANY = 100_000


@contextlib.contextmanager
def many(world, count, tmp_path):
    """So many mailboxes besides; the shell that prints their sizes as doveadm does."""
    with open(tmp_path / "out", "w", encoding="utf-8") as out:
        out.write(ROW)
        out.writelines(ROW.replace("anna", f"m{n}") for n in range(10, 10 + count))
    try:
        world.add_many(count)
        yield f"cat {tmp_path}/out"
    finally:
        for condition in ("alias_recipients WHERE alias_id", "aliases WHERE id",
                          "mailboxes WHERE id"):
            world.store.run(f"DELETE FROM {condition} >= 10")


def test_all_or_nothing_of_several_statements(world, tmp_path):
    with many(world, 1500, tmp_path) as doveadm, trigger(world):
        assert world.measure(doveadm=doveadm).status == 75
    assert world.rows("SELECT COUNT(*) FROM size_measurements") == [("0",)]


@pytest.mark.many
def test_many_mailboxes(world, tmp_path):
    """In few statements, with progress on a terminal; Dovecot's part is played by a file."""
    with many(world, MANY, tmp_path) as doveadm:
        before = world.inserts()
        seen = world.measure_on_terminal(doveadm)
        assert world.inserts() - before < 150
        assert seen.status == 0
        assert f"mumctl: measure: 1000 of {MANY + 1}\r" in seen.seen
        assert seen.seen.endswith(f"{MANY + 1} mailboxes, 3 domains, {5 * (MANY + 1)} KiB in all\r\n")
        assert world.whole() == [5 * (MANY + 1)]
        assert world.rows("SELECT COUNT(*) FROM size_measurements") == [(str(MANY + 5),)]
