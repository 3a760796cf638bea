/* SPDX-License-Identifier: MIT */
/*
 * passdb "mum". The core gets the row, in the auth process. Dovecot itself verifies
 * the hash, in an auth worker. So no login waits for the database on behalf of another
 * one, and for passwords only where all processors verify some.
 */
#include "dovecot-plugin/dovecot.h"

#include "common/log-text.h"
#include "common/rules-users.h"
#include "dovecot-plugin/instance.h"
#include "dovecot-plugin/passdb-fields.h"
#include "dovecot-plugin/plugin.h"
#include "dovecot-plugin/smtp-hold.h"
#include "dovecot-plugin/verify.h"
#include "dovecot-plugin/verify-queue.h"

struct passdb_mum_module {
	struct passdb_module module;
	struct instance *instance;
};

static struct passdb_mum_module *mum_of(struct passdb_module *module)
{
	return container_of(module, struct passdb_mum_module, module);
}

/* One lookup for Dovecot, allocated from its request's pool. */
struct pass_request {
	struct pending pending;
	struct instance *instance;
	struct auth_request *request;	/* we hold a reference */
	verify_plain_callback_t *verify;	/* one of these two is set */
	lookup_credentials_callback_t *credentials;
	struct mum_lookup *lookup;
	bool refuse_service;		/* send-only mailbox; the service reads mail */
	enum passdb_result refusal;	/* the result after the dummy is verified */
	const char *scheme, *hash;	/* of the row; NULL if the hash names its scheme itself */
};

/* ---- the end of a request ---- */

static void answer(struct pass_request *pass, enum passdb_result result)
{
	struct auth_request *request = pass->request;
	struct auth_master_connection *asker = asker_stand_in(request);

	instance_remove_pending(pass->instance, &pass->pending);
	/*
	 * Dovecot makes an address whose logins fail wait, from 4 s on. But our failure
	 * is not a guess at a password, and all users of a webmail share one address.
	 */
	if (result == PASSDB_RESULT_INTERNAL_FAILURE)
		(void)auth_request_import_auth(request, "no-penalty", "");
	if (pass->verify != NULL)
		pass->verify(result, request);
	else
		credentials_give(pass->credentials, result, NULL, request);
	asker_dismiss(asker);
	auth_request_unref(&request);
}

/* The password was right, or needs no check. */
static void succeed(struct pass_request *pass)
{
	if (!pass->refuse_service) {
		answer(pass, PASSDB_RESULT_OK);
		return;
	}
	e_info(authdb_event(pass->request), "send-only mailbox: refused for service %s",
	       request_protocol(pass->request));
	answer(pass, PASSDB_RESULT_USER_DISABLED);
}

static void finish(struct pass_request *pass, enum passdb_result result)
{
	/*
	 * On a mismatch Dovecot's cache would keep the hash, and let this user in with it.
	 */
	if (pass->refuse_service)
		pass->request->passdb_password = NULL;
	if (result == PASSDB_RESULT_OK)
		succeed(pass);
	else
		answer(pass, result);
}

/*
 * auth ends and waits for nobody. We stop Dovecot from asking the next passdb: if that one
 * needs the workers, Dovecot would crash, because it has already freed the queue to them.
 */
static void on_abort(struct pending *pending)
{
	struct pass_request *pass = container_of(pending, struct pass_request, pending);

	pass->request->passdb->result_internalfail = AUTH_DB_RULE_RETURN;
	mum_lookup_cancel(&pass->lookup);
	verify_queue_forget(pass);
	answer(pass, PASSDB_RESULT_INTERNAL_FAILURE);
}

/* ---- verification ---- */

static bool use_worker(const struct pass_request *pass)
{
	return !worker &&
	       instance_config(pass->instance)->dovecot.verify == MUM_VERIFY_WORKER;
}

/*
 * The request stays pending: when Dovecot ends, it drops requests that no worker has
 * taken, without a reply, before it ends us; and so do we.
 */
static void verify(struct pass_request *pass, const char *crypted, worker_answer_fn *fn)
{
	const struct verification verification = {
		.request = pass->request,
		.crypted = crypted,
		.dummy = instance_dummy_hash(pass->instance),
		.in_worker = use_worker(pass),
		.fn = fn,
		.context = pass,
	};

	verify_start(&verification);
}

