/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/senders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "postfix-policy/send/check.h"
#include "postfix-policy/send/senders-server.h"
#include "postfix-policy/send/state-file.h"
#include "postfix-policy/send/state-saver.h"
#include "postfix-policy/send/table-text.h"

enum { SAVE_EVERY = 60000 };	/* ms */

struct senders {
	struct service *service;
	struct state_saver *saver;
	struct senders_server *server;	/* NULL: there is no socket */
	char *server_path;		/* of the server */
	struct mum_timer *timer;	/* while it is on */
};

static const struct mum_host *host_of(const struct senders *senders)
{
	return senders->service->host;
}

static const struct mum_config *config_of(const struct senders *senders)
{
	return mum_core_config(senders->service->core);
}

static bool is_on(const struct senders *senders)
{
	return config_of(senders)->policy.send != MUM_CHECK_OFF;
}

struct senders *senders_new(struct service *service)
{
	struct senders *senders = xcalloc(1, sizeof(*senders));

	senders->service = service;
	senders->saver = state_saver_new(service->host, "policy.send_state");
	return senders;
}

/* The present state, for the socket and file. */
static void put_text(struct buf *out, void *arg)
{
	const struct senders *senders = arg;
	const struct mum_host *host = host_of(senders);

	send_text_put(out, send_table_of(senders->service->send), host_now_us(host),
		      host->ops->wall(host->ctx));
}

/* ---- the socket ---- */

static void close_socket(struct senders *senders)
{
	senders_server_free(&senders->server);
	free(senders->server_path);
	senders->server_path = NULL;
}

/* Takes over error. */
static void complain(const struct senders *senders, char *error)
{
	host_log(host_of(senders), MUM_LOG_WARNING,
		 "policy.send_socket: %s; \"mumctl senders\" cannot ask", error);
	free(error);
}

static void open_socket(struct senders *senders, const struct socket_owner *owner)
{
	const char *path = config_of(senders)->policy.send_socket;
	char *entry = xasprintf("unix:%s", path), *error = NULL;
	struct listen_sockets socks;

	if (!listen_sockets_bind(&socks, entry, owner, &error)) {
		complain(senders, error);
	} else {
		senders->server = senders_server_new(host_of(senders), &socks.list[0],
						     put_text, senders);
		if (senders->server == NULL)
			complain(senders, xasprintf("%s: %s", path, strerror(errno)));
		else
			senders->server_path = xstrdup(path);
		listen_sockets_clear(&socks);
	}
	free(entry);
}

static void update_socket(struct senders *senders)
{
	const struct socket_owner owner = { (uid_t)-1, (gid_t)-1, 0600 };

	if (senders->server != NULL &&
	    strcmp(senders->server_path, config_of(senders)->policy.send_socket) != 0)
		close_socket(senders);
	if (senders->server == NULL)
		open_socket(senders, &owner);
}

void senders_prepare(struct senders *senders, const struct socket_owner *owner)
{
	const struct socket_owner own = { owner->uid, (gid_t)-1, 0600 };

	if (!is_on(senders))
		return;
	/* Its failure shows when the file is written. */
	(void)listen_socket_make_directory(config_of(senders)->policy.send_state, &own);
	open_socket(senders, &own);
}

/* ---- the file ---- */

static void load(struct senders *senders)
{
	const struct mum_host *host = host_of(senders);
	const char *path = config_of(senders)->policy.send_state;
	struct buf text = BUF_INIT(SEND_TEXT_MAX);
	char *why;

	if (state_file_read(path, &text, &why) &&
	    !send_text_restore(text.data, text.len, send_table_of(senders->service->send),
			       host_now_us(host), host->ops->wall(host->ctx)))
		why = xasprintf("%s: not a whole file of mumd's", path);
	if (why != NULL)
		host_log(host, MUM_LOG_WARNING,
			 "policy.send_state: %s; what logins have sent before is forgotten",
			 why);
	free(why);
	buf_free(&text);
}

static void save(struct senders *senders)
{
	struct buf text = BUF_INIT(SEND_TEXT_MAX);

	put_text(&text, senders);
	state_saver_start(senders->saver, config_of(senders)->policy.send_state, &text);
	buf_free(&text);
}

static void save_and_wait(struct senders *senders)
{
	struct buf text = BUF_INIT(SEND_TEXT_MAX);

	put_text(&text, senders);
	state_saver_finish(senders->saver, config_of(senders)->policy.send_state, &text);
}

static void on_timer(void *arg);

static void wait_for_next(struct senders *senders)
{
	const struct mum_host *host = host_of(senders);

	senders->timer = host->ops->timer(host->ctx, SAVE_EVERY, on_timer, senders);
}

static void on_timer(void *arg)
{
	struct senders *senders = arg;
	struct send *send = senders->service->send;

	send_table_sweep(send_table_of(send), host_now_us(host_of(senders)));
	if (send_has_changed(send) || !state_saver_is_good(senders->saver))
		save(senders);
	wait_for_next(senders);
}

/* ---- on and off ---- */

static void turn_on(struct senders *senders)
{
	struct service *service = senders->service;

	service->send = send_new(service->host, config_of(senders),
				 &service->metrics->decisions, &service->metrics->send);
	load(senders);
	wait_for_next(senders);
}

static void turn_off(struct senders *senders)
{
	close_socket(senders);
	host_untimer(host_of(senders), &senders->timer);
	send_free(&senders->service->send);
}

void senders_update(struct senders *senders)
{
	struct send *send = senders->service->send;

	if (!is_on(senders)) {
		if (send != NULL)
			save(senders);
		turn_off(senders);
		return;
	}
	if (send == NULL)
		turn_on(senders);
	else
		send_configure(send, config_of(senders));
	update_socket(senders);
}

void senders_show(const struct senders *senders, struct metrics_now *now)
{
	const struct send_table *table;

	now->senders.saved = state_saver_is_good(senders->saver);
	if (senders->service->send == NULL)
		return;
	table = send_table_of(senders->service->send);
	now->senders.logins = send_table_count(table);
	now->senders.limited = send_table_limited(table, host_now_us(host_of(senders)));
	now->senders.evicted = send_table_evicted(table);
}

void senders_free(struct senders **_senders)
{
	struct senders *senders = *_senders;

	*_senders = NULL;
	if (senders == NULL)
		return;
	if (senders->service->send != NULL)
		save_and_wait(senders);
	turn_off(senders);
	state_saver_free(&senders->saver);
	free(senders);
}
