/* SPDX-License-Identifier: MIT */
#include "common/config-file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/config-text.h"
#include "common/xalloc.h"

enum { FILE_SIZE_MAX = 1 << 20 };

#define BLANKS " \t\r\n"

struct reader {
	const struct config_name *names;
	size_t names_count;
	config_setting_fn *setting_fn;
	config_error_fn *error_fn;
	void *arg;
	const char *at;
	unsigned line;
	/* Where the last option ends, if it was a password: what follows may be part of it. */
	unsigned password_line;
	struct arena arena;	/* the items, of which one may be a password */
	const char **items;
	size_t items_count, items_size;
	bool failed;
};

/* Returns false, for the caller to do so too. */
__attribute__((format(printf, 3, 4)))
static bool complain(struct reader *reader, unsigned line, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	reader->error_fn(line, text, reader->arg);
	reader->failed = true;
	free(text);
	return false;
}

/* ---- between the words ---- */

static bool is_comment(const char *at)
{
	return *at == '#' || (*at == '/' && (at[1] == '/' || at[1] == '*'));
}

/* The end of the comment that begins here. */
static const char *end_of_comment(struct reader *reader, const char *at)
{
	const char *end;

	if (at[1] != '*' || *at == '#')
		return at + strcspn(at, "\n");
	end = strstr(at + 2, "*/");
	if (end != NULL)
		return end + 2;
	complain(reader, reader->line, "a comment does not end; add a */");
	return at + strlen(at);
}

static void skip_blanks(struct reader *reader)
{
	const char *end;

	do {
		end = is_comment(reader->at) ? end_of_comment(reader, reader->at)
					     : reader->at + strspn(reader->at, BLANKS);
		for (; reader->at < end; reader->at++)
			reader->line += *reader->at == '\n';
	} while (is_comment(end) || strspn(end, BLANKS) > 0);
}

/* Skips the character if it comes next. */
static bool take(struct reader *reader, char character)
{
	skip_blanks(reader);
	if (*reader->at != character)
		return false;
	reader->at++;
	return true;
}

/* ---- texts ---- */

/* The bytes of a word without quotation marks; 0: there is none. */
static size_t word_len(const char *at)
{
	size_t len = 0;

	while (at[len] != '\0' && strchr(BLANKS "\"'={}()+,", at[len]) == NULL &&
	       !is_comment(at + len))
		len++;
	return len;
}

/* The end of the text that begins here; NULL after a complaint. */
static const char *find_end(struct reader *reader, const char *at, char quote)
{
	for (; *at != quote; at++) {
		const char *fault = quote == '"' ? config_text_fault(at) : NULL;

		if (fault != NULL) {
			complain(reader, reader->line, "%s", fault);
			return NULL;
		}
		if (quote == '"' && *at == '\\' && at[1] != '\0')
			at++;
		if (*at == '\0' || *at == '\n') {
			complain(reader, reader->line,
				 "a text does not end in its line; add a %c", quote);
			return NULL;
		}
	}
	return at;
}

static char *read_quoted(struct reader *reader)
{
	char quote = *reader->at, *text;
	const char *from = reader->at + 1, *end = find_end(reader, from, quote);

	if (end == NULL)
		return NULL;
	reader->at = end + 1;
	if (quote == '\'')
		return arena_strndup(&reader->arena, from, (size_t)(end - from));
	text = arena_alloc(&reader->arena, config_text_decode(from, end, NULL) + 1);
	config_text_decode(from, end, text);
	return text;
}

/* NULL after a complaint. */
static char *read_text(struct reader *reader)
{
	size_t len;
	char *text;

	skip_blanks(reader);
	if (*reader->at == '"' || *reader->at == '\'')
		return read_quoted(reader);
	len = word_len(reader->at);
	if (len == 0) {
		complain(reader, reader->line,
			 "want a value; quotation marks go around one with blanks or punctuation");
		return NULL;
	}
	text = arena_strndup(&reader->arena, reader->at, len);
	reader->at += len;
	return text;
}

/* ---- options and sections ---- */

static bool read_item(struct reader *reader)
{
	char *text = read_text(reader);

	if (text == NULL)
		return false;
	if (reader->items_count == reader->items_size) {
		reader->items_size = reader->items_size * 2 + 8;
		reader->items = xrealloc(reader->items,
					 reader->items_size * sizeof(*reader->items));
	}
	reader->items[reader->items_count++] = text;
	return true;
}

