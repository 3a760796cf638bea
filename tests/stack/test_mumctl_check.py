# SPDX-License-Identifier: MIT
"""mumctl check: each finding is made here, with what it says of place and cure."""

import contextlib
import hashlib
import os
import pathlib
import re
import socket
import time

import pytest

from dovecot_stores import STORES
from lab import Mumctl, hashes, sample
from lab.lab import TOP, free_port, give, in_own_mounts
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mumd import GROUP
from mumctl_world import World

BCRYPT = hashes.bcrypt(cost=4)

# As SHOW GRANTS has it, of DOVECOT_PASSWORD.
NATIVE_HASH = "*" + hashlib.sha1(
    hashlib.sha1(DOVECOT_PASSWORD.encode()).digest()).hexdigest().upper()

# A build with sanitizers is told so by these; it takes its time.
SLOWER = 4 if "ASAN_OPTIONS" in os.environ else 1


@pytest.fixture(scope="module")
def worlds(lab):
    made = {}

    def get(name):
        if name not in made:
            made[name] = World(lab, name)
        return made[name]
    return get


@pytest.fixture(scope="module", params=list(STORES))
def world(request, worlds):
    return worlds(request.param)


def finding(code, level, where, mend, what=""):
    """where is the whole text, the other two are parts of it."""
    return {"code": code, "level": level, "where": where, "mend": mend, "what": what}


def matches(found, want):
    return (found["code"] == want["code"] and found["level"] == want["level"]
            and found["where"] == want["where"] and want["mend"] in found["mend"]
            and want["what"] in found["what"])


def pick(findings, want):
    """The one finding that is wanted; the others are in the message."""
    found = [one for one in findings if matches(one, want)]
    assert len(found) == 1, (want, findings)
    return found[0]


# ---- all is well ----

def test_nothing_is_found_where_nothing_is_wrong(world):
    result = world.ctl.run("check")
    assert (result.status, result.stdout, result.stderr) == (0, "0 errors, 0 warnings\n", "")
    assert world.ctl.json("check") == {"errors": 0, "warnings": 0, "findings": []}


# ---- rows ----

def mailbox(number, local_part, **columns):
    return ("mailboxes", {"id": number, "local_part": local_part, "domain_id": 1,
                          "password": BCRYPT, "homedir": f"/srv/{number}",
                          "maildir": f"maildir:/srv/{number}", **columns})


def alias(number, local_part, recipients=(), **columns):
    """A recipient is an address, or (address, mailbox id)."""
    yield ("aliases", {"id": number, "local_part": local_part, "domain_id": 1, **columns})
    for place, recipient in enumerate(recipients):
        address, local = recipient if isinstance(recipient, tuple) else (recipient, None)
        yield ("alias_recipients", {"id": number * 10000 + place, "alias_id": number,
                                    "recipient_address": address, "mailbox_id": local})


def tls(number, domain, policy, params=None):
    return ("tls_policies", {"id": number, "domain": domain, "policy": policy, "params": params,
                             "active": 1})


def expensive(kind):
    return hashes.bcrypt(cost=4).replace("$04$", "$15$") if kind == "bcrypt" else \
        "$6$rounds=1000001$saltsalt$" + hashes.sha512(rounds=1000).rpartition("$")[2]


def too_wide(number, name):
    return finding("alias-too-wide", "warning", f"aliases.id={number} <{name}@example.test>",
                   "raise virtual_alias_expansion_limit in main.cf", "more than 1000 recipients")


# That Postfix agrees is for test_mumctl_tls.py.
TLS_FAULTS = [
    ("may", "protocols=TLSv1.2 protocols=TLSv1.3", "an attribute stands there twice"),
    ("may", "ciphers=", "ciphers is none of high, medium, low, export, null"),
    ("may", "protocols=TLSv9", "protocols has an unknown one"),
    ("may", "exclude=!MD5", "exclude has one of !, +, - and @"),
    ("fingerprint", "match=nonsense", "fingerprint needs match=DIGEST"),
    ("verify", "match=", "match has no value"),
    ("may", "connection_reuse=maybe", "neither yes nor no"),
    ("secure", "match", "not NAME=VALUE"),
    ("encrypt", "servername=mx..test", "servername is no host name"),
    ("secure", "tafile=", "tafile goes with verify and secure, and a file"),
    ("encrypt", "nonsense=1", "unknown attribute"),
]

