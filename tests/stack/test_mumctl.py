# SPDX-License-Identifier: MIT
"""mumctl's questions: what it prints is what mumd and Dovecot say, by whatever name
one asks. Rows: tests/lab/sample.py."""

import contextlib
import ctypes
import mmap
import os
import pty
import re
import select
import shlex
import signal
import sqlite3
import subprocess
import termios
import time

import pytest

import test_maps
from dovecot_stores import STORES, SECRET
from lab import Mumctl, Mumd, hashes, sample
from lab.lab import ENVIRONMENT, TOP, run
from lab.manual import commands
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mum_dovecot import MumDovecot
from lab.mumctl import binary
from lab.mumd import mariadb_settings, sqlite_settings
from mumctl_world import World

# The address, and a login to ask as.
LOGINS = {"info@example.test": "alice@example.test", "team@example.test": "bob@example.test",
          "sales@second.test": "bob@example.test", "alice@example.test": "alice@example.test",
          "alice+x@example.test": "Alice@Example.Test", "books@bücher.test": "carol@second.test",
          "with space@example.test": "with space@example.test",
          "nobody@example.test": "alice@example.test"}


class Ours:
    """The sample rows in one store, mumd and Dovecot before it, and mumctl."""

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
    """Every key of test_maps.py's tables, and names that are near to them, once."""
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
    """Of every key that the maps are tested with, for each map and the policy service."""
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
            assert (result.status, result.json()) == (1, {"result": "not-found", "user": user})
            continue
        ours_said = {name: value for name, value in result.json().items() if name != "result"}
        assert result.status == 0
        assert ours_said == {"user": fields["user"], **{
            name: fields[name] for name in ("home", "mail", "quota_rule") if name in fields}}
        assert answer == "found " + " ".join(f"{name}={value}"
                                             for name, value in ours_said.items())
        lines = ours.ctl.run("user", user).stdout
        assert lines == "".join(f"{name}={value}\n" for name, value in ours_said.items())


def test_doveadm_agrees(ours):
    """For one of each kind, in the words of doveadm."""
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
    ("onlyina@example.test", "sender-login-maps", "is inactive or expired"),
    ("x@foreign.test", "sender-login-maps", "no mailbox has this name"),
    ("off.test", "tls-policies", "the policy is inactive"),
    ("a\tb@example.test", "mailboxes", "no name in MUM can be written so"),
    ("tab@dirty.test", "aliases", "recipients get mail"),
    # an alias that does not decide gives no reason
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
    # of the mailbox, its domain (of which 3 GB, or none), the reason
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
    """A world with rows that only SQLite can hold, or that are many."""
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
    """The whole reason: it never contradicts the action."""
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
    # bytes that are no text are escaped, however many they are
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
    """Its error comes with the place where it is, whatever bytes that has."""
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
    """78, which somebody must mend, before 75, whichever comes first."""
    world = World(lab, "mariadb", f"worst-{denied[4:]}")
    world.store.run(f"REVOKE SELECT (active) ON mum.domains FROM {denied}@localhost")
    world.store.run(f"ALTER USER {away}@localhost IDENTIFIED BY 'another'")
    ctl = world.ctl_with(database={"deadline": "300ms"}, dovecot={"deadline": "300ms"})
    result = ctl.run("--json", "explain", "anna@example.test")
    assert {one["result"] for one in result.json()["questions"]} >= {"temporary", "misconfigured"}
    assert result.status == 78


# ---- auth ----

# name: (hash, what is said of it, is it right?)
HASHES = {
    "bcrypt2y": (hashes.bcrypt(cost=5), "bcrypt, cost 5"),
    "bcrypt2b": (hashes.bcrypt(cost=4, kind="2b"), "bcrypt, cost 4"),
    "bcrypt2a": (hashes.bcrypt(cost=4, kind="2a"), "bcrypt, cost 4"),
    "sha256": (hashes.sha256(), "SHA256-CRYPT, rounds 5000"),
    "sha512": (hashes.sha512(rounds=2000), "SHA512-CRYPT, rounds 2000"),
    "md5": (hashes.crypt("secret", "$1$saltsalt$"), "MD5-CRYPT"),
    "sha1": (hashes.crypt("secret", "$sha1$1000$saltsalt$"), "SHA1-CRYPT, rounds 1000"),
    "yescrypt": (hashes.yescrypt(), "yescrypt, settings j75"),
    "gost": (hashes.crypt("secret", "$gy$j75$abcdefghijklmnop$"), "gost-yescrypt, settings j75"),
    "scrypt": (hashes.crypt("secret", "$7$8/..../....abcdefgh$"),
               "scrypt, settings 8/..../...."),
    "argon2i": (hashes.argon2(kind="i"), "argon2i, m=1024,t=3,p=1"),
    "argon2id": (hashes.argon2(), "argon2id, m=1024,t=3,p=1"),
}
REFUSED = {
    "plaintext": ("secret", "not a hash that begins with $"),
    "nothing": ("", "no password is set"),
    "unknown": ("$9$abc$def", "unknown hash scheme"),
    "costly": (hashes.bcrypt(cost=4).replace("$04$", "$20$"), "costs more than mum.conf allows"),
    "prefixed": ("{PLAIN}secret", "dovecot.allow_scheme_prefix"),
}


