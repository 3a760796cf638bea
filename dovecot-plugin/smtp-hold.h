/* SPDX-License-Identifier: MIT */
/*
 * Postfix takes any failure that Dovecot reports for a wrong password (535, and mail
 * clients ask for a new one). Only its own timeout is a temporary failure to it (454).
 * So we report a login over SMTP that fails for now only after that timeout.
 *
 * We hold back only the final result. When one passdb fails for now, the others are
 * asked at once, and if one of them accepts the login, it succeeds at once.
 */
#ifndef MUM_DOVECOT_SMTP_HOLD_H
#define MUM_DOVECOT_SMTP_HOLD_H

#include "dovecot-plugin/dovecot.h"

/* Does Postfix wait for the answer? */
bool smtp_hold_is_for(const struct auth_request *request);

/*
 * A passdb calls this at the beginning of each lookup. The first call counts: min_ms
 * after it, we report a temporary failure of the whole login. Returns how long, in ms,
 * the passdb may take, so that time is left for the passdbs behind it: at most max_ms,
 * or min_ms if none is asked after it.
 */
unsigned smtp_hold_begin(struct auth_request *request, unsigned min_ms, unsigned max_ms);

/* The end of a lookup of credentials, whose callback smtp_hold_begin() has replaced. */
void smtp_hold_on_credentials(struct auth_request *request, enum passdb_result result,
			      const struct credentials *credentials);

/*
 * auth ends and waits for nobody. From now on a temporary failure closes Postfix's
 * connection; Postfix takes that for a temporary failure, too.
 */
void smtp_hold_end_all(void);

#endif
