# SPDX-License-Identifier: MIT
"""mumctl's questions: it prints what mumd and Dovecot say, whatever name it is asked for.
The rows are those of tests/lab/sample.py.
"""

import contextlib
import re
import sqlite3
import time

import pytest

import test_maps
from dovecot_stores import STORES, SECRET
from lab import Mumctl, Mumd, sample
from lab.dovecot_language import mail_setting_names
from lab.lab import run
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mum_dovecot import MumDovecot
from lab.mumd import mariadb_settings, sqlite_settings
from mumctl_world import World

# The address, and a login to ask as.
LOGINS = {"info@example.test": "alice@example.test", "team@example.test": "bob@example.test",
          "sales@second.test": "bob@example.test", "alice@example.test": "alice@example.test",
          "alice+x@example.test": "Alice@Example.Test", "books@bücher.test": "carol@second.test",
          "with space@example.test": "with space@example.test",
          "nobody@example.test": "alice@example.test"}


class Ours:
    """The sample rows in one store, with mumd and Dovecot before it, and mumctl."""

    def __init__(self, lab, name, database):
        self.name = name
        sections = {"dovecot": {"user": "mum_dovecot", "password": DOVECOT_PASSWORD}}
        self.mumd = Mumd(lab, {"database": database, **sections}, name=f"ask-{name}").start()
        self.ctl = Mumctl(self.mumd.config)
        self.map = self.mumd.map_client()
        self.policy = self.mumd.policy_client()
        self._lab, self._database, self._dovecot = lab, database, None

    @property
    def dovecot(self):
        if self._dovecot is None:
            self._dovecot = MumDovecot(self._lab, self._database, name=f"ask-dc-{self.name}",
                                       settings="auth_username_chars =\n").start()
        return self._dovecot


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
def ours(request, lab):
    made = request.getfixturevalue(request.param)
    database = (mariadb_settings(made, POSTFIX_PASSWORD) if request.param == "mariadb"
                else sqlite_settings(made))
    return Ours(lab, request.param, database)


def keys_of_maps():
    """Every key of test_maps.py's tables, and similar names, each once."""
    keys = [key for rows in test_maps.TABLES.values() for key, _ in rows]
    keys += [key for key, _ in test_maps.TWINS] + test_maps.NO_ADDRESS
    return [key for key in dict.fromkeys(keys) if "\0" not in key and key]


def said(reply):
    """A socketmap reply as explain prints it."""
    text = reply.decode("utf-8", "surrogateescape")
    return text if text.startswith("OK ") else text.partition(" ")[0]


def verdicts(document):
    return {(one["asks"], one["what"]): one for one in document["verdicts"]}


# ---- explain ----

def test_explain_says_what_mumd_says(ours):
    """For every key of the maps' tests, for each map and for the policy service."""
    asked = 0
    for key in keys_of_maps()[::1 if ours.name == "sqlite" else 2]:
        login = LOGINS.get(key, "")
        options = ["--as", login] if login else []
        document = ours.ctl.json("explain", key, *options)
        found = verdicts(document)
        domain = key.rpartition("@")[2]
        want = {table: said(ours.map.ask(table, domain if table in ("domains", "tls-policies")
                                         else key))
                for table in test_maps.TABLES if "@" in key or table in ("domains", "tls-policies")}
        if "@" in key:
            want["policy recipient"] = ours.policy.ask(recipient=key, sasl_username=login,
                                                       policy_context="recipient")
            want["policy sender"] = ours.policy.ask(sender=key, sasl_username=login,
                                                    policy_context="sender")
        got = {what: one["answer"] for (asks, what), one in found.items() if asks == "postfix"}
        assert got == want, key
        assert all(one["reason"] for one in found.values()), (key, found)
        asked += len(want)
    assert asked > 300


# Of Dovecot 2.3 and 2.4; others are Dovecot's own.
FIELDS = ["user", "home", "mail", "quota_rule", "quota_storage_size", *mail_setting_names()]
USERS = ["alice@example.test", "ALICE@Example.Test", "bob@example.test", "jörg@example.test",
         "sendonly@example.test", "ina@example.test", "dave@inactive.test",
         "nobody@example.test", "alice+x@example.test", "uwe@xn--bcher-kva.test"]


