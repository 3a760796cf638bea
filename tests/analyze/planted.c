/* SPDX-License-Identifier: MIT */
/*
 * Mistakes on purpose, never compiled into anything: tests/analyze/run shows them to the
 * tools. Each tool must find one in each function that names it.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct entry {
	struct entry *prev, *next;
};

int null_dereference(int way);
int uninitialised(int way);
char *leak(const char *text);
void freed_twice(char *text);
int freed_in_list(struct entry *list, struct entry *entry);

/* Found by gcc, clang-tidy. */
int null_dereference(int way)
{
	int number = 1;
	const int *pointer = NULL;

	if (way == 1)
		pointer = &number;
	return *pointer;
}

/* Found by clang-tidy, cppcheck. */
int uninitialised(int way)
{
	int number;

	if (way == 1)
		number = 2;
	return number;
}

/* Found by gcc, clang-tidy, cppcheck. */
char *leak(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	if (copy == NULL)
		return NULL;
	strcpy(copy, text);
	if (text[0] == '\0')
		return NULL;
	return copy;
}

/* Found by gcc, clang-tidy, cppcheck. */
void freed_twice(char *text)
{
	free(text);
	free(text);
}

/* Found by gcc, clang-tidy. */
int freed_in_list(struct entry *list, struct entry *entry)
{
	DL_DELETE(list, entry);
	free(entry);
	return list == NULL || entry->next == list;
}
