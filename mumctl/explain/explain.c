/* SPDX-License-Identifier: MIT */
/* explain ADDRESS [--as LOGIN]: what MUM says, and every decision with its reason. */
#include "mumctl/explain/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/buf.h"
#include "common/hash.h"
#include "common/rules.h"
#include "common/rules-users.h"
#include "common/xalloc.h"
#include "mumctl/commands.h"
#include "mumctl/postfix.h"
#include "mumctl/settings.h"

struct explain {
	struct tool *tool;
	const struct mum_config *config;	/* of role Postfix */
	const char *address, *domain, *login;	/* login: "" without --as */
	bool is_address;		/* else it is a domain */
	char *summary;			/* in plain words */
	char *deferred;			/* why Postfix can be handed no recipient; or NULL */
	json_t *questions, *verdicts;
	enum mum_status worst;		/* of all questions; see is_worse() */
};

/* ---- what MUM says ---- */

/* What must be mended before what may pass; to be found or not is all right. */
static bool is_worse(enum mum_status status, enum mum_status than)
{
	return status == MUM_MISCONFIGURED ||
	       (status == MUM_TEMPFAIL && than != MUM_MISCONFIGURED);
}

static void ask(struct explain *explain, enum mum_role role, enum mum_question question,
		const char *key, struct asked *asked_r)
{
	const struct mum_config *config = tool_config(explain->tool, role);
	const struct mum_answer *answer = &asked_r->answer;

	tool_ask(explain->tool, role, MUM_ASK(question), key, asked_r);
	json_array_append_new(
		explain->questions,
		json_pack("{ss so ss sf so* so}", "question", mum_question_name(question),
			  "key", tool_json_text(key), "result",
			  tool_status_name(answer->status), "ms", asked_r->ms, "reason",
			  tool_json_text(asked_r->reason),
			  "rows", explain_rows(answer, question, config)));
	if (is_worse(answer->status, explain->worst))
		explain->worst = answer->status;
}

/* ---- what Postfix and Dovecot hear ---- */

/* Takes over reason. */
static void add_verdict(struct explain *explain, const char *asks, const char *what,
			const char *answer, char *reason)
{
	json_array_append_new(explain->verdicts,
			      json_pack("{ss ss so so*}", "asks", asks, "what", what, "answer",
					tool_json_text(answer), "reason",
					tool_json_text(reason)));
	free(reason);
}

/* Of the answer to the map's question. */
static void add_map(struct explain *explain, enum socketmap_number map,
		    const struct asked *asked)
{
	struct map_reply reply;
	char *text;

	postfix_answer_map(map, asked, &reply);
	if (reply.bad_value && explain->deferred == NULL &&
	    (map == SOCKETMAP_ALIASES || map == SOCKETMAP_MAILBOXES))
		explain->deferred = xstrdup(reply.why);
	text = reply.status == MUM_FOUND      ? xasprintf("OK %s", reply.value)
	       : reply.status == MUM_NOT_FOUND ? xstrdup("NOTFOUND")
					       : xstrdup("TEMP");
	add_verdict(explain, "postfix", socketmap_name(socketmap_by_number(map)), text,
		    reply.why != NULL ? xstrdup(reply.why) : reason_of_map(map, asked));
	free(text);
	map_reply_free(&reply);
}

/* ---- the policy service ---- */

/* The reason of a check for one reading. */
static char *reason_of_check(const struct explain *explain, enum mum_question question,
			     const struct asked *asked)
{
	return question == MUM_DELIVERY
		       ? reason_of_recipient_check(asked, explain->config)
		       : reason_of_sender_check(asked, explain->login, explain->config);
}

