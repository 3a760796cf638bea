# SPDX-License-Identifier: MIT
"""Who may log in: hash schemes, hashes that are refused without verifying, names, send-only."""

import base64
import itertools
import re

import pytest

from lab import hashes, wait_until
from lab.clients import Client
from lab.mum_dovecot import verdict

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)

B64_53 = "A" * 53
ARGON = "$argon2id$v=19$m=%s,t=%s,p=%s$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43

SCHEMES = {
    "bcrypt 2y": hashes.bcrypt(kind="2y"),
    "bcrypt 2b": hashes.bcrypt(kind="2b"),
    "bcrypt 2a": hashes.bcrypt(kind="2a"),
    "bcrypt as MUM writes it": hashes.bcrypt(cost=10),
    "argon2i": hashes.argon2(kind="i"),
    "argon2id": hashes.argon2(kind="id"),
    "argon2id, 64 MiB": hashes.argon2(kind="id", memory_kib=65536),
    "sha256": hashes.sha256(),
    "sha256 with rounds": hashes.sha256(rounds=2000),
    "sha512": hashes.sha512(),
    "sha512 with rounds": hashes.sha512(rounds=10000),
    "yescrypt": hashes.yescrypt(),
    "yescrypt as Debian writes it": hashes.yescrypt(cost="j9T"),
}

COSTLY = {
    "sha512 rounds": "$6$rounds=999999999$saltsalt$" + "A" * 86,
    "sha256 rounds": "$5$rounds=999999999$saltsalt$" + "A" * 43,
    "sha512 rounds one above": "$6$rounds=1000001$saltsalt$" + "A" * 86,
    "sha512 rounds beyond 64 bits": f"$6$rounds={10 ** 30}$saltsalt$" + "A" * 86,
    "bcrypt cost 31": "$2y$31$" + B64_53,
    "bcrypt cost one above": "$2y$15$" + B64_53,
    "argon2 memory": ARGON % (4194304, 1, 1),
    "argon2 memory one above": ARGON % (131073, 1, 1),
    "argon2 memory beyond 32 bits": ARGON % (2 ** 32 + 1024, 1, 1),
    "argon2 time": ARGON % (1024, 4294967295, 1),
    "argon2 time one above": ARGON % (1024, 11, 1),
    "argon2i memory": (ARGON % (4194304, 3, 1)).replace("argon2id", "argon2i"),
    "yescrypt": "$y$jFT$saltsaltsalt$" + "A" * 43,
    "gost-yescrypt": "$gy$jFT$saltsaltsalt$" + "A" * 43,
    "scrypt": "$7$U6..../....saltsalt$" + "A" * 43,
    "sha1 rounds": "$sha1$4294967295$saltsalt$" + "A" * 28,
}

