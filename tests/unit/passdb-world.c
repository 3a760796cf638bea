/* SPDX-License-Identifier: MIT */
#include "tests/unit/passdb-world.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/xalloc.h"

struct world world;
bool worker;

static void put(char **text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends to the text. */
static void put(char **text, const char *format, ...)
{
	char new[2000];
	va_list args;
	char *old = *text;

	va_start(args, format);
	vsnprintf(new, sizeof(new), format, args);
	va_end(args);
	*text = xmalloc((old != NULL ? strlen(old) : 0) + strlen(new) + 1);
	sprintf(*text, "%s%s", old != NULL ? old : "", new);
	free(old);
}

/* ---- Dovecot ---- */

static void on_log(const struct failure_context *ctx, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void on_log(const struct failure_context *ctx, const char *format, va_list args)
{
	char line[1000];

	vsnprintf(line, sizeof(line), format, args);
	put(&world.logged, "%c %s\n", ctx->type == LOG_TYPE_ERROR ? 'E' : 'I', line);
}

void auth_request_ref(struct auth_request *request ATTR_UNUSED)
{
	world.references++;
}

void auth_request_unref(struct auth_request **request)
{
	world.references--;
	*request = NULL;
}

bool auth_request_import_auth(struct auth_request *request ATTR_UNUSED, const char *key,
			      const char *value ATTR_UNUSED)
{
	world.no_penalty = strcmp(key, "no-penalty") == 0;
	return TRUE;
}

void auth_request_set_field(struct auth_request *request ATTR_UNUSED, const char *name,
			    const char *value, const char *default_scheme ATTR_UNUSED)
{
	put(&world.cached_password, "%s %s", name, value);
}

enum passdb_result auth_request_password_missing(struct auth_request *request ATTR_UNUSED)
{
	return PASSDB_RESULT_PASS_EXPIRED;	/* no other result here */
}

bool auth_fields_exists(struct auth_fields *fields ATTR_UNUSED, const char *key)
{
	return world.nopassword && strcmp(key, "nopassword") == 0;
}

const char *password_get_scheme(const char **password)
{
	const char *scheme;

	if (*password == NULL || **password != '{')
		return NULL;
	scheme = t_strcut(*password + 1, '}');
	*password = strchr(*password, '}') + 1;
	return scheme;
}

int password_decode(const char *password ATTR_UNUSED, const char *scheme ATTR_UNUSED,
		    const unsigned char **raw_password_r ATTR_UNUSED,
		    size_t *size_r ATTR_UNUSED, const char **error_r ATTR_UNUSED)
{
	return world.undecodable ? 0 : 1;
}

void passdb_handle_credentials(enum passdb_result result, const char *password,
			       const char *scheme, lookup_credentials_callback_t *callback,
			       struct auth_request *request)
{
	world.calls++;
	world.result = result;
	world.mismatch |= callback != world_credentials || request != &world.request;
	put(&world.handed, "%s %s", scheme != NULL ? scheme : "-",
	    password != NULL ? password : "-");
}

/* ---- what dovecot.h adds ---- */

const char *request_protocol(const struct auth_request *request ATTR_UNUSED)
{
	return world.protocol;
}

void request_log_unknown_user(struct auth_request *request ATTR_UNUSED)
{
	world.unknown_logged = true;
}

void credentials_hand_over(lookup_credentials_callback_t *callback, enum passdb_result result,
			   const struct credentials *credentials, struct auth_request *request)
{
	world.calls++;
	world.result = result;
	world.credentials_given = true;
	world.mismatch |= callback != world_credentials || request != &world.request ||
			  credentials->data != NULL;
}

struct auth_master_connection *asker_stand_in(struct auth_request *request ATTR_UNUSED)
{
	world.stand_ins++;
	return (struct auth_master_connection *)&world;
}

void asker_dismiss(struct auth_master_connection *asker)
{
	world.mismatch |= world.calls == 0 || asker != (struct auth_master_connection *)&world;
	world.dismissed++;
}

/* Nobody calls it here, and its parameters depend on the Dovecot. */
__asm__(".globl passdb_mum_preinit\n"
	".set passdb_mum_preinit, 0");

/* ---- the instance and the core ---- */

struct instance *instance_get(const char *config_path)
{
	world.config_path = config_path;
	return (struct instance *)&world;
}

void instance_unref(struct instance **instance)
{
	world.released++;
	*instance = NULL;
}

void instance_init(struct instance *instance ATTR_UNUSED)
{
	world.initialized++;
}

const struct mum_config *instance_config(const struct instance *instance)
{
	world.mismatch |= instance != (struct instance *)&world;
	return &world.config;
}

struct mum_core *instance_core(struct instance *instance)
{
	return (struct mum_core *)instance;
}

void instance_add_pending(struct instance *instance ATTR_UNUSED, struct pending *pending)
{
	world.pendings++;
	world.pending = pending;
}

void instance_remove_pending(struct instance *instance ATTR_UNUSED, struct pending *pending)
{
	world.mismatch |= world.calls > 0 || pending != world.pending;
	world.pendings--;
	world.pending = NULL;
}

void instance_saw_hash(struct instance *instance ATTR_UNUSED, const char *scheme,
		       const char *hash)
{
	put(&world.saw, "%s %s", scheme, hash);
}

const char *instance_dummy_hash(const struct instance *instance ATTR_UNUSED)
{
	return WORLD_DUMMY;
}

struct mum_lookup *mum_core_ask(struct mum_core *core, unsigned questions, const char *key,
				size_t key_len, unsigned deadline_ms, mum_answer_fn *fn,
				void *arg)
{
	world.mismatch |= core != (struct mum_core *)&world;
	world.asked = true;
	world.questions = questions;
	world.key = xstrndup(key, key_len);
	world.deadline = deadline_ms;
	world.answer = fn;
	world.answer_arg = arg;
	return (struct mum_lookup *)&world;
}

void mum_lookup_cancel(struct mum_lookup **lookup)
{
	if (*lookup != NULL)
		world.asked = false;
	*lookup = NULL;
}

/* ---- who holds and who verifies ---- */

bool smtp_hold_is_for(const struct auth_request *request ATTR_UNUSED)
{
	return world.holds;
}

unsigned smtp_hold_begin(struct auth_request *request ATTR_UNUSED, unsigned min_ms,
			 unsigned max_ms)
{
	world.mismatch |= min_ms != WORLD_SMTP_DEADLINE || max_ms != WORLD_DEADLINE;
	return WORLD_HELD;
}

void smtp_hold_end_all(void)
{
	world.ended_holds++;
}

void verify_queue_forget(const void *context)
{
	world.mismatch |= context == NULL;
	world.forgotten++;
}

void verify_queue_end(void)
{
	world.ended_queues++;
}

void verify_start(const struct verification *verification)
{
	world.verifying = true;
	world.verification = *verification;
}

bool verify_for_auth(struct auth_request *request ATTR_UNUSED,
		     verify_plain_callback_t *callback)
{
	world.mismatch |= callback != world_on_verified;
	return world.is_verification;
}

/* ---- the fields ---- */

bool passdb_read_user(const struct mum_answer *facts ATTR_UNUSED,
		      struct user *user_r ATTR_UNUSED)
{
	return world.has_user;
}

bool passdb_set_fields(struct auth_request *request, struct passdb_values *values)
{
	world.set_fields++;
	world.gave_user = values->user != NULL;
	world.mismatch |= strcmp(values->address, "anna@d") != 0 || values->password == NULL;
	if (values->why_no_password != NULL)
		put(&world.why_no_password, "%s", values->why_no_password);
	else if (!world.no_password)
		request->passdb_password = p_strdup(request->pool, values->password);
	return !world.fields_fail;
}

/* ---- the world ---- */

void world_on_verified(enum passdb_result result, struct auth_request *request)
{
	world.calls++;
	world.result = result;
	world.mismatch |= request != &world.request;
}

static void on_credentials(void)
{
}

lookup_credentials_callback_t *const world_credentials =
	(lookup_credentials_callback_t *)on_credentials;

void world_init(void)
{
	/* send_only_refuse takes the first two. */
	static const char *const refused[] = { "imap", "pop3", "smtp" };

	memset(&world, 0, sizeof(world));
	worker = FALSE;
	i_set_info_handler(on_log);
	i_set_error_handler(on_log);
	world.request.pool = pool_alloconly_create("request", 4096);
	world.request.event = event_create(NULL);
	p_array_init(&world.request.authdb_event, world.request.pool, 1);
	world.request.fields.user = p_strdup(world.request.pool, "Anna@d");
	world.request.passdb = &world.passdb;
	world.protocol = "imap";
	world.config.database.deadline = WORLD_DEADLINE;
	world.config.dovecot.smtp_deadline = WORLD_SMTP_DEADLINE;
	world.config.dovecot.send_only_refuse = (struct mum_list){ 2, refused };
	world.config.dovecot.max_bcrypt_cost = 12;
	world.config.dovecot.max_crypt_rounds = 10000;
	world.config.dovecot.max_argon2_memory = 1 << 20;
	world.config.dovecot.max_argon2_time = 4;
	world.config.dovecot.allow_scheme_prefix = true;
	world.module = passdb_mum_new(world.request.pool, "a path");
	world.passdb.passdb = world.module;
}

void world_free(void)
{
	event_unref(&world.request.event);
	pool_unref(&world.request.pool);
	free(world.key);
	free(world.saw);
	free(world.cached_password);
	free(world.why_no_password);
	free(world.logged);
	free(world.handed);
}

void world_answer(enum mum_status status, const char *password, bool send_only)
{
	struct credential_row row = {
		.mailbox = { .address = "anna@d", .domain_active = true, .active = true,
			     .send_only = send_only },
		.password = password };
	struct facts facts = { .count = password != NULL, .credentials = &row };
	struct mum_answer answer = { .status = status, .reason = "a reason",
				     .facts = { [MUM_CREDENTIAL] = &facts } };

	world.asked = false;
	world.answer(&answer, world.answer_arg);
}

void world_verified(enum passdb_result result)
{
	struct verification verification = world.verification;

	world.verifying = false;
	verification.fn(result, verification.context);
}
