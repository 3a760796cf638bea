/* SPDX-License-Identifier: MIT */
/* Domains, mailboxes, TLS policies, aliases. Owners and senders: test_rules_senders.c. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/buf.h"
#include "common/rules.h"

/* An answer about one key, with the facts of any question. */
struct answer {
	struct address *address;
	struct facts deliveries, other;
	struct delivery_row rows[8];
	struct mum_answer answer;
};

static struct mum_answer *ask(struct answer *it, enum address_kind kind, const char *key)
{
	memset(it, 0, sizeof(*it));
	it->address = address_new(kind, key, strlen(key), "+");
	it->answer.status = MUM_FOUND;
	it->answer.address = it->address;
	it->answer.facts[MUM_DELIVERY] = &it->deliveries;
	it->answer.facts[MUM_DOMAIN] = it->answer.facts[MUM_TLS] = &it->other;
	return &it->answer;
}

/* The mailbox of one form of the key. */
struct box {
	size_t form;
	const char *address;
	bool domain_active, active, send_only;
};

static const char nobody[] = "";	/* what a mailbox that is gone stands for */

/* As the stores do: each row of a form also tells of its mailbox. */
static void set_deliveries(struct answer *it, const struct delivery_row *rows,
			   const struct box *boxes, size_t max)
{
	struct facts *facts = &it->deliveries;

	facts->kind = MUM_DELIVERY;
	facts->deliveries = it->rows;
	for (size_t i = 0; i < max && rows != NULL && rows[i].alias != NULL; i++) {
		struct delivery_row *row = &it->rows[facts->count++];

		*row = rows[i];
		row->recipient_id = i + 1;
		if (row->stands_for == NULL)
			row->stands_for = row->recipient;
		else if (row->stands_for == nobody)
			row->stands_for = NULL;
	}
	for (size_t b = 0; b < 2 && boxes[b].address != NULL; b++) {
		bool told = false;

		for (size_t i = 0; i <= facts->count; i++) {
			struct delivery_row *row = &it->rows[i];

			if (i == facts->count && told)
				break;
			if (i == facts->count)
				*row = (struct delivery_row){ .form = boxes[b].form };
			if (row->form != boxes[b].form)
				continue;
			row->domain_active = boxes[b].domain_active;
			row->mailbox = boxes[b].address;
			row->mailbox_active = boxes[b].active;
			row->mailbox_send_only = boxes[b].send_only;
			facts->count += i == facts->count;
			told = true;
		}
	}
	facts_complete(facts);
}

#define COUNT_ROWS(count, rows, member) \
	do { \
		for ((count) = 0; (count) < ARRAY_LEN(rows) && \
		     (rows)[count].member != NULL; (count)++) \
			; \
	} while (0)

/* ---- domains ---- */

