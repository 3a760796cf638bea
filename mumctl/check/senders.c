/* SPDX-License-Identifier: MIT */
/* Does Postfix ask mumd where the limits of logins count, and does mumd say who sends? */
#include "mumctl/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/sender-list.h"
#include "mumctl/settings.h"

/* Asks it our policy service, in a context that counts? */
static bool counts(const struct check *check, const char *one)
{
	static const char name[] = "policy_context";
	const char *context = strstr(one, name);

	if (!check_asks_us(check, one))
		return false;
	if (context == NULL)
		return true;
	context += strlen(name);
	context += strspn(context, " =");
	return strncmp(context, "limit", 5) == 0 && strcspn(context, " ,}") == 5;
}

static void check_data(const struct check *check, const char *service)
{
	static const char name[] = "smtpd_data_restrictions";
	const char *list = service != NULL ? settings_of_service(check->settings, service, name)
					   : settings_of_postfix(check->settings, name);
	bool found = list == NULL;
	char *one, *where;

	while (!found && (one = settings_next_table(&list)) != NULL) {
		found = counts(check, one);
		free(one);
	}
	if (found)
		return;
	where = service != NULL ? xasprintf("master.cf %s %s", service, name)
				: xasprintf("main.cf %s", name);
	report_add(check->report, LEVEL_WARNING, "limits-unasked", where,
		   "put the policy service there with policy_context=limit, see "
		   "conf-examples/master.cf",
		   "policy.send is on, but no mail of who logs in there is counted");
	free(where);
}

static void find_login_services(const char *service, const char *name, const char *value,
				void *arg)
{
	if (strcmp(name, "smtpd_sasl_auth_enable") == 0 && strcmp(value, "yes") == 0)
		check_data(arg, service);
}

void check_senders(const struct check *check)
{
	const struct mum_config *config = check->config;
	struct sender_list list;
	char *why;

	if (config->policy.send == MUM_CHECK_OFF)
		return;
	if (!sender_list_ask(config, &list, &why))
		report_add(check->report, LEVEL_WARNING, "limits-unseen",
			   config->policy.send_socket,
			   "see policy.send_socket in mumd's log, then restart mumd",
			   "mumd does not say who sends: %s", why);
	free(why);
	sender_list_free(&list);
	if (settings_other_tables(check->settings, config) >= 0)
		settings_each_of_postfix(check->settings, find_login_services, (void *)check);
}
