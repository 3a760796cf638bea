# SPDX-License-Identifier: MIT
"""When two spellings are one name, in plain Python.

It is written from the rules, not from common/address.c, which it judges.
"""

import functools
import re
import unicodedata

WIDTH = 191     # characters of MUM's columns

# UTS #46 reads these as dots.
DOTS = "\u3002\uff0e\uff61"

# A whole quoted string; and the characters that end an address in a list.
QUOTED = re.compile(r'"([^"\\]|\\.)*"', re.DOTALL)
ENDS = set(',;<>()"\\ ')

# What a label of RFC 5892 may hold, of the characters that the generator uses.
LETTERS = {"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"}


def is_text(text):
    """Is it valid UTF-8? Other bytes came in as surrogates."""
    return not any("\ud800" <= char < "\ue000" for char in text)


@functools.lru_cache(20000)
def is_clean(text):
    """Text without control characters?"""
    return is_text(text) and not any(char < " " or "\x7f" <= char < "\xa0" for char in text)


@functools.lru_cache(20000)
def fold_local(text):
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _alabel(label):
    """None if UTS #46 forbids the label or changes more than its case."""
    if label.isascii():
        return label
    if unicodedata.normalize("NFKC", label) != label or label[0] == "-" or label[-1] == "-":
        return None
    if unicodedata.category(label[0]) in ("Mn", "Mc"):
        return None
    if any(char not in "-" and unicodedata.category(char) not in LETTERS for char in label):
        return None
    alabel = "xn--" + label.encode("punycode").decode()
    return alabel if len(alabel) <= 63 else None


# Full case folding would change these letters in another way than UTS #46.
KEPT = {"ß": "ß", "\u1e9e": "ß", "ς": "ς"}


@functools.lru_cache(20000)
def fold_domain(text):
    """The A-label; a domain without one equals only itself."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize(
        "NFC", "".join(KEPT.get(char) or char.casefold() for char in text))
    if any(dot in folded for dot in DOTS):
        return folded
    labels = [_alabel(label) if label else label for label in folded.split(".")]
    return folded if None in labels else ".".join(labels)


def tls_domain(key):
    """(before, domain, behind) of [host]:port, .domain, host:port."""
    if key.startswith("["):
        end = key.find("]")
        end = len(key) if end < 0 else end
        return key[:1], key[1:end], key[end:]
    start = 1 if key.startswith(".") else 0
    end = key.find(":")
    end = len(key) if end < 0 else end
    return key[:start], key[start:max(end, start)], key[max(end, start):]


def _ascii_lower(text):
    return "".join(char.lower() if char.isascii() else char for char in text)


@functools.lru_cache(20000)
def fold_tls(key):
    before, domain, behind = tls_domain(key)
    return _ascii_lower(before + fold_domain(domain) + behind)


@functools.lru_cache(20000)
def fold_address(text):
    local, at, domain = text.rpartition("@")
    return f"{fold_local(local)}@{fold_domain(domain)}" if at else fold_local(text)


@functools.lru_cache(20000)
def unquote(local):
    """The inside of a quoted string; None if local is not one."""
    if len(local) < 2 or local[0] != '"' or local[-1] != '"':
        return None
    inside, plain = local[1:-1], ""
    while inside:
        if inside[0] == "\\" and len(inside) > 1:
            inside = inside[1:]
        plain, inside = plain + inside[0], inside[1:]
    return plain


def _is_dot_atom(local):
    return all(local.split(".")) and not any(char in '()<>[]:;@\\," ' or char < " "
                                             or char == "\x7f" for char in local)


def _escape(text):
    return "".join("\\" + char if char in '"\\' else char for char in text)


def quote(local):
    """As RFC 5322 writes a local part; Postfix' quote_822_local()."""
    return local if _is_dot_atom(local) else f'"{_escape(local)}"'


def extend(local, extension):
    """A stored local part, which may be a quoted string, with an extension from a stranger,
    in the form of RFC 5321.
    """
    if QUOTED.fullmatch(local):
        return f'{local[:-1]}{_escape(extension)}"'
    return quote(local + extension)


def quote_address(address):
    local, at, domain = address.rpartition("@")
    return quote(local) + at + domain if at else address


def split_extension(local, delimiters, fold=_ascii_lower):
    """(name, extension with its delimiter), as Postfix' split_addr() does. smtpd folds its
    keys (str.casefold) first.
    """
    lower = fold(local)
    if lower in ("postmaster", "mailer-daemon", "double-bounce"):
        return local, ""
    if "-" in delimiters and (lower.startswith("owner-") or
                              (lower.endswith("-request") and len(local) > 8)):
        return local, ""
    cut = next((at for at, char in enumerate(local) if char in delimiters), 0)
    return (local[:cut], local[cut:]) if cut > 0 else (local, "")


def search_keys(table, key, delimiters):
    """The keys that Postfix looks up in a mysql: table for an address (in its internal
    form), in this order, with the extension that is put back on the results:
    mail_addr_find(), and check_mail_access() for an access table. MUM's queries must find
    nothing for less than a whole address.
    """
    local, at, domain = key.rpartition("@")
    if not at:
        return [(key, "")]
    stem, extension = split_extension(local, delimiters)
    readings = [(local, "")] + ([(stem, extension)] if extension else [])
    forms = [(form, behind) for name, behind in readings
             for form in dict.fromkeys([quote(name), name])]
    less = ["@" + domain]
    if table == "recipient-access":
        less = _with_parents(domain) + [form + "@" for form, _ in forms]
    return [(f"{form}@{domain}", behind) for form, behind in forms] + [
        (form, "") for form in less]


def _with_parents(domain):
    labels = domain.split(".")
    return [".".join(labels[cut:]) for cut in range(len(labels))]


def without_accents(text):
    return "".join(char for char in unicodedata.normalize("NFD", text)
                   if unicodedata.category(char) != "Mn")
