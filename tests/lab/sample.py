# SPDX-License-Identifier: MIT
"""A small MUM database, described once and written for MariaDB and for SQLite.

Each row is there for a rule. Tests name addresses; this file says what is behind them.
Every password is "secret" (bcrypt, cost 5).
"""

import datetime
import sqlite3

from .lab import TOP

PASSWORD = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"

# (id, domain, quota in GB, active)
DOMAINS = [
    (1, "example.test", 10, 1),
    (2, "second.test", None, 1),
    (3, "inactive.test", None, 0),
    (4, "bücher.test", None, 1),
    (5, "Upper.Test", None, 1),
    (6, "xn--caf-dma.test", None, 1),       # café.test, stored as its A-label
    (7, "gross.test", None, 1),             # not groß.test
    (8, "big.test", None, 1),               # aliases at the limit of a reply
    (9, "dirty.test", None, 1),             # rows that nobody may answer with
    (10, "weiß.test", None, 1),             # not weiss.test
]

LONG = "l" * 191                            # as wide as MUM's columns

# (id, local part, domain id, quota, send_only, active)
MAILBOXES = [
    (1, "alice", 1, 5, 0, 1),
    (2, "bob", 1, None, 0, 1),
    (3, "carol", 2, None, 0, 1),
    (4, "ina", 1, None, 0, 0),              # inactive
    (5, "sendonly", 1, None, 1, 1),
    (6, "inaso", 1, None, 1, 0),            # inactive and send-only
    (7, "dave", 3, None, 0, 1),             # in an inactive domain
    (8, "jörg", 1, None, 0, 1),
    (9, "joe+tag", 1, None, 0, 1),          # its "extension" is part of the name
    (10, "o'brien", 1, None, 0, 1),
    (11, "back\\slash", 1, None, 0, 1),
    (12, "Mixed.Case", 2, None, 0, 1),
    (13, "strasse", 2, None, 0, 1),
    (14, "uwe", 4, None, 0, 1),
    (15, "ulla", 5, None, 0, 1),
    (16, "with space", 1, None, 0, 1),
    (17, "dup", 1, None, 0, 1),             # an alias has the same address
    (18, "joe", 1, None, 1, 1),
    (19, 'qu"ote', 1, None, 0, 1),
    (20, "anna", 6, None, 0, 1),
    (21, "😀", 1, None, 0, 1),
    (22, "Groß", 1, None, 0, 1),            # smtpd asks for gross
    (23, "σας", 1, None, 0, 1),             # and for σασ
    (24, LONG, 1, None, 0, 1),
    (25, "soalias", 1, None, 1, 1),         # send-only, but an alias takes its mail
    (26, "deadbox", 1, None, 0, 1),         # an alias of that name leads nowhere
    (27, "deadso", 1, None, 1, 1),          # the same, and send-only
    (28, "copy", 1, None, 0, 1),            # keeps a copy of what its alias forwards
    (29, "copyso", 1, None, 1, 1),          # cannot: send-only
    (30, "copynull", 1, None, 0, 1),        # like copy, not marked as local
    (31, "expbox", 1, None, 0, 1),          # an expired alias has the same address
    (32, "gross", 7, None, 0, 1),
    (33, "comma,name", 1, None, 0, 1),
    (34, "wally", 10, None, 0, 1),
]

DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)


def value_of(length):
    """External addresses that make a reply of exactly that many bytes."""
    suffix = "@external.test"
    addresses, left = [], length
    while left:
        size = left if left <= 191 else 180     # and a comma, but not after the last
        addresses.append(f"r{len(addresses):05d}".ljust(size - len(suffix), "x") + suffix)
        left -= size + (1 if left > size else 0)
    return addresses


MANY = [f"one-of-many-{n:04d}@external.test" for n in range(1, 1002)]

