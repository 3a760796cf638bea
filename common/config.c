/* SPDX-License-Identifier: MIT */
#include "common/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/endpoint.h"
#include "common/secret.h"

void mum_config_free(struct mum_config **_config)
{
	struct mum_config *config = *_config;

	*_config = NULL;
	if (config == NULL)
		return;
	secret_free(&config->secret);
	arena_wipe(&config->arena);
	free(config);
}

struct reading_settings mum_config_readings(const struct mum_config *config)
{
	return (struct reading_settings){ config->address.allow_percent_hack,
					  config->address.swap_bangpath,
					  config->address.myorigin, config->address.mydomain };
}

struct fallback_settings mum_config_fallbacks(const struct mum_config *config)
{
	return (struct fallback_settings){ config->address.catch_all,
					   config->address.roles.count,
					   config->address.roles.items,
					   config->address.role_recipient };
}

bool mum_config_is_local(const char *host)
{
	struct endpoint endpoint;

	return endpoint_parse_server(host, &endpoint) && endpoint_is_local(&endpoint);
}

bool mum_config_wants_tls(const struct mum_config *config, const char *host)
{
	if (strncmp(host, "unix:", 5) == 0)
		return false;
	return config->database.tls == MUM_TLS_DEFAULT
		       ? !mum_config_is_local(host)
		       : config->database.tls != MUM_TLS_OFF;
}
