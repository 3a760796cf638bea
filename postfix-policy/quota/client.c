/* SPDX-License-Identifier: MIT */
/* Questions: their line, their time and their answers. probe.c finds out what is wrong. */
#include "postfix-policy/quota/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/xalloc.h"
#include "postfix-policy/quota/client-parts.h"
#include "postfix-policy/quota/rooms.h"

static void run_line(struct quota_client *client);

void quota_question_free(struct quota_question *question)
{
	struct quota_client *client = question->client;

	if (!question->is_probe)
		DL_DELETE(client->questions, question);
	else if (question == client->probe)
		client->probe = NULL;
	else
		client->pending = NULL;
	if (question->conn != NULL)
		quota_conn_close(question->conn);
	host_untimer(client->host, &question->timer);
	free(question->mailbox);
	free(question);
}

/* Calls last. */
static void finish(struct quota_question *question, enum quota_answer answer, const char *text)
{
	struct quota_client *client = question->client;
	quota_answer_fn *fn = question->fn;
	void *arg = question->arg;

	client->counts.answers[answer]++;
	mum_histogram_add(&client->counts.duration,
			  host_now_us(client->host) - question->since_us);
	quota_question_free(question);
	fn(answer, text, arg);
}

/* Ends all probes, and puts the questions back in line. */
static void drop_connections(struct quota_client *client)
{
	struct quota_question *question;

	if (client->probe != NULL)
		quota_question_free(client->probe);
	if (client->pending != NULL)
		quota_question_free(client->pending);
	DL_FOREACH(client->questions, question) {
		if (question->conn != NULL)
			quota_conn_close(question->conn);
		question->conn = NULL;
	}
	quota_conns_close_idle(&client->conns);
}

/* ---- the breaker ---- */

/* One that need not wait for its deadline; NULL: there is none. */
static struct quota_question *first_in_vain(struct quota_client *client, const char **why_r)
{
	struct quota_question *question;

	*why_r = client->breaker.down ? "the service is down" : QUOTA_AWAITED;
	DL_FOREACH(client->questions, question) {
		if (client->breaker.down ||
		    (question->conn == NULL && quota_late_has(&client->late, question->mailbox)))
			return question;
	}
	return NULL;
}

static void on_turn(void *arg)
{
	struct quota_client *client = arg;
	struct quota_question *question;
	const char *why;

	client->turn = NULL;
	while ((question = first_in_vain(client, &why)) != NULL)
		finish(question, QUOTA_NO_ANSWER, why);
	run_line(client);
}

/* Works from the loop, because who asks or cancels expects no callback of somebody else. */
static void take_turn(struct quota_client *client)
{
	if (client->turn == NULL)
		client->turn = client->host->ops->timer(client->host->ctx, 0, on_turn, client);
}

void quota_mark_down(struct quota_client *client, const char *why)
{
	quota_breaker_open(&client->breaker, client->settings.path, why);
	drop_connections(client);
	take_turn(client);
}

/* ---- late questions ---- */

/* After half the time that there is for a recipient, it does not have to wait for others. */
static void keep_late(struct quota_question *question)
{
	struct quota_client *client = question->client;
	uint64_t waited = host_now_us(client->host) - question->sent_us;

	if (question->conn == NULL || waited / 1000 < client->settings.deadline / 2 ||
	    !quota_late_add(&client->late, question->conn, question->mailbox, question->size))
		return;
	question->conn = NULL;
	take_turn(client);
	if (quota_late_is_service(&client->late))
		quota_mark_down(client, "no answer about three mailboxes in a row");
}

/* An answer about a mailbox, early or late: if others were late, it was not the service. */
static void on_mailbox(const char *mailbox, uint64_t size, enum quota_answer answer, void *arg)
{
	struct quota_client *client = arg;

	quota_rooms_note(client->rooms, mailbox, size, answer, host_now(client->host));
	if (answer == QUOTA_TROUBLE)
		return;
	client->answered_us = host_now_us(client->host);
	quota_late_end_row(&client->late);
	quota_breaker_close(&client->breaker, client->settings.path);
}

