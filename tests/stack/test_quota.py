# SPDX-License-Identifier: MIT
"""mumd asks quota-status: whom, when, and what it makes of the answers. A fake service;
the real one is asked in test_quota_dovecot.py."""

import concurrent.futures
import contextlib
import re
import sqlite3
import shutil
import time

import pytest

from fakes.quota_status import FULL, TROUBLE, QuotaStatus
from lab import Mumctl, Mumd, wait_until
from lab.lab import ENVIRONMENT, TOP
from lab.mumd import GROUP, sqlite_settings

DUNNO = "DUNNO"
ONE = "452 4.2.2 mailbox is full"
ALL = "452 4.2.2 all mailboxes of this address are full"
SEND_ONLY = "550 5.2.1 mailbox does not accept mail (send-only)"
# Seconds on a busy machine; the deadline is one, and half of it is the least that is waited.
AT_ONCE, A_SECOND = 0.45, 1.4
ALICE, BOB, CAROL = "alice@example.test", "bob@example.test", "carol@second.test"


class Pair:
    """mumd and the service that it asks."""

    def __init__(self, lab, sqlite, name, address=None, **policy):
        self.service = QuotaStatus(lab.directory(name) / "quota-status").start()
        lab.at_end(self.service.stop)
        self.settings = {
            "database": sqlite_settings(sqlite), "metrics": {"listen": Mumd.METRICS},
            "address": address or {},
            "policy": {"quota": "enforce", "quota_status": f"unix:{self.service.path}",
                       "quota_ttl": "0s", **policy}}
        self.mumd = Mumd(lab, self.settings, name=f"mumd-{name}").start()

    def rcpt(self, recipient, **attributes):
        attributes = {"policy_context": "recipient", "sender": "x@foreign.test", **attributes}
        return self.mumd.decide(recipient=recipient, **attributes)

    def timed(self, recipient):
        """(action, seconds)"""
        began = time.monotonic()
        return self.rcpt(recipient), time.monotonic() - began

    def lines(self):
        return [line for line in self.mumd.log() if "quota: unix:" in line]

    def configure(self, **policy):
        self.settings["policy"].update(policy)
        self.mumd.write(self.settings)
        seen = len(self.mumd.log())
        self.mumd.reload()
        self.mumd.wait_log("reload", "done", after=seen)


@pytest.fixture
def pair(lab, sqlite, request):
    made = []

    def make(**policy):
        name = f"quota{len(list(lab.path.iterdir()))}"
        made.append(Pair(lab, sqlite, name, **policy))
        return made[-1]
    yield make
    for one in made:
        one.mumd.stop()
        one.service.stop()


# ---- whom, and what becomes of it ----

# (recipient, who is full, action, who is asked)
RECIPIENTS = [
    (ALICE, [], DUNNO, [ALICE]),
    (ALICE, [ALICE], ONE, [ALICE]),
    ("ALICE+x@Example.TEST", [ALICE], ONE, [ALICE]),
    ("dup@example.test", [ALICE], ONE, [ALICE]),                # an alias counts first
    ("dup@example.test", ["dup@example.test"], DUNNO, [ALICE]),
    ("team@example.test", [], DUNNO, [CAROL]),                  # the first that can take it
    ("team@example.test", [CAROL], DUNNO, [CAROL, BOB]),
    ("team@example.test", [CAROL, BOB], DUNNO, [CAROL, BOB, ALICE]),
    ("team@example.test", [ALICE, BOB, CAROL], ALL, [CAROL, BOB, ALICE]),
    ("copy@example.test", ["copy@example.test", BOB], ALL, ["copy@example.test", BOB]),
    ("copy@example.test", ["copy@example.test"], DUNNO, ["copy@example.test", BOB]),
    ("mixed@example.test", [ALICE], ONE, [ALICE]),              # the others take no mail
    ("books@bücher.test", [ALICE], ONE, [ALICE]),
    ("uwe@bücher.test", ["uwe@xn--bcher-kva.test"], ONE, ["uwe@xn--bcher-kva.test"]),
    ("info@example.test", [ALICE, BOB], DUNNO, []),             # one outside
    ("nested@example.test", [ALICE, BOB], DUNNO, []),
    ("limit@big.test", [], DUNNO, []),
    ("jörg@example.test", [], DUNNO, []),                       # 2.3 would log an error
    ("with space@example.test", [], DUNNO, []),
    ("nobody@example.test", [], DUNNO, []),
    ("x@foreign.test", [], DUNNO, []),
    ("sendonly@example.test", [], SEND_ONLY, []),
    ("alice%example.test", [ALICE], ONE, [ALICE]),              # as Postfix rewrites it
    ("alice%x@foreign.test", [ALICE], DUNNO, []),               # or does not: nobody knows
]


