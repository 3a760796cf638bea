/* SPDX-License-Identifier: MIT */
/*
 * Addresses: how they are split, quoted, and told apart. Specification: the last '@' ends
 * the local part; what it stands for is its text without quotes; that is asked for with
 * and without its extension, each in quotes too where RFC 5321 wants them; case does not
 * count. Two addresses have the same key where they ask for the same, and only there.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address-quote.h"
#include "common/address.h"
#include "common/xalloc.h"
#include "tests/exhaustive/exhaustive.h"

enum { TEXT_SIZE = 128 };

static bool is_quoted(const char *text)
{
	size_t len = strlen(text);

	return len >= 2 && text[0] == '"' && text[len - 1] == '"';
}

/* What stands between the quotes; a backslash says that the next byte is itself. */
static void value_of(const char *text, char *value)
{
	if (!is_quoted(text)) {
		strcpy(value, text);
		return;
	}
	text++;
	while (text[1] != '\0') {
		if (text[0] == '\\' && text[2] != '\0')
			text++;
		*value++ = *text++;
	}
	*value = '\0';
}

static bool is_atom(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && text[0] != '.' && text[len - 1] != '.' && strstr(text, "..") == NULL &&
	       strcspn(text, "()<>[]:;@\\,\" ") == len;
}

/* Also one that has no byte outside of what RFC 5321 allows between quotes. */
static bool is_valid_quoted(const char *text)
{
	bool escaped = false;

	if (!is_quoted(text))
		return false;
	for (text++; text[1] != '\0'; text++) {
		if (*text == '"' && !escaped)
			return false;
		escaped = *text == '\\' && !escaped;
	}
	return !escaped;
}

static void quote(const char *text, char *quoted)
{
	*quoted++ = '"';
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			*quoted++ = '\\';
		*quoted++ = *text;
	}
	strcpy(quoted, "\"");
}

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* ---- what is asked for ---- */

struct asked {
	size_t count;
	char forms[8][TEXT_SIZE];
	char domain[TEXT_SIZE];
};

static void ask(struct asked *asked, const char *form)
{
	if (*form == '\0')
		return;
	strcpy(asked->forms[asked->count], form);
	lower(asked->forms[asked->count++]);
}

static void ask_spellings(struct asked *asked, const char *value)
{
	char quoted[TEXT_SIZE];

	quote(value, quoted);
	if (!is_atom(value))
		ask(asked, quoted);
	ask(asked, value);
}

static bool specified(const char *text, struct asked *asked)
{
	char local[TEXT_SIZE], value[TEXT_SIZE], *plus;
	const char *at = strrchr(text, '@');

	asked->count = 0;
	if (at == NULL || at == text || at[1] == '\0')
		return false;
	strcpy(asked->domain, at + 1);
	lower(asked->domain);
	sprintf(local, "%.*s", (int)(at - text), text);
	value_of(local, value);
	if (is_quoted(local) && is_atom(value))
		ask(asked, local);
	ask_spellings(asked, value);
	plus = strchr(value, '+');
	if (plus != NULL && plus > value) {
		*plus = '\0';
		ask_spellings(asked, value);
	}
	return asked->count > 0;
}

static void compare_forms(const char *text, size_t len, void *arg)
{
	struct address *address = address_new(ADDRESS_MAIL, text, len, "+");
	struct asked want;
	bool is = specified(text, &want);

	(void)arg;
	if ((address != NULL) != is) {
		differ(text, len, "%s", is ? "refused" : "accepted");
	} else if (is && (address->forms_count != want.count ||
			  strcmp(address->domain, want.domain) != 0)) {
		differ(text, len, "%zu forms, specified %zu", address->forms_count, want.count);
	} else {
		for (size_t i = 0; is && i < want.count; i++) {
			if (strcmp(address->forms[i].local, want.forms[i]) != 0)
				differ(text, len, "form %zu is %s, specified %s", i,
				       address->forms[i].local, want.forms[i]);
		}
	}
	address_unref(&address);
}

/* ---- quotes, and back ---- */

static void compare_quotes(const char *text, size_t len, void *arg)
{
	struct buf buf = BUF_INIT(TEXT_SIZE);
	char *inside;

	(void)arg;
	address_put_quoted(&buf, text, len);
	buf_put(&buf, "", 1);
	inside = address_unquote(buf.data, strlen(buf.data));
	if (!is_valid_quoted(buf.data) || inside == NULL || strcmp(inside, text) != 0)
		differ(text, len, "quoted as %s", buf.data);
	free(inside);
	buf_free(&buf);
}

