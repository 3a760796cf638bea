# SPDX-License-Identifier: MIT
"""A rule for an address holds for every spelling that leads Postfix to it. A real Postfix
says in its log where each spelling leads.

SPELLINGS=N sends N generated spellings in each way, not just a few; SPELLINGS_SEED sends
others than usual.
"""

import os
import random
import re

import pytest

from lab import Dovecot, MailRecorder, Mumd, Postfix, SmtpDialogue, free_port, sample, wait_until
from lab.clients import PolicyClient
from lab.mumd import sqlite_settings
from lab.rewrite import RESOLVE_ERROR, TrivialRewrite, quote_local, unquote_local
from spelling_grammar import Spellings

COUNT = int(os.environ.get("SPELLINGS", "40"))
SEED = os.environ.get("SPELLINGS_SEED", "1")

# For each policy service: whose own addresses a login may use.
SENDER_LOGIN = ("strict", "known")
SERVICE = """
127.0.0.1:{port} inet n - y - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path=private/auth
  -o smtpd_authorized_xclient_hosts=127.0.0.1
  -o {{ smtpd_sender_restrictions = check_policy_service {{ inet:127.0.0.1:{policy}, policy_context=sender }} }}
"""


class Judge:
    """A Postfix that reads '%' and '!' in one way, with mumds that are told the same."""

    def __init__(self, lab, outside, database, percent, bang):
        name = f"{percent}-{bang}"
        self.percent = percent == "yes"     # allow_percent_hack
        self.postfix = Postfix(lab, outside.address, name=f"spell-{name}", settings=[
            "myorigin = example.test", f"allow_percent_hack = {percent}",
            f"swap_bangpath = {bang}"])
        address = {"myorigin": "example.test", "allow_percent_hack": percent,
                   "swap_bangpath": bang}
        self.ports, self.mumds = {}, {}
        for login in SENDER_LOGIN:
            sockets = self.postfix.sockets if login == "strict" else None
            self.mumds[login] = Mumd(lab, {
                "database": database, "address": address,
                "policy": {"sender_login": login, "sender_unauthenticated": "reject"}},
                name=f"mumd-spell-{name}-{login}", sockets=sockets).start()
            self._add_service(login)
        lab.own(MailRecorder(self.postfix.queue / "private/dovecot-lmtp"))
        Dovecot(lab, self.postfix, [sample.address_of(1)], name=f"dc-spell-{name}").start()
        self.postfix.start()
        self.random = random.Random(f"{SEED} {name}")

    def _add_service(self, login):
        self.ports[login] = free_port()
        with open(self.postfix.config / "master.cf", "a") as master:
            master.write(SERVICE.format(port=self.ports[login],
                                        policy=self.mumds[login].policy_port))

    def dialogue(self, who, login="strict"):
        """who: "stranger", "network" (one of mynetworks) or a login."""
        dialogue = SmtpDialogue(self.ports[login])
        if who == "network":
            dialogue.command("XCLIENT ADDR=127.0.0.2 NAME=[UNAVAILABLE]")
            dialogue.command("EHLO client.test")
        elif who != "stranger":
            assert dialogue.login(who).startswith("235")
        return dialogue

    def spellings(self, local, count=COUNT):
        return Spellings(self.random, local, "example.test").many(count)

    def map(self, login, table, address):
        """The map's value for a plain address, as Postfix logs it; None if there is none."""
        word, _, value = self.mumds[login].lookup(table, address).decode().partition(" ")
        assert word in ("OK", "NOTFOUND")
        return value if word == "OK" else None


@pytest.fixture(scope="module", params=["yes-yes", "no-no"])
def judge(lab, outside, sqlite, request):
    return Judge(lab, outside, sqlite_settings(sqlite), *request.param.split("-"))


class Mails:
    """The result for each spelling; for accepted ones, what the queue says."""

    def __init__(self, judge, dialogue):
        self._judge, self._dialogue = judge, dialogue
        self.replies, self._ids = {}, {}

    def send(self, sender, recipient, spelling):
        dialogue = self._dialogue
        reply = dialogue.mail(sender)
        if reply.startswith("250"):
            reply = dialogue.rcpt(recipient)
        if reply.startswith("250"):
            queued = dialogue.data("spelling")
            self._ids[spelling] = re.search(r"queued as (\w+)", queued)[1]
        self.replies[spelling] = reply
        dialogue.reset()

    def logged(self):
        """{spelling: (from, [to, ...])}, once all have been tried."""
        ids = set(self._ids.values())

        def tried():
            return ids <= set(re.findall(r" (\w+): to=<.*status=", self._judge.postfix.log()))
        wait_until(tried, "each mail is tried", 60)
        log = self._judge.postfix.log()
        senders = dict(re.findall(r"/qmgr\[\d+\]: (\w+): from=<(.*)>, size=", log))
        recipients = {}
        for queue_id, to in re.findall(r": (\w+): to=<(.*?)>, (?:orig_to=|relay=)", log):
            recipients.setdefault(queue_id, []).append(to)
        return {spelling: (senders[queue_id], recipients[queue_id])
                for spelling, queue_id in self._ids.items()}

    def refused(self, text):
        return [spelling for spelling, reply in self.replies.items() if text in reply]


