/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/keyed-hash.h"
#include "common/xalloc.h"

/* A key that was asked, and what came back. */
struct entry {
	UT_hash_handle hh;
	size_t line;		/* of the keys file; the last that has it */
	char *value;		/* NULL when not found */
	char key[];
};

struct stock {
	struct keyed_hash hash;
	struct entry *entries;
	size_t line;		/* of the last key that was answered */
};

static struct entry *find(const struct stock *stock, const char *key)
{
	struct entry *entry;

	KEYED_FIND(stock->entries, &stock->hash, key, strlen(key), entry);
	return entry;
}

static void add_key(struct stock *stock, const char *key, size_t line)
{
	struct entry *entry = find(stock, key);

	if (entry == NULL)
		KEYED_ADD(stock->entries, &stock->hash, key, strlen(key), entry, key);
	entry->line = line;
}

static bool read_keys(struct stock *stock, FILE *all)
{
	FILE *keys = keys_open(all);
	char *key = NULL;
	size_t size = 0;

	for (size_t line = 1; keys != NULL && getline(&key, &size, keys) > 0; line++) {
		key[strcspn(key, "\n")] = '\0';
		add_key(stock, key, line);
	}
	free(key);
	if (keys != NULL)
		fclose(keys);
	return keys != NULL;
}

/*
 * "key TAB value". Answers come in the order of the keys, and a value as it is: the
 * line after a newline in one is taken for another key's answer only if that key
 * is still to come, and then its own answer takes the place.
 */
static void add_line(struct stock *stock, char *line)
{
	char *tab = strchr(line, '\t');
	struct entry *entry;

	line[strcspn(line, "\n")] = '\0';
	if (tab == NULL)
		return;
	*tab = '\0';
	entry = find(stock, line);
	if (entry == NULL || entry->line < stock->line)
		return;
	stock->line = entry->line;
	free(entry->value);
	entry->value = xstrdup(tab + 1);
}

/* postmap -q - mysql:FILE <keys >output 2>errors. -1: complained about. */
static pid_t start_postmap(const char *mysql_file, FILE *keys, int output, FILE *errors)
{
	char *table = xasprintf("mysql:%s", mysql_file);
	char *argv[] = { "postmap", "-q", "-", table, NULL };
	posix_spawn_file_actions_t actions;
	extern char **environ;
	int error;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(keys), STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fileno(errors), STDERR_FILENO);
	error = posix_spawnp(&pid, "postmap", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(table);
	if (error == 0)
		return pid;
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

/* Takes over the other end of postmap's output. */
static bool read_answers(struct stock *stock, int fd)
{
	FILE *output = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;

	if (output == NULL) {
		tool_complain("postmap", strerror(errno));
		close(fd);
		return false;
	}
	while (getline(&line, &size, output) > 0)
		add_line(stock, line);
	fclose(output);
	free(line);
	return true;
}

static bool ask(struct stock *stock, const char *mysql_file, FILE *keys, FILE *errors)
{
	int ends[2];
	pid_t pid;
	bool good;

	if (lseek(fileno(keys), 0, SEEK_SET) != 0 || pipe2(ends, O_CLOEXEC) != 0) {
		tool_complain("postmap", strerror(errno));
		return false;
	}
	pid = start_postmap(mysql_file, keys, ends[1], errors);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return false;
	}
	good = read_answers(stock, ends[0]);
	good = is_good(pid, errors) && good;
	if (!good)
		tool_complain(mysql_file, "postmap could not ask this table");
	return good;
}

struct stock *stock_ask(const char *mysql_file, FILE *keys)
{
	struct stock *stock = xcalloc(1, sizeof(*stock));
	FILE *errors = tmpfile();

	keyed_hash_init(&stock->hash);
	if (errors == NULL) {
		tool_complain("postmap", strerror(errno));
		stock_free(&stock);
		return NULL;
	}
	if (!read_keys(stock, keys) || !ask(stock, mysql_file, keys, errors))
		stock_free(&stock);
	fclose(errors);
	return stock;
}

const char *stock_find(const struct stock *stock, const char *key)
{
	const struct entry *entry = find(stock, key);

	return entry != NULL ? entry->value : NULL;
}

char *stock_search(const struct stock *stock, const char *key, const char *delimiters)
{
	struct address *address;
	char *form = NULL;

	if (stock_find(stock, key) != NULL)
		return xstrdup(key);
	address = strchr(key, '@') == NULL
			  ? NULL : address_new(ADDRESS_MAIL, key, strlen(key), delimiters);
	for (size_t i = 0; address != NULL && form == NULL && i < address->forms_count; i++) {
		form = name_form(key, &address->forms[i]);
		if (stock_find(stock, form) == NULL) {
			free(form);
			form = NULL;
		}
	}
	address_unref(&address);
	return form;
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
		free(entry->value);
		free(entry);
	}
	free(stock);
}
