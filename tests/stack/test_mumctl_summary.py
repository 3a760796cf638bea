# SPDX-License-Identifier: MIT
"""mumctl explain begins with plain words: who gets the mail, who may send, or why nobody."""

import time

import pytest

from lab import Mumctl
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mumd import mariadb_settings, sqlite_settings
from mumctl_world import World


@pytest.fixture(params=["mariadb", "sqlite"])
def ctl(request, make_mumd, mariadb, sqlite):
    """mumctl over the sample. No mumd runs, and none needs to."""
    settings = (sqlite_settings(sqlite) if request.param == "sqlite"
                else mariadb_settings(mariadb, POSTFIX_PASSWORD))
    return Mumctl(make_mumd({"database": settings, "dovecot": {"password": DOVECOT_PASSWORD}},
                            start=False).config)


NOBODY_SENDS = ("Nobody may send as it, because no mailbox has this name, and no alias with "
                "senders.")
SUMMARIES = {
    "alice@example.test":
        "<alice@example.test> gets its mail. <alice@example.test> may send as it.",
    "uwe@xn--bcher-kva.test": "<uwe@bücher.test> gets its mail. <uwe@bücher.test> may send as it.",
    "info@example.test":
        "<bob@example.test>, <alice@example.test> and <friend@external.test> get its mail. "
        "<alice@example.test> and <carol@second.test> may send as it.",
    "dupes@example.test": f"<bob@example.test> gets its mail. {NOBODY_SENDS}",
    "nobody@example.test": "nobody here gets its mail, because no mailbox and no alias has this "
                           f"name. {NOBODY_SENDS}",
    "ina@example.test": "nobody here gets its mail, because the mailbox is inactive. Nobody may "
                        "send as it, because <ina@example.test>: the mailbox is inactive.",
    "sendonly@example.test":
        "nobody here gets its mail, because <sendonly@example.test>: the mailbox is active, and "
        "send-only. <sendonly@example.test> may send as it.",
    "shop@example.test": "nobody here gets its mail, because 0 of 1 recipients get mail; "
                         "<sendonly@example.test> is send-only. <sendonly@example.test> may send "
                         "as it.",
    "deadbox@example.test":
        "<deadbox@example.test> gets its mail. <deadbox@example.test> may send as it.",
    "tab@dirty.test": "its mail is deferred, because the value holds control characters, invalid "
                      f"UTF-8 or a domain that is none; fix it in MUM. {NOBODY_SENDS}",
    "example.test": "MUM's mailboxes and aliases get its mail.",
    "inactive.test": "nobody here gets its mail, because the domain is inactive.",
    "foreign.test": "nobody here gets its mail, because it is no domain of MUM's.",
}


@pytest.mark.parametrize("key", SUMMARIES)
def test_explain_begins_with_plain_words(ctl, key):
    want = f"<{key}>: {SUMMARIES[key]}"
    assert ctl.json("explain", key)["summary"] == want
    assert ctl.run("explain", key).stdout.startswith(f"{want}\n\nWhat MUM says\n")


def test_plain_words_for_many_recipients_other_rules_and_no_database(lab):
    """Only a few recipients are named; and an outage is not an answer."""
    world = World(lab, "sqlite", "summary")
    world.store.insert("aliases", id=1002, local_part="few", domain_id=1)
    for number in range(1, 6):
        world.store.insert("alias_recipients", alias_id=1002,
                           recipient_address=f"r{number}@e.test")
    said = world.ctl.json("explain", "few@example.test")["summary"]
    assert "<r1@e.test>, <r2@e.test>, <r3@e.test> and 2 others get its mail. Nobody" in said
    known = world.ctl_with(policy={"sender_login": "known"})
    assert ". Everybody who logs in may send as it, because no mailbox has this name" in \
        known.json("explain", "few@example.test")["summary"]
    away = world.ctl_with(database={"path": "/nonexistent/mum.sqlite", "deadline": "200ms"})
    for key, end in (("few@example.test", ". Who sends as it has to wait, because "),
                     ("example.test", "")):
        said = away.json("explain", key)["summary"]
        assert said.startswith(f"<{key}>: its mail is deferred, because ") and end in said


@pytest.mark.parametrize("section, waits", [("dovecot", 1), ("database", 2)])
def test_a_wrong_password_costs_one_deadline(make_mumd, mariadb, section, waits):
    """Not one for each question. The policy service, which asks by itself, waits once more."""
    settings = {"database": {**mariadb_settings(mariadb, POSTFIX_PASSWORD), "deadline": "2s"},
                "dovecot": {"password": DOVECOT_PASSWORD, "deadline": "2s"}}
    settings[section]["password"] = "wrong"
    ctl = Mumctl(make_mumd(settings, start=False).config)
    began = time.monotonic()
    seen = ctl.run("--json", "explain", "alice@example.test")
    assert 2 * waits <= time.monotonic() - began < 4 * waits + 1.5   # else 6 and 12
    document = seen.json()
    kinds = ("credential", "user") if section == "dovecot" else (
        "domain", "delivery", "owners", "tls")
    late = [one for one in document["questions"] if one["result"] == "temporary"]
    assert (seen.status, {one["question"] for one in late}) == (75, set(kinds))
    assert all(one["reason"] == "the database gave no answer in time" and one["ms"] > 1900
               for one in late)
    heard = {one["what"]: one["answer"] for one in document["verdicts"]}
    assert (heard["userdb"] == "temporary failure") == (section == "dovecot")
    assert (heard["aliases"] == "TEMP") == (section == "database")
