# SPDX-License-Identifier: MIT
"""How a finding of mumctl check is wanted."""


def finding(code, level, where, mend, what=""):
    """where is the whole text, the other two are parts of it."""
    return {"code": code, "level": level, "where": where, "mend": mend, "what": what}


def matches(found, want):
    return (found["code"] == want["code"] and found["level"] == want["level"]
            and found["where"] == want["where"] and want["mend"] in found["mend"]
            and want["what"] in found["what"])


def pick(findings, want):
    """The one finding that is wanted; the others are in the message."""
    found = [one for one in findings if matches(one, want)]
    assert len(found) == 1, (want, findings)
    return found[0]
