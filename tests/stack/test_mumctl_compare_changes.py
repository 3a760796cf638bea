# SPDX-License-Identifier: MIT
"""What mumctl compare says in plain words: which addresses change for mail, who sent as
whom in the mail log, and which logins change for Dovecot. The rows are those of
tests/lab/sample.py and of test_differences.py.
"""

import re

import pytest

from conformance.stock import StockPostfix
from lab import MariaDB, Mumctl, Mumd, sample
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.dovecot_language import Dovecot23
from lab.mum_dovecot import MumDovecot, write_compared
from lab.mumd import mariadb_settings
from test_differences import MORE

UNKNOWN = "refuses it, as it knows no such address"
NO_RECIPIENT = 'refuses it: "550 5.2.1 alias leads to no mailbox that accepts mail"'
DEFERS = "defers it, since no value can be handed to Postfix"
MAILBOX = "delivers it to the mailbox"


class World:
    """name: of its files, as each module has a world of its own."""

    def __init__(self, lab, language, name="changes"):
        self.lab = lab
        self.server = MariaDB(lab, name=f"{name}-db").start().load_mum(
            sample.mariadb_text() + MORE)
        self.files = StockPostfix(lab, self.server).directory
        database = mariadb_settings(self.server, POSTFIX_PASSWORD)
        self.name = name
        self.stock = self.stock_again("stock")
        self.sql_file = self.stock.directory / "compared.conf"
        write_compared(self.sql_file, database, language)
        self.settings = {"database": database, "dovecot": {
            "user": "mum_dovecot", "password_file": self.stock.directory / "dovecot.password"}}
        self.ctl = self.ctl_with(name)

    def stock_again(self, name):
        """A Dovecot with stock's queries, not started."""
        return MumDovecot(self.lab, mariadb_settings(self.server, POSTFIX_PASSWORD),
                          name=f"{self.name}-{name}", driver="sql")

    def ctl_with(self, name, **sections):
        return Mumctl(Mumd(self.lab, {**self.settings, **sections}, name=name).config)

    def run(self, *options, ctl=None, input="", json=True):
        # if an option is given twice, the last one counts
        options = ("--postfix", self.files, "--dovecot", self.sql_file, *options)
        return (ctl or self.ctl).run(*["--json"] * json, "compare", *options, input=input,
                                     environment={"MAIL_CONFIG": str(self.files)})


@pytest.fixture(scope="module")
def world(lab):
    # compare reads the file of MUM's manual, which is for 2.3, whichever is installed
    return World(lab, Dovecot23("2.3"))


@pytest.fixture
def log(tmp_path):
    """log(line, ...): a mail log with these lines."""
    def write(*lines):
        path = tmp_path / "mail.log"
        path.write_text("".join(f"{line}\n" for line in lines), errors="surrogateescape")
        return path
    return write


# ---- addresses ----

