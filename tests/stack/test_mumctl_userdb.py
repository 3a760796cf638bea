# SPDX-License-Identifier: MIT
"""What mumctl says of the userdb, for the Dovecot that is installed and for the other one.
(That it is what the installed Dovecot says: test_mumctl.py.)"""

import pytest

from lab.lab import ENVIRONMENT
from mumctl_world import World

HOME = "/srv/mail/u"
LAYOUT = f"maildir:{HOME}:LAYOUT=fs"
UNKNOWN = f"maildir:{HOME}:SHINY"
WHY = "maildir has SHINY, which Dovecot 2.4 has no setting for"

FIELDS = {
    "2.3": ["home=/srv/mail/u", f"mail={LAYOUT}", "quota_rule=*:storage=5G"],
    "2.4": ["home=/srv/mail/u", "mail_driver=maildir", f"mail_path={HOME}", "mail_inbox_path=.",
            "mailbox_list_layout=fs", "quota_storage_size=5G"],
}
OTHER = {"2.3": "2.4", "2.4": "2.3"}

# What "dovecot --version" says, and whose fields are shown.
INSTALLED = {"2.3.19.1 (9b53102964)": "2.3", "2.4.1-4 (7d8e0c5759)": "2.4", "2.5.0 (1)": "2.4",
             "3.0": "2.4", "nonsense": "2.3"}


@pytest.fixture(scope="module")
def world(lab):
    world = World(lab, "sqlite", "userdb")
    world.store.add("u", homedir=HOME, maildir=LAYOUT, quota=5)
    world.store.add("v", homedir=HOME + "/v", maildir=UNKNOWN)
    return world


@pytest.fixture
def installed(tmp_path):
    """installed(version): an environment in which that Dovecot is."""
    def environment(version):
        program = tmp_path / "dovecot"
        program.write_text(f"#!/bin/sh\necho '{version}'\n")
        program.chmod(0o755)
        return {"PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"}
    return environment


def lines(version, user="u@example.test"):
    return [f"user={user}", *FIELDS[version]]


def fields(result):
    """What Dovecot is told; what else there is of the login is in test_mumctl_reverse.py."""
    return result.stdout.partition("\n\n")[0].splitlines()


@pytest.mark.parametrize("version", INSTALLED)
def test_user_shows_the_fields_for_the_installed_dovecot(world, installed, version):
    result = world.ctl.run("user", "u@example.test", environment=installed(version))
    assert (result.status, fields(result)) == (0, lines(INSTALLED[version]))


@pytest.mark.parametrize("version", FIELDS)
def test_user_shows_the_fields_for_either(world, version):
    result = world.ctl.run("user", "u@example.test", "--for", version)
    assert (result.status, fields(result)) == (0, lines(version))
    document = world.ctl.json("user", "u@example.test", "--for", version)
    said = {name: value for name, value in document.items() if isinstance(value, str)}
    assert said == {"result": "found", **dict(one.split("=", 1) for one in lines(version))}


@pytest.mark.parametrize("words", [("--for",), ("--for", "2.5"), ("--for", "2.4", "x"),
                                   ("--to", "2.4")])
def test_another_version_is_wrong_usage(world, words):
    result = world.ctl.run("user", "u@example.test", *words)
    assert result.status == 64 and "--for VERSION" in result.stderr


def test_user_says_why_2_4_cannot_be_told(world):
    assert world.ctl.run("user", "v@example.test", "--for", "2.3").status == 0
    result = world.ctl.run("user", "v@example.test", "--for", "2.4")
    assert (result.status, result.stdout) == (75, "") and WHY in result.stderr
    result = world.ctl.run("--json", "user", "v@example.test", "--for", "2.4")
    assert result.json() == {"result": "temporary", "user": "v@example.test"}


def userdb(world, environment, user):
    """{where Dovecot asks: (answer, reason)}"""
    document = world.ctl.json("explain", user, environment=environment)
    return {one["what"]: (one["answer"], one["reason"]) for one in document["verdicts"]
            if one["what"].startswith("userdb")}


@pytest.mark.parametrize("version", ["2.3.19.1 (9b53102964)", "2.4.1-4 (7d8e0c5759)"])
def test_explain_shows_both(world, installed, version):
    here = INSTALLED[version]
    there = OTHER[here]
    environment = installed(version)
    reason = "the mailbox is active; the quota is the mailbox's own"
    assert userdb(world, environment, "u@example.test") == {
        "userdb": ("found " + " ".join(lines(here)), reason),
        f"userdb of {there}": ("found " + " ".join(lines(there)), reason)}
    answers = userdb(world, environment, "v@example.test")
    of_old, of_new = ("userdb", "userdb of 2.4") if here == "2.3" else ("userdb of 2.3", "userdb")
    assert answers[of_new] == ("temporary failure", WHY)
    assert answers[of_old][0].startswith("found user=v@example.test ")


@pytest.mark.parametrize("user", ["scanner@example.test", "nobody@example.test"])
def test_explain_says_once_that_there_is_nobody(world, user):
    assert [answer for answer, _ in userdb(world, {}, user).values()] == ["unknown user"]
