/* SPDX-License-Identifier: MIT */
/* check: all that keeps mumd and the Dovecot module from working well. */
#include "mumctl/check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mumctl/check/names.h"
#include "mumctl/commands.h"
#include "mumctl/grants.h"
#include "mumctl/settings.h"

/*
 * Makes a finding of each line of mum_config_load(). Skips the path at its beginning,
 * which may hold what ends the place or the line: ": " or a newline.
 */
static void report_config(const struct tool *tool, struct report *report, char *errors)
{
	size_t path_len = strlen(tool->config_path);
	char *line = errors;

	while (line != NULL && strlen(line) >= path_len) {
		char *rest = line + path_len;
		char *colon = strstr(rest, ": ");	/* behind FILE or FILE:LINE */
		const char *text;

		strsep(&rest, "\n");
		if (colon == NULL)
			break;
		*colon = '\0';
		text = colon + 2;
		report_add(report, LEVEL_ERROR, "config", line, "see mum.conf(5)", "%s", text);
		line = rest;
	}
}

/* NULL if the file is not good for this role: a finding says so. */
static struct mum_config *load(const struct tool *tool, enum mum_role role,
			       struct report *report)
{
	char *errors;
	struct mum_config *config = mum_config_load(tool->config_path, role, &errors);

	if (config == NULL) {
		report_config(tool, report, errors);
		free(errors);
	}
	return config;
}

/* The shipped mum.conf names a password file, which exists where mumctl measure is used. */
static struct mum_config *load_measure(const struct tool *tool, const struct mum_config *postfix,
				       struct report *report)
{
	const char *path = postfix != NULL ? postfix->measure.password_file : "";

	if (*path != '\0' && access(path, F_OK) != 0)
		return NULL;
	return load(tool, MUM_ROLE_MEASURE, report);
}

/* Reads the tables: only on the first host that answers. */
static void check_contents(struct check *check)
{
	if (check->role == MUM_ROLE_MEASURE) {
		check_measure(check);
		return;
	}
	check_grants(check);
	if (!check_columns(check))
		return;
	if (check->role == MUM_ROLE_DOVECOT) {
		check_mailboxes(check);
		check_homes(check);
		return;
	}
	check_indexes(check);
	check->collation = check_collations(check);
	check->names = names_load(check);
	if (check->names != NULL) {
		check_aliases(check);
		check_expired(check);
		check_roles(check);
	}
	names_free(&check->names);
	free(check->collation);
	check->collation = NULL;
	check_tls_policies(check);
	check_sql_behind(check);
}

static const char *cure_of(const struct check *check, const struct inspect_error *error)
{
	if (check_is_sqlite(check))
		return "let the user of mumd and Dovecot read the file and its folder";
	if (error->trouble == INSPECT_LOGIN)
		return "set database.tls = \"verify-full\", or let the user log in by "
		       "mysql_native_password or ed25519";
	return "see that it runs, database.hosts, name, user and password in mum.conf, and "
	       "the grants that \"mumctl setup\" prints";
}

static void check_database(struct check *check)
{
	bool sqlite = check_is_sqlite(check);
	bool read = false;

	for (size_t i = 0; i < inspect_hosts(check->config); i++) {
		struct inspect_error error;

		check->host = sqlite ? check->config->database.path
				     : check->config->database.hosts.items[i];
		check->db = inspect_open(check->config, i, &error);
		if (check->db == NULL) {
			report_add(check->report, LEVEL_ERROR, "database-unreachable",
				   check->host, cure_of(check, &error), "as %s: %s",
				   sqlite ? "this user" : check->config->database.user,
				   error.text);
			continue;
		}
		check_encryption(check);
		if (!read)
			check_contents(check);
		read = true;
		inspect_close(&check->db);
	}
}

static void check_role(struct check *check, struct mum_config **config, enum mum_role role)
{
	if (*config == NULL)
		return;
	check->config = *config;
	check->role = role;
	check_database(check);
}

int command_check(struct tool *tool, int argc, char **argv)
{
	bool all = argc == 1 && strcmp(argv[0], "--all") == 0;
	struct check check = { .tool = tool };
	struct mum_config *postfix, *dovecot, *measure;
	struct settings *settings;

	if (argc > (all ? 1 : 0))
		tool_usage(USAGE_CHECK);
	tool->quiet = true;
	check.report = report_new(tool->json, all);
	settings = settings_load();
	check.settings = settings;
	postfix = load(tool, MUM_ROLE_POSTFIX, check.report);
	/* It is the same file; a fault that concerns several roles is one finding. */
	dovecot = load(tool, MUM_ROLE_DOVECOT, check.report);
	measure = load_measure(tool, postfix, check.report);
	if (postfix != NULL) {
		check.config = postfix;
		check_files(&check, dovecot);
		check_sockets(&check);
		check_postfix_settings(&check);
		check_services(&check);
		check_limits(&check);
		check_quota(&check);
		check_dovecot_settings(&check);
	}
	check_role(&check, &postfix, MUM_ROLE_POSTFIX);
	check_role(&check, &dovecot, MUM_ROLE_DOVECOT);
	if (measure != NULL && grants_has_measure(measure))
		check_role(&check, &measure, MUM_ROLE_MEASURE);
	mum_config_free(&postfix);
	mum_config_free(&dovecot);
	mum_config_free(&measure);
	settings_free(&settings);
	return report_finish(&check.report);
}
