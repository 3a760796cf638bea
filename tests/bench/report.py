# SPDX-License-Identifier: MIT
"""Cells as a page of Markdown: medians, ratios, and the machine they were measured on."""

import os
import pathlib
import platform
import shlex
import subprocess

from cells import IDLE
from dataset import MAPS
from lab.lab import ENVIRONMENT

# The map that stock Postfix asks instead of our policy service.
STOCK_OF = {"recipient": "recipient-access", "sender": "sender-login-maps"}

# What the project wants to reach at least.
AIMS = (
    *((f"{name}, 64 clients, from the cache: 0.75 x the responder",
       ("socketmap cached", name, 64), ("socketmap limit", "responder", 64), 0.75)
      for name in MAPS),
    *((f"policy, {name}, 64 clients, from the cache: 0.65 x the responder",
       ("policy cached", name, 64), ("policy limit", "responder", 64), 0.65)
      for name in STOCK_OF),
    *((f"{name}, one client, without cache: 0.8 x one stock postmap",
       ("socketmap uncached", name, 1), ("stock", name, 1), 0.8)
      for name in MAPS),
    *((f"RCPT/s, {sessions} sessions, {text}: {want} x stock",
       (group, "ours", sessions), (group, "stock", sessions), want)
      for group, text, wants in (("smtp", "each address once", (1.9, 2.2)),
                                 ("smtp warm", "asked before", (2.3, 2.5)))
      for sessions, want in zip((8, 32), wants)),
)


def number(value, digits=0):
    return "-" if value is None else f"{value:.{digits}f}"


def share(value):
    return "-" if value is None else f"{100 * value:.0f} %"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


