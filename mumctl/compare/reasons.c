/* SPDX-License-Identifier: MIT */
/*
 * Why stock and we differ, in the numbers of doc/differences.md. Told from the
 * facts about the key, not from the texts alone: an unknown reason must show.
 */
#include "mumctl/compare/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/address-quote.h"
#include "common/buf.h"
#include "common/rules.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/compare/lists.h"

struct difference {
	struct tool *tool;
	struct inspect *db;
	enum socketmap_number map;
	const char *key, *stock;	/* stock: NULL when not found */
	const char *ours;		/* NULL when not found */
	const struct mum_answer *answer;
	char *reason;
	bool *failed;			/* set if a question gets no answer */
};

static void ask(const struct difference *difference, enum question_kind kind,
		const char *key, struct asked *asked_r)
{
	tool_ask(difference->tool, MUM_ROLE_POSTFIX, MUM_ASK(kind), key, asked_r);
	if (!tool_is_answered(asked_r->answer.status))
		*difference->failed = true;
}

static void add(const struct difference *difference, const char *numbers)
{
	numbers_add_all(difference->reason, numbers);
}

/* Claims D1 only if the database has shown a twin. */
static void add_twin(const struct difference *difference)
{
	if (twin_exists(difference->db, difference->map, difference->key, difference->failed))
		add(difference, "D1");
}

/* ---- how the key was found ---- */

/* Is the key's domain stored in its other spelling, A-label or U-label? */
static bool is_other_spelling(const struct difference *difference)
{
	const char *at = strrchr(difference->key, '@');
	const char *domain = at != NULL ? at + 1 : difference->key;
	char *folded = address_fold_local(domain, strlen(domain));
	struct asked asked;
	bool other = false;

	ask(difference, MUM_DOMAIN, domain, &asked);
	if (asked.answer.status == MUM_FOUND && asked.answer.facts[MUM_DOMAIN]->count > 0) {
		const char *name = asked.answer.facts[MUM_DOMAIN]->domains[0].name;
		char *stored = address_fold_local(name, strlen(name));

		other = strcmp(folded, stored) != 0;
		free(stored);
	}
	asked_free(&asked);
	free(folded);
	return other;
}

/* Does a role or a catch-all answer? Stock has neither. */
static bool is_fallback(const struct difference *difference, size_t form)
{
	return difference->answer->address->forms[form].kind != FORM_IS_NAME;
}

/* We find it under a form that Postfix does not ask stock for, or in another case. */
static void add_search(const struct difference *difference, size_t form)
{
	const struct address_form *found = &difference->answer->address->forms[form];
	bool extension = *found->extension != '\0';
	bool quotes = !name_is_form(difference->key, found);
	bool spelling = is_other_spelling(difference);
	bool ascii = text_is_ascii(difference->key, strlen(difference->key));

	if (is_fallback(difference, form)) {
		add(difference, "D26");
		return;
	}
	if (extension)
		add(difference, "D2");
	if (quotes)
		add(difference, "D3");
	if (spelling)
		add(difference, "D14");
	/* The database ignores the case of ASCII, as we do. */
	if (!extension && !quotes && !spelling && !ascii &&
	    !twin_is_found(difference->db, difference->map, difference->key,
			   difference->failed))
		add(difference, "D1");
}

/* Does Postfix ask stock for this form, too? */
static bool is_asked(const struct difference *difference, size_t form)
{
	const struct address_form *asked = &difference->answer->address->forms[form];

	return !is_fallback(difference, form) && *asked->extension == '\0' &&
	       name_is_form(difference->key, asked);
}

/* ---- aliases ---- */

/* Did we add quotes (D4) or an A-label (D14) to hand the recipient on? */
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

static void add_recipient(const struct difference *difference, const struct delivery_row *row)
{
	add(difference, numbers_of_recipient(state_of_recipient(row)));
	if (state_is_renamed(row))
		add(difference, "D24");
	if (list_is_untrimmed(row->recipient))
		add(difference, "D7");
	if (difference->ours != NULL && row->recipient[strspn(row->recipient, " \t")] != '\0')
		add_form(difference, row->recipient);
}

/* Is this what MUM's query makes of the alias: all of its recipients, in any order? */
static bool is_list_of(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];
	size_t len = 0, count = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->recipient == NULL || !is_asked(difference, row->form))
			continue;
		len += strlen(row->recipient);
		count++;
		if (strstr(difference->stock, row->recipient) == NULL)
			return false;
	}
	return count > 0 && strlen(difference->stock) == len + count - 1;
}

