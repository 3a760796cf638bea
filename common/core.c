/* SPDX-License-Identifier: MIT */
#include "common/core.h"

#include <stdlib.h>

#include "common/store.h"
#include "common/xalloc.h"

struct mum_core {
	const struct mum_host *host;
	struct mum_config *config;
	struct store *store;
	struct lookups *lookups;
	struct mum_stats stats;
};

/* Where the store counts: one entry for each place that it may connect to. */
static void make_hosts(struct mum_core *core)
{
	const struct mum_config *config = core->config;
	bool is_file = config->database.driver == MUM_DRIVER_SQLITE;

	core->stats.hosts_count = is_file ? 1 : config->database.hosts.count;
	core->stats.hosts = xcalloc(core->stats.hosts_count, sizeof(core->stats.hosts[0]));
	for (size_t i = 0; i < core->stats.hosts_count; i++)
		core->stats.hosts[i].name = is_file ? config->database.path
						    : config->database.hosts.items[i];
}

struct mum_core *mum_core_new(const struct mum_host *host, struct mum_config **config,
			      enum mum_role role)
{
	struct mum_core *core = xcalloc(1, sizeof(*core));
	struct lookups_settings settings;

	core->host = host;
	core->config = *config;
	*config = NULL;
	make_hosts(core);
	settings = (struct lookups_settings){
		.recipient_delimiter = core->config->address.recipient_delimiter,
		.ttl_ms = core->config->cache.ttl,
		/* No old userdb answer after a change by an admin. */
		.stale_ms = role == MUM_ROLE_POSTFIX ? core->config->cache.stale : 0,
		.entries = core->config->cache.entries,
		.recipients = recipients_settings_of(core->config),
		.drops_extension = !core->config->address.propagate_extension,
		.catch_all_senders = core->config->address.catch_all_senders,
	};
	core->store = core->config->database.driver == MUM_DRIVER_SQLITE
			      ? store_sqlite_open(host, core->config, core->stats.hosts)
			      : store_mariadb_open(host, core->config, core->stats.hosts);
	core->lookups = lookups_new(host, core->store, &settings, &core->stats);
	return core;
}

void mum_core_free(struct mum_core **_core)
{
	struct mum_core *core = *_core;

	*_core = NULL;
	if (core == NULL)
		return;
	lookups_free(&core->lookups);
	core->store->ops->close(core->store);
	free(core->stats.hosts);
	mum_config_free(&core->config);
	free(core);
}

bool mum_core_is_idle(const struct mum_core *core)
{
	return core->stats.in_flight == 0;
}

const struct mum_config *mum_core_config(const struct mum_core *core)
{
	return core->config;
}

struct mum_lookup *mum_core_ask(struct mum_core *core, unsigned questions,
				const char *key, size_t key_len, unsigned deadline_ms,
				mum_answer_fn *fn, void *arg)
{
	return mum_lookup_start(core->lookups, questions, key, key_len, deadline_ms, fn, arg);
}

const struct mum_stats *mum_core_stats(const struct mum_core *core)
{
	return &core->stats;
}

bool mum_core_is_up(const struct mum_core *core)
{
	return core->store->up;
}

struct mum_lookup *mum_core_probe(struct mum_core *core, unsigned deadline_ms,
				  mum_answer_fn *fn, void *arg)
{
	/*
	 * müm.invalid can be no domain (RFC 2606), so the answer is complete and
	 * empty. It has two spellings, which makes the core use the statement for many
	 * names: a server that is too old fails at its syntax, but accepts the
	 * statement for one name.
	 */
	static const char key[] = "m\303\274m.invalid";

	return mum_core_ask(core, MUM_ASK(MUM_DOMAIN) | MUM_FRESH, key, sizeof(key) - 1,
			    deadline_ms, fn, arg);
}
