/* SPDX-License-Identifier: MIT */
/*
 * Verifications on their way to the auth workers: no more at once than processors can
 * compute. More would be done no sooner, but auth itself would wait for a processor among
 * as many workers as Dovecot may start, and with it each lookup that needs no password.
 * The price: two logins with a hash at the limit of what it may cost hold up all others,
 * on two processors.
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
 * request's pool. The request must live until fn is called, or until verify_queue_forget()
 * or verify_queue_end(). As in Dovecot's own queue, who has waited for a minute fails: fn
 * gets INTERNAL_FAILURE, and the log has a line about the request. Logs when requests
 * begin to wait for seconds, at most once in five minutes, and then when none waits any more.
 */
void verify_queue_ask(struct auth_request *request, const char *command,
		      worker_answer_fn *fn, void *context);

/* fn of that context is not called any more, if it still waits for its turn. */
void verify_queue_forget(const void *context);

/* auth ends: the same for all that wait. */
void verify_queue_end(void);

#endif
