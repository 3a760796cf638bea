/* SPDX-License-Identifier: MIT */
/* dovecot.h for Dovecot 2.4. Its releases differ, too; configure finds out how. */
#include "dovecot-plugin/dovecot.h"

#include "auth-cache.h"
#include "auth-master-connection.h"
#include "auth-settings.h"
#include "auth-worker-connection.h"
#include "ostream.h"
#include "passdb-blocking.h"
#include "settings.h"

#include "dovecot-plugin/plugin.h"
#include "dovecot-plugin/settings-2.4.h"
#include "dovecot-plugin/smtp-hold.h"

/*
 * A cached result is valid for one protocol only, because a send-only mailbox may use
 * some protocols and not others. And a result for a master user is not valid for the
 * user of the same name, who has a home.
 */
#define CACHE_KEY "%{user}\t%{protocol}\t%{login_user}"

/* The "mum" of %{mum:NAME} in the configuration. */
#define PROVIDER "mum"

const enum dovecot_generation dovecot_generation = DOVECOT_2_4;
const bool dovecot_knows_worker_limit = FALSE;

const char *request_protocol(const struct auth_request *request)
{
	return request->fields.protocol;
}

void request_log_unknown_user(struct auth_request *request)
{
	auth_request_db_log_unknown_user(request);
}

/* ---- passwords ---- */

int request_compare(struct auth_request *request, const char *crypted, const char *scheme,
		    bool log)
{
	switch (auth_request_db_password_verify_log(request, request->mech_password, crypted,
						    scheme, log)) {
	case PASSDB_RESULT_OK:
		return 1;
	case PASSDB_RESULT_PASSWORD_MISMATCH:
		return 0;
	default:
		return -1;
	}
}

static bool on_reply(struct auth_worker_connection *conn ATTR_UNUSED,
		     const char *const *args, void *context)
{
	const struct worker_call *call = context;

	call->fn(passdb_blocking_auth_worker_reply_parse(call->request, args), call->context);
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
#ifdef HAVE_CREDENTIALS_SCHEME
	callback(result, credentials->data, credentials->size, credentials->scheme, request);
#else
	callback(result, credentials->data, credentials->size, request);
#endif
}

#ifdef HAVE_CREDENTIALS_SCHEME
static void on_credentials(enum passdb_result result, const unsigned char *data, size_t size,
			   const char *scheme, struct auth_request *request)
{
#else
static void on_credentials(enum passdb_result result, const unsigned char *data, size_t size,
			   struct auth_request *request)
{
	const char *scheme = NULL;
#endif
	const struct credentials credentials = { data, size, scheme };

	smtp_hold_on_credentials(request, result, &credentials);
}

lookup_credentials_callback_t *const credentials_to_hold = on_credentials;

/* ---- the admin's own fields ---- */

bool passdb_imports_all(const struct auth_request *request)
{
	return request->passdb->set->fields_import_all;
}

bool userdb_imports_all(const struct auth_request *request)
{
	return request->userdb->set->fields_import_all;
}

static void put_value(void *fields, const char *name, const char *value)
{
	auth_fields_add(fields, name, value, 0);
}

/* Expanding fields takes longer than our lookup, and most configurations have none. */
static bool has_fields(const ARRAY_TYPE(const_string) *fields)
{
	return array_is_created(fields) && !array_is_empty(fields);
}

bool passdb_add_fields(struct auth_request *request, put_values_fn *put_values,
		       void *context)
{
	struct auth_fields *values;

	if (!has_fields(&request->passdb->unexpanded_post_set->fields))
		return TRUE;
	values = auth_fields_init(request->pool);
	put_values(context, put_value, values);
	return auth_request_set_passdb_fields(request, values) == 0;
}

bool userdb_add_fields(struct auth_request *request, put_values_fn *put_values,
		       void *context)
{
	struct auth_fields *values;

	if (!has_fields(&request->userdb->unexpanded_post_set->fields))
		return TRUE;
	values = auth_fields_init(request->pool);
	put_values(context, put_value, values);
	return auth_request_set_userdb_fields(request, values) == 0;
}

/* ---- connections and modules ---- */

void client_hang_up(struct auth_client_connection *client)
{
	client->conn.v.destroy(&client->conn);
}

/* Dovecot would wait for auth_internal_failure_delay before it hands over our failure. */
static void answer_at_once(struct auth_request *request)
{
	struct auth_settings *set =
		p_memdup(request->pool, request->protocol_set, sizeof(*request->protocol_set));

	set->internal_failure_delay = 0;
	request->set = request->protocol_set = set;
}

/*
 * Dovecot 2.4 would write its reply to no stream, and crash, with any driver. After a login
 * (handler) it looks whether the asker is still there.
 */
struct auth_master_connection *asker_stand_in(struct auth_request *request)
{
	struct auth_master_connection *asker = request->master;

	if (asker == NULL || request->handler != NULL)
		return NULL;
	answer_at_once(request);
	if (asker->conn.output != NULL)
		return NULL;
	auth_master_connection_ref(asker);
	asker->conn.output = o_stream_create_error(EPIPE);
	o_stream_set_no_error_handling(asker->conn.output, TRUE);
	return asker;
}

void asker_dismiss(struct auth_master_connection *asker)
{
	if (asker == NULL)
		return;
	o_stream_destroy(&asker->conn.output);
	auth_master_connection_unref(&asker);
}

/*
 * The variables in the admin's own fields go into the key, too: the fields may depend
 * on what our key lacks, for example the client's address.
 */
#ifdef HAVE_STRUCT_PASSDB_PARAMETERS
#  define PARAMETERS(kind) , const struct kind##_parameters *parameters
#  define SET_CACHE_KEY(kind, module, pool, fields, error_r) \
	kind##_set_cache_key(module, parameters, pool, CACHE_KEY, fields, PROVIDER, error_r)
#else
#  define PARAMETERS(kind)
#  define SET_CACHE_KEY(kind, module, pool, fields, error_r) \
	set_cache_key(&(module)->default_cache_key, pool, fields)

static int set_cache_key(const char **key_r, pool_t pool,
			 const ARRAY_TYPE(const_string) *fields)
{
	*key_r = auth_cache_parse_key_and_fields(pool, CACHE_KEY, fields, PROVIDER);
	return 0;
}
#endif

static const char *config_path(pool_t pool, struct event *event, const char **error_r)
{
	const struct mum_settings *settings;
	const char *path;

	if (settings_get(event, &mum_setting_parser_info, 0, &settings, error_r) < 0)
		return NULL;
	path = p_strdup(pool, settings->config_file);
	settings_free(settings);
	return path;
}

#define PREINIT(kind) \
	int kind##_mum_preinit(pool_t pool, struct event *event PARAMETERS(kind), \
			       struct kind##_module **module_r, const char **error_r) \
	{ \
		const struct auth_##kind##_post_settings *post; \
		const char *path = config_path(pool, event, error_r); \
		int ret; \
\
		if (path == NULL || \
		    settings_get(event, &auth_##kind##_post_setting_parser_info, \
				 SETTINGS_GET_FLAG_NO_CHECK | SETTINGS_GET_FLAG_NO_EXPAND, \
				 &post, error_r) < 0) \
			return -1; \
		*module_r = kind##_mum_new(pool, path); \
		ret = SET_CACHE_KEY(kind, *module_r, pool, &post->fields, error_r); \
		settings_free(post); \
		return ret; \
	}

PREINIT(passdb)
PREINIT(userdb)
