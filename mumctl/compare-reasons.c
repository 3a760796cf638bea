/* SPDX-License-Identifier: MIT */
/*
 * Why stock and we differ, in the numbers of doc/differences.md. Told from the
 * facts about the key, not from the texts alone: an unknown reason must show.
 */
#include "mumctl/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address-quote.h"
#include "common/buf.h"
#include "common/rules.h"
#include "common/text.h"
#include "common/xalloc.h"

struct difference {
	struct tool *tool;
	struct inspect *db;
	const char *map;
	const char *key, *stock;	/* stock: NULL when not found */
	const char *ours;		/* NULL when not found */
	const char *domain;		/* of the key, as stored; NULL when there is none */
	const struct mum_answer *answer;
	char *reason;
	bool *failed;			/* set by a question without an answer */
};

static void ask(const struct difference *difference, enum mum_question question,
		const char *key, struct asked *asked_r)
{
	tool_ask(difference->tool, MUM_ROLE_POSTFIX, MUM_ASK(question), key, asked_r);
	if (asked_r->answer.status != MUM_FOUND && asked_r->answer.status != MUM_NOT_FOUND)
		*difference->failed = true;
}

static void add(const struct difference *difference, const char *number)
{
	size_t len = strlen(difference->reason);
	const char *at = strstr(difference->reason, number);

	/* D1 is not in "D12". */
	while (at != NULL && at[strlen(number)] != '\0' && at[strlen(number)] != ' ')
		at = strstr(at + 1, number);
	if (at == NULL)
		snprintf(difference->reason + len, REASON_TEXT_SIZE - len, "%s%s",
			 len > 0 ? " " : "", number);
}

/* D1 is no word for what we do not know: the database must have shown a twin. */
static void add_twin(const struct difference *difference)
{
	if (twin_exists(difference->db, difference->map, difference->key, difference->failed))
		add(difference, "D1");
}

/* ---- how the key was found ---- */

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/* Is the key's domain stored in its other spelling, A-label or U-label? */
static bool is_other_spelling(const struct difference *difference)
{
	const char *at = strrchr(difference->key, '@');
	const char *domain = at != NULL ? at + 1 : difference->key;
	char *asked, *stored;
	bool other;

	if (difference->domain == NULL)
		return false;
	asked = address_fold_local(domain, strlen(domain));
	stored = address_fold_local(difference->domain, strlen(difference->domain));
	other = strcmp(asked, stored) != 0;
	free(asked);
	free(stored);
	return other;
}

/* Does the form only fold and cut what the key has, or are quotes put or taken away? */
static bool is_verbatim(const struct difference *difference, const struct address_form *form)
{
	const char *at = strrchr(difference->key, '@');
	size_t len = at != NULL ? (size_t)(at - difference->key) : strlen(difference->key);
	char *local = address_fold_local(difference->key, len);
	size_t form_len = strlen(form->local);
	char end = *form->extension;	/* a delimiter, or the end itself */
	bool verbatim = strncmp(local, form->local, form_len) == 0 && local[form_len] == end;

	free(local);
	return verbatim;
}

/* We find it under a form that stock is not asked for, or in a case that it has not. */
static void add_search(const struct difference *difference, size_t form)
{
	const struct address_form *found = &difference->answer->address->forms[form];
	bool extension = *found->extension != '\0';
	bool quotes = !is_verbatim(difference, found);
	bool spelling = is_other_spelling(difference);

	if (extension)
		add(difference, "D2");
	if (quotes)
		add(difference, "D3");
	if (spelling)
		add(difference, "D14");
	/* Of ASCII the database ignores the case as we do. */
	if (!extension && !quotes && !spelling && !is_ascii(difference->key) &&
	    !twin_is_found(difference->db, difference->map, difference->key,
			   difference->failed))
		add(difference, "D1");
}

