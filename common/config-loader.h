/* SPDX-License-Identifier: MIT */
/* One run of mum_config_load() (config-load.c), shared by its files. */
#ifndef MUM_CONFIG_LOADER_H
#define MUM_CONFIG_LOADER_H

#include "common/buf.h"
#include "common/config.h"

struct config_loader {
	const char *path;
	struct mum_config *config;
	struct buf errors;
	unsigned *lines;	/* where each of config_options was set; 0 = nowhere */
};

/* Adds an error in that line; 0: in the whole file. */
void config_error(struct config_loader *loader, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Says so when the list of errors was cut. */
void config_end_errors(struct config_loader *loader);

/* The line that set the member of struct mum_config; 0: none did. */
#define CONFIG_LINE(loader, member) \
	((loader)->lines[config_option_at(offsetof(struct mum_config, member))])

/* Passwords (config-role.c): from here on database.* is what the role uses. */
void config_apply_role(struct config_loader *loader, enum mum_role role);
/* Reads myorigin and checks the values (config-check.c). */
void config_check(struct config_loader *loader, enum mum_role role);

#endif