class Report:
    def __init__(self, cells):
        self._cells = {(cell.group, cell.name, cell.clients): cell for cell in cells}
        self._compares = any("before" in f"{group} {name}" for group, name, _ in self._cells)

    def _ratio(self, cell, *key):
        other = self._cells.get(key)
        return f"{cell.ratio(other):.2f}" if other else "-"

    def _group(self, group):
        return [cell for key, cell in self._cells.items() if key[0] == group]

    def _load_row(self, cell, protocol, stock_processes):
        stock_name = STOCK_OF.get(cell.name, cell.name)
        return [cell.name, str(cell.clients), number(cell.median("per_second")),
                number(cell.median("p50_us")), number(cell.median("p99_us")),
                number(cell.median("max_us")),
                number(cell.median("cpu mumd"), 1), number(cell.median("cpu MariaDB"), 1),
                number(cell.median("own_cpu_us"), 1), share(cell.median("found")),
                *([self._ratio(cell, f"{cell.group} before", cell.name, cell.clients)]
                  if self._compares else []),
                *(self._ratio(cell, "stock", stock_name, count) for count in stock_processes),
                self._ratio(cell, f"{protocol} limit", "responder", cell.clients)]

    def _loads(self, title, group, stock_processes):
        cells = self._group(group)
        if not cells:
            return ""
        head = ["what", "clients", "req/s", "p50 us", "p99 us", "max us", "CPU us mumd",
                "CPU us MariaDB", "CPU us mum-load", "positive",
                *(["x before"] if self._compares else []),
                *(f"x stock ({count})" for count in stock_processes), "x limit"]
        rows = [self._load_row(cell, group.split()[0], stock_processes) for cell in cells]
        page = f"### {title}\n\n" + table(head, rows) + "\n"
        before = "" if group.endswith("before") else self._loads(
            f"{title}, before", f"{group} before", stock_processes)
        return page + before

    def _limits(self):
        rows = [[cell.group.split()[0], str(cell.clients), number(cell.median("per_second")),
                 number(cell.median("p50_us")), number(cell.median("p99_us")),
                 number(cell.median("cpu responder"), 1), number(cell.median("own_cpu_us"), 1)]
                for key, cell in self._cells.items() if key[0].endswith(" limit")]
        if not rows:
            return ""
        head = ["protocol", "clients", "req/s", "p50 us", "p99 us", "CPU us responder",
                "CPU us mum-load"]
        return ("### The limit: a responder that answers at once\n\n" + table(head, rows) + "\n")

    def _peers(self):
        rows = []
        for cell in self._group("policy peer"):
            rows.append([cell.name, str(cell.clients), number(cell.median("per_second")),
                         number(cell.median("p50_us")), number(cell.median("p99_us")),
                         *(f"{self._cells[group, 'recipient', cell.clients].ratio(cell):.1f}"
                           for group in ("policy uncached", "policy cached"))])
        if not rows:
            return ""
        head = ["policy service", "clients", "req/s", "p50 us", "p99 us",
                "mumd without cache to it", "mumd from the cache to it"]
        return ("### Peers: one rule, no database (mumd: recipient)\n\n" + table(head, rows) + "\n")

    def _stocks(self):
        rows = [[cell.name, str(cell.clients), number(cell.median("per_second")),
                 number(cell.median("cpu MariaDB")), number(cell.median("own_cpu_us")),
                 share(cell.median("found"))] for cell in self._group("stock")]
        if not rows:
            return ""
        head = ["map", "processes", "lookups/s", "CPU us MariaDB", "CPU us postmap", "positive"]
        return ("### Stock: postmap -q - on mysql: files (start not counted)\n\n"
                + table(head, rows) + "\n")

    def _smtp(self, group, title):
        rows = []
        for cell in self._group(group):
            cpu = [cell.median(f"cpu {name}") for name in ("Postfix", "MariaDB", "mumd")]
            rows.append([cell.name, str(cell.clients), number(cell.median("per_second")),
                         number(cell.median("p50_us")), number(cell.median("p99_us")),
                         *map(number, cpu),
                         number(sum(value or 0 for value in cpu)),
                         number(cell.median("connections")), share(cell.median("found")),
                         *([self._ratio(cell, group, "ours before", cell.clients)]
                           if self._compares else []),
                         self._ratio(cell, group, "stock", cell.clients),
                         self._ratio(cell, group, "limit", cell.clients)])
        if not rows:
            return ""
        head = ["Postfix with", "sessions", "RCPT/s", "p50 us", "p99 us", "CPU us Postfix",
                "CPU us MariaDB", "CPU us mumd or responder", "sum", "database connections", "250",
                *(["x before"] if self._compares else []), "x stock", "x limit"]
        return f"### {title}\n\n" + table(head, rows) + "\n"

    def _idle(self):
        lines = []
        for idle in IDLE:
            cell = self._cells.get((f"idle {idle}", "mailboxes", 16))
            if cell is None:
                continue
            memory = max(sample["memory"] for sample in cell.samples) / 1e6
            lines.append(f"With {idle} idle connections and 16 busy ones, ttl 0 (facts are kept for"
                         f" outages): {memory:.1f} MB resident,"
                         f" {number(cell.median('per_second'))} req/s, p99"
                         f" {number(cell.median('p99_us'))} us.\n\n")
        return "".join(lines)

    def _pipelined(self):
        cell = self._cells.get(("pipelined", "mailboxes", 16))
        return (f"From the cache, beside a client that sends requests without waiting (and gets"
                f" {number(cell.median('greedy'))} answers/s), 16 others get"
                f" {number(cell.median('per_second'))} req/s, p99 {number(cell.median('p99_us'))}"
                " us.\n\n" if cell else "")

    def _start(self):
        cell = self._cells.get(("start", "mailboxes", 1))
        return (f"From the start of mumd to its first answer: {number(cell.median('ms'))} ms.\n\n"
                if cell else "")

    def _aims(self):
        rows = []
        for text, key, other, want in AIMS:
            if key in self._cells and other in self._cells:
                got = self._cells[key].ratio(self._cells[other])
                rows.append([text, f"{got:.2f}", "yes" if got >= want else "**no**"])
        cell = self._cells.get(("smtp", "ours", 32))
        if cell and cell.samples:
            most = max(sample["connections"] for sample in cell.samples)
            rows.append(["32 sessions: at most 4 database connections", str(most),
                         "yes" if most <= 4 else "**no**"])
        return "### Aims\n\n" + table(["aim", "ratio", "reached"], rows) + "\n" if rows else ""

    def _trouble(self):
        lines = []
        for cell in self._cells.values():
            trouble = sum(sample.get("trouble", 0) for sample in cell.samples)
            late = next((sample["late"] for sample in cell.samples if sample.get("late")), None)
            if trouble:
                lines.append(f"- {cell.label()}: {trouble} temporary or permanent failures")
            if late:
                lines.append(f"- {cell.label()}: {late}")
        return "### Trouble\n\n" + "\n".join(lines) + "\n\n" if lines else ""

    def figures(self):
        """All samples, for a program: [{"group", "name", "clients", "samples"}, ...]"""
        return [{"group": cell.group, "name": cell.name, "clients": cell.clients,
                 "samples": cell.samples} for cell in self._cells.values()]

    def text(self, command, rounds, seconds, notes):
        stock_processes = sorted({cell.clients for cell in self._group("stock")})
        return "".join((
            "# Benchmark of mumd\n\n", facts(command, rounds, seconds, notes), "\n",
            self._aims(), self._trouble(),
            self._loads("Socketmap without cache", "socketmap uncached", stock_processes),
            self._idle(), self._pipelined(), self._start(),
            self._loads("Socketmap from the cache", "socketmap cached", stock_processes),
            self._loads("Policy service without cache", "policy uncached", stock_processes),
            self._loads("Policy service from the cache", "policy cached", stock_processes),
            self._limits(), self._peers(), self._stocks(),
            self._smtp("smtp", "Real smtpd: EHLO, then MAIL, 10 RCPT, RSET over and over"),
            self._smtp("smtp warm", "The same, each address asked before, within cache.ttl"),
            EXPLANATION))


EXPLANATION = """\
x stock (N): to N postmap processes at once on the same map (policy: recipient to recipient-access,
sender to sender-login-maps). x limit: to the responder with as many clients. CPU us: microseconds
of processor time per request. Ratios are medians of the ratios within each round. Rates on a shared
machine swing by up to 45 %; CPU time and ratios swing less.
"""


def first_line(*argv):
    try:
        return subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True,
                              timeout=10).stdout.splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "?"


def field(path, name):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return "?"


def system_name():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def facts(command, rounds, seconds, notes):
    top = pathlib.Path(__file__).resolve().parents[2]
    lines = [
        f"command: `{shlex.join(command)}`",
        f"medians of {rounds} interleaved rounds of {seconds:g} s",
        f"{field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} processors,"
        f" {field('/proc/meminfo', 'MemTotal')} memory",
        f"{system_name()}, Linux {platform.release()}, Postfix"
        f" {first_line('postconf', '-dh', 'mail_version')}, {first_line('mariadbd', '--version')}",
        f"sources: {first_line('git', '-C', str(top), 'describe', '--always', '--dirty')}",
        *notes]
    return "".join(f"- {line}\n" for line in lines)
