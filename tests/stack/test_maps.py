# SPDX-License-Identifier: MIT
"""Each map answers each kind of key as the rules say.

The rows for the keys, and what is special about each, are in tests/lab/sample.py.
"""

import pytest

from lab import SocketmapClient, netstring, sample
from lab.sample import LONG

NOTFOUND = "NOTFOUND "
TEMP = "TEMP"       # and any text
PERM = "PERM"

SEND_ONLY = "OK 550 5.2.1 mailbox does not accept mail (send-only)"
DEAD_ALIAS = "OK 550 5.2.1 alias leads to no mailbox that accepts mail"

# Names that no row has, but that a database might take for stored ones.
TWINS = [
    ("jorg@example.test", "without its accent"),
    ("joerg@example.test", "with its accent spelled out"),
    ("alice @example.test", "with a trailing space"),
    (" alice@example.test", "with a leading space"),
    ("alice@example.test ", "with a trailing space in the domain"),
    ("alice\u200b@example.test", "with a zero-width space"),
    ("\ufeffalice@example.test", "with a byte order mark"),
    ("\uff41lice@example.test", "with a full-width letter"),
    ("alic\u0435@example.test", "with a Cyrillic letter"),
    ("alice\u0301@example.test", "with a combining accent"),
    ("\U0001f60e@example.test", "with another emoji"),
    ("uwe@bucher.test", "in a domain without its accent"),
    ("gross@gro\u00df.test", "in a domain that is another registrable name"),
    ("alice@example.test.", "with a dot behind the domain"),
    ("alice@\uff45xample.test", "in a domain with a full-width letter"),
    ("al%ce@example.test", "with a wildcard of SQL"),
    ("al_ce@example.test", "with the other wildcard of SQL"),
    ("alic\\e@example.test", "with a backslash"),
    ("backslash@example.test", "without its backslash"),
    ("x' OR '1'='1@example.test", "with SQL"),
    ("alice'; DROP TABLE mailboxes; -- @example.test", "with more SQL"),
    ("0@example.test", "that is a number"),
]

# Keys that only domains and tls-policies can know.
NO_ADDRESS = ["", "alice", "@", "@example.test", "alice@", "example.test", "foreign.test"]

DOMAINS = [
    ("example.test", "OK example.test"),
    ("EXAMPLE.test", "OK example.test"),
    ("second.test", "OK second.test"),
    ("upper.test", "OK Upper.Test"),
    ("bücher.test", "OK bücher.test"),
    ("BÜCHER.TEST", "OK bücher.test"),
    ("xn--bcher-kva.test", "OK bücher.test"),
    ("XN--BCHER-KVA.TEST", "OK bücher.test"),
    ("café.test", "OK xn--caf-dma.test"),
    ("xn--caf-dma.test", "OK xn--caf-dma.test"),
    ("gross.test", "OK gross.test"),
    ("weiß.test", "OK weiß.test"),
    ("xn--wei-7ka.test", "OK weiß.test"),
    ("weiss.test", NOTFOUND),
    ("groß.test", NOTFOUND),
    ("bucher.test", NOTFOUND),
    ("inactive.test", NOTFOUND),
    ("unknown.test", NOTFOUND),
    ("sub.example.test", NOTFOUND),
    (".example.test", NOTFOUND),
    ("example.test.", NOTFOUND),
    ("example.test ", NOTFOUND),
    (" example.test", NOTFOUND),
    ("\uff45xample.test", NOTFOUND),
    ("exam\u200bple.test", NOTFOUND),
    ("example.test\0", NOTFOUND),
    ("alice@example.test", NOTFOUND),
    ("@example.test", NOTFOUND),
    ("alice@", NOTFOUND),
    ("@", NOTFOUND),
    ("", NOTFOUND),
]

