# SPDX-License-Identifier: MIT
"""mumctl policy and mumctl explain decide about spellings as mumd does, and say why."""

import pytest

from lab import Mumctl, Mumd
from lab.mumd import sqlite_settings

SEND_ONLY = "550 5.2.1 mailbox does not accept mail (send-only)"
NOT_OWNED = "553 5.7.1 not owned by user alice@example.test"
TOO_MANY = "501 5.1.3 address can be read in too many ways"
IS_SEND_ONLY = "<sendonly@example.test>: the mailbox is active, and send-only"
NOBODY = "neither an active mailbox nor an active alias; Postfix says so itself"
MANY = "u" + "%a.test" * 8 + "@localhost"


@pytest.fixture(scope="module")
def mumd(lab, sqlite):
    return Mumd(lab, {"database": sqlite_settings(sqlite),
                      "address": {"myorigin": "example.test"},
                      "policy": {"sender_login": "known"},
                      "dovecot": {"user": "mum_dovecot"}}, name="ask-spellings").start()


CASES = [
    ("recipient", "sendonly@example.test", SEND_ONLY, IS_SEND_ONLY),
    ("recipient", "sendonly@example.test.", SEND_ONLY,
     f"for Postfix <sendonly@example.test>: {IS_SEND_ONLY}"),
    ("recipient", "example.test!sendonly", SEND_ONLY,
     f"for Postfix <sendonly@example.test>: {IS_SEND_ONLY}"),
    ("recipient", "sendonly%example.test@localhost", SEND_ONLY,
     f"for Postfix <sendonly%example.test@localhost>: {NOBODY}; "
     f"for Postfix <sendonly@example.test>: {IS_SEND_ONLY}"),
    # a domain of MUM is not local, so Postfix reads no further
    ("recipient", "sendonly%example.test@second.test", "DUNNO", NOBODY),
    ("recipient", MANY, TOO_MANY, "Postfix may make more than 8 addresses of it"),
    ("sender", "bob@example.test.", NOT_OWNED,
     "for Postfix <bob@example.test>: <alice@example.test> may not send as this address"),
    ("sender", "alice%example.test", "DUNNO",
     "for Postfix <alice@example.test>: <alice@example.test> may send as this address"),
    ("sender", MANY, TOO_MANY, "Postfix may make more than 8 addresses of it"),
]


@pytest.mark.parametrize("check, address, action, reason", CASES)
def test_explain_has_a_reason_for_each_reading(mumd, check, address, action, reason):
    document = Mumctl(mumd.config).json("explain", address, "--as", "alice@example.test")
    verdict = next(one for one in document["verdicts"] if one["what"] == f"policy {check}")
    assert (verdict["answer"], verdict["reason"]) == (action, reason)


BARE = [("sender", "bob", NOT_OWNED), ("recipient", "sendonly", SEND_ONLY)]


@pytest.mark.parametrize("check, address, action",
                         [case[:3] for case in CASES] + BARE)
def test_policy_says_what_mumd_says(mumd, check, address, action):
    attributes = {check: address, "sasl_username": "alice@example.test", "policy_context": check}
    words = [f"{name}={value}" for name, value in attributes.items()]
    assert Mumctl(mumd.config).run("policy", *words).stdout == f"action={action}\n"
    assert mumd.decide(**attributes) == action


def test_a_refusal_is_logged_and_counted_with_its_reason(lab, sqlite):
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite), "metrics": {
        "listen": "inet:127.0.0.1:METRICS_PORT"}}, name="ask-spellings-metrics").start()
    assert mumd.decide(recipient=MANY, policy_context="recipient") == TOO_MANY
    mumd.wait_log("policy: reject: reason=too_many_readings", f"recipient=<{MANY}>")
    assert mumd.page().sum("mumd_policy_decisions_total", check="recipient", action="reject",
                           reason="too_many_readings") == 1


def test_an_ordinary_address_costs_one_question(lab, sqlite):
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite), "metrics": {
        "listen": "inet:127.0.0.1:METRICS_PORT"}}, name="ask-spellings-cost").start()

    def misses():
        page = mumd.page()
        return [int(page.sum("mumd_cache_misses_total", question=question))
                for question in ("domain", "delivery", "owners")]
    before = misses()   # before that mumd has tested its database

    def asked():
        return [now - then for now, then in zip(misses(), before)]
    mumd.decide(recipient="alice@example.test", policy_context="recipient")
    assert asked() == [0, 1, 0]
    mumd.decide(sender="alice@example.test", sasl_username="alice@example.test",
                policy_context="sender")
    assert asked() == [0, 1, 1]
    mumd.decide(recipient="a%b.test@c.test", policy_context="recipient")
    assert asked() == [1, 3, 1]