/* Is this the form that stock, too, is asked for? */
static bool is_asked(const struct difference *difference, size_t form)
{
	const struct address_form *asked = &difference->answer->address->forms[form];

	return *asked->extension == '\0' && is_verbatim(difference, asked);
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

enum { GROUP_CONCAT_MAX = 1024, CHARACTER_MAX = 4 };

/*
 * MySQL's group_concat_max_len cuts what is longer, between two characters; the last
 * word is seldom whole then.
 */
static bool is_cut(const char *list, const char *ours)
{
	const char *comma = strrchr(list, ',');
	const char *last = comma == NULL ? list : comma + 1;
	size_t len = strlen(list);

	return len == GROUP_CONCAT_MAX ||
	       (len < GROUP_CONCAT_MAX && len > GROUP_CONCAT_MAX - CHARACTER_MAX &&
		!has_word(ours, last, strlen(last)));
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

static bool is_blank(char c)
{
	return c != '\0' && strchr(" \t\r\n", c) != NULL;
}

/* Blank, or with blanks at an end. */
static bool is_untrimmed(const char *text)
{
	return *text == '\0' || is_blank(*text) || is_blank(text[strlen(text) - 1]);
}

/* In the form in which we hand it on: are there quotes (D4), an A-label (D14)? */
static void add_form(const struct difference *difference, const char *recipient)
{
	struct buf external = BUF_INIT(4096);
	const char *at = strrchr(recipient, '@');
	const char *domain = at != NULL ? at : "";
	size_t len = at != NULL ? (size_t)(at - recipient) : strlen(recipient);
	bool known = address_put_external(&external, recipient, "");
	char *text = buf_steal(&external);

	if (known && strncmp(text, recipient, len) != 0)
		add(difference, "D4");
	if (known && at != NULL && strcmp(strrchr(text, '@'), domain) != 0)
		add(difference, "D14");
	free(text);
}

/* One that we leave out is in vain (D7), or leads to a mailbox that takes no mail (D6). */
static void add_lost(const struct difference *difference, const struct delivery_row *row)
{
	switch (state_of_recipient(row)) {
	case RECIPIENT_IS_LIVE:
		break;
	case RECIPIENT_IS_BLANK:
	case RECIPIENT_IS_ALIAS_ITSELF:
	case RECIPIENT_HAS_NO_END:
		add(difference, "D7");
		break;
	case RECIPIENT_IS_IN_INACTIVE_DOMAIN:
	case RECIPIENT_IS_INACTIVE:
	case RECIPIENT_IS_SEND_ONLY:
	case RECIPIENT_IS_GONE:
	case RECIPIENT_IS_UNKNOWN:
		add(difference, "D6");
		break;
	}
}

static void add_recipient(const struct difference *difference, const struct delivery_row *row)
{
	add_lost(difference, row);
	if (row->recipient_local && row->stands_for != NULL &&
	    !address_is_same(row->stands_for, row->recipient))
		add(difference, "D24");
	if (is_untrimmed(row->recipient))
		add(difference, "D7");
	if (difference->ours != NULL && row->recipient[strspn(row->recipient, " \t")] != '\0')
		add_form(difference, row->recipient);
}

/* Stock names them as it likes; seldom as they were made. */
static void add_order(const struct difference *difference, const struct delivery_row *row,
		      const struct delivery_row *before)
{
	if (difference->ours != NULL && before != NULL &&
	    strcmp(before->recipient, row->recipient) > 0)
		add(difference, "D5");
}

/* Is this what MUM's query makes of the alias: all of its recipients, in any order? */
static bool is_list_of(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];
	size_t len = 0, count = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->alias == NULL || row->recipient == NULL ||
		    !is_asked(difference, row->form))
			continue;
		len += strlen(row->recipient);
		count++;
		if (strstr(difference->stock, row->recipient) == NULL)
			return false;
	}
	return count > 0 && strlen(difference->stock) == len + count - 1;
}

/* The alias that stock found, with what we leave out of it or change in it. */
static bool explain_stock_alias(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];
	const struct delivery_row *before = NULL;
	bool found = false;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->alias == NULL || !is_asked(difference, row->form))
			continue;
		found = true;
		if (row->alias_expired)
			add(difference, "D9");
		if (row->recipient == NULL)
			continue;
		add_recipient(difference, row);
		add_order(difference, row, before);
		before = row;
	}
	return found;
}

/* The form whose alias has live recipients. */
static bool find_live_form(const struct mum_answer *answer, size_t *form_r)
{
	struct arena arena = { NULL };
	struct recipients live;
	bool found = rule_recipients(answer, &arena, &live) == MUM_FOUND;

	if (found)
		*form_r = live.alias->form;
	arena_free(&arena);
	return found;
}

static void explain_alias(const struct difference *difference)
{
	size_t form;

	if (difference->stock == NULL) {
		if (find_live_form(difference->answer, &form))
			add_search(difference, form);
		return;
	}
	if (!explain_stock_alias(difference))
		add_twin(difference);
	else if (is_cut(difference->stock, difference->ours))
		add(difference, "D15");
	else if (!is_list_of(difference))
		difference->reason[0] = '\0';	/* another query of the admin's */
	else if (difference->reason[0] == '\0' &&
		 is_same_set(difference->stock, difference->ours))
		add(difference, "D5");
}

