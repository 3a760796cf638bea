# SPDX-License-Identifier: MIT
"""The entries of doc/differences.md. Each names the rule by which the test knows it."""

import re

from conformance.judge import ALL_RULES
from lab.lab import TOP

DOCUMENT = TOP / "doc/differences.md"

HEADING = re.compile(r"^### (D\d+)\b")
RULE = re.compile(r"^(?:<!-- )?rule: ([a-z0-9-]+)(?: -->)?$")


def entries(path=DOCUMENT):
    """[("D7", rule or None), ...] of a list of differences."""
    found = []
    for line in path.read_text().splitlines():
        heading, rule = HEADING.match(line), RULE.match(line)
        if heading:
            found.append((heading[1], None))
        elif rule and found and found[-1][1] is None:
            found[-1] = (found[-1][0], rule[1])
        elif rule:
            raise ValueError(f"{path}: {line}: no entry of its own")
    return found


def mismatches(path=DOCUMENT):
    """Where the document and the rules here do not match, as sentences."""
    listed = entries(path)
    names = [rule for _, rule in listed if rule is not None]
    known = set().union(*ALL_RULES.values())
    return ([f"{entry} has no rule" for entry, rule in listed if rule is None]
            + [f"rule {name} stands there twice" for name in set(names) if names.count(name) > 1]
            + [f"rule {name} is not known" for name in sorted(set(names) - known)]
            + [f"rule {name} has no entry" for name in sorted(known - set(names))])
