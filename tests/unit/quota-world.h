/* SPDX-License-Identifier: MIT */
/* The world of the tests of quota/client.c: a service, a client, and some who ask. */
#ifndef QUOTA_WORLD_H
#define QUOTA_WORLD_H

#include "tests/unit/quota-server.h"
#include "tests/unit/unit.h"

#define ROOM "action=DUNNO\n\n"
#define FULL "action=452 4.2.2 mailbox is full\n\n"

static struct fake_host fake;
static struct quota_server server;
static struct quota_client *client;
static struct quota_asker anna, bob, carl;

static int setup(void **state)
{
	struct quota_settings settings = { server.path, 2, QUOTA_DEADLINE, 0 };

	(void)state;
	fake_host_init(&fake);
	quota_server_init(&server, &fake);
	client = quota_client_new(&fake.host, &settings);
	return 0;
}

static int teardown(void **state)
{
	quota_client_free(&client);
	quota_server_free(&server);
	WANT_NUMBER("timers left", fake_host_timers(&fake), 0);
	WANT_NUMBER("watches left", fake_host_watches(&fake), 0);
	fake_host_free(&fake);
	return unit_teardown(state);
}

static void ask(const char *mailbox, struct quota_asker *asker)
{
	quota_server_ask(&server, client, mailbox, asker);
}

static void say(const char *mailbox, const char *bytes)
{
	quota_server_say(&server, quota_server_find(&server, mailbox), bytes);
}

#endif