def test_explain_and_user_say_what_dovecot_says(ours):
    for user in USERS:
        found = verdicts(ours.ctl.json("explain", user))
        login = ours.dovecot.login(user, SECRET, "smtp")
        assert (found["dovecot", "passdb"]["answer"] == "verifies the password") == (login == "ok")
        fields = ours.dovecot.user(user)
        answer = found["dovecot", "userdb"]["answer"]
        result = ours.ctl.run("--json", "user", user)
        if fields is None:
            assert answer == "unknown user"
            said = {name: result.json()[name] for name in ("result", "user")}
            assert (result.status, said) == (1, {"result": "not-found", "user": user})
            continue
        ours_said = {name: value for name, value in result.json().items()
                     if name != "result" and isinstance(value, str)}
        assert result.status == 0
        assert ours_said == {name: value for name, value in fields.items() if name in FIELDS}
        assert answer == "found " + " ".join(f"{name}={value}"
                                             for name, value in ours_said.items())
        lines = ours.ctl.run("user", user).stdout.partition("\n\n")[0] + "\n"
        assert lines == "".join(f"{name}={value}\n" for name, value in ours_said.items())


def test_doveadm_agrees(ours):
    """For one user of each kind, in doveadm's words."""
    for user, password, want in (("alice@example.test", SECRET, "ok"),
                                 ("alice@example.test", "wrong", "refused"),
                                 ("ina@example.test", SECRET, "refused")):
        assert ours.dovecot.auth_test(user, password, "smtp") == want
        result = ours.ctl.run("auth", "--password-stdin", user, input=password + "\n")
        assert (result.status == 0) == (want == "ok")
    listed = ours.dovecot.doveadm("user", "*").stdout.splitlines()
    result = ours.ctl.run("list")
    assert result.status == 0 and sorted(result.stdout.splitlines()) == sorted(listed)
    assert len(listed) > 20


def test_explain_shows_rows_reasons_and_times(ours):
    document = ours.ctl.json("explain", "mixed@example.test")
    questions = {one["question"]: one for one in document["questions"]}
    assert list(questions) == ["domain", "delivery", "owners", "tls", "credential", "user"]
    assert all(0 < one["ms"] < 2000 for one in questions.values())
    recipients = {row["recipient"]: row for row in questions["delivery"]["rows"]}
    assert recipients["sendonly@example.test"]["recipient_send_only"] is True
    assert recipients["ina@example.test"]["recipient_active"] is False
    reason = verdicts(document)["postfix", "aliases"]["reason"]
    assert reason.startswith("1 of 4 recipients get mail")
    assert "<sendonly@example.test> is send-only" in reason
    assert "<dave@inactive.test> is in an inactive domain" in reason
    text = ours.ctl.run("explain", "mixed@example.test").stdout
    for part in ("What MUM says", "What Postfix hears", "What Dovecot hears", reason,
                 "OK alice@example.test", " ms, "):
        assert part in text


