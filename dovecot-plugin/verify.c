/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/verify.h"

#include "dovecot-plugin/verify-queue.h"

/*
 * The names of the extra fields that carry the hashes to a worker. A client cannot set
 * them, because its fields begin with "forward_"; and a reply has only the fields that
 * the worker changes.
 */
static const char hash_field[] = "mum_hash", dummy_field[] = "mum_dummy";

/* As password_verify(): > 0 right, 0 wrong, < 0 no verifier understands crypted. */
static int compare(struct auth_request *request, const char *crypted, bool log)
{
	const char *scheme = password_get_scheme(&crypted);

	return request_compare(request, crypted, scheme, log);
}

static enum passdb_result verify_here(struct auth_request *request, const char *crypted,
				      const char *dummy)
{
	int same = crypted != NULL ? compare(request, crypted, TRUE) : -1;

	if (same >= 0)
		return same > 0 ? PASSDB_RESULT_OK : PASSDB_RESULT_PASSWORD_MISMATCH;
	/* A mismatch with the dummy need not be logged. */
	(void)compare(request, dummy, FALSE);
	return PASSDB_RESULT_SCHEME_NOT_AVAILABLE;
}

static void append_field(string_t *command, const char *name, const char *value)
{
	str_printfa(command, "\tpassdb_%s=", name);
	str_append_tabescaped(command, value);
}

/*
 * Sends Dovecot's PASSV command, which makes a worker ask this module, as for drivers that
 * block. Its log lines name user and address. (PASSW, made for Dovecot's cache, logs a
 * mismatch without them, and treats a hash that it cannot read as an internal failure.)
 */
static void verify_in_worker(const struct verification *verification)
{
	struct auth_request *request = verification->request;
	string_t *command = t_str_new(512);

	str_printfa(command, "PASSV\t%u\t", request->passdb->passdb->id);
	str_append_tabescaped(command, request->mech_password);
	str_append_c(command, '\t');
	auth_request_export(request, command);
	append_field(command, dummy_field, verification->dummy);
	if (verification->crypted != NULL)
		append_field(command, hash_field, verification->crypted);
	verify_queue_ask(request, str_c(command), verification->fn, verification->context);
}

void verify_start(const struct verification *verification)
{
	if (verification->in_worker)
		verify_in_worker(verification);
	else
		verification->fn(verify_here(verification->request, verification->crypted,
					     verification->dummy), verification->context);
}

bool verify_for_auth(struct auth_request *request, verify_plain_callback_t *callback)
{
	const char *dummy;

	if (!worker)
		return FALSE;
	dummy = auth_fields_find(request->fields.extra_fields, dummy_field);
	if (dummy == NULL)
		return FALSE;
	callback(verify_here(request,
			     auth_fields_find(request->fields.extra_fields, hash_field),
			     dummy), request);
	return TRUE;
}
