/* SPDX-License-Identifier: MIT */
#include "mumctl/grants.h"

const struct grant grants[GRANTS] = {
	{ MUM_ROLE_POSTFIX, "domains", "id, domain, active" },
	{ MUM_ROLE_POSTFIX, "mailboxes", "id, local_part, domain_id, active, send_only" },
	{ MUM_ROLE_POSTFIX, "aliases", "id, local_part, domain_id, active, deactivate_at" },
	{ MUM_ROLE_POSTFIX, "alias_recipients",
	  "id, alias_id, recipient_address, mailbox_id" },
	{ MUM_ROLE_POSTFIX, "alias_senders", "id, alias_id, mailbox_id" },
	{ MUM_ROLE_POSTFIX, "tls_policies", "domain, policy, params, active" },
	{ MUM_ROLE_DOVECOT, "domains", "id, domain, active, quota" },
	{ MUM_ROLE_DOVECOT, "mailboxes",
	  "id, local_part, password, domain_id, quota, homedir, maildir, active, send_only" },
};