REASONS = [
    # key, map, part of the reason
    ("inactive.test", "domains", "the domain is inactive"),
    ("unknown.test", "domains", "no domain has this name"),
    ("ina@example.test", "mailboxes", "the mailbox is inactive"),
    ("dave@inactive.test", "mailboxes", "the domain is inactive"),
    ("nobody@example.test", "mailboxes", "no mailbox has this name"),
    ("sendonly@example.test", "mailboxes", "and send-only"),
    ("sendonly@example.test", "policy recipient", "and send-only"),
    ("expired@example.test", "aliases", "has passed its deactivate_at"),
    ("old@example.test", "aliases", "the alias is inactive"),
    ("gone@inactive.test", "aliases", "the domain is inactive"),
    ("alice@example.test", "aliases", "no alias has this name"),
    ("blank@example.test", "aliases", "0 of 1 recipients get mail; <  > is blank"),
    ("selfonly@example.test", "aliases", "is the alias itself, and no mailbox"),
    ("dupes@example.test", "aliases", "1 of 2 recipients get mail"),
    ("list+other@example.test", "aliases", "1 of 1 recipients get mail"),
    ("shop@example.test", "recipient-access", "<sendonly@example.test> is send-only"),
    ("info@example.test", "sender-login-maps", "2 of 2 mailboxes may send"),
    ("onlyina@example.test", "sender-login-maps", "the mailbox is inactive"),
    ("x@foreign.test", "sender-login-maps", "no mailbox has this name"),
    ("off.test", "tls-policies", "the policy is inactive"),
    ("a\tb@example.test", "mailboxes", "MUM cannot hold such a name"),
    ("tab@dirty.test", "aliases", "recipients get mail"),
    # an alias that does not decide is not a reason
    ("expbox@example.test", "policy recipient", "the mailbox is active"),
    ("deadbox@example.test", "policy recipient", "the mailbox is active"),
    ("deadbox@example.test", "recipient-access", "the mailbox is active"),
    ("norecip@example.test", "policy recipient", "0 of 0 recipients get mail"),
]


@pytest.mark.parametrize("key, what, reason", REASONS)
def test_a_verdict_has_its_reason(ours, key, what, reason):
    found = verdicts(ours.ctl.json("explain", key))["postfix", what]
    if found["answer"] != "TEMP":
        assert reason in found["reason"]
    else:
        assert "control" in found["reason"] or "character" in found["reason"]


QUOTAS = [
    # the mailbox's quota, its domain (with 3 GB or none), the reason
    (5, "example.test", "the quota is the mailbox's own"),
    (0, "example.test", "no limit: the mailbox's own quota is 0"),
    (None, "example.test", "the quota is the domain's: the mailbox has none"),
    (None, "noquota.test", "no limit: neither the mailbox nor the domain has a quota"),
    (None, "bücher.test", "no limit: the mailbox has no quota, and the domain's is 0"),
]


@pytest.fixture(scope="module", params=list(STORES))
def quotas(lab, request):
    world = World(lab, request.param, "quotas")
    world.store.run("UPDATE domains SET quota = 0 WHERE id = 4")
    for number, (quota, domain, _) in enumerate(QUOTAS):
        world.store.add(f"q{number}", domain, quota=quota)
    return world


@pytest.mark.parametrize("number", range(len(QUOTAS)))
def test_explain_says_where_a_quota_comes_from(quotas, number):
    quota, domain, reason = QUOTAS[number]
    document = quotas.ctl.json("explain", f"q{number}@{domain}")
    assert verdicts(document)["dovecot", "userdb"]["reason"] == f"the mailbox is active; {reason}"
    row = next(one for one in document["questions"] if one["question"] == "user")["rows"][0]
    assert row.get("quota_gb") == (None if quota is None else str(quota))
    assert row.get("domain_quota_gb") == {"example.test": "3", "bücher.test": "0"}.get(domain)


@pytest.fixture(scope="module")
def strange(lab):
    """A world with rows that only SQLite can hold, and with many rows."""
    world = World(lab, "sqlite", "strange")
    world.store.insert("domains", id=1001, domain=b"\xc3\xa9\xff.test", homedir="/srv/1001")
    world.store.insert("mailboxes", id=1001, local_part="a", domain_id=1001, password="x",
                       homedir="/srv/a", maildir="maildir:/srv/a")
    world.store.insert("aliases", id=1001, local_part="crowd", domain_id=1)
    world.store.run("INSERT INTO alias_recipients (alias_id, recipient_address) WITH RECURSIVE "
                    "n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 20000) "
                    "SELECT 1001, 'r' || seq || '@external.test' FROM n")
    return world


def test_a_name_that_is_no_text_is_the_reason(strange):
    found = verdicts(strange.ctl.json("explain", "a@\u00e9\ufffd.test"))
    for what in ("passdb", "userdb"):
        assert found["dovecot", what]["reason"] == \
            "the stored name holds control characters or invalid UTF-8"