MALFORMED = {
    "empty": "",
    "plain text": "secret",
    "star": "*",
    "locked, as in shadow": "!" + hashes.sha512(),
    "DES crypt": "abJnggxhB/yWI",
    "BSDi crypt": "_J9..rasmBYk8r9AiWNc",
    "a dollar": "$",
    "two dollars": "$$",
    "unknown scheme": "$x$abc$def",
    "NT hash": "$3$$8846f7eaee8fb117ad06bdd830b7586c",
    "argon2d": "$argon2d$v=19$m=1024,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43,
    "bcrypt cut": hashes.bcrypt()[:-1],
    "bcrypt cut in its salt": "$2y$05$abcdef",
    "bcrypt too long": hashes.bcrypt() + "a",
    "bcrypt with a blank": hashes.bcrypt()[:-1] + " ",
    "bcrypt with a wrong letter": hashes.bcrypt()[:-1] + "!",
    "bcrypt cost 3": "$2y$03$" + B64_53,
    "bcrypt cost 32": "$2y$32$" + B64_53,
    "bcrypt of an unknown kind": "$2k$05$" + B64_53,
    "bcrypt without kind": "$2$05$" + B64_53,
    "trailing newline": hashes.bcrypt() + "\n",
    "tab": hashes.sha512() + "\tuserdb_uid=0",
    "not ASCII": hashes.bcrypt()[:-1] + "ä",
    "sha512 cut": hashes.sha512()[:-1],
    "sha512 without hash": "$6$saltsalt$",
    "sha512 without salt's end": "$6$saltsalt",
    "sha512 rounds without number": "$6$rounds=$saltsalt$" + "A" * 86,
    "sha512 rounds not a number": "$6$rounds=abc$saltsalt$" + "A" * 86,
    "sha512 rounds negative": "$6$rounds=-1$saltsalt$" + "A" * 86,
    "sha512 rounds with a zero before": "$6$rounds=05000$saltsalt$" + "A" * 86,
    "sha512 rounds zero": "$6$rounds=0$saltsalt$" + "A" * 86,
    "sha512 rounds too few": "$6$rounds=10$saltsalt$" + "A" * 86,
    "sha512 salt with a colon": "$6$salt:salt$" + "A" * 86,
    "sha512 salt with a blank": "$6$salt salt$" + "A" * 86,
    "sha512 salt of 60": "$6$" + "s" * 60 + "$" + "A" * 86,
    "sha512 salt beyond ASCII": "$6$sält$" + "A" * 86,
    "sha256 without salt": "$5$$" + "A" * 43,
    "md5 cut": "$1$saltsalt$abc",
    "yescrypt cut": hashes.yescrypt()[:-1],
    "yescrypt of too low cost": "$y$j..$saltsalt$" + "A" * 43,
    "yescrypt of an unknown flavour": "$y$.9T$saltsalt$" + "A" * 43,
    "yescrypt with a wrong salt": "$y$j9T$salt!salt$" + "A" * 43,
    "yescrypt without salt": "$y$j9T$$" + "A" * 43,
    "yescrypt with a salt of one letter": "$y$j75$a$" + "A" * 43,
    "yescrypt with a salt too long": "$y$j75$" + "a" * 100 + "$" + "A" * 43,
    "scrypt without salt": "$7$C6..../....$" + "A" * 43,
    "scrypt with a wrong salt": "$7$06..../....sa:lt$" + "A" * 43,
    "sha1 without rounds": "$sha1$$saltsalt$" + "A" * 28,
    "sha1 of no rounds": "$sha1$0$saltsalt$" + "A" * 28,
    "sha1 without salt": "$sha1$1000$$" + "A" * 28,
    "argon2 without parameters": "$argon2id$",
    "argon2 of another version": (ARGON % (1024, 3, 1)).replace("v=19", "v=18"),
    "argon2 without version": (ARGON % (1024, 3, 1)).replace("v=19$", ""),
    "argon2 of too little memory": ARGON % (1, 3, 1),
    "argon2 of no memory": ARGON % (0, 3, 1),
    "argon2 of no time": ARGON % (1024, 0, 1),
    "argon2 of no lanes": ARGON % (1024, 3, 0),
    "argon2 of too many lanes": ARGON % (1024, 3, 16777216),
    "argon2 with a zero before": ARGON % ("01024", 3, 1),
    "argon2 with a short salt": "$argon2id$v=19$m=1024,t=3,p=1$YQ$" + "A" * 43,
    "argon2 with a short hash": "$argon2id$v=19$m=1024,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$YQ",
    "argon2 not base64": "$argon2id$v=19$m=1024,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 41,
    "argon2i of time 1": (ARGON % (1024, 1, 1)).replace("argon2id", "argon2i"),
    "prefix PLAIN": "{PLAIN}secret",
    "prefix CRYPT": "{CRYPT}" + hashes.sha512(),
    "prefix BLF-CRYPT": "{BLF-CRYPT}" + hashes.bcrypt(),
    "prefix of nothing": "{}secret",
    "brace": "{",
}

ROUNDS_20M = "$6$rounds=20000000$saltsalt$" + "A" * 86


def encoded(how, text):
    return how(text.encode()).decode()