MAILBOXES = [
    ("alice@example.test", "OK 1"),
    ("ALICE@Example.Test", "OK 1"),
    ("alice+ext@example.test", "OK 1"),
    ("alice+a+b@example.test", "OK 1"),
    ("+alice@example.test", NOTFOUND),
    ("joe+tag@example.test", "OK 1"),
    ("joe+other@example.test", "OK 1"),
    ("sendonly@example.test", "OK 1"),
    ("ina@example.test", NOTFOUND),
    ("inaso@example.test", NOTFOUND),
    ("dave@inactive.test", NOTFOUND),
    ("nobody@example.test", NOTFOUND),
    ("alice@unknown.test", NOTFOUND),
    ("info@example.test", NOTFOUND),
    ("jörg@example.test", "OK 1"),
    ("JÖRG@example.test", "OK 1"),
    ("jo\u0308rg@example.test", "OK 1"),
    ("😀@example.test", "OK 1"),
    ("groß@example.test", "OK 1"),
    ("gross@example.test", "OK 1"),
    ("GROSS@example.test", "OK 1"),
    ("ΣΑΣ@example.test", "OK 1"),
    ("σασ@example.test", "OK 1"),
    ("straße@second.test", "OK 1"),
    ("gross@gross.test", "OK 1"),
    ("o'brien@example.test", "OK 1"),
    ("back\\slash@example.test", "OK 1"),
    ('qu"ote@example.test', "OK 1"),
    ('"qu\\"ote"@example.test', "OK 1"),
    ('"back\\\\slash"@example.test', "OK 1"),
    ("with space@example.test", "OK 1"),
    ('"with space"@example.test', "OK 1"),
    ('"with space+ext"@example.test', "OK 1"),
    ("with space+ext@example.test", "OK 1"),
    ('"alice"@example.test', "OK 1"),
    ("mixed.case@second.test", "OK 1"),
    ("ulla@upper.test", "OK 1"),
    ("uwe@bücher.test", "OK 1"),
    ("uwe@xn--bcher-kva.test", "OK 1"),
    ("anna@café.test", "OK 1"),
    ("anna@xn--caf-dma.test", "OK 1"),
    ("a@b@example.test", NOTFOUND),
    ("alice@example.test@example.test", NOTFOUND),
    (LONG + "@example.test", "OK 1"),
    (LONG + "+ext@example.test", "OK 1"),
    (LONG + "l@example.test", NOTFOUND),
    ("alice@" + "d" * 191, NOTFOUND),
    ("alice@" + "d" * 192, NOTFOUND),
]

