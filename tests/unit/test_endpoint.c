/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/endpoint.h"
#include "common/xalloc.h"

#define PATH "/run/x y"
#define LONG63 "a234567890123456789012345678901234567890123456789012345678901."
#define LONG248 LONG63 LONG63 LONG63 LONG63

static const struct {
	const char *text;
	const char *path, *host, *port;	/* all NULL: it is refused */
	bool local;
} servers[] = {
	{ "unix:" PATH, PATH, "", "", true },
	{ "unix:/", "/", "", "", true },
	{ "db.example.org", NULL, "db.example.org", "", false },
	{ "db.example.org:3307", NULL, "db.example.org", "3307", false },
	{ "inet:3307", NULL, "inet", "3307", false },
	{ "localhost", NULL, "localhost", "", true },
	{ "localhost:1", NULL, "localhost", "1", true },
	{ "127.0.0.1:65535", NULL, "127.0.0.1", "65535", true },
	{ "127.9.9.9", NULL, "127.9.9.9", "", true },
	{ "127.example.org", NULL, "127.example.org", "", false },
	{ "128.0.0.1", NULL, "128.0.0.1", "", false },
	{ "[::1]", NULL, "::1", "", true },
	{ "[::1]:3307", NULL, "::1", "3307", true },
	{ "[0:0:0:0:0:0:0:1]:3307", NULL, "0:0:0:0:0:0:0:1", "3307", true },
	{ "[2001:db8::2]:3307", NULL, "2001:db8::2", "3307", false },
	{ "[fe80::1%eth0]:3307", NULL, "fe80::1%eth0", "3307", false },
	{ LONG248 "a", NULL, LONG248 "a", "", false },
	{ .text = "" },
	{ .text = "unix:" },
	{ .text = "unix:run/x" },
	{ .text = ":3307" },
	{ .text = "db:" },
	{ .text = "db:0" },
	{ .text = "db:65536" },
	{ .text = "db:3306x" },
	{ .text = "db: 3306" },
	{ .text = "db:+3306" },
	{ .text = "db:18446744073709554922" },
	{ .text = "db:3306:3307" },
	{ .text = "user:password@db:3306" },
	{ .text = "::1" },
	{ .text = "2001:db8::2" },
	{ .text = "[::1]3307" },
	{ .text = "[::1]x:3307" },
	{ .text = "[::1]]:3307" },
	{ .text = "[::1]:" },
	{ .text = "[::1]:65536" },
	{ .text = "[::1" },
	{ .text = "[]:3307" },
	{ .text = "[" },
	{ .text = "[db]:3307" },
	{ .text = "[::1%]x:3307" },
	{ .text = "[fe80::1%]:3307" },
	{ .text = "db]:3307" },
	{ .text = "d[b]:3307" },
	{ .text = LONG248 "12345678" },
};

static void test_servers(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, servers) {
		char *text = unit_exact(row->text, strlen(row->text) + 1);
		struct endpoint got;
		bool ok = endpoint_parse_server(text, &got);

		WANT(row->text, ok == (row->host != NULL));
		if (ok && row->host != NULL) {
			WANT_TEXT(row->text, got.path, row->path);
			WANT_TEXT(row->text, got.host, row->host);
			WANT_TEXT(row->text, got.port, row->port);
			WANT(row->text, endpoint_is_local(&got) == row->local);
		}
		free(text);
	}
}

/* With "inet:" in front, each entry with a port means the same. */
static void test_listen_entries(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, servers) {
		bool is_unix = strncmp(row->text, "unix:", 5) == 0;
		char *entry = xasprintf("inet:%s", row->text);
		struct endpoint got;
		bool ok = endpoint_parse_listen(entry, &got);

		WANT(entry, ok == (!is_unix && row->port != NULL && *row->port != '\0'));
		if (ok) {
			WANT_TEXT(entry, got.path, NULL);
			WANT_TEXT(entry, got.host, row->host);
			WANT_TEXT(entry, got.port, row->port);
		}
		/* Without "inet:", only a path is valid. */
		ok = endpoint_parse_listen(row->text, &got);
		WANT(row->text, ok == (row->path != NULL));
		if (ok)
			WANT_TEXT(row->text, got.path, row->path);
		free(entry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_servers),
		UNIT_TEST(test_listen_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
