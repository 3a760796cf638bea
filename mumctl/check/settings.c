/* SPDX-License-Identifier: MIT */
/* What Postfix and Dovecot are set to beside mum.conf, where it changes what mail does. */
#include "mumctl/check/check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/myorigin.h"
#include "common/xalloc.h"
#include "mumctl/settings.h"

static bool has_word(const char *list, const char *word)
{
	bool has = false;
	char *one;

	while (!has && (one = settings_next_table(&list)) != NULL) {
		has = strcmp(one, word) == 0;
		free(one);
	}
	return has;
}

/* Is each of these characters one of the others? */
static bool has_all(const char *others, const char *characters)
{
	return characters[strspn(characters, others)] == '\0';
}

/* ---- Postfix ---- */

static const char *of_postfix(const struct check *check, const char *name)
{
	return settings_of_postfix(check->settings, name);
}

struct postfix {
	const struct check *check;
	const char *queue, *alias_maps, *mailbox_maps;
};

static bool is_ours(const struct postfix *postfix, const char *table)
{
	return settings_is_our_table(postfix->check->config, postfix->queue, table);
}

static bool names_us(const struct postfix *postfix, const char *list)
{
	bool ours = false;
	char *table;

	while (list != NULL && !ours && (table = settings_next_table(&list)) != NULL) {
		ours = is_ours(postfix, table);
		free(table);
	}
	return ours;
}

/* Is one of MUM's mysql: files named? */
static bool names_stock(const char *list)
{
	bool stock = false;
	char *table;

	while (list != NULL && !stock && (table = settings_next_table(&list)) != NULL) {
		stock = settings_is_stock_table(table);
		free(table);
	}
	return stock;
}

/* what: what happens where another table has a catch-all, for the sentence below. */
static void check_maps(const struct postfix *postfix, const char *where, const char *list,
		       const char *what)
{
	char *table;

	while (list != NULL && (table = settings_next_table(&list)) != NULL) {
		if (!is_ours(postfix, table))
			report_add(postfix->check->report, LEVEL_NOTE, "map-besides", where,
				   "see that it has no entry for a whole domain of MUM's",
				   "Postfix asks %s, too: with a catch-all (@domain) there %s",
				   table, what);
		free(table);
	}
}

static void check_postfix_delimiter(const struct check *check)
{
	const char *ours = check->config->address.recipient_delimiter;
	const char *theirs = of_postfix(check, "recipient_delimiter");

	if (theirs != NULL && !has_all(ours, theirs))
		report_add(check->report, LEVEL_WARNING, "delimiter-differs",
			   "main.cf recipient_delimiter",
			   "set address.recipient_delimiter in mum.conf to the same",
			   "Postfix has \"%s\", mumd \"%s\": an address with an extension "
			   "that only Postfix knows is refused as unknown", theirs, ours);
	if (theirs != NULL && !has_all(theirs, ours))
		report_add(check->report, LEVEL_WARNING, "delimiter-differs",
			   "main.cf recipient_delimiter",
			   "set recipient_delimiter in main.cf to the same",
			   "Postfix has \"%s\", mumd \"%s\": an address with an extension "
			   "that only mumd knows is whole for Postfix's other tables and "
			   "for local(8)", theirs, ours);
}

static void check_propagation(const struct check *check)
{
	bool ours = check->config->address.propagate_extension;
	const char *classes = of_postfix(check, "propagate_unmatched_extensions");
	bool theirs = classes != NULL && has_word(classes, "virtual");

	if (classes != NULL && ours && !theirs)
		report_add(check->report, LEVEL_WARNING, "propagate-differs",
			   "main.cf propagate_unmatched_extensions",
			   "set address.propagate_extension = false in mum.conf",
			   "Postfix is told to leave an extension out, and mumd puts it "
			   "behind the recipients of an alias");
	if (classes != NULL && !ours && theirs)
		report_add(check->report, LEVEL_WARNING, "propagate-differs",
			   "main.cf propagate_unmatched_extensions",
			   "set address.propagate_extension = true in mum.conf",
			   "Postfix is told to put an extension behind the recipients of "
			   "an alias, and mumd leaves it out");
}

/* theirs: NULL when it cannot be read, and then nothing is found. */
static void compare_reading(const struct check *check, const char *name,
			    const char *theirs, const char *ours)
{
	char *where, *cure;

	if (theirs == NULL || strcasecmp(theirs, ours) == 0)
		return;
	where = xasprintf("main.cf %s", name);
	cure = xasprintf("set address.%s in mum.conf to the same", name);
	report_add(check->report, LEVEL_WARNING, "address-differs", where, cure,
		   "Postfix has \"%s\", mumd \"%s\": its policy service judges another "
		   "address than the one that Postfix makes of what is typed", theirs, ours);
	free(cure);
	free(where);
}

static const char *yes_or_no(bool value)
{
	return value ? "yes" : "no";
}

