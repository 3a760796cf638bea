# SPDX-License-Identifier: MIT
"""The policy service decides as the rules say."""

import pytest

from lab import PolicyClient

DUNNO = "DUNNO"
SEND_ONLY = "550 5.2.1 mailbox does not accept mail (send-only)"
DEAD_ALIAS = "550 5.2.1 alias leads to no mailbox that accepts mail"
NOT_LOGGED_IN = "553 5.7.1 not logged in"
TROUBLE = "DEFER_IF_PERMIT 4.3.0 temporary lookup failure"

STRANGER = "x@foreign.test"


def not_owned(login):
    return f"553 5.7.1 not owned by user {login}"


RECIPIENTS = [
    ("alice@example.test", DUNNO),
    ("alice+x@example.test", DUNNO),
    ("sendonly@example.test", SEND_ONLY),
    ("SendOnly@Example.TEST", SEND_ONLY),
    ("sendonly+x@example.test", SEND_ONLY),
    ("joe@example.test", SEND_ONLY),
    ("joe+x@example.test", SEND_ONLY),
    ("joe+tag@example.test", DUNNO),
    ("soalias@example.test", DUNNO),        # send-only, a live alias of that name
    ("deadso@example.test", SEND_ONLY),     # send-only, a dead alias of that name
    ("deadbox@example.test", DUNNO),        # a dead alias and a good mailbox
    ("copyso@example.test", DUNNO),
    ("dup@example.test", DUNNO),
    ("expbox@example.test", DUNNO),
    ("info@example.test", DUNNO),
    ("mixed@example.test", DUNNO),
    ("norecip@example.test", DUNNO),        # Postfix: unknown
    ("shop@example.test", DEAD_ALIAS),
    ("Shop+X@example.test", DEAD_ALIAS),
    ("toina@example.test", DEAD_ALIAS),
    ("selfonly@example.test", DEAD_ALIAS),
    ("blank@example.test", DEAD_ALIAS),
    ("ina@example.test", DUNNO),
    ("inaso@example.test", DUNNO),
    ("dave@inactive.test", DUNNO),
    ("gone@inactive.test", DUNNO),
    ("old@example.test", DUNNO),
    ("expired@example.test", DUNNO),
    ("nobody@example.test", DUNNO),
    ("x@foreign.test", DUNNO),
    ("sendonly", DUNNO),
    ("@example.test", DUNNO),
    ("", DUNNO),
    ("with space@example.test", DUNNO),
    ("a=b@example.test", DUNNO),
    ("j\udcf6rg@example.test", DUNNO),      # not UTF-8
]

# (login, sender, strict, known)
OWNERSHIP = [
    ("alice@example.test", "alice@example.test", True, True),
    ("alice@example.test", "ALICE@EXAMPLE.TEST", True, True),
    ("alice@example.test", "alice+x@example.test", True, True),
    ("ALICE@Example.Test", "alice@example.test", True, True),
    ("alice@example.test", "info@example.test", True, True),
    ("alice@example.test", "info+x@example.test", True, True),
    ("carol@second.test", "info@example.test", True, True),
    ("alice@example.test", "sales@second.test", True, True),
    ("alice@example.test", "future@example.test", True, True),
    ("alice@example.test", "books@bücher.test", True, True),
    ("alice@example.test", "books@xn--bcher-kva.test", True, True),
    ("bob@example.test", "team@example.test", True, True),
    ("bob@example.test", "dup@example.test", True, True),
    ("dup@example.test", "dup@example.test", True, True),
    ("joe+tag@example.test", "joe+tag@example.test", True, True),
    ("joe+tag@example.test", "joe@example.test", False, False),
    ("joe@example.test", "joe+tag@example.test", False, False),
    ("joe@example.test", "joe+x@example.test", True, True),
    ("sendonly@example.test", "sendonly@example.test", True, True),
    ("sendonly@example.test", "shop@example.test", True, True),
    ("with space@example.test", "with space@example.test", True, True),
    ("with space@example.test", "two words@example.test", True, True),
    ("with@example.test", "with space@example.test", False, False),
    ("comma,name@example.test", "commas@example.test", True, True),
    ("comma@example.test", "commas@example.test", False, False),
    ("Mixed.Case@second.test", "mixed.case@second.test", True, True),
    ("mixed.case@second.test", "mixedcase@second.test", True, True),
    ("jörg@example.test", "müller@example.test", True, True),
    ("jörg@example.test", "JÖRG@example.test", True, True),
    ("jorg@example.test", "jörg@example.test", False, False),
    ("uwe@bücher.test", "idn@example.test", True, True),
    ("uwe@xn--bcher-kva.test", "uwe@bücher.test", True, True),
    ("alice@example.test", "bob@example.test", False, False),
    ("bob@example.test", "info@example.test", False, False),
    ("alice@example.test", "expbox@example.test", False, False),
    ("bob@example.test", "expbox@example.test", False, False),
    # nobody owns these
    ("alice@example.test", "x@foreign.test", False, True),
    ("alice@example.test", "nobody@example.test", False, True),
    ("alice@example.test", "old@example.test", False, True),
    ("alice@example.test", "expired@example.test", False, True),
    ("alice@example.test", "gone@inactive.test", False, True),
    ("ina@example.test", "onlyina@example.test", False, True),
    ("ina@example.test", "ina@example.test", False, True),
    ("alice@example.test", "alice", False, True),
    # the null sender belongs to everybody
    ("alice@example.test", "", True, True),
]

