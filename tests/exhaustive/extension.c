/* SPDX-License-Identifier: MIT */
/*
 * Where an extension begins. Specification: split_addr(3) of Postfix, asked about the
 * folded local part. With --print each question and answer is printed instead, for
 * tests/exhaustive/split_addr.py, which asks Postfix's own function.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address-extension.h"
#include "common/xalloc.h"
#include "tests/exhaustive/exhaustive.h"

static const char *const delimiters[] = { "", "+", "-", "+-", "-=+", "s+" };

/* Lower case; the long s and the sharp s are the letters beyond ASCII here. */
static char *fold(const char *text, size_t len)
{
	char *folded = xmalloc(len + 1), *to = folded;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\xc5' || text[i] == '\xc3') {
			*to++ = 's';
			if (text[i++] == '\xc3')
				*to++ = 's';
		} else {
			*to++ = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
		}
	}
	*to = '\0';
	return folded;
}

static bool is_whole(const char *local, bool dash)
{
	size_t len = strlen(local);

	return strcmp(local, "postmaster") == 0 || strcmp(local, "mailer-daemon") == 0 ||
	       strcmp(local, "double-bounce") == 0 ||
	       (dash && (strncmp(local, "owner-", 6) == 0 ||
			 (len > 8 && strcmp(local + len - 8, "-request") == 0)));
}

/* The length of what stands before the extension, folded; all of it if there is none. */
static size_t specified(const char *local, const char *set)
{
	size_t len = strlen(local);

	if (is_whole(local, strchr(set, '-') != NULL))
		return len;
	for (size_t i = 0; i < len; i++) {
		if (strchr(set, local[i]) != NULL)
			return i > 0 ? i : len;
	}
	return len;
}

static void compare(const char *local, size_t len, void *arg)
{
	char *folded = fold(local, len);

	(void)arg;
	for (size_t i = 0; i < sizeof(delimiters) / sizeof(delimiters[0]); i++) {
		size_t cut = address_find_extension(local, delimiters[i]);
		char *head = fold(local, cut > len ? len : cut);
		size_t want = specified(folded, delimiters[i]);

		/* A cut inside of what one letter folds to takes all of the letter. */
		if (cut > len || strlen(head) > want ||
		    (strlen(head) < want && want - strlen(head) > 1) ||
		    (cut == len) != (want == strlen(folded)))
			differ(local, len, "cut at %zu with \"%s\", specified at %zu of %s", cut,
			       delimiters[i], want, folded);
		free(head);
	}
	free(folded);
}

static void print(const char *local, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	for (size_t i = 0; i < sizeof(delimiters) / sizeof(delimiters[0]); i++)
		printf("%s\t%s\t%zu\n", delimiters[i], local,
		       address_find_extension(local, delimiters[i]));
}

int main(int argc, char **argv)
{
	static const struct letter letters[] = {
		LETTER("a"),	 LETTER("S"),	 LETTER("+"),	     LETTER("-"),
		LETTER("="),	 LETTER("OWNER"), LETTER("request"), LETTER("Postmaster"),
		LETTER("mailer"), LETTER("daemon"), LETTER("double-bounce"),
		LETTER("\xc5\xbf"), LETTER("\xc3\x9f"),
	};
	bool printing = argc > 1 && strcmp(argv[1], "--print") == 0;

	each_string(LETTERS(letters), printing ? 4 : letters_max(argc, argv, 4, 6),
		    printing ? print : compare, NULL);
	return printing ? 0 : exhaustive_end("extension");
}
