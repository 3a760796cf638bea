/* SPDX-License-Identifier: MIT */
/*
 * compare: MUM's stock configuration against mumd and the Dovecot module, for every name
 * in the database and, if wanted, in a mail log. One JSON document gathers what differs;
 * report.c puts it into words.
 */
#include "mumctl/compare/compare.h"

#include <string.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "mumctl/commands.h"
#include "mumctl/compare/fallback-names.h"

/* Where MUM's manual has the mysql: files. */
#define POSTFIX_DIRECTORY "/etc/postfix/sql"

struct options {
	const char *directory, *keys, *maillog, *dovecot;
	bool all;
};

/* ---- stock ---- */

static bool ask_stock(struct compare *compare, const char *directory, enum socketmap_number map)
{
	char *mysql_file = xasprintf("%s/%s.cf", directory,
				     socketmap_name(socketmap_by_number(map)));
	bool good;

	if (access(mysql_file, R_OK) == 0) {
		compare->stock[map] = stock_ask(mysql_file, &compare->names,
						subject_kinds(map));
		good = compare->stock[map] != NULL;
	} else {
		good = stock_complain_missing(mysql_file, "this map is not compared");
	}
	free(mysql_file);
	return good;
}

/* ---- all names ---- */

static void compare_names(struct compare *compare, const char *directory)
{
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS && !compare->failed; map++)
		compare->failed = !ask_stock(compare, directory, map);
	for (const struct name *name = compare->names.first; name != NULL && !compare->failed;
	     name = name->hh.next)
		subject_compare(compare, name);
}

/* ---- the command ---- */

/* An exit status; 0 when all names are there. */
static int read_names(struct compare *compare, const struct options *options)
{
	struct inspect_error error;

	if (options->keys != NULL && !names_read_file(&compare->names, options->keys))
		return EX_NOINPUT;
	if (options->maillog != NULL &&
	    !log_read(options->maillog, &compare->names, &compare->sents))
		return EX_NOINPUT;
	compare->db = inspect_open_any(tool_config(compare->tool, MUM_ROLE_POSTFIX), &error);
	if (compare->db == NULL) {
		tool_complain("database", error.text);
		return EX_TEMPFAIL;
	}
	if (options->keys == NULL &&
	    (!names_read_database(&compare->names, compare->db) ||
	     !names_add_fallbacks(&compare->names, compare->db,
				  tool_config(compare->tool, MUM_ROLE_POSTFIX))))
		return EX_TEMPFAIL;
	names_add_forms(&compare->names, compare->delimiters);
	return 0;
}

static json_t *run(struct compare *compare, const struct options *options)
{
	const struct ledger *ledger = &compare->ledger;
	json_t *document;

	compare_names(compare, options->directory);
	document = json_pack(
		"{sI sI sO so sI sI sI sI sO}", "names", (json_int_t)compare->names_compared,
		"names_changed", (json_int_t)compare->names_changed, "changed", ledger->changed,
		"owners", compare->owners, "compared", (json_int_t)compare->compared, "different",
		(json_int_t)json_array_size(ledger->differences), "harmless",
		(json_int_t)ledger->harmless, "unexplained", (json_int_t)ledger->unexplained,
		"differences", ledger->differences);
	if (!compare->failed)
		compare->failed = !senders_compare(compare->tool, compare->stock[SOCKETMAP_SENDERS],
						   &compare->sents, options->maillog != NULL,
						   document);
	if (!compare->failed)
		compare->failed = !dovecot_compare(compare->tool, compare->db, options->dovecot,
						   &compare->names, document);
	json_object_set_new(document, "complete", json_boolean(!compare->failed));
	return document;
}

static int finish(const struct compare *compare, const struct options *options,
		  const json_t *document)
{
	const json_t *dovecot = json_object_get(document, "dovecot");

	if (compare->failed)
		return EX_TEMPFAIL;
	if (compare->compared == 0) {
		tool_complain(options->directory, "nothing was compared");
		return EX_NOINPUT;
	}
	return compare->ledger.unexplained > 0 || tool_json_number(dovecot, "unexplained") > 0;
}

static void read_options(struct options *options, int argc, char **argv)
{
	const struct {
		const char *name, **value;
	} values[] = {
		{ "--postfix", &options->directory }, { "--keys", &options->keys },
		{ "--maillog", &options->maillog },   { "--dovecot", &options->dovecot },
	};
	enum { VALUES = sizeof(values) / sizeof(values[0]) };

	*options = (struct options){ .directory = POSTFIX_DIRECTORY };
	for (int i = 0; i < argc; i++) {
		int option = 0;

		if (strcmp(argv[i], "--all") == 0) {
			options->all = true;
			continue;
		}
		while (option < VALUES && strcmp(argv[i], values[option].name) != 0)
			option++;
		if (option == VALUES || ++i == argc)
			tool_usage(USAGE_COMPARE);
		*values[option].value = argv[i];
	}
}

static void clear(struct compare *compare)
{
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++)
		stock_free(&compare->stock[map]);
	inspect_close(&compare->db);
	names_clear(&compare->names);
	sents_clear(&compare->sents);
	ledger_free(&compare->ledger);
}

int command_compare(struct tool *tool, int argc, char **argv)
{
	struct compare compare = { .tool = tool, .ledger = ledger_new() };
	struct options options;
	json_t *document;
	int status;

	read_options(&options, argc, argv);
	compare.delimiters = tool_config(tool, MUM_ROLE_POSTFIX)->address.recipient_delimiter;
	names_init(&compare.names);
	sents_init(&compare.sents);
	status = read_names(&compare, &options);
	if (status != EX_NOINPUT) {
		compare.failed = status != 0;
		compare.owners = json_array();
		document = run(&compare, &options);
		status = finish(&compare, &options, document);
		if (tool->json)
			tool_print_json(document);
		else
			report_print(document, options.all);
		if (!tool->json)
			json_decref(document);
	}
	clear(&compare);
	return status;
}
