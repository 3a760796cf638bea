/* SPDX-License-Identifier: MIT */
#include "tests/simulation/simulation.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "tests/simulation/heap.h"

enum {
	WITHOUT_MEMORY_EVERY = 1000,	/* lives */
	LIVES_BEFORE = 100,		/* whose memory is not counted */
	EX_FAILED = 1
};

static struct {
	const char *program;
	simulation_life_fn *life;
	uint64_t seed;		/* of this life */
	bool trace, counts;	/* this life is one of those asked for */
	int report;		/* standard error, whatever a child does with its own */
	unsigned long longest;	/* allocations in one life */
} simulation;

/* ---- dice: splitmix64 ---- */

static uint64_t dice_next(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

unsigned dice_roll(struct dice *dice, unsigned sides)
{
	return (unsigned)((dice_next(dice) >> 32) % sides);
}

bool dice_chance(struct dice *dice, unsigned percent)
{
	return dice_roll(dice, 100) < percent;
}

/* ---- what is said ---- */

void simulation_note(const char *format, ...)
{
	va_list args;

	if (!simulation.trace || !simulation.counts)
		return;
	va_start(args, format);
	vdprintf(simulation.report, format, args);
	va_end(args);
	dprintf(simulation.report, "\n");
}

static void say_seed(void)
{
	heap_fail_at(0);
	dprintf(simulation.report, "seed %" PRIu64 "; to repeat it: %s --seed %" PRIu64
		" --count 1 --trace\n", simulation.seed, simulation.program, simulation.seed);
}

void simulation_fail(const char *format, ...)
{
	va_list args;

	heap_fail_at(0);
	va_start(args, format);
	vdprintf(simulation.report, format, args);
	va_end(args);
	dprintf(simulation.report, "\n");
	say_seed();
	_exit(EX_FAILED);
}

/* A crash, an abort(), or somebody who will not wait for an endless loop. */
static void on_signal(int number)
{
	say_seed();
	signal(number, SIG_DFL);
	raise(number);
}

static void watch_signals(void)
{
	static const int numbers[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGINT, SIGSEGV,
				       SIGTERM };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], on_signal);
}

/* ---- lives ---- */

static void live(void)
{
	struct dice dice = { simulation.seed };

	simulation.life(&dice);
}

static void live_and_return_memory(void)
{
	size_t before = heap_in_use();
	unsigned long allocations = heap_allocations();

	live();
	allocations = heap_allocations() - allocations;
	if (allocations > simulation.longest)
		simulation.longest = allocations;
	if (heap_in_use() != before)
		simulation_fail("memory did not return to where it was: %zu before, %zu after",
				before, heap_in_use());
}

/* The process may end, and must not crash or give a wrong answer. */
static void live_without_memory(void)
{
	struct dice dice = { ~simulation.seed };
	unsigned long at = 1 + dice_roll(&dice, (unsigned)simulation.longest);
	pid_t child = fork();
	int status, null;

	if (child < 0)
		simulation_fail("fork() failed");
	if (child == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDERR_FILENO);
		heap_fail_at(at);
		live();
		_exit(heap_has_failed() ? EX_SOFTWARE : 0);
	}
	waitpid(child, &status, 0);
	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != EX_OSERR))
		simulation_fail("without memory from allocation %lu on: wait status 0x%x", at,
				(unsigned)status);
}

static void usage(void)
{
	fprintf(stderr, "usage: %s [--count LIVES] [--seed FIRST] [--trace]\n",
		simulation.program);
	exit(EX_USAGE);
}

static uint64_t read_number(const char *text)
{
	char *end;
	uint64_t number = text != NULL ? strtoull(text, &end, 10) : 0;

	if (text == NULL || *text == '\0' || *end != '\0')
		usage();
	return number;
}

int simulation_main(int argc, char **argv, simulation_life_fn *life,
		    unsigned long default_count)
{
	/* A sanitizer makes each life ten times as long. */
	uint64_t first = 1, count = heap_can_fail() ? default_count : default_count / 10;

	simulation.program = argv[0];
	simulation.life = life;
	simulation.report = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--trace") == 0)
			simulation.trace = true;
		else if (strcmp(argv[i], "--count") == 0)
			count = read_number(argv[++i]);
		else if (strcmp(argv[i], "--seed") == 0)
			first = read_number(argv[++i]);
		else
			usage();
	}
	watch_signals();
	/*
	 * Whatever libraries keep from their first call on is no leak. One life may be too
	 * short to call them all.
	 */
	for (simulation.seed = 1; simulation.seed <= LIVES_BEFORE; simulation.seed++)
		live();
	simulation.counts = true;
	for (uint64_t i = 0; i < count; i++) {
		simulation.seed = first + i;
		live_and_return_memory();
		if (heap_can_fail() && simulation.seed % WITHOUT_MEMORY_EVERY == 0)
			live_without_memory();
	}
	printf("%" PRIu64 " lives from seed %" PRIu64 " on, none wrong\n", count, first);
	return 0;
}
