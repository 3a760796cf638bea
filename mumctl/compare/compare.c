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
#include "mumctl/reverse/unknown-names.h"

/* Where MUM's manual has the mysql: files. */
#define POSTFIX_DIRECTORY "/etc/postfix/sql"

static const struct {
	unsigned kinds;		/* NAME_IS_...: of the names to ask about */
	/* What a value means, in words; NULL: see effect_on_mail(). */
	const char *found, *value_follows, *none;
} maps[SOCKETMAP_MAPS] = {
	[SOCKETMAP_DOMAINS] = { NAME_IS_DOMAIN, "takes mail for it", NULL,
				"takes no mail for it" },
	[SOCKETMAP_MAILBOXES] = { .kinds = NAME_IS_RECIPIENT },
	[SOCKETMAP_ALIASES] = { .kinds = NAME_IS_RECIPIENT },
	[SOCKETMAP_SENDERS] = { NAME_IS_SENDER, "lets ", " send as it",
				"lets nobody send as it" },
	[SOCKETMAP_ACCESS] = { .kinds = NAME_IS_RECIPIENT },
	[SOCKETMAP_TLS] = { NAME_IS_NEXT_HOP, "sends to it with the TLS policy ", "",
			    "has no TLS policy for it" },
};

struct options {
	const char *directory, *keys, *maillog, *dovecot;
	bool all;
};

struct compare {
	struct tool *tool;
	struct inspect *db;		/* the first host that answers; NULL when none does */
	const char *delimiters;
	struct names names;
	struct sents sents;
	struct stock *stock[SOCKETMAP_MAPS];	/* NULL: there is no file */
	struct ledger ledger;
	json_t *owners;			/* lines about senders */
	size_t compared, names_compared, names_changed;
	bool failed;
};

/* What mumd says of one name, and why stock says otherwise. */
struct subject {
	const char *name;
	unsigned asked;			/* bit 1 << SOCKETMAP_... */
	struct map_reply ours[SOCKETMAP_MAPS];
	char reasons[SOCKETMAP_MAPS][NUMBERS_SIZE];	/* "": no difference */
};

static const char *name_of(enum socketmap_number map)
{
	return socketmap_name(socketmap_by_number(map));
}

/* ---- stock ---- */

static bool ask_stock(struct compare *compare, const char *directory, enum socketmap_number map)
{
	char *mysql_file = xasprintf("%s/%s.cf", directory, name_of(map));
	bool good;

	if (access(mysql_file, R_OK) == 0) {
		compare->stock[map] = stock_ask(mysql_file, &compare->names, maps[map].kinds);
		good = compare->stock[map] != NULL;
	} else {
		good = stock_complain_missing(mysql_file, "this map is not compared");
	}
	free(mysql_file);
	return good;
}

/* ---- one name ---- */

/* Then asks nothing further: each question might wait for its deadline. */
static void fail(struct compare *compare, const char *key, const char *why)
{
	tool_complain(key, why != NULL ? why : "the database gave no answer");
	compare->failed = true;
}

static void compare_map(struct compare *compare, struct subject *subject,
			enum socketmap_number map)
{
	const char *stock = stock_find(compare->stock[map], subject->name);
	struct map_reply *ours = &subject->ours[map];
	struct asked asked;

	if (!mumd_ask(compare->tool, map, subject->name, &asked))
		return;
	mumd_answer_map(map, &asked, ours);
	subject->asked |= 1U << map;
	if (ours->status != MUM_FOUND && ours->status != MUM_NOT_FOUND && !ours->bad_value) {
		fail(compare, subject->name, ours->why);
	} else if (!compare_reason(compare->tool, compare->db, map, subject->name, stock,
				   &asked, ours, subject->reasons[map])) {
		fail(compare, subject->name, NULL);
	} else {
		if (ours->bad_value && stock == NULL)
			tool_complain(subject->name, ours->why);
		compare->compared++;
	}
	asked_free(&asked);
}

/* ---- what differs ---- */

static void add_difference(struct compare *compare, const struct subject *subject,
			   enum socketmap_number map, bool changes)
{
	const struct map_reply *ours = &subject->ours[map];

