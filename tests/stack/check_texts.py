# SPDX-License-Identifier: MIT
"""All texts that mumctl check can print, read from its sources."""

import re

from lab.lab import TOP

STRING = r'"(?:[^"\\]|\\.)*"'

# If a call has the text in a variable: all texts of this file, or these, by code.
ELSEWHERE = {
    "hash-refused": "common/password-hash.c", "mailbox-unusable": "common/rules.c",
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
    """{(code, pattern)} of all that check can print. In a call the code comes first."""
    source = "\n".join(path.read_text() for path in sorted((TOP / "mumctl").glob("check/*.c")))
    said = set()
    calls = r"\b(?:report_add|add_finding|add_row|check_duty)\((.*?)\);\n"
    for call in re.findall(calls, source, re.DOTALL):
        words = arguments(call)
        codes = [word.strip()[1:-1] for word in words if re.fullmatch(r'\s*"[a-z0-9-]+"', word)]
        if not codes:
            continue    # these functions themselves
        said |= {(codes[0], "")} | {
            (codes[0], pattern(text)) for word in words for text in texts(word)
            if text != codes[0]}
    for code, place in ELSEWHERE.items():
        some = texts((TOP / place).read_text()) if isinstance(place, str) else place
        said |= {(code, pattern(text)) for text in some if " " in text}
    return said


def is_said(findings, code, text):
    return any(one["code"] == code and any(re.search(text, one[member])
                                           for member in ("where", "what", "mend"))
               for one in findings)
