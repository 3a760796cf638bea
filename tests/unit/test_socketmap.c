/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "postfix-policy/protocol/socketmap.h"

#define REPLY_TEMP "29:TEMP temporary lookup failure,"
#define REPLY_NOTFOUND "9:NOTFOUND ,"

/* ---- requests ---- */

/* The request's views live until free(*block). */
static enum parse_result parse(const char *wire, size_t len, char **block,
			       struct socketmap_request *out, size_t *wire_len)
{
	*block = unit_exact(wire, len);
	return socketmap_parse(*block, len, out, wire_len);
}

static void test_requests(void **state)
{
	static const struct {
		const char *name, *wire, *map, *key;
		size_t left;
	} rows[] = {
		{ "domains", "11:domains a.b,", "domains", "a.b", 0 },
		{ "mailboxes", "13:mailboxes a@b,", "mailboxes", "a@b", 0 },
		{ "aliases", "11:aliases a@b,", "aliases", "a@b", 0 },
		{ "sender-login-maps", "21:sender-login-maps a@b,", "sender-login-maps", "a@b",
		  0 },
		{ "recipient-access", "20:recipient-access a@b,", "recipient-access", "a@b",
		  0 },
		{ "tls-policies", "16:tls-policies [a],", "tls-policies", "[a]", 0 },
		{ "the first blank splits", "13:aliases a b@c,", "aliases", "a b@c", 0 },
		{ "a key that begins with a blank", "10:aliases  a,", "aliases", " a", 0 },
		{ "an empty key", "8:aliases ,", "aliases", "", 0 },
		{ "two in a row", "9:domains a,9:domains b,", "domains", "a", 12 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct socketmap_request out;
		size_t len = strlen(row->wire), wire_len = 0;
		char *block, key[100];

		if (parse(row->wire, len, &block, &out, &wire_len) == PARSE_DONE) {
			snprintf(key, sizeof(key), "%.*s", (int)out.key_len, out.key);
			WANT_TEXT(row->name, key, row->key);
			WANT_TEXT(row->name,
				  out.map != NULL ? socketmap_name(out.map) : NULL, row->map);
			WANT_NUMBER(row->name, wire_len, len - row->left);
		} else {
			WANT(row->name, false);
		}
		free(block);
	}
}

static void test_maps_that_are_not_there(void **state)
{
	static const struct {
		const char *name, *wire;
	} rows[] = {
		{ "another map", "9:virtual a," },
		{ "map names have a case", "9:Domains a," },
		{ "a part of a map's name", "8:domain a," },
		{ "more than a map's name", "10:domainss a," },
		{ "an empty map name", "2: a," },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct socketmap_request out;
		size_t wire_len;
		char *block;

		WANT_NUMBER(row->name, parse(row->wire, strlen(row->wire), &block, &out, &wire_len),
			    PARSE_DONE);
		WANT(row->name, out.map == NULL && out.key_len == 1 && *out.key == 'a');
		free(block);
	}
}

static void test_no_requests(void **state)
{
	static const struct {
		const char *name, *wire;
	} rows[] = {
		{ "no blank", "7:domains," },
		{ "nothing at all", "0:," },
		{ "no netstring", "domains a\n" },
		{ "a policy request", "request=smtpd_access_policy\n" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct socketmap_request out;
		size_t wire_len;
		char *block;

		WANT_NUMBER(row->name, parse(row->wire, strlen(row->wire), &block, &out, &wire_len),
			    PARSE_BAD);
		free(block);
	}
}

static void test_any_cut_means_more(void **state)
{
	const char *wire = "20:recipient-access a@b,";
	struct socketmap_request out;
	size_t wire_len;

	(void)state;
	for (size_t cut = 0; cut < strlen(wire); cut++) {
		char *block;

		WANT_NUMBER("a cut", parse(wire, cut, &block, &out, &wire_len), PARSE_MORE);
		free(block);
	}
}

static void test_request_limit(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		enum parse_result want;
	} rows[] = {
		{ "Postfix's longest key", 10000 + sizeof("sender-login-maps "), PARSE_DONE },
		{ "at the limit", SOCKETMAP_REQUEST_MAX, PARSE_DONE },
		{ "one above", SOCKETMAP_REQUEST_MAX + 1, PARSE_BAD },
		{ "100,000", 100000, PARSE_BAD },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *wire = malloc(row->len + 20), *block;
		int head = snprintf(wire, 20, "%zu:aliases ", row->len);
		struct socketmap_request out;
		size_t wire_len, start = (size_t)head - strlen("aliases ");

		memset(wire + head, 'x', row->len + 20 - (size_t)head);
		wire[start + row->len] = ',';
		WANT_NUMBER(row->name, parse(wire, start + row->len + 1, &block, &out,
					     &wire_len), row->want);
		free(block);
		free(wire);
	}
}

/* ---- replies ---- */

/* The map with that name, found by a request for it. */
static const struct socketmap_map *map_of(const char *name)
{
	struct socketmap_request out;
	size_t wire_len;
	char wire[64];
	int len = snprintf(wire, sizeof(wire), "%zu:%s x,", strlen(name) + 2, name);

	assert_int_equal(socketmap_parse(wire, (size_t)len, &out, &wire_len), PARSE_DONE);
	assert_non_null(out.map);
	return out.map;
}

static const char *const map_names[] = { "domains", "mailboxes", "aliases",
					 "sender-login-maps", "recipient-access",
					 "tls-policies" };

static void test_questions(void **state)
{
	static const enum question_kind want[] = {
		MUM_DOMAIN, MUM_DELIVERY, MUM_DELIVERY, MUM_OWNERS, MUM_DELIVERY, MUM_TLS,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(map_names); i++)
		WANT_NUMBER(map_names[i], socketmap_question(map_of(map_names[i])), want[i]);
}

/* An answer about one key, with the facts that any map may need. */
struct answer {
	struct mum_answer answer;
	struct address *address;
	struct facts facts[MUM_QUESTIONS];
};

static void set_up(struct answer *it, enum address_kind kind, const char *key)
{
	memset(it, 0, sizeof(*it));
	it->address = address_new(kind, key, strlen(key), "+");
	it->answer.status = MUM_FOUND;
	it->answer.address = it->address;
	for (int i = 0; i < MUM_QUESTIONS; i++)
		it->answer.facts[i] = &it->facts[i];
}

static void set_rows(struct answer *it, enum question_kind kind, const void *rows,
		     size_t count)
{
	it->facts[kind].rows = (void *)(uintptr_t)rows;
	it->facts[kind].count = count;
}

/* Checks the reply byte by byte, and whether the caller is told of a problem. */
static void want_reply(const char *name, const char *map, const struct answer *it,
		       const char *want, bool trouble)
{
	struct buf out = BUF_INIT(200000);
	struct socketmap_outcome outcome =
		socketmap_put_answer(&out, map_of(map), &it->answer);
	char *got = buf_steal(&out);

	WANT_TEXT(name, got, want);
	WANT(name, (outcome.result == SOCKETMAP_BAD_VALUE) == trouble);
	WANT(name, (outcome.fault != NULL) == trouble);
	WANT(name, (outcome.cure != NULL) == trouble);
	free(got);
}

static void test_domains(void **state)
{
	static const struct domain_row active = { 0, "Example.com", true },
				       inactive = { 0, "example.com", false };
	struct answer it;

	(void)state;
	set_up(&it, ADDRESS_DOMAIN, "example.com");
	want_reply("no row", "domains", &it, REPLY_NOTFOUND, false);
	set_rows(&it, MUM_DOMAIN, &inactive, 1);
	want_reply("inactive", "domains", &it, REPLY_NOTFOUND, false);
	set_rows(&it, MUM_DOMAIN, &active, 1);
	want_reply("the stored name", "domains", &it, "14:OK Example.com,", false);
	address_unref(&it.address);
}

static void test_mailboxes(void **state)
{
	static const struct delivery_row
		send_only = { .domain_active = true, .mailbox = "a@d",
			      .mailbox_active = true, .mailbox_send_only = true },
		inactive = { .domain_active = true, .mailbox = "a@d" };
	struct answer it;

	(void)state;
	set_up(&it, ADDRESS_MAIL, "a@d");
	want_reply("no row", "mailboxes", &it, REPLY_NOTFOUND, false);
	set_rows(&it, MUM_DELIVERY, &inactive, 1);
	want_reply("inactive", "mailboxes", &it, REPLY_NOTFOUND, false);
	set_rows(&it, MUM_DELIVERY, &send_only, 1);
	want_reply("send-only too", "mailboxes", &it, "4:OK 1,", false);
	address_unref(&it.address);
}

#define ALIAS(form_, to) \
	{ .form = (form_), .domain_active = true, .alias = "joe@d", .alias_active = true, \
	  .recipient = (to), .stands_for = (to) }

static void test_aliases(void **state)
{
	static const struct {
		const char *name, *key;
		struct delivery_row rows[3];
		size_t count;
		const char *want;
	} rows[] = {
		{ "no row", "joe@d", { { 0 } }, 0, REPLY_NOTFOUND },
		{ "no recipients", "joe@d", { ALIAS(0, NULL) }, 1, REPLY_NOTFOUND },
		{ "no live recipient", "joe@d", { ALIAS(0, "") }, 1, REPLY_NOTFOUND },
		{ "one", "joe@d", { ALIAS(0, "a@b") }, 1, "6:OK a@b," },
		{ "joined, in order", "joe@d",
		  { ALIAS(0, "z@b"), ALIAS(0, "a@b"), ALIAS(0, "m@b") }, 3,
		  "14:OK z@b,a@b,m@b," },
		{ "the extension goes to each, in its case", "joe+Tag@d",
		  { ALIAS(1, "z@b"), ALIAS(1, "a@b") }, 2, "18:OK z+Tag@b,a+Tag@b," },
		{ "the full form has none", "joe+Tag@d", { ALIAS(0, "z@b") }, 1,
		  "6:OK z@b," },
		{ "quoted where it must be", "joe@d", { ALIAS(0, "a b@c") }, 1,
		  "10:OK \"a b\"@c," },
		{ "A-labels for LMTP", "joe@d", { ALIAS(0, "a@b\xc3\xbc" "cher.c") }, 1,
		  "20:OK a@xn--bcher-kva.c," },
		{ "UTF-8 in local parts", "joe@d", { ALIAS(0, "j\xc3\xb6@c") }, 1,
		  "8:OK j\xc3\xb6@c," },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct answer it;

		set_up(&it, ADDRESS_MAIL, row->key);
		set_rows(&it, MUM_DELIVERY, row->rows, row->count);
		want_reply(row->name, "aliases", &it, row->want, false);
		address_unref(&it.address);
	}
}

/* A sender who writes to joe+... chooses the extension; it must not add recipients. */
static void test_an_extension_adds_no_recipient(void **state)
{
	static const struct delivery_row quoted = ALIAS(2, "\"jane doe\"@d");
	struct answer it;

	(void)state;
	set_up(&it, ADDRESS_MAIL, "\"joe+\\\",x@evil.example,\\\"\"@d");
	assert_int_equal(it.address->forms_count, 3);
	set_rows(&it, MUM_DELIVERY, &quoted, 1);
	want_reply("one recipient", "aliases", &it,
		   "36:OK \"jane doe+\\\",x@evil.example,\\\"\"@d,", false);
	address_unref(&it.address);
}

#define OWNER(name) \
	{ .login = (name), .domain_active = true, .mailbox_active = true, \
	  .mailbox_domain_active = true }

static void test_owners(void **state)
{
	static const struct owner_row two[] = { OWNER("Joe@d"), OWNER("anna@d") };
	struct answer it;

	(void)state;
	set_up(&it, ADDRESS_MAIL, "joe@d");
	want_reply("nobody", "sender-login-maps", &it, REPLY_NOTFOUND, false);
	set_rows(&it, MUM_OWNERS, two, 1);
	want_reply("one", "sender-login-maps", &it, "8:OK Joe@d,", false);
	set_rows(&it, MUM_OWNERS, two, 2);
	want_reply("two", "sender-login-maps", &it, "15:OK Joe@d,anna@d,", false);
	address_unref(&it.address);
}

#define MAILBOX .mailbox = "joe@d", .mailbox_active = true

static void test_recipient_access(void **state)
{
	static const struct delivery_row
		normal = { .domain_active = true, MAILBOX },
		send_only = { .domain_active = true, MAILBOX, .mailbox_send_only = true },
		both = { .domain_active = true, MAILBOX, .mailbox_send_only = true,
			 .alias = "joe@d", .alias_active = true, .recipient = "a@b",
			 .stands_for = "a@b" },
		dead = ALIAS(0, ""), empty = ALIAS(0, NULL), live = ALIAS(0, "a@b");
	static const struct {
		const char *name;
		const struct delivery_row *row;
		const char *want;
	} rows[] = {
		{ "unknown", NULL, REPLY_NOTFOUND },
		{ "a mailbox", &normal, "8:OK DUNNO," },
		{ "send-only", &send_only,
		  "53:OK 550 5.2.1 mailbox does not accept mail (send-only)," },
		{ "a live alias wins", &both, "8:OK DUNNO," },
		{ "a live alias", &live, "8:OK DUNNO," },
		{ "an alias without recipients", &empty, "8:OK DUNNO," },
		{ "a dead alias", &dead,
		  "56:OK 550 5.2.1 alias leads to no mailbox that accepts mail," },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct answer it;

		set_up(&it, ADDRESS_MAIL, "joe@d");
		set_rows(&it, MUM_DELIVERY, row->row, row->row != NULL ? 1 : 0);
		want_reply(row->name, "recipient-access", &it, row->want, false);
		address_unref(&it.address);
	}
}

static void test_tls_policies(void **state)
{
	static const struct {
		const char *name;
		struct tls_row row;
		size_t count;
		const char *want;
	} rows[] = {
		{ "no row", { 0 }, 0, REPLY_NOTFOUND },
		{ "a policy", { 0, "encrypt", NULL, true }, 1, "10:OK encrypt," },
		{ "empty params", { 0, "encrypt", "", true }, 1, "10:OK encrypt," },
		{ "a policy and its params", { 0, "secure", "match=a", true }, 1,
		  "17:OK secure match=a," },
		{ "inactive", { 0, "encrypt", NULL, false }, 1, REPLY_NOTFOUND },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct answer it;

		set_up(&it, ADDRESS_TLS, "[a]:25");
		set_rows(&it, MUM_TLS, &row->row, row->count);
		want_reply(row->name, "tls-policies", &it, row->want, false);
		address_unref(&it.address);
	}
}

static void test_every_map_in_trouble(void **state)
{
	static const struct {
		enum mum_status status;
		const char *want;
	} rows[] = {
		{ MUM_TEMPFAIL, REPLY_TEMP },
		{ MUM_MISCONFIGURED, REPLY_TEMP },
		{ MUM_NOT_FOUND, REPLY_NOTFOUND },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct answer it = { .answer = { .status = row->status, .reason = "x" } };

		for (size_t i = 0; i < ARRAY_LEN(map_names); i++)
			want_reply(map_names[i], map_names[i], &it, row->want, false);
	}
}

/* ---- values that Postfix must not get ---- */

static void test_value_limit(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		bool ok;
	} rows[] = {
		{ "511 bytes", 511, true },
		{ "as much as a typical value", 512, true },
		{ "one byte more", 513, true },
		{ "99,996 bytes", 99996, true },
		{ "99,997 bytes", 99997, true },
		{ "99,998 bytes", 99998, false },
		{ "200,000 bytes", 200000, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *policy = unit_repeat("x", row->len);
		char *want = malloc(row->len + 20);
		struct tls_row tls = { 0, policy, NULL, true };
		struct answer it;

		snprintf(want, row->len + 20, "%zu:OK %s,", row->len + 3, policy);
		set_up(&it, ADDRESS_TLS, "a");
		set_rows(&it, MUM_TLS, &tls, 1);
		want_reply(row->name, "tls-policies", &it, row->ok ? want : REPLY_TEMP,
			   !row->ok);
		address_unref(&it.address);
		free(policy);
		free(want);
	}
}

static void test_too_many_recipients(void **state)
{
	enum { COUNT = 12000 };
	struct delivery_row *rows = calloc(COUNT, sizeof(*rows));
	char (*text)[16] = calloc(COUNT, sizeof(*text));
	struct answer it;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		snprintf(text[i], sizeof(text[i]), "%05d@e.x", i);
		rows[i] = (struct delivery_row)ALIAS(0, text[i]);
	}
	set_up(&it, ADDRESS_MAIL, "joe@d");
	set_rows(&it, MUM_DELIVERY, rows, COUNT);
	want_reply("never a part of them", "aliases", &it, REPLY_TEMP, true);
	rows[0].recipient = NULL;
	rows[0].left_out = COUNT;
	set_rows(&it, MUM_DELIVERY, rows, 1);
	want_reply("left out already", "aliases", &it, REPLY_TEMP, true);
	want_reply("and it accepts mail", "recipient-access", &it, "8:OK DUNNO,", false);
	address_unref(&it.address);
	free(rows);
	free(text);
}

