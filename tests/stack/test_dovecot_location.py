# SPDX-License-Identifier: MIT
"""Where mail lives: with the same maildir in MUM, each Dovecot finds mail where Dovecot 2.3
puts it.
"""

import itertools
import os
import shutil

import pytest

pytest_plugins = ["dovecot_fixtures"]

_numbers = itertools.count(1)

MAIL = b"From: a@example.net\nTo: b@example.test\nSubject: %s\nMessage-ID: <%s@x>\n\nHello.\n"


@pytest.fixture
def store(stores):
    return stores("sqlite")


@pytest.fixture
def add(store):
    """add(maildir, **columns). A maildir is unique in MUM, and the next test may need it,
    so rows are removed.
    """
    added = []

    def one(maildir, **columns):
        added.append(store.add(f"l{next(_numbers)}", maildir=maildir, **columns))
        return added[-1]
    yield one
    for user in added:
        store.remove(user)


# ---- mailboxes as Dovecot 2.3 has made them ----

def maildir(folder, *subjects):
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    for number, subject in enumerate(subjects):
        (folder / "cur" / f"17000000{number:02}.M1P1.host:2,S").write_bytes(
            MAIL % ((subject.encode(),) * 2))


def mbox(file, *subjects):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(b"From a@example.net Mon Jan  1 00:00:00 2024\n"
                              + MAIL % ((subject.encode(),) * 2) + b"\n" for subject in subjects))


def maildir_plus_plus(home):
    maildir(home / "m", "one", "two")
    maildir(home / "m/.Work", "three")
    (home / "m/.Work/maildirfolder").touch()


def maildir_fs(home):
    maildir(home / "m", "one", "two")
    maildir(home / "m/Work", "three")


def maildir_inbox_beside_others(home):
    maildir(home / "m/INBOX", "one", "two")
    maildir(home / "m/Work", "three")


def maildir_with_another_inbox(home):
    maildir(home / "in", "one", "two")
    maildir(home / "m/.Work", "three")


def mbox_with_its_inbox(home):
    mbox(home / "m/inbox", "one", "two")
    mbox(home / "m/Work", "three")


def mbox_with_another_inbox(home):
    mbox(home / "in", "one", "two")
    mbox(home / "m/Work", "three")


MADE = {
    "maildir:{home}/m": maildir_plus_plus,
    "maildir:~/m": maildir_plus_plus,
    "maildir:{home}/m:LAYOUT=fs": maildir_fs,
    "maildir:{home}/m:LAYOUT=FS": maildir_inbox_beside_others,
    "maildir:{home}/m/:LAYOUT=fs:INDEX={home}/index:CONTROL={home}/control": maildir_fs,
    "maildir:{home}/m:INBOX={home}/in": maildir_with_another_inbox,
    "maildir:{home}/m:INBOX=~/in/": maildir_with_another_inbox,
    "mbox:{home}/m": mbox_with_its_inbox,
    "mbox:{home}/m:INBOX={home}/in": mbox_with_another_inbox,
}


@pytest.mark.parametrize("location", MADE)
def test_every_folder_and_mail_of_23_is_there(store, add, dovecots, location):
    home = store.mail / f"made{next(_numbers)}"
    MADE[location](home)
    for path in (home, *home.rglob("*")):
        shutil.chown(path, "mail", "mail")
    user = add(location.format(home=home), homedir=str(home))
    dovecot = dovecots(store)
    imap = dovecot.imap()
    assert imap.enter(user, "secret") == "OK"
    folders = {line.decode().rpartition(" ")[2].strip('"') for line in imap.list()[1]}
    assert folders == {"INBOX", "Work"}
    assert [imap.select(folder)[1] for folder in ("INBOX", "Work")] == [[b"2"], [b"1"]]
    imap.logout()
    with dovecot.lmtp() as lmtp:
        assert lmtp.deliver(user, "new").startswith("250")
    imap = dovecot.imap()
    assert imap.enter(user, "secret") == "OK" and imap.select("INBOX")[1] == [b"3"]
    imap.logout()
    assert not os.path.exists(f"/var/mail/{user}")