# (sender, has it owners?)
UNAUTHENTICATED = [
    ("alice@example.test", True),
    ("alice+x@example.test", True),
    ("info@example.test", True),
    ("sendonly@example.test", True),
    ("norecip@example.test", True),
    ("x@foreign.test", False),
    ("nobody@example.test", False),
    ("expired@example.test", False),
    ("ina@example.test", False),
    ("toina@example.test", False),
    ("", False),
]

OTHER_STATES = ["CONNECT", "EHLO", "HELO", "MAIL", "DATA", "END-OF-MESSAGE", "VRFY", "ETRN", "BDAT"]


@pytest.fixture(scope="session")
def policy(stack):
    with stack.mumd.policy_client() as client:
        yield client


@pytest.mark.parametrize("context", ["recipient", ""])
@pytest.mark.parametrize("recipient, want", RECIPIENTS)
def test_recipient_check(policy, recipient, want, context):
    assert policy.ask(sender=STRANGER, recipient=recipient, policy_context=context) == want


@pytest.mark.parametrize("recipient, want", RECIPIENTS)
def test_recipient_check_is_the_same_for_own_users(policy, recipient, want):
    assert policy.ask(sender="bob@example.test", sasl_username="alice@example.test",
                      recipient=recipient, policy_context="recipient") == want


@pytest.mark.parametrize("state", ["RCPT", "MAIL"])
@pytest.mark.parametrize("login, sender, strict, known", OWNERSHIP)
def test_sender_check_strict(policy, login, sender, strict, known, state):
    assert policy.ask(sender=sender, sasl_username=login, protocol_state=state,
                      recipient="alice@example.test" if state == "RCPT" else "",
                      policy_context="sender") == (DUNNO if strict else not_owned(login))


@pytest.mark.parametrize("login, sender, strict, known", OWNERSHIP)
def test_sender_check_known(stack, login, sender, strict, known):
    mumd = stack.mumd_with(policy={"sender_login": "known"})
    assert mumd.decide(sender=sender, sasl_username=login, recipient="alice@example.test",
                       policy_context="sender") == (DUNNO if known else not_owned(login))


@pytest.mark.parametrize("sender, owned", UNAUTHENTICATED)
def test_sender_check_accepts_without_login(policy, sender, owned):
    assert policy.ask(sender=sender, recipient="bob@example.test",
                      policy_context="sender") == DUNNO


@pytest.mark.parametrize("state", ["RCPT", "MAIL"])
@pytest.mark.parametrize("sender, owned", UNAUTHENTICATED)
def test_sender_check_rejects_without_login(stack, sender, owned, state):
    mumd = stack.mumd_with(policy={"sender_unauthenticated": "reject"})
    assert mumd.decide(sender=sender, recipient="bob@example.test" if state == "RCPT" else "",
                       protocol_state=state,
                       policy_context="sender") == (NOT_LOGGED_IN if owned else DUNNO)


@pytest.mark.parametrize("context, sender, recipient, want", [
    ("", "bob@example.test", "sendonly@example.test", SEND_ONLY),       # recipient first
    ("", "bob@example.test", "alice@example.test", not_owned("alice@example.test")),
    ("", "alice@example.test", "alice@example.test", DUNNO),
    ("", "", "sendonly@example.test", SEND_ONLY),
    ("sender", "bob@example.test", "sendonly@example.test", not_owned("alice@example.test")),
    ("sender", "alice@example.test", "sendonly@example.test", DUNNO),
    ("recipient", "bob@example.test", "alice@example.test", DUNNO),
    ("recipient", "bob@example.test", "sendonly@example.test", SEND_ONLY),
    (None, "bob@example.test", "sendonly@example.test", SEND_ONLY),     # Postfix before 3.1
    (None, "bob@example.test", "alice@example.test", not_owned("alice@example.test")),
])
def test_context_says_which_check_runs(policy, context, sender, recipient, want):
    assert policy.ask(sender=sender, recipient=recipient, policy_context=context,
                      sasl_username="alice@example.test") == want


