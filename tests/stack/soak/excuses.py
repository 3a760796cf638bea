# SPDX-License-Identifier: MIT
"""Which fault excuses which failure, and for how long; and how long an answer may take."""

import collections

# The services on the way of a question. fails: those at which a fault may make the
# answer a temporary failure. ends: those at which a fault may end the connection, keep
# one from being made, or delay it.
Way = collections.namedtuple("Way", "fails ends")

MUMD = Way(("mumd", "database"), ("mumd",))
AUTH = Way(("database",), ("dovecot",))
IMAP = Way(("dovecot", "database"), ("dovecot",))
INBOX = Way((), ("dovecot",))
SMTP = Way(("postfix",), ("postfix",))
SUBMISSION = Way((), ("postfix", "dovecot"))        # smtpd asks Dovecot before it greets
MAPS = Way(("postfix", "mumd", "database"), ("postfix",))
SASL = Way(("postfix", "dovecot", "database"), ("postfix",))
# Where mail is accepted in doubt. quota-status answers late while Dovecot looks for its user.
QUOTA = Way(("mumd", "quota", "quota's user", "dovecot", "database"), ())

# at: the service that the fault hits; None if nobody may notice it. recovery: seconds
# from the fault's end until our own sockets work again.
Effect = collections.namedtuple("Effect", "at recovery")

NONE = Effect(None, 0)
EFFECTS = {
    "database hung": Effect("database", 1),
    "database killed": Effect("database", 1),
    "tables locked": Effect("database", 1),
    "too many connections": Effect("database", 1),
    "network cut": Effect("database", 1),
    "network silent": Effect("database", 1),
    "wrong password": Effect("database", 2.5),      # tried slowly, else the server shuts us out
    "connections killed": NONE,                     # who asked asks again over another
    "first host gone": NONE,                        # there is a second one
    "first host silent": Effect("quota's user", 1),
    "mumd reloaded": NONE,
    "mumd restarted": Effect("mumd", 1),
    "mumd killed": Effect("mumd", 1),
    "no descriptors": Effect("mumd", 1.5),          # accept() pauses
    "slow clients": NONE,
    "dovecot reloaded": Effect("dovecot", 1),       # over when a new auth process answers
    "old auth ended": Effect("dovecot", 1),         # by SIGTERM after six seconds, with its logins
    "postfix reloaded": Effect("postfix", 1),
    "quota-status hung": Effect("quota", 1),
    "quota-status killed": Effect("quota", 1),
}

THEIRS = 1      # additional seconds for Postfix and Dovecot's services, which stand before us
GRACE = 1       # seconds that an answer may be later than its deadline
PROBE = 2       # additional seconds until mumd's probe, once a second, has found quota-status

# The most that a fault can excuse something after its end.
LONGEST = max(effect.recovery for effect in EFFECTS.values()) + max(THEIRS, PROBE)


def overlaps(began, ended, asked, answered):
    return began <= answered and asked <= ended


def excuses(fault, way, asked, answered, ended, more=0):
    """May the fault have caused a temporary failure or, if ended, no answer at all? more:
    additional seconds of recovery.
    """
    effect = EFFECTS[fault.kind]
    return (effect.at in (way.ends if ended else way.fails)
            and overlaps(fault.began, fault.ended + effect.recovery + more, asked, answered))


def held_up(faults, hiccups, way, asked, answered):
    """Seconds between asked and answered that do not count: nobody could take the question,
    or this machine did not run us.
    """
    spans = [(fault.began, fault.ended + EFFECTS[fault.kind].recovery) for fault in faults
             if EFFECTS[fault.kind].at in way.ends]
    spans += [(hiccup.began, hiccup.ended) for hiccup in hiccups]
    total, until = 0, asked
    for began, ended in sorted(spans):
        total += max(0, min(ended, answered) - max(began, until))
        until = max(until, min(ended, answered))
    return total
