# SPDX-License-Identifier: MIT
"""mumd's pages over HTTP, and Prometheus' text format."""

import http.client
import re

from .clients import connect

_SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
_ESCAPE = re.compile(r'\\(.)')


class _Connection(http.client.HTTPConnection):
    """To a path, or (host, port)."""

    def __init__(self, address, timeout):
        super().__init__("localhost")
        self._address, self._seconds = address, timeout

    def connect(self):
        self.sock = connect(self._address, self._seconds)


def fetch(address, path, method="GET", timeout=20, **request):
    """(status, headers, body as text)"""
    connection = _Connection(address, timeout)
    try:
        connection.request(method, path, **request)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def _labels(text):
    labels, at = {}, 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if not match or match[1] in labels:
            raise ValueError(f"not labels: {text!r}")
        labels[match[1]] = _ESCAPE.sub(lambda m: {"n": "\n"}.get(m[1], m[1]), match[2])
        at = match.end()
    return labels


class Page:
    """The samples of a page. It must be well-formed, and no series may be on it twice."""

    def __init__(self, text):
        self.samples = {}       # (name, ((label, value), ...)): number
        self.text = text
        if not text.endswith("\n"):
            raise ValueError("does not end with a newline")
        for line in text[:-1].split("\n"):
            if line.startswith(("# HELP ", "# TYPE ")):
                continue
            match = _SAMPLE.match(line)
            if not match:
                raise ValueError(f"no sample: {line!r}")
            key = (match[1], tuple(sorted(_labels(match[2] or "").items())))
            if key in self.samples:
                raise ValueError(f"twice on the page: {line!r}")
            self.samples[key] = float(match[3])

    def series(self, name):
        """[(labels, number)]"""
        return [(dict(labels), number) for (known, labels), number in self.samples.items()
                if known == name]

    def sum(self, name, **labels):
        """The sum of all series that have these labels; there must be one."""
        found = [number for known, number in self.series(name)
                 if labels.items() <= known.items()]
        if not found:
            raise KeyError(f"{name} {labels}")
        return sum(found)

    def totals(self):
        """The series that may never decrease."""
        return {key: number for key, number in self.samples.items()
                if key[0].endswith(("_total", "_bucket", "_count", "_sum"))}
