/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/table-text.h"

#include <inttypes.h>
#include <string.h>

#include "common/text.h"

enum { NUMBERS_SIZE = 4 * 21 };	/* bytes; four numbers of 64 bits, a blank behind each */

static const char magic[] = "mum-senders 1";

/* ---- writing ---- */

/* Puts digits and a blank before end. printf(3) would take most of the time here. */
static char *put_number(char *end, uint64_t value)
{
	*--end = ' ';
	do
		*--end = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	return end;
}

static void put_row(struct buf *out, const struct send_entry *entry, uint64_t now)
{
	char numbers[NUMBERS_SIZE], *end = numbers + sizeof(numbers), *start = end;

	start = put_number(start, entry->since > 0 ? (uint64_t)entry->since : 0);
	start = put_number(start, entry->over);
	start = put_number(start, entry->sent);
	start = put_number(start, entry->tat > now ? entry->tat - now : 0);
	buf_put(out, start, (size_t)(end - start));
	buf_puts(out, entry->login);
	buf_put(out, "\n", 1);
}

void send_text_put(struct buf *out, const struct send_table *table, uint64_t now,
		   int64_t wall)
{
	size_t count = send_table_count(table);

	buf_printf(out, "%s\nwall %" PRId64 "\n", magic, wall > 0 ? wall : 0);
	for (size_t i = 0; i < count; i++)
		put_row(out, send_table_at(table, i), now);
	buf_printf(out, "end %zu\n", count);
}

/* ---- reading ---- */

struct reader {
	const char *at, *end;
};

/* The next line without its end; false when there is no whole one. */
static bool next_line(struct reader *reader, struct reader *line_r)
{
	const char *newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));

	if (newline == NULL)
		return false;
	*line_r = (struct reader){ reader->at, newline };
	reader->at = newline + 1;
	return true;
}

static bool take_text(struct reader *line, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(line->end - line->at) < len || memcmp(line->at, text, len) != 0)
		return false;
	line->at += len;
	return true;
}

/* Digits without leading zeros, up to max. */
static bool take_number(struct reader *line, uint64_t max, uint64_t *value_r)
{
	const char *start = line->at;
	uint64_t value = 0;

	for (; line->at < line->end && *line->at >= '0' && *line->at <= '9'; line->at++) {
		unsigned digit = (unsigned)(*line->at - '0');

		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*value_r = value;
	return line->at > start && (*start != '0' || line->at == start + 1);
}

static bool take_field(struct reader *line, uint64_t max, uint64_t *value_r)
{
	return take_number(line, max, value_r) && take_text(line, " ");
}

static bool read_row(struct reader line, struct send_row *row_r)
{
	uint64_t since;
	size_t len;

	if (!take_field(&line, UINT64_MAX, &row_r->debt) ||
	    !take_field(&line, UINT64_MAX, &row_r->sent) ||
	    !take_field(&line, UINT64_MAX, &row_r->over) ||
	    !take_field(&line, INT64_MAX, &since))
		return false;
	row_r->since = (int64_t)since;
	len = (size_t)(line.end - line.at);
	if (len == 0 || len >= sizeof(row_r->login) || !text_is_clean(line.at, len))
		return false;
	memcpy(row_r->login, line.at, len);
	row_r->login[len] = '\0';
	return true;
}

static bool read_named(struct reader *reader, const char *name, uint64_t *value_r)
{
	struct reader line;

	return next_line(reader, &line) && take_text(&line, name) &&
	       take_number(&line, INT64_MAX, value_r) && line.at == line.end;
}

/* With fn NULL it only checks the text. */
static bool read_all(struct reader reader, send_row_fn *fn, void *arg)
{
	struct reader line, last;
	uint64_t wall, rows = 0, count;
	struct send_row row;

	if (!next_line(&reader, &line) || !take_text(&line, magic) || line.at != line.end ||
	    !read_named(&reader, "wall ", &wall))
		return false;
	for (last = reader; next_line(&reader, &line) && read_row(line, &row); last = reader) {
		rows++;
		if (fn != NULL)
			fn(&row, (int64_t)wall, arg);
	}
	return read_named(&last, "end ", &count) && count == rows && last.at == last.end;
}

bool send_text_read(const char *bytes, size_t len, send_row_fn *fn, void *arg)
{
	const struct reader reader = { bytes, bytes + len };

	return read_all(reader, NULL, NULL) && read_all(reader, fn, arg);
}

/* ---- filling a table ---- */

struct filler {
	struct send_table *table;
	uint64_t now;
	int64_t wall;
};

static void fill(const struct send_row *row, int64_t written, void *arg)
{
	const struct filler *filler = arg;
	const struct send_entry entry = { .login = row->login, .sent = row->sent,
					  .over = row->over, .since = row->since };
	uint64_t passed = filler->wall > written ? (uint64_t)(filler->wall - written) : 0;
	uint64_t debt = row->debt;

	debt = passed < debt / 1000000 ? debt - passed * 1000000 : 0;
	if (debt > 0)
		send_table_restore(filler->table, &entry, debt, filler->now);
}

bool send_text_restore(const char *bytes, size_t len, struct send_table *table, uint64_t now,
		       int64_t wall)
{
	struct filler filler = { table, now, wall };

	return send_text_read(bytes, len, fill, &filler);
}
