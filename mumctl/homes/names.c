/* SPDX-License-Identifier: MIT */
#include "mumctl/homes/names.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "common/keyed-hash.h"
#include "mumctl/paths.h"

struct inode {
	dev_t dev;
	ino_t ino;
};

struct name {
	UT_hash_handle hh, by_inode;	/* hh: by path */
	bool there;
	struct inode inode;	/* if it is there */
	unsigned belongs;
	char path[];
};

struct home_names {
	struct keyed_hash hash;
	struct name *paths;
	struct name *inodes;	/* the first name of each; it has the flags of all */
	char *why;
};

static struct name *find_path(const struct home_names *names, const char *path, size_t len)
{
	struct name *name;

	KEYED_FIND(names->paths, &names->hash, path, len, name);
	return name;
}

/* The hash reads the padding, too, so that must be zero. */
static struct inode inode_of(const struct stat *status)
{
	struct inode inode;

	memset(&inode, 0, sizeof(inode));
	inode.dev = status->st_dev;
	inode.ino = status->st_ino;
	return inode;
}

static struct name *find_inode(const struct home_names *names, const struct stat *status)
{
	struct inode inode = inode_of(status);
	struct name *name;

	HASH_FIND(by_inode, names->inodes, &inode, sizeof(inode), name);
	return name;
}

/* ---- what rows name ---- */

/* A missing path is fine; one that cannot be looked at is not. */
static void look(struct home_names *names, struct name *name)
{
	struct stat status;

	if (stat(name->path, &status) == 0) {
		name->there = true;
		name->inode = inode_of(&status);
		if (find_inode(names, &status) == NULL)
			HASH_ADD(by_inode, names->inodes, inode, sizeof(name->inode), name);
	} else if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG &&
		   errno != ELOOP && names->why == NULL) {
		names->why = xjoin(name->path, ": ", strerror(errno));
	}
}

static struct name *get(struct home_names *names, const char *path, size_t len)
{
	struct name *name = find_path(names, path, len);

	if (name != NULL)
		return name;
	KEYED_ADD(names->paths, &names->hash, path, len, name, path);
	look(names, name);
	return name;
}

static void mark(struct home_names *names, struct name *name, unsigned belongs)
{
	struct name *first = NULL;

	if (name->there)
		HASH_FIND(by_inode, names->inodes, &name->inode, sizeof(name->inode), first);
	name->belongs |= belongs;
	if (first != NULL)
		first->belongs |= belongs;
}

/* path is normal. If one folder is marked, all above it are. */
static void add(struct home_names *names, const char *path, unsigned belongs)
{
	struct name *name = get(names, path, strlen(path));

	mark(names, name, belongs);
	while (strcmp(name->path, "/") != 0) {
		name = get(names, name->path, path_parent_len(name->path));
		if ((name->belongs & BELONGS_ABOVE) != 0)
			return;
		mark(names, name, BELONGS_ABOVE);
	}
}

/* path: as a row has it, with links or "..", or not there. */
static void add_any(struct home_names *names, const char *path, unsigned belongs)
{
	char *normal = path_normal(path), *real = home_names_real(path);

	if (normal != NULL)
		add(names, normal, belongs);
	if (real != NULL && (normal == NULL || strcmp(real, normal) != 0))
		add(names, real, belongs);
	free(normal);
	free(real);
}

static void add_users(struct home_names *names)
{
	const struct passwd *user;
	char *why = names->why;

	names->why = NULL;
	setpwent();
	while ((user = getpwent()) != NULL) {
		if (*user->pw_dir == '/')
			add_any(names, user->pw_dir, BELONGS_SYSTEM);
	}
	endpwent();
	/* It does not matter if a home of the system cannot be looked at. */
	free(names->why);
	names->why = why;
}

struct home_names *home_names_new(const struct home_rows *rows, char **why_r)
{
	struct home_names *names = xcalloc(1, sizeof(*names));

	keyed_hash_init(&names->hash);
	for (size_t i = 0; i < rows->paths_count && names->why == NULL; i++)
		add_any(names, rows->paths[i], BELONGS_HOME);
	add_users(names);
	*why_r = names->why;
	if (names->why != NULL)
		home_names_free(&names);
	return names;
}

void home_names_free(struct home_names **_names)
{
	struct home_names *names = *_names;
	struct name *name, *next;

	*_names = NULL;
	if (names == NULL)
		return;
	HASH_CLEAR(by_inode, names->inodes);
	KEYED_FREE(names->paths, name, next);
	free(names);
}

/* ---- what is asked ---- */

unsigned home_names_judge(const struct home_names *names, const char *path,
			  const struct stat *status)
{
	const struct name *by_path = find_path(names, path, strlen(path));
	const struct name *by_inode = find_inode(names, status);

	return (by_path != NULL ? by_path->belongs : 0) | (by_inode != NULL ? by_inode->belongs : 0);
}

bool home_names_is_inside(const struct home_names *names, const char *path)
{
	char *real = home_names_real(path);
	bool inside = false;

	for (size_t len = strlen(real); !inside; len = path_parent_len(real)) {
		struct stat status;

		real[len] = '\0';
		if (stat(real, &status) == 0)
			inside = (home_names_judge(names, real, &status) & BELONGS_HOME) != 0;
		if (len == 1)
			break;
	}
	free(real);
	return inside;
}

bool home_names_is_there(const struct home_names *names, const char *path)
{
	const struct name *name = find_path(names, path, strlen(path));

	return name != NULL && name->there;
}

char *home_names_real(const char *path)
{
	char *real = realpath(path, NULL), *normal, *parent;
	const char *last;

	if (real != NULL || (normal = path_normal(path)) == NULL)
		return real;
	last = strrchr(normal, '/');
	parent = xstrndup(normal, path_parent_len(normal));
	if (strcmp(parent, normal) == 0) {
		free(normal);
		return parent;
	}
	real = home_names_real(parent);
	free(parent);
	parent = real;
	real = xjoin(strcmp(parent, "/") == 0 ? "" : parent, last, "");
	free(parent);
	free(normal);
	return real;
}
