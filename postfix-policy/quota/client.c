/* SPDX-License-Identifier: MIT */
/*
 * A mailbox may be slow to count, or crash the process that counts it, so a question
 * without an answer does not prove that the service is down. Halfway to its deadline we
 * send a probe, a question about a name that cannot exist. When that gets no answer
 * either, the service is down.
 *
 * A new connection begins with a probe: at Dovecot's process_limit the kernel takes it and
 * nobody answers, while the older ones work. The probe is pending then: nobody waits for it.
 *
 * Probes are answered although every mailbox hangs: late.h says what is made of that.
 */
#include "postfix-policy/quota/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/xalloc.h"
#include "postfix-policy/quota/breaker.h"
#include "postfix-policy/quota/conn.h"
#include "postfix-policy/quota/late.h"
#include "postfix-policy/quota/rooms.h"

struct quota_question {
	struct quota_client *client;
	char *mailbox;
	uint64_t size;
	bool is_probe;
	bool on_new;		/* a probe that a new connection begins with */
	bool again;		/* was sent once to a connection that was dead already */
	struct quota_conn *conn;	/* NULL: waits in line */
	uint64_t since_us, sent_us;	/* host_now_us() */
	unsigned rest;		/* ms from the timer to the deadline; 0: it is the deadline */
	struct mum_timer *timer;
	quota_answer_fn *fn;
	void *arg;
	struct quota_question *prev, *next;
};

struct quota_client {
	const struct mum_host *host;
	struct quota_settings settings;	/* owns the path */
	struct quota_conns conns;
	struct quota_question *questions;	/* oldest first; without probes */
	struct quota_question *probe;	/* under way, or NULL */
	struct quota_question *pending;	/* a probe that is late, which says nothing; or NULL */
	uint64_t probes;		/* so far */
	uint64_t answered_us;		/* host_now_us() of the last answer */
	struct quota_breaker breaker;
	struct quota_late late;
	struct quota_rooms *rooms;
	struct mum_timer *turn;		/* see take_turn() */
	struct quota_counts counts;
};

static void run_line(struct quota_client *client);
static void suspect(struct quota_client *client);
static void start_probe(struct quota_client *client, bool on_new);

/* Closes the connection, too, because an answer on it would belong to nobody. */
static void question_free(struct quota_question *question)
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
	question_free(question);
	fn(answer, text, arg);
}

/* Ends all probes, and puts the questions back in line. */
static void drop_connections(struct quota_client *client)
{
	struct quota_question *question;

	if (client->probe != NULL)
		question_free(client->probe);
	if (client->pending != NULL)
		question_free(client->pending);
	DL_FOREACH(client->questions, question) {
		if (question->conn != NULL)
			quota_conn_close(question->conn);
		question->conn = NULL;
	}
	quota_conns_close_idle(&client->conns);
}

/* ---- the breaker ---- */

static void on_turn(void *arg)
{
	struct quota_client *client = arg;

	client->turn = NULL;
	while (client->breaker.down && client->questions != NULL)
		finish(client->questions, QUOTA_NO_ANSWER, "the service is down");
	run_line(client);
}

/* Works from the loop, because who asks or cancels expects no callback of somebody else. */
static void take_turn(struct quota_client *client)
{
	if (client->turn == NULL)
		client->turn = client->host->ops->timer(client->host->ctx, 0, on_turn, client);
}

static void mark_down(struct quota_client *client, const char *why)
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
	if (quota_late_is_full(&client->late))
		mark_down(client, "no answer about three mailboxes in a row");
}

/* An answer about a mailbox, early or late: if others were late, it was not the service. */
static void on_mailbox(const char *mailbox, uint64_t size, enum quota_answer answer, void *arg)
{
	struct quota_client *client = arg;

	quota_rooms_note(client->rooms, mailbox, size, answer, host_now(client->host));
	if (answer == QUOTA_TROUBLE)
		return;
	client->answered_us = host_now_us(client->host);
	quota_late_clear(&client->late);
	quota_breaker_close(&client->breaker, client->settings.path);
}

/* ---- what came of a question or a probe ---- */

/* If others get answers while a new connection does not, the service is not down. */
static bool is_excused(const struct quota_question *probe)
{
	return probe->on_new && probe->client->answered_us > probe->since_us;
}

static void probe_failed(struct quota_question *probe, const char *why)
{
	struct quota_client *client = probe->client;
	bool excused = is_excused(probe);

	question_free(probe);
	if (!excused)
		mark_down(client, why);
}

