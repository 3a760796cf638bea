/* SPDX-License-Identifier: MIT */
/*
 * Recipients of aliases beside the mailboxes that they stand for: a row with a
 * mailbox_id stands for that mailbox's present address, one without, in an active
 * domain of MUM's, for whatever has that address.
 */
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/xalloc.h"
#include "mumctl/check-names.h"

/* ---- one recipient ---- */

enum {
	ROW_ID, ROW_TEXT, ROW_MAILBOX_ID, ROW_MAILBOX_LOCAL, ROW_MAILBOX_DOMAIN,
	ROW_ALIAS_LOCAL, ROW_ALIAS_DOMAIN
};

#define RECIPIENTS_SQL \
	"SELECT r.id, r.recipient_address, r.mailbox_id, m.local_part, md.domain," \
	" a.local_part, d.domain" \
	" FROM alias_recipients r JOIN aliases a ON a.id = r.alias_id" \
	" JOIN domains d ON d.id = a.domain_id" \
	" LEFT JOIN mailboxes m ON m.id = r.mailbox_id" \
	" LEFT JOIN domains md ON md.id = m.domain_id" \
	" WHERE a.active = 1 AND d.active = 1" \
	" AND (a.deactivate_at IS NULL OR a.deactivate_at >= '%s')"

struct recipients_check {
	const struct check *check;
	const struct names *names;
	size_t count;
	/* The row that is looked at. */
	const char *id;
	char *where;
};

static bool is_sqlite(const struct check *check)
{
	return check->config->database.driver == MUM_DRIVER_SQLITE;
}

/* Names are not written into the statement: they may hold any bytes. */
static void report_stale(const struct recipients_check *it, const char *mailbox_id,
			 const char *text, const char *present)
{
	char *cure = xasprintf(
		"UPDATE alias_recipients SET recipient_address = (SELECT %s FROM mailboxes m "
		"JOIN domains d ON d.id = m.domain_id WHERE m.id = %s) WHERE id = %s",
		is_sqlite(it->check) ? "m.local_part || '@' || d.domain"
				     : "CONCAT(m.local_part, '@', d.domain)",
		mailbox_id, it->id);

	report_add(it->check->report, LEVEL_WARNING, "recipient-stale", it->where, cure,
		   "it says <%s>, and mailbox %s is <%s> now: mail goes to the latter", text,
		   mailbox_id, present);
	free(cure);
}

static void judge_mailbox(const struct recipients_check *it, const struct column *columns,
			  const char *text)
{
	const char *mailbox_id = columns[ROW_MAILBOX_ID].data;
	char *present, *cure;

	if (columns[ROW_MAILBOX_LOCAL].data == NULL || columns[ROW_MAILBOX_DOMAIN].data == NULL) {
		cure = xasprintf("DELETE FROM alias_recipients WHERE id = %s", it->id);
		report_add(it->check->report, LEVEL_WARNING, "recipient-dangling", it->where,
			   cure, "there is no mailbox %s any more: <%s> gets nothing",
			   mailbox_id, text);
		free(cure);
		return;
	}
	present = xasprintf("%s@%s", columns[ROW_MAILBOX_LOCAL].data,
			    columns[ROW_MAILBOX_DOMAIN].data);
	if (!address_is_same(text, present))
		report_stale(it, mailbox_id, text, present);
	free(present);
}

static void report_dead(const struct recipients_check *it, const char *text,
			const char *why)
{
	char *cure = xasprintf("DELETE FROM alias_recipients WHERE id = %s", it->id);

	report_add(it->check->report, LEVEL_WARNING, "recipient-dead", it->where, cure,
		   "no mail is handed to <%s>: %s", text, why);
	free(cure);
}

static void judge_own(const struct recipients_check *it, const char *text,
		      const struct address *address)
{
	char *cure;

	switch (names_address(it->names, address)) {
	case NAME_IS_LIVE:
		break;
	case NAME_IS_SEND_ONLY:
		report_dead(it, text, "the mailbox of this name is send-only");
		break;
	case NAME_IS_INACTIVE:
		report_dead(it, text, "the mailbox of this name is inactive");
		break;
	case NAME_IS_DEAD_ALIAS:
		report_dead(it, text, "the alias of this name is inactive, expired or without "
				      "recipients");
		break;
	case NAME_IS_UNKNOWN:
		cure = xasprintf("DELETE FROM alias_recipients WHERE id = %s", it->id);
		report_add(it->check->report, LEVEL_WARNING, "recipient-unknown", it->where,
			   cure, "MUM has the domain of <%s>, and neither mailbox nor alias of "
			   "this name: mail to it is bounced, unless another table of Postfix "
			   "has it", text);
		free(cure);
		break;
	}
}

/* A copy in the mailbox of the alias's own name is the alias's business. */
static bool is_alias_itself(const struct column *columns, const char *text)
{
	char *own = xasprintf("%s@%s", columns[ROW_ALIAS_LOCAL].data,
			      columns[ROW_ALIAS_DOMAIN].data);
	bool itself = address_is_same(text, own);

	free(own);
	return itself;
}

