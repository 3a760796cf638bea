# SPDX-License-Identifier: MIT
"""The actors of a soak: each is a thread with its own dice."""

import contextlib
import itertools
import threading
import time
import traceback

from lab.auth_clients import Imap
from lab.clients import PolicyClient, SocketmapClient
from lab.mum_dovecot import verdict
from lab.smtp import SmtpDialogue
from soak.faults import FAULTS
from soak.history import NO_ANSWER, Answer, Hiccup, Message, Reading, Sample
from soak.model import BURST, CLOSED, DOMAIN, FOREIGN, GREEDY
from soak.plan import PASSWORDS, WRONG

# A reader looks at so many mails, the newest ones: mailboxes grow as long as the soak runs.
NEWEST = 200

# Seconds that a client waits for a reply before we call the server hung: longer than
# all our deadlines, and than Postfix' tries with each table.
PATIENCE = 45


class Actor(threading.Thread):
    """Calls step() again and again, with a pause of up to so many seconds after each."""

    PAUSE = 0.1

    def __init__(self, name, world, history):
        super().__init__(name=name, daemon=True)
        self.world, self.history = world, history
        self.plan = world.plan
        self.dice = world.plan.dice(name)
        self.numbers = itertools.count(1)
        self.over = threading.Event()
        self.users = [user for user in self.plan.state.mailboxes if user != GREEDY]

    def run(self):
        try:
            while not self.over.is_set():
                self.step()
                self.over.wait(self.dice.uniform(0, 2 * self.PAUSE))
        except Exception:   # pylint: disable=broad-except     # a fault of the soak itself
            self.history.problems.append(f"{self.name}: {traceback.format_exc()}")

    def step(self):
        raise NotImplementedError

    def connect(self, kind, make):
        """The connection that make() makes, or None."""
        made = []

        def run():
            made.append(make())
            return "ok"
        self.history.ask(kind, (), run)
        return made[0] if made else None

    # ---- dice ----

    def chance(self, share):
        return self.dice.random() < share

    def user_and_password(self):
        user = self.dice.choice(self.users) if self.chance(0.95) else f"nobody@{DOMAIN}"
        return user, self.dice.choices((*PASSWORDS, WRONG), (6, 2, 2))[0]

    def recipient(self):
        """A random recipient, who may accept mail or not."""
        return self.dice.choice([
            lambda: self.dice.choice(self.users), lambda: self.dice.choice(self.users),
            lambda: self.dice.choice(list(self.plan.members)),
            lambda: self.dice.choice(list(self.plan.members)),
            lambda: self.dice.choice([f"nobody{self.dice.randint(1, 9)}@{DOMAIN}",
                                      f"gone@{DOMAIN}", f"scanner@{DOMAIN}",
                                      f"user1@{CLOSED}", f"user1@{FOREIGN}"])])()

    def spelling(self, address):
        """The address, now and then with an extension or in upper case."""
        local, _, domain = address.partition("@")
        return self.dice.choice([address, address, f"{local}+Ext@{domain}", address.upper()])


# ---- SMTP ----

