/* SPDX-License-Identifier: MIT */
/* domain NAME: its mailboxes and aliases, what expires, what is refused and why. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/rules.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/commands.h"
#include "mumctl/reverse/ask.h"
#include "mumctl/reverse/domain-names.h"
#include "mumctl/reverse/quota.h"

enum { LINE_MAX = 1 << 24 };	/* bytes; recipients of one alias have RECIPIENTS_MAX or fewer */

/* Mailboxes and aliases may be many, so they are printed one by one. */
struct view {
	bool json, more;		/* more: an item came before in this list */
	struct buf line;		/* an item in JSON */
	json_t *expiring, *refused;
	const struct domain_mailbox *mailboxes;
	size_t mailboxes_count;
	uint64_t sum_gb;		/* of the quotas */
	size_t unlimited;
};

static const char *state_name(enum mailbox_state state)
{
	switch (state) {
	case MAILBOX_IS_UNKNOWN:
	case MAILBOX_IS_IN_INACTIVE_DOMAIN:	return "domain inactive";
	case MAILBOX_IS_INACTIVE:		return "inactive";
	case MAILBOX_HAS_UNCLEAN_NAME:		return "unusable name";
	case MAILBOX_IS_SEND_ONLY:		return "send-only";
	case MAILBOX_IS_LIVE:
		break;
	}
	return "active";
}

/* ---- one item ---- */

/* Prints a comma before each item of a list but the first. */
static void begin_item(struct view *view)
{
	if (view->more)
		putchar(',');
	view->more = true;
}

