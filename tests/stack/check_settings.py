# SPDX-License-Identifier: MIT
"""Settings of Postfix, Dovecot and the database server that mumctl check finds: contexts,
as in check_ways.py.
"""

import contextlib
import itertools

from check_findings import finding
from check_rows import alias, mailbox, tls
from lab import Mumctl, Mumd
from lab.dovecot_language import dovecot_language

_numbers = itertools.count()

# Settings that suit mumd; each test changes a line.
GOOD = {
    "queue_directory": "{queue}", "smtputf8_enable": "no", "recipient_delimiter": "+",
    "virtual_mailbox_maps": "socketmap:unix:{socket}:mailboxes",
    "virtual_alias_maps": "socketmap:unix:mum/{name}:aliases",
    "virtual_transport": "lmtp:unix:private/dovecot-lmtp",
    "append_dot_mydomain": "no", "myorigin": "origin.test",
    "smtpd_recipient_restrictions": "check_policy_service {{ unix:mum/{policy}, timeout=10s }}",
}


def with_postfix(world, changes, master="", environment=(), **sections):
    """mumctl where main.cf has these settings; {socket} is mumd's. master: of master.cf."""
    directory = world.directory / f"postfix-{next(_numbers)}"
    directory.mkdir()
    socket = world.mumd.socketmap
    values = {"socket": socket, "name": socket.name, "queue": directory,
              "policy": world.mumd.policy.name}
    (directory / "mum").symlink_to(socket.parent)
    ctl = world.ctl_with(socketmap={"listen": [
        f"unix:{socket}", f"unix:{directory}/mum/{socket.name}"]},
        policy={"listen": [f"unix:{directory}/mum/{values['policy']}"],
                **sections.pop("policy", {})},
        **{"address": {"myorigin": "origin.test"}, **sections})
    (directory / "master.cf").write_text(master.format(**values))
    (directory / "main.cf").write_text("".join(
        f"{name} = {value.format(**values)}\n" for name, value in {**GOOD, **changes}.items()))
    return Mumctl(ctl.config, ["env", f"MAIL_CONFIG={directory}", *environment])


def postfix_case(name, code, level, setting, mend, what, **changes):
    @contextlib.contextmanager
    def way(world):
        yield with_postfix(world, changes), [
            finding(code, level, f"main.cf {setting}", mend, what)]
    way.__name__ = name
    return way


delimiter_of_postfix = postfix_case(
    "delimiter_of_postfix",
    "delimiter-differs", "warning", "recipient_delimiter", "set address.recipient_delimiter",
    'Postfix has "+-", mumd "+": an address', recipient_delimiter="+-")
no_delimiter_of_postfix = postfix_case(
    "no_delimiter_of_postfix",
    "delimiter-differs", "warning", "recipient_delimiter", "set recipient_delimiter in main.cf",
    'Postfix has "", mumd "+": an address', recipient_delimiter="")
no_propagation = postfix_case(
    "no_propagation",
    "propagate-differs", "warning", "propagate_unmatched_extensions",
    "propagate_extension = false", "Postfix is told to leave an extension out",
    propagate_unmatched_extensions="canonical")
utf8_over_lmtp = postfix_case(
    "utf8_over_lmtp",
    "smtputf8-lmtp", "note", "smtputf8_enable", "set smtputf8_enable = no", "bounced (5.6.7)",
    smtputf8_enable="yes")
another_alias_map = postfix_case(
    "another_alias_map",
    "map-besides", "note", "virtual_alias_maps", "no entry for a whole domain",
    "Postfix asks inline:{ {@a.test = b@c.test} }, too",
    virtual_alias_maps="proxy:socketmap:unix:mum/{name}:aliases "
                       "inline:{{ {{@a.test = b@c.test}} }}")
