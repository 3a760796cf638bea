/* SPDX-License-Identifier: MIT */
/* Does Postfix ask mumd where the limits of logins count, and does mumd say who sends? */
#include "mumctl/check/check.h"

#include <string.h>

#include "mumctl/sender-list.h"
#include "mumctl/settings.h"

/* Does it ask our policy service, in a context that counts? */
static bool counts(const char *one, const void *arg)
{
	static const char name[] = "policy_context";
	const char *context = strstr(one, name);

	if (!check_asks_us(arg, one))
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
	const char *list = settings_of_service(check->settings, service, name);

	if (list != NULL && !settings_any_table(list, counts, check))
		report_add(check->report, LEVEL_WARNING, "limits-unasked",
			   check_setting(check, service, name),
			   "put the policy service there with policy_context=limit, see "
			   "conf-examples/master.cf",
			   "policy.send is on, but Postfix does not ask at DATA there, so nothing "
			   "is counted");
}

static void find_login_services(const char *service, const char *name, const char *value,
				void *arg)
{
	if (strcmp(name, "smtpd_sasl_auth_enable") == 0 && strcmp(value, "yes") == 0)
		check_data(arg, service);
}

void check_limits(const struct check *check)
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
