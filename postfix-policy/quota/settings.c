/* SPDX-License-Identifier: MIT */
#include "postfix-policy/quota/settings.h"

#include <stdlib.h>
#include <string.h>

#include "common/endpoint.h"
#include "common/xalloc.h"

struct quota_settings quota_settings(const struct mum_config *config)
{
	struct endpoint endpoint;
	bool on = config->policy.quota != MUM_CHECK_OFF &&
		  endpoint_parse_listen(config->policy.quota_status, &endpoint);

	return (struct quota_settings){ on ? endpoint.path : NULL,
					config->policy.quota_connections,
					config->policy.quota_deadline,
					config->policy.quota_ttl };
}

void quota_settings_keep(struct quota_settings *kept, const struct quota_settings *settings)
{
	free((char *)kept->path);
	*kept = *settings;
	if (settings->path != NULL)
		kept->path = xstrdup(settings->path);
}

bool quota_settings_are_same(const struct quota_settings *a, const struct quota_settings *b)
{
	bool same_path = a->path == NULL || b->path == NULL ? a->path == b->path
							    : strcmp(a->path, b->path) == 0;

	return same_path && a->connections == b->connections &&
	       a->deadline == b->deadline && a->ttl == b->ttl;
}
