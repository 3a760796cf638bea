/* SPDX-License-Identifier: MIT */
/*
 * One name: both sides are asked, then each difference is explained, then it is judged what
 * that changes.
 */
#include "mumctl/compare/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

static const struct {
	unsigned kinds;		/* NAME_IS_...: of the names to ask about */
	/* What a value means, in words; NULL: see effect_on_mail(). */
	const char *found, *value_follows, *none;
} maps[] = {
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
_Static_assert(sizeof(maps) / sizeof(maps[0]) == SOCKETMAP_MAPS, "a cell for each map");

/* Both answers of a map under one form of the name. */
struct answers {
	bool asked;
	char *form;
	const char *stock;		/* NULL if not found */
	struct asked facts;
	struct map_reply ours;
	char reason[NUMBERS_SIZE];	/* "": no difference */
};

struct subject {
	const char *name;
	/* Of the name itself. Not asked: it is no key of this map, or there is no file. */
	struct answers plain[SOCKETMAP_MAPS];
	/* Of another form, if Postfix finds that with stock. */
	struct answers found[SOCKETMAP_MAPS];
};

unsigned subject_kinds(enum socketmap_number map)
{
	return maps[map].kinds;
}

/* Then nothing further is asked: each question might wait for its deadline. */
static void fail(struct compare *compare, const char *key, const char *why)
{
	tool_complain(key, why != NULL ? why : "the database gave no answer");
	compare->failed = true;
}

/* ---- what both sides say ---- */

static void ask(struct compare *compare, enum socketmap_number map, const char *form,
		struct answers *answers)
{
	answers->asked = mumd_ask(compare->tool, map, form, &answers->facts);
	if (!answers->asked)
		return;
	mumd_answer_map(map, &answers->facts, &answers->ours);
	answers->stock = stock_find(compare->stock[map], form);
	answers->form = xstrdup(form);
}

static void ask_plain(struct compare *compare, struct subject *subject,
		      enum socketmap_number map)
{
	struct answers *plain = &subject->plain[map];
	const struct map_reply *ours = &plain->ours;

	ask(compare, map, subject->name, plain);
	if (!plain->asked)
		return;
	if (!tool_is_answered(ours->status) && !ours->bad_value) {
		fail(compare, subject->name, ours->why);
		return;
	}
	if (ours->bad_value && plain->stock == NULL)
		tool_complain(subject->name, ours->why);
	compare->compared++;
}

static void ask_found(struct compare *compare, struct subject *subject,
		      enum socketmap_number map)
{
	char *form = stock_search(compare->stock[map], subject->name, compare->delimiters);

	if (form != NULL && strcmp(form, subject->name) != 0)
		ask(compare, map, form, &subject->found[map]);
	free(form);
}

static void ask_all(struct compare *compare, struct subject *subject, unsigned kinds)
{
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++) {
		if ((kinds & maps[map].kinds) == 0 || compare->stock[map] == NULL)
			continue;
		if (!compare->failed)
			ask_plain(compare, subject, map);
		if (!compare->failed && subject->plain[map].asked)
			ask_found(compare, subject, map);
	}
}

static void answers_free(struct answers *answers)
{
	if (answers->asked)
		asked_free(&answers->facts);
	map_reply_free(&answers->ours);
	free(answers->form);
}

/* ---- why they differ ---- */

static void explain(struct compare *compare, enum socketmap_number map, struct answers *answers)
{
	if (answers->asked && !compare->failed &&
	    !compare_reason(compare->tool, compare->db, map, answers->form, answers->stock,
			    &answers->facts, &answers->ours, answers->reason))
		fail(compare, answers->form, NULL);
}

/* ---- what differs ---- */

static void add_difference(struct compare *compare, const struct subject *subject,
			   enum socketmap_number map, bool changes)
{
	const struct answers *plain = &subject->plain[map];

	if (*plain->reason != '\0')
		ledger_add(&compare->ledger, socketmap_name(socketmap_by_number(map)),
			   subject->name, plain->stock,
			   plain->ours.status == MUM_TEMPFAIL ? "TEMP" : plain->ours.value,
			   plain->reason, changes);
}

/* What a map gives when Postfix has asked it for all forms of a name. */
struct found {
	const char *stock, *ours;	/* NULL: not found, or not asked */
	bool ours_is_bad;
	const char *reason;		/* of the form that was found */
};

static struct found find(const struct subject *subject, enum socketmap_number map)
{
	const struct answers *plain = &subject->plain[map], *form = &subject->found[map];
	struct found found = { plain->stock, plain->ours.value, plain->ours.bad_value,
			       plain->reason };

	if (!form->asked)
		return found;
	found.stock = form->stock;
	found.reason = form->reason;
	/*
	 * mumd puts the extension behind each recipient of an alias; with stock, Postfix
	 * does that later. Without the extension the two lists are alike.
	 */
	if (found.ours != NULL)
		found.ours = form->ours.value;
	return found;
}

/* ---- recipients: three maps decide together ---- */

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
	before = effect_of_side(&stock);
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

	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++)
		found[map] = find(subject, map);
	changes = judge_mail(compare, subject->name, found);
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++) {
		if (maps[map].kinds == NAME_IS_RECIPIENT)
			add_difference(compare, subject, map, changes);
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
	struct found found = find(subject, map);
	bool changes = !numbers_have_no_effect(found.reason);
	char *before, *after;

	add_difference(compare, subject, map, changes);
	if (!changes)
		return false;
	before = put_words(map, found.stock);
	after = found.ours_is_bad ? xstrdup("fails for now, since no value can be handed to Postfix")
				  : put_words(map, found.ours);
	numbers_add(numbers, found.reason);
	ledger_add_line(lines, subject->name, before, after, numbers);
	free(before);
	free(after);
	return true;
}

static void judge(struct compare *compare, const struct subject *subject)
{
	bool domain = add_single(compare, subject, SOCKETMAP_DOMAINS, compare->ledger.changed);
	bool mail = add_recipient(compare, subject);
	bool hop = add_single(compare, subject, SOCKETMAP_TLS, compare->ledger.changed);
	bool counts = false;

	(void)add_single(compare, subject, SOCKETMAP_SENDERS, compare->owners);
	/* Names that were senders only are not counted: many of them are strangers. */
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++)
		counts = counts || (map != SOCKETMAP_SENDERS && subject->plain[map].asked);
	compare->names_compared += counts;
	compare->names_changed += domain || mail || hop;
}

void subject_compare(struct compare *compare, const struct name *name)
{
	struct subject subject = { .name = name->text };

	ask_all(compare, &subject, name->kinds);
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++) {
		explain(compare, map, &subject.plain[map]);
		explain(compare, map, &subject.found[map]);
	}
	if (!compare->failed)
		judge(compare, &subject);
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++) {
		answers_free(&subject.plain[map]);
		answers_free(&subject.found[map]);
	}
}