# For names in the database: stock's words, mumd's words, and the number.
CHANGED = {
    "soalias@example.test": ('refuses it: "REJECT"', 'sends it to "alice@example.test"', "D8"),
    "copyso@example.test": ('refuses it: "REJECT"', 'sends it to "bob@example.test"', "D8"),
    "deadbox@example.test": ('sends it to "ina@example.test"', MAILBOX, "D6"),
    "expbox@example.test": ('sends it to "alice@example.test"', MAILBOX, "D9"),
    "expired@example.test": ('sends it to "alice@example.test"', UNKNOWN, "D9"),
    "toina@example.test": ('sends it to "ina@example.test"', NO_RECIPIENT, "D6"),
    "shop@example.test": ('sends it to "sendonly@example.test"', NO_RECIPIENT, "D6"),
    "typeddead@example.test": ('sends it to "sendonly+x@example.test"', NO_RECIPIENT, "D6"),
    "blank@example.test": ('sends it to "  "', NO_RECIPIENT, "D7"),
    "selfonly@example.test": ('sends it to "selfonly@example.test"', NO_RECIPIENT, "D7"),
    "selfloop@example.test": ('sends it to "carol@second.test,selfloop@example.test"',
                              'leaves out "selfloop@example.test"', "D7"),
    "typed@example.test": (..., 'leaves out "ina@example.test,sendonly@example.test"', "D6"),
    "mixed@example.test": (
        ..., 'leaves out "dave@inactive.test,ina@example.test,sendonly@example.test"', "D6"),
    "selfext@example.test": (
        ..., 'leaves out "selfext@example.test.,selfext+x@example.test"', "D7"),
    "renamed@example.test": ('sends it to "bob@old.example"',
                             'leaves out "bob@old.example" and adds "bob@example.test"', "D24"),
    "idn@example.test": (
        ..., 'leaves out "uwe@bücher.test" and adds "uwe@xn--bcher-kva.test"', "D14"),
    "commas@example.test": (
        ..., 'leaves out "comma,name@example.test" and adds ""comma,name"@example.test"', "D4"),
    "over@big.test": (..., DEFERS, "D15"),
    "tab@dirty.test": (..., DEFERS, "D15"),
    "newline@dirty.test": (..., DEFERS, "D15"),
    "delete@dirty.test": (..., DEFERS, "D15"),
    "semicolon@example.test": ('sends it to "friend@external.test;other"', DEFERS, "D15"),
    "dirty.test": (..., "fails for now, since no value can be handed to Postfix", "D15"),
    "xn--bcher-kva.test": ("takes no mail for it", "takes mail for it", "D14"),
    "xn--wei-7ka.test": ("takes no mail for it", "takes mail for it", "D14"),
    "off.test": ('sends to it with the TLS policy "dane-only"', "has no TLS policy for it", "D11"),
}

# Answers that differ but change nothing: map, name, numbers.
HARMLESS = {
    ("recipient-access", "info@example.test", "D8"), ("aliases", "info@example.test", "D5"),
    ("recipient-access", "sendonly@example.test", "D13"),
    ("aliases", "copy@example.test", "D5"), ("aliases", "two words@example.test", "D4"),
    ("aliases", "weird@example.test", "D7 D4 D5"), ("aliases", "dupes@example.test", "D7 D4"),
    ("sender-login-maps", "inasender@example.test", "D10"),
    ("tls-policies", "secure.test", "D12")}


def changes(document):
    return {one["name"]: (one["stock"], one["mum"], one["difference"])
            for one in document["changed"]}


def test_each_address_that_changes_for_mail_has_its_words(world):
    result = world.run()
    document = result.json()
    told = changes(document)
    assert result.status == 0 and set(told) == set(CHANGED)
    for name, (stock, *rest) in CHANGED.items():
        assert told[name][1:] == tuple(rest), name
        assert stock in (..., told[name][0]), name
    assert document["names_changed"] == len(CHANGED)
    found = {(one["map"], one["key"], one["difference"]) for one in document["differences"]
             if not one["changes"]}
    assert found >= HARMLESS and len(found) == document["harmless"]


def test_the_first_lines_say_how_many_change_and_the_last_what_the_rest_is(world):
    document = world.run().json()
    lines = world.run(json=False).stdout.splitlines()
    part = lines[:lines.index("")]
    count = len(CHANGED)
    assert part[0] == f"{count} of {document['names']} addresses and domains change for mail:"
    assert part[count + 1:] == [
        f"{document['harmless']} answers are spelled otherwise and change nothing; see --all.",
        "0 answers differ for no known reason."]
    assert ('  <toina@example.test>: stock sends it to "ina@example.test"; mumd '
            f"{NO_RECIPIENT} (D6)") in part
    assert max(map(len, lines)) < 350
    assert '"r00000' in "".join(part) and '..." (99998 bytes, --all shows them)' in "".join(part)


