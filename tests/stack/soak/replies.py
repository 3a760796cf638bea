# SPDX-License-Identifier: MIT
"""What a reply says: a word that the model knows, or TEMPORARY."""

from soak.history import NO_ANSWER

TEMPORARY = "temporary"

# Refusals of mumd that say "later" and yet are no trouble: of full mailboxes, and of a login
# that sends too much. The last one is of a mail that is too much at any time.
FULL, TOO_MUCH, NEVER = "452 4.2.2", "450 4.7.1", "554 5.7.1"


def read_smtp(reply):
    """250, or the code of what is no trouble."""
    if reply.startswith("4"):
        return reply[:9] if reply.startswith((FULL, TOO_MUCH)) else TEMPORARY
    return reply[:3] if reply.startswith(("2", "3")) else reply[:9]


def read_auth_smtp(reply):
    return {"235": "ok", "535": "refused"}.get(reply[:3], read_smtp(reply))


def read_imap(reply):
    if reply == "OK":
        return "ok"
    if reply.startswith(("[UNAVAILABLE]", "[SERVERBUG]")):
        return TEMPORARY
    return "refused" if reply.startswith("[AUTHENTICATIONFAILED]") else reply


def read_auth(reply):
    """For IMAP, a send-only mailbox is refused with a code of its own."""
    return {"temp_fail": TEMPORARY, "user_disabled": "refused"}.get(reply, reply)


def read_user(reply):
    return TEMPORARY if reply == "temp_fail" else reply


def read_map(reply):
    return TEMPORARY if reply.startswith("TEMP ") else reply


def read_policy(reply):
    return TEMPORARY if reply.startswith("DEFER_IF_PERMIT 4.3.0 ") else reply


def word_of(reply):
    """Of SMTP, also if there was no answer."""
    return TEMPORARY if reply.startswith(NO_ANSWER) else read_smtp(reply)
