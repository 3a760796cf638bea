/* SPDX-License-Identifier: MIT */
/*
 * Verifications on their way to the auth workers. Until the first worker has answered,
 * auth of Dovecot 2.4 does not know how many workers it may have. It connects to one
 * for each request, and those beyond the limit fail after some seconds. So the first
 * verification goes alone. When it is answered the others follow; if it fails they
 * fail with it.
 */
#ifndef MUM_DOVECOT_VERIFY_QUEUE_H
#define MUM_DOVECOT_VERIFY_QUEUE_H

#include "dovecot-plugin/dovecot.h"

/*
 * Calls request_ask_worker() when it is the request's turn. Copies the command to the
 * request's pool; the request must live until fn is called, or until verify_queue_end().
 */
void verify_queue_ask(struct auth_request *request, const char *command,
		      worker_answer_fn *fn, void *context);

/* auth ends: drops what still waits, and never calls its fn. */
void verify_queue_end(void);

#endif
