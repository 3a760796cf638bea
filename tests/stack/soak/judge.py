# SPDX-License-Identifier: MIT
"""Judges whether a history was allowed to happen; a Violation for everything that was not."""

import collections
import re

from soak import memory, model
from soak.excuses import (AUTH, EFFECTS, GRACE, IMAP, INBOX, LONGEST, MAPS, MUMD, PROBE, QUOTA, SASL,
                          SMTP, SUBMISSION, THEIRS, excuses, held_up, overlaps)
from soak.history import NO_ANSWER, Bounce, Spans
from soak.limit import REFUSALS, Limit
from soak.replies import (FULL, TEMPORARY, read_auth, read_auth_smtp, read_imap, read_map, read_policy,
                          read_smtp, read_user)

# expected: what would have been right, as text. to what time span the states are judged.
Violation = collections.namedtuple("Violation", "what question reply expected since until")

# ---- the kinds of questions ----

def of_each(rule):
    """The answers that are right by at least one of the states."""
    return lambda states, *question: {rule(state, *question) for state in states}


def always(word):
    return lambda states, *question: {word}


def login_over(service):
    return of_each(lambda state, user, password: model.may_log_in(state, user, password, service))


# right(states, *question): the set of allowed words. way: the services at which a fault
# may strike. age: the limit of the history for the age of an answer; None: each answer
# is new. deadline: the limit for its time; None: the time is not ours. least: the
# answers without failure that a minute must have; with fewer, the soak shows nothing.
# passes: the answer that turns into a refusal where mailboxes are full; right does not know
# about that. None: nobody asks whether they are. limited: the limit of the login says what
# is right.
Kind = collections.namedtuple("Kind", "read right way age deadline least passes limited",
                              defaults=[None, False])


def of_mumd(right):
    return Kind(read_map, of_each(right), MUMD, "stale", "lookup", 50)


KINDS = {
    "connect MX": Kind(str, always("ok"), SMTP, None, None, 30),
    "connect submission": Kind(str, always("ok"), SUBMISSION, None, None, 30),
    "MAIL": Kind(read_smtp, always("250"), SMTP, None, None, 100),
    "RCPT": Kind(read_smtp, model.rcpt_replies, MAPS, "stale", None, 100, "250"),
    "submission RCPT": Kind(read_smtp, model.submission_replies, MAPS, "stale", None, 15, "250"),
    "DATA": Kind(read_smtp, always("250"), MAPS, None, None, 60),
    "limited RCPT": Kind(read_smtp, always("250"), MAPS, None, None, 30, None, True),
    "limited DATA": Kind(read_smtp, always("250"), MAPS, None, None, 10, None, True),
    "RSET": Kind(read_smtp, always("250"), SMTP, None, None, 10),
    "AUTH": Kind(read_auth_smtp, login_over("smtp"), SASL, None, None, 30),
    "connect IMAP": Kind(str, always("ok"), INBOX, None, None, 30),
    "LOGIN": Kind(read_imap, login_over("imap"), IMAP, None, None, 30),
    "INBOX": Kind(str, always("ok"), INBOX, None, None, 10),
    "connect auth": Kind(str, always("ok"), INBOX, None, "login", 30),
    "auth imap": Kind(read_auth, login_over("imap"), AUTH, None, "login", 10),
    "auth smtp": Kind(read_auth, login_over("smtp"), AUTH, None, "smtp_login", 10),
    "userdb": Kind(read_user, of_each(lambda state, user: "found" if model.has_mail(state, user)
                                      else "nobody"), AUTH, "ttl", "login", 20),
    "connect mumd": Kind(str, always("ok"), MUMD, None, "lookup", 1),
    "kept connection": Kind(str, always("ok"), MUMD, None, None, 0),
    "domains": of_mumd(model.domains),
    "mailboxes": of_mumd(model.mailboxes),
    "aliases": of_mumd(model.aliases),
    "recipient-access": of_mumd(model.recipient_access),
    "sender-login-maps": of_mumd(model.sender_login_maps),
    "policy": Kind(read_policy, of_each(model.policy), MUMD, "stale", "recipient", 50, "DUNNO"),
}

# Seconds until Dovecot is sure to see that others have put a file into a maildir, or taken
# it away: it compares seconds, and looks again at a folder that has just changed.
BY_HAND = 2

FULL_LEAST = 5      # refusals of full mailboxes that a minute must have
LIMIT_LEAST = 1     # refusals of each kind, by the limit of a login, that a minute must have