/* Gives up our reference to the item. */
static void print_json_item(struct view *view, json_t *item)
{
	begin_item(view);
	json_dumpf(item, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	json_decref(item);
}

/* Faster than jansson: there may be 100,000 texts. */
static void put_json_text(struct buf *out, const char *text)
{
	json_t *string;
	char *dumped;

	if (text_is_clean(text, strlen(text))) {
		buf_put_json(out, text);
		return;
	}
	string = tool_json_text(text);
	dumped = xchecked(json_dumps(string, JSON_ENCODE_ANY));
	buf_puts(out, dumped);
	free(dumped);
	json_decref(string);
}

/* Empties the line, and keeps its memory. */
static void print_item(struct view *view)
{
	begin_item(view);
	fwrite(view->line.data, 1, view->line.len, stdout);
	buf_clear(&view->line);
}

static void put_mailbox(struct buf *out, const struct domain_mailbox *mailbox)
{
	buf_puts(out, "{\"address\":");
	put_json_text(out, mailbox->address);
	buf_printf(out, ",\"state\":\"%s\"", state_name(mailbox->state));
	if (mailbox->why != NULL)
		buf_printf(out, ",\"trouble\":\"%s\"", mailbox->why);
	if (mailbox->status == MUM_FOUND && mailbox->quota_gb > 0)
		buf_printf(out, ",\"quota_gb\":%" PRIu64, mailbox->quota_gb);
	else if (mailbox->status == MUM_FOUND)
		buf_puts(out, ",\"quota_gb\":null");
	if (mailbox->status == MUM_FOUND)
		buf_printf(out, ",\"quota_source\":\"%s\"",
			   quota_source_name(mailbox->quota_source));
	buf_puts(out, "}");
}

static void print_mailbox(struct view *view, const struct domain_mailbox *mailbox)
{
	if (view->json) {
		put_mailbox(&view->line, mailbox);
		print_item(view);
		return;
	}
	if (mailbox->why != NULL)
		tool_print_line("  %s: %s, but mail and logins are deferred: %s",
				mailbox->address, state_name(mailbox->state), mailbox->why);
	else if (mailbox->status != MUM_FOUND)
		tool_print_line("  %s: %s", mailbox->address, state_name(mailbox->state));
	else if (mailbox->quota_gb > 0)
		tool_print_line("  %s: %s, %" PRIu64 " GB", mailbox->address,
				state_name(mailbox->state), mailbox->quota_gb);
	else
		tool_print_line("  %s: %s, no limit", mailbox->address,
				state_name(mailbox->state));
}

static void put_alias(struct buf *out, const struct domain_name *name)
{
	buf_puts(out, "{\"alias\":");
	put_json_text(out, name->alias);
	if (name->kind == FORM_IS_CATCH_ALL)
		buf_puts(out, ",\"catch_all\":true");
	buf_puts(out, ",\"recipients\":[");
	for (size_t i = 0; i < name->recipients_count; i++) {
		buf_puts(out, i > 0 ? "," : "");
		put_json_text(out, name->recipients[i]);
	}
	buf_puts(out, "],\"expires\":");
	if (name->expires != NULL)
		put_json_text(out, name->expires);
	else
		buf_puts(out, "null");
	buf_puts(out, "}");
}

static void print_alias(const struct domain_name *name, void *arg)
{
	struct view *view = arg;

	if (view->json) {
		put_alias(&view->line, name);
		print_item(view);
		return;
	}
	for (size_t i = 0; i < name->recipients_count; i++) {
		buf_puts(&view->line, i > 0 ? ", " : "");
		buf_puts(&view->line, name->recipients[i]);
	}
	tool_print_line("  %s%s -> %.*s",
			name->kind == FORM_IS_CATCH_ALL ? "the catch-all " : "", name->alias,
			view->line.len > 0 ? (int)view->line.len : (int)strlen("nobody"),
			view->line.len > 0 ? view->line.data : "nobody");
	buf_clear(&view->line);
}

/* Prints an alias, and keeps what to print behind all aliases. */
static void on_name(const struct domain_name *name, void *arg)
{
	struct view *view = arg;

	if (name->alias != NULL)
		print_alias(name, view);
	if (name->expires != NULL && !name->expired)
		json_array_append_new(view->expiring,
				      json_pack("{so so}", "alias", tool_json_text(name->alias),
						"expires", tool_json_text(name->expires)));
	if (name->refused != NULL)
		json_array_append_new(view->refused,
				      json_pack("{so so}", "address",
						tool_json_text(name->address), "why",
						tool_json_text(name->refused)));
}

/* ---- in order ---- */

static int compare(const void *one, const void *other)
{
	return strcmp(tool_json_member(*(json_t *const *)one, "expires"),
		      tool_json_member(*(json_t *const *)other, "expires"));
}

static void sort_by_time(json_t *list)
{
	size_t count = json_array_size(list), i;
	json_t **sorted = xcalloc(count, sizeof(*sorted)), *item;

	json_array_foreach(list, i, item)
		sorted[i] = json_incref(item);
	qsort(sorted, count, sizeof(*sorted), compare);
	json_array_clear(list);
	for (i = 0; i < count; i++)
		json_array_append_new(list, sorted[i]);
	free(sorted);
}

static void print_pairs(const json_t *list, const char *first, const char *second)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		tool_print_line("  %s: %s", tool_json_member(item, first),
				tool_json_member(item, second));
	}
}

static void print_text(struct view *view, const struct domain_names *names, const char *domain,
		       bool active)
{
	const size_t roles = domain_names_each_role(names, NULL, NULL);

	tool_print_line("%s: %s", domain, active ? "active" : "inactive");
	printf("%zu mailboxes, quotas of %" PRIu64 " GB", view->mailboxes_count, view->sum_gb);
	if (view->unlimited > 0)
		printf(", and %zu without a limit", view->unlimited);
	printf("\n");
	for (size_t i = 0; i < view->mailboxes_count; i++)
		print_mailbox(view, &view->mailboxes[i]);
	printf("%zu aliases\n", domain_names_aliases(names));
	domain_names_each(names, on_name, view);
	sort_by_time(view->expiring);
	if (roles > 0) {
		printf("%zu roles\n", roles);
		domain_names_each_role(names, print_alias, view);
	}
	printf("%zu aliases expire\n", json_array_size(view->expiring));
	print_pairs(view->expiring, "expires", "alias");
	printf("mail to %zu addresses is refused\n", json_array_size(view->refused));
	print_pairs(view->refused, "address", "why");
}

