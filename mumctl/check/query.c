/* SPDX-License-Identifier: MIT */
/* What every part of check asks its database by. */
#include "mumctl/check/check.h"

void check_report_read(const struct check *check, const struct inspect_error *error)
{
	report_add(check->report, LEVEL_ERROR, "database-read", check->host,
		   "mend what the message names, then check again", "%s", error->text);
}

bool check_is_sqlite(const struct check *check)
{
	return check->config->database.driver == MUM_DRIVER_SQLITE;
}

bool check_query(const struct check *check, const char *sql, inspect_row_fn *fn, void *arg)
{
	struct inspect_error error;

	if (inspect_query(check->db, sql, fn, arg, &error))
		return true;
	check_report_read(check, &error);
	return false;
}
