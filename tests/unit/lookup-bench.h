/* SPDX-License-Identifier: MIT */
/* Lookups on a fake store and a fake host, and the result of each. */
#ifndef LOOKUP_BENCH_H
#define LOOKUP_BENCH_H

#include "common/lookup.h"
#include "tests/fakes/fake-host.h"
#include "tests/fakes/fake-store.h"

enum { BENCH_DEADLINE = 2000, BENCH_ENTRIES = 100 };

struct bench {
	struct fake_host host;
	struct fake_store store;
	struct mum_stats stats;
	struct lookups *lookups;
};

/* The result of one lookup. */
struct got {
	struct bench *bench;
	struct mum_lookup *lookup;	/* NULL once answered */
	unsigned calls;
	enum mum_status status;
	bool stale, had_reason, had_address;
	bool facts[MUM_QUESTIONS];
	void (*inside)(struct got *got);	/* run from inside the answer */
	struct got *other;
	const struct mum_answer *answer;	/* valid inside only */
};

void bench_init(struct bench *bench, unsigned ttl_ms, unsigned stale_ms);
void bench_init_entries(struct bench *bench, unsigned ttl_ms, unsigned stale_ms,
			size_t entries);
void bench_init_settings(struct bench *bench, const struct lookups_settings *settings);
void bench_init_all(struct bench *bench, unsigned ttl_ms, unsigned stale_ms,
		    size_t entries, bool other_maps);
/* Also checks that no lookup was forgotten. */
void bench_free(struct bench *bench);

/* Starts a lookup; got is overwritten. */
void bench_ask(struct bench *bench, struct got *got, unsigned questions, const char *key);
void bench_ask_bytes(struct bench *bench, struct got *got, unsigned questions,
		     const char *key, size_t len);
/* Answers the index-th question at the store, with empty facts if found. */
void bench_answer(struct bench *bench, size_t index, enum mum_status status);

void bench_on_answer(const struct mum_answer *answer, void *got);
struct facts *bench_respond(const struct question *question, void *arg);

#endif