another_mailbox_map = postfix_case(
    "another_mailbox_map",
    "map-besides", "note", "virtual_mailbox_maps", "no entry for a whole domain",
    "Postfix asks socketmap:unix:/other:mailboxes, too",
    virtual_mailbox_maps="socketmap:unix:/other:mailboxes, socketmap:unix:{socket}:mailboxes")


ANOTHER_MAP = {"virtual_alias_maps": "socketmap:unix:mum/{name}:aliases inline:{{ {{a = b}} }}"}


@contextlib.contextmanager
def no_other_maps(world):
    yield with_postfix(world, ANOTHER_MAP, address={
        "other_maps": "false", "myorigin": "origin.test"}), [
        finding("other-maps-off", "error", "address.other_maps", "address.other_maps = true",
                "Postfix asks another table, too"),
        finding("map-besides", "note", "main.cf virtual_alias_maps", "no entry for a whole",
                "Postfix asks inline:")]


@contextlib.contextmanager
def catch_all_beside_other_maps(world):
    yield with_postfix(world, {}, address={"myorigin": "origin.test", "catch_all": "on"}), [
        finding("catch-all-other-maps", "error", "address.other_maps",
                "set address.other_maps = false", "takes their mail")]


@contextlib.contextmanager
def catch_all_beside_a_map(world):
    yield with_postfix(world, ANOTHER_MAP, address={
        "myorigin": "origin.test", "catch_all": "on", "other_maps": "off"}), [
        finding("catch-all-other-maps", "error", "address.catch_all",
                "set address.catch_all = false", "names that only that one knows"),
        finding("map-besides", "note", "main.cf virtual_alias_maps", "no entry for a whole",
                "Postfix asks inline:")]


@contextlib.contextmanager
def roles_for_nobody(world):
    yield world.ctl_with(address={"other_maps": "off", "roles": ["postmaster", "abuse"],
                                  "role_recipient": "nobody@example.test"}), [
        finding("role-recipient-dead", "error", "address.role_recipient",
                "name an address that accepts mail",
                "handed to <nobody@example.test>: neither a mailbox nor an alias")]


@contextlib.contextmanager
def propagation_besides(world):
    yield with_postfix(world, {}, address={
        "propagate_extension": "false", "myorigin": "ORIGIN.test"}), [
        finding("propagate-differs", "warning", "main.cf propagate_unmatched_extensions",
                "propagate_extension = true", "mumd leaves it out")]


def read_otherwise(world, changes, theirs, ours, **address):
    name = next(iter(changes))
    return with_postfix(world, changes, address={"myorigin": "origin.test", **address}), [
        finding("address-differs", "warning",
                f"main.cf {'mydomain' if name == 'append_dot_mydomain' else name}",
                f"set address.{'mydomain' if name == 'append_dot_mydomain' else name} in mum.conf",
                f'Postfix has "{theirs}", mumd "{ours}"')]


READINGS = {
    # the change in main.cf, what check says about both files, further options of mum.conf
    "percent": ({"allow_percent_hack": "no"}, "no", "yes", {}),
    "bang": ({"swap_bangpath": "yes"}, "yes", "no", {"swap_bangpath": "false"}),
    "origin": ({"myorigin": "other.test"}, "other.test", "origin.test", {}),
    "domain": ({"mydomain": "d.test", "append_dot_mydomain": "yes"}, "d.test", "", {}),
    "no_domain": ({"append_dot_mydomain": "no"}, "", "d.test", {"mydomain": "d.test"}),
}


def reading_case(name):
    changes, theirs, ours, address = READINGS[name]

    @contextlib.contextmanager
    def way(world):
        yield read_otherwise(world, changes, theirs, ours, **address)
    way.__name__ = f"another_{name}"
    return way


@contextlib.contextmanager
def an_origin_in_a_file(world):
    """As in Debian: both configurations name the file, and mumd has already read it."""
    path = world.directory / "mailname"
    path.write_text("origin.test\n")
    yield with_postfix(world, {"myorigin": str(path)}), []


