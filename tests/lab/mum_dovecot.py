# SPDX-License-Identifier: MIT
"""A private Dovecot whose auth process runs the module built here."""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import signal

from .auth_clients import AuthClient, Imap, LmtpDialogue, Pop3, UserdbClient
from .dovecot_language import dovecot_language
from .lab import (TOP, HasLog, LabError, Process, accepts, cpu_of, free_port, in_own_mounts, run,
                  tail, wait_until)
from .mariadb import DOVECOT_PASSWORD
from .mumd import render

# This path is compiled into Dovecot; in a mount namespace of its own, Dovecot finds our
# module there.
MODULES = pathlib.Path("/usr/lib/dovecot/modules/auth")
SETTINGS_MODULES = MODULES.with_name("settings")

# Owns all mail; every Debian has it.
MAIL_USER = "mail"

# No run of ours may ever log these.
COMPLAINTS = re.compile(r"Panic|Fatal|Timeout leak|I/O leak|Leaked|leak:|Memory leak|"
                        r"assertion failed|child \d+ killed|backtrace|Sanitizer|runtime error",
                        re.IGNORECASE)

# If a process of Dovecot starts in the middle of a reload, it finds no config socket,
# and ends before it loads any module.
IN_BETWEEN = re.compile(r"Fatal: (Error reading|Failed to read) configuration|returned error 89")
# Or it gets no answer there, and after twelve seconds its master, which calls it
# "uninitialized", kills it.
STUCK = re.compile(rf"{IN_BETWEEN.pattern}|killed with signal 9")


def module_path():
    return pathlib.Path(os.environ.get("MUM_AUTH_MODULE",
                                       TOP / ".libs/libauthdb_mum.so")).resolve()


def sanitized_module_path():
    """The module of a build with --enable-sanitizers."""
    if "MUM_AUTH_MODULE_ASAN" not in os.environ:
        raise LabError("MUM_AUTH_MODULE_ASAN does not say where the libauthdb_mum.so of a build "
                       "with ./configure --enable-sanitizers is")
    return pathlib.Path(os.environ["MUM_AUTH_MODULE_ASAN"]).resolve()


