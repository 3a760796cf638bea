-- SPDX-License-Identifier: MIT
--
-- MariaDB or MySQL: one user for mumd, one for the Dovecot module. Each may
-- read only the columns that it needs. So mumd cannot read password, homedir or
-- maildir, whatever happens to it; the Dovecot module cannot read aliases. Change
-- the passwords here, then load this file as the database's administrator. Load
-- it again after an update of MUM that rebuilt a table:
--
--   mariadb mum < grants.sql
--
-- 'localhost' means the unix socket (and TCP from the same host, unless the
-- server runs with skip-name-resolve: then write '127.0.0.1'). For a remote
-- mail server write its address, and append REQUIRE SSL to CREATE USER.

CREATE USER IF NOT EXISTS 'mum_postfix'@'localhost' IDENTIFIED BY 'change-me-postfix';
CREATE USER IF NOT EXISTS 'mum_dovecot'@'localhost' IDENTIFIED BY 'change-me-dovecot';

-- mumd
GRANT SELECT (id, domain, active) ON mum.domains TO 'mum_postfix'@'localhost';
GRANT SELECT (id, local_part, domain_id, active, send_only) ON mum.mailboxes TO 'mum_postfix'@'localhost';
GRANT SELECT (id, local_part, domain_id, active, deactivate_at) ON mum.aliases TO 'mum_postfix'@'localhost';
GRANT SELECT (id, alias_id, recipient_address, mailbox_id) ON mum.alias_recipients TO 'mum_postfix'@'localhost';
GRANT SELECT (id, alias_id, mailbox_id) ON mum.alias_senders TO 'mum_postfix'@'localhost';
GRANT SELECT (domain, policy, params, active) ON mum.tls_policies TO 'mum_postfix'@'localhost';

-- The Dovecot module; max_quota is for mumctl check alone
GRANT SELECT (id, domain, active, quota, max_quota) ON mum.domains TO 'mum_dovecot'@'localhost';
GRANT SELECT (id, local_part, password, domain_id, quota, homedir, maildir, active, send_only)
    ON mum.mailboxes TO 'mum_dovecot'@'localhost';

-- For mumctl measure, if you use it: inserts rows of MUM's charts, and reads nothing
-- CREATE USER IF NOT EXISTS 'mum_measure'@'localhost' IDENTIFIED BY 'change-me-measure';
-- GRANT INSERT ON mum.size_measurements TO 'mum_measure'@'localhost';