static void test_domain(void **state)
{
	static const struct {
		const char *name;
		struct domain_row rows[3];
		const char *want;
	} rows[] = {
		{ "no row", { { 0 } }, NULL },
		{ "active: the stored name", { { 0, "Example.COM", true } }, "Example.COM" },
		{ "inactive", { { 0, "example.com", false } }, NULL },
		{ "inactive in one spelling, active in another",
		  { { 0, "b\xc3\xbc" "cher.example", false },
		    { 0, "xn--bcher-kva.example", true } }, "xn--bcher-kva.example" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct answer it;
		struct mum_answer *answer = ask(&it, ADDRESS_DOMAIN, "example.com");
		const char *got = NULL;
		enum mum_status status;

		it.other.domains = (struct domain_row *)row->rows;
		COUNT_ROWS(it.other.count, row->rows, name);
		status = rule_domain(answer, &got);
		WANT_NUMBER(row->name, status, row->want != NULL ? MUM_FOUND : MUM_NOT_FOUND);
		WANT_TEXT(row->name, got, row->want);
		address_unref(&it.address);
	}
}

/* ---- mailboxes ---- */

static const struct {
	const char *name, *key;
	struct box rows[2];
	const char *want;
} mailboxes[] = {
	{ "no row", "joe@d", { { 0 } }, NULL },
	{ "active", "joe@d", { { 0, "Joe@d", true, true, false } }, "Joe@d" },
	{ "send-only too", "joe@d", { { 0, "joe@d", true, true, true } }, "joe@d" },
	{ "inactive", "joe@d", { { 0, "joe@d", true, false, false } }, NULL },
	{ "in an inactive domain", "joe@d", { { 0, "joe@d", false, true, false } }, NULL },
	{ "the full form wins", "joe+t@d",
	  { { 0, "joe+t@d", true, true, false }, { 1, "joe@d", true, true, false } },
	  "joe+t@d" },
	{ "whatever the order of rows", "joe+t@d",
	  { { 1, "joe@d", true, true, false }, { 0, "joe+t@d", true, true, false } },
	  "joe+t@d" },
	{ "an inactive full form does not exist", "joe+t@d",
	  { { 0, "joe+t@d", true, false, false }, { 1, "joe@d", true, true, false } },
	  "joe@d" },
	{ "without its extension", "joe+t@d", { { 1, "joe@d", true, true, false } },
	  "joe@d" },
};

static void test_mailbox(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, mailboxes) {
		struct answer it;
		struct mum_answer *answer = ask(&it, ADDRESS_MAIL, row->key);
		const struct delivery_row *got = NULL;
		enum mum_status status;

		set_deliveries(&it, NULL, row->rows, 0);
		status = rule_mailbox(answer, &got);
		WANT_NUMBER(row->name, status, row->want != NULL ? MUM_FOUND : MUM_NOT_FOUND);
		WANT_TEXT(row->name, got != NULL ? got->mailbox : NULL, row->want);
		address_unref(&it.address);
	}
}

/* ---- TLS policies ---- */

