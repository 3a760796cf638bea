/* SPDX-License-Identifier: MIT */
/*
 * Postfix takes any failure that it hears of for a wrong password (535, and mail
 * clients ask their user for another one), but its own timeout for a temporary one
 * (454). So a login over SMTP that fails because of our trouble is told no sooner.
 *
 * Only the end is held: when one passdb fails for now, the others are asked at once,
 * and a login that one of them lets in is in.
 */
#ifndef MUM_DOVECOT_SMTP_HOLD_H
#define MUM_DOVECOT_SMTP_HOLD_H

#include "dovecot-plugin/dovecot.h"

/* Does Postfix wait for the answer? */
bool smtp_hold_is_for(const struct auth_request *request);

/*
 * Called by a passdb at the beginning of each of its lookups, of which the first counts:
 * a temporary failure of the whole login will be told min_ms after it. Returns for how
 * long, in ms, the passdb may look before it has to leave time for those behind it;
 * that is at most max_ms, or min_ms where none is asked after it.
 */
unsigned smtp_hold_begin(struct auth_request *request, unsigned min_ms, unsigned max_ms);

/* One of the credentials lookups that smtp_hold_begin() has put itself behind is over. */
void smtp_hold_on_credentials(struct auth_request *request, enum passdb_result result,
			      const struct credentials *credentials);

/*
 * auth ends and waits for nobody: from now on a temporary failure closes Postfix's
 * connection, which is a temporary failure to it, too.
 */
void smtp_hold_end_all(void);

#endif
