/* SPDX-License-Identifier: MIT */
#include "mumctl/compare.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/keyed-hash.h"
#include "common/xalloc.h"

struct entry {
	UT_hash_handle hh;
	char *key, *value;
};

struct stock {
	struct keyed_hash hash;
	struct entry *entries;
};

static struct entry *find(const struct stock *stock, const char *key)
{
	size_t len = strlen(key);
	struct entry *entry;

	HASH_FIND_BYHASHVALUE(hh, stock->entries, key, len,
			      keyed_hash(&stock->hash, key, len), entry);
	return entry;
}

/* "key TAB value" */
static void add_line(struct stock *stock, char *line)
{
	char *tab = strchr(line, '\t');
	struct entry *entry;
	size_t len;

	line[strcspn(line, "\n")] = '\0';
	if (tab == NULL)
		return;
	*tab = '\0';
	if (find(stock, line) != NULL)
		return;
	entry = xcalloc(1, sizeof(*entry));
	entry->key = xstrdup(line);
	entry->value = xstrdup(tab + 1);
	len = strlen(entry->key);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, stock->entries, entry->key, len,
				    keyed_hash(&stock->hash, entry->key, len), entry);
}

/* postmap -q - mysql:FILE <keys 2>errors; its output comes through *fd_r. */
static pid_t start_postmap(const char *mysql_file, const char *keys_file, FILE *errors,
			   int *fd_r)
{
	char *table = xasprintf("mysql:%s", mysql_file);
	char *argv[] = { "postmap", "-q", "-", table, NULL };
	posix_spawn_file_actions_t actions;
	extern char **environ;
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, keys_file, O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fileno(errors), STDERR_FILENO);
	error = posix_spawnp(&pid, "postmap", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	free(table);
	*fd_r = ends[0];
	if (error == 0)
		return pid;
	close(ends[0]);
	tool_complain("postmap", strerror(error));
	return -1;
}

/* Hands on what postmap complained about. Did it give up? */
static bool has_failed(FILE *errors)
{
	char *line = NULL;
	size_t size = 0;
	bool failed = false;

	rewind(errors);
	while (getline(&line, &size, errors) > 0) {
		line[strcspn(line, "\n")] = '\0';
		failed = failed || strstr(line, "fatal: ") != NULL;
		tool_complain("postmap", line);
	}
	free(line);
	return failed;
}

/* It ends with 1 when nothing was found, and when it has asked nobody. */
static bool is_good(pid_t pid, FILE *errors)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return false;
	return !has_failed(errors) && WEXITSTATUS(status) <= 1;
}

struct stock *stock_ask(const char *mysql_file, const char *keys_file)
{
	struct stock *stock = xcalloc(1, sizeof(*stock));
	size_t size = 0;
	char *line = NULL;
	FILE *output, *errors = tmpfile();
	bool good = false;
	pid_t pid;
	int fd;

	if (errors == NULL)
		abort();
	keyed_hash_init(&stock->hash);
	pid = start_postmap(mysql_file, keys_file, errors, &fd);
	if (pid > 0) {
		output = fdopen(fd, "r");
		if (output == NULL)
			abort();
		while (getline(&line, &size, output) > 0)
			add_line(stock, line);
		fclose(output);
		free(line);
		good = is_good(pid, errors);
		if (!good)
			tool_complain(mysql_file, "postmap could not ask this table");
	}
	fclose(errors);
	if (!good)
		stock_free(&stock);
	return stock;
}

const char *stock_find(const struct stock *stock, const char *key)
{
	const struct entry *entry = find(stock, key);

	return entry != NULL ? entry->value : NULL;
}

void stock_free(struct stock **_stock)
{
	struct stock *stock = *_stock;
	struct entry *entry, *next;

	*_stock = NULL;
	if (stock == NULL)
		return;
	HASH_ITER(hh, stock->entries, entry, next) {
		HASH_DELETE(hh, stock->entries, entry);
		free(entry->key);
		free(entry->value);
		free(entry);
	}
	free(stock);
}
