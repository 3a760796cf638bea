/* SPDX-License-Identifier: MIT */
/*
 * Is a password the right one? Dovecot's own code says so: in an auth worker, where
 * nobody waits for it, or here (dovecot.verify in mum.conf).
 *
 * Whoever cannot log in whatever the password is waits as long as everybody else:
 * a dummy, a hash that no password matches, is verified in place of the hash.
 */
#ifndef MUM_DOVECOT_VERIFY_H
#define MUM_DOVECOT_VERIFY_H

#include <stdbool.h>

#include "dovecot-plugin/dovecot.h"

struct verification {
	struct auth_request *request;	/* the caller holds a reference until fn */
	const char *crypted;		/* {SCHEME}hash, or NULL: no password is right */
	const char *dummy;		/* {SCHEME}hash */
	bool in_worker;
	/*
	 * Called once, from verify_start() or from the loop, with OK,
	 * PASSWORD_MISMATCH, SCHEME_NOT_AVAILABLE where nobody can or may read crypted,
	 * or INTERNAL_FAILURE where no worker answered. Never called when Dovecot's
	 * queue to the workers ends first.
	 */
	worker_answer_fn *fn;
	void *context;
};

/* Verifies request->mech_password. Copies what it needs later to the request's pool. */
void verify_start(const struct verification *verification);

/*
 * In a worker: verifies what verify_start() sent, and calls callback. False when
 * the request is not of that kind.
 */
bool verify_for_auth(struct auth_request *request, verify_plain_callback_t *callback);

#endif
