/* SPDX-License-Identifier: MIT */
/*
 * Aliases whose rows do harm: the rules of live traffic judge each alone, then
 * alias-graph.h all together.
 */
#include "mumctl/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/address-fallback.h"
#include "common/address-quote.h"
#include "common/columns.h"
#include "common/recipients.h"
#include "common/rules.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/check/alias-graph.h"
#include "mumctl/check/names.h"
#include "mumctl/settings.h"
#include "postfix-policy/protocol/socketmap.h"

enum {
	ROW_ALIAS_ID = DELIVERY_COLUMNS,
	ROW_ALIAS_SENDS,
	LIMIT = 1000	/* Postfix's default, if postconf(1) does not say */
};

/*
 * The columns of MUM_DELIVERY, the alias's id, and whether it has senders. %s: now, and
 * same_local_part(). SQLite ignores only the case of ASCII here.
 */
#define ALIASES_SQL \
	"SELECT 1, " DELIVERY_COLUMNS_SQL("'%s'") ", a.id," \
	" EXISTS (SELECT 1 FROM alias_senders s WHERE s.alias_id = a.id)" \
	" FROM aliases a JOIN domains d ON d.id = a.domain_id" \
	" LEFT JOIN mailboxes m ON m.local_part = %s AND m.domain_id = a.domain_id" \
	" LEFT JOIN alias_recipients r ON r.alias_id = a.id" \
	" LEFT JOIN mailboxes rm ON rm.id = r.mailbox_id" \
	" LEFT JOIN domains rd ON rd.id = rm.domain_id" \
	" WHERE a.active = 1 AND d.active = 1 ORDER BY a.id"

struct aliases {
	const struct check *check;
	struct alias_graph *graph;
	size_t count;
	size_t expansion_limit, recursion_limit;	/* of Postfix */
	/* The alias whose rows are coming. */
	char *id, *where;
	struct address *address;
	struct facts *facts;
	bool has_senders;
	const char *bad_row;
};

/* ---- one alias ---- */

static void add_finding(const struct aliases *aliases, enum level level, const char *code,
			const char *mend, const char *what)
{
	report_add(aliases->check->report, level, code, aliases->where, mend, "%s", what);
}

/* Values that mumd would refuse to hand to Postfix. */
static void check_values(const struct aliases *aliases, const struct recipients *live)
{
	size_t len = live->count - 1;	/* commas */

	for (size_t i = 0; i < live->count; i++) {
		struct buf external = BUF_INIT(4096);

		if (!address_put_external(&external, live->addresses[i], "") ||
		    external.failed || !text_is_clean(external.data, external.len))
			report_add(aliases->check->report, LEVEL_ERROR, "recipient-unusable",
				   aliases->where, "fix or remove it in MUM",
				   "mail to the alias is deferred: recipient <%s> is no "
				   "address that Postfix can be handed", live->addresses[i]);
		len += external.len;
		buf_free(&external);
	}
	if (len > SOCKETMAP_VALUE_MAX)
		report_add(aliases->check->report, LEVEL_ERROR, "alias-too-long",
			   aliases->where, "give it fewer recipients, or some of them by way "
			   "of another alias",
			   "mail to the alias is deferred: its %zu recipients are %zu bytes, "
			   "and Postfix takes %d", live->count, len, SOCKETMAP_VALUE_MAX);
}

/*
 * The name that the role or catch-all which takes this recipient's mail has in the graph.
 * Adds the role to the graph if it is not there yet. Caller frees.
 */
static char *fallback_of(const struct aliases *aliases, const char *recipient)
{
	const struct mum_config *config = aliases->check->config;
	const struct fallback_settings fallbacks = mum_config_fallbacks(config);
	struct address *address = address_new(ADDRESS_MAIL, recipient, strlen(recipient),
					      config->address.recipient_delimiter);
	struct address *role;
	size_t form;
	char *name;

	address_add_fallbacks(address, &fallbacks);
	if (address_is_role(address, &form)) {
		name = address_form_text(address, form);
		role = address_new(ADDRESS_LOGIN, name, strlen(name), "");
		alias_graph_add(aliases->graph, role, "", &fallbacks.role_recipient, 1);
		address_unref(&role);
	} else {
		name = xjoin("@", address->domain, "");
	}
	address_unref(&address);
	return name;
}

