# SPDX-License-Identifier: MIT
"""Who may send as whom on submission: stock's reject_sender_login_mismatch with
sender-login-maps, and our policy service. A key is "LOGIN > SENDER"."""

import random
import re

from conformance.model import RULES, SEARCH
from conformance.names import fold_address, search_keys, unquote

OWNERS = "sender-login-maps"
MAP = "policy sender"
SENDER_RULES = {MAP: (RULES[OWNERS] - SEARCH - {"order", "values"})
                | {"whole-owners"}}

ACCEPTED, REFUSED = "accepted", "refused"


def keys(seed, rows, senders):
    """Logins as Dovecot names them, with senders that they own, that are similar, or that
    they do not own.
    """
    chance = random.Random(f"senders {seed}")
    domains = {row.id: row.domain for row in rows["domains"]}
    logins = {row.id: f"{row.local_part}@{domains[row.domain_id]}" for row in rows["mailboxes"]
              if "\n" not in row.local_part}
    pairs = [(login, login) for login in logins.values()]
    aliases = {row.id: f"{row.local_part}@{domains[row.domain_id]}" for row in rows["aliases"]}
    for row in rows["alias_senders"]:
        local, _, domain = aliases[row.alias_id].rpartition("@")
        sender = f"{local}{chance.choice(['', '', '+Ext'])}@{domain}"
        pairs.append((logins[row.mailbox_id], sender))
    pairs += [(chance.choice(list(logins.values())), sender)
              for sender in chance.sample(senders, min(60, len(senders)))]
    texts = (f"{login} > {internal(sender)}" for login, sender in pairs
             if is_resolved(internal(sender)))
    return [text for text in dict.fromkeys(texts) if "\n" not in text]


def internal(address):
    """The form in which Postfix hands an address to a policy service."""
    local, at, domain = address.rpartition("@")
    plain = unquote(local)
    return address if plain is None else internal(plain + at + domain)


def is_resolved(sender):
    """Does Postfix leave this address as it is? Others are for test_spellings.py."""
    local, _, domain = sender.rpartition("@")
    return bool(local) and set(local).isdisjoint("@%!") and re.fullmatch(
        r'[^\s"\\()<>,;:\[\].%!|]+(\.[^\s"\\()<>,;:\[\].%!|]+)*', domain) is not None


def senders_of(pairs):
    return [pair.split(" > ", 1)[1] for pair in pairs]


def stock_answers(pairs, found, delimiters):
    """found: {key: value} of the stock sender-login-maps."""
    answers = {}
    for pair in pairs:
        login, sender = pair.split(" > ", 1)
        forms = search_keys(OWNERS, sender, delimiters)
        owners = next((found[form] for form, _ in forms if form in found), "")
        answers[pair] = verdict(sender == "" or login.casefold() in split(owners))
    return answers


def split(owners):
    """As Postfix does: at commas and blanks."""
    return {owner.casefold() for owner in re.split(r"[, \t\r\n]+", owners) if owner}


def verdict(accepted):
    return ACCEPTED if accepted else REFUSED


class Senders:
    def __init__(self, model):
        self._model = model

    def ask(self, _, key, rules):
        login, sender = key.split(" > ", 1)
        owners = self._model.owners(sender, rules | SEARCH)
        if "whole-owners" in rules:
            return verdict(sender == "" or
                           fold_address(login) in {fold_address(owner) for owner in owners})
        return verdict(sender == "" or login.casefold() in split(",".join(owners)))
