/* SPDX-License-Identifier: MIT */
/*
 * Allocation that never returns NULL. A process without memory cannot know an
 * answer, so it says so on standard error and ends (EX_OSERR): its peer then
 * sees a lost connection, which Postfix and Dovecot treat as temporary.
 */
#ifndef MUM_XALLOC_H
#define MUM_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

/* For memory that a library allocated: returns it, never NULL. */
void *xchecked(void *memory) __attribute__((returns_nonnull));
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
/* Makes room for one more behind count items: doubles the array at each power of two. */
void *xgrow(void *array, size_t count, size_t item_size);
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));
/* Joins three texts; for names, which are made too often for xasprintf(). */
char *xjoin(const char *first, const char *second, const char *third)
	__attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 0)));

#endif
