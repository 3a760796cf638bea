# SPDX-License-Identifier: MIT
"""All checks of one mumd, with a real Postfix and a real Dovecot: who sends too much, who may
receive, who may send as whom, and who is full. Which of them is asked first, and what of a
mail counts for its login.
"""

import contextlib
import itertools
import types

import pytest

from lab import MailRecorder, Mumctl, Mumd, Postfix, free_port, wait_until
from lab.mum_dovecot import MumDovecot
from soak.faults import without_quota_status
from test_dovecot_delivery import add_alias

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

GIGABYTE = 1 << 30
BURST = 4
FRIENDS = [f"friend{number}@external.test" for number in range(9)]

ACCEPTED = "250 2.1.5 Ok"
TOO_MUCH = "450 4.7.1 <%s>: Sender address rejected: too many recipients for this login; try again later"
NOT_OWNED = "553 5.7.1 <%s>: Sender address rejected: not owned by user %s"
RECIPIENT = "<%s>: Recipient address rejected: "
SEND_ONLY = f"550 5.2.1 {RECIPIENT}mailbox does not accept mail (send-only)"
DEAD = f"550 5.2.1 {RECIPIENT}alias leads to no mailbox that accepts mail"
UNKNOWN = f"550 5.1.1 {RECIPIENT}User unknown in virtual mailbox table"
FULL = f"452 4.2.2 {RECIPIENT}mailbox is full"
ALL_FULL = f"452 4.2.2 {RECIPIENT}all mailboxes of this address are full"

_subjects = (f"together-{number}" for number in itertools.count())


class Site:
    """An MX and a submission service, with mailboxes and aliases of every kind."""

    def __init__(self, lab, store):
        self.store = store
        self.outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
        self.postfix = Postfix(lab, self.outside.address, name="pf-together", send_limits=True)
        self.quota_status = lab.directory("together") / "quota-status"
        self.mumd = Mumd(lab, self._settings(), name="mumd-together", sockets=self.postfix.sockets)
        self.dovecot = lab.own(MumDovecot(
            lab, store.settings, name="dc-together", postfix=self.postfix,
            settings=Mumctl(self.mumd.config).quota_status_lines()).start())
        self.names = types.SimpleNamespace(**self._rows())

    def _settings(self, **policy):
        return {"database": dict(self.store.settings), "cache": {"ttl": "0s", "stale": "0s"},
                "metrics": {"listen": Mumd.METRICS},
                "policy": {"quota": "enforce", "quota_status": f"unix:{self.quota_status}",
                           "quota_ttl": "0s", "quota_deadline": "5s", "send": "enforce",
                           "send_rate": 1, "send_period": "1d", "send_burst": BURST, **policy}}

    def _rows(self):
        users = {name: self.store.add(f"together-{name}", quota=1, send_only=int(name == "mute"))
                 for name in ("anna", "bert", "mute", "full", "stuffed")}
        for name in ("full", "stuffed"):
            self.dovecot.fill(users[name], GIGABYTE + 1)
        aliases = {"dead": ["mute"], "both": ["full", "stuffed"], "half": ["full", "bert"]}
        for name, members in aliases.items():
            aliases[name] = f"together-{name}@example.test"
            add_alias(self.store, aliases[name], *map(users.get, members))
        return {**users, **aliases, "nobody": "together-nobody@example.test"}

    def begin(self, **policy):
        """Nobody has sent anything, and mumd asks quota-status."""
        self.mumd.stop()
        self.mumd.send_state.unlink(missing_ok=True)
        self.mumd.write(self._settings(**policy))
        self.mumd.start()
        if not (self.postfix.queue / "pid/master.pid").exists():
            self.postfix.start()
        wait_until(lambda: self.decide_full() == ("DUNNO" if policy.get("quota") == "warn"
                                                  else "452 4.2.2 mailbox is full"),
                   "mumd asks quota-status", 30)

    def decide_full(self):
        """About a mailbox that is full; without Postfix."""
        return self.mumd.decide(recipient=self.names.full, sender="x@external.test")

    @contextlib.contextmanager
    def without_quota_status(self):
        with without_quota_status(self):
            wait_until(lambda: self.decide_full() == "DUNNO", "mumd notices", 30)
            yield

    def sent(self):
        """By anna."""
        return self.mumd.senders().get(self.names.anna, (0, 0, 0))[1]

    def questions(self):
        """To quota-status, so far."""
        return self.mumd.page().sum("mumd_quota_question_duration_seconds_count")

    @contextlib.contextmanager
    def login(self):
        dialogue = self.postfix.submission(self.names.anna)
        yield dialogue
        dialogue.quit()

    def replies(self, dialogue, recipients, sender=None):
        """To RCPT, in one mail that is given up."""
        dialogue.reset()
        assert dialogue.mail(self.names.anna if sender is None else sender).startswith("250")
        return {recipient: dialogue.rcpt(recipient) for recipient in recipients}

    def use_up(self, dialogue):
        """All that anna may send."""
        self.replies(dialogue, FRIENDS[:BURST])
        assert dialogue.data(next(_subjects), sender=self.names.anna).startswith("250")


