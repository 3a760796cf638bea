# SPDX-License-Identifier: MIT
"""Two minutes of tests/stack/soak; and tests that its judge sees what is wrong with a history."""

import pathlib
import random
import subprocess
import sys
import time
import types

import pytest

from lab import free_port
from soak.actors import Asker, Reader, Sender, Submitter, Watcher
from soak.excuses import EFFECTS, QUOTA
from soak.faults import FAULTS
from soak.history import (NO_ANSWER, Answer, Bounce, Delivery, Fault, Hiccup, History, Limits, Message,
                          Reading, Spans, Version)
from soak.judge import FULL_LEAST, KINDS, Judge, describe
from soak.model import BURST, GREEDY, Alias, Mailbox, State
from soak.plan import LANES, Plan

pytestmark = pytest.mark.other_programs

SEED, MINUTES = 7, 2


@pytest.mark.long
def test_soak():
    script = pathlib.Path(__file__).with_name("soak") / "run"
    result = subprocess.run([sys.executable, str(script), "--seed", str(SEED), "--minutes", str(MINUTES)],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(result.stdout)
    assert result.returncode == 0, result.stdout


# ---- the plan ----

def test_same_seed_is_the_same_plan():
    plans = [Plan(seed, 120) for seed in (1, 1, 2)]
    shown = [(plan.state, plan.strikes, plan.next_change(plan.dice("admin"))[0],
              plan.dice("sender0").random()) for plan in plans]
    assert shown[0] == shown[1] != shown[2]


@pytest.mark.parametrize("seed", [SEED, 1, 2, 3])
def test_two_minutes_have_each_fault(seed):
    plan = Plan(seed, MINUTES * 60)
    assert {lane: {strike.kind for strike in plan.strikes[lane]} for lane in LANES} == {
        lane: set(kinds) for lane, kinds in LANES.items()}


def test_each_fault_has_its_place_in_the_plan_and_its_effect():
    planned = {kind for kinds in LANES.values() for kind in kinds}
    assert planned == set(FAULTS)
    # This one is seen, not caused.
    assert planned | {"old auth ended"} == set(EFFECTS) == {fault for fault, *_ in STRIKES}


# ---- the judge ----

ANNA, BERT, SCANNER, LIST, FRIEND = ("anna@soak.test", "bert@soak.test", "scanner@soak.test",
                                     "list@soak.test", "friend@external.test")
CARL, DORA, CROWD = "carl@soak.test", "dora@soak.test", "crowd@soak.test"
ONE_OF_TWO, ALSO_OUTSIDE = "one-of-two@soak.test", "also-outside@soak.test"
BEFORE = State({ANNA: Mailbox(True, False, "right"), BERT: Mailbox(False, False, "right"),
                SCANNER: Mailbox(True, True, "right"), CARL: Mailbox(True, False, "right"),
                DORA: Mailbox(True, False, "right")},
               {LIST: Alias(True, (ANNA, BERT, FRIEND), (ANNA,)), CROWD: Alias(True, (CARL, DORA), ()),
                ONE_OF_TWO: Alias(True, (CARL, ANNA), ()), ALSO_OUTSIDE: Alias(True, (CARL, FRIEND), ())})
# At 100 s bert becomes active; it takes a second, as every change does. From 200 to 300 s
# carl and dora are full.
AFTER = BEFORE._replace(mailboxes={**BEFORE.mailboxes, BERT: Mailbox(True, False, "right")})
FILLED = AFTER._replace(mailboxes={**AFTER.mailboxes, **dict.fromkeys((CARL, DORA),
                                                                      Mailbox(True, False, "right", True))})
LIMITS = Limits(ttl=2, stale=10, lookup=2, login=5, smtp_login=12, room=1, quota=1)


def history(*records):
    made = History(BEFORE, LIMITS)
    made.began = 0
    made.versions = [Version(BEFORE, float("-inf"), 101), Version(AFTER, 100, 201),
                     Version(FILLED, 200, 301), Version(AFTER, 300)]
    lists = {Answer: made.answers, Message: made.messages, Delivery: made.deliveries,
             Bounce: made.bounces, Reading: made.readings, Fault: made.faults,
             Hiccup: made.hiccups, str: made.problems}
    for record in records:
        if type(record) is tuple:
            made.repeats.add(record)
        else:
            lists[type(record)].append(record)
    return made


def said(kind, question, reply, asked=50, seconds=0.1):
    question = question if isinstance(question, tuple) else (question,)
    return Answer(kind, question, reply, asked, asked + seconds)


def mail(*rcpts, reply="250 2.0.0 Ok: queued as X", sent=50):
    """A mail to these recipients, each of them accepted unless it is an Answer."""
    answers = [rcpt if isinstance(rcpt, Answer) else said("RCPT", rcpt, "250 2.1.5 Ok", sent)
               for rcpt in rcpts]
    return Message("soak-1", answers, reply, sent + 0.1, sent + 0.2)


def arrived(to, when=51, name="soak-1"):
    return Delivery(name, to, when)


def bounced(to, when=51):
    return Bounce("soak-1", to, when)


UNKNOWN = "550 5.1.1 <x>: Recipient address rejected: User unknown in virtual mailbox table"
SEND_ONLY = "550 5.2.1 <x>: Recipient address rejected: mailbox does not accept mail (send-only)"
RELAY = "554 5.7.1 <x>: Relay access denied"
FULL = "452 4.2.2 <x>: Recipient address rejected: mailbox is full"
ALL_FULL = "452 4.2.2 all mailboxes of this address are full"
TOO_MUCH = "450 4.7.1 <x>: Sender address rejected: too many recipients for this login; try again later"
OVER = "554 5.7.1 <DATA>: Data command rejected: more recipients in one mail than this login may send to"
ACCEPTED = "250 2.1.5 Ok"
TEMPORARY = "451 4.3.0 <x>: Temporary lookup failure"
REFUSED = "[AUTHENTICATIONFAILED] Authentication failed."
DENIED = "535 5.7.8 Error: authentication failed: (reason unavailable)"
DOWN = Fault("database killed", 45, 49.5)
GONE = Fault("quota-status killed", 245, 249)

RIGHT = {
    "accepted": [said("RCPT", ANNA, "250 2.1.5 Ok"), said("RCPT", "ANNA+x@soak.test", "250 2.1.5 Ok")],
    "refused": [said("RCPT", BERT, UNKNOWN), said("RCPT", SCANNER, SEND_ONLY), said("RCPT", FRIEND, RELAY)],
    "a login while the mailbox changes": [
        said("LOGIN", (BERT, "right"), reply, 100.5)
        for reply in ("OK", "[AUTHENTICATIONFAILED] x", "[UNAVAILABLE] Internal error", NO_ANSWER + "EOF")],
    "while it changes": [said("RCPT", BERT, reply, 100.5) for reply in ("250 2.1.5 Ok", UNKNOWN)],
    "stale": [said("RCPT", BERT, UNKNOWN, 110.9), said("userdb", BERT, "nobody", 102.9)],
    "logins": [said("LOGIN", (ANNA, "right"), "OK"), said("LOGIN", (ANNA, "wrong"), REFUSED),
               said("LOGIN", (SCANNER, "right"), REFUSED), said("AUTH", (SCANNER, "right"), "235 2.7.0 ok"),
               said("AUTH", (BERT, "right"), DENIED), said("AUTH", (BERT, "right"), "235 2.7.0 ok", 101.1)],
    "recipient refused, sender not judged": [said("submission RCPT", (ANNA, SCANNER, BERT), UNKNOWN),
                                             said("submission RCPT", (ANNA, SCANNER, SCANNER), SEND_ONLY)],
    "maps": [said("aliases", "list+x@soak.test", "OK anna+x@soak.test,friend+x@external.test"),
             said("recipient-access", LIST, "OK DUNNO"), said("policy", SCANNER,
             "550 5.2.1 mailbox does not accept mail (send-only)"), said("domains", "soak.test", "OK soak.test"),
             said("sender-login-maps", LIST, f"OK {ANNA}")],
    "delivered": [mail(ANNA), arrived(ANNA)],
    "delivered to an alias": [mail(LIST), arrived(ANNA), arrived(FRIEND)],
    "delivered to those of that time": [mail(LIST, sent=105), arrived(ANNA, 106), arrived(FRIEND, 106),
                                        arrived(BERT, 106)],
    "delivered by a stale answer": [mail(LIST, sent=110), arrived(ANNA, 111), arrived(FRIEND, 111)],
    "bounced": [mail(said("RCPT", BERT, "250 2.1.5 Ok", 100.5), sent=100.5), bounced(BERT, 101.5)],
    "not accepted": [mail(ANNA, reply=TEMPORARY)],
    "lost reply": [mail(ANNA, reply=NO_ANSWER + "closed by the server")],
    "lost reply, delivered": [mail(ANNA, reply=NO_ANSWER + "closed by the server"), arrived(ANNA)],
    "partly accepted": [mail(ANNA, said("RCPT", BERT, UNKNOWN)), arrived(ANNA)],
    "sent again": [mail(ANNA), arrived(ANNA), arrived(ANNA, 55), ("soak-1", ANNA),
                   Reading(ANNA, ["soak-1", "soak-1"], 60)],
    "read": [mail(ANNA), arrived(ANNA), Reading(ANNA, ["soak-1"], 60)],
    "full": [said("RCPT", CARL, FULL, 250), said("RCPT", CROWD, FULL, 250), said("policy", CROWD, ALL_FULL, 250),
             said("policy", "CARL+x@soak.test", "452 4.2.2 mailbox is full", 250),
             said("submission RCPT", (ANNA, ANNA, CARL), FULL, 250)],
    "full, sender not judged": [said("submission RCPT", (ANNA, SCANNER, CARL), FULL, 250)],
    "while it fills": [said("RCPT", CROWD, reply, 200.5) for reply in (ACCEPTED, FULL)],
    "room that is remembered": [said("RCPT", CARL, ACCEPTED, 205.9), said("policy", CARL, "DUNNO", 205.9)],
    "room again": [said("RCPT", CARL, FULL, 302.9), said("RCPT", CARL, ACCEPTED, 300.1)],
    "one of two is full": [said("RCPT", ONE_OF_TWO, ACCEPTED, 250), said("RCPT", ALSO_OUTSIDE, ACCEPTED, 250)],
    "full, in doubt": [GONE, said("RCPT", CARL, ACCEPTED, 246), said("policy", CROWD, "DUNNO", 251.9)],
    "full, after a slow answer": [said("RCPT", ANNA, ACCEPTED, 250, 0.5), said("RCPT", CARL, ACCEPTED, 252.4)],
    "full, accepted and bounced": [GONE, mail(CARL, sent=246), bounced(CARL, 247)],
    "full, a copy bounced": [mail(ONE_OF_TWO, sent=250), arrived(ANNA, 251), bounced(CARL, 251)],
    "full when it came, long ago for this machine": [GONE, mail(CARL, sent=246), bounced(CARL, 325),
                                                     Hiccup(305, 322)],
    "full when it came": [mail(CARL, sent=199.8), bounced(CARL, 201)],
    "full for whoever waits for a lock": [Fault("quota-status hung", 301.5, 304),
                                          said("policy", CARL, "452 4.2.2 mailbox is full", 303.1),
                                          mail(CARL, sent=304), bounced(CARL, 305)],
}

WRONG = {
    "valid recipient refused": ("wrong answer to RCPT", [said("RCPT", ANNA, UNKNOWN)]),
    "alias refused": ("wrong answer to RCPT", [said("RCPT", LIST, UNKNOWN)]),
    "refused for another reason": ("wrong answer to RCPT", [said("RCPT", BERT, SEND_ONLY)]),
    "refused too late": ("wrong answer to RCPT", [said("RCPT", BERT, UNKNOWN, 111.5)]),
    "never valid, accepted": ("wrong answer to RCPT", [said("RCPT", "nobody@soak.test", "250 2.1.5 Ok")]),
    "not valid yet, accepted": ("wrong answer to RCPT", [said("RCPT", BERT, "250 2.1.5 Ok", 99)]),
    "open relay": ("wrong answer to RCPT", [said("RCPT", FRIEND, "250 2.1.5 Ok")]),
    "sender refused": ("wrong answer to submission RCPT",
                       [said("submission RCPT", (ANNA, LIST, ANNA), "553 5.7.1 <x>: not owned")]),
    "foreign sender": ("wrong answer to submission RCPT",
                       [said("submission RCPT", (ANNA, SCANNER, ANNA), "250 2.1.5 Ok")]),
    "data refused": ("wrong answer to DATA", [said("DATA", "soak-1", "554 5.6.0 no")]),
    "right password refused": ("wrong answer to LOGIN", [said("LOGIN", (ANNA, "right"), REFUSED)]),
    "right password denied": ("wrong answer to AUTH", [DOWN, said("AUTH", (ANNA, "right"), DENIED, 46)]),
    "wrong password": ("wrong answer to LOGIN", [said("LOGIN", (ANNA, "wrong"), "OK")]),
    "stale login": ("wrong answer to AUTH", [said("AUTH", (BERT, "right"), DENIED, 101.1)]),
    "send-only mailbox read": ("wrong answer to LOGIN", [said("LOGIN", (SCANNER, "right"), "OK")]),
    "no such home": ("wrong answer to userdb", [said("userdb", ANNA, "nobody")]),
    "old home": ("wrong answer to userdb", [said("userdb", BERT, "nobody", 103.1)]),
    "cut alias": ("wrong answer to aliases", [said("aliases", LIST, f"OK {ANNA}")]),
    "no such domain": ("wrong answer to domains", [said("domains", "soak.test", "NOTFOUND ")]),
    "unknown reply": ("wrong answer to mailboxes", [said("mailboxes", ANNA, "PERM what?")]),
    "hung": ("no answer to RCPT", [Fault("database hung", 45, 99), said("RCPT", ANNA, NO_ANSWER + "timed out")]),
    "lost mail": ("mail in the wrong mailboxes", [mail(ANNA)]),
    "lost copy": ("mail in the wrong mailboxes", [mail(LIST), arrived(ANNA)]),
    "mail twice": ("mail in the wrong mailboxes", [mail(ANNA), arrived(ANNA), arrived(ANNA)]),
    "delivered and bounced": ("mail in the wrong mailboxes",
                              [mail(BERT, sent=100.5), arrived(BERT, 101), bounced(BERT, 101)]),
    "copy for too many": ("mail in the wrong mailboxes",
                          [mail(LIST), arrived(ANNA), arrived(FRIEND), arrived(BERT)]),
    "refused, and delivered": ("mail in the wrong mailboxes", [mail(ANNA, reply=TEMPORARY), arrived(ANNA)]),
    "in a foreign mailbox": ("mail for somebody it was not sent to",
                             [mail(ANNA), arrived(ANNA), arrived(SCANNER)]),
    "mail of nobody": ("mail that nobody sent", [arrived(ANNA)]),
    "bounced without need": ("bounce of mail for a user", [mail(ANNA), bounced(ANNA)]),
    "bounced long after there was room": ("bounce of mail for a user",
                                          [GONE, mail(CARL, sent=246), bounced(CARL, 325)]),
    "delivered too early": ("delivery to nobody", [mail(said("RCPT", BERT, "250 2.1.5 Ok", 95), sent=95),
                                                   arrived(BERT, 96)]),
    "read twice": ("reading", [mail(ANNA), arrived(ANNA), Reading(ANNA, ["soak-1", "soak-1"], 60)]),
    "read and gone": ("reading", [mail(ANNA), arrived(ANNA), Reading(ANNA, ["soak-1", "soak-2"], 60)]),
    "crash": ("trouble", ["mumd has ended with -11"]),
    "room, refused": ("wrong answer to RCPT", [said("RCPT", ANNA, FULL, 250)]),
    "not full yet": ("wrong answer to RCPT", [said("RCPT", CARL, FULL, 199)]),
    "not full any more": ("wrong answer to policy", [said("policy", CARL, "452 4.2.2 mailbox is full", 303.1)]),
    "not full when a lock was taken": ("wrong answer to policy",
                                       [Fault("quota-status hung", 303.2, 306),
                                        said("policy", CARL, "452 4.2.2 mailbox is full", 305.3)]),
    "one has room": ("wrong answer to RCPT", [said("RCPT", ONE_OF_TWO, FULL, 250)]),
    "one is outside": ("wrong answer to RCPT", [said("RCPT", ALSO_OUTSIDE, FULL, 250)]),
    "nobody, full": ("wrong answer to RCPT", [said("RCPT", "nobody@soak.test", FULL, 250)]),
    "another refusal of two": ("wrong answer to policy", [said("policy", CROWD, "452 4.2.2 mailbox is full", 250)]),
    "full for good": ("wrong answer to RCPT", [said("RCPT", CARL, FULL.replace("452 4", "552 5"), 250)]),
    "login, no answer": ("no excuse for LOGIN", [said("LOGIN", (BERT, "right"), NO_ANSWER + "EOF", 98)]),
    "full, deferred": ("no excuse for RCPT", [GONE, said("RCPT", CARL, TEMPORARY, 246)]),
    "full, accepted": ("wrong answer to RCPT", [said("RCPT", CARL, ACCEPTED, 206.1)]),
    "full, accepted by the policy service": ("wrong answer to policy", [said("policy", CROWD, "DUNNO", 206.1)]),
    "full, accepted from a login": ("wrong answer to submission RCPT",
                                    [said("submission RCPT", (ANNA, ANNA, CARL), ACCEPTED, 250)]),
    "full, asked about too late": ("wrong answer to RCPT", [GONE, said("RCPT", CARL, ACCEPTED, 252.1)]),
    "full, after a fast answer": ("wrong answer to RCPT", [said("RCPT", ANNA, ACCEPTED, 249, 0.4),
                                                           said("RCPT", CARL, ACCEPTED, 250)]),
    "full, long after a slow answer": ("wrong answer to RCPT", [said("RCPT", ANNA, ACCEPTED, 247, 0.5),
                                                                said("RCPT", CARL, ACCEPTED, 250)]),
    "full, delivered": ("delivery to nobody", [GONE, mail(CARL, sent=246), arrived(CARL, 247)]),
    "over the limit at RCPT": ("wrong answer to submission RCPT",
                               [said("submission RCPT", (ANNA, ANNA, ANNA), TOO_MUCH)]),
    "over the limit at DATA": ("wrong answer to DATA", [DOWN, said("DATA", "soak-1", TOO_MUCH, 46)]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_judge_accepts_what_may_happen(name):
    told = history(*RIGHT[name])
    assert [describe(violation, told) for violation in Judge(told).run().violations] == []


@pytest.mark.parametrize("name", WRONG)
def test_judge_sees_what_must_not_happen(name):
    what, records = WRONG[name]
    told = history(*records)
    violations = Judge(told).run().violations
    assert what in {violation.what for violation in violations}
    assert all(describe(violation, told) for violation in violations)


# ---- a long history ----

def test_what_overlaps_a_time_is_found_as_by_looking_at_each():
    dice = random.Random(5)
    for _ in range(200):
        spans = [(began, began + dice.choice([0, 1, 30])) for began in dice.choices(range(40), k=12)]
        found = Spans(spans, lambda span: span)
        since = dice.randrange(-5, 45)
        until = since + dice.randrange(10)
        assert found.between(since, until) == sorted(
            span for span in spans if span[0] <= until and span[1] >= since)


def test_possible_states_are_found_as_by_looking_at_each():
    told = history()
    for since in range(90, 320):
        for until in (since, since + 1, since + 120):
            assert told.possible(since, until) == [
                version for version in told.versions
                if version.earliest <= until and version.latest >= since]


def test_a_day_is_judged_within_minutes():
    """Each answer is judged by what was about at its time, however much there was in all."""
    took = []
    for length in (500, 5000):
        told = History(BEFORE, LIMITS)
        told.versions = [Version(BEFORE, second, second + 1.5) for second in range(length)]
        told.faults = [Fault("mumd reloaded", second, second + 1) for second in range(length)]
        told.hiccups = [Hiccup(second, second + 0.1) for second in range(length)]
        told.answers = [said("mailboxes", ANNA, "OK 1", dice.uniform(0, length))
                        for dice in [random.Random(1)] for _ in range(2000)]
        began = time.process_time()
        assert Judge(told).run().violations == []
        took.append(time.process_time() - began)
    assert took[1] < 3 * took[0]


# ---- what a fault excuses ----

def temporary(kind, asked, seconds=0.1):
    """Each kind's own words for it."""
    replies = {"LOGIN": "[UNAVAILABLE] Temporary authentication failure.", "auth imap": "temp_fail",
               "auth smtp": "temp_fail", "userdb": "temp_fail", "policy": "DEFER_IF_PERMIT 4.3.0 x",
               **dict.fromkeys((*FROM_MUMD, "MAIL", "RSET"), TEMPORARY),
               "AUTH": "454 4.7.0 Temporary authentication failure"}
    return said(kind, ABOUT.get(kind, (ANNA, "right")), replies.get(kind, "TEMP x"), asked, seconds)


def unanswered(kind, asked, seconds=0.1):
    return said(kind, ABOUT.get(kind, (ANNA, "right")), NO_ANSWER + "closed by the server", asked,
                seconds)


OUR_MAPS = {"domains", "mailboxes", "aliases", "recipient-access", "sender-login-maps", "policy"}
OUR_LOGINS = {"auth imap", "auth smtp", "userdb"}
FROM_MUMD = {"RCPT", "submission RCPT", "DATA", "limited RCPT", "limited DATA"}
ABOUT = {"limited DATA": ("soak-1", "1")}
AT_POSTFIX = {"connect MX", "connect submission", "MAIL", "RSET", "AUTH", *FROM_MUMD}
AT_DOVECOT = {"connect submission", "connect IMAP", "connect auth", "LOGIN", "INBOX", *OUR_LOGINS}
AT_MUMD = {"connect mumd", "kept connection", *OUR_MAPS}
BY_DATABASE = {"LOGIN", "AUTH", *OUR_MAPS, *OUR_LOGINS, *FROM_MUMD}
OURS = {"connect mumd", "connect auth", *OUR_MAPS, *OUR_LOGINS}

# By where a fault strikes: the kinds of questions that may get a temporary failure, and
# those that may get no answer.
SPOILED = {
    None: (set(), set()),
    "database": (BY_DATABASE, set()),
    "mumd": (FROM_MUMD | OUR_MAPS, AT_MUMD),
    "dovecot": ({"LOGIN", "AUTH"}, AT_DOVECOT),
    "postfix": ({"MAIL", "RSET", "AUTH", *FROM_MUMD}, AT_POSTFIX),
    "quota": (set(), set()),        # mail is accepted
}


WHERE = {
    None: {"connections killed", "first host gone", "first host silent", "mumd reloaded", "slow clients"},
    "database": {"database hung", "database killed", "tables locked", "too many connections", "network cut",
                 "network silent", "wrong password"},
    "mumd": {"mumd restarted", "mumd killed", "no descriptors"},
    "dovecot": {"dovecot reloaded", "old auth ended"},
    "postfix": {"postfix reloaded"},
    "quota": {"quota-status hung", "quota-status killed"},
}
LONG_RECOVERY = {"wrong password": 2.5, "no descriptors": 1.5}
STRIKES = [(fault, *SPOILED[where]) for where, faults in WHERE.items() for fault in sorted(faults)]


def excused(*records):
    return not [violation for violation in Judge(history(*records)).run().violations
                if violation.what.startswith("no excuse")]


# A connection is open or not: it cannot tell of a temporary failure.
SAYABLE = sorted(set(KINDS) - {"INBOX", "kept connection"} - {kind for kind in KINDS if "connect" in kind})


@pytest.mark.parametrize("fault, fails, ends", STRIKES)
def test_a_fault_excuses_what_it_may_spoil_and_nothing_else(fault, fails, ends):
    struck = Fault(fault, 45, 49)
    assert {kind for kind in SAYABLE if excused(struck, temporary(kind, 46))} == fails
    assert {kind for kind in KINDS if excused(struck, unanswered(kind, 46))} == ends


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_without_a_fault_nothing_is_excused(kind):
    assert not excused(unanswered(kind, 46))
    assert kind not in SAYABLE or not excused(temporary(kind, 46))


@pytest.mark.parametrize("fault, fails, ends", STRIKES)
def test_an_excuse_ends_with_the_recovery(fault, fails, ends):
    """The recovery is longer for Postfix and Dovecot's services. A question from before the
    fault that is answered during it is excused, too.
    """
    struck, recovery = Fault(fault, 45, 49), LONG_RECOVERY.get(fault, 1)
    for made, kinds in ((temporary, fails), (unanswered, ends)):
        for kind in sorted(kinds):
            end = 49 + recovery + (0 if kind in OURS else 1)
            assert excused(struck, made(kind, end - 0.1))
            assert not excused(struck, made(kind, end + 0.1))
            assert excused(struck, made(kind, 44, 1.5))
            assert not excused(struck, made(kind, 44, 0.5))


@pytest.mark.parametrize("fault", sorted(EFFECTS))
def test_mail_to_the_full_is_accepted_until_a_probe_finds_quota_status(fault):
    struck, at = Fault(fault, 245, 249), EFFECTS[fault].at
    doubt = [seconds for seconds in (246, 249 + LONG_RECOVERY.get(fault, 1) + 1.9)
             if not Judge(history(struck, said("RCPT", CARL, ACCEPTED, seconds))).run().violations]
    assert len(doubt) == (2 if at in QUOTA.fails else 0)
    late = said("RCPT", CARL, ACCEPTED, 249 + LONG_RECOVERY.get(fault, 1) + 2.1)
    assert Judge(history(struck, late)).run().violations


@pytest.mark.parametrize("first, second, kind", [
    ("slow clients", "mumd reloaded", "mailboxes"), ("postfix reloaded", "dovecot reloaded", "policy"),
    ("mumd killed", "postfix reloaded", "LOGIN"), ("first host gone", "connections killed", "auth imap")])
def test_faults_elsewhere_are_no_excuse_together(first, second, kind):
    assert not excused(Fault(first, 45, 49), Fault(second, 45, 49), temporary(kind, 46))


@pytest.mark.parametrize("actor, kind", [(Sender, "connect MX"), (Submitter, "connect submission"),
                                         (Reader, "connect IMAP"), (Asker, "connect mumd")])
def test_a_connection_that_is_not_made_goes_into_the_history(actor, kind, tmp_path):
    plan = Plan(1, 120)
    world = types.SimpleNamespace(
        plan=plan, mumd=types.SimpleNamespace(socketmap=tmp_path / "none", policy=tmp_path / "none"),
        postfix=types.SimpleNamespace(port=free_port(), submission_port=free_port()),
        dovecot=types.SimpleNamespace(imap_port=free_port()))
    told = History(plan.state, LIMITS)
    actor("somebody", world, told).step()
    (answer,) = told.answers
    assert answer.kind == kind and answer.reply.startswith(NO_ANSWER)
    assert [violation.what for violation in Judge(told).run().violations] == [f"no excuse for {kind}"]


@pytest.mark.parametrize("old, there, seen", [
    ([7], [{7, 8}, {7, 8}], []), ([7], [{7, 8}, {8}], [1]), ([], [{7}, set()], []),
    ([6, 7], [{6, 8}, {8}, {8}], [0, 1])])
def test_the_end_of_an_old_auth_process_is_a_fault_and_no_other(old, there, seen):
    """old: those that a reload left. there: whom the looks find. seen: which looks miss one."""
    plan, looks, times = Plan(1, 120), iter(there), []
    world = types.SimpleNamespace(plan=plan, old_auths=set(old), dovecot=types.SimpleNamespace(
        auth_pids=lambda: next(looks)))
    told = History(plan.state, LIMITS)
    watcher = Watcher("somebody", world, told)
    for _ in there:
        times.append(time.time())
        watcher.look_for_ends()
    assert [fault.kind for fault in told.faults] == ["old auth ended"] * len(seen)
    for look, fault in zip(seen, told.faults):
        before = times[max(0, look - 1)]
        assert fault.began < before - 0.9 and times[look] <= fault.ended


# ---- time ----

HUNG = Fault("database hung", 40, 70)
DEADLINES = [("mailboxes", "TEMP x", 2), ("policy", "DEFER_IF_PERMIT 4.3.0 x", 3), ("userdb", "temp_fail", 5),
             ("auth imap", "temp_fail", 5), ("auth smtp", "temp_fail", 12), ("connect mumd", "ok", 2)]


def is_late(*records):
    return any(violation.what.startswith("late") for violation in Judge(history(*records)).run().violations)


@pytest.mark.parametrize("kind, reply, deadline", DEADLINES)
def test_an_answer_comes_a_second_after_its_deadline_at_the_latest(kind, reply, deadline):
    question = (ANNA, "right") if kind.startswith("auth") else ANNA
    assert not is_late(HUNG, said(kind, question, reply, 50, deadline + 0.9))
    assert is_late(HUNG, said(kind, question, reply, 50, deadline + 1.1))


def test_postfix_may_take_its_own_time():
    assert not is_late(HUNG, said("RCPT", ANNA, TEMPORARY, 50, 20))


@pytest.mark.parametrize("late, more", [
    (True, []), (True, [Fault("quota-status hung", 40, 70)]), (True, [Fault("database hung", 40, 47.9)]),
    (False, [Fault("database hung", 40, 48.1)]), (False, [Fault("first host silent", 40, 70)]),
    (False, [Hiccup(51, 51.2)])])
def test_quota_status_delays_postfix_by_its_deadline_at_most(late, more):
    """The answer took a little longer than the deadline and a second."""
    for kind, question in (("RCPT", ANNA), ("submission RCPT", (ANNA, ANNA, ANNA))):
        assert is_late(said(kind, question, ACCEPTED, 50, 2.1), *more) == late
        assert not is_late(said(kind, question, ACCEPTED, 50, 1.9), *more)


@pytest.mark.parametrize("late, more", [
    (True, [Hiccup(51, 51.9)]), (False, [Hiccup(51, 52.1)]), (True, [Hiccup(51, 51.9), Hiccup(40, 49)]),
    (False, [Fault("no descriptors", 49, 51)]), (True, [Fault("dovecot reloaded", 49, 53)]),
    (True, [Fault("no descriptors", 40, 49.4)]), (True, [Hiccup(51, 51.6), Hiccup(51, 51.6)])])
def test_time_stands_still_while_nobody_can_take_the_question(late, more):
    """The answer took a second too long."""
    assert is_late(HUNG, said("mailboxes", ANNA, "TEMP x", 50, 4.0), *more) == late


# ---- is there enough? ----

def enough(minutes, leave_out=(), faults=()):
    right = {"LOGIN": ((ANNA, "right"), "OK"), "AUTH": ((ANNA, "right"), "235 ok"),
             "submission RCPT": ((ANNA, ANNA, ANNA), "250 ok"), "RCPT": (ANNA, "250 ok"),
             **dict.fromkeys(("MAIL", "DATA", "RSET"), ("x", "250 ok")),
             **dict.fromkeys(("auth imap", "auth smtp"), ((ANNA, "right"), "ok")), "userdb": (ANNA, "found"),
             "limited RCPT": ((GREEDY, FRIEND), "250 ok"), "limited DATA": (("x", "1"), "250 ok"),
             "domains": ("soak.test", "OK soak.test"), "mailboxes": (ANNA, "OK 1"), "aliases": (ANNA, "NOTFOUND "),
             "recipient-access": (ANNA, "OK DUNNO"), "sender-login-maps": (ANNA, f"OK {ANNA}"), "policy": (ANNA, "DUNNO")}
    records = [said(name, *right.get(name, ((), "ok"))) for name, kind in KINDS.items()
               for _ in range(kind.least * minutes) if name not in leave_out]
    records += [said("RCPT", CARL, FULL, 250)] * (FULL_LEAST * minutes - ("full" in leave_out))
    records += [said("limited DATA", ("x", str(BURST + 1)), OVER)] * (minutes - ("over" in leave_out))
    records += [said("limited RCPT", (GREEDY, FRIEND), TOO_MUCH)] * (minutes - ("limit" in leave_out))
    judge = Judge(history(*records, *faults)).run()
    judge.judge_amount(minutes, ["mumd killed"])
    return [(violation.what, violation.question) for violation in judge.violations
            if violation.what != "wrong answer to limited RCPT"]


def test_a_soak_must_say_enough_of_each_kind_and_strike_with_each_fault():
    struck = [Fault("mumd killed", 45, 46)]
    assert enough(1, faults=struck) == []
    assert enough(1) == [("a fault that never struck", "mumd killed")]
    assert enough(1, faults=[Fault("mumd killed", 45)]) == enough(1)
    assert enough(2, ["LOGIN"], struck) == [("too few answers", "LOGIN")]
    assert enough(2, ["full"], struck) == [("too few answers", "452 4.2.2")]
    assert enough(2, ["over"], struck) == [("too few answers", "554 5.7.1")]
    assert enough(2, ["limit"], struck) == [("too few answers", "450 4.7.1")]


def test_trouble_is_not_enough():
    judge = Judge(history(HUNG, *[temporary("mailboxes", 50)] * 1000)).run()
    judge.judge_amount(1, [])
    assert ("too few answers", "mailboxes") in [(v.what, v.question) for v in judge.violations]


def test_violation_is_described_with_all_it_was_judged_by():
    told = history(Fault("tables locked", 109, 120), said("RCPT", BERT, "550 5.2.1 no", 108))
    (violation,) = Judge(told).run().violations
    assert describe(violation, told) == """\
VIOLATION wrong answer to RCPT
  question  bert@soak.test
  answer    550 5.2.1 no
  expected  250 or 550 5.1.1
  judged by the states from 98.000 to 108.100 s:
    from ..., until 101.000 at the latest
      bert@soak.test active=False send_only=False password='right' full=False
    from 100.000, until 201.000 at the latest
      bert@soak.test active=True send_only=False password='right' full=False
  faults:
    none"""
