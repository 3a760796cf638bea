# SPDX-License-Identifier: MIT
"""What MUM's stock configuration answers: Postfix with the mysql: files of MUM's
manual, and how Postfix uses them."""

import subprocess

from conformance.keys import MAPS
from lab.lab import ENVIRONMENT, LabError

USER, PASSWORD = "stock", "stock-secret"

# MUM's manual, page "Integration with Postfix and Dovecot".
QUERIES = {
    "tls-policies": "SELECT policy, params FROM tls_policies WHERE domain = '%s';",
    "recipient-access": """SELECT IF(send_only = 1, 'REJECT', 'DUNNO') AS access
        FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id
        WHERE mailboxes.local_part = '%u' AND domains.domain = '%d'
        AND domains.active = 1 AND mailboxes.active = 1 LIMIT 1;""",
    "mailboxes": """SELECT 1 AS found FROM mailboxes
        INNER JOIN domains ON mailboxes.domain_id = domains.id
        WHERE mailboxes.local_part = '%u' AND domains.domain = '%d'
        AND domains.active = 1 AND mailboxes.active = 1 LIMIT 1;""",
    "domains": "SELECT domain FROM domains WHERE domain = '%s' AND active = 1;",
    "aliases": """SELECT GROUP_CONCAT(DISTINCT alias_recipients.recipient_address SEPARATOR ',')
        FROM aliases INNER JOIN alias_recipients ON aliases.id = alias_recipients.alias_id
        INNER JOIN domains ON aliases.domain_id = domains.id
        WHERE aliases.local_part = '%u' AND domains.domain = '%d'
        AND aliases.active = 1 AND domains.active = 1;""",
    "sender-login-maps": """SELECT CONCAT(mailboxes.local_part, '@', domains.domain) AS owns
        FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id
        WHERE mailboxes.local_part = '%u' AND domains.domain = '%d'
        AND domains.active = 1 AND mailboxes.active = 1
        UNION SELECT GROUP_CONCAT(CONCAT(mailboxes.local_part, '@', mailbox_domains.domain)
        SEPARATOR ',') AS owns
        FROM aliases INNER JOIN domains alias_domains ON aliases.domain_id = alias_domains.id
        INNER JOIN alias_senders ON aliases.id = alias_senders.alias_id
        INNER JOIN mailboxes ON alias_senders.mailbox_id = mailboxes.id
        INNER JOIN domains mailbox_domains ON mailboxes.domain_id = mailbox_domains.id
        WHERE aliases.local_part = '%u' AND alias_domains.domain = '%d'
        AND alias_domains.active = 1 AND mailbox_domains.active = 1 AND aliases.active = 1;""",
}


class StockPostfix:
    """Asks its six tables with postmap. directory holds their files, and a main.cf."""

    def __init__(self, lab, server):
        server.sql(f"CREATE USER {USER}@localhost IDENTIFIED BY '{PASSWORD}'; "
                   f"GRANT SELECT ON mum.* TO {USER}@localhost;")
        self.directory = lab.directory("conf-postfix")
        (self.directory / "main.cf").write_text("compatibility_level = 3.6\nsmtputf8_enable = yes\n")
        (self.directory / "master.cf").write_text("")
        for table in MAPS:
            query = " ".join(QUERIES[table].split())
            (self.directory / f"{table}.cf").write_text(
                f"user = {USER}\npassword = {PASSWORD}\nhosts = unix:{server.socket}\n"
                f"dbname = mum\nquery = {query}\n")

    def ask_all(self, keys):
        """{map: [key, ...]} -> {map: {key: value}}; what is not there was not found."""
        running = {table: self._start(table) for table in keys}
        for table, process in running.items():
            asked = "".join(f"{key}\n" for key in keys[table])
            out, err = process.communicate(asked.encode("utf-8", "surrogateescape"), 120)
            if process.returncode not in (0, 1) or b"fatal" in err or b"error" in err:
                raise LabError(f"postmap of {table}: exit {process.returncode}\n"
                               f"{err.decode(errors='replace')}")
            running[table] = _answers(keys[table], out.decode("utf-8", "surrogateescape"))
        return running

    def _start(self, table):
        return subprocess.Popen(
            ["postmap", "-c", str(self.directory), "-q", "-", f"mysql:{self.directory}/{table}.cf"],
            env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)


def _answers(keys, out):
    """postmap prints a line for each key that it found, in their order."""
    answers = {}
    lines = iter(out.split("\n")[:-1])
    line = next(lines, None)
    for key in keys:
        if line is not None and line.startswith(key + "\t"):
            answers[key] = line[len(key) + 1:]
            line = next(lines, None)
    if line is not None:
        raise LabError(f"postmap answers what nobody asked: {line!r}")
    return answers
