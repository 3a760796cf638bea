/* SPDX-License-Identifier: MIT */
/* Rows of mailboxes and TLS policies that do harm, judged by the rules of live traffic. */
#include "mumctl/check/check.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/columns.h"
#include "common/mail-location.h"
#include "common/password-hash.h"
#include "common/rules-users.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/settings.h"
#include "mumctl/verify.h"

/* ---- mailboxes ---- */

/* The columns of MUM_USER, and two more. */
enum { ROW_PASSWORD = USER_COLUMNS, ROW_ID };

static const char mailboxes_sql[] =
	"SELECT 1, " USER_COLUMNS_SQL ", m.password, m.id"
	" FROM mailboxes m JOIN domains d ON d.id = m.domain_id"
	" WHERE m.active = 1 AND d.active = 1";

struct mailboxes {
	const struct check *check;
	enum dovecot_generation dovecot;	/* the installed one */
	struct hash_limits limits;
	size_t count;
};

/* Says what the hash costs and what mum.conf allows; "" if the cost is not the reason. */
static const char *cost_of(struct report *report, const char *hash,
			   const struct hash_limits *limits)
{
	struct hash_limits none = {
		limits->allow_prefix, UINT_MAX, SIZE_MAX, UINT_MAX, UINT_MAX, UINT_MAX / 2,
	};
	enum hash_scheme scheme;
	const char *text;
	char *cost;

	if (hash == NULL || hash_check(hash, &none, &scheme) != NULL)
		return "";
	cost = verify_describe(hash, scheme);
	if (scheme == HASH_BCRYPT)
		text = report_text(report, ": %s; dovecot.max_bcrypt_cost is %u", cost,
				   limits->bcrypt_cost);
	else if (scheme == HASH_ARGON2I || scheme == HASH_ARGON2ID)
		text = report_text(report, ": %s; dovecot.max_argon2_memory is m=%zu, "
				   "max_argon2_time t=%u", cost, limits->argon2_memory / 1024,
				   limits->argon2_time);
	else if (scheme == HASH_CRYPT && strchr("56s", hash[1]) == NULL)
		text = report_text(report, ": %s; dovecot.max_yescrypt_cost is %u", cost,
				   limits->yescrypt_cost);
	else
		text = report_text(report, ": %s; dovecot.max_crypt_rounds is %u", cost,
				   limits->crypt_rounds);
	free(cost);
	return text;
}

static void check_hash(const struct mailboxes *mailboxes, const char *where,
		       const struct column *password)
{
	struct report *report = mailboxes->check->report;
	bool clean = password->data != NULL && text_is_clean(password->data, password->len);
	const char *hash = clean ? password->data : NULL;
	enum hash_scheme scheme;
	const char *why = hash_check(hash, &mailboxes->limits, &scheme);

	if (why != NULL)
		report_add(report, LEVEL_ERROR, "hash-refused", where,
			   "set the password anew in MUM, or see dovecot.max_* in mum.conf(5)",
			   "nobody can log in: %s%s", why,
			   cost_of(report, hash, &mailboxes->limits));
}

/* Dovecot 2.4 wants a mail location as settings, and some locations have no settings. */
static void check_location(const struct mailboxes *mailboxes, const char *where,
			   const struct user *user)
{
	struct arena arena = { 0 };
	struct mail_location location;
	const char *why = mail_location_parse(user->mail, &arena, &location);

	if (why != NULL && mailboxes->dovecot == DOVECOT_2_4)
		report_add(mailboxes->check->report, LEVEL_ERROR, "location-unknown", where,
			   "change maildir in MUM", "Dovecot defers mail and logins: %s", why);
	else if (why != NULL)
		report_add(mailboxes->check->report, LEVEL_NOTE, "location-unknown", where,
			   "change maildir in MUM before Dovecot 2.4 takes over",
			   "Dovecot 2.4 would defer mail and logins: %s", why);
	arena_free(&arena);
}

