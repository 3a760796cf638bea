/* SPDX-License-Identifier: MIT */
/*
 * The words and operators of a mail address, as Postfix's programs take them apart
 * and put them together again (RFC 822 section 3.3, and '%', '!' and '|' as further
 * operators). Pure; every result lives in the arena.
 *
 * An address has two forms: the external one with the quotes of RFC 822, and the
 * internal one without, which policy services get.
 */
#ifndef MUM_MAIL_TOKENS_H
#define MUM_MAIL_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

/* Types of tokens; an operator's type is its byte. */
enum {
	TOKEN_ATOM = 256,
	TOKEN_QUOTED,	/* text without the quotes */
	TOKEN_LITERAL,	/* text without the brackets */
	TOKEN_COMMENT	/* text with the parentheses */
};

struct token {
	int type;
	const char *text;	/* of a word; "" for an operator */
	bool joined;	/* no blank comes between it and a word that follows */
};

struct tokens {
	struct token *items;
	size_t count;
};

/* Takes external text apart; blanks between tokens and backslashes are gone. */
struct tokens tokens_scan(struct arena *arena, const char *text);
/* The internal form. */
char *tokens_text(struct arena *arena, const struct tokens *tokens);

/*
 * The external form of a whole address. A local part that is no dot-atom (RFC 5322
 * section 3.2.3) is quoted as a whole; a source route and the domain stay as they are.
 */
char *tokens_quote_local(struct arena *arena, const char *internal);

#endif