class SmtpActor(Actor):
    """Keeps its connection for some mails."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._dialogue = None

    def connected(self, kind, port):
        if self._dialogue is None or self.chance(0.3):
            self.hang_up()
            self._dialogue = self.connect(kind, lambda: _greeted(SmtpDialogue(port, PATIENCE)))
        return self._dialogue

    def hang_up(self):
        if self._dialogue is not None:
            self._dialogue.close()
        self._dialogue = None

    def ask(self, kind, question, function):
        """Asks; if there is no answer, drops the connection."""
        answer = self.history.ask(kind, question, function)
        if answer.reply.startswith("no answer"):
            self.hang_up()
        return answer

    def disjoint(self, recipients):
        """Picks recipients that have no mailbox in common, so that each arrival belongs to
        one of them.
        """
        taken, chosen = set(), []
        for recipient in recipients:
            reach = {recipient, *self.plan.members.get(recipient, ())}
            if not reach & taken:
                taken |= reach
                chosen.append(recipient)
        return chosen

    def send_mail(self, sender, kind, prefix, recipients):
        """One transaction; the result goes into the history. """
        name = f"soak-{self.name}-{next(self.numbers)}"
        dialogue = self._dialogue
        if not self.ask("MAIL", (sender,), lambda: dialogue.mail(sender)).reply.startswith("250"):
            return
        rcpts = []
        for recipient in recipients:
            typed = self.spelling(recipient)
            rcpts.append(self.ask(kind, (*prefix, typed), lambda typed=typed: dialogue.rcpt(typed)))
            if self._dialogue is None:
                return
        accepted = sum(rcpt.reply.startswith("250") for rcpt in rcpts)
        if not accepted:
            self.ask("RSET", (name,), dialogue.reset)
            return
        data = self.ask(*(("DATA", (name,)) if kind != "limited RCPT" else
                          ("limited DATA", (name, str(accepted)))), lambda: dialogue.data(
            name, sender, f"This is {name}.", message_id=f"{name}@{FOREIGN}"))
        self.history.messages.append(Message(name, rcpts, data.reply, data.asked, data.answered))


def _greeted(dialogue):
    reply = dialogue.replies[-1][1]
    if not reply.startswith("250"):
        dialogue.close()
        raise ConnectionError(reply)
    return dialogue


class Sender(SmtpActor):
    """The world outside, writing to us. Each mail has a sender of its own: smtpd remembers
    what it resolved for a pair of sender and recipient."""

    def step(self):
        recipients = self.disjoint([self.recipient() for _ in range(self.dice.choice([1, 1, 2, 3]))])
        sender = f"{self.name}-{self.dice.randrange(10 ** 9)}@{FOREIGN}"
        if self.connected("connect MX", self.world.postfix.port):
            self.send_mail(sender, "RCPT", (), recipients)


class Submitter(SmtpActor):
    """Our users, who log in to send. Each mail has an extension in its sender, and so a
    sender of its own.
    """

    def step(self):
        user, password = self.user_and_password()
        sender = self.dice.choice([user, user, self.dice.choice(list(self.plan.members)),
                                   self.dice.choice(self.users)])
        sender = sender.replace("@", f"+{self.dice.randrange(10 ** 9)}@")
        recipient = self.recipient()
        self.hang_up()
        dialogue = self.connected("connect submission", self.world.postfix.submission_port)
        if dialogue is None:
            return
        answer = self.ask("AUTH", (user, password), lambda: dialogue.login(user, password))
        if answer.reply.startswith("235"):
            self.send_mail(sender, "submission RCPT", (user, sender), [recipient])
        self.hang_up()


class Greedy(SmtpActor):
    """A login that sends more than it may; now and then in one mail."""

    def step(self):
        number = self.dice.choice([1, 1, 2, 3, BURST, BURST + 1])
        recipients = [f"victim{n}@{FOREIGN}" for n in range(number)]
        self.hang_up()
        dialogue = self.connected("connect submission", self.world.postfix.submission_port)
        if dialogue is None:
            return
        login = (GREEDY, PASSWORDS[0])
        if self.ask("AUTH", login, lambda: dialogue.login(*login)).reply.startswith("235"):
            self.send_mail(GREEDY.replace("@", f"+{self.dice.randrange(10 ** 9)}@"),
                           "limited RCPT", (GREEDY,), recipients)
        self.hang_up()


# ---- IMAP ----

class Reader(Actor):
    PAUSE = 0.15

    def step(self):
        user, password = self.user_and_password()
        imap = self.connect("connect IMAP",
                            lambda: Imap(self.world.dovecot.imap_port, timeout=PATIENCE))
        if imap is None:
            return
        with contextlib.ExitStack() as stack:
            stack.callback(imap.shutdown)
            if self.history.ask("LOGIN", (user, password),
                                lambda: _enter(imap, user, password)).reply == "OK":
                self.history.ask("INBOX", (user,), lambda: self._read(imap, user))

    def _read(self, imap, user):
        self.history.readings.append(Reading(user, _ids(imap), time.time()))
        return "ok"


def _enter(imap, user, password):
    """Turns imaplib's words for a connection that ends into an exception."""
    reply = imap.enter(user, password)
    if reply.startswith("command: LOGIN =>"):
        raise ConnectionError(reply)
    return reply


def _ids(imap):
    """The subjects of our mails among the newest in the INBOX."""
    _, (count,) = imap.select("INBOX", readonly=True)
    if int(count) == 0:
        return []
    _, parts = imap.fetch(f"{max(1, int(count) - NEWEST + 1)}:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    subjects = [part[1].decode(errors="replace").partition(":")[2].strip()
                for part in parts if isinstance(part, tuple)]
    return [subject for subject in subjects if subject.startswith("soak-")]


# ---- our own sockets ----