static void add_owner(const struct difference *difference, const struct owner_row *row)
{
	if (row->id == 0 || !row->alias_active || !row->mailbox_domain_active)
		return;		/* stock does not list it either, or lists it as we do */
	if (row->alias_expired)
		add(difference, "D9");
	if (!row->mailbox_active)
		add(difference, "D10");
}

/* Is it the login of a mailbox, perhaps one whose name collates as the key does? */
static bool is_login(const struct difference *difference, const char *word, size_t len)
{
	char *login = xstrndup(word, len);
	struct asked asked;
	bool there = false;

	ask(difference, MUM_OWNERS, login, &asked);
	for (size_t i = 0; asked.answer.status == MUM_FOUND && !there &&
			   i < asked.answer.facts[MUM_OWNERS]->count; i++)
		there = asked.answer.facts[MUM_OWNERS]->owners[i].id == 0;
	asked_free(&asked);
	free(login);
	return there;
}

/* Does stock, too, name who owns what only collates as the key does? */
static bool has_owners_of_twin(const struct difference *difference)
{
	const char *word = difference->stock;

	if (difference->ours == NULL || !is_within(difference->ours, difference->stock))
		return false;
	while (*word != '\0') {
		size_t len = strcspn(word, ",");

		if (!has_word(difference->ours, word, len) && !is_login(difference, word, len))
			return false;
		word += len + (word[len] == ',');
	}
	return true;
}

/* In stock's answer the mailbox of that name stands before the list. */
static bool has_cut_owners(const struct difference *difference)
{
	const char *comma = difference->stock == NULL ? NULL : strchr(difference->stock, ',');

	return comma != NULL && (is_cut(difference->stock, difference->ours) ||
				 is_cut(comma + 1, difference->ours));
}

static void explain_owners(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_OWNERS];
	bool asked = false;

	for (size_t i = 0; i < facts->count; i++) {
		const struct owner_row *row = &facts->owners[i];

		if (difference->stock == NULL && state_of_owner(row) == OWNER_IS_LIVE) {
			add_search(difference, row->form);
			return;
		}
		if (difference->stock != NULL && is_asked(difference, row->form)) {
			asked = true;
			add_owner(difference, row);
		}
	}
	if (difference->stock != NULL && !asked)
		add_twin(difference);
	if (has_cut_owners(difference))
		add(difference, "D15");
	else if (difference->reason[0] == '\0' &&
		 is_same_set(difference->stock, difference->ours))
		add(difference, "D5");
	else if (difference->reason[0] == '\0' && has_owners_of_twin(difference))
		add_twin(difference);
}

/* ---- the other maps ---- */

/* Stock finds what only collates as the key does, not a mailbox that is inactive. */
static void add_twin_mailbox(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];

	for (size_t i = 0; i < facts->count; i++) {
		if (facts->deliveries[i].mailbox != NULL &&
		    is_asked(difference, facts->deliveries[i].form))
			return;
	}
	add_twin(difference);
}

static void explain_mailbox(const struct difference *difference)
{
	const struct delivery_row *mailbox;

	if (difference->stock != NULL)
		add_twin_mailbox(difference);
	else if (rule_mailbox(difference->answer, &mailbox) == MUM_FOUND)
		add_search(difference, mailbox->form);
}

static const struct delivery_row *find_alias(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];
	const struct delivery_row *alias = NULL;
	size_t form;
	bool live = find_live_form(answer, &form);

	for (size_t i = 0; i < facts->count && alias == NULL; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->alias != NULL && row->alias_active && !row->alias_expired &&
		    (!live || row->form == form))
			alias = row;
	}
	return alias;
}

/* An alias decides, or that none of its recipients takes mail. */
static void explain_alias_access(const struct difference *difference,
				 const struct delivery_row *alias)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];
	bool refused = strncmp(difference->ours, "550 ", 4) == 0;

	add(difference, "D8");
	if (!is_asked(difference, alias->form) || is_other_spelling(difference))
		add_search(difference, alias->form);
	for (size_t i = 0; i < facts->count && refused; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->alias != NULL && row->form == alias->form && row->recipient != NULL)
			add_lost(difference, row);
	}
}