@pytest.mark.parametrize("context", ["", "recipient", "sender"])
@pytest.mark.parametrize("state", OTHER_STATES)
def test_other_protocol_states_are_not_decided(policy, state, context):
    if (state, context) == ("MAIL", "sender"):
        want = not_owned("alice@example.test")
    else:
        want = DUNNO
    assert policy.ask(protocol_state=state, policy_context=context, sender="bob@example.test",
                      recipient="sendonly@example.test",
                      sasl_username="alice@example.test") == want


@pytest.mark.parametrize("mode", ["warn", "off"])
@pytest.mark.parametrize("check", ["recipient", "sender"])
def test_a_check_that_is_not_enforced_refuses_nothing(stack, check, mode):
    mumd = stack.mumd_with(policy={check: mode})
    attributes = {"sender": "bob@example.test", "sasl_username": "alice@example.test",
                  "recipient": "sendonly@example.test"}
    seen = len(mumd.log())
    assert mumd.decide(**attributes, policy_context=check) == DUNNO
    # the other check still decides the action
    assert mumd.decide(**attributes) == (
        SEND_ONLY if check == "sender" else not_owned("alice@example.test"))
    if mode == "warn":
        text = SEND_ONLY if check == "recipient" else not_owned("alice@example.test")
        mumd.wait_log(text, after=seen)
    else:
        assert not any("would" in line for line in mumd.log()[seen:])


def test_both_checks_off_ask_nothing_of_a_dead_database(make_mumd):
    mumd = make_mumd({"database": {"hosts": ["unix:/nonexistent/mysqld.sock"]},
                      "policy": {"recipient": "off", "sender": "off"}})
    assert mumd.decide(sender="a@example.test", recipient="b@example.test",
                       sasl_username="c@example.test") == DUNNO


@pytest.mark.parametrize("attributes, want", [
    ({"policy_context": "recipient", "recipient": "a@example.test"}, TROUBLE),
    ({"policy_context": "sender", "sasl_username": "c@example.test"}, TROUBLE),
    ({}, TROUBLE),
    ({"policy_context": "sender", "sender": ""}, DUNNO),
    ({"policy_context": "recipient", "recipient": ""}, DUNNO),
    # a bare name is one of address.myorigin
    ({"policy_context": "recipient", "recipient": "postmaster"}, TROUBLE),
    ({"protocol_state": "DATA"}, DUNNO),
])
def test_store_trouble_defers_only_what_needs_the_store(make_mumd, attributes, want):
    mumd = make_mumd({"database": {"hosts": ["unix:/nonexistent/mysqld.sock"],
                                   "deadline": "200ms"}})
    assert mumd.decide(**{"sender": "a@example.test", "recipient": "b@example.test",
                          "sasl_username": "c@example.test", **attributes}) == want


@pytest.mark.parametrize("attributes, want", [
    ({"recipient": "sendonly@example.test", "sender": "a b=c=@foreign.test"}, SEND_ONLY),
    ({"recipient": "sendonly@example.test", "unknown_attribute": "x=y=z"}, SEND_ONLY),
    ({"recipient": "sendonly@example.test", "helo_name": "a" * 2000}, SEND_ONLY),
    ({"recipient": None}, DUNNO),
    ({"sender": None, "sasl_username": "alice@example.test", "policy_context": "sender"}, DUNNO),
    ({"protocol_state": None, "recipient": "sendonly@example.test"}, DUNNO),
    ({"recipient": "r" * 191 + "@example.test"}, DUNNO),
    ({"recipient": "r" * 192 + "@example.test"}, DUNNO),
    ({"recipient": "r" * 3000 + "@example.test"}, DUNNO),
    ({"recipient": "a\tb@example.test"}, DUNNO),
    ({"recipient": "x' OR '1'='1@example.test"}, DUNNO),
])
def test_odd_attributes_are_answered(policy, attributes, want):
    assert policy.ask(**{"sender": STRANGER, "recipient": "alice@example.test",
                         "policy_context": "recipient", **attributes}) == want


def test_tcp_answers_like_the_unix_socket(stack):
    with PolicyClient(("127.0.0.1", stack.mumd.policy_port)) as client:
        assert client.ask(sender=STRANGER, recipient="sendonly@example.test") == SEND_ONLY


def test_one_connection_serves_many_sessions(policy):
    for _ in range(100):
        assert policy.ask(sender=STRANGER, recipient="sendonly@example.test") == SEND_ONLY
        assert policy.ask(sender=STRANGER, recipient="alice@example.test") == DUNNO
