/* SPDX-License-Identifier: MIT */
/* Homes inside the homes of others, and quotas above the domain's. Role Dovecot. */
#include "mumctl/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/paths.h"

/* ---- homes inside homes ---- */

enum { ROW_ID, ROW_LOCAL, ROW_DOMAIN, ROW_HOME };

/*
 * Sorted by bytes, a home with a slash at its end comes right before all that is in
 * it. %s: the home with one slash at its end, cast to bytes.
 */
#define HOMES_SQL \
	"SELECT m.id, m.local_part, d.domain, m.homedir FROM mailboxes m" \
	" JOIN domains d ON d.id = m.domain_id WHERE m.homedir LIKE '/%%'" \
	" ORDER BY %s, m.id"
#define ORDER_MARIADB "CAST(CONCAT(TRIM(TRAILING '/' FROM m.homedir), '/') AS BINARY)"
#define ORDER_SQLITE "CAST(RTRIM(m.homedir, '/') || '/' AS BLOB)"

struct homes {
	const struct check *check;
	size_t count;
	struct nesting nesting;
};

static const char *place_of(struct report *report, const struct column *columns)
{
	return report_text(report, "mailboxes.id=%s <%s@%s>", columns[ROW_ID].data,
			   columns[ROW_LOCAL].data, columns[ROW_DOMAIN].data);
}

static void report_nested(const struct homes *homes, const char *owner,
			  const struct column *columns)
{
	struct report *report = homes->check->report;
	const char *where = place_of(report, columns);

	if (strchr(columns[ROW_LOCAL].data, '/') != NULL)
		report_add(report, LEVEL_WARNING, "home-nested", where,
			   "delete the mailbox in MUM, and create it without a \"/\" in its name",
			   "by the \"/\" in its name its home %s is inside that of %s, who "
			   "may read its mail", columns[ROW_HOME].data, owner);
	else
		report_add(report, LEVEL_WARNING, "home-nested", where,
			   "move its mail, and change homedir and maildir in MUM's database",
			   "its home %s is inside that of %s, who may read its mail",
			   columns[ROW_HOME].data, owner);
}

static void on_home(const struct column *columns, void *arg)
{
	struct homes *homes = arg;
	char *home, *name;
	const char *owner;

	report_progress(homes->check->report, "homes", ++homes->count);
	if (columns[ROW_LOCAL].data == NULL || columns[ROW_HOME].data == NULL)
		return;
	home = path_normal(columns[ROW_HOME].data);
	if (home == NULL)
		return;
	name = xasprintf("<%s@%s>", columns[ROW_LOCAL].data, columns[ROW_DOMAIN].data);
	owner = nesting_enter(&homes->nesting, home, name);
	if (owner != NULL)
		report_nested(homes, owner, columns);
	free(name);
	free(home);
}

static void check_nesting(const struct check *check)
{
	struct homes homes = { .check = check };
	char *sql = xasprintf(HOMES_SQL, check_is_sqlite(check) ? ORDER_SQLITE : ORDER_MARIADB);

	check_query(check, sql, on_home, &homes);
	nesting_clear(&homes.nesting);
	free(sql);
}

/* ---- quotas ---- */

enum { ROW_QUOTA = ROW_HOME, ROW_MAX };

/* A quota of 0 is no limit; a max_quota of 0 or NULL is none either. */
#define QUOTAS_SQL \
	"SELECT m.id, m.local_part, d.domain, COALESCE(m.quota, d.quota, 0), d.max_quota" \
	" FROM mailboxes m JOIN domains d ON d.id = m.domain_id" \
	" WHERE m.active = 1 AND m.send_only = 0 AND d.active = 1 AND d.max_quota > 0" \
	" AND (COALESCE(m.quota, d.quota, 0) = 0" \
	" OR COALESCE(m.quota, d.quota, 0) > d.max_quota) ORDER BY m.id"

static void on_quota(const struct column *columns, void *arg)
{
	const struct check *check = arg;
	const char *quota = columns[ROW_QUOTA].data, *max = columns[ROW_MAX].data;
	const char *cure = report_text(check->report,
				       "UPDATE mailboxes SET quota = %s WHERE id = %s", max,
				       columns[ROW_ID].data);
	const char *what = strcmp(quota, "0") == 0
				   ? "it has no limit"
				   : report_text(check->report, "its quota is %s GB", quota);

	report_add(check->report, LEVEL_WARNING, "quota-over-limit",
		   place_of(check->report, columns), cure,
		   "%s, and its domain allows %s GB: MUM stores max_quota, and nothing enforces it",
		   what, max);
}

/* Only this reads max_quota, so older grants prevent nothing else. */
static void check_quotas(const struct check *check)
{
	struct inspect_error error;

	if (inspect_query(check->db, QUOTAS_SQL, on_quota, (void *)check, &error))
		return;
	if (error.trouble == INSPECT_OTHER)
		check_report_read(check, &error);
	else
		report_add(check->report, LEVEL_NOTE, "not-checked", "domains.max_quota",
			   "run the grants that \"mumctl setup\" prints, if it is to be checked",
			   "quotas are not compared with it: %s", error.text);
}

void check_homes(const struct check *check)
{
	check_nesting(check);
	check_quotas(check);
}
