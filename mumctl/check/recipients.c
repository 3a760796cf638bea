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
#include "mumctl/check/check.h"
#include "mumctl/check/names.h"

/* ---- one recipient ---- */

/* cure: NULL to delete the recipient. */
static void add_row(const struct check *check, const char *code, const struct delivery_row *row,
		    const char *cure, const char *what)
{
	if (cure == NULL)
		cure = report_text(check->report, "DELETE FROM alias_recipients WHERE id = %" PRIu64,
				   row->recipient_id);
	report_add(check->report, LEVEL_WARNING, code,
		   report_text(check->report, "alias_recipients.id=%" PRIu64 " <%s>",
			       row->recipient_id, row->alias), cure, "%s", what);
}

/* Compares the text with the mailbox. No name is in the UPDATE: it may hold any bytes. */
static void check_text(const struct check *check, const struct delivery_row *row)
{
	const char *text = row->recipient;
	size_t size = text_trim(&text, strlen(text));	/* moves text */
	char *trimmed = xstrndup(text, size);
	const char *cure = report_text(
		check->report, "UPDATE alias_recipients SET recipient_address = (SELECT %s FROM "
		"mailboxes m JOIN domains d ON d.id = m.domain_id WHERE m.id = mailbox_id) "
		"WHERE id = %" PRIu64,
		check_is_sqlite(check) ? "m.local_part || '@' || d.domain"
				 : "CONCAT(m.local_part, '@', d.domain)", row->recipient_id);

	if (!address_is_same(trimmed, row->stands_for))
		add_row(check, "recipient-stale", row, cure,
			report_text(check->report, "it says <%s>, and its mailbox is <%s> now: "
				    "mail goes to the latter", trimmed, row->stands_for));
	free(trimmed);
}

/* Checks a recipient that has no mailbox and gets mail. */
static void check_live_text(const struct check *check, const struct delivery_row *row)
{
	const char *text = row->stands_for;
	struct address *address = address_new(ADDRESS_MAIL, text, strlen(text), "");

	if (state_is_elsewhere(row))
		add_row(check, "recipient-unknown", row, NULL,
			report_text(check->report, "MUM has the domain of <%s>, and neither mailbox "
				    "nor alias of this name: mail to it is bounced, unless another "
				    "table of Postfix has it", text));
	else if (address != NULL && names_domain(check->names, address) == DOMAIN_IS_INACTIVE)
		add_row(check, "recipient-domain-inactive", row,
			"activate the domain, or delete the recipient",
			report_text(check->report, "the domain of <%s> is inactive in MUM, so "
				    "Postfix looks for its mail server, which may be this one",
				    text));
	address_unref(&address);
}

/*
 * Why nobody gets the mail of a recipient without a mailbox; NULL if somebody does, or if an
 * admin may want it so.
 */
