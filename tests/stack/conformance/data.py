# SPDX-License-Identifier: MIT
"""A MUM database from a number: the same number, the same rows.

MUM's unique keys forbid some of these rows together; MariaDB decides which of them stay.
Times are relative to now.
"""

import collections
import datetime
import random

from conformance.names import fold_domain
from lab import hashes

Domain = collections.namedtuple("Domain", "id domain quota homedir active")
Mailbox = collections.namedtuple(
    "Mailbox", "id local_part domain_id password quota homedir maildir send_only active")
Alias = collections.namedtuple("Alias", "id local_part domain_id active deactivate_at")
Sender = collections.namedtuple("Sender", "id mailbox_id alias_id")
Recipient = collections.namedtuple("Recipient", "id alias_id recipient_address mailbox_id")
Tls = collections.namedtuple("Tls", "id domain policy params active")

# In an order that foreign keys allow.
TABLES = {"domains": Domain, "mailboxes": Mailbox, "aliases": Alias, "alias_senders": Sender,
          "alias_recipients": Recipient, "tls_policies": Tls}

DOMAINS = [
    "example.test", "second.test", "Upper.Test", "sub.example.test", "third.example",
    "bücher.test", "bucher.test", "BÜCHER.test", "xn--bcher-kva.test", "gross.test",
    "groß.test", "xn--gro-7ka.test", "café.test", "xn--caf-dma.test", "Xn--Caf-Dma.test",
    "σας.test", "σασ.test", "пример.test", "xn--e1afmkfd.test", "日本.test",
    "xn--wgv71a.test", "ångström.Example", "tést.bücher.test", "under_score.test",
    "ｅxample.test", "exam\u200bple.test", "😀.test", "bücher。test", "-dash.test",
    "xn--zzz.test", "long." * 37 + "test", "ex'ample.test", "back\\slash.test",
]

WORDS = ["anna", "bob", "info", "sales", "max", "joe", "team", "office", "kurt", "no.reply",
         "a", "x1", "first.last", "under_score", "list", "news"]

SPECIAL = [
    "jörg", "jorg", "José", "müller", "Ångström", "čapek", "naïve", "Ñandú", "Groß", "gross",
    "straße", "STRASSE", "ΣΑΣ", "σας", "Ωmega", "иван", "Ёж", "日本", "ｆｕｌｌ", "full", "ﬁsh",
    "fish", "İstanbul", "istanbul", "ıstanbul", "ǆep", "jo\u0308rg", "o'brien", "back\\slash",
    'qu"ote', "with space", "comma,name", "semi;colon", "a@b", "per%cent", "und_er", "joe+tag",
    "+lead", "trail+", "a+b+c", "list-request", "owner-list", ".lead", "trail.", "dou..ble",
    '"quoted"', '"in quotes"', '"', "br(acket)", "lt<gt>", "colon:x", "!bang", "#hash", "{brace}",
    "😀", "😎", "x😀y", "❤", "zero\u200bwidth", "soft\u00adhyphen", "\ufeffbom", " lead",
    "two  blanks",
    "postmaster", "Postmaster+x", "mailer-daemon", "double-bounce", "l" * 191, "L" * 190 + "😀",
    "ö" * 191, "n" * 186 + "+tag", "xn--bcher-kva", "NULL", "0", "1", "-", "--", "*", "=",
]

# These names show differences that no other shows: "@" in a login, "," in an owner, and
# a hash that costs too much.
COSTLY = "costly"
ALWAYS = ["a@b", "comma,name", COSTLY]

# Names that nobody may pass on.
DIRTY = ["tab\tbed", "bell\x07", "del\x7fete", "next\u0085line"]

EXTERNAL = ["friend@external.test", "Friend@External.Test", "other@external.test",
            '"a,b"@external.test', '"q\\"x"@external.test', "with space@external.test",
            "comma,x@external.test", "user+tag@external.test", "ulf@größe.test",
            "ULF@GRÖSSE.test", "ulf@xn--gre-6ka8i.test", "jürgen@external.test",
            "o'neil@external.test", "a@b@external.test", "dot.@external.test",
            "x@ｆull.test", "back\\slash@external.test", "root", "", " ", "\t",
            "(c)@external.test", "😀@external.test", "x@[127.0.0.1]", "'; DROP TABLE aliases"]

DIRTY_RECIPIENTS = ["a\tb@external.test", "a\x7fb@external.test", "a\u0085b@external.test",
                    "a\x01@external.test"]

