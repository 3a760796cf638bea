/* SPDX-License-Identifier: MIT */
#include "common/mail-tokens.h"

#include <string.h>

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_control(char byte)
{
	return (unsigned char)byte < 0x20 || byte == 0x7f;
}

static bool is_special(char byte)
{
	return byte != '\0' && strchr("()<>@,;:\\\".[]|%!", byte) != NULL;
}

/* ---- text to tokens ---- */

struct scanner {
	const char *at;
	char *to;	/* where the texts of the words go, one behind the other */
};

/* Scans a word up to its end mark; for an atom, end is NUL. */
static void scan_word(struct scanner *scanner, char end)
{
	for (; *scanner->at != '\0'; scanner->at++) {
		if (*scanner->at == '\\') {
			if (*++scanner->at == '\0')
				break;
		} else if (end != '\0' ? *scanner->at == end
				       : is_blank(*scanner->at) || is_special(*scanner->at)) {
			break;
		}
		*scanner->to++ = is_blank(*scanner->at) ? ' ' : *scanner->at;
	}
	*scanner->to++ = '\0';
	if (end != '\0' && *scanner->at != '\0')
		scanner->at++;
}

/* Comments nest, and keep their parentheses and backslashes. */
static void scan_comment(struct scanner *scanner)
{
	int depth = 0;

	do {
		char byte = *scanner->at++;

		*scanner->to++ = byte;
		depth += byte == '(' ? 1 : byte == ')' ? -1 : 0;
		if (byte == '\\' && *scanner->at != '\0')
			*scanner->to++ = *scanner->at++;
	} while (depth > 0 && *scanner->at != '\0');
	*scanner->to++ = '\0';
}

/* An atom with a special byte, which only a backslash can put there, counts as quoted. */
static int atom_type(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == ' ' || is_control(*text) || is_special(*text))
			return TOKEN_QUOTED;
	}
	return TOKEN_ATOM;
}

static struct token scan_token(struct scanner *scanner)
{
	struct token token = { (unsigned char)*scanner->at, scanner->to, false };

	switch (*scanner->at) {
	case '(':
		token.type = TOKEN_COMMENT;
		scan_comment(scanner);
		return token;
	case '[':
		token.type = TOKEN_LITERAL;
		scanner->at++;
		scan_word(scanner, ']');
		return token;
	case '"':
		token.type = TOKEN_QUOTED;
		scanner->at++;
		scan_word(scanner, '"');
		return token;
	case '\\':
		break;
	default:
		if (!is_special(*scanner->at))
			break;
		scanner->at++;
		token.text = "";
		return token;
	}
	scan_word(scanner, '\0');
	token.type = atom_type(token.text);
	return token;
}

struct tokens tokens_scan(struct arena *arena, const char *text)
{
	size_t len = strlen(text);
	/* Each token comes from at least one byte of the text, and adds a NUL. */
	struct scanner scanner = { text, arena_alloc(arena, 2 * len + 1) };
	struct tokens tokens = { arena_alloc(arena, (len + 1) * sizeof(*tokens.items)), 0 };

	while (*scanner.at != '\0') {
		if (is_blank(*scanner.at))
			scanner.at++;
		else
			tokens.items[tokens.count++] = scan_token(&scanner);
	}
	return tokens;
}

/* ---- tokens to text ---- */

static bool is_word(const struct token *token)
{
	return token->type >= TOKEN_ATOM;
}

static bool wants_blank(const struct token *token, const struct token *next)
{
	return !token->joined && (token->type == ',' || next->type == '<' ||
				  (is_word(token) && is_word(next)));
}

static char *put_token(char *to, const struct token *token)
{
	if (!is_word(token)) {
		*to++ = (char)token->type;
		return to;
	}
	if (token->type == TOKEN_LITERAL)
		*to++ = '[';
	to = stpcpy(to, token->text);
	if (token->type == TOKEN_LITERAL)
		*to++ = ']';
	return to;
}

char *tokens_text(struct arena *arena, const struct tokens *tokens)
{
	size_t size = 1;
	char *text, *to;

	for (size_t i = 0; i < tokens->count; i++)
		size += strlen(tokens->items[i].text) + 3;	/* brackets or a byte, a blank */
	to = text = arena_alloc(arena, size);
	for (size_t i = 0; i < tokens->count; i++) {
		to = put_token(to, &tokens->items[i]);
		if (i + 1 < tokens->count &&
		    wants_blank(&tokens->items[i], &tokens->items[i + 1]))
			*to++ = ' ';
	}
	*to = '\0';
	return text;
}

/* ---- whole addresses ---- */

/* What stands behind "@host:", the source route of RFC 5321 section 4.1.2. */
static const char *skip_route(const char *address)
{
	const char *colon = address[0] == '@' ? strchr(address, ':') : NULL;

	return colon != NULL ? colon + 1 : address;
}

static bool is_dot_string(const char *local, size_t len)
{
	char before = '.';

	for (size_t i = 0; i < len; before = local[i++]) {
		if (local[i] == '.' && before == '.')
			return false;
		if (is_control(local[i]) || local[i] == ' ' ||
		    strchr("()<>@,;:\\\"[]", local[i]) != NULL)
			return false;
	}
	return before != '.';
}

char *tokens_quote_local(struct arena *arena, const char *internal)
{
	const char *local = skip_route(internal), *end = strrchr(local, '@');
	char *external, *to;

	if (end == NULL)
		end = local + strlen(local);
	if (is_dot_string(local, (size_t)(end - local)))
		return arena_strdup(arena, internal);
	to = external = arena_alloc(arena, 2 * strlen(internal) + 3);
	to = mempcpy(to, internal, (size_t)(local - internal));
	*to++ = '"';
	for (; local < end; local++) {
		if (*local == '"' || *local == '\\' || *local == '\r')
			*to++ = '\\';
		*to++ = *local;
	}
	*to++ = '"';
	strcpy(to, end);
	return external;
}
