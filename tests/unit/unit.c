/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/xalloc.h"

static unsigned failures;

void unit_want(const char *name, bool holds, const char *condition, const char *file,
	       int line)
{
	if (holds)
		return;
	failures++;
	print_error("%s:%d: \"%s\": does not hold: %s\n", file, line, name, condition);
}

void unit_want_text(const char *name, const char *got, const char *want,
		    const char *file, int line)
{
	if (got == want || (got != NULL && want != NULL && strcmp(got, want) == 0))
		return;
	failures++;
	print_error("%s:%d: \"%s\":\n   got  <%s>\n   want <%s>\n", file, line, name,
		    got != NULL ? got : "(null)", want != NULL ? want : "(null)");
}

void unit_want_number(const char *name, unsigned long long got, unsigned long long want,
		      const char *what, const char *file, int line)
{
	if (got == want)
		return;
	failures++;
	print_error("%s:%d: \"%s\": %s is %llu, want %llu\n", file, line, name, what, got,
		    want);
}

int unit_teardown(void **state)
{
	int result = failures > 0 ? -1 : 0;

	(void)state;
	failures = 0;
	return result;
}

char *unit_exact(const void *bytes, size_t len)
{
	/* Even for no bytes, malloc(0) gives a block that nobody may read. */
	char *copy = malloc(len);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *unit_repeat(const char *text, size_t count)
{
	size_t len = strlen(text);
	char *all = xmalloc(len * count + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(all + i * len, text, len);
	all[len * count] = '\0';
	return all;
}

void unit_columns(struct column *columns, const char *const *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		columns[i].data = cells[i];
		columns[i].len = cells[i] != NULL ? strlen(cells[i]) : 0;
	}
}
