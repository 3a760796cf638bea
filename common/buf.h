/* SPDX-License-Identifier: MIT */
/*
 * A growing byte buffer with a limit. A write that would pass the limit sets `failed`,
 * and from then on nothing is written: so check it once, before the bytes are used. A
 * zeroed struct with a limit is a valid, empty buffer.
 */
#ifndef MUM_BUF_H
#define MUM_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct buf {
	char *data;	/* NULL at first, unless lent; not NUL-terminated */
	size_t len;
	size_t size;	/* bytes at data */
	size_t limit;	/* len never passes it */
	bool failed;	/* sticky until buf_clear() */
	bool lent;	/* data is the caller's array */
};

#define BUF_INIT(limit_bytes) { NULL, 0, 0, (limit_bytes), false, false }
/*
 * Begins in the caller's array (an array, no pointer), and moves to memory of its own when
 * that is full. The array must outlive the buffer, which must not be copied.
 */
#define BUF_LENT(array, limit_bytes) { (array), 0, sizeof(array), (limit_bytes), false, true }

/* Inline, so that the compiler knows the length of a literal. */
static inline void buf_put(struct buf *buf, const void *bytes, size_t len);
static inline void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void buf_put_number(struct buf *buf, size_t number);	/* in decimal */
/* Appends text as a JSON string, quotes included. The text is valid UTF-8. */
void buf_put_json(struct buf *buf, const char *text);

/*
 * Makes room for at least `want` more bytes and returns the place to write
 * them to; the caller adds what it wrote to len. NULL when the limit is passed.
 */
static inline char *buf_reserve(struct buf *buf, size_t want);
/* The slow half of buf_reserve(); nobody else calls it. */
char *buf_grow(struct buf *buf, size_t want);

static inline char *buf_reserve(struct buf *buf, size_t want)
{
	if (buf->data == NULL || buf->failed || want > buf->size - buf->len ||
	    want > buf->limit - buf->len)
		return buf_grow(buf, want);
	return buf->data + buf->len;
}

static inline void buf_put(struct buf *buf, const void *bytes, size_t len)
{
	char *to = buf_reserve(buf, len);

	if (to == NULL || len == 0)
		return;
	memcpy(to, bytes, len);
	buf->len += len;
}

static inline void buf_puts(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

void buf_consume(struct buf *buf, size_t len);	/* drops the first len bytes */
void buf_clear(struct buf *buf);		/* empty, memory kept */
void buf_free(struct buf *buf);			/* empty, memory returned; usable again */
/* The contents as a NUL-terminated string that the caller frees; leaves it empty. */
char *buf_steal(struct buf *buf);

#endif