LONG_LOOP = [row for n in range(1300, 1320)
             for row in alias(n, f"long{n}", [f"long{(n - 1299) % 20 + 1300}@example.test"])]

MANY = [f"r{n}@external.test" for n in range(1001)]


ROWS = {
    "a loop of two": (
        [*alias(1001, "ping", ["pong@example.test"]), *alias(1002, "Pong", ["PING@example.test"])],
        [finding("alias-loop", "error", "aliases.id=1001 <ping@example.test>", "remove one",
                 "<ping@example.test> <- <pong@example.test> <- <ping@example.test>")]),
    "a loop by way of an extension": (
        [*alias(1003, "grow", ["grow+more@example.test"])],
        [finding("alias-loop", "error", "aliases.id=1003 <grow@example.test>", "remove one")]),
    "a long loop": (
        LONG_LOOP,
        [finding("alias-loop", "error", "aliases.id=1300 <long1300@example.test>",
                 "remove one", " <- ... <- <long1300@example.test>")]),
    "a loop that a copy ends": (
        [mailbox(1500, "kept"), *alias(1500, "kept", ["KEPT@example.test", "other@example.test"]),
         *alias(1501, "other", ["kept@example.test"])],
        []),
    "a loop by way of a copy's extension": (
        [mailbox(1502, "mine"), *alias(1502, "mine", ["mine@example.test", "next@example.test"]),
         *alias(1503, "next", ["mine+more@example.test"])],
        [finding("alias-loop", "error", "aliases.id=1502 <mine@example.test>", "remove one",
                 "<mine@example.test> <- <next@example.test> <- <mine@example.test>")]),
    "an alias that its extension leads elsewhere": (
        [*alias(1005, "list", ["list+news@example.test"]),
         *alias(1006, "list+news", ["anna@example.test"])],
        []),
    "a copy in the mailbox of the same name": (
        [mailbox(1007, "copy"), *alias(1007, "copy", ["copy@example.test", "x@external.test"])],
        []),
    "an alias and a mailbox of one name": (
        [mailbox(1008, "both"), *alias(1008, "both", ["anna@example.test"])],
        [finding("alias-and-mailbox", "warning", "aliases.id=1008 <both@example.test>",
                 "make the mailbox a recipient", "mail goes to the alias alone")]),
    "the same in another case": (
        [mailbox(1009, "Case"), *alias(1009, "cAsE", ["anna@example.test"])],
        [finding("alias-and-mailbox", "warning", "aliases.id=1009 <cAsE@example.test>",
                 "make the mailbox a recipient", "mail goes to the alias alone")]),
    "an alias and a mailbox that takes no mail": (
        [mailbox(1010, "off", active=0), *alias(1010, "off", ["anna@example.test"]),
         mailbox(1011, "only", send_only=1), *alias(1011, "only", ["anna@example.test"])],
        []),
    "an alias without recipients": (
        [*alias(1012, "empty")],
        [finding("alias-empty", "warning", "aliases.id=1012 <empty@example.test>",
                 "give it a recipient", "mail to it is refused")]),
    "the same beside a mailbox": (
        [mailbox(1013, "shell"), *alias(1013, "shell")],
        [finding("alias-empty", "warning", "aliases.id=1013 <shell@example.test>",
                 "give it a recipient", "mail goes to the mailbox of the same name")]),
    "an alias whose recipients take no mail": (
        [*alias(1014, "dead", [("scanner@example.test", 2), ("gone@example.test", 3), " ",
                               "dead@example.test"])],
        [finding("alias-dead", "warning", "aliases.id=1014 <dead@example.test>",
                 "activate a recipient", "mail to it is refused")]),
    "the same beside a mailbox ": (
        [mailbox(1015, "deadbox"), *alias(1015, "deadbox", [("gone@example.test", 3)])],
        [finding("alias-dead", "warning", "aliases.id=1015 <deadbox@example.test>",
                 "activate a recipient", "mail goes to the mailbox of the same name")]),
    "an alias as long as Postfix takes it, and one byte more": (
        [*alias(1100, "long", sample.value_of(99997)),
         *alias(1101, "longer", sample.value_of(99998))],
        [finding("alias-too-long", "error", "aliases.id=1101 <longer@example.test>",
                 "give it fewer recipients",
                 f"its {len(sample.value_of(99998))} recipients are 99998 bytes, and Postfix "
                 "takes 99997")]),
    "aliases of as many recipients as Postfix takes, and of one more": (
        [*alias(1103, "thousand", MANY[:1000]), *alias(1105, "thousandone", MANY)],
        [too_wide(1105, "thousandone")]),
    "an alias of too many by way of others": (
        [*alias(1107, "halves", ["HALF+x@example.test", "half2@example.test"]),
         *alias(1108, "more", ["half@example.test", "half2@example.test", "y@external.test"]),
         *alias(1109, "half", MANY[:500]), *alias(1110, "half2", MANY[:500]),
         *alias(1111, "evenmore", ["more@example.test"])],
        [too_wide(1108, "more"), too_wide(1111, "evenmore")]),
    "aliases that do not exist any more": (
        [*alias(1016, "over", deactivate_at="2020-01-01 00:00:00"),
         *alias(1017, "inactive", active=0)],
        []),
    "a recipient with a control character": (
        [*alias(1018, "tab", ["a\tb@external.test"])],
        [finding("recipient-unusable", "error", "aliases.id=1018 <tab@example.test>",
                 "mend or remove it", "<a\tb@external.test>")]),
    "a recipient whose domain is a list": (
        [*alias(1019, "comma", ["a@b.test,c.test"])],
        [finding("recipient-unusable", "error", "aliases.id=1019 <comma@example.test>",
                 "mend or remove it", "deferred")]),
    "an alias that no mail can name": (
        [*alias(1020, "be\x07ll", ["anna@example.test"])],
        [finding("name-unusable", "error", "aliases.id=1020 <be\x07ll@example.test>",
                 "rename it", "no mail can have this name")]),
    "a recipient with a NUL byte": (
        [*alias(1035, "nul", ["a\0b@external.test", "anna@example.test"])],
        [finding("recipient-unusable", "error", "aliases.id=1035 <nul@example.test>",
                 "mend or remove it", "a row holds a value that cannot be read")]),
    "names with a NUL byte": (
        [mailbox(1036, "nul\0mailbox"), *alias(1037, "nul\0alias", ["anna@example.test"])],
        [finding("name-unusable", "error", where, "rename it", "not found by its own name")
         for where in ("mailboxes.id=1036 <nul@example.test>",
                       "aliases.id=1037 <nul@example.test>")]),
    "names in a domain with an @": (
        [("domains", {"id": 1038, "domain": "at@home.test", "homedir": "/at"}),
         mailbox(1038, "inner", domain_id=1038),
         *alias(1039, "outer", ["anna@example.test"], domain_id=1038)],
        [finding("name-unusable", "error", where, "rename it", "not found by its own name")
         for where in ("mailboxes.id=1038 <inner@at@home.test>",
                       "aliases.id=1039 <outer@at@home.test>")]),
    "a mailbox that nobody can name": (
        [mailbox(1021, "esc\x1b[2J")],
        [finding("name-unusable", "error", "mailboxes.id=1021 <esc\x1b[2J@example.test>",
                 "rename it", "no login and no mail")]),
    "a home that is relative": (
        [mailbox(1022, "relative", homedir="srv/mail")],
        [finding("mailbox-unusable", "error", "mailboxes.id=1022 <relative@example.test>",
                 "mend it", "homedir is not an absolute path")]),
    "a home that leads upwards": (
        [mailbox(1023, "upwards", homedir="/srv/../etc")],
        [finding("mailbox-unusable", "error", "mailboxes.id=1023 <upwards@example.test>",
                 "mend it", "homedir")]),
    "no home, and one with a control character": (
        [mailbox(1040, "homeless", homedir=""), mailbox(1041, "bell", homedir="/srv/\a")],
        [finding("mailbox-unusable", "error", f"mailboxes.id={number} <{name}@example.test>",
                 "mend it", "homedir is not an absolute path of printable characters")
         for number, name in ((1040, "homeless"), (1041, "bell"))]),
    "a maildir with a control character": (
        [mailbox(1042, "feed", maildir="maildir:/srv/\n")],
        [finding("mailbox-unusable", "error", "mailboxes.id=1042 <feed@example.test>",
                 "mend it", "maildir is empty or holds control characters")]),
    "no maildir": (
        [mailbox(1024, "nomail", maildir="")],
        [finding("mailbox-unusable", "error", "mailboxes.id=1024 <nomail@example.test>",
                 "mend it", "maildir is empty")]),
    "a quota beyond 63 bits": (
        [("domains", {"id": 1025, "domain": "huge.test", "quota": 1 << 33, "homedir": "/huge"}),
         mailbox(1025, "huge", domain_id=1025)],
        [finding("mailbox-unusable", "error", "mailboxes.id=1025 <huge@huge.test>",
                 "mend it", "quota is not a number of gigabytes below 2^33")]),
    "a password in plain text": (
        [mailbox(1026, "plain", password="hash-canary")],
        [finding("hash-refused", "error", "mailboxes.id=1026 <plain@example.test>",
                 "set the password anew", "not a hash")]),
    "no password": (
        [mailbox(1027, "nopass", password="")],
        [finding("hash-refused", "error", "mailboxes.id=1027 <nopass@example.test>",
                 "set the password anew", "no password is set")]),
    "a hash that costs too much": (
        [mailbox(1028, "costly", password=expensive("bcrypt")),
         mailbox(1029, "rounds", password=expensive("sha512"))],
        [finding("hash-refused", "error", f"mailboxes.id={number} <{name}@example.test>",
                 "dovecot.max_*", "costs more than mum.conf allows")
         for number, name in ((1028, "costly"), (1029, "rounds"))]),
    "hashes that are cut or go on behind a NUL byte": (
        [mailbox(1043, "cut", password=BCRYPT[:-1]),
         mailbox(1044, "goeson", password=BCRYPT + "\0")],
        [finding("hash-refused", "error", f"mailboxes.id={number} <{name}@example.test>",
                 "set the password anew", "malformed hash")
         for number, name in ((1043, "cut"), (1044, "goeson"))]),
    "a hash of an unknown scheme": (
        [mailbox(1030, "unknown", password="$9$hash-canary")],
        [finding("hash-refused", "error", "mailboxes.id=1030 <unknown@example.test>",
                 "set the password anew", "unknown hash scheme")]),
    "a prefix": (
        [mailbox(1031, "prefix", password="{PLAIN}hash-canary")],
        [finding("hash-refused", "error", "mailboxes.id=1031 <prefix@example.test>",
                 "set the password anew", "allow_scheme_prefix")]),
    "a TLS policy that Postfix refuses": (
        [tls(1032, "fault.test", "encrypt", "match=nexthop")],
        [finding("tls-params", "error", "tls_policies.domain=<fault.test>", "mend policy or params",
                 "match does not go with this policy (encrypt match=nexthop)")]),
    "all faults of TLS policies": (
        [tls(1050 + number, f"fault{number}.test", policy, params)
         for number, (policy, params, _) in enumerate(TLS_FAULTS)],
        [finding("tls-params", "error", f"tls_policies.domain=<fault{number}.test>",
                 "mend policy or params", f"{fault} ({policy} {params})")
         for number, (policy, params, fault) in enumerate(TLS_FAULTS)]),
    "a TLS policy with a line end": (
        [tls(1033, "line.test", "encrypt", "ciphers=high\nprotocols=TLSv1.2")],
        [finding("tls-params", "error", "tls_policies.domain=<line.test>", "mend policy or params",
                 "control characters")]),
    "a TLS policy with a NUL": (
        [tls(1399, "nul.test", "encrypt", "ciphers=high\0")],
        [finding("tls-params", "error", "tls_policies.domain=<nul.test>", "mend policy or params",
                 "control characters")]),
    "a TLS policy for nobody": (
        [tls(1034, "no\x01body.test", "may")],
        [finding("name-unusable", "warning", "tls_policies.domain=<no\x01body.test>",
                 "postconf(5) smtp_tls_policy_maps", "no next hop")]),
}