def test_all_shows_each_answer_and_whole_values(world):
    lines = world.run("--all", json=False).stdout.splitlines()
    document = world.run().json()
    first = lines.index("All answers that differ:")
    assert len(lines[first + 1:lines.index("")]) == len(document["differences"])
    assert max(map(len, lines)) > 99998
    assert ('  D7 aliases <blank@example.test>: stock "  ", mumd -') in lines


def test_what_no_entry_explains_is_shown_without_all(world, tmp_path):
    for path in world.files.glob("*.cf"):
        (tmp_path / path.name).write_text(path.read_text())
    table = tmp_path / "aliases.cf"
    table.write_text(table.read_text().replace("DISTINCT", "'x',"))
    result = world.run("--postfix", tmp_path, json=False)
    unexplained = world.run("--postfix", tmp_path).json()["unexplained"]
    assert result.status == 1 and unexplained > 3
    assert (f"{unexplained} answers differ for no known reason; please report them:"
            in result.stdout)
    assert len(re.findall("^  [?] aliases <", result.stdout, re.MULTILINE)) == unexplained


# ---- names from a mail log ----

SYSLOG, ISO = "Nov 29 15:00:01 mx", "2026-11-29T15:00:01.123456+01:00 mx"

# Lines, and the addresses that they add to what changes.
LOGS = {
    "delivered": (["{} postfix/lmtp[1]: 4Xn2bC1D: to=<jorg@example.test>, relay=x, status=sent"],
                  {"jorg@example.test"}),
    "aliased": (["{} postfix/lmtp[1]: 4Xn2bC1D: to=<alice@example.test>, "
                 "orig_to=<jorg@example.test>, relay=x"], {"jorg@example.test"}),
    "rejected": (["{} postfix/smtpd[1]: NOQUEUE: reject: RCPT from h[192.0.2.1]: 550 5.1.1 "
                  "<uwe@xn--bcher-kva.test>: Recipient address rejected: no; from=<a@b.test> "
                  "to=<uwe@xn--bcher-kva.test> proto=ESMTP helo=<x>"],
                 {"uwe@xn--bcher-kva.test"}),
    "an extension that Postfix splits itself": (
        ["{} postfix/lmtp[1]: 4Xn2bC1D: to=<info+x@example.test>",
         "{} postfix/lmtp[1]: 4Xn2bC1D: to=<joe+x@example.test>",
         "{} postfix/lmtp[1]: 4Xn2bC1D: to=<alice+x@example.test>"], set()),
    "an extension that differs": (["{} postfix/lmtp[1]: 4Xn2bC1D: to=<toina+x@example.test>"],
                                  {"toina+x@example.test"}),
    "an extension of what differs": (
        ["{} postfix/lmtp[1]: 4Xn2bC1D: to=<expired+x@example.test>",
         "{} postfix/lmtp[1]: 4Xn2bC1D: to=<jorg+x@example.test>",
         "{} postfix/lmtp[1]: 4Xn2bC1D: to=<expbox+x@example.test>",
         "{} postfix/lmtp[1]: 4Xn2bC1D: to=<soalias+x@example.test>"],
        {"expired+x@example.test", "jorg+x@example.test", "expbox+x@example.test",
         "soalias+x@example.test"}),
    "strangers": (["{} postfix/smtp[1]: 4Xn2bC1D: to=<a@external.test>, relay=x",
                   "{} postfix/qmgr[1]: 4Xn2bC1D: from=<>, size=1"], set()),
    "no addresses": (["{} postfix/lmtp[1]: X: to=<jorg>", "{} postfix/lmtp[1]: X: to=<@>",
                      "{} postfix/lmtp[1]: X: to=<jorg\x01@example.test>",
                      "{} postfix/lmtp[1]: X: to=<j\udcffrg@example.test>",
                      "{} postfix/lmtp[1]: X: to=<" + "j" * 500 + "@example.test>",
                      "{} postfix/lmtp[1]: X: to=<" + "j" * 100000, "{}", ""], set()),
    "behind a line without an end": (["x" * 3000000,
                                      "{} postfix/lmtp[1]: X: to=<jorg@example.test>"],
                                     {"jorg@example.test"}),
}


