/* SPDX-License-Identifier: MIT */
#include "mumctl/paths.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "common/xalloc.h"

char *path_normal(const char *path)
{
	char *normal, *end;

	if (*path != '/')
		return NULL;
	end = normal = xmalloc(strlen(path) + 2);
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (len == 2 && strncmp(path, "..", 2) == 0) {
			free(normal);
			return NULL;
		}
		if (len > 0 && !(len == 1 && *path == '.')) {
			*end++ = '/';
			memcpy(end, path, len);
			end += len;
		}
		path += len + (path[len] == '/');
	}
	if (end == normal)
		*end++ = '/';
	*end = '\0';
	return normal;
}

size_t path_parent_len(const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	return len > 0 ? len : 1;
}

bool path_is_in(const char *path, const char *outer)
{
	size_t len = strcmp(outer, "/") == 0 ? 0 : strlen(outer);

	return strncmp(path, outer, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* A slash comes before all other bytes, but not before the end. */
static int rank(char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : 1 + (unsigned char)c;
}

int path_compare(const char *one, const char *other)
{
	while (*one != '\0' && *one == *other) {
		one++;
		other++;
	}
	return rank(*one) - rank(*other);
}

/* ---- homes inside homes ---- */

const char *nesting_enter(struct nesting *nesting, const char *home, const char *owner)
{
	if (nesting->outer != NULL && path_is_in(home, nesting->outer))
		return nesting->owner;
	nesting_clear(nesting);
	nesting->outer = xstrdup(home);
	nesting->owner = xstrdup(owner);
	return NULL;
}

void nesting_clear(struct nesting *nesting)
{
	free(nesting->outer);
	free(nesting->owner);
	*nesting = (struct nesting){ NULL, NULL };
}

/* ---- for a shell ---- */

/* '...', in which each quote becomes '\'': end, a quote, begin again. */
static void put_quoted(struct buf *word, const char *text)
{
	buf_puts(word, "'");
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_puts(word, "'\\''");
		else
			buf_put(word, text, 1);
	}
	buf_puts(word, "'");
}

/* $'...' as bash reads it. In a shell that does not, it names a file that does not exist. */
static void put_escaped(struct buf *word, const char *text)
{
	buf_puts(word, "$'");
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte >= 0x7f || byte == '\'' || byte == '\\')
			buf_printf(word, "\\%03o", byte);
		else
			buf_put(word, text, 1);
	}
	buf_puts(word, "'");
}

char *path_shell_word(const char *text)
{
	struct buf word = BUF_INIT(4 * strlen(text) + 16);

	if (text_is_clean(text, strlen(text)))
		put_quoted(&word, text);
	else
		put_escaped(&word, text);
	return buf_steal(&word);
}