/* Adds the alias to the graph. Returns what alias_graph_add() does. */
static bool add_to_graph(const struct aliases *aliases, const struct recipients *live)
{
	const char **targets = xcalloc(live->count, sizeof(*targets));
	struct arena names = { NULL };
	bool keeps_copy;

	for (size_t i = 0; i < live->count; i++) {
		const char *target = live->addresses[i];
		bool caught = state_is_caught(recipient_row(aliases->facts, target));
		char *name = caught ? fallback_of(aliases, target) : NULL;

		targets[i] = name == NULL ? target : arena_strdup(&names, name);
		free(name);
	}
	keeps_copy = alias_graph_add(aliases->graph, aliases->address, aliases->id, targets,
				     live->count);
	arena_free(&names);
	free(targets);
	return keeps_copy;
}

/* mailbox: one of the same name takes mail. */
static void judge_live(struct aliases *aliases, const struct recipients *live, bool mailbox)
{
	bool keeps_copy = add_to_graph(aliases, live);

	check_values(aliases, live);
	if (mailbox && !keeps_copy)
		add_finding(aliases, LEVEL_WARNING, "alias-and-mailbox",
			    "rename one; to keep a copy, make the mailbox a recipient",
			    "a mailbox has the same name; mail goes to the alias alone");
}

static void check_recipients(const struct aliases *aliases)
{
	for (size_t i = 0; i < aliases->facts->count; i++) {
		const struct delivery_row *row = &aliases->facts->deliveries[i];

		if (state_is_alias(state_of_alias(row)) && row->recipient != NULL)
			check_recipient(aliases->check, row);
	}
}

/* The finding of each state. mailbox: one of the same name takes mail. */
static void judge_state(struct aliases *aliases, const struct recipients *found, bool mailbox)
{
	switch (found->state) {
	case ALIAS_IS_UNKNOWN:
		add_finding(aliases, LEVEL_ERROR, "name-unusable", "rename it in MUM",
			    "it is not found by its own name");
		break;
	case ALIAS_IS_IN_INACTIVE_DOMAIN:
	case ALIAS_IS_INACTIVE:
	case ALIAS_IS_EXPIRED:	/* see check_expired() */
		break;
	case ALIAS_IS_EMPTY:
		/* MUM's form allows an alias that has only senders: it gets no mail. */
		if (!aliases->has_senders)
			add_finding(aliases, LEVEL_WARNING, "alias-empty",
				    "give it a recipient, or delete it",
				    mailbox ? "it has no recipients; mail goes to the mailbox of "
					      "the same name"
					    : "it has no recipients; mail to it is refused");
		break;
	case ALIAS_IS_DEAD:
		add_finding(aliases, LEVEL_WARNING, "alias-dead",
			    "activate a recipient, or deactivate the alias",
			    mailbox ? "none of its recipients accepts mail; mail goes to the "
				      "mailbox of the same name"
				    : "none of its recipients accepts mail; mail to it is refused");
		names_mark_dead(aliases->check->names, aliases->address);
		break;
	case ALIAS_IS_LIVE:
	case ALIAS_IS_TOO_LONG:
		judge_live(aliases, found, mailbox);
		break;
	}
}

static void judge(struct aliases *aliases)
{
	struct mum_answer answer = { .status = MUM_FOUND, .address = aliases->address };
	struct arena arena = { NULL };
	struct recipients found = { .count = 0 };
	const struct delivery_row *row;

	facts_complete(aliases->facts);
	names_complete(aliases->check->names, aliases->check->config, aliases->address,
		       aliases->facts);
	answer.facts[MUM_DELIVERY] = aliases->facts;
	if (aliases->bad_row != NULL) {
		add_finding(aliases, LEVEL_ERROR, "recipient-unusable",
			    "fix or remove it in MUM", aliases->bad_row);
		return;
	}
	check_recipients(aliases);
	(void)rule_recipients(&answer, &arena, &found);
	judge_state(aliases, &found, rule_mailbox_state(&answer, &row) == MAILBOX_IS_LIVE);
	arena_free(&arena);
}

static void end_alias(struct aliases *aliases)
{
	if (aliases->address != NULL)
		judge(aliases);
	address_unref(&aliases->address);
	facts_unref(&aliases->facts);
	free(aliases->id);
	free(aliases->where);
	aliases->id = aliases->where = NULL;
}