FROM_LOG_MAIL = {
    "jorg@example.test": (MAILBOX, UNKNOWN, "D1"),
    "uwe@xn--bcher-kva.test": (UNKNOWN, MAILBOX, "D14"),
}


@pytest.mark.parametrize("stamp", [SYSLOG, ISO], ids=["syslog", "rfc3339"])
@pytest.mark.parametrize("name", LOGS)
def test_the_addresses_of_a_mail_log_are_compared_too(world, log, name, stamp):
    lines, added = LOGS[name]
    path = log(*(line.replace("{}", stamp, 1) for line in lines))
    result = world.run("--maillog", path)
    assert result.status == 0, result.seen
    told = changes(result.json())
    assert set(told) == set(CHANGED) | added
    for address in added:      # the same with an extension as without
        base = re.sub(r"[+]x@", "@", address)
        assert told[address] == told.get(base, FROM_LOG_MAIL.get(base)), address
    assert result.json()["unexplained"] == result.json()["dovecot"]["unexplained"] == 0


def test_postfix_asks_stock_again_without_extension_and_quotes(world, tmp_path):
    """So no mail goes another way, although the answers for these names differ."""
    path = tmp_path / "keys"
    path.write_text("info+x@example.test\njoe+x@example.test\nalice+x@example.test\n"
                    '"two words"@example.test\n"with space"@example.test\n')
    document = world.run("--keys", path).json()
    assert document["different"] > 5 and document["names"] == 5
    assert (document["changed"], document["owners"]) == ([], [])


def test_a_mail_log_comes_from_standard_input_too(world):
    lines, added = LOGS["delivered"]
    result = world.run("--maillog", "-", input=lines[0].format(ISO) + "\n")
    assert set(changes(result.json())) == set(CHANGED) | added


def test_a_mail_log_that_cannot_be_read_is_66(world, tmp_path):
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        result = world.run("--maillog", path)
        assert (result.status, result.stdout) == (66, "") and f"{path}: {why}" in result.stderr


# ---- senders ----

# login, sender, what mumd says; what stock says with reject_sender_login_mismatch, and
# with the "known" one.
SENT = [
    ("alice@example.test", "alice@example.test", "accepted", "accepted", "accepted"),
    ("alice@example.test", "alice+x@example.test", "accepted", "accepted", "accepted"),
    ("alice@example.test", "bob@example.test", "refused", "refused", "refused"),
    ("alice@example.test", "a@external.test", "refused", "refused", "accepted"),
    ("alice@example.test", "expired@example.test", "refused", "accepted", "accepted"),
    ("with space@example.test", "\"with space\"@example.test", "accepted", "refused", "refused"),
]

RESTRICTIONS = {"none": "", "mismatch": "reject_sender_login_mismatch",
                "known": "reject_known_sender_login_mismatch"}


def sent_log(pairs):
    for number, (login, sender) in enumerate(pairs):
        yield (f"{ISO} postfix/submission/smtpd[1]: 4Xn2bC{number:03d}: client=h[192.0.2.1], "
               f"sasl_method=PLAIN, sasl_username={login}")
        yield f"{ISO} postfix/qmgr[1]: 4Xn2bC{number:03d}: from=<{sender}>, size=1, nrcpt=1"