/* Is it a row of an alias that stock has under this key, too? */
static bool is_of_stock(const struct difference *difference, const struct delivery_row *row)
{
	return state_of_alias(row) != ALIAS_IS_UNKNOWN && is_asked(difference, row->form);
}

static bool has_stock_alias(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];
	size_t i = 0;

	while (i < facts->count && !is_of_stock(difference, &facts->deliveries[i]))
		i++;
	return i < facts->count;
}

/* What we leave out of the alias that stock found, or change in it. */
static void explain_stock_alias(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];
	const struct delivery_row *before = NULL;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (!is_of_stock(difference, row))
			continue;
		add(difference, numbers_of_alias(state_of_alias(row)));
		if (row->recipient == NULL)
			continue;
		add_recipient(difference, row);
		/* Stock lists recipients in any order, we by their ids. */
		if (difference->ours != NULL && before != NULL &&
		    strcmp(before->recipient, row->recipient) > 0)
			add(difference, "D5");
		before = row;
	}
}

static void explain_alias(const struct difference *difference)
{
	bool theirs = difference->stock != NULL && has_stock_alias(difference);
	bool cut = theirs && list_is_cut(difference->stock, difference->ours);
	struct recipient_ruling ruling = { .alias = NULL };
	bool lives;

	if (theirs && !cut && !is_list_of(difference))
		return;		/* the admin has another query */
	(void)rule_recipient(difference->answer, &ruling);
	lives = ruling.alias != NULL && state_is_live_alias(state_of_alias(ruling.alias));
	if (lives && (difference->stock == NULL || is_fallback(difference, ruling.alias->form)))
		add_search(difference, ruling.alias->form);
	if (theirs)
		explain_stock_alias(difference);
	else if (difference->stock != NULL)
		add_twin(difference);
	if (cut)
		add(difference, "D15");
	else if (theirs && difference->reason[0] == '\0' &&
		 list_is_same_set(difference->stock, difference->ours))
		add(difference, "D5");
}

/* ---- owners ---- */

/* Is the word the login of a mailbox? Its name may only collate like the key. */
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

/* True if stock also returns owners of names that merely collate like the key. */
static bool has_owners_of_twin(const struct difference *difference)
{
	const char *word = difference->stock;

	if (difference->ours == NULL || !list_is_within(difference->ours, difference->stock))
		return false;
	while (*word != '\0') {
		size_t len = strcspn(word, ",");

		if (!list_has(difference->ours, word, len) && !is_login(difference, word, len))
			return false;
		word += len + (word[len] == ',');
	}
	return true;
}

/* In stock's answer the mailbox of that name stands before the list, which may be cut. */
static bool has_cut_owners(const struct difference *difference)
{
	const char *comma = difference->stock == NULL ? NULL : strchr(difference->stock, ',');

	return comma != NULL && (list_is_cut(difference->stock, difference->ours) ||
				 list_is_cut(comma + 1, difference->ours));
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
			add(difference, numbers_of_owner(state_of_owner(row)));
		}
	}
	if (difference->stock != NULL && !asked)
		add_twin(difference);
	if (has_cut_owners(difference))
		add(difference, "D15");
	else if (difference->reason[0] == '\0' &&
		 list_is_same_set(difference->stock, difference->ours))
		add(difference, "D5");
	else if (difference->reason[0] == '\0' && has_owners_of_twin(difference))
		add_twin(difference);
}

/* ---- the other maps ---- */