class Judge:
    """violations in the order they were found, after run()."""

    def __init__(self, history):
        self._history = history
        self.violations = []
        self.temporary = collections.Counter()      # by kind
        self.definite = collections.Counter()       # what was said and was no trouble, by kind
        self.recovery = collections.Counter()       # seconds from a fault's end to the last ...
        self.slowest = collections.Counter()        # ... failed question, by kind; seconds, by limit
        self.full = collections.Counter()           # recipients that are full: "refused", "in doubt"
        self.limited = collections.Counter()        # what the login with a limit was told
        self._limit = Limit(history)
        self._faults = Spans(history.faults, lambda fault: (fault.began, fault.ended + LONGEST))
        self._hiccups = Spans(history.hiccups, lambda hiccup: (hiccup.began, hiccup.ended))
        self._doubtful = Spans(filter(self._is_doubtful, history.answers),
                               lambda answer: (answer.asked, answer.answered + PROBE))
        self._members = collections.defaultdict(set)    # whom an alias had at any time
        for version in history.versions:
            for name, alias in version.state.aliases.items():
                self._members[name].update(alias.recipients)

    def run(self):
        for answer in self._history.answers:
            self._judge_answer(answer)
            self._judge_time(answer)
        self._judge_messages()
        self._judge_readings()
        for wrong in self._limit.judge_senders():
            self._violation("wrong count of a login", *wrong, 0, 0)
        for problem in self._history.problems:
            self._violation("trouble", "", problem, "none", 0, 0)
        return self

    def _violation(self, what, question, reply, expected, since, until):
        self.violations.append(Violation(what, question, reply, expected, since, until))

    def _states(self, since, until):
        return [version.state for version in self._history.possible(since, until)]

    # ---- answers ----

    def word(self, answer):
        if answer.reply.startswith(NO_ANSWER):
            return TEMPORARY
        return KINDS[answer.kind].read(answer.reply)

    def _age(self, answer):
        name = KINDS[answer.kind].age
        return getattr(self._history.limits, name) if name is not None else 0

    def _judge_answer(self, answer):
        if self.word(answer) == TEMPORARY:
            self.temporary[answer.kind] += 1
            self._judge_trouble(answer)
            return
        self.definite[answer.kind] += 1
        since = answer.asked - self._age(answer)
        states = self._states(since, answer.answered)
        right = KINDS[answer.kind].right(states, *answer.question)
        if KINDS[answer.kind].passes is not None:
            right = self._with_quota(answer, states, right)
        if KINDS[answer.kind].limited:
            right = self._limit.right(answer)
            self.limited[self.word(answer)] += 1
        if self.word(answer) not in right:
            self._violation(f"wrong answer to {answer.kind}", answer.question, answer.reply,
                            " or ".join(sorted(right)), since, answer.answered)

    # ---- full mailboxes ----

    def _with_quota(self, answer, states, right):
        """What is right if mumd asks quota-status as well. mumd remembers room, but never that
        a mailbox is full.
        """
        kind, address = KINDS[answer.kind], answer.question[-1]
        since = self._seen_since(answer.asked, answer.answered)
        now = self._states(since, answer.answered)
        lately = self._states(since - self._history.limits.room_age, answer.answered)
        refusals = set(map(kind.read, model.full_refusals(states, now, address)))
        self.full["refused"] += self.word(answer) in refusals
        if model.has_room(states, lately, address):
            return right | refusals
        if not self._may_be_in_doubt(answer):
            return right - {kind.passes} | refusals
        self.full["in doubt"] += self.word(answer) == kind.passes
        return right | refusals

    def _seen_since(self, asked, when):
        """From when on Dovecot has surely seen what others did to a maildir. A quota-status that
        hangs or was killed may hold its lock, and then nobody sees what has changed, until
        LONGEST after that fault.
        """
        held = [fault.began for fault in self._faults.between(when, when)
                if EFFECTS[fault.kind].at == "quota"]
        return min([asked, *held]) - BY_HAND

    def _may_be_in_doubt(self, answer):
        """A fault on the way to quota-status, or an answer that took until half of the deadline,
        when mumd begins to suspect it: then mumd asks nobody until a probe finds it well.
        """
        asked, answered = answer.asked, answer.answered
        return (any(excuses(fault, QUOTA, asked, answered, False, PROBE)
                    for fault in self._faults.between(asked, answered))
                or bool(self._doubtful.between(asked, answered)))

    def _is_doubtful(self, answer):
        return (KINDS[answer.kind].passes is not None
                and answer.answered - answer.asked >= 0.45 * self._history.limits.quota)

    # ---- trouble ----

    def _judge_trouble(self, answer):
        """A temporary failure is right while a service on its way has a fault, and a little
        later.
        """
        kind, asked, answered = KINDS[answer.kind], answer.asked, answer.answered
        ended = answer.reply.startswith(NO_ANSWER)
        if "timed out" in answer.reply:
            self._violation(f"no answer to {answer.kind}", answer.question, answer.reply,
                            "an answer, if only a temporary failure", asked, answered)
        if answer.kind == "LOGIN" and self._has_changed(answer):
            return
        more = THEIRS if kind.deadline is None else 0
        excused = [fault for fault in self._faults.between(asked, answered)
                   if excuses(fault, kind.way, asked, answered, ended, more)]
        if not excused:
            self._violation(f"no excuse for {answer.kind}", answer.question, answer.reply,
                            f"a fault at {' or '.join(kind.way.ends if ended else kind.way.fails)}",
                            asked, answered)
            return
        since = asked - max(fault.ended for fault in excused)
        self.recovery[answer.kind] = max(self.recovery[answer.kind], since)

    def _has_changed(self, answer):
        """Dovecot asks about the password, and then for the home: the mailbox may have become
        another one meanwhile.
        """
        states = self._states(answer.asked, answer.answered)
        return len(KINDS[answer.kind].right(states, *answer.question)) > 1

    def _judge_time(self, answer):
        """Our own sockets answer by the deadline, whatever happens."""
        kind, asked, answered = KINDS[answer.kind], answer.asked, answer.answered
        limit = kind.deadline or ("quota" if kind.passes and self._is_calm(answer) else None)
        if limit is None:
            return
        took = answered - asked - held_up(self._faults.between(asked, answered),
                                          self._hiccups.between(asked, answered), kind.way,
                                          asked, answered)
        deadline = getattr(self._history.limits, limit)
        self.slowest[limit] = max(self.slowest[limit], took)
        if took > deadline + GRACE:
            self._violation(f"late answer to {answer.kind}", answer.question, answer.reply,
                            f"within {deadline + GRACE} s, not {took:.2f} s", asked, answered)

    def _is_calm(self, answer):
        """No fault but one of quota-status, which must not delay Postfix for longer than that
        question may take.
        """
        return not any(EFFECTS[fault.kind].at != "quota"
                       and overlaps(fault.began, fault.ended + EFFECTS[fault.kind].recovery + THEIRS,
                                    answer.asked, answer.answered)
                       for fault in self._faults.between(answer.asked, answer.answered))

    # ---- is there enough to judge? ----

    def judge_amount(self, minutes, faults):
        """Call this after run(): a soak with few answers, or without one of these kinds of
        faults, shows nothing.
        """
        for name, kind in KINDS.items():
            if self.definite[name] < kind.least * minutes:
                self._violation("too few answers", name, str(self.definite[name]),
                                f"at least {kind.least * minutes:g}", 0, 0)
        if self.full["refused"] < FULL_LEAST * minutes:
            self._violation("too few answers", FULL, str(self.full["refused"]),
                            f"at least {FULL_LEAST * minutes:g}", 0, 0)
        for word in REFUSALS:
            if self.limited[word] < LIMIT_LEAST * minutes:
                self._violation("too few answers", word, str(self.limited[word]),
                                f"at least {LIMIT_LEAST * minutes:g}", 0, 0)
        struck = {fault.kind for fault in self._history.faults if fault.ended != float("inf")}
        for name in sorted(set(faults) - struck):
            self._violation("a fault that never struck", name, "none", "at least one", 0, 0)

    def judge_memory(self, since, until):
        """Call this after run(): of the part of the soak in which nothing ends mumd and auth."""
        for program, said, expected in memory.judge(self._history.samples, since, until):
            self._violation("memory or descriptors", program, said, expected, 0, 0)

    # ---- mail ----

    def _judge_messages(self):
        arrivals = collections.defaultdict(list)
        for arrival in self._history.deliveries + self._history.bounces:
            arrivals[arrival.id].append(arrival)
        for message in self._history.messages:
            self._judge_message(message, arrivals.pop(message.id, []))
        for name, strange in arrivals.items():
            self._violation("mail that nobody sent", name, _listed(strange), "nothing", 0, 0)

    def _judge_message(self, message, arrivals):
        for rcpt in message.rcpts:
            mine = [arrival for arrival in arrivals if self._belongs_to(rcpt, arrival.to)]
            arrivals = [arrival for arrival in arrivals if arrival not in mine]
            self._judge_arrivals(message, rcpt, mine)
        if arrivals:
            self._violation("mail for somebody it was not sent to", message.id, _listed(arrivals),
                            "nothing", message.asked, message.answered)

    def _belongs_to(self, rcpt, to):
        """May this be mail for that recipient, by any state there was?"""
        name = model.plain(rcpt.question[-1])
        return to == name or to in self._members[name]

    def _judge_arrivals(self, message, rcpt, arrivals):
        since, until = rcpt.asked - self._history.limits.stale, message.answered
        taken = read_smtp(rcpt.reply) == "250" and message.reply.startswith("250")
        unsure = read_smtp(rcpt.reply) == "250" and message.reply.startswith(NO_ANSWER)
        right = [()] if not taken else []
        if taken or unsure:
            right += [model.delivered_to(state, rcpt.question[-1])
                      for state in self._states(since, until)]
        if sorted(self._once(arrivals)) not in map(sorted, right):
            self._violation("mail in the wrong mailboxes", f"{message.id} for {rcpt.question[-1]}",
                            _listed(arrivals), " or ".join(sorted({_names(to) for to in right})),
                            since, until)
        for arrival in arrivals:
            self._judge_arrival(message, rcpt, arrival)

    def _once(self, arrivals):
        """Judges how often a mail came. If Postfix had to send it again, it may have come
        again.
        """
        names = [arrival.to for arrival in arrivals]
        return [name for number, name in enumerate(names) if name not in names[:number]
                or (arrivals[0].id, name) not in self._history.repeats]

    def _judge_arrival(self, message, rcpt, arrival):
        """A bounce needs a time at which Dovecot did not know the user, or the mailbox was full;
        a delivery needs one at which that was not so.
        """
        if model.domain_of(arrival.to) != model.DOMAIN:
            return
        bounced = isinstance(arrival, Bounce)
        late = sum(hiccup.ended - hiccup.began for hiccup in self._hiccups.between(
            arrival.when - DELIVERY_TIME, arrival.when))
        asked = max(rcpt.asked, arrival.when - DELIVERY_TIME - late)
        since = min(asked - self._history.limits.ttl, self._seen_since(asked, arrival.when))
        until = arrival.when + 1 if bounced else arrival.when
        if not any(model.takes_mail(state, arrival.to) != bounced
                   for state in self._states(since, until)):
            self._violation("bounce of mail for a user" if bounced else "delivery to nobody",
                            f"{message.id} for {rcpt.question[-1]}", _listed([arrival]),
                            "a delivery" if bounced else "a bounce", since, until)

    # ---- readings ----

    def _judge_readings(self):
        there = collections.defaultdict(set)
        for delivery in self._history.deliveries:
            there[delivery.to].add(delivery.id)
        for reading in self._history.readings:
            twice = [name for name, count in collections.Counter(reading.ids).items()
                     if count > 1 and (name, reading.user) not in self._history.repeats]
            gone = sorted(set(reading.ids) - there[reading.user])
            if twice or gone:
                self._violation("reading", reading.user, f"twice: {twice}; gone later: {gone}",
                                "each mail once, and it stays", reading.when, reading.when)


