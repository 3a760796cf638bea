/* SPDX-License-Identifier: MIT */
/* The parts of mumctl check: each looks at one thing and reports its findings. */
#ifndef MUM_CHECK_H
#define MUM_CHECK_H

#include "common/inspect.h"
#include "mumctl/tool.h"

/* A note may stay as it is: it does not count for the exit status. */
enum level { LEVEL_NOTE, LEVEL_WARNING, LEVEL_ERROR };

struct report;		/* the findings so far */
struct settings;

/* Prints findings as they come, or keeps them for --json. all: without a limit. */
struct report *report_new(bool json, bool all);
/* Prints the last line, or the JSON, and frees the report. Returns the exit status of check. */
int report_finish(struct report **report);

/*
 * One finding: a stable code, where it was found, what is wrong (the format) and
 * what fixes it. where may hold any bytes.
 */
void report_add(struct report *report, enum level level, const char *code,
		const char *where, const char *mend, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/*
 * A text for the next report_add(), such as the place of a row. It is valid until
 * REPORT_TEXTS more are made.
 */
enum { REPORT_TEXTS = 16 };
const char *report_text(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* On a terminal, shows which rows it reads, and how many so far. */
void report_progress(struct report *report, const char *what, size_t count);

/* What a part looks at. */
struct check {
	struct tool *tool;
	struct report *report;
	const struct mum_config *config;	/* of the role */
	enum mum_role role;
	const char *host;		/* of the connection */
	struct inspect *db;		/* one connection of the role, or NULL */
	struct names *names;		/* of role Postfix; NULL when they cannot be read */
	/* Of mailboxes.local_part, for SQL; NULL if it cannot be read or is not utf8mb4's. */
	char *collation;
	const struct settings *settings;	/* of Postfix and Dovecot */
};

/* Role Postfix. dovecot: mum.conf as Dovecot reads it; NULL if it cannot. */
void check_files(const struct check *check, const struct mum_config *dovecot);
void check_sockets(const struct check *check);	/* role Postfix */
void check_postfix_settings(const struct check *check);	/* role Postfix */
void check_dovecot_settings(const struct check *check);	/* any role */
void check_services(const struct check *check);	/* role Postfix */
void check_limits(const struct check *check);	/* role Postfix */
/* "main.cf NAME", or "master.cf SERVICE NAME": a report_text(). */
const char *check_setting(const struct check *check, const char *service, const char *name);
/* Does the list of restrictions name a listener of the policy service? */
bool check_asks_us(const struct check *check, const char *list);
void check_quota(const struct check *check);	/* role Postfix */
void check_sql_behind(const struct check *check);	/* role Postfix */
void check_encryption(const struct check *check);
/* False if a column cannot be read. */
bool check_columns(const struct check *check);
void check_grants(const struct check *check);
void check_measure(const struct check *check);	/* role Measure */
void check_indexes(const struct check *check);
/* Role Postfix. Returns the collation of mailboxes.local_part, or NULL; caller frees. */
char *check_collations(const struct check *check);
void check_aliases(const struct check *check);	/* role Postfix */
/* row: of an alias that is there, in complete facts. */
void check_recipient(const struct check *check, const struct delivery_row *row);
void check_expired(const struct check *check);	/* role Postfix */
void check_roles(const struct check *check);	/* role Postfix; after check_aliases() */
void check_mailboxes(const struct check *check);	/* role Dovecot */
void check_homes(const struct check *check);	/* role Dovecot */
void check_tls_policies(const struct check *check);	/* role Postfix */

bool check_is_sqlite(const struct check *check);
/* Adds the finding that a statement failed. */
void check_report_read(const struct check *check, const struct inspect_error *error);
/* Runs a statement. If it fails, that is a finding. */
bool check_query(const struct check *check, const char *sql, inspect_row_fn *fn, void *arg);

/*
 * Static text: why smtp(8) of this Postfix would refuse the policy and defer mail; or
 * NULL. version: as settings.h has it; 0 accepts what any version does.
 */
const char *tls_policy_fault(const char *policy, const char *params, unsigned version);

#endif
