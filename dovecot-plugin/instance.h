/* SPDX-License-Identifier: MIT */
/*
 * One mum.conf in one auth process. A passdb and a userdb with the same args share the
 * instance, and so its database connections. It also holds the requests that have no
 * answer yet.
 */
#ifndef MUM_DOVECOT_INSTANCE_H
#define MUM_DOVECOT_INSTANCE_H

#include "common/core.h"
#include "common/password-hash.h"

struct instance;

/* A request from Dovecot, which must be answered before the instance is freed. */
struct pending {
	struct pending *prev, *next;
	void (*abort)(struct pending *pending);	/* answers and removes it */
};

/*
 * Reads the configuration; if it has errors, logs all of them and ends the process. In
 * auth this runs as root, before auth drops privileges.
 */
struct instance *instance_get(const char *config_path);
/*
 * Aborts what is pending, sets NULL, and frees the instance if this was its last user.
 * NULL comes after the aborts, because during one Dovecot may ask another block with
 * the same args.
 */
void instance_unref(struct instance **instance);
/* Makes the core, once, in the process that will use it. */
void instance_init(struct instance *instance);

/* After instance_init(); valid as long as the instance. */
const struct mum_config *instance_config(const struct instance *instance);
struct mum_core *instance_core(struct instance *instance);

void instance_add_pending(struct instance *instance, struct pending *pending);
void instance_remove_pending(struct instance *instance, struct pending *pending);

/*
 * A login of an unknown user must take as long as others in this installation. So the
 * instance remembers scheme and cost of the last hash. The dummy is {SCHEME}hash.
 */
void instance_saw_hash(struct instance *instance, const char *scheme, const char *hash);
const char *instance_dummy_hash(const struct instance *instance);

#endif
