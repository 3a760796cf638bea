# SPDX-License-Identifier: MIT
"""What can be wrong besides rows, each as a context in which it is wrong: for
test_mumctl_check_ways.py.
"""

import contextlib
import hashlib
import pathlib
import re

from check_findings import finding
from check_rows import mailbox
from check_settings import SETTINGS
from check_sockets import SOCKETS, mode
from lab import Mumctl
from lab.lab import TOP, free_port, give, in_own_mounts
from lab.mariadb import DOVECOT_PASSWORD
from lab.mumd import GROUP

# The hash of DOVECOT_PASSWORD, as SHOW GRANTS prints it.
NATIVE_HASH = "*" + hashlib.sha1(
    hashlib.sha1(DOVECOT_PASSWORD.encode()).digest()).hexdigest().upper()


# ---- configuration, files ----

@contextlib.contextmanager
def two_mistakes(world):
    ctl = world.ctl_with(cache={"ttl": "soon"}, policy={"sender": "maybe"})
    yield ctl, [finding("config", "error", f"{ctl.config}:{line}", "mum.conf(5)", what)
                for line, what in _lines(ctl.config, "soon", "maybe")]


def _lines(path, *words):
    lines = path.read_text().splitlines()
    return [(next(n for n, line in enumerate(lines, 1) if word in line), word) for word in words]


@contextlib.contextmanager
def no_password_files(world):
    """check reports what is wrong for one program, whatever is wrong for the other."""
    ctl = world.ctl_with(database={"password_file": "/nonexistent/one"},
                         dovecot={"password_file": "/nonexistent/two"})
    yield ctl, [finding("config", "error", f"{ctl.config}:{line}", "mum.conf(5)", what)
                for line, what in _lines(ctl.config, "/nonexistent/one", "/nonexistent/two")]


@contextlib.contextmanager
def no_file(world):
    yield Mumctl("/nonexistent/mum.conf"), [
        finding("config", "error", "/nonexistent/mum.conf", "mum.conf(5)", "No such file")]


@contextlib.contextmanager
def no_postfix(world):
    """A machine without the user postfix, but only to mumctl, which sees another file."""
    users = pathlib.Path("/etc/passwd").read_text().splitlines(keepends=True)
    path = world.directory / "passwd"
    path.write_text("".join(line for line in users if not line.startswith("postfix:")))
    script = f"mount --bind {path} /etc/passwd && exec \"$@\""
    ctl = Mumctl(world.mumd.config, in_own_mounts(script))
    yield ctl, [finding("user-missing", "warning", "socketmap.listen", "install Postfix",
                        'no user "postfix"')]


@contextlib.contextmanager
def config_for_root_alone(world):
    ctl = world.ctl_with()
    with mode(ctl.config, 0o600):
        yield ctl, [finding("file-unreadable", "warning", str(ctl.config), "chmod 0640",
                            "user nobody cannot read it (Permission denied)")]


@contextlib.contextmanager
def password_for_root_alone(world):
    with mode(world.postfix_password, 0o600):
        yield world.ctl_with(), [
            finding("file-unreadable", "warning", str(world.postfix_password), "chmod 0640",
                    "user nobody cannot read it (Permission denied)")]


@contextlib.contextmanager
def password_of_dovecot_for_mumd(world):
    give(world.dovecot_password, "root", GROUP)
    with mode(world.dovecot_password, 0o640):
        yield world.ctl_with(), [
            finding("file-exposed", "warning", str(world.dovecot_password), "chmod 0600",
                    "user nobody can read it")]


@contextlib.contextmanager
def password_of_dovecot_in_mum_conf(world):
    ctl = world.ctl_with(dovecot={"password_file": "", "password": DOVECOT_PASSWORD})
    yield ctl, [finding("file-exposed", "warning", str(ctl.config), "use dovecot.password_file",
                        "user nobody can read dovecot.password")]


@contextlib.contextmanager
def the_same_for_root_alone(world):
    with password_of_dovecot_in_mum_conf(world) as (ctl, _), mode(ctl.config, 0o600):
        yield ctl, [finding("file-unreadable", "warning", str(ctl.config), "chmod 0640")]


