-- SPDX-License-Identifier: MIT
--
-- MUM's tables as its Laravel migrations make them in SQLite, and below them
-- the indexes that mumd needs. If MUM's database exists already, load only the
-- second part:
--
--   sed -n '/^-- Indexes/,$p' schema-sqlite.sql | sqlite3 mum.sqlite
--
-- Both parts can be loaded again at any time.

CREATE TABLE IF NOT EXISTS "domains" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "domain" varchar NOT NULL,
    "description" text,
    "quota" integer,
    "max_quota" integer,
    "max_aliases" integer,
    "max_mailboxes" integer,
    "homedir" varchar NOT NULL,
    "active" tinyint(1) NOT NULL DEFAULT '1',
    "created_at" datetime,
    "updated_at" datetime
);
CREATE UNIQUE INDEX IF NOT EXISTS "domains_domain_unique" ON "domains" ("domain");
CREATE UNIQUE INDEX IF NOT EXISTS "domains_homedir_unique" ON "domains" ("homedir");

CREATE TABLE IF NOT EXISTS "mailboxes" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "local_part" varchar NOT NULL,
    "password" varchar NOT NULL,
    "remember_token" varchar,
    "name" varchar,
    "domain_id" integer NOT NULL,
    "alternative_email" varchar,
    "quota" integer,
    "homedir" varchar NOT NULL,
    "maildir" varchar NOT NULL,
    "is_super_admin" tinyint(1) NOT NULL DEFAULT '0',
    "send_only" tinyint(1) NOT NULL DEFAULT '0',
    "active" tinyint(1) NOT NULL DEFAULT '1',
    "created_at" datetime,
    "updated_at" datetime,
    FOREIGN KEY ("domain_id") REFERENCES "domains" ("id") ON DELETE CASCADE
);
CREATE UNIQUE INDEX IF NOT EXISTS "mailboxes_local_part_domain_id_unique" ON "mailboxes" ("local_part", "domain_id");
CREATE UNIQUE INDEX IF NOT EXISTS "mailboxes_homedir_unique" ON "mailboxes" ("homedir");
CREATE UNIQUE INDEX IF NOT EXISTS "mailboxes_maildir_unique" ON "mailboxes" ("maildir");

CREATE TABLE IF NOT EXISTS "aliases" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "local_part" varchar NOT NULL,
    "description" varchar,
    "domain_id" integer NOT NULL,
    "active" tinyint(1) NOT NULL DEFAULT '1',
    "deactivate_at" datetime,
    "created_at" datetime,
    "updated_at" datetime,
    FOREIGN KEY ("domain_id") REFERENCES "domains" ("id") ON DELETE CASCADE
);
CREATE UNIQUE INDEX IF NOT EXISTS "aliases_local_part_domain_id_unique" ON "aliases" ("local_part", "domain_id");

CREATE TABLE IF NOT EXISTS "alias_senders" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "mailbox_id" integer NOT NULL,
    "alias_id" integer NOT NULL,
    FOREIGN KEY ("mailbox_id") REFERENCES "mailboxes" ("id") ON DELETE CASCADE,
    FOREIGN KEY ("alias_id") REFERENCES "aliases" ("id") ON DELETE CASCADE
);
CREATE UNIQUE INDEX IF NOT EXISTS "alias_senders_mailbox_id_alias_id_unique" ON "alias_senders" ("mailbox_id", "alias_id");

CREATE TABLE IF NOT EXISTS "alias_recipients" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "alias_id" integer NOT NULL,
    "recipient_address" varchar NOT NULL,
    "mailbox_id" integer,
    FOREIGN KEY ("alias_id") REFERENCES "aliases" ("id") ON DELETE CASCADE,
    FOREIGN KEY ("mailbox_id") REFERENCES "mailboxes" ("id") ON DELETE CASCADE
);
CREATE UNIQUE INDEX IF NOT EXISTS "alias_recipients_alias_id_recipient_address_unique" ON "alias_recipients" ("alias_id", "recipient_address");

CREATE TABLE IF NOT EXISTS "tls_policies" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "domain" varchar NOT NULL,
    "policy" varchar CHECK ("policy" IN ('none', 'may', 'encrypt', 'dane', 'dane-only', 'fingerprint', 'verify', 'secure')) NOT NULL,
    "params" text,
    "description" text,
    "active" tinyint(1) NOT NULL DEFAULT '1',
    "created_at" datetime,
    "updated_at" datetime
);
CREATE UNIQUE INDEX IF NOT EXISTS "tls_policies_domain_unique" ON "tls_policies" ("domain");

CREATE TABLE IF NOT EXISTS "size_measurements" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "measurable_id" integer,
    "measurable_type" varchar,
    "size" integer NOT NULL,
    "created_at" datetime,
    "updated_at" datetime
);

-- Indexes that MUM does not make and mumd needs. Without them each lookup reads
-- a whole table.

-- InnoDB makes an index for a foreign key, SQLite does not. Each check of a
-- sender uses this one. (alias_recipients needs none: its unique index begins
-- with alias_id.)
CREATE INDEX IF NOT EXISTS "alias_senders_alias_id" ON "alias_senders" ("alias_id");

-- mumd ignores the case of (ASCII) letters in names. SQLite's unique indexes are
-- case-sensitive, so such a search cannot use them.
CREATE INDEX IF NOT EXISTS "domains_domain_nocase" ON "domains" ("domain" COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS "mailboxes_address_nocase" ON "mailboxes" ("local_part" COLLATE NOCASE, "domain_id");
CREATE INDEX IF NOT EXISTS "aliases_address_nocase" ON "aliases" ("local_part" COLLATE NOCASE, "domain_id");
CREATE INDEX IF NOT EXISTS "tls_policies_domain_nocase" ON "tls_policies" ("domain" COLLATE NOCASE);

-- NOCASE knows only ASCII. mumd compares names with other characters one by one.
-- These indexes hold only such names (more bytes than characters), so that mumd
-- finds the few that exist without reading the others.
CREATE INDEX IF NOT EXISTS "domains_unicode" ON "domains" ("id")
    WHERE length("domain") <> length(CAST("domain" AS BLOB));
CREATE INDEX IF NOT EXISTS "mailboxes_unicode" ON "mailboxes" ("domain_id")
    WHERE length("local_part") <> length(CAST("local_part" AS BLOB));
CREATE INDEX IF NOT EXISTS "aliases_unicode" ON "aliases" ("domain_id")
    WHERE length("local_part") <> length(CAST("local_part" AS BLOB));
CREATE INDEX IF NOT EXISTS "tls_policies_unicode" ON "tls_policies" ("id")
    WHERE length("domain") <> length(CAST("domain" AS BLOB));
