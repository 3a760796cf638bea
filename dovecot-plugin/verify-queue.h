/* SPDX-License-Identifier: MIT */
/*
 * Verifications on their way to the auth workers: no more at once than processors can
 * compute, and one. More would be no sooner done, but auth itself would wait for a
 * processor among thirty workers, and each lookup that needs no password with it.
 *
 * The first verification goes alone: until a worker has answered, auth of Dovecot 2.4
 * does not know how many workers it may have. It connects to one for each request, and
 * those beyond the limit fail after some seconds. If the first fails, all that wait fail
 * with it.
 */
#ifndef MUM_DOVECOT_VERIFY_QUEUE_H
#define MUM_DOVECOT_VERIFY_QUEUE_H

#include "dovecot-plugin/dovecot.h"

/*
 * Calls request_ask_worker() when it is the request's turn. Copies the command to the
 * request's pool; the request must live until fn is called, or until verify_queue_end().
 * Like Dovecot's own queue, gives up on a request that has waited for a minute: fn gets
 * INTERNAL_FAILURE. Logs when requests begin to wait for seconds, and when none does any
 * more.
 */
void verify_queue_ask(struct auth_request *request, const char *command,
		      worker_answer_fn *fn, void *context);

/* auth ends: drops what still waits, and never calls its fn. */
void verify_queue_end(void);

#endif
