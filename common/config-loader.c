/* SPDX-License-Identifier: MIT */
#include "common/config-loader.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/log-text.h"
#include "common/xalloc.h"

enum { ERROR_MAX = 2048 };	/* bytes of one: it may repeat a value of any length */

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

void config_end_errors(struct config_loader *loader)
{
	bool failed = loader->errors.failed;

	loader->errors.failed = false;
	loader->errors.limit += strlen(loader->path) + ERROR_MAX;
	if (failed || loader->errors.len == 0)
		config_error(loader, 0, "there is more to fix than is shown here");
}
