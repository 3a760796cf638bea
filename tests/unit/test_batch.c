/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/columns.h"
#include "common/store-mariadb/batch.h"
#include "common/store-mariadb/collations.h"

static struct store_request request(enum address_kind kind, const char *key)
{
	return (struct store_request){
		.question = { MUM_CREDENTIAL, address_new(kind, key, strlen(key), "+"), 0 },
	};
}

static void clean(struct store_request *one)
{
	facts_unref(&one->facts);
	address_unref(&one->question.address);
}

static void free_values(char **values)
{
	for (int i = 0; i < PARAMS_MAX; i++)
		free(values[i]);
}

/* Adds a credential row that answers the pair with that number. */
static bool row(struct batch *batch, const char *pair, const char *local,
		const char *domain)
{
	const char *cells[COLUMNS_MAX + 1] = { pair, local, domain, "1", "1", "0" };
	struct column columns[COLUMNS_MAX + 1];

	unit_columns(columns, cells, COLUMNS_MAX + 1);
	return batch_row(batch, columns);
}

static void test_json_of_names(void **state)
{
	static const struct {
		const char *name;
		enum address_kind kind;
		const char *key, *want;
	} rows[] = {
		{ "one name", ADDRESS_MAIL, "Joe@b.c", "[[\"joe\",\"b.c\"]]" },
		{ "an extension asks for both", ADDRESS_MAIL, "joe+x@b.c",
		  "[[\"joe+x\",\"b.c\"],[\"joe\",\"b.c\"]]" },
		{ "a domain in both spellings", ADDRESS_MAIL, "joe@xn--bcher-kva.c",
		  "[[\"joe\",\"xn--bcher-kva.c\"],[\"joe\",\"b\xc3\xbc" "cher.c\"]]" },
		{ "form by form, each with each spelling", ADDRESS_MAIL,
		  "a+x@xn--bcher-kva.c",
		  "[[\"a+x\",\"xn--bcher-kva.c\"],[\"a+x\",\"b\xc3\xbc" "cher.c\"],"
		  "[\"a\",\"xn--bcher-kva.c\"],[\"a\",\"b\xc3\xbc" "cher.c\"]]" },
		{ "a domain alone", ADDRESS_DOMAIN, "b.c", "[[\"\",\"b.c\"]]" },
		{ "quotes and backslashes", ADDRESS_MAIL, "\"a\\\"\"@b",
		  "[[\"\\\"a\\\\\\\"\\\"\",\"b\"],[\"a\\\"\",\"b\"]]" },
		{ "SQL is text", ADDRESS_MAIL, "'; drop table x; --@b",
		  "[[\"\\\"'; drop table x; --\\\"\",\"b\"],"
		  "[\"'; drop table x; --\",\"b\"]]" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct store_request one = request(row->kind, row->key);
		struct batch batch;
		char *values[PARAMS_MAX];

		batch_clear(&batch, MUM_CREDENTIAL);
		batch_add(&batch, &one);
		WANT_NUMBER(row->name, batch_shape(&batch, false), SHAPE_MANY);
		batch_values(&batch, SHAPE_MANY, "NOW", values);
		WANT_TEXT(row->name, values[0], row->want);
		WANT(row->name, values[1] == NULL);
		free_values(values);
		clean(&one);
	}
}

static void test_values_follow_the_statement(void **state)
{
	static const struct {
		const char *name;
		enum question_kind kind;
		const char *keys[2];	/* one or two */
		const char *want[PARAMS_MAX];
	} rows[] = {
		{ "domain", MUM_DOMAIN, { "a@b" }, { "b" } },
		{ "delivery", MUM_DELIVERY, { "a@b" }, { "NOW", "a", "a", "b" } },
		{ "owners", MUM_OWNERS, { "a@b" }, { "a", "b", "NOW", "a", "b" } },
		{ "credential", MUM_CREDENTIAL, { "a@b" }, { "a", "b" } },
		{ "user", MUM_USER, { "a@b" }, { "a", "b" } },
		{ "delivery, two names", MUM_DELIVERY, { "a@b", "c@d" },
		  { "NOW", "[[\"a\",\"b\"],[\"c\",\"d\"]]" } },
		{ "owners, two names", MUM_OWNERS, { "a@b", "c@d" },
		  { "[[\"a\",\"b\"],[\"c\",\"d\"]]", "NOW",
		    "[[\"a\",\"b\"],[\"c\",\"d\"]]" } },
		{ "one name that is searched twice", MUM_USER, { "a@xn--bcher-kva.c" },
		  { "[[\"a\",\"xn--bcher-kva.c\"],[\"a\",\"bücher.c\"]]" } },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct store_request requests[2];
		struct batch batch;
		char *values[PARAMS_MAX];
		size_t count = 0;

		batch_clear(&batch, row->kind);
		for (; count < 2 && row->keys[count] != NULL; count++) {
			requests[count] = request(ADDRESS_MAIL, row->keys[count]);
			batch_add(&batch, &requests[count]);
		}
		batch_values(&batch, batch_shape(&batch, true), "NOW", values);
		for (int i = 0; i < PARAMS_MAX; i++) {
			if (row->want[i] != NULL)
				WANT_TEXT(row->name, values[i], row->want[i]);
			else
				WANT(row->name, values[i] == NULL);
		}
		free_values(values);
		while (count > 0)
			clean(&requests[--count]);
	}
}

static void test_a_page_begins_after_an_id(void **state)
{
	struct store_request page = { .question = { MUM_USERS, NULL, 1234567890123 } };
	struct batch batch;
	char *values[PARAMS_MAX];

	(void)state;
	batch_clear(&batch, MUM_USERS);
	batch_add(&batch, &page);
	batch_values(&batch, batch_shape(&batch, true), "NOW", values);
	WANT_TEXT("after", values[0], "1234567890123");
	free_values(values);
	clean(&page);
}

static void test_statements_agree_with_the_columns(void **state)
{
	static const struct {
		enum question_kind kind;
		unsigned columns;
	} rows[] = {
		{ MUM_DOMAIN, DOMAIN_COLUMNS },
		{ MUM_DELIVERY, DELIVERY_COLUMNS },
		{ MUM_NAME, NAME_COLUMNS },
		{ MUM_OWNERS, OWNER_COLUMNS },
		{ MUM_TLS, TLS_COLUMNS },
		{ MUM_CREDENTIAL, CREDENTIAL_COLUMNS },
		{ MUM_USER, USER_COLUMNS },
		{ MUM_USERS, LISTED_COLUMNS },
	};
	static const struct collations collations = {
		{ "utf8mb4_bin", "utf8mb3_unicode_ci", "latin1_swedish_ci", "binary" }
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		const struct statement *statement = &statements[row->kind];

		WANT_NUMBER(mum_question_name(row->kind), statement->columns,
			    row->columns);
		WANT("they fit the reader's array", statement->columns <= COLUMNS_MAX + 1);
		for (int shape = 0; shape < STATEMENT_SHAPES; shape++) {
			const char *template = statement->shapes[shape].sql;
			char *sql = collations_fill(&collations, template != NULL ? template : "");
			size_t marks = 0, params = 0;

			for (const char *at = sql; *at != '\0'; at++)
				marks += *at == '?';
			WANT("nothing is left to fill", strpbrk(sql, "{}") == NULL);
			free(sql);
			while (params < PARAMS_MAX &&
			       statement->shapes[shape].params[params] != PARAM_END)
				params++;
			WANT_NUMBER("one value for each ?", params, marks);
			WANT("the list of values ends", params < PARAMS_MAX);
		}
	}
}

static void test_rows_go_to_who_asked(void **state)
{
	struct store_request a = request(ADDRESS_MAIL, "a+x@d"),
			     b = request(ADDRESS_MAIL, "b@xn--bcher-kva.c"),
			     c = request(ADDRESS_MAIL, "c@d");
	struct batch batch;

	(void)state;
	batch_clear(&batch, MUM_CREDENTIAL);
	batch_add(&batch, &a);	/* pairs 1 and 2 */
	batch_add(&batch, &b);	/* pairs 3 and 4: two spellings of one form */
	batch_add(&batch, &c);	/* pair 5 */
	WANT("second form of a", row(&batch, "2", "A", "d"));
	WANT("second spelling of b", row(&batch, "4", "b", "b\xc3\xbc" "cher.c"));
	WANT("c", row(&batch, "5", "c", "d"));
	WANT("c again", row(&batch, "5", "C", "D"));
	WANT("another name is passed over", row(&batch, "5", "\xc3\xa7", "d"));
	WANT_NUMBER("a", a.facts->count, 1);
	WANT_NUMBER("the form of a", a.facts->credentials[0].mailbox.form, 1);
	WANT_NUMBER("b", b.facts->count, 1);
	WANT_NUMBER("the form of b", b.facts->credentials[0].mailbox.form, 0);
	WANT_NUMBER("c", c.facts->count, 2);
	WANT_TEXT("in order", c.facts->credentials[1].mailbox.address, "C@D");
	clean(&a);
	clean(&b);
	clean(&c);
}

static void test_rows_that_are_nobodys(void **state)
{
	static const struct {
		const char *name, *pair;
		bool ok;
	} rows[] = {
		{ "the first", "1", true },	 { "the last", "2", true },
		{ "none", "0", false },		 { "behind the last", "3", false },
		{ "far behind", "99999999999999999999", false },
		{ "negative", "-1", false },	 { "no number", "x", false },
		{ "NULL", NULL, false },
	};

	(void)state;
	FOR_EACH_ROW(one, rows) {
		struct store_request a = request(ADDRESS_MAIL, "a+x@d");
		struct batch batch;

		batch_clear(&batch, MUM_CREDENTIAL);
		batch_add(&batch, &a);
		WANT(one->name, row(&batch, one->pair, "z", "d") == one->ok);
		clean(&a);
	}
}

static void test_withdrawn_requests(void **state)
{
	struct store_request a = request(ADDRESS_MAIL, "a@d"),
			     b = request(ADDRESS_MAIL, "b@d");
	struct batch batch;

	(void)state;
	batch_clear(&batch, MUM_CREDENTIAL);
	batch_add(&batch, &a);
	batch_add(&batch, &b);
	WANT("in the batch", a.batch == &batch);
	batch_remove(&batch, &a);
	WANT("no more", a.batch == NULL);
	clean(&a);
	WANT("its rows are passed over", row(&batch, "1", "a", "d"));
	WANT("the others' are not", row(&batch, "2", "b", "d"));
	WANT_NUMBER("b", b.facts->count, 1);
	clean(&b);
}

static void test_a_bad_row_is_one_requests_trouble(void **state)
{
	struct store_request a = request(ADDRESS_MAIL, "a@d"),
			     b = request(ADDRESS_MAIL, "b@d");
	const char *bad[COLUMNS_MAX + 1] = { "1", "a", "d", "1", "0", "0", "0", NULL };
	struct column columns[COLUMNS_MAX + 1];
	const char *good[COLUMNS_MAX + 1] = { "2", "b", "d", "1", "0", "0", "0", "b", "d",
					      "1", "1" };
	struct batch batch;

	(void)state;
	a.question.kind = b.question.kind = MUM_OWNERS;
	batch_clear(&batch, MUM_OWNERS);
	batch_add(&batch, &a);
	batch_add(&batch, &b);
	unit_columns(columns, bad, COLUMNS_MAX + 1);
	WANT("somebody's", batch_row(&batch, columns));
	WANT("it is of no use to a", a.bad_row != NULL);
	unit_columns(columns, good, COLUMNS_MAX + 1);
	WANT("the next", batch_row(&batch, columns));
	WANT("is of use to b", b.bad_row == NULL && b.facts->count == 1);
	clean(&a);
	clean(&b);
}

static void test_asked_again_forgets_the_first_rows(void **state)
{
	struct store_request a = request(ADDRESS_MAIL, "a@d");
	struct batch batch;

	(void)state;
	batch_clear(&batch, MUM_CREDENTIAL);
	batch_add(&batch, &a);
	row(&batch, "1", "a", "d");
	a.bad_row = "bad";
	batch_clear(&batch, MUM_CREDENTIAL);
	batch_add(&batch, &a);
	WANT("no rows, not bad", a.facts->count == 0 && a.bad_row == NULL);
	clean(&a);
}

static void test_the_largest_batch(void **state)
{
	/* JSON doubles quotes; they need as much room as four-byte letters. */
	char *local = unit_repeat("\"", 191), *domain = unit_repeat("\xf0\x9f\x98\x80", 191);
	struct store_request requests[BATCH_MAX];
	char *values[PARAMS_MAX], key[2000];
	struct batch batch;
	size_t len;

	(void)state;
	snprintf(key, sizeof(key), "%s@%s", local, domain);
	batch_clear(&batch, MUM_CREDENTIAL);
	FOR_EACH_ROW(unused, requests) {
		struct store_request *one = &requests[unused - requests];

		*one = request(ADDRESS_MAIL, key);
		batch_add(&batch, one);
	}
	batch_values(&batch, batch_shape(&batch, true), "NOW", values);
	len = strlen(values[0]);
	WANT("nothing is cut", len > BATCH_MAX * (2 * 191 + 4 * 191) &&
	     strcmp(values[0] + len - 2, "]]") == 0);
	free_values(values);
	for (size_t i = 0; i < BATCH_MAX; i++)
		clean(&requests[i]);
	free(local);
	free(domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_json_of_names),
		UNIT_TEST(test_values_follow_the_statement),
		UNIT_TEST(test_a_page_begins_after_an_id),
		UNIT_TEST(test_statements_agree_with_the_columns),
		UNIT_TEST(test_rows_go_to_who_asked),
		UNIT_TEST(test_rows_that_are_nobodys),
		UNIT_TEST(test_withdrawn_requests),
		UNIT_TEST(test_a_bad_row_is_one_requests_trouble),
		UNIT_TEST(test_asked_again_forgets_the_first_rows),
		UNIT_TEST(test_the_largest_batch),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