/* of_address: the answer about the address itself; another reading is asked about. */
static char *reason_of_reading(struct explain *explain, enum mum_question question,
			       const char *text, const struct asked *of_address)
{
	struct asked asked;
	char *reason;

	if (strcmp(text, explain->address) == 0)
		return reason_of_check(explain, question, of_address);
	ask(explain, MUM_ROLE_POSTFIX, question, text, &asked);
	reason = reason_of_check(explain, question, &asked);
	asked_free(&asked);
	return reason;
}

/* Does the way end here, for the domain is MUM's and so not local to Postfix? */
static bool is_last(struct explain *explain, const struct readings *readings, size_t at)
{
	const char *name;
	struct asked asked;
	bool ours;

	if (at + 1 == readings->count || !readings->items[at + 1].if_local)
		return at + 1 == readings->count;
	tool_ask(explain->tool, MUM_ROLE_POSTFIX, MUM_ASK(MUM_DOMAIN),
		 reading_domain(&readings->items[at]), &asked);
	ours = rule_domain(&asked.answer, &name) == MUM_FOUND;
	asked_free(&asked);
	return ours;
}

/* Why a check of the policy service decides so: for each reading of the address. */
static char *reason_of_readings(struct explain *explain, enum mum_question question,
				const struct asked *of_address)
{
	const struct reading_settings settings = mum_config_readings(explain->config);
	struct readings readings;
	struct buf text = BUF_INIT(65536);
	bool last = false;

	if (!readings_make(&readings, explain->address, &settings)) {
		readings_free(&readings);
		return xasprintf("Postfix may make more than %d addresses of it", READINGS_MAX);
	}
	for (size_t i = 0; i < readings.count && !last; i++) {
		const char *reading = readings.items[i].text;
		char *reason = reason_of_reading(explain, question, reading, of_address);

		last = is_last(explain, &readings, i);
		if (i > 0 || !last || strcmp(reading, explain->address) != 0)
			buf_printf(&text, "%sfor Postfix <%s>: ", i > 0 ? "; " : "", reading);
		buf_puts(&text, reason);
		free(reason);
	}
	readings_free(&readings);
	return buf_steal(&text);
}

static void add_check(struct explain *explain, const char *context,
		      enum mum_question question, const struct asked *of_address)
{
	char *reason = reason_of_readings(explain, question, of_address);
	char *who = xasprintf("%s=%s", context, explain->address);
	char *login = xasprintf("sasl_username=%s", explain->login);
	char *where = xasprintf("policy_context=%s", context);
	const char *const attributes[] = { who, login, where, NULL };
	char *what = xasprintf("policy %s", context);
	char *action = postfix_ask_policy(explain->tool, NULL, attributes);

	add_verdict(explain, "postfix", what, action != NULL ? action : "?", reason);
	free(action);
	free(what);
	free(where);
	free(login);
	free(who);
}

static void add_quota(struct explain *explain)
{
	const char *action;
	char *reason = reason_of_quota(explain->tool, explain->address, &action);

	if (reason != NULL)
		add_verdict(explain, "postfix", "policy quota", action, reason);
}

/* As who sends: the login, or whoever has the address. */
static void add_limit(struct explain *explain)
{
	const char *login = *explain->login != '\0' ? explain->login : explain->address;
	const char *answer;
	char *reason;

	if (explain->config->policy.send == MUM_CHECK_OFF)
		return;
	answer = explain_limit(explain->config, login, &reason);
	add_verdict(explain, "postfix", "policy limit", answer, reason);
}

/* ---- each program ---- */

static void explain_address(struct explain *explain)
{
	struct asked delivery, owners;

	ask(explain, MUM_ROLE_POSTFIX, MUM_DELIVERY, explain->address, &delivery);
	ask(explain, MUM_ROLE_POSTFIX, MUM_OWNERS, explain->address, &owners);
	add_map(explain, SOCKETMAP_MAILBOXES, &delivery);
	add_map(explain, SOCKETMAP_ALIASES, &delivery);
	add_map(explain, SOCKETMAP_ACCESS, &delivery);
	add_check(explain, "recipient", MUM_DELIVERY, &delivery);
	add_quota(explain);
	add_map(explain, SOCKETMAP_SENDERS, &owners);
	add_check(explain, "sender", MUM_OWNERS, &owners);
	add_limit(explain);
	explain->summary = summary_of_address(explain->address, &delivery, explain->deferred,
					      &owners, explain->config);
	asked_free(&delivery);
	asked_free(&owners);
}

