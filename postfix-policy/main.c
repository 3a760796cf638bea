/* SPDX-License-Identifier: MIT */
/* mumd(8): options, life cycle, signals. */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/core.h"
#include "common/xalloc.h"
#include "postfix-policy/cores.h"
#include "postfix-policy/host-libevent.h"
#include "postfix-policy/listeners.h"
#include "postfix-policy/notify.h"
#include "postfix-policy/privileges.h"
#include "postfix-policy/process-stats.h"
#include "postfix-policy/sandbox.h"
#include "postfix-policy/send/state.h"
#include "postfix-policy/session.h"

enum {
	PATIENCE = 30000,	/* ms for a request to arrive, or for a reply to be read */
	DRAIN_POLL = 20,	/* ms between checks whether all clients are gone */
	DRAIN_EXTRA = 1000,	/* ms after the deadline, so that replies can go out */
	DESCRIPTORS_EXTRA = 56	/* for sockets, the log and the rest */
};

struct mumd {
	const char *config_path;
	struct event_base *base;
	struct host_libevent host;
	struct service service;
	struct cores *cores;
	struct send_state *send_state;
	struct metrics metrics;
	time_t started;
	struct listeners *listeners;
	struct mum_timer *watchdog;	/* NULL: nobody watches */
	struct event *signals[3];
	struct mum_timer *drain_timer;	/* while draining */
	struct mum_timer *drain_poll;
};

static const char usage[] =
	"usage: mumd [-FtV] [-c FILE]\n"
	"  -c FILE  read FILE instead of " DEFAULT_CONFIG "\n"
	"  -F       stay in the foreground and log to standard error\n"
	"  -t       check the configuration and exit\n"
	"  -V       print the version and exit\n";

/* ---- what it tells others ---- */

static void put_page(struct buf *out, void *arg)
{
	const struct mumd *mumd = arg;
	struct metrics_now now = {
		.database_up = mum_core_is_up(mumd->service.core),
		.clients = clients_counts(mumd->service.clients),
		.quota = quota_client_counts(mumd->service.quota),
		.process.start_time = (double)mumd->started,
	};
	const struct mum_stats **stats = cores_stats(mumd->cores, &now.cores_count);

	now.cores = stats;
	send_state_show(mumd->send_state, &now);
	process_stats_read(&now.process);
	metrics_put(out, &mumd->metrics, &now);
	free(stats);
}

/* What "systemctl status" shows. */
static void notify_status(const struct mumd *mumd, const char *state)
{
	notify_send("%sSTATUS=%zu clients; the database %s", state,
		    clients_count(mumd->service.clients),
		    mum_core_is_up(mumd->service.core) ? "answers" : "gives no answers");
}

/*
 * Runs from the loop, so if the loop hangs, the service manager notices and restarts mumd.
 */
static void on_watchdog(void *arg)
{
	struct mumd *mumd = arg;
	const struct mum_host *host = &mumd->host.host;

	mumd->watchdog = host->ops->timer(host->ctx, notify_watchdog_ms(), on_watchdog, mumd);
	notify_status(mumd, "WATCHDOG=1\n");
}

/* ---- descriptors ---- */

/*
 * We need a descriptor for each client, and some that no client may take: two for each
 * connection to the database, those of an old core included, one for each connection to
 * Dovecot, and some for sockets and the log. If the limit is lower, fewer clients may
 * connect.
 */
static void fit_descriptors(struct mumd *mumd)
{
	const struct mum_config *config = mum_core_config(mumd->service.core);
	rlim_t quota = config->policy.quota == MUM_CHECK_OFF ? 0 : config->policy.quota_connections;
	rlim_t spare = DESCRIPTORS_EXTRA + 4 * (rlim_t)config->database.connections + quota;
	rlim_t clients = config->process.max_clients, want = clients + spare;
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < want) {
		limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < want) {
		clients = limit.rlim_cur > 2 * spare ? limit.rlim_cur - spare
						     : limit.rlim_cur / 2;
		host_log(&mumd->host.host, MUM_LOG_WARNING,
			 "process.max_clients needs %lu descriptors, the limit is %lu: "
			 "at most %lu clients; raise it (LimitNOFILE= in systemd)",
			 (unsigned long)want, (unsigned long)limit.rlim_cur,
			 (unsigned long)clients);
	}
	clients_set_max(mumd->service.clients, (size_t)clients);
}

/* ---- signals ---- */

static void on_drained(void *arg)
{
	struct mumd *mumd = arg;

	mumd->drain_timer = NULL;
	event_base_loopbreak(mumd->base);
}

