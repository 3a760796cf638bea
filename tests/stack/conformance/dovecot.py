# SPDX-License-Identifier: MIT
"""What Dovecot says about users: with its sql driver and MUM's queries, and with our module."""

import itertools

from conformance import passwords
from conformance.data import MAX_BCRYPT_COST
from conformance.logins import service_of
from lab import LabError
from lab.auth_clients import AuthClient, Reply, UserdbClient, unescape
from lab.mum_dovecot import MumDovecot, mail, quota, verdict

# Requests on their way at once; and logins, of which Dovecot answers the refused ones
# only after half a second.
WINDOW = 40
LOGINS_WINDOW = 250

SETTINGS = "auth_username_chars =\nauth_worker_max_count = 4\n"


def _bytes(user):
    return user.encode("utf-8", "surrogateescape")


class MasterClient(UserdbClient):
    """Takes any name, also with '=' in it; and knows whether a list is complete."""

    def next_reply(self, started):
        kind, number, *fields = self._read()
        if kind == "USER":
            fields[0] = "user=" + fields[0]
        pairs = (field.partition("=") for field in fields)
        return int(number), Reply(kind, {unescape(name): unescape(value)
                                         for name, _, value in pairs}, 0)

    def _read(self):
        return self.read_until(b"\n").decode("utf-8", "surrogateescape").split("\t")

    def everybody(self):
        number = next(self._ids)
        self.send(b"LIST\t%d\tuser=*\tservice=doveadm\n" % number)
        replies = iter(self._read, None)
        users = [unescape(reply[2]) for reply in itertools.takewhile(self._is_user, replies)]
        return tuple(sorted(users))

    @staticmethod
    def _is_user(reply):
        if reply[0] == "DONE" and "fail" in reply:
            raise LabError("the list of users broke off")
        return reply[0] == "LIST"


class Users:
    """One Dovecot, asked over its own sockets."""

    def __init__(self, lab, database, name, driver, fresh):
        self._dovecot = MumDovecot(lab, database, name=f"conf-dovecot-{name}", driver=driver,
                                   settings=SETTINGS,
                                   options={"max_bcrypt_cost": MAX_BCRYPT_COST},
                                   sections={"cache": fresh}).start()
        # Stock refuses a hash that it cannot read, or says that it fails for now.
        self._refuses_for_now = (driver == "sql" and
                                 self._dovecot.language.stock_unreadable_hash == "temp_fail")
        self._client = MasterClient(self._dovecot.directory / "run/auth-master")
        self._logins = AuthClient(self._dovecot.directory / "run/auth-client")

    def wake(self):
        """Stock 2.4 opens a worker for each request until the first one is there, and fails
        or forgets those beyond the limit. Afterwards they wait for each other.
        """
        self._client.ask_windowed([("USER", b"nobody@nowhere.test", "lmtp")], 1)

    def ask_all(self, users):
        """{table: {user: answer}}, in the form of Logins.ask(); nobody is left out."""
        requests = {f"passdb {service}": ("PASS", service) for service in ("imap", "smtp")}
        requests["userdb"] = ("USER", "lmtp")
        answers = {}
        for table, (verb, service) in requests.items():
            replies = self._client.ask_windowed(
                ((verb, _bytes(user), service) for user in users), WINDOW)
            found = {user: _answer(reply) for user, reply in zip(users, replies)}
            answers[table] = {user: answer for user, answer in found.items() if answer is not None}
        answers["iteration"] = {"": self._client.everybody()}
        return answers

    def log_in_all(self, tables):
        """{table: {key: answer}}, in the form of Passwords.ask()."""
        asked = [(table, key) for table, keys in tables.items() for key in keys]
        requests = ((*passwords.split(key), service_of(table)) for table, key in asked)
        replies = self._logins.ask_windowed(
            ((_bytes(user), password, service) for user, password, service in requests),
            LOGINS_WINDOW)
        answers = {table: {} for table in tables}
        for (table, key), reply in zip(asked, replies):
            answers[table][key] = self._verdict(reply)
        return answers

    def _verdict(self, reply):
        """The name of the user who is logged in; None: refused."""
        if reply.kind == "OK":
            return reply.fields["user"]
        return "TEMP" if verdict(reply) == "temp_fail" and not self._refuses_for_now else None

    def close(self):
        self._client.close()
        self._logins.close()
        self._dovecot.stop()
        complaints = self._dovecot.complaints()
        if complaints:
            raise LabError("\n".join(complaints))


def _answer(reply):
    fields = reply.fields
    if reply.kind == "FAIL":
        return "TEMP"
    if reply.kind == "PASS":
        return fields["user"]
    if reply.kind == "USER":
        return fields["user"], fields["home"], mail(fields), f"*:storage={quota(fields)}G"
    return None
