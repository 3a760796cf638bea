-- SPDX-License-Identifier: MIT
--
-- The MUM database that README.md and the manuals speak of. Every password is
-- "secret"; homes are where MUM puts them.

INSERT INTO domains (id, domain, quota, homedir, active) VALUES
    (1, 'example.org', 2, '/srv/mail/mailboxes/example.org', 1);

INSERT INTO mailboxes (id, local_part, domain_id, send_only, quota, password, homedir, maildir) VALUES
    (1, 'anna', 1, 0, 1, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mailboxes/example.org/anna', 'maildir:/srv/mail/mailboxes/example.org/anna:LAYOUT=fs'),
    (2, 'ben', 1, 0, NULL, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mailboxes/example.org/ben', 'maildir:/srv/mail/mailboxes/example.org/ben:LAYOUT=fs'),
    (3, 'scanner', 1, 1, NULL, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mailboxes/example.org/scanner', 'maildir:/srv/mail/mailboxes/example.org/scanner:LAYOUT=fs');

INSERT INTO aliases (id, local_part, domain_id, active) VALUES (1, 'info', 1, 1);
INSERT INTO alias_recipients (alias_id, recipient_address, mailbox_id) VALUES
    (1, 'anna@example.org', 1),
    (1, 'ben@example.org', 2);
INSERT INTO alias_senders (alias_id, mailbox_id) VALUES (1, 1);

INSERT INTO tls_policies (domain, policy, params, active) VALUES
    ('example.net', 'encrypt', NULL, 1);