def place(table, columns):
    """How the place of a finding about this row begins."""
    return (f"tls_policies.domain=<{columns['domain']}>" if table == "tls_policies" else
            f"{table}.id={columns['id']} ")


@pytest.fixture(scope="module")
def spoilt(world):
    """All of the rows above at once: (JSON, text with and without --all)."""
    with world.rows([row for rows, _ in ROWS.values() for row in rows]):
        return {"json": world.ctl.run("--json", "check"), "text": world.ctl.run("check"),
                "all": world.ctl.run("check", "--all")}


@pytest.mark.parametrize("case", ROWS)
def test_a_row_that_hurts_is_found(spoilt, case):
    findings = spoilt["json"].json()["findings"]
    rows, wanted = ROWS[case]
    for want in wanted:
        pick(findings, want)
    places = tuple(place(table, columns) for table, columns in rows)
    said = [one for one in findings if one["where"].startswith(places)]
    assert len(said) == len(wanted), said   # and nothing of the rows that are right


def test_errors_end_with_78_and_are_counted(spoilt):
    document = spoilt["json"].json()
    assert {spoilt[kind].status for kind in spoilt} == {78}
    levels = [one["level"] for one in document["findings"]]
    assert document["errors"] == levels.count("error") > 10
    assert document["warnings"] == levels.count("warning") > 3
    assert spoilt["all"].stdout.splitlines()[-1] == (
        f"{document['errors']} errors, {document['warnings']} warnings")


