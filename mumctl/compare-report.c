/* SPDX-License-Identifier: MIT */
/* The document of compare in plain words: first how much changes, then what. */
#include "mumctl/compare.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static size_t number_of(const json_t *object, const char *name)
{
	return (size_t)json_integer_value(json_object_get(object, name));
}

/* ---- lines ---- */

/* "  <anna@example.org>: stock ...; mumd ... (D6)" */
static void print_changes(const json_t *lines, const char *ours)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		printf("  <");
		tool_print_clean(text_of(line, "name"));
		printf(">: stock ");
		tool_print_clean(text_of(line, "stock"));
		printf("; %s ", ours);
		tool_print_clean(text_of(line, "mum"));
		printf(" (%s)\n", text_of(line, "difference"));
	}
}

/* In quotes, so that blanks are seen. */
static void print_value(const json_t *value, bool all)
{
	char *shown;

	if (value == NULL) {
		printf("-");
		return;
	}
	if (all) {
		printf("\"");
		tool_print_clean(json_string_value(value));
		printf("\"");
		return;
	}
	shown = effect_value(json_string_value(value));
	tool_print_clean(shown);
	free(shown);
}

/* Those with this reason, or all of them. */
static void print_differences(const json_t *differences, const char *reason, const char *ours,
			      bool all)
{
	for (size_t i = 0; i < json_array_size(differences); i++) {
		const json_t *one = json_array_get(differences, i);

		if (reason != NULL && strcmp(text_of(one, "difference"), reason) != 0)
			continue;
		printf("  %s %s <", text_of(one, "difference"), text_of(one, "map"));
		tool_print_clean(text_of(one, "key"));
		printf(">: stock ");
		print_value(json_object_get(one, "stock"), all);
		printf(", %s ", ours);
		print_value(json_object_get(one, "mum"), all);
		printf("\n");
	}
}

/* What is left when all that changes was printed. */
static void print_rest(const json_t *part, const char *ours, bool all)
{
	size_t harmless = number_of(part, "harmless");
	size_t unexplained = number_of(part, "unexplained");
	const json_t *differences = json_object_get(part, "differences");

	printf("%zu %s%s.\n", harmless,
	       harmless == 1 ? "answer is spelled otherwise and changes nothing"
			     : "answers are spelled otherwise and change nothing",
	       all || harmless == 0 ? "" : "; see --all");
	printf("%zu %s for no known reason%s\n", unexplained,
	       unexplained == 1 ? "answer differs" : "answers differ",
	       unexplained == 0 ? "." : ", which is a fault to be reported:");
	if (!all)
		print_differences(differences, "?", ours, false);
	else if (json_array_size(differences) > 0) {
		printf("All answers that differ:\n");
		print_differences(differences, NULL, ours, true);
	}
}

/* ---- senders ---- */

static void print_senders(const json_t *document)
{
	const json_t *owners = json_object_get(document, "owners");
	size_t count = json_array_size(owners);

	printf("%zu %s other owners than in stock's table%s\n", count,
	       count == 1 ? "address has" : "addresses have", count > 0 ? ":" : ".");
	print_changes(owners, "mumd");
}

void report_print(const json_t *document, bool all)
{
	size_t count = number_of(document, "names_changed");

	printf("%zu of %zu addresses and domains %s for mail%s\n", count,
	       number_of(document, "names"), count == 1 ? "changes" : "change",
	       count > 0 ? ":" : ".");
	print_changes(json_object_get(document, "changed"), "mumd");
	print_rest(document, "mumd", all);
	print_senders(document);
	if (!json_is_true(json_object_get(document, "complete")))
		printf("\nThis is not all: an answer was missing.\n");
}