@contextlib.contextmanager
def limits_of_postfix(world):
    """Both limits are smaller than Postfix's defaults."""
    chain = [row for n in range(1900, 1905) for row in alias(n, f"c{n}", [
        f"c{n + 1}@example.test" if n < 1904 else "x@external.test"])]
    wide = alias(1910, "wide", [f"x{n}@external.test" for n in range(7)])
    with world.rows([*chain, *wide]):
        yield with_postfix(world, {"virtual_alias_recursion_limit": "5",
                                   "virtual_alias_expansion_limit": "6"}), [
            finding("alias-too-deep", "warning", "aliases.id=1900 <c1900@example.test>",
                    "raise virtual_alias_recursion_limit", "5 in a row, and Postfix follows "
                    "fewer than 5"),
            finding("alias-too-wide", "warning", "aliases.id=1910 <wide@example.test>",
                    "virtual_alias_expansion_limit", "more than 6 recipients")]


@contextlib.contextmanager
def another_postfix(world):
    """This Postfix asks somebody else, so its settings do not matter."""
    yield with_postfix(world, {
        "virtual_mailbox_maps": "socketmap:unix:{socket}:nonsense", "recipient_delimiter": "=",
        "virtual_alias_maps": "socketmap:unix:/other:aliases", "smtputf8_enable": "yes"}), []


LOGIN_SERVICE = "submission inet n - y - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n"
ASKS = "  -o {{ smtpd_sender_restrictions = check_policy_service {{ unix:mum/{policy} }} }}\n"


@contextlib.contextmanager
def a_good_postfix(world):
    """Its other tables do not matter."""
    yield with_postfix(world, {"transport_maps": "mysql:/etc/postfix/sql/transport.cf"},
                       LOGIN_SERVICE + ASKS), []


@contextlib.contextmanager
def a_good_postfix_with_maps_alone(world):
    yield with_postfix(world, {"smtpd_recipient_restrictions": "check_recipient_access "
                               "socketmap:unix:mum/socketmap:recipient-access"}, LOGIN_SERVICE +
                       "  -o smtpd_sender_restrictions=reject_sender_login_mismatch\n"), []


def before_the_move(name, code, setting, what, mend, **changes):
    """The main.cf of MUM's manual, before it asks mumd."""
    stock = {"virtual_mailbox_maps": "proxy:mysql:/etc/postfix/sql/mailboxes.cf",
             "virtual_alias_maps": "mysql:/etc/postfix/sql/aliases.cf"}
    return postfix_case(name, code, "warning", setting, mend, what, **stock, **changes)


delimiter_before_the_move = before_the_move(
    "delimiter_before_the_move", "delimiter-differs", "recipient_delimiter",
    'Postfix has "+-", mumd "+": an address', "set address.recipient_delimiter",
    recipient_delimiter="+-")


@contextlib.contextmanager
def half_moved(world):
    """Lines that somebody forgot, in both files; port 465 has Debian's lines."""
    cure = "exchange it as mum-postfix(7) says"
    yield with_postfix(world, {
        "smtp_tls_policy_maps": "hash:/etc/own, proxy:mysql:/etc/postfix/sql/tls-policies.cf",
        "smtpd_recipient_restrictions": "permit_mynetworks"},
        LOGIN_SERVICE + ASKS + "  -o smtpd_recipient_restrictions=permit_mynetworks\n"
        "  -o smtpd_reject_unlisted_recipient=no\nsubmissions inet n - y - - smtpd\n"
        "  -o smtpd_sasl_auth_enable=yes\n"
        "  -o smtpd_sender_login_maps=mysql:/etc/postfix/sql/sender-login-maps.cf\n"), [
            finding("mysql-left", "warning", "main.cf smtp_tls_policy_maps", cure,
                    "Postfix still asks proxy:mysql:/etc/postfix/sql/tls-policies.cf"),
            finding("mysql-left", "warning", "master.cf submissions/inet smtpd_sender_login_maps",
                    cure, "Postfix still asks mysql:/etc/postfix/sql/sender-login-maps.cf"),
            finding("senders-unasked", "warning",
                    "master.cf submissions/inet smtpd_sender_restrictions",
                    'conf-examples/master.cf, or "mumctl setup"', "may send under any address"),
            finding("recipients-unasked", "warning",
                    "master.cf submission/inet smtpd_reject_unlisted_recipient",
                    "take the line out", "an address that nobody has is accepted"),
            *(finding("recipients-unasked", "warning", f"{where}smtpd_recipient_restrictions",
                      'conf-examples/main.cf, or "mumctl setup"', "a send-only mailbox")
              for where in ("main.cf ", "master.cf submission/inet ",
                            "master.cf submissions/inet "))]