/* Uses the facts and the rule, as the userdb does. */
static void check_user(const struct mailboxes *mailboxes, const char *where,
		       const struct address *address, const struct column *columns)
{
	struct mum_answer answer = { .status = MUM_FOUND, .address = address };
	struct facts *facts = facts_new(MUM_USER);
	const char *why = NULL;
	struct user user;

	answer.facts[MUM_USER] = facts;
	if (facts_add_row(facts, address, 0, columns, &why) && facts->count > 0 &&
	    rule_user(&answer, &user, &why) == MUM_FOUND)
		check_location(mailboxes, where, &user);
	if (why != NULL)
		report_add(mailboxes->check->report, LEVEL_ERROR, "mailbox-unusable", where,
			   "fix it in MUM", "Dovecot defers mail and logins: %s", why);
	else if (facts->count == 0)
		report_add(mailboxes->check->report, LEVEL_ERROR, "name-unusable", where,
			   "rename it in MUM", "it is not found by its own name");
	facts_unref(&facts);
}

/* Dovecot's LMTP server does not know which names MUM has. */
static void check_split(const struct mailboxes *mailboxes, const char *where,
			const struct column *local)
{
	const char *delimiter = mailboxes->check->settings->dovecot_delimiter;
	size_t user = delimiter != NULL ? strcspn(local->data, delimiter) : 0;

	if (user > 0 && local->data[user] != '\0')
		report_add(mailboxes->check->report, LEVEL_ERROR, "mailbox-split", where,
			   "rename it in MUM, or take the character out of recipient_delimiter "
			   "in dovecot.conf",
			   "Dovecot's LMTP takes \"%s\" for an extension: its mail goes to the "
			   "mailbox %.*s@, or is bounced where there is none",
			   local->data + user, (int)user, local->data);
}

static void on_mailbox(const struct column *columns, void *arg)
{
	struct mailboxes *mailboxes = arg;
	char *name = xasprintf("%s@%s", columns[MAILBOX_LOCAL].data, columns[MAILBOX_DOMAIN].data);
	const char *where = report_text(mailboxes->check->report, "mailboxes.id=%s <%s>",
					columns[ROW_ID].data, name);
	struct address *address = address_new(ADDRESS_LOGIN, name, strlen(name), "");

	report_progress(mailboxes->check->report, "mailboxes", ++mailboxes->count);
	if (address == NULL) {
		report_add(mailboxes->check->report, LEVEL_ERROR, "name-unusable", where,
			   "rename it in MUM", "no login and no mail can have this name");
	} else {
		check_user(mailboxes, where, address, columns);
		address_unref(&address);
	}
	check_hash(mailboxes, where, &columns[ROW_PASSWORD]);
	check_split(mailboxes, where, &columns[MAILBOX_LOCAL]);
	free(name);
}

void check_mailboxes(const struct check *check)
{
	struct mailboxes mailboxes = {
		.check = check, .dovecot = settings_generation_here(),
		.limits = hash_limits(check->config),
	};

	check_query(check, mailboxes_sql, on_mailbox, &mailboxes);
}

/* ---- TLS policies ---- */

static void on_tls_policy(const struct column *columns, void *arg)
{
	const struct check *check = arg;
	const char *domain = columns[0].data != NULL ? columns[0].data : "";
	const char *policy = columns[1].data != NULL ? columns[1].data : "";
	const char *params = columns[2].data != NULL ? columns[2].data : "";
	struct address *address = address_new(ADDRESS_TLS, domain, strlen(domain), "");
	unsigned version = check->settings->postfix_version;
	const char *where = report_text(check->report, "tls_policies.domain=<%s>", domain);
	const char *fault = text_is_clean(policy, columns[1].len) &&
					    text_is_clean(params, columns[2].len)
				    ? tls_policy_fault(policy, params, version)
				    : "control characters, which mumd hands to nobody";

	if (address == NULL)
		report_add(check->report, LEVEL_WARNING, "name-unusable", where,
			   "write the domain as postconf(5) smtp_tls_policy_maps says",
			   "no next hop can have this name");
	else if (fault != NULL)
		report_add(check->report, LEVEL_ERROR, "tls-params", where,
			   "fix policy or params in MUM",
			   "Postfix defers mail to it: %s (%s %s)", fault, policy, params);
	address_unref(&address);
}

void check_tls_policies(const struct check *check)
{
	check_query(check, "SELECT domain, policy, params FROM tls_policies WHERE active = 1",
		    on_tls_policy, (void *)check);
}
