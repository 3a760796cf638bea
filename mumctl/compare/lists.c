/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/lists.h"

#include <string.h>

#include "common/text.h"

bool list_has(const char *list, const char *word, size_t len)
{
	for (; list != NULL; list = strchr(list, ',')) {
		list += *list == ',';
		if (strncmp(list, word, len) == 0 && (list[len] == ',' || list[len] == '\0'))
			return true;
	}
	return false;
}

enum { GROUP_CONCAT_MAX = 1024, CHARACTER_MAX = 4 };

/*
 * MySQL cuts a list at group_concat_max_len bytes, but between two characters. The
 * last word is then seldom whole.
 */
bool list_is_cut(const char *list, const char *ours)
{
	const char *comma = strrchr(list, ',');
	const char *last = comma == NULL ? list : comma + 1;
	size_t len = strlen(list);

	return len == GROUP_CONCAT_MAX ||
	       (len < GROUP_CONCAT_MAX && len > GROUP_CONCAT_MAX - CHARACTER_MAX &&
		!list_has(ours, last, strlen(last)));
}

bool list_is_within(const char *one, const char *other)
{
	while (*one != '\0') {
		size_t len = strcspn(one, ",");

		if (!list_has(other, one, len))
			return false;
		one += len + (one[len] == ',');
	}
	return true;
}

bool list_is_same_set(const char *one, const char *other)
{
	return one != NULL && other != NULL && list_is_within(one, other) &&
	       list_is_within(other, one);
}

bool list_is_untrimmed(const char *word)
{
	const char *text = word;
	size_t len = strlen(word);

	return len == 0 || text_trim(&text, len) != len;
}

bool list_is_joined_otherwise(const char *list, const char *ours)
{
	size_t len = strcspn(list, ",");

	return list[len] == ',' && strncmp(list, ours, len) == 0 && ours[len] == ' ' &&
	       strcmp(list + len + 1, ours + len + 1) == 0;
}
