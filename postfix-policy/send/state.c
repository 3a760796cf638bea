/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "postfix-policy/send/check.h"
#include "postfix-policy/send/state-server.h"
#include "postfix-policy/send/state-file.h"
#include "postfix-policy/send/state-saver.h"
#include "postfix-policy/send/table-text.h"

enum { SAVE_EVERY = 60000 };	/* ms */

struct send_state {
	struct service *service;
	struct state_saver *saver;
	struct state_server *server;	/* NULL: there is no socket */
	char *server_path;		/* of the server */
	bool complained;		/* that there is none */
	bool unsaved;			/* something new since the last save() that began */
	struct mum_timer *timer;	/* while it is on */
};

static const struct mum_host *host_of(const struct send_state *state)
{
	return state->service->host;
}

static const struct mum_config *config_of(const struct send_state *state)
{
	return mum_core_config(state->service->core);
}

static bool is_on(const struct send_state *state)
{
	return config_of(state)->policy.send != MUM_CHECK_OFF;
}

struct send_state *send_state_new(struct service *service)
{
	struct send_state *state = xcalloc(1, sizeof(*state));

	state->service = service;
	state->saver = state_saver_new(service->host, "policy.send_state");
	return state;
}

/* The present state, for the socket and file. */
static void put_text(struct buf *out, void *arg)
{
	const struct send_state *state = arg;
	const struct mum_host *host = host_of(state);

	send_text_put(out, send_table_of(state->service->send), host_now_us(host),
		      host->ops->wall(host->ctx));
}

/* ---- the socket ---- */

static void close_socket(struct send_state *state)
{
	state_server_free(&state->server);
	free(state->server_path);
	state->server_path = NULL;
}

/* Takes over error. */
static void complain(struct send_state *state, char *error)
{
	if (!state->complained)
		host_log(host_of(state), MUM_LOG_WARNING,
			 "policy.send_socket: %s; \"mumctl senders\" cannot ask", error);
	state->complained = true;
	free(error);
}

static void on_open(struct send_state *state, const char *path)
{
	state->server_path = xstrdup(path);
	if (state->complained)
		host_log(host_of(state), MUM_LOG_INFO, "policy.send_socket: works again");
	state->complained = false;
}

static void open_socket(struct send_state *state, const struct socket_owner *owner)
{
	const char *path = config_of(state)->policy.send_socket;
	char *entry = xasprintf("unix:%s", path), *error = NULL;
	struct listen_sockets socks;

	if (!listen_sockets_bind(&socks, entry, owner, &error)) {
		complain(state, error);
	} else {
		state->server = state_server_new(host_of(state), &socks.list[0], put_text,
						 state);
		if (state->server == NULL)
			complain(state, xasprintf("%s: %s", path, strerror(errno)));
		else
			on_open(state, path);
		listen_sockets_clear(&socks);
	}
	free(entry);
}

static void update_socket(struct send_state *state)
{
	const struct socket_owner owner = { (uid_t)-1, (gid_t)-1, 0600 };

	if (state->server != NULL &&
	    strcmp(state->server_path, config_of(state)->policy.send_socket) != 0)
		close_socket(state);
	if (state->server == NULL)
		open_socket(state, &owner);
}

void send_state_prepare(struct send_state *state, const struct socket_owner *owner)
{
	const struct socket_owner own = { owner->uid, (gid_t)-1, 0600 };

	if (!is_on(state))
		return;
	/* Its failure shows when the file is written. */
	(void)listen_socket_make_directory(config_of(state)->policy.send_state, &own);
	open_socket(state, &own);
}

/* ---- the file ---- */

static void load(struct send_state *state)
{
	const struct mum_host *host = host_of(state);
	const char *path = config_of(state)->policy.send_state;
	struct buf text = BUF_INIT(SEND_TEXT_MAX);
	char *why;

	if (state_file_read(path, &text, &why) &&
	    !send_text_restore(text.data, text.len, send_table_of(state->service->send),
			       host_now_us(host), host->ops->wall(host->ctx)))
		why = xasprintf("%s: not a whole file of mumd's", path);
	if (why != NULL)
		host_log(host, MUM_LOG_WARNING,
			 "policy.send_state: %s; what logins have sent before is forgotten",
			 why);
	free(why);
	buf_free(&text);
}

/* False if that cannot begin now. */
static bool save(struct send_state *state)
{
	struct buf text = BUF_INIT(SEND_TEXT_MAX);
	bool begun;

	put_text(&text, state);
	begun = state_saver_start(state->saver, config_of(state)->policy.send_state, &text);
	buf_free(&text);
	return begun;
}

static void save_and_wait(struct send_state *state)
{
	struct buf text = BUF_INIT(SEND_TEXT_MAX);

	put_text(&text, state);
	state_saver_finish(state->saver, config_of(state)->policy.send_state, &text);
}

static void on_timer(void *arg);

static void wait_for_next(struct send_state *state)
{
	const struct mum_host *host = host_of(state);

	state->timer = host->ops->timer(host->ctx, SAVE_EVERY, on_timer, state);
}

static void on_timer(void *arg)
{
	struct send_state *state = arg;
	struct send *send = state->service->send;

	send_table_sweep(send_table_of(send), host_now_us(host_of(state)));
	if (send_has_changed(send) || !state_saver_is_good(state->saver))
		state->unsaved = true;
	if (state->unsaved)
		state->unsaved = !save(state);
	wait_for_next(state);
}

/* ---- on and off ---- */

static void turn_on(struct send_state *state)
{
	struct service *service = state->service;

	service->send = send_new(service->host, config_of(state),
				 &service->metrics->decisions, &service->metrics->send);
	load(state);
	wait_for_next(state);
}

static void turn_off(struct send_state *state)
{
	close_socket(state);
	host_untimer(host_of(state), &state->timer);
	send_free(&state->service->send);
}

void send_state_update(struct send_state *state)
{
	struct send *send = state->service->send;

	if (!is_on(state)) {
		if (send != NULL)
			(void)save(state);
		turn_off(state);
		return;
	}
	if (send == NULL)
		turn_on(state);
	else
		send_configure(send, config_of(state));
	update_socket(state);
}

void send_state_show(const struct send_state *state, struct metrics_now *now)
{
	const struct send_table *table;

	now->senders.saved = state_saver_is_good(state->saver);
	if (state->service->send == NULL)
		return;
	table = send_table_of(state->service->send);
	now->senders.logins = send_table_count(table);
	now->senders.limited = send_table_limited(table, host_now_us(host_of(state)));
	now->senders.evicted = send_table_evicted(table);
}

void send_state_free(struct send_state **_state)
{
	struct send_state *state = *_state;

	*_state = NULL;
	if (state == NULL)
		return;
	if (state->service->send != NULL)
		save_and_wait(state);
	turn_off(state);
	state_saver_free(&state->saver);
	free(state);
}
