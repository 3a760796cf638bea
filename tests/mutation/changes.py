# SPDX-License-Identifier: MIT
"""Single changes of a C file: each is what somebody might have typed wrong.

It reads our own style (kernel style, blanks around binary operators), not all of C.
"""

import collections
import re

# line: counted from 1; text: of that line, without blanks around it; result: the whole file
Change = collections.namedtuple("Change", "line text what result")
Token = collections.namedtuple("Token", "text start end")

TOKEN = re.compile(r'''
    (?P<skip>/\*.*?\*/|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*|\s+)
  | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'
  | \w+ | ->|\+\+|--|<<|>>|&&|\|\||[-+*/%&|^<>=!]= | .''', re.VERBOSE | re.DOTALL | re.MULTILINE)

SWAPS = {"==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="],
         ">=": [">", "<"], "&&": ["||"], "||": ["&&"], "++": ["--"], "--": ["++"],
         "+=": ["-="], "-=": ["+="], "<<": [">>"], ">>": ["<<"], "|": ["&"], "|=": ["&="],
         "true": ["false"], "false": ["true"], "TRUE": ["FALSE"], "FALSE": ["TRUE"]}
# With a blank behind them; otherwise they are no binary operators.
BINARY_SWAPS = {"+": "-", "-": "+", "*": "+", "/": "*", "%": "*", "&": "|"}
COMPARISONS = {"==", "!=", "<", "<=", ">", ">="}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
CONTROL = {"if", "for", "while", "switch"}
OTHER_STATEMENTS = {"case", "default", "do", "else", "goto", "return", "{", "}", ";"}
DECLARES = {"const", "static", "struct", "enum", "unsigned", "extern", "union"}
# What is returned already where nothing is, and what SWAPS changes.
NO_VALUES = {"0", "NULL", "false", "FALSE", "true", "TRUE"}
NO_CONSTANTS = {"NULL", "TRUE", "FALSE"}


class Source:
    """The tokens of a file, and which closes which."""

    def __init__(self, text):
        self.text = text
        self.tokens = [Token(match.group(), match.start(), match.end())
                       for match in TOKEN.finditer(text) if match["skip"] is None]
        self.closing = {}
        opened = []
        for i, token in enumerate(self.tokens):
            if token.text in "([{":
                opened.append(i)
            elif token.text in ")]}":
                self.closing[opened.pop()] = i

    def ranges(self):
        """[(first, last)] of what runs, or is a constant: functions and enums."""
        tokens = self.tokens
        at = 0
        while at < len(tokens):
            end = self.closing.get(at)
            if tokens[at].text == "{" and (
                    tokens[at - 1].text == ")" or
                    "enum" in (tokens[at - 1].text, tokens[at - 2].text)):
                yield at, end
            at = (end or at) + 1

    def part(self, first, last):
        """The text from one token to another, both included."""
        return self.text[self.tokens[first].start:self.tokens[last].end]

    def find(self, at, end, wanted):
        """The first token of wanted from at to end, outside all brackets; or None."""
        while at <= end:
            if self.tokens[at].text in wanted:
                return at
            at = self.closing.get(at, at) + 1
        return None


def is_operand(token):
    return re.fullmatch(r"\w+|[\])]", token.text) is not None and token.text != "return"


def swaps(source, i):
    """What else an operator may have been."""
    token = source.tokens[i]
    for other in SWAPS.get(token.text, []):
        yield i, i, other
    if token.text in BINARY_SWAPS and is_operand(source.tokens[i - 1]) and \
            source.text[token.end].isspace():
        yield i, i, BINARY_SWAPS[token.text]
    if token.text == "!":
        yield i, i, ""


def numbers(source, i):
    match = re.fullmatch(r"(\d+)([uUlL]*)", source.tokens[i].text)
    if match:
        yield i, i, f"{int(match[1]) + 1}{match[2]}"
        if match[1] == "1":
            yield i, i, f"0{match[2]}"