static void begin_alias(struct aliases *aliases, const struct column *columns)
{
	char *name = xasprintf("%s@%s", columns[DELIVERY_ALIAS_LOCAL].data,
			       columns[DELIVERY_DOMAIN].data);

	report_progress(aliases->check->report, "aliases", ++aliases->count);
	aliases->id = xstrdup(columns[ROW_ALIAS_ID].data);
	aliases->where = xasprintf("aliases.id=%s <%s>", aliases->id, name);
	if (*columns[DELIVERY_ALIAS_LOCAL].data != '\0')
		aliases->address = address_new(ADDRESS_LOGIN, name, strlen(name), "");
	else if (aliases->check->config->address.catch_all)
		aliases->address = address_new_catch_all(columns[DELIVERY_DOMAIN].data);
	aliases->facts = facts_new(MUM_DELIVERY);
	aliases->bad_row = NULL;
	if (aliases->address == NULL && *columns[DELIVERY_ALIAS_LOCAL].data == '\0')
		add_finding(aliases, LEVEL_WARNING, "catch-all-off",
			    "set address.catch_all = true in mum.conf, or delete it",
			    "it is a catch-all, and mumd answers for none");
	else if (aliases->address == NULL)
		add_finding(aliases, LEVEL_ERROR, "name-unusable", "rename it in MUM",
			    "no mail can have this name");
	free(name);
}

static void on_row(const struct column *columns, void *arg)
{
	struct aliases *aliases = arg;

	if (aliases->id == NULL || strcmp(aliases->id, columns[ROW_ALIAS_ID].data) != 0) {
		end_alias(aliases);
		begin_alias(aliases, columns);
	}
	aliases->has_senders = columns[ROW_ALIAS_SENDS].data != NULL &&
			       *columns[ROW_ALIAS_SENDS].data == '1';
	if (aliases->address != NULL && aliases->bad_row == NULL)
		facts_add_row(aliases->facts, aliases->address, 0, columns,
			      &aliases->bad_row);
}

/* ---- all of them: loops, and where mail goes in the end ---- */

/* A role has no row, and so no id. */
static const char *place_of(const struct aliases *aliases, const struct alias_told *alias)
{
	struct report *report = aliases->check->report;

	return *alias->id != '\0'
		       ? report_text(report, "aliases.id=%s <%s>", alias->id, alias->name)
		       : report_text(report, "address.roles <%s>", alias->name);
}

static void on_loop(const struct alias_told *first, const char *way, void *arg)
{
	const struct aliases *aliases = arg;

	report_add(aliases->check->report, LEVEL_ERROR, "alias-loop", place_of(aliases, first),
		   "remove one of these recipients",
		   "Postfix defers mail to aliases that lead back to themselves: %s", way);
}

static void on_alias(const struct alias_told *alias, void *arg)
{
	const struct aliases *aliases = arg;
	const char *where = place_of(aliases, alias);

	if (alias->expansion > aliases->expansion_limit)
		report_add(aliases->check->report, LEVEL_WARNING, "alias-too-wide", where,
			   "give it fewer recipients, or raise virtual_alias_expansion_limit "
			   "in main.cf",
			   "mail to it is deferred (4.6.0): it leads to more than %zu "
			   "recipients, those of other aliases included",
			   aliases->expansion_limit);
	/* cleanup(8) asks once more behind the last alias. */
	if (alias->depth >= aliases->recursion_limit)
		report_add(aliases->check->report, LEVEL_WARNING, "alias-too-deep", where,
			   "have it lead to the end directly, or raise "
			   "virtual_alias_recursion_limit in main.cf",
			   "mail to it is deferred (4.6.0): it leads to an alias, and that to "
			   "the next, %zu in a row, and Postfix follows fewer than %zu",
			   alias->depth, aliases->recursion_limit);
}

/* Tables may differ in their collations, and the server would not compare two of them. */
static char *same_local_part(const struct check *check)
{
	if (check_is_sqlite(check))
		return xstrdup("a.local_part COLLATE NOCASE");
	if (check->collation == NULL)
		return xstrdup("a.local_part");
	return xasprintf("CONVERT(a.local_part USING utf8mb4) COLLATE %s", check->collation);
}

void check_aliases(const struct check *check)
{
	struct aliases aliases = {
		.check = check,
		.expansion_limit = settings_number_of_postfix(
			check->settings, "virtual_alias_expansion_limit", LIMIT),
		.recursion_limit = settings_number_of_postfix(
			check->settings, "virtual_alias_recursion_limit", LIMIT),
	};
	const struct alias_graph_settings settings = {
		check->config->address.recipient_delimiter,
		check->config->address.propagate_extension, aliases.expansion_limit,
	};
	char *now = tool_now(check->config), *same = same_local_part(check);
	char *sql = xasprintf(ALIASES_SQL, now, same);

	aliases.graph = alias_graph_new(&settings);
	check_query(check, sql, on_row, &aliases);
	end_alias(&aliases);
	names_forget_dead(check->names);
	alias_graph_walk(aliases.graph, on_loop, on_alias, &aliases);
	alias_graph_free(&aliases.graph);
	free(sql);
	free(same);
	free(now);
}