# Where the mail is, of INBOX and of Work.
DBOX = {
    "sdbox:{home}/m": ["m/mailboxes/INBOX/dbox-Mails/u.1", "m/mailboxes/Work/dbox-Mails/u.1"],
    "sdbox:~/m:INBOX={home}/in": ["in/u.1", "m/mailboxes/Work/dbox-Mails/u.1"],
    "mdbox:~/m": ["m/storage/m.1", "m/mailboxes/INBOX/dbox-Mails", "m/mailboxes/Work/dbox-Mails"],
    "mdbox:{home}/m:ALT={home}/alt": ["m/storage/m.1", "m/mailboxes/INBOX/dbox-Mails"],
}


@pytest.mark.parametrize("location", DBOX)
def test_dbox_has_all_mail_where_23_has_it(store, add, dovecots, location):
    home = store.mail / f"dbox{next(_numbers)}"
    user = add(location.format(home=home), homedir=str(home))
    dovecot = dovecots(store)
    with dovecot.lmtp() as lmtp:
        assert lmtp.deliver(user, "by-lmtp").startswith("250")
    imap = dovecot.imap()
    assert imap.enter(user, "secret") == "OK"
    assert imap.create("Work")[0] == imap.append("Work", None, None, MAIL % (b"x", b"x"))[0] == "OK"
    assert imap.select("INBOX")[1] == [b"1"]
    assert b"Subject: by-lmtp" in imap.fetch("1", "(BODY[])")[1][0][1]
    assert imap.select("Work")[1] == [b"1"]
    imap.logout()
    assert [path for path in DBOX[location] if not (home / path).exists()] == []
    assert not os.path.exists(f"/var/mail/{user}")


# ---- what a Dovecot is told ----

PARTS = {
    "maildir:/m:LAYOUT=fs": {"mail_driver": "maildir", "mail_path": "/m", "mail_inbox_path": ".",
                             "mailbox_list_layout": "fs"},
    "mdbox:~/m:INDEX=/i/%u:ALT=/alt:NO-NOSELECT": {
        "mail_driver": "mdbox", "mail_path": "~/m", "mail_inbox_path": "",
        "mail_index_path": "/i/%u", "mail_alt_path": "/alt", "mailbox_list_drop_noselect": "yes"},
}


@pytest.mark.parametrize("location", PARTS)
def test_location_goes_with_all_its_parts(store, add, dovecots, location):
    user = add(location)
    dovecot = dovecots(store)
    fields = dovecot.user(user)
    expected = dovecot.language.expected_mail(location, PARTS[location])
    assert {name: value for name, value in fields.items() if name.startswith("mail")} == expected


WITHOUT_A_WORD = {
    "/m": "names no driver",
    "maildir:": "has no path",
    "maildir:/m:SHINY": "has SHINY, which",
    "maildir:~somebody/m": "home of a system user",
    "mbox:~/m:INBOX=in": "INBOX with a relative path",
}


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("location", WITHOUT_A_WORD)
def test_location_without_a_word_is_trouble_of_this_user_alone(store, add, dovecots, location,
                                                                  prefetch):
    """Only 2.4; 2.3 gets the location as it is stored."""
    user, other = add(location), store.add(f"l{next(_numbers)}")
    dovecot = dovecots(store, prefetch=prefetch)
    after = len(dovecot.log())
    if dovecot.language.takes_any_location:
        assert dovecot.user(user)["mail"] == location
        return
    assert dovecot.user(user) == "temp_fail"
    line = dovecot.wait_log(f"mailboxes row of <{user}>", after=after)
    assert WITHOUT_A_WORD[location] in line and "Error" in line
    assert dovecot.imap().enter(user, "secret") != "OK"
    assert dovecot.imap().enter(other, "secret") == "OK"
