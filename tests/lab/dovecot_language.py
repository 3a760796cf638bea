# SPDX-License-Identifier: MIT
"""The configuration of Dovecot 2.3 and of 2.4: what the lab writes for each of them.

Tests write their few own lines in the words of 2.3 (see Dovecot24.text()). They ask for
quota() and mail(), not for fields, whose names differ.
"""

import functools
import re

from .lab import TOP, LabError, run

# MUM's own documentation.
SQL_23 = """
driver = {driver}
connect = {connect}
default_pass_scheme = BLF-CRYPT
password_query = SELECT mailboxes.local_part AS username, domains.domain, mailboxes.password \\
  FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id \\
  WHERE mailboxes.local_part = '%n' AND domains.domain = '%d' \\
  AND domains.active = 1 AND mailboxes.active = 1;
user_query = SELECT mailboxes.homedir AS home, mailboxes.maildir AS mail, \\
  CONCAT('*:storage=', COALESCE(mailboxes.quota, domains.quota, 0), 'G') AS quota_rule \\
  FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id \\
  WHERE mailboxes.local_part = '%n' AND domains.domain = '%d' \\
  AND domains.active = 1 AND mailboxes.active = 1 AND mailboxes.send_only = 0;
iterate_query = SELECT mailboxes.local_part AS username, domains.domain \\
  FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id \\
  WHERE domains.active = 1 AND mailboxes.active = 1 AND mailboxes.send_only = 0;
"""

# The same for 2.4.
_PASSDB_24 = """
  default_password_scheme = BLF-CRYPT
  passdb_sql_query = SELECT mailboxes.local_part AS username, domains.domain, mailboxes.password \\
    FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id \\
    WHERE mailboxes.local_part = '%{user | username}' AND domains.domain = '%{user | domain}' \\
    AND domains.active = 1 AND mailboxes.active = 1
"""
_USERDB_24 = """
  userdb_sql_query = SELECT home, mail_driver, mail_inbox_path, quota_storage_size, \\
      SUBSTRING_INDEX(rest, ':', 1) AS mail_path, \\
      IF(LOCATE(':LAYOUT=', rest) > 0, SUBSTRING_INDEX(SUBSTRING(rest, \\
        LOCATE(':LAYOUT=', rest) + 8), ':', 1), NULL) AS mailbox_list_layout \\
    FROM (SELECT mailboxes.homedir AS home, \\
        SUBSTRING_INDEX(mailboxes.maildir, ':', 1) AS mail_driver, \\
        SUBSTRING(mailboxes.maildir, LOCATE(':', mailboxes.maildir) + 1) AS rest, \\
        IF(mailboxes.maildir LIKE 'maildir:%', '.', '') AS mail_inbox_path, \\
        CONCAT(COALESCE(mailboxes.quota, domains.quota, 0), 'G') AS quota_storage_size \\
      FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id \\
      WHERE mailboxes.local_part = '%{user | username}' AND domains.domain = '%{user | domain}' \\
        AND domains.active = 1 AND mailboxes.active = 1 AND mailboxes.send_only = 0) AS found
  userdb_sql_iterate_query = SELECT mailboxes.local_part AS username, domains.domain \\
    FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id \\
    WHERE domains.active = 1 AND mailboxes.active = 1 AND mailboxes.send_only = 0
"""
# MariaDB's functions in the words of SQLite.
_FOR_SQLITE = (
    ("SUBSTRING_INDEX(rest, ':', 1)", "substr(rest, 1, instr(rest || ':', ':') - 1)"),
    ("IF(LOCATE(':LAYOUT=', rest) > 0, SUBSTRING_INDEX(SUBSTRING(rest, \\\n"
     "        LOCATE(':LAYOUT=', rest) + 8), ':', 1), NULL)",
     "CASE WHEN instr(rest, ':LAYOUT=') > 0 THEN substr(substr(rest, instr(rest, ':LAYOUT=') + 8), \\\n"
     "        1, instr(substr(rest, instr(rest, ':LAYOUT=') + 8) || ':', ':') - 1) END"),
    ("SUBSTRING_INDEX(mailboxes.maildir, ':', 1)",
     "substr(mailboxes.maildir, 1, instr(mailboxes.maildir, ':') - 1)"),
    ("SUBSTRING(mailboxes.maildir, LOCATE(':', mailboxes.maildir) + 1)",
     "substr(mailboxes.maildir, instr(mailboxes.maildir, ':') + 1)"),
    ("IF(mailboxes.maildir LIKE 'maildir:%', '.', '')",
     "CASE WHEN mailboxes.maildir LIKE 'maildir:%' THEN '.' ELSE '' END"),
    ("CONCAT(COALESCE(mailboxes.quota, domains.quota, 0), 'G')",
     "COALESCE(mailboxes.quota, domains.quota, 0) || 'G'"),
)