def test_a_line_is_one_finding_and_no_terminal_obeys_it(spoilt):
    document = spoilt["json"].json()
    lines = spoilt["all"].stdout.splitlines()
    assert len(lines) == len(document["findings"]) + 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", spoilt["all"].stdout)
    assert any(r"esc\x1b[2J@example.test" in line for line in lines)


def test_ten_of_a_kind_are_enough_unless_all_are_wanted(world):
    rows = [row for number in range(1400, 1423) for row in alias(number, f"none{number}")]
    with world.rows(rows):
        result = world.ctl.run("check")
        everything = world.ctl.run("check", "--all")
    lines = result.stdout.splitlines()
    assert result.status == 1
    assert len([line for line in lines if line.startswith("warning: alias-empty: ")]) == 10
    assert "alias-empty: 13 more; --all prints them" in lines
    assert len(everything.stdout.splitlines()) == 24


def test_no_hash_and_no_password_is_printed(spoilt):
    for result in spoilt.values():
        for secret in ("hash-canary", BCRYPT[7:], POSTFIX_PASSWORD, DOVECOT_PASSWORD):
            assert secret not in result.seen


# ---- configuration, files, sockets ----

@contextlib.contextmanager
def mode(path, bits):
    before = path.stat().st_mode & 0o7777
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


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
    """What is wrong for one program is said, whatever is wrong for the other."""
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
    """A machine without its user: for mumctl alone, which sees another file."""
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
def nobody_at_the_sockets(world):
    port = free_port()
    ctl = world.ctl_with(socketmap={"listen": [f"unix:{world.directory}/none"]},
                         policy={"listen": [f"inet:127.0.0.1:{port}"]})
    yield ctl, [finding("socket-dead", "error", f"unix:{world.directory}/none", "start mumd",
                        "No such file"),
                finding("socket-dead", "error", f"inet:127.0.0.1:{port}", "start mumd",
                        "Connection refused")]


