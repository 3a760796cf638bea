# SPDX-License-Identifier: MIT
"""The right answers, made of MUM's rows and a set of rules, and of nothing else.

Without rules this is MUM's stock configuration; with all of them it is what we promise.
Each rule is one entry of doc/differences.md, and one place below.
"""

import datetime
import itertools

from conformance.data import text_of
from conformance.names import (ENDS, WIDTH, extend, fold_address, fold_domain, fold_local,
                               fold_tls, is_clean, is_text, quote, split_extension, unquote)

TEMP = "TEMP"           # a temporary failure, as an answer
REPLY_MAX = 99997       # bytes of a socketmap's value

BLANKS = " \t\r\n"

SEND_ONLY = "550 5.2.1 mailbox does not accept mail (send-only)"
DEAD_ALIAS = "550 5.2.1 alias leads to no mailbox that accepts mail"

# The rules that each map knows.
NAMES = {"exact-names", "clean-names", "idn"}
SEARCH = {"extensions", "quoted-keys"}      # mumd does what Postfix does for other tables
RULES = {
    "domains": NAMES | {"values"},
    "mailboxes": NAMES | SEARCH,
    "aliases": NAMES | SEARCH | {"quoted-values", "order", "dead-recipients", "blank-and-self",
                                 "present-address", "deactivate-at", "values"},
    "recipient-access": NAMES | SEARCH | {"alias-access", "dead-recipients", "blank-and-self",
                                          "present-address", "deactivate-at", "reject-text"},
    "sender-login-maps": NAMES | SEARCH | {"order", "deactivate-at", "inactive-senders",
                                           "values"},
    "tls-policies": NAMES | {"inactive-tls", "parameter-join", "values"},
}
STOCK = frozenset()
# The rules that judge the recipients of an alias, whatever the question's own rules.
JUDGE = frozenset(NAMES | SEARCH | {"deactivate-at"})


class Alias:
    """An alias with what belongs to it."""

    def __init__(self, row, domain):
        self.row, self.domain = row, domain
        self.address = f"{row.local_part}@{domain.domain}"
        self.recipients, self.senders = [], []


class Recipient:
    """What a row of alias_recipients says; domain is that of the mailbox."""

    def __init__(self, row, mailbox, domain):
        self._text = row.recipient_address
        self.mailbox, self.domain = mailbox, domain

    def address(self, rules):
        """The address that the row stands for."""
        if "present-address" in rules and self.mailbox:
            return f"{self.mailbox.local_part}@{self.domain.domain}"
        return self._text.strip(BLANKS) if "blank-and-self" in rules else self._text

    def is_blank(self):
        return not self._text.strip(BLANKS)

    def accepts_mail(self):
        """Does it accept mail? Only for a recipient with a mailbox."""
        return bool(self.mailbox.active and self.domain.active and not self.mailbox.send_only)


