# SPDX-License-Identifier: MIT
"""A master user logs in as somebody else and gets that mailbox, not the master's, whatever
the password of that mailbox. Stock sql is asked the same about the same rows.
"""

import pathlib

import pytest

from lab import hashes, wait_until
from lab.dovecot_language import dovecot_language
from dovecot_stores import MariaStore

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

BOSS = "boss@example.test"

# name: (driver or "ours", more lines of the block, more fields of the passwd-file)
MASTERS = {
    "our passdb": ("ours", "", ""),
    "our passdb, continue": ("ours", "result_success = continue", ""),
    "passwd-file": ("passwd-file", "", ""),
    "passwd-file, continue": ("passwd-file", "result_success = continue", ""),
    "passwd-file, pass": ("passwd-file", "pass = yes", ""),
    "passwd-file with a home, continue":
        ("passwd-file", "result_success = continue",
         "userdb_home={home} {mail}"),
}

# What MUM stores for users as whom the boss logs in.
REFUSED = {"empty": "", "locked": "!" + hashes.bcrypt(), "costly": "$2y$19$" + "A" * 53,
           "malformed": "$2y$04$short", "plain": "secret"}


class House:
    """One store, and Dovecots for each kind of master."""

    def __init__(self, lab, dovecots):
        self.store = MariaStore(lab, name="masters")
        self.dovecots = dovecots
        self.boss_home = self.store.mail / "h1"
        self.store.add("boss", password=hashes.bcrypt("bosspw"))
        self.users = {"ordinary": self.store.add("anna"),
                      **{name: self.store.add(name, password=password)
                         for name, password in REFUSED.items()}}
        self.homes = {name: self.store.mail / f"h{number}"
                      for number, name in enumerate(self.users, 2)}
        self.relative = self.store.add("relative", homedir="srv/mail", maildir="maildir:~/Maildir")
        self.file = lab.path / "masters"

    def dovecot(self, master, driver, prefetch, settings=""):
        kind, lines, fields = MASTERS[master]
        file = self.file.with_name(f"masters-{bool(fields)}")
        file.write_text(f"{BOSS}:{{PLAIN}}bosspw::::::{self._fields(fields)}\n")
        file.chmod(0o644)
        if kind == "ours":
            kind, args = driver, "%(args)s"
        else:
            args = str(file)
        block = (f"auth_master_user_separator = *\npassdb {{\n  driver = {kind}\n"
                 f"  args = {args}\n  master = yes\n  {lines}\n}}\n")
        return self.dovecots(self.store, driver=driver, prefetch=prefetch,
                             settings=block + settings)

    def _fields(self, fields):
        maildir = f"maildir:{self.boss_home}/Maildir"
        return fields.format(home=self.boss_home, mail=" ".join(
            f"userdb_{name}={value}"
            for name, value in dovecot_language().mail_fields(maildir).items()))

    def marker(self, dovecot, user, password="bosspw"):
        """The reply to the boss's login as user, and whose home got the mailbox that was
        then created.
        """
        for home in self.store.mail.glob("h*"):
            for old in home.glob("Maildir/.Marker"):
                old.rename(old.with_name(f".Old{len(list(old.parent.iterdir()))}"))
        imap = dovecot.imap()
        reply = imap.enter(f"{user}*{BOSS}", password)
        if reply == "OK":
            assert imap.create("Marker")[0] == "OK"
        imap.shutdown()     # Dovecot closes where there is no such user after all
        return reply, {pathlib.Path(path).parents[1].name
                       for path in self.store.mail.glob("h*/Maildir/.Marker")}


@pytest.fixture(scope="module")
def house(lab, make_module_dovecot):
    made = {}

    def dovecots(store, **options):
        key = repr(sorted(options.items()))
        if key not in made:
            made[key] = make_module_dovecot(store, **options)
        return made[key]
    return House(lab, dovecots)


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("driver", ["sql", "mum"])
@pytest.mark.parametrize("master", MASTERS)
def test_master_user_gets_the_mailbox_asked_for(house, master, driver, prefetch):
    dovecot = house.dovecot(master, driver, prefetch)
    seen = {name: house.marker(dovecot, user) for name, user in house.users.items()}
    if driver == "sql" and prefetch and "with a home" in master:
        # stock has no prefetch fields, so it takes those of the passwd-file
        assert seen == {name: ("OK", {"h1"}) for name in house.users}
        return
    assert seen == {name: ("OK", {home.name}) for name, home in house.homes.items()}


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("master", MASTERS)
def test_master_user_gets_no_other_mailbox_in_place_of_a_bad_row(house, master, prefetch):
    """D23: stock hands on the relative home."""
    dovecot = house.dovecot(master, "mum", prefetch)
    reply, homes = house.marker(dovecot, house.relative)
    assert reply != "OK" and homes == set()
    dovecot.wait_log("is not an absolute path")


@pytest.mark.parametrize("master", MASTERS)
def test_wrong_password_of_a_master_user_is_refused(house, master):
    dovecot = house.dovecot(master, "mum", True)
    for name in ("ordinary", "locked"):
        reply, homes = house.marker(dovecot, house.users[name], "secret")
        assert reply.startswith("[AUTHENTICATIONFAILED]") and homes == set()


CACHE = "auth_cache_size = 1M\nauth_cache_verify_password_with_worker = %s\n"


@pytest.mark.parametrize("worker", ["yes", "no"])
@pytest.mark.parametrize("master", MASTERS)
def test_cache_does_not_take_the_masters_mailbox_for_the_one_asked_for(house, master, worker):
    dovecot = house.dovecot(master, "mum", True, CACHE % worker)
    for _ in range(2):
        assert dovecot.imap().enter(BOSS, "bosspw") == "OK"
        for name in ("ordinary", "locked"):
            assert house.marker(dovecot, house.users[name]) == ("OK", {house.homes[name].name})
        # the boss's password is not that of others
        assert dovecot.login(house.users["locked"], "bosspw") == "refused"
        assert dovecot.login(house.users["ordinary"], "secret") == "ok"


def test_cache_keeps_no_password_of_an_earlier_passdb(house, lab, make_dovecot):
    """An app password lets in without a hash of ours, until it is withdrawn."""
    file = lab.path / "app-passwords"
    file.write_text(f"{house.users['locked']}:{{PLAIN}}app\n")
    file.chmod(0o644)
    dovecot = make_dovecot(house.store, settings=CACHE % "no", front=f"""
passdb {{
  driver = passwd-file
  args = {file}
  result_success = continue
  result_failure = continue
}}
""")
    assert dovecot.login(house.users["locked"], "app") == "ok"
    file.write_text("")
    # Dovecot looks at the file once a second
    wait_until(lambda: dovecot.login(house.users["locked"], "app") == "refused", "a refusal", 5)
