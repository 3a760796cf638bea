# SPDX-License-Identifier: MIT
"""What the soak's judge says of the login that sends more than it may."""

import pytest

from soak.history import NO_ANSWER, Answer, Fault, History, Limits, Message
from soak.judge import Judge
from soak.limit import Count, Counts
from soak.model import BURST, GREEDY, INTERVAL, Mailbox, State

ANNA, FRIEND = "anna@soak.test", "friend@external.test"
STATE = State({ANNA: Mailbox(True, False, "right"), GREEDY: Mailbox(True, False, "right")}, {})
LIMITS = Limits(ttl=2, stale=10, lookup=2, login=5, smtp_login=12, room=1, quota=1)

OK = "250 2.1.5 Ok"
TOO_MUCH = "450 4.7.1 <x>: Sender address rejected: too many recipients for this login; try again later"
NEVER = "554 5.7.1 <DATA>: Data command rejected: more recipients in one mail than this login may send to"
LOST = NO_ANSWER + "closed by the server"

KILLED = Fault("mumd killed", 100, 101)
RESTARTED = Fault("mumd restarted", 100, 101)
RELOADED = Fault("postfix reloaded", 99, 99)


def mail(number, when, reply=OK, login=GREEDY, took=0.1):
    """A mail to so many accepted recipients."""
    kind = "limited" if login == GREEDY else "submission"
    more = () if login == GREEDY else (login,)
    rcpts = [Answer(f"{kind} RCPT", (login, *more, FRIEND), OK, when - 1, when - 0.9)] * number
    return Message(f"soak-{when}", rcpts, reply, when, when + took)


def rcpt(reply, when, took=0.1):
    return Answer("limited RCPT", (GREEDY, FRIEND), reply, when, when + took)


def told(*records):
    history = History(STATE, LIMITS)
    for record in records:
        lists = {Message: history.messages, Answer: history.answers, Fault: history.faults}
        if isinstance(record, Counts):
            history.counts = record
            continue
        lists[type(record)].append(record)
        if isinstance(record, Message) and record.rcpts[0].kind == "limited RCPT":
            history.answers.append(Answer("limited DATA", (record.id, str(len(record.rcpts))),
                                          record.reply, record.asked, record.answered))
    return [violation.what for violation in Judge(history).run().violations
            if violation.what != "mail in the wrong mailboxes"]


def counted(sent, over=0, left=BURST, login=GREEDY, when=500):
    return Counts({login: Count(sent, over, left if login == GREEDY else None)}, when, when + 0.1)


BURSTED = mail(BURST, 99)       # nothing is left until 101, and all of it is back at 109

RIGHT = {
    "all at once": [mail(BURST, 99)],
    "one after the other": [mail(1, 99), mail(1, 99.2), mail(3, 99.4)],
    "over at RCPT": [BURSTED, rcpt(TOO_MUCH, 100)],
    "over at DATA": [BURSTED, mail(2, 102, TOO_MUCH)],
    "one is back": [BURSTED, rcpt(OK, 101.2), mail(1, 101.2)],
    "while it comes back": [BURSTED, rcpt(TOO_MUCH, 101), rcpt(OK, 101, 0.2)],
    "all are back": [BURSTED, mail(BURST, 109.2)],
    "never": [mail(BURST + 1, 99, NEVER)],
    "refused mails do not count": [mail(BURST + 1, 98, NEVER), BURSTED],
    "lost, and counted or not": [RELOADED, mail(BURST, 99, LOST), rcpt(TOO_MUCH, 100), rcpt(OK, 100.5)],
    "mumd is away": [KILLED, BURSTED, mail(BURST, 100.5), mail(BURST + 1, 100.7)],
    "a killed one has forgotten": [KILLED, BURSTED, rcpt(OK, 103.5), mail(BURST, 103.5)],
    "a killed one has not forgotten": [KILLED, mail(BURST, 98), rcpt(TOO_MUCH, 100.9)],
    "a new one drains a little later": [RESTARTED, mail(BURST, 98), mail(2, 102.5, TOO_MUCH)],
    "what was sent": [mail(2, 99), mail(1, 300), counted(3)],
    "what others sent": [mail(30, 99, login=ANNA), counted(30, login=ANNA)],
    "what is left": [mail(3, 499), counted(3, 0, BURST - 3)],
    "who was over": [BURSTED, rcpt(TOO_MUCH, 100), mail(2, 102, TOO_MUCH), counted(BURST, 3)],
    "what was lost": [RELOADED, mail(2, 98), mail(2, 99, LOST), counted(4)],
    "forgotten by a killed one": [KILLED, mail(2, 90), mail(2, 200), counted(2)],
}

WRONG = {
    "too much passes at RCPT": [BURSTED, rcpt(OK, 100)],
    "too much passes at DATA": [BURSTED, mail(2, 101.5)],
    "too much passes at last": [BURSTED, mail(1, 101.2), rcpt(OK, 102.5)],
    "refused at once": [rcpt(TOO_MUCH, 99)],
    "refused without need": [mail(BURST - 1, 99), rcpt(TOO_MUCH, 99.5)],
    "refused at DATA without need": [mail(2, 99), mail(2, 99.5, TOO_MUCH)],
    "refused for too long": [BURSTED, rcpt(TOO_MUCH, 99.2 + INTERVAL)],
    "more than ever passes": [mail(BURST + 1, 99)],
    "never, without need": [mail(BURST, 99, NEVER)],
    "later, where it is never": [mail(BURST + 1, 99, TOO_MUCH)],
    "all forgotten without a fault": [BURSTED, mail(BURST, 102)],
    "forgotten long after a kill": [KILLED, mail(BURST, 105), rcpt(OK, 106)],
    "drains much later": [RESTARTED, mail(BURST, 98), mail(1, 104, TOO_MUCH)],
    "too few counted": [mail(3, 99), counted(2)],
    "too many counted": [mail(3, 99), counted(4)],
    "nobody counted": [mail(3, 99), Counts({}, 500, 501)],
    "others not counted": [mail(3, 99, login=ANNA), Counts({}, 500, 501)],
    "others over": [mail(3, 99, login=ANNA), counted(3, 1, login=ANNA)],
    "a stranger counted": [counted(1, login="nobody@soak.test")],
    "too few over": [BURSTED, rcpt(TOO_MUCH, 100), counted(BURST, 0)],
    "too many over": [BURSTED, counted(BURST, 1)],
    "too much left": [mail(3, 499), counted(3, 0, BURST - 2)],
    "too little left": [mail(3, 499), counted(3, 0, BURST - 4)],
    "forgotten after the kill": [KILLED, mail(2, 200), counted(0)],
}


@pytest.mark.parametrize("name", RIGHT)
def test_judge_accepts_what_the_limit_allows(name):
    assert told(*RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_judge_sees_what_the_limit_forbids(name):
    (wrong,) = {what.partition(" to ")[0] for what in told(*WRONG[name])}
    assert wrong == ("wrong count of a login" if any(isinstance(record, Counts) for record in WRONG[name])
                     else "wrong answer")