static void test_tls(void **state)
{
	static const struct {
		const char *name;
		struct tls_row rows[3];
		const char *policy, *params;
	} rows[] = {
		{ "no row", { { 0 } }, NULL, NULL },
		{ "active", { { 0, "secure", "match=x", true } }, "secure", "match=x" },
		{ "no params", { { 0, "may", NULL, true } }, "may", "" },
		{ "empty params", { { 0, "may", "", true } }, "may", "" },
		{ "inactive", { { 0, "secure", "x", false } }, NULL, NULL },
		{ "inactive in one spelling, active in another",
		  { { 0, "secure", "x", false }, { 0, "may", "", true } }, "may", "" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct answer it;
		struct mum_answer *answer = ask(&it, ADDRESS_TLS, "example.com");
		const char *policy = NULL, *params = NULL;
		enum mum_status status;

		it.other.tls = (struct tls_row *)row->rows;
		COUNT_ROWS(it.other.count, row->rows, policy);
		status = rule_tls(answer, &policy, &params);
		WANT_NUMBER(row->name, status,
			    row->policy != NULL ? MUM_FOUND : MUM_NOT_FOUND);
		WANT_TEXT(row->name, policy, row->policy);
		WANT_TEXT(row->name, params, row->params);
		address_unref(&it.address);
	}
}

/* ---- aliases ---- */

#define ALIAS(name) .alias = (name), .domain_active = true, .alias_active = true
#define LOCAL \
	.recipient_local = true, .recipient_active = true, .recipient_domain_active = true
#define GONE .recipient_local = true, .stands_for = nobody
#define BEHIND(...) .behind = { .ours = true, __VA_ARGS__ }
#define UNKNOWN RECIPIENT_UNKNOWN
#define ACCEPTED RECIPIENT_ACCEPTED
#define SEND_ONLY RECIPIENT_SEND_ONLY
#define DEAD RECIPIENT_DEAD_ALIAS

/* want: what the aliases map answers; verdict: that of the recipient check. */
static const struct {
	const char *name, *key;
	struct delivery_row rows[5];
	struct box boxes[2];
	const char *want;	/* "a@b,c@d|extension"; NULL: NOT_FOUND */
	enum recipient_verdict verdict;
} aliases[] = {
	{ "neither alias nor mailbox", "a@d", { { 0 } }, { { 0 } }, NULL, UNKNOWN },

	/* which recipients are live */
	{ "an external recipient", "a@d", { { ALIAS("a@d"), .recipient = "x@y" } }, { { 0 } },
	  "x@y|", ACCEPTED },
	{ "a local recipient", "a@d", { { ALIAS("a@d"), .recipient = "b@d", LOCAL } },
	  { { 0 } }, "b@d|", ACCEPTED },
	{ "a local one, inactive", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", .recipient_local = true,
	      .recipient_domain_active = true } }, { { 0 } }, NULL, DEAD },
	{ "a local one in an inactive domain", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", .recipient_local = true, .recipient_active = true } },
	  { { 0 } }, NULL, DEAD },
	{ "a local one that only sends", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", LOCAL, .recipient_send_only = true } },
	  { { 0 } }, NULL, DEAD },
	{ "the live ones of several", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", .recipient_local = true },
	    { ALIAS("a@d"), .recipient = "c@d", LOCAL },
	    { ALIAS("a@d"), .recipient = "x@y" } }, { { 0 } }, "c@d,x@y|", ACCEPTED },
	{ "the live one before the dead one", "a@d",
	  { { ALIAS("a@d"), .recipient = "c@d", LOCAL },
	    { ALIAS("a@d"), .recipient = "b@d", .recipient_local = true } }, { { 0 } }, "c@d|",
	  ACCEPTED },
	{ "in the order of rows", "a@d",
	  { { ALIAS("a@d"), .recipient = "z@y" }, { ALIAS("a@d"), .recipient = "b@y" },
	    { ALIAS("a@d"), .recipient = "m@y" } }, { { 0 } }, "z@y,b@y,m@y|", ACCEPTED },

	/* recipients with a mailbox stand for its present address */
	{ "under another address than the text", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@old", .stands_for = "b@new", LOCAL } }, { { 0 } },
	  "b@new|", ACCEPTED },
	{ "though the text is blank", "a@d",
	  { { ALIAS("a@d"), .recipient = " ", .stands_for = "b@d", LOCAL } }, { { 0 } },
	  "b@d|", ACCEPTED },
	{ "a mailbox that is gone", "a@d", { { ALIAS("a@d"), .recipient = "b@d", GONE } },
	  { { 0 } }, NULL, DEAD },
	{ "the alias itself by its present address, not by the text", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", .stands_for = "a@d", LOCAL },
	    { ALIAS("a@d"), .recipient = "a@d", .stands_for = "b@d", LOCAL } }, { { 0 } },
	  "b@d|", ACCEPTED },
	{ "a mailbox that only sends, and a live alias of its name", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", LOCAL, .recipient_send_only = true,
	      BEHIND(.known = true, .alias = true) } }, { { 0 } }, "b@d|", ACCEPTED },
	{ "an inactive mailbox, and a live alias of its name", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", .recipient_local = true,
	      .recipient_domain_active = true, BEHIND(.known = true, .alias = true) } },
	  { { 0 } }, "b@d|", ACCEPTED },

	/* texts in a domain of MUM's are judged as that address */
	{ "a mailbox", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", BEHIND(.known = true, .mailbox = true) } },
	  { { 0 } }, "b@d|", ACCEPTED },
	{ "a mailbox that only sends", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d",
	      BEHIND(.known = true, .mailbox = true, .send_only = true) } }, { { 0 } }, NULL,
	  DEAD },
	{ "a mailbox that only sends, and an alias", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d",
	      BEHIND(.known = true, .mailbox = true, .send_only = true, .alias = true) } },
	  { { 0 } }, "b@d|", ACCEPTED },
	{ "an alias", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", BEHIND(.known = true, .alias = true) } },
	  { { 0 } }, "b@d|", ACCEPTED },
	{ "something inactive", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", BEHIND(.known = true, .elsewhere = true) } },
	  { { 0 } }, NULL, DEAD },
	{ "nothing, and another map may know it", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", BEHIND(.elsewhere = true) } }, { { 0 } },
	  "b@d|", ACCEPTED },
	{ "nothing, and there is no other map", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", BEHIND(.known = false) } }, { { 0 } }, NULL,
	  DEAD },
	{ "the alias itself with an extension never ends", "a@d",
	  { { ALIAS("a@d"), .recipient = "a+x@d",
	      BEHIND(.known = true, .alias = true, .mailbox = true, .alias_itself = true) } },
	  { { 0, "a@d", true, true, false } }, NULL, ACCEPTED },
	{ "own addresses once, however their case", "a@d",
	  { { ALIAS("a@d"), .recipient = "b@d", BEHIND(.known = true, .mailbox = true) },
	    { ALIAS("a@d"), .recipient = "B@d", BEHIND(.known = true, .mailbox = true) } },
	  { { 0 } }, "b@d|", ACCEPTED },

	/* which aliases exist */
	{ "inactive", "a@d",
	  { { .alias = "a@d", .domain_active = true, .recipient = "x@y" } }, { { 0 } },
	  NULL, UNKNOWN },
	{ "in an inactive domain", "a@d",
	  { { .alias = "a@d", .alias_active = true, .recipient = "x@y" } }, { { 0 } }, NULL,
	  UNKNOWN },
	{ "expired", "a@d",
	  { { ALIAS("a@d"), .alias_expired = true, .recipient = "x@y" } }, { { 0 } }, NULL,
	  UNKNOWN },
	{ "without recipients: Postfix may find it elsewhere", "a@d",
	  { { ALIAS("a@d") } }, { { 0 } }, NULL, ACCEPTED },
	{ "without recipients and expired", "a@d", { { ALIAS("a@d"), .alias_expired = true } },
	  { { 0 } }, NULL, UNKNOWN },

	/* blanks, duplicates, itself */
	{ "blank", "a@d", { { ALIAS("a@d"), .recipient = "" } }, { { 0 } }, NULL, DEAD },
	{ "blank beside a live one", "a@d",
	  { { ALIAS("a@d"), .recipient = "" }, { ALIAS("a@d"), .recipient = "x@y" } },
	  { { 0 } }, "x@y|", ACCEPTED },
	{ "each own address once, the first spelling", "a@d",
	  { { ALIAS("a@d"), .recipient = "X@y", LOCAL },
	    { ALIAS("a@d"), .recipient = "x@Y", LOCAL },
	    { ALIAS("a@d"), .recipient = "z@y", LOCAL } }, { { 0 } },
	  "X@y,z@y|", ACCEPTED },
	{ "the case of a foreign local part counts, of its domain not", "a@d",
	  { { ALIAS("a@d"), .recipient = "X@y" }, { ALIAS("a@d"), .recipient = "x@y" },
	    { ALIAS("a@d"), .recipient = "X@Y" } }, { { 0 } }, "X@y,x@y|", ACCEPTED },
	{ "once in both spellings of a domain", "a@d",
	  { { ALIAS("a@d"), .recipient = "x@b\xc3\xbc" "cher.y" },
	    { ALIAS("a@d"), .recipient = "x@xn--bcher-kva.y" } }, { { 0 } },
	  "x@b\xc3\xbc" "cher.y|", ACCEPTED },
	{ "accents are other addresses", "a@d",
	  { { ALIAS("a@d"), .recipient = "e@y" },
	    { ALIAS("a@d"), .recipient = "\xc3\xa9@y" } }, { { 0 } }, "e@y,\xc3\xa9@y|",
	  ACCEPTED },
	{ "itself leads nowhere", "a@d", { { ALIAS("a@d"), .recipient = "a@d" } },
	  { { 0 } }, NULL, DEAD },
	{ "itself in another spelling", "a@d", { { ALIAS("a@d"), .recipient = "A@D" } },
	  { { 0 } }, NULL, DEAD },
	{ "itself keeps a copy where a mailbox accepts mail", "a@d",
	  { { ALIAS("a@d"), .recipient = "a@d" }, { ALIAS("a@d"), .recipient = "x@y" } },
	  { { 0, "A@d", true, true, false } }, "a@d,x@y|", ACCEPTED },
	{ "itself keeps no copy in an inactive mailbox", "a@d",
	  { { ALIAS("a@d"), .recipient = "a@d" }, { ALIAS("a@d"), .recipient = "x@y" } },
	  { { 0, "a@d", true, false, false } }, "x@y|", ACCEPTED },
	{ "itself keeps no copy in a mailbox that sends", "a@d",
	  { { ALIAS("a@d"), .recipient = "a@d" }, { ALIAS("a@d"), .recipient = "x@y" } },
	  { { 0, "a@d", true, true, true } }, "x@y|", ACCEPTED },
	{ "only itself, and a mailbox that sends", "a@d",
	  { { ALIAS("a@d"), .recipient = "a@d" } }, { { 0, "a@d", true, true, true } },
	  NULL, SEND_ONLY },
	{ "only itself, and a mailbox", "a@d", { { ALIAS("a@d"), .recipient = "a@d" } },
	  { { 0, "a@d", true, true, false } }, "a@d|", ACCEPTED },
	{ "itself beside others, no mailbox", "a@d",
	  { { ALIAS("a@d"), .recipient = "a@d" }, { ALIAS("a@d"), .recipient = "x@y" } },
	  { { 0 } }, "x@y|", ACCEPTED },
	{ "itself, though the row names an active mailbox that is not it", "a@d",
	  { { ALIAS("a@d"), .recipient = "a@d", LOCAL } }, { { 0 } }, NULL, DEAD },

	/* extensions */
	{ "joe+tag leads to joe", "joe+Tag@d",
	  { { ALIAS("joe@d"), .form = 1, .recipient = "x@y" } }, { { 0 } }, "x@y|+Tag",
	  ACCEPTED },
	{ "the full form wins", "joe+tag@d",
	  { { ALIAS("joe+tag@d"), .recipient = "f@y" },
	    { ALIAS("joe@d"), .form = 1, .recipient = "x@y" } }, { { 0 } }, "f@y|",
	  ACCEPTED },
	{ "a dead full form: the next that is live", "joe+tag@d",
	  { { ALIAS("joe+tag@d"), .recipient = "" },
	    { ALIAS("joe@d"), .form = 1, .recipient = "x@y" } }, { { 0 } }, "x@y|+tag",
	  ACCEPTED },
	{ "an expired full form does not exist", "joe+tag@d",
	  { { ALIAS("joe+tag@d"), .alias_expired = true, .recipient = "f@y" },
	    { ALIAS("joe@d"), .form = 1, .recipient = "x@y" } }, { { 0 } }, "x@y|+tag",
	  ACCEPTED },
	{ "dead in both forms", "joe+tag@d",
	  { { ALIAS("joe+tag@d"), .recipient = "" },
	    { ALIAS("joe@d"), .form = 1, .recipient = "" } }, { { 0 } }, NULL, DEAD },
	{ "joe, itself, by way of joe+tag", "joe+tag@d",
	  { { ALIAS("joe@d"), .form = 1, .recipient = "joe@d" } }, { { 0 } }, NULL, DEAD },

	/* one address, a mailbox and an alias */
	{ "only a mailbox", "a@d", { { 0 } }, { { 0, "a@d", true, true, false } }, NULL,
	  ACCEPTED },
	{ "only a mailbox that sends", "a@d", { { 0 } }, { { 0, "a@d", true, true, true } },
	  NULL, SEND_ONLY },
	{ "an inactive mailbox", "a@d", { { 0 } }, { { 0, "a@d", true, false, true } }, NULL,
	  UNKNOWN },
	{ "a mailbox of an inactive domain", "a@d", { { 0 } },
	  { { 0, "a@d", false, true, true } }, NULL, UNKNOWN },
	{ "a live alias wins over a mailbox that sends", "a@d",
	  { { ALIAS("a@d"), .recipient = "x@y" } }, { { 0, "a@d", true, true, true } },
	  "x@y|", ACCEPTED },
	{ "a dead alias, a mailbox", "a@d", { { ALIAS("a@d"), .recipient = "" } },
	  { { 0, "a@d", true, true, false } }, NULL, ACCEPTED },
	{ "a dead alias, a mailbox that sends", "a@d",
	  { { ALIAS("a@d"), .recipient = "" } }, { { 0, "a@d", true, true, true } }, NULL,
	  SEND_ONLY },
	{ "a dead alias, an inactive mailbox", "a@d",
	  { { ALIAS("a@d"), .recipient = "" } }, { { 0, "a@d", true, false, false } }, NULL,
	  DEAD },
	{ "an alias without recipients, a mailbox that sends", "a@d", { { ALIAS("a@d") } },
	  { { 0, "a@d", true, true, true } }, NULL, SEND_ONLY },
	{ "an expired alias, a mailbox that sends", "a@d",
	  { { ALIAS("a@d"), .alias_expired = true, .recipient = "x@y" } },
	  { { 0, "a@d", true, true, true } }, NULL, SEND_ONLY },
	{ "a send-only mailbox by way of its extension", "joe+x@d", { { 0 } },
	  { { 1, "joe@d", true, true, true } }, NULL, SEND_ONLY },
};

