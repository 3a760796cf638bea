# SPDX-License-Identifier: MIT
"""A failure, with all that is needed to reproduce it."""

import shlex

from conformance.names import fold_local, split_extension, unquote, without_accents


def _bare(text):
    """Roughly what a collation sees."""
    return without_accents(fold_local(text)).strip().lower()


def _named(rows, address):
    """Mailboxes and aliases of about that name, with and without a possible extension."""
    local, at, _ = address.rpartition("@")
    plain = unquote(local) or local
    names = {_bare(name) for text in (local, plain)
             for name in (text, split_extension(text, "+-")[0])}
    return [[row for row in rows[table] if at and _bare(row.local_part) in names]
            for table in ("mailboxes", "aliases")]


def _concerned(rows, table, key):
    """The rows that the key may mean, and the rows that belong to them."""
    if table == "tls-policies":
        return [row for row in rows["tls_policies"] if _bare(row.domain) == _bare(key)]
    key = key.split(" > ")[-1]
    mailboxes, aliases = _named(rows, key)
    numbers = {row.id for row in aliases}
    pairs = "alias_senders" if "sender" in table else "alias_recipients"
    others = [row for row in rows[pairs] if row.alias_id in numbers][:20]
    wanted = {row.mailbox_id for row in others} - {row.id for row in mailboxes}
    mailboxes += [row for row in rows["mailboxes"] if row.id in wanted]
    domains = {row.domain_id for row in mailboxes + aliases}
    names = {_bare(key), _bare(key.rpartition("@")[2])}
    return [row for row in rows["domains"] if row.id in domains or _bare(row.domain) in names
            ] + mailboxes + aliases + others


def _shell(text):
    """The text as one types it into a shell, whatever it holds."""
    if text.isprintable():
        return shlex.quote(text)
    bytes_ = text.encode("utf-8", "surrogateescape")
    return "$'" + "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in "'\\" else
                          f"\\x{byte:02x}" for byte in bytes_) + "'"


def again(result, failure):
    """The command, for bash, that asks only this question again."""
    return (f"tests/stack/conformance/run --seed={result.seed} "
            f"--delimiters={_shell(result.delimiters)} --map={_shell(failure.map)} "
            f"--key={_shell(failure.key)}")


def describe(result, failure):
    lines = [f"FAILURE seed {result.seed} map {failure.map} key {failure.key!r}",
             f"  again: {again(result, failure)}",
             f"  {failure.what} differ:",
             f"    said     {str(failure.said)[:400]!r}",
             f"    expected {str(failure.expected)[:400]!r}"]
    for row in _concerned(result.rows, failure.map, failure.key):
        shown = row._asdict()
        shown.pop("password", None)
        lines.append(f"  {type(row).__name__} " + " ".join(
            f"{name}={value!r}" for name, value in shown.items()))
    return "\n".join(lines)
