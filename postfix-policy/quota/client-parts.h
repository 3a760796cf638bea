/* SPDX-License-Identifier: MIT */
/* The inside of client.h, which only client.c and probe.c see. */
#ifndef MUM_QUOTA_CLIENT_PARTS_H
#define MUM_QUOTA_CLIENT_PARTS_H

#include "postfix-policy/quota/breaker.h"
#include "postfix-policy/quota/conn.h"
#include "postfix-policy/quota/late.h"
#include "postfix-policy/quota/settings.h"

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
	void (*fn)(enum quota_answer answer, const char *text, void *arg);
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

/* ---- client.c ---- */

/* In no list; mailbox is copied. */
struct quota_question *quota_question_new(struct quota_client *client, const char *mailbox,
					  uint64_t size);
/* Closes its connection, too, because an answer on it would belong to nobody. */
void quota_question_free(struct quota_question *question);
/* On an idle connection; false when there is none. */
bool quota_send_on_idle(struct quota_question *question);
/* rest: see above. */
void quota_start_timer(struct quota_question *question, unsigned ms, unsigned rest);
/* Ends all probes, and soon all questions. Calls nobody back. */
void quota_mark_down(struct quota_client *client, const char *why);

/* ---- probe.c ---- */

/* No other probe is under way. on_new: not on an idle connection. May mark it down. */
void quota_probe_start(struct quota_client *client, bool on_new);
/* For the breaker; arg: the quota_client. */
void quota_probe_again(void *arg);
/* A question got no answer, or none yet. */
void quota_suspect(struct quota_client *client);
/* If others get answers while a new connection does not, the service is not down. */
bool quota_probe_is_excused(const struct quota_question *probe);
/* Frees it. Unless it is excused, the service is down. */
void quota_probe_failed(struct quota_question *probe, const char *why);
/* An excused one is late: another may begin. */
void quota_probe_wait(struct quota_question *probe);

#endif
