# SPDX-License-Identifier: MIT
"""All texts that mumctl check can print, read from its sources."""

import re

from lab.lab import TOP

STRING = r'"(?:[^"\\]|\\.)*"'

# If a call has the text in a variable: all texts of this file, or these, by code.
ELSEWHERE = {
    "hash-refused": "common/hash.c", "mailbox-unusable": "common/rules.c",
    "tls-params": "mumctl/check/tls-policy.c",
    "recipient-unusable": ["a row holds a value that cannot be read"],
}


def arguments(call):
    """The arguments of a call in C."""
    found, depth = [""], 0
    for token in re.findall(rf"{STRING}|.", call, re.DOTALL):
        depth += (token == "(") - (token == ")")
        if token == "," and depth == 0:
            found.append("")
        else:
            found[-1] += token
    return found


def texts(source):
    """The string literals with words in a source; adjacent ones are joined as in C."""
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    joined = ["".join(one[1:-1] for one in re.findall(STRING, row)).replace('\\"', '"')
              for row in re.findall(rf"(?:{STRING}\s*)+", source)]
    return [text for text in joined if re.search("[a-z]{2}", text)]


def pattern(text):
    """A pattern that matches the printed text."""
    return ".*".join(map(re.escape, re.split(r"%[.*\d]*[a-z]+", text)))


def texts_in_sources():
    """{(code, member of a finding, pattern)} of all that check can print."""
    source = "\n".join(path.read_text() for path in sorted((TOP / "mumctl").glob("check*.c")))
    said = set()
    calls = r"\b(report_add|add_finding|add_row)\((.*?)\);\n"
    for name, call in re.findall(calls, source, re.DOTALL):
        words = arguments(call)
        if not words[1].strip().startswith("LEVEL_"):
            continue    # these functions themselves
        where = words[3] if name == "report_add" else ""
        mend = words[3] if name == "add_finding" else words[4]
        what = words[words.index(mend) + 1:]    # a format comes first
        code = texts(words[2])[0]
        said |= {(code, "code", "")} | {
            (code, member, begin + pattern(text)) for member, begin, some in (
                ("where", "^", where), ("mend", "^", mend), ("what", "^", what[0]),
                ("what", "", ",".join(what[1:])))
            for text in texts(some)}
    for code, place in ELSEWHERE.items():
        some = texts((TOP / place).read_text()) if isinstance(place, str) else place
        said |= {(code, "what", pattern(text)) for text in some if " " in text}
    return said


def is_said(findings, code, member, text):
    return any(one["code"] == code and re.search(text, one[member]) for one in findings)
