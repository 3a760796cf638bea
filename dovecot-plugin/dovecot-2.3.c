/* SPDX-License-Identifier: MIT */
/* dovecot.h for Dovecot 2.3. */
#include "dovecot-plugin/dovecot.h"

#include "auth-cache.h"
#include "auth-worker-server.h"
#include "passdb-blocking.h"

#include "dovecot-plugin/plugin.h"
#include "dovecot-plugin/smtp-hold.h"

/*
 * A cached result is valid for one service only, because a send-only mailbox may use
 * some services and not others. And a result for a master user is not valid for the
 * user of the same name, who has a home.
 */
#define CACHE_KEY "%u\t%s\t%{login_user}"

const enum dovecot_generation dovecot_generation = DOVECOT_2_3;
const bool dovecot_knows_worker_limit = TRUE;	/* auth_worker_max_count */

const char *request_protocol(const struct auth_request *request)
{
	return request->fields.service;
}

void request_log_unknown_user(struct auth_request *request)
{
	auth_request_log_unknown_user(request, AUTH_SUBSYS_DB);
}

/* ---- passwords ---- */

int request_compare(struct auth_request *request, const char *crypted, const char *scheme,
		    bool log)
{
	return auth_request_password_verify_log(request, request->mech_password, crypted,
						scheme, AUTH_SUBSYS_DB, log);
}

static bool on_reply(struct auth_worker_connection *conn ATTR_UNUSED, const char *reply,
		     void *context)
{
	const struct worker_call *call = context;

	call->fn(passdb_blocking_auth_worker_reply_parse(call->request, reply), call->context);
	return TRUE;
}

void request_ask_worker(struct auth_request *request, const char *command,
			worker_answer_fn *fn, void *context)
{
	auth_worker_call(request->pool, request->fields.user, command, on_reply,
			 worker_call_new(request, fn, context));
}

/* ---- credentials ---- */

void credentials_hand_over(lookup_credentials_callback_t *callback, enum passdb_result result,
			   const struct credentials *credentials, struct auth_request *request)
{
	callback(result, credentials->data, credentials->size, request);
}

static void on_credentials(enum passdb_result result, const unsigned char *data, size_t size,
			   struct auth_request *request)
{
	const struct credentials credentials = { data, size, NULL };

	smtp_hold_on_credentials(request, result, &credentials);
}

lookup_credentials_callback_t *const credentials_to_hold = on_credentials;

/* ---- the admin's own fields, which 2.3 adds by itself ---- */

bool passdb_imports_all(const struct auth_request *request ATTR_UNUSED)
{
	return TRUE;
}

bool userdb_imports_all(const struct auth_request *request ATTR_UNUSED)
{
	return TRUE;
}

bool passdb_add_fields(struct auth_request *request ATTR_UNUSED,
		       put_values_fn *put_values ATTR_UNUSED, void *context ATTR_UNUSED)
{
	return TRUE;
}

bool userdb_add_fields(struct auth_request *request ATTR_UNUSED,
		       put_values_fn *put_values ATTR_UNUSED, void *context ATTR_UNUSED)
{
	return TRUE;
}

/* ---- connections and modules ---- */

void client_hang_up(struct auth_client_connection *client)
{
	auth_client_connection_destroy(&client);
}

struct auth_master_connection *asker_stand_in(struct auth_request *request ATTR_UNUSED)
{
	return NULL;
}

void asker_dismiss(struct auth_master_connection *asker ATTR_UNUSED)
{
}

struct passdb_module *passdb_mum_preinit(pool_t pool, const char *args)
{
	struct passdb_module *module =
		passdb_mum_new(pool, *args != '\0' ? args : DEFAULT_CONFIG);

	module->default_cache_key = auth_cache_parse_key(pool, CACHE_KEY);
	module->default_pass_scheme = "CRYPT";
	module->blocking = FALSE;
	return module;
}

struct userdb_module *userdb_mum_preinit(pool_t pool, const char *args)
{
	struct userdb_module *module =
		userdb_mum_new(pool, *args != '\0' ? args : DEFAULT_CONFIG);

	module->default_cache_key = auth_cache_parse_key(pool, CACHE_KEY);
	module->blocking = FALSE;
	return module;
}
