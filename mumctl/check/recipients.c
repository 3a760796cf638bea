/* SPDX-License-Identifier: MIT */
/*
 * Recipients of aliases that get no mail, or mail that their admin does not expect;
 * names that each domain should have; aliases that MUM does not show any more.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/buf.h"
#include "common/rules.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/check/names.h"

/* ---- one recipient ---- */

/* Takes over what. cure: NULL to delete it. */
static void add_row(const struct check *check, enum level level, const char *code,
		    const struct delivery_row *row, const char *cure, char *what)
{
	char *where = xasprintf("alias_recipients.id=%" PRIu64 " <%s>", row->recipient_id,
				row->alias);
	char *deletion = xasprintf("DELETE FROM alias_recipients WHERE id = %" PRIu64,
				   row->recipient_id);

	report_add(check->report, level, code, where, cure != NULL ? cure : deletion, "%s", what);
	free(deletion);
	free(where);
	free(what);
}

/* The text beside a mailbox. Names are not written into the UPDATE: they may hold any bytes. */
static void check_text(const struct check *check, const struct delivery_row *row)
{
	const char *text = row->recipient;
	char *trimmed = xstrndup(text, text_trim(&text, strlen(text)));
	char *cure = xasprintf(
		"UPDATE alias_recipients SET recipient_address = (SELECT %s FROM mailboxes m "
		"JOIN domains d ON d.id = m.domain_id WHERE m.id = mailbox_id) WHERE id = %" PRIu64,
		check_is_sqlite(check) ? "m.local_part || '@' || d.domain"
				 : "CONCAT(m.local_part, '@', d.domain)", row->recipient_id);

	if (!address_is_same(trimmed, row->stands_for))
		add_row(check, LEVEL_WARNING, "recipient-stale", row, cure,
			xasprintf("it says <%s>, and its mailbox is <%s> now: mail goes to "
				  "the latter", trimmed, row->stands_for));
	free(cure);
	free(trimmed);
}

/* One without a mailbox that is handed out. */
static void check_live_text(const struct check *check, const struct delivery_row *row)
{
	const char *text = row->stands_for;
	struct address *address = address_new(ADDRESS_MAIL, text, strlen(text), "");

	if (row->behind.ours && !row->behind.known)
		add_row(check, LEVEL_WARNING, "recipient-unknown", row, NULL,
			xasprintf("MUM has the domain of <%s>, and neither mailbox nor alias "
				  "of this name: mail to it is bounced, unless another table "
				  "of Postfix has it", text));
	else if (address != NULL && names_domain(check->names, address) == DOMAIN_IS_INACTIVE)
		add_row(check, LEVEL_WARNING, "recipient-domain-inactive", row,
			"activate the domain, or delete the recipient",
			xasprintf("the domain of <%s> is inactive in MUM, so Postfix looks "
				  "for its mail server, which may be this one", text));
	address_unref(&address);
}

/* Of one without a mailbox: NULL where that is as its admin has set it. */
static const char *why_dead(enum recipient_state state)
{
	switch (state) {
	case RECIPIENT_IS_UNKNOWN:	return "neither a mailbox nor an alias has this name";
	case RECIPIENT_IS_SEND_ONLY:	return "the mailbox of this name is send-only";
	case RECIPIENT_IS_INACTIVE:
		return "what has this name is inactive, expired or without recipients";
	case RECIPIENT_HAS_NO_END:
		return "it is the alias itself, with an extension or in another spelling";
	case RECIPIENT_IS_LIVE:
	case RECIPIENT_IS_GONE:
	case RECIPIENT_IS_BLANK:
	case RECIPIENT_IS_ALIAS_ITSELF:
	case RECIPIENT_IS_IN_INACTIVE_DOMAIN:
		break;
	}
	return NULL;
}

void check_recipient(const struct check *check, const struct delivery_row *row)
{
	enum recipient_state state = state_of_recipient(row);

	if (state == RECIPIENT_IS_GONE)
		add_row(check, LEVEL_WARNING, "recipient-dangling", row, NULL,
			xasprintf("its mailbox is gone: <%s> gets nothing", row->recipient));
	else if (row->recipient_local)
		check_text(check, row);
	else if (state == RECIPIENT_IS_LIVE)
		check_live_text(check, row);
	else if (why_dead(state) != NULL)
		add_row(check, LEVEL_WARNING, "recipient-dead", row, NULL,
			xasprintf("no mail is handed to <%s>: %s", row->stands_for,
				  why_dead(state)));
}

/* ---- postmaster and abuse ---- */

enum { ROLES_SHOWN = 3 };

struct roles {
	const struct names *names;
	size_t missing;
	struct buf shown;
};

static bool has_mail(const struct names *names, const struct address *address)
{
	struct mum_answer answer = { .status = MUM_FOUND, .address = address };
	struct behind behind = { 0 };

	answer.facts[MUM_NAME] = names_facts(names, address);
	rule_behind(&answer, &behind);
	facts_unref(&answer.facts[MUM_NAME]);
	return behind.alias || (behind.mailbox && !behind.send_only);
}

static bool accepts_mail(const struct roles *roles, const char *local, const char *domain)
{
	char *text = xasprintf("%s@%s", local, domain);
	struct address *address = address_new(ADDRESS_MAIL, text, strlen(text), "");
	/* A domain that no mail can name is another finding's. */
	bool accepts = address == NULL || has_mail(roles->names, address);

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
void check_roles(const struct check *check)
{
	struct roles roles = { .names = check->names, .shown = BUF_INIT(8192) };

	names_each_domain(check->names, on_domain, &roles);
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
			       check_is_sqlite(check) ? "PRAGMA foreign_keys = ON; " : "",
			       columns[0].data);

	report_add(check->report, LEVEL_NOTE, "alias-expired", where, cure,
		   "its deactivate_at has passed: MUM hides it, and nobody can create an "
		   "alias of this name");
	free(cure);
	free(where);
}

void check_expired(const struct check *check)
{
	char *now = names_now(check);
	char *sql = xasprintf("SELECT a.id, a.local_part, d.domain FROM aliases a"
			      " JOIN domains d ON d.id = a.domain_id"
			      " WHERE a.deactivate_at < '%s' ORDER BY a.id", now);

	check_query(check, sql, on_expired, (void *)check);
	free(sql);
	free(now);
}
