/* SPDX-License-Identifier: MIT */
/* userdb "mum": home, mail location and quota of a user. */
#include "dovecot-plugin/dovecot.h"

#include "common/log-text.h"
#include "common/rules-users.h"
#include "dovecot-plugin/host-dovecot.h"
#include "dovecot-plugin/instance.h"
#include "dovecot-plugin/plugin.h"
#include "dovecot-plugin/userdb-fields.h"
#include "dovecot-plugin/userdb-iterate.h"

struct userdb_mum_module {
	struct userdb_module module;
	struct instance *instance;
};

static struct userdb_mum_module *mum_of(struct userdb_module *module)
{
	return container_of(module, struct userdb_mum_module, module);
}

/* One lookup for Dovecot, allocated from its request's pool. */
struct user_request {
	struct pending pending;
	struct instance *instance;
	struct auth_request *request;	/* we hold a reference */
	userdb_callback_t *callback;
	struct mum_lookup *lookup;
	bool fresh;			/* the cache did not count */
};

static void answer(struct user_request *user, enum userdb_result result)
{
	struct auth_request *request = user->request;
	struct auth_master_connection *asker = asker_stand_in(request);

	instance_remove_pending(user->instance, &user->pending);
	user->callback(result, request);
	asker_dismiss(asker);
	auth_request_unref(&request);
}

/*
 * auth ends. We stop Dovecot from asking the next userdb: if that one needs the
 * workers, Dovecot would crash, because it has already freed the queue to them.
 */
static void on_abort(struct pending *pending)
{
	struct user_request *user = container_of(pending, struct user_request, pending);

	mum_lookup_cancel(&user->lookup);
	user->request->userdb->result_internalfail = AUTH_DB_RULE_RETURN;
	answer(user, USERDB_RESULT_INTERNAL_FAILURE);
}

static void put_field(void *request, const char *name, const char *value)
{
	if (userdb_imports_all(request))
		auth_request_set_userdb_field(request, name, value);
}

static void put_values(void *context, userdb_field_fn *put, void *arg)
{
	const struct user *found = context;

	put(arg, "user", found->address);
	userdb_put_all_fields(found, put, arg);
}

static void log_bad_row(const struct user_request *user, const struct user *found,
			const char *why)
{
	e_error(authdb_event(user->request), "mailboxes row of <%s>: %s; fix it in MUM",
		LOG_TEXT(found->address), LOG_TEXT(why));
}

static void answer_found(struct user_request *user, struct user *found)
{
	struct auth_request *request = user->request;
	struct arena arena = { 0 };
	const char *why;

	put_field(request, "user", found->address);
	why = userdb_put_fields(found, dovecot_generation, &arena, put_field, request);
	if (why != NULL)
		log_bad_row(user, found, why);
	arena_free(&arena);
	if (why == NULL && userdb_add_fields(request, put_values, found))
		answer(user, USERDB_RESULT_OK);
	else
		answer(user, USERDB_RESULT_INTERNAL_FAILURE);
}

static void on_answer(const struct mum_answer *facts, void *arg);

static void ask(struct user_request *user, bool fresh)
{
	const char *name = user->request->fields.user;

	user->fresh = fresh;
	user->lookup = mum_core_ask(instance_core(user->instance),
				    MUM_ASK(MUM_USER) | (fresh ? MUM_FRESH : 0), name, strlen(name),
				    instance_config(user->instance)->database.deadline,
				    on_answer, user);
}

static void on_answer(const struct mum_answer *facts, void *arg)
{
	struct user_request *user = arg;
	struct user found;
	const char *why;

	user->lookup = NULL;
	switch (rule_user(facts, &found, &why)) {
	case MUM_FOUND:
		answer_found(user, &found);
		break;
	case MUM_NOT_FOUND:
		/* Who has just been activated can log in, and has a home then. */
		if (facts->age_ms > 0 && !user->fresh) {
			ask(user, true);
			break;
		}
		request_log_unknown_user(user->request);
		answer(user, USERDB_RESULT_USER_UNKNOWN);
		break;
	case MUM_TEMPFAIL:
	case MUM_MISCONFIGURED:
		if (why != NULL)
			log_bad_row(user, &found, why);
		else
			e_error(authdb_event(user->request), "%s", LOG_TEXT(facts->reason));
		answer(user, USERDB_RESULT_INTERNAL_FAILURE);
		break;
	}
}

static struct instance *instance_of(struct auth_request *request)
{
	return mum_of(request->userdb->userdb)->instance;
}

/* ---- userdb.h ---- */

static void mum_lookup(struct auth_request *request, userdb_callback_t *callback)
{
	struct instance *instance = instance_of(request);
	struct user_request *user;

	if (instance == NULL) {		/* auth ends */
		callback(USERDB_RESULT_INTERNAL_FAILURE, request);
		return;
	}
	user = p_new(request->pool, struct user_request, 1);
	auth_request_ref(request);
	user->pending.abort = on_abort;
	user->instance = instance;
	user->request = request;
	user->callback = callback;
	instance_add_pending(user->instance, &user->pending);
	ask(user, false);
}

static struct userdb_iterate_context *
mum_iterate_init(struct auth_request *request, userdb_iter_callback_t *callback,
		 void *context)
{
	return userdb_iterate_start(instance_of(request), request, callback, context);
}

struct userdb_module *userdb_mum_new(pool_t pool, const char *config_path)
{
	struct userdb_mum_module *module = p_new(pool, struct userdb_mum_module, 1);

	module->instance = instance_get(config_path);
	return &module->module;
}

static void mum_init(struct userdb_module *module)
{
	instance_init(mum_of(module)->instance);
}

static void mum_deinit(struct userdb_module *module)
{
	instance_unref(&mum_of(module)->instance);
}

struct userdb_module_interface userdb_mum = {
	.name = "mum",
	.preinit = userdb_mum_preinit,
	.init = mum_init,
	.deinit = mum_deinit,
	.lookup = mum_lookup,
	.iterate_init = mum_iterate_init,
	.iterate_next = userdb_iterate_next,
	.iterate_deinit = userdb_iterate_end,
};
