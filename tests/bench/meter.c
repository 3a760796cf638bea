/* SPDX-License-Identifier: MIT */
#include "meter.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLOT_BITS 6
#define SLOTS_PER_OCTAVE (1U << SLOT_BITS)

/* Up to 64 ns one slot per ns, then 64 slots for each doubling. */
static size_t slot_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < SLOTS_PER_OCTAVE)
		return (size_t)ns;
	shift = 63U - (unsigned int)__builtin_clzll(ns) - SLOT_BITS;
	return (size_t)(shift * SLOTS_PER_OCTAVE + (ns >> shift));
}

static double slot_middle_ns(size_t slot)
{
	size_t shift;
	double low;

	if (slot < 2 * SLOTS_PER_OCTAVE)
		return (double)slot;
	shift = slot / SLOTS_PER_OCTAVE - 1;
	low = (double)((uint64_t)(slot - shift * SLOTS_PER_OCTAVE) << shift);
	return low + (double)(UINT64_C(1) << shift) / 2;
}

void meter_latency_add(struct meter_latency *latency, uint64_t ns)
{
	latency->slots[slot_of(ns)]++;
	latency->count++;
	if (ns > latency->max_ns)
		latency->max_ns = ns;
}

double meter_latency_us(const struct meter_latency *latency, double share)
{
	uint64_t want = (uint64_t)((double)latency->count * share);
	uint64_t seen = 0;

	for (size_t slot = 0; slot < METER_SLOTS; slot++) {
		seen += latency->slots[slot];
		if (seen > want)
			return slot_middle_ns(slot) / 1000;
	}
	return (double)latency->max_ns / 1000;
}

void meter_words_add(struct meter_words *words, const char *word)
{
	int i;

	for (i = 0; i < words->used; i++)
		if (strcmp(words->words[i].word, word) == 0)
			break;
	if (i >= METER_WORDS - 1) {
		i = METER_WORDS - 1;
		word = "other";
	}
	if (i >= words->used) {
		snprintf(words->words[i].word, METER_WORD_SIZE, "%s", word);
		words->used = i + 1;
	}
	words->words[i].count++;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)ts.tv_nsec;
}

uint64_t meter_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t meter_own_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static bool read_proc(pid_t pid, const char *name, char *text, int text_size)
{
	char path[64];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	ok = fgets(text, text_size, file) != NULL;
	fclose(file);
	return ok;
}

bool meter_process_cpu_ns(pid_t pid, uint64_t *ns_r)
{
	const uint64_t tick_ns = UINT64_C(1000000000) /
				 (uint64_t)sysconf(_SC_CLK_TCK);
	unsigned long long user, kernel;
	const char *after_name;
	char text[1024];

	if (!read_proc(pid, "stat", text, sizeof(text)))
		return false;
	/* The name may hold blanks and brackets: count from its end. */
	after_name = strrchr(text, ')');
	if (after_name == NULL)
		return false;
	if (sscanf(after_name + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
		   &user, &kernel) != 2)
		return false;
	*ns_r = (user + kernel) * tick_ns;
	return true;
}

void meter_process_name(pid_t pid, char *name, size_t name_size)
{
	char text[64];

	if (!read_proc(pid, "comm", text, sizeof(text)))
		snprintf(text, sizeof(text), "?");
	text[strcspn(text, "\n")] = '\0';
	snprintf(name, name_size, "%s", text);
}
