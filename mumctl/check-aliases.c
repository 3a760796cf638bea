/* SPDX-License-Identifier: MIT */
/*
 * Aliases whose rows hurt: judged one by one by the rules of live traffic, then
 * together, for loops.
 */
#include "mumctl/check-names.h"

#include <stdlib.h>
#include <string.h>

#include "common/address-quote.h"
#include "common/columns.h"
#include "common/keyed-hash.h"
#include "common/rules.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/settings.h"
#include "postfix-policy/socketmap.h"

enum {
	ROW_ALIAS_ID = DELIVERY_COLUMNS,
	ROW_ALIAS_SENDS,
	LOOP_SHOWN = 8,
	LIMIT = 1000	/* Postfix's own, where postconf(1) does not say */
};

/*
 * As MUM_DELIVERY has them, the alias's id, and whether it has senders; %s: now, and
 * how the database takes two local parts for the same. SQLite sees only ASCII's case here.
 */
#define ALIASES_SQL \
	"SELECT 1, d.domain, d.active, m.local_part, m.active, m.send_only, a.local_part," \
	" a.active, a.deactivate_at < '%s', r.id, r.recipient_address, r.mailbox_id," \
	" rm.local_part, rd.domain, rm.active, rd.active, rm.send_only, a.id," \
	" EXISTS (SELECT 1 FROM alias_senders s WHERE s.alias_id = a.id)" \
	" FROM aliases a JOIN domains d ON d.id = a.domain_id" \
	" LEFT JOIN mailboxes m ON m.local_part = %s AND m.domain_id = a.domain_id" \
	" LEFT JOIN alias_recipients r ON r.alias_id = a.id" \
	" LEFT JOIN mailboxes rm ON rm.id = r.mailbox_id" \
	" LEFT JOIN domains rd ON rd.id = rm.domain_id" \
	" WHERE a.active = 1 AND d.active = 1 ORDER BY a.id"

/* A live alias, as a node of the graph of who leads to whom. */
struct node {
	UT_hash_handle hh;
	size_t targets_count;
	char **targets;		/* live recipients, as stored */
	size_t expansion;	/* recipients in the end; up to the limit and one more */
	size_t depth;		/* aliases in a row: this one, its first target, and so on */
	char *id;		/* of the row */
	bool keeps_copy;	/* it is its own recipient */
	enum { NODE_NEW, NODE_ON_PATH, NODE_DONE } state;
	struct node *from;	/* while on the path */
	bool grows;		/* from there with an extension more */
	size_t at;		/* the target that is looked at */
	size_t key_len;
	char key[];		/* folded address */
};

struct aliases {
	const struct check *check;
	struct keyed_hash hash;
	struct node *nodes;
	size_t count;
	size_t expansion_limit, recursion_limit;	/* of Postfix */
	/* The alias whose rows are coming. */
	char *id, *where;
	struct address *address;
	struct facts *facts;
	bool has_recipients, has_senders;
	const char *bad_row;
};

/* ---- one alias ---- */

static struct node *find_node(const struct aliases *aliases, const char *key)
{
	size_t len = strlen(key);
	struct node *node;

	HASH_FIND_BYHASHVALUE(hh, aliases->nodes, key, len,
			      keyed_hash(&aliases->hash, key, len), node);
	return node;
}

static void add_node(struct aliases *aliases, const struct recipients *live,
		     bool keeps_copy)
{
	char *key = names_key(aliases->address, 0);
	size_t len = strlen(key);
	struct node *node = xcalloc(1, sizeof(*node) + len + 1);

	memcpy(node->key, key, len);
	node->key_len = len;
	free(key);
	if (find_node(aliases, node->key) != NULL) {
		free(node);
		return;
	}
	node->id = xstrdup(aliases->id);
	node->keeps_copy = keeps_copy;
	node->targets = xcalloc(live->count, sizeof(node->targets[0]));
	for (size_t i = 0; i < live->count; i++)
		node->targets[node->targets_count++] = xstrdup(live->addresses[i]);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, aliases->nodes, node->key, len,
				    keyed_hash(&aliases->hash, node->key, len), node);
}