/* "a@b,c@d|extension"; caller frees. */
static char *spell(const struct recipients *recipients)
{
	struct buf text = BUF_INIT(10000);

	for (size_t i = 0; i < recipients->count; i++)
		buf_printf(&text, "%s%s", i > 0 ? "," : "", recipients->addresses[i]);
	buf_printf(&text, "|%s", recipients->extension);
	return buf_steal(&text);
}

static void test_aliases(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, aliases) {
		struct answer it;
		struct mum_answer *answer = ask(&it, ADDRESS_MAIL, row->key);
		struct arena arena = { NULL };
		struct recipients recipients;
		struct recipient_ruling ruling = { .verdict = (enum recipient_verdict)99 };
		char *got = NULL;

		set_deliveries(&it, row->rows, row->boxes, ARRAY_LEN(row->rows));
		if (rule_recipients(answer, &arena, &recipients) == MUM_FOUND)
			got = spell(&recipients);
		WANT_TEXT(row->name, got, row->want);
		WANT_NUMBER(row->name, rule_recipient(answer, &ruling), MUM_FOUND);
		WANT_NUMBER(row->name, ruling.verdict, row->verdict);
		free(got);
		arena_free(&arena);
		address_unref(&it.address);
	}
}

static void test_many_recipients(void **state)
{
	enum { COUNT = 5000 };
	struct delivery_row *rows = calloc(COUNT, sizeof(*rows));
	struct answer it;
	struct mum_answer *answer = ask(&it, ADDRESS_MAIL, "a@d");
	struct arena arena = { NULL };
	struct recipients recipients = { 0 };
	char text[COUNT][16];
	bool in_order = true;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		/* Each twice, a thousand apart. */
		snprintf(text[i], sizeof(text[i]), "%d@y", i % 2000 < 1000 ? i : i - 1000);
		rows[i] = (struct delivery_row){ ALIAS("a@d"), .recipient = text[i],
						 .stands_for = text[i] };
	}
	it.deliveries.deliveries = rows;
	it.deliveries.count = COUNT;
	WANT("found", rule_recipients(answer, &arena, &recipients) == MUM_FOUND);
	WANT_NUMBER("each once", recipients.count, 3000);
	for (size_t i = 0; i < recipients.count; i++)
		in_order = in_order && (size_t)atoi(recipients.addresses[i]) ==
					       i / 1000 * 2000 + i % 1000;
	WANT("in order", in_order);
	arena_free(&arena);
	address_unref(&it.address);
	free(rows);
}