/* ---- what came of a question or a probe ---- */

static void fail(struct quota_question *question, const char *why)
{
	struct quota_client *client = question->client;

	if (question->is_probe) {
		quota_probe_failed(question, why);
		return;
	}
	finish(question, QUOTA_NO_ANSWER, why);
	quota_suspect(client);
}

static void on_answered(void *_question, enum quota_answer answer, const char *text, void *arg)
{
	struct quota_question *question = _question;
	struct quota_client *client = arg;
	bool is_probe = question->is_probe, trouble = answer == QUOTA_TROUBLE;

	question->conn = NULL;
	if (!is_probe) {
		on_mailbox(question->mailbox, question->size, answer, client);
		finish(question, answer, text);
		if (trouble)
			quota_suspect(client);
	} else if (trouble) {
		quota_probe_failed(question, text);
	} else {
		quota_question_free(question);
		client->answered_us = host_now_us(client->host);
		quota_breaker_close(&client->breaker, client->settings.path);
	}
	/* A probe may have one connection more, which is closed now. */
	if (is_probe && client->conns.count > client->settings.connections)
		quota_conn_close(quota_conns_idle(&client->conns));
	run_line(client);
}

/* Asks again on a new connection. The idle ones must be as dead as the one before. */
static void retry(struct quota_question *question)
{
	struct quota_client *client = question->client;

	quota_conns_close_idle(&client->conns);
	if (question->is_probe) {
		quota_question_free(question);
		quota_probe_start(client, true);
	} else {
		question->again = true;
	}
}

static void on_broken(void *_question, bool stale, const char *why, void *arg)
{
	struct quota_question *question = _question;
	struct quota_client *client = arg;

	if (question != NULL) {
		question->conn = NULL;
		if (stale && !question->again)
			retry(question);
		else
			fail(question, why);
	}
	run_line(client);
}

static const struct quota_conn_handler conn_handler = { on_answered, on_broken };

/* ---- the line ---- */

bool quota_send_on_idle(struct quota_question *question)
{
	struct quota_client *client = question->client;

	question->sent_us = host_now_us(client->host);
	question->conn = quota_conns_ask(&client->conns, question, question->mailbox,
					 question->size);
	return question->conn != NULL;
}

static struct quota_question *first_in_line(struct quota_client *client)
{
	struct quota_question *question;

	DL_FOREACH(client->questions, question) {
		if (question->conn == NULL)
			return question;
	}
	return NULL;
}

/* The next connection is made when the last one has answered. Calls nobody back. */
static void run_line(struct quota_client *client)
{
	struct quota_question *question;

	while (!client->breaker.down && (question = first_in_line(client)) != NULL) {
		if (quota_send_on_idle(question))
			continue;
		if (client->probe == NULL && client->conns.count < client->settings.connections &&
		    (client->pending == NULL || client->conns.count == 1))
			quota_probe_start(client, true);
		return;
	}
}

/* ---- time and probes ---- */

static void on_timer(void *arg)
{
	struct quota_question *question = arg;
	struct quota_client *client = question->client;
	char why[64];

	question->timer = NULL;
	if (question->rest > 0) {
		quota_start_timer(question, question->rest, 0);
		quota_suspect(client);
		return;
	}
	if (question->is_probe && quota_probe_is_excused(question)) {
		quota_probe_wait(question);
		return;
	}
	if (!question->is_probe)
		keep_late(question);
	snprintf(why, sizeof(why), "no answer within %" PRIu64 " ms",
		 (host_now_us(client->host) - question->since_us) / 1000);
	fail(question, why);
	run_line(client);
}

void quota_start_timer(struct quota_question *question, unsigned ms, unsigned rest)
{
	const struct mum_host *host = question->client->host;

	question->rest = rest;
	question->timer = host->ops->timer(host->ctx, ms, on_timer, question);
}