def constant_swaps(source, constants, i):
    """A named constant becomes the one of the file whose name is most like it."""
    name = source.tokens[i].text
    if name not in constants or source.tokens[i - 1].text == "case":
        return
    words = name.split("_")

    def likeness(other):
        theirs = other.split("_")
        return next((n for n, (a, b) in enumerate(zip(words, theirs)) if a != b),
                    min(len(words), len(theirs)))

    at = constants.index(name)
    others = constants[at + 1:] + constants[:at]
    best = max(others, key=likeness, default=None)
    if best is not None and likeness(best) > 0:
        yield i, i, best


def needs_negation(source, first, last):
    """Not where a change of its only operator does the same."""
    inside = [token.text for token in source.tokens[first:last + 1]]
    operators = [text for text in inside if text in COMPARISONS or text in ("&&", "||", "?")]
    return not (len(operators) == 1 and operators[0] in COMPARISONS) and \
        not (inside[0] == "!" and not operators)


def condition_of_choice(source, i):
    """The first token of A in A ? B : C."""
    at = i - 1
    opening = {close: open for open, close in source.closing.items()}
    while source.tokens[at].text not in ASSIGNMENTS | set("([{,;?:}") | {"return"}:
        at = opening.get(at, at) - 1
    return at + 1


def negations(source, i):
    token, last = source.tokens[i].text, None
    if token in ("if", "while"):
        first, last = i + 2, source.closing[i + 1] - 1
    elif token == "for":
        first = source.find(i + 2, source.closing[i + 1], ";") + 1
        last = source.find(first, source.closing[i + 1], ";") - 1
    elif token == "?":
        first, last = condition_of_choice(source, i), i - 1
    if last is not None and first <= last and needs_negation(source, first, last):
        yield first, last, f"!({source.part(first, last)})"


def statement_starts(source, first, last):
    """The tokens that begin a statement."""
    label = False
    start = first + 1
    for i in range(first + 1, last):
        text = source.tokens[i].text
        if i < start:
            continue
        if i == start:
            yield i
            label = text in ("case", "default")
        if text in ("{", "}", ";", "else", "do") or (label and text == ":"):
            start = i + 1
        elif text in CONTROL:
            start = source.closing[i + 1] + 1


def is_declaration(source, i):
    one, two, three = source.tokens[i:i + 3]
    return one.text in DECLARES or (one.text.isidentifier() and (
        two.text.isidentifier() or
        (two.text == "*" and three.text.isidentifier() and two.end == three.start)))


def dropped(source, i, last):
    """A statement that is left out, or returns nothing."""
    text = source.tokens[i].text
    if text in CONTROL or (text in OTHER_STATEMENTS and text != "return") or \
            is_declaration(source, i) and text != "return":
        return
    end = source.find(i, last, ";")
    if end is None:
        return
    if text != "return" or end == i + 1:
        yield i, end - 1, ""
    elif source.part(i + 1, end - 1) not in NO_VALUES:
        yield i + 1, end - 1, "0"


def replacements(source):
    """(first token, last token, what stands there instead)"""
    constants = list(dict.fromkeys(
        token.text for token in source.tokens
        if re.fullmatch(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+", token.text) and
        source.text[token.end] != "(" and token.text not in NO_CONSTANTS))
    for first, last in source.ranges():
        for i in range(first, last):
            yield from swaps(source, i)
            yield from numbers(source, i)
            yield from constant_swaps(source, constants, i)
            yield from negations(source, i)
        if source.tokens[first - 1].text == ")":
            for i in statement_starts(source, first, last):
                yield from dropped(source, i, last)


def describe(old, new):
    if not new:
        return f"without  {old}"
    return f"not  {old}" if new == f"!({old})" else f"{old}  =>  {new}"


def changes(text):
    """All changes of a file, in the order of its lines."""
    source = Source(text)
    lines = text.splitlines()
    seen = collections.Counter()
    made = []
    for first, last, new in replacements(source):
        start, end = source.tokens[first].start, source.tokens[last].end
        old = text[start:end]
        line = text.count("\n", 0, start) + 1
        what = describe(" ".join(old.split()), " ".join(new.split()))
        seen[line, what] += 1
        if seen[line, what] > 1:
            what += f"  (no. {seen[line, what]})"
        # Lines keep their numbers.
        result = text[:start] + new + "\n" * (old.count("\n") - new.count("\n")) + text[end:]
        made.append(Change(line, lines[line - 1].strip(), what, result))
    return sorted(made, key=lambda change: change.line)
