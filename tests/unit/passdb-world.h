/* SPDX-License-Identifier: MIT */
/*
 * What is around passdb-mum.c: Dovecot, the core, the instance, and the verification. Each
 * keeps what it was told, and the test answers for it.
 */
#ifndef PASSDB_WORLD_H
#define PASSDB_WORLD_H

#define AUTH_REQUEST_FIELDS_CONST	/* the test writes to them */
#include "dovecot-plugin/dovecot.h"

#include "common/core.h"
#include "dovecot-plugin/instance.h"
#include "dovecot-plugin/passdb-fields.h"
#include "dovecot-plugin/plugin.h"
#include "dovecot-plugin/smtp-hold.h"
#include "dovecot-plugin/verify.h"
#include "dovecot-plugin/verify-queue.h"

#define WORLD_DUMMY "{CRYPT}dummy"

enum { WORLD_DEADLINE = 1000, WORLD_SMTP_DEADLINE = 2000, WORLD_HELD = 3000 };	/* ms */

/* One of each. */
struct world {
	struct auth_request request;
	struct auth_passdb passdb;
	struct passdb_module *module;
	struct mum_config config;
	bool mismatch;		/* a call that must not come, or with wrong arguments */

	/* Set by the test. */
	const char *protocol;
	bool nopassword;	/* an extra field */
	bool is_verification;	/* of verify.h: this process is its worker */
	bool holds;		/* for Postfix */
	bool has_user, fields_fail, no_password, undecodable;

	/* What was done. */
	int references, stand_ins, dismissed;
	size_t pendings, initialized, released, ended_holds, ended_queues, forgotten;
	struct pending *pending;
	const char *config_path;

	bool asked;		/* and neither answered nor cancelled */
	unsigned questions, deadline;
	char *key;
	mum_answer_fn *answer;
	void *answer_arg;

	bool verifying;
	struct verification verification;
	char *saw;		/* "SCHEME hash" */

	size_t set_fields;
	bool no_penalty, unknown_logged;
	char *cached_password;	/* set for Dovecot's cache */
	char *why_no_password;
	bool gave_user;
	char *logged;		/* lines of errors and infos, each with its letter */

	size_t calls;		/* of Dovecot's callbacks */
	enum passdb_result result;
	bool credentials_given;	/* by credentials_give(): none */
	char *handed;		/* "SCHEME password" to passdb_handle_credentials() */
};

extern struct world world;

void world_init(void);
/* Frees what is left over. */
void world_free(void);

void world_on_verified(enum passdb_result result, struct auth_request *request);
/* The callback of lookups of credentials; only its address is used. */
extern lookup_credentials_callback_t *const world_credentials;

/* Of one mailbox; NULL: there is none. */
void world_answer(enum mum_status status, const char *password, bool send_only);
void world_verified(enum passdb_result result);

#endif