struct quota_question *quota_question_new(struct quota_client *client, const char *mailbox,
					  uint64_t size)
{
	struct quota_question *question = xcalloc(1, sizeof(*question));

	question->client = client;
	question->mailbox = xstrdup(mailbox);
	question->size = size;
	question->since_us = host_now_us(client->host);
	return question;
}

/* ---- for callers ---- */

bool quota_client_skips(struct quota_client *client)
{
	if (client->settings.path == NULL)
		return true;
	client->counts.skipped += client->breaker.down;
	return client->breaker.down;
}

bool quota_client_knows_room(struct quota_client *client, const char *mailbox, uint64_t size)
{
	bool knows = quota_rooms_has(client->rooms, mailbox, size, host_now(client->host));

	client->counts.remembered += knows;
	return knows;
}

bool quota_client_awaits(struct quota_client *client, const char *mailbox)
{
	bool awaits = quota_late_has(&client->late, mailbox);

	client->counts.skipped += awaits;
	return awaits;
}

struct quota_question *quota_ask(struct quota_client *client, const char *mailbox,
				 uint64_t size, unsigned deadline_ms, quota_answer_fn *fn,
				 void *arg)
{
	struct quota_question *question;

	if (quota_client_skips(client))
		return NULL;
	question = quota_question_new(client, mailbox, size);
	question->fn = fn;
	question->arg = arg;
	DL_APPEND(client->questions, question);
	run_line(client);
	if (client->breaker.down) {
		quota_question_free(question);
		client->counts.skipped++;
		return NULL;
	}
	quota_start_timer(question, deadline_ms / 2, deadline_ms - deadline_ms / 2);
	return question;
}

void quota_cancel(struct quota_question **_question)
{
	struct quota_question *question = *_question;

	*_question = NULL;
	if (question != NULL) {
		take_turn(question->client);
		quota_question_free(question);
	}
}

struct quota_client *quota_client_new(const struct mum_host *host,
				      const struct quota_settings *settings)
{
	struct quota_client *client = xcalloc(1, sizeof(*client));

	client->host = host;
	client->conns = (struct quota_conns){ host, &conn_handler, client, NULL, 0 };
	client->breaker = (struct quota_breaker){ host, quota_probe_again, client, false, 0, NULL };
	client->rooms = quota_rooms_new(settings->ttl);
	quota_late_init(&client->late, host, on_mailbox, client);
	quota_settings_keep(&client->settings, settings);
	return client;
}

/* Puts the questions back in line; nobody asks until the breaker is reset. */
static void stop(struct quota_client *client)
{
	drop_connections(client);
	quota_late_clear(&client->late);
	quota_breaker_reset(&client->breaker);
	host_untimer(client->host, &client->turn);
	client->breaker.down = true;
}

void quota_client_free(struct quota_client **_client)
{
	struct quota_client *client = *_client;

	*_client = NULL;
	if (client == NULL)
		return;
	stop(client);
	while (client->questions != NULL)
		quota_question_free(client->questions);
	quota_rooms_free(&client->rooms);
	free((char *)client->settings.path);
	free(client);
}

void quota_client_configure(struct quota_client *client,
			    const struct quota_settings *settings)
{
	if (quota_settings_are_same(&client->settings, settings))
		return;
	if (client->breaker.down)
		host_log(client->host, MUM_LOG_INFO, "quota: unix:%s: its settings have changed, "
			 "so that the service is tried anew", client->settings.path);
	stop(client);
	while (client->questions != NULL)
		finish(client->questions, QUOTA_NO_ANSWER, "its settings have changed");
	quota_breaker_reset(&client->breaker);
	quota_rooms_free(&client->rooms);
	client->rooms = quota_rooms_new(settings->ttl);
	quota_settings_keep(&client->settings, settings);
}

struct quota_counts quota_client_counts(const struct quota_client *client)
{
	struct quota_counts counts = client->counts;

	counts.up = !client->breaker.down;
	counts.busy = quota_conns_busy(&client->conns);
	counts.idle = client->conns.count - counts.busy;
	counts.busy += client->late.conns.count;
	return counts;
}
