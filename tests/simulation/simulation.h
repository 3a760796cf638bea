/* SPDX-License-Identifier: MIT */
/*
 * Random lives of a part of the product, on fakes and in virtual time. A life follows
 * from its seed alone, so that a failure can be repeated: its seed and the command are
 * printed.
 */
#ifndef SIMULATION_H
#define SIMULATION_H

#include <stdbool.h>
#include <stdint.h>

/* What the product and the world around it do next. */
struct dice {
	uint64_t state;
};

/* 0..sides-1; sides is not 0. */
unsigned dice_roll(struct dice *dice, unsigned sides);
bool dice_chance(struct dice *dice, unsigned percent);

/* One life. It frees all that it allocates; what it finds wrong it says with MUST(). */
typedef void simulation_life_fn(struct dice *dice);

/*
 * The whole of main(): PROGRAM [--count LIVES] [--seed FIRST] [--trace]. Runs count lives,
 * with one seed after the other. In one of each 1000, memory runs out at a random moment,
 * except with a sanitizer, which also runs a tenth of the default count.
 */
int simulation_main(int argc, char **argv, simulation_life_fn *life,
		    unsigned long default_count);

/* A line for --trace. */
void simulation_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints what is wrong, with the seed, and ends the program. */
void simulation_fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/* What must hold in each life; name says it in words. */
#define MUST(name, condition) \
	((condition) ? (void)0 \
		     : simulation_fail("%s: %s (%s:%d)", name, #condition, __FILE__, __LINE__))

#endif