@contextlib.contextmanager
def socket_closed_to_postfix(world):
    with mode(world.mumd.policy, 0o600):
        yield world.ctl_with(), [
            finding("socket-denied", "error", f"unix:{world.mumd.policy}", "process.socket_group",
                    "user postfix may not connect")]


@contextlib.contextmanager
def folder_closed_to_postfix(world):
    with mode(world.mumd.sockets, 0o700):
        yield world.ctl_with(), [
            finding("socket-denied", "error", f"unix:{path}", "modes of its folders")
            for path in (world.mumd.socketmap, world.mumd.policy)]


@contextlib.contextmanager
def sockets_that_nobody_accepts_from(world):
    """Their queues are full: whoever connects waits."""
    with contextlib.ExitStack() as stack:
        def make(family, address):
            listener, client = [stack.enter_context(socket.socket(family)) for _ in range(2)]
            listener.bind(address)
            listener.listen(0)
            client.connect(listener.getsockname())
            return listener.getsockname()

        path = make(socket.AF_UNIX, f"{world.directory}/full")
        stack.callback(os.unlink, path)
        os.chmod(path, 0o666)
        yield world.ctl_with(socketmap={"listen": [f"unix:{path}"]}), [
            finding("socket-dead", "error", f"unix:{path}", "start mumd", "Connection timed out")]


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
    """One of two: the other is read, and both are named."""
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
    """Reached by an address that is not loopback's, though it leads there."""
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
    yield ctl, [finding("database-read", "error", str(path), "mend what the message names",
                        "file is not a database")]