@pytest.fixture(scope="module", params=list(STORES))
def logins(request, lab):
    """A world with one mailbox for each hash."""
    world = World(lab, request.param, "auth")
    for name, (hashed, _) in {**HASHES, **REFUSED}.items():
        world.store.add(name, password=hashed)
    return world


@pytest.mark.parametrize("name", HASHES)
def test_a_password_is_right_or_wrong_by_every_scheme(logins, name):
    hashed, described = HASHES[name]
    user = f"{name}@example.test"
    right = logins.ctl.run("auth", "--password-stdin", user, input="secret\n")
    wrong = logins.ctl.run("auth", "--password-stdin", user, input="Secret\n")
    assert (right.status, right.stdout) == (0, f"{user}: right; {described}\n")
    assert (wrong.status, wrong.stdout) == (1, f"{user}: wrong; {described}\n")
    assert logins.ctl.json("auth", "--password-stdin", user, input="secret") == {
        "user": user, "result": "right", "hash": described, "send_only": False}
    row = next(row for one in logins.ctl.json("explain", user)["questions"]
               if one["question"] == "credential" for row in one["rows"])
    assert row["hash"] == described
    for result in (right, wrong):
        assert hashed[-20:] not in result.seen


@pytest.mark.parametrize("name", REFUSED)
def test_a_hash_that_dovecot_refuses_is_refused(logins, name):
    user = f"{name}@example.test"
    result = logins.ctl.run("auth", "--password-stdin", user, input="secret\n")
    assert result.status == 1
    assert result.stdout.startswith(f"{user}: refused; ") and REFUSED[name][1] in result.stdout


def test_a_prefix_that_is_allowed_is_left_to_dovecot(logins):
    ctl = logins.ctl_with(dovecot={"allow_scheme_prefix": "true"})
    result = ctl.run("auth", "--password-stdin", "prefixed@example.test", input="secret\n")
    assert result.status == 75 and "unchecked" in result.stdout and "doveadm" in result.stdout


def test_who_may_not_log_in_is_unknown_and_send_only_is_said(logins):
    for user in ("gone@example.test", "nobody@example.test"):
        result = logins.ctl.run("auth", "--password-stdin", user, input="secret\n")
        assert (result.status, result.stdout) == (
            1, f"{user}: unknown; no active mailbox has this name\n")
    result = logins.ctl.run("auth", "--password-stdin", "SCANNER@example.test", input="secret\n")
    assert result.status == 0
    assert result.stdout.startswith("scanner@example.test: right; ")
    assert "send-only: no login for imap, pop3, sieve, submission" in result.stdout


def test_the_password_is_asked_for_without_an_echo(logins):
    result = logins.ctl.on_terminal("auth", "bcrypt2y@example.test", prompt="Password: ",
                                    typed="secret\n")
    assert (result.status, result.stdout) == (
        0, "Password: \r\nbcrypt2y@example.test: right; bcrypt, cost 5\r\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_at_the_prompt_gives_the_echo_back(logins, number):
    master, slave = pty.openpty()
    child = subprocess.Popen([binary(), "-c", logins.ctl.config, "auth", "x@example.test"],
                             stdin=slave, stdout=slave, stderr=slave, env=ENVIRONMENT,
                             start_new_session=True)
    assert select.select([master], [], [], 10)[0] and b"Password" in os.read(master, 100)
    assert not termios.tcgetattr(slave)[3] & termios.ECHO
    child.send_signal(number)
    assert child.wait(10) == -number
    assert termios.tcgetattr(slave)[3] & termios.ECHO
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("typed", ["", "x" * 1024 + "\n", "a\0b\n"])
def test_what_is_no_password_is_said(logins, typed):
    result = logins.ctl.run("auth", "--password-stdin", "bcrypt2y@example.test", input=typed)
    assert result.status == 64 and "no whole password" in result.stderr
    without = logins.ctl.run("auth", "bcrypt2y@example.test", input="secret\n")
    assert without.status == 64 and "--password-stdin" in without.stderr


def test_a_password_that_is_cut_by_an_error_is_none(logins):
    """Standard input is this process' memory, up to where there is none any more."""
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    size = mmap.PAGESIZE
    page = libc.mmap(None, ctypes.c_size_t(2 * size), mmap.PROT_READ | mmap.PROT_WRITE,
                     mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))
    libc.munmap(ctypes.c_void_p(page + size), ctypes.c_size_t(size))
    ctypes.memmove(page + size - len("secret"), b"secret", len("secret"))
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        memory.seek(page + size - len("secret"))
        result = subprocess.run(
            [binary(), "-c", logins.ctl.config, "auth", "--password-stdin",
             "bcrypt2y@example.test"], stdin=memory, capture_output=True, env=ENVIRONMENT,
            timeout=30, check=False)
    libc.munmap(ctypes.c_void_p(page), ctypes.c_size_t(size))
    assert (result.returncode, result.stdout) == (64, b"") and b"no whole password" in result.stderr