class Dovecot23:
    """The language of Debian 12."""

    generation = "2.3"
    example = "dovecot-2.3.conf"
    settings_module = None
    # what mumctl compare says of a hash that the scheme's verifier cannot read
    unreadable_words = "refuses every password"
    # what doveadm user shows for a user with that home
    user_line = "home={home} mail=maildir:{home}/Maildir quota_rule=*:storage={gigabytes}G"
    # how it shows that quota
    quota_line = "quota_rule\t*:storage={gigabytes}G"
    # of auth_username_format: without the domain, and with it
    name_formats = ("%Ln", "%n@%Ld")

    # ---- what 2.4 does otherwise: doc/differences.md has each of these, with the reason ----
    # what stock answers if the scheme's verifier cannot read the hash
    stock_unreadable_hash = "refused"
    # does userdb get any maildir as MUM stores it?
    takes_any_location = True
    # may a list of users end early, with a failure, if its reader pauses?
    breaks_off_lists = False
    # what imap-login says if the auth process is gone
    dead_auth = "[AUTHENTICATIONFAILED]"
    # do passdb's override_fields count when the password is verified, and
    # default_fields before?
    has_override_fields = True
    # settings that take back what 2.4 does otherwise
    as_in_23 = {}
    # ----

    # "auth: Info: ", or of a worker, "auth-worker(7): Info: conn unix:... (...): auth-worker<3>: "
    _PROCESS = re.compile(
        r"^.{15} auth(: \w+: |-worker\(.*?: \w+: conn .*?: auth-worker<\d+>: )")

    def __init__(self, version):
        self.version = version

    def login_line(self, line):
        """A line of the log about a login as "DRIVER(USER,ADDRESS): TEXT"."""
        return self._PROCESS.sub("", line)

    def changes(self, mum_conf, sql_conf, prefetch):
        """(old, new, times) in the example; sql_conf: None, or stock's file, not ours."""
        yield "/etc/mum/mum.conf", str(mum_conf), 2
        if prefetch:
            yield "#userdb {\n#  driver = prefetch\n#}", "userdb {\n  driver = prefetch\n}", 1
        if sql_conf:
            yield f"driver = mum\n  args = {mum_conf}", f"driver = sql\n  args = {sql_conf}", 2

    def head(self):
        """The first lines of any configuration."""
        return ""

    def passdb(self, driver):
        """A configuration with a passdb of that driver, for doveconf to read."""
        return f"passdb {{\n  driver = {driver}\n  args = /nowhere\n}}\n"

    def text(self, lines):
        """Lines in the words of 2.3, without auth_allow_weak_schemes."""
        return re.sub(r"^auth_allow_weak_schemes = .*$", "", lines, flags=re.M)

    def sql_files(self, path, driver, host, port, name, user, password):
        """{path: text} of what "args = path" stands for."""
        connect = name if driver == "sqlite" else (
            f'"host={host} {port and f"port={port} "}dbname={name} user={user} '
            f'password={password}"')
        return {path: SQL_23.format(driver=driver, connect=connect)}

    def compared_text(self, path, *arguments):
        """What mumctl compare reads at that path; arguments: those of sql_files()."""
        return self.sql_files(path, *arguments)[path]

    def iterate_query(self, path):
        """The file that ends with this query, and a condition that names the user asked for."""
        return path, "mailboxes.local_part = '%n' AND domains.domain = '%d'"

    def quota(self, fields):
        """In gigabytes, as a text."""
        return fields["quota_rule"].removeprefix("*:storage=").removesuffix("G")

    def mail(self, fields):
        """The mail location, as MUM stores it."""
        return fields["mail"]

    def expected_mail(self, location, _settings):
        """The fields about mail: location, or 2.4's settings for it."""
        return {"mail": location}

    def mail_fields(self, location):
        """The userdb fields of "DRIVER:PATH", a maildir."""
        return {"mail": location}