@pytest.mark.parametrize("check", RESTRICTIONS)
def test_who_sent_as_what_and_would_get_another_answer(world, log, check):
    master = world.files / "master.cf"
    if RESTRICTIONS[check]:
        master.write_text("submission inet n - y - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n"
                          f"  -o smtpd_sender_restrictions={RESTRICTIONS[check]}\n")
    expected = []
    for login, sender, ours, mismatch, known in SENT:
        stock = {"none": "accepted", "mismatch": mismatch, "known": known}[check]
        if ours != stock:
            expected.append({"login": login, "sender": sender, "mails": 1, "stock": stock,
                             "mum": ours})
    try:
        path = log(*sent_log(sent[:2] for sent in SENT))
        senders = world.run("--maillog", path).json()["senders"]
        text = world.run("--maillog", path, json=False).stdout
    finally:
        master.write_text("")
    assert (senders["stock"], senders["logins"]) == (check, 2)
    assert senders["changed"] == expected
    assert (f"{len({one['login'] for one in expected})} of 2 logins in the mail log sent mail "
            "that would get another answer:") in text
    for one in expected:
        assert (f"  <{one['login']}> as <{one['sender']}>, 1 mail: {one['stock']} today, "
                f"{one['mum']} by mumd\n") in text


def test_the_service_that_refuses_none_is_named(world):
    """Other services may have a check; port 465 is the one that was forgotten."""
    master = world.files / "master.cf"
    master.write_text("submission inet n - y - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n"
                      "  -o smtpd_sender_restrictions=$mua_sender_restrictions\n"
                      "submissions inet n - y - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n")
    main = (world.files / "main.cf").read_text()
    (world.files / "main.cf").write_text(
        f"{main}mua_sender_restrictions = reject_sender_login_mismatch\n")
    try:
        text, document = world.run(json=False).stdout, world.run().json()
    finally:
        master.write_text("")
        (world.files / "main.cf").write_text(main)
    assert "Senders: Postfix's submissions/inet refuses none today: " in text
    assert (document["senders"]["stock"], document["senders"]["service"]) == (
        "none", "submissions/inet")


def test_a_sender_belongs_to_the_login_of_its_own_mail(world, log):
    """Queue IDs are used again; a refused mail has none; several mails are counted."""
    alice, bob = "alice@example.test", "bob@example.test"
    first = list(sent_log([(alice, bob)]))
    path = log(*first, *first, f"{SYSLOG} postfix/qmgr[1]: 4Xn2bC000: from=<carol@second.test>",
               f"{SYSLOG} postfix/smtpd[1]: NOQUEUE: reject: RCPT from h[192.0.2.1]: 550 no; "
               f"from=<carol@second.test> to=<a@b.test> proto=ESMTP helo=<x> sasl_username={bob}",
               *sent_log([(alice, "")]))
    assert world.run("--maillog", path).json()["senders"]["changed"] == [
        {"login": alice, "sender": bob, "mails": 2, "stock": "accepted", "mum": "refused"},
        {"login": bob, "sender": "carol@second.test", "mails": 1, "stock": "accepted",
         "mum": "refused"}]


POLICIES = [
    ({}, ["Senders: Postfix refuses none today: ", "and as nobody else (553).", "--maillog FILE shows"]),
    ({"sender": "warn"}, ['policy.sender = "warn": what would be refused is only logged']),
    ({"sender": "off"}, ['policy.sender = "off": nobody is checked']),
    ({"sender_login": "known"}, ["or as an address that belongs to nobody here."]),
]


@pytest.mark.parametrize("policy, words", POLICIES)
def test_it_says_what_mumd_changes_for_senders(world, policy, words):
    ctl = world.ctl_with(f"changes-{'-'.join(policy.values())}", policy=policy)
    text = world.run(ctl=ctl, json=False).stdout
    assert all(word in text for word in words), text
    assert ("2 addresses have other owners than in stock's table:\n"
            '  <expbox@example.test>: stock lets "expbox@example.test,bob@example.test" send as '
            'it; mumd lets "expbox@example.test" send as it (D9)\n'
            '  <expired@example.test>: stock lets "alice@example.test" send as it; mumd lets '
            "nobody send as it (D9)\n") in text


# ---- Dovecot ----

IN, OUT = "accepts the right password", "refuses every password"
FOUND, NOT_IN = "finds its mail", "knows no such login, takes no mail for it"
FAILS = "fails for now ({})"
HOME = "homedir is not an absolute path of printable characters"

