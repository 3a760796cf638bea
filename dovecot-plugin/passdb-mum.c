/* SPDX-License-Identifier: MIT */
/*
 * passdb "mum": the row comes through the core, in the auth process; the hash
 * is verified by Dovecot itself, in an auth worker, so that neither a database
 * nor a password keeps other logins waiting.
 */
#include "dovecot-plugin/compat.h"

#include "common/log-text.h"
#include "common/rules.h"
#include "dovecot-plugin/host-dovecot.h"
#include "dovecot-plugin/instance.h"
#include "dovecot-plugin/plugin.h"
#include "dovecot-plugin/userdb-fields.h"

struct passdb_mum_module {
	struct passdb_module module;
	struct instance *instance;
};

/* One lookup for Dovecot, allocated from its request's pool. */
struct pass_request {
	struct pending pending;
	struct instance *instance;
	struct auth_request *request;	/* we hold a reference */
	verify_plain_callback_t *verify;	/* one of these two */
	lookup_credentials_callback_t *credentials;
	struct mum_lookup *lookup;
	struct mum_timer *hold;
	uint64_t started;
	bool refuse_service;		/* send-only, and this service reads mail */
};

/* ---- the end of a request ---- */

static void answer(struct pass_request *pass, enum passdb_result result)
{
	struct auth_request *request = pass->request;

	instance_remove_pending(pass->instance, &pass->pending);
	/*
	 * Dovecot lets an address wait for 4 s and more whose logins fail. Our
	 * trouble is no guess at a password, and a webmail has all its users there.
	 */
	if (result == PASSDB_RESULT_INTERNAL_FAILURE)
		(void)auth_request_import_auth(request, "no-penalty", "");
	if (pass->verify != NULL)
		pass->verify(result, request);
	else
		pass->credentials(result, NULL, 0, request);
	auth_request_unref(&request);
}

static void on_hold_over(void *context)
{
	struct pass_request *pass = context;

	pass->hold = NULL;
	answer(pass, PASSDB_RESULT_INTERNAL_FAILURE);
}

static bool is_for_postfix(const struct auth_request *request)
{
	return strcmp(request->fields.service, "smtp") == 0;
}

/*
 * Postfix takes any failure for a wrong password (535, and mail clients ask
 * their user for another one), but its own timeout of 10 s for a temporary one
 * (454): a login over SMTP fails no sooner than smtp_deadline.
 */
static void fail(struct pass_request *pass)
{
	unsigned deadline = instance_config(pass->instance)->dovecot.smtp_deadline;
	uint64_t age = host_now(&host_dovecot) - pass->started;

	if (!is_for_postfix(pass->request) || age >= deadline) {
		answer(pass, PASSDB_RESULT_INTERNAL_FAILURE);
		return;
	}
	pass->hold = host_dovecot.ops->timer(NULL, deadline - (unsigned)age,
					     on_hold_over, pass);
}

/* The password was right, or there was none to verify. */
static void succeed(struct pass_request *pass)
{
	if (!pass->refuse_service) {
		answer(pass, PASSDB_RESULT_OK);
		return;
	}
	e_info(authdb_event(pass->request), "send-only mailbox: refused for service %s",
	       pass->request->fields.service);
	answer(pass, PASSDB_RESULT_USER_DISABLED);
}

static void finish(struct pass_request *pass, enum passdb_result result)
{
	/* Dovecot's cache would keep the hash of a mismatch, and let them in by it. */
	if (pass->refuse_service)
		pass->request->passdb_password = NULL;
	if (result == PASSDB_RESULT_OK)
		succeed(pass);
	else if (result == PASSDB_RESULT_INTERNAL_FAILURE)
		fail(pass);
	else
		answer(pass, result);
}

/*
 * A connection that closes is a temporary failure to Postfix, too. It has one
 * login at a time on each.
 */
static void hang_up(struct auth_request *request)
{
	struct auth_client_connection *client;

	if (request->handler == NULL)	/* a lookup, no login */
		return;
	client = request->handler->conn;
	auth_client_connection_destroy(&client);
}

/*
 * auth ends, and waits for nobody. The next passdb is not asked: where that is one
 * for the workers, Dovecot has taken down the queue to them by now, and would crash.
 */
static void on_abort(struct pending *pending)
{
	struct pass_request *pass = container_of(pending, struct pass_request, pending);

	pass->request->passdb->result_internalfail = AUTH_DB_RULE_RETURN;
	mum_lookup_cancel(&pass->lookup);
	host_untimer(&host_dovecot, &pass->hold);
	if (is_for_postfix(pass->request))
		hang_up(pass->request);
	answer(pass, PASSDB_RESULT_INTERNAL_FAILURE);
}

/* ---- verification ---- */

