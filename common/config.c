/* SPDX-License-Identifier: MIT */
#include "common/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/config-file.h"
#include "common/config-loader.h"
#include "common/config-options.h"
#include "common/endpoint.h"
#include "common/log-text.h"
#include "common/secret.h"
#include "common/xalloc.h"

enum {
	ERRORS_MAX = 65536,	/* bytes of error text */
	ERROR_MAX = 2048	/* bytes of one: it may repeat a value of any length */
};

/* ---- errors ---- */

void config_error(struct config_loader *loader, unsigned line, const char *format, ...)
{
	const char *newline = loader->errors.len > 0 ? "\n" : "";
	char shown[ERROR_MAX];	/* on one line, whatever the value in it holds */
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	log_escape(shown, sizeof(shown), text, "");
	free(text);
	if (line > 0)
		buf_printf(&loader->errors, "%s%s:%u: %s", newline, loader->path, line, shown);
	else
		buf_printf(&loader->errors, "%s%s: %s", newline, loader->path, shown);
}

/* Says so when the list of errors was cut. */
static void end_errors(struct config_loader *loader)
{
	bool failed = loader->errors.failed;

	loader->errors.failed = false;
	loader->errors.limit += strlen(loader->path) + ERROR_MAX;
	if (failed || loader->errors.len == 0)
		config_error(loader, 0, "there is more to mend than is shown here");
}

/* ---- loading ---- */

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
		end_errors(&loader);
		*errors_r = buf_steal(&loader.errors);
		mum_config_free(&config);
	}
	buf_free(&loader.errors);
	free(loader.lines);
	return config;
}

void mum_config_free(struct mum_config **_config)
{
	struct mum_config *config = *_config;

	*_config = NULL;
	if (config == NULL)
		return;
	secret_free(&config->secret);
	arena_wipe(&config->arena);
	free(config);
}

struct reading_settings mum_config_readings(const struct mum_config *config)
{
	return (struct reading_settings){ config->address.allow_percent_hack,
					  config->address.swap_bangpath,
					  config->address.myorigin, config->address.mydomain };
}

struct fallback_settings mum_config_fallbacks(const struct mum_config *config)
{
	return (struct fallback_settings){ config->address.catch_all,
					   config->address.roles.count,
					   config->address.roles.items,
					   config->address.role_recipient };
}

bool mum_config_is_local(const char *host)
{
	struct endpoint endpoint;

	return endpoint_parse_server(host, &endpoint) && endpoint_is_local(&endpoint);
}

bool mum_config_wants_tls(const struct mum_config *config, const char *host)
{
	if (strncmp(host, "unix:", 5) == 0)
		return false;
	return config->database.tls == MUM_TLS_DEFAULT
		       ? !mum_config_is_local(host)
		       : config->database.tls != MUM_TLS_OFF;
}
