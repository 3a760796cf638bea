# SPDX-License-Identifier: MIT
"""The commands that README.md and the manuals show, so that tests can run them word for word.

In README.md they are the blocks of language sh. In a manual they are the literal displays
below a line .\\" sh. In a manual with steps, each display has such a line: sh, or the file
whose lines it shows; .\\" sh-2.4 is for that Dovecot alone.
"""

import collections
import re

from .dovecot_language import dovecot_language
from .lab import TOP

# section: the heading above; line: where it begins.
Block = collections.namedtuple("Block", "kind section line text")

# Sections of README.md that are not for a new server.
BACK_AGAIN = "Back again:"
DEBIAN_13 = "From Debian 12 to Debian 13"
OTHER_SECTIONS = (BACK_AGAIN, DEBIAN_13)


def blocks(name):
    """All blocks of README.md or of a manual, in their order."""
    text = (TOP / name).read_text()
    return list(_markdown(text) if name.endswith(".md") else _mdoc(text))


def commands(name):
    """The commands for the installed Dovecot, which only blocks for one Dovecot need."""
    return [block for block in blocks(name)
            if block.kind == "sh" or (block.kind.startswith("sh-") and
                                      block.kind == f"sh-{dovecot_language().generation}")]


def _markdown(text):
    section, kind, start, body = "", None, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if kind is None and line.startswith("```"):
            kind, start, body = line[3:], number + 1, []
        elif line == "```":
            yield Block(kind, section, start, "\n".join(body))
            kind = None
        elif kind is not None:
            body.append(line)
        elif re.match(r"#|\*\*", line):
            section = line.strip("# *")


def _mdoc(text):
    """A line of .Dl is a block of its own."""
    section, kind, start, body = "", "", 0, None
    for number, line in enumerate(text.splitlines(), 1):
        if line == ".Ed" and body is not None:
            yield Block(kind, section, start, "\n".join(body))
            kind, body = "", None
        elif body is not None:
            body.append(line.replace("\\&", "").replace("\\e", "\\"))
        elif line.startswith(".Dl "):
            yield Block(kind, section, number, line[4:].strip())
        elif line.startswith(".Bd -literal"):
            start, body = number + 1, []
        elif line.startswith(('.\\" ', ".Sh ", ".Ss ")):
            if line.startswith('.\\" '):
                kind = line[4:].strip()
            else:
                section = line[4:].strip().strip('"')
        elif not line.startswith("."):
            kind = ""
