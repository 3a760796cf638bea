/* SPDX-License-Identifier: MIT */
/*
 * A store answers questions with facts. Two exist: store-mariadb/ and
 * store-sqlite/; unit tests bring a third.
 */
#ifndef MUM_STORE_H
#define MUM_STORE_H

#include "common/facts.h"
#include "common/host.h"
#include "common/status.h"

struct mum_config;
struct mum_host_stats;
struct store;
struct store_request;	/* one question on its way; owned by the store */

struct question {
	enum question_kind kind;
	struct address *address;	/* NULL for MUM_USERS */
	uint64_t after_id;		/* MUM_USERS: the id before the page */
};

/*
 * With MUM_FOUND the facts are complete, perhaps without rows; fn takes its own
 * reference if it keeps them. With any other status facts is NULL, and reason says why
 * (for the log). Facts and reason are gone when the callback returns.
 */
typedef void store_done_fn(enum mum_status status, struct facts *facts,
			   const char *reason, void *arg);

struct store_ops {
	/*
	 * Asks. fn runs exactly once, later, from the loop and never from inside
	 * this call, unless the request is withdrawn. The store tries again by
	 * itself while its database is away: a caller with a deadline withdraws.
	 */
	struct store_request *(*submit)(struct store *store,
					const struct question *question,
					store_done_fn *fn, void *arg);
	/* The request is gone and its fn never runs. */
	void (*withdraw)(struct store *store, struct store_request *request);
	/* Every request has been answered or withdrawn before. */
	void (*close)(struct store *store);
};

/* Each store's struct begins with this one. */
struct store {
	const struct store_ops *ops;
	bool up;	/* false while the database is known to give no answers */
};

/*
 * The arguments are borrowed and outlive the store. It counts in stats, an array with
 * one element for each entry of database.hosts (SQLite: one). Opening never fails: the
 * store waits for a database that is away.
 */
struct store *store_mariadb_open(const struct mum_host *host,
				 const struct mum_config *config,
				 struct mum_host_stats *stats);
struct store *store_sqlite_open(const struct mum_host *host,
				const struct mum_config *config,
				struct mum_host_stats *stats);

#endif