static bool read_value(struct reader *reader)
{
	reader->items_count = 0;
	if (!take(reader, '{'))
		return read_item(reader);
	do {
		if (take(reader, '}'))
			return true;
		if (!read_item(reader))
			return false;
	} while (take(reader, ','));
	return take(reader, '}') ||
	       complain(reader, reader->line, "want a comma, or a } behind the list");
}

static bool is_word(const char *name, const char *word, size_t len)
{
	return strlen(name) == len && memcmp(name, word, len) == 0;
}

/* Reports a name, but shows none that may be part of a password without quotation marks. */
static bool refuse_name(struct reader *reader, const char *what, const char *word, size_t len,
			bool hidden)
{
	if (hidden)
		return complain(reader, reader->line,
				"no such %s, and it is not named here, for it may be part of a "
				"password; quotation marks go around the whole password", what);
	return complain(reader, reader->line, "no such %s '%.*s'", what, (int)len, word);
}

/* Reports the option that was read. section is NULL if there is no such section. */
static void report_option(struct reader *reader, const char *section, const char *word,
			  size_t len, unsigned line)
{
	struct config_setting setting = { 0, line, reader->items_count, reader->items };

	for (size_t i = 0; section != NULL && i < reader->names_count; i++) {
		if (strcmp(reader->names[i].section, section) != 0 ||
		    !is_word(reader->names[i].name, word, len))
			continue;
		setting.option = i;
		reader->setting_fn(&setting, reader->arg);
		return;
	}
	if (section != NULL)
		refuse_name(reader, "option", word, len, reader->password_line > 0);
}

static bool read_option(struct reader *reader, const char *section)
{
	const char *word = reader->at;
	size_t len = word_len(word);
	unsigned line = reader->line;

	reader->at += len;
	if (len == 0 || !take(reader, '='))
		return complain(reader, line,
				reader->password_line > 0
					? "want NAME = VALUE; quotation marks go around the "
					  "whole password"
					: "want NAME = VALUE, or a } behind the section");
	skip_blanks(reader);
	line = reader->line;
	if (!read_value(reader))
		return false;
	report_option(reader, section, word, len, line);
	reader->password_line = is_word("password", word, len) ? reader->line : 0;
	return true;
}

static const char *find_section(const struct reader *reader, const char *word, size_t len)
{
	for (size_t i = 0; i < reader->names_count; i++) {
		if (is_word(reader->names[i].section, word, len))
			return reader->names[i].section;
	}
	return NULL;
}

static bool read_section(struct reader *reader)
{
	const char *word = reader->at;
	size_t len = word_len(word);
	const char *section = find_section(reader, word, len);
	unsigned line = reader->line;

	if (len > 0 && section == NULL)
		refuse_name(reader, "section", word, len, reader->password_line == line);
	reader->at += len;
	reader->password_line = 0;
	if (len == 0 || !take(reader, '{'))
		return complain(reader, line, "want a section: NAME { ... }");
	while (!take(reader, '}')) {
		if (*reader->at == '\0')
			return complain(reader, line,
					"the file ends inside this section; add a }");
		if (!read_option(reader, section))
			return false;
	}
	return true;
}

/* ---- the file ---- */

/* All of it; NULL with errno. Caller frees. */
static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t len;

	if (file == NULL)
		return NULL;
	/* No buffer of the library may keep a password. */
	setvbuf(file, NULL, _IONBF, 0);
	text = xmalloc(FILE_SIZE_MAX);
	len = fread(text, 1, FILE_SIZE_MAX, file);
	if (ferror(file) != 0 || len == FILE_SIZE_MAX || memchr(text, '\0', len) != NULL) {
		if (ferror(file) == 0)
			errno = len == FILE_SIZE_MAX ? EFBIG : EILSEQ;
		free(text);
		text = NULL;
	} else {
		text[len] = '\0';
	}
	fclose(file);
	return text;
}

bool config_file_read(const char *path, const struct config_name *names,
		      size_t names_count, config_setting_fn *setting_fn,
		      config_error_fn *error_fn, void *arg)
{
	char *text = read_whole(path);
	struct reader reader = { .names = names, .names_count = names_count,
				 .setting_fn = setting_fn, .error_fn = error_fn, .arg = arg,
				 .at = text, .line = 1 };

	if (text == NULL)
		return complain(&reader, 0, "%s", strerror(errno));
	for (skip_blanks(&reader); *reader.at != '\0'; skip_blanks(&reader)) {
		if (!read_section(&reader))
			break;
	}
	free(reader.items);
	arena_wipe(&reader.arena);
	explicit_bzero(text, strlen(text));
	free(text);
	return !reader.failed;
}
