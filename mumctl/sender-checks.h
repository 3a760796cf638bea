/* SPDX-License-Identifier: MIT */
/*
 * What keeps a login from sending as any address, in each service of Postfix where people
 * log in. Pure: its input is what settings.h reads.
 */
#ifndef MUM_SENDER_CHECKS_H
#define MUM_SENDER_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

/* The laxest first. */
enum sender_check {
	SENDER_CHECK_UNKNOWN,		/* no Postfix here, or it cannot be read */
	SENDER_CHECK_NONE,
	SENDER_CHECK_KNOWN,		/* reject_known_sender_login_mismatch */
	SENDER_CHECK_MISMATCH,		/* another reject_..._sender_login_mismatch */
	SENDER_CHECK_OURS		/* a policy service with policy_context=sender */
};

/* How many settings may restrict senders. Postfix evaluates most of them late. */
enum { SENDER_RESTRICTIONS = 7 };

enum { SENDER_SERVICES_MAX = 64 };

/* SENDER_CHECK_UNKNOWN (asks: -1) means "not set": then main.cf counts. */
struct sender_service {
	char *name;		/* "submission/inet"; NULL for main.cf */
	int asks;		/* does it ask for a login? */
	enum sender_check checks[SENDER_RESTRICTIONS];
};

struct sender_checks {
	struct sender_service main;
	size_t count;
	struct sender_service services[SENDER_SERVICES_MAX];
};

void sender_checks_init(struct sender_checks *checks);
void sender_checks_clear(struct sender_checks *checks);
/* A settings_fn: a setting of main.cf, or of a service in master.cf. arg: the checks. */
void sender_checks_add(const char *service, const char *name, const char *value, void *arg);
/*
 * The laxest check of all services that ask for a login; main.cf's if none does. *service_r
 * is the service, NULL for main.cf; valid until sender_checks_clear().
 */
enum sender_check sender_checks_laxest(const struct sender_checks *checks,
				       const char **service_r);

#endif
