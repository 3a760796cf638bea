/* SPDX-License-Identifier: MIT */
/*
 * Why stock and we differ, in the numbers of doc/differences.md. Told from the
 * facts about the key, not from the texts alone: an unknown reason must show.
 */
#include "mumctl/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rules.h"
#include "common/xalloc.h"

struct difference {
	const char *key, *stock;	/* stock: NULL when not found */
	const char *ours;		/* NULL when not found */
	const struct mum_answer *answer;
	char *reason;
};

static void add(const struct difference *difference, const char *number)
{
	size_t len = strlen(difference->reason);

	if (strstr(difference->reason, number) == NULL)
		snprintf(difference->reason + len, REASON_TEXT_SIZE - len, "%s%s",
			 len > 0 ? " " : "", number);
}

/* ---- what the key itself is ---- */

static bool is_quoted(const char *key)
{
	return key[0] == '"';
}

static bool has_other_spelling(const struct address *address)
{
	return address->domains_count > 1;
}

/* We find it under a form that stock is not asked for. */
static void add_search(const struct difference *difference, size_t form)
{
	const struct address *address = difference->answer->address;

	if (*address->forms[form].extension != '\0')
		add(difference, "D2");
	if (is_quoted(difference->key) || is_quoted(address->forms[form].local))
		add(difference, "D3");
	if (has_other_spelling(address))
		add(difference, "D14");
}

/* ---- lists: aliases, owners ---- */

static bool has_word(const char *list, const char *word, size_t len)
{
	for (; list != NULL; list = strchr(list, ',')) {
		list += *list == ',';
		if (strncmp(list, word, len) == 0 && (list[len] == ',' || list[len] == '\0'))
			return true;
	}
	return false;
}

/* Does every word of one list stand in the other? */
static bool is_within(const char *one, const char *other)
{
	while (*one != '\0') {
		size_t len = strcspn(one, ",");

		if (!has_word(other, one, len))
			return false;
		one += len + (one[len] == ',');
	}
	return true;
}

static bool is_same_set(const char *one, const char *other)
{
	return one != NULL && other != NULL && is_within(one, other) && is_within(other, one);
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t")] == '\0';
}

static void add_alias_row(const struct difference *difference, const struct delivery_row *row)
{
	if (row->alias_expired)
		add(difference, "D9");
	if (row->recipient == NULL)
		return;
	if (row->recipient_local &&
	    !(row->recipient_active && row->recipient_domain_active &&
	      !row->recipient_send_only))
		add(difference, "D6");
	if (is_blank(row->recipient) || strcspn(row->recipient, " \t") == 0 ||
	    strcasecmp(row->recipient, row->alias) == 0)
		add(difference, "D7");
	if (strpbrk(row->recipient, " ,\"()<>;:\\") != NULL)
		add(difference, "D4");
}

static void explain_alias(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];

	for (size_t i = 0; facts != NULL && i < facts->count; i++) {
		if (facts->deliveries[i].alias == NULL)
			continue;
		if (difference->stock == NULL)
			add_search(difference, facts->deliveries[i].form);
		else
			add_alias_row(difference, &facts->deliveries[i]);
	}
	if (is_same_set(difference->stock, difference->ours))
		add(difference, "D5");
	if (difference->stock != NULL && facts != NULL && facts->count == 0)
		add(difference, "D1");
	/* A U-label recipient is handed on as its A-label. */
	if (difference->ours != NULL && strstr(difference->ours, "@xn--") != NULL)
		add(difference, "D14");
}

static void explain_owners(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_OWNERS];

	for (size_t i = 0; facts != NULL && i < facts->count; i++) {
		const struct owner_row *row = &facts->owners[i];

		if (difference->stock == NULL) {
			add_search(difference, row->form);
			continue;
		}
		if (row->alias_expired)
			add(difference, "D9");
		if (row->id != 0 && !(row->mailbox_active && row->mailbox_domain_active))
			add(difference, "D10");
	}
	if (is_same_set(difference->stock, difference->ours))
		add(difference, "D5");
	if (difference->stock != NULL && facts != NULL && facts->count == 0)
		add(difference, "D1");
}

/* ---- the other maps ---- */

static void explain_mailbox(const struct difference *difference)
{
	const struct delivery_row *mailbox;

	if (difference->stock != NULL)
		add(difference, "D1");
	else if (rule_mailbox(difference->answer, &mailbox) == MUM_FOUND)
		add_search(difference, mailbox->form);
}

static void explain_access(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];
	bool alias = false;

	for (size_t i = 0; facts != NULL && i < facts->count; i++) {
		alias = alias || facts->deliveries[i].alias != NULL;
		if (difference->stock == NULL)
			add_search(difference, facts->deliveries[i].form);
	}
	if (alias)
		add(difference, "D8");
	else if (difference->stock != NULL && difference->ours == NULL)
		add(difference, "D1");
	if (difference->stock != NULL && strcmp(difference->stock, "REJECT") == 0 &&
	    difference->ours != NULL && strncmp(difference->ours, "550 ", 4) == 0)
		add(difference, "D13");
}

static void explain_domain(const struct difference *difference)
{
	if (difference->answer->address != NULL &&
	    has_other_spelling(difference->answer->address))
		add(difference, "D14");
	else if (difference->stock != NULL)
		add(difference, "D1");
}

static void explain_tls(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_TLS];

	if (facts == NULL || facts->count == 0)
		explain_domain(difference);
	else if (!facts->tls[0].active)
		add(difference, "D11");
	else if (difference->stock != NULL && difference->ours != NULL)
		add(difference, "D12");
	else
		explain_domain(difference);
}

static const struct {
	const char *map;
	enum mum_question question;
	void (*explain)(const struct difference *difference);
} explanations[] = {
	{ "domains", MUM_DOMAIN, explain_domain },
	{ "mailboxes", MUM_DELIVERY, explain_mailbox },
	{ "aliases", MUM_DELIVERY, explain_alias },
	{ "recipient-access", MUM_DELIVERY, explain_access },
	{ "sender-login-maps", MUM_OWNERS, explain_owners },
	{ "tls-policies", MUM_TLS, explain_tls },
};

static bool is_same(const char *stock, const struct map_reply *ours)
{
	if (ours->status == MUM_NOT_FOUND)
		return stock == NULL;
	return ours->status == MUM_FOUND && stock != NULL && strcmp(stock, ours->value) == 0;
}

static void explain(struct tool *tool, size_t i, struct difference *difference)
{
	struct asked asked;

	tool_ask(tool, MUM_ROLE_POSTFIX, MUM_ASK(explanations[i].question), difference->key,
		 &asked);
	difference->answer = &asked.answer;
	/* No such name can exist for us. */
	if (asked.answer.status == MUM_NOT_FOUND)
		add(difference, "D20");
	else if (asked.answer.status == MUM_FOUND)
		explanations[i].explain(difference);
	asked_free(&asked);
}

void compare_reason(struct tool *tool, const char *map, const char *key,
		    const char *stock, const struct map_reply *ours,
		    char reason[REASON_TEXT_SIZE])
{
	struct difference difference = { key, stock, ours->value, NULL, reason };

	reason[0] = '\0';
	if (is_same(stock, ours))
		return;
	/* Facts, but a value that Postfix must not be handed. */
	if (ours->status == MUM_TEMPFAIL)
		add(&difference, "D15");
	for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]); i++) {
		if (strcmp(explanations[i].map, map) == 0 && reason[0] == '\0')
			explain(tool, i, &difference);
	}
	if (reason[0] == '\0')
		add(&difference, "?");
}
