/* SPDX-License-Identifier: MIT */
#include "common/send-limit.h"

#include <stdint.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"

enum { WORD_SIZE = 24 };	/* bytes; more than any number with its unit needs */

/* Takes the last word off the text of len bytes; false when it is too long or there is none. */
static bool take_word(const char *text, size_t *len, char *word)
{
	size_t end = text_trim(&text, *len), start = end;

	while (start > 0 && text[start - 1] != ' ')
		start--;
	if (start == end || end - start >= WORD_SIZE)
		return false;
	memcpy(word, text + start, end - start);
	word[end - start] = '\0';
	*len = start;
	return true;
}

static bool read_count(const char *word, unsigned *count_r)
{
	uint64_t value;

	if (!units_parse_number(word, &value) || value < 1 || value > SEND_COUNT_MAX)
		return false;
	*count_r = (unsigned)value;
	return true;
}

static bool read_period(const char *word, unsigned *period_r)
{
	uint64_t value;

	if (!units_parse_time(word, &value) || value < SEND_PERIOD_MIN ||
	    value > SEND_PERIOD_MAX)
		return false;
	*period_r = (unsigned)value;
	return true;
}

bool send_limit_parse(const char *text, struct send_limit *limit_r, const char **why_r)
{
	size_t len = text_trim(&text, strlen(text));
	char burst[WORD_SIZE], rate[WORD_SIZE];
	char *slash = NULL;

	*limit_r = (struct send_limit){ .login = text };
	if (take_word(text, &len, burst) && take_word(text, &len, rate))
		slash = strchr(rate, '/');
	limit_r->login_len = text_trim(&text, len);
	*why_r = "want LOGIN RATE/PERIOD BURST, such as \"news@example.org 5000/1h 10000\"";
	if (slash == NULL || limit_r->login_len == 0)
		return false;
	*slash = '\0';
	*why_r = "want a rate and a burst from 1 to 1000000, and a period from 1m to 1d";
	return read_count(rate, &limit_r->rate) && read_period(slash + 1, &limit_r->period) &&
	       read_count(burst, &limit_r->burst);
}
