/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/smtp-hold.h"

#include "dovecot-plugin/host-dovecot.h"

/* Postfix's AUTH_TIMEOUT is 10 s (xsasl_dovecot_server.c); this leaves one second. */
enum { POSTFIX_WAITS_MS = 9000 };

/*
 * One login, from the first lookup to its result. The hold stands between Dovecot's
 * passdbs and the mechanism that waits for them. It is allocated from the request's pool.
 */
struct hold {
	struct hold *prev, *next;
	struct auth_request *request;	/* we hold a reference */
	bool credentials;		/* which of the two callbacks is set */
	verify_plain_callback_t *verify_callback;
	lookup_credentials_callback_t *credentials_callback;
	uint64_t started, until;
	struct mum_timer *timer;	/* set once all passdbs have failed for now */
};

/* A short list: the logins through Postfix at this moment. */
static struct hold *holds;
static bool ending;

static struct hold *find(const struct auth_request *request)
{
	struct hold *hold = holds;

	while (hold != NULL && hold->request != request)
		hold = hold->next;
	return hold;
}

/* Tells the mechanism the result. */
static void finish(struct hold *hold, enum passdb_result result,
		   const struct credentials *credentials)
{
	struct auth_request *request = hold->request;

	DLLIST_REMOVE(&holds, hold);
	if (hold->credentials)
		credentials_give(hold->credentials_callback, result, credentials, request);
	else
		hold->verify_callback(result, request);
	auth_request_unref(&request);
}

static void on_hold_over(void *context)
{
	struct hold *hold = context;

	hold->timer = NULL;
	auth_request_set_state(hold->request, AUTH_REQUEST_STATE_MECH_CONTINUE);
	finish(hold, PASSDB_RESULT_INTERNAL_FAILURE, NULL);
}

/*
 * Closes Postfix's connection, on which there is only this login. The request lives on.
 */
static void hang_up(struct hold *hold)
{
	auth_request_set_state(hold->request, AUTH_REQUEST_STATE_PASSDB);
	client_hang_up(hold->request->handler->conn);
	auth_request_set_state(hold->request, AUTH_REQUEST_STATE_MECH_CONTINUE);
}

static void on_result(struct hold *hold, enum passdb_result result,
		      const struct credentials *credentials)
{
	uint64_t now = host_now(&host_dovecot);

	if (result == PASSDB_RESULT_INTERNAL_FAILURE && !ending && now < hold->until) {
		/*
		 * Dovecot must think that a passdb is still busy, for example if
		 * Postfix goes away.
		 */
		auth_request_set_state(hold->request, AUTH_REQUEST_STATE_PASSDB);
		hold->timer = host_dovecot.ops->timer(NULL, (unsigned)(hold->until - now),
						      on_hold_over, hold);
		return;
	}
	if (result == PASSDB_RESULT_INTERNAL_FAILURE && ending)
		hang_up(hold);
	finish(hold, result, credentials);
}

static void on_verified(enum passdb_result result, struct auth_request *request)
{
	on_result(find(request), result, NULL);
}

void smtp_hold_on_credentials(struct auth_request *request, enum passdb_result result,
			      const struct credentials *credentials)
{
	on_result(find(request), result, credentials);
}

bool smtp_hold_is_for(const struct auth_request *request)
{
	/* Without a handler the request is a lookup and no login. */
	return request->handler != NULL && strcmp(request_protocol(request), "smtp") == 0;
}

static struct hold *start(struct auth_request *request, unsigned min_ms)
{
	struct hold *hold = p_new(request->pool, struct hold, 1);

	auth_request_ref(request);
	hold->request = request;
	hold->started = host_now(&host_dovecot);
	hold->until = hold->started + min_ms;
	hold->credentials = request->wanted_credentials_scheme != NULL;
	if (hold->credentials) {
		hold->credentials_callback = request->private_callback.lookup_credentials;
		request->private_callback.lookup_credentials = credentials_to_hold;
	} else {
		hold->verify_callback = request->private_callback.verify_plain;
		request->private_callback.verify_plain = on_verified;
	}
	DLLIST_PREPEND(&holds, hold);
	return hold;
}

static bool is_last(const struct auth_passdb *passdb)
{
	return passdb->next == NULL ||
	       (passdb->result_internalfail != AUTH_DB_RULE_CONTINUE &&
		passdb->result_internalfail != AUTH_DB_RULE_CONTINUE_OK &&
		passdb->result_internalfail != AUTH_DB_RULE_CONTINUE_FAIL);
}

unsigned smtp_hold_begin(struct auth_request *request, unsigned min_ms, unsigned max_ms)
{
	struct hold *hold = find(request);
	unsigned left, passdbs = 1;
	uint64_t age;

	if (hold == NULL)
		hold = start(request, min_ms);
	if (is_last(request->passdb))
		return min_ms;
	for (const struct auth_passdb *passdb = request->passdb; !is_last(passdb);
	     passdb = passdb->next)
		passdbs++;
	/*
	 * Shares what is left of Postfix's time equally with the passdbs behind, which
	 * may be MUM's, too.
	 */
	age = host_now(&host_dovecot) - hold->started;
	left = age < POSTFIX_WAITS_MS ? POSTFIX_WAITS_MS - (unsigned)age : passdbs;
	return I_MIN(left / passdbs, I_MIN(min_ms, max_ms));
}

void smtp_hold_end_all(void)
{
	struct hold *hold, *next;

	ending = TRUE;
	for (hold = holds; hold != NULL; hold = next) {
		next = hold->next;
		/* Without a timer, passdbs are still at work and will answer. */
		if (hold->timer == NULL)
			continue;
		host_untimer(&host_dovecot, &hold->timer);
		hang_up(hold);
		finish(hold, PASSDB_RESULT_INTERNAL_FAILURE, NULL);
	}
}