static void add_finding(const struct aliases *aliases, enum level level, const char *code,
			const char *mend, const char *what)
{
	report_add(aliases->check->report, level, code, aliases->where, mend, "%s", what);
}

/* What mumd would have to refuse to hand to Postfix. */
static void check_values(const struct aliases *aliases, const struct recipients *live)
{
	size_t len = live->count - 1;	/* commas */

	for (size_t i = 0; i < live->count; i++) {
		struct buf external = BUF_INIT(4096);

		if (!address_put_external(&external, live->addresses[i], "") ||
		    external.failed || !text_is_clean(external.data, external.len))
			report_add(aliases->check->report, LEVEL_ERROR, "recipient-unusable",
				   aliases->where, "mend or remove it in MUM",
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

/* Its own name among the recipients: the usual way to keep a copy. */
static bool leads_to_itself(const struct aliases *aliases, const struct recipients *live)
{
	char *own = names_key(aliases->address, 0);
	bool itself = false;

	for (size_t i = 0; i < live->count && !itself; i++) {
		const char *text = live->addresses[i];
		struct address *address = address_new(ADDRESS_LOGIN, text, strlen(text), "");
		char *key = address != NULL ? names_key(address, 0) : NULL;

		itself = key != NULL && strcmp(key, own) == 0;
		free(key);
		address_unref(&address);
	}
	free(own);
	return itself;
}

/* mailbox: one of the same name that takes mail. */
static void judge_live(struct aliases *aliases, const struct recipients *live, bool mailbox)
{
	bool keeps_copy = leads_to_itself(aliases, live);

	check_values(aliases, live);
	add_node(aliases, live, keeps_copy);
	if (mailbox && !keeps_copy)
		add_finding(aliases, LEVEL_WARNING, "alias-and-mailbox",
			    "rename one; to keep a copy, make the mailbox a recipient",
			    "a mailbox has the same name; mail goes to the alias alone");
}

static void judge_dead(const struct aliases *aliases, bool mailbox)
{
	/* MUM's form lets an alias have senders alone: an address that sends and refuses. */
	if (!aliases->has_recipients && aliases->has_senders)
		return;
	if (!aliases->has_recipients)
		add_finding(aliases, LEVEL_WARNING, "alias-empty",
			    "give it a recipient, or delete it",
			    mailbox ? "it has no recipients; mail goes to the mailbox of "
				      "the same name"
				    : "it has no recipients; mail to it is refused");
	else
		add_finding(aliases, LEVEL_WARNING, "alias-dead",
			    "activate a recipient, or deactivate the alias",
			    mailbox ? "none of its recipients accepts mail; mail goes to the "
				      "mailbox of the same name"
				    : "none of its recipients accepts mail; mail to it is "
				      "refused");
}

/* Of an alias that exists. */
static void judge_recipients(struct aliases *aliases, const struct mum_answer *answer,
			     bool mailbox)
{
	struct recipients live = { .count = 0 };
	struct arena arena = { NULL };

	for (size_t i = 0; i < aliases->facts->count; i++) {
		if (aliases->facts->deliveries[i].recipient != NULL)
			check_recipient(aliases->check, &aliases->facts->deliveries[i]);
	}
	if (rule_recipients(answer, &arena, &live) == MUM_FOUND)
		judge_live(aliases, &live, mailbox);
	else
		judge_dead(aliases, mailbox);
	arena_free(&arena);
}

static void judge(struct aliases *aliases)
{
	struct mum_answer answer = { .status = MUM_FOUND, .address = aliases->address };
	const struct delivery_row *row;
	bool mailbox;

	facts_complete(aliases->facts);
	names_complete(aliases->check->names, aliases->check->config, aliases->facts);
	answer.facts[MUM_DELIVERY] = aliases->facts;
	mailbox = rule_mailbox(&answer, &row) == MUM_FOUND && !row->mailbox_send_only;
	if (aliases->bad_row != NULL)
		add_finding(aliases, LEVEL_ERROR, "recipient-unusable",
			    "mend or remove it in MUM", aliases->bad_row);
	else if (aliases->facts->count == 0 || aliases->facts->deliveries[0].alias == NULL)
		add_finding(aliases, LEVEL_ERROR, "name-unusable", "rename it in MUM",
			    "it is not found by its own name");
	else if (!aliases->facts->deliveries[0].alias_expired)
		judge_recipients(aliases, &answer, mailbox);
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
	aliases->address = address_new(ADDRESS_LOGIN, name, strlen(name), "");
	aliases->facts = facts_new(MUM_DELIVERY);
	aliases->has_recipients = false;
	aliases->bad_row = NULL;
	if (aliases->address == NULL)
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
	aliases->has_recipients |= columns[RECIPIENT_ID].data != NULL;
	aliases->has_senders = columns[ROW_ALIAS_SENDS].data != NULL &&
			       *columns[ROW_ALIAS_SENDS].data == '1';
	if (aliases->address != NULL && aliases->bad_row == NULL)
		facts_add_row(aliases->facts, aliases->address, 0, columns,
			      &aliases->bad_row);
}

/* ---- all of them: loops, and where mail goes in the end ---- */

/* "<a@x>, which leads to <b@x>, ...", from the path's end; of a long one its end. */
static char *loop_text(const struct node *first, const struct node *last)
{
	struct buf text = BUF_INIT((LOOP_SHOWN + 2) * 2048);
	const struct node *node = last;

	buf_printf(&text, "<%s>", first->key);
	for (int i = 0; node != first && i < LOOP_SHOWN; i++, node = node->from)
		buf_printf(&text, " <- <%s>", node->key);
	buf_printf(&text, node != first ? " <- ... <- <%s>" : " <- <%s>", first->key);
	return buf_steal(&text);
}

static void report_loop(const struct aliases *aliases, const struct node *first,
			const struct node *last)
{
	char *text = loop_text(first, last);
	char *where = xasprintf("aliases.id=%s <%s>", first->id, first->key);

	report_add(aliases->check->report, LEVEL_ERROR, "alias-loop", where,
		   "remove one of these recipients",
		   "Postfix defers mail to aliases that lead back to themselves: %s", text);
	free(where);
	free(text);
}

/*
 * Where mail to this recipient goes on: the first alias in the order in which
 * mumd searches. NULL at an end.
 */
static struct node *follow(const struct aliases *aliases, const char *target, bool *grows_r)
{
	struct address *address =
		address_new(ADDRESS_MAIL, target, strlen(target),
			    aliases->check->config->address.recipient_delimiter);
	struct node *next = NULL;

	*grows_r = false;
	for (size_t i = 0; address != NULL && next == NULL && i < address->forms_count; i++) {
		char *key = names_key(address, i);

		next = find_node(aliases, key);
		*grows_r = next != NULL && *address->forms[i].extension != '\0' &&
			   aliases->check->config->address.propagate_extension;
		free(key);
	}
	address_unref(&address);
	return next;
}

/*
 * The target that the node has come to leads to so many recipients, by so many aliases
 * in a row; node may be NULL. As cleanup_map1n.c counts: each recipient begins anew, but
 * the first of a list takes the place of the alias.
 */
static void add_target(const struct aliases *aliases, struct node *node,
		       size_t recipients, size_t depth)
{
	if (node == NULL)
		return;
	node->expansion += recipients;
	if (node->expansion > aliases->expansion_limit)
		node->expansion = aliases->expansion_limit + 1;
	if (node->at == 1)
		node->depth = depth + 1;
}

/* Is there a copy and, on the way back or in a turn of the path, an extension more? */
static bool is_growing_copy(const struct node *first, const struct node *last, bool grows)
{
	bool copy = first->keeps_copy;

	for (const struct node *node = last; node != first; node = node->from) {
		copy = copy || node->keeps_copy;
		grows = grows || node->grows;
	}
	return copy && grows;
}

/*
 * A walk in depth without recursion: the path may be as long as the table. copies:
 * by way of aliases that keep a copy, too.
 */
static void walk(struct aliases *aliases, struct node *root, bool copies)
{
	struct node *node = root;

	node->state = NODE_ON_PATH;
	while (node != NULL) {
		struct node *next;
		bool grows;

		if (node->at == node->targets_count) {
			node->state = NODE_DONE;
			add_target(aliases, node->from, node->expansion, node->depth);
			node = node->from;
			continue;
		}
		next = follow(aliases, node->targets[node->at++], &grows);
		if (next == NULL || next->state == NODE_DONE || (next->keeps_copy && !copies)) {
			add_target(aliases, node, next == NULL ? 1 : next->expansion,
				   next == NULL ? 0 : next->depth);
		} else if (next->state == NODE_ON_PATH) {
			add_target(aliases, node, 1, 0);
			if (!copies || is_growing_copy(next, node, grows))
				report_loop(aliases, next, node);
		} else {
			next->state = NODE_ON_PATH;
			next->from = node;
			next->grows = grows;
			node = next;
		}
	}
}

static void walk_all(struct aliases *aliases, bool copies)
{
	struct node *node, *next;

	HASH_ITER(hh, aliases->nodes, node, next) {
		node->state = NODE_NEW;
		node->from = NULL;
		node->expansion = 0;
		node->depth = 0;
		node->at = 0;
	}
	HASH_ITER(hh, aliases->nodes, node, next) {
		if (node->state == NODE_NEW)
			walk(aliases, node, copies);
	}
}

/*
 * Postfix's cleanup(8) expands an address that is among its own recipients once: at
 * a copy each loop ends. With an extension more in each turn it is another address.
 * The second walk has all aliases, and so it is the one that counts recipients.
 */
static void find_loops(struct aliases *aliases)
{
	walk_all(aliases, false);
	walk_all(aliases, true);
}

static void check_limits(const struct aliases *aliases, const struct node *node)
{
	char *where = xasprintf("aliases.id=%s <%s>", node->id, node->key);

	if (node->expansion > aliases->expansion_limit)
		report_add(aliases->check->report, LEVEL_WARNING, "alias-too-wide", where,
			   "give it fewer recipients, or raise virtual_alias_expansion_limit "
			   "in main.cf",
			   "mail to it is deferred (4.6.0): it leads to more than %zu "
			   "recipients, those of other aliases included",
			   aliases->expansion_limit);
	/* After the last alias cleanup(8) asks once more. */
	if (node->depth >= aliases->recursion_limit)
		report_add(aliases->check->report, LEVEL_WARNING, "alias-too-deep", where,
			   "have it lead to the end directly, or raise "
			   "virtual_alias_recursion_limit in main.cf",
			   "mail to it is deferred (4.6.0): it leads to an alias, and that to "
			   "the next, %zu in a row, and Postfix follows fewer than %zu",
			   node->depth, aliases->recursion_limit);
	free(where);
}

static void free_nodes(struct aliases *aliases)
{
	struct node *node, *next;

	HASH_ITER(hh, aliases->nodes, node, next) {
		HASH_DELETE(hh, aliases->nodes, node);
		for (size_t i = 0; i < node->targets_count; i++)
			free(node->targets[i]);
		free(node->targets);
		free(node->id);
		free(node);
	}
}

/* The tables may have a collation each, which the server would not compare. */
static char *same_local_part(const struct check *check)
{
	char *collation, *same;

	if (check_is_sqlite(check))
		return xstrdup("a.local_part COLLATE NOCASE");
	collation = check_collation_of(check, "mailboxes", "local_part");
	same = collation == NULL
		       ? xstrdup("a.local_part")
		       : xasprintf("CONVERT(a.local_part USING utf8mb4) COLLATE %s", collation);
	free(collation);
	return same;
}

void check_aliases(const struct check *check)
{
	struct aliases aliases = { .check = check };
	struct node *node, *next;
	char *now = names_now(check), *same, *sql;

	aliases.expansion_limit =
		settings_number_of_postfix(check->settings,
					   "virtual_alias_expansion_limit", LIMIT);
	aliases.recursion_limit =
		settings_number_of_postfix(check->settings,
					   "virtual_alias_recursion_limit", LIMIT);
	same = same_local_part(check);
	sql = xasprintf(ALIASES_SQL, now, same);
	keyed_hash_init(&aliases.hash);
	check_query(check, sql, on_row, &aliases);
	end_alias(&aliases);
	find_loops(&aliases);
	HASH_ITER(hh, aliases.nodes, node, next) {
		check_limits(&aliases, node);
	}
	free_nodes(&aliases);
	free(sql);
	free(same);
	free(now);
}