static void on_verified(enum passdb_result result, void *context)
{
	struct pass_request *pass = context;

	/*
	 * A hash that Dovecot cannot read, or refuses as weak, is no good dummy,
	 * because verifying it takes no time. And the cache of Dovecot 2.4 would keep it,
	 * and call the next logins a failure of its own.
	 */
	if (result == PASSDB_RESULT_SCHEME_NOT_AVAILABLE) {
		pass->request->passdb_password = NULL;
		result = PASSDB_RESULT_PASSWORD_MISMATCH;
	} else if (result != PASSDB_RESULT_INTERNAL_FAILURE && pass->hash != NULL) {
		instance_saw_hash(pass->instance, pass->scheme, pass->hash);
	}
	finish(pass, result);
}

static void on_dummy_verified(enum passdb_result result ATTR_UNUSED, void *context)
{
	struct pass_request *pass = context;

	answer(pass, pass->refusal);
}

/* Refuses, whatever the password is. This takes as long as refusing a wrong password. */
static void refuse(struct pass_request *pass, enum passdb_result refusal)
{
	pass->refusal = refusal;
	if (pass->verify != NULL)
		verify(pass, NULL, on_dummy_verified);
	else
		answer(pass, refusal);
}

/* ---- the row ---- */

/*
 * Dovecot's names of the schemes. With a {SCHEME} prefix Dovecot reads the name itself.
 */
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

static void read_password(struct pass_request *pass, const char *password,
			  struct passdb_values *values)
{
	const struct hash_limits limits = hash_limits(instance_config(pass->instance));
	enum hash_scheme scheme;

	values->why_no_password = hash_check(password, &limits, &scheme);
	if (values->why_no_password != NULL) {
		values->password = instance_dummy_hash(pass->instance);
	} else if (scheme == HASH_PREFIXED) {
		values->password = password;
	} else {
		pass->scheme = scheme_names[scheme];
		pass->hash = p_strdup(pass->request->pool, password);
		values->password = t_strdup_printf("{%s}%s", scheme_names[scheme], password);
	}
}

/*
 * Can we do without the hash? Yes if an earlier passdb has found the password right
 * (a master's, for example), if any password will do, or if this is a lookup and no
 * login (by an LMTP proxy or doveadm).
 */
static bool is_unverified(const struct auth_request *request)
{
	const char *wanted = request->wanted_credentials_scheme;

	return request->fields.skip_password_check ||
	       auth_fields_exists(request->fields.extra_fields, "nopassword") ||
	       (wanted != NULL && *wanted == '\0');
}

/* To passdb_handle_credentials(), NULL means "there is no password, and that is fine". */
static const char *usable_password(struct auth_request *request, const char **scheme_r)
{
	/* If an earlier passdb found the password right, its credentials stay in use. */
	bool ours = request->fields.delayed_credentials == NULL;
	const char *password = ours ? request->passdb_password : NULL, *error;
	const unsigned char *raw;
	size_t size;

	*scheme_r = password_get_scheme(&password);
	if (password != NULL && is_unverified(request) &&
	    password_decode(password, *scheme_r, &raw, &size, &error) <= 0)
		return NULL;
	return password;
}

static void succeed_unverified(struct pass_request *pass)
{
	struct auth_request *request = pass->request;

	/*
	 * Without a hash, Dovecot's cache would keep the typed password, which is that
	 * of an earlier passdb, and accept it for this user.
	 */
	if (request->passdb_password == NULL && request->fields.skip_password_check)
		auth_request_set_field(request, "password",
				       instance_dummy_hash(pass->instance), NULL);
	succeed(pass);
}

static void hand_over_credentials(struct pass_request *pass)
{
	struct auth_request *request = pass->request;
	struct auth_master_connection *asker = asker_stand_in(request);
	const char *scheme, *password = usable_password(request, &scheme);

	instance_remove_pending(pass->instance, &pass->pending);
	passdb_handle_credentials(PASSDB_RESULT_OK, password, scheme, pass->credentials,
				  request);
	asker_dismiss(asker);
	auth_request_unref(&request);
}

static void refuse_hash(struct pass_request *pass, const struct credential *credential,
			const char *why)
{
	e_error(authdb_event(pass->request),
		"mailboxes.password of <%s>: %s; login refused until it is set anew in MUM",
		LOG_TEXT(credential->address), why);
	refuse(pass, PASSDB_RESULT_PASSWORD_MISMATCH);
}