ALIASES = [
    ("info@example.test", "OK bob@example.test,alice@example.test,friend@external.test"),
    ("INFO@EXAMPLE.TEST", "OK bob@example.test,alice@example.test,friend@external.test"),
    ("info+Tag@example.test",
     "OK bob+Tag@example.test,alice+Tag@example.test,friend+Tag@external.test"),
    ("INFO+A+b@example.test",
     "OK bob+A+b@example.test,alice+A+b@example.test,friend+A+b@external.test"),
    ("+info@example.test", NOTFOUND),
    ("sales@second.test", "OK carol@second.test"),
    ("nosend@example.test", "OK alice@example.test"),
    ("dup@example.test", "OK alice@example.test"),
    ("nested@example.test", "OK info@example.test"),
    ("big@example.test",
     "OK " + ",".join(f"recipient-number-{n:03d}@external.test" for n in range(1, 61))),
    ("mixedcase@second.test", "OK Mixed.Case@second.test"),
    # live recipients only
    ("mixed@example.test", "OK alice@example.test"),
    ("shop@example.test", NOTFOUND),
    ("toina@example.test", NOTFOUND),
    ("norecip@example.test", NOTFOUND),
    ("blank@example.test", NOTFOUND),
    ("weird@example.test", 'OK "a,b"@external.test,lead@external.test'),
    ("weird+x@example.test", 'OK "a,b+x"@external.test,lead+x@external.test'),
    ("dupes@example.test", "OK bob@example.test"),
    # the alias itself, as a recipient
    ("selfloop@example.test", "OK carol@second.test"),
    ("selfonly@example.test", NOTFOUND),
    ("copy@example.test", "OK copy@example.test,bob@example.test"),
    ("copynull@example.test", "OK copynull@example.test,bob@example.test"),
    ("copyso@example.test", "OK bob@example.test"),
    # alias and mailbox of one name
    ("soalias@example.test", "OK alice@example.test"),
    ("deadbox@example.test", NOTFOUND),
    ("deadso@example.test", NOTFOUND),
    # inactive, expired
    ("old@example.test", NOTFOUND),
    ("gone@inactive.test", NOTFOUND),
    ("expired@example.test", NOTFOUND),
    ("expbox@example.test", NOTFOUND),
    ("future@example.test", "OK alice@example.test"),
    ("soon@example.test", "OK alice@example.test"),
    # an extension that is part of the name
    ("list@example.test", "OK bob@example.test"),
    ("list+news@example.test", "OK alice@example.test"),
    ("LIST+News@example.test", "OK alice@example.test"),
    ("list+other@example.test", "OK bob+other@example.test"),
    ("list+news+x@example.test", "OK bob+news+x@example.test"),
    # local parts that need quotes
    ("two words@example.test", 'OK "with space"@example.test'),
    ('"two words"@example.test', 'OK "with space"@example.test'),
    ("two words+Ext@example.test", 'OK "with space+Ext"@example.test'),
    ('"two words+Ext"@example.test', 'OK "with space+Ext"@example.test'),
    ("commas@example.test", 'OK "comma,name"@example.test'),
    # other alphabets
    ("müller@example.test", "OK jörg@example.test"),
    ("MÜLLER@example.test", "OK jörg@example.test"),
    ("mu\u0308ller@example.test", "OK jörg@example.test"),
    ("muller@example.test", NOTFOUND),
    ("idn@example.test", "OK uwe@xn--bcher-kva.test,anna@xn--caf-dma.test"),
    ("idn+x@example.test", "OK uwe+x@xn--bcher-kva.test,anna+x@xn--caf-dma.test"),
    ("books@bücher.test", "OK alice@example.test"),
    ("books@xn--bcher-kva.test", "OK alice@example.test"),
    ("books@bucher.test", NOTFOUND),
    # no alias
    ("alice@example.test", NOTFOUND),
    ("nobody@example.test", NOTFOUND),
    ("info@foreign.test", NOTFOUND),
    ("info", NOTFOUND),
    # at the limit of a reply, and values that must not get into one
    ("over@big.test", TEMP),
    ("limit+x@big.test", TEMP),
    ("tab@dirty.test", TEMP),
    ("newline@dirty.test", TEMP),
    ("delete@dirty.test", TEMP),
]

OWNERS = [
    ("alice@example.test", "OK alice@example.test"),
    ("ALICE@EXAMPLE.TEST", "OK alice@example.test"),
    ("alice+x@example.test", "OK alice@example.test"),
    ("joe+tag@example.test", "OK joe+tag@example.test"),
    ("joe+x@example.test", "OK joe@example.test"),
    ("sendonly@example.test", "OK sendonly@example.test"),
    ("ina@example.test", NOTFOUND),
    ("inaso@example.test", NOTFOUND),
    ("dave@inactive.test", NOTFOUND),
    ("nobody@example.test", NOTFOUND),
    ("x@foreign.test", NOTFOUND),
    ("mixed.case@second.test", "OK Mixed.Case@second.test"),
    ("mixedcase@second.test", "OK Mixed.Case@second.test"),
    ("ulla@upper.test", "OK ulla@Upper.Test"),
    ("uwe@xn--bcher-kva.test", "OK uwe@bücher.test"),
    ("idn@example.test", "OK uwe@bücher.test"),
    ("books@bücher.test", "OK alice@example.test"),
    ("with space@example.test", "OK with space@example.test"),
    ('"two words"@example.test', "OK with space@example.test"),
    ("info@example.test", "OK alice@example.test,carol@second.test"),
    ("info+x@example.test", "OK alice@example.test,carol@second.test"),
    ("team@example.test", "OK carol@second.test,alice@example.test,bob@example.test"),
    ("sales@second.test", "OK alice@example.test"),
    ("shop@example.test", "OK sendonly@example.test"),
    ("norecip@example.test", "OK bob@example.test"),
    ("dup@example.test", "OK dup@example.test,bob@example.test"),
    ("expbox@example.test", "OK expbox@example.test"),
    ("inasender@example.test", "OK bob@example.test"),
    ("onlyina@example.test", NOTFOUND),
    ("toina@example.test", NOTFOUND),
    ("old@example.test", NOTFOUND),
    ("expired@example.test", NOTFOUND),
    ("future@example.test", "OK alice@example.test"),
    ("gone@inactive.test", NOTFOUND),
    ("müller@example.test", "OK jörg@example.test"),
    ("muller@example.test", NOTFOUND),
]