TLS_KEYS = ["secure.test", "Secure2.Test", ".parent.test", ".Deep.Parent.test",
            "[mail.relay.test]:587", "[mail.relay.test]", "relay.test:2525", "[127.0.0.1]:2525",
            "[ipv6:::1]:25", "größe.test", ".größe.test", "[grö.test]:587", "größe.test:25",
            "xn--rger-koa.test", ".xn--rger-koa.test", "[xn--rger-koa.test]:587", "grosse.test",
            "comma.test", "café.Relay.test", "ｆull.test", "none.test", "example.test", "[", ".",
            "[open.test", "x" * 191]
POLICIES = ["none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure"]
PARAMS = [None, None, "", "match=.secure.test:mx.secure.test ciphers=high", " ", "match=nexthop",
          "protocols=!SSLv2,!SSLv3", "match=größe.test", " padded ", "a\tb", "a\x7fb"]

HASHES = [lambda: hashes.bcrypt(cost=4)] * 6 + [
    lambda: hashes.bcrypt(cost=4, kind="2b"), lambda: hashes.sha512(rounds=1000),
    lambda: hashes.argon2(time=1, memory_kib=64)]
# Lower than the default, because stock must verify a hash that costs more.
MAX_BCRYPT_COST = 8

BAD_HASHES = ["", "secret", "{PLAIN}secret", hashes.bcrypt(cost=MAX_BCRYPT_COST + 1),
              "$1$abc", "abJnggxhB/yWI"]

BAD_HOMES = ["", "relative/home", "/srv/../../etc", "/srv/tab\there"]


def text_of(moment):
    return moment.strftime("%Y-%m-%d %H:%M:%S")