/* A member of the document; its value follows. */
static void begin_member(struct view *view, const char *name)
{
	printf(",\"%s\":", name);
	view->more = false;
}

static void print_json(struct view *view, const struct domain_names *names, const char *domain,
		       bool active)
{
	printf("{\"result\":\"found\"");
	begin_member(view, "domain");
	print_json_item(view, tool_json_text(domain));
	begin_member(view, "active");
	print_json_item(view, json_boolean(active));
	begin_member(view, "mailboxes");
	putchar('[');
	for (size_t i = 0; i < view->mailboxes_count; i++)
		print_mailbox(view, &view->mailboxes[i]);
	putchar(']');
	begin_member(view, "aliases");
	putchar('[');
	domain_names_each(names, on_name, view);
	putchar(']');
	sort_by_time(view->expiring);
	begin_member(view, "roles");
	putchar('[');
	domain_names_each_role(names, print_alias, view);
	putchar(']');
	begin_member(view, "expiring");
	print_json_item(view, json_incref(view->expiring));
	begin_member(view, "refused");
	print_json_item(view, json_incref(view->refused));
	begin_member(view, "quota");
	print_json_item(view, json_pack("{sI sI}", "sum_gb", (json_int_t)view->sum_gb,
					"unlimited", (json_int_t)view->unlimited));
	printf("}\n");
}

/* ---- the command ---- */

static void sum_up(struct view *view)
{
	for (size_t i = 0; i < view->mailboxes_count; i++) {
		const struct domain_mailbox *mailbox = &view->mailboxes[i];

		if (mailbox->status != MUM_FOUND)
			continue;
		view->sum_gb += mailbox->quota_gb;
		view->unlimited += mailbox->quota_gb == 0;
	}
}

/* The exit status. facts: of MUM_DOMAIN; not empty. */
static int show(struct tool *tool, const struct facts *facts)
{
	const struct domain_row *row;
	bool active = state_of_domain(facts, &row) == DOMAIN_IS_OURS;
	struct view view = { .json = tool->json, .line = BUF_INIT(LINE_MAX) };
	struct inspect_error error;
	struct domain_names *names = domain_names_read(tool, facts, &error);

	if (names == NULL)
		return tool_complain_database("domain", &error);
	view.mailboxes = domain_names_mailboxes(names, &view.mailboxes_count);
	view.expiring = json_array();
	view.refused = json_array();
	sum_up(&view);
	(tool->json ? print_json : print_text)(&view, names, row->name, active);
	json_decref(view.expiring);
	json_decref(view.refused);
	buf_free(&view.line);
	domain_names_free(&names);
	return 0;
}

int command_domain(struct tool *tool, int argc, char **argv)
{
	struct asked asked;
	const struct facts *facts;
	enum mum_status status;
	int end;

	if (argc != 1)
		tool_usage(USAGE_DOMAIN);
	tool_ask(tool, MUM_ROLE_POSTFIX, MUM_ASK(MUM_DOMAIN), argv[0], &asked);
	status = asked.answer.status;
	facts = asked.answer.facts[MUM_DOMAIN];
	if (status == MUM_FOUND && facts->count == 0)
		status = MUM_NOT_FOUND;
	if (status == MUM_FOUND) {
		end = show(tool, facts);
	} else {
		tool_complain(argv[0], status == MUM_NOT_FOUND ? "no domain has this name"
							       : asked.reason);
		if (tool->json)
			tool_print_json(json_pack("{ss so}", "result", tool_status_name(status),
						  "domain", tool_json_text(argv[0])));
		end = tool_exit_status(status);
	}
	asked_free(&asked);
	return end;
}
