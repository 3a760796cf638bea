/* SPDX-License-Identifier: MIT */
/*
 * The options of mum.conf: the only list of their names, types, defaults and limits,
 * and how a text becomes a value of each type.
 */
#ifndef MUM_CONFIG_OPTIONS_H
#define MUM_CONFIG_OPTIONS_H

#include <stddef.h>

#include "common/config.h"

enum config_option_type {
	OPTION_STRING,	/* const char * */
	OPTION_PATH,	/* the same, absolute: a process may change its folder */
	OPTION_LIST,	/* struct mum_list */
	OPTION_NUMBER,	/* unsigned */
	OPTION_TIME,	/* unsigned, ms: "500ms", "2s", "10m", "1h", "1d" */
	OPTION_SIZE,	/* size_t, bytes: "128M", "1G" */
	OPTION_MODE,	/* unsigned, octal */
	OPTION_BOOL,	/* bool */
	OPTION_CHOICE	/* an enum of config-choices.h, whose values are the words in order */
};

struct config_option {
	const char *section, *name;
	enum config_option_type type;
	size_t offset;		/* in struct mum_config */
	const char *value;	/* default; lists separate their items with a blank */
	const char *words;	/* OPTION_CHOICE: "first|second" */
	unsigned long min, max;	/* OPTION_NUMBER and OPTION_TIME (ms) */
};

/* Those of one section stand together. */
extern const struct config_option config_options[];
extern const size_t config_options_count;

/* The option that sets the member at this offset of struct mum_config. */
size_t config_option_at(size_t offset);

void config_set_defaults(struct mum_config *config);
/* Sets the member. NULL, or what the option wants instead; caller frees. */
char *config_set(struct mum_config *config, const struct config_option *option,
		 size_t count, const char *const *items);

#endif