@contextlib.contextmanager
def unknown_prefix(world):
    """Prefixes are allowed, but this one is none of Dovecot's."""
    with world.rows([mailbox(1045, "prefix", password="{ROT13}frperg"),
                     mailbox(1046, "newline", password="{PLAIN}hash-canary\n")]):
        yield world.ctl_with(dovecot={"allow_scheme_prefix": "true"}), [
            finding("hash-refused", "error", "mailboxes.id=1045 <prefix@example.test>",
                    "set the password anew", "an unknown {SCHEME} prefix"),
            finding("hash-refused", "error", "mailboxes.id=1046 <newline@example.test>",
                    "set the password anew", "nobody can log in")]


@contextlib.contextmanager
def not_root(world):
    ctl = Mumctl(world.mumd.config,
                 ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"])
    give(world.dovecot_password, "root", GROUP)
    with mode(world.dovecot_password, 0o640):
        yield ctl, [finding("not-root", "warning", "mumctl", "run it as root", "cannot be tried"),
                    finding("file-exposed", "warning", str(world.dovecot_password), "chmod 0600")]


# ---- database ----

@contextlib.contextmanager
def host_down(world):
    """One of two hosts: the other is read, and both are named."""
    hosts = [f"127.0.0.1:{free_port()}", *world.store.settings["hosts"]]
    yield world.ctl_with(database={"hosts": hosts}), [
        finding("database-unreachable", "error", hosts[0], "see that it runs", f"as {user}: ")
        for user in ("mum_postfix", "mum_dovecot")]


@contextlib.contextmanager
def password_wrong(world):
    ctl = world.ctl_with(database={"user": "mum_nobody"})
    yield ctl, [finding("database-unreachable", "error", world.store.settings["hosts"][0],
                        "user and password", "as mum_nobody: Access denied")]


@contextlib.contextmanager
def no_rights_at_all(world):
    """What mumctl setup prints is the cure."""
    world.store.run("REVOKE ALL PRIVILEGES, GRANT OPTION FROM mum_dovecot@localhost")
    try:
        yield world.ctl_with(), [
            finding("database-unreachable", "error", world.store.settings["hosts"][0],
                    'the grants that "mumctl setup" prints',
                    "as mum_dovecot: Access denied for user 'mum_dovecot'@'localhost' to database")]
    finally:
        world.store.run(world.ctl.json("setup")["grants"])


@contextlib.contextmanager
def without_tls(world):
    """Reached by an address outside the loopback, though it leads to this machine."""
    host = f"0.0.0.0:{world.store.server.port}"
    ctl = world.ctl_with(database={"hosts": [host], "tls": "off"})
    yield ctl, [finding("database-plain", "warning", host, 'database.tls = "verify-full"',
                        "not encrypted")]


@contextlib.contextmanager
def no_sqlite_file(world):
    path = world.directory / "none.sqlite"
    ctl = world.ctl_with(database={"path": path})
    yield ctl, [
        finding("database-unreachable", "error", str(path), "let the user", "unable to open"),
        *[finding("database-denied", "error", str(path), "let this user", f"user {user}")
          for user in ("nobody", "dovecot")]]


@contextlib.contextmanager
def sqlite_file_for_root_alone(world):
    with mode(world.store.path, 0o600):
        yield world.ctl_with(), [
            finding("database-denied", "error", str(world.store.path), "let this user",
                    f"user {user} cannot read it (Permission denied)")
            for user in ("nobody", "dovecot")]


@contextlib.contextmanager
def no_database_file(world):
    path = world.directory / "text.sqlite"
    path.write_text("This is not a database.\n" * 100)
    ctl = world.ctl_with(database={"path": path})
    yield ctl, [finding("database-read", "error", str(path), "fix what the message names",
                        "file is not a database")]


@contextlib.contextmanager
def view_that_breaks(world):
    """It fails in its second row only: each column can be read, but not the table."""
    with world.changed(
            ("ALTER TABLE tls_policies RENAME TO tls_policies_away",
             "ALTER TABLE tls_policies_away RENAME TO tls_policies"),
            ("INSERT INTO tls_policies_away (id, domain, policy) VALUES (2, 'two.test', 'may')",
             "DELETE FROM tls_policies_away WHERE id = 2"),
            ("CREATE VIEW tls_policies AS SELECT domain, policy, params, "
             "abs(-9223372036854775806 - id) > 0 AS active FROM tls_policies_away",
             "DROP VIEW tls_policies")):
        yield world.ctl_with(), [finding("database-read", "error", str(world.store.path),
                                         "fix what the message names", "integer overflow")]


@contextlib.contextmanager
def column_missing(world):
    with world.changed(("ALTER TABLE aliases RENAME COLUMN deactivate_at TO expires_at",
                        "ALTER TABLE aliases RENAME COLUMN expires_at TO deactivate_at")):
        yield world.ctl_with(), [finding("schema-missing", "error", "aliases.deactivate_at",
                                         "migrations", "deactivate_at")]


@contextlib.contextmanager
def column_missing_for_dovecot(world):
    with world.changed(("ALTER TABLE mailboxes RENAME COLUMN homedir TO home",
                        "ALTER TABLE mailboxes RENAME COLUMN home TO homedir")):
        yield world.ctl_with(), [finding("schema-missing", "error", "mailboxes.homedir",
                                         "migrations", "homedir")]


@contextlib.contextmanager
def table_missing(world):
    with world.changed(("ALTER TABLE tls_policies RENAME TO tls_policies_away",
                        "ALTER TABLE tls_policies_away RENAME TO tls_policies")):
        yield world.ctl_with(), [
            finding("schema-missing", "error", f"tls_policies.{column}", "is this MUM's database",
                    "tls_policies") for column in ("domain", "policy", "params", "active")]


@contextlib.contextmanager
def unknown_policy(world):
    """A lax server turns a policy that MUM's column does not know into an empty one."""
    with world.changed(("SET sql_mode = ''; INSERT INTO tls_policies (domain, policy, active) "
                        "VALUES ('lax.test', 'strict', 1)",
                        "DELETE FROM tls_policies WHERE domain = 'lax.test'")):
        yield world.ctl_with(), [finding("tls-params", "error", "tls_policies.domain=<lax.test>",
                                         "fix policy or params", "unknown policy ( )")]


@contextlib.contextmanager
def slow_statement(world):
    """A view that takes longer than a lookup may, and has no index."""
    with world.changed(
            ("ALTER TABLE tls_policies RENAME TO tls_policies_away",
             "ALTER TABLE tls_policies_away RENAME TO tls_policies"),
            ("CREATE VIEW tls_policies AS SELECT domain, policy, "
             "IF(SLEEP(4) = 0, params, NULL) AS params, active FROM tls_policies_away",
             "DROP VIEW tls_policies")):
        yield world.ctl_with(), [finding("index-missing", "warning", "tls_policies.domain",
                                         "CREATE INDEX", "whole table")]


@contextlib.contextmanager
def right_missing(world):
    with world.changed(("REVOKE SELECT (send_only) ON mum.mailboxes FROM mum_postfix@localhost",
                        "GRANT SELECT (send_only) ON mum.mailboxes TO mum_postfix@localhost")):
        yield world.ctl_with(), [
            finding("grant-missing", "error", "mailboxes.send_only",
                    "GRANT SELECT (id, local_part, domain_id, active, send_only) ON "
                    "mum.mailboxes TO 'mum_postfix'@'localhost'", "denied")]


@contextlib.contextmanager
def right_missing_for_dovecot(world):
    with world.changed(("REVOKE SELECT (quota) ON mum.domains FROM mum_dovecot@localhost",
                        "GRANT SELECT (quota) ON mum.domains TO mum_dovecot@localhost")):
        yield world.ctl_with(), [
            finding("grant-missing", "error", "domains.quota",
                    "GRANT SELECT (id, domain, active, quota, max_quota) ON mum.domains TO "
                    "'mum_dovecot'@'localhost'", "denied")]


@contextlib.contextmanager
def right_to_write(world):
    with world.changed(("GRANT UPDATE ON mum.aliases TO mum_dovecot@localhost",
                        "REVOKE UPDATE ON mum.aliases FROM mum_dovecot@localhost")):
        yield world.ctl_with(), [
            finding("grant-writes", "warning", "mum_dovecot", "REVOKE ALL PRIVILEGES",
                    "GRANT UPDATE ON `mum`.`aliases`")]


@contextlib.contextmanager
def right_to_passwords(world):
    with world.changed(("GRANT SELECT (password) ON mum.mailboxes TO mum_postfix@localhost",
                        "REVOKE SELECT (password) ON mum.mailboxes FROM mum_postfix@localhost")):
        yield world.ctl_with(), [
            finding("grant-password", "warning", "mum_postfix", "REVOKE ALL PRIVILEGES",
                    "mailboxes.password")]


@contextlib.contextmanager
def right_to_write_everywhere(world):
    """For such a grant MariaDB also shows the password's hash."""
    server = world.store.server
    with world.changed(("GRANT INSERT ON *.* TO mum_dovecot@localhost",
                        "REVOKE INSERT ON *.* FROM mum_dovecot@localhost")):
        shown = server.sql("SHOW GRANTS FOR mum_dovecot@localhost")
        assert any(f"PASSWORD '{NATIVE_HASH}'" in row[0] for row in shown) == server.SHOWS_HASHES
        yield world.ctl_with(), [
            finding("grant-writes", "warning", "mum_dovecot", "REVOKE ALL PRIVILEGES",
                    "GRANT INSERT ON *.*")]


MEASURING = "'mum_measure'@'localhost'"
MEASURE_GRANT = f"GRANT INSERT ON mum.size_measurements TO {MEASURING}"


@contextlib.contextmanager
def measuring(world, grant, password="change-me"):
    """mumctl where mum.conf has a user for mumctl measure, with this grant besides."""
    with world.changed((f"CREATE USER {MEASURING} IDENTIFIED BY 'change-me'",
                        f"DROP USER {MEASURING}"), *([(grant, "DO 0")] if grant else [])):
        yield world.ctl_with(measure={"password": password})


@contextlib.contextmanager
def measure_has_what_it_needs(world):
    with measuring(world, MEASURE_GRANT) as ctl:
        yield ctl, []


@contextlib.contextmanager
def measure_is_not_used(world):
    """The mum.conf that we ship names a password file, and nobody has made it."""
    yield world.ctl_with(measure={"password_file": "/nonexistent/measure.password"}), []


@contextlib.contextmanager
def measure_has_no_password(world):
    ctl = world.ctl_with(measure={"password_file": "/dev/null"})
    yield ctl, [finding("config", "error", f"{ctl.config}:{line}", "mum.conf(5)", what)
                for line, what in _lines(ctl.config, "/dev/null")]


@contextlib.contextmanager
def measure_has_nothing(world):
    with measuring(world, "") as ctl:
        yield ctl, [finding("database-unreachable", "error", world.store.settings["hosts"][0],
                            'the grants that "mumctl setup" prints',
                            f"as mum_measure: Access denied for user {MEASURING} to database")]


@contextlib.contextmanager
def measure_may_only_read(world):
    with measuring(world, f"GRANT SELECT ON mum.size_measurements TO {MEASURING}") as ctl:
        yield ctl, [
            finding("grant-missing", "error", "size_measurements", MEASURE_GRANT,
                    "mum_measure may not insert what mumctl measure finds"),
            finding("grant-more", "warning", "mum_measure", MEASURE_GRANT,
                    "it may do more than mumctl measure needs: GRANT SELECT ON ")]


@contextlib.contextmanager
def measure_may_do_more(world):
    with measuring(world, f"GRANT SELECT, INSERT ON mum.size_measurements TO {MEASURING}") as ctl:
        yield ctl, [finding("grant-more", "warning", "mum_measure",
                            f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {MEASURING}; "
                            f"{MEASURE_GRANT}",
                            "it may do more than mumctl measure needs: "
                            "GRANT SELECT, INSERT ON `mum`.`size_measurements`")]


@contextlib.contextmanager
def measure_may_write_everywhere(world):
    """For such a grant the server also shows the password's hash."""
    with measuring(world, f"GRANT INSERT ON *.* TO {MEASURING}") as ctl:
        yield ctl, [finding("grant-more", "warning", "mum_measure", "REVOKE ALL PRIVILEGES",
                            "it may do more than mumctl measure needs: GRANT INSERT ON *.*")]


@contextlib.contextmanager
def measure_cannot_log_in(world):
    with measuring(world, MEASURE_GRANT, password="another") as ctl:
        yield ctl, [finding("database-unreachable", "error", world.store.settings["hosts"][0],
                            "user and password", "as mum_measure: Access denied")]


INDEXES = {
    # the column: (the index, how MUM makes it)
    "domains.domain": ("domains_domain_unique", "UNIQUE domains_domain_unique (domain)"),
    "mailboxes.local_part": (
        "mailboxes_local_part_domain_id_unique",
        "UNIQUE mailboxes_local_part_domain_id_unique (local_part, domain_id)"),
    "aliases.local_part": (
        "aliases_local_part_domain_id_unique",
        "UNIQUE aliases_local_part_domain_id_unique (local_part, domain_id)"),
    "alias_recipients.alias_id": (
        "alias_recipients_alias_id_recipient_address_unique",
        "UNIQUE alias_recipients_alias_id_recipient_address_unique (alias_id, recipient_address)"),
    "alias_senders.alias_id": ("alias_senders_alias_id_foreign",
                               "INDEX alias_senders_alias_id_foreign (alias_id)"),
    "tls_policies.domain": ("tls_policies_domain_unique",
                            "UNIQUE tls_policies_domain_unique (domain)"),
}


@contextlib.contextmanager
def all_indexes_missing_in_mariadb(world):
    """Foreign keys need some of the indexes, but are not checked meanwhile."""
    with world.changed(*[
            (f"SET foreign_key_checks = 0; ALTER TABLE {where.partition('.')[0]} DROP INDEX {name}",
             f"ALTER TABLE {where.partition('.')[0]} ADD {definition}")
            for where, (name, definition) in INDEXES.items()]):
        yield world.ctl_with(), [
            finding("index-missing", "warning", where,
                    "CREATE INDEX {0}_{1} ON {0} ({1})".format(*where.split(".")), "whole table")
            for where in INDEXES]


def _indexes():
    """{name: statement} of the indexes that conf-examples/schema-sqlite.sql adds to MUM's own."""
    text = (TOP / "conf-examples/schema-sqlite.sql").read_text()
    statements = re.findall(r"^CREATE INDEX[^;]*", text.replace("IF NOT EXISTS ", ""),
                            re.MULTILINE)
    return {re.search(r'INDEX "(\w+)"', one)[1]: " ".join(one.split()) for one in statements}


@contextlib.contextmanager
def all_indexes_missing_in_sqlite(world):
    with world.changed(*[(f"DROP INDEX {name}", sql) for name, sql in _indexes().items()]):
        yield world.ctl_with(), [finding("index-missing", "warning", name, sql)
                                 for name, sql in _indexes().items()]


BOTH, MARIADB, SQLITE = ("mariadb", "sqlite"), ("mariadb",), ("sqlite",)
WAYS = [
    (two_mistakes, BOTH, 78), (no_password_files, MARIADB, 78), (no_file, SQLITE, 78),
    (no_postfix, SQLITE, 1),
    (config_for_root_alone, BOTH, 1), (password_for_root_alone, MARIADB, 1),
    (password_of_dovecot_for_mumd, BOTH, 1), (password_of_dovecot_in_mum_conf, BOTH, 1),
    (the_same_for_root_alone, BOTH, 1), (unknown_prefix, BOTH, 78),
    (unknown_policy, MARIADB, 78), (slow_statement, MARIADB, 1),
    (not_root, BOTH, 1), (host_down, MARIADB, 78), (password_wrong, MARIADB, 78),
    (no_rights_at_all, MARIADB, 78),
    (without_tls, MARIADB, 1), (no_sqlite_file, SQLITE, 78),
    (sqlite_file_for_root_alone, SQLITE, 78), (no_database_file, SQLITE, 78),
    (view_that_breaks, SQLITE, 78), (column_missing, BOTH, 78),
    (column_missing_for_dovecot, BOTH, 78), (table_missing, BOTH, 78),
    (right_missing, MARIADB, 78), (right_missing_for_dovecot, MARIADB, 78),
    (right_to_write, MARIADB, 1),
    (measure_is_not_used, BOTH, 0), (measure_has_no_password, MARIADB, 78),
    (measure_has_what_it_needs, MARIADB, 0), (measure_has_nothing, MARIADB, 78),
    (measure_may_only_read, MARIADB, 78), (measure_may_do_more, MARIADB, 1),
    (measure_may_write_everywhere, MARIADB, 1), (measure_cannot_log_in, MARIADB, 78),
    (right_to_write_everywhere, MARIADB, 1), (right_to_passwords, MARIADB, 1),
    (all_indexes_missing_in_mariadb, MARIADB, 1), (all_indexes_missing_in_sqlite, SQLITE, 1),
]
CASES = [(way, store, status) for way, stores, status in WAYS + SOCKETS + SETTINGS for store in stores]