def test_an_alias_of_many_recipients_is_explained_at_once(strange):
    started = time.monotonic()
    found = verdicts(strange.ctl.json("explain", "crowd@example.test"))
    assert "20000 recipients are more than" in found["postfix", "policy recipient"]["reason"]
    assert time.monotonic() - started < 3


LOGGED_IN = ["--as", "bob@example.test"]
CHECKS = [
    # policy section, address, options, what, action, reason
    ({}, "alice@example.test", LOGGED_IN, "sender", "553 5.7.1 not owned by user bob@example.test",
     "<bob@example.test> may not send as this address"),
    ({}, "info@example.test", ["--as", "ALICE@example.test"], "sender", "DUNNO",
     "<ALICE@example.test> may send as this address"),
    ({}, "x@foreign.test", LOGGED_IN, "sender", "553 5.7.1 not owned by user bob@example.test",
     "<bob@example.test> may not send as this address"),
    ({}, "alice@example.test", [], "sender", "DUNNO",
     'nobody logged in: policy.sender_unauthenticated = "accept"'),
    ({"sender_login": "known"}, "x@foreign.test", LOGGED_IN, "sender", "DUNNO",
     "the address belongs to nobody here"),
    ({"sender_login": "known"}, "a\x01b@example.test", LOGGED_IN, "sender", "DUNNO",
     "the address belongs to nobody here"),
    ({"sender_login": "known"}, "alice@example.test", LOGGED_IN, "sender",
     "553 5.7.1 not owned by user bob@example.test",
     "<bob@example.test> may not send as this address"),
    ({"sender": "warn"}, "alice@example.test", LOGGED_IN, "sender", "DUNNO",
     '<bob@example.test> may not send as this address; policy.sender = "warn" lets it pass'),
    ({"sender": "warn"}, "bob@example.test", LOGGED_IN, "sender", "DUNNO",
     "<bob@example.test> may send as this address"),
    ({"sender": "off"}, "alice@example.test", LOGGED_IN, "sender", "DUNNO",
     'policy.sender = "off"'),
    ({"sender_unauthenticated": "reject"}, "alice@example.test", [], "sender",
     "553 5.7.1 not logged in", "the address belongs to somebody here, and nobody logged in"),
    ({"sender_unauthenticated": "reject"}, "x@foreign.test", [], "sender", "DUNNO",
     "the address belongs to nobody here"),
    ({"sender_unauthenticated": "reject", "sender": "warn"}, "alice@example.test", [], "sender",
     "DUNNO", "the address belongs to somebody here, and nobody logged in; "
     'policy.sender = "warn" lets it pass'),
    ({"recipient": "warn"}, "sendonly@example.test", [], "recipient", "DUNNO",
     "<sendonly@example.test>: the mailbox is active, and send-only; "
     'policy.recipient = "warn" lets it pass'),
    ({"recipient": "warn"}, "alice@example.test", [], "recipient", "DUNNO",
     "<alice@example.test>: the mailbox is active"),
    ({"recipient": "off"}, "sendonly@example.test", [], "recipient", "DUNNO",
     'policy.recipient = "off"'),
]


@pytest.mark.parametrize("policy, address, options, check, action, reason", CHECKS)
def test_a_check_has_its_reason_in_each_mode(lab, sqlite, policy, address, options, check,
                                             action, reason):
    """Compares the whole reason, which must not contradict the action."""
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite), "policy": policy,
                      "dovecot": {"user": "mum_dovecot"}}, name="ask-modes")
    found = verdicts(Mumctl(mumd.config).json("explain", address, *options))
    verdict = found["postfix", f"policy {check}"]
    assert (verdict["answer"], verdict["reason"]) == (action, reason)


# ---- query, policy ----

QUERIES = [
    (("mailboxes", "alice@example.test"), 0, "1\n"),
    (("aliases", "nested@example.test"), 0, "info@example.test\n"),
    (("mailboxes", "nobody@example.test"), 1, ""),
    (("tls-policies", "null.test"), 0, "encrypt\n"),
    (("aliases", "tab@dirty.test"), 75, ""),
    (("nosuch", "alice@example.test"), 64, ""),
    (("mailboxes alice", "x@example.test"), 64, ""),
    (("mailboxes", "k" * 120000 + "@example.test"), 64, ""),
    (("mailboxes",), 64, ""),
]