static void explain_postfix(struct explain *explain)
{
	struct asked domain, tls;

	ask(explain, MUM_ROLE_POSTFIX, MUM_DOMAIN, explain->domain, &domain);
	add_map(explain, SOCKETMAP_DOMAINS, &domain);
	if (explain->is_address)
		explain_address(explain);
	else
		explain->summary = summary_of_domain(explain->domain, &domain);
	ask(explain, MUM_ROLE_POSTFIX, MUM_TLS, explain->domain, &tls);
	add_map(explain, SOCKETMAP_TLS, &tls);
	asked_free(&domain);
	asked_free(&tls);
}

static void put_field(void *text, const char *name, const char *value)
{
	buf_printf(text, " %s=%s", name, value);
}

/* What the userdb tells that Dovecot. */
static void add_userdb(struct explain *explain, const char *what,
		       enum dovecot_generation generation, const struct asked *asked)
{
	struct buf fields = BUF_INIT(65536);
	struct arena arena = { 0 };
	struct user user;
	const char *why;
	enum mum_status status = rule_user(&asked->answer, &user, &why);
	char *text, *answer;

	if (status == MUM_FOUND)
		why = userdb_put_fields(&user, generation, &arena, put_field, &fields);
	text = buf_steal(&fields);
	if (status == MUM_FOUND && why == NULL)
		answer = xasprintf("found user=%s%s", user.address, text);
	else
		answer = xstrdup(status == MUM_NOT_FOUND ? "unknown user" : "temporary failure");
	add_verdict(explain, "dovecot", what, answer,
		    why != NULL ? xstrdup(why) : reason_of_userdb(asked));
	free(answer);
	free(text);
	arena_free(&arena);
}

/* For the installed Dovecot and for the other one, to which an admin may be about to go. */
static void explain_userdb(struct explain *explain)
{
	const enum dovecot_generation here = settings_generation_here();
	const enum dovecot_generation other = here == DOVECOT_2_3 ? DOVECOT_2_4 : DOVECOT_2_3;
	char *what = xasprintf("userdb of %s", settings_generation_name(other));
	struct asked asked;
	struct user user;
	const char *why;

	ask(explain, MUM_ROLE_DOVECOT, MUM_USER, explain->address, &asked);
	add_userdb(explain, "userdb", here, &asked);
	if (rule_user(&asked.answer, &user, &why) == MUM_FOUND)
		add_userdb(explain, what, other, &asked);
	free(what);
	asked_free(&asked);
}

static const char *passdb_answer(const struct mum_answer *answer,
				 const struct mum_config *config)
{
	const struct hash_limits limits = hash_limits(config);
	struct credential credential;
	enum hash_scheme scheme;

	switch (rule_credential(answer, &credential)) {
	case MUM_FOUND:
		return hash_check(credential.password, &limits, &scheme) == NULL
			       ? "verifies the password" : "login refused";
	case MUM_NOT_FOUND:
		return "unknown user";
	case MUM_TEMPFAIL:
	case MUM_MISCONFIGURED:
		break;
	}
	return "temporary failure";
}

static void explain_dovecot(struct explain *explain)
{
	const struct mum_config *config = tool_config(explain->tool, MUM_ROLE_DOVECOT);
	struct asked asked;

	ask(explain, MUM_ROLE_DOVECOT, MUM_CREDENTIAL, explain->address, &asked);
	add_verdict(explain, "dovecot", "passdb", passdb_answer(&asked.answer, config),
		    reason_of_passdb(&asked, config));
	asked_free(&asked);
	explain_userdb(explain);
}

