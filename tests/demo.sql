-- SPDX-License-Identifier: MIT
--
-- A small MUM database, for ./demo. In real life MUM's web pages write it.
-- Every password is "secret".

INSERT INTO domains (id, domain, homedir, active) VALUES
    (1, 'mum.test', '/srv/mail/mum.test', 1),
    (2, 'closed.test', '/srv/mail/closed.test', 0);

INSERT INTO mailboxes (id, local_part, domain_id, send_only, active, password, homedir, maildir) VALUES
    (1, 'anna', 1, 0, 1, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mum.test/anna', 'maildir:/srv/mail/mum.test/anna'),
    (2, 'ben', 1, 0, 1, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mum.test/ben', 'maildir:/srv/mail/mum.test/ben'),
    (3, 'scanner', 1, 1, 1, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mum.test/scanner', 'maildir:/srv/mail/mum.test/scanner'),
    (4, 'former', 1, 0, 0, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/mum.test/former', 'maildir:/srv/mail/mum.test/former'),
    (5, 'zoe', 2, 0, 1, '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a',
     '/srv/mail/closed.test/zoe', 'maildir:/srv/mail/closed.test/zoe');

INSERT INTO aliases (id, local_part, domain_id, active, deactivate_at) VALUES
    (1, 'info', 1, 1, NULL),
    (2, 'sales', 1, 1, NULL),
    (3, 'party', 1, 1, '2020-01-01 00:00:00'),
    (4, 'ghost', 1, 1, NULL);

-- Where mail to an alias goes. A mailbox_id marks MUM's own mailboxes.
INSERT INTO alias_recipients (alias_id, recipient_address, mailbox_id) VALUES
    (1, 'anna@mum.test', 1),
    (1, 'ben@mum.test', 2),
    (1, 'former@mum.test', 4),
    (2, 'ben@mum.test', 2),
    (2, 'partner@else.test', NULL),
    (3, 'anna@mum.test', 1),
    (4, 'former@mum.test', 4);

-- Who may send under the name of an alias.
INSERT INTO alias_senders (alias_id, mailbox_id) VALUES
    (1, 1),
    (2, 2);

INSERT INTO tls_policies (domain, policy, params, active) VALUES
    ('partner.test', 'secure', 'match=.partner.test', 1),
    ('old.test', 'dane-only', NULL, 0);