static bool on_worker_reply(struct auth_worker_connection *conn ATTR_UNUSED,
			    const char *reply, void *context)
{
	struct pass_request *pass = context;

	finish(pass, passdb_blocking_auth_worker_reply_parse(pass->request, reply));
	return TRUE;
}

static bool on_worker_dummy_reply(struct auth_worker_connection *conn ATTR_UNUSED,
				  const char *reply ATTR_UNUSED, void *context)
{
	answer(context, PASSDB_RESULT_USER_UNKNOWN);
	return TRUE;
}

/* Dovecot's PASSW command; the worker answers it without asking a database. */
static void verify_in_worker(struct pass_request *pass, const char *crypted,
			     auth_worker_callback_t *callback)
{
	struct auth_request *request = pass->request;
	string_t *command = t_str_new(512);

	str_printfa(command, "PASSW\t%u\t", request->passdb->passdb->id);
	str_append_tabescaped(command, request->mech_password);
	str_append_c(command, '\t');
	str_append_tabescaped(command, crypted);
	str_append_c(command, '\t');
	auth_request_export(request, command);
	/*
	 * It stays pending: when Dovecot ends, requests that no worker has taken
	 * yet are dropped without a reply, before it comes to us.
	 */
	auth_worker_call(request->pool, request->fields.user, str_c(command), callback,
			 pass);
}

static bool use_worker(const struct pass_request *pass)
{
	return !worker &&
	       instance_config(pass->instance)->dovecot.verify == MUM_VERIFY_WORKER;
}

static bool verify_here(struct auth_request *request, const char *crypted, bool log)
{
	const char *scheme = password_get_scheme(&crypted);

	return auth_request_password_verify_log(request, request->mech_password, crypted,
						scheme, AUTH_SUBSYS_DB, log) > 0;
}

static void verify(struct pass_request *pass)
{
	struct auth_request *request = pass->request;

	if (request->fields.skip_password_check)
		succeed(pass);
	else if (use_worker(pass))
		verify_in_worker(pass, request->passdb_password, on_worker_reply);
	else
		finish(pass, verify_here(request, request->passdb_password, TRUE)
				     ? PASSDB_RESULT_OK : PASSDB_RESULT_PASSWORD_MISMATCH);
}

/* An unknown user takes as long as a known one with a wrong password. */
static void answer_unknown(struct pass_request *pass)
{
	const char *dummy = instance_dummy_hash(pass->instance);

	auth_request_log_unknown_user(pass->request, AUTH_SUBSYS_DB);
	if (pass->verify != NULL && use_worker(pass)) {
		verify_in_worker(pass, dummy, on_worker_dummy_reply);
		return;
	}
	if (pass->verify != NULL)
		(void)verify_here(pass->request, dummy, FALSE);
	answer(pass, PASSDB_RESULT_USER_UNKNOWN);
}

/* ---- the row ---- */

/* Dovecot's names; of a {SCHEME} prefix Dovecot reads the name itself. */
static const char *const scheme_names[] = {
	[HASH_NONE] = NULL,
	[HASH_BCRYPT] = "BLF-CRYPT",
	[HASH_ARGON2I] = "ARGON2I",
	[HASH_ARGON2ID] = "ARGON2ID",
	[HASH_CRYPT] = "CRYPT",
	[HASH_PREFIXED] = "CRYPT",
};

