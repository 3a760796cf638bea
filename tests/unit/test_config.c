/* SPDX-License-Identifier: MIT */
/* Options, their values and their defaults. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/config.h"
#include "common/xalloc.h"
#include "common/config-options.h"
#include "tests/unit/load-config.h"

/* ---- good and bad values of each type ---- */

static const struct {
	const char *name, *text;
	const char *error;	/* a part of the message; NULL: it is fine */
} values[] = {
	{ "choice: the first", "database { driver = \"mariadb\" }", NULL },
	{ "choice: the last", "database { driver = \"sqlite\" }", NULL },
	{ "choice: another", "database { driver = \"oracle\" }", "mariadb|sqlite" },
	{ "choice: a part", "database { driver = \"sql\" }", "mariadb|sqlite" },
	{ "choice: two words", "database { driver = \"mariadb|sqlite\" }", "mariadb|sqlite" },
	{ "choice: a case", "database { driver = \"MariaDB\" }", "mariadb|sqlite" },
	{ "choice: empty where it may not be", "policy { sender = \"\" }", "enforce|warn|off" },
	{ "choice: empty where it may be", "database { tls = \"\" }", NULL },
	{ "choice: a bare word", "policy { sender = warn }", NULL },
	{ "choice: verify-full", "database { tls = \"verify-full\" }", NULL },
	{ "choice: no such verification", "database { tls = \"verify\" }", "verify-ca" },

	{ "number: below the least", "database { connections = 0 }", "1 to 64" },
	{ "number: the least", "database { connections = 1 }", NULL },
	{ "number: the most", "database { connections = 64 }", NULL },
	{ "number: above the most", "database { connections = 65 }", "1 to 64" },
	{ "number: quoted", "database { connections = \"3\" }", NULL },
	{ "number: negative", "database { connections = -1 }", "whole number" },
	{ "number: a sign", "database { connections = \"+1\" }", "whole number" },
	{ "number: a fraction", "database { connections = 1.5 }", "whole number" },
	{ "number: a unit", "database { connections = 2s }", "whole number" },
	{ "number: a word", "database { connections = two }", "whole number" },
	{ "number: empty", "database { connections = \"\" }", "whole number" },
	{ "number: a blank before", "database { connections = \" 2\" }", "whole number" },
	{ "number: a blank behind", "database { connections = \"2 \" }", "whole number" },
	{ "number: over 32 bits", "database { connections = 4294967298 }", "1 to 64" },
	{ "number: over 64 bits", "database { connections = 18446744073709551617 }",
	  "whole number" },
	{ "number: entries may be none", "cache { entries = 0 }", NULL },
	{ "number: entries, the most", "cache { entries = 10000000 }", NULL },
	{ "number: entries, one more", "cache { entries = 10000001 }", "10000000" },

	{ "time: below the least", "database { deadline = \"99ms\" }", "100 to 60000" },
	{ "time: the least", "database { deadline = \"100ms\" }", NULL },
	{ "time: the most", "database { deadline = \"60s\" }", NULL },
	{ "time: the most in minutes", "database { deadline = \"1m\" }", NULL },
	{ "time: above the most", "database { deadline = \"60001ms\" }", "100 to 60000" },
	{ "time: no unit", "database { deadline = \"2\" }", "want a time" },
	{ "time: a unit without a number", "database { deadline = \"s\" }", "want a time" },
	{ "time: another unit", "database { deadline = \"2w\" }", "want a time" },
	{ "time: a blank", "database { deadline = \"2 s\" }", "want a time" },
	{ "time: a fraction", "database { deadline = \"1.5s\" }", "want a time" },
	{ "time: over 64 bits", "database { deadline = \"18446744073709551615d\" }",
	  "want a time" },
	{ "time: just over 64 bits in ms", "database { deadline = \"18446744073709552s\" }",
	  "want a time" },
	{ "time: nothing, where it may be", "cache { ttl = \"0s\" }", NULL },
	{ "time: a day", "cache { stale = \"1d\" }", NULL },
	{ "time: a day and a bit", "cache { stale = \"86400001ms\" }", "86400000" },

	{ "size: bytes", "dovecot { max_argon2_memory = 4096 }", NULL },
	{ "size: kilobytes", "dovecot { max_argon2_memory = \"64K\" }", NULL },
	{ "size: gigabytes", "dovecot { max_argon2_memory = \"1G\" }", NULL },
	{ "size: another unit", "dovecot { max_argon2_memory = \"1T\" }", "want a size" },
	{ "size: a small letter", "dovecot { max_argon2_memory = \"1m\" }", "want a size" },
	{ "size: too large", "dovecot { max_argon2_memory = \"17179869184G\" }",
	  "want a size" },

	{ "mode: octal", "process { socket_mode = \"0660\" }", NULL },
	{ "mode: without a zero", "process { socket_mode = 660 }", NULL },
	{ "mode: the most", "process { socket_mode = 0777 }", NULL },
	{ "mode: above the most", "process { socket_mode = 01000 }", "octal mode" },
	{ "mode: no octal digit", "process { socket_mode = 0680 }", "octal mode" },
	{ "mode: symbolic", "process { socket_mode = \"u=rw\" }", "octal mode" },
	{ "mode: empty", "process { socket_mode = \"\" }", "octal mode" },
	{ "mode: negative", "process { socket_mode = -1 }", "octal mode" },

	{ "bool: true", "dovecot { allow_scheme_prefix = true }", NULL },
	{ "bool: no", "dovecot { allow_scheme_prefix = no }", NULL },
	{ "bool: on", "address { other_maps = on }", NULL },
	{ "bool: off", "address { other_maps = off }", NULL },
	{ "catch-all", "address { catch_all = on\n catch_all_senders = on }", NULL },
	{ "catch-all: senders alone", "address { catch_all_senders = on }",
	  "address.catch_all_senders needs address.catch_all = true" },
	{ "roles", "address { roles = {\"postmaster\", \"abuse\"}\n"
	  " role_recipient = \"a@b.test\" }", NULL },
	{ "roles: none", "address { roles = {}\n role_recipient = \"\" }", NULL },
	{ "roles: an address", "address { roles = {\"postmaster@b.test\"}\n"
	  " role_recipient = \"a@b.test\" }", "address.roles: \"postmaster@b.test\"" },
	{ "roles: an empty one", "address { roles = {\"\"}\n role_recipient = \"a@b.test\" }",
	  "address.roles: \"\"" },
	{ "roles: for nobody", "address { roles = {\"postmaster\"} }",
	  "address.role_recipient = \"\": want the address" },
	{ "roles: for no address", "address { roles = {\"abuse\"}\n role_recipient = \"a\" }",
	  "address.role_recipient = \"a\": want the address" },
	{ "bool: 1", "dovecot { allow_scheme_prefix = 1 }", "true or false" },
	{ "bool: empty", "dovecot { allow_scheme_prefix = \"\" }", "true or false" },

	{ "list: several", "database { tls = off\n hosts = {\"a\", \"b:1\", \"unix:/c\"} }",
	  NULL },
	{ "list: one without braces", "database { tls = off\n hosts = \"a\" }", NULL },
	{ "list: a host that is empty", "database { hosts = {\"a\", \"\"} }", "HOST:PORT" },
	{ "list: no colon behind the bracket", "database { hosts = \"[::1]3307\" }",
	  "HOST:PORT" },
	{ "list: a socket that is no path", "database { hosts = \"unix:c\" }", "unix:/PATH" },
	{ "list: no hosts", "database { hosts = {} }", "at least one host" },
	{ "a list where one value is wanted", "database { name = {\"a\", \"b\"} }",
	  "one value, not a list" },
	{ "an empty list where one value is wanted", "database { name = {} }",
	  "one value, not a list" },

	{ "listen: unix", "policy { listen = \"unix:/a\" }", NULL },
	{ "listen: inet", "policy { listen = {\"inet:127.0.0.1:1\", \"inet:[::1]:2\"} }", NULL },
	{ "listen: nowhere", "socketmap { listen = {} }", NULL },
	{ "listen: a relative path", "socketmap { listen = \"unix:a\" }", "unix:/PATH" },
	{ "listen: only a path", "socketmap { listen = \"/a\" }", "unix:/PATH" },
	{ "listen: no port", "socketmap { listen = \"inet:a\" }", "inet:HOST:PORT" },
	{ "listen: an empty port", "socketmap { listen = \"inet:a:\" }", "inet:HOST:PORT" },
	{ "listen: empty", "socketmap { listen = \"\" }", "inet:HOST:PORT" },
	{ "listen: the least port", "policy { listen = \"inet:a:1\" }", NULL },
	{ "listen: below the least", "policy { listen = \"inet:a:0\" }", "inet:HOST:PORT" },
	{ "listen: the last port", "policy { listen = \"inet:a:65535\" }", NULL },
	{ "listen: above the last", "policy { listen = \"inet:a:65536\" }", "inet:HOST:PORT" },
	{ "listen: no host", "policy { listen = \"inet::1\" }", "inet:HOST:PORT" },
	{ "listen: no colon behind the bracket", "policy { listen = \"inet:[::1]x:2\" }",
	  "inet:HOST:PORT" },
	{ "metrics: off", "metrics { listen = \"\" }", NULL },
	{ "metrics: unix", "metrics { listen = \"unix:/a\" }", NULL },
	{ "metrics: loopback", "metrics { listen = \"inet:127.0.0.1:9217\" }", NULL },
	{ "metrics: more loopback", "metrics { listen = \"inet:127.9.9.9:9217\" }", NULL },
	{ "metrics: loopback by name", "metrics { listen = \"inet:localhost:9217\" }", NULL },
	{ "metrics: IPv6 loopback", "metrics { listen = \"inet:[::1]:9217\" }", NULL },
	{ "metrics: no grammar of its own", "metrics { listen = \"127.0.0.1:9217\" }",
	  "unix:/PATH or inet:HOST:PORT" },
	{ "metrics: everywhere", "metrics { listen = \"inet:0.0.0.0:9217\" }", "allow_remote" },
	{ "metrics: everywhere, IPv6", "metrics { listen = \"inet:[::]:9217\" }",
	  "allow_remote" },
	{ "metrics: a name", "metrics { listen = \"inet:mx.example.org:9217\" }",
	  "allow_remote" },
	{ "metrics: a name that looks like loopback",
	  "metrics { listen = \"inet:127.example.org:9217\" }", "allow_remote" },
	{ "metrics: an address that begins like loopback",
	  "metrics { listen = \"inet:[::11]:9217\" }", "allow_remote" },
	{ "metrics: everywhere, if told so",
	  "metrics { listen = \"inet:0.0.0.0:9217\"\n allow_remote = true }", NULL },
	{ "metrics: told so, it must still be an entry",
	  "metrics { listen = \"inet:a\"\n allow_remote = true }", "inet:HOST:PORT" },
	{ "a user that is not there", "process { user = \"no-such-user\" }", "no such user" },
	{ "a group that is not there", "process { socket_group = \"no-such-group\" }",
	  "no such group" },
	{ "an authority that is not there",
	  "database { hosts = \"db.example\"\n tls_ca = \"/nowhere\" }", "database.tls_ca" },
	{ "an authority that nobody needs, but that is named",
	  "database { tls_ca = \"/nowhere\" }", "database.tls_ca" },
	{ "an authority without its folder", "database { tls_ca = \"ca.pem\" }",
	  "mum.conf:1: database.tls_ca = \"ca.pem\": want an absolute path" },
	{ "a database without its folder",
	  "database { driver = sqlite\n path = \"mum.sqlite\" }",
	  "mum.conf:2: database.path = \"mum.sqlite\": want an absolute path" },
	{ "no path at all", "database { path = \"\" }", "want an absolute path" },
	{ "send limits: none", "policy { send_limits = {} }", NULL },
	{ "send limits: one", "policy { send_limits = \"a@b.test 5000/1h 10000\" }", NULL },
	{ "send limits: the second is bad",
	  "policy { send_limits = {\"a@b.test 5/1h 10\", \"c@d.test 5/1h\"} }",
	  "policy.send_limits: \"c@d.test 5/1h\": want LOGIN RATE/PERIOD BURST" },
	{ "send limits: a number", "policy { send_limits = {\"a@b.test 0/1h 10\"} }",
	  "from 1 to 1000000" },
	{ "send state: no path", "policy { send_state = \"senders\" }", "absolute path" },

	{ "listen: the second is bad", "policy { listen = {\"unix:/a\", \"x\"} }",
	  "policy.listen = \"x\"" },

	{ "a time zone", "mum { timezone = \"Europe/Berlin\" }", NULL },
	{ "no time zone", "mum { timezone = \"Europe/Nowhere\" }", "no such time zone" },
	{ "a delimiter may be empty", "address { recipient_delimiter = \"\" }", NULL },
	{ "a domain", "address { myorigin = \"o.test\" }", NULL },
	{ "no domain", "address { myorigin = \"\" }", "address.myorigin" },
	{ "a file that is not there", "address { myorigin = \"/nowhere\" }",
	  "address.myorigin" },
	{ "the default may be missing", "address { myorigin = \"/etc/mailname\" }", NULL },
	{ "an empty section", "database { }", NULL },
	{ "an empty file", "", NULL },
	{ "comments", "# x\ndatabase { # y\n name = \"z\" # a\n}\n/* b */\n// c\n", NULL },

	{ "an unknown option", "database { colour = \"red\" }", "colour" },
	{ "an unknown section", "databse { }", "databse" },
	{ "an option outside of sections", "driver = \"sqlite\"", "driver" },
	{ "an option of another section", "cache { driver = \"sqlite\" }", "driver" },
	{ "a section that never ends", "database { name = \"x\"", "" },
	{ "a string that never ends", "database { name = \"x", "" },
	{ "no value", "database { name = }", "" },
	{ "only a value", "\"x\"", "" },
	{ "rubbish", "\x01\xff{{{", "" },
};

