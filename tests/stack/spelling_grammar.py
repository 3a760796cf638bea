# SPDX-License-Identifier: MIT
"""Spellings of one address, generated: what a client may type to reach it."""

LOCAL = ("localhost.mta.test", "[127.0.0.1]", "")   # "": Postfix takes an empty domain for local
FOREIGN = ("foreign.test", "second.test")

# Forms that lead to local@domain whichever domains are local, as typed between < and >.
PLAIN = (
    "{local}@{domain}", "{local}@{domain}.", "{local}%{domain}", "{domain}!{local}", "{local}",
    "{LOCAL}@{DOMAIN}.", "{domain}.!{local}", "@relay.test,@other.test:{local}@{domain}",
    "@relay.test:{local}%{domain}", '"{local}"@{domain}', '"{local}"@{domain}.',
    '"{local}%{domain}"', '"{domain}!{local}"', '"{local}@{domain}"', '"{local}"',
    "\\{local}@{domain}", "(x){local}@{domain}", "{local}@{domain}(x)", "{local} @ {domain} .",
    '{local}@"{domain}"', '{local}@"{domain} "', '{local}@" {domain}"', '{local}@"{domain}."',
    '{local}@"\\"{domain}\\""', '{local}@"\\\\{domain}"', '{local}%"{domain}"',
    '"@relay.test:{local}@{domain}"', '"@relay.test:{local}%{domain}"')

# Forms that Postfix reads again before a local domain, without quotes.
INNER = ("{local}%{domain}", "{domain}!{local}", "{local}@{domain}", "{local}%{domain}.",
         "!{domain}!{local}", "{local}%{domain}%", "{local}+x%{domain}", "{domain}!{local}+x")

PIECES = ("@", "@", "@", "%", "%", "%", "!", "!", "!", ".", "..", ":", " ", '"', "\\", "(", ")",
          "[", "]", ",", ";", "<", ">", "|", "+x", "ö", "@x:", "", "foreign.test",
          "localhost.mta.test", "localhost.mta.test", "[127.0.0.1]")


def quoted(text):
    """A quoted-string of RFC 5321."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Spellings:
    """random: a random.Random, so that a run can be repeated."""

    def __init__(self, random, local, domain):
        self._random = random
        self._words = {"local": local, "domain": domain, "LOCAL": local.upper(),
                       "DOMAIN": domain.title()}

    def plain(self):
        """All that lead to the address without a local domain."""
        return [form.format(**self._words) for form in PLAIN]

    def _nested(self, depth):
        """A text without quotes, to be read again depth times."""
        if depth == 0:
            return self._random.choice(INNER).format(**self._words)
        inner = self._nested(depth - 1)
        outer = self._random.choice(LOCAL if self._random.random() < 0.8 else FOREIGN)
        return self._random.choice((f"{inner}%{outer}", f"{outer}!{inner}", f"{inner}@{outer}"))

    def routed(self):
        """One that leads there through one or more domains, of which some are local."""
        if self._random.random() < 0.05:
            # behind a leading '!' words are joined without the blank
            first, rest = self._words["local"][:1], self._words["local"][1:]
            return f'"!{self._words["domain"]}!{first} {rest}"@{self._random.choice(LOCAL)}'
        text = self._nested(self._random.randint(1, 3))
        local, at, domain = text.rpartition("@")
        if not at or not domain or self._random.random() < 0.2:
            return quoted(text)
        if self._random.random() < 0.3 or not set(local).isdisjoint('@" ()<>,;:\\[]'):
            local = quoted(local)
        return f"{local}@{domain}" + self._random.choice(("", "", "."))

    def soup(self):
        """Pieces in any order, without quotes, as policy services get them."""
        pieces = PIECES + (self._words["local"], self._words["domain"]) * 6
        return "".join(self._random.choices(pieces, k=self._random.randint(1, 9)))

    def many(self, count):
        """Each plain one, then routed ones."""
        return self.plain() + [self.routed() for _ in range(count)]