class Model:
    """rows: what is in the database; collate(text) is equal for texts that are equal by its
    collation; delimiters: Postfix' recipient_delimiter.
    """

    def __init__(self, rows, collate, delimiters="+"):
        self._collate = collate
        self._delimiters = delimiters
        self._now = text_of(datetime.datetime.now(datetime.UTC))
        self._domain_rows = rows["domains"]
        self._tls_rows = rows["tls_policies"]
        self.domains = {row.id: row for row in rows["domains"]}
        self.mailboxes = {row.id: row for row in rows["mailboxes"]}
        aliases = {row.id: Alias(row, self.domains[row.domain_id]) for row in rows["aliases"]}
        for row in sorted(rows["alias_recipients"]):
            mailbox = self.mailboxes.get(row.mailbox_id)
            aliases[row.alias_id].recipients.append(
                Recipient(row, mailbox, mailbox and self.domains[mailbox.domain_id]))
        for row in sorted(rows["alias_senders"]):
            aliases[row.alias_id].senders.append(self.mailboxes[row.mailbox_id])
        # by domain, and there by each way to compare a local part
        self._mailboxes_of = self._index(rows["mailboxes"], lambda row: row)
        self._aliases_of = self._index([alias.row for alias in aliases.values()],
                                       lambda row: aliases[row.id])
        self._folded = [{}, {}]
        for row in rows["domains"]:
            self._folded[0].setdefault(fold_domain(row.domain), []).append(row)
            self._folded[1].setdefault(fold_local(row.domain), []).append(row)
        self._collated = {}
        for row in rows["domains"]:
            self._collated.setdefault(collate(row.domain), []).append(row)

    def _index(self, rows, make):
        index = {}
        for row in rows:
            for how, name in (("exact", fold_local(row.local_part)),
                              ("collated", self._collate(row.local_part))):
                index.setdefault((row.domain_id, how, name), []).append(make(row))
        return index

    # ---- names ----

    def domain_rows(self, name, rules):
        """The rows that the name means."""
        if "exact-names" not in rules:
            found = self._collated.get(self._collate(name.casefold()), [])
            if "idn" in rules:
                found = found + [row for row in self._folded[0].get(fold_domain(name), [])
                                 if row not in found]
            return found
        kind = 0 if "idn" in rules else 1
        fold = fold_domain if "idn" in rules else fold_local
        return self._folded[kind].get(fold(name), [])

    def is_name(self, local, rules):
        """May anything have this local part?"""
        if "clean-names" in rules and not is_clean(local):
            return False
        return local != "" and ("exact-names" not in rules or len(fold_local(local)) <= WIDTH)

    def _at(self, index, local, domains, rules):
        how, name = (("exact", fold_local(local)) if "exact-names" in rules else
                     ("collated", self._collate(local.casefold())))
        return list(itertools.chain.from_iterable(
            index.get((domain.id, how, name), []) for domain in domains))

    def forms(self, key, rules):
        """(local part, extension, domain rows) for each way to read an address."""
        local, at, domain = key.rpartition("@")
        if not at or not local or not domain or not is_text(key):
            return
        if "clean-names" in rules and not is_clean(key):
            return
        domains = self.domain_rows(domain, rules)
        for name, extension in self._readings(local, rules):
            if self.is_name(name, rules):
                yield name, extension, domains

    def _readings(self, local, rules):
        """(local part, extension), in the order in which Postfix searches."""
        plain = unquote(local) if "quoted-keys" in rules else None
        plain = local if plain is None else plain
        stem, extension = split_extension(plain, self._delimiters, str.casefold)
        spellings = (lambda name: [quote(name), name]) if "quoted-keys" in rules else (
            lambda name: [name])
        names = [(local, "")] if local != plain else []
        names += [(name, "") for name in spellings(plain)]
        if "extensions" in rules and extension:
            names += [(name, extension) for name in spellings(stem)]
        return dict.fromkeys(names)

    def active_mailbox(self, form, rules):
        local, _, domains = form
        return next((row for row in self._at(self._mailboxes_of, local, domains, rules)
                     if row.active and self.domains[row.domain_id].active), None)

    def _active_alias(self, form, rules):
        local, _, domains = form
        for alias in self._at(self._aliases_of, local, domains, rules):
            expired = (alias.row.deactivate_at is not None and
                       alias.row.deactivate_at < self._now)
            if alias.row.active and alias.domain.active and not (
                    expired and "deactivate-at" in rules):
                return alias
        return None

    # ---- recipients ----

    def _is_own(self, address):
        """Is the address in an active domain of MUM?"""
        _, at, domain = _rewritten(address).rpartition("@")
        if ENDS & set(domain):      # Postfix reads another domain, or none
            return False
        return bool(at and any(row.active for row in self.domain_rows(domain, JUDGE)))

    def _is_alias_again(self, address, alias):
        """Is it the alias with an extension, or in another spelling? Then mail comes back
        to it.
        """
        for form in self.forms(_rewritten(address), JUDGE):
            found = self._active_alias(form, JUDGE)
            if found and self._has_alias_with_recipients([form]):
                return found is alias
        return False

    def _has_alias_with_recipients(self, forms):
        aliases = (self._active_alias(form, JUDGE) for form in forms)
        return any(alias and any(recipient.mailbox or not recipient.is_blank()
                                 for recipient in alias.recipients) for alias in aliases)

    def _is_known(self, forms):
        return any(self._at(index, local, domains, JUDGE) for local, _, domains in forms
                   for index in (self._mailboxes_of, self._aliases_of))

    def _takes_mail(self, recipient, address):
        if recipient.mailbox:
            forms = list(self.forms(address, JUDGE))
            return recipient.accepts_mail() or bool(
                recipient.domain.active and self._has_alias_with_recipients(forms))
        if not self._is_own(address):
            return True
        forms = list(self.forms(_rewritten(address), JUDGE))
        mailbox = next(filter(None, (self.active_mailbox(form, JUDGE) for form in forms)), None)
        if self._has_alias_with_recipients(forms):
            return True
        # another map of Postfix may know what MUM does not
        return not mailbox.send_only if mailbox else not self._is_known(forms)

    def _is_live(self, recipient, alias, form, rules):
        address = recipient.address(rules)
        if "blank-and-self" in rules:
            if not address:
                return False
            if _is_same(address, alias.address):
                mailbox = self.active_mailbox(form, rules)
                return mailbox is not None and not mailbox.send_only
            if not recipient.mailbox and self._is_own(address) and self._is_alias_again(
                    address, alias):
                return False
        return "dead-recipients" not in rules or self._takes_mail(recipient, address)

    def _recipients(self, alias, form, rules):
        live = [(recipient.address(rules),
                 recipient.mailbox is not None or self._is_own(recipient.address(rules)))
                for recipient in alias.recipients
                if self._is_live(recipient, alias, form, rules)]
        if "order" in rules:
            return _unique(live)
        return sorted(address for address, _ in live)

    def _external(self, address, extension, rules):
        local, at, domain = address.rpartition("@")
        if not at:
            local, domain = address, ""
        local = extend(local, extension) if "quoted-values" in rules else local + extension
        if "idn" in rules and not domain.isascii():
            domain = fold_domain(domain)
        return local + at + domain

    def live_aliases(self, key, rules):
        """(form, alias, its live recipients) of each form that has an alias, in their order."""
        for form in self.forms(key, rules):
            alias = self._active_alias(form, rules)
            if alias:
                yield form, alias, self._recipients(alias, form, rules)

    def aliases(self, key, rules, extension=""):
        """extension: that of the address, if somebody else has removed it from the key."""
        for form, _, live in self.live_aliases(key, rules):
            if "values" in rules and any(ENDS & set(address.rpartition("@")[2])
                                         for address in live if "@" in address):
                return TEMP
            if ",".join(live) != "":
                return _checked(",".join(self._external(address, form[1] or extension, rules)
                                         for address in live), rules)
        return None

    def _alias_state(self, forms, rules):
        """The state of the first live alias, else of the first: None, "empty", "dead", "live"."""
        first = None
        for form in forms:
            alias = self._active_alias(form, rules)
            if alias is None:
                continue
            if self._recipients(alias, form, rules):
                return "live"
            first = first or ("dead" if alias.recipients else "empty")
        return first

    # ---- maps ----

    def domains_map(self, key, rules):
        if not key or not is_text(key) or ("clean-names" in rules and
                                            (not is_clean(key) or "@" in key)):
            return None
        row = next((row for row in self.domain_rows(key, rules) if row.active), None)
        return None if row is None else _checked(row.domain, rules)

    def mailboxes_map(self, key, rules):
        found = any(self.active_mailbox(form, rules) for form in self.forms(key, rules))
        return "1" if found else None

    def recipient_access(self, key, rules):
        forms = list(self.forms(key, rules))
        alias = self._alias_state(forms, rules) if "alias-access" in rules else None
        if alias == "live":
            return "DUNNO"
        mailboxes = (self.active_mailbox(form, rules) for form in forms)
        mailbox = next((row for row in mailboxes if row), None)
        if mailbox:
            reject = SEND_ONLY if "reject-text" in rules else "REJECT"
            return reject if mailbox.send_only else "DUNNO"
        if alias == "dead":
            return DEAD_ALIAS
        return "DUNNO" if alias == "empty" else None

    def address_of(self, mailbox):
        return f"{mailbox.local_part}@{self.domains[mailbox.domain_id].domain}"

    def owners(self, key, rules):
        """The logins that own an address; stock's two rows are two lists."""
        for form in self.forms(key, rules):
            mailbox = self.active_mailbox(form, rules)
            alias = self._active_alias(form, rules)
            own = [self.address_of(mailbox)] if mailbox else []
            others = [self.address_of(sender) for sender in (alias.senders if alias else [])
                      if self.domains[sender.domain_id].active
                      and (sender.active or "inactive-senders" not in rules)]
            if "order" in rules:
                owners = _unique((owner, True) for owner in own + others)
            else:
                owners = own + sorted(others) if others != own else own    # UNION
            if owners:
                return owners
        return []

    def sender_login_maps(self, key, rules):
        owners = self.owners(key, rules)
        return _checked(",".join(owners), rules) if owners else None

    def tls_policies(self, key, rules):
        if not key or not is_text(key) or ("clean-names" in rules and not is_clean(key)):
            return None
        for row in self._tls_rows:
            if self._is_tls(row.domain, key, rules) and (row.active or "inactive-tls" not in rules):
                join = " " if "parameter-join" in rules else ","
                return _checked(row.policy + (join + row.params if row.params else ""), rules)
        return None

    def _is_tls(self, stored, key, rules):
        if "idn" in rules and fold_tls(stored) == fold_tls(key):
            return True
        if "exact-names" not in rules:
            return self._collate(stored) == self._collate(key.casefold())
        return "idn" not in rules and fold_local(stored) == fold_local(key)

    def ask(self, table, key, rules):
        """The answer of a map: its value, None for "not found", or TEMP."""
        return _MAPS[table](self, key, rules)