def test_mum_conf_is_read_before_a_password_is_asked_for(lab):
    path = lab.directory("auth-wrong") / "mum.conf"
    path.write_text('cache { ttl = "soon" }\n')
    result = Mumctl(path).on_terminal("auth", "x@example.test")
    assert result.status == 78 and "soon" in result.seen and "Password" not in result.seen


SECRETS = ["typed-canary", POSTFIX_PASSWORD, DOVECOT_PASSWORD, *[
    hashed[-20:] for hashed, _ in HASHES.values()]]


def test_no_command_prints_a_secret(logins):
    for words in (("check", "--all"), ("setup",), ("list",), ("user", "sha512@example.test"),
                  ("query", "mailboxes", "sha512@example.test"),
                  ("policy", "sender=sha512@example.test"),
                  ("auth", "--password-stdin", "sha512@example.test"),
                  *[("explain", f"{name}@example.test") for name in HASHES]):
        for options in ((), ("--json",)):
            seen = logins.ctl.run(*options, *words, input="typed-canary\n").seen
            assert seen and not [secret for secret in SECRETS if secret in seen], words


# ---- setup ----

def test_setup_prints_the_lines_that_we_ship(logins):
    document = logins.ctl.json("setup")
    shipped = {name: (TOP / "conf-examples" / name).read_text()
               for name in ("main.cf", "master.cf", "dovecot.conf", "grants.sql")}
    for name in ("main.cf", "master.cf", "dovecot.conf"):
        text = document[name].replace(str(logins.mumd.config), "/etc/mum/mum.conf")
        text = text.replace(f"unix:{logins.mumd.socketmap}", "unix:mum/socketmap")
        text = text.replace(f"unix:{logins.mumd.policy}", "unix:mum/policy")
        missing = [line for line in text.splitlines() if line not in shipped[name].splitlines()]
        assert missing == [] and text, name
    text = logins.ctl.run("setup").stdout
    assert all(part.rstrip() in text for part in (document["main.cf"], document["master.cf"]))
    assert document["postfix_version"] == run("postconf", "-d", "-h", "mail_version").stdout.strip()
    assert document["dovecot_version"] == run("dovecot", "--version").stdout.strip()


def without_repeated_cd(lines):
    """Each block of a manual begins with one."""
    directory = None
    for line in lines:
        if line.startswith("cd ") and line == directory:
            continue
        directory = line if line.startswith("cd ") else directory
        yield line


def test_setup_prints_the_commands_of_the_manual(logins):
    """Those of its step that changes Postfix, with the sockets of mum.conf."""
    shown = "\n".join(block.text for block in commands("doc/mum-postfix.7")
                      if block.section.startswith("8. "))
    printed = logins.ctl.json("setup")["commands"]
    assert printed in logins.ctl.run("setup").stdout
    printed = printed.replace(f"unix:{logins.mumd.socketmap}", "unix:mum/socketmap")
    printed = printed.replace(f"unix:{logins.mumd.policy}", "unix:mum/policy")
    assert printed.splitlines() == list(without_repeated_cd(shown.splitlines()))


def settings_of(text):
    """Its lines without comments."""
    return sorted(line.strip() for line in text.splitlines() if line.strip()[:1] not in ("", "#"))


@pytest.mark.parametrize("version, example", [
    ("2.3.19.1 (9b53102964)", "dovecot.conf"), ("2.4.0 (1a2b3c4)", "dovecot-2.4.conf"),
    ("2.4.1-4 (7d8e9f0)", "dovecot-2.4.conf")])
