/* SPDX-License-Identifier: MIT */
/* measure: Dovecot's sizes of mailboxes into MUM's charts, its table size_measurements. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/buf.h"
#include "common/xalloc.h"
#include "mumctl/commands.h"
#include "mumctl/doveadm-sizes.h"
#include "mumctl/measure/set.h"
#include "mumctl/measure/write.h"
#include "mumctl/progress.h"
#include "mumctl/run-lines.h"

enum { NAMED_MAX = 3 };		/* mailboxes without a size that a line names */

struct measure {
	struct tool *tool;
	const struct mum_config *config;	/* of role Postfix */
	struct measure_set *set;
	struct progress progress;
	enum sizes_source source;
	bool rows;			/* doveadm has printed one at least */
	bool blamed;			/* and named a mailbox that failed */
	bool silent;			/* and then nothing more, until it was killed */
	char *trouble;			/* its first error, or else its first line */
};

/* ---- what there is ---- */

/* The mailboxes, from the first host that answers. 0, or the exit status after a complaint. */
static int read_set(const struct measure *measure, struct measure_set **set_r)
{
	struct inspect_error error;
	struct inspect *db = inspect_open_any(measure->config, &error);
	bool good = db != NULL && measure_set_read(db, set_r, &error);

	inspect_close(&db);
	if (good)
		return 0;
	return tool_complain_database("measure: mailboxes cannot be read", &error);
}

/* ---- what Dovecot says ---- */

static bool tells_of_error(const char *line)
{
	return strstr(line, "Error: ") != NULL || strstr(line, "Fatal: ") != NULL;
}

/* Warnings may come before the error. */
static void on_trouble(struct measure *measure, char *line)
{
	const char *user;

	if (measure->trouble == NULL ||
	    (tells_of_error(line) && !tells_of_error(measure->trouble))) {
		free(measure->trouble);
		measure->trouble = xstrdup(line);
	}
	/* If a part of a mailbox fails, doveadm prints the sum of the rest. */
	user = measure->source == SIZES_VSIZE ? sizes_read_error(line) : NULL;
	if (user == NULL)
		return;
	measure_set_fail(measure->set, user);
	measure->blamed = true;
}

static void on_line(char *line, bool is_error, void *arg)
{
	struct measure *measure = arg;
	struct size_row row;
	size_t done, all;

	if (is_error) {
		on_trouble(measure, line);
		return;
	}
	if (!sizes_read_row(measure->source, line, &row))
		return;
	measure->rows = true;
	if (row.known)
		measure_set_size(measure->set, row.user, row.kib);
	else
		measure_set_fail(measure->set, row.user);
	done = measure_set_done(measure->set, &all);
	progress_show(&measure->progress, "measure", done, all);
}

/* The exit status of doveadm. */
static int run_doveadm(struct measure *measure, enum sizes_source source,
		       const struct mum_config *writer)
{
	int status;

	measure->source = source;
	status = run_lines_within(sizes_command(source), writer->measure.deadline, on_line,
				  measure);
	measure->silent = status == RUN_SILENT;
	return status;
}

/*
 * If quota is off, doveadm does not know that command, or prints no row. doveadm prints the
 * sum of folders even if one of them has failed. So if its exit status is bad and it has
 * blamed no mailbox, no size can be trusted.
 */
static void ask_dovecot(struct measure *measure, const struct mum_config *writer)
{
	int status;

	(void)run_doveadm(measure, SIZES_QUOTA, writer);
	if (measure->rows || measure->silent)
		return;
	free(measure->trouble);
	measure->trouble = NULL;
	status = run_doveadm(measure, SIZES_VSIZE, writer);
	if (status != 0 && !measure->blamed)
		measure_set_fail_all(measure->set);
}

/* ---- what is said and written ---- */

struct counts {
	size_t rows[MEASURED_WHOLE + 1];
	uint64_t kib;			/* of the whole */
};

static void count_row(enum measured what, uint64_t id, uint64_t kib, void *arg)
{
	struct counts *counts = arg;

	(void)id;
	counts->rows[what]++;
	if (what == MEASURED_WHOLE)
		counts->kib = kib;
}

static void add_failed(const char *name, void *arg)
{
	json_array_append_new(arg, tool_json_text(name));
}

