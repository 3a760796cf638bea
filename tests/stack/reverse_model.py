# SPDX-License-Identifier: MIT
"""What mumctl user and mumctl domain are to say, by brute force: mail to each alias is
expanded as cleanup(8) of Postfix does it, over the model of conformance.
"""

import collections

from conformance.model import (DEAD_ALIAS, RULES, SEND_ONLY, TEMP, Model, _is_same,
                               _rewritten)
from conformance.names import fold_address, fold_domain
from fallback_model import OFF, ROLE, FallbackModel, kind_of, unknown_name

ALIASES = RULES["aliases"]
ACCESS = RULES["recipient-access"]
OWNERS = RULES["sender-login-maps"]

WIDE = 1000         # recipients that Postfix expands to
DEEP = 60           # aliases in a row: more are a loop here, as are 1000 for Postfix
LONG = 60           # characters of a local part that grows: no shortest way leads by it
DEFERRED = "deferred"

# keys: where mail goes next, live: the same as stored; mailbox: where it stays, or None
Step = collections.namedtuple("Step", "alias live keys same mailbox deferred")


class Views:
    """rows and collate: as for Model; settings: of roles and catch-alls."""

    def __init__(self, rows, collate, settings=OFF):
        self.rows = rows
        self.settings = settings
        self.model = (Model(rows, collate) if settings == OFF else
                      FallbackModel(rows, collate, settings))
        self.domains = {row.id: row for row in rows["domains"]}
        self._steps, self._ends = {}, {}

    def address(self, row):
        return f"{row.local_part}@{self.domains[row.domain_id].domain}"

    def key(self, row):
        """The row's address as mail is sent to it."""
        return self.key_of(self.address(row))

    def key_of(self, address):
        if address.startswith("@") and self.settings.catch_all:
            address = unknown_name(address[1:])
        return self.model._external(address, "", ALIASES)

    def roles(self, ids=None):
        """The addresses of all roles, or of those in the domains with these ids."""
        return [fold_address(f"{role}@{row.domain}") for row in self.rows["domains"]
                for role in self.settings.roles if ids is None or row.id in ids]

    # ---- one step ----

    def step(self, key):
        if key not in self._steps:
            self._steps[key] = self._step(key)
        return self._steps[key]

    def _step(self, key):
        forms = list(self.model.forms(key, ALIASES))
        for form, alias, live in self.model.live_aliases(key, ALIASES):
            if not live:
                continue
            others = [address for address in live if not _is_same(address, alias.address)]
            keys = [_rewritten(self.model._external(address, form[1], ALIASES))
                    for address in others]
            mailbox = self._live(self.model.active_mailbox(form, ALIASES))
            same = len(others) < len(live)
            return Step(alias, live, keys, same, mailbox if same else None,
                        self.model.aliases(key, ALIASES) == TEMP)
        mailboxes = filter(None, (self.model.active_mailbox(form, ALIASES) for form in forms))
        return Step(None, [], [], False, self._live(next(mailboxes, None)), False)

    @staticmethod
    def _live(mailbox):
        return None if mailbox is None or mailbox.send_only else mailbox

    # ---- cleanup(8) ----

    def expand(self, key):
        """The ids of the mailboxes that get mail to the key; or DEFERRED."""
        if key not in self._ends:
            self._ends[key] = self._expand(key)
        return self._ends[key]

    def _expand(self, key):
        todo, seen, found, count = [(key, 0)], set(), set(), 1
        while todo:
            key, depth = todo.pop()
            step = self.step(key)
            if step.mailbox:
                found.add(step.mailbox.id)
            if step.alias is None or key.lower() in seen:
                continue
            if step.deferred or depth >= DEEP or count > WIDE:
                return DEFERRED
            if step.same:
                seen.add(key.lower())
            count += len(step.keys) - (0 if step.same else 1)
            todo += [(one, depth + 1) for one in step.keys]
        return found

    # ---- any way ----

    def distances(self, mailbox):
        """{key: aliases on the shortest way to the mailbox}, of all keys that lead there."""
        back, end, todo = collections.defaultdict(set), set(), [
            self.key(row) for row in self.rows["aliases"]] + [
            self.key_of(role) for role in self.roles()]
        seen = set(todo)
        while todo:
            key = todo.pop()
            step = self.step(key)
            if step.mailbox and self.is_same(step.mailbox, mailbox):
                end.add(key)
            for one in step.keys if key.rfind("@") < LONG else []:
                back[one].add(key)
                if one not in seen:
                    seen.add(one)
                    todo.append(one)
        found = {key: 0 if self.step(key).alias is None else 1 for key in end}
        line = collections.deque(sorted(end, key=found.get))
        while line:
            to = line.popleft()
            for key in back[to]:
                if key not in found:
                    found[key] = found[to] + 1
                    line.append(key)
        return found

    def is_same(self, one, other):
        return fold_address(self.address(one)) == fold_address(self.address(other))

    def is_way(self, path, mailbox):
        """Do these aliases, as stored, lead one to the next and then to the mailbox?"""
        keys = {self.key_of(path[0])}
        for at, name in enumerate(path):
            steps = [self.step(key) for key in keys]
            steps = [step for step in steps
                     if step.alias and _is_same(step.alias.address, name)]
            keys = {key for step in steps for key in step.keys}
            ends = [step.mailbox for step in steps if step.mailbox]
            if not steps:
                return False
        ends += [self.step(key).mailbox for key in keys if self.step(key).alias is None]
        return any(end and self.is_same(end, mailbox) for end in ends)

    # ---- what is asked ----

    def ways(self, mailbox):
        """{(address, kind): (aliases on its shortest way, is its mail deferred?)}"""
        distances = self.distances(mailbox)
        found = {}
        for address, row in [(self.address(row), row) for row in self.rows["aliases"]] + [
                (role, None) for role in self.roles()]:
            key = self.key_of(address)
            step = self.step(key)
            if key in distances and step.alias and step.alias.row == row:
                ends = self.expand(key)
                found[address, kind_of(step.alias)] = distances[key], ends == DEFERRED
                assert ends == DEFERRED or mailbox.id in ends
        return found

    def receives(self, mailbox):
        ends = self.expand(self.key(mailbox))
        return ends != DEFERRED and mailbox.id in ends

    def may_send_as(self, mailbox):
        """Folded addresses."""
        login = fold_address(self.address(mailbox))
        return {fold_address(self.address(row))
                for row in self.rows["mailboxes"] + self.rows["aliases"]
                if login in map(fold_address, self.model.owners(self.key(row), OWNERS))}

    def quota(self, mailbox):
        """(GB or None, whose)"""
        if mailbox.quota is not None:
            return mailbox.quota or None, "mailbox"
        quota = self.domains[mailbox.domain_id].quota
        return quota or None, "none" if quota is None else "domain"

    # ---- a domain ----

    def ids(self, name):
        return {row.id for row in self.rows["domains"]
                if fold_domain(row.domain) == fold_domain(name)}

    def taken_roles(self, ids):
        """{role: who gets its mail}, of domains"""
        steps = {role: self.step(self.key_of(role)) for role in self.roles(ids)}
        return {role: step.live for role, step in steps.items()
                if step.alias and kind_of(step.alias) == ROLE}

    def recipients(self, row):
        """Who gets the mail of an alias; None where its address is not its own."""
        step = self.step(self.key(row))
        if step.alias and step.alias.row not in (None, row):
            return None
        return step.live if step.alias and step.alias.row == row else []

    def refuses(self, row):
        """Does nobody get mail to a mailbox's or an alias's address?"""
        key = self.key(row)
        answer = self.model.recipient_access(key, ACCESS)
        if answer in (None, SEND_ONLY, DEAD_ALIAS):
            return True
        # known, but empty: neither table of Postfix has it
        return (self.model.aliases(key, ALIASES) is None and
                self.model.mailboxes_map(key, RULES["mailboxes"]) is None)