@pytest.mark.parametrize("who", ["stranger", "network", "alice@example.test"])
@pytest.mark.parametrize("local, text", [("sendonly", "(send-only)"),
                                         ("toina", "leads to no mailbox")])
def test_no_spelling_reaches_who_accepts_no_mail(judge, who, local, text):
    mails = Mails(judge, judge.dialogue(who))
    sender = "" if who.startswith("alice") else f"{local}-{who}@foreign.test"
    for spelling in judge.spellings(local):
        mails.send(sender, spelling, spelling)
    for spelling, (_, recipients) in mails.logged().items():
        for recipient in recipients:
            access = judge.map("strict", "recipient-access", recipient)
            assert access in (None, "DUNNO"), f"<{spelling}> reached <{recipient}>: {access}"
    assert len(mails.refused(text)) > 10


def _owners(judge, login, sender):
    return (judge.map(login, "sender-login-maps", sender) or "").split(",")


@pytest.mark.parametrize("login", SENDER_LOGIN)
@pytest.mark.parametrize("local", ["bob", "alice"])
def test_no_spelling_of_a_sender_is_somebody_elses(judge, login, local):
    user = "alice@example.test"
    mails = Mails(judge, judge.dialogue(user, login))
    for spelling in judge.spellings(local):
        mails.send(spelling, "carol@second.test", spelling)
    for spelling, (sender, _) in mails.logged().items():
        owners = _owners(judge, login, sender)
        assert user in owners or (login == "known" and owners == [""]), \
            f"<{spelling}> is <{sender}>, of {owners}"
    assert local == "alice" or len(mails.refused("not owned by user")) > 10


def test_no_spelling_of_an_own_address_is_for_strangers(judge):
    mails = Mails(judge, judge.dialogue("stranger"))
    for spelling in judge.spellings("bob"):
        mails.send(spelling, "carol@second.test", spelling)
    for spelling, (sender, _) in mails.logged().items():
        assert _owners(judge, "strict", sender) == [""], f"<{spelling}> is <{sender}>"
    assert len(mails.refused("not logged in")) > 10


def test_a_login_may_spell_its_own_address_as_it_likes(judge):
    """In each way that Postfix accepts and that leads to it, whichever domains are local."""
    rewrite = TrivialRewrite(judge.postfix)
    mails = Mails(judge, judge.dialogue("alice@example.test", "strict"))
    own = Spellings(judge.random, "alice", "example.test").plain()
    for spelling in own:
        mails.send(spelling, "carol@second.test", spelling)
    logged = mails.logged()
    accepted = {spelling for spelling, (sender, _) in logged.items()
                if sender.lower() == "alice@example.test"}
    assert accepted == set(logged) and len(accepted) >= 15
    for spelling in set(mails.refused("not owned")):
        # refused: the queued address, or the one it leads to, is another address
        typed = rewrite.rewrite(unquote_local(spelling))
        assert typed.lower() != "alice@example.test", spelling


def _verdict(client, context, text):
    login = {"strict": "alice@example.test"}.get(context, "")
    kind = "recipient" if context == "recipient" else "sender"
    return client.ask(sender=text if kind == "sender" else "stranger@foreign.test",
                      recipient=text if kind == "recipient" else "carol@second.test",
                      sasl_username=login, policy_context=kind)


@pytest.mark.parametrize("context, local", [("recipient", "sendonly"), ("strict", "bob"),
                                            ("reject", "bob"), ("strict", "alice")])
def test_where_the_resolver_takes_any_text(judge, context, local):
    """Thousands of texts as policy services get them, compared with trivial-rewrite itself."""
    rewrite, spellings = TrivialRewrite(judge.postfix), Spellings(judge.random, local,
                                                                  "example.test")
    led = 0
    with PolicyClient(("127.0.0.1", judge.mumds["strict"].policy_port)) as client:
        for _ in range(COUNT * 25):
            text = spellings.soup()
            if not text or _verdict(client, context, text) != "DUNNO":
                continue
            queued = rewrite.rewrite(text)
            recipient, flags = rewrite.resolve(queued)
            for address in () if flags & RESOLVE_ERROR else {queued, recipient}:
                plain = f"{local}@example.test" in address.lower()
                led += plain
                assert address == "" or _verdict(client, context, address) == "DUNNO", \
                    f"{text!r}: {queued!r}, {recipient!r}"
    assert context != "strict" or local != "alice" or led > 10


@pytest.mark.parametrize("operator", ["%a.test", "%b@c.test"])
def test_more_readings_than_eight_are_refused(judge, operator):
    text = "sendonly" + operator * 9 + "@localhost.mta.test"
    dialogue = judge.dialogue("stranger")
    reply = dialogue.command(f"MAIL FROM:<{quote_local(text)}>")
    reply = dialogue.rcpt("carol@second.test") if reply.startswith("250") else reply
    # '@' inside quotes counts with any settings
    many = judge.percent or "@" in operator
    assert ("can be read in too many ways" in reply) == many