RECIPIENT_ACCESS = [
    ("alice@example.test", "OK DUNNO"),
    ("ALICE@EXAMPLE.TEST", "OK DUNNO"),
    ("alice+x@example.test", "OK DUNNO"),
    ("sendonly@example.test", SEND_ONLY),
    ("sendonly+x@example.test", SEND_ONLY),
    ("joe@example.test", SEND_ONLY),
    ("joe+x@example.test", SEND_ONLY),
    ("joe+tag@example.test", "OK DUNNO"),
    ("soalias@example.test", "OK DUNNO"),
    ("deadso@example.test", SEND_ONLY),
    ("deadbox@example.test", "OK DUNNO"),
    ("dup@example.test", "OK DUNNO"),
    ("copyso@example.test", "OK DUNNO"),
    ("expbox@example.test", "OK DUNNO"),
    ("info@example.test", "OK DUNNO"),
    ("info+x@example.test", "OK DUNNO"),
    ("mixed@example.test", "OK DUNNO"),
    ("norecip@example.test", "OK DUNNO"),
    ("shop@example.test", DEAD_ALIAS),
    ("shop+x@example.test", DEAD_ALIAS),
    ("toina@example.test", DEAD_ALIAS),
    ("selfonly@example.test", DEAD_ALIAS),
    ("blank@example.test", DEAD_ALIAS),
    ("future@example.test", "OK DUNNO"),
    ("expired@example.test", NOTFOUND),
    ("old@example.test", NOTFOUND),
    ("gone@inactive.test", NOTFOUND),
    ("ina@example.test", NOTFOUND),
    ("inaso@example.test", NOTFOUND),
    ("dave@inactive.test", NOTFOUND),
    ("nobody@example.test", NOTFOUND),
    ("x@foreign.test", NOTFOUND),
]

TLS = [
    ("secure.test", "OK secure match=.secure.test:mx.secure.test ciphers=high"),
    ("SECURE.TEST", "OK secure match=.secure.test:mx.secure.test ciphers=high"),
    ("null.test", "OK encrypt"),
    ("null.test ", NOTFOUND),
    ("empty.test", "OK may"),
    ("none.test", "OK none"),
    ("comma.test", "OK encrypt protocols=!SSLv2,!SSLv3"),
    ("off.test", NOTFOUND),
    ("[mail.relay.test]:587", "OK verify match=nexthop"),
    ("[MAIL.relay.test]:587", "OK verify match=nexthop"),
    ("[mail.relay.test]", NOTFOUND),
    ("mail.relay.test", NOTFOUND),
    (".parent.test", "OK may"),
    ("parent.test", NOTFOUND),
    ("sub.parent.test", NOTFOUND),
    ("größe.test", "OK encrypt"),
    ("xn--gre-6ka8i.test", "OK encrypt"),
    ("grosse.test", NOTFOUND),
    ("ärger.test", "OK may"),
    ("xn--rger-koa.test", "OK may"),
    ("dirty.test", TEMP),
    ("unknown.test", NOTFOUND),
    ("alice@secure.test", NOTFOUND),
    ("[127.0.0.1]:25", NOTFOUND),
    ("", NOTFOUND),
]

TABLES = {"domains": DOMAINS, "mailboxes": MAILBOXES, "aliases": ALIASES,
          "sender-login-maps": OWNERS, "recipient-access": RECIPIENT_ACCESS,
          "tls-policies": TLS}
ADDRESS_TABLES = ["mailboxes", "aliases", "sender-login-maps", "recipient-access"]


@pytest.fixture(scope="session")
def client(stack):
    with stack.mumd.map_client() as client:
        yield client


def check(client, table, key, want):
    got = client.ask(table, key).decode()
    if want in (TEMP, PERM):
        assert got.startswith(want + " ") and len(got) > len(want) + 1
    else:
        assert got == want


@pytest.mark.parametrize("table, key, want", [
    (table, key, want) for table, rows in TABLES.items() for key, want in rows])
def test_table_answers_by_the_rules(client, table, key, want):
    check(client, table, key, want)


