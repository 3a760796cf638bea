/* SPDX-License-Identifier: MIT */
/* What a measurement counts: latencies, replies by word, CPU time. */
#ifndef MUM_BENCH_METER_H
#define MUM_BENCH_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define METER_WORDS 24
#define METER_WORD_SIZE 24
#define METER_SLOTS 4096

/* Latencies in slots of at most 1/64 (1.6 %) width, so that none is kept. */
struct meter_latency {
	uint64_t slots[METER_SLOTS];
	uint64_t count;
	uint64_t max_ns;
};

void meter_latency_add(struct meter_latency *latency, uint64_t ns);

/* share: 0.5 for the median. 0 if nothing was added. */
double meter_latency_us(const struct meter_latency *latency, double share);

struct meter_word {
	char word[METER_WORD_SIZE];
	uint64_t count;
};

/* Words in the order in which they came; the last slot is "other". */
struct meter_words {
	struct meter_word words[METER_WORDS];
	int used;
};

void meter_words_add(struct meter_words *words, const char *word);

uint64_t meter_now_ns(void);
uint64_t meter_own_cpu_ns(void);

/*
 * User and system time of a process, threads included, in steps of the
 * kernel's clock tick (10 ms). False if there is no such process.
 */
bool meter_process_cpu_ns(pid_t pid, uint64_t *ns_r);

/* The kernel's name of the process, "?" if it is gone. */
void meter_process_name(pid_t pid, char *name, size_t name_size);

#endif
