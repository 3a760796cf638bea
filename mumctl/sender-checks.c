/* SPDX-License-Identifier: MIT */
#include "mumctl/sender-checks.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

static const char *const sender_restrictions[SENDER_RESTRICTIONS] = {
	"smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions",
	"smtpd_relay_restrictions", "smtpd_recipient_restrictions", "smtpd_data_restrictions",
	"smtpd_end_of_data_restrictions",
};

void sender_checks_init(struct sender_checks *checks)
{
	*checks = (struct sender_checks){ .main = { .asks = -1 } };
}

void sender_checks_clear(struct sender_checks *checks)
{
	for (size_t i = 0; i < checks->count; i++)
		free(checks->services[i].name);
	sender_checks_init(checks);
}

/* The strictest check in the list. */
static enum sender_check check_of(const char *restrictions)
{
	static const struct {
		const char *word;
		enum sender_check check;
	} words[] = {
		{ "reject_known_sender_login_mismatch", SENDER_CHECK_KNOWN },
		{ "reject_sender_login_mismatch", SENDER_CHECK_MISMATCH },
		{ "reject_authenticated_sender_login_mismatch", SENDER_CHECK_MISMATCH },
		{ "policy_context=sender", SENDER_CHECK_OURS },
	};
	enum sender_check check = SENDER_CHECK_NONE;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(restrictions, words[i].word) != NULL && words[i].check > check)
			check = words[i].check;
	}
	return check;
}

/* NULL when there are too many. */
static struct sender_service *find_service(struct sender_checks *checks, const char *name)
{
	struct sender_service *service = checks->services;

	for (; service < checks->services + checks->count; service++) {
		if (strcmp(service->name, name) == 0)
			return service;
	}
	if (checks->count == SENDER_SERVICES_MAX)
		return NULL;
	checks->count++;
	*service = (struct sender_service){ .name = xstrdup(name), .asks = -1 };
	return service;
}

void sender_checks_add(const char *service, const char *name, const char *value, void *arg)
{
	struct sender_checks *checks = arg;
	struct sender_service *found =
		service != NULL ? find_service(checks, service) : &checks->main;

	if (found == NULL)
		return;
	if (strcmp(name, "smtpd_sasl_auth_enable") == 0)
		found->asks = strcmp(value, "yes") == 0;
	for (int i = 0; i < SENDER_RESTRICTIONS; i++) {
		if (strcmp(name, sender_restrictions[i]) == 0)
			found->checks[i] = check_of(value);
	}
}

/* If the service does not set something, main.cf counts. */
static enum sender_check check_of_service(const struct sender_checks *checks,
					  const struct sender_service *service)
{
	enum sender_check check = SENDER_CHECK_UNKNOWN;

	for (int i = 0; i < SENDER_RESTRICTIONS; i++) {
		enum sender_check one = service->checks[i] != SENDER_CHECK_UNKNOWN
						? service->checks[i] : checks->main.checks[i];

		if (one > check)
			check = one;
	}
	return check;
}

static bool asks(const struct sender_checks *checks, const struct sender_service *service)
{
	return (service->asks >= 0 ? service->asks : checks->main.asks) > 0;
}

enum sender_check sender_checks_laxest(const struct sender_checks *checks,
				       const char **service_r)
{
	enum sender_check laxest = check_of_service(checks, &checks->main);
	bool found = asks(checks, &checks->main);

	*service_r = NULL;
	for (size_t i = 0; i < checks->count; i++) {
		const struct sender_service *service = &checks->services[i];
		enum sender_check check = check_of_service(checks, service);

		if (!asks(checks, service) || (found && check >= laxest))
			continue;
		found = true;
		laxest = check;
		*service_r = service->name;
	}
	return laxest;
}