PREFIXED = {
    "{PLAIN}secret": "ok",
    "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=": "ok",
    "{BLF-CRYPT}" + hashes.bcrypt(): "ok",
    "{CRYPT}" + hashes.sha512(): "ok",
    "{SHA512-CRYPT}" + hashes.sha512(): "ok",
    "{ARGON2ID}" + hashes.argon2(): "ok",
    hashes.bcrypt(): "ok",
    "{PLAIN}other": "refused",
    "{NOSUCHSCHEME}secret": "refused",
    "{BLF-CRYPT}$2y$05$abc": "refused",
    "{BLF-CRYPT}" + COSTLY["bcrypt cost 31"]: "refused",
    "{SHA512-CRYPT}" + COSTLY["sha512 rounds"]: "refused",
    "{CRYPT}" + COSTLY["sha512 rounds"]: "refused",
    "{CRYPT}" + COSTLY["yescrypt"]: "refused",
    "{ARGON2ID}" + COSTLY["argon2 memory"]: "refused",
    # Dovecot decodes these before it verifies; some seconds of work each
    "{SHA512-CRYPT.B64}" + encoded(base64.b64encode, ROUNDS_20M): "refused",
    "{SHA512-CRYPT.b64}" + encoded(base64.b64encode, ROUNDS_20M): "refused",
    "{BLF-CRYPT.HEX}" + encoded(base64.b16encode, "$2y$17$" + B64_53): "refused",
    "{SCRAM-SHA-256}20000000,c2FsdHNhbHQ=,a2V5,a2V5": "refused",
    "{PBKDF2}$1$saltsaltsaltsalt$20000000$" + "a" * 40: "refused",
    "secret": "refused",
    "{}secret": "refused",
    "{PLAIN}": "refused",
}

LONG = "p" * 72


def add(store, password=None, **columns):
    return store.add(f"u{next(_numbers)}", password=password, **columns)


class Batch:
    """Logins of a whole table at once, because Dovecot answers refusals only twice a second."""

    def __init__(self, dovecot, logins):
        """logins: {case: [(user, password, service), ...]}"""
        self.logins = logins
        self.first_line = len(dovecot.log())
        with dovecot.auth_client() as client:
            replies = iter(client.ask_all([login for some in logins.values() for login in some]))
        self.replies = {case: [next(replies) for _ in some] for case, some in logins.items()}


_batches = {}


def batch(store, dovecot, name, make):
    """The batch of that name, asked when its first case is needed. make(): its logins."""
    key = (store.name, dovecot.directory, name)
    if key not in _batches:
        _batches[key] = Batch(dovecot, make())
    return _batches[key]


def kinds(replies):
    """The first words of the replies; none of these may be a temporary failure."""
    assert all("code" not in reply.fields for reply in replies)
    return [reply.kind for reply in replies]


def lines_about(dovecot, address, after):
    return [line for line in dovecot.log()[after:] if address in line]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_scheme_lets_the_right_password_in_and_no_other(store, dovecot, scheme):
    def logins(password):
        user = add(store, password)
        return [(user, word, "imap") for word in ("secret", "Secret", "", "secret ", password)]
    asked = batch(store, dovecot, "schemes", lambda: {
        each: logins(password) for each, password in SCHEMES.items()})
    assert kinds(asked.replies[scheme]) == ["OK"] + ["FAIL"] * 4


def test_schemes_live_side_by_side(store, dovecot):
    users = [add(store, password) for password in SCHEMES.values()]
    with dovecot.auth_client() as client:
        replies = client.ask_all([(user, password, "imap") for user in users
                                  for password in ("secret", "wrong")])
    assert [reply.kind for reply in replies] == ["OK", "FAIL"] * len(users)


def refusals(store, dovecot, name, passwords):
    """Logs in with each of these hashes; each must have a line in the log."""
    def make():
        return {case: [(add(store, password), "secret", "imap")]
                for case, password in passwords.items()}
    asked = batch(store, dovecot, name, make)
    if not hasattr(asked, "log"):
        last = add(store, MALFORMED["plain text"])
        dovecot.login(last, "secret")
        wait_until(lambda: lines_about(dovecot, last, asked.first_line), "a line in the log")
        asked.log = dovecot.log()[asked.first_line:]
    return asked


def check_refusal(asked, case, password):
    (user, _, _), = asked.logins[case]
    reply, = asked.replies[case]
    assert verdict(reply) == "refused" and reply.seconds < 10    # a dummy for each of them
    lines = [line for line in asked.log if user in line]
    assert len(lines) == 1, lines
    if re.search(r"(\): |Info: mum: )Password mismatch$", lines[0]):   # a verifier has read it
        return
    assert "mailboxes.password of <" in lines[0] and "Error" in lines[0]
    assert "secret" not in lines[0].replace("secret-canary", "")
    text = password.strip()
    assert len(text) < 4 or text not in lines[0]


