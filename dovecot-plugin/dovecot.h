/* SPDX-License-Identifier: MIT */
/*
 * Dovecot's headers, in the order that they need; and our own functions for what
 * differs between Dovecot 2.3 and 2.4, which dovecot-2.3.c or dovecot-2.4.c defines.
 */
#ifndef MUM_DOVECOT_H
#define MUM_DOVECOT_H

#include "auth-common.h"	/* first: it brings Dovecot's config.h */
#include "auth.h"
#include "auth-client-connection.h"
#include "auth-request.h"
#include "auth-request-handler-private.h"
#include "ioloop.h"
#include "llist.h"
#include "module-dir.h"
#include "passdb.h"
#include "password-scheme.h"
#include "str.h"
#include "strescape.h"
#include "userdb.h"

#include "dovecot-plugin/userdb-fields.h"

/* The generation whose fields a userdb answers with. */
extern const enum dovecot_generation dovecot_generation;

/* The protocol that the user logs in to: "imap", "smtp", ... */
const char *request_protocol(const struct auth_request *request);
void request_log_unknown_user(struct auth_request *request);

/* ---- passwords ---- */

/* As password_verify(): > 0 right, 0 wrong, < 0 no verifier understands crypted. */
int request_compare(struct auth_request *request, const char *crypted, const char *scheme,
		    bool log);

/* Does auth know from the start how many workers it may have? If not, a worker tells it. */
extern const bool dovecot_knows_worker_limit;

typedef void worker_answer_fn(enum passdb_result result, void *context);

/*
 * Has an auth worker run the command. fn is called later, with INTERNAL_FAILURE if no
 * worker answered. If Dovecot's queue to the workers ends first, fn is never called.
 */
void request_ask_worker(struct auth_request *request, const char *command,
			worker_answer_fn *fn, void *context);

/* What request_ask_worker() needs when the worker replies. Lives as long as the request. */
struct worker_call {
	struct auth_request *request;
	worker_answer_fn *fn;
	void *context;
};

static inline struct worker_call *worker_call_new(struct auth_request *request,
						  worker_answer_fn *fn, void *context)
{
	struct worker_call *call = p_new(request->pool, struct worker_call, 1);

	*call = (struct worker_call){ request, fn, context };
	return call;
}

/* ---- what a passdb gives to a mechanism that verifies by itself ---- */

struct credentials {
	const unsigned char *data;
	size_t size;
	const char *scheme;	/* NULL before Dovecot 2.4.5 */
};

void credentials_hand_over(lookup_credentials_callback_t *callback, enum passdb_result result,
			   const struct credentials *credentials, struct auth_request *request);

/* The same; NULL hands over none. */
static inline void credentials_give(lookup_credentials_callback_t *callback,
				    enum passdb_result result,
				    const struct credentials *credentials,
				    struct auth_request *request)
{
	static const struct credentials none;

	credentials_hand_over(callback, result, credentials != NULL ? credentials : &none, request);
}

/* A callback that hands its arguments to smtp_hold_on_credentials(). */
extern lookup_credentials_callback_t *const credentials_to_hold;

/* ---- the admin's own fields: fields { }, since Dovecot 2.4 ---- */

/* Does the admin want the fields that we set (fields_import_all)? */
bool passdb_imports_all(const struct auth_request *request);
bool userdb_imports_all(const struct auth_request *request);

/* Calls put for each NAME that %{mum:NAME} may have in the configuration. */
typedef void put_values_fn(void *context, userdb_field_fn *put, void *arg);

/* Adds the admin's own fields. False: it failed, and has logged why. */
bool passdb_add_fields(struct auth_request *request, put_values_fn *put_values,
		       void *context);
bool userdb_add_fields(struct auth_request *request, put_values_fn *put_values,
		       void *context);

/* ---- the life of connections and modules ---- */

void client_hang_up(struct auth_client_connection *client);

/* Around an answer: hand it over at once; one to an asker that has gone leads nowhere. */
struct auth_master_connection *asker_stand_in(struct auth_request *request);
void asker_dismiss(struct auth_master_connection *asker);

/* The preinit of passdb_mum and userdb_mum: calls passdb_mum_new(), userdb_mum_new(). */
typedef __typeof__(*((struct passdb_module_interface *)NULL)->preinit) passdb_preinit_fn;
typedef __typeof__(*((struct userdb_module_interface *)NULL)->preinit) userdb_preinit_fn;
extern passdb_preinit_fn passdb_mum_preinit;
extern userdb_preinit_fn userdb_mum_preinit;

#endif