_MAPS = {"domains": Model.domains_map, "mailboxes": Model.mailboxes_map,
         "aliases": Model.aliases, "recipient-access": Model.recipient_access,
         "sender-login-maps": Model.sender_login_maps, "tls-policies": Model.tls_policies}


def _rewritten(address):
    """The address as trivial-rewrite(8) completes it, for the spellings in the data."""
    if '"' in address:
        return address
    if "@" not in address and "!" in address:
        domain, _, local = address.partition("!")
        address = f"{local}@{domain}"
    elif "@" not in address and "%" in address:
        address = "@".join(address.rsplit("%", 1))
    return address[:-1] if address.endswith(".") and "@" in address else address


def _is_same(one, other):
    return fold_address(one) == fold_address(other)


def _unique(addresses):
    """Removes repetitions from (address, is it own?). Local parts of foreign addresses
    compare by bytes.
    """
    addresses = list(addresses)
    own = {fold_address(address) for address, is_own in addresses if is_own}
    seen = {}
    for address, _ in addresses:
        name = fold_address(address)
        local = None if name in own else address.rpartition("@")[0] or address
        seen.setdefault((name, local), address)
    return list(seen.values())


def _checked(value, rules):
    """The value; TEMP if the next program would misread or cut it."""
    if "values" in rules and (not is_clean(value) or len(value.encode()) > REPLY_MAX):
        return TEMP
    return value
