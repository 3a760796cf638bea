/* SPDX-License-Identifier: MIT */
#include "common/readings.h"

#include <string.h>

#include "common/mail-tokens.h"

/*
 * How often a local part is read again. Rounds with an empty domain add no reading, so
 * READINGS_MAX alone does not limit them.
 */
enum { ROUNDS_MAX = 2 * READINGS_MAX };

#define NOWHERE ((size_t)-1)

struct maker {
	const struct reading_settings *settings;
	struct readings *readings;
	struct arena *arena;	/* of the readings */
	struct tokens address;	/* as far as it has been read */
};

/* ---- the tokens of the address ---- */

static size_t find_first(const struct tokens *tokens, int type)
{
	for (size_t i = 0; i < tokens->count; i++) {
		if (tokens->items[i].type == type)
			return i;
	}
	return NOWHERE;
}

static size_t find_last(const struct tokens *tokens, int type)
{
	for (size_t i = tokens->count; i > 0; i--) {
		if (tokens->items[i - 1].type == type)
			return i - 1;
	}
	return NOWHERE;
}

/* Is the address a single token, of this type? */
static bool is_only(const struct tokens *tokens, int type)
{
	return tokens->count == 1 && tokens->items[0].type == type;
}

/*
 * In one address either all tokens are joined or none; a text that is added takes this
 * over from the address.
 */
static void join_all(struct token *items, size_t count, bool joined)
{
	for (size_t i = 0; i < count; i++)
		items[i].joined = joined;
}

static void append(struct maker *maker, int operator, const char *text)
{
	struct tokens *address = &maker->address;
	struct tokens more = tokens_scan(maker->arena, text);
	size_t count = address->count + 1 + more.count;
	struct token *items = arena_alloc(maker->arena, count * sizeof(*items));
	bool joined = address->count == 0 || address->items[address->count - 1].joined;

	if (address->count > 0)
		memcpy(items, address->items, address->count * sizeof(*items));
	items[address->count] = (struct token){ operator, "", joined };
	if (more.count > 0)
		memcpy(items + address->count + 1, more.items, more.count * sizeof(*items));
	join_all(items + address->count + 1, more.count, joined);
	*address = (struct tokens){ items, count };
}

/* Takes apart an address in its internal form. */
static void read_text(struct maker *maker, const char *text)
{
	maker->address = tokens_scan(maker->arena, tokens_quote_local(maker->arena, text));
}

/* Removes one trailing dot, but not one of several, and none behind '@'. */
static void strip_dot(struct tokens *address)
{
	int before;

	if (address->count < 2 || address->items[address->count - 1].type != '.')
		return;
	before = address->items[address->count - 2].type;
	if (before != '.' && before != '@')
		address->count--;
}

/* ---- rewriting to the form user@domain: rewrite_tree() of Postfix ---- */

static void strip_route(struct tokens *address)
{
	size_t colon = find_first(address, ':');

	if (address->items[0].type != '@' || colon == NOWHERE ||
	    colon + 1 == address->count)
		return;
	address->items += colon + 1;
	address->count -= colon + 1;
}

/* domain!user to user@domain. */
static void swap(struct maker *maker, size_t bang)
{
	struct tokens *address = &maker->address;
	size_t user = address->count - bang - 1;
	struct token *items = arena_alloc(maker->arena, address->count * sizeof(*items));
	bool joined = bang == 0 || address->items[0].joined;

	if (user > 0)
		memcpy(items, address->items + bang + 1, user * sizeof(*items));
	join_all(items, user, joined);
	items[user] = (struct token){ '@', "", joined };
	if (bang > 0)
		memcpy(items + user + 1, address->items, bang * sizeof(*items));
	address->items = items;
}

static void add_domain(struct maker *maker)
{
	const struct reading_settings *settings = maker->settings;
	struct tokens *address = &maker->address;
	size_t bang = settings->swap_bangpath ? find_first(address, '!') : NOWHERE;
	size_t percent = settings->allow_percent_hack ? find_last(address, '%') : NOWHERE;

	if (bang != NOWHERE)
		swap(maker, bang);
	else if (percent != NOWHERE)
		address->items[percent].type = '@';
	else if (*settings->myorigin != '\0')
		append(maker, '@', settings->myorigin);
}

static void complete_domain(struct maker *maker)
{
	struct tokens domain = maker->address;
	size_t at = find_last(&domain, '@');

	if (*maker->settings->mydomain == '\0' || at == NOWHERE || at + 1 == domain.count)
		return;
	domain.items += at;
	domain.count -= at;
	if (find_first(&domain, TOKEN_LITERAL) == NOWHERE &&
	    find_first(&domain, '.') == NOWHERE)
		append(maker, '.', maker->settings->mydomain);
}