@pytest.mark.parametrize("words, status, stdout", QUERIES, ids=range(len(QUERIES)))
def test_query_ends_as_postmap_does(ours, words, status, stdout):
    result = ours.ctl.run("query", *words)
    assert (result.status, result.stdout) == (status, stdout)
    assert (result.stderr == "") == (status in (0, 1))


def test_query_has_a_result_in_json_and_its_reason(ours):
    assert ours.ctl.json("query", "mailboxes", "alice@example.test") == {
        "map": "mailboxes", "key": "alice@example.test", "result": "found", "value": "1"}
    assert ours.ctl.json("query", "mailboxes", "x@example.test")["result"] == "not-found"
    trouble = ours.ctl.json("query", "aliases", "tab@dirty.test")
    assert trouble["result"] == "temporary" and trouble["reason"]
    # bytes that are not text are escaped, however many there are
    odd = "\udcff" * 9000 + "@example.test"
    assert ours.ctl.json("query", "mailboxes", odd)["key"] == r"\xff" * 9000 + "@example.test"


POLICIES = [
    (("recipient=sendonly@example.test",), 0,
     "550 5.2.1 mailbox does not accept mail (send-only)"),
    (("recipient=alice@example.test", "sender=bob@example.test",
      "sasl_username=alice@example.test"), 0, "553 5.7.1 not owned by user alice@example.test"),
    (("recipient=alice@example.test", "policy_context=recipient", "sender=bob@example.test",
      "sasl_username=alice@example.test"), 0, "DUNNO"),
    (("protocol_state=DATA", "recipient=sendonly@example.test"), 0, "DUNNO"),
]


@pytest.mark.parametrize("words, status, action", POLICIES)
def test_policy_answers_as_the_service_does(ours, words, status, action):
    result = ours.ctl.run("policy", *words)
    assert (result.status, result.stdout) == (status, f"action={action}\n")
    assert ours.ctl.json("policy", *words) == {"action": action}
    attributes = dict(word.split("=", 1) for word in words)
    assert ours.policy.ask(**attributes) == action


@pytest.mark.parametrize("words", [(), ("recipient",), ("",), ("recipient=a@b", ""),
                                   ("recipient=a@b\nsender=c@d",), ("=x",)])
def test_policy_refuses_what_is_no_request(ours, words):
    result = ours.ctl.run("policy", *words)
    assert result.status == 64 and result.stdout == "" and result.stderr


# ---- list ----

def test_list_takes_a_pattern(ours):
    everybody = ours.ctl.run("list").stdout.splitlines()
    assert ours.ctl.run("list", "*@second.test").stdout.splitlines() == [
        user for user in everybody if user.endswith("@second.test")] != []
    assert ours.ctl.json("list", "al*") == {"result": "found", "users": ["alice@example.test"]}
    assert ours.ctl.run("list", "nobody*").stdout == ""
    for left_out in ("sendonly@example.test", "ina@example.test", "dave@inactive.test"):
        assert left_out not in everybody


# ---- no answer ----

def test_a_database_that_is_away_is_75_for_every_question(lab):
    database = {"driver": "sqlite", "path": lab.path / "away.sqlite", "deadline": "100ms"}
    mumd = Mumd(lab, {"database": database, "dovecot": {"deadline": "100ms"}}, name="ask-away")
    ctl = Mumctl(mumd.config)
    for words in (("query", "mailboxes", "a@b.test"), ("policy", "recipient=a@b.test"),
                  ("user", "a@b.test"), ("list",), ("explain", "a@b.test"),
                  ("auth", "--password-stdin", "a@b.test")):
        result = ctl.run("--json", *words, input="secret\n")
        assert result.status == 75 and result.json(), words
        if words[0] == "explain":
            found = verdicts(result.json())
    assert found["postfix", "mailboxes"]["answer"] == "TEMP"
    assert found["postfix", "policy recipient"]["answer"].startswith("DEFER_IF_PERMIT 4.3.0 ")
    assert found["postfix", "policy recipient"]["reason"] == (
        found["postfix", "mailboxes"]["reason"]) != ""
    assert found["dovecot", "passdb"]["answer"] == "temporary failure"


