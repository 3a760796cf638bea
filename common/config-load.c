/* SPDX-License-Identifier: MIT */
#include "common/config-loader.h"

#include <stdlib.h>

#include "common/config-file.h"
#include "common/config-options.h"
#include "common/xalloc.h"

enum { ERRORS_MAX = 65536 };	/* bytes of error text */

static void on_setting(const struct config_setting *setting, void *arg)
{
	struct config_loader *loader = arg;
	const struct config_option *option = &config_options[setting->option];
	unsigned *line = &loader->lines[setting->option];
	char *why;

	if (*line > 0) {
		config_error(loader, setting->line, "%s.%s is already set in line %u",
			     option->section, option->name, *line);
		return;
	}
	*line = setting->line;
	why = config_set(loader->config, option, setting->count, setting->items);
	if (why != NULL)
		config_error(loader, setting->line, "%s.%s = \"%s\": %s", option->section,
			     option->name, setting->count == 1 ? setting->items[0] : "{...}",
			     why);
	free(why);
}

static void on_error(unsigned line, const char *text, void *arg)
{
	config_error(arg, line, "%s", text);
}

static bool read_file(struct config_loader *loader)
{
	struct config_name *names = xcalloc(config_options_count, sizeof(*names));
	bool ok;

	for (size_t i = 0; i < config_options_count; i++)
		names[i] = (struct config_name){ config_options[i].section,
						 config_options[i].name };
	ok = config_file_read(loader->path, names, config_options_count, on_setting, on_error,
			      loader);
	free(names);
	return ok;
}

struct mum_config *mum_config_load(const char *path, enum mum_role role,
				   char **errors_r)
{
	struct mum_config *config = xcalloc(1, sizeof(*config));
	struct config_loader loader = {
		.path = path, .config = config, .errors = BUF_INIT(ERRORS_MAX),
		.lines = xcalloc(config_options_count, sizeof(*loader.lines)),
	};
	bool ok;

	config_set_defaults(config);
	ok = read_file(&loader);
	config_apply_role(&loader, role);
	config_check(&loader, role);
	*errors_r = NULL;
	if (!ok || loader.errors.len > 0 || loader.errors.failed) {
		config_end_errors(&loader);
		*errors_r = buf_steal(&loader.errors);
		mum_config_free(&config);
	}
	buf_free(&loader.errors);
	free(loader.lines);
	return config;
}