/* Postfix's propagate_unmatched_extensions without "virtual". */
static void test_an_extension_may_be_dropped(void **state)
{
	struct delivery_row row = { ALIAS("joe@d"), .form = 1, .recipient = "x@y",
				    .stands_for = "x@y" };
	struct facts facts = { .count = 1, .deliveries = &row };
	struct address *address = address_new(ADDRESS_MAIL, "joe+Tag@d", 9, "+");
	struct mum_answer answer = { .status = MUM_FOUND, .address = address,
				     .facts[MUM_DELIVERY] = &facts };
	struct arena arena = { NULL };
	struct recipients recipients;

	(void)state;
	WANT_NUMBER("put behind", rule_recipients(&answer, &arena, &recipients), MUM_FOUND);
	WANT_TEXT("put behind", recipients.extension, "+Tag");
	answer.drops_extension = true;
	WANT_NUMBER("dropped", rule_recipients(&answer, &arena, &recipients), MUM_FOUND);
	WANT_TEXT("dropped", recipients.extension, "");
	WANT_TEXT("the recipient stays", recipients.addresses[0], "x@y");
	arena_free(&arena);
	address_unref(&address);
}

/* Who is told why there is no alias hears of the full form's. */
static void test_the_full_form_that_does_not_exist_is_told(void **state)
{
	struct delivery_row rows[] = {
		{ ALIAS("joe+tag@d"), .alias_expired = true, .recipient = "f@y" },
		{ .alias = "joe@d", .form = 1, .domain_active = true, .recipient = "x@y" },
	};
	struct facts facts = { .count = 2, .deliveries = rows };
	struct address *address = address_new(ADDRESS_MAIL, "joe+tag@d", 9, "+");
	struct mum_answer answer = { .status = MUM_FOUND, .address = address,
				     .facts[MUM_DELIVERY] = &facts };
	struct arena arena = { NULL };
	struct recipients recipients;

	(void)state;
	WANT_NUMBER("none", rule_recipients(&answer, &arena, &recipients), MUM_NOT_FOUND);
	WANT_NUMBER("the full form's", recipients.state, ALIAS_IS_EXPIRED);
	address_unref(&address);
}