/* What is handed out stands for what is stored, and for nothing else. */
static void compare_external(const char *text, size_t len, void *arg)
{
	const char *extension = arg, *at = strrchr(text, '@');
	char local[TEXT_SIZE], want[TEXT_SIZE * 2], got[TEXT_SIZE];
	struct buf buf = BUF_INIT(TEXT_SIZE * 2);
	bool good = address_put_external(&buf, text, extension);
	char *end;

	buf_put(&buf, "", 1);
	if (good != (at == NULL || strpbrk(at + 1, ",;<>()\"\\ ") == NULL)) {
		differ(text, len, "its domain is %s", good ? "taken" : "refused");
	} else if (good) {
		sprintf(local, "%.*s", (int)(at != NULL ? (size_t)(at - text) : len), text);
		if (is_valid_quoted(local))
			value_of(local, want);
		else
			strcpy(want, local);
		strcat(want, extension);
		end = at != NULL ? strrchr(buf.data, '@') : buf.data + strlen(buf.data);
		if (strcmp(end, at != NULL ? at : "") != 0)
			differ(text, len, "handed out as %s", buf.data);
		*end = '\0';
		value_of(buf.data, got);
		if (strcmp(got, want) != 0 || (!is_atom(buf.data) && !is_valid_quoted(buf.data)))
			differ(text, len, "with \"%s\" handed out as %s", extension, buf.data);
	}
	buf_free(&buf);
}

/* ---- keys ---- */

struct keyed {
	char *key, *forms;
};

struct keyeds {
	size_t count, size;
	struct keyed *items;
};

static void keep_key(const char *text, size_t len, void *arg)
{
	static const char *const delimiters[] = { "+", "-+" };
	struct keyeds *all = arg;

	for (size_t i = 0; i < 2; i++) {
		struct address *address = address_new(ADDRESS_MAIL, text, len, delimiters[i]);
		struct buf forms = BUF_INIT(8 * TEXT_SIZE);

		if (address == NULL)
			continue;
		for (size_t form = 0; form < address->forms_count; form++) {
			buf_puts(&forms, address->forms[form].local);
			buf_put(&forms, "\2", 1);
		}
		buf_puts(&forms, address->domain);
		buf_put(&forms, "", 1);
		if (all->count == all->size) {
			all->size = all->size * 2 + 64;
			all->items = xrealloc(all->items, all->size * sizeof(*all->items));
		}
		all->items[all->count++] =
			(struct keyed){ xstrdup(address->key), buf_steal(&forms) };
		address_unref(&address);
	}
}

static int by_key(const void *one, const void *other)
{
	return strcmp(((const struct keyed *)one)->key, ((const struct keyed *)other)->key);
}

static int by_forms(const void *one, const void *other)
{
	return strcmp(((const struct keyed *)one)->forms, ((const struct keyed *)other)->forms);
}

static void compare_neighbours(struct keyeds *all, int order(const void *, const void *))
{
	if (all->count > 0)
		qsort(all->items, all->count, sizeof(*all->items), order);
	for (size_t i = 1; i < all->count; i++) {
		const struct keyed *one = &all->items[i - 1], *other = &all->items[i];

		if ((by_key(one, other) == 0) != (by_forms(one, other) == 0))
			differ(other->forms, strlen(other->forms), "the key %s, and %s has %s",
			       other->key, one->forms, one->key);
	}
}

static void compare_keys(unsigned max)
{
	static const struct letter letters[] = {
		LETTER("o"), LETTER("owner"), LETTER("\xc5\xbf"), LETTER("-"), LETTER("+"),
		LETTER("\""), LETTER("-request"), LETTER("-reque\xc5\xbft"), LETTER("@d"),
	};
	struct keyeds all = { 0, 0, NULL };

	each_string(LETTERS(letters), max, keep_key, &all);
	compare_neighbours(&all, by_key);
	compare_neighbours(&all, by_forms);
	while (all.count-- > 0) {
		free(all.items[all.count].key);
		free(all.items[all.count].forms);
	}
	free(all.items);
}

int main(int argc, char **argv)
{
	static const struct letter letters[] = {
		LETTER("a"), LETTER("B"), LETTER("\""), LETTER("\\"), LETTER("+"), LETTER("."),
		LETTER("@"), LETTER(" "),
	};
	static const char *const extensions[] = { "", "+x", "+\"", "+\\", "+a b@" };
	unsigned max = letters_max(argc, argv, 6, 7);

	each_string(LETTERS(letters), max, compare_forms, NULL);
	each_string(LETTERS(letters), max, compare_quotes, NULL);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		each_string(LETTERS(letters), max - 1, compare_external, (void *)extensions[i]);
	compare_keys(max - 1);
	return exhaustive_end("address");
}