/* "<a@example.org>, <b@example.org>, <c@example.org> and 7 more". Caller frees. */
static char *names_of(const json_t *failed)
{
	size_t count = json_array_size(failed);
	struct buf text = BUF_INIT(65536);

	for (size_t i = 0; i < count && i < NAMED_MAX; i++)
		buf_printf(&text, "%s<%s>", i > 0 ? ", " : "",
			   json_string_value(json_array_get(failed, i)));
	if (count > NAMED_MAX)
		buf_printf(&text, " and %zu more", count - NAMED_MAX);
	return buf_steal(&text);
}

static void complain_of_silence(const struct mum_config *writer)
{
	char *text = xasprintf("doveadm printed nothing for %u s, and was killed",
			       writer->measure.deadline / 1000);

	tool_complain("measure", text);
	free(text);
}

static void complain(const struct measure *measure, const json_t *failed)
{
	char *names = names_of(failed);
	char *text = xasprintf("%s: no size, so their domains and the whole have none%s%s", names,
			       measure->trouble != NULL ? "; doveadm says: " : "",
			       measure->trouble != NULL ? measure->trouble : "");

	tool_complain("measure", text);
	free(text);
	free(names);
}

/* "N mailboxes, N domains, N KiB in all" */
static void print(const struct measure *measure, const struct counts *counts, json_t *failed)
{
	bool whole = counts->rows[MEASURED_WHOLE] > 0;

	if (measure->tool->json) {
		tool_print_json(json_pack(
			"{ss ss sI sI so so}", "result", whole ? "found" : "temporary", "source",
			measure->source == SIZES_QUOTA ? "quota" : "vsize", "mailboxes",
			(json_int_t)counts->rows[MEASURED_MAILBOX], "domains",
			(json_int_t)counts->rows[MEASURED_DOMAIN], "kib",
			whole ? json_integer((json_int_t)counts->kib) : json_null(), "failed",
			failed));
		return;
	}
	printf("%zu mailboxes, %zu domains", counts->rows[MEASURED_MAILBOX],
	       counts->rows[MEASURED_DOMAIN]);
	if (whole)
		printf(", %" PRIu64 " KiB in all", counts->kib);
	printf("\n");
	json_decref(failed);
}

static int write_rows(const struct measure *measure, const struct mum_config *writer)
{
	char *now = tool_now(writer);
	struct inspect_error error;
	bool good = measure_write(measure->set, writer, now, &error);

	free(now);
	if (good)
		return 0;
	return tool_complain_database("measure: size_measurements cannot be written", &error);
}

static int finish(struct measure *measure, const struct mum_config *writer)
{
	struct counts counts = { .kib = 0 };
	json_t *failed = json_array();
	int status = write_rows(measure, writer);

	if (status != 0) {
		json_decref(failed);
		return status;
	}
	if (measure->silent) {
		complain_of_silence(writer);
		status = EX_TEMPFAIL;
	}
	measure_set_each_row(measure->set, count_row, &counts);
	measure_set_each_failed(measure->set, add_failed, failed);
	if (json_array_size(failed) > 0) {
		complain(measure, failed);
		status = EX_TEMPFAIL;
	}
	print(measure, &counts, failed);
	return status;
}

static int measure_all(struct measure *measure, const struct mum_config *writer)
{
	struct measure_set *later = NULL;
	int status = read_set(measure, &measure->set);

	if (status != 0)
		return status;
	ask_dovecot(measure, writer);
	progress_clear(&measure->progress);
	status = read_set(measure, &later);
	if (status == 0) {
		measure_set_sum(measure->set, later);
		status = finish(measure, writer);
	}
	measure_set_free(&later);
	return status;
}

int command_measure(struct tool *tool, int argc, char **argv)
{
	struct measure measure = { .tool = tool, .progress = progress_new(tool->json) };
	struct mum_config *writer;
	int status;

	(void)argv;
	if (argc != 0)
		tool_usage(USAGE_MEASURE);
	measure.config = tool_config(tool, MUM_ROLE_POSTFIX);
	writer = tool_load_config(tool, MUM_ROLE_MEASURE);
	if (writer == NULL)
		return EX_CONFIG;
	status = measure_all(&measure, writer);
	measure_set_free(&measure.set);
	free(measure.trouble);
	mum_config_free(&writer);
	return status;
}
