# SPDX-License-Identifier: MIT
"""The right answers for Dovecot: who may log in, where mail lives, who is listed.

As in conformance/model.py: without rules this is stock, with all of them it is what we promise.
"""

import re

from conformance.data import MAX_BCRYPT_COST
from conformance.model import NAMES, TEMP
from conformance.names import is_clean, is_text

LOGIN = NAMES | {"two-ats"}
LOGIN_RULES = {
    "passdb imap": LOGIN | {"send-only-login"},
    "passdb smtp": LOGIN | {"send-only-login"},
    "userdb": LOGIN | {"stored-user", "bad-user-rows"},
    "iteration": {"iteration", "clean-names"},
}

# Whole hashes that name their scheme and cost no more than mum.conf allows.
HASH = re.compile(rf"\$2[abxy]\$0[4-{MAX_BCRYPT_COST}]\$[./0-9A-Za-z]{{53}}|"
                  r"\$6\$(rounds=\d{4,6}\$)?[^$]+\$[./0-9A-Za-z]{86}|"
                  r"\$argon2id?\$v=19\$m=\d{1,6},t=\d,p=1\$[^$]+\$[^$]+")

QUOTA_END = 1 << 33     # GB: more bytes than 63 bits


def service_of(table):
    return table.split()[1]


def is_path(text):
    return (text.startswith("/") and is_clean(text) and "/../" not in text
            and not text.endswith("/.."))


class Logins:
    """model: a Model of the same rows."""

    def __init__(self, model):
        self._model = model

    def _mailbox(self, user, rules):
        """The active mailbox of a login name, and the name as Dovecot has it."""
        user = "".join(char.lower() if char.isascii() else char for char in user)
        split = str.rpartition if "two-ats" in rules else str.partition
        local, _, domain = split(user, "@")
        if local and domain and is_text(user) and ("clean-names" not in rules or is_clean(user)):
            form = (local, "", self._model.domain_rows(domain, rules))
            if self._model.is_name(local, rules):
                return self._model.active_mailbox(form, rules), user
        return None, user

    def hash_of(self, user, rules):
        mailbox, _ = self._mailbox(user, rules)
        return mailbox and mailbox.password

    def passdb(self, user, service, rules):
        """The user's name, None for nobody, or TEMP."""
        mailbox, user = self._mailbox(user, rules)
        if mailbox is None:
            return None
        # a lookup does not verify a password, so the hash does not matter
        if "send-only-login" in rules and mailbox.send_only and service == "imap":
            return None
        address = self._model.address_of(mailbox)
        if "two-ats" not in rules:  # Dovecot keeps what stands before the first
            return f"{address.partition('@')[0]}@{address.rpartition('@')[2]}"
        return address

    def userdb(self, user, rules):
        """(name, home, mail, quota_rule), None for nobody, or TEMP."""
        mailbox, user = self._mailbox(user, rules)
        if mailbox is None or mailbox.send_only:
            return None
        quotas = (mailbox.quota, self._model.domains[mailbox.domain_id].quota)
        quota = next((quota for quota in quotas if quota is not None), 0)
        if "bad-user-rows" in rules and not (is_path(mailbox.homedir) and quota < QUOTA_END and
                                             mailbox.maildir and is_clean(mailbox.maildir)):
            return TEMP
        name = self._model.address_of(mailbox) if "stored-user" in rules else user
        return name, mailbox.homedir, mailbox.maildir, f"*:storage={quota}G"

    def listed(self, rules):
        """All users, sorted."""
        if "iteration" not in rules:
            return ()   # MUM's query looks for a user with an empty name
        users = (self._model.address_of(row) for row in self._model.mailboxes.values()
                 if row.active and not row.send_only and
                 self._model.domains[row.domain_id].active)
        return tuple(sorted(user for user in users
                            if is_clean(user) or "clean-names" not in rules))

    def ask(self, table, user, rules):
        if table == "iteration":
            return self.listed(rules)
        if table == "userdb":
            return self.userdb(user, rules)
        return self.passdb(user, service_of(table), rules)