static void test_dirty_values(void **state)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "empty", "" },
		{ "a newline", "may\nx" },
		{ "a tab", "may\tx" },
		{ "the first control byte", "\x01" },
		{ "the last control byte", "\x1f" },
		{ "DEL", "may\x7f" },
		{ "a C1 control", "may\xc2\x85" },
		{ "invalid UTF-8", "may\xff" },
		{ "half a letter", "may\xc3" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		const struct tls_row tls = { 0, row->value, NULL, true };
		const struct domain_row domain = { 0, row->value, true };
		const struct owner_row owner = OWNER(row->value);
		struct answer it;

		set_up(&it, ADDRESS_TLS, "a");
		set_rows(&it, MUM_TLS, &tls, 1);
		set_rows(&it, MUM_DOMAIN, &domain, 1);
		set_rows(&it, MUM_OWNERS, &owner, 1);
		want_reply(row->name, "tls-policies", &it, REPLY_TEMP, true);
		want_reply(row->name, "domains", &it, REPLY_TEMP, true);
		want_reply(row->name, "sender-login-maps", &it, REPLY_TEMP, true);
		address_unref(&it.address);
	}
}

static void test_dirty_recipients(void **state)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "a newline", "a\nb@c" },
		{ "a tab inside", "a\tb@c" },
		{ "DEL", "a\x7f@c" },
		{ "invalid UTF-8", "a\xff@c" },
		{ "invalid UTF-8 in the domain", "a@c\xff" },
		{ "a second recipient in the domain", "a@c,d" },
		{ "a quote in the domain", "a@c\"" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		const struct delivery_row two[] = { ALIAS(0, "x@y"), ALIAS(0, row->value) };
		struct answer it;

		set_up(&it, ADDRESS_MAIL, "joe@d");
		set_rows(&it, MUM_DELIVERY, two, 2);
		want_reply(row->name, "aliases", &it, REPLY_TEMP, true);
		address_unref(&it.address);
	}
}

