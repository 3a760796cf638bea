/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/host-list.h"

#include <stdlib.h>

#include "common/xalloc.h"

enum {
	BACKOFF_FIRST = 50,	/* ms; doubles with each failure */
	BACKOFF_MAX = 500,	/* ms; so we notice within a second that a host is back */
	FAILURES_OF_RESTART = 6,
	BACKOFF_REFUSED = 2000	/* ms; servers block hosts after too many failed logins */
};

struct database_host {
	const char *name;
	unsigned failures;	/* since it last worked */
	uint64_t retry_at;	/* host_now() */
	uint64_t failed_since;
	bool told_cause;	/* the log already says what an admin must fix */
};

struct host_list {
	const struct mum_host *host;
	size_t count;
	unsigned seed;		/* for the jitter */
	struct database_host hosts[];
};

struct host_list *host_list_new(const struct mum_host *host, const struct mum_list *names)
{
	struct host_list *list =
		xcalloc(1, sizeof(*list) + names->count * sizeof(list->hosts[0]));

	list->host = host;
	list->count = names->count;
	list->seed = (unsigned)host_now(host);
	for (size_t i = 0; i < names->count; i++)
		list->hosts[i].name = names->items[i];
	return list;
}

void host_list_free(struct host_list **list)
{
	free(*list);
	*list = NULL;
}

size_t host_list_count(const struct host_list *list)
{
	return list->count;
}

const char *host_list_name(const struct host_list *list, size_t index)
{
	return list->hosts[index].name;
}

bool host_list_may_try(const struct host_list *list, size_t index)
{
	return host_now(list->host) >= list->hosts[index].retry_at;
}

bool host_list_pick(const struct host_list *list, size_t *index_r, unsigned *wait_ms_r)
{
	uint64_t now = host_now(list->host);
	size_t next = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->hosts[i].failures == 0 && now >= list->hosts[i].retry_at) {
			*index_r = i;
			return true;
		}
		if (list->hosts[i].retry_at < list->hosts[next].retry_at)
			next = i;
	}
	*index_r = next;
	if (now >= list->hosts[next].retry_at)
		return true;
	*wait_ms_r = (unsigned)(list->hosts[next].retry_at - now);
	return false;
}

/*
 * Does the failure last until an admin fixes it? Numbers from 2000 on, of TLS for
 * example, come from our side; a restart of the server causes them, too.
 */
static bool will_last(const struct database_host *db, const struct conn_error *error)
{
	return error->class == ERROR_MISCONFIGURED &&
	       (error->number < 2000 || db->failures >= FAILURES_OF_RESTART);
}

/*
 * The delay doubles. Up to a quarter is left out at random, so that many clients do
 * not come at once.
 */
static unsigned backoff(struct host_list *list, const struct database_host *db,
			const struct conn_error *error)
{
	unsigned ms = BACKOFF_MAX;

	if (will_last(db, error))
		ms = BACKOFF_REFUSED;
	else if (db->failures < 4)
		ms = BACKOFF_FIRST << db->failures;
	return ms - (unsigned)rand_r(&list->seed) % (ms / 4 + 1);
}

void host_list_suspect(struct host_list *list, size_t index)
{
	if (list->count > 1)
		list->hosts[index].retry_at = host_now(list->host) + BACKOFF_MAX;
}

static const char *cure(const struct database_host *db, const struct conn_error *error)
{
	if (error->number == ERROR_SESSION)
		return "; look for it in the server's configuration and init_connect, and in "
		       "a proxy's";
	if (error->number == ERROR_PLUGIN)
		return "; set tls = \"verify-full\" in [database] of mum.conf, or let the user "
		       "log in by mysql_native_password or ed25519";
	if (error->class == ERROR_MISCONFIGURED)
		return "; fix [database] in mum.conf or the server's accounts";
	/* 2013: no answer in time. The sandbox of mumd.service drops packets silently. */
	if (error->number == 2013 && !mum_config_is_local(db->name))
		return "; trying again until it answers (for mumd it must be among "
		       "IPAddressAllow= of mumd.service)";
	return "; trying again until it answers";
}

static void tell(struct host_list *list, struct database_host *db,
		 const struct conn_error *error)
{
	db->told_cause = error->class == ERROR_MISCONFIGURED;
	host_log(list->host, db->told_cause ? MUM_LOG_ERROR : MUM_LOG_WARNING,
		 "database %s: %s (%u)%s", db->name, error->text, error->number,
		 cure(db, error));
}

void host_list_failed(struct host_list *list, size_t index, const struct conn_error *error)
{
	struct database_host *db = &list->hosts[index];
	uint64_t now = host_now(list->host);

	if (db->failures == 0)
		db->failed_since = now;
	if (db->failures == 0 || (!db->told_cause && will_last(db, error)))
		tell(list, db, error);
	db->retry_at = now + backoff(list, db, error);
	db->failures++;
}

void host_list_works(struct host_list *list, size_t index)
{
	struct database_host *db = &list->hosts[index];

	if (db->failures > 0)
		host_log(list->host, MUM_LOG_INFO,
			 "database %s: answers again after %.1f s", db->name,
			 (double)(host_now(list->host) - db->failed_since) / 1000);
	db->failures = 0;
	db->retry_at = 0;
}
