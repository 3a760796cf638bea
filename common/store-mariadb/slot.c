/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/slot.h"

static void count_state(const struct slot *slot, int change)
{
	static const enum mum_connection kinds[] = { [SLOT_CONNECTING] = MUM_CONNECTING,
						     [SLOT_IDLE] = MUM_IDLE,
						     [SLOT_BUSY] = MUM_BUSY };
	struct mum_host_stats *stats = &slot->shared->stats[slot->host];

	if (slot->state != SLOT_EMPTY)
		stats->connections[kinds[slot->state]] += (size_t)change;
}

void slot_set_state(struct slot *slot, enum slot_state state)
{
	count_state(slot, -1);
	slot->state = state;
	count_state(slot, 1);
}

void slot_count_error(const struct slot *slot, const struct conn_error *error)
{
	enum error_class class = error->timed_out ? ERROR_SLOW : error->class;

	slot->shared->stats[slot->host].errors[class]++;
}

bool slot_connect(struct slot *slot, size_t host, conn_event_fn *fn)
{
	static const struct conn_error no_thread = { ERROR_RETRY, false, 0,
						     "no thread to connect in" };
	const struct slot_shared *shared = slot->shared;
	struct connector_settings settings =
		connector_settings(shared->config, host_list_name(shared->hosts, host));

	slot->host = host;
	slot->conn = conn_new(shared->host, &settings, fn, slot);
	if (slot->conn != NULL) {
		slot_set_state(slot, SLOT_CONNECTING);
		return true;
	}
	slot_count_error(slot, &no_thread);
	host_list_failed(shared->hosts, host, &no_thread);
	return false;
}

void slot_empty(struct slot *slot)
{
	slot_set_state(slot, SLOT_EMPTY);
	slot->retire = false;
	slot->answered = false;
	conn_free(&slot->conn);
}