static void fail(struct quota_question *question, const char *why)
{
	struct quota_client *client = question->client;

	if (question->is_probe) {
		probe_failed(question, why);
		return;
	}
	finish(question, QUOTA_NO_ANSWER, why);
	suspect(client);
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
			suspect(client);
	} else if (trouble) {
		probe_failed(question, text);
	} else {
		question_free(question);
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
		question_free(question);
		start_probe(client, true);
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

/* On an idle connection; false when there is none. */
static bool send_on_idle(struct quota_question *question)
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
		if (send_on_idle(question))
			continue;
		if (client->probe == NULL && client->conns.count < client->settings.connections &&
		    (client->pending == NULL || client->conns.count == 1))
			start_probe(client, true);
		return;
	}
}

/* ---- time and probes ---- */

static void start_timer(struct quota_question *question, unsigned ms, unsigned rest);

static void on_timer(void *arg)
{
	struct quota_question *question = arg;
	struct quota_client *client = question->client;
	char why[64];

	question->timer = NULL;
	if (question->rest > 0) {
		start_timer(question, question->rest, 0);
		suspect(client);
		return;
	}
	if (question->is_probe && is_excused(question)) {
		client->probe = NULL;
		client->pending = question;
		return;
	}
	if (!question->is_probe)
		keep_late(question);
	snprintf(why, sizeof(why), "no answer within %" PRIu64 " ms",
		 (host_now_us(client->host) - question->since_us) / 1000);
	fail(question, why);
	run_line(client);
}

static void start_timer(struct quota_question *question, unsigned ms, unsigned rest)
{
	const struct mum_host *host = question->client->host;

	question->rest = rest;
	question->timer = host->ops->timer(host->ctx, ms, on_timer, question);
}

static struct quota_question *question_new(struct quota_client *client, const char *mailbox,
					   uint64_t size)
{
	struct quota_question *question = xcalloc(1, sizeof(*question));

	question->client = client;
	question->mailbox = xstrdup(mailbox);
	question->size = size;
	question->since_us = host_now_us(client->host);
	return question;
}

/* No other probe is under way. on_new: not on an idle connection. */
static void start_probe(struct quota_client *client, bool on_new)
{
	unsigned deadline = client->settings.deadline;
	struct quota_question *probe;
	char name[QUOTA_MAILBOX_MAX];
	const char *why;

	quota_put_probe(name, host_now(client->host), ++client->probes);
	probe = question_new(client, name, 0);
	probe->is_probe = true;
	client->probe = probe;
	if (on_new || !send_on_idle(probe)) {
		probe->on_new = true;
		probe->conn = quota_conns_ask_new(&client->conns, client->settings.path, probe,
						  probe->mailbox, probe->size, &why);
		if (probe->conn == NULL) {
			question_free(probe);
			mark_down(client, why);
			return;
		}
	}
	/* If the service is up, it ends with the question that called for it. */
	start_timer(probe, client->breaker.down ? deadline : deadline / 2, 0);
}

/* The breaker calls it. */
static void probe_again(void *arg)
{
	struct quota_client *client = arg;

	if (quota_late_is_full(&client->late))
		return;
	if (client->probe != NULL)
		question_free(client->probe);
	start_probe(client, true);
}

/* A question got no answer, or none yet. */
static void suspect(struct quota_client *client)
{
	if (!client->breaker.down && client->probe == NULL)
		start_probe(client, false);
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

struct quota_question *quota_ask(struct quota_client *client, const char *mailbox,
				 uint64_t size, unsigned deadline_ms, quota_answer_fn *fn,
				 void *arg)
{
	struct quota_question *question;

	if (quota_client_skips(client))
		return NULL;
	question = question_new(client, mailbox, size);
	question->fn = fn;
	question->arg = arg;
	DL_APPEND(client->questions, question);
	run_line(client);
	if (client->breaker.down) {
		question_free(question);
		client->counts.skipped++;
		return NULL;
	}
	start_timer(question, deadline_ms / 2, deadline_ms - deadline_ms / 2);
	return question;
}

void quota_cancel(struct quota_question **_question)
{
	struct quota_question *question = *_question;

	*_question = NULL;
	if (question != NULL) {
		take_turn(question->client);
		question_free(question);
	}
}

struct quota_client *quota_client_new(const struct mum_host *host,
				      const struct quota_settings *settings)
{
	struct quota_client *client = xcalloc(1, sizeof(*client));

	client->host = host;
	client->conns = (struct quota_conns){ host, &conn_handler, client, NULL, 0 };
	client->breaker = (struct quota_breaker){ host, probe_again, client, false, 0, NULL };
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
		question_free(client->questions);
	quota_rooms_free(&client->rooms);
	free((char *)client->settings.path);
	free(client);
}

void quota_client_configure(struct quota_client *client,
			    const struct quota_settings *settings)
{
	if (quota_settings_are_same(&client->settings, settings))
		return;
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
