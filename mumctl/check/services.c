/* SPDX-License-Identifier: MIT */
/* What Postfix still does without mumd though it asks mumd elsewhere: a half-done move. */
#include "mumctl/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/settings.h"

const char *check_setting(const struct check *check, const char *service, const char *name)
{
	return service != NULL ? report_text(check->report, "master.cf %s %s", service, name)
			       : report_text(check->report, "main.cf %s", name);
}

/* ---- mysql: files ---- */

static void find_stock_tables(const char *service, const char *name, const char *value,
			      void *arg)
{
	const struct check *check = arg;
	const char *where = check_setting(check, service, name);
	char *table;

	while ((table = settings_next_table(&value)) != NULL) {
		if (settings_is_stock_table(table))
			report_add(check->report, LEVEL_WARNING, "mysql-left", where,
				   "exchange it as mum-postfix(7) says, or \"mumctl setup\" prints",
				   "Postfix still asks %s there, and mumd elsewhere", table);
		free(table);
	}
}

/* ---- who asks the policy service ---- */

bool check_asks_us(const struct check *check, const char *list)
{
	const struct mum_list *listen = &check->config->policy.listen;
	const char *queue = settings_of_postfix(check->settings, "queue_directory");
	bool asks = false;

	for (size_t i = 0; i < listen->count && queue != NULL && !asks; i++) {
		char *relative = settings_relative(listen->items[i], queue);

		asks = strstr(list, listen->items[i]) != NULL || strstr(list, relative) != NULL;
		free(relative);
	}
	return asks;
}

/* A list of restrictions that must ask us, and what follows if it does not. */
struct duty {
	const char *name, *other;	/* other: what does the same without us */
	const char *example, *what;
};

static const struct duty recipients = {
	"smtpd_recipient_restrictions", "socketmap:recipient-access", "main.cf",
	"mail to a send-only mailbox is accepted there, and bounced",
};
static const struct duty senders = {
	"smtpd_sender_restrictions", "_login_mismatch", "master.cf",
	"who logs in there may send under any address",
};

static void check_duty(const struct check *check, const char *service, const char *code,
		       const struct duty *duty)
{
	const char *list = settings_of_service(check->settings, service, duty->name);

	if (list == NULL || strstr(list, duty->other) != NULL || check_asks_us(check, list))
		return;
	report_add(check->report, LEVEL_WARNING, code,
		   check_setting(check, service, duty->name),
		   report_text(check->report, "put the policy service there, see conf-examples/%s, "
			       "or \"mumctl setup\"", duty->example), "%s", duty->what);
}

static void find_login_services(const char *service, const char *name, const char *value,
				void *arg)
{
	const struct check *check = arg;

	if (service == NULL)
		return;
	if (strcmp(name, "smtpd_sasl_auth_enable") == 0 && strcmp(value, "yes") == 0) {
		check_duty(check, service, "senders-unasked", &senders);
		check_duty(check, service, "recipients-unasked", &recipients);
	}
	if (strcmp(name, "smtpd_reject_unlisted_recipient") == 0 && strcmp(value, "no") == 0)
		report_add(check->report, LEVEL_WARNING, "recipients-unasked",
			   check_setting(check, service, name), "take the line out",
			   "mail to an address that nobody has is accepted there, and bounced");
}

void check_services(const struct check *check)
{
	if (settings_other_tables(check->settings, check->config) < 0)
		return;		/* it does not ask mumd */
	settings_each_of_postfix(check->settings, find_stock_tables, (void *)check);
	if (check->config->policy.listen.count == 0)
		return;
	check_duty(check, NULL, "recipients-unasked", &recipients);
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

	if (text_is_ascii(columns[0].data, columns[0].len))
		return;
	foreign->count++;
	if (foreign->first == NULL)
		foreign->first = xstrndup(columns[0].data, columns[0].len);
}

/* The queries of MUM's manual find only the stored spelling, but LMTP gets the other one. */
void check_sql_behind(const struct check *check)
{
	struct foreign foreign = { .first = NULL };

	if (!check->settings->dovecot_asks_sql ||
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