class Asker(Actor):
    """Postfix' questions, without Postfix."""

    PAUSE = 0.03
    MAPS = ("mailboxes", "aliases", "recipient-access", "sender-login-maps")

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._clients = {}      # (connection, when it was last seen open), by its class

    def step(self):
        address = self.spelling(self.recipient())
        kind = self.dice.choice(("policy", "domains") + self.MAPS)
        if kind == "policy":
            self.ask(kind, (address,), PolicyClient, self.world.mumd.policy,
                     lambda client: client.ask(sender="x@foreign.test", recipient=address))
            return
        key = address.partition("@")[2].lower() if kind == "domains" else address
        self.ask(kind, (key,), SocketmapClient, self.world.mumd.socketmap,
                 lambda client: client.ask(kind, key).decode())

    def ask(self, kind, question, make, path, function):
        """Asks on a connection that stays open; after a failure, the next call makes a new one."""
        client = self._kept(make)
        client = client or self.connect("connect mumd", lambda: make(path, timeout=PATIENCE))
        if client is None:
            return
        if self.history.ask(kind, question, lambda: function(client)).reply.startswith(NO_ANSWER):
            client.close()
        else:
            self._clients[make] = client, time.time()

    def _kept(self, make):
        """The open connection. If it has ended meanwhile, that goes into the history."""
        client, since = self._clients.pop(make, (None, None))
        if client is not None and client.is_ended():
            client.close()
            self.history.record(Answer("kept connection", (), f"{NO_ANSWER}ended", since,
                                       time.time()))
            return None
        return client


class AuthAsker(Actor):
    """Questions of Dovecot's services to its auth process."""

    PAUSE = 0.1

    def step(self):
        user, password = self.user_and_password()
        login, dovecot = self.chance(0.5), self.world.dovecot
        service = self.dice.choice(["imap", "smtp"])
        client = self.connect("connect auth", lambda: (
            dovecot.auth_client if login else dovecot.userdb_client)(timeout=PATIENCE))
        if client is None:
            return
        with client:
            if login:
                self.history.ask(f"auth {service}", (user, password),
                                 lambda: verdict(client.login(user, password, service)))
            else:
                self.history.ask("userdb", (user,), lambda: {
                    "USER": "found", "NOTFOUND": "nobody", "FAIL": "temp_fail"}[
                        client.user(user).kind])


# ---- the database ----

class Admin(Actor):
    """Changes one row after the other; tries each change until it succeeds."""

    PAUSE = 0.4

    def step(self):
        address, change = self.plan.next_change(self.dice)
        state = change(self.history.state)
        row = {**state.mailboxes, **state.aliases}[address]
        self.history.change(state, lambda: self._write(address, row))

    def _write(self, address, row):
        if self.plan.habits[address] == "full":
            self.world.fill(address, row.full)
            return
        statement = self.world.statement(address, row)
        while self.world.server.sql(statement, check=False).returncode != 0:
            time.sleep(0.1)


# ---- time ----

class Clock(Actor):
    """Measures how long this machine does not run the soak."""

    PAUSE = 0
    NAP, LONG = 0.05, 0.1

    def step(self):
        began = time.time()
        self.over.wait(self.NAP)
        ended = time.time()
        if ended - began > self.NAP + self.LONG:
            self.history.hiccups.append(Hiccup(began + self.NAP, ended))


# ---- memory ----

class Watcher(Actor):
    """Looks at what mumd and Dovecot's auth hold, and when an old auth process ends."""

    PAUSE = 0.5
    ENDING = 1      # seconds in which it may be there, and serve nobody any more

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._seen = time.time()

    def step(self):
        self.look_for_ends()
        for name, process in self.world.watched():
            with contextlib.suppress(OSError):      # it has just ended
                self.history.samples.append(Sample(name, process.pid, time.time(), process.heap(),
                                                   process.descriptors()))

    def look_for_ends(self):
        now, there = time.time(), self.world.dovecot.auth_pids()
        ended = self.world.old_auths - there
        if ended:
            self.history.seen("old auth ended", self._seen - self.ENDING)
            self.world.old_auths -= ended
        self._seen = now


# ---- faults ----

class Lane(Actor):
    """Causes one fault after the other, each at its time or as soon as possible."""

    def __init__(self, lane, world, history, say):
        super().__init__(lane, world, history)
        self._strikes = iter(world.plan.strikes[lane])
        self._say = say

    def step(self):
        strike = next(self._strikes, None)
        if strike is None or self.over.wait(max(0, self.history.began + strike.at - time.time())):
            self.over.wait()
            return
        fault = self.history.begin(strike.kind)
        with FAULTS[strike.kind](self.world):
            self.over.wait(strike.seconds)
        fault.ended = time.time()
        self._say(f"{fault.began - self.history.began:7.2f} s: {fault.kind}, "
                  f"{fault.ended - fault.began:.2f} s")


def cast(world, history, say):
    """All actors, not yet started."""
    return ([Sender(f"sender{number}", world, history) for number in range(3)]
            + [Submitter(f"submitter{number}", world, history) for number in range(2)]
            + [Greedy("greedy", world, history)]
            + [Reader(f"reader{number}", world, history) for number in range(3)]
            + [Asker(f"asker{number}", world, history) for number in range(2)]
            + [AuthAsker("auth-asker", world, history), Admin("admin", world, history),
               Clock("clock", world, history), Watcher("watcher", world, history)]
            + [Lane(lane, world, history, say) for lane in world.plan.strikes])
