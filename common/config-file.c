/* SPDX-License-Identifier: MIT */
#include "common/config-file.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

/*
 * libconfuse gives its callbacks no context and stops at the first bad value,
 * so they only take notes, in the tree that it builds: each item remembers its
 * line, and each section has hidden lists, of complaints and of the options that
 * were set, one entry each time.
 */
#define COMPLAINTS "__complaints"
#define SET "__set"

/*
 * It also takes the end of the file for the end of a section. An option that
 * exists nowhere, put behind the file, is then complained of in that section.
 */
#define END_OF_FILE "__end_of_file"

enum { FILE_SIZE_MAX = 1 << 20 };

struct item {
	unsigned line;
	char text[];
};

struct reader {
	const struct config_name *names;
	size_t names_count;
	cfg_opt_t *root;	/* one section option for each section name */
	cfg_opt_t **sections;	/* their options */
	size_t sections_count;
};

static struct item *item_new(int line, const char *text)
{
	size_t size = strlen(text) + 1;
	struct item *item = xmalloc(sizeof(*item) + size);

	item->line = line > 0 ? (unsigned)line : 0;
	memcpy(item->text, text, size);
	return item;
}

/* One of them may be a password. */
static void item_free(void *_item)
{
	struct item *item = _item;

	explicit_bzero(item->text, strlen(item->text));
	free(item);
}

/* Of the hidden lists. */
static int keep_note(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	(void)opt;
	*(struct item **)result = item_new(cfg->line, value);
	return 0;
}

static void add_note(cfg_t *cfg, const char *list, const char *text)
{
	cfg_opt_t *notes = cfg_getopt(cfg, list);

	if (notes != NULL)
		cfg_setopt(cfg, notes, text);
}

static int keep_item(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	/* "=" drops what was set before, so this is the first item each time. */
	if (cfg_opt_size(opt) == 1)
		add_note(cfg, SET, opt->name);
	*(struct item **)result = item_new(cfg->line, value);
	return 0;
}

/* NULL if the section has no such list; cfg_getopt() would complain. */
static cfg_opt_t *find_list(cfg_t *cfg, const char *name)
{
	for (cfg_opt_t *opt = cfg->opts; opt->name != NULL; opt++) {
		if (strcmp(opt->name, name) == 0)
			return opt;
	}
	return NULL;
}

/* The line of the password that a section has set last; 0: it is another option. */
static unsigned password_line(cfg_t *section)
{
	cfg_opt_t *set = find_list(section, SET);
	unsigned count = cfg_opt_size(set);
	const struct item *last = count > 0 ? cfg_opt_getnptr(set, count - 1) : NULL;

	return last != NULL && strcmp(last->text, "password") == 0 ? last->line : 0;
}

/*
 * Of a password that should stand in quotation marks and does not, libconfuse takes
 * the first part for its value and the rest for names of options or, behind a }, of
 * sections.
 */
static bool may_name_password(cfg_t *cfg, const char *text)
{
	if (find_list(cfg, SET) != NULL)
		return password_line(cfg) > 0;
	for (cfg_opt_t *opt = cfg->opts; opt->name != NULL; opt++) {
		for (unsigned i = 0; opt->type == CFGT_SEC && i < cfg_opt_size(opt); i++) {
			unsigned line = password_line(cfg_opt_getnsec(opt, i));

			if (line > 0 && (line == (unsigned)cfg->line ||
					 strstr(text, "missing equal sign") != NULL))
				return true;
		}
	}
	return false;
}

