/* SPDX-License-Identifier: MIT */
/* What of Postfix still goes round mumd where it asks mumd already: a move that stopped. */
#include "mumctl/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/settings.h"

/* "main.cf NAME", or "master.cf SERVICE NAME". Caller frees. */
static char *place(const char *service, const char *name)
{
	return service != NULL ? xasprintf("master.cf %s %s", service, name)
			       : xasprintf("main.cf %s", name);
}

/* ---- mysql: files ---- */

static void find_stock_tables(const char *service, const char *name, const char *value,
			      void *arg)
{
	const struct check *check = arg;
	char *where = place(service, name);
	char *table;

	while ((table = settings_next_table(&value)) != NULL) {
		if (settings_is_stock_table(table))
			report_add(check->report, LEVEL_WARNING, "mysql-left", where,
				   "exchange it as mum-postfix(7) says, or \"mumctl setup\" prints",
				   "Postfix still asks %s there, and mumd elsewhere", table);
		free(table);
	}
	free(where);
}

/* ---- who asks the policy service ---- */

/* A listener of the policy service, maybe written relative to Postfix's queue directory. */
static bool names_listener(const char *list, const char *listener, const char *queue)
{
	size_t len = strlen(queue);
	bool below = strncmp(listener, "unix:", 5) == 0 &&
		     strncmp(listener + 5, queue, len) == 0 && listener[5 + len] == '/';
	char *relative = below ? xasprintf("unix:%s", listener + 5 + len + 1) : xstrdup(listener);
	bool names = strstr(list, listener) != NULL || strstr(list, relative) != NULL;

	free(relative);
	return names;
}

bool check_asks_us(const struct check *check, const char *list)
{
	const struct mum_list *listen = &check->config->policy.listen;
	const char *queue = settings_of_postfix(check->settings, "queue_directory");
	bool asks = false;

	for (size_t i = 0; i < listen->count && queue != NULL && !asks; i++)
		asks = names_listener(list, listen->items[i], queue);
	return asks;
}

/* other: what does the same without the policy service. */
static bool asks_us(const struct check *check, const char *list, const char *other)
{
	return strstr(list, other) != NULL || check_asks_us(check, list);
}

static void check_recipients(const struct check *check, const char *service)
{
	static const char name[] = "smtpd_recipient_restrictions";
	const char *list = service != NULL ? settings_of_service(check->settings, service, name)
					   : settings_of_postfix(check->settings, name);
	char *where = place(service, name);

	if (list != NULL && !asks_us(check, list, "socketmap:recipient-access"))
		report_add(check->report, LEVEL_WARNING, "recipients-unasked", where,
			   "put the policy service there, see conf-examples/main.cf, or \"mumctl "
			   "setup\"",
			   "mail to a send-only mailbox is accepted there, and bounced");
	free(where);
}

static void check_login_service(const struct check *check, const char *service)
{
	const char *senders = settings_of_service(check->settings, service,
						  "smtpd_sender_restrictions");
	char *where = place(service, "smtpd_sender_restrictions");

	if (senders != NULL && !asks_us(check, senders, "_login_mismatch"))
		report_add(check->report, LEVEL_WARNING, "senders-unasked", where,
			   "put the policy service there, see conf-examples/master.cf, or "
			   "\"mumctl setup\"",
			   "who logs in there may send under any address");
	free(where);
	check_recipients(check, service);
}

static void find_login_services(const char *service, const char *name, const char *value,
				void *arg)
{
	const struct check *check = arg;

	if (service == NULL)
		return;
	if (strcmp(name, "smtpd_sasl_auth_enable") == 0 && strcmp(value, "yes") == 0)
		check_login_service(check, service);
	if (strcmp(name, "smtpd_reject_unlisted_recipient") == 0 && strcmp(value, "no") == 0) {
		char *where = place(service, name);

		report_add(check->report, LEVEL_WARNING, "recipients-unasked", where,
			   "take the line out",
			   "mail to an address that nobody has is accepted there, and bounced");
		free(where);
	}
}

void check_services(const struct check *check)
{
	if (settings_other_tables(check->settings, check->config) < 0)
		return;		/* it does not ask mumd */
	settings_each_of_postfix(check->settings, find_stock_tables, (void *)check);
	if (check->config->policy.listen.count == 0)
		return;
	check_recipients(check, NULL);
	settings_each_of_postfix(check->settings, find_login_services, (void *)check);
}

/* ---- Dovecot behind it ---- */

struct foreign {
	char *first;	/* an active domain with letters beyond ASCII, or NULL */
	size_t count;
};

static void on_domain(const struct column *columns, void *arg)
{
	struct foreign *foreign = arg;
	bool ascii = true;

	for (size_t i = 0; i < columns[0].len && ascii; i++)
		ascii = (unsigned char)columns[0].data[i] < 0x80;
	if (ascii)
		return;
	foreign->count++;
	if (foreign->first == NULL)
		foreign->first = xstrndup(columns[0].data, columns[0].len);
}

/* The queries of MUM's manual compare with the stored spelling; LMTP gets the other. */
void check_sql_behind(const struct check *check)
{
	struct foreign foreign = { .first = NULL };

	if (!settings_dovecot_asks_sql(check->settings) ||
	    settings_other_tables(check->settings, check->config) < 0)
		return;
	check_query(check, "SELECT domain FROM domains WHERE active = 1 ORDER BY id", on_domain,
		    &foreign);
	if (foreign.count > 0)
		report_add(check->report, LEVEL_ERROR, "sql-behind", "dovecot.conf",
			   "move Dovecot to the module: mum-dovecot(7)",
			   "Postfix asks mumd, and Dovecot its sql driver: mail to domains with "
			   "letters beyond ASCII is accepted and bounced, if that finds only what "
			   "MUM has stored; they are %zu, the first: %s",
			   foreign.count, foreign.first);
	free(foreign.first);
}
