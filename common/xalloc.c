/* SPDX-License-Identifier: MIT */
#include "common/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { SMALL = 1024 };	/* bytes; malloc() caches no larger ones */

void *xchecked(void *memory)
{
	static const char message[] = "mum: fatal: out of memory\n";

	if (memory == NULL) {
		/* Nothing that allocates may run now, atexit handlers included. */
		if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
			_exit(EX_OSERR);
		_exit(EX_OSERR);
	}
	return memory;
}

void *xmalloc(size_t size)
{
	return xchecked(malloc(size > 0 ? size : 1));
}

/* Small blocks by malloc(): calloc() of Debian 12's glibc does not use its cache. */
void *xcalloc(size_t count, size_t size)
{
	size_t bytes;

	if (!__builtin_mul_overflow(count, size, &bytes) && bytes <= SMALL)
		return memset(xmalloc(bytes), 0, bytes);
	return xchecked(calloc(count, size));
}

void *xrealloc(void *old, size_t size)
{
	return xchecked(realloc(old, size > 0 ? size : 1));
}

void *xgrow(void *array, size_t count, size_t item_size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return xrealloc(array, item_size * (count > 0 ? count * 2 : 1));
}

char *xstrdup(const char *text)
{
	return xchecked(strdup(text));
}

char *xstrndup(const char *text, size_t len)
{
	return xchecked(strndup(text, len));
}

char *xvasprintf(const char *format, va_list args)
{
	char *text;

	return xchecked(vasprintf(&text, format, args) < 0 ? NULL : text);
}

char *xjoin(const char *first, const char *second, const char *third)
{
	size_t first_len = strlen(first), second_len = strlen(second);
	size_t third_size = strlen(third) + 1;
	char *joined = xmalloc(first_len + second_len + third_size);

	memcpy(joined, first, first_len);
	memcpy(joined + first_len, second, second_len);
	memcpy(joined + first_len + second_len, third, third_size);
	return joined;
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	return text;
}
