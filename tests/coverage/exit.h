/* SPDX-License-Identifier: MIT */
/* In front of each source when lines are counted: _exit() would not write the counts. */
#ifndef MUM_COVERAGE_EXIT_H
#define MUM_COVERAGE_EXIT_H

/* Not string.h: configure could not tell what is declared without it. */
#include <sysexits.h>
#include <unistd.h>

void __gcov_dump(void);

__attribute__((noreturn)) static inline void coverage_exit(int status)
{
	/* It would crash without memory, which common/xalloc.c has not, and tests may not have. */
	if (status != EX_OSERR && __builtin_strstr(__BASE_FILE__, "/tests/") == NULL)
		__gcov_dump();
	_exit(status);
}
#define _exit coverage_exit

#endif
