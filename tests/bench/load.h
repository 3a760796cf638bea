/* SPDX-License-Identifier: MIT */
/*
 * The load generator in three parts: options and questions (options.c), the
 * loop that asks (load.c), and what it says at the end (report.c).
 */
#ifndef MUM_BENCH_LOAD_H
#define MUM_BENCH_LOAD_H

#include "meter.h"
#include "wire.h"

#define LOAD_MAX_PIDS 16

/* Filled in once by load_read_options(), then only read. */
struct load_options {
	enum wire_protocol protocol;
	const char *server;	/* PATH, unix:PATH, [inet:]HOST:PORT */
	const char *map;	/* socketmap only */
	const char *keys_file;
	size_t clients;
	size_t idle;
	double seconds;
	double warmup;
	uint64_t requests;	/* stop after so many; 0 = by the clock */
	uint64_t first_key;
	pid_t pids[LOAD_MAX_PIDS];
	size_t pids_count;
	bool json;
};

/* All that can be asked, one entry for each line of the key file. */
struct load_questions {
	struct wire_bytes *asks;	/* what is counted */
	struct wire_bytes *mails;	/* SMTP only: MAIL FROM */
	size_t count;
};

/* What was seen between the warm-up and the end. */
struct load_result {
	struct meter_latency latency;
	struct meter_words words;
	uint64_t elapsed_ns;
	uint64_t own_cpu_ns;
	uint64_t process_cpu_ns[LOAD_MAX_PIDS];
	uint64_t malformed;	/* replies that Postfix would not take */
	uint64_t lost;		/* connections closed by the server */
	uint64_t unanswered;	/* still open some seconds after the end */
	uint64_t idle_lost;	/* idle connections closed by the server */
};

/* Prints usage and exits on an option that makes no sense. */
void load_read_options(int argc, char **argv, struct load_options *options_r);

/* Exits if the file holds no key. */
void load_read_questions(const struct load_options *options,
			 struct load_questions *questions_r);
void load_free_questions(struct load_questions *questions);

void load_print(const struct load_options *options,
		const struct load_result *result);

#endif
