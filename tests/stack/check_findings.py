# SPDX-License-Identifier: MIT
"""How a test names the finding of mumctl check that it wants."""


def finding(code, level, where, mend, what=""):
    """where is the whole text; what and mend are parts of theirs."""
    return {"code": code, "level": level, "where": where, "mend": mend, "what": what}


def matches(found, want):
    return (found["code"] == want["code"] and found["level"] == want["level"]
            and found["where"] == want["where"] and want["mend"] in found["mend"]
            and want["what"] in found["what"])


def pick(findings, want):
    """The one finding that is wanted; if there is none, the message lists the others."""
    found = [one for one in findings if matches(one, want)]
    assert len(found) == 1, (want, findings)
    return found[0]