LOGINS = {
    "a@b@example.test": (NOT_IN, f"{IN}, {FOUND}", "D17"),
    "sha512@example.test": (OUT, IN, "D19"),
    "argon2@example.test": (OUT, IN, "D19"),
    "prefixed@example.test": (IN, f"{OUT} (a {{SCHEME}} prefix, which "
                                  "dovecot.allow_scheme_prefix forbids)", "D19"),
    "costly@example.test": (IN, f"{OUT} (the hash costs more than mum.conf allows)", "D19"),
    "relative@example.test": (FOUND, FAILS.format(HOME), "D23"),
    "upwards@example.test": (FOUND, FAILS.format(HOME), "D23"),
    "climber@example.test": (FOUND, FAILS.format("maildir leads upwards (/../)"), "D23"),
    "nowhere@example.test": (
        FOUND, FAILS.format("maildir is empty or holds control characters"), "D23"),
    "plenty@huge.test": (
        FOUND, FAILS.format("quota is not a number of gigabytes below 2^33"), "D23"),
}



def logins_of(language):
    """The same where stock takes hashes of other schemes as that Dovecot does."""
    return {**LOGINS, **{f"{name}@example.test": (language.unreadable_words, IN, "D19")
                         for name in ("sha512", "argon2")}}


FROM_LOG = {
    "jorg@example.test": (f"{IN}, {FOUND}", NOT_IN, "D1"),
    "uwe@xn--bcher-kva.test": (NOT_IN, f"{IN}, {FOUND}", "D14"),
}


@pytest.fixture(scope="module")
def cheap(world):
    return world.ctl_with("changes-cheap", dovecot={**world.settings["dovecot"],
                                                    "max_bcrypt_cost": 8})


def test_each_login_that_changes_has_its_words(world, cheap, log):
    path = log(*(f"{ISO} postfix/lmtp[1]: X: to=<{user}>, relay=x" for user in FROM_LOG))
    result = world.run("--maillog", path, ctl=cheap)
    dovecot = result.json()["dovecot"]
    assert result.status == 0 and changes(dovecot) == {**LOGINS, **FROM_LOG}
    assert {(one["map"], one["key"], one["difference"]) for one in dovecot["differences"]
            if not one["changes"]} >= {
                ("login to read mail", "sendonly@example.test", "D21"),
                ("user", "Mixed.Case@second.test", "D22")}
    text = world.run(ctl=cheap, json=False).stdout
    assert (f"{len(LOGINS)} of {dovecot['names'] - len(FROM_LOG)} logins change for Dovecot:\n"
            in text)
    assert f"  <sha512@example.test>: stock {OUT}; the module {IN} (D19)\n" in text
    assert re.search(r'"doveadm -A" find \d\d users with stock and \d\d with the module', text)


def test_dovecot_goes_first_where_postfix_would_accept_what_it_does_not_know(world, tmp_path):
    words = "Move Dovecot before Postfix: stock's queries do not know the domains that change by D14"
    assert words in world.run(json=False).stdout
    (tmp_path / "keys").write_text("bücher.test\nuwe@bücher.test\n")
    assert "Move Dovecot" not in world.run("--keys", tmp_path / "keys", json=False).stdout


def test_mums_own_query_for_lists_finds_nobody(world, tmp_path):
    path = tmp_path / "dovecot-sql.conf"
    before, word, last = world.sql_file.read_text().rpartition("WHERE ")
    path.write_text(f"{before}{word}mailboxes.local_part = '%n' AND domains.domain = '%d' "
                    f"AND {last}")
    dovecot = world.run("--dovecot", path).json()["dovecot"]
    assert dovecot["listed_stock"] == 0 < dovecot["listed_mum"]


def test_no_secret_is_printed(world):
    seen = world.run("--all", json=False).seen + world.run().seen
    assert not re.search(r"\$2[abxy]\$|\$6\$|\$argon2|\{PLAIN\}", seen)
    for secret in (DOVECOT_PASSWORD, POSTFIX_PASSWORD, "stock-secret"):
        assert secret not in seen


