/* SPDX-License-Identifier: MIT */
#include "mumctl/grants.h"

#include <string.h>

#include "common/xalloc.h"

const struct grant grants[GRANTS] = {
	{ MUM_ROLE_POSTFIX, "domains", "id, domain, active", NULL },
	{ MUM_ROLE_POSTFIX, "mailboxes", "id, local_part, domain_id, active, send_only", NULL },
	{ MUM_ROLE_POSTFIX, "aliases", "id, local_part, domain_id, active, deactivate_at", NULL },
	{ MUM_ROLE_POSTFIX, "alias_recipients",
	  "id, alias_id, recipient_address, mailbox_id", NULL },
	{ MUM_ROLE_POSTFIX, "alias_senders", "id, alias_id, mailbox_id", NULL },
	{ MUM_ROLE_POSTFIX, "tls_policies", "domain, policy, params, active", NULL },
	{ MUM_ROLE_DOVECOT, "domains", "id, domain, active, quota", "max_quota" },
	{ MUM_ROLE_DOVECOT, "mailboxes",
	  "id, local_part, password, domain_id, quota, homedir, maildir, active, send_only",
	  NULL },
	{ MUM_ROLE_MEASURE, "size_measurements", NULL, NULL },
};

/* Is it a name that SQL takes without quotes? */
static bool is_plain(const char *name)
{
	return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789_")] == '\0';
}

char *grant_statement(const struct grant *grant, const char *database, const char *account)
{
	const char *quote = is_plain(database) ? "" : "`";
	const char *besides = grant->besides != NULL ? grant->besides : "";

	if (grant->columns == NULL)
		return xasprintf("GRANT INSERT ON %s%s%s.%s TO %s", quote, database, quote,
				 grant->table, account);
	return xasprintf("GRANT SELECT (%s%s%s) ON %s%s%s.%s TO %s", grant->columns,
			 *besides != '\0' ? ", " : "", besides, quote, database, quote,
			 grant->table, account);
}

bool grants_has_measure(const struct mum_config *config)
{
	return config->database.driver != MUM_DRIVER_SQLITE &&
	       (*config->database.password != '\0' || *config->database.password_file != '\0');
}