/* ---- printing ---- */

static void print_value(const char *name, const json_t *value)
{
	printf(" %s=", name);
	if (json_is_boolean(value)) {
		printf("%s", json_is_true(value) ? "yes" : "no");
	} else if (json_is_integer(value)) {
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else {
		printf("<");
		tool_print_clean(json_string_value(value));
		printf(">");
	}
}

static void print_questions(const json_t *questions)
{
	size_t i, at;
	json_t *question, *row, *value;
	const char *name;

	printf("What MUM says\n");
	json_array_foreach(questions, i, question) {
		const json_t *rows = json_object_get(question, "rows");
		const json_t *reason = json_object_get(question, "reason");

		printf("  %-11s %.2f ms, %zu rows", json_string_value(json_object_get(
			       question, "question")),
		       json_real_value(json_object_get(question, "ms")), json_array_size(rows));
		if (reason != NULL) {
			printf(", ");
			tool_print_clean(json_string_value(reason));
		}
		printf("\n");
		json_array_foreach(rows, at, row) {
			printf("     ");
			json_object_foreach(row, name, value)
				print_value(name, value);
			printf("\n");
		}
	}
}

static void print_verdicts(const json_t *verdicts)
{
	const char *asks = "";
	size_t i;
	json_t *verdict;

	json_array_foreach(verdicts, i, verdict) {
		const char *who = json_string_value(json_object_get(verdict, "asks"));
		const json_t *reason = json_object_get(verdict, "reason");

		if (strcmp(who, asks) != 0)
			printf("\nWhat %s hears\n",
			       strcmp(who, "postfix") == 0 ? "Postfix" : "Dovecot");
		asks = who;
		printf("  %-18s ", json_string_value(json_object_get(verdict, "what")));
		tool_print_clean(json_string_value(json_object_get(verdict, "answer")));
		if (reason != NULL) {
			printf("\n  %-18s   ", "");
			tool_print_clean(json_string_value(reason));
		}
		printf("\n");
	}
}

int command_explain(struct tool *tool, int argc, char **argv)
{
	struct explain explain = { .tool = tool, .login = "", .worst = MUM_FOUND };
	struct asked warm;
	const char *at;

	if (argc == 3 && strcmp(argv[1], "--as") == 0)
		explain.login = argv[2];
	else if (argc != 1)
		tool_usage(USAGE_EXPLAIN);
	tool->quiet = true;
	at = strrchr(argv[0], '@');
	explain.address = argv[0];
	explain.domain = at != NULL ? at + 1 : argv[0];
	/* "domain!user" and "user%domain" are addresses, too. */
	explain.is_address = at != NULL || strpbrk(argv[0], "!%") != NULL;
	explain.config = tool_config(tool, MUM_ROLE_POSTFIX);
	explain.questions = json_array();
	explain.verdicts = json_array();
	/* So that no question is charged with the connection. */
	tool_ask(tool, MUM_ROLE_POSTFIX, MUM_ASK(MUM_DOMAIN), "mum.invalid", &warm);
	asked_free(&warm);
	explain_postfix(&explain);
	if (explain.domain != explain.address) {
		tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_USER), "mum@mum.invalid", &warm);
		asked_free(&warm);
		explain_dovecot(&explain);
	}
	if (tool->json) {
		tool_print_json(json_pack("{so so so so}", "address", tool_json_text(argv[0]),
					  "summary", tool_json_text(explain.summary),
					  "questions", explain.questions, "verdicts",
					  explain.verdicts));
	} else {
		tool_print_clean(explain.summary);
		printf("\n\n");
		print_questions(explain.questions);
		print_verdicts(explain.verdicts);
		json_decref(explain.questions);
		json_decref(explain.verdicts);
	}
	free(explain.summary);
	free(explain.deferred);
	return tool_exit_status(explain.worst);
}