@pytest.fixture(scope="module")
def shared(lab, sqlite):
    one = Pair(lab, sqlite, "quota-shared")
    yield one
    one.mumd.stop()


@pytest.mark.parametrize("recipient, full, action, asked", RECIPIENTS)
def test_whom(shared, recipient, full, action, asked):
    shared.service.actions = {mailbox: FULL for mailbox in full}
    shared.service.asked.clear()
    assert shared.rcpt(recipient) == action
    assert shared.service.mailboxes() == asked


@pytest.fixture(scope="module")
def caught(lab, sqlite):
    """A catch-all that leads to alice and bob, and a role that leads to carol."""
    path = lab.path / "quota-caught.sqlite"
    shutil.copy(sqlite, path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO aliases (id, local_part, domain_id) VALUES (900, '', 1)")
        connection.executemany("INSERT INTO alias_recipients (alias_id, recipient_address) "
                               "VALUES (900, ?)", [(ALICE,), (BOB,)])
    one = Pair(lab, path, "quota-caught", address={
        "other_maps": "off", "catch_all": "on", "roles": ["hostmaster"],
        "role_recipient": CAROL})
    yield one
    one.mumd.stop()


@pytest.mark.parametrize("recipient, full, action, asked", [
    ("nobody@example.test", [], DUNNO, [ALICE]),
    ("nobody+x@example.test", [ALICE], DUNNO, [ALICE, BOB]),
    ("nobody@example.test", [ALICE, BOB], ALL, [ALICE, BOB]),
    ("hostmaster@example.test", [CAROL], ONE, [CAROL]),
    ("hostmaster@second.test", [ALICE, BOB], DUNNO, [CAROL]),
    ("alice@example.test", [BOB], DUNNO, [ALICE]),
])
def test_a_role_and_a_catch_all_are_aliases(caught, recipient, full, action, asked):
    caught.service.actions = {mailbox: FULL for mailbox in full}
    caught.service.asked.clear()
    assert caught.rcpt(recipient) == action
    assert caught.service.mailboxes() == asked


@pytest.mark.parametrize("size, sent", [("1234", 1234), ("", 0), ("0", 0), ("x", 0), (None, 0)])
def test_the_size_is_always_sent(shared, size, sent):
    shared.service.asked.clear()
    shared.rcpt(ALICE, size=size)
    assert shared.service.asked == [(ALICE, sent)]


@pytest.mark.parametrize("attributes, asked", [
    ({"policy_context": ""}, True), ({"policy_context": "sender"}, False),
    ({"protocol_state": "MAIL"}, False), ({"protocol_state": "DATA"}, False),
    ({"sender": ""}, True), ({"policy_context": "", "sender": ALICE}, True),
    ({"policy_context": "", "sender": ALICE, "sasl_username": ALICE}, True),
    ({"policy_context": "", "sender": ALICE, "sasl_username": BOB}, False),   # refused before
])
def test_when(shared, attributes, asked):
    shared.service.asked.clear()
    shared.rcpt(ALICE, **attributes)
    assert shared.service.mailboxes() == [ALICE] * asked


ANSWERS = [
    ("OK", DUNNO), ("DUNNO", DUNNO), ("", DUNNO), ("REJECT Unknown user", DUNNO), ("junk", DUNNO),
    ("554 5.2.2 Quota exceeded (mailbox for user is full)", ONE), ("552 5.2.3 too large", ONE),
    ("550 5.1.1 unknown", DUNNO), (TROUBLE, DUNNO),
]


@pytest.mark.parametrize("answer, action", ANSWERS)
def test_what_it_makes_of_answers(shared, answer, action):
    shared.service.actions = {ALICE: answer}
    assert shared.rcpt(ALICE) == action


def test_an_answer_in_doubt_ends_the_questions(shared):
    shared.service.actions = {CAROL: "", BOB: FULL, ALICE: FULL}
    assert shared.rcpt("team@example.test") == DUNNO


def test_the_log_and_the_metrics(pair):
    one = pair()
    one.service.actions = {ALICE: FULL, BOB: FULL, CAROL: FULL}
    assert one.rcpt("team@example.test", size="77", queue_id="3yX") == ALL
    one.rcpt("bob+x@example.test")
    line = one.mumd.wait_log("policy: reject", "team@")
    assert line.endswith(
        "policy: reject: reason=over_quota sender=<x@foreign.test> recipient=<team@example.test> "
        "login=<> client=unknown[127.0.0.1] queue_id=3yX size=77 asked=3 "
        f"action=<{ALL}>")
    one.service.actions = {}
    one.rcpt(ALICE)
    page = one.mumd.page()
    assert page.sum("mumd_quota_questions_total", result="full") == 4
    assert page.sum("mumd_quota_questions_total", result="room") == 1
    assert page.sum("mumd_quota_question_duration_seconds_count") == 5
    assert page.sum("mumd_quota_connections", state="idle") == 1
    assert page.sum("mumd_quota_up") == 1
    decisions = {"check": "quota", "action": "reject", "reason": "over_quota"}
    assert page.sum("mumd_policy_decisions_total", **decisions) == 2
    assert not any("alice" in line for line in page.text.splitlines())


def test_options(pair):
    one = pair(quota="warn", quota_reply="reject", quota_recipients=2)
    one.service.actions = {ALICE: FULL, BOB: FULL, CAROL: FULL}
    assert one.rcpt(ALICE) == DUNNO
    one.mumd.wait_log("policy: would reject", "over_quota", "action=<552 5.2.2 mailbox is full>")
    assert one.rcpt("team@example.test") == DUNNO      # three, and two may be
    assert one.service.mailboxes() == [ALICE]
    one.configure(quota="enforce", quota_recipients=3)
    assert one.rcpt(ALICE) == "552 5.2.2 mailbox is full"
    assert one.rcpt("team@example.test") == "552 5.2.2 all mailboxes of this address are full"
    one.configure(quota="off")
    one.service.asked.clear()
    assert one.rcpt(ALICE) == DUNNO
    assert one.service.asked == []
    wait_until(lambda: one.service.connections() == 0, "no connections")


def test_room_is_remembered_and_full_is_not(pair):
    one = pair(quota_ttl="1s")
    for _ in range(5):
        assert one.rcpt(ALICE, size="100") == DUNNO
    assert one.service.asked == [(ALICE, 100)]
    assert one.mumd.page().sum("mumd_quota_questions_total", result="remembered") == 4
    one.service.actions = {ALICE: FULL}
    assert one.rcpt(ALICE, size="101") == ONE       # a larger mail
    wait_until(lambda: one.rcpt(ALICE) == ONE, "the second is over", 3)
    one.service.actions = {}
    assert one.rcpt(ALICE) == DUNNO


def test_recipients_need_not_be_checked(pair):
    one = pair(recipient="off")
    one.service.actions = {ALICE: FULL}
    assert one.rcpt(ALICE) == ONE
    assert one.rcpt("sendonly@example.test") == DUNNO
    assert one.service.mailboxes() == [ALICE]


# ---- trouble: mail flows, and nobody waits ----

def test_no_service(pair):
    one = pair()
    one.service.stop()
    one.service.path.unlink()
    for _ in range(20):
        action, seconds = one.timed(ALICE)
        assert action == DUNNO and seconds < AT_ONCE
    time.sleep(3)
    assert len(one.lines()) == 1
    assert "No such file or directory; mail is accepted without asking" in one.lines()[0]
    assert one.mumd.page().sum("mumd_quota_up") == 0
    assert one.mumd.page().sum("mumd_quota_questions_total", result="skipped") == 20
    one.service.start()
    one.service.actions = {ALICE: FULL}
    wait_until(lambda: one.rcpt(ALICE) == ONE, "it asks again", 3)
    assert len(one.lines()) == 2 and "answers again after" in one.lines()[1]


def break_silent(service):
    service.silent = True


def break_slow(service):
    service.delay = 30


def break_garbled(service):
    service.raw = b"220 ready\n\n"


def break_half(service):
    service.raw = b"action=452 4.2.2 mail"


def break_trouble(service):
    service.default = TROUBLE
    service.actions = {ALICE: TROUBLE}


def break_dead(service):
    service.stop()


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("fault", [break_silent, break_slow, break_garbled, break_half,
                                   break_trouble, break_dead])
def test_faults(pair, fault, warm):
    """At most a second for those that are under way, and then nothing for anybody."""
    one = pair()
    one.service.actions = {ALICE: FULL}
    if warm:
        assert one.rcpt(ALICE) == ONE
    fault(one.service)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for action, seconds in pool.map(one.timed, [ALICE] * 6):
            assert action == DUNNO and seconds < A_SECOND
    wait_until(lambda: one.lines(), "the breaker opens", 1)
    for _ in range(30):
        action, seconds = one.timed(ALICE)
        assert action == DUNNO and seconds < AT_ONCE
    time.sleep(1.2)     # and a probe of its own
    assert len(one.lines()) == 1 and "mail is accepted without asking" in one.lines()[0]
    one.service.silent, one.service.delay, one.service.raw = False, 0, None
    one.service.default, one.service.actions = DUNNO, {ALICE: FULL}
    if fault is break_dead:
        one.service.start()
    wait_until(lambda: one.rcpt(ALICE) == ONE, "it asks again", 3)
    assert len(one.lines()) == 2


def test_a_question_is_no_probe(pair):
    one = pair()
    one.service.silent = True
    one.rcpt(ALICE)
    wait_until(lambda: one.lines(), "the breaker opens", 2)
    one.service.asked.clear()
    one.service.probes.clear()
    end = time.monotonic() + 4.5
    while time.monotonic() < end:
        assert one.rcpt(ALICE) == DUNNO
    assert one.service.asked == []
    assert 3 <= len(one.service.probes) <= 5
    one.service.silent = False


def test_a_slow_mailbox_is_not_the_service(pair):
    one = pair()
    one.service.actions = {BOB: FULL}
    one.service.delays = {ALICE: 1.5}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            slow = pool.submit(one.timed, ALICE)
            while not slow.done():
                action, seconds = one.timed(BOB)
                assert action == ONE and seconds < AT_ONCE
            action, seconds = slow.result()
            assert action == DUNNO and 0.9 < seconds < A_SECOND
            time.sleep(0.7)     # until the late answer; before it, nobody would ask again
    assert one.lines() == []
    assert one.mumd.page().sum("mumd_quota_up") == 1


def test_a_mailbox_that_hangs_takes_one_process_and_one_second(pair):
    one = pair()
    one.service.actions = {BOB: FULL}
    one.service.delays = {ALICE: 60}
    one.service.limit = 4
    action, seconds = one.timed(ALICE)
    assert action == DUNNO and 0.9 < seconds < A_SECOND
    for _ in range(10):
        for mailbox, expected in ((ALICE, DUNNO), (BOB, ONE)):
            action, seconds = one.timed(mailbox)
            assert action == expected and seconds < AT_ONCE
        time.sleep(0.2)
    assert one.service.mailboxes().count(ALICE) == 1
    assert one.lines() == []
    assert one.mumd.page().sum("mumd_quota_up") == 1
    assert one.mumd.page().sum("mumd_quota_questions_total", result="skipped") == 10


def test_every_mailbox_hangs_and_probes_do_not(pair):
    """As when their disk is one of the network that is away. Three wait for a second, then
    nobody; nor do more and more processes of Dovecot hang."""
    one = pair()
    one.service.actions = {BOB: FULL}
    one.service.silent_mailboxes = True
    for mailbox in (ALICE, BOB, CAROL):
        assert one.lines() == []
        action, seconds = one.timed(mailbox)
        assert action == DUNNO and seconds < A_SECOND
    for _ in range(30):
        action, seconds = one.timed(BOB)
        assert action == DUNNO and seconds < AT_ONCE
    time.sleep(2.5)
    assert len(one.lines()) == 1
    assert "no answer about three mailboxes in a row; mail is accepted" in one.lines()[0]
    assert one.mumd.page().sum("mumd_quota_up") == 0
    assert one.mumd.page().sum("mumd_quota_connections", state="busy") == 3
    assert one.service.connections() == 3 and len(one.service.asked) == 3
    one.service.silent_mailboxes = False
    wait_until(lambda: one.rcpt(BOB) == ONE, "it asks again", 3)
    assert len(one.lines()) == 2 and "answers again after" in one.lines()[1]
    wait_until(lambda: one.service.connections() == 1, "the late ones are gone")


def test_late_answers_belong_to_nobody(pair):
    one = pair(quota_connections=1, quota_deadline="300ms")
    one.service.actions = {ALICE: FULL}
    one.service.delays = {ALICE: 0.4}
    for _ in range(5):
        assert one.rcpt(ALICE) == DUNNO         # its answer comes later
        for _ in range(5):
            assert one.rcpt(BOB) == DUNNO
            time.sleep(0.03)


def test_a_reload_of_dovecot_is_not_seen(pair):
    one = pair(quota_deadline="5s")
    one.service.actions = {ALICE: FULL}
    for _ in range(10):
        assert one.rcpt(ALICE) == ONE
        one.service.reload()
        assert one.rcpt(ALICE) == ONE
    assert one.lines() == []


def test_at_its_process_limit(pair):
    one = pair(quota_deadline="3s")
    one.service.limit = 1
    one.service.actions = {ALICE: FULL}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for action, seconds in pool.map(one.timed, [ALICE] * 200):
            assert action == ONE and seconds < A_SECOND
    assert one.lines() == []


def test_a_limit_that_others_use_up(pair):
    one = pair()
    one.service.limit = 0
    action, seconds = one.timed(ALICE)
    assert action == DUNNO and seconds < A_SECOND
    wait_until(lambda: one.lines(), "the breaker opens", 1)
    one.service.limit = 10
    one.service.actions = {ALICE: FULL}
    wait_until(lambda: one.rcpt(ALICE) == ONE, "it asks again", 3)


def test_a_reload_of_mumd_with_a_question_under_way(pair):
    one = pair()
    one.service.actions = {ALICE: FULL}
    one.service.delays = {ALICE: 0.5}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(one.rcpt, ALICE)
        wait_until(lambda: one.service.asked, "the question")
        one.configure()
        assert asked.result() == ONE
        one.service.asked.clear()
        asked = pool.submit(one.rcpt, ALICE)
        wait_until(lambda: one.service.asked, "the question")
        one.configure(quota_connections=2)
        assert asked.result() == DUNNO


def test_the_end_answers_what_was_asked(pair):
    one = pair()
    one.service.actions = {ALICE: FULL}
    one.service.delays = {ALICE: 0.5}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(one.rcpt, ALICE)
        wait_until(lambda: one.service.asked, "the question")
        one.mumd.terminate()
        assert asked.result() == ONE
    assert one.mumd.process.wait() == 0


def silent(findings):
    return [one["what"] for one in findings if one["code"] == "quota-silent"]


def test_check_asks_the_service(pair):
    one = pair()
    mumctl = Mumctl(one.mumd.config)
    assert silent(mumctl.findings()) == []
    one.service.default = TROUBLE
    assert "it answers that it cannot tell now" in silent(mumctl.findings())[0]
    one.service.raw = b"220 ready\n\n"
    assert "does not answer as a policy service" in silent(mumctl.findings())[0]
    one.service.silent = True
    assert "no answer within policy.quota_deadline" in silent(mumctl.findings())[0]
    one.service.silent = False
    one.service.path.chmod(0o600)
    assert "as user nobody: Permission denied" in silent(mumctl.findings())[0]
    one.service.path.unlink()
    assert "No such file or directory" in silent(mumctl.findings())[0]
    one.configure(quota="off")
    assert silent(mumctl.findings()) == []


@pytest.mark.parametrize("version, example", [("2.3.19.1 (9b53102964)", "dovecot-2.3.conf"),
                                              ("2.4.1-4 (7d8e9f0)", "dovecot-2.4.conf")])
def test_setup_prints_the_lines_of_the_example(pair, tmp_path, version, example):
    program = tmp_path / "dovecot"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    one = pair()
    lines = Mumctl(one.mumd.config).run("--json", "setup", environment={
        "PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"}).json()["dovecot.conf"]
    shown = (TOP / "conf-examples" / example).read_text().partition("# With policy.quota")[2]
    shown = "".join(f"{line[1:]}\n" for line in shown.partition("\n\n")[0].splitlines()
                    if re.match("#(  |[a-z}])", line))
    shown = shown.replace("unix_listener quota-status", f"unix_listener {one.service.path}")
    assert lines.endswith(shown.replace("group = mum", f"group = {GROUP}"))
    one.configure(quota="off")
    assert "quota_status" not in Mumctl(one.mumd.config).json("setup")["dovecot.conf"]


def test_explain_asks_it_too(pair):
    one = pair()
    one.service.actions = {ALICE: FULL, CAROL: FULL, BOB: ""}
    mumctl = Mumctl(one.mumd.config)

    def explained(address, what="policy quota"):
        return [(verdict["answer"], verdict["reason"])
                for verdict in mumctl.json("explain", address)["verdicts"]
                if verdict["what"] == what]
    assert explained(ALICE) == [(ONE, f"<{ALICE}> is full")]
    assert explained(ALICE, "policy recipient")[0][0] == DUNNO
    assert explained("team@example.test") == [
        (DUNNO, f"nobody knows about <{BOB}>: Dovecot's action is empty")]
    assert explained("info@example.test")[0][1].endswith("which is not in MUM")
    assert mumctl.json("policy", f"recipient={ALICE}")["action"] == ONE
    one.configure(quota="warn")
    assert explained(ALICE) == [
        (DUNNO, f"<{ALICE}> is full; policy.quota = \"warn\" lets it pass")]
    one.configure(quota="off")
    assert explained(ALICE) == []


@pytest.mark.parametrize("action, full, said", [
    (FULL, True, "; full: Dovecot takes no mail"), (DUNNO, False, "; Dovecot takes mail"),
    (TROUBLE, None, None)])
def test_user_says_whether_it_is_full(lab, pair, action, full, said):
    one = pair()
    one.service.actions = {ALICE: action}
    folder = lab.directory(f"quota-no-doveadm-{full}")
    (folder / "doveadm").write_text("#!/bin/sh\nexit 75\n")
    (folder / "doveadm").chmod(0o755)
    mumctl, path = Mumctl(one.mumd.config), {"PATH": f"{folder}:{ENVIRONMENT['PATH']}"}
    assert mumctl.run("--json", "user", ALICE, environment=path).json()["quota"]["full"] == full
    last = mumctl.run("user", ALICE, environment=path).stdout.splitlines()[-1]
    assert last.startswith("quota: ") and (
        last.endswith(said) if said else "Dovecot takes" not in last)
    one.configure(quota="off")
    document = mumctl.run("--json", "user", ALICE, environment=path).json()
    assert document["quota"]["full"] is None


def test_while_it_is_off_nobody_is_asked(pair):
    one = pair(quota="off")
    assert one.rcpt(ALICE) == DUNNO
    assert one.service.connections() == 0 and one.service.asked == []
    assert one.mumd.page().sum("mumd_quota_up") == 1