COUNTS = ("  -o {{ smtpd_data_restrictions = permit_mynetworks, check_policy_service "
          "{{ unix:mum/{policy}, policy_context = limit, timeout=10s }} }}\n")


@contextlib.contextmanager
def limits_that_count(world):
    """In each way that there is to ask at DATA."""
    mumd = Mumd(world.lab, {**world.settings(), "policy": {"send": "warn"}},
                name=f"limits-{next(_numbers)}").start()
    yield with_postfix(
        world, {"smtpd_data_restrictions": "check_policy_service unix:mum/{policy}"},
        LOGIN_SERVICE + ASKS + COUNTS + "smtps inet n - y - - smtpd\n"
        "  -o smtpd_sasl_auth_enable=yes\n" + ASKS,
        policy={"send": "warn", "send_socket": mumd.send_socket}), []
    mumd.stop()


@contextlib.contextmanager
def limits_that_do_not(world):
    """Nobody asks, somebody else does, or in a context that does not count."""
    cure = "put the policy service there with policy_context=limit"
    yield with_postfix(
        world, {"smtpd_sasl_auth_enable": "yes",
                "smtpd_data_restrictions": "check_policy_service {{ unix:other, "
                                           "policy_context=limit }}"},
        LOGIN_SERVICE + ASKS + "  -o smtpd_data_restrictions=\nsmtps inet n - y - - smtpd\n"
        "  -o smtpd_sasl_auth_enable=yes\n" + ASKS + COUNTS.replace("limit", "limits"),
        policy={"send": "enforce", "send_socket": "/nonexistent/senders"}), [
            *(finding("limits-unasked", "warning", f"{where} smtpd_data_restrictions", cure,
                      "so nothing is counted")
              for where in ("main.cf", "master.cf submission/inet", "master.cf smtps/inet")),
            finding("limits-unseen", "warning", "/nonexistent/senders", "then restart mumd",
                    "mumd does not say who sends: /nonexistent/senders: No such file")]


# Of Postfix 3.10 and later; test_tls_policy.c has more.
TLSRPT_FAULTS = [
    ("policy_type=tlsa", "policy_type is none of sts, no-policy-found"),
    ("policy_type=sts policy_domain=a..test", "policy_domain is no host name"),
    ("policy_type=sts policy_ttl=1d", "policy_ttl is no number"),
    ("policy_type=sts policy_failure=none", "policy_failure is unknown"),
    ("policy_ttl=86400", "what is told of a policy needs policy_type"),
]


def with_script(world, name, script):
    """mumctl where that program is a script."""
    directory = world.directory / f"bin-{next(_numbers)}"
    directory.mkdir()
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)
    return Mumctl(world.ctl_with().config, ["env", f"PATH={directory}:/usr/bin:/bin"])


def with_program(world, name, version):
    """mumctl where that program is another one, which says nothing but its version."""
    return with_script(world, name, f"echo '{version}'")