static void rewrite(struct maker *maker)
{
	struct tokens *address = &maker->address;

	if (is_only(address, TOKEN_QUOTED) && *address->items[0].text == '\0')
		return;
	strip_route(address);
	if (find_last(address, '@') == NOWHERE)
		add_domain(maker);
	complete_domain(maker);
	strip_dot(address);
}

/* ---- resolving: the local part again, where the domain is local ---- */

/* Adds a reading, unless it repeats the last. False when there are too many. */
static bool add_reading(struct maker *maker, const char *text, bool if_local)
{
	struct readings *readings = maker->readings;

	if (readings->count > 0 && !if_local &&
	    strcmp(readings->items[readings->count - 1].text, text) == 0)
		return true;
	if (readings->count == READINGS_MAX)
		return false;
	readings->items[readings->count++] = (struct reading){ text, if_local };
	return true;
}

static bool has_operator(const struct maker *maker)
{
	const struct tokens *address = &maker->address;

	return find_last(address, '@') != NOWHERE ||
	       (maker->settings->swap_bangpath && find_last(address, '!') != NOWHERE) ||
	       (maker->settings->allow_percent_hack && find_last(address, '%') != NOWHERE);
}

/* Splits inside quotes, too (resolve_dequoted_address). False if there is no operator. */
static bool open_quotes(struct maker *maker)
{
	struct tokens *address = &maker->address;
	char *text, *operator;

	if (!is_only(address, TOKEN_QUOTED))
		return false;
	text = arena_strndup(maker->arena, address->items[0].text,
			     strlen(address->items[0].text));
	operator = strrchr(text, '@');
	if (operator == NULL && maker->settings->allow_percent_hack)
		operator = strrchr(text, '%');
	if (operator == NULL && maker->settings->swap_bangpath)
		operator = strrchr(text, '!');
	if (operator == NULL)
		return false;
	if (*operator == '%')
		*operator = '@';
	if (*operator == '@')
		text = tokens_quote_local(maker->arena, text);
	*address = tokens_scan(maker->arena, text);
	return true;
}

/*
 * Does what Postfix's resolve_addr() does. That stops at the first domain that is not
 * local. We do not know which are local, so each becomes a reading; an empty domain is
 * always local.
 */
static bool resolve(struct maker *maker)
{
	struct tokens *address = &maker->address;
	bool if_local = false;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		size_t at = find_last(address, '@');

		if (at != NOWHERE) {
			strip_dot(address);
			if (at + 1 < address->count) {
				if (!add_reading(maker, tokens_text(maker->arena, address),
						 if_local))
					return false;
				if_local = true;
			}
			address->count = at;
		}
		if (!has_operator(maker) && !open_quotes(maker))
			return true;
		rewrite(maker);
	}
	return false;
}

/* ---- what has one reading ---- */

static bool is_plain_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '+';
}

/*
 * Almost every address: words with dots between them, and one '@' before a domain
 * that has a dot. It has one reading, itself, and need not be taken apart.
 */
static bool is_plain(const char *text)
{
	size_t ats = 0;
	bool has_dot = false;

	for (;; text++) {
		if (!is_plain_byte(*text))
			return false;
		while (is_plain_byte(*text))
			text++;
		if (*text == '\0')
			return ats == 1 && has_dot;
		if (*text == '@')
			ats++;
		else if (*text != '.')
			return false;
		has_dot = *text == '.';
	}
}

bool readings_make(struct readings *readings, const char *text,
		   const struct reading_settings *settings)
{
	struct maker maker = { settings, readings, &readings->arena, { NULL, 0 } };
	size_t len = strlen(text);
	const char *rewritten;

	*readings = (struct readings){ .count = 0 };
	if (len > READING_TEXT_MAX)
		return false;
	if (is_plain(text))
		return add_reading(&maker, arena_strndup(maker.arena, text, len), false);
	read_text(&maker, text);
	rewrite(&maker);
	/* Postfix writes this into its queue, and asks the alias maps about it. */
	rewritten = tokens_text(maker.arena, &maker.address);
	if (!add_reading(&maker, rewritten, false))
		return false;
	read_text(&maker, rewritten);
	return resolve(&maker);
}

void readings_free(struct readings *readings)
{
	arena_free(&readings->arena);
	*readings = (struct readings){ .count = 0 };
}

const char *reading_domain(const struct reading *reading)
{
	const char *at = strrchr(reading->text, '@');

	return at != NULL ? at + 1 : reading->text + strlen(reading->text);
}