@pytest.fixture(scope="module")
def _site(lab, stores):
    return Site(lab, stores("sqlite"))


@pytest.fixture
def site(_site):
    _site.begin()
    return _site


def refusals(names):
    """{recipient: reply}; the first ones are no question of quota."""
    return {name: text % name for name, text in (
        (names.mute, SEND_ONLY), (names.dead, DEAD), (names.nobody, UNKNOWN),
        (names.full, FULL), (names.both, ALL_FULL))}


def without_quota(names):
    """The same while nobody knows who is full."""
    return {**refusals(names), names.full: ACCEPTED, names.both: ACCEPTED}


# ---- the order ----

def test_a_stranger_hears_of_the_recipient_first_and_of_its_quota_last(site):
    names = site.names
    right = {**refusals(names), names.half: ACCEPTED, names.bert: ACCEPTED}
    with site.postfix.smtp() as smtp:
        assert site.replies(smtp, right, "x@external.test") == right
    assert site.mumd.senders() == {}        # counts logins only


def test_without_quota_status_all_other_checks_hold(site):
    """A send-only mailbox is refused for good, and who is full is accepted."""
    names = site.names
    with site.postfix.smtp() as smtp, site.login() as own, site.without_quota_status():
        right = without_quota(names)
        assert site.replies(smtp, right, "x@external.test") == right
        assert site.replies(own, right) == right
        assert site.replies(own, [names.bert], names.bert) == {
            names.bert: NOT_OWNED % (names.bert, names.anna)}
        site.use_up(own)
        assert site.replies(own, [names.bert, names.full]) == dict.fromkeys(
            (names.bert, names.full), TOO_MUCH % names.anna)


def test_a_login_hears_of_its_sender_before_the_recipient(site):
    names = site.names
    with site.login() as own:
        assert site.replies(own, refusals(names)) == refusals(names)
        before = site.questions()
        for recipient in (names.full, names.mute, names.nobody, names.bert):
            assert site.replies(own, [recipient], names.bert) == {
                recipient: NOT_OWNED % (names.bert, names.anna)}
        assert site.questions() == before


def test_who_is_over_the_limit_is_told_first_and_costs_no_question(site):
    names = site.names
    with site.login() as own:
        site.use_up(own)
        before = site.questions()
        for recipient in (*refusals(names), names.bert, FRIENDS[0]):
            for sender in (names.anna, names.bert):
                assert site.replies(own, [recipient], sender) == {recipient: TOO_MUCH % sender}
        assert site.questions() == before
    with site.postfix.smtp() as smtp:       # mail to her is none of hers
        assert site.replies(smtp, [names.anna], "x@external.test") == {names.anna: ACCEPTED}