static void complain(cfg_t *cfg, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void complain(cfg_t *cfg, const char *format, va_list args)
{
	char *text = xvasprintf(format, args);

	if (strstr(text, END_OF_FILE) != NULL) {
		if (find_list(cfg, SET) != NULL)
			add_note(cfg, COMPLAINTS,
				 "the file ends inside this section; add a }");
	} else if (may_name_password(cfg, text)) {
		add_note(cfg, COMPLAINTS, "no such option, and it is not named here, for it "
					  "may be part of a password; quotation marks go "
					  "around the whole password");
	} else {
		add_note(cfg, COMPLAINTS, text);
	}
	explicit_bzero(text, strlen(text));
	free(text);
}

static bool starts_section(const struct reader *reader, size_t i)
{
	return i == 0 ||
	       strcmp(reader->names[i].section, reader->names[i - 1].section) != 0;
}

/* Fills reader->root and reader->sections from the names. */
static void make_tree(struct reader *reader)
{
	const cfg_opt_t complaints[] = { CFG_PTR_LIST_CB(COMPLAINTS, NULL, CFGF_NONE,
							 keep_note, item_free) };
	const cfg_opt_t set[] = { CFG_PTR_LIST_CB(SET, NULL, CFGF_NONE, keep_note,
						  item_free) };
	const cfg_opt_t end_of_file[] = { CFG_PTR_LIST_CB(END_OF_FILE, NULL, CFGF_NONE,
							  keep_note, item_free) };
	const cfg_opt_t end[] = { CFG_END() };
	size_t used = 0;

	reader->root = xcalloc(reader->names_count + 3, sizeof(cfg_opt_t));
	reader->sections = xcalloc(reader->names_count, sizeof(cfg_opt_t *));
	for (size_t i = 0; i < reader->names_count; i++) {
		const cfg_opt_t option[] = { CFG_PTR_LIST_CB(
			reader->names[i].name, NULL, CFGF_NONE, keep_item, item_free) };
		cfg_opt_t *options;

		if (starts_section(reader, i)) {
			reader->sections[reader->sections_count++] =
				xcalloc(reader->names_count + 3, sizeof(cfg_opt_t));
			used = 0;
		}
		options = reader->sections[reader->sections_count - 1];
		options[used++] = option[0];
		options[used] = complaints[0];
		options[used + 1] = set[0];
		options[used + 2] = end[0];
		if (starts_section(reader, i)) {
			/* Unknown names complain and, as strings, let parsing go on. */
			const cfg_opt_t section[] = {
				CFG_SEC(reader->names[i].section, options,
					CFGF_MULTI | CFGF_KEYSTRVAL)
			};

			reader->root[reader->sections_count - 1] = section[0];
		}
	}
	reader->root[reader->sections_count] = complaints[0];
	reader->root[reader->sections_count + 1] = end_of_file[0];
	reader->root[reader->sections_count + 2] = end[0];
}

static void free_tree(struct reader *reader)
{
	for (size_t i = 0; i < reader->sections_count; i++)
		free(reader->sections[i]);
	free(reader->sections);
	free(reader->root);
}

static void report_setting(cfg_t *section, size_t option, const char *name,
			   config_setting_fn *fn, void *arg)
{
	cfg_opt_t *opt = cfg_getopt(section, name);
	size_t count = cfg_opt_size(opt);
	const char **texts;
	struct config_setting setting = { option, 0, count, NULL };

	if ((opt->flags & CFGF_MODIFIED) == 0)
		return;
	texts = xcalloc(count, sizeof(*texts));
	for (size_t i = count; i-- > 0;) {
		struct item *item = cfg_opt_getnptr(opt, (unsigned)i);

		texts[i] = item->text;
		setting.line = item->line;
	}
	setting.items = texts;
	fn(&setting, arg);
	free(texts);
}

static size_t report_complaints(cfg_t *cfg, config_error_fn *fn, void *arg)
{
	cfg_opt_t *complaints = cfg_getopt(cfg, COMPLAINTS);
	unsigned count = cfg_opt_size(complaints);

	for (unsigned i = 0; i < count; i++) {
		struct item *item = cfg_opt_getnptr(complaints, i);

		fn(item->line, item->text, arg);
	}
	return count;
}

/* Options that one section sets more than once. */
static size_t report_duplicates(cfg_t *section, const char *section_name,
				config_error_fn *fn, void *arg)
{
	cfg_opt_t *set = cfg_getopt(section, SET);
	unsigned count = cfg_opt_size(set);
	size_t errors = 0;

	for (unsigned i = 1; i < count; i++) {
		struct item *item = cfg_opt_getnptr(set, i);

		for (unsigned before = 0; before < i; before++) {
			struct item *first = cfg_opt_getnptr(set, before);
			char *text;

			if (strcmp(first->text, item->text) != 0)
				continue;
			text = xasprintf("%s.%s is already set in line %u", section_name,
					 item->text, first->line);
			fn(item->line, text, arg);
			free(text);
			errors++;
			break;
		}
	}
	return errors;
}

/* Each option of each section in the order of the names; the root's complaints last. */
static size_t report(const struct reader *reader, cfg_t *cfg,
		     config_setting_fn *setting_fn, config_error_fn *error_fn,
		     void *arg)
{
	size_t errors = 0;

	for (size_t i = 0; i < reader->names_count; i++) {
		const struct config_name *name = &reader->names[i];
		unsigned sections = cfg_size(cfg, name->section);

		for (unsigned n = 0; n < sections; n++) {
			cfg_t *section = cfg_getnsec(cfg, name->section, n);

			if (starts_section(reader, i)) {
				errors += report_complaints(section, error_fn, arg);
				errors += report_duplicates(section, name->section,
							    error_fn, arg);
			}
			report_setting(section, i, name->name, setting_fn, arg);
		}
	}
	return errors + report_complaints(cfg, error_fn, arg);
}

/* ---- the text ---- */

/* Where the comment at text ends; text itself when none begins there. */
static char *skip_comment(char *text)
{
	char *end;

	if (*text == '#' || strncmp(text, "//", 2) == 0)
		return text + strcspn(text, "\n");
	if (strncmp(text, "/*", 2) != 0)
		return text;
	end = strstr(text + 2, "*/");
	return end != NULL ? end + 2 : text + strlen(text);
}

/* libconfuse counts the lines of comments twice: none reach it. */
static void blank_comments(char *text)
{
	char quote = '\0';

	while (*text != '\0') {
		char *end = quote == '\0' ? skip_comment(text) : text;

		for (; text < end; text++) {
			if (*text != '\n')
				*text = ' ';
		}
		if (*text == '\\' && quote != '\0' && text[1] != '\0')
			text++;
		else if (quote == '\0' && (*text == '"' || *text == '\''))
			quote = *text;
		else if (*text == quote)
			quote = '\0';
		if (*text != '\0')
			text++;
	}
}

/* The whole file and the marker behind it; NULL with errno. Caller frees. */
static char *read_text(const char *path)
{
	static const char marker[] = "\n" END_OF_FILE " = 1\n";
	FILE *file = fopen(path, "re");
	char *text;
	size_t len;

	if (file == NULL)
		return NULL;
	/* Neither here nor below may a buffer of the library keep a password. */
	setvbuf(file, NULL, _IONBF, 0);
	text = xmalloc(FILE_SIZE_MAX + sizeof(marker));
	len = fread(text, 1, FILE_SIZE_MAX, file);
	if (ferror(file) != 0 || len == FILE_SIZE_MAX || memchr(text, '\0', len) != NULL) {
		if (ferror(file) == 0)
			errno = len == FILE_SIZE_MAX ? EFBIG : EILSEQ;
		fclose(file);
		free(text);
		return NULL;
	}
	fclose(file);
	text[len] = '\0';
	blank_comments(text);
	memcpy(text + len, marker, sizeof(marker));
	return text;
}

static int parse_text(cfg_t *cfg, char *text)
{
	FILE *file = fmemopen(text, strlen(text), "r");
	int result;

	if (file == NULL)
		abort();	/* only without memory */
	setvbuf(file, NULL, _IONBF, 0);
	result = cfg_parse_fp(cfg, file);
	fclose(file);
	return result;
}

bool config_file_read(const char *path, const struct config_name *names,
		      size_t names_count, config_setting_fn *setting_fn,
		      config_error_fn *error_fn, void *arg)
{
	struct reader reader = { .names = names, .names_count = names_count };
	char *text = read_text(path);
	cfg_t *cfg;
	size_t errors;
	int result;

	if (text == NULL) {
		error_fn(0, strerror(errno), arg);
		return false;
	}
	make_tree(&reader);
	cfg = cfg_init(reader.root, CFGF_KEYSTRVAL);
	if (cfg == NULL)
		abort();	/* only without memory */
	cfg_set_error_function(cfg, complain);
	cfg->filename = xstrdup(path);
	result = parse_text(cfg, text);
	errors = report(&reader, cfg, setting_fn, error_fn, arg);
	if (result != CFG_SUCCESS && errors == 0) {
		error_fn(0, "cannot be read as a configuration", arg);
		errors = 1;
	}
	cfg_free(cfg);
	free_tree(&reader);
	explicit_bzero(text, strlen(text));
	free(text);
	return errors == 0;
}
