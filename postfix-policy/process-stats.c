/* SPDX-License-Identifier: MIT */
#include "postfix-policy/process-stats.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return 0;
	return seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
}

/* proc(5): sizes in pages. */
static void read_memory(struct metrics_process *process)
{
	FILE *file = fopen("/proc/self/statm", "re");
	size_t page = (size_t)sysconf(_SC_PAGESIZE), virtual_pages, resident_pages;

	process->virtual_bytes = process->resident_bytes = 0;
	if (file == NULL)
		return;
	if (fscanf(file, "%zu %zu", &virtual_pages, &resident_pages) == 2) {
		process->virtual_bytes = virtual_pages * page;
		process->resident_bytes = resident_pages * page;
	}
	fclose(file);
}

static size_t count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	if (directory == NULL)
		return 0;
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count > 0 ? count - 1 : 0;	/* without the directory's own */
}

void process_stats_read(struct metrics_process *process)
{
	struct rlimit limit;

	process->cpu_seconds = cpu_seconds();
	read_memory(process);
	process->open_fds = count_fds();
	process->max_fds = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}
