/* SPDX-License-Identifier: MIT */
#include "postfix-policy/senders.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "postfix-policy/send-check.h"

struct senders {
	struct service *service;
};

static const struct mum_config *config_of(const struct senders *senders)
{
	return mum_core_config(senders->service->core);
}

static bool is_on(const struct senders *senders)
{
	return config_of(senders)->policy.send != MUM_CHECK_OFF;
}

static void turn_on(struct senders *senders)
{
	struct service *service = senders->service;

	service->send = send_new(service->host, config_of(senders),
				 &service->metrics->decisions, &service->metrics->send);
}

struct senders *senders_new(struct service *service)
{
	struct senders *senders = xcalloc(1, sizeof(*senders));

	senders->service = service;
	if (is_on(senders))
		turn_on(senders);
	return senders;
}

void senders_reload(struct senders *senders)
{
	if (!is_on(senders))
		send_free(&senders->service->send);
	else if (senders->service->send != NULL)
		send_configure(senders->service->send, config_of(senders));
	else
		turn_on(senders);
}

void senders_free(struct senders **_senders)
{
	struct senders *senders = *_senders;

	*_senders = NULL;
	if (senders == NULL)
		return;
	send_free(&senders->service->send);
	free(senders);
}
