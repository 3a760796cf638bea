/* SPDX-License-Identifier: MIT */
/*
 * Verifies a password, by Dovecot's own code: in an auth worker, so that auth does not
 * wait, in its turn (verify-queue.h); or in this process (dovecot.verify in mum.conf).
 *
 * A user who cannot log in with any password must wait as long as everybody else. So a
 * dummy, a hash that no password matches, is verified in place of the hash.
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
	 * PASSWORD_MISMATCH, SCHEME_NOT_AVAILABLE if nobody can or may read crypted,
	 * or INTERNAL_FAILURE if no worker answered. If one of the two queues to the
	 * workers ends first, ours or Dovecot's, it is never called.
	 */
	worker_answer_fn *fn;
	void *context;
};

/* Verifies request->mech_password. Copies what it needs later to the request's pool. */
void verify_start(const struct verification *verification);

/*
 * In a worker: verifies what verify_start() sent, and calls callback. False when
 * verify_start() did not send the request.
 */
bool verify_for_auth(struct auth_request *request, verify_plain_callback_t *callback);

#endif
