/* SPDX-License-Identifier: MIT */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

#define BUF_FIRST_SIZE 256

static void set_size(struct buf *buf, size_t size)
{
	if (buf->lent)
		buf->data = memcpy(xmalloc(size), buf->data, buf->len);
	else
		buf->data = xrealloc(buf->data, size);
	buf->size = size;
	buf->lent = false;
}

char *buf_grow(struct buf *buf, size_t want)
{
	size_t size = buf->size > 0 ? buf->size : BUF_FIRST_SIZE;

	if (buf->failed || want > buf->limit - buf->len) {
		buf->failed = true;
		return NULL;
	}
	while (size - buf->len < want)
		size *= 2;
	set_size(buf, size);
	return buf->data + buf->len;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	buf_puts(buf, text);
	free(text);
}

void buf_put_number(struct buf *buf, size_t number)
{
	char digits[3 * sizeof(number)], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	buf_put(buf, at, (size_t)(digits + sizeof(digits) - at));
}

void buf_put_json(struct buf *buf, const char *text)
{
	buf_put(buf, "\"", 1);
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20) {
			buf_printf(buf, "\\u%04x", *text);
			continue;
		}
		if (*text == '"' || *text == '\\')
			buf_put(buf, "\\", 1);
		buf_put(buf, text, 1);
	}
	buf_put(buf, "\"", 1);
}

void buf_consume(struct buf *buf, size_t len)
{
	buf->len -= len;
	if (buf->len > 0)
		memmove(buf->data, buf->data + len, buf->len);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

void buf_free(struct buf *buf)
{
	if (!buf->lent)
		free(buf->data);
	*buf = (struct buf)BUF_INIT(buf->limit);
}

char *buf_steal(struct buf *buf)
{
	char *text;

	set_size(buf, buf->len + 1);
	text = buf->data;
	text[buf->len] = '\0';
	*buf = (struct buf)BUF_INIT(buf->limit);
	return text;
}