# A change of the SQL file, the exit status, and the message.
SQL_FILES = {
    "other home": ("mailboxes.homedir AS home", "'/elsewhere' AS home", 1, ""),
    "no active mailboxes": ("AND mailboxes.active = 1;", ";", 1, ""),
    "another database": ("dbname=mum ", "dbname=other ", 0, "asks another database"),
    "plain passwords": ("= BLF-CRYPT", "= PLAIN", 0, "no hash in MUM has its default_pass_scheme"),
    "a variable": ("'%d'", "'%w'", 75, "password_query: it has variables other than"),
    # denied or unknown, depending on the server's version
    "a column": ("mailboxes.password", "mailboxes.nosuch AS password", 75, "nosuch'"),
    "another name": ("AS home", "AS house", 75, "user_query: Unknown column"),
}


@pytest.mark.parametrize("name", SQL_FILES)
def test_queries_of_the_admins_own_are_asked_as_they_are(world, tmp_path, name):
    old, new, status, said = SQL_FILES[name]
    path = tmp_path / "dovecot-sql.conf"
    assert old in world.sql_file.read_text()
    path.write_text(world.sql_file.read_text().replace(old, new))
    result = world.run("--dovecot", path)
    assert result.status == status and said in result.stderr, result.seen
    dovecot = result.json().get("dovecot", {})
    assert (dovecot.get("unexplained", 0) > 0) == (status == 1)
    assert DOVECOT_PASSWORD not in result.seen


def test_without_the_modules_part_of_mum_conf_the_rest_is_compared(world):
    ctl = world.ctl_with("changes-none", dovecot={"password_file": "/nonexistent"})
    result = world.run(ctl=ctl)
    assert result.status == 0 and set(changes(result.json())) == set(CHANGED)
    assert "dovecot" not in result.json()
    assert f"{world.sql_file}: Dovecot's answers are not compared" in result.stderr


def test_a_file_that_is_not_there_is_said(world, tmp_path):
    result = world.run("--dovecot", tmp_path / "none")
    assert result.status == 0 and "dovecot" not in result.json()
    assert f"{tmp_path}/none: No such file or directory; Dovecot's answers" in result.stderr


# ---- roles and catch-alls ----

@pytest.fixture
def catch_all(world):
    """mumctl with roles, and with a catch-all of bob's that alice may send as."""
    rows = ["aliases (id, local_part, domain_id) VALUES (900, '', 1)",
            "alias_recipients (alias_id, recipient_address) VALUES (900, 'bob@example.test')",
            "alias_senders (alias_id, mailbox_id) VALUES (900, 1)"]
    for row in rows:
        world.server.sql(f"USE mum; INSERT INTO {row};")
    yield world.ctl_with("catch-all", address={
        "other_maps": "off", "catch_all": "on", "catch_all_senders": "on",
        "roles": ["hostmaster", "ina"], "role_recipient": "alice@example.test"})
    for row in reversed(rows):
        table, (column, *_) = row.split(" ")[0], re.findall(r"\((\w+)", row)
        world.server.sql(f"USE mum; DELETE FROM {table} WHERE {column} = 900;")


BOB, ALICE = 'sends it to "bob@example.test"', 'sends it to "alice@example.test"'


