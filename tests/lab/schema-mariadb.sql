-- SPDX-License-Identifier: MIT
--
-- MUM's tables as its Laravel migrations make them in MariaDB or MySQL, with
-- the rest of what MUM keeps (administrators, jobs) left out. The database is made
-- by an admin before, with whatever collation the server has as its default; the
-- migrations say the tables' own.

CREATE DATABASE mum;
USE mum;

CREATE TABLE domains (
    id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    domain varchar(191) NOT NULL,
    description text NULL,
    quota bigint unsigned NULL,
    max_quota bigint unsigned NULL,
    max_aliases int unsigned NULL,
    max_mailboxes int unsigned NULL,
    homedir varchar(191) NOT NULL,
    active tinyint(1) NOT NULL DEFAULT '1',
    created_at timestamp NULL,
    updated_at timestamp NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE domains ADD UNIQUE domains_domain_unique (domain);
ALTER TABLE domains ADD UNIQUE domains_homedir_unique (homedir);

CREATE TABLE mailboxes (
    id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    local_part varchar(191) NOT NULL,
    password varchar(191) NOT NULL,
    remember_token varchar(100) NULL,
    name varchar(191) NULL,
    domain_id int unsigned NOT NULL,
    alternative_email varchar(191) NULL,
    quota int unsigned NULL,
    homedir varchar(191) NOT NULL,
    maildir varchar(191) NOT NULL,
    is_super_admin tinyint(1) NOT NULL DEFAULT '0',
    send_only tinyint(1) NOT NULL DEFAULT '0',
    active tinyint(1) NOT NULL DEFAULT '1',
    created_at timestamp NULL,
    updated_at timestamp NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE mailboxes ADD UNIQUE mailboxes_local_part_domain_id_unique (local_part, domain_id);
ALTER TABLE mailboxes ADD CONSTRAINT mailboxes_domain_id_foreign
    FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE;
ALTER TABLE mailboxes ADD UNIQUE mailboxes_homedir_unique (homedir);
ALTER TABLE mailboxes ADD UNIQUE mailboxes_maildir_unique (maildir);

CREATE TABLE aliases (
    id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    local_part varchar(191) NOT NULL,
    description varchar(191) NULL,
    domain_id int unsigned NOT NULL,
    active tinyint(1) NOT NULL DEFAULT '1',
    deactivate_at timestamp NULL,
    created_at timestamp NULL,
    updated_at timestamp NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE aliases ADD UNIQUE aliases_local_part_domain_id_unique (local_part, domain_id);
ALTER TABLE aliases ADD CONSTRAINT aliases_domain_id_foreign
    FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE;

CREATE TABLE alias_senders (
    id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    mailbox_id int unsigned NOT NULL,
    alias_id int unsigned NOT NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE alias_senders ADD UNIQUE alias_senders_mailbox_id_alias_id_unique (mailbox_id, alias_id);
ALTER TABLE alias_senders ADD CONSTRAINT alias_senders_mailbox_id_foreign
    FOREIGN KEY (mailbox_id) REFERENCES mailboxes (id) ON DELETE CASCADE;
ALTER TABLE alias_senders ADD CONSTRAINT alias_senders_alias_id_foreign
    FOREIGN KEY (alias_id) REFERENCES aliases (id) ON DELETE CASCADE;

CREATE TABLE alias_recipients (
    id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    alias_id int unsigned NOT NULL,
    recipient_address varchar(191) NOT NULL,
    mailbox_id int unsigned NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE alias_recipients ADD UNIQUE alias_recipients_alias_id_recipient_address_unique (alias_id, recipient_address);
ALTER TABLE alias_recipients ADD CONSTRAINT alias_recipients_alias_id_foreign
    FOREIGN KEY (alias_id) REFERENCES aliases (id) ON DELETE CASCADE;
ALTER TABLE alias_recipients ADD CONSTRAINT alias_recipients_mailbox_id_foreign
    FOREIGN KEY (mailbox_id) REFERENCES mailboxes (id) ON DELETE CASCADE;

CREATE TABLE tls_policies (
    id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    domain varchar(191) NOT NULL,
    policy enum('none', 'may', 'encrypt', 'dane', 'dane-only', 'fingerprint', 'verify', 'secure') NOT NULL,
    params text NULL,
    description text NULL,
    active tinyint(1) NOT NULL DEFAULT '1',
    created_at timestamp NULL,
    updated_at timestamp NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE tls_policies ADD UNIQUE tls_policies_domain_unique (domain);

CREATE TABLE size_measurements (
    id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    measurable_id int unsigned NULL,
    measurable_type varchar(191) NULL,
    size bigint unsigned NOT NULL,
    created_at timestamp NULL,
    updated_at timestamp NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