@contextlib.contextmanager
def policies_for_postfix_3_10(world):
    """A postconf that reports that version, and policies that only that version takes."""
    with world.rows([tls(1940, "good.test", "secure", "policy_type=sts policy_ttl=86400 "
                         "{ policy_string = version: STSv1 } mx_host_pattern=*.good.test"),
                     *(tls(1941 + number, f"tlsrpt{number}.test", "secure", params)
                       for number, (params, _) in enumerate(TLSRPT_FAULTS))]):
        yield with_program(world, "postconf", "3.10.4"), [
            finding("tls-params", "error", f"tls_policies.domain=<tlsrpt{number}.test>",
                    "fix policy or params", fault)
            for number, (_, fault) in enumerate(TLSRPT_FAULTS)]


# ---- Dovecot ----

def with_dovecot(world, text, ctl=None):
    path = world.directory / f"dovecot-{next(_numbers)}.conf"
    path.write_text(text)
    return Mumctl((ctl or world.ctl_with()).config, ["env", f"CONFIG_FILE={path}"])


LANGUAGE = dovecot_language()
OURS = LANGUAGE.passdb("mum")


@contextlib.contextmanager
def delimiter_of_mumd_alone(world):
    ctl = world.ctl_with(address={"recipient_delimiter": "+-"})
    yield with_dovecot(world, OURS, ctl), [
        finding("delimiter-differs", "error", "dovecot.conf recipient_delimiter",
                "set recipient_delimiter in dovecot.conf", 'Dovecot has "+", mumd "+-": mail to '
                "an address with an extension that only mumd knows is accepted, and bounced")]


@contextlib.contextmanager
def delimiter_of_dovecot_alone(world):
    """There is also a mailbox that Dovecot takes for another one."""
    with world.rows([mailbox(1920, "anna-lisa"), mailbox(1921, "-x")]):
        yield with_dovecot(world, OURS + "recipient_delimiter = +-\n"), [
            finding("delimiter-differs", "error", "dovecot.conf recipient_delimiter",
                    "set recipient_delimiter in dovecot.conf", "put into another mailbox"),
            finding("mailbox-split", "error", "mailboxes.id=1920 <anna-lisa@example.test>",
                    "take the character out", 'takes "-lisa" for an extension: its mail goes to '
                    "the mailbox anna@")]


QUOTING_DOVECONF = r"""case "$*" in
*recipient_delimiter) echo '"+\"#"' ;;
*auth_username_format) echo %u ;;
*) echo 'driver = mum' ;;
esac"""


@contextlib.contextmanager
def delimiter_in_quotes(world):
    """As doveconf of 2.4 prints it."""
    yield with_script(world, "doveconf", QUOTING_DOVECONF), [
        finding("delimiter-differs", "error", "dovecot.conf recipient_delimiter",
                "set recipient_delimiter in dovecot.conf", 'Dovecot has "+"#", mumd "+"')]


@contextlib.contextmanager
def another_dovecot(world):
    yield with_dovecot(world, LANGUAGE.passdb("pam") + "recipient_delimiter = =\n"), []


WITHOUT_DOMAIN, WITH_DOMAIN = LANGUAGE.name_formats


def with_lmtp_name(world, name_format):
    return with_dovecot(world, f"{OURS}protocol lmtp {{\n  auth_username_format = {name_format}\n}}\n")


@contextlib.contextmanager
def lmtp_without_domain(world):
    yield with_lmtp_name(world, WITHOUT_DOMAIN), [
        finding("lmtp-domain", "error", "dovecot.conf auth_username_format",
                "conf-examples/dovecot-2.4.conf",
                f'it is "{WITHOUT_DOMAIN}" for LMTP, which takes the domain off')]


@contextlib.contextmanager
def lmtp_with_domain(world):
    yield with_lmtp_name(world, WITH_DOMAIN), []


SQL = LANGUAGE.passdb("sql")


