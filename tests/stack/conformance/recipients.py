# SPDX-License-Identifier: MIT
"""Which recipients accept mail at RCPT TO: stock's check_recipient_access, and our policy
service in context "recipient". A key is a recipient in the form in which a policy service
gets it.
"""

import random

from conformance.model import RULES, SEARCH
from conformance.names import search_keys
from conformance.senders import internal, is_resolved

ACCESS = "recipient-access"
MAP = "policy recipient"
RECIPIENT_RULES = {MAP: RULES[ACCESS] - SEARCH | {"readings"}}

ROUTE = "@route.test"   # a domain that is neither MUM's nor local, but may be for mumd
NOTHING = "DUNNO"       # also if the table has no entry


def keys(seed, rows, recipients):
    """All stored names, some similar ones, and some by way of another domain."""
    chance = random.Random(f"recipients {seed}")
    domains = {row.id: row.domain for row in rows["domains"]}
    stored = [f"{row.local_part}@{domains[row.domain_id]}"
              for row in rows["mailboxes"] + rows["aliases"]]
    near = chance.sample(recipients, min(80, len(recipients)))
    plain = [key for key in map(internal, stored + near) if is_resolved(key)]
    routed = [key.replace("@", "%") + ROUTE for key in chance.sample(plain, len(plain) // 3)]
    return [key for key in dict.fromkeys(plain + routed) if "\n" not in key]


def stock_answers(recipients, found, delimiters):
    """found: {key: value} of the stock recipient-access."""
    answers = {}
    for recipient in recipients:
        forms = search_keys(ACCESS, recipient, delimiters)
        answers[recipient] = next((found[form] for form, _ in forms if form in found), NOTHING)
    return answers


class Recipients:
    def __init__(self, model):
        self._model = model

    def ask(self, _, key, rules):
        answer = self._model.recipient_access(key, rules | SEARCH) or NOTHING
        if "readings" in rules and answer == NOTHING and key.endswith(ROUTE):
            local, _, domain = key.removesuffix(ROUTE).rpartition("%")
            return self.ask(None, f"{local}@{domain}", rules)
        return answer