# Seconds that a delivery may take, from Dovecot's lookup to the time in the file's name
# or in the log.
DELIVERY_TIME = 15


def _names(addresses):
    return ", ".join(addresses) or "nobody"


def _listed(arrivals):
    return ", ".join(f"{type(arrival).__name__.lower()} {arrival.to}" for arrival in arrivals) or "none"


# ---- a violation as text ----

def _concerned(state, text):
    """The rows of a state that the text names, with or without extensions."""
    text = re.sub(r"\+[^@ ]*@", "@", text.lower())
    aliases = {name: alias for name, alias in state.aliases.items() if name in text}
    members = {member for alias in aliases.values() for member in alias.recipients + alias.senders}
    mailboxes = {name: mailbox for name, mailbox in state.mailboxes.items()
                 if name in text or name in members}
    return {**aliases, **mailboxes}


def describe(violation, history):
    """All that a reader needs to check the verdict."""
    def at(when):
        return "..." if abs(when) == float("inf") else f"{when - history.began:.3f}"

    v = violation
    question = v.question if isinstance(v.question, str) else " ".join(v.question)
    lines = [f"VIOLATION {v.what}", f"  question  {question}", f"  answer    {v.reply}",
             f"  expected  {v.expected}", f"  judged by the states from {at(v.since)} to {at(v.until)} s:"]
    shown = None
    for version in history.possible(v.since, v.until):
        rows = _concerned(version.state, f"{question} {v.reply}")
        if rows != shown:
            lines.append(f"    from {at(version.earliest)}, until {at(version.latest)} at the latest")
            lines += [f"      {name} {' '.join(f'{key}={value!r}' for key, value in row._asdict().items())}"
                      for name, row in rows.items()]
        shown = rows
    lines.append("  faults:")
    lines += [f"    {fault.kind}, from {at(fault.began)} to {at(fault.ended)}"
              for fault in history.faults_between(v.since, v.until)] or ["    none"]
    return "\n".join(lines)
