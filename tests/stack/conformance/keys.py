# SPDX-License-Identifier: MIT
"""What to ask: every stored name, and names similar to it."""

import random
import unicodedata

from conformance.data import DOMAINS, SPECIAL, TLS_KEYS, WORDS
from conformance.names import fold_domain, quote, tls_domain, without_accents

ADDRESS_MAPS = ("mailboxes", "aliases", "recipient-access", "sender-login-maps")
MAPS = ("domains",) + ADDRESS_MAPS + ("tls-policies",)

# Characters that are invisible, or look like others.
INVISIBLE = ["\u200b", "\u200d", "\ufeff", "\u00ad", "\u0301", "\x01", "\x7f", "\u0080", "\t",
             " ", "\x1f"]


def full_width(char):
    return chr(ord(char) + 0xfee0) if "!" <= char <= "~" else char


def ulabel(domain):
    """A-labels spelt out."""
    labels = []
    for label in domain.split("."):
        try:
            labels.append(label[4:].encode().decode("punycode")
                          if label.lower().startswith("xn--") else label)
        except UnicodeError:
            labels.append(label)
    return ".".join(labels)


def _put(text, at, what):
    return text[:at] + what + text[at:]


class Keys:
    """by_map: {map: [key, ...]}, logins: [name, ...]; each once, in a fixed order."""

    def __init__(self, seed, rows, density=4):
        self._random = random.Random(f"keys {seed}")
        self._rows = rows
        self._density = density
        self._domain_of = {row.id: row.domain for row in rows["domains"]}
        self.logins = []
        self.by_map = {table: [] for table in MAPS}
        self._addresses()
        self._domains()
        self._tls()
        for table, keys in self.by_map.items():
            # neither can be sent to postmap; NUL is a test of its own
            self.by_map[table] = [key for key in dict.fromkeys(keys)
                                  if "\n" not in key and "\0" not in key]
        self.logins = list(dict.fromkeys(self.logins))

    # ---- names and their neighbours ----

    def _spoilt(self, text):
        """Almost the same text."""
        at = self._random.randint(0, len(text))
        letter = min(at, len(text) - 1)
        change = self._random.randint(0, 13)
        if change == 0:
            return text.upper()
        if change == 1:
            return text.lower()
        if change == 2:
            return text.casefold()
        if change == 3:
            return text.swapcase()
        if change == 4:
            return without_accents(text)
        if change == 5:
            return _put(text, letter + 1, self._random.choice("\u0301\u0308\u0327"))
        if change == 6:
            return unicodedata.normalize(self._random.choice(["NFD", "NFC", "NFKC"]), text)
        if change == 7:
            return _put(text, at, self._random.choice(INVISIBLE))
        if change == 8:
            return text[:letter] + full_width(text[letter]) + text[letter + 1:]
        if change == 9:
            return self._random.choice([" ", "  "]) + text
        if change == 10:
            return text + self._random.choice([" ", "  ", "."])
        if change == 11:
            return text.replace("ss", "ß") if "ss" in text else text.replace("s", "ſ")
        if change == 12:
            return text[:letter] + self._random.choice("%_?*'\"\\") + text[letter + 1:]
        return text.replace("😀", "😎").replace("ς", "σ").replace("i", "ı")

    def _other_domain(self, domain):
        change = self._random.randint(0, 9)
        if change <= 2:
            return ulabel(domain)
        if change <= 4:
            return fold_domain(domain)
        if change == 5:
            return domain.upper()
        if change == 6:
            return self._random.choice(["sub.", "."]) + domain
        if change == 7:
            return self._random.choice(DOMAINS)
        return self._spoilt(domain)

    def _mutation(self, local, domain):
        change = self._random.randint(0, 13)
        if change <= 3:
            return f"{self._spoilt(local)}@{domain}"
        if change <= 6:
            extension = self._random.choice(["+ext", "+EXT", "+a+B", "+", "+Tag=x", "-ext", "+ä b"])
            return f"{local}{extension}@{domain}"
        if change == 7:
            return f"{quote(local)}@{domain}"
        if change == 8:
            inside = local + self._random.choice(["", "+ext", " x", "+E x"])
            return f'"{inside}"@{domain}' if self._random.random() < 0.5 else \
                f"{quote(inside)}@{domain}"
        if change == 9 and local[:1] == '"':
            return f"{local[1:-1]}{self._random.choice(['', '+ext'])}@{domain}"
        if change == 10:
            return f"{self._spoilt(local)}+x@{self._other_domain(domain)}"
        return f"{local}@{self._other_domain(domain)}"

    def _stored(self):
        """(local part, domain) of all mailboxes and aliases, and of some that do not exist."""
        for row in self._rows["mailboxes"] + self._rows["aliases"]:
            if row.domain_id in self._domain_of:
                yield row.local_part, self._domain_of[row.domain_id]
        domains = list(self._domain_of.values())
        for _ in range(6):
            yield (self._random.choice(WORDS + SPECIAL),
                   self._random.choice(domains + ["unknown.test", "external.test"]))

    # ---- what is asked ----

    def _addresses(self):
        for local, domain in self._stored():
            keys = [f"{local}@{domain}"]
            keys += [self._mutation(local, domain) for _ in range(self._density)]
            # what Postfix asks for those, too
            keys += [f"{quote(key.rpartition('@')[0])}@{key.rpartition('@')[2]}" for key in keys]
            self._everywhere(keys)
        local, domain = next(self._stored())
        self._everywhere([
            "", "@", f"@{domain}", f"{local}@", local, domain, f"x@{local}@{domain}",
            f"@{local}@{domain}",
            f"{local}@{domain}@{domain}", '""@' + domain, f"+x@{domain}", f"+@{domain}",
            f"x' OR '1'='1@{domain}", f"{local}@{domain}' OR '1'='1", f"{'l' * 192}@{domain}",
            f"{'x' * 300}@{domain}", f"{local}@{'d' * 192}", f"{local}@{'d.' * 200}{domain}",
            f"{local}+{'e' * 200}@{domain}", f"{'l' * 191}+{'e' * 100}@{domain}", f"%@{domain}",
            f"j\udcf6rg@{domain}", f"{local}@\udcff{domain}", f"{local}\udcc3@{domain}",
            f"{local}@{domain}.", f"{local}@.{domain}", "postmaster+x@" + domain])
        # keys that might be catch-alls: Postfix asks mysql: tables for these, and the
        # alias map for each domain (virtual_alias_domains)
        for keys in (self.by_map[table] for table in ADDRESS_MAPS):
            keys += [form for name in self._domain_of.values() for form in (name, "@" + name)]
            keys += [local + "@" for local, _ in self._stored()]

    def _everywhere(self, keys):
        for table in ADDRESS_MAPS:
            self.by_map[table] += keys
        self.logins += keys[:1] + self._random.sample(keys[1:], 2)

    def _domains(self):
        keys = self.by_map["domains"]
        for domain in list(self._domain_of.values()) + self._random.sample(DOMAINS, 6):
            keys += [domain, domain.upper(), ulabel(domain), fold_domain(domain),
                     without_accents(domain)]
            keys += [self._other_domain(domain) for _ in range(6)]
            keys += [domain.partition(".")[2], f"x@{domain}", f"@{domain}"]
        keys += ["", ".", "@", "%", "test", "d" * 192, "d." * 200, "' OR '1'='1",
                 "b\udcfccher.test"]

    def _tls(self):
        keys = self.by_map["tls-policies"]
        for key in [row.domain for row in self._rows["tls_policies"]] + TLS_KEYS[:6]:
            before, domain, behind = tls_domain(key)
            keys += [key, key.upper(), f"{before}{ulabel(domain)}{behind}",
                     f"{before}{fold_domain(domain)}{behind}", domain, f".{domain}",
                     f"[{domain}]", f"[{domain}]:587", f"{domain}:25", f"mx.{domain}"]
            parent = domain
            while "." in parent:
                parent = parent.partition(".")[2]
                keys.append("." + parent)
            if key:
                keys += [self._spoilt(key) for _ in range(5)]
            if domain:
                keys.append(before + self._spoilt(domain) + behind)
        keys += ["", "d" * 192, "' OR '1'='1", "a@secure.test", "gr\udcf6\udcdfe.test", "[]",
                 "[]:25"]
