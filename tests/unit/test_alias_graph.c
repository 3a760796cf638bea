/* SPDX-License-Identifier: MIT */
/*
 * Loops of aliases, and how far each leads. tests/stack/test_mumctl_loops.py tests
 * what a real Postfix does with them.
 */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/address-fallback.h"
#include "common/buf.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/check/alias-graph.h"

enum { ALIASES = 4, RECIPIENTS = 4, LIMIT = 5 };

/* All in "d": an alias and its recipients. */
struct alias {
	const char *name, *recipients[RECIPIENTS];
};

/* told: "a 2/1;" of each alias: recipients in the end, aliases in a row. */
static const struct {
	const char *name;
	struct alias aliases[ALIASES];
	const char *loops, *told;
} cases[] = {
	{ "no alias", { { 0 } }, "", "" },
	{ "an end", { { "a", { "x@y" } } }, "", "a 1/1;" },
	{ "three ends", { { "a", { "x@y", "y@y", "b@d" } } }, "", "a 3/1;" },
	{ "two in a row", { { "a", { "b@d" } }, { "b", { "x@y", "y@y" } } }, "",
	  "a 2/2;b 2/1;" },
	{ "only the first recipient makes the row longer",
	  { { "a", { "x@y", "b@d" } }, { "b", { "c@d" } }, { "c", { "x@y" } } }, "",
	  "a 2/1;b 1/2;c 1/1;" },
	{ "the same one by two ways",
	  { { "a", { "b@d", "c@d" } }, { "b", { "e@d" } }, { "c", { "e@d" } },
	    { "e", { "x@y", "y@y" } } }, "", "a 4/3;b 2/2;c 2/2;e 2/1;" },
	{ "counted up to the limit, and one more",
	  { { "a", { "b@d", "c@d" } }, { "b", { "1@y", "2@y", "3@y" } },
	    { "c", { "4@y", "5@y", "6@y" } } }, "", "a 6/2;b 3/1;c 3/1;" },
	{ "and no further", { { "a", { "b@d", "b@d", "b@d" } }, { "b", { "1@y", "2@y", "3@y" } } },
	  "", "a 6/2;b 3/1;" },
	{ "the name in another case", { { "A", { "B@D" } }, { "b", { "x@y" } } }, "",
	  "a 1/2;b 1/1;" },
	{ "of two with one name the first", { { "a", { "x@y" } }, { "A", { "1@y", "2@y" } } }, "",
	  "a 1/1;" },
	{ "by its extension", { { "a", { "b+x@d" } }, { "b", { "x@y" } } }, "",
	  "a 1/2;b 1/1;" },
	{ "the whole name first",
	  { { "a", { "b+x@d" } }, { "b", { "1@y", "2@y" } }, { "b+x", { "x@y" } } }, "",
	  "a 1/2;b 2/1;b+x 1/1;" },

	{ "two that lead to each other", { { "a", { "b@d" } }, { "b", { "a@d" } } },
	  "a: <a@d> <- <b@d> <- <a@d>;", "a 1/2;b 1/1;" },
	{ "three, entered from outside",
	  { { "a", { "b@d" } }, { "b", { "c@d" } }, { "c", { "e@d" } }, { "e", { "b@d" } } },
	  "b: <b@d> <- <e@d> <- <c@d> <- <b@d>;", "" },
	{ "a catch-all", { { "", { "x@y", "y@y" } }, { "a", { "@d" } }, { "b", { "c@d" } } }, "",
	  " 2/1;a 2/2;b 1/1;" },
	{ "a catch-all that leads to itself", { { "", { "a@d" } }, { "a", { "@d" } } },
	  ": <@d> <- <a@d> <- <@d>;", "" },
	{ "a copy", { { "a", { "a@d", "x@y" } } }, "", "a 2/1;" },
	{ "a copy ends a loop", { { "a", { "a@d", "b@d" } }, { "b", { "a@d" } } }, "", "" },
	{ "but for an extension more in each turn",
	  { { "a", { "a@d", "b@d" } }, { "b", { "a+x@d" } } },
	  "a: <a@d> <- <b@d> <- <a@d>;", "" },
};

struct seen {
	struct buf loops, told;
};

static void on_loop(const struct alias_told *first, const char *way, void *arg)
{
	struct seen *seen = arg;

	buf_printf(&seen->loops, "%s: %s;", first->id, way);
}

