/* SPDX-License-Identifier: MIT */
/* Settings of Postfix and Dovecot that change what happens to mail. */
#include "mumctl/check/check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/myorigin.h"
#include "common/xalloc.h"
#include "mumctl/settings.h"

static bool is_word(const char *table, const void *word)
{
	return strcmp(table, word) == 0;
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

static bool is_ours(const char *table, const void *arg)
{
	const struct check *check = arg;

	return settings_is_our_table(check->config, of_postfix(check, "queue_directory"), table);
}

/* Is it one of MUM's mysql: files? */
static bool is_stock(const char *table, const void *unused)
{
	(void)unused;
	return settings_is_stock_table(table);
}

/* what: what happens if another table has a catch-all; it ends the sentence below. */
static void check_maps(const struct check *check, const char *name, const char *what)
{
	const char *list = of_postfix(check, name);
	char *table;

	while (list != NULL && (table = settings_next_table(&list)) != NULL) {
		if (!is_ours(table, check))
			report_add(check->report, LEVEL_NOTE, "map-besides",
				   report_text(check->report, "main.cf %s", name),
				   "see that it has no entry for a whole domain of MUM's",
				   "Postfix asks %s, too: with a catch-all (@domain) there %s",
				   table, what);
		free(table);
	}
}

/* The finding about a program whose delimiters are not mumd's. */
struct delimiters {
	enum level level;
	const char *program, *file;
	const char *cure_theirs, *theirs_alone;	/* where only the program knows one */
	const char *cure_ours, *ours_alone;	/* where only mumd does */
};

static void compare_delimiters(const struct check *check, const struct delimiters *delimiters,
			       const char *theirs)
{
	const char *ours = check->config->address.recipient_delimiter;
	const char *where = report_text(check->report, "%s recipient_delimiter", delimiters->file);

	if (theirs != NULL && !has_all(ours, theirs))
		report_add(check->report, delimiters->level, "delimiter-differs", where,
			   delimiters->cure_theirs, "%s has \"%s\", mumd \"%s\": %s",
			   delimiters->program, theirs, ours, delimiters->theirs_alone);
	if (theirs != NULL && !has_all(theirs, ours))
		report_add(check->report, delimiters->level, "delimiter-differs", where,
			   delimiters->cure_ours, "%s has \"%s\", mumd \"%s\": %s",
			   delimiters->program, theirs, ours, delimiters->ours_alone);
}

static const struct delimiters of_main_cf = {
	LEVEL_WARNING, "Postfix", "main.cf",
	"set address.recipient_delimiter in mum.conf to the same",
	"an address with an extension that only Postfix knows is refused as unknown",
	"set recipient_delimiter in main.cf to the same",
	"an address with an extension that only mumd knows is whole for Postfix's other tables "
	"and for local(8)",
};

static void check_propagation(const struct check *check)
{
	bool ours = check->config->address.propagate_extension;
	const char *classes = of_postfix(check, "propagate_unmatched_extensions");
	bool theirs = settings_any_table(classes, is_word, "virtual");

	if (classes != NULL && ours != theirs)
		report_add(check->report, LEVEL_WARNING, "propagate-differs",
			   "main.cf propagate_unmatched_extensions",
			   theirs ? "set address.propagate_extension = true in mum.conf"
				  : "set address.propagate_extension = false in mum.conf",
			   "Postfix is told to %s",
			   theirs ? "put an extension behind the recipients of an alias, and mumd "
				    "leaves it out"
				  : "leave an extension out, and mumd puts it behind the recipients "
				    "of an alias");
}

/* theirs: NULL if it cannot be read, and then there is no finding. */
static void compare_reading(const struct check *check, const char *name,
			    const char *theirs, const char *ours)
{
	if (theirs != NULL && strcasecmp(theirs, ours) != 0)
		report_add(check->report, LEVEL_WARNING, "address-differs",
			   report_text(check->report, "main.cf %s", name),
			   report_text(check->report, "set address.%s in mum.conf to the same", name),
			   "Postfix has \"%s\", mumd \"%s\": its policy service judges another "
			   "address than the one that Postfix makes of what is typed", theirs, ours);
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

/* A catch-all may take, or an alias drop, mail to a name that only another table has. */
static void check_other_maps(const struct check *check)
{
	bool others = settings_other_tables(check->settings, check->config) > 0;

	if (check->config->address.catch_all && others)
		report_add(check->report, LEVEL_ERROR, "catch-all-other-maps",
			   "address.catch_all",
			   "set address.catch_all = false in mum.conf, or put those names "
			   "into MUM",
			   "Postfix asks another table, too: a catch-all of MUM's takes the "
			   "mail of names that only that one knows");
	else if (!check->config->address.other_maps && others)
		report_add(check->report, LEVEL_ERROR, "other-maps-off", "address.other_maps",
			   "set address.other_maps = true in mum.conf",
			   "Postfix asks another table, too: recipients of aliases that only "
			   "that one knows get no mail");
}

/* address.other_maps says that there are names which MUM does not know. */
static void check_catch_all(const struct check *check)
{
	if (check->config->address.catch_all && check->config->address.other_maps)
		report_add(check->report, LEVEL_ERROR, "catch-all-other-maps",
			   "address.other_maps",
			   "set address.other_maps = false in mum.conf, or "
			   "address.catch_all = false",
			   "another map of Postfix may have names that MUM does not know, and "
			   "a catch-all of MUM's takes their mail");
}

void check_postfix_settings(const struct check *check)
{
	const char *mailbox_maps = of_postfix(check, "virtual_mailbox_maps");
	bool asks = of_postfix(check, "queue_directory") != NULL &&
		    (settings_any_table(of_postfix(check, "virtual_alias_maps"), is_ours, check) ||
		     settings_any_table(mailbox_maps, is_ours, check));

	check_catch_all(check);
	/* Other settings do not matter if Postfix neither asks mumd nor is about to. */
	if (asks || settings_any_table(mailbox_maps, is_stock, NULL)) {
		compare_delimiters(check, &of_main_cf, of_postfix(check, "recipient_delimiter"));
		check_propagation(check);
		check_readings(check);
	}
	if (asks) {
		check_maps(check, "virtual_alias_maps",
			   "mail of MUM's mailboxes in that domain goes elsewhere");
		check_maps(check, "virtual_mailbox_maps",
			   "mail to unknown addresses is accepted, and bounced");
		check_utf8(check);
		check_other_maps(check);
	}
}

/* ---- Dovecot ---- */

/* The variables are those of 2.3, or of 2.4. */
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

/* Debian 13 sets it this way, for users of the system. */
static void check_lmtp_name(const struct check *check)
{
	const char *format = check->settings->dovecot_lmtp_name;

	if (format != NULL && drops_domain(format))
		report_add(check->report, LEVEL_ERROR, "lmtp-domain",
			   "dovecot.conf auth_username_format",
			   "set it for protocol lmtp as conf-examples/dovecot-2.4.conf does",
			   "it is \"%s\" for LMTP, which takes the domain off each recipient: "
			   "all mail is bounced", format);
}

/* LMTP cuts a name at the first of these characters, even if a mailbox has the whole name. */
static const struct delimiters of_dovecot_conf = {
	LEVEL_ERROR, "Dovecot", "dovecot.conf",
	"set recipient_delimiter in dovecot.conf to the same",
	"mail for a mailbox with a character in its name that only Dovecot knows is put into "
	"another mailbox, or bounced",
	"set recipient_delimiter in dovecot.conf to the same",
	"mail to an address with an extension that only mumd knows is accepted, and bounced by "
	"Dovecot's LMTP: \"User doesn't exist\"",
};

void check_dovecot_settings(const struct check *check)
{
	compare_delimiters(check, &of_dovecot_conf, check->settings->dovecot_delimiter);
	check_lmtp_name(check);
}
