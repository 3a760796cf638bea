/* SPDX-License-Identifier: MIT */
/* What main.cf and dovecot.conf of this machine say: asks postconf(1) and doveconf(1). */
#ifndef MUM_SETTINGS_H
#define MUM_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "common/config.h"
#include "dovecot-plugin/userdb-fields.h"
#include "mumctl/sender-checks.h"

/* Read once, because postconf(1) and doveconf(1) take their time. */
struct settings {
	json_t *asked;		/* {NAME: VALUE} of main.cf, defaults included */
	json_t *set;		/* {NAME or SERVICE/TYPE/NAME: VALUE}: what both files set */
	unsigned postfix_version;	/* 310 for any 3.10; 0: no Postfix here. Needs no main.cf */
	/* Does Dovecot ask MUM with its mum driver? Still with its sql driver? */
	bool dovecot_asks_us, dovecot_asks_sql;
	/*
	 * Of dovecot.conf: recipient_delimiter, and auth_username_format as protocol lmtp has it.
	 * NULL unless a passdb or userdb there is "mum".
	 */
	char *dovecot_delimiter, *dovecot_lmtp_name;
};

/* The first line that a shell command prints; "" if there is none. Caller frees. */
char *settings_first_line(const char *command);

/* Never NULL. What cannot be read, because it is not installed or set up, is NULL or 0. */
struct settings *settings_load(void);
void settings_free(struct settings **settings);	/* sets NULL; NULL is fine */

/*
 * The value of a setting of main.cf, its $names expanded; "" if it is empty. NULL if it
 * cannot be read. name: one that settings.c lists. Valid until settings_free().
 */
const char *settings_of_postfix(const struct settings *settings, const char *name);

/* The value as a number; otherwise if that is 0 or cannot be read. */
unsigned long settings_number_of_postfix(const struct settings *settings,
					 const char *name, unsigned long otherwise);

/* What keeps a login from sending as any address. The caller clears it. */
void settings_sender_checks(const struct settings *settings, struct sender_checks *checks_r);

/*
 * Calls fn with each setting that main.cf sets (service is NULL) and that master.cf sets for
 * one service ("submission/inet"); $names are expanded. Skips what cannot be read.
 */
typedef void settings_fn(const char *service, const char *name, const char *value, void *arg);
void settings_each_of_postfix(const struct settings *settings, settings_fn *fn, void *arg);

/* The value of a setting of a service; main.cf's if the service has none, or is NULL. */
const char *settings_of_service(const struct settings *settings, const char *service,
				const char *name);

/* "2.3.19.1 (9b53102964)" of the installed Dovecot, which is asked each time. Caller frees. */
char *settings_dovecot_version(void);

/* The generation of such a version; "" is 2.3, and later ones than 2.4 count as 2.4. */
enum dovecot_generation settings_generation(const char *dovecot_version);
enum dovecot_generation settings_generation_here(void);	/* of the installed one */
const char *settings_generation_name(enum dovecot_generation generation);	/* "2.3" */

/*
 * The next table of a list such as virtual_alias_maps: "type:name", or all that is in
 * braces. Moves *list behind it. NULL at the end. Caller frees.
 */
char *settings_next_table(const char **list);
/* Is fn true for any table of the list? NULL is an empty list. */
typedef bool settings_table_fn(const char *table, const void *arg);
bool settings_any_table(const char *list, settings_table_fn *fn, const void *arg);

/* How Postfix may name a listener: relative to its queue directory. Caller frees. */
char *settings_relative(const char *listener, const char *queue);

/* Is this table one of mumd's, at one of its listeners? queue: Postfix's queue_directory. */
bool settings_is_our_table(const struct mum_config *config, const char *queue,
			   const char *table);

/* Is this table one of the six mysql: files of MUM's manual, by its name? */
bool settings_is_stock_table(const char *table);

/*
 * How many other tables than mumd's Postfix asks about aliases and mailboxes. -1 if that
 * cannot be read, or if it does not ask mumd: then main.cf may still change.
 */
int settings_other_tables(const struct settings *settings, const struct mum_config *config);

#endif
