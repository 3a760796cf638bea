/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>

static double per_request_us(const struct load_result *result, uint64_t ns)
{
	if (result->latency.count == 0)
		return 0;
	return (double)ns / 1000 / (double)result->latency.count;
}

static double rate(const struct load_result *result)
{
	if (result->elapsed_ns == 0)
		return 0;
	return (double)result->latency.count * 1e9 /
	       (double)result->elapsed_ns;
}

static void print_processes_json(const struct load_options *options,
				 const struct load_result *result)
{
	char name[64];

	printf("\"processes\":[");
	for (size_t i = 0; i < options->pids_count; i++) {
		meter_process_name(options->pids[i], name, sizeof(name));
		printf("%s{\"pid\":%d,\"name\":\"%s\",\"cpu_us\":%.3f}",
		       i > 0 ? "," : "", (int)options->pids[i], name,
		       per_request_us(result, result->process_cpu_ns[i]));
	}
	printf("]");
}

static void print_json(const struct load_options *options,
		       const struct load_result *result)
{
	printf("{\"clients\":%zu,\"idle\":%zu,\"seconds\":%.6f,"
	       "\"requests\":%" PRIu64 ",\"per_second\":%.1f,"
	       "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,"
	       "\"own_cpu_us\":%.3f,",
	       options->clients, options->idle,
	       (double)result->elapsed_ns / 1e9, result->latency.count,
	       rate(result), meter_latency_us(&result->latency, 0.5),
	       meter_latency_us(&result->latency, 0.99),
	       (double)result->latency.max_ns / 1000,
	       per_request_us(result, result->own_cpu_ns));
	print_processes_json(options, result);
	printf(",\"replies\":{");
	for (int i = 0; i < result->words.used; i++)
		printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "",
		       result->words.words[i].word,
		       result->words.words[i].count);
	printf("},\"malformed\":%" PRIu64 ",\"lost\":%" PRIu64
	       ",\"unanswered\":%" PRIu64 ",\"idle_lost\":%" PRIu64 "}\n",
	       result->malformed, result->lost, result->unanswered,
	       result->idle_lost);
}

static void print_text(const struct load_options *options,
		       const struct load_result *result)
{
	char name[64];

	printf("requests     %" PRIu64 " in %.3f s on %zu connections"
	       " (%zu more idle)\n",
	       result->latency.count, (double)result->elapsed_ns / 1e9,
	       options->clients, options->idle);
	printf("rate         %.0f per second\n", rate(result));
	printf("latency      p50 %.1f  p99 %.1f  max %.1f us\n",
	       meter_latency_us(&result->latency, 0.5),
	       meter_latency_us(&result->latency, 0.99),
	       (double)result->latency.max_ns / 1000);
	printf("CPU          %.2f us per request: mum-load itself\n",
	       per_request_us(result, result->own_cpu_ns));
	for (size_t i = 0; i < options->pids_count; i++) {
		meter_process_name(options->pids[i], name, sizeof(name));
		printf("             %.2f us per request: %s (%d)\n",
		       per_request_us(result, result->process_cpu_ns[i]),
		       name, (int)options->pids[i]);
	}
	for (int i = 0; i < result->words.used; i++)
		printf("%-12s %" PRIu64 "\n", result->words.words[i].word,
		       result->words.words[i].count);
	printf("malformed    %" PRIu64 "\nlost         %" PRIu64
	       "\nunanswered   %" PRIu64 "\nidle lost    %" PRIu64 "\n",
	       result->malformed, result->lost, result->unanswered,
	       result->idle_lost);
}

void load_print(const struct load_options *options,
		const struct load_result *result)
{
	if (options->json)
		print_json(options, result);
	else
		print_text(options, result);
}
