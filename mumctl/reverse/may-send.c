/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/may-send.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/rules.h"
#include "common/xalloc.h"
#include "mumctl/reverse/alias-rows.h"
#include "mumctl/reverse/ask.h"

/* An address that the login might send as: its own, or that of an alias. */
struct candidate {
	const char *address, *expires;
	bool own;
};

struct candidates {
	struct unknown_names *unknown;	/* NULL: a catch-all has no senders */
	size_t count;
	struct candidate *items;
	struct arena arena;
};

static void add(struct candidates *candidates, const char *address, const char *expires, bool own)
{
	candidates->items = xgrow(candidates->items, candidates->count,
				  sizeof(*candidates->items));
	candidates->items[candidates->count++] = (struct candidate){
		arena_strdup(&candidates->arena, address),
		arena_strdup(&candidates->arena, expires), own
	};
}

static void on_alias(uint64_t id, const char *address, const char *expires, void *arg)
{
	(void)id;
	add(arg, address, expires, false);
}

static int compare(const void *_one, const void *_other)
{
	const struct candidate *one = _one, *other = _other;

	return one->own != other->own ? other->own - one->own
				      : strcmp(one->address, other->address);
}

static bool is_catch_all(const struct candidates *candidates, size_t at)
{
	return candidates->unknown != NULL && *candidates->items[at].address == '@';
}

/* Who owns each? A catch-all's senders own each name that MUM does not know. */
static bool add_questions(const struct candidates *candidates, struct questions *questions,
			  struct inspect_error *error_r)
{
	for (size_t i = 0; i < candidates->count; i++) {
		if (is_catch_all(candidates, i))
			unknown_names_want(candidates->unknown, candidates->items[i].address + 1);
	}
	if (candidates->unknown != NULL && !unknown_names_read(candidates->unknown, error_r))
		return false;
	for (size_t i = 0; i < candidates->count; i++) {
		const char *address = candidates->items[i].address;

		questions_add(questions, is_catch_all(candidates, i)
			? unknown_names_pick(candidates->unknown, address + 1)
			: ask_name(address, ""));
	}
	return true;
}

/* Two mailboxes of one name may send as one alias, which may have the own address. */
static bool is_repeated(const struct candidates *candidates, size_t at)
{
	return at > 0 &&
	       (address_is_same(candidates->items[at].address, candidates->items[at - 1].address) ||
		address_is_same(candidates->items[at].address, candidates->items[0].address));
}

static bool judge(struct tool *tool, const struct candidates *candidates, const char *login,
		  json_t *list, struct inspect_error *error_r)
{
	struct questions questions = { .count = 0 };
	bool good = add_questions(candidates, &questions, error_r) &&
		    questions_ask(tool, MUM_OWNERS, &questions, error_r);

	for (size_t i = 0; i < candidates->count && good; i++) {
		const struct candidate *one = &candidates->items[i];
		enum sender_verdict verdict = SENDER_NOT_OWNED;

		if (!is_repeated(candidates, i) &&
		    rule_sender(&questions.answers[i].answer, login, false, &verdict) == MUM_FOUND &&
		    verdict == SENDER_ACCEPTED)
			json_array_append_new(list, json_pack("{so so}", "address",
							      tool_json_text(one->address),
							      "expires", one->expires != NULL
							      ? tool_json_text(one->expires)
							      : json_null()));
	}
	questions_free(&questions);
	return good;
}

bool may_send_find(struct tool *tool, struct inspect *db, struct unknown_names *unknown,
		   const char *const *logins, size_t count, json_t *list,
		   struct inspect_error *error_r)
{
	const bool caught = tool_config(tool, MUM_ROLE_POSTFIX)->address.catch_all_senders;
	struct candidates candidates = { .unknown = caught ? unknown : NULL };
	bool good = true;

	for (size_t i = 0; i < count && good; i++) {
		add(&candidates, logins[i], NULL, true);
		good = alias_rows_of(db, ALIAS_ROWS_SENDER, logins[i], on_alias, &candidates,
				     error_r);
	}
	qsort(candidates.items, candidates.count, sizeof(*candidates.items), compare);
	good = good && judge(tool, &candidates, logins[0], list, error_r);
	free(candidates.items);
	arena_free(&candidates.arena);
	return good;
}