static const char *why_dead(enum recipient_state state)
{
	switch (state) {
	case RECIPIENT_IS_UNKNOWN:	return "neither a mailbox nor an alias has this name";
	case RECIPIENT_IS_SEND_ONLY:	return "the mailbox of this name is send-only";
	case RECIPIENT_IS_INACTIVE:
		return "what has this name is inactive, expired or without recipients that "
		       "accept mail";
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
	const enum recipient_state state = state_of_recipient(row);
	const char *why = why_dead(state);

	if (state == RECIPIENT_IS_GONE)
		add_row(check, "recipient-dangling", row, NULL,
			report_text(check->report, "its mailbox is gone: <%s> gets nothing",
				    row->recipient));
	else if (state_has_mailbox(row))
		check_text(check, row);
	else if (state == RECIPIENT_IS_LIVE)
		check_live_text(check, row);
	else if (why != NULL)
		add_row(check, "recipient-dead", row, NULL,
			report_text(check->report, "no mail is handed to <%s>: %s",
				    row->stands_for, why));
}

/* ---- postmaster and abuse ---- */

enum { ROLES_SHOWN = 3 };

struct roles {
	const struct names *names;
	struct fallback_settings fallbacks;
	size_t missing;
	struct buf shown;
};

/* Does the name, a role or a catch-all take its mail? */
static bool accepts_mail(const struct roles *roles, const char *local, const char *domain)
{
	char *text = xasprintf("%s@%s", local, domain);
	struct address *address = address_new(ADDRESS_MAIL, text, strlen(text), "");
	struct mum_answer answer = { .status = MUM_FOUND, .address = address };
	struct behind behind = { 0 };

	free(text);
	/* A domain that no mail can name is another finding. */
	if (address == NULL)
		return true;
	address_add_fallbacks(address, &roles->fallbacks);
	answer.facts[MUM_NAME] = names_facts(roles->names, address);
	rule_behind(&answer, FORM_IS_NAME, &behind);
	facts_unref(&answer.facts[MUM_NAME]);
	address_unref(&address);
	return state_behind_takes_mail(&behind);
}

static void on_domain(const char *domain, void *arg)
{
	struct roles *roles = arg;

	if (accepts_mail(roles, "postmaster", domain) && accepts_mail(roles, "abuse", domain))
		return;
	if (roles->missing++ < ROLES_SHOWN)
		buf_printf(&roles->shown, "%s%s", roles->shown.len > 0 ? ", " : "", domain);
}

static void add_dead_role(const struct check *check, enum level level, const char *why)
{
	report_add(check->report, level, "role-recipient-dead", "address.role_recipient",
		   "name an address that accepts mail",
		   "no mail of address.roles is handed to <%s>: %s",
		   check->config->address.role_recipient, why);
}

/* The recipient as a row of an alias. */
static void judge_role_recipient(const struct check *check, const struct delivery_row *row)
{
	const char *why = why_dead(state_of_recipient(row));
	struct address *address =
		address_new(ADDRESS_MAIL, row->stands_for, strlen(row->stands_for), "");

	if (why != NULL)
		add_dead_role(check, LEVEL_ERROR, why);
	else if (state_is_elsewhere(row))
		add_dead_role(check, LEVEL_WARNING, "neither a mailbox nor an alias has this "
			      "name, unless another table of Postfix has it");
	else if (address != NULL && names_domain(check->names, address) == DOMAIN_IS_INACTIVE)
		add_dead_role(check, LEVEL_ERROR, "its domain is inactive in MUM");
	address_unref(&address);
}

/* Judges the recipient as mumd does for a role. */
static void check_role_recipient(const struct check *check,
				 const struct fallback_settings *fallbacks)
{
	char *name = xjoin(fallbacks->roles[0], "@", "mum.invalid");
	struct address *address = address_new(ADDRESS_MAIL, name, strlen(name), "");
	struct facts *facts = facts_new(MUM_DELIVERY);
	struct delivery_row *row = facts_new_row(facts);

	address_add_fallbacks(address, fallbacks);
	*row = (struct delivery_row){ .alias = name, .recipient = fallbacks->role_recipient,
				      .stands_for = fallbacks->role_recipient };
	if (address_is_role(address, &row->form)) {
		names_complete(check->names, check->config, address, facts);
		judge_role_recipient(check, row);
	}
	facts_unref(&facts);
	address_unref(&address);
	free(name);
}

/* RFC 5321 section 4.5.1, RFC 2142. One finding, however many domains there are. */
void check_roles(const struct check *check)
{
	struct roles roles = { .names = check->names,
			       .fallbacks = mum_config_fallbacks(check->config),
			       .shown = BUF_INIT(8192) };

	if (roles.fallbacks.roles_count > 0)
		check_role_recipient(check, &roles.fallbacks);
	names_each_domain(check->names, on_domain, &roles);
	buf_put(&roles.shown, "", 1);
	if (roles.missing > 0)
		report_add(check->report, LEVEL_NOTE, "role-missing", "domains",
			   "set address.roles and role_recipient in mum.conf, or give them "
			   "aliases of these names: RFC 5321 4.5.1, RFC 2142",
			   "%zu have no postmaster@ or no abuse@ that accepts mail, the first: "
			   "%s", roles.missing, roles.shown.data);
	buf_free(&roles.shown);
}

/* ---- aliases that MUM does not show any more ---- */

static void on_expired(const struct column *columns, void *arg)
{
	const struct check *check = arg;

	report_add(check->report, LEVEL_NOTE, "alias-expired",
		   report_text(check->report, "aliases.id=%s <%s@%s>", columns[0].data,
			       columns[1].data, columns[2].data),
		   report_text(check->report, "%sDELETE FROM aliases WHERE id = %s",
			       check_is_sqlite(check) ? "PRAGMA foreign_keys = ON; " : "",
			       columns[0].data),
		   "its deactivate_at has passed: MUM hides it, and nobody can create an "
		   "alias of this name");
}

void check_expired(const struct check *check)
{
	char *now = tool_now(check->config);
	char *sql = xasprintf("SELECT a.id, a.local_part, d.domain FROM aliases a"
			      " JOIN domains d ON d.id = a.domain_id"
			      " WHERE a.deactivate_at < '%s' ORDER BY a.id", now);

	check_query(check, sql, on_expired, (void *)check);
	free(sql);
	free(now);
}
