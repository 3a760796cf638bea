/* SPDX-License-Identifier: MIT */
#include "tests/unit/lookup-bench.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

void bench_init_all(struct bench *bench, unsigned ttl_ms, unsigned stale_ms,
		    size_t entries, bool other_maps)
{
	const struct lookups_settings settings = {
		.recipient_delimiter = "+",
		.ttl_ms = ttl_ms,
		.stale_ms = stale_ms,
		.entries = entries,
		.recipients = { .readings = { true, true, "origin.example", "" },
				.other_maps = other_maps },
	};

	bench_init_settings(bench, &settings);
}

void bench_init_settings(struct bench *bench, const struct lookups_settings *settings)
{
	fake_host_init(&bench->host);
	fake_store_init(&bench->store, &bench->host.host);
	memset(&bench->stats, 0, sizeof(bench->stats));
	bench->lookups = lookups_new(&bench->host.host, &bench->store.store, settings,
				     &bench->stats);
}

void bench_init_entries(struct bench *bench, unsigned ttl_ms, unsigned stale_ms,
			size_t entries)
{
	bench_init_all(bench, ttl_ms, stale_ms, entries, true);
}

void bench_init(struct bench *bench, unsigned ttl_ms, unsigned stale_ms)
{
	bench_init_entries(bench, ttl_ms, stale_ms, BENCH_ENTRIES);
}

void bench_free(struct bench *bench)
{
	lookups_free(&bench->lookups);
	WANT("every question was answered or withdrawn", fake_store_free(&bench->store));
	WANT_NUMBER("every timer was cancelled", fake_host_timers(&bench->host), 0);
	fake_host_free(&bench->host);
}

void bench_on_answer(const struct mum_answer *answer, void *arg)
{
	struct got *got = arg;

	got->lookup = NULL;
	got->calls++;
	got->status = answer->status;
	got->stale = answer->stale;
	got->had_reason = answer->reason != NULL;
	got->had_address = answer->address != NULL;
	for (int i = 0; i < MUM_QUESTIONS; i++)
		got->facts[i] = answer->facts[i] != NULL;
	got->answer = answer;
	if (got->inside != NULL)
		got->inside(got);
	got->answer = NULL;
}

/* The key is in a block of exactly its size, which is freed when the call returns. */
void bench_ask_bytes(struct bench *bench, struct got *got, unsigned questions,
		     const char *key, size_t len)
{
	char *exact = unit_exact(key, len);

	memset(got, 0, sizeof(*got));
	got->bench = bench;
	got->lookup = mum_lookup_start(bench->lookups, questions, exact, len,
				       BENCH_DEADLINE, bench_on_answer, got);
	free(exact);
}

void bench_ask(struct bench *bench, struct got *got, unsigned questions, const char *key)
{
	bench_ask_bytes(bench, got, questions, key, strlen(key));
}

void bench_answer(struct bench *bench, size_t index, enum mum_status status)
{
	const struct question *question = fake_store_question(&bench->store, index);
	struct facts *facts;

	if (question == NULL) {
		WANT("the store was asked", false);
		return;
	}
	facts = status == MUM_FOUND ? facts_new(question->kind) : NULL;
	fake_store_answer(&bench->store, index, status, facts,
			  facts != NULL ? NULL : "fake trouble");
	facts_unref(&facts);
}

struct facts *bench_respond(const struct question *question, void *arg)
{
	(void)arg;
	return facts_new(question->kind);
}
