/* SPDX-License-Identifier: MIT */
#include "mumctl/check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/progress.h"

enum {
	EACH_MAX = 10,		/* findings printed of one code, unless --all */
	CODES_MAX = 64,
	KEPT_MAX = 128
};

/*
 * Findings that harm MUM's stock configuration just as much. The others are new with mumd
 * and the module, so whoever moves a server has to know them.
 */
static const char *const as_with_stock[] = {
	"alias-and-mailbox", "alias-dead", "alias-empty", "alias-loop", "alias-too-deep",
	"alias-too-wide", "catch-all-off", "collation-default", "collation-unfit",
	"home-nested", "index-missing", "lmtp-domain", "mailbox-split", "map-besides", "name-unusable",
	"quota-over-limit", "recipient-dangling", "recipient-dead",
	"recipient-domain-inactive", "recipient-unknown", "role-missing", "smtputf8-lmtp",
	"tls-params", NULL
};

struct report {
	bool json, all;
	struct progress progress;
	json_t *findings;
	size_t levels[LEVEL_ERROR + 1];	/* findings of each */
	json_t *kept;			/* a set: the first findings, for was_said() */
	char *texts[REPORT_TEXTS];	/* of report_text() */
	size_t texts_count;		/* how many were made so far */
	struct {
		const char *code;
		size_t count, grave;	/* grave: errors and warnings among them */
	} codes[CODES_MAX];
};

struct report *report_new(bool json, bool all)
{
	struct report *report = xcalloc(1, sizeof(*report));

	report->json = json;
	report->all = all;
	report->progress = progress_new(json);
	report->findings = json_array();
	report->kept = json_object();
	return report;
}

void report_progress(struct report *report, const char *what, size_t count)
{
	progress_show(&report->progress, what, count, 0);
}

const char *report_text(struct report *report, const char *format, ...)
{
	char **text = &report->texts[report->texts_count++ % REPORT_TEXTS];
	va_list args;

	free(*text);
	va_start(args, format);
	*text = xvasprintf(format, args);
	va_end(args);
	return *text;
}

/* Counts this finding, and returns how many have its code. */
static size_t count_code(struct report *report, const char *code, enum level level)
{
	for (size_t i = 0; i < CODES_MAX; i++) {
		if (report->codes[i].code == NULL)
			report->codes[i].code = code;
		if (strcmp(report->codes[i].code, code) != 0)
			continue;
		report->codes[i].grave += level > LEVEL_NOTE;
		return ++report->codes[i].count;
	}
	return 0;
}

/*
 * Two roles may find the same fault of one database. The first findings are enough
 * here: only one role reads the rows, of which there may be many.
 */
static bool was_said(struct report *report, const char *code, const char *where,
		     const char *text)
{
	char *line = xasprintf("%s %s %s", code, where, text);
	bool said = json_object_get(report->kept, line) != NULL;

	if (!said && json_object_size(report->kept) < KEPT_MAX)
		json_object_set_new_nocheck(report->kept, line, json_null());
	free(line);
	return said;
}

static const char *const level_names[] = {
	[LEVEL_NOTE] = "note",
	[LEVEL_WARNING] = "warning",
	[LEVEL_ERROR] = "error",
};

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
	number = count_code(report, code, level);
	report->levels[level]++;
	if (report->json) {
		json_array_append_new(report->findings,
				      json_pack("{ss ss sb so so so}", "level",
						level_names[level], "code", code,
						"as_with_stock",
						text_is_one_of(code, as_with_stock), "where",
						tool_json_text(where), "what",
						tool_json_text(text), "mend",
						tool_json_text(mend)));
	} else if (report->all || number <= EACH_MAX) {
		progress_clear(&report->progress);
		tool_print_line("%s: %s: %s: %s; %s", level_names[level], code, where, text, mend);
	}
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

/* The codes of errors and warnings of one kind, and how many there are. */
static void print_kind(const struct report *report, bool with_stock, const char *title)
{
	const char *before = title;

	for (size_t i = 0; i < CODES_MAX && report->codes[i].code != NULL; i++) {
		if (report->codes[i].grave == 0 ||
		    text_is_one_of(report->codes[i].code, as_with_stock) != with_stock)
			continue;
		printf("%s%s %zu", before, report->codes[i].code, report->codes[i].grave);
		before = ", ";
	}
	if (before != title)
		printf("\n");
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
	progress_clear(&report->progress);
	if (report->json) {
		tool_print_json(json_pack("{sI sI sI sO}", "errors",
					  (json_int_t)levels[LEVEL_ERROR], "warnings",
					  (json_int_t)levels[LEVEL_WARNING], "notes",
					  (json_int_t)levels[LEVEL_NOTE], "findings",
					  report->findings));
	} else {
		print_left_out(report);
		print_kind(report, false, "new with mumd, to be fixed before mail depends on it: ");
		print_kind(report, true, "as with MUM's mysql: files, may wait: ");
		print_count(report);
	}
	json_decref(report->findings);
	json_decref(report->kept);
	for (size_t i = 0; i < REPORT_TEXTS; i++)
		free(report->texts[i]);
	free(report);
	return status;
}