def test_what_a_role_or_a_catch_all_changes_is_d26(world, catch_all, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("stranger@example.test\nstranger+x@Example.test\nhostmaster@second.test\n"
                    "nobody@second.test\nbob@example.test\n")
    document = world.run("--keys", keys, ctl=catch_all).json()
    assert changes(document) == {
        "stranger@example.test": (UNKNOWN, BOB, "D26"),
        "stranger+x@Example.test": (UNKNOWN, BOB, "D26"),
        "hostmaster@second.test": (UNKNOWN, ALICE, "D26")}
    assert [(one["name"], one["mum"], one["difference"]) for one in document["owners"]] == [
        (name, 'lets "alice@example.test" send as it', "D26")
        for name in ("stranger@example.test", "stranger+x@Example.test")]
    assert all("D26" in one["difference"].split() for one in document["differences"])
    assert world.run("--keys", keys).json()["different"] == 0


@pytest.fixture(params=["bücher.test", "xn--bcher-kva.test"])
def idn_catch_all(world, request):
    """The domain is stored in one of its spellings; alice may send as its catch-all."""
    name = world.server.sql("USE mum; SELECT domain FROM domains WHERE id = 4;")[0][0]
    rename = "USE mum; UPDATE domains SET domain = '{}' WHERE id = 4;"
    world.server.sql(rename.format(request.param))
    for row in ("aliases (id, local_part, domain_id) VALUES (900, '', 4)",
                "alias_recipients (alias_id, recipient_address) VALUES (900, 'bob@example.test')",
                "alias_recipients (alias_id, recipient_address) VALUES (900, 'uwe@bücher.test')",
                "alias_senders (alias_id, mailbox_id) VALUES (900, 1)"):
        world.server.sql(f"USE mum; INSERT INTO {row};")
    yield world.ctl_with("idn-catch-all", address={
        "other_maps": "off", "catch_all": "on", "catch_all_senders": "on"})
    for table, column in (("alias_senders", "alias_id"), ("alias_recipients", "alias_id"),
                          ("aliases", "id")):
        world.server.sql(f"USE mum; DELETE FROM {table} WHERE {column} = 900;")
    world.server.sql(rename.format(name))


CAUGHT = 'sends it to "bob@example.test,uwe@xn--bcher-kva.test"'


def test_a_catch_all_of_an_idn_is_d26_in_either_spelling(world, idn_catch_all, tmp_path):
    names = ["stranger@bücher.test", "stranger@xn--bcher-kva.test", "müller+x@BÜCHER.test"]
    keys = tmp_path / "keys"
    keys.write_text("\n".join(names) + "\n@bücher.test\n@xn--bcher-kva.test\n")
    document = world.run("--keys", keys, ctl=idn_catch_all).json()
    assert changes(document) == {name: (UNKNOWN, CAUGHT, "D26") for name in names}
    assert [(one["name"], one["mum"], one["difference"]) for one in document["owners"]] == [
        (name, 'lets "alice@example.test" send as it', "D26") for name in names]
    assert document["unexplained"] == 0


def test_a_catch_all_is_asked_about_by_a_name_that_nobody_has(world, idn_catch_all):
    document = world.run(ctl=idn_catch_all).json()
    caught = {name: words for name, words in changes(document).items()
              if name.startswith("nobody")}
    assert caught == {"nobody0@xn--bcher-kva.test": (UNKNOWN, CAUGHT, "D26")}
    assert document["unexplained"] == 0
    assert not any(name.startswith("nobody") for name in changes(world.run().json()))


def test_each_role_is_asked_about_in_each_active_domain(world, catch_all):
    """There is no row of the name hostmaster."""
    domains = [name.lower() for (name,) in world.server.sql(
        "USE mum; SELECT domain FROM domains WHERE active = 1;")]
    document = world.run(ctl=catch_all).json()
    taken = {name: words for name, words in changes(document).items()
             if name.startswith("hostmaster@")}
    assert len(taken) == len(domains) and set(taken.values()) == {(UNKNOWN, ALICE, "D26")}
    assert set(taken) > {f"hostmaster@{name}" for name in domains if name.isascii()}
    assert document["unexplained"] == 0
    assert not any(name.startswith("hostmaster@") for name in changes(world.run().json()))


def test_a_name_of_the_database_that_a_role_takes_is_d26(world, catch_all):
    """The mailbox ina is inactive; an alias that leads to it leads to the role now."""
    document = world.run(ctl=catch_all).json()
    told = changes(document)
    assert told["ina@example.test"] == (UNKNOWN, ALICE, "D26")
    assert "toina@example.test" not in told
    assert document["unexplained"] == 0
