/* SPDX-License-Identifier: MIT */
/* The table of senders as text: from a file, and from a socket. */
#include "postfix-policy/send/table-text.h"

#include <string.h>

#include "common/text.h"
#include "tests/fuzz/fuzz.h"

enum { ENTRIES = 8, NOW = 1000000000 };	/* us */

static const int64_t WALL = 1764475291;

static struct send_table *make(void)
{
	static const struct mum_config config = {
		.policy = { .send_rate = 60, .send_period = 60000, .send_burst = 100 },
	};
	struct send_table *table = send_table_new();
	struct send_limits *limits = send_limits_new(&config);

	send_table_configure(table, &limits, ENTRIES, 3600000000ULL, NOW);
	return table;
}

static void on_row(const struct send_row *row, int64_t wall, void *arg)
{
	size_t len = strlen(row->login);

	HOLDS(wall >= 0 && row->since >= 0);
	HOLDS(len > 0 && len < sizeof(row->login) && text_is_clean(row->login, len));
	++*(size_t *)arg;
}

/* Nobody owes more than the limit lets them owe, and what is written can be read. */
static void check_table(const struct send_table *table, size_t rows)
{
	struct buf text = BUF_INIT(65536);
	size_t count = send_table_count(table), read = 0;

	HOLDS(count <= ENTRIES && count <= rows);
	for (size_t i = 0; i < count; i++) {
		const struct send_entry *entry = send_table_at(table, i);

		HOLDS(entry->tat >= NOW && entry->tat <= NOW + 100000000);
	}
	send_text_put(&text, table, NOW, WALL);
	HOLDS(send_text_read(text.data, text.len, on_row, &read) && read == count);
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct send_table *table = make();
	size_t rows = 0;
	bool good = send_text_read(bytes, size, on_row, &rows);

	HOLDS(good || rows == 0);
	HOLDS(send_text_restore(bytes, size, table, NOW, WALL) == good);
	check_table(table, rows);
	send_table_free(&table);
	if (good && rows > 0)
		fuzz_reached();
	return 0;
}
