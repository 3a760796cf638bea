# SPDX-License-Identifier: MIT
"""The right answers where roles and catch-alls are on: what mumd(8) says of both."""

import collections

from conformance.model import JUDGE, Model, Recipient, _is_same, _rewritten
from conformance.names import fold_local

# As in mum.conf, of the section address.
Settings = collections.namedtuple("Settings", "catch_all senders roles recipient")
OFF = Settings(False, False, (), "")

# Postfix's own bounces and probes.
NEVER = ("double-bounce", "mailer-daemon")

NAME, ROLE, CATCH_ALL = "alias", "role", "catch-all"


def kind_of(alias):
    if alias.row is None:
        return ROLE
    return CATCH_ALL if alias.row.local_part == "" else NAME


class Role:
    """An alias that no table has."""

    def __init__(self, address, recipient):
        self.row, self.address = None, address
        text = collections.namedtuple("Text", "recipient_address")(recipient)
        self.recipients, self.senders = [Recipient(text, None, None)], []


class FallbackModel(Model):
    """Without other maps: a name that MUM does not know is nobody's."""

    def __init__(self, rows, collate, settings, delimiters="+"):
        super().__init__(rows, collate, delimiters)
        self.settings = settings

    # ---- names ----

    def is_known(self, key):
        return super()._is_known(list(self.forms(key, JUDGE)))

    def _is_known(self, forms):
        return True

    def _is_never(self, forms):
        return any(fold_local(local) in NEVER for local, _, _ in forms)

    def role(self, key):
        """The role that it names, as its address; or None."""
        forms = list(self.forms(key, JUDGE))
        roles = [local for local, _, _ in forms
                 if fold_local(local) in map(fold_local, self.settings.roles)]
        active = any(domain.active for _, _, domains in forms for domain in domains)
        if not roles or not active or self._is_never(forms):
            return None
        return roles[0] + "@" + key.rpartition("@")[2]

    def catch_all(self, key):
        """The catch-all that counts for it, or None."""
        forms = list(self.forms(key, JUDGE))
        if not forms or not self.settings.catch_all or self.is_known(key) or self._is_never(forms):
            return None
        return self._active_alias(("", "", forms[0][2]), JUDGE)

    # ---- recipients ----

    def _is_live(self, recipient, alias, form, rules):
        if super()._is_live(recipient, alias, form, rules):
            return True
        address = recipient.address(rules)
        if not address or _is_same(address, alias.address) or (
                recipient.mailbox and not recipient.domain.active) or (
                not recipient.mailbox and self._is_alias_again(address, alias)):
            return False
        return self._is_taken(recipient, address, kind_of(alias))

    def _is_taken(self, recipient, address, kind):
        """Does a role or a catch-all take the mail of a recipient that nobody else takes?"""
        key = address if recipient.mailbox else _rewritten(address)
        mailboxes = (self.active_mailbox(form, JUDGE) for form in self.forms(key, JUDGE))
        first = next(filter(None, mailboxes), None)
        if first and not first.send_only:
            return False
        if kind != ROLE and self.role(key):
            return True
        caught = self.catch_all(key) if kind == NAME else None
        return caught is not None and any(
            recipient.mailbox or not recipient.is_blank() for recipient in caught.recipients)

    def live_aliases(self, key, rules):
        yield from super().live_aliases(key, rules)
        none = "", "", []
        accepted = any(mailbox and not mailbox.send_only for mailbox in (
            self.active_mailbox(form, rules) for form in self.forms(key, rules)))
        if self.role(key) and not accepted:
            role = Role(self.role(key), self.settings.recipient)
            yield none, role, self._recipients(role, none, rules)
        caught = self.catch_all(key)
        if caught:
            yield none, caught, self._recipients(caught, none, rules)

    def recipient_access(self, key, rules):
        if any(live for _, alias, live in self.live_aliases(key, rules)
               if kind_of(alias) != NAME):
            return "DUNNO"
        return super().recipient_access(key, rules)

    # ---- senders ----

    def owners(self, key, rules):
        owners = super().owners(key, rules)
        caught = self.catch_all(key) if self.settings.senders and not owners else None
        return owners if caught is None else [
            self.address_of(sender) for sender in caught.senders
            if sender.active and self.domains[sender.domain_id].active]


def unknown_name(domain):
    """A name that nobody has."""
    return f"surely.nobody@{domain}"