static void judge_typed(const struct recipients_check *it, const struct column *columns,
			const char *text)
{
	struct address *address =
		address_new(ADDRESS_MAIL, text, strlen(text),
			    it->check->config->address.recipient_delimiter);

	if (address != NULL && !is_alias_itself(columns, text)) {
		switch (names_domain(it->names, address)) {
		case DOMAIN_IS_FOREIGN:
			break;
		case DOMAIN_IS_OURS:
			judge_own(it, text, address);
			break;
		case DOMAIN_IS_INACTIVE:
			report_add(it->check->report, LEVEL_WARNING,
				   "recipient-domain-inactive", it->where,
				   "activate the domain, or delete the recipient",
				   "the domain of <%s> is inactive in MUM, so Postfix looks for "
				   "its mail server, which may be this one", text);
			break;
		}
	}
	address_unref(&address);
}

static char *trimmed(const char *text)
{
	static const char blanks[] = " \t\r\n";
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
		len--;
	return xstrndup(text, len);
}

static void on_recipient(const struct column *columns, void *arg)
{
	struct recipients_check *it = arg;
	char *text;

	report_progress(it->check->report, "recipients", ++it->count);
	it->id = columns[ROW_ID].data;
	it->where = xasprintf("alias_recipients.id=%s <%s@%s>", it->id,
			      columns[ROW_ALIAS_LOCAL].data, columns[ROW_ALIAS_DOMAIN].data);
	text = trimmed(columns[ROW_TEXT].data != NULL ? columns[ROW_TEXT].data : "");
	if (columns[ROW_MAILBOX_ID].data != NULL)
		judge_mailbox(it, columns, text);
	else
		judge_typed(it, columns, text);
	free(text);
	free(it->where);
}

/* ---- postmaster and abuse ---- */

enum { ROLES_SHOWN = 3 };

struct roles {
	const struct names *names;
	size_t missing;
	struct buf shown;
};

static bool accepts_mail(const struct roles *roles, const char *local, const char *domain)
{
	char *text = xasprintf("%s@%s", local, domain);
	struct address *address = address_new(ADDRESS_MAIL, text, strlen(text), "");
	/* A domain that no mail can name is another finding's. */
	bool accepts = address == NULL ||
		       names_address(roles->names, address) == NAME_IS_LIVE;

	address_unref(&address);
	free(text);
	return accepts;
}

static void on_domain(const char *domain, void *arg)
{
	struct roles *roles = arg;

	if (accepts_mail(roles, "postmaster", domain) && accepts_mail(roles, "abuse", domain))
		return;
	if (roles->missing++ < ROLES_SHOWN)
		buf_printf(&roles->shown, "%s%s", roles->shown.len > 0 ? ", " : "", domain);
}

/* RFC 5321 section 4.5.1, RFC 2142: one line, however many domains a site has. */
static void check_roles(const struct check *check, const struct names *names)
{
	struct roles roles = { .names = names, .shown = BUF_INIT(8192) };

	names_each_domain(names, on_domain, &roles);
	buf_put(&roles.shown, "", 1);
	if (roles.missing > 0)
		report_add(check->report, LEVEL_NOTE, "role-missing", "domains",
			   "give them aliases of these names: RFC 5321 4.5.1, RFC 2142",
			   "%zu have no postmaster@ or no abuse@ that accepts mail, the first: "
			   "%s", roles.missing, roles.shown.data);
	buf_free(&roles.shown);
}

/* ---- aliases that MUM does not show any more ---- */

static void on_expired(const struct column *columns, void *arg)
{
	const struct check *check = arg;
	char *where = xasprintf("aliases.id=%s <%s@%s>", columns[0].data, columns[1].data,
				columns[2].data);
	char *cure = xasprintf("%sDELETE FROM aliases WHERE id = %s",
			       is_sqlite(check) ? "PRAGMA foreign_keys = ON; " : "",
			       columns[0].data);

	report_add(check->report, LEVEL_NOTE, "alias-expired", where, cure,
		   "its deactivate_at has passed: MUM hides it, and nobody can create an "
		   "alias of this name");
	free(cure);
	free(where);
}

static void check_expired(const struct check *check, const char *now)
{
	char *sql = xasprintf("SELECT a.id, a.local_part, d.domain FROM aliases a"
			      " JOIN domains d ON d.id = a.domain_id"
			      " WHERE a.deactivate_at < '%s' ORDER BY a.id", now);

	check_query(check, sql, on_expired, (void *)check);
	free(sql);
}

void check_recipients(const struct check *check)
{
	struct names *names = names_load(check);
	struct recipients_check it = { .check = check, .names = names };
	char *now, *sql;

	if (names == NULL)
		return;
	now = names_now(check);
	sql = xasprintf(RECIPIENTS_SQL, now);
	check_query(check, sql, on_recipient, &it);
	check_expired(check, now);
	check_roles(check, names);
	free(sql);
	free(now);
	names_free(&names);
}
