# SPDX-License-Identifier: MIT
"""A private MariaDB, and certificates of a private authority for it."""

import contextlib
import re
import shlex
import shutil
import signal
import subprocess
import time

from .lab import (ENVIRONMENT, LabError, Process, TOP, free_port, give, in_own_mounts, run, tail,
                  wait_until)

POSTFIX_PASSWORD = "postfix-secret-canary"
DOVECOT_PASSWORD = "dovecot-secret-canary"


# The collation that MUM's migrations give each table, whatever the database's default.
COLLATION = "utf8mb4_unicode_ci"


def schema(default=None, collations=None):
    """Statements that make MUM's database and tables; see MariaDB.load_mum()."""
    text = (TOP / "tests/lab/schema-mariadb.sql").read_text()
    if default is not None:
        text = text.replace("CREATE DATABASE mum;", f"CREATE DATABASE mum COLLATE {default};")
    for table, collation in (collations or {}).items():
        text, count = re.subn(
            rf"(CREATE TABLE {table} .*?)CHARACTER SET utf8mb4 COLLATE {COLLATION}",
            rf"\1CHARACTER SET {collation.partition('_')[0]} COLLATE {collation}",
            text, count=1, flags=re.DOTALL)
        if count != 1:
            raise LabError(f"MUM has no table {table}")
    return text


class PrivateCa:
    """Certificates of an authority that nobody else trusts."""

    def __init__(self, directory, name="Lab CA"):
        self._directory = directory
        self.certificate = directory / "ca.pem"
        self._key = directory / "ca.key"
        directory.mkdir(parents=True, exist_ok=True)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", f"/CN={name}",
            "-keyout", self._key, "-out", self.certificate)

    def issue(self, name, san):
        """(certificate, key) for the names in san, such as "DNS:localhost"."""
        certificate, key = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        request, extension = self._directory / f"{name}.csr", self._directory / f"{name}.ext"
        extension.write_text(f"subjectAltName = {san}\n")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey",
            self._key, "-CAcreateserial", "-days", "30", "-extfile", extension,
            "-out", certificate)
        return certificate, key


class Session:
    """An open client session, for locks. Statements run one after the other."""

    def __init__(self, argv, log):
        self._log = log
        self._marks = 0
        with open(log, "wb") as out:
            self._child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=out,
                                           stderr=out, env=ENVIRONMENT)

    def execute(self, statement):
        """Returns when the server has done it."""
        self._marks += 1
        mark = f"mark-{self._marks}"
        self._child.stdin.write(f"{statement};\nSELECT '{mark}';\n".encode())
        self._child.stdin.flush()
        wait_until(lambda: mark in self._log.read_text(), f"{statement}: {tail(self._log)}")

    def close(self):
        self._child.stdin.close()
        self._child.wait(10)