@pytest.mark.parametrize("table", ADDRESS_TABLES)
@pytest.mark.parametrize("key", [key for key, _ in TWINS], ids=[why for _, why in TWINS])
def test_a_twin_is_another_address(client, table, key):
    check(client, table, key, NOTFOUND)


@pytest.mark.parametrize("table", ADDRESS_TABLES)
@pytest.mark.parametrize("key", NO_ADDRESS)
def test_a_key_that_is_no_address_is_not_found(client, table, key):
    check(client, table, key, NOTFOUND)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("byte", [*range(0x20), 0x7f])
def test_a_control_byte_is_not_found_anywhere(client, table, byte):
    for key in ("alice%c@example.test", "alice@exam%cple.test", "alice@example.test%c"):
        check(client, table, key % byte, NOTFOUND)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("junk", [b"\xff", b"j\xf6rg", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80",
                                  b"\xf4\x90\x80\x80"])
def test_invalid_utf8_is_not_found_anywhere(client, table, junk):
    check(client, table, junk + b"@example.test", NOTFOUND)
    check(client, table, b"alice@" + junk + b".test", NOTFOUND)


@pytest.mark.parametrize("length", [0, 190, 191, 192, 1000, 9000])
def test_a_key_of_any_length_is_answered(client, length):
    for table in TABLES:
        check(client, table, "k" * length, NOTFOUND)
        check(client, table, "k" * length + "@example.test", NOTFOUND)
        check(client, table, "k@" + "k" * length, NOTFOUND)


@pytest.mark.parametrize("table", ["", "nosuch", "Mailboxes", "mailboxes2", "mailbox"])
def test_an_unknown_table_is_a_permanent_error(client, table):
    check(client, table, "alice@example.test", PERM)


def test_a_reply_of_the_greatest_length_is_whole(client):
    got = client.ask("aliases", "limit@big.test").decode()
    alias = next(alias for alias in sample.ALIASES if alias[1] == "limit")
    assert got == "OK " + ",".join(alias[6]) and len(got) == 100000


@pytest.mark.parametrize("key", ["over@big.test", "tab@dirty.test"])
def test_a_value_that_cannot_be_sent_is_named_in_the_log(stack, key):
    mumd = stack.mumd_with(cache={"ttl": "0s"})
    seen = len(mumd.log())
    assert mumd.lookup("aliases", key).startswith(b"TEMP ")
    mumd.wait_log(key, after=seen)


@pytest.mark.parametrize("delimiter, key, want", [
    ("", "alice+ext@example.test", NOTFOUND),
    ("", "joe+tag@example.test", "OK 1"),
    ("-", "alice-ext@example.test", "OK 1"),
    ("-", "alice+ext@example.test", NOTFOUND),
    ("-+", "alice+ext@example.test", "OK 1"),
    ("-+", "alice-ext@example.test", "OK 1"),
])
def test_extensions_follow_the_configured_delimiter(stack, delimiter, key, want):
    mumd = stack.mumd_with(address={"recipient_delimiter": delimiter})
    assert mumd.lookup("mailboxes", key).decode() == want


@pytest.mark.parametrize("timezone, want", [("UTC", "OK alice@example.test"),
                                            ("Pacific/Kiritimati", NOTFOUND),
                                            ("Pacific/Honolulu", "OK alice@example.test")])
def test_an_alias_expires_by_the_clock_of_mum(stack, timezone, want):
    mumd = stack.mumd_with(mum={"timezone": timezone})
    assert mumd.lookup("aliases", "soon@example.test").decode() == want


def test_tcp_answers_like_the_unix_socket(stack):
    with SocketmapClient(("127.0.0.1", stack.mumd.socketmap_port)) as client:
        check(client, "mailboxes", "alice@example.test", "OK 1")


def test_requests_in_one_packet_are_answered_in_order(stack):
    keys = ["alice@example.test", "nobody@example.test", "bob@example.test"] * 20
    with stack.mumd.map_client() as client:
        client.send(b"".join(netstring(b"mailboxes " + key.encode()) for key in keys))
        assert [client.reply() for _ in keys] == [b"OK 1", b"NOTFOUND ", b"OK 1"] * 20
