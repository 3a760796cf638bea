/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/keyed-hash.h"
#include "common/xalloc.h"
#include "mumctl/run-lines.h"

/* A key that we ask for, and what came back. */
struct entry {
	UT_hash_handle hh;
	size_t line;		/* its line in what postmap gets */
	char *value;		/* NULL when not found */
	char key[];
};

struct stock {
	struct keyed_hash hash;
	struct entry *entries;
	size_t line;		/* of the last key with an answer */
	bool failed;		/* postmap gave up */
};

static struct entry *find(const struct stock *stock, const char *key)
{
	struct entry *entry;

	KEYED_FIND(stock->entries, &stock->hash, key, strlen(key), entry);
	return entry;
}

/* The file has no name, so that nothing is left of it, however the program ends. */
static FILE *open_temporary(void)
{
	const char *directory = getenv("TMPDIR");
	char *path = xasprintf("%s/mumctl-keys-XXXXXX", directory != NULL ? directory : "/tmp");
	int fd = mkostemp(path, O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;

	if (file == NULL)
		tool_complain(path, strerror(errno));
	if (fd >= 0)
		unlink(path);
	if (file == NULL && fd >= 0)
		close(fd);
	free(path);
	return file;
}

/* The keys, one on a line, as postmap reads them. NULL: it has complained. */
static FILE *write_keys(struct stock *stock, const struct names *names, unsigned kinds)
{
	FILE *file = open_temporary();
	struct entry *entry;
	size_t line = 0;

	if (file == NULL)
		return NULL;
	for (const struct name *name = names->first; name != NULL; name = name->hh.next) {
		if (((name->kinds | name->searched) & kinds) == 0)
			continue;
		fprintf(file, "%s\n", name->text);
		KEYED_ADD(stock->entries, &stock->hash, name->text, strlen(name->text), entry,
			  key);
		entry->line = ++line;
	}
	if (fflush(file) == 0 && lseek(fileno(file), 0, SEEK_SET) == 0)
		return file;
	tool_complain("keys", strerror(errno));
	fclose(file);
	return NULL;
}

/*
 * "key TAB value". Answers come in the order of the keys. A value may hold a newline:
 * what follows it counts as another key's answer only if that key is still to come,
 * and that key's own answer then replaces it.
 */
static void add_line(struct stock *stock, char *line)
{
	char *tab = strchr(line, '\t');
	struct entry *entry;

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

static void on_line(char *line, bool is_error, void *arg)
{
	struct stock *stock = arg;

	if (!is_error) {
		add_line(stock, line);
		return;
	}
	stock->failed = stock->failed || strstr(line, "fatal: ") != NULL;
	tool_complain("postmap", line);
}

/* postmap ends with 1 if it found nothing, and if it could not ask. */
static bool ask(struct stock *stock, const char *mysql_file, FILE *keys)
{
	char *table = xasprintf("mysql:%s", mysql_file);
	const char *const argv[] = { "postmap", "-q", "-", table, NULL };
	int status = run_lines_with(argv, fileno(keys), RUN_FOR_EVER, on_line, stock);

	free(table);
	if (status <= 1 && !stock->failed)
		return true;
	tool_complain(mysql_file, "postmap could not ask this table");
	return false;
}

struct stock *stock_ask(const char *mysql_file, const struct names *names, unsigned kinds)
{
	struct stock *stock = xcalloc(1, sizeof(*stock));
	FILE *keys;

	keyed_hash_init(&stock->hash);
	keys = write_keys(stock, names, kinds);
	if (keys == NULL || !ask(stock, mysql_file, keys))
		stock_free(&stock);
	if (keys != NULL)
		fclose(keys);
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
	KEYED_FREE_WITH(stock->entries, entry, next, value);
	free(stock);
}

bool stock_complain_missing(const char *file, const char *what)
{
	bool good = errno == ENOENT;
	char *why = xasprintf("%s; %s", strerror(errno), what);

	tool_complain(file, why);
	free(why);
	return good;
}