@contextlib.contextmanager
def view_that_breaks(world):
    """In its second row only: each column can be read, the table cannot."""
    with world.changed(
            ("ALTER TABLE tls_policies RENAME TO tls_policies_away",
             "ALTER TABLE tls_policies_away RENAME TO tls_policies"),
            ("INSERT INTO tls_policies_away (id, domain, policy) VALUES (2, 'two.test', 'may')",
             "DELETE FROM tls_policies_away WHERE id = 2"),
            ("CREATE VIEW tls_policies AS SELECT domain, policy, params, "
             "abs(-9223372036854775806 - id) > 0 AS active FROM tls_policies_away",
             "DROP VIEW tls_policies")):
        yield world.ctl_with(), [finding("database-read", "error", str(world.store.path),
                                         "mend what the message names", "integer overflow")]


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
    """What a lax server makes of one that MUM's column does not know: an empty one."""
    with world.changed(("SET sql_mode = ''; INSERT INTO tls_policies (domain, policy, active) "
                        "VALUES ('lax.test', 'strict', 1)",
                        "DELETE FROM tls_policies WHERE domain = 'lax.test'")):
        yield world.ctl_with(), [finding("tls-params", "error", "tls_policies.domain=<lax.test>",
                                         "mend policy or params", "unknown policy ( )")]


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
                    "GRANT SELECT (id, domain, active, quota) ON mum.domains TO "
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
    """Of such a grant the server shows the password's hash, too."""
    with world.changed(("GRANT INSERT ON *.* TO mum_dovecot@localhost",
                        "REVOKE INSERT ON *.* FROM mum_dovecot@localhost")):
        shown = world.store.server.sql("SHOW GRANTS FOR mum_dovecot@localhost")
        assert any(f"PASSWORD '{NATIVE_HASH}'" in row[0] for row in shown)
        yield world.ctl_with(), [
            finding("grant-writes", "warning", "mum_dovecot", "REVOKE ALL PRIVILEGES",
                    "GRANT INSERT ON *.*")]


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
    """Foreign keys need some of them, and are not looked at meanwhile."""
    with world.changed(*[
            (f"SET foreign_key_checks = 0; ALTER TABLE {where.partition('.')[0]} DROP INDEX {name}",
             f"ALTER TABLE {where.partition('.')[0]} ADD {definition}")
            for where, (name, definition) in INDEXES.items()]):
        yield world.ctl_with(), [
            finding("index-missing", "warning", where,
                    "CREATE INDEX {0}_{1} ON {0} ({1})".format(*where.split(".")), "whole table")
            for where in INDEXES]


def _indexes():
    """name: statement, of those that conf-examples/schema-sqlite.sql adds to MUM's own."""
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
    (the_same_for_root_alone, BOTH, 1), (nobody_at_the_sockets, BOTH, 78),
    (socket_closed_to_postfix, SQLITE, 78), (folder_closed_to_postfix, SQLITE, 78),
    (sockets_that_nobody_accepts_from, SQLITE, 78), (unknown_prefix, BOTH, 78),
    (unknown_policy, MARIADB, 78),
    (not_root, BOTH, 1), (host_down, MARIADB, 78), (password_wrong, MARIADB, 78),
    (no_rights_at_all, MARIADB, 78),
    (without_tls, MARIADB, 1), (no_sqlite_file, SQLITE, 78),
    (sqlite_file_for_root_alone, SQLITE, 78), (no_database_file, SQLITE, 78),
    (view_that_breaks, SQLITE, 78), (column_missing, BOTH, 78),
    (column_missing_for_dovecot, BOTH, 78), (table_missing, BOTH, 78),
    (right_missing, MARIADB, 78), (right_missing_for_dovecot, MARIADB, 78),
    (right_to_write, MARIADB, 1),
    (right_to_write_everywhere, MARIADB, 1), (right_to_passwords, MARIADB, 1),
    (all_indexes_missing_in_mariadb, MARIADB, 1), (all_indexes_missing_in_sqlite, SQLITE, 1),
]
CASES = [(way, store, status) for way, stores, status in WAYS for store in stores]