@pytest.mark.parametrize("case", COSTLY)
def test_hash_that_costs_too_much_is_refused_unverified(store, dovecot, case):
    check_refusal(refusals(store, dovecot, "costly", COSTLY), case, COSTLY[case])


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_hash_is_a_refused_login(store, dovecot, case):
    check_refusal(refusals(store, dovecot, "malformed", MALFORMED), case, MALFORMED[case])


@pytest.mark.parametrize("case", ["sha512 rounds", "bcrypt cost 31", "argon2 memory"])
def test_costly_hash_takes_as_long_as_a_wrong_password(store, make_dovecot, case):
    dovecot = make_dovecot(store)
    with dovecot.auth_client() as client:
        reply = client.login(add(store, COSTLY[case]), "secret")
    assert verdict(reply) == "refused" and reply.seconds < 10


def test_limits_are_the_admins(store, make_dovecot):
    dovecot = make_dovecot(store, options={
        "max_bcrypt_cost": 5, "max_crypt_rounds": 6000, "max_argon2_memory": "2M",
        "max_argon2_time": 3, "max_yescrypt_cost": 1})
    cases = {hashes.bcrypt(cost=5): "ok", hashes.bcrypt(cost=6): "refused",
             hashes.sha512(): "ok", hashes.sha512(rounds=6001): "refused",
             hashes.argon2(time=3, memory_kib=2048): "ok",
             hashes.argon2(time=4, memory_kib=2048): "refused",
             hashes.argon2(time=3, memory_kib=2049): "refused",
             hashes.yescrypt(): "ok", hashes.yescrypt(cost="j9T"): "refused"}
    assert {password: dovecot.login(add(store, password), "secret")
            for password in cases} == cases


# The ids leave out the salts, which differ in each run.
@pytest.mark.parametrize("password", PREFIXED, ids=lambda password: password[:20])
def test_prefix_counts_where_the_admin_allows_it(store, dovecots, password):
    dovecot = dovecots(store, options={"allow_scheme_prefix": "true"})
    asked = batch(store, dovecot, "prefixed", lambda: {
        each: [(add(store, each), "secret", "imap")] for each in PREFIXED})
    reply, = asked.replies[password]
    assert verdict(reply) == PREFIXED[password] and reply.seconds < 10


@pytest.mark.parametrize("verify", ["worker", "inline"])
def test_verification_goes_where_the_admin_wants_it(store, make_dovecot, verify):
    dovecot = make_dovecot(store, options={"verify": verify})
    users = [add(store, SCHEMES[name]) for name in ("bcrypt 2y", "argon2id", "sha512", "yescrypt")]
    broken = add(store, MALFORMED["bcrypt cut"])
    with dovecot.auth_client() as client:
        replies = client.ask_all([(user, word, "imap") for user in users
                                  for word in ("secret", "wrong")]
                                 + [(broken, "secret", "imap"), ("nobody@example.test", "x", "imap")])
    assert [reply.kind for reply in replies] == ["OK", "FAIL"] * len(users) + ["FAIL"] * 2
    assert all("code" not in reply.fields for reply in replies)
    assert bool(dovecot.worker_pids()) == (verify == "worker")


NAMES = [
    ("plain.name", "plain.name", True),
    ("Mixed.Case2", "mixed.CASE2", True),
    ("Groß2", "gross2", True),
    ("jörg2", "JÖRG2", True),
    ("o'brien2", "o'brien2", True),
    ('qu"ote2', 'qu"ote2', True),
    ("with space2", "with space2", True),
    ("back\\slash2", "back\\slash2", True),
    ("semi;colon2", "semi;colon2", True),
    ("per%cent2", "per%cent2", True),
    ("star*2", "star*2", True),
    ("plus+tag2", "plus+tag2", True),
    ("anna2", "anna2+x", False),            # a login name has no extension
    ("jorge2", "jörge2", False),
    ("mary2", "mary2 ", False),
    ("x' OR '1'='1", "nobody' OR '1'='1", False),
]


@pytest.mark.parametrize("stored, typed, right", NAMES)
def test_user_name_becomes_the_stored_address(store, dovecots, stored, typed, right):
    dovecot = dovecots(store)
    store.add(stored)
    with dovecot.auth_client() as client:
        reply = client.login(typed + "@Example.TEST", "secret")
    if right:
        assert (reply.kind, reply.fields["user"]) == ("OK", stored + "@example.test")
    else:
        assert (reply.kind, "code" in reply.fields) == ("FAIL", False)


