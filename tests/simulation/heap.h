/* SPDX-License-Identifier: MIT */
/*
 * How much of the heap a simulation has in use, and allocations that fail on demand.
 * heap.c replaces malloc() and its kin in the whole program, libraries included. A
 * sanitizer does so itself: there it is asked for the bytes, and nothing fails.
 */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Blocks that were allocated and not freed; with a sanitizer, bytes. */
size_t heap_in_use(void);
/* Allocations so far; with a sanitizer, 0. */
unsigned long heap_allocations(void);

/* False: heap_fail_at() does nothing. */
bool heap_can_fail(void);
/* From now on the n-th allocation and all after it fail; 0: none does. */
void heap_fail_at(unsigned long n);
/* Has one failed? */
bool heap_has_failed(void);

#endif
