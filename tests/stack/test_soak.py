# SPDX-License-Identifier: MIT
"""Two minutes of tests/stack/soak; and that its judge sees what is wrong with a history."""

import pathlib
import subprocess
import sys

import pytest

from soak_history import NO_ANSWER, Answer, Bounce, Delivery, Fault, History, Message, Reading, Version
from soak_judge import Judge, describe
from soak_model import Alias, Mailbox, State
from soak_plan import LANES, Plan

SEED, MINUTES = 7, 2


def test_soak():
    script = pathlib.Path(__file__).with_name("soak")
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


# ---- the judge ----

ANNA, BERT, SCANNER, LIST, FRIEND = ("anna@soak.test", "bert@soak.test", "scanner@soak.test",
                                     "list@soak.test", "friend@external.test")
BEFORE = State({ANNA: Mailbox(True, False, "right"), BERT: Mailbox(False, False, "right"),
                SCANNER: Mailbox(True, True, "right")},
               {LIST: Alias(True, (ANNA, BERT, FRIEND), (ANNA,))})
# At 100 s bert becomes active; it takes a second.
AFTER = BEFORE._replace(mailboxes={**BEFORE.mailboxes, BERT: Mailbox(True, False, "right")})
TTL, STALE = 2, 10


def history(*records):
    made = History(BEFORE, TTL, STALE)
    made.began = 0
    made.versions = [Version(BEFORE, float("-inf"), 101), Version(AFTER, 100)]
    lists = {Answer: made.answers, Message: made.messages, Delivery: made.deliveries,
             Bounce: made.bounces, Reading: made.readings, Fault: made.faults, str: made.problems}
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
    """A mail to these, each accepted unless it is an Answer."""
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
TEMPORARY = "451 4.3.0 <x>: Temporary lookup failure"
REFUSED = "[AUTHENTICATIONFAILED] Authentication failed."
DENIED = "535 5.7.8 Error: authentication failed: (reason unavailable)"
DOWN = Fault("database killed", 45, 49.5)

RIGHT = {
    "accepted": [said("RCPT", ANNA, "250 2.1.5 Ok"), said("RCPT", "ANNA+x@soak.test", "250 2.1.5 Ok")],
    "refused": [said("RCPT", BERT, UNKNOWN), said("RCPT", SCANNER, SEND_ONLY), said("RCPT", FRIEND, RELAY)],
    "while it changes": [said("RCPT", BERT, reply, 100.5) for reply in ("250 2.1.5 Ok", UNKNOWN)],
    "stale": [said("RCPT", BERT, UNKNOWN, 110.9), said("userdb", BERT, "nobody", 102.9)],
    "temporary in a fault": [DOWN, said("RCPT", ANNA, TEMPORARY, 46), said("mailboxes", ANNA, "TEMP x", 50.4),
                             said("LOGIN", (ANNA, "right"), NO_ANSWER + "closed by the server", 54)],
    "logins": [said("LOGIN", (ANNA, "right"), "OK"), said("LOGIN", (ANNA, "wrong"), REFUSED),
               said("LOGIN", (SCANNER, "right"), REFUSED), said("AUTH", (SCANNER, "right"), "235 2.7.0 ok"),
               said("AUTH", (BERT, "right"), DENIED), said("AUTH", (BERT, "right"), "235 2.7.0 ok", 101.1)],
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
    "no recovery": ("no recovery of mailboxes", [DOWN, said("mailboxes", ANNA, "TEMP x", 50.6)]),
    "no recovery of mail": ("no recovery of RCPT", [DOWN, said("RCPT", ANNA, TEMPORARY, 54.6)]),
    "trouble without a fault": ("no recovery of auth", [said("auth", (ANNA, "right", "imap"), "temp_fail")]),
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
    "delivered too early": ("delivery to nobody", [mail(said("RCPT", BERT, "250 2.1.5 Ok", 95), sent=95),
                                                   arrived(BERT, 96)]),
    "read twice": ("reading", [mail(ANNA), arrived(ANNA), Reading(ANNA, ["soak-1", "soak-1"], 60)]),
    "read and gone": ("reading", [mail(ANNA), arrived(ANNA), Reading(ANNA, ["soak-1", "soak-2"], 60)]),
    "crash": ("trouble", ["mumd has ended with -11"]),
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
      bert@soak.test active=False send_only=False password='right'
    from 100.000, until ... at the latest
      bert@soak.test active=True send_only=False password='right'
  faults:
    none"""
