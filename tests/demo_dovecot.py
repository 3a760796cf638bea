# SPDX-License-Identifier: MIT
"""The part of ./demo that is about Dovecot: logins, users, and mail read again."""

import contextlib
import re

from lab import LabError, SmtpDialogue, wait_until
from lab.dovecot import USER_PASSWORD
from lab.mum_dovecot import MumDovecot

SUCCEEDED = "auth succeeded, user={}"
FAILED = "auth failed"
DISABLED = "auth failed, code=user_disabled"

# (who, what MUM has, password, service, answer)
PASSWORDS = [
    ("Anna@MUM.test", "bcrypt; case is ignored", USER_PASSWORD, "imap",
     SUCCEEDED.format("anna@mum.test")),
    ("carl@mum.test", "SHA-512", USER_PASSWORD, "imap", SUCCEEDED.format("carl@mum.test")),
    ("dora@mum.test", "argon2id", USER_PASSWORD, "imap", SUCCEEDED.format("dora@mum.test")),
    ("emil@mum.test", "yescrypt", USER_PASSWORD, "imap", SUCCEEDED.format("emil@mum.test")),
    ("anna@mum.test", "another password", "guess", "imap", FAILED),
    ("former@mum.test", "inactive mailbox", USER_PASSWORD, "imap", FAILED),
    ("scanner@mum.test", "send-only, service=smtp", USER_PASSWORD, "smtp",
     SUCCEEDED.format("scanner@mum.test")),
    ("scanner@mum.test", "send-only, service=imap", USER_PASSWORD, "imap", DISABLED),
]

NOBODY = "no such user"
PEOPLE = ["anna", "ben", "carl", "dora", "emil", "fred"]

# (who, what MUM has, gigabytes of quota or None for nobody)
USERS = [
    ("anna@mum.test", "quota of her own", 1),
    ("ben@mum.test", "quota of his domain", 2),
    ("scanner@mum.test", "send-only: no mail here", None),
    ("former@mum.test", "inactive mailbox", None),
]

WRONG = "[AUTHENTICATIONFAILED] Authentication failed."
IMAP_LOGINS = [
    ("anna@mum.test", "the right password", USER_PASSWORD, "OK; quota: 0 of 1048576 KiB used"),
    ("anna@mum.test", "another password", "guess", WRONG),
    ("scanner@mum.test", "send-only, the right one", USER_PASSWORD, WRONG),
]
SEND_ONLY = "send-only mailbox: refused for service imap"

# (recipient, what MUM has, who finds it in the INBOX and who gets it outside)
MAILS = [
    ("info@mum.test", "alias of both", "anna ben"),
    ("anna+shop@mum.test", "mailbox and extension", "anna"),
    ("sales+q4@mum.test", "alias, and an outsider", "ben partner+q4@else.test"),
]

LOGGED_IN = "235 2.7.0 Authentication successful"
NOT_LOGGED_IN = "535 5.7.8 Error: authentication failed"
SUBMISSION_LOGINS = [
    ("anna@mum.test", "the right password", USER_PASSWORD, LOGGED_IN),
    ("anna@mum.test", "another password", "guess", NOT_LOGGED_IN),
    ("scanner@mum.test", "send-only: may send", USER_PASSWORD, LOGGED_IN),
]

UNAVAILABLE = "[UNAVAILABLE] Temporary authentication failure."
LMTP_DEFERRED = "451 4.3.0 Temporary internal error"


def start_dovecot(lab, postfix, database, settings):
    """Serves postfix, configured as README.md says. settings: more lines for dovecot.conf."""
    return MumDovecot(lab, database, "dovecot", postfix=postfix, prefetch=True,
                      options={"deadline": "1s"}, settings=settings).start()


def enter(dovecot, user, password):
    """What IMAP says to LOGIN, without time and host; "OK" and the quota."""
    with dovecot.imap() as imap:
        reply = imap.enter(user, password)
        if reply != "OK":
            return re.sub(r" \[[^]]*\]$", "", reply)
        used, limit = imap.quota()
        return f"OK; quota: {used} of {limit} KiB used"


def lmtp_rcpt(dovecot, recipient):
    with dovecot.lmtp() as lmtp:
        return re.sub(r" <[^>]*>| \[[^]]*\]$", "", lmtp.rcpt(recipient))


