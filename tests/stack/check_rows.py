# SPDX-License-Identifier: MIT
"""Bad rows, and what mumctl check says about each: for test_mumctl_check_rows.py."""

from lab import hashes, sample
from check_findings import finding

BCRYPT = hashes.bcrypt(cost=4)


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


# Hashes that cost too much, and what check says about them.
EXPENSIVE = {
    "bcrypt": (hashes.bcrypt(cost=4).replace("$04$", "$15$"),
               "bcrypt, cost 15; dovecot.max_bcrypt_cost is 14"),
    "sha512": ("$6$rounds=1000001$saltsalt$" + hashes.sha512(rounds=1000).rpartition("$")[2],
               "SHA512-CRYPT, rounds 1000001; dovecot.max_crypt_rounds is 1000000"),
    "argon2": ("$argon2id$v=19$m=1048576,t=4,p=1$c2FsdHNhbHQ$aGFzaA",
               "argon2id, m=1048576,t=4,p=1; dovecot.max_argon2_memory is m=131072, "
               "max_argon2_time t=10"),
    "yescrypt": ("$y$jFT$" + "salt$" + 43 * "h",
                 "yescrypt, settings jFT; dovecot.max_yescrypt_cost is 8"),
}


def too_wide(number, name):
    return finding("alias-too-wide", "warning", f"aliases.id={number} <{name}@example.test>",
                   "raise virtual_alias_expansion_limit in main.cf", "more than 1000 recipients")


def recipient(code, number, place, name, mend, what):
    """The finding about the alias's recipient in that place."""
    return finding(code, "warning",
                   f"alias_recipients.id={number * 10000 + place} <{name}@example.test>", mend, what)


def stale(number, place, name, what):
    return recipient("recipient-stale", number, place, name,
                     "UPDATE alias_recipients SET recipient_address = (SELECT ", what)


def dead(number, place, name, what):
    return recipient("recipient-dead", number, place, name,
                     f"DELETE FROM alias_recipients WHERE id = {number * 10000 + place}", what)


def quota(number, name, most, what):
    return finding("quota-over-limit", "warning", f"mailboxes.id={number} <{name}>",
                   f"UPDATE mailboxes SET quota = {most} WHERE id = {number}", what)