def test_one_request_without_a_context_is_judged_in_the_same_order(site):
    names = site.names

    def decide(recipient, sender):
        return site.mumd.decide(recipient=recipient, sender=sender, sasl_username=names.anna)
    before = site.questions()
    assert decide(names.mute, names.bert).startswith("550 5.2.1 ")
    assert decide(names.full, names.bert).startswith("553 5.7.1 ")
    assert site.questions() == before
    assert decide(names.full, names.anna) == "452 4.2.2 mailbox is full"
    with site.login() as own:
        site.use_up(own)
    assert decide(names.mute, names.bert).startswith("450 4.7.1 ")


def test_without_a_database_the_limit_still_holds_and_all_else_is_deferred(site):
    names = site.names
    with site.login() as own, site.postfix.smtp() as smtp:
        with site.store.trouble("renamed table"):
            for dialogue, sender in ((smtp, "x@external.test"), (own, names.anna)):
                replies = site.replies(dialogue, refusals(names), sender).values()
                assert {reply[:3] for reply in replies} <= {"450", "451"}, replies
        site.use_up(own)
        with site.store.trouble("renamed table"):
            assert site.replies(own, [names.full]) == {names.full: TOO_MUCH % names.anna}


# ---- what counts for the login ----

def test_refused_recipients_take_nothing_from_the_limit(site):
    """Neither those who are full nor the others: a mail with just as many as are left passes."""
    names = site.names
    refused = refusals(names)
    with site.login() as own:
        replies = site.replies(own, [*refused, *FRIENDS[:BURST]])
        assert [*replies.values()] == [*refused.values()] + [ACCEPTED] * BURST
        assert own.data(next(_subjects), sender=names.anna).startswith("250")
        assert site.sent() == BURST
        assert site.replies(own, FRIENDS[:1]) == {FRIENDS[0]: TOO_MUCH % names.anna}


def test_a_mail_to_the_full_alone_is_not_counted(site):
    names = site.names
    with site.login() as own:
        for _ in range(BURST + 1):
            site.replies(own, [names.full, names.both])
            assert own.command("DATA").startswith("554")    # no valid recipients
        assert site.sent() == 0


def test_an_alias_counts_once_also_if_one_of_two_is_full(site):
    names = site.names
    with site.login() as own:
        assert site.replies(own, [names.half]) == {names.half: ACCEPTED}
        assert own.data(next(_subjects), sender=names.anna).startswith("250")
    assert site.sent() == 1


def test_who_is_accepted_in_doubt_counts(site):
    names = site.names
    with site.login() as own, site.without_quota_status():
        assert site.replies(own, [names.full, names.both]) == dict.fromkeys(
            (names.full, names.both), ACCEPTED)
        assert own.data(next(_subjects), sender=names.anna).startswith("250")
    assert site.sent() == 2


# ---- one of them only warns ----

@pytest.mark.parametrize("warns", ["quota", "send", "sender", "recipient"])
def test_a_check_that_warns_lets_pass_what_it_objects_to_and_nothing_else(site, warns):
    """With recipient = "warn" Postfix still finds no mailbox behind a dead alias."""
    site.begin(**{warns: "warn"})
    names = site.names
    owner, limit = NOT_OWNED % (names.bert, names.anna), TOO_MUCH % names.anna
    right = {
        "quota": without_quota(names),
        "recipient": {**refusals(names), names.mute: ACCEPTED, names.dead: UNKNOWN % names.dead},
    }.get(warns, refusals(names))
    with site.login() as own:
        assert site.replies(own, right) == right
        assert site.replies(own, [FRIENDS[0]], names.bert) == {
            FRIENDS[0]: ACCEPTED if warns == "sender" else owner}
        site.use_up(own)
        assert site.replies(own, [FRIENDS[0]]) == {
            FRIENDS[0]: ACCEPTED if warns == "send" else limit}
