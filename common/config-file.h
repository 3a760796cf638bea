/* SPDX-License-Identifier: MIT */
/*
 * The syntax of mum.conf. Knows which names exist, not what their values mean.
 *
 *	file    = { NAME "{" { option } "}" }
 *	option  = NAME "=" ( text | "{" [ text { "," text } ] "}" )
 *	text    = bytes without blanks and punctuation, or in quotation marks
 *
 * Comments begin with # or // and end with the line, or stand between slash-asterisks.
 */
#ifndef MUM_CONFIG_FILE_H
#define MUM_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* What the file says for one option; items are gone when the callback returns. */
struct config_setting {
	size_t option;		/* index into the names */
	unsigned line;		/* of the value */
	size_t count;
	const char *const *items;
};

struct config_name {
	const char *section, *name;
};

typedef void config_setting_fn(const struct config_setting *setting, void *arg);
/* line 0 means the file as a whole. */
typedef void config_error_fn(unsigned line, const char *text, void *arg);

/*
 * Calls setting_fn for each option set in the file and error_fn for each name that is
 * unknown, in the order of the file, up to the first error of syntax. No error repeats
 * what may be a password. False when there was an error.
 */
bool config_file_read(const char *path, const struct config_name *names,
		      size_t names_count, config_setting_fn *setting_fn,
		      config_error_fn *error_fn, void *arg);

#endif