def test_domain_matches_in_both_its_forms(store, dovecot):
    store.add("idn", domain="bücher.test")
    with dovecot.auth_client() as client:
        replies = client.ask_all([("idn@bücher.test", "secret", "imap"),
                                  ("idn@xn--bcher-kva.test", "secret", "imap"),
                                  ("idn@bucher.test", "secret", "imap")])
    assert [reply.kind for reply in replies] == ["OK", "OK", "FAIL"]
    assert {reply.fields["user"] for reply in replies[:2]} == {"idn@bücher.test"}


STRANGE_NAMES = [
    "", "@", "nobody", "@example.test", "nobody@", "nobody@example.test", "a@b@example.test",
    "nobody@closed.test", "l" * 192 + "@example.test", "nul\0byte@example.test",
    b"\xff\xfe@example.test", "tab\tbed@example.test", "new\nline@example.test", "%u@example.test"]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_name_is_a_plain_refusal(store, dovecot, name):
    asked = batch(store, dovecot, "names", lambda: {
        each: [(each, "secret", "imap")] for each in STRANGE_NAMES})
    assert kinds(asked.replies[name]) == ["FAIL"]


def test_auth_answers_after_strange_names(store, dovecot):
    assert dovecot.login(add(store), "secret") == "ok"


def test_inactive_mailbox_and_domain_look_unknown(store, dovecot):
    users = [add(store, active=0), store.add("closed1", domain="closed.test"),
             add(store, active=0, send_only=1), "nobody@example.test"]
    with dovecot.auth_client() as client:
        replies = client.ask_all([(user, "secret", service) for user in users
                                  for service in ("imap", "smtp")])
    assert {(reply.kind, *sorted(set(reply.fields) - {"user"})) for reply in replies} == {("FAIL",)}


@pytest.mark.parametrize("prefetch", [False, True])
def test_mailbox_can_be_read_as_soon_as_it_is_active(store, dovecots, prefetch):
    """Also if the userdb has just learnt that there is no such user."""
    dovecot = dovecots(store, prefetch=prefetch)
    user = store.add(f"activated{next(_numbers)}", active=0)
    assert dovecot.user(user) is None
    store.change(user, active=1)
    assert dovecot.imap().enter(user, "secret") == "OK"


PASSWORDS = {
    "quotes": "it's \"quoted\" \\ and `ticked`",
    "blanks": "  two  blanks  ",
    "UTF-8": "pässwörd €uro 😀",
    "percent": "%u%n%d {PLAIN}",
    "71 bytes": LONG[:-1],
    "72 bytes": LONG,
}


@pytest.mark.parametrize("case", PASSWORDS)
@pytest.mark.parametrize("maker", [hashes.bcrypt, hashes.sha512, hashes.argon2])
def test_password_is_taken_as_it_is(store, dovecot, case, maker):
    def logins(password):
        user = add(store, maker(password))
        return [(user, word, "imap") for word in
                (password, password[:-1], password.upper() + "x")]
    asked = batch(store, dovecot, maker.__name__, lambda: {
        each: logins(password) for each, password in PASSWORDS.items()})
    assert kinds(asked.replies[case]) == ["OK", "FAIL", "FAIL"]


def test_bcrypt_itself_reads_no_more_than_72_bytes(store, dovecot):
    assert dovecot.login(add(store, hashes.bcrypt(LONG + "a")), LONG + "b") == "ok"


@pytest.mark.parametrize("maker", [hashes.sha512, hashes.argon2])
def test_other_schemes_read_all_of_a_long_password(store, dovecot, maker):
    long = "q" * 300
    user = add(store, maker(long))
    assert [dovecot.login(user, word) for word in (long, long[:-1])] == ["ok", "refused"]


ODD_PASSWORDS = [b"sec\0ret", b"secret\0more", b"\0secret", b"secret\t", b"sec\nret",
                 b"\1\2\3", b"\x7f", b"\xff\xfe"]


@pytest.mark.parametrize("password", ODD_PASSWORDS)
def test_password_that_dovecot_does_not_hand_on_is_a_plain_refusal(store, dovecot, password):
    asked = batch(store, dovecot, "odd passwords", lambda: {
        each: [(add(store), each, "imap")] for each in ODD_PASSWORDS})
    assert kinds(asked.replies[password]) == ["FAIL"]


