/* SPDX-License-Identifier: MIT */
#include "mumctl/check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/xalloc.h"
#include "mumctl/progress.h"

enum {
	EACH_MAX = 10,		/* findings printed of one code, unless --all */
	CODES_MAX = 64,
	KEPT_MAX = 128
};

/*
 * Does it trouble MUM's stock configuration just as much, or is it new with mumd and the
 * module? Who moves a server has to know.
 */
enum kind { NEW, AS_WITH_STOCK, KINDS };

static const struct {
	const char *code;
	enum kind kind;
} kinds[] = {
	{ "address-differs", NEW },
	{ "alias-and-mailbox", AS_WITH_STOCK },
	{ "alias-dead", AS_WITH_STOCK },
	{ "alias-empty", AS_WITH_STOCK },
	{ "alias-expired", NEW },
	{ "alias-loop", AS_WITH_STOCK },
	{ "alias-too-deep", AS_WITH_STOCK },
	{ "alias-too-long", NEW },
	{ "alias-too-wide", AS_WITH_STOCK },
	{ "collation-default", AS_WITH_STOCK },
	{ "collation-unfit", AS_WITH_STOCK },
	{ "config", NEW },
	{ "database-denied", NEW },
	{ "database-plain", NEW },
	{ "database-read", NEW },
	{ "database-unreachable", NEW },
	{ "delimiter-differs", NEW },
	{ "file-exposed", NEW },
	{ "file-unreadable", NEW },
	{ "grant-missing", NEW },
	{ "grant-password", NEW },
	{ "grant-writes", NEW },
	{ "hash-refused", NEW },
	{ "home-nested", AS_WITH_STOCK },
	{ "index-missing", AS_WITH_STOCK },
	{ "limits-unasked", NEW },
	{ "limits-unseen", NEW },
	{ "lmtp-domain", AS_WITH_STOCK },
	{ "location-unknown", NEW },
	{ "mailbox-split", AS_WITH_STOCK },
	{ "mailbox-unusable", NEW },
	{ "map-besides", AS_WITH_STOCK },
	{ "mysql-left", NEW },
	{ "name-unusable", AS_WITH_STOCK },
	{ "not-checked", NEW },
	{ "not-root", NEW },
	{ "other-maps-off", NEW },
	{ "propagate-differs", NEW },
	{ "quota-over-limit", AS_WITH_STOCK },
	{ "quota-silent", NEW },
	{ "recipient-dangling", AS_WITH_STOCK },
	{ "recipient-dead", AS_WITH_STOCK },
	{ "recipient-domain-inactive", AS_WITH_STOCK },
	{ "recipient-stale", NEW },
	{ "recipient-unknown", AS_WITH_STOCK },
	{ "recipient-unusable", NEW },
	{ "recipients-unasked", NEW },
	{ "role-missing", AS_WITH_STOCK },
	{ "schema-missing", NEW },
	{ "senders-unasked", NEW },
	{ "smtputf8-lmtp", AS_WITH_STOCK },
	{ "socket-dead", NEW },
	{ "socket-denied", NEW },
	{ "socket-differs", NEW },
	{ "socket-silent", NEW },
	{ "sql-behind", NEW },
	{ "tls-params", AS_WITH_STOCK },
	{ "user-missing", NEW },
};

static const char *const kind_titles[] = {
	[NEW] = "new with mumd, to be fixed before mail depends on it",
	[AS_WITH_STOCK] = "as with MUM's mysql: files, may wait",
};

/* Of a code that is not in the table: be careful. */
static enum kind kind_of(const char *code)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].code, code) == 0)
			return kinds[i].kind;
	}
	return NEW;
}

struct report {
	bool json, all;
	struct progress progress;
	json_t *findings;
	size_t levels[LEVEL_ERROR + 1];	/* findings of each */
	char *kept[KEPT_MAX];		/* the first findings, to say nothing twice */
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
	return report;
}

void report_progress(struct report *report, const char *what, size_t count)
{
	progress_show(&report->progress, what, count, 0);
}

/* How many of this code there are with this one. */
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
	progress_clear(&report->progress);
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
	number = count_code(report, code, level);
	report->levels[level]++;
	if (report->json)
		json_array_append_new(report->findings,
				      json_pack("{ss ss sb so so so}", "level",
						level_names[level], "code", code,
						"as_with_stock",
						kind_of(code) == AS_WITH_STOCK, "where",
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

/* A line for each kind: the codes of errors and warnings, and how many there are. */
static void print_kinds(const struct report *report)
{
	for (enum kind kind = NEW; kind < KINDS; kind++) {
		const char *before = ": ";

		for (size_t i = 0; i < CODES_MAX && report->codes[i].code != NULL; i++) {
			if (report->codes[i].grave == 0 ||
			    kind_of(report->codes[i].code) != kind)
				continue;
			printf("%s%s%s %zu", *before == ':' ? kind_titles[kind] : "", before,
			       report->codes[i].code, report->codes[i].grave);
			before = ", ";
		}
		if (*before == ',')
			printf("\n");
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
	progress_clear(&report->progress);
	if (report->json) {
		tool_print_json(json_pack("{sI sI sI sO}", "errors",
					  (json_int_t)levels[LEVEL_ERROR], "warnings",
					  (json_int_t)levels[LEVEL_WARNING], "notes",
					  (json_int_t)levels[LEVEL_NOTE], "findings",
					  report->findings));
	} else {
		print_left_out(report);
		print_kinds(report);
		print_count(report);
	}
	json_decref(report->findings);
	for (size_t i = 0; i < KEPT_MAX; i++)
		free(report->kept[i]);
	free(report);
	return status;
}