class Generator:
    """Makes rows: {table: [row, ...]}. twins: may a domain be there in both spellings?"""

    def __init__(self, seed, twins=False):
        self.random = random.Random(f"mum {seed}")
        self._twins = twins
        self.rows = {table: [] for table in TABLES}

    def make(self):
        self._domains()
        self._mailboxes()
        self._aliases()
        self._tls()
        return self.rows

    def _chance(self, percent):
        return self.random.random() * 100 < percent

    def _add(self, table, *values):
        row = TABLES[table](len(self.rows[table]) + 1, *values)
        self.rows[table].append(row)
        return row

    def _domains(self):
        names = ["example.test"] + self.random.sample(DOMAINS, self.random.randint(7, 13))
        seen = set()
        for name in names:
            if not self._twins and fold_domain(name) in seen:
                continue
            seen.add(fold_domain(name))
            number = len(self.rows["domains"]) + 1
            quota = self.random.choice([None, None, 0, 0, 7, 7, 1 << 33])
            self._add("domains", name, quota, f"/srv/{number}",
                      int(number == 1 or self._chance(80)))

    def local_part(self):
        draw = self.random.random()
        if draw < 0.02:
            return self.random.choice(DIRTY)
        if draw < 0.65:
            return self.random.choice(SPECIAL)
        word = self.random.choice(WORDS)
        if self._chance(30):
            word = self.random.choice([word.upper(), word.title()])
        return word + (str(self.random.randint(1, 9)) if self._chance(30) else "")

    def _domain_id(self):
        return 1 if self._chance(40) else self.random.choice(self.rows["domains"]).id

    def _mailboxes(self):
        names = [(name, 1) for name in ALWAYS]
        names += [(self.local_part(), self._domain_id())
                  for _ in range(self.random.randint(23, 38))]
        for number, (name, domain_id) in enumerate(names, 1):
            home = f"/srv/mail/h{number}"
            if self._chance(3):
                home = self.random.choice(BAD_HOMES)
            maildir = f"maildir:/srv/mail/h{number}/Maildir" if not self._chance(1) else ""
            quota = self.random.choice([None, None, 0, 3, 4294967295])
            password = (self.random.choice(BAD_HASHES) if self._chance(6)
                        else self.random.choice(HASHES)())
            if name == COSTLY:
                password = hashes.bcrypt(cost=MAX_BCRYPT_COST + 1)
            self._add("mailboxes", name, domain_id, password, quota, home, maildir,
                      int(self._chance(15)), int(self._chance(85)))

    def _address(self, mailbox):
        return f"{mailbox.local_part}@{self.rows['domains'][mailbox.domain_id - 1].domain}"

    def _spellings(self, mailbox):
        """Spellings that Postfix rewrites, or reads as the mailbox with an extension."""
        local, _, domain = self._address(mailbox).rpartition("@")
        odd = set("%!@\" ") & set(local) or local.endswith(".")
        return [f"{local}+x@{domain}"] + ([] if odd else [
            f"{local}@{domain}.", f"{local}%{domain}", f"{domain}!{local}"])

    def _aliases(self):
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0, tzinfo=None)
        for _ in range(self.random.randint(25, 40)):
            if self._chance(25):
                twin = self.random.choice(self.rows["mailboxes"])
                name, domain_id = twin.local_part, twin.domain_id
                if self._chance(20):
                    name = self.random.choice([name.upper(), name.lower()])[:191]
            else:
                name, domain_id = self.local_part(), self._domain_id()
            expires = None
            if self._chance(40):
                hours = self.random.randint(2, 2000)
                sign = self.random.choice([-1, 1])
                expires = text_of(now + sign * datetime.timedelta(hours=hours))
            alias = self._add("aliases", name, domain_id, int(self._chance(85)), expires)
            self._senders(alias)
            self._recipients(alias)
        if self._chance(6):
            self._long_alias()

    def _senders(self, alias):
        if self._chance(40):
            return
        for mailbox in self.random.sample(self.rows["mailboxes"], self.random.randint(1, 4)):
            self._add("alias_senders", mailbox.id, alias.id)
        if self._chance(30):        # the mailbox of that name is one of them
            for mailbox in self.rows["mailboxes"]:
                if (mailbox.local_part, mailbox.domain_id) == (alias.local_part, alias.domain_id):
                    self._add("alias_senders", mailbox.id, alias.id)

    def _recipient(self, alias):
        """(address, mailbox id)"""
        draw = self.random.random()
        if draw < 0.40:
            mailbox = self.random.choice(self.rows["mailboxes"])
            if self._chance(15):    # only dead ones: look for one
                dead = [row for row in self.rows["mailboxes"] if row.send_only or not row.active]
                mailbox = self.random.choice(dead or [mailbox])
            marked = mailbox.id if self._chance(85) else None
            address = self._address(mailbox)
            if self._chance(10):
                address = self.random.choice([address.upper(), " " + address, address + " "])
            elif marked and self._chance(10):       # the domain or the mailbox was renamed since
                address = self.random.choice([f"old{mailbox.id}@renamed.example", " ",
                                              self._address(self.random.choice(
                                                  self.rows["mailboxes"]))])
            elif self._chance(10):
                address = self.random.choice(self._spellings(mailbox))
            return address, marked
        if draw < 0.55:
            return f"{alias.local_part}@{self.rows['domains'][alias.domain_id - 1].domain}", None
        if draw < 0.65 and self.rows["aliases"]:
            other = self.random.choice(self.rows["aliases"])
            return f"{other.local_part}@{self.rows['domains'][other.domain_id - 1].domain}", None
        if draw < 0.66:
            return self.random.choice(DIRTY_RECIPIENTS), None
        address = self.random.choice(EXTERNAL)
        if self._chance(10):
            address = self.random.choice(
                [" " + address, address + " ", "\t" + address, address.swapcase()])
        return address, None

    def _recipients(self, alias):
        mailbox = next((row for row in self.rows["mailboxes"]
                        if (row.local_part, row.domain_id) == (alias.local_part, alias.domain_id)),
                       None)
        if mailbox is not None and self._chance(40):
            self._add("alias_recipients", alias.id, self._address(mailbox),
                      self.random.choice([mailbox.id, None]))
        for _ in range(self.random.choice([0, 1, 1, 1, 2, 3, 4, 6])):
            address, mailbox_id = self._recipient(alias)
            self._add("alias_recipients", alias.id, address[:191], mailbox_id)

    def _long_alias(self):
        """An alias with about as many bytes as a reply of mumd may hold."""
        alias = self._add("aliases", "everybody", 1, 1, None)
        left = 99997 + self.random.choice([0, 0, 1, -1])
        number = 0
        while left > 0:
            size = left if left <= 191 else 180
            self._add("alias_recipients", alias.id,
                      f"r{number:05d}".ljust(size - len("@external.test"), "x")
                      + "@external.test", None)
            number += 1
            left -= size + (1 if left > size else 0)

    def _tls(self):
        for key in self.random.sample(TLS_KEYS, self.random.randint(10, 16)):
            self._add("tls_policies", key, self.random.choice(POLICIES),
                      self.random.choice(PARAMS), int(self._chance(80)))