class MariaDB:
    """A server of our own on a unix socket and a free port of 127.0.0.1.

    settings are more lines of my.cnf. root: a directory with another Debian, whose server
    runs; None for this machine's.
    """

    SHOWS_HASHES = True     # in SHOW GRANTS

    def __init__(self, lab, name="db", settings=(), root=None):
        self._lab = lab
        self._root = root
        self._more = list(settings)
        self.directory = lab.directory(name, "mysql")
        self.socket = self.directory / "mysqld.sock"
        self.port = free_port()
        self.process = None
        self.config = self.directory / "my.cnf"
        self._error_log = self.directory / "error.log"
        self._sessions = 0
        self._tls = []
        self._install()

    @property
    def address(self):
        """For a proxy that hands TCP on: the server sees TCP, too, as MySQL's login wants it."""
        return ("127.0.0.1", self.port)

    def _settings(self):
        return [
            "[mysqld]",
            f"datadir={self.directory}/data",
            f"socket={self.socket}",
            f"pid-file={self.directory}/mysqld.pid",
            f"tmpdir={self.directory}/scratch",
            f"port={self.port}",
            "bind-address=127.0.0.1",
            "skip-name-resolve",
            "user=mysql",
            f"log-error={self._error_log}",
            "character-set-server=utf8mb4",     # as Debian has it; the collation is the server's
            "innodb_buffer_pool_size=64M",
            "innodb_log_file_size=8M",
            "innodb_flush_log_at_trx_commit=2",
            "performance_schema=OFF",
            *self._tls,
            *self._more,
        ]

    def _of_root(self, *argv):
        """argv of a program of that root, which sees the lab's directory where we see it."""
        if self._root is None:
            return argv
        lab, root = shlex.quote(str(self._lab.path)), shlex.quote(str(self._root))
        return in_own_mounts(f"mkdir -p {root}{lab}\nmount --bind {lab} {root}{lab}\n"
                             f'exec chroot {root} "$@"') + list(argv)

    def _install(self):
        """A lab makes one fresh data directory; other servers of that root copy it."""
        for name in ("data", "scratch"):
            self._lab.directory(self.directory / name, "mysql", mode=0o700)
        self.config.write_text("\n".join(self._settings()) + "\n")
        template = self._lab.path / f"db-template{str(self._root or '').replace('/', '-')}"
        if not template.exists():
            run(*self._of_root("mariadb-install-db", f"--defaults-file={self.config}",
                               "--user=mysql", "--auth-root-authentication-method=socket",
                               "--skip-test-db"))
            run("cp", "-a", self.directory / "data", template)
        else:
            shutil.rmtree(self.directory / "data")
            run("cp", "-a", template, self.directory / "data")

    def use_tls(self, certificate, key, ca):
        """Takes effect with the next start(), or at once with reload_tls()."""
        for source, name in ((certificate, "tls.pem"), (key, "tls.key"), (ca, "tls-ca.pem")):
            target = self.directory / name
            shutil.copyfile(source, target)
            give(target, "mysql")
        self._tls = [f"ssl-cert={self.directory}/tls.pem", f"ssl-key={self.directory}/tls.key",
                     f"ssl-ca={self.directory}/tls-ca.pem"]

    def reload_tls(self):
        self.sql("FLUSH SSL")

    def start(self, wait=True, options=()):
        """options: of mariadbd's command line, for this time only."""
        self.config.write_text("\n".join(self._settings()) + "\n")
        self.process = Process(
            self._of_root("mariadbd", f"--defaults-file={self.config}", *options),
            self.directory / "out.log")
        self._lab.at_end(self.process.kill)     # nobody needs its data any more
        if wait:
            self.wait()
        return self

    def wait(self):
        def up():
            if not self.process.running():
                raise LabError(f"mariadbd ended:\n{tail(self._error_log)}")
            return self.accepts()
        wait_until(up, f"mariadbd:\n{tail(self._error_log)}", timeout=60, interval=0.02)

    def accepts(self):
        return run("mariadb-admin", "--no-defaults", "-S", self.socket, "--connect-timeout=2",
                   "ping", check=False).returncode == 0

    def stop(self):
        if self.process is not None:
            self.process.stop(timeout=30)

    def kill(self):
        self.process.kill()

    @contextlib.contextmanager
    def paused(self):
        """The server hangs: it accepts connections and answers nothing."""
        self.process.pause()
        try:
            yield
        finally:
            self.process.signal(signal.SIGCONT)

    def _client(self, user, password, database):
        argv = ["mariadb", "--no-defaults", "-S", str(self.socket), "-N", "-B",
                "--default-character-set=utf8mb4", "-u", user]
        if password is not None:
            argv.append(f"-p{password}")
        return argv + ([database] if database else [])

    def sql(self, text, user="root", password=None, database=None, check=True):
        """The rows, each a list of strings. With check=False the whole result."""
        result = run(*self._client(user, password, database), input=text, check=check)
        if not check:
            return result
        return [line.split("\t") for line in result.stdout.splitlines()]

    def load_mum(self, rows, default=None, collations=None):
        """MUM's tables with these rows, and the two users of grants.sql.

        default: the collation of the database; None for the server's, as with a plain CREATE
        DATABASE. collations: {table: collation}, for tables that differ from MUM's migrations.
        """
        self.sql(schema(default, collations))
        self.sql("SET NAMES utf8mb4; USE mum;\n" + rows)
        grants = (TOP / "conf-examples/grants.sql").read_text()
        grants = grants.replace("change-me-postfix", POSTFIX_PASSWORD)
        grants = grants.replace("change-me-dovecot", DOVECOT_PASSWORD)
        self.sql(grants)
        self.sql(grants.replace("'localhost'", "'127.0.0.1'"))  # we skip-name-resolve
        return self

    def connections(self, user="mum_postfix"):
        """The ids of that user's connections."""
        return [row[0] for row in self.sql(
            f"SELECT id FROM information_schema.processlist WHERE user = '{user}'")]

    def disconnect(self, *users):
        """Ends these users' connections; new ones are made."""
        self.sql("; ".join(f"KILL USER {user}" for user in users))

    @contextlib.contextmanager
    def session(self):
        """A client of the administrator, connected until the context ends."""
        self._sessions += 1
        session = Session(self._client("root", None, "mum") + ["--unbuffered"],
                          self.directory / f"session-{self._sessions}.log")
        try:
            session.execute("DO 0")
            yield session
        finally:
            session.close()

    @contextlib.contextmanager
    def locked(self, *tables):
        """Nobody else can read the tables until the context ends."""
        with self.session() as session:
            session.execute("LOCK TABLES " + ", ".join(f"{name} WRITE" for name in tables))
            yield

    @contextlib.contextmanager
    def variable(self, name, value):
        """A global variable has that value until the context ends."""
        old = self.sql(f"SELECT @@global.{name}")[0][0]
        self.sql(f"SET GLOBAL {name} = {value}")
        try:
            yield
        finally:
            self.sql(f"SET GLOBAL {name} = {old}")

    @contextlib.contextmanager
    def full(self):
        """max_connections is reached until the context ends; existing connections stay."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.variable("max_connections", 10))
            # this client counts, too: an administrator may have one more
            while len(self.sql("SELECT 1 FROM information_schema.processlist")) < 11:
                stack.enter_context(self.session())
            yield

    @contextlib.contextmanager
    def general_log(self):
        """A path of a file that lists what clients do in the context."""
        path = self.directory / f"general-{time.monotonic_ns()}.log"
        self.sql(f"SET GLOBAL general_log_file = '{path}'; SET GLOBAL general_log = 1")
        try:
            yield path
        finally:
            self.sql("SET GLOBAL general_log = 0")