/* What Postfix makes of an address as it is typed: trivial-rewrite(8). */
static void check_readings(const struct check *check)
{
	const char *origin = of_postfix(check, "myorigin");
	const char *append = of_postfix(check, "append_dot_mydomain");
	char *read = origin != NULL ? myorigin_read(origin) : NULL;

	compare_reading(check, "allow_percent_hack", of_postfix(check, "allow_percent_hack"),
			yes_or_no(check->config->address.allow_percent_hack));
	compare_reading(check, "swap_bangpath", of_postfix(check, "swap_bangpath"),
			yes_or_no(check->config->address.swap_bangpath));
	compare_reading(check, "myorigin", read, check->config->address.myorigin);
	if (append != NULL)
		compare_reading(check, "mydomain",
				strcmp(append, "yes") == 0 ? of_postfix(check, "mydomain") : "",
				check->config->address.mydomain);
	free(read);
}

/* Dovecot's LMTP server does not announce SMTPUTF8. */
static void check_utf8(const struct check *check)
{
	const char *enable = of_postfix(check, "smtputf8_enable");
	const char *transport = of_postfix(check, "virtual_transport");

	if (enable != NULL && transport != NULL && strcmp(enable, "yes") == 0 &&
	    strncmp(transport, "lmtp:", 5) == 0)
		report_add(check->report, LEVEL_NOTE, "smtputf8-lmtp",
			   "main.cf smtputf8_enable",
			   "set smtputf8_enable = no, unless this mail may bounce",
			   "mail that needs SMTPUTF8, be it for a header in plain UTF-8 "
			   "alone, is accepted and then bounced (5.6.7), since Dovecot's "
			   "LMTP does not offer it");
}

/* What MUM does not know, that other table does: its mail would be refused. */
static void check_other_maps(const struct check *check)
{
	if (!check->config->address.other_maps &&
	    settings_other_tables(check->settings, check->config) > 0)
		report_add(check->report, LEVEL_ERROR, "other-maps-off", "address.other_maps",
			   "set address.other_maps = true in mum.conf",
			   "Postfix asks another table, too: recipients of aliases that only "
			   "that one knows get no mail");
}

void check_postfix_settings(const struct check *check)
{
	struct postfix postfix = {
		.check = check,
		.queue = of_postfix(check, "queue_directory"),
		.alias_maps = of_postfix(check, "virtual_alias_maps"),
		.mailbox_maps = of_postfix(check, "virtual_mailbox_maps"),
	};

	bool asks = postfix.queue != NULL && (names_us(&postfix, postfix.alias_maps) ||
					      names_us(&postfix, postfix.mailbox_maps));

	/* A Postfix that does not ask mumd, and is not about to, may be set to anything. */
	if (asks || names_stock(postfix.mailbox_maps)) {
		check_postfix_delimiter(check);
		check_propagation(check);
		check_readings(check);
	}
	if (asks) {
		check_maps(&postfix, "main.cf virtual_alias_maps", postfix.alias_maps,
			   "mail of MUM's mailboxes in that domain goes elsewhere");
		check_maps(&postfix, "main.cf virtual_mailbox_maps", postfix.mailbox_maps,
			   "mail to unknown addresses is accepted, and bounced");
		check_utf8(check);
		check_other_maps(check);
	}
}

/* ---- Dovecot ---- */

/* In the variables of 2.3, or of 2.4. */
static bool drops_domain(const char *format)
{
	static const char *const locals[] = { "%n", "%Ln", "username" };
	static const char *const domains[] = { "%d", "%Ld", "domain" };
	bool local = false, domain = false;

	for (size_t i = 0; i < 3; i++) {
		local = local || strstr(format, locals[i]) != NULL;
		domain = domain || strstr(format, domains[i]) != NULL;
	}
	return local && !domain;
}

/* Debian 13 has it so, for users of the system. */
static void check_lmtp_name(const struct check *check)
{
	const char *format = settings_dovecot_lmtp_name(check->settings);

	if (format != NULL && drops_domain(format))
		report_add(check->report, LEVEL_ERROR, "lmtp-domain",
			   "dovecot.conf auth_username_format",
			   "set it for protocol lmtp as conf-examples/dovecot-2.4.conf does",
			   "it is \"%s\" for LMTP, which takes the domain off each recipient: "
			   "all mail is bounced", format);
}

/* LMTP takes off what stands behind the first of these, whatever mailbox has that name. */
static void check_dovecot_delimiter(const struct check *check)
{
	const char *ours = check->config->address.recipient_delimiter;
	const char *theirs = settings_dovecot_delimiter(check->settings);

	if (theirs == NULL)
		return;
	if (!has_all(theirs, ours))
		report_add(check->report, LEVEL_ERROR, "delimiter-differs",
			   "dovecot.conf recipient_delimiter",
			   "set recipient_delimiter in dovecot.conf to the same",
			   "Dovecot has \"%s\", mumd \"%s\": mail to an address with an "
			   "extension that only mumd knows is accepted, and bounced by "
			   "Dovecot's LMTP: \"User doesn't exist\"", theirs, ours);
	if (!has_all(ours, theirs))
		report_add(check->report, LEVEL_ERROR, "delimiter-differs",
			   "dovecot.conf recipient_delimiter",
			   "set recipient_delimiter in dovecot.conf to the same",
			   "Dovecot has \"%s\", mumd \"%s\": mail for a mailbox with a "
			   "character in its name that only Dovecot knows is put into "
			   "another mailbox, or bounced", theirs, ours);
}

void check_dovecot_settings(const struct check *check)
{
	check_dovecot_delimiter(check);
	check_lmtp_name(check);
}
