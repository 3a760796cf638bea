/* SPDX-License-Identifier: MIT */
#include "mumctl/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/xalloc.h"

enum {
	EACH_MAX = 10,		/* findings printed of one code, unless --all */
	CODES_MAX = 64,
	KEPT_MAX = 128,
	PROGRESS_STEP = 1000	/* rows */
};

struct report {
	bool json, all, terminal;
	bool progress;			/* a progress line stands there */
	json_t *findings;
	size_t levels[LEVEL_ERROR + 1];	/* findings of each */
	char *kept[KEPT_MAX];		/* the first findings, to say nothing twice */
	struct {
		const char *code;
		size_t count;
	} codes[CODES_MAX];
};

struct report *report_new(bool json, bool all)
{
	struct report *report = xcalloc(1, sizeof(*report));

	report->json = json;
	report->all = all;
	report->terminal = !json && isatty(STDERR_FILENO) != 0;
	report->findings = json_array();
	return report;
}

static void clear_progress(struct report *report)
{
	if (report->progress)
		fprintf(stderr, "\r%60s\r", "");
	report->progress = false;
}

void report_progress(struct report *report, const char *what, size_t count)
{
	if (!report->terminal || count % PROGRESS_STEP != 0)
		return;
	fprintf(stderr, "\rmumctl: %s: %zu", what, count);
	report->progress = true;
}

/* How many of this code there are with this one. */
static size_t count_code(struct report *report, const char *code)
{
	for (size_t i = 0; i < CODES_MAX; i++) {
		if (report->codes[i].code == NULL)
			report->codes[i].code = code;
		if (strcmp(report->codes[i].code, code) == 0)
			return ++report->codes[i].count;
	}
	return 0;
}

/*
 * Two roles may find the same fault of one database. The first findings are
 * enough to know: rows, of which there may be many, are read once.
 */
static bool was_said(struct report *report, const char *code, const char *where,
		     const char *text)
{
	char *line = xasprintf("%s %s %s", code, where, text);
	size_t i = 0;

	while (i < KEPT_MAX && report->kept[i] != NULL && strcmp(report->kept[i], line) != 0)
		i++;
	if (i < KEPT_MAX && report->kept[i] == NULL) {
		report->kept[i] = line;
		return false;
	}
	free(line);
	return i < KEPT_MAX;
}

static const char *const level_names[] = {
	[LEVEL_NOTE] = "note",
	[LEVEL_WARNING] = "warning",
	[LEVEL_ERROR] = "error",
};

static void print_finding(struct report *report, enum level level, const char *code,
			  const char *where, const char *mend, const char *text)
{
	clear_progress(report);
	printf("%s: %s: ", level_names[level], code);
	tool_print_clean(where);
	printf(": ");
	tool_print_clean(text);
	printf("; ");
	tool_print_clean(mend);
	printf("\n");
}

void report_add(struct report *report, enum level level, const char *code,
		const char *where, const char *mend, const char *format, ...)
{
	size_t number;
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	if (was_said(report, code, where, text)) {
		free(text);
		return;
	}
	number = count_code(report, code);
	report->levels[level]++;
	if (report->json)
		json_array_append_new(report->findings,
				      json_pack("{ss ss so so so}", "level",
						level_names[level], "code", code, "where",
						tool_json_text(where), "what",
						tool_json_text(text), "mend",
						tool_json_text(mend)));
	else if (report->all || number <= EACH_MAX)
		print_finding(report, level, code, where, mend, text);
	free(text);
}

static void print_left_out(const struct report *report)
{
	for (size_t i = 0; !report->all && i < CODES_MAX; i++) {
		if (report->codes[i].code != NULL && report->codes[i].count > EACH_MAX)
			printf("%s: %zu more; --all prints them\n", report->codes[i].code,
			       report->codes[i].count - EACH_MAX);
	}
}

static void print_count(const struct report *report)
{
	printf("%zu errors, %zu warnings", report->levels[LEVEL_ERROR],
	       report->levels[LEVEL_WARNING]);
	if (report->levels[LEVEL_NOTE] > 0)
		printf(", %zu notes", report->levels[LEVEL_NOTE]);
	printf("\n");
}

int report_finish(struct report **_report)
{
	struct report *report = *_report;
	const size_t *levels = report->levels;
	int status = levels[LEVEL_ERROR] > 0 ? EX_CONFIG : levels[LEVEL_WARNING] > 0;

	*_report = NULL;
	clear_progress(report);
	if (report->json) {
		tool_print_json(json_pack("{sI sI sI sO}", "errors",
					  (json_int_t)levels[LEVEL_ERROR], "warnings",
					  (json_int_t)levels[LEVEL_WARNING], "notes",
					  (json_int_t)levels[LEVEL_NOTE], "findings",
					  report->findings));
	} else {
		print_left_out(report);
		print_count(report);
	}
	json_decref(report->findings);
	for (size_t i = 0; i < KEPT_MAX; i++)
		free(report->kept[i]);
	free(report);
	return status;
}