/* Ends the loop after the last client; on_drained() is the limit. */
static void on_drain_poll(void *arg)
{
	struct mumd *mumd = arg;
	const struct mum_host *host = &mumd->host.host;

	mumd->drain_poll = NULL;
	if (clients_count(mumd->service.clients) == 0)
		event_base_loopbreak(mumd->base);
	else
		mumd->drain_poll =
			host->ops->timer(host->ctx, DRAIN_POLL, on_drain_poll, mumd);
}

static void on_terminate(evutil_socket_t number, short what, void *arg)
{
	struct mumd *mumd = arg;
	const struct mum_host *host = &mumd->host.host;
	const struct mum_config *config = mum_core_config(mumd->service.core);
	unsigned deadline = config->database.deadline + config->policy.quota_deadline;

	(void)number;
	(void)what;
	if (mumd->drain_timer != NULL)
		return;
	host_log(host, MUM_LOG_INFO, "terminating");
	notify_send("STOPPING=1\nSTATUS=answering what was asked");
	listeners_stop(mumd->listeners);
	clients_drain(mumd->service.clients);
	mumd->drain_timer = host->ops->timer(host->ctx, deadline + DRAIN_EXTRA,
					       on_drained, mumd);
	on_drain_poll(mumd);
}

static bool is_same_list(const struct mum_list *a, const struct mum_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

/*
 * A reload cannot change sockets, because they were bound before privileges were dropped.
 */
static bool is_same_listen(const struct mum_config *a, const struct mum_config *b)
{
	return is_same_list(&a->socketmap.listen, &b->socketmap.listen) &&
	       is_same_list(&a->policy.listen, &b->policy.listen) &&
	       strcmp(a->metrics.listen, b->metrics.listen) == 0;
}

static void on_reloaded(const struct mum_config *before, const struct mum_config *now,
			bool again, void *arg)
{
	struct mumd *mumd = arg;
	struct quota_settings settings;

	/* If another reload follows, the manager waits for that one. */
	if (!again)
		notify_status(mumd, "READY=1\n");
	if (now == NULL)
		return;
	if (!is_same_listen(before, now))
		host_log(&mumd->host.host, MUM_LOG_WARNING,
			 "reload: %s: a changed listen option needs a restart",
			 mumd->config_path);
	send_state_update(mumd->send_state);
	fit_descriptors(mumd);
	settings = quota_settings(now);
	quota_client_configure(mumd->service.quota, &settings);
}

static void on_hangup(evutil_socket_t number, short what, void *arg)
{
	struct mumd *mumd = arg;

	(void)number;
	(void)what;
	if (mumd->drain_timer != NULL)
		return;
	notify_reloading();
	cores_reload(mumd->cores);
}

static void catch_signals(struct mumd *mumd)
{
	static const struct {
		int number;
		event_callback_fn fn;
	} caught[] = { { SIGTERM, on_terminate }, { SIGINT, on_terminate },
		       { SIGHUP, on_hangup } };

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		mumd->signals[i] = evsignal_new(mumd->base, caught[i].number,
						  caught[i].fn, mumd);
		event_add(mumd->signals[i], NULL);
	}
}

/* ---- start and end ---- */

static bool open_all(struct mumd *mumd, const struct socket_owner *owner)
{
	mumd->listeners =
		listeners_open(mumd->base, &mumd->service, owner, put_page, mumd);
	if (mumd->listeners != NULL)
		send_state_prepare(mumd->send_state, owner);
	return mumd->listeners != NULL;
}

static void on_first_answer(const struct mum_answer *answer, void *arg)
{
	(void)answer;	/* where there is none, the store has logged it, and goes on trying */
	(void)arg;
}

/* Does everything that needs root, then runs the loop until SIGTERM. */
static int serve(struct mumd *mumd, bool foreground)
{
	const struct mum_host *host = &mumd->host.host;
	struct privileges privileges;
	char *error = NULL;

	fit_descriptors(mumd);
	if (!privileges_find(mum_core_config(mumd->service.core), &privileges, &error) ||
	    !open_all(mumd, &privileges.owner) || !privileges_drop(&privileges, &error)) {
		if (error != NULL)
			host_log(host, MUM_LOG_ERROR, "%s", error);
		free(error);
		return EX_CONFIG;
	}
	if (!foreground) {
		if (daemon(0, 0) < 0) {
			host_log(host, MUM_LOG_ERROR, "cannot go into the background: %s",
				 strerror(errno));
			return EX_OSERR;
		}
		event_reinit(mumd->base);
		host_libevent_init(&mumd->host, mumd->base, false);
	}
	mumd->service.sandbox = sandbox_enter(host, mumd->config_path,
					      mum_core_config(mumd->service.core));
	catch_signals(mumd);
	send_state_update(mumd->send_state);
	mum_core_probe(mumd->service.core,
		       mum_core_config(mumd->service.core)->database.deadline, on_first_answer,
		       NULL);
	host_log(host, MUM_LOG_INFO, "version %s ready", PACKAGE_VERSION);
	notify_status(mumd, "READY=1\n");
	if (notify_watchdog_ms() > 0)
		on_watchdog(mumd);
	event_base_dispatch(mumd->base);
	return EX_OK;
}

