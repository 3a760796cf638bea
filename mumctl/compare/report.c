/* SPDX-License-Identifier: MIT */
/* The document of compare in plain words: first how much changes, then what. */
#include "mumctl/compare/report.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/compare/effects.h"
#include "mumctl/tool.h"

/* ---- what differs ---- */

struct ledger ledger_new(void)
{
	return (struct ledger){ .changed = json_array(), .differences = json_array() };
}

void ledger_free(struct ledger *ledger)
{
	json_decref(ledger->changed);
	json_decref(ledger->differences);
}

void ledger_add(struct ledger *ledger, const char *map, const char *key, const char *stock,
		const char *ours, const char *reason, bool changes)
{
	if (strcmp(reason, "?") == 0)
		ledger->unexplained++;
	else if (!changes)
		ledger->harmless++;
	json_array_append_new(ledger->differences,
			      json_pack("{ss so so* so* ss sb}", "map", map, "key",
					tool_json_text(key), "stock", tool_json_text(stock), "mum",
					tool_json_text(ours), "difference", reason, "changes",
					changes));
}

void ledger_add_line(json_t *lines, const char *name, const char *stock, const char *ours,
		     const char *numbers)
{
	json_array_append_new(lines, json_pack("{so so so ss}", "name", tool_json_text(name),
					       "stock", tool_json_text(stock), "mum",
					       tool_json_text(ours), "difference", numbers));
}

/* ---- lines ---- */

/* "  <anna@example.org>: stock ...; mumd ... (D6)" */
static void print_changes(const json_t *lines, const char *ours)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		tool_print_line("  <%s>: stock %s; %s %s (%s)", tool_json_member(line, "name"),
				tool_json_member(line, "stock"), ours, tool_json_member(line, "mum"),
				tool_json_member(line, "difference"));
	}
}

/* The value in quotes, so that blanks are seen; all: however long it is. Caller frees. */
static char *show_value(const json_t *value, bool all)
{
	if (value == NULL)
		return xstrdup("-");
	return all ? xasprintf("\"%s\"", json_string_value(value))
		   : effect_value(json_string_value(value));
}

/* Prints those with this reason; all of them if it is NULL. */
static void print_differences(const json_t *differences, const char *reason, const char *ours,
			      bool all)
{
	for (size_t i = 0; i < json_array_size(differences); i++) {
		const json_t *one = json_array_get(differences, i);
		char *theirs, *our_value;

		if (reason != NULL && strcmp(tool_json_member(one, "difference"), reason) != 0)
			continue;
		theirs = show_value(json_object_get(one, "stock"), all);
		our_value = show_value(json_object_get(one, "mum"), all);
		tool_print_line("  %s %s <%s>: stock %s, %s %s", tool_json_member(one, "difference"),
				tool_json_member(one, "map"), tool_json_member(one, "key"), theirs,
				ours, our_value);
		free(theirs);
		free(our_value);
	}
}

/* What is left after all changes. */
static void print_rest(const json_t *part, const char *ours, bool all)
{
	size_t harmless = tool_json_number(part, "harmless");
	size_t unexplained = tool_json_number(part, "unexplained");
	const json_t *differences = json_object_get(part, "differences");

	printf("%zu %s%s.\n", harmless,
	       harmless == 1 ? "answer is spelled otherwise and changes nothing"
			     : "answers are spelled otherwise and change nothing",
	       all || harmless == 0 ? "" : "; see --all");
	printf("%zu %s for no known reason%s\n", unexplained,
	       unexplained == 1 ? "answer differs" : "answers differ",
	       unexplained == 0 ? "." : "; please report them:");
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
	{ "unknown", "main.cf cannot be read, so what it refuses is unknown" },
	{ "none", "refuses none today: who has logged in may send as any address" },
	{ "known", "asks stock's table today (reject_known_sender_login_mismatch)" },
	{ "mismatch", "asks stock's table today (reject_sender_login_mismatch)" },
	{ "mumd", "asks mumd already" },
};

static void print_enforcement(const json_t *senders)
{
	bool known = strcmp(tool_json_member(senders, "sender_login"), "known") == 0;
	const char *mode = tool_json_member(senders, "mum");
	const char *service = tool_json_member(senders, "service");

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (strcmp(checks[i].check, tool_json_member(senders, "stock")) == 0)
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
	       tool_json_number(senders, "logins_changed"), tool_json_number(senders, "logins"),
	       json_array_size(changed) > 0 ? ":" : ".");
	for (size_t i = 0; i < json_array_size(changed); i++) {
		const json_t *sent = json_array_get(changed, i);

		tool_print_line("  <%s> as <%s>, %zu %s: %s today, %s by mumd",
				tool_json_member(sent, "login"), tool_json_member(sent, "sender"),
				tool_json_number(sent, "mails"),
				tool_json_number(sent, "mails") == 1 ? "mail" : "mails",
				tool_json_member(sent, "stock"), tool_json_member(sent, "mum"));
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

/* Does Postfix now accept mail that Dovecot, if it asks as before, does not know? */
static bool has_new_spelling(const json_t *document)
{
	const json_t *lines = json_object_get(document, "changed");

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		if (strstr(tool_json_member(line, "difference"), "D14") != NULL &&
		    strchr(tool_json_member(line, "name"), '@') == NULL)
			return true;
	}
	return false;
}

static void print_not_compared(const json_t *names)
{
	struct buf list = BUF_INIT(65536);
	char *text;

	for (size_t i = 0; i < json_array_size(names); i++)
		buf_printf(&list, "%s%s", i > 0 ? ", " : "",
			   json_string_value(json_array_get(names, i)));
	text = buf_steal(&list);
	if (*text != '\0')
		tool_print_line("Not compared, since only one side has it: %s.", text);
	free(text);
}

static void print_dovecot(const json_t *document, bool all)
{
	const json_t *dovecot = json_object_get(document, "dovecot");
	const json_t *changed = json_object_get(dovecot, "changed");
	size_t count = json_array_size(changed), stock = tool_json_number(dovecot, "listed_stock");
	size_t ours = tool_json_number(dovecot, "listed_mum");

	if (dovecot == NULL)
		return;
	printf("\n%zu of %zu logins %s for Dovecot%s\n", count, tool_json_number(dovecot, "names"),
	       count == 1 ? "changes" : "change", count > 0 ? ":" : ".");
	print_changes(changed, "the module");
	print_rest(dovecot, "the module", all);
	print_not_compared(json_object_get(dovecot, "not_compared"));
	if (json_object_get(dovecot, "listed_stock") != NULL)
		printf("\"doveadm user '*'\" and \"doveadm -A\" find %zu users with stock and %zu "
		       "with the module%s.\n", stock, ours, stock != ours ? " (D18, D20)" : "");
	if (has_new_spelling(document))
		printf("Move Dovecot before Postfix: stock's queries do not know the domains that "
		       "change by D14,\nand mail for them would be accepted and then bounced.\n");
}

void report_print(const json_t *document, bool all)
{
	size_t count = tool_json_number(document, "names_changed");

	printf("%zu of %zu addresses and domains %s for mail%s\n", count,
	       tool_json_number(document, "names"), count == 1 ? "changes" : "change",
	       count > 0 ? ":" : ".");
	print_changes(json_object_get(document, "changed"), "mumd");
	print_rest(document, "mumd", all);
	print_senders(document);
	print_dovecot(document, all);
	if (!json_is_true(json_object_get(document, "complete")))
		printf("\nThis is not all: an answer was missing.\n");
}
