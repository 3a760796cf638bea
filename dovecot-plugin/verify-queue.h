/* SPDX-License-Identifier: MIT */
/*
 * Verifications on their way to the auth workers. Until its first worker has answered,
 * auth of Dovecot 2.4 does not know how many it may have, connects to one for each
 * request, and those that are too many fail after some seconds. So the first verification
 * goes alone, and the others follow when it is answered, or fail with it.
 */
#ifndef MUM_DOVECOT_VERIFY_QUEUE_H
#define MUM_DOVECOT_VERIFY_QUEUE_H

#include "dovecot-plugin/dovecot.h"

/*
 * As request_ask_worker(), once it is the request's turn. Copies the command to the
 * request's pool; the request must live until fn is called or verify_queue_end().
 */
void verify_queue_ask(struct auth_request *request, const char *command,
		      worker_answer_fn *fn, void *context);

/* auth ends: what still waits is forgotten, and its fn never called. */
void verify_queue_end(void);

#endif