static void cleanup(struct mumd *mumd)
{
	listeners_close(&mumd->listeners);
	host_untimer(&mumd->host.host, &mumd->watchdog);
	clients_free(&mumd->service.clients);
	send_state_free(&mumd->send_state);
	quota_client_free(&mumd->service.quota);
	sandbox_free(&mumd->service.sandbox);
	cores_free(&mumd->cores);
	metrics_clear(&mumd->metrics);
	host_untimer(&mumd->host.host, &mumd->drain_timer);
	host_untimer(&mumd->host.host, &mumd->drain_poll);
	for (size_t i = 0; i < sizeof(mumd->signals) / sizeof(mumd->signals[0]); i++) {
		if (mumd->signals[i] != NULL)
			event_free(mumd->signals[i]);
	}
	host_libevent_clear(&mumd->host);
	event_base_free(mumd->base);
	libevent_global_shutdown();
}

static int run(const char *config_path, struct mum_config *config, bool foreground)
{
	struct mumd mumd = { .config_path = config_path, .started = time(NULL) };
	unsigned clients_max = config->process.max_clients;
	struct quota_settings quota = quota_settings(config);
	int result;

	/* If libevent failed to make a watch or a timer, a client would wait for ever. */
	event_set_mem_functions(xmalloc, xrealloc, free);
	mumd.base = event_base_new();
	if (mumd.base == NULL) {
		fputs("mumd: fatal: no event loop\n", stderr);
		mum_config_free(&config);
		return EX_OSERR;
	}
	/* Log to standard error until mumd goes into the background. */
	host_libevent_init(&mumd.host, mumd.base, true);
	mumd.service.host = &mumd.host.host;
	mumd.service.metrics = &mumd.metrics;
	mumd.service.quota = quota_client_new(&mumd.host.host, &quota);
	mumd.cores = cores_new(&mumd.service, config_path, &config, on_reloaded, &mumd);
	mumd.send_state = send_state_new(&mumd.service);
	mumd.service.clients = clients_new(&mumd.host.host, clients_max, PATIENCE);
	result = serve(&mumd, foreground);
	cleanup(&mumd);
	return result;
}

/*
 * A reload needs the absolute path, because in the background the current folder is
 * another one. Links are kept, because they may lead elsewhere by then. The caller
 * frees; NULL sets errno.
 */
static char *absolute_path(const char *path)
{
	char *folder, *absolute;

	if (*path == '/')
		return xstrdup(path);
	folder = getcwd(NULL, 0);
	if (folder == NULL)
		return NULL;
	absolute = xasprintf("%s/%s", folder, path);
	free(folder);
	return absolute;
}

/* Takes over config. */
static int run_from(const char *config_path, struct mum_config *config, bool foreground)
{
	char *path = absolute_path(config_path);
	int result;

	if (path == NULL) {
		fprintf(stderr, "mumd: fatal: the current folder: %s\n", strerror(errno));
		mum_config_free(&config);
		return EX_OSERR;
	}
	result = run(path, config, foreground);
	free(path);
	return result;
}

static void prepare_environment(void)
{
	/* Nobody may say where libmariadb looks for plugins. */
	unsetenv("MARIADB_PLUGIN_DIR");
	/*
	 * A reload sets and restores TZ (timezone.h) while threads may be connecting.
	 * Replacing a variable that exists does not change the environment's array.
	 */
	setenv("TZ", ":/etc/localtime", 0);
	/* Each thread that connects would have a heap of its own, and these fill for hours. */
	mallopt(M_ARENA_MAX, 1);
}

int main(int argc, char **argv)
{
	const char *config_path = DEFAULT_CONFIG;
	bool foreground = false, test = false;
	struct mum_config *config;
	char *errors;
	int option;

	while ((option = getopt(argc, argv, "c:FtV")) != -1) {
		switch (option) {
		case 'c':
			config_path = optarg;
			break;
		case 'F':
			foreground = true;
			break;
		case 't':
			test = true;
			break;
		case 'V':
			puts("mumd " PACKAGE_VERSION);
			return EX_OK;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	privileges_forgo();
	prepare_environment();
	config = mum_config_load(config_path, MUM_ROLE_POSTFIX, &errors);
	if (config == NULL) {
		fprintf(stderr, "%s\n", errors);
		free(errors);
		return EX_CONFIG;
	}
	if (test) {
		printf("%s: syntax and values are fine\n", config_path);
		mum_config_free(&config);
		return EX_OK;
	}
	return run_from(config_path, config, foreground);
}
