/* SPDX-License-Identifier: MIT */
#include "mumctl/doveconf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/run-lines.h"

enum { ARGUMENTS_MAX = 32 };

/* A setting; or the beginning of a section, whose name is NULL. */
struct entry {
	char *section, *name, *value;
};

struct doveconf {
	size_t count;
	struct entry *entries;
	char *section;		/* where the next line is */
};

struct doveconf *doveconf_new(void)
{
	struct doveconf *conf = xcalloc(1, sizeof(*conf));

	conf->section = xstrdup("");
	return conf;
}

/* Some values are secrets. */
static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void doveconf_free(struct doveconf **_conf)
{
	struct doveconf *conf = *_conf;

	*_conf = NULL;
	if (conf == NULL)
		return;
	for (size_t i = 0; i < conf->count; i++) {
		free(conf->entries[i].section);
		free(conf->entries[i].name);
		wipe(conf->entries[i].value);
	}
	free(conf->entries);
	free(conf->section);
	free(conf);
}

/* ---- one line ---- */

char *doveconf_unquote(char *value)
{
	char *to = value;
	size_t len = strlen(value);

	if (len < 2 || value[0] != '"' || value[len - 1] != '"')
		return value;
	value[len - 1] = '\0';
	for (const char *from = value + 1; *from != '\0'; from++) {
		from += *from == '\\' && from[1] != '\0';
		*to++ = *from;
	}
	*to = '\0';
	return value;
}

static void add_entry(struct doveconf *conf, char *name, char *value)
{
	conf->entries = xrealloc(conf->entries, (conf->count + 1) * sizeof(*conf->entries));
	conf->entries[conf->count++] = (struct entry){ xstrdup(conf->section), name, value };
}

static void open_section(struct doveconf *conf, const char *name)
{
	char *outer = conf->section;

	conf->section = xjoin(outer, *outer != '\0' ? DOVECONF_INNER : "", name);
	free(outer);
	add_entry(conf, NULL, NULL);
}

static void close_section(struct doveconf *conf)
{
	char *last = strrchr(conf->section, *DOVECONF_INNER);

	*(last != NULL ? last : conf->section) = '\0';
}

/* The '=' behind a setting's name, which may be in quotes and hold anything there. */
static char *find_equals(char *line)
{
	bool quoted = false;

	for (; *line != '\0' && (quoted || *line != '='); line++) {
		if (*line == '"')
			quoted = !quoted;
		else if (quoted && *line == '\\' && line[1] != '\0')
			line++;
	}
	return *line == '=' ? line : NULL;
}

void doveconf_add_line(struct doveconf *conf, char *line)
{
	const char *start = line;
	size_t len = text_trim(&start, strlen(line));
	char *text = xstrndup(start, len), *equals = find_equals(text);

	if (len > 2 && strcmp(text + len - 2, " {") == 0 && equals == NULL) {
		text[len - 2] = '\0';
		open_section(conf, text);
	} else if (strcmp(text, "}") == 0) {
		close_section(conf);
	} else if (len > 0 && *text != '#' && equals != NULL) {
		const char *name = text, *value = equals + 1;
		size_t name_len = text_trim(&name, (size_t)(equals - text));

		len = text_trim(&value, strlen(value));
		add_entry(conf, doveconf_unquote(xstrndup(name, name_len)),
			  doveconf_unquote(xstrndup(value, len)));
	}
	wipe(text);
	explicit_bzero(line, strlen(line));
}

/* ---- the program ---- */

struct run {
	struct doveconf *conf;
	char *error;		/* the last one */
};

static void on_line(char *line, bool is_error, void *arg)
{
	struct run *run = arg;

	if (!is_error) {
		doveconf_add_line(run->conf, line);
		return;
	}
	free(run->error);
	run->error = xstrdup(line);
}

struct doveconf *doveconf_load(const char *file, const char *const *names, char **why_r)
{
	const char *argv[ARGUMENTS_MAX] = { "doveconf", "-P" };
	size_t count = 2;
	struct run run = { doveconf_new(), NULL };

	if (file != NULL) {
		argv[count++] = "-c";
		argv[count++] = file;
	}
	for (size_t i = 0; names[i] != NULL && count < ARGUMENTS_MAX - 1; i++)
		argv[count++] = names[i];
	/* If users or files are missing here, it complains and goes on. */
	if (run_lines(argv, on_line, &run) == 0) {
		free(run.error);
		run.error = NULL;
	} else if (run.error == NULL) {
		run.error = xstrdup("doveconf failed");
	}
	*why_r = run.error;
	return run.conf;
}

/* ---- what it said ---- */

const char *doveconf_value(const struct doveconf *conf, const char *section, const char *name)
{
	for (size_t i = 0; i < conf->count; i++) {
		const struct entry *entry = &conf->entries[i];

		if (entry->name != NULL && strcmp(entry->section, section) == 0 &&
		    strcmp(entry->name, name) == 0)
			return entry->value;
	}
	return NULL;
}

/* Is it the first one with this section's name? */
static bool is_first(const struct doveconf *conf, size_t number)
{
	for (size_t i = 0; i < number; i++) {
		if (conf->entries[i].name == NULL &&
		    strcmp(conf->entries[i].section, conf->entries[number].section) == 0)
			return false;
	}
	return true;
}

void doveconf_each_section(const struct doveconf *conf, doveconf_section_fn *fn, void *arg)
{
	for (size_t i = 0; i < conf->count; i++) {
		if (conf->entries[i].name == NULL && is_first(conf, i))
			fn(conf->entries[i].section, arg);
	}
}

void doveconf_each_setting(const struct doveconf *conf, const char *section,
			   doveconf_setting_fn *fn, void *arg)
{
	for (size_t i = 0; i < conf->count; i++) {
		const struct entry *entry = &conf->entries[i];

		if (entry->name != NULL && strcmp(entry->section, section) == 0)
			fn(entry->name, entry->value, arg);
	}
}
