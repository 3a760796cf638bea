/* SPDX-License-Identifier: MIT */
/*
 * One mum.conf in one auth process: passdb and userdb with the same args share
 * it, and with it the database connections. Also what is not yet answered.
 */
#ifndef MUM_DOVECOT_INSTANCE_H
#define MUM_DOVECOT_INSTANCE_H

#include "common/core.h"
#include "common/hash.h"

struct instance;

/* A request of Dovecot's that must be answered, at the latest when we go away. */
struct pending {
	struct pending *prev, *next;
	void (*abort)(struct pending *pending);	/* answers it, and removes it from here */
};

/*
 * Reads the configuration; ends the process with all its errors if there are
 * any. In auth this runs as root, before privileges are dropped.
 */
struct instance *instance_get(const char *config_path);
/*
 * Aborts what is pending, frees the instance with its last user, then sets NULL:
 * Dovecot may ask once more from within an abort, another block with the same args.
 */
void instance_unref(struct instance **instance);
/* Makes the core, once, in the process that will use it. */
void instance_init(struct instance *instance);

const struct mum_config *instance_config(const struct instance *instance);
struct mum_core *instance_core(struct instance *instance);

void instance_add_pending(struct instance *instance, struct pending *pending);
void instance_remove_pending(struct instance *instance, struct pending *pending);

/*
 * What verifying takes in this installation, for users who do not exist:
 * remembers scheme and cost of the hash seen last. The dummy is {SCHEME}hash.
 */
void instance_saw_hash(struct instance *instance, const char *scheme, const char *hash);
const char *instance_dummy_hash(const struct instance *instance);

#endif
