# SPDX-License-Identifier: MIT
"""A client that never stops asking."""

import threading


class Load(threading.Thread):
    """Asks as Postfix does: keeps its connection; if that ends before an answer, asks once
    more on a new one. No connect may fail.

    connect(timeout): a client with ask(*question) and close(); each other answer is wrong.
    """

    def __init__(self, connect, question, keep, answer=b"OK 1"):
        super().__init__(daemon=True)
        self._connect, self._keep = connect, keep
        self._question, self._answer = question, answer
        self._end = threading.Event()
        self.answered, self.again, self.trouble = 0, 0, []

    def run(self):
        client = None
        while not self._end.is_set():
            try:
                client = self._ask(client)
                self.answered += 1
            except Exception as error:      # what Postfix would defer mail for
                self.trouble.append(repr(error))
                client = None
        if client is not None:
            client.close()

    def _ask(self, client):
        for last in (False, True):
            client = client or self._connect(timeout=20)
            try:
                answer = client.ask(*self._question)
                assert answer == self._answer, answer
                break
            except ConnectionError:
                client.close()
                client = None
                self.again += 1
                if last:
                    raise
        if not self._keep:
            client.close()
        return client if self._keep else None

    def end(self):
        self._end.set()
        self.join(30)