/* D1 if stock found a name that merely collates like the key, not an inactive mailbox. */
static void add_twin_mailbox(const struct difference *difference)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];

	for (size_t i = 0; i < facts->count; i++) {
		if (state_of_mailbox(&facts->deliveries[i]) != MAILBOX_IS_UNKNOWN &&
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

/* The alias decides: it takes mail, or none of its recipients does. */
static void explain_alias_access(const struct difference *difference,
				 const struct recipient_ruling *ruling)
{
	const struct facts *facts = difference->answer->facts[MUM_DELIVERY];
	size_t form = ruling->alias->form;
	bool refused = ruling->verdict == RECIPIENT_DEAD_ALIAS;

	add(difference, "D8");
	if (!is_asked(difference, form) || is_other_spelling(difference))
		add_search(difference, form);
	for (size_t i = 0; i < facts->count && refused; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->form == form && row->recipient != NULL)
			add(difference, numbers_of_recipient(state_of_recipient(row)));
	}
}

/* Stock ignores aliases here. If a mailbox gives the same answer, the alias changes nothing. */
static void explain_access(const struct difference *difference)
{
	struct recipient_ruling ruling = { .alias = NULL };
	const struct delivery_row *mailbox;
	enum mailbox_state state = rule_mailbox_state(difference->answer, &mailbox);

	(void)rule_recipient(difference->answer, &ruling);
	if (difference->ours == NULL)
		add_twin_mailbox(difference);
	else if (ruling.alias != NULL && state != MAILBOX_IS_LIVE)
		explain_alias_access(difference, &ruling);
	else if (difference->stock == NULL)
		add_search(difference, mailbox->form);
	else if (strcmp(difference->stock, "REJECT") == 0 && *numbers_of_mailbox(state) != '\0')
		add(difference, numbers_of_mailbox(state));
	else
		add_twin_mailbox(difference);
}

/* Does MUM have a domain of this name? Then its collation took that for the key. */
static bool is_domain(const struct difference *difference, const char *name)
{
	struct asked asked;
	bool there;

	ask(difference, MUM_DOMAIN, name, &asked);
	there = asked.answer.status == MUM_FOUND && asked.answer.facts[MUM_DOMAIN]->count > 0;
	asked_free(&asked);
	return there;
}

static void explain_domain(const struct difference *difference)
{
	if (difference->ours != NULL && is_other_spelling(difference))
		add(difference, "D14");
	else if (difference->stock != NULL && is_domain(difference, difference->stock) &&
		 !address_is_domain(difference->answer->address, difference->stock))
		add_twin(difference);
}

/* A name has one row, unless a domain is stored in both of its spellings. */
static void add_tls(const struct difference *difference)
{
	const char *key = difference->key, *stock = difference->stock;
	bool idn = !text_is_ascii(key, strlen(key)) || strcasestr(key, "xn--") != NULL;

	if (idn && (stock == NULL || difference->answer->facts[MUM_TLS]->count > 1))
		add(difference, "D14");
	else if (stock != NULL && list_is_joined_otherwise(stock, difference->ours))
		add(difference, "D12");
}

static void explain_tls(const struct difference *difference)
{
	const struct tls_row *row;
	enum tls_state state = state_of_tls(difference->answer->facts[MUM_TLS], &row);

	add(difference, numbers_of_tls(state));
	if (state == TLS_IS_UNKNOWN)
		add_twin(difference);
	else if (state == TLS_IS_ACTIVE)
		add_tls(difference);
}

/* ---- any map ---- */

static void explain(const struct difference *difference)
{
	static void (*const explain_map[])(const struct difference *) = {
		[SOCKETMAP_DOMAINS] = explain_domain, [SOCKETMAP_MAILBOXES] = explain_mailbox,
		[SOCKETMAP_ALIASES] = explain_alias,  [SOCKETMAP_SENDERS] = explain_owners,
		[SOCKETMAP_ACCESS] = explain_access,  [SOCKETMAP_TLS] = explain_tls,
	};
	_Static_assert(sizeof(explain_map) / sizeof(explain_map[0]) == SOCKETMAP_MAPS,
		       "a cell for each map");
	enum mum_status status = difference->answer->status;

	/* Such a name cannot exist for us: it is not clean (D20), or wider than a column. */
	if (status == MUM_NOT_FOUND && !text_is_clean(difference->key, strlen(difference->key)))
		add(difference, "D20");
	else if (status == MUM_NOT_FOUND)
		add_twin(difference);
	else if (status == MUM_FOUND)
		explain_map[difference->map](difference);
	else
		*difference->failed = true;
}

static bool is_same(const char *stock, const struct map_reply *ours)
{
	if (ours->status == MUM_NOT_FOUND)
		return stock == NULL;
	return ours->status == MUM_FOUND && stock != NULL && strcmp(stock, ours->value) == 0;
}

bool compare_reason(struct tool *tool, struct inspect *db, enum socketmap_number map,
		    const char *key, const char *stock, const struct asked *asked,
		    const struct map_reply *ours, char reason[NUMBERS_SIZE])
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);
	bool failed = false;
	struct difference difference = {
		/* SQLite does not collate as the server that postmap asks. */
		.tool = tool, .db = config->database.driver == MUM_DRIVER_MARIADB ? db : NULL,
		.map = map, .key = key, .stock = stock, .ours = ours->value,
		.answer = &asked->answer, .reason = reason, .failed = &failed,
	};

	reason[0] = '\0';
	if (is_same(stock, ours))
		return true;
	if (ours->bad_value)
		add(&difference, "D15");
	else
		explain(&difference);
	if (reason[0] == '\0')
		add(&difference, "?");
	return !failed;
}