@pytest.mark.parametrize("way, store, status", CASES,
                         ids=[f"{way.__name__}-{store}" for way, store, _ in CASES])
def test_what_is_wrong_is_found(worlds, way, store, status):
    """This, and nothing else."""
    with way(worlds(store)) as (ctl, wanted):
        result = ctl.run("--json", "check")
    findings = result.json()["findings"]
    for want in wanted:
        assert any(matches(one, want) for one in findings), (want, findings)
    assert [one for one in findings if not any(matches(one, want) for want in wanted)] == []
    assert len(findings) == len(wanted), findings
    assert result.status == status
    for secret in (POSTFIX_PASSWORD, DOVECOT_PASSWORD, NATIVE_HASH[1:]):
        assert secret not in result.seen


@pytest.mark.parametrize("store, way", [("mariadb", all_indexes_missing_in_mariadb),
                                        ("sqlite", all_indexes_missing_in_sqlite)])
def test_the_cure_for_indexes_cures_them(worlds, store, way):
    """The printed statements, run as they are, leave nothing to find."""
    world = worlds(store)
    with way(world):
        cures = [one["mend"] for one in world.ctl.findings()]
        made = [re.fullmatch(r'CREATE INDEX "?(\w+)"? ON "?(\w+)"? .*', one).groups()
                for one in cures]
        drop = "DROP INDEX {0} ON {1}" if store == "mariadb" else "DROP INDEX {0}"
        with world.changed(*[(cure, f"SET foreign_key_checks = 0; {drop}".format(*names)
                              if store == "mariadb" else drop.format(*names))
                             for cure, names in zip(cures, made)]):
            assert world.ctl.findings() == []


RIGHTS = {
    # what is wrong: (how it came, what is found)
    "a right is missing": (
        "REVOKE SELECT (policy, params) ON mum.tls_policies FROM mum_postfix@localhost",
        {"grant-missing"}),
    "two rights of Dovecot are missing": (
        "REVOKE SELECT (password, quota) ON mum.mailboxes FROM mum_dovecot@localhost",
        {"grant-missing"}),
    "password as a column": (
        "GRANT SELECT (password) ON mum.mailboxes TO mum_postfix@localhost",
        {"grant-password"}),
    "password with its table": (
        "GRANT SELECT ON mum.mailboxes TO mum_postfix@localhost", {"grant-password"}),
    "password with the whole database": (
        "GRANT SELECT ON mum.* TO mum_postfix@localhost", {"grant-password"}),
    "writes to a column": (
        "GRANT UPDATE (active) ON mum.mailboxes TO mum_dovecot@localhost", {"grant-writes"}),
    "writes to a table": (
        "GRANT INSERT, DELETE ON mum.aliases TO mum_postfix@localhost", {"grant-writes"}),
    "everything in the database": (
        "GRANT ALL PRIVILEGES ON mum.* TO mum_postfix@localhost WITH GRANT OPTION",
        {"grant-writes", "grant-password"}),
    "everything": (
        "GRANT ALL PRIVILEGES ON *.* TO mum_postfix@localhost, mum_dovecot@localhost",
        {"grant-writes", "grant-password"}),
}


@pytest.mark.parametrize("wrong", RIGHTS)
def test_the_cure_for_a_right_cures_it(worlds, wrong):
    world = worlds("mariadb")
    statement, codes = RIGHTS[wrong]
    world.store.run(statement)
    found = world.ctl.findings()
    assert {one["code"] for one in found} == codes
    for one in found:
        world.store.run(one["mend"])
    assert world.ctl.findings() == []


