/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/numbers.h"

#include <stdio.h>
#include <string.h>

/* ---- by state ---- */

const char *numbers_of_recipient(enum recipient_state state)
{
	switch (state) {
	case RECIPIENT_IS_LIVE:
		break;
	case RECIPIENT_IS_BLANK:
	case RECIPIENT_IS_ALIAS_ITSELF:
	case RECIPIENT_HAS_NO_END:
		return "D7";	/* leads nowhere */
	case RECIPIENT_IS_IN_INACTIVE_DOMAIN:
	case RECIPIENT_IS_INACTIVE:
	case RECIPIENT_IS_SEND_ONLY:
	case RECIPIENT_IS_GONE:
	case RECIPIENT_IS_UNKNOWN:
		return "D6";	/* a mailbox without mail */
	}
	return "";
}

const char *numbers_of_alias(enum alias_state state)
{
	switch (state) {
	case ALIAS_IS_EXPIRED:
		return "D9";
	case ALIAS_IS_UNKNOWN:
	case ALIAS_IS_IN_INACTIVE_DOMAIN:
	case ALIAS_IS_INACTIVE:
	case ALIAS_IS_EMPTY:
	case ALIAS_IS_DEAD:
	case ALIAS_IS_LIVE:
	case ALIAS_IS_TOO_LONG:
		break;		/* as stock has it, or for what its recipients are */
	}
	return "";
}

const char *numbers_of_mailbox(enum mailbox_state state)
{
	switch (state) {
	case MAILBOX_IS_SEND_ONLY:
		return "D13";
	case MAILBOX_IS_UNKNOWN:
	case MAILBOX_IS_IN_INACTIVE_DOMAIN:
	case MAILBOX_IS_INACTIVE:
	case MAILBOX_HAS_UNCLEAN_NAME:
	case MAILBOX_IS_LIVE:
		break;		/* as stock has it */
	}
	return "";
}

const char *numbers_of_tls(enum tls_state state)
{
	switch (state) {
	case TLS_IS_INACTIVE:
		return "D11";
	case TLS_IS_UNKNOWN:
	case TLS_IS_ACTIVE:
		break;
	}
	return "";
}

const char *numbers_of_owner(enum owner_state state)
{
	switch (state) {
	case OWNER_IS_LIVE:
	case OWNER_IS_IN_INACTIVE_DOMAIN:
	case OWNER_IS_INACTIVE_ITSELF:
	case OWNER_OF_INACTIVE_ALIAS:
		break;		/* stock lists it as we do */
	case OWNER_OF_EXPIRED_ALIAS:
		return "D9";
	case OWNER_IS_INACTIVE_OF_EXPIRED_ALIAS:
		return "D9 D10";
	case OWNER_IS_INACTIVE:
		return "D10";
	}
	return "";
}

/* ---- lists ---- */

/*
 * These only spell an answer differently, or answer what Postfix would ask next. Whether
 * they change something for a recipient, the answers themselves show.
 */
static const char *const without_effect[] = {
	"D2",	/* Postfix asks again without the extension */
	"D3",	/* Postfix asks again without the quotes */
	"D4", "D5", "D8",
	"D10",	/* who is inactive cannot log in, nor send */
	"D12", "D13", "D18", "D21", "D22",
};

static bool is_without_effect(const char *number, size_t len)
{
	for (size_t i = 0; i < sizeof(without_effect) / sizeof(without_effect[0]); i++) {
		if (strlen(without_effect[i]) == len &&
		    memcmp(without_effect[i], number, len) == 0)
			return true;
	}
	return false;
}

bool numbers_have_no_effect(const char *numbers)
{
	while (*numbers != '\0') {
		size_t len = strcspn(numbers, " ");

		if (!is_without_effect(numbers, len))
			return false;
		numbers += len + (numbers[len] == ' ');
	}
	return true;
}

static bool has_number(const char *numbers, const char *number, size_t len)
{
	for (; *numbers != '\0'; numbers += numbers[strcspn(numbers, " ")] == ' ') {
		if (strcspn(numbers, " ") == len && memcmp(numbers, number, len) == 0)
			return true;
		numbers += strcspn(numbers, " ");
	}
	return false;
}

static void add_number(char to[NUMBERS_SIZE], const char *number, size_t len)
{
	size_t end = strlen(to);

	if (!has_number(to, number, len))
		snprintf(to + end, NUMBERS_SIZE - end, "%s%.*s", end > 0 ? " " : "",
			 (int)len, number);
}

void numbers_add_all(char to[NUMBERS_SIZE], const char *numbers)
{
	while (*numbers != '\0') {
		size_t len = strcspn(numbers, " ");

		add_number(to, numbers, len);
		numbers += len + (numbers[len] == ' ');
	}
}

void numbers_add(char to[NUMBERS_SIZE], const char *numbers)
{
	bool none = numbers_have_no_effect(numbers);

	if (!none && numbers_have_no_effect(to))
		to[0] = '\0';
	else if (none && !numbers_have_no_effect(to))
		return;
	while (*numbers != '\0') {
		size_t len = strcspn(numbers, " ");

		if (none || !is_without_effect(numbers, len))
			add_number(to, numbers, len);
		numbers += len + (numbers[len] == ' ');
	}
}
