-- SPDX-License-Identifier: MIT
--
-- A small MUM database, for ./demo, which puts another directory for /srv/mail.
-- In real life MUM's web pages write it. Every password is "secret"; real hashes
-- cost more than these of tests/lab/hashes.py.

INSERT INTO domains (id, domain, quota, homedir, active) VALUES
    (1, 'mum.test', 2, '/srv/mail/mum.test', 1),
    (2, 'closed.test', NULL, '/srv/mail/closed.test', 0);

-- quota is in gigabytes; NULL is that of the domain.
INSERT INTO mailboxes (id, local_part, domain_id, send_only, active, quota, password, homedir, maildir) VALUES
    (1, 'anna', 1, 0, 1, 1, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mum.test/anna', 'maildir:/srv/mail/mum.test/anna/Maildir'),
    (2, 'ben', 1, 0, 1, NULL, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mum.test/ben', 'maildir:/srv/mail/mum.test/ben/Maildir'),
    (3, 'scanner', 1, 1, 1, NULL, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mum.test/scanner', 'maildir:/srv/mail/mum.test/scanner/Maildir'),
    (4, 'former', 1, 0, 0, NULL, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mum.test/former', 'maildir:/srv/mail/mum.test/former/Maildir'),
    (5, 'zoe', 2, 0, 1, NULL, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/closed.test/zoe', 'maildir:/srv/mail/closed.test/zoe/Maildir'),
    (6, 'carl', 1, 0, 1, NULL, '$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/',
     '/srv/mail/mum.test/carl', 'maildir:/srv/mail/mum.test/carl/Maildir'),
    (7, 'dora', 1, 0, 1, NULL, '$argon2id$v=19$m=1024,t=3,p=1$ONQbKgcYLn4EqZzhSrS5pA$BkjbsJ0gGOTlejxs7U99pRgp8wEsscoS0PG/FN6F0Ls',
     '/srv/mail/mum.test/dora', 'maildir:/srv/mail/mum.test/dora/Maildir'),
    (8, 'emil', 1, 0, 1, NULL, '$y$j75$abcdefghijklmnop$vZlXu1XtxOBWRxjOpQqONp1WYfMO0dN.H4xeSMU2ZvC',
     '/srv/mail/mum.test/emil', 'maildir:/srv/mail/mum.test/emil/Maildir'),
    (9, 'fred', 1, 0, 1, 1, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mum.test/fred', 'maildir:/srv/mail/mum.test/fred/Maildir');

INSERT INTO aliases (id, local_part, domain_id, active, deactivate_at) VALUES
    (1, 'info', 1, 1, NULL),
    (2, 'sales', 1, 1, NULL),
    (3, 'party', 1, 1, '2020-01-01 00:00:00'),
    (4, 'ghost', 1, 1, NULL),
    (5, 'scans', 1, 1, NULL),
    (6, 'staff', 1, 1, NULL);

-- Where mail to an alias goes. A mailbox_id marks MUM's own mailboxes.
INSERT INTO alias_recipients (alias_id, recipient_address, mailbox_id) VALUES
    (1, 'anna@mum.test', 1),
    (1, 'ben@mum.test', 2),
    (1, 'former@mum.test', 4),
    (2, 'ben@mum.test', 2),
    (2, 'partner@else.test', NULL),
    (3, 'anna@mum.test', 1),
    (4, 'former@mum.test', 4),
    (5, 'fred@mum.test', 9),
    (6, 'anna@mum.test', 1),
    (6, 'fred@mum.test', 9);

-- Who may send under the name of an alias.
INSERT INTO alias_senders (alias_id, mailbox_id) VALUES
    (1, 1),
    (2, 2);

INSERT INTO tls_policies (domain, policy, params, active) VALUES
    ('partner.test', 'secure', 'match=.partner.test', 1),
    ('old.test', 'dane-only', NULL, 0);
