# SPDX-License-Identifier: MIT
"""The rows of the database and the questions: all generated, the same each time.

Row n belongs to domain (n-1) % D + 1. Some domains, mailboxes and aliases are inactive and
some mailboxes send-only, so that every map has misses and refusals.
"""

import random

STRANGERS = 0.05    # share of keys that are not in the database
MAPS = ("mailboxes", "aliases", "domains", "recipient-access", "sender-login-maps", "tls-policies")
POLICIES = ("recipient", "sender")

# The stock configuration's queries, as MUM's documentation gives them.
OWNERS_OF_MAILBOX = (
    "SELECT CONCAT(mailboxes.local_part, '@', domains.domain) AS owns FROM mailboxes"
    " INNER JOIN domains ON mailboxes.domain_id = domains.id WHERE mailboxes.local_part = '%u'"
    " AND domains.domain = '%d' AND domains.active = 1 AND mailboxes.active = 1")
OWNERS_OF_ALIAS = (
    "SELECT GROUP_CONCAT(CONCAT(mailboxes.local_part, '@', mailbox_domains.domain) SEPARATOR ',')"
    " AS owns FROM aliases INNER JOIN domains alias_domains ON aliases.domain_id = alias_domains.id"
    " INNER JOIN alias_senders ON aliases.id = alias_senders.alias_id"
    " INNER JOIN mailboxes ON alias_senders.mailbox_id = mailboxes.id"
    " INNER JOIN domains mailbox_domains ON mailboxes.domain_id = mailbox_domains.id"
    " WHERE aliases.local_part = '%u' AND alias_domains.domain = '%d' AND alias_domains.active = 1"
    " AND mailbox_domains.active = 1 AND aliases.active = 1")
STOCK_QUERIES = {
    "tls-policies": "SELECT policy, params FROM tls_policies WHERE domain = '%s'",
    "recipient-access":
        "SELECT IF(send_only = 1, 'REJECT', 'DUNNO') AS access FROM mailboxes"
        " INNER JOIN domains ON mailboxes.domain_id = domains.id WHERE mailboxes.local_part = '%u'"
        " AND domains.domain = '%d' AND domains.active = 1 AND mailboxes.active = 1 LIMIT 1",
    "mailboxes":
        "SELECT 1 AS found FROM mailboxes INNER JOIN domains ON mailboxes.domain_id = domains.id"
        " WHERE mailboxes.local_part = '%u' AND domains.domain = '%d'"
        " AND domains.active = 1 AND mailboxes.active = 1 LIMIT 1",
    "domains": "SELECT domain FROM domains WHERE domain = '%s' AND active = 1",
    "aliases":
        "SELECT GROUP_CONCAT(DISTINCT alias_recipients.recipient_address SEPARATOR ',') FROM aliases"
        " INNER JOIN alias_recipients ON aliases.id = alias_recipients.alias_id"
        " INNER JOIN domains ON aliases.domain_id = domains.id WHERE aliases.local_part = '%u'"
        " AND domains.domain = '%d' AND aliases.active = 1 AND domains.active = 1",
    "sender-login-maps": OWNERS_OF_MAILBOX + " UNION " + OWNERS_OF_ALIAS,
}

