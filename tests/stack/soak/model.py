# SPDX-License-Identifier: MIT
"""The soak's small database, and the right answers about it."""

import collections

DOMAIN, CLOSED, FOREIGN = "soak.test", "closed.test", "external.test"

# A login that sends more than it may: so many recipients at once, and one more each INTERVAL
# seconds.
GREEDY, BURST, INTERVAL = f"greedy@{DOMAIN}", 5, 2

Mailbox = collections.namedtuple("Mailbox", "active send_only password full", defaults=[False])
Alias = collections.namedtuple("Alias", "active recipients senders")     # in their rows' order
State = collections.namedtuple("State", "mailboxes aliases")             # by address

REFUSED_SEND_ONLY = "550 5.2.1 mailbox does not accept mail (send-only)"
REFUSED_DEAD = "550 5.2.1 alias leads to no mailbox that accepts mail"
REFUSED_FULL = "452 4.2.2 mailbox is full"
REFUSED_ALL_FULL = "452 4.2.2 all mailboxes of this address are full"
UNKNOWN, RELAY, NOT_OWNED = "550 5.1.1", "554 5.7.1", "553 5.7.1"


def split(address):
    """(address without extension, in lower case; "+extension" or "")."""
    local, _, domain = address.rpartition("@")
    name, plus, extension = local.partition("+")
    return f"{name}@{domain}".lower(), plus + extension


def plain(address):
    return split(address)[0]


def domain_of(address):
    return address.rpartition("@")[2].lower()


# ---- mailboxes ----

def may_log_in(state, user, password, service):
    mailbox = state.mailboxes.get(user.lower())
    right = mailbox is not None and mailbox.active and mailbox.password == password
    return "ok" if right and not (mailbox.send_only and service == "imap") else "refused"


def has_mail(state, address):
    """Does Dovecot know a home of this address (without extension)?"""
    mailbox = state.mailboxes.get(address.lower())
    return mailbox is not None and mailbox.active and not mailbox.send_only


def takes_mail(state, address):
    """Does Dovecot deliver to this address (without extension)?"""
    return has_mail(state, address) and not state.mailboxes[address.lower()].full


# ---- recipients ----

def live_recipients(state, address):
    alias = state.aliases.get(plain(address))
    if alias is None or not alias.active:
        return ()
    return tuple(recipient for recipient in alias.recipients
                 if domain_of(recipient) != DOMAIN or has_mail(state, recipient))


def delivered_to(state, address):
    """The mailboxes, without extensions, that get an accepted mail."""
    return live_recipients(state, address) or (plain(address),)


def asked_about(state, address):
    """The mailboxes that must all be full for a refusal; () if nobody asks about them."""
    alias = live_recipients(state, address)
    names = alias or (plain(address),)
    return names if all(has_mail(state, name) for name in names) else ()


def full_refusals(states, now, address):
    """The refusals of full mailboxes that are right. states: those that may tell which mailboxes
    stand behind the address. now: those that may tell which of them are full.
    """
    return {REFUSED_FULL if len(names) == 1 else REFUSED_ALL_FULL
            for names in {asked_about(state, address) for state in states}
            if names and all(any(state.mailboxes[name].full for state in now) for name in names)}


def has_room(states, lately, address):
    """May mail to that address pass? states: as above. lately: those in which a mailbox may
    have had room.
    """
    return any(not names or any(not state.mailboxes[name].full for state in lately for name in names)
               for names in {asked_about(state, address) for state in states})


def recipient_refusal(state, address):
    """The refusal of the policy service and recipient-access, or None."""
    mailbox = state.mailboxes.get(plain(address))
    alias = state.aliases.get(plain(address))
    if live_recipients(state, address):
        return None
    if mailbox is not None and mailbox.active:
        return REFUSED_SEND_ONLY if mailbox.send_only else None
    return REFUSED_DEAD if alias is not None and alias.active else None


def is_known(state, address):
    mailbox = state.mailboxes.get(plain(address))
    return bool(live_recipients(state, address)) or mailbox is not None and mailbox.active


def rcpt(state, address, logged_in=False):
    """The reply to RCPT, as far as it is judged."""
    if domain_of(address) != DOMAIN:
        return "250" if logged_in else RELAY
    refusal = recipient_refusal(state, address)
    if refusal is not None:
        return refusal[:9]
    return "250" if is_known(state, address) else UNKNOWN


def rcpt_replies(states, address, logged_in=False):
    """smtpd asks the policy service, then the tables; a change may happen in between."""
    replies = {rcpt(state, address, logged_in) for state in states}
    if {recipient_refusal(state, address) == REFUSED_DEAD for state in states} == {True, False}:
        replies.add(UNKNOWN)
    return replies


# ---- senders ----

def owners(state, sender):
    name = plain(sender)
    mailbox, alias = state.mailboxes.get(name), state.aliases.get(name)
    found = [name] if mailbox is not None and mailbox.active else []
    if alias is not None and alias.active:
        found += [user for user in alias.senders if state.mailboxes[user].active]
    return found


def submission_replies(states, login, sender, address):
    """The sender is judged first. Sender and recipient may be judged by different states.

    If the sender cannot be judged, smtpd remembers to defer and goes on: a recipient that
    must be refused is refused all the same.
    """
    owned = {login in owners(state, sender) for state in states}
    replies = rcpt_replies(states, address, logged_in=True)
    if True not in owned:
        replies -= {"250"}
    return replies | ({NOT_OWNED} if False in owned else set())


# ---- mumd's tables ----

def _found(value):
    return f"OK {value}" if value is not None else "NOTFOUND "


def domains(state, key):
    return _found(DOMAIN if key == DOMAIN else None)


def mailboxes(state, key):
    mailbox = state.mailboxes.get(plain(key))
    return _found("1" if mailbox is not None and mailbox.active else None)


def aliases(state, key):
    extension = split(key)[1]
    return _found(",".join(recipient.replace("@", extension + "@")
                           for recipient in live_recipients(state, key)) or None)


def recipient_access(state, key):
    alias = state.aliases.get(plain(key))
    refusal = recipient_refusal(state, key)
    there = is_known(state, key) or alias is not None and alias.active
    return _found(refusal or ("DUNNO" if there else None))


def sender_login_maps(state, key):
    return _found(",".join(owners(state, key)) or None)


def policy(state, recipient):
    return recipient_refusal(state, recipient) or "DUNNO"
