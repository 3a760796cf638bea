/* SPDX-License-Identifier: MIT */
/* The folders on this machine that belong to no mailbox. Follows no links, changes nothing. */
#ifndef MUM_HOMES_DISK_H
#define MUM_HOMES_DISK_H

#include <stdint.h>
#include <time.h>

#include "mumctl/homes/names.h"

struct orphan {
	char *path;
	struct stat status;
	/* After orphans_measure(): the disk space of all in it; the last change of a file. */
	uint64_t bytes;
	time_t changed;
};

struct orphans {
	size_t count;
	struct orphan *items;
	char *why;	/* the first thing that could not be read, or NULL */
};

/*
 * Adds the orphans in one folder, whose path has no links. deep: also those in the folders
 * below it that hold homes.
 */
void orphans_find(struct orphans *orphans, const struct home_names *names, const char *path,
		  bool deep);
/* Sorts the orphans, and drops those that are there twice or belong by now. */
void orphans_settle(struct orphans *orphans, const struct home_names *now);
void orphans_measure(struct orphans *orphans);
void orphans_clear(struct orphans *orphans);

#endif