FILL_SQL = """
INSERT INTO domains (id, domain, homedir, active, quota)
    SELECT seq, CONCAT('d', seq, '.example.org'), CONCAT('/srv/mail/d', seq, '.example.org'),
        IF(seq % 50 = 49, 0, 1), IF(seq % 3, 10, NULL) FROM seq_1_to_{domains};
INSERT INTO mailboxes (id, local_part, password, domain_id, quota, homedir, maildir, send_only, active)
    SELECT seq, CONCAT('user', seq), CONCAT('$2y$10$', REPEAT('x', 53)), (seq - 1) % {domains} + 1,
        IF(seq % 4, 5, NULL),
        CONCAT('/srv/mail/d', (seq - 1) % {domains} + 1, '.example.org/user', seq),
        CONCAT('maildir:/srv/mail/d', (seq - 1) % {domains} + 1, '.example.org/user', seq, ':LAYOUT=fs'),
        seq % 20 = 0, seq % 33 <> 0 FROM seq_1_to_{mailboxes};
INSERT INTO aliases (id, local_part, domain_id, active)
    SELECT seq, CONCAT('alias', seq), (seq - 1) % {domains} + 1, seq % 33 <> 0
        FROM seq_1_to_{mailboxes};
INSERT INTO alias_senders (mailbox_id, alias_id) SELECT seq, seq FROM seq_1_to_{mailboxes};
INSERT INTO alias_senders (mailbox_id, alias_id)
    SELECT seq % {mailboxes} + 1, seq FROM seq_1_to_{mailboxes} WHERE seq % 2 = 0;
INSERT INTO alias_recipients (alias_id, recipient_address, mailbox_id)
    SELECT seq, CONCAT('user', seq, '@d', (seq - 1) % {domains} + 1, '.example.org'), seq
        FROM seq_1_to_{mailboxes};
INSERT INTO alias_recipients (alias_id, recipient_address)
    SELECT seq, CONCAT('ext', seq, '@elsewhere.example.com') FROM seq_1_to_{mailboxes}
        WHERE seq % 2 = 0;
INSERT INTO tls_policies (domain, policy, params)
    SELECT CONCAT('d', seq, '.example.com'), 'secure', 'match=nexthop' FROM seq_1_to_{domains};
ANALYZE TABLE domains, mailboxes, aliases, alias_senders, alias_recipients, tls_policies;
"""


class Dataset:
    def __init__(self, mailboxes):
        self.mailboxes = mailboxes
        self.domains = max(10, mailboxes // 100)
        self.random = random.Random(4711)

    def fill_sql(self):
        return FILL_SQL.format(mailboxes=self.mailboxes, domains=self.domains)

    def _row(self):
        return self.random.randint(1, self.mailboxes)

    def _domain(self, row):
        return (row - 1) % self.domains + 1

    def _address(self, name, row):
        return "%s%d@d%d.example.org" % (name, row, self._domain(row))

    def _key(self, map_name):
        row = self._row()
        if map_name == "domains":
            return "d%d.example.org" % self._domain(row)
        if map_name == "tls-policies":
            return "d%d.example.com" % self._domain(row)
        if map_name == "aliases":
            return self._address("alias", row)
        if map_name == "sender-login-maps":
            return self._address(self.random.choice(("user", "alias")), row)
        return self._address("user", row)

    def map_keys(self, map_name, count):
        return [("nobody%d." if "@" not in key else "nobody%d-") % number + key
                if self.random.random() < STRANGERS else key
                for number, key in ((n, self._key(map_name)) for n in range(count))]

    def policy_lines(self, context, count):
        """Columns for mum-load: sender, recipient, sasl_username, policy_context.

        recipient: a stranger writes to a mailbox or an alias, as on an MX.
        sender: a user sends as itself or as its alias, some as somebody else.
        """
        lines = []
        for _ in range(count):
            row = self._row()
            user = self._address("user", row)
            own = self._address(self.random.choice(("user", "alias")), row)
            if context == "recipient":
                lines.append("friend%d@elsewhere.example.com\t%s\t\trecipient" % (row, own))
            else:
                sender = self._address("user", self._row()) if self.random.random() < STRANGERS else own
                lines.append("%s\tfriend@elsewhere.example.com\t%s\tsender" % (sender, user))
        return lines

    def _live(self, row):
        return self._domain(row) % 50 != 49 and row % 33 != 0 and row % 20 != 0

    def a_mailbox(self):
        return next(self._address("user", row) for row in range(1, 100) if self._live(row))

    def smtp_lines(self, count):
        """Columns: a foreign sender, a recipient that is accepted; one in five is an alias."""
        lines = []
        while len(lines) < count:
            row = self._row()
            if self._live(row):
                name = "alias" if self.random.random() < 0.2 else "user"
                lines.append("sender%d@s%d.example.net\t%s"
                             % (len(lines), self.random.randint(1, 1000), self._address(name, row)))
        return lines