# (id, local part, domain id, active, expires in, senders, recipients)
# senders are mailbox ids. A recipient is a mailbox id, which MUM marks as local,
# or an address as typed, which it does not.
ALIASES = [
    (1, "info", 1, 1, None, [1, 3], [2, 1, "friend@external.test"]),
    (2, "sales", 2, 1, None, [1], [3]),
    (3, "old", 1, 0, None, [1], [1]),
    (4, "expired", 1, 1, -DAY, [1], [1]),
    (5, "future", 1, 1, 30 * DAY, [1], [1]),
    (6, "shop", 1, 1, None, [5], [5]),
    (7, "norecip", 1, 1, None, [2], []),
    (8, "inasender", 1, 1, None, [4, 7, 2], [2]),
    (9, "toina", 1, 1, None, [], [4]),
    (10, "big", 1, 1, None, [],
     [f"recipient-number-{n:03d}@external.test" for n in range(1, 61)]),
    (11, "dup", 1, 1, None, [2], [1]),
    (12, "gone", 3, 1, None, [1], [1]),
    (13, "nosend", 1, 1, None, [], [1]),
    (14, "müller", 1, 1, None, [8], [8]),
    (15, "onlyina", 1, 1, None, [4], [1]),
    (16, "weird", 1, 1, None, [], ['"a,b"@external.test', " lead@external.test", ""]),
    (17, "nested", 1, 1, None, [2], ["info@example.test"]),
    (18, "selfloop", 1, 1, None, [], ["selfloop@example.test", 3]),
    (19, "selfonly", 1, 1, None, [], ["selfonly@example.test"]),
    (20, "blank", 1, 1, None, [], ["  "]),
    (21, "soalias", 1, 1, None, [], [1]),
    (22, "deadbox", 1, 1, None, [], [4]),
    (23, "deadso", 1, 1, None, [], [4]),
    (24, "copy", 1, 1, None, [], [28, 2]),
    (25, "copyso", 1, 1, None, [], [29, 2]),
    (26, "copynull", 1, 1, None, [], ["copynull@example.test", 2]),
    (27, "expbox", 1, 1, -DAY, [2], [1]),
    (28, "dupes", 1, 1, None, [], [" bob@example.test", 2]),
    (29, "mixed", 1, 1, None, [], [4, 7, 5, 1]),            # dead ones before a live one
    (30, "list+news", 1, 1, None, [], [1]),
    (31, "list", 1, 1, None, [], [2]),
    (32, "two words", 1, 1, None, [16], [16]),
    (33, "idn", 1, 1, None, [14], [14, 20]),
    (34, "books", 4, 1, None, [1], [1]),                    # an alias at bücher.test
    (35, "team", 1, 1, None, [3, 1, 2], [3, 2, 1]),         # not in the order of mailbox ids
    (36, "soon", 1, 1, HOUR, [1], [1]),                     # expired only east of UTC
    (37, "mixedcase", 2, 1, None, [12], [12]),
    (38, "limit", 8, 1, None, [], value_of(99997)),
    (39, "over", 8, 1, None, [], value_of(99998)),
    (40, "tab", 9, 1, None, [], ["a\tb@external.test"]),
    (41, "newline", 9, 1, None, [], [1, "a@external.test\nDATA: x"]),
    (42, "delete", 9, 1, None, [], ["a\x7fb@external.test"]),
    (43, "commas", 1, 1, None, [33], [33]),
    (44, "everywhere", 1, 1, None, [],
     [1, 2, 3, "friend@external.test", "other@external.test"]),
    (45, "thousand", 8, 1, None, [], MANY[:1000]),          # as many as Postfix takes
    (46, "thousandone", 8, 1, None, [], MANY[:1001]),
]