static void verify_found(struct pass_request *pass)
{
	struct auth_request *request = pass->request;

	/* Our fields are not wanted, and none of the admin's own fields is a password. */
	if (request->passdb_password == NULL)
		refuse(pass, auth_request_password_missing(request));
	else
		verify(pass, request->passdb_password, on_verified);
}

static void answer_found(struct pass_request *pass, const struct mum_answer *facts,
			 const struct credential *credential)
{
	const struct mum_config *config = instance_config(pass->instance);
	struct auth_request *request = pass->request;
	struct user user;
	struct passdb_values values = { .address = credential->address };

	pass->refuse_service = credential->send_only &&
			       is_listed(&config->dovecot.send_only_refuse,
					 request_protocol(request));
	read_password(pass, credential->password, &values);
	if (passdb_read_user(facts, &user))
		values.user = &user;
	if (!passdb_set_fields(request, &values))
		answer(pass, PASSDB_RESULT_INTERNAL_FAILURE);
	else if (values.why_no_password != NULL && !is_unverified(request))
		refuse_hash(pass, credential, values.why_no_password);
	else if (pass->verify != NULL && !is_unverified(request))
		verify_found(pass);
	else if (pass->verify != NULL || pass->refuse_service)
		succeed_unverified(pass);
	else
		hand_over_credentials(pass);
}

static void answer_unknown(struct pass_request *pass)
{
	request_log_unknown_user(pass->request);
	refuse(pass, PASSDB_RESULT_USER_UNKNOWN);
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
		e_error(authdb_event(pass->request), "%s", LOG_TEXT(facts->reason));
		answer(pass, PASSDB_RESULT_INTERNAL_FAILURE);
		break;
	}
}

static unsigned deadline(struct auth_request *request, const struct mum_config *config)
{
	if (!smtp_hold_is_for(request))
		return config->database.deadline;
	return smtp_hold_begin(request, config->dovecot.smtp_deadline,
			       config->database.deadline);
}

/*
 * Asks the database both questions, not the cache. After the login Dovecot asks the userdb,
 * which answers from the cache, and there a user who was just activated must be known.
 */
static struct pass_request *pass_start(struct instance *instance,
				       struct auth_request *request)
{
	struct pass_request *pass = p_new(request->pool, struct pass_request, 1);

	auth_request_ref(request);
	pass->pending.abort = on_abort;
	pass->instance = instance;
	pass->request = request;
	instance_add_pending(pass->instance, &pass->pending);
	pass->lookup = mum_core_ask(
		instance_core(instance),
		MUM_ASK(MUM_CREDENTIAL) | MUM_ASK(MUM_USER) | MUM_FRESH,
		request->fields.user, strlen(request->fields.user),
		deadline(request, instance_config(instance)), on_answer, pass);
	return pass;
}

/* NULL when auth ends and has already ended this passdb. */
static struct instance *instance_of(const struct auth_request *request)
{
	return mum_of(request->passdb->passdb)->instance;
}

/* ---- passdb.h ---- */

static void mum_verify_plain(struct auth_request *request,
			     const char *password ATTR_UNUSED,
			     verify_plain_callback_t *callback)
{
	struct instance *instance = instance_of(request);

	if (verify_for_auth(request, callback))
		return;
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
		credentials_give(callback, PASSDB_RESULT_INTERNAL_FAILURE, NULL, request);
}

struct passdb_module *passdb_mum_new(pool_t pool, const char *config_path)
{
	struct passdb_mum_module *module = p_new(pool, struct passdb_mum_module, 1);

	module->instance = instance_get(config_path);
	return &module->module;
}

static void mum_init(struct passdb_module *module)
{
	instance_init(mum_of(module)->instance);
}

static void mum_deinit(struct passdb_module *module)
{
	smtp_hold_end_all();
	verify_queue_end();
	instance_unref(&mum_of(module)->instance);
}

struct passdb_module_interface passdb_mum = {
	.name = "mum",
	.preinit = passdb_mum_preinit,
	.init = mum_init,
	.deinit = mum_deinit,
	.verify_plain = mum_verify_plain,
	.lookup_credentials = mum_lookup_credentials,
};
