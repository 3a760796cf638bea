/* SPDX-License-Identifier: MIT */
/* What a difference changes for mail, in plain words. Pure. */
#include "mumctl/compare/effects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/buf.h"
#include "common/text.h"
#include "common/xalloc.h"

enum { VALUE_SHOWN_MAX = 120, WORDS_MAX = 4096 };

/* ---- values ---- */

char *effect_value(const char *value)
{
	size_t len = 0;

	if (strlen(value) <= VALUE_SHOWN_MAX)
		return xasprintf("\"%s\"", value);
	while (len < VALUE_SHOWN_MAX)
		len += text_character_len(value + len);
	return xasprintf("\"%.*s...\" (%zu bytes, --all shows them)", (int)len, value,
			 strlen(value));
}

/* ---- lists of addresses ---- */

/* The length of the next address, up to a comma outside of quotes. */
static size_t word_len(const char *list)
{
	bool quoted = false;
	size_t len = 0;

	for (; list[len] != '\0' && (quoted || list[len] != ','); len++) {
		if (list[len] == '"')
			quoted = !quoted;
		else if (quoted && list[len] == '\\' && list[len + 1] != '\0')
			len++;
	}
	return len;
}

/*
 * An address for comparison: without blanks around it, without quotes, which Postfix adds
 * where they are needed, and in small letters. Caller frees.
 */
static char *plain_address(const char *word, size_t len)
{
	struct buf plain = BUF_INIT(len + 1);
	char *text, *folded;

	len = text_trim(&word, len);
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\\' && i + 1 < len)
			i++;
		else if (word[i] == '"')
			continue;
		buf_put(&plain, word + i, 1);
	}
	text = buf_steal(&plain);
	folded = address_fold_local(text, strlen(text));
	free(text);
	return folded;
}

/* The plain addresses of a list, sorted. */
struct addresses {
	size_t count;
	char **plain;
};

static int by_text(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static struct addresses read_list(const char *list)
{
	struct addresses addresses = { 0, xcalloc(strlen(list) + 1, sizeof(char *)) };

	while (*list != '\0') {
		size_t len = word_len(list);

		addresses.plain[addresses.count++] = plain_address(list, len);
		list += len + (list[len] == ',');
	}
	qsort(addresses.plain, addresses.count, sizeof(char *), by_text);
	return addresses;
}

static void free_list(struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		free(addresses->plain[i]);
	free(addresses->plain);
}

/* Appends what is in the list and not in others, with commas between. */
static void put_missing(struct buf *text, const char *list, const struct addresses *others)
{
	while (*list != '\0') {
		size_t len = word_len(list);
		char *plain = plain_address(list, len);
		const char *word = list;
		size_t word_size = text_trim(&word, len);

		if (*plain != '\0' && bsearch(&plain, others->plain, others->count,
					      sizeof(char *), by_text) == NULL) {
			buf_puts(text, text->len > 0 ? "," : "");
			buf_put(text, word, word_size);
		}
		free(plain);
		list += len + (list[len] == ',');
	}
}

/* NULL when nothing is missing. Caller frees. */
static char *missing(const char *list, const char *other)
{
	struct buf text = BUF_INIT(strlen(list) + 1);
	struct addresses others = read_list(other);

	put_missing(&text, list, &others);
	free_list(&others);
	if (text.len == 0)
		return NULL;
	return buf_steal(&text);
}

static bool is_same_list(const char *one, const char *other)
{
	char *left_out = missing(one, other), *added = missing(other, one);
	bool same = left_out == NULL && added == NULL;

	free(left_out);
	free(added);
	return same;
}

/* ---- what becomes of mail ---- */

enum fate { FATE_REFUSED, FATE_UNKNOWN, FATE_SENT_ON, FATE_DELIVERED, FATE_DEFERRED };

/* As access(5) has it. */
bool effect_is_refusal(const struct mail_answers *answers)
{
	const char *access = answers->access;

	return access != NULL &&
	       (strncmp(access, "REJECT", 6) == 0 || *access == '4' || *access == '5');
}

/* In the order in which Postfix asks. */
static enum fate fate_of(const struct mail_answers *answers)
{
	if (answers->deferred)
		return FATE_DEFERRED;
	if (effect_is_refusal(answers))
		return FATE_REFUSED;
	if (answers->alias != NULL)
		return FATE_SENT_ON;
	return answers->mailbox != NULL ? FATE_DELIVERED : FATE_UNKNOWN;
}

bool effect_on_mail(const struct mail_answers *stock, const struct mail_answers *ours)
{
	enum fate before = fate_of(stock), after = fate_of(ours);

	if (before == FATE_SENT_ON && after == FATE_SENT_ON)
		return !is_same_list(stock->alias, ours->alias);
	/* Mail to an address that nobody knows is refused as well. */
	return (before == FATE_UNKNOWN ? FATE_REFUSED : before) !=
	       (after == FATE_UNKNOWN ? FATE_REFUSED : after);
}

static void put_value(struct buf *words, const char *what, const char *value)
{
	char *shown = effect_value(value);

	buf_printf(words, "%s%s%s", words->len > 0 ? " and " : "", what, shown);
	free(shown);
}

char *effect_of_side(const struct mail_answers *answers)
{
	struct buf words = BUF_INIT(WORDS_MAX);

	switch (fate_of(answers)) {
	case FATE_REFUSED:
		put_value(&words, "refuses it: ", answers->access);
		break;
	case FATE_UNKNOWN:
		buf_puts(&words, "refuses it, as it knows no such address");
		break;
	case FATE_SENT_ON:
		put_value(&words, "sends it to ", answers->alias);
		break;
	case FATE_DELIVERED:
		buf_puts(&words, "delivers it to the mailbox");
		break;
	case FATE_DEFERRED:
		buf_puts(&words, "defers it, since no value can be handed to Postfix");
		break;
	}
	return buf_steal(&words);
}

/* Says what differs: nobody would find it in two long lists. */
char *effect_of_ours(const struct mail_answers *stock, const struct mail_answers *ours)
{
	struct buf words = BUF_INIT(WORDS_MAX);
	char *left_out, *added;

	if (fate_of(stock) != FATE_SENT_ON || fate_of(ours) != FATE_SENT_ON)
		return effect_of_side(ours);
	left_out = missing(stock->alias, ours->alias);
	added = missing(ours->alias, stock->alias);
	if (left_out != NULL)
		put_value(&words, "leaves out ", left_out);
	if (added != NULL)
		put_value(&words, "adds ", added);
	free(left_out);
	free(added);
	return buf_steal(&words);
}