# test_mumctl_tls.py tests that Postfix agrees.
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
    "an alias that is its own recipient, with an extension": (
        [*alias(1003, "grow", ["grow+more@example.test", "anna@example.test"])],
        [dead(1003, 0, "grow", "<grow+more@example.test>: it is the alias itself")]),
    "a loop by way of an extension": (
        [*alias(1030, "there", ["back+more@example.test"]),
         *alias(1031, "back", ["there@example.test"])],
        [finding("alias-loop", "error", "aliases.id=1030 <there@example.test>", "remove one")]),
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
    "a catch-all that mumd is not to answer": (
        [*alias(1040, "", ["anna@example.test"])],
        [finding("catch-all-off", "warning", "aliases.id=1040 <@example.test>",
                 "set address.catch_all = true", "mumd answers for none")]),
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
         *alias(1017, "inactive", active=0),
         *alias(1600, "hidden", active=0, deactivate_at="2020-01-01 00:00:00"),
         *alias(1601, "soon", ["anna@example.test"], deactivate_at="2037-01-01 00:00:00")],
        [finding("alias-expired", "note", f"aliases.id={number} <{name}@example.test>",
                 f"DELETE FROM aliases WHERE id = {number}", "MUM hides it")
         for number, name in ((1016, "over"), (1600, "hidden"))]),
    "an alias that only sends": (
        [*alias(1602, "sends"), ("alias_senders", {"id": 1602, "alias_id": 1602,
                                                   "mailbox_id": 1})],
        []),
    "recipients whose mailboxes have another address now": (
        [*alias(1603, "moved", [("before@example.test", 1), ("anna@old.test", 2), (" ", 3)])],
        [stale(1603, 0, "moved", "<before@example.test>, and its mailbox is <anna@example.test>"),
         stale(1603, 1, "moved", "<anna@old.test>, and its mailbox is <scanner@example.test>"),
         stale(1603, 2, "moved", "<>, and its mailbox is <gone@example.test>")]),
    "the present address in another spelling": (
        [mailbox(1604, "uwe", domain_id=4),
         *alias(1604, "spelled", [("ANNA@Example.test ", 1),
                                  ("Uwe@xn--bcher-kva.test", 1604)])],
        []),
    "a domain in two spellings, of which the later one is active": (
        [("domains", {"id": 1650, "domain": "grün.test", "active": 0, "homedir": "/srv/d1650"}),
         ("domains", {"id": 1651, "domain": "xn--grn-ioa.test", "homedir": "/srv/d1651"}),
         mailbox(1650, "joe", domain_id=1651),
         *alias(1650, "green", ["joe@grün.test"])],
        []),
    "own addresses that were typed": (
        [*alias(1605, "typed", [
            "anna@example.test", "INFO+tag@example.test", '"anna"@EXAMPLE.test',
            "anna@unknown.test", "scanner@example.test", "gone+x@example.test",
            "nobody-here@example.test", "nobody@xn--bcher-kva.test", "was@example.test",
            "typed@example.test", "anna@closed.test"]),
         *alias(1606, "was", ["anna@example.test"], active=0)],
        [dead(1605, 4, "typed", "<scanner@example.test>: the mailbox of this name is send-only"),
         dead(1605, 5, "typed", "<gone+x@example.test>: what has this name is inactive"),
         recipient("recipient-unknown", 1605, 6, "typed",
                   "DELETE FROM alias_recipients WHERE id = 16050006", "nobody-here@example.test"),
         recipient("recipient-unknown", 1605, 7, "typed",
                   "DELETE FROM alias_recipients WHERE id = 16050007", "the domain of <nobody@xn--"),
         dead(1605, 8, "typed", "<was@example.test>: what has this name is inactive"),
         recipient("recipient-domain-inactive", 1605, 10, "typed", "activate the domain",
                   "anna@closed.test")]),
    "an own address that is an alias and a mailbox": (
        [mailbox(1607, "twice", active=0), *alias(1607, "twice", ["anna@example.test"]),
         *alias(1608, "totwice", ["twice@example.test"])],
        []),
    "homes inside homes": (
        [mailbox(1610, "house"), mailbox(1611, "house/Archive", homedir="/srv/1610/Archive"),
         mailbox(1612, "shed", homedir="/srv/1610-shed"),
         mailbox(1613, "room", homedir="/srv/1610/Archive/x/"),
         mailbox(1614, "same", homedir="/srv/1610//")],
        [finding("home-nested", "warning", "mailboxes.id=1611 <house/Archive@example.test>",
                 'without a "/"', "inside that of <house@example.test>"),
         finding("home-nested", "warning", "mailboxes.id=1613 <room@example.test>",
                 "change homedir", "inside that of <house@example.test>"),
         finding("home-nested", "warning", "mailboxes.id=1614 <same@example.test>",
                 "change homedir", "/srv/1610// is inside that of <house@example.test>")]),
    "mail that leads upwards": (
        [mailbox(1615, "climber", maildir="maildir:/srv/../etc")],
        [finding("mailbox-unusable", "error", "mailboxes.id=1615 <climber@example.test>",
                 "fix it", "maildir leads upwards")]),
    "quotas over what the domain allows": (
        [("domains", {"id": 1620, "domain": "capped.test", "quota": None, "max_quota": 5,
                      "homedir": "/capped"}),
         ("domains", {"id": 1621, "domain": "capless.test", "quota": 9, "max_quota": 0,
                      "homedir": "/capless"}),
         ("domains", {"id": 1622, "domain": "presets.test", "quota": 8, "max_quota": 7,
                      "homedir": "/presets"}),
         mailbox(1620, "fits", domain_id=1620, quota=5),
         mailbox(1621, "over", domain_id=1620, quota=6),
         mailbox(1622, "endless", domain_id=1620, quota=None),
         mailbox(1623, "zero", domain_id=1620, quota=0),
         mailbox(1624, "capless", domain_id=1621, quota=900),
         mailbox(1625, "sender", domain_id=1620, quota=6, send_only=1),
         mailbox(1626, "preset", domain_id=1622, quota=None)],
        [quota(1621, "over@capped.test", 5, "its quota is 6 GB, and its domain allows 5 GB"),
         quota(1622, "endless@capped.test", 5, "it has no limit, and its domain allows 5 GB"),
         quota(1623, "zero@capped.test", 5, "it has no limit"),
         quota(1626, "preset@presets.test", 7, "its quota is 8 GB, and its domain allows 7 GB")]),
    "a recipient with a control character": (
        [*alias(1018, "tab", ["a\tb@external.test"])],
        [finding("recipient-unusable", "error", "aliases.id=1018 <tab@example.test>",
                 "fix or remove it", "<a\tb@external.test>")]),
    "a recipient whose domain is a list": (
        [*alias(1019, "comma", ["a@b.test,c.test"])],
        [finding("recipient-unusable", "error", "aliases.id=1019 <comma@example.test>",
                 "fix or remove it", "deferred")]),
    "an alias that no mail can name": (
        [*alias(1020, "be\x07ll", ["anna@example.test"])],
        [finding("name-unusable", "error", "aliases.id=1020 <be\x07ll@example.test>",
                 "rename it", "no mail can have this name")]),
    "a recipient with a NUL byte": (
        [*alias(1035, "nul", ["a\0b@external.test", "anna@example.test"])],
        [finding("recipient-unusable", "error", "aliases.id=1035 <nul@example.test>",
                 "fix or remove it", "a row holds a value that cannot be read")]),
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
                 "fix it", "homedir is not an absolute path")]),
    "a home that leads upwards": (
        [mailbox(1023, "upwards", homedir="/srv/../etc")],
        [finding("mailbox-unusable", "error", "mailboxes.id=1023 <upwards@example.test>",
                 "fix it", "homedir")]),
    "no home, and one with a control character": (
        [mailbox(1040, "homeless", homedir=""), mailbox(1041, "bell", homedir="/srv/\a")],
        [finding("mailbox-unusable", "error", f"mailboxes.id={number} <{name}@example.test>",
                 "fix it", "homedir is not an absolute path of printable characters")
         for number, name in ((1040, "homeless"), (1041, "bell"))]),
    "a maildir with a control character": (
        [mailbox(1042, "feed", maildir="maildir:/srv/\n")],
        [finding("mailbox-unusable", "error", "mailboxes.id=1042 <feed@example.test>",
                 "fix it", "maildir is empty or holds control characters")]),
    "no maildir": (
        [mailbox(1024, "nomail", maildir="")],
        [finding("mailbox-unusable", "error", "mailboxes.id=1024 <nomail@example.test>",
                 "fix it", "maildir is empty")]),
    "a quota beyond 63 bits": (
        [("domains", {"id": 1025, "domain": "huge.test", "quota": 1 << 33, "homedir": "/huge"}),
         mailbox(1025, "huge", domain_id=1025)],
        [finding("mailbox-unusable", "error", "mailboxes.id=1025 <huge@huge.test>",
                 "fix it", "quota is not a number of gigabytes below 2^33")]),
    "a password in plain text": (
        [mailbox(1026, "plain", password="hash-canary")],
        [finding("hash-refused", "error", "mailboxes.id=1026 <plain@example.test>",
                 "set the password anew", "not a hash")]),
    "no password": (
        [mailbox(1027, "nopass", password="")],
        [finding("hash-refused", "error", "mailboxes.id=1027 <nopass@example.test>",
                 "set the password anew", "no password is set")]),
    "a hash that costs too much": (
        [mailbox(1960 + number, kind, password=hashed)
         for number, (kind, (hashed, _)) in enumerate(EXPENSIVE.items())],
        [finding("hash-refused", "error", f"mailboxes.id={1960 + number} <{kind}@example.test>",
                 "dovecot.max_*", f"costs more than mum.conf allows: {said}")
         for number, (kind, (_, said)) in enumerate(EXPENSIVE.items())]),
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
        [finding("tls-params", "error", "tls_policies.domain=<fault.test>", "fix policy or params",
                 "match does not go with this policy (encrypt match=nexthop)")]),
    "all faults of TLS policies": (
        [tls(1050 + number, f"fault{number}.test", policy, params)
         for number, (policy, params, _) in enumerate(TLS_FAULTS)],
        [finding("tls-params", "error", f"tls_policies.domain=<fault{number}.test>",
                 "fix policy or params", f"{fault} ({policy} {params})")
         for number, (policy, params, fault) in enumerate(TLS_FAULTS)]),
    "a TLS policy with a line end": (
        [tls(1033, "line.test", "encrypt", "ciphers=high\nprotocols=TLSv1.2")],
        [finding("tls-params", "error", "tls_policies.domain=<line.test>", "fix policy or params",
                 "control characters")]),
    "a TLS policy with a NUL": (
        [tls(1399, "nul.test", "encrypt", "ciphers=high\0")],
        [finding("tls-params", "error", "tls_policies.domain=<nul.test>", "fix policy or params",
                 "control characters")]),
    "a TLS policy for nobody": (
        [tls(1034, "no\x01body.test", "may")],
        [finding("name-unusable", "warning", "tls_policies.domain=<no\x01body.test>",
                 "postconf(5) smtp_tls_policy_maps", "no next hop")]),
}