# ---- the list itself ----

STRING = r'"(?:[^"\\]|\\.)*"'

# Texts that a call has in a variable, by code: all of this file, or these.
ELSEWHERE = {
    "hash-refused": "common/hash.c", "mailbox-unusable": "common/rules.c",
    "tls-params": "mumctl/tls-policy.c",
    "recipient-unusable": ["a row holds a value that cannot be read"],
}


def arguments(call):
    """Of a call in C."""
    found, depth = [""], 0
    for token in re.findall(rf"{STRING}|.", call, re.DOTALL):
        depth += (token == "(") - (token == ")")
        if token == "," and depth == 0:
            found.append("")
        else:
            found[-1] += token
    return found


def texts(source):
    """Its string literals with words in them, those joined that C joins."""
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    joined = ["".join(one[1:-1] for one in re.findall(STRING, row)).replace('\\"', '"')
              for row in re.findall(rf"(?:{STRING}\s*)+", source)]
    return [text for text in joined if re.search("[a-z]{2}", text)]


def pattern(text):
    """For what it becomes in print."""
    return ".*".join(map(re.escape, re.split(r"%[.*\d]*[a-z]+", text)))


def texts_in_sources():
    """{(code, member of a finding, pattern)}: whatever check can print."""
    source = "\n".join(path.read_text() for path in sorted((TOP / "mumctl").glob("check*.c")))
    said = set()
    for name, call in re.findall(r"\b(report_add|add_finding)\((.*?)\);\n", source, re.DOTALL):
        words = arguments(call)
        if not words[1].strip().startswith("LEVEL_"):
            continue    # these two functions themselves
        where, mend = (words[3], words[4]) if name == "report_add" else ("", words[3])
        what = words[words.index(mend) + 1:]    # a format comes first
        code = texts(words[2])[0]
        said |= {(code, "code", "")} | {
            (code, member, begin + pattern(text)) for member, begin, some in (
                ("where", "^", where), ("mend", "^", mend), ("what", "^", what[0]),
                ("what", "", ",".join(what[1:])))
            for text in texts(some)}
    for code, place in ELSEWHERE.items():
        some = texts((TOP / place).read_text()) if isinstance(place, str) else place
        said |= {(code, "what", pattern(text)) for text in some if " " in text}
    return said


def is_said(findings, code, member, text):
    return any(one["code"] == code and re.search(text, one[member]) for one in findings)


def test_each_text_of_the_sources_is_made_here(worlds):
    """So that a new one has a test."""
    found = []
    for store in STORES:
        with worlds(store).rows([row for rows, _ in ROWS.values() for row in rows]):
            found += worlds(store).ctl.findings()
    for way, store, _ in CASES:
        with way(worlds(store)) as (ctl, _):
            found += ctl.findings()
    said = texts_in_sources()
    assert [one for one in sorted(said) if not is_said(found, *one)] == []
    assert {code for code, _, _ in said} == {one["code"] for one in found}
    assert len(said) > 70


# ---- many rows ----

@pytest.fixture(scope="module", params=list(STORES))
def crowd(request, lab):
    """A MUM of the same make with 100,000 mailboxes and 100,000 aliases."""
    world = World(lab, request.param, "many")
    world.add_many(100000)
    return world


def test_a_hundred_thousand_of_each_take_less_than_five_seconds(crowd):
    start = time.monotonic()
    result = crowd.ctl.run("check")
    seconds = time.monotonic() - start
    assert (result.status, result.stdout, result.stderr) == (0, "0 errors, 0 warnings\n", "")
    print(f"{crowd.name}: {seconds:.2f} s")
    assert seconds < 5 * SLOWER


def test_a_terminal_shows_how_far_it_is(crowd):
    shown = crowd.ctl.on_terminal("check", timeout=60).seen
    for table in ("aliases", "mailboxes"):
        assert f"\rmumctl: {table}: 1000" in shown and f"\rmumctl: {table}: 100000" in shown
    assert shown.rpartition("\r" + " " * 60 + "\r")[2] == "0 errors, 0 warnings\r\n"
