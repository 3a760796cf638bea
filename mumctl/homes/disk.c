/* SPDX-License-Identifier: MIT */
#include "mumctl/homes/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "mumctl/paths.h"

enum { DEPTH_MAX = 200 };	/* of folders; each takes a descriptor */

/* Keeps the first thing that could not be read. */
static void complain(struct orphans *orphans, const char *path, int error)
{
	if (orphans->why == NULL)
		orphans->why = xjoin(path, ": ", strerror(error));
}

/* ---- reading a folder ---- */

/* An open folder. */
struct folder {
	struct orphans *orphans;
	const char *path;
	DIR *dir;
};

/* name: in the folder at (AT_FDCWD: anywhere), no link. False: gone, or it has complained. */
static bool open_folder(struct orphans *orphans, int at, const char *name, const char *path,
			int depth, struct folder *folder_r)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	int fd = depth < DEPTH_MAX ? openat(at, name, flags) : -1;

	*folder_r = (struct folder){ orphans, path, fd >= 0 ? fdopendir(fd) : NULL };
	if (folder_r->dir != NULL)
		return true;
	/* A folder may go meanwhile. */
	if (depth >= DEPTH_MAX || errno != ENOENT)
		complain(orphans, path, depth >= DEPTH_MAX ? ELOOP : errno);
	if (fd >= 0)
		close(fd);
	return false;
}

/* The path of the next entry, its name and what it is. NULL at the end. Caller frees. */
static char *next_entry(const struct folder *folder, const char **name_r, struct stat *status_r)
{
	const struct dirent *entry;

	for (;;) {
		errno = 0;
		entry = readdir(folder->dir);
		if (entry == NULL && errno != 0)
			complain(folder->orphans, folder->path, errno);
		if (entry == NULL)
			return NULL;
		*name_r = entry->d_name;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(folder->dir), entry->d_name, status_r, AT_SYMLINK_NOFOLLOW) == 0)
			return xjoin(strcmp(folder->path, "/") == 0 ? "" : folder->path, "/",
				     entry->d_name);
		if (errno != ENOENT)
			complain(folder->orphans, folder->path, errno);
	}
}

/* ---- finding ---- */

static void add(struct orphans *orphans, const char *path, const struct stat *status)
{
	orphans->items = xgrow(orphans->items, orphans->count, sizeof(*orphans->items));
	orphans->items[orphans->count++] =
		(struct orphan){ .path = xstrdup(path), .status = *status };
}

struct search {
	struct orphans *orphans;
	const struct home_names *names;
	bool deep;
};

static void find_in(const struct search *search, int at, const char *name, const char *path,
		    int depth)
{
	struct folder folder;
	struct stat status;
	const char *entry;
	char *below;

	if (!open_folder(search->orphans, at, name, path, depth, &folder))
		return;
	while ((below = next_entry(&folder, &entry, &status)) != NULL) {
		unsigned belongs = S_ISDIR(status.st_mode)
					   ? home_names_judge(search->names, below, &status)
					   : BELONGS_HOME;

		/* lost+found belongs to the file system. */
		if (belongs == BELONGS_TO_NOBODY && strcmp(entry, "lost+found") != 0)
			add(search->orphans, below, &status);
		else if (search->deep && (belongs & (BELONGS_ABOVE | BELONGS_HOME)) == BELONGS_ABOVE)
			find_in(search, dirfd(folder.dir), entry, below, depth + 1);
		free(below);
	}
	closedir(folder.dir);
}

void orphans_find(struct orphans *orphans, const struct home_names *names, const char *path,
		  bool deep)
{
	struct search search = { orphans, names, deep };

	find_in(&search, AT_FDCWD, path, path, 0);
}

/* ---- settling ---- */

static int compare(const void *one, const void *other)
{
	return path_compare(((const struct orphan *)one)->path,
			    ((const struct orphan *)other)->path);
}

void orphans_settle(struct orphans *orphans, const struct home_names *now)
{
	size_t kept = 0;

	if (orphans->count > 0)
		qsort(orphans->items, orphans->count, sizeof(*orphans->items), compare);
	for (size_t i = 0; i < orphans->count; i++) {
		struct orphan *orphan = &orphans->items[i];

		if ((kept > 0 && strcmp(orphans->items[kept - 1].path, orphan->path) == 0) ||
		    home_names_judge(now, orphan->path, &orphan->status) != BELONGS_TO_NOBODY)
			free(orphan->path);
		else
			orphans->items[kept++] = *orphan;
	}
	orphans->count = kept;
}

/* ---- sizes ---- */

static void measure_in(struct orphans *orphans, struct orphan *orphan, int at, const char *name,
		       const char *path, int depth)
{
	struct folder folder;
	struct stat status;
	const char *entry;
	char *below;

	if (!open_folder(orphans, at, name, path, depth, &folder))
		return;
	while ((below = next_entry(&folder, &entry, &status)) != NULL) {
		orphan->bytes += (uint64_t)status.st_blocks * 512;
		if (S_ISDIR(status.st_mode))
			measure_in(orphans, orphan, dirfd(folder.dir), entry, below, depth + 1);
		else if (status.st_mtime > orphan->changed)
			orphan->changed = status.st_mtime;
		free(below);
	}
	closedir(folder.dir);
}

/* An orphan without a file has its own age. */
void orphans_measure(struct orphans *orphans)
{
	for (size_t i = 0; i < orphans->count; i++) {
		struct orphan *orphan = &orphans->items[i];

		orphan->bytes = (uint64_t)orphan->status.st_blocks * 512;
		measure_in(orphans, orphan, AT_FDCWD, orphan->path, orphan->path, 0);
		if (orphan->changed == 0)
			orphan->changed = orphan->status.st_mtime;
	}
}

void orphans_clear(struct orphans *orphans)
{
	for (size_t i = 0; i < orphans->count; i++)
		free(orphans->items[i].path);
	free(orphans->items);
	free(orphans->why);
	*orphans = (struct orphans){ .count = 0 };
}
