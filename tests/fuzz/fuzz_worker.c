/* SPDX-License-Identifier: MIT */
/*
 * A verification on its way from auth to a worker: passwords and hashes of any bytes. What
 * the worker replies is parsed by Dovecot alone (passdb_blocking_auth_worker_reply_parse());
 * we get the result from it, and no bytes.
 */
#define AUTH_REQUEST_FIELDS_CONST	/* the target writes to them */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/verify.h"

#include <stdlib.h>
#include <string.h>

#include "dovecot-plugin/verify-queue.h"
#include "tests/fuzz/fuzz.h"

bool worker;

static struct auth_request request;
static const char *user, *sent, *const *fields;
static char *compared[2];
static bool logged[2];
static int results[2];		/* of each comparison */
static size_t comparisons, ends;
static enum passdb_result result;

/* ---- Dovecot ---- */

const char *password_get_scheme(const char **password)
{
	const char *end = **password == '{' ? strchr(*password, '}') : NULL;
	const char *scheme;

	if (end == NULL)
		return NULL;
	scheme = t_strdup_until(*password + 1, end);
	*password = end + 1;
	return scheme;
}

int request_compare(struct auth_request *of, const char *crypted,
		    const char *scheme ATTR_UNUSED, bool log)
{
	HOLDS(of == &request && comparisons < 2);
	compared[comparisons] = strdup(crypted);
	logged[comparisons] = log;
	return results[comparisons++];
}

void auth_request_export(struct auth_request *of, string_t *dest)
{
	HOLDS(of == &request);
	str_append(dest, "user=");
	str_append_tabescaped(dest, user);
}

/* As Dovecot finds it: the names of a passdb's own fields begin so. */
const char *auth_fields_find(struct auth_fields *of ATTR_UNUSED, const char *key)
{
	const char *name = t_strdup_printf("passdb_%s=", key);

	for (const char *const *field = fields; *field != NULL; field++) {
		if (strncmp(*field, name, strlen(name)) == 0)
			return *field + strlen(name);
	}
	return NULL;
}

void verify_queue_ask(struct auth_request *of, const char *command, worker_answer_fn *fn,
		      void *context)
{
	HOLDS(of == &request && fn != NULL && context == &ends);
	sent = command;
}

static void on_answer(enum passdb_result is, void *context)
{
	HOLDS(context == &ends);
	result = is;
	ends++;
}

static void on_verified(enum passdb_result is, struct auth_request *of)
{
	HOLDS(of == &request);
	result = is;
	ends++;
}

/* ---- what must hold ---- */

/* The command has our fields, each with its value, and no others. */
static void check_command(const struct verification *asked)
{
	size_t count = asked->crypted != NULL ? 6 : 5;

	HOLDS(strchr(sent, '\n') == NULL && strchr(sent, '\r') == NULL);
	fields = t_strsplit_tabescaped(sent);
	HOLDS(str_array_length(fields) == count);
	HOLDS(strcmp(fields[0], "PASSV") == 0 && strcmp(fields[1], "7") == 0);
	HOLDS(strcmp(fields[2], request.mech_password) == 0);
	HOLDS(strcmp(fields[3], t_strconcat("user=", user, NULL)) == 0);
	fields += 3;		/* a worker finds fields from here on */
	HOLDS(strcmp(auth_fields_find(NULL, "mum_dummy"), asked->dummy) == 0);
	HOLDS(asked->crypted == NULL ||
	      strcmp(auth_fields_find(NULL, "mum_hash"), asked->crypted) == 0);
}

static bool is_behind_scheme(const char *text, const char *crypted)
{
	(void)password_get_scheme(&crypted);
	return text != NULL && strcmp(text, crypted) == 0;
}

/* The hash decides; what nobody can read is compared with the dummy, to no avail. */
static void check_result(const struct verification *asked)
{
	size_t first = asked->crypted != NULL ? 1 : 0;
	bool known = asked->crypted != NULL && results[0] >= 0;

	HOLDS(ends == 1 && comparisons == (known ? 1 : first + 1));
	if (asked->crypted != NULL)
		HOLDS(is_behind_scheme(compared[0], asked->crypted) && logged[0]);
	if (!known)
		HOLDS(is_behind_scheme(compared[first], asked->dummy) && !logged[first]);
	HOLDS((result == PASSDB_RESULT_OK) == (known && results[0] > 0));
	HOLDS((result == PASSDB_RESULT_PASSWORD_MISMATCH) == (known && results[0] == 0));
}

static void clear(void)
{
	for (size_t i = 0; i < 2; i++) {
		free(compared[i]);
		compared[i] = NULL;
	}
	comparisons = ends = 0;
}

/* Through a worker, and in auth itself: the result is the same. */
static void check_ways(struct verification *asked)
{
	enum passdb_result other;

	asked->in_worker = TRUE;
	verify_start(asked);
	check_command(asked);
	worker = FALSE;
	HOLDS(!verify_for_auth(&request, on_verified) && ends == 0);
	worker = TRUE;
	HOLDS(verify_for_auth(&request, on_verified));
	check_result(asked);
	other = result;
	clear();
	asked->in_worker = FALSE;
	verify_start(asked);
	check_result(asked);
	HOLDS(result == other);
	clear();
	fuzz_reached();
}

/* What the worker got did not come from us. */
static void check_others(const char *line)
{
	bool ours;

	fields = t_strsplit_tabescaped(line);
	ours = auth_fields_find(NULL, "mum_dummy") != NULL;
	HOLDS(verify_for_auth(&request, on_verified) == ours && ends == ours);
	clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct passdb_module module = { .id = 7 };
	static struct auth_passdb passdb = { .passdb = &module };
	struct feed feed = { data, size };
	unsigned choice = feed_byte(&feed);
	char *texts[5];
	size_t len;

	if (!lib_is_initialized())
		lib_init();
	results[0] = (int)(choice % 3) - 1;
	results[1] = (int)(choice / 3 % 3) - 1;
	for (size_t i = 0; i < 5; i++)
		texts[i] = feed_text(&feed, &len);
	if (texts[0] != NULL && texts[1] != NULL && texts[2] != NULL) T_BEGIN {
		struct verification asked = { &request, texts[3], texts[2], FALSE, on_answer,
					      &ends };

		user = texts[0];
		request.mech_password = texts[1];
		request.passdb = &passdb;
		check_ways(&asked);
		if (texts[4] != NULL)
			check_others(texts[4]);
	} T_END;
	for (size_t i = 0; i < 5; i++)
		free(texts[i]);
	return 0;
}
