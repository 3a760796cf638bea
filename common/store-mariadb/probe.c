/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/probe.h"

#include <stdlib.h>

#include "common/xalloc.h"

enum { LOOK_EVERY = 1000 };	/* ms */

struct probe {
	struct slot slot;
	probe_works_fn *fn;
	void *arg;
	struct mum_timer *timer;	/* while there are better hosts */
	size_t worst;			/* as in probe_watch() */
	size_t next;			/* the host whose turn it is */
};

static void on_event(struct conn *conn, enum conn_event event, void *arg)
{
	struct slot *slot = arg;
	struct probe *probe = slot->owner;
	const struct slot_shared *shared = slot->shared;
	struct conn_error error = conn_error(conn);
	size_t host = slot->host;

	if (event != CONN_UP) {
		slot_count_error(slot, &error);
		host_list_failed(shared->hosts, host, &error);
		slot_empty(slot);
		return;
	}
	shared->stats[host].connects++;
	host_list_works(shared->hosts, host);
	slot_empty(slot);
	probe->fn(host, probe->arg);
}

/* The better hosts take turns: the first may be gone for good. */
static void on_timer(void *arg)
{
	struct probe *probe = arg;

	probe->timer = NULL;
	for (size_t i = 0; i < probe->worst && probe->slot.state == SLOT_EMPTY; i++) {
		size_t host = probe->next++ % probe->worst;

		if (host_list_may_try(probe->slot.shared->hosts, host))
			slot_connect(&probe->slot, host, on_event);
	}
	probe_watch(probe, probe->worst);
}

void probe_watch(struct probe *probe, size_t worst)
{
	const struct mum_host *host = probe->slot.shared->host;

	probe->worst = worst;
	if (worst > 0 && probe->timer == NULL)
		probe->timer = host->ops->timer(host->ctx, LOOK_EVERY, on_timer, probe);
}

struct probe *probe_new(const struct slot_shared *shared, probe_works_fn *fn, void *arg)
{
	struct probe *probe = xcalloc(1, sizeof(*probe));

	probe->slot.shared = shared;
	probe->slot.owner = probe;
	probe->fn = fn;
	probe->arg = arg;
	return probe;
}

void probe_free(struct probe **_probe)
{
	struct probe *probe = *_probe;

	*_probe = NULL;
	if (probe == NULL)
		return;
	host_untimer(probe->slot.shared->host, &probe->timer);
	slot_empty(&probe->slot);
	free(probe);
}