# (domain, policy, params, active)
TLS_POLICIES = [
    ("secure.test", "secure", "match=.secure.test:mx.secure.test ciphers=high", 1),
    ("null.test", "encrypt", None, 1),
    ("off.test", "dane-only", None, 0),
    ("empty.test", "may", "", 1),
    ("none.test", "none", None, 1),
    ("[mail.relay.test]:587", "verify", "match=nexthop", 1),
    (".parent.test", "may", None, 1),
    ("comma.test", "encrypt", "protocols=!SSLv2,!SSLv3", 1),
    (".enforced.test", "encrypt", None, 1),                 # all hosts below it ...
    ("plain.enforced.test", "none", None, 1),               # ... but this one
    ("größe.test", "encrypt", None, 1),
    ("xn--rger-koa.test", "may", None, 1),                  # ärger.test
    ("dirty.test", "secure", "match=a\nb", 1),
]


def _domain_rows():
    for number, domain, quota, active in DOMAINS:
        yield {"id": number, "domain": domain, "quota": quota,
               "homedir": f"/srv/mail/mailboxes/{number}", "active": active}


def _mailbox_rows():
    for number, local, domain, quota, send_only, active in MAILBOXES:
        yield {"id": number, "local_part": local, "password": PASSWORD, "domain_id": domain,
               "quota": quota, "homedir": f"/srv/mail/h{number}",
               "maildir": f"maildir:/srv/mail/h{number}/Maildir",
               "is_super_admin": int(number == 1), "send_only": send_only, "active": active}


def _alias_rows():
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0, tzinfo=None)
    for number, local, domain, active, expires, _, _ in ALIASES:
        yield {"id": number, "local_part": local, "domain_id": domain, "active": active,
               "deactivate_at": None if expires is None else str(now + expires)}


def _sender_rows():
    for alias in ALIASES:
        for mailbox in alias[5]:
            yield {"mailbox_id": mailbox, "alias_id": alias[0]}


def address_of(mailbox_id):
    """The stored address of a mailbox."""
    domains = {row[0]: row[1] for row in DOMAINS}
    row = next(row for row in MAILBOXES if row[0] == mailbox_id)
    return f"{row[1]}@{domains[row[2]]}"


def _recipient_rows():
    for alias in ALIASES:
        for recipient in alias[6]:
            local = isinstance(recipient, int)
            yield {"alias_id": alias[0],
                   "recipient_address": address_of(recipient) if local else recipient,
                   "mailbox_id": recipient if local else None}


def _tls_rows():
    for domain, policy, params, active in TLS_POLICIES:
        yield {"domain": domain, "policy": policy, "params": params, "active": active}


def tables():
    """(table, rows), in an order that foreign keys allow."""
    return [("domains", list(_domain_rows())), ("mailboxes", list(_mailbox_rows())),
            ("aliases", list(_alias_rows())), ("alias_senders", list(_sender_rows())),
            ("alias_recipients", list(_recipient_rows())),
            ("tls_policies", list(_tls_rows()))]


def _literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\0": "\\0"}
    return "'" + "".join(escapes.get(char, char) for char in value) + "'"


def mariadb_text(fits=lambda table, name: True):
    """INSERT statements for MariaDB.load_mum(). fits(table, name): can the table hold this
    local part or domain? Leaves out rows that do not fit; no other row may refer to them.
    """
    lines = []
    for table, rows in tables():
        rows = [row for row in rows
                if fits(table, row.get("local_part", row.get("domain", "")))]
        for start in range(0, len(rows), 200):
            chunk = rows[start:start + 200]
            values = ",\n".join("(" + ", ".join(map(_literal, row.values())) + ")"
                                for row in chunk)
            lines.append(f"INSERT INTO {table} ({', '.join(chunk[0])}) VALUES\n{values};")
    return "\n".join(lines) + "\n"


def write_sqlite(path):
    """A new SQLite database file at path, with the shipped schema."""
    connection = sqlite3.connect(path)
    with connection:
        connection.executescript((TOP / "conf-examples/schema-sqlite.sql").read_text())
        for table, rows in tables():
            for row in rows:
                marks = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})",
                                   list(row.values()))
    connection.close()
    path.chmod(0o644)
