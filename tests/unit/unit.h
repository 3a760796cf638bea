/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share: cmocka, and checks that name the table row that failed
 * and go on with the next one. A test fails at its end if any of its checks failed.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/facts.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#define FOR_EACH_ROW(row, table) \
	for (const typeof((table)[0]) *row = (table); row < (table) + ARRAY_LEN(table); row++)

/*
 * Of a long list, such as all code points, a test may take each UNIT_STEP-th. That is all of
 * them, but where programs run slowly: with sanitizers, and by an emulator (tests/32bit/run).
 */
#ifndef UNIT_STEP
#ifdef __SANITIZE_ADDRESS__
#define UNIT_STEP 7
#else
#define UNIT_STEP 1
#endif
#endif

/* A test whose soft failures count; see unit_teardown(). */
#define UNIT_TEST(function) cmocka_unit_test_teardown(function, unit_teardown)

/* name says what must hold; it is printed when the condition does not. */
#define WANT(name, condition) \
	unit_want((name), (condition), #condition, __FILE__, __LINE__)
#define WANT_TEXT(name, got, want) \
	unit_want_text((name), (got), (want), __FILE__, __LINE__)
#define WANT_NUMBER(name, got, want) \
	unit_want_number((name), (unsigned long long)(got), (unsigned long long)(want), \
			 #got, __FILE__, __LINE__)

void unit_want(const char *name, bool holds, const char *condition, const char *file,
	       int line);
/* Either may be NULL. */
void unit_want_text(const char *name, const char *got, const char *want,
		    const char *file, int line);
void unit_want_number(const char *name, unsigned long long got, unsigned long long want,
		      const char *what, const char *file, int line);
int unit_teardown(void **state);

/* A copy in a malloc'ed block of exactly len bytes, so that ASan sees any overread. */
char *unit_exact(const void *bytes, size_t len);
/* The text, repeated count times; caller frees. */
char *unit_repeat(const char *text, size_t count);

/* Makes columns of cells, which are texts; NULL is SQL NULL; at most `count`. */
void unit_columns(struct column *columns, const char *const *cells, size_t count);

#endif