def sql_case(name, text, wanted, active=1):
    """active: of the domain that has letters beyond ASCII."""
    @contextlib.contextmanager
    def way(world):
        path = world.directory / f"dovecot-{next(_numbers)}.conf"
        path.write_text(text)
        with world.changed((f"UPDATE domains SET active = {active} WHERE domain = 'bücher.test'",
                            "UPDATE domains SET active = 1 WHERE domain = 'bücher.test'")):
            yield with_postfix(world, {}, environment=[f"CONFIG_FILE={path}"]), wanted
    way.__name__ = name
    return way


sql_behind = sql_case("sql_behind", SQL, [
    finding("sql-behind", "error", "dovecot.conf", "move Dovecot to the module",
            "they are 1, the first: bücher.test")])
sql_behind_ascii = sql_case("sql_behind_ascii", SQL, [], active=0)
module_behind = sql_case("module_behind", OURS, [])


# Each with why; test_mail_location.c has more.
UNKNOWN_LOCATIONS = {
    "maildir:/srv/m:SHINY": "maildir has SHINY, which Dovecot 2.4 has no setting for",
    "/srv/m": "maildir names no driver", "maildir:~somebody/m": "maildir is in the home of",
    "mbox:/srv/m:INBOX=in": "maildir has INBOX with a relative path",
}


def locations_case(name, version, level, mend, what):
    @contextlib.contextmanager
    def way(world):
        rows = [mailbox(1960 + number, f"loc{number}", maildir=location)
                for number, location in enumerate(["maildir:~/m:LAYOUT=fs", *UNKNOWN_LOCATIONS])]
        with world.rows(rows):
            yield with_program(world, "dovecot", version), [
                finding("location-unknown", level,
                        f"mailboxes.id={1961 + number} <loc{1 + number}@example.test>", mend,
                        what + why) for number, why in enumerate(UNKNOWN_LOCATIONS.values())]
    way.__name__ = name
    return way


locations_for_2_3 = locations_case(
    "locations_for_2_3", "2.3.19.1 (9b53102964)", "note",
    "change maildir in MUM before Dovecot 2.4 takes over", "Dovecot 2.4 would defer mail and logins: ")
locations_for_2_4 = locations_case(
    "locations_for_2_4", "2.4.1-4 (7d8e0c5759)", "error", "change maildir in MUM",
    "Dovecot defers mail and logins: ")


# ---- database ----

@contextlib.contextmanager
def dangling_in_mariadb(world):
    with dangling(world, "SET foreign_key_checks = 0; ") as found:
        yield found


@contextlib.contextmanager
def dangling(world, before=""):
    """Possible only while foreign keys are not checked."""
    with world.changed((
            f"{before}INSERT INTO alias_recipients (id, alias_id, recipient_address, mailbox_id) "
            "VALUES (1930, 1, 'lost@example.test', 4711)",
            "DELETE FROM alias_recipients WHERE id = 1930")):
        yield world.ctl_with(), [
            finding("recipient-dangling", "warning",
                    "alias_recipients.id=1930 <info@example.test>",
                    "DELETE FROM alias_recipients WHERE id = 1930", "its mailbox is gone: <lost@example.test>")]


NOT_CHECKED = finding("not-checked", "note", "domains.max_quota", 'that "mumctl setup" prints',
                      "quotas are not compared with it")


@contextlib.contextmanager
def older_grants(world):
    with world.changed(("REVOKE SELECT (max_quota) ON mum.domains FROM mum_dovecot@localhost",
                        "GRANT SELECT (max_quota) ON mum.domains TO mum_dovecot@localhost")):
        yield world.ctl_with(), [NOT_CHECKED]


@contextlib.contextmanager
def no_such_column(world):
    with world.changed(("ALTER TABLE domains RENAME COLUMN max_quota TO most",
                        "ALTER TABLE domains RENAME COLUMN most TO max_quota")):
        yield world.ctl_with(), [NOT_CHECKED]