static void test_trouble_passes_through(void **state)
{
	static const enum mum_status all[] = { MUM_TEMPFAIL, MUM_NOT_FOUND,
					       MUM_MISCONFIGURED };

	(void)state;
	FOR_EACH_ROW(status, all) {
		struct mum_answer answer = { .status = *status, .reason = "x" };
		struct arena arena = { NULL };
		const struct delivery_row *mailbox;
		struct recipients recipients;
		struct recipient_ruling ruling;
		const char *text, *params;

		WANT_NUMBER("domain", rule_domain(&answer, &text), *status);
		WANT_NUMBER("mailbox", rule_mailbox(&answer, &mailbox), *status);
		WANT_NUMBER("tls", rule_tls(&answer, &text, &params), *status);
		WANT_NUMBER("recipients", rule_recipients(&answer, &arena, &recipients),
			    *status);
		WANT_NUMBER("recipient", rule_recipient(&answer, &ruling), *status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_domain),
		UNIT_TEST(test_mailbox),
		UNIT_TEST(test_tls),
		UNIT_TEST(test_aliases),
		UNIT_TEST(test_many_recipients),
		UNIT_TEST(test_an_extension_may_be_dropped),
		UNIT_TEST(test_the_full_form_that_does_not_exist_is_told),
		UNIT_TEST(test_trouble_passes_through),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