def show_passwords(screen, dovecot):
    screen.title("Passwords:", "doveadm auth test -x service=imap ADDRESS PASSWORD")
    for user, has, password, service, want in PASSWORDS:
        lines = dovecot.doveadm("auth", "test", "-x", f"service={service}", user,
                                password).stdout.splitlines()
        got = re.sub(r"^passdb: \S+ ", "", lines[0]) if lines else "no answer"
        names = "code=" if got == FAILED else "user="
        fields = [line.strip() for line in lines[1:] if line.strip().startswith(names)]
        screen.compare(user, has, ", ".join([got, *fields]), want)


def show_users(screen, dovecot, mail):
    screen.title("Users:", f"doveadm user ADDRESS; ... is {mail}/mum.test")
    for user, has, gigabytes in USERS:
        result = dovecot.doveadm("user", user)
        fields = dict(line.split("\t", 1) for line in result.stdout.splitlines()
                      if "\t" in line)
        line = dovecot.language.user_line.format(home=f".../{user.partition('@')[0]}",
                                                 gigabytes=gigabytes)
        names = [word.partition("=")[0] for word in line.split()]
        got = " ".join(f"{name}={fields[name]}" for name in names
                       if name in fields).replace(f"{mail}/mum.test", "...")
        screen.compare(user, has, NOBODY if result.returncode == 67 else got,
                       line if gigabytes else NOBODY)
    listed = dovecot.doveadm("user", "*").stdout.split()
    screen.compare("*", "all who have mail", " ".join(listed),
                   " ".join(f"{name}@mum.test" for name in PEOPLE))


def show_imap(screen, dovecot):
    screen.title("IMAP:", "LOGIN ADDRESS PASSWORD, then GETQUOTAROOT INBOX")
    for user, has, password, want in IMAP_LOGINS:
        before = len(dovecot.log())
        screen.compare(user, has, enter(dovecot, user, password), want)
    with contextlib.suppress(LabError):
        dovecot.wait_log(SEND_ONLY, after=before)
    screen.compare(user, "the reason, in the log", logged(dovecot, user, before), SEND_ONLY)


def logged(dovecot, user, after):
    """What the module logs about the user, from that line on."""
    lines = map(dovecot.language.login_line, dovecot.log()[after:])
    return "; ".join(line.rpartition("): ")[2] for line in lines if f"mum({user}," in line)


def open_inboxes(dovecot, stack):
    """{local part: IMAP connection with its INBOX selected}"""
    inboxes = {}
    for name in PEOPLE:
        imap = stack.enter_context(dovecot.imap())
        imap.enter(f"{name}@mum.test", USER_PASSWORD)
        imap.select("INBOX")
        inboxes[name] = imap
    return inboxes


def finds(imap, subject):
    """How many mails with that subject are in the mailbox."""
    imap.noop()
    return len(imap.search(None, "SUBJECT", f'"{subject}"')[1][0].split())


def show_delivery(screen, house):
    screen.title("Delivery:", "one mail to each, over Postfix and LMTP; who finds it over IMAP")
    with contextlib.ExitStack() as stack:
        inboxes = open_inboxes(house.dovecot, stack)
        for recipient, has, want in MAILS:
            smtp = house.postfix.smtp()
            smtp.mail("stranger@else.test")
            smtp.rcpt(recipient)
            smtp.data(recipient, sender="stranger@else.test")
            smtp.quit()

            def got(subject=recipient):
                return ([name for name, imap in inboxes.items()
                         for _ in range(finds(imap, subject))]
                        + house.outside.recipients(subject))
            with contextlib.suppress(LabError):
                wait_until(lambda got=got, want=want: len(got()) >= len(want.split()),
                           recipient, interval=0.05)
            screen.compare(recipient, has, " ".join(got()), want)


def show_submission_logins(screen, postfix):
    screen.title("Submission:", "AUTH PLAIN; Postfix asks Dovecot, which asks the module")
    for user, has, password, want in SUBMISSION_LOGINS:
        smtp = SmtpDialogue(postfix.submission_port)
        got = smtp.login(user, password)
        screen.compare(user, has, re.sub(r"(failed):.*", r"\1", got), want)
        smtp.quit()
