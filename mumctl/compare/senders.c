/* SPDX-License-Identifier: MIT */
/* Who sent as what in the mail log, and what each side says about it. */
#include "mumctl/compare/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/rules.h"
#include "common/xalloc.h"
#include "mumctl/settings.h"

/* The words for enum sender_check in JSON. */
static const char *const check_names[] = {
	[SENDER_CHECK_UNKNOWN] = "unknown",
	[SENDER_CHECK_NONE] = "none",
	[SENDER_CHECK_KNOWN] = "known",
	[SENDER_CHECK_MISMATCH] = "mismatch",
	[SENDER_CHECK_OURS] = "mumd",
};

static const char *const mode_names[] = {
	[MUM_CHECK_ENFORCE] = "enforce", [MUM_CHECK_WARN] = "warn", [MUM_CHECK_OFF] = "off",
};

/* Postfix splits the owners at commas and blanks. */
static bool is_owner(const char *owners, const char *login)
{
	while (*owners != '\0') {
		size_t len = strcspn(owners, ", \t\r\n");
		char *owner = address_fold_local(owners, len);
		char *folded = address_fold_local(login, strlen(login));
		bool same = len > 0 && strcmp(owner, folded) == 0;

		free(owner);
		free(folded);
		if (same)
			return true;
		owners += len + (owners[len] != '\0');
	}
	return false;
}

static bool stock_accepts(enum sender_check check, const struct stock *stock,
			  const struct sent *sent, const char *delimiters)
{
	char *form;
	bool accepts;

	if (stock == NULL || (check != SENDER_CHECK_KNOWN && check != SENDER_CHECK_MISMATCH))
		return true;
	form = stock_search(stock, sent->sender, delimiters);
	accepts = form == NULL ? check == SENDER_CHECK_KNOWN
			       : is_owner(stock_find(stock, form), sent->login);
	free(form);
	return accepts;
}

/* False: no verdict, and it has complained. */
static bool ask_ours(struct tool *tool, const struct sent *sent, bool *accepts_r)
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);
	enum sender_verdict verdict = SENDER_ACCEPTED;
	enum mum_status status;
	struct asked asked;

	tool_ask(tool, MUM_ROLE_POSTFIX, MUM_ASK(MUM_OWNERS), sent->sender, &asked);
	status = rule_sender(&asked.answer, sent->login,
			     config->policy.sender_login == MUM_SENDER_KNOWN, &verdict);
	(void)tool_want_answer(sent->sender, status, &asked);
	*accepts_r = verdict == SENDER_ACCEPTED;
	asked_free(&asked);
	return status == MUM_FOUND;
}

static json_t *put_sent(const struct sent *sent, bool before, bool after)
{
	static const char *const words[] = { "refused", "accepted" };

	return json_pack("{so so sI ss ss}", "login", tool_json_text(sent->login), "sender",
			 tool_json_text(sent->sender), "mails", (json_int_t)sent->mails,
			 "stock", words[before], "mum", words[after]);
}

static size_t count_names(struct names *names)
{
	size_t count = HASH_COUNT(names->first);

	names_clear(names);
	return count;
}

static bool compare_sents(struct tool *tool, enum sender_check check, const struct stock *stock,
			  const struct sents *sents, json_t *senders)
{
	const char *delimiters = tool_config(tool, MUM_ROLE_POSTFIX)->address.recipient_delimiter;
	json_t *changed = json_array();
	struct names logins, concerned;
	bool good = true;

	names_init(&logins);
	names_init(&concerned);
	for (const struct sent *sent = sents->first; good && sent != NULL; sent = sent->hh.next) {
		bool before = stock_accepts(check, stock, sent, delimiters), after = before;

		good = ask_ours(tool, sent, &after);
		names_add(&logins, sent->login, strlen(sent->login), NAME_IS_LOGIN);
		if (!good || before == after)
			continue;
		names_add(&concerned, sent->login, strlen(sent->login), NAME_IS_LOGIN);
		json_array_append_new(changed, put_sent(sent, before, after));
	}
	json_object_set_new(senders, "logins", json_integer((json_int_t)count_names(&logins)));
	json_object_set_new(senders, "logins_changed",
			    json_integer((json_int_t)count_names(&concerned)));
	json_object_set_new(senders, "changed", changed);
	return good;
}

bool senders_compare(struct tool *tool, const struct stock *stock, const struct sents *sents,
		     bool has_log, json_t *document)
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);
	struct settings *settings = settings_load();
	struct sender_checks checks;
	enum sender_check check;
	const char *service;
	json_t *senders;

	settings_sender_checks(settings, &checks);
	check = sender_checks_laxest(&checks, &service);
	senders = json_pack("{ss ss* ss ss}", "stock", check_names[check], "service", service,
			    "mum", mode_names[config->policy.sender], "sender_login",
			    config->policy.sender_login == MUM_SENDER_KNOWN ? "known" : "strict");
	sender_checks_clear(&checks);
	settings_free(&settings);
	json_object_set_new(document, "senders", senders);
	return !has_log || compare_sents(tool, check, stock, sents, senders);
}