static void explain_access(const struct difference *difference)
{
	const struct delivery_row *mailbox = NULL, *alias;
	bool found = rule_mailbox(difference->answer, &mailbox) == MUM_FOUND;
	bool refused = difference->ours != NULL && strncmp(difference->ours, "550 ", 4) == 0;

	if (difference->ours == NULL) {
		add_twin_mailbox(difference);
		return;
	}
	alias = find_alias(difference->answer);
	if (alias != NULL && (!found || refused != mailbox->mailbox_send_only))
		explain_alias_access(difference, alias);
	else if (found && difference->stock == NULL)
		add_search(difference, mailbox->form);
	else if (refused && strcmp(difference->stock, "REJECT") == 0)
		add(difference, "D13");
	else
		add_twin_mailbox(difference);
}

/* Has MUM a domain of this name, which its collation takes for the key? */
static bool is_domain(const struct difference *difference, const char *name)
{
	struct asked asked;
	bool there;

	ask(difference, MUM_DOMAIN, name, &asked);
	there = asked.answer.status == MUM_FOUND && asked.answer.facts[MUM_DOMAIN]->count > 0;
	asked_free(&asked);
	return there;
}

static bool is_same_domain(const char *one, const char *other)
{
	char *folded = address_fold_domain(one, strlen(one));
	char *other_folded = address_fold_domain(other, strlen(other));
	bool same = strcmp(folded, other_folded) == 0;

	free(folded);
	free(other_folded);
	return same;
}

static void explain_domain(const struct difference *difference)
{
	if (difference->ours != NULL && is_other_spelling(difference))
		add(difference, "D14");
	else if (difference->stock != NULL && is_domain(difference, difference->stock) &&
		 !is_same_domain(difference->key, difference->stock))
		add_twin(difference);
}

/* Is it the same but for the comma behind the policy? */
static bool is_joined_otherwise(const char *stock, const char *ours)
{
	size_t len = strcspn(stock, ",");

	return stock[len] == ',' && strncmp(stock, ours, len) == 0 && ours[len] == ' ' &&
	       strcmp(stock + len + 1, ours + len + 1) == 0;
}

/* One row is all that a name has, but for a domain in both of its spellings. */
static void explain_tls(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_TLS];
	bool idn = !is_ascii(difference->key) || strcasestr(difference->key, "xn--") != NULL;

	if (difference->ours == NULL && facts->count > 0)
		add(difference, "D11");
	else if (difference->ours == NULL)
		add_twin(difference);
	else if (idn && (difference->stock == NULL || facts->count > 1))
		add(difference, "D14");
	else if (difference->stock != NULL &&
		 is_joined_otherwise(difference->stock, difference->ours))
		add(difference, "D12");
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

/* From the facts, and for an address from the spelling of its domain. */
static void explain(size_t i, struct difference *difference)
{
	const char *at = strrchr(difference->key, '@');
	struct asked asked, domain;
	const struct facts *domains;

	ask(difference, explanations[i].question, difference->key, &asked);
	ask(difference, MUM_DOMAIN, at != NULL ? at + 1 : difference->key, &domain);
	domains = domain.answer.facts[MUM_DOMAIN];
	difference->domain = domain.answer.status == MUM_FOUND && domains->count > 0
				     ? domains->domains[0].name : NULL;
	difference->answer = &asked.answer;
	/* No such name can exist for us: it is not clean, or wider than a column. */
	if (asked.answer.status == MUM_NOT_FOUND &&
	    !text_is_clean(difference->key, strlen(difference->key)))
		add(difference, "D20");
	else if (asked.answer.status == MUM_NOT_FOUND)
		add_twin(difference);
	else if (asked.answer.status == MUM_FOUND)
		explanations[i].explain(difference);
	asked_free(&domain);
	asked_free(&asked);
}

bool compare_reason(struct tool *tool, struct inspect *db, const char *map,
		    const char *key, const char *stock, const struct map_reply *ours,
		    char reason[REASON_TEXT_SIZE])
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);
	bool failed = false;
	struct difference difference = {
		/* SQLite does not collate as the server that postmap asks. */
		.tool = tool, .db = config->database.driver == MUM_DRIVER_MARIADB ? db : NULL,
		.map = map, .key = key, .stock = stock,
		.ours = ours->value, .reason = reason,
		.failed = &failed,
	};

	reason[0] = '\0';
	if (is_same(stock, ours))
		return true;
	if (ours->bad_value)
		add(&difference, "D15");
	for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]); i++) {
		if (strcmp(explanations[i].map, map) == 0 && reason[0] == '\0')
			explain(i, &difference);
	}
	if (reason[0] == '\0')
		add(&difference, "?");
	return !failed;
}
