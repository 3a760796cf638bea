# SPDX-License-Identifier: MIT
"""mumctl senders, and what explain and setup say of the limits of logins."""

import itertools
import re

import pytest

from lab import Mumctl, Mumd
from lab.clients import PolicyClient
from lab.mumd import sqlite_settings

ALICE, BOB, SHOP = "alice@example.test", "bob@example.test", "shop@example.test"
DEFER = "450 4.7.1 too many recipients for this login; try again later"

_names = itertools.count(1)


@pytest.fixture
def counting(lab, sqlite):
    made = []

    def make(**policy):
        limits = {"send": "enforce", "send_rate": 60, "send_period": "1h", "send_burst": 10,
                  "send_exempt": [SHOP]}
        mumd = Mumd(lab, {"database": sqlite_settings(sqlite), "policy": {**limits, **policy}},
                    name=f"senders{next(_names)}").start()
        made.append(mumd)
        return mumd, Mumctl(mumd.config)
    yield make
    for mumd in made:
        mumd.stop()


def send(mumd, *mails):
    for login, recipients in mails:
        with PolicyClient(mumd.policy) as client:
            client.ask(protocol_state="DATA", policy_context="limit", sasl_username=login,
                       recipient_count=str(recipients))


def test_who_sent_most_comes_first(counting):
    mumd, ctl = counting()
    assert ctl.run("senders").seen == ""
    send(mumd, (ALICE, 4), (BOB, 10), (BOB, 1), ("Alice@Example.Test", 3), (SHOP, 700))
    result = ctl.run("senders")
    assert (result.status, result.stderr) == (0, "")
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["sent", "over", "left", "since", "login"]
    day = r" +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +"
    for row, want in zip(rows, [rf" +700 +0 +-{day}{SHOP}", rf" +10 +1 +0{day}{BOB}",
                                rf" +7 +0 +3{day}{ALICE}"], strict=True):
        assert re.fullmatch(want, row), row
    senders = ctl.json("senders")["senders"]
    assert [(one["login"], one["sent"], one["over"], one["left"]) for one in senders] == [
        (SHOP, 700, 0, None), (BOB, 10, 1, 0), (ALICE, 7, 0, 3)]
    assert ctl.run("senders", "more").status == 64


def test_nobody_to_ask(counting):
    mumd, ctl = counting()
    another = Mumctl(mumd.config, ["setpriv", "--reuid=daemon", "--regid=nogroup",
                                   "--clear-groups"])
    result = another.run("senders")
    assert result.status == 75 and "Permission denied" in result.stderr
    mumd.stop()
    result = ctl.run("senders")
    assert (result.status, result.stdout) == (75, "")
    assert str(mumd.send_socket) in result.stderr
    mumd.write({"policy": {"send": "off"}})
    result = ctl.run("senders")
    assert result.status == 78 and "policy.send" in result.stderr


def verdicts(ctl, *arguments):
    return {one["what"]: (one["answer"], one["reason"])
            for one in ctl.json("explain", *arguments)["verdicts"]}


def test_explain_says_what_is_left(counting):
    mumd, ctl = counting()
    limit = "10 recipients at once, and one more every 60 s"
    assert verdicts(ctl, ALICE)["policy limit"] == ("DUNNO", f"{limit}; 10 are left")
    send(mumd, (ALICE, 9), (BOB, 10))
    assert verdicts(ctl, ALICE)["policy limit"] == ("DUNNO", f"{limit}; 1 are left")
    assert verdicts(ctl, ALICE, "--as", "BOB@example.test")["policy limit"] == (
        DEFER, f"{limit}; 0 are left")
    assert verdicts(ctl, SHOP)["policy limit"] == (
        "DUNNO", "policy.send_exempt names the login or its domain")
    mumd.stop()
    answer, reason = verdicts(ctl, ALICE)["policy limit"]
    assert answer == "DUNNO" and reason.startswith(f"{limit}; mumd does not say how many are left: ")


@pytest.mark.parametrize("policy, answer, more", [
    ({"send_reply": "reject"}, "554 5.7.1 too many recipients for this login", ""),
    ({"send_reply": "hold"}, "HOLD too many recipients for this login", ""),
    ({"send": "warn"}, "DUNNO", ', and policy.send is "warn"'),
])
def test_explain_says_what_is_answered(counting, policy, answer, more):
    mumd, ctl = counting(**policy)
    send(mumd, (ALICE, 10))
    assert verdicts(ctl, ALICE)["policy limit"] == (
        answer, f"10 recipients at once, and one more every 60 s; 0 are left{more}")


def test_off_says_nothing(counting):
    _, ctl = counting(send="off")
    assert "policy limit" not in verdicts(ctl, ALICE)
    assert "smtpd_data_restrictions" not in ctl.run("setup").stdout


def test_setup_has_the_line(counting):
    _, ctl = counting()
    assert re.search(r"-o { smtpd_data_restrictions = check_policy_service { .*, policy_context="
                     r"limit, timeout=10s, default_action=DUNNO } }", ctl.run("setup").stdout)
