/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/instance.h"

#include "dovecot-plugin/host-dovecot.h"

/* A hash as MUM's Hash::make() writes it, unless somebody changed BCRYPT_ROUNDS. */
static const char usual_hash[] =
	"{BLF-CRYPT}$2y$10$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct instance {
	struct instance *prev, *next;
	int refs;
	char *path;
	struct mum_config *config;	/* until the core takes it over */
	struct mum_core *core;
	struct pending *pending;
	char *dummy_hash;		/* with its {SCHEME}; NULL: usual_hash */
};

/* One for each path; a process has one or two. */
static struct instance *instances;

struct instance *instance_get(const char *config_path)
{
	struct instance *instance;
	char *errors;

	for (instance = instances; instance != NULL; instance = instance->next) {
		if (strcmp(instance->path, config_path) == 0) {
			instance->refs++;
			return instance;
		}
	}
	instance = i_new(struct instance, 1);
	instance->refs = 1;
	instance->path = i_strdup(config_path);
	instance->config = mum_config_load(config_path, MUM_ROLE_DOVECOT, &errors);
	if (instance->config == NULL)
		i_fatal("mum: %s", t_strdup_printf("%s", errors));
	DLLIST_PREPEND(&instances, instance);
	return instance;
}

void instance_init(struct instance *instance)
{
	if (instance->core == NULL)
		instance->core = mum_core_new(&host_dovecot, &instance->config,
					      MUM_ROLE_DOVECOT);
}

void instance_unref(struct instance **_instance)
{
	struct instance *instance = *_instance;

	while (instance->pending != NULL)
		instance->pending->abort(instance->pending);
	*_instance = NULL;
	if (--instance->refs > 0)
		return;
	DLLIST_REMOVE(&instances, instance);
	mum_core_free(&instance->core);
	mum_config_free(&instance->config);
	i_free(instance->dummy_hash);
	i_free(instance->path);
	i_free(instance);
}

const struct mum_config *instance_config(const struct instance *instance)
{
	return mum_core_config(instance->core);
}

struct mum_core *instance_core(struct instance *instance)
{
	return instance->core;
}

void instance_add_pending(struct instance *instance, struct pending *pending)
{
	DLLIST_PREPEND(&instance->pending, pending);
}

void instance_remove_pending(struct instance *instance, struct pending *pending)
{
	DLLIST_REMOVE(&instance->pending, pending);
}

void instance_saw_hash(struct instance *instance, const char *scheme, const char *hash)
{
	char *dummy = hash_dummy(hash);

	i_free(instance->dummy_hash);
	instance->dummy_hash = i_strdup_printf("{%s}%s", scheme, dummy);
	free(dummy);
}

const char *instance_dummy_hash(const struct instance *instance)
{
	return instance->dummy_hash != NULL ? instance->dummy_hash : usual_hash;
}