static void on_alias(const struct alias_told *alias, void *arg)
{
	struct seen *seen = arg;

	buf_printf(&seen->told, "%s %zu/%zu;", alias->id, alias->expansion, alias->depth);
}

static size_t count_of(const char *const *recipients)
{
	size_t count = 0;

	while (count < RECIPIENTS && recipients[count] != NULL)
		count++;
	return count;
}

static bool add(struct alias_graph *graph, const struct alias *alias)
{
	char *name = xasprintf("%s@d", alias->name);
	struct address *address = *alias->name == '\0'
					  ? address_new_catch_all("d")
					  : address_new(ADDRESS_LOGIN, name, strlen(name), "");
	char *id = text_lower(xstrdup(alias->name));
	bool copy = alias_graph_add(graph, address, id, alias->recipients,
				    count_of(alias->recipients));

	free(id);
	free(name);
	address_unref(&address);
	return copy;
}

/* The loops and what is told of each alias; caller frees both. */
static void walk(const struct alias *aliases, bool propagate, char **loops_r, char **told_r)
{
	const struct alias_graph_settings settings = { "+", propagate, LIMIT };
	struct alias_graph *graph = alias_graph_new(&settings);
	struct seen seen = { BUF_INIT(4096), BUF_INIT(4096) };

	for (size_t i = 0; i < ALIASES && aliases[i].name != NULL; i++)
		(void)add(graph, &aliases[i]);
	alias_graph_walk(graph, on_loop, on_alias, &seen);
	*loops_r = buf_steal(&seen.loops);
	*told_r = buf_steal(&seen.told);
	alias_graph_free(&graph);
}

static void test_graphs(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, cases) {
		char *loops, *told;

		walk(row->aliases, true, &loops, &told);
		WANT_TEXT(row->name, loops, row->loops);
		if (*row->told != '\0' || row->aliases[0].name == NULL)
			WANT_TEXT(row->name, told, row->told);
		free(loops);
		free(told);
	}
}

static void test_a_dropped_extension_does_not_grow(void **state)
{
	static const struct alias aliases[ALIASES] = { { "a", { "a@d", "b@d" } },
						       { "b", { "a+x@d" } } };
	char *loops, *told;

	(void)state;
	walk(aliases, false, &loops, &told);
	WANT_TEXT("loops", loops, "");
	free(loops);
	free(told);
}

static void test_who_keeps_a_copy(void **state)
{
	static const struct {
		struct alias alias;
		bool copy;
	} rows[] = {
		{ { "a", { "x@y", "a@d" } }, true },
		{ { "B", { "b@D" } }, true },
		{ { "c", { "c+x@d", "c@y" } }, false },
		{ { "e", { "no address" } }, false },
	};
	static const struct alias_graph_settings settings = { "+", true, LIMIT };
	struct alias_graph *graph = alias_graph_new(&settings);

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT(row->alias.name, add(graph, &row->alias) == row->copy);
	alias_graph_free(&graph);
}

/* Without recursion: the path may be as long as the table. */
static void test_a_long_row(void **state)
{
	enum { COUNT = 100000 };
	static const struct alias_graph_settings settings = { "", false, LIMIT };
	struct alias_graph *graph = alias_graph_new(&settings);
	struct seen seen = { BUF_INIT(4096), BUF_INIT(4096) };
	char *loops;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		char name[16], next[16];

		snprintf(name, sizeof(name), "%d", i);
		snprintf(next, sizeof(next), "%d@d", (i + 1) % COUNT);
		(void)add(graph, &(struct alias){ name, { next } });
	}
	alias_graph_walk(graph, on_loop, on_alias, &seen);
	loops = buf_steal(&seen.loops);
	WANT_TEXT("one loop, of which the end is shown", loops,
		  "0: <0@d> <- <99999@d> <- <99998@d> <- <99997@d> <- <99996@d> <- <99995@d> <- "
		  "<99994@d> <- <99993@d> <- <99992@d> <- ... <- <0@d>;");
	free(loops);
	buf_free(&seen.told);
	alias_graph_free(&graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_graphs),
		UNIT_TEST(test_a_dropped_extension_does_not_grow),
		UNIT_TEST(test_who_keeps_a_copy),
		UNIT_TEST(test_a_long_row),
	};

	return cmocka_run_group_tests_name("alias_graph", tests, NULL, NULL);
}