static void test_values(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, values) {
		char *errors = NULL;
		struct mum_config *config = load_config(row->text, &errors);

		WANT(row->name, (config != NULL) == (row->error == NULL));
		WANT(row->name, (errors != NULL) == (row->error != NULL));
		if (errors != NULL && row->error != NULL && strstr(errors, row->error) == NULL)
			WANT_TEXT(row->name, errors, row->error);
		WANT(row->name, errors == NULL || strncmp(errors, "mum.conf:", 9) == 0);
		mum_config_free(&config);
		free(errors);
	}
}

/* ---- what the values come to ---- */

static void test_units(void **state)
{
	static const struct {
		const char *text;
		unsigned want;
	} rows[] = {
		{ "0ms", 0 }, { "7ms", 7 }, { "7s", 7000 }, { "7m", 420000 },
		{ "7h", 25200000 }, { "1d", 86400000 }, { "007s", 7000 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *text = xasprintf("cache { stale = \"%s\" }", row->text), *errors;
		struct mum_config *config = load_config(text, &errors);

		WANT_NUMBER(row->text, config != NULL ? config->cache.stale : 99, row->want);
		mum_config_free(&config);
		free(errors);
		free(text);
	}
}

static void test_addresses_arrive(void **state)
{
	char *errors;
	struct mum_config *config = load_config(
		"address { recipient_delimiter = \"+-\"\n allow_percent_hack = no\n"
		" swap_bangpath = no\n propagate_extension = no\n myorigin = o.test\n"
		" mydomain = d.test }\n", &errors);

	(void)state;
	WANT_TEXT("fine", errors, NULL);
	free(errors);
	assert_non_null(config);
	WANT_TEXT("recipient_delimiter", config->address.recipient_delimiter, "+-");
	WANT("routes", !config->address.allow_percent_hack && !config->address.swap_bangpath);
	WANT("propagate_extension", !config->address.propagate_extension);
	WANT_TEXT("myorigin", config->address.myorigin, "o.test");
	WANT_TEXT("mydomain", config->address.mydomain, "d.test");
	mum_config_free(&config);
}

static void test_the_database_arrives(void **state)
{
	static const char text[] =
		"database { driver = sqlite\n hosts = {\"a\", \"b:1\"}\n name = n\n user = u\n"
		" path = \"/p\"\n tls = off\n tls_ca = \"/c\"\n connections = 5\n"
		" deadline = 3s }\n"
		"mum { timezone = UTC }\n"
		"cache { ttl = 1s\n stale = 2s\n entries = 7 }\n";
	char *errors;
	struct mum_config *config = load_config(text, &errors);

	(void)state;
	WANT_TEXT("fine", errors, NULL);
	free(errors);
	assert_non_null(config);
	WANT_NUMBER("driver", config->database.driver, MUM_DRIVER_SQLITE);
	WANT_NUMBER("hosts", config->database.hosts.count, 2);
	WANT_TEXT("in order", config->database.hosts.items[1], "b:1");
	WANT_TEXT("name", config->database.name, "n");
	WANT_TEXT("user", config->database.user, "u");
	WANT_TEXT("path", config->database.path, "/p");
	WANT_NUMBER("tls", config->database.tls, MUM_TLS_OFF);
	WANT_TEXT("tls_ca", config->database.tls_ca, "/c");
	WANT_NUMBER("connections", config->database.connections, 5);
	WANT_NUMBER("deadline", config->database.deadline, 3000);
	WANT("times", config->cache.ttl == 1000 && config->cache.stale == 2000);
	WANT_NUMBER("entries", config->cache.entries, 7);
	mum_config_free(&config);
}

static void test_dovecot_arrives(void **state)
{
	static const char text[] =
		"dovecot { user = du\n deadline = 4s\n smtp_deadline = 6s\n"
		" send_only_refuse = {\"x\"}\n verify = inline\n allow_scheme_prefix = yes\n"
		" max_bcrypt_cost = 12\n max_argon2_memory = 2K\n max_argon2_time = 3\n"
		" max_crypt_rounds = 2000\n max_yescrypt_cost = 4 }\n";
	char *errors;
	struct mum_config *config = load_config(text, &errors);

	(void)state;
	WANT_TEXT("fine", errors, NULL);
	free(errors);
	assert_non_null(config);
	WANT_NUMBER("send_only_refuse", config->dovecot.send_only_refuse.count, 1);
	WANT_NUMBER("verify", config->dovecot.verify, MUM_VERIFY_INLINE);
	WANT("allow_scheme_prefix", config->dovecot.allow_scheme_prefix);
	WANT_NUMBER("smtp_deadline", config->dovecot.smtp_deadline, 6000);
	WANT_NUMBER("max_bcrypt_cost", config->dovecot.max_bcrypt_cost, 12);
	WANT_NUMBER("max_argon2_memory", config->dovecot.max_argon2_memory, 2048);
	WANT_NUMBER("max_argon2_time", config->dovecot.max_argon2_time, 3);
	WANT_NUMBER("max_crypt_rounds", config->dovecot.max_crypt_rounds, 2000);
	WANT_NUMBER("max_yescrypt_cost", config->dovecot.max_yescrypt_cost, 4);
	mum_config_free(&config);
}

static void test_services_arrive(void **state)
{
	static const char text[] =
		"socketmap { listen = {} }\n"
		"policy { listen = \"unix:/x\"\n recipient = off\n sender = warn\n"
		" sender_login = known\n sender_unauthenticated = reject }\n"
		"metrics { listen = \"inet:192.0.2.1:1\"\n allow_remote = yes }\n"
		"process { user = root\n socket_group = root\n socket_mode = 0600\n"
		" max_clients = 9\n sandbox = false }\n";
	char *errors;
	struct mum_config *config = load_config(text, &errors);

	(void)state;
	WANT_TEXT("fine", errors, NULL);
	free(errors);
	assert_non_null(config);
	WANT_NUMBER("an empty list is no default", config->socketmap.listen.count, 0);
	WANT_TEXT("policy", config->policy.listen.items[0], "unix:/x");
	WANT_NUMBER("recipient", config->policy.recipient, MUM_CHECK_OFF);
	WANT_NUMBER("sender", config->policy.sender, MUM_CHECK_WARN);
	WANT_NUMBER("sender_login", config->policy.sender_login, MUM_SENDER_KNOWN);
	WANT_NUMBER("sender_unauthenticated", config->policy.sender_unauthenticated,
		    MUM_UNAUTHENTICATED_REJECT);
	WANT("metrics", *config->metrics.listen != '\0' && config->metrics.allow_remote);
	WANT_TEXT("process user", config->process.user, "root");
	WANT_NUMBER("socket_mode", config->process.socket_mode, 0600);
	WANT_NUMBER("max_clients", config->process.max_clients, 9);
	WANT("sandbox", !config->process.sandbox);
	mum_config_free(&config);
}

/* ---- defaults ---- */

static void test_defaults(void **state)
{
	char *errors;
	struct mum_config *config = load_config("", &errors);

	(void)state;
	assert_non_null(config);
	WANT_NUMBER("driver", config->database.driver, MUM_DRIVER_MARIADB);
	WANT_NUMBER("hosts", config->database.hosts.count, 1);
	WANT_TEXT("the local socket", config->database.hosts.items[0],
		  "unix:/run/mysqld/mysqld.sock");
	WANT_NUMBER("deadline", config->database.deadline, 2000);
	WANT_NUMBER("connections", config->database.connections, 2);
	WANT_NUMBER("tls is decided by the host", config->database.tls, MUM_TLS_DEFAULT);
	WANT_NUMBER("ttl", config->cache.ttl, 10000);
	WANT_NUMBER("stale", config->cache.stale, 600000);
	WANT_NUMBER("refused services", config->dovecot.send_only_refuse.count, 4);
	WANT_TEXT("the last of them", config->dovecot.send_only_refuse.items[3],
		  "submission");
	WANT_NUMBER("argon2 memory", config->dovecot.max_argon2_memory, 128 << 20);
	WANT_NUMBER("strict", config->policy.sender_login, MUM_SENDER_STRICT);
	WANT_NUMBER("accept", config->policy.sender_unauthenticated,
		    MUM_UNAUTHENTICATED_ACCEPT);
	WANT_NUMBER("no send limits", config->policy.send, MUM_CHECK_OFF);
	WANT_NUMBER("mode", config->process.socket_mode, 0660);
	WANT_TEXT("metrics are off", config->metrics.listen, "");
	mum_config_free(&config);
	WANT("set to NULL", config == NULL);
	mum_config_free(&config);
}

static void print_list(FILE *out, const char *items)
{
	fputs(*items != '\0' ? "{\"" : "{", out);
	for (const char *at = items; *at != '\0'; at++) {
		if (*at == ' ')
			fputs("\", \"", out);
		else
			fputc(*at, out);
	}
	fputs(*items != '\0' ? "\"}\n" : "}\n", out);
}

/* Every option with its default, as a mum.conf that changes nothing. */
static void put_defaults(FILE *out)
{
	for (size_t i = 0; i < config_options_count; i++) {
		const struct config_option *option = &config_options[i];
		bool first = i == 0 || strcmp(option->section, config_options[i - 1].section) != 0;
		bool last = i + 1 == config_options_count ||
			    strcmp(option->section, config_options[i + 1].section) != 0;

		if (first)
			fprintf(out, "%s {\n", option->section);
		fprintf(out, "    %s = ", option->name);
		if (option->type == OPTION_LIST)
			print_list(out, option->value);
		else
			fprintf(out, "\"%s\"\n", option->value);
		if (last)
			fputs("}\n", out);
	}
}

static char *print_defaults(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	put_defaults(out);
	fclose(out);
	return text;
}

static void test_printed_defaults_change_nothing(void **state)
{
	char *text = print_defaults(), *errors;
	struct mum_config *printed = load_config(text, &errors), *plain;

	(void)state;
	WANT_TEXT("they parse", errors, NULL);
	assert_non_null(printed);
	plain = load_config("", &errors);
	WANT_NUMBER("driver", printed->database.driver, plain->database.driver);
	WANT_TEXT("host", printed->database.hosts.items[0], plain->database.hosts.items[0]);
	WANT_NUMBER("hosts", printed->database.hosts.count, plain->database.hosts.count);
	WANT_NUMBER("deadline", printed->database.deadline, plain->database.deadline);
	WANT_NUMBER("tls", printed->database.tls, plain->database.tls);
	WANT_TEXT("user", printed->database.user, plain->database.user);
	WANT_NUMBER("services", printed->dovecot.send_only_refuse.count,
		    plain->dovecot.send_only_refuse.count);
	WANT_TEXT("a service", printed->dovecot.send_only_refuse.items[1],
		  plain->dovecot.send_only_refuse.items[1]);
	WANT_NUMBER("memory", printed->dovecot.max_argon2_memory,
		    plain->dovecot.max_argon2_memory);
	WANT_NUMBER("prefix", printed->dovecot.allow_scheme_prefix,
		    plain->dovecot.allow_scheme_prefix);
	WANT_TEXT("delimiter", printed->address.recipient_delimiter,
		  plain->address.recipient_delimiter);
	WANT("routes", printed->address.allow_percent_hack && printed->address.swap_bangpath);
	WANT_TEXT("origin", printed->address.myorigin, plain->address.myorigin);
	WANT("there is an origin", *plain->address.myorigin != '\0' &&
				   *plain->address.myorigin != '/');
	WANT_NUMBER("ttl", printed->cache.ttl, plain->cache.ttl);
	WANT_NUMBER("entries", printed->cache.entries, plain->cache.entries);
	WANT_TEXT("listen", printed->policy.listen.items[0], plain->policy.listen.items[0]);
	WANT_NUMBER("mode", printed->process.socket_mode, plain->process.socket_mode);
	WANT_TEXT("metrics", printed->metrics.listen, plain->metrics.listen);
	WANT_NUMBER("a list of nothing", printed->policy.send_limits.count, 0);
	WANT_NUMBER("the same by default", plain->policy.send_limits.count, 0);
	mum_config_free(&plain);
	mum_config_free(&printed);
	free(text);
}

static void test_who_needs_tls(void **state)
{
	static const struct {
		const char *host;
		bool tls;
	} rows[] = {
		{ "unix:/run/mysqld/mysqld.sock", false },
		{ "127.0.0.1", false },
		{ "127.0.0.1:3306", false },
		{ "127.1.2.3:3306", false },
		{ "localhost", false },
		{ "localhost:3306", false },
		{ "[::1]", false },
		{ "[::1]:3306", false },
		{ "db.example.org", true },
		{ "192.0.2.1:3306", true },
		{ "[2001:db8::1]:3306", true },
		{ "[::11]:3306", true },
		{ "127.example.org", true },	/* a name, not an address */
		{ "127.0.0.1.example.org:3306", true },
		{ "localhost.example.org", true },
	};
	char *errors;
	struct mum_config *config = load_config("database { driver = sqlite }", &errors);

	(void)state;
	WANT_TEXT("fine", errors, NULL);
	free(errors);
	assert_non_null(config);
	FOR_EACH_ROW(row, rows)
		WANT(row->host, mum_config_wants_tls(config, row->host) == row->tls);
	mum_config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_values),
		UNIT_TEST(test_units),
		UNIT_TEST(test_addresses_arrive),
		UNIT_TEST(test_the_database_arrives),
		UNIT_TEST(test_dovecot_arrives),
		UNIT_TEST(test_services_arrive),
		UNIT_TEST(test_defaults),
		UNIT_TEST(test_printed_defaults_change_nothing),
		UNIT_TEST(test_who_needs_tls),
	};

	return cmocka_run_group_tests_name("config", tests, load_config_setup,
					   load_config_teardown);
}