def test_setup_speaks_the_language_of_the_dovecot_that_is_there(logins, tmp_path, version,
                                                               example):
    """Its lines are those of the example, but for the paths."""
    program = tmp_path / "dovecot"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"}
    result = logins.ctl.run("--json", "setup", environment=environment)
    document = result.json()
    assert (result.status, result.stderr, document["dovecot_version"]) == (0, "", version)
    printed = re.sub(r"unix_listener .*/private/", "unix_listener /var/spool/postfix/private/",
                     document["dovecot.conf"]).replace(str(logins.ctl.config), "/etc/mum/mum.conf")
    shown = (TOP / "conf-examples" / example).read_text().replace("#mum_config_file",
                                                                  "mum_config_file")
    assert settings_of(printed) == settings_of(shown)
    assert f"Dovecot {version}" in logins.ctl.run("setup", environment=environment).stdout


def granted(text):
    """{(columns, table, user), ...} of the statements in it."""
    return set(re.findall(r"^GRANT SELECT \((.*?)\)\s+ON mum\.(\w+) TO '(\w+)'@'localhost';$",
                          text, re.MULTILINE))


def test_setup_and_the_file_that_we_ship_grant_the_same(logins):
    ours = logins.ctl_with(database={"driver": "mariadb", "name": "mum", "user": "mum_postfix"})
    shipped = (TOP / "conf-examples/grants.sql").read_text()
    assert granted(ours.json("setup")["grants"]) == granted(shipped)
    assert len(granted(shipped)) == shipped.count("\nGRANT ") == 8


@pytest.fixture(scope="module")
def narrow(lab):
    """A world whose database users have what mumctl setup prints, and nothing else."""
    world = World(lab, "mariadb", "setup")
    world.grants = grants = world.ctl.json("setup")["grants"]
    for user, password in (("mum_postfix", POSTFIX_PASSWORD), ("mum_dovecot", DOVECOT_PASSWORD)):
        world.store.run(f"DROP USER {user}@localhost")
        grants = grants.replace("change-me", password, 1)
    world.store.run(grants)
    return world


# Every statement is run, those for one name and for several.
EVERYTHING = [("list",), ("explain", "anna@example.test"), ("explain", "info+x@example.test"),
              ("explain", "bücher.test")]


def test_the_grants_of_setup_are_enough(narrow):
    assert narrow.ctl.run("check").stdout == "0 errors, 0 warnings\n"
    assert [narrow.ctl.run(*words).status for words in EVERYTHING] == [0, 0, 0, 0]


def test_no_column_is_granted_that_no_statement_needs(narrow):
    """Without any one of them a question has no answer, or check says what it leaves out."""
    soon = {"deadline": "300ms"}    # without domains.id no connection is taken into use
    ctl = narrow.ctl_with(database=soon, dovecot=soon)
    for columns, table, user in sorted(granted(narrow.grants)):
        for column in columns.split(", "):
            right = f"SELECT ({column}) ON mum.{table}"
            narrow.store.run(f"REVOKE {right} FROM {user}@localhost")
            assert any(ctl.run(*words).status in (75, 78) for words in EVERYTHING) or \
                "not-checked" in {one["code"] for one in ctl.findings()}, (table, column, user)
            narrow.store.run(f"GRANT {right} TO {user}@localhost")


def test_setup_quotes_the_name_of_a_database_that_needs_it(logins):
    ctl = logins.ctl_with(database={"driver": "mariadb", "name": "mum-2"})
    assert "ON `mum-2`.domains TO " in ctl.json("setup")["grants"]


def test_a_grant_names_any_database(lab):
    """The grants of setup are good for one with a '-' in its name, and those of check."""
    world = World(lab, "mariadb", "prod")
    world.store.run("CREATE DATABASE `mum-prod` COLLATE utf8mb4_unicode_ci")
    for table, in world.store.server.sql("SHOW TABLES FROM mum"):
        world.store.run(f"CREATE TABLE `mum-prod`.{table} LIKE mum.{table}")
    ctl = world.ctl_with(database={"name": "mum-prod"})
    world.store.run(ctl.json("setup")["grants"])
    assert ctl.run("check").stdout == "0 errors, 0 warnings\n"
    world.store.run("REVOKE SELECT (active) ON `mum-prod`.domains FROM mum_postfix@localhost")
    for one in ctl.findings():
        world.store.run(one["mend"])
    assert ctl.run("check").stdout == "0 errors, 0 warnings\n"