static void test_perm(void **state)
{
	struct buf out = BUF_INIT(1000);
	char *got;

	(void)state;
	socketmap_put_perm(&out, "no such map");
	socketmap_put_perm(&out, "no such map");
	got = buf_steal(&out);
	WANT_TEXT("appended", got, "16:PERM no such map,16:PERM no such map,");
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_requests),
		UNIT_TEST(test_maps_that_are_not_there),
		UNIT_TEST(test_no_requests),
		UNIT_TEST(test_any_cut_means_more),
		UNIT_TEST(test_request_limit),
		UNIT_TEST(test_questions),
		UNIT_TEST(test_domains),
		UNIT_TEST(test_mailboxes),
		UNIT_TEST(test_aliases),
		UNIT_TEST(test_an_extension_adds_no_recipient),
		UNIT_TEST(test_owners),
		UNIT_TEST(test_recipient_access),
		UNIT_TEST(test_tls_policies),
		UNIT_TEST(test_every_map_in_trouble),
		UNIT_TEST(test_value_limit),
		UNIT_TEST(test_too_many_recipients),
		UNIT_TEST(test_dirty_values),
		UNIT_TEST(test_dirty_recipients),
		UNIT_TEST(test_perm),
	};

	return cmocka_run_group_tests_name("socketmap", tests, NULL, NULL);
}
