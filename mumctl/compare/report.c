/* SPDX-License-Identifier: MIT */
/* The document of compare in plain words: first how much changes, then what. */
#include "mumctl/compare/compare.h"

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

static const struct {
	const char *check, *words;
} checks[] = {
	{ "unknown", "has no main.cf that can be read here; it is not known what it refuses" },
	{ "none", "refuses none today: who has logged in may send as any address" },
	{ "known", "asks stock's table today (reject_known_sender_login_mismatch)" },
	{ "mismatch", "asks stock's table today (reject_sender_login_mismatch)" },
	{ "mumd", "asks mumd already" },
};

static void print_enforcement(const json_t *senders)
{
	bool known = strcmp(text_of(senders, "sender_login"), "known") == 0;
	const char *mode = text_of(senders, "mum"), *service = text_of(senders, "service");

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (strcmp(checks[i].check, text_of(senders, "stock")) == 0)
			printf("Senders: Postfix%s%s %s.", *service != '\0' ? "'s " : "",
			       service, checks[i].words);
	}
	printf(" With mumd a login sends as itself and as the aliases that MUM grants it%s.\n",
	       known ? ", or as an address that belongs to nobody here"
		     : ", and as nobody else (553)");
	if (strcmp(mode, "enforce") != 0)
		printf("mum.conf has policy.sender = \"%s\": %s.\n", mode,
		       strcmp(mode, "warn") == 0 ? "what would be refused is only logged"
						 : "nobody is checked");
}

static void print_sents(const json_t *senders)
{
	const json_t *changed = json_object_get(senders, "changed");

	if (changed == NULL) {
		printf("--maillog FILE shows which logins have sent as another.\n");
		return;
	}
	printf("%zu of %zu logins in the mail log sent mail that would get another answer%s\n",
	       number_of(senders, "logins_changed"), number_of(senders, "logins"),
	       json_array_size(changed) > 0 ? ":" : ".");
	for (size_t i = 0; i < json_array_size(changed); i++) {
		const json_t *sent = json_array_get(changed, i);

		printf("  <");
		tool_print_clean(text_of(sent, "login"));
		printf("> as <");
		tool_print_clean(text_of(sent, "sender"));
		printf(">, %zu %s: %s today, %s by mumd\n", number_of(sent, "mails"),
		       number_of(sent, "mails") == 1 ? "mail" : "mails", text_of(sent, "stock"),
		       text_of(sent, "mum"));
	}
}

static void print_senders(const json_t *document)
{
	const json_t *senders = json_object_get(document, "senders");
	const json_t *owners = json_object_get(document, "owners");
	size_t count = json_array_size(owners);

	if (senders == NULL)
		return;
	printf("\n");
	print_enforcement(senders);
	print_sents(senders);
	printf("%zu %s other owners than in stock's table%s\n", count,
	       count == 1 ? "address has" : "addresses have", count > 0 ? ":" : ".");
	print_changes(owners, "mumd");
}

/* ---- Dovecot ---- */

/* Mail that Postfix accepts now, and Dovecot would not know while it asks as before. */
static bool has_new_spelling(const json_t *document)
{
	const json_t *lines = json_object_get(document, "changed");

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		if (strstr(text_of(line, "difference"), "D14") != NULL &&
		    strchr(text_of(line, "name"), '@') == NULL)
			return true;
	}
	return false;
}

static void print_dovecot(const json_t *document, bool all)
{
	const json_t *dovecot = json_object_get(document, "dovecot");
	const json_t *changed = json_object_get(dovecot, "changed");
	size_t count = json_array_size(changed);

	if (dovecot == NULL)
		return;
	printf("\n%zu of %zu logins %s for Dovecot%s\n", count, number_of(dovecot, "names"),
	       count == 1 ? "changes" : "change", count > 0 ? ":" : ".");
	print_changes(changed, "the module");
	print_rest(dovecot, "the module", all);
	if (json_object_get(dovecot, "listed_stock") != NULL)
		printf("\"doveadm user '*'\" and \"doveadm -A\" find %zu users with stock and %zu "
		       "with the module%s.\n", number_of(dovecot, "listed_stock"),
		       number_of(dovecot, "listed_mum"),
		       number_of(dovecot, "listed_stock") != number_of(dovecot, "listed_mum")
			       ? " (D18, D20)" : "");
	if (has_new_spelling(document))
		printf("Move Dovecot before Postfix: stock's queries do not know the domains that "
		       "change by D14,\nand mail for them would be accepted and then bounced.\n");
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
	print_dovecot(document, all);
	if (!json_is_true(json_object_get(document, "complete")))
		printf("\nThis is not all: an answer was missing.\n");
}