@pytest.mark.parametrize("words, status", [
    (("query", "mailboxes", "a@example.test"), 78), (("user", "a@example.test"), 78),
    (("list",), 78), (("auth", "--password-stdin", "a@example.test"), 78),
    (("explain", "a@example.test"), 78), (("policy", "recipient=a@example.test"), 75)])
def test_a_missing_table_has_the_status_of_the_manual(lab, words, status):
    path = lab.path / "no-mailboxes.sqlite"
    if not path.exists():
        sample.write_sqlite(path)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("ALTER TABLE mailboxes RENAME TO elsewhere")
    config = Mumd(lab, {"database": sqlite_settings(path), "dovecot": {"user": "mum_dovecot"}},
                  name="ask-no-table").config
    assert Mumctl(config).run(*words, input="secret\n").status == status


@pytest.mark.parametrize("words", [("query", "mailboxes", "x@y"), ("policy", "recipient=x@y"),
                                   ("user", "x@y"), ("list",), ("explain", "x@y"), ("setup",),
                                   ("auth", "--password-stdin", "x@y"), ("check",),
                                   ("compare", "--postfix", "/nonexistent")])
def test_a_wrong_configuration_is_78_and_all_of_it_is_said(lab, words):
    path = lab.directory("ask-wrong") / "mum.conf"
    path.write_text('cache { ttl = "soon" }\npolicy { sender = "maybe" }\n')
    result = Mumctl(path).run(*words, input="secret\n")
    assert result.status == 78
    assert f"{path}:1: " in result.seen.replace("error: config: ", "")
    assert "soon" in result.seen and "maybe" in result.seen


def test_no_terminal_obeys_the_words_of_a_database(lab):
    """An error names its place, whatever bytes are in the place's name."""
    world = World(lab, "mariadb", "words")
    odd = world.directory / "\x1b[2J\udcff.sock"
    odd.symlink_to(world.store.server.socket)
    ctl = world.ctl_with(database={"hosts": [f"unix:{odd}"]})
    for user in ("mum_postfix", "mum_dovecot"):
        world.store.run(f"REVOKE SELECT (active) ON mum.domains FROM {user}@localhost")
    for words in (("explain", "anna@example.test"), ("user", "anna@example.test"), ("list",),
                  ("auth", "--password-stdin", "anna@example.test"),
                  ("query", "mailboxes", "anna@example.test")):
        result = ctl.run(*words, input="secret\n")
        assert result.status == 78 and r"\x1b[2J\xff.sock: " in result.seen, (words, result.seen)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\udc80-\udcff]", result.seen), words
        document = ctl.json(*words, input="secret\n")
        if words[0] == "explain":
            reasons = [one["reason"] for one in document["questions"] if "reason" in one]
            assert len(document["questions"]) == 6 and len(reasons) == 5
        else:
            reasons = [document["reason"]] if words[0] in ("auth", "query") else []
        assert all(r"\xff.sock: SELECT command denied" in reason for reason in reasons), reasons


@pytest.mark.parametrize("denied, away", [("mum_postfix", "mum_dovecot"),
                                          ("mum_dovecot", "mum_postfix")])
def test_explain_ends_as_the_worst_of_its_questions(lab, denied, away):
    """78, which somebody must fix, wins over 75, in any order."""
    world = World(lab, "mariadb", f"worst-{denied[4:]}")
    world.store.run(f"REVOKE SELECT (active) ON mum.domains FROM {denied}@localhost")
    world.store.run(f"ALTER USER {away}@localhost IDENTIFIED BY 'another'")
    ctl = world.ctl_with(database={"deadline": "300ms"}, dovecot={"deadline": "300ms"})
    result = ctl.run("--json", "explain", "anna@example.test")
    assert {one["result"] for one in result.json()["questions"]} >= {"temporary", "misconfigured"}
    assert result.status == 78