def test_nul_in_an_imap_literal_cuts_the_password(store, dovecot):
    """So the password is what stands before the NUL."""
    user = add(store)
    for password, expected in ((b"secret\0more", b"OK"), (b"sec\0ret", b"NO")):
        with Client(("127.0.0.1", dovecot.imap_port)) as client:
            client.read_until(b"\r\n")
            client.send(b"a LOGIN %s {%d+}\r\n%s\r\n" % (user.encode(), len(password), password))
            assert client.read_until(b"\r\n").split()[1] == expected


def test_very_long_password_is_a_plain_refusal(store, dovecot):
    assert dovecot.login(add(store), "x" * 4000) == "refused"


def test_doveadm_auth_lookup_answers(store, dovecot):
    user = add(store, hashes.sha512())
    found = dovecot.doveadm("auth", "lookup", user.upper())
    assert found.returncode == 0 and f"user      : {user}" in found.stdout
    assert dovecot.doveadm("auth", "lookup", "nobody@example.test").returncode != 0


def test_lookup_of_credentials_answers_on_auth_master(store, dovecot):
    user, broken = add(store), add(store, "plain text")
    with dovecot.master_client() as client:
        assert client.password(user.upper()).fields["user"] == user
        assert client.password("nobody@example.test").kind == "NOTFOUND"
        assert client.password(broken).fields["user"] == broken     # nobody logs in


def test_mechanism_that_needs_credentials_gets_them(store, dovecots):
    """LOGIN verifies like PLAIN; a challenge needs the plain text, which MUM does not have."""
    dovecot = dovecots(store, settings="auth_mechanisms = plain login cram-md5\n")
    user = add(store)
    with dovecot.imap() as imap:
        with pytest.raises(imap.error):
            imap.login_cram_md5(user, "secret")
    assert dovecot.login(user, "secret") == "ok"


# ---- send-only mailboxes ----

SEND_ONLY = [("smtp", "ok"), ("submission", "user_disabled"), ("imap", "user_disabled"),
             ("pop3", "user_disabled"), ("sieve", "user_disabled"), ("lmtp", "ok")]


@pytest.mark.parametrize("service, expected", SEND_ONLY)
def test_send_only_logs_in_where_no_mail_is_read(store, dovecot, service, expected):
    def logins(of_service):
        user = add(store, send_only=1)
        return [(user, "secret", of_service), (user, "wrong", of_service),
                (add(store), "secret", of_service)]
    asked = batch(store, dovecot, "send-only", lambda: {
        each: logins(each) for each, _ in SEND_ONLY})
    assert [verdict(reply) for reply in asked.replies[service]] == [expected, "refused", "ok"]


def test_services_that_refuse_send_only_are_the_admins(store, make_dovecot):
    dovecot = make_dovecot(store, options={"send_only_refuse": ["smtp"]})
    user = add(store, send_only=1)
    assert [dovecot.login(user, "secret", service) for service in ("smtp", "imap")] \
        == ["user_disabled", "ok"]


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_send_only_is_refused_and_a_wrong_password_looks_like_any(store, dovecot, protocol):
    send_only, normal = add(store, send_only=1), add(store)
    connect = getattr(dovecot, protocol)
    assert connect().enter(normal, "secret") == "OK"
    assert connect().enter(send_only, "secret") != "OK"
    wrong = {connect().enter(user, "wrong")
             for user in (send_only, normal, "nobody@example.test")}
    assert len(wrong) == 1 and "uthentication failed" in wrong.pop()


def test_send_only_asks_for_credentials_in_vain(store, dovecot):
    with dovecot.master_client() as client:
        assert client.password(add(store, send_only=1), "imap").kind != "PASS"


def test_reply_to_a_refused_login_says_no_more_than_the_name(store, dovecot):
    users = [add(store), add(store, send_only=1), add(store, active=0),
             add(store, MALFORMED["bcrypt cut"]), "nobody@example.test"]
    with dovecot.auth_client() as client:
        replies = client.ask_all([(user, "wrong", "imap") for user in users])
    assert [(reply.kind, list(reply.fields)) for reply in replies] == [("FAIL", ["user"])] * 5