	if (*subject->reasons[map] != '\0')
		ledger_add(&compare->ledger, name_of(map), subject->name,
			   stock_find(compare->stock[map], subject->name),
			   ours->status == MUM_TEMPFAIL ? "TEMP" : ours->value,
			   subject->reasons[map], changes);
}

/* ---- recipients: three maps decide together ---- */

/* What a map gives when Postfix has asked it for all forms of a name. */
struct found {
	const char *stock, *ours;	/* NULL: not found, or not asked */
	bool ours_is_bad;
	char reason[NUMBERS_SIZE];	/* of the form that was found */
	struct map_reply reply;		/* owns what ours is, or nothing */
};

/* Stock has the name in another form; ours is what mumd says of that form. */
static void ask_form(struct compare *compare, enum socketmap_number map, const char *form,
		     struct found *found)
{
	struct asked asked;

	if (!mumd_ask(compare->tool, map, form, &asked))
		return;
	mumd_answer_map(map, &asked, &found->reply);
	if (!compare_reason(compare->tool, compare->db, map, form, found->stock, &asked,
			    &found->reply, found->reason))
		fail(compare, form, NULL);
	asked_free(&asked);
	/*
	 * mumd puts the extension behind each recipient of an alias; with stock, Postfix
	 * does that later. Without the extension the two lists are alike.
	 */
	if (found->ours != NULL)
		found->ours = found->reply.value;
}

static void find(struct compare *compare, const struct subject *subject,
		 enum socketmap_number map, struct found *found_r)
{
	char *form;

	*found_r = (struct found){ .stock = NULL };
	if ((subject->asked & 1U << map) == 0)
		return;
	form = stock_search(compare->stock[map], subject->name, compare->delimiters);
	if (form != NULL)
		found_r->stock = stock_find(compare->stock[map], form);
	found_r->ours = subject->ours[map].value;
	found_r->ours_is_bad = subject->ours[map].bad_value;
	memcpy(found_r->reason, subject->reasons[map], NUMBERS_SIZE);
	if (form != NULL && strcmp(form, subject->name) != 0)
		ask_form(compare, map, form, found_r);
	free(form);
}

/*
 * The numbers of the answers that differ: of the recipient check if only one side
 * refuses there, else of the two other maps.
 */
static void put_mail_numbers(const struct found found[SOCKETMAP_MAPS], bool refused,
			     char numbers[NUMBERS_SIZE])
{
	numbers[0] = '\0';
	if (refused)
		numbers_add(numbers, found[SOCKETMAP_ACCESS].reason);
	if (numbers[0] != '\0')
		return;
	numbers_add(numbers, found[SOCKETMAP_ALIASES].reason);
	numbers_add(numbers, found[SOCKETMAP_MAILBOXES].reason);
}

/* Does mail to the name take another way? If so, adds a line about it. */
static bool judge_mail(struct compare *compare, const char *name,
		       const struct found found[SOCKETMAP_MAPS])
{
	const struct found *access = &found[SOCKETMAP_ACCESS], *alias = &found[SOCKETMAP_ALIASES];
	const struct found *mailbox = &found[SOCKETMAP_MAILBOXES];
	const struct mail_answers stock = { access->stock, alias->stock, mailbox->stock, false };
	const struct mail_answers ours = { access->ours, alias->ours, mailbox->ours,
					   alias->ours_is_bad };
	char numbers[NUMBERS_SIZE];
	char *before, *after;

	put_mail_numbers(found, effect_is_refusal(&stock) != effect_is_refusal(&ours), numbers);
	if (numbers[0] == '\0' || !effect_on_mail(&stock, &ours))
		return false;
	before = effect_of_stock(&stock);
	after = effect_of_ours(&stock, &ours);
	ledger_add_line(compare->ledger.changed, name, before, after, numbers);
	free(before);
	free(after);
	return true;
}

static bool add_recipient(struct compare *compare, const struct subject *subject)
{
	struct found found[SOCKETMAP_MAPS] = { { .stock = NULL } };
	bool changes;

	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++) {
		if (maps[map].kinds == NAME_IS_RECIPIENT)
			find(compare, subject, map, &found[map]);
	}
	changes = judge_mail(compare, subject->name, found);
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++) {
		if (maps[map].kinds == NAME_IS_RECIPIENT)
			add_difference(compare, subject, map, changes);
		map_reply_free(&found[map].reply);
	}
	return changes;
}