class MumDovecot(HasLog):
    """database: the section of mum.conf, as from mariadb_settings() or sqlite_settings().

    Its configuration is the file of conf-examples in the language of the installed Dovecot,
    with other sockets and users.
    options is the section dovecot of mum.conf, sections are others. driver
    "sql" is stock Dovecot with MUM's own queries, as that database user. front and
    settings are more lines of dovecot.conf in the words of 2.3, before and behind the
    shipped ones; %(args)s in them is the file that the shipped passdb reads. postfix:
    whose private/auth and private/dovecot-lmtp it serves.
    sanitized: with the module of a build with sanitizers; see sanitizer_reports().
    """

    def __init__(self, lab, database, name="mum-dovecot", *, options=None, sections=None,
                 driver="mum", sql_user="mum_dovecot", prefetch=False, postfix=None,
                 front="", settings="", sanitized=False):
        self._lab = lab
        self._name = name
        self.language = dovecot_language()
        self._driver = driver
        self._prefetch = prefetch
        self._front = front
        self._settings = settings
        self._sanitized = sanitized
        self.directory = lab.directory(name)
        self._run = lab.directory(f"{name}/run")
        self._queue = postfix.queue if postfix else self.directory / "queue"
        if postfix is None:
            lab.directory(f"{name}/queue/private")
        self._modules = lab.directory(f"{name}/modules")
        self._settings_modules = lab.directory(f"{name}/settings-modules")
        self.config = self.directory / "dovecot.conf"
        self.mum_conf = self.directory / "mum.conf"
        self._sql_conf = self.directory / "dovecot-sql.conf"
        self.log_path = self.directory / "dovecot.log"
        self.imap_port, self.pop3_port, self.lmtp_port = free_port(), free_port(), free_port()
        self.userdb_path = self._run / "auth-userdb"
        self.process = None
        self.write_mum(database, options or {}, sections or {})
        self._write_modules()
        if driver == "sql":
            self._write_sql(database, sql_user)

    # ---- files ----

    def write_mum(self, database, options=None, sections=None):
        """Writes mum.conf and the module's password file. auth reads them when it starts."""
        password = self.directory / "dovecot.password"
        password.write_text(DOVECOT_PASSWORD + "\n")
        password.chmod(0o600)
        database = {key: value for key, value in database.items()
                    if key not in ("user", "password")}
        dovecot = {"user": "mum_dovecot", "password_file": password, **(options or {})}
        self.mum_conf.write_text(render({"database": database, "dovecot": dovecot,
                                         **(sections or {})}))
        self.mum_conf.chmod(0o640)

    def _write_sql(self, database, sql_user):
        write_stock_sql(self._sql_conf, database, sql_user)

    def _write_modules(self):
        """Puts our modules beside Dovecot's."""
        module = sanitized_module_path() if self._sanitized else module_path()
        if self._driver == "mum" and not module.exists():
            raise LabError(f"no {module}: build it, or say in MUM_AUTH_MODULE where it is")
        run("cp", "-a", f"{MODULES}/.", self._modules)
        if self._driver == "mum":
            run("cp", module, self._modules / "libauthdb_mum.so")
        if self.language.settings_module:
            if SETTINGS_MODULES.exists():
                run("cp", "-a", f"{SETTINGS_MODULES}/.", self._settings_modules)
            # the config process has no sanitizer's runtime
            run("cp", module_path().with_name(self.language.settings_module),
                self._settings_modules)

    def _shipped(self):
        """Returns the example with our paths and users."""
        example = self.language.example
        text = (TOP / "conf-examples" / example).read_text()
        sql = self._sql_conf if self._driver == "sql" else None
        for old, new, times in (("/var/spool/postfix", str(self._queue), 2),
                                ("vmail", MAIL_USER, 2),
                                *self.language.changes(self.mum_conf, sql, self._prefetch)):
            if text.count(old) != times:
                raise LabError(f"conf-examples/{example} has {old!r} "
                               f"{text.count(old)} times, the lab expects {times}")
            text = text.replace(old, new)
        return text

    def _own_lines(self):
        return self.language.head() + self.language.text(f"""
base_dir = {self._run}
state_dir = {self._run}/state
log_path = {self.log_path}
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_verbose = yes
# logins that fail on purpose must not make the others wait
auth_failure_delay = 0
verbose_proctitle = yes
first_valid_uid = 1
shutdown_clients = yes
mail_max_userip_connections = 0
# nobody misses this mail after a power cut
mail_fsync = never
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
""") + self._service_lines() + (self._sanitizer_lines() if self._sanitized else "")

    def _service_lines(self):
        return self.language.text(f"""
service imap-login {{
  inet_listener imap {{
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {self.pop3_port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {self.lmtp_port}
  }}
}}
service auth {{
  unix_listener auth-client {{
    mode = 0666
  }}
  unix_listener auth-userdb {{
    mode = 0666
  }}
  unix_listener auth-master {{
    mode = 0600
  }}
}}
""")

    def _sanitizer_lines(self):
        wrapper = self.directory / "auth-sanitized"
        library = next(word for word in run("ldd", sanitized_module_path()).stdout.split()
                       if "/libasan.so" in word)
        reports = self._lab.directory(f"{self._name}/reports", mode=0o1777)
        wrapper.write_text(f"""#!/bin/sh
exec env LD_PRELOAD={shlex.quote(library)} \\
    ASAN_OPTIONS=detect_leaks=0:abort_on_error=0:log_path={reports}/asan:disable_coredump=0:handle_abort=1 \\
    UBSAN_OPTIONS=print_stacktrace=1:log_path={reports}/ubsan /usr/lib/dovecot/auth "$@"
""")
        wrapper.chmod(0o755)
        # without vsz_limit = 0 there is no room for the sanitizer's shadow
        return self.language.text(f"""
import_environment = TZ CORE_OUTOFMEM CORE_ERROR LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
service auth {{
  executable = {wrapper}
  vsz_limit = 0
}}
service auth-worker {{
  executable = {wrapper} -w
  vsz_limit = 0
}}
""")

    def add_settings(self, text):
        """Adds lines to dovecot.conf; they count from start() or reload() on."""
        self._settings += text

    def write(self):
        args = self._sql_conf if self._driver == "sql" else self.mum_conf
        front, settings = (self.language.text(text.replace("%(args)s", str(args)))
                           for text in (self._front, self._settings))
        self.config.write_text(
            f"{self._own_lines()}{front}\n{self._shipped()}\n{settings}")

    # ---- life ----

    def start(self):
        self.write()
        self.process = self._lab.own(Process(
            [*self._with_modules(), "dovecot", "-F", "-c", self.config],
            self.directory / "out.log"), independent=True)

        def up():
            if not self.process.running():
                raise LabError(f"dovecot ended:\n{tail(self.process.log)}\n{tail(self.log_path)}")
            return (accepts(self._run / "auth-client") and accepts(("127.0.0.1", self.imap_port))
                    and (self._run / "master.pid").exists())
        wait_until(up, f"dovecot:\n{tail(self.log_path)}", timeout=20)
        return self

    def _with_modules(self):
        """argv of a program that finds our modules where Dovecot's are."""
        script = f"mount --bind {shlex.quote(str(self._modules))} {MODULES} && "
        if self.language.settings_module:
            script += (f"mount --bind {shlex.quote(str(self._settings_modules))} "
                       f"{SETTINGS_MODULES} && ")
        return in_own_mounts(f'{script}exec "$@"')

    def inside(self):
        """What a shell must put before doveadm, so that doveadm knows our settings."""
        return f"nsenter -m -r -t {self.process.pid} " if self.language.settings_module else ""

    def stop(self):
        """Also ends workers that are busy with a hash and would outlive their master."""
        if self.process is None:
            return
        workers = [open_pid(pid) for pid in self.worker_pids()]
        self.process.stop()
        for worker in filter(None, workers):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(worker, signal.SIGKILL)
            os.close(worker)

    def terminate(self):
        """Ends it as an admin does; returns the master's exit status."""
        self.process.signal(signal.SIGTERM)
        return self.process.wait(30)

    def reload(self):
        """doveadm reload. When a new auth process answers, returns the old ones, which stay
        for their clients and may still take a new client. See wait_ended().
        """
        old = self.auth_pids()
        self.doveadm("reload", check=True)

        def renewed():
            try:
                with self.auth_client():
                    return self.auth_pids() - old  # the old one may stay for its clients
            except OSError:
                return False
        wait_until(renewed, "a new auth process")
        return old

    def wait_ended(self, old):
        """Waits until these auth processes are gone; else they may take a new client."""
        wait_until(lambda: not self.auth_pids() & old, "the end of the old auth process", 30)

    # ---- talk ----

    def fill(self, user, size):
        """Puts one large message into the mailbox: a sparse file whose name says its size.
        Returns the file.
        """
        home = pathlib.Path(self.user(user)["home"])
        with self.lmtp() as lmtp:       # makes the maildir
            if not lmtp.deliver(user, "first").startswith("250"):
                raise LabError(f"no mail can be delivered to {user}")
        path = home / "Maildir/cur" / f"1.M1P1.test,S={size},W={size}:2,S"
        path.write_text("Subject: large\n\n")
        os.truncate(path, size)
        shutil.chown(path, MAIL_USER, MAIL_USER)
        return path

    def doveadm(self, *arguments, check=False, **options):
        # doveadm of 2.4 must know our settings, too
        with_modules = self._with_modules() if self.language.settings_module else []
        return run(*with_modules, "doveadm", "-c", self.config, *arguments, check=check,
                   **options)

    def doveadm_in_shell(self, config=None):
        """doveadm() as words for a shell, whatever is called doveadm there."""
        with_modules = self._with_modules() if self.language.settings_module else []
        return shlex.join(map(str, [*with_modules, "/usr/bin/doveadm", "-c",
                                    config or self.config]))

    def doveconf(self, *arguments):
        """What doveconf of 2.4 says."""
        return run(*self._with_modules(), "doveconf", "-c", self.config, *arguments).stdout

    def auth_test(self, user, password, service="imap"):
        """doveadm auth test: "ok", "refused" or "temp_fail"."""
        result = self.doveadm("auth", "test", "-x", f"service={service}", user, password)
        if result.returncode == 0:
            return "ok"
        return "temp_fail" if "temp_fail" in result.stdout + result.stderr else "refused"

    def auth_client(self, **options):
        return AuthClient(self._run / "auth-client", **options)

    def userdb_client(self, **options):
        return UserdbClient(self.userdb_path, **options)

    def master_client(self, **options):
        return UserdbClient(self._run / "auth-master", **options)

    def login(self, user, password, service="imap"):
        """"ok", "refused", or the code that goes with a refusal, such as "temp_fail"."""
        with self.auth_client() as client:
            return verdict(client.login(user, password, service))

    def user(self, user, service="lmtp"):
        """The userdb's fields; None for an unknown user; or "temp_fail"."""
        with self.userdb_client() as client:
            reply = client.user(user, service)
        if reply.kind == "FAIL":
            return "temp_fail"
        return reply.fields if reply.kind == "USER" else None

    def imap(self, **options):
        return Imap(self.imap_port, **options)

    def pop3(self, **options):
        return Pop3(self.pop3_port, **options)

    def lmtp(self, **options):
        return LmtpDialogue(self.lmtp_port, **options)

    # ---- look ----

    def complaints(self):
        """Lines about a crash, about leaks, or from a sanitizer."""
        log = self.log()
        excused = STUCK if any("still uninitialized" in line for line in log) else IN_BETWEEN
        return [line for line in log if COMPLAINTS.search(line) and not excused.search(line)]

    def sanitizer_reports(self):
        return [path.read_text(errors="replace")
                for path in sorted((self.directory / "reports").glob("*"))]

    def children(self, name):
        """The pids of our processes of that name."""
        if not self.process.running():
            return
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            with contextlib.suppress(OSError):      # it has just ended
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                    yield int(pid)

    def _processes(self):
        """(pid, is it a worker?) of our auth and its workers."""
        for pid in self.children("auth"):
            with contextlib.suppress(OSError):
                line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
                if line:        # else it has just ended
                    yield pid, "worker" in line or "-w" in line.split("\0")

    def auth_pids(self):
        return {pid for pid, worker in self._processes() if not worker}

    def auth_pid(self):
        return next(iter(self.auth_pids()), None)

    def worker_pids(self):
        return [pid for pid, worker in self._processes() if worker]

    def cpu(self):
        """{pid: seconds of processor time so far}, of auth and its workers."""
        return {pid: cpu_of(pid) for pid, _ in self._processes()}

    def cpu_since(self, before):
        """Seconds of all since then; before: from cpu()."""
        return sum(seconds - before.get(pid, 0) for pid, seconds in self.cpu().items())

    def version(self):
        return run("dovecot", "--version").stdout.split()[0]


def quota(fields):
    """The quota in a userdb's answer: gigabytes, as text."""
    return dovecot_language().quota(fields)


def mail(fields):
    """The mail location in a userdb's answer, as MUM stores it."""
    return dovecot_language().mail(fields)


def _stock_arguments(path, database, user):
    host, _, port = database.get("hosts", [""])[0].removeprefix("unix:").partition(":")
    driver = "sqlite" if database["driver"] == "sqlite" else "mysql"
    return (path, driver, host, port, database["path"] if driver == "sqlite" else database["name"],
            user, DOVECOT_PASSWORD)


def write_stock_sql(path, database, user="mum_dovecot"):
    """Writes what stock's "driver = sql" with "args = path" reads."""
    files = dovecot_language().sql_files(*_stock_arguments(path, database, user))
    for file, text in files.items():
        pathlib.Path(file).write_text(text)


def write_compared(path, database, language=None):
    """Writes what mumctl compare --dovecot reads; language: None for the installed one's."""
    language = language or dovecot_language()
    path.write_text(language.compared_text(*_stock_arguments(path, database, "mum_dovecot")))


def open_pid(pid):
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def verdict(reply):
    if reply.kind == "OK":
        return "ok"
    return reply.fields.get("code", "refused")