def unfit(world, table, column, collation, what):
    """The statement that mumctl prints puts it back."""
    charset = collation.partition("_")[0]
    cure = (f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4 "
            "COLLATE utf8mb4_unicode_ci")
    return (world.changed((f"ALTER TABLE {table} CONVERT TO CHARACTER SET {charset} "
                           f"COLLATE {collation}", cure)),
            finding("collation-unfit", "error", f"{table}.{column}", cure,
                    f"its collation is {collation}: {what}"))


CASE, OTHERS = "a name that is typed in another case", "names with other letters"


@contextlib.contextmanager
def collations_that_are_unfit(world):
    with contextlib.ExitStack() as stack:
        found = []
        for table, column, collation, what in (
                ("domains", "domain", "utf8mb4_bin", CASE),
                ("mailboxes", "local_part", "utf8mb4_bin", CASE),
                ("aliases", "local_part", "utf8mb4_nopad_bin", CASE),
                ("tls_policies", "domain", "utf8mb3_general_ci", OTHERS)):
            context, want = unfit(world, table, column, collation, what)
            stack.enter_context(context)
            found.append(want)
        with world.changed(("ALTER DATABASE mum COLLATE utf8mb4_bin",
                            "ALTER DATABASE mum COLLATE utf8mb4_unicode_ci")):
            yield world.ctl_with(), found


@contextlib.contextmanager
def another_default_collation(world):
    with world.changed(("ALTER DATABASE mum CHARACTER SET latin1 COLLATE latin1_swedish_ci",
                        "ALTER DATABASE `mum` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")):
        yield world.ctl_with(), [
            finding("collation-default", "note", "mum", "ALTER DATABASE `mum` CHARACTER SET utf8mb4 "
                    "COLLATE utf8mb4_unicode_ci", "default collation is latin1_swedish_ci, that of "
                    "its tables utf8mb4_unicode_ci")]


BOTH, MARIADB, SQLITE = ("mariadb", "sqlite"), ("mariadb",), ("sqlite",)
SETTINGS = [
    (a_good_postfix, SQLITE, 0), (another_postfix, SQLITE, 0), (delimiter_of_postfix, SQLITE, 1),
    (no_delimiter_of_postfix, SQLITE, 1), (no_propagation, SQLITE, 1),
    (propagation_besides, SQLITE, 1), (utf8_over_lmtp, SQLITE, 0),
    (another_alias_map, SQLITE, 0), (no_other_maps, SQLITE, 78), (another_mailbox_map, SQLITE, 0),
    (catch_all_beside_other_maps, SQLITE, 78), (catch_all_beside_a_map, SQLITE, 78),
    (roles_for_nobody, BOTH, 78),
    *((reading_case(name), SQLITE, 1) for name in READINGS), (an_origin_in_a_file, SQLITE, 0),
    (limits_of_postfix, BOTH, 1), (policies_for_postfix_3_10, SQLITE, 78),
    (a_good_postfix_with_maps_alone, SQLITE, 0), (delimiter_before_the_move, SQLITE, 1),
    (limits_that_count, SQLITE, 0), (limits_that_do_not, SQLITE, 1),
    (half_moved, SQLITE, 1), (sql_behind, BOTH, 78), (sql_behind_ascii, SQLITE, 0),
    (module_behind, SQLITE, 0), (locations_for_2_3, SQLITE, 0), (locations_for_2_4, BOTH, 78),
    (lmtp_without_domain, SQLITE, 78), (lmtp_with_domain, SQLITE, 0),
    (delimiter_in_quotes, SQLITE, 78),
    (another_dovecot, SQLITE, 0),
    (delimiter_of_mumd_alone, SQLITE, 78), (delimiter_of_dovecot_alone, BOTH, 78),
    (dangling_in_mariadb, MARIADB, 1), (dangling, SQLITE, 1), (older_grants, MARIADB, 0),
    (no_such_column, SQLITE, 0), (collations_that_are_unfit, MARIADB, 78),
    (another_default_collation, MARIADB, 0),
]
