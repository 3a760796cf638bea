/* SPDX-License-Identifier: MIT */
#include "postfix-policy/cores.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "postfix-policy/sandbox.h"

enum { RETIRE_POLL = 100 };	/* ms between checks whether an old core is idle */

/* A core that a reload replaced. */
struct retired {
	struct retired *next;
	struct mum_core *core;
};

struct cores {
	struct service *service;
	const char *config_path;
	struct mum_core *next;		/* being tested by a reload; else NULL */
	bool again;			/* another reload was asked for meanwhile */
	cores_reloaded_fn *fn;
	void *arg;
	struct retired *retired;
	struct mum_timer *timer;	/* while there are retired cores */
};

struct cores *cores_new(struct service *service, const char *config_path,
			struct mum_config **config, cores_reloaded_fn *fn, void *arg)
{
	struct cores *cores = xcalloc(1, sizeof(*cores));

	cores->service = service;
	cores->config_path = config_path;
	cores->fn = fn;
	cores->arg = arg;
	service->core = mum_core_new(service->host, config, MUM_ROLE_POSTFIX);
	return cores;
}

/* ---- retirement ---- */

static void core_end(struct cores *cores, struct mum_core **core)
{
	if (*core != NULL)
		metrics_retire(cores->service->metrics, mum_core_stats(*core));
	mum_core_free(core);
}

static void free_retired(struct cores *cores, bool idle_only)
{
	struct retired **at = &cores->retired;

	while (*at != NULL) {
		struct retired *retired = *at;

		if (idle_only && !mum_core_is_idle(retired->core)) {
			at = &retired->next;
			continue;
		}
		*at = retired->next;
		core_end(cores, &retired->core);
		free(retired);
	}
}

static void on_timer(void *arg);

static void watch_retired(struct cores *cores, unsigned ms)
{
	const struct mum_host *host = cores->service->host;

	if (cores->retired != NULL && cores->timer == NULL)
		cores->timer = host->ops->timer(host->ctx, ms, on_timer, cores);
}

static void on_timer(void *arg)
{
	struct cores *cores = arg;

	cores->timer = NULL;
	free_retired(cores, true);
	watch_retired(cores, RETIRE_POLL);
}

/* Takes over the core; its clients get their answers first. */
static void retire(struct cores *cores, struct mum_core **core)
{
	struct retired *retired = xcalloc(1, sizeof(*retired));

	*retired = (struct retired){ cores->retired, *core };
	*core = NULL;
	cores->retired = retired;
	watch_retired(cores, 0);
}

void cores_free(struct cores **_cores)
{
	struct cores *cores = *_cores;

	*_cores = NULL;
	if (cores == NULL)
		return;
	core_end(cores, &cores->next);
	free_retired(cores, false);
	core_end(cores, &cores->service->core);
	host_untimer(cores->service->host, &cores->timer);
	free(cores);
}

/* ---- reload ---- */

static void failed(struct cores *cores)
{
	struct metrics *metrics = cores->service->metrics;
	const struct mum_config *config = mum_core_config(cores->service->core);

	metrics->failed_reloads++;
	metrics->last_reload_failed = true;
	cores->fn(config, NULL, cores->again, cores->arg);
}

static void succeeded(struct cores *cores)
{
	struct service *service = cores->service;
	struct mum_core *before = service->core;

	service->core = cores->next;
	cores->next = NULL;
	service->metrics->reloads++;
	service->metrics->last_reload_failed = false;
	cores->fn(mum_core_config(before), mum_core_config(service->core), cores->again,
		  cores->arg);
	retire(cores, &before);
}

static void on_tested(const struct mum_answer *answer, void *arg)
{
	struct cores *cores = arg;

	if (answer->status != MUM_FOUND) {
		host_log(cores->service->host, MUM_LOG_ERROR,
			 "reload: %s: going on with the old configuration: %s",
			 cores->config_path, answer->reason);
		retire(cores, &cores->next);
		failed(cores);
	} else {
		host_log(cores->service->host, MUM_LOG_INFO, "reload: %s: done",
			 cores->config_path);
		succeeded(cores);
	}
	if (cores->again)
		cores_reload(cores);
}

static void log_lines(const struct mum_host *host, const char *what, char *lines)
{
	char *line;

	while ((line = strsep(&lines, "\n")) != NULL)
		host_log(host, MUM_LOG_ERROR, "%s: %s", what, line);
}

/* A file in another folder than before may be as it should be, and yet out of reach. */
static void log_locked_in(const struct cores *cores, const char *errors)
{
	if (cores->service->sandbox != NULL && strstr(errors, strerror(EACCES)) != NULL)
		host_log(cores->service->host, MUM_LOG_ERROR,
			 "reload: mumd locked itself in and reads nothing in a folder that is "
			 "new in mum.conf (process.sandbox); restart it");
}

/* NULL when the file is wrong, or names what this process cannot reach; the log says why. */
static struct mum_config *load(const struct cores *cores)
{
	const struct mum_host *host = cores->service->host;
	struct mum_config *config;
	char *errors = NULL;

	config = mum_config_load(cores->config_path, MUM_ROLE_POSTFIX, &errors);
	if (config != NULL &&
	    !sandbox_covers(cores->service->sandbox, cores->config_path, config, &errors))
		mum_config_free(&config);
	if (config != NULL)
		return config;
	log_locked_in(cores, errors);
	log_lines(host, "reload", errors);
	host_log(host, MUM_LOG_ERROR, "reload: going on with the old configuration");
	free(errors);
	return NULL;
}

void cores_reload(struct cores *cores)
{
	struct mum_config *config;

	cores->again = cores->next != NULL;
	if (cores->again)
		return;
	config = load(cores);
	if (config == NULL) {
		failed(cores);
		return;
	}
	cores->next = mum_core_new(cores->service->host, &config, MUM_ROLE_POSTFIX);
	mum_core_probe(cores->next, mum_core_config(cores->next)->database.deadline, on_tested,
		       cores);
}

/* ---- counts ---- */

const struct mum_stats **cores_stats(const struct cores *cores, size_t *count_r)
{
	size_t count = 2, used = 0;
	const struct mum_stats **list;

	for (const struct retired *at = cores->retired; at != NULL; at = at->next)
		count++;
	list = xcalloc(count, sizeof(*list));
	list[used++] = mum_core_stats(cores->service->core);
	if (cores->next != NULL)
		list[used++] = mum_core_stats(cores->next);
	for (const struct retired *at = cores->retired; at != NULL; at = at->next)
		list[used++] = mum_core_stats(at->core);
	*count_r = used;
	return list;
}