static bool is_listed(const struct mum_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The hash as request->passdb_password; false when it must not be verified. */
static bool set_password(struct pass_request *pass, const struct credential *credential)
{
	const struct hash_limits limits = hash_limits(instance_config(pass->instance));
	enum hash_scheme scheme;
	const char *why = hash_check(credential->password, &limits, &scheme);

	if (why != NULL) {
		e_error(authdb_event(pass->request),
			"mum: mailboxes.password of <%s>: %s; login refused until it is "
			"set anew in MUM", LOG_TEXT(credential->address), why);
		return FALSE;
	}
	if (scheme != HASH_PREFIXED)
		instance_saw_hash(pass->instance, scheme_names[scheme],
				  credential->password);
	auth_request_set_field(pass->request,
			       scheme == HASH_PREFIXED ? "password" : "password_noscheme",
			       credential->password, scheme_names[scheme]);
	return TRUE;
}

static void put_prefetch_field(void *request, const char *name, const char *value)
{
	auth_request_set_field(request, t_strconcat("userdb_", name, NULL), value, NULL);
}

/* What userdb would answer, for "userdb { driver = prefetch }". */
static void set_prefetch_fields(struct pass_request *pass, const struct mum_answer *facts)
{
	struct user user;
	const char *why;

	/* Without them Dovecot goes on to the userdb, which says why. */
	if (rule_user(facts, &user, &why) == MUM_FOUND)
		userdb_put_fields(&user, put_prefetch_field, pass->request);
}

static void answer_found(struct pass_request *pass, const struct mum_answer *facts,
			 const struct credential *credential)
{
	const struct mum_config *config = instance_config(pass->instance);
	struct auth_request *request = pass->request;
	const char *password, *scheme;

	auth_request_set_field(request, "user", credential->address, NULL);
	pass->refuse_service = credential->send_only &&
			       is_listed(&config->dovecot.send_only_refuse,
					 request->fields.service);
	if (!set_password(pass, credential)) {
		answer(pass, PASSDB_RESULT_PASSWORD_MISMATCH);
		return;
	}
	set_prefetch_fields(pass, facts);
	if (pass->verify != NULL) {
		verify(pass);
		return;
	}
	if (pass->refuse_service) {
		succeed(pass);
		return;
	}
	password = request->passdb_password;
	scheme = password_get_scheme(&password);
	instance_remove_pending(pass->instance, &pass->pending);
	passdb_handle_credentials(PASSDB_RESULT_OK, password, scheme, pass->credentials,
				  request);
	auth_request_unref(&request);
}

static void on_answer(const struct mum_answer *facts, void *arg)
{
	struct pass_request *pass = arg;
	struct credential credential;

	pass->lookup = NULL;
	switch (rule_credential(facts, &credential)) {
	case MUM_FOUND:
		answer_found(pass, facts, &credential);
		break;
	case MUM_NOT_FOUND:
		answer_unknown(pass);
		break;
	case MUM_TEMPFAIL:
	case MUM_MISCONFIGURED:
		e_error(authdb_event(pass->request), "mum: %s", LOG_TEXT(facts->reason));
		fail(pass);
		break;
	}
}

/*
 * Both anew: who logs in is looked up in the userdb next, which has what it says
 * from the cache, and a user who has just been activated must be known there.
 */
static struct pass_request *pass_start(struct instance *instance,
				       struct auth_request *request)
{
	struct pass_request *pass = p_new(request->pool, struct pass_request, 1);
	const struct mum_config *config = instance_config(instance);

	auth_request_ref(request);
	pass->pending.abort = on_abort;
	pass->instance = instance;
	pass->request = request;
	pass->started = host_now(&host_dovecot);
	instance_add_pending(pass->instance, &pass->pending);
	pass->lookup = mum_lookup_start(
		instance_lookups(pass->instance),
		MUM_ASK(MUM_CREDENTIAL) | MUM_ASK(MUM_USER) | MUM_FRESH,
		request->fields.user, strlen(request->fields.user),
		is_for_postfix(request) ? config->dovecot.smtp_deadline
					: config->database.deadline,
		on_answer, pass);
	return pass;
}

/* NULL when auth ends and has ended this passdb already. */
static struct instance *instance_of(const struct auth_request *request)
{
	struct passdb_mum_module *module = container_of(
		request->passdb->passdb, struct passdb_mum_module, module);

	return module->instance;
}

/* ---- passdb.h ---- */

static void mum_verify_plain(struct auth_request *request,
			     const char *password ATTR_UNUSED,
			     verify_plain_callback_t *callback)
{
	struct instance *instance = instance_of(request);

	if (instance != NULL)
		pass_start(instance, request)->verify = callback;
	else
		callback(PASSDB_RESULT_INTERNAL_FAILURE, request);
}

static void mum_lookup_credentials(struct auth_request *request,
				   lookup_credentials_callback_t *callback)
{
	struct instance *instance = instance_of(request);

	if (instance != NULL)
		pass_start(instance, request)->credentials = callback;
	else
		callback(PASSDB_RESULT_INTERNAL_FAILURE, NULL, 0, request);
}

static struct passdb_module *mum_preinit(pool_t pool, const char *args)
{
	struct passdb_mum_module *module = p_new(pool, struct passdb_mum_module, 1);

	module->instance = instance_get(*args != '\0' ? args : DEFAULT_CONFIG);
	module->module.default_cache_key = auth_cache_parse_key(pool, MUM_CACHE_KEY);
	module->module.default_pass_scheme = "CRYPT";
	module->module.blocking = FALSE;
	return &module->module;
}

static void mum_init(struct passdb_module *_module)
{
	struct passdb_mum_module *module =
		container_of(_module, struct passdb_mum_module, module);

	instance_init(module->instance);
}

static void mum_deinit(struct passdb_module *_module)
{
	struct passdb_mum_module *module =
		container_of(_module, struct passdb_mum_module, module);

	instance_unref(&module->instance);
}

struct passdb_module_interface passdb_mum = {
	.name = "mum",
	.preinit = mum_preinit,
	.init = mum_init,
	.deinit = mum_deinit,
	.verify_plain = mum_verify_plain,
	.lookup_credentials = mum_lookup_credentials,
};