/* ---- domains, senders, next hops: a map each ---- */

static char *put_words(enum socketmap_number map, const char *value)
{
	char *shown, *text;

	if (value == NULL)
		return xstrdup(maps[map].none);
	if (maps[map].value_follows == NULL)
		return xstrdup(maps[map].found);
	shown = effect_value(value);
	text = xasprintf("%s%s%s", maps[map].found, shown, maps[map].value_follows);
	free(shown);
	return text;
}

static bool add_single(struct compare *compare, const struct subject *subject,
		       enum socketmap_number map, json_t *lines)
{
	char numbers[NUMBERS_SIZE] = "";
	struct found found;
	char *before, *after;
	bool changes;

	find(compare, subject, map, &found);
	before = put_words(map, found.stock);
	after = found.ours_is_bad ? xstrdup("fails for now, since no value can be handed to Postfix")
				  : put_words(map, found.ours);
	changes = !numbers_have_no_effect(found.reason);
	numbers_add(numbers, found.reason);
	if (changes)
		ledger_add_line(lines, subject->name, before, after, numbers);
	free(before);
	free(after);
	add_difference(compare, subject, map, changes);
	map_reply_free(&found.reply);
	return changes;
}

/* ---- all names ---- */

static void compare_name(struct compare *compare, const struct name *name)
{
	struct subject subject = { .name = name->text };
	bool mail, domain, hop;

	for (enum socketmap_number map = 0; !compare->failed && map < SOCKETMAP_MAPS; map++) {
		if ((name->kinds & maps[map].kinds) != 0 && compare->stock[map] != NULL)
			compare_map(compare, &subject, map);
	}
	if (!compare->failed && subject.asked != 0) {
		domain = add_single(compare, &subject, SOCKETMAP_DOMAINS, compare->ledger.changed);
		mail = add_recipient(compare, &subject);
		hop = add_single(compare, &subject, SOCKETMAP_TLS, compare->ledger.changed);
		(void)add_single(compare, &subject, SOCKETMAP_SENDERS, compare->owners);
		/* Names that were senders only are not counted: many of them are strangers. */
		compare->names_compared += (subject.asked & ~(1U << SOCKETMAP_SENDERS)) != 0;
		compare->names_changed += domain || mail || hop;
	}
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++)
		map_reply_free(&subject.ours[map]);
}

static void compare_names(struct compare *compare, const char *directory)
{
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS && !compare->failed; map++)
		compare->failed = !ask_stock(compare, directory, map);
	for (const struct name *name = compare->names.first; name != NULL && !compare->failed;
	     name = name->hh.next)
		compare_name(compare, name);
}

/* ---- the command ---- */

static bool is_catch_all(const struct name *name)
{
	return *name->text == '@' && (name->kinds & NAME_IS_RECIPIENT) != 0;
}

/*
 * With address.catch_all, adds a name that MUM does not know for each catch-all among the
 * names. False: it has complained.
 */
static bool add_caught(struct names *names, struct inspect *db, const struct mum_config *config)
{
	struct inspect_error error;
	struct unknown_names *unknown;
	bool good;

	if (!config->address.catch_all)
		return true;
	unknown = unknown_names_new(db, config, &error);
	for (const struct name *name = names->first; unknown != NULL && name != NULL;
	     name = name->hh.next) {
		if (is_catch_all(name))
			unknown_names_want(unknown, name->text + 1);
	}
	good = unknown != NULL && unknown_names_read(unknown, &error);
	/* New names come last, and are no catch-alls. */
	for (const struct name *name = names->first; good && name != NULL; name = name->hh.next) {
		char *caught = is_catch_all(name)
				       ? unknown_names_pick(unknown, name->text + 1) : NULL;

		if (caught != NULL)
			names_add(names, caught, strlen(caught),
				  NAME_IS_RECIPIENT | NAME_IS_SENDER);
		free(caught);
	}
	if (!good)
		tool_complain("database", error.text);
	unknown_names_free(&unknown);
	return good;
}

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
	     !add_caught(&compare->names, compare->db,
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