def test_the_grants_for_a_remote_host_are_for_who_comes_from_elsewhere(lab):
    """By an address that is not loopback's, though it leads there."""
    world = World(lab, "mariadb", "away")
    unix, = world.store.settings["hosts"]
    away = f"0.0.0.0:{world.store.server.port}"
    remote = {"hosts": [away], "tls": "off"}
    ctl = world.ctl_with(database=remote)
    grants = ctl.json("setup")["grants"]
    assert "'localhost'" not in grants and "REQUIRE" not in grants
    for user, password in (("mum_postfix", POSTFIX_PASSWORD), ("mum_dovecot", DOVECOT_PASSWORD)):
        world.store.run(f"DROP USER {user}@127.0.0.1")
        grants = grants.replace("change-me", password, 1)
    world.store.run(grants)
    assert [one["code"] for one in ctl.findings()] == ["database-plain"]
    authority = {"hosts": [unix, away], "tls_ca": "/dev/null"}
    lines = world.ctl_with(database=authority).json("setup")["grants"].splitlines()
    users = [line for line in lines if line.startswith("CREATE USER")]
    assert len([line for line in users if "@'localhost'" in line and "SSL" not in line]) == 2
    assert len([line for line in users
                if "@'%'" in line and line.endswith(" REQUIRE SSL;")]) == 2


def test_setup_names_mum_conf_by_its_whole_path(logins):
    path = logins.ctl.config
    ctl = Mumctl(path.name, ["env", "-C", path.parent])
    assert f"args = {path}\n" in ctl.json("setup")["dovecot.conf"]


def test_setup_leaves_out_what_nobody_listens_for(logins):
    without_maps = logins.ctl_with(socketmap={"listen": []}).run("--json", "setup")
    without_policy = logins.ctl_with(policy={"listen": []}).run("--json", "setup")
    for result, option, word in ((without_maps, "socketmap.listen", "socketmap:"),
                                 (without_policy, "policy.listen", "check_policy_service")):
        document = result.json()
        text = document["main.cf"] + document["master.cf"]
        assert word not in text and "smtpd_relay_before" in text and document["commands"] == ""
        assert f"{option}: empty" in result.stderr
    assert "check_policy_service" in without_maps.json()["main.cf"]
    assert "socketmap:" in without_policy.json()["main.cf"]


# ---- the program itself ----

def test_usage_is_64_and_help_is_0(logins):
    for words in ((), ("nosuch",), ("check", "now"), ("query",), ("user",), ("user", "a", "b"),
                  ("list", "a", "b"), ("auth",), ("auth", "--nosuch"), ("explain",),
                  ("explain", "a", "--as"), ("compare", "now"), ("compare", "--postfix"),
                  ("setup", "now"), ("--nosuch",)):
        result = logins.ctl.run(*words)
        assert (result.status, result.stdout) == (64, "") and result.stderr, words
    for words in (("--help",), ("-h",)):
        result = logins.ctl.run(*words)
        assert result.status == 0 and "usage: mumctl" in result.stdout
    assert re.fullmatch(r"mumctl \d+\.\d+\S*\n", logins.ctl.run("--version").stdout)


def examples():
    """The commands of the manual's EXAMPLES, as one types them."""
    text = (TOP / "doc/mumctl.8").read_text().partition(".Sh EXAMPLES")[2].partition(".Sh SEE")[0]
    text = text.replace(".Dl ", "").replace("\\e\n", "").replace("example.org", "example.test")
    return [line for line in text.splitlines() if line.startswith("mumctl ")]


@pytest.mark.parametrize("line", examples())
def test_the_examples_of_the_manual_work(logins, line):
    words = shlex.split(line)[1:]
    if words[0] == "auth":
        result = logins.ctl.on_terminal(*words, prompt="Password: ", typed="secret\n")
    else:
        result = logins.ctl.run(*words)
    # the hashes that Dovecot refuses are errors, and there is nothing to compare with
    assert result.status == {"check": 78, "compare": 66}.get(words[0], 0), result.seen
    assert result.stdout


def test_the_manual_has_an_example_of_each_command():
    text = (TOP / "mumctl/commands.h").read_text()
    known = set(re.findall(r'USAGE_\w+ [\\\s]*"(\w+)', text))
    assert {line.split()[1] for line in examples()} == known and len(known) == 9


def test_json_may_stand_before_or_behind_the_command(logins):
    assert logins.ctl.run("check", "--json").stdout == logins.ctl.run("--json", "check").stdout


def test_a_full_disk_is_an_error(logins):
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run([binary(), "-c", logins.ctl.config, "list"], stdout=full,
                                stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=30, check=False)
    assert result.returncode == 74 and b"standard output" in result.stderr