class Dovecot24:
    """The language of Debian 13."""

    generation = "2.4"
    example = "dovecot-2.4.conf"
    settings_module = "libmum_settings.so"
    unreadable_words = "fails for now at every password, as it cannot read the hash"
    user_line = ("home={home} mail_driver=maildir mail_path={home}/Maildir mail_inbox_path=. "
                 "quota_storage_size={gigabytes}G")
    quota_line = "quota_storage_size\t{gigabytes}G"
    name_formats = ("%{user | username}", "%{user | username}@%{user | domain | lower}")
    stock_unreadable_hash = "temp_fail"
    takes_any_location = False
    dead_auth = "[UNAVAILABLE]"
    has_override_fields = False
    as_in_23 = {"auth_internal_failure_delay": "0", "auth_allow_weak_schemes": "yes"}

    # "auth(USER,ADDRESS,sasl:plain)<SESSION>: Info: DRIVER: ", or of a worker
    # "auth-worker(USER,ADDRESS)<7>: request [3]: Info: DRIVER: "
    _LOGIN = re.compile(r"^.{15} auth(?:-worker)?\((.*?)(?:,sasl:\w+)?\)"
                        r"(?:<[^>]*>)?(?:: request \[\d+\])?: \w+: (\w+): ")

    # what a test may say in the words of 2.3, besides passdb and userdb
    _WORDS = {
        "disable_plaintext_auth = no": "auth_allow_cleartext = yes",
        "auth_debug = yes": "log_debug = category=auth",
        "auth_debug_passwords = yes": "auth_debug_passwords = yes",
        "auth_username_format = %u": "auth_username_format = %{user}",
        "pass = yes": "result_success = continue",
        "vsz_limit = 0": "vsz_limit = unlimited",
    }
    # of mail locations, in the order that they are shown in
    _KEYS = {"mailbox_list_layout": "LAYOUT", "mail_index_path": "INDEX",
             "mail_control_path": "CONTROL", "mail_alt_path": "ALT"}

    def __init__(self, version):
        self.version = version
        # whichever driver makes the list; 2.4.3 has the fix
        self.breaks_off_lists = version in ("2.4.0", "2.4.1", "2.4.2")

    def login_line(self, line):
        return self._LOGIN.sub(r"\2(\1): ", line)

    def changes(self, mum_conf, sql_conf, prefetch):
        yield "#mum_config_file = /etc/mum/mum.conf", f"mum_config_file = {mum_conf}", 1
        if prefetch:
            yield "#userdb prefetch {\n#}", "userdb prefetch {\n}", 1
        if sql_conf:
            yield f"mum_config_file = {mum_conf}", f"!include {sql_conf}", 1
            for kind in ("passdb", "userdb"):
                yield f"\n{kind} mum {{\n}}", f"\n{kind} sql {{\n!include {sql_conf}.{kind}\n}}", 1

    def passdb(self, driver):
        return (f"dovecot_config_version = {self.version}\n"
                f"dovecot_storage_version = {self.version}\npassdb {driver} {{\n}}\n")

    def head(self):
        # as in Debian's 10-mail.conf and 20-lmtp.conf, where userdb and the example count more
        return (f"dovecot_config_version = {self.version}\n"
                f"dovecot_storage_version = {self.version}\n"
                + "".join(f"{name} = {value}\n" for name, value in self.as_in_23.items()) +
                "mail_driver = mbox\nmail_home = /home/%{user | username}\n"
                "mail_path = %{home}/mail\nmail_inbox_path = /var/mail/%{user}\n"
                "protocol lmtp {\n  auth_username_format = %{user | username | lower}\n}\n")

    def text(self, lines):
        # this helps against a fault of 2.3; with it, 2.4.1 ends lists whose reader pauses
        lines = re.sub(r"^service auth-worker \{\n  idle_kill = .*\n\}\n", "", lines, flags=re.M)
        lines = re.sub(r"^(passdb|userdb) \{\n(.*?)^\}", self._block, lines, flags=re.M | re.S)
        lines = re.sub(r"^auth_worker_max_count = (\d+)$",
                       r"service auth-worker {\n  process_limit = \1\n}", lines, flags=re.M)
        lines = re.sub(r"^protocols = *(.*)$", lambda match: "protocols {\n" + "".join(
            f"  {name} = yes\n" for name in match[1].split()) + "}", lines, flags=re.M)
        lines = re.sub(r"^import_environment = (.*)$", lambda match: "import_environment {\n" + "".join(
            f"  {name} = %{{env:{name}}}\n" for name in match[1].split()) + "}", lines, flags=re.M)
        for old, new in self._WORDS.items():
            lines = re.sub(rf"^( *){re.escape(old)}(?=$| =)", rf"\g<1>{new}", lines, flags=re.M)
        return lines

    def _block(self, match):
        """passdb { driver = NAME } as passdb NAME { }, and what args means to that driver."""
        kind, words = match[1], dict(line.strip().split(" = ", 1)
                                     for line in match[2].splitlines() if " = " in line)
        driver, args = words.pop("driver"), words.pop("args", None)
        fields = {}
        for old in ("default_fields", "override_fields"):
            suffix = ":default" if old == "default_fields" else ""
            for field in words.pop(old, "").split():
                name, _, value = field.partition("=")
                fields[name + suffix] = value
        lines = [f"  driver = {driver.replace('-', '_')}" if driver != "passwd-file"
                 else "  driver = passwd-file"]
        if args is not None:
            lines += self._args(kind, driver, args, fields)
        lines += [self.text(f"  {name} = {value}") for name, value in words.items()]
        if fields:
            lines += ["  fields {", *(f"    {name} = {value}" for name, value in fields.items()),
                      "  }"]
        self._blocks += 1
        return "\n".join([f"{kind} test{self._blocks} {{", *lines, "}"])

    _blocks = 0

    @staticmethod
    def _args(kind, driver, args, fields):
        if driver == "mum":
            return [f"  mum_config_file = {args}"]
        if driver == "sql":
            return [f"!include {args}", f"!include {args}.{kind}"]
        if driver == "static":
            fields.update(field.split("=", 1) for field in args.split())
            return []
        if driver == "passwd-file":
            path = args.split()[-1]
            lines = [f"  passwd_file_path = {path}"]
            return lines
        raise LabError(f"the lab cannot say \"driver = {driver}\" with arguments to Dovecot 2.4")

    def sql_files(self, path, driver, host, port, name, user, password):
        if driver == "sqlite":
            server = f"sql_driver = sqlite\nsqlite_path = {name}\n"
        else:
            server = (f"sql_driver = mysql\nmysql {host} {{\n"
                      + (f"  port = {port}\n" if port else "")
                      + f"  user = {user}\n  password = {password}\n  dbname = {name}\n}}\n")
        userdb = _USERDB_24
        if driver == "sqlite":
            for old, new in _FOR_SQLITE:
                if old not in userdb:
                    raise LabError(f"the lab's query has no {old!r}")
                userdb = userdb.replace(old, new)
        return {path: server, f"{path}.passdb": _PASSDB_24, f"{path}.userdb": userdb}

    def compared_text(self, path, *arguments):
        server, passdb, userdb = self.sql_files(path, *arguments).values()
        return f"{self.head()}{server}passdb sql {{{passdb}}}\nuserdb sql {{{userdb}}}\n"

    def iterate_query(self, path):
        return path.with_name(f"{path.name}.userdb"), (
            "mailboxes.local_part = '%{user | username}' AND domains.domain = '%{user | domain}'")

    def quota(self, fields):
        return fields["quota_storage_size"].removesuffix("G")

    def mail(self, fields):
        location = f"{fields['mail_driver']}:{fields['mail_path']}"
        return location + "".join(f":{key}={fields[name]}" for name, key in self._KEYS.items()
                                  if name in fields)

    def expected_mail(self, _location, settings):
        return settings

    def mail_fields(self, location):
        driver, path = location.split(":", 1)
        return {"mail_driver": driver, "mail_path": path, "mail_inbox_path": "."}


def mail_setting_names():
    """The settings that a mail location of MUM's may stand for."""
    text = (TOP / "common/mail-location.c").read_text()
    return re.findall(r"^\t\[MAIL_\w+\] = \"(\w+)\"", text, re.M)


@functools.cache
def dovecot_language():
    """The language of the installed Dovecot."""
    version = run("dovecot", "--version").stdout.split()[0].partition("-")[0]
    return (Dovecot23 if version.startswith("2.3.") else Dovecot24)(version)
