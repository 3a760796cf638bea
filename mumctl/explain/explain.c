/* SPDX-License-Identifier: MIT */
/* explain ADDRESS [--as LOGIN]: what MUM says, and every decision with its reason. */
#include "mumctl/explain/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/buf.h"
#include "common/rules.h"
#include "common/rules-users.h"
#include "common/xalloc.h"
#include "mumctl/as-mumd.h"
#include "mumctl/commands.h"
#include "mumctl/reverse/ways.h"
#include "mumctl/settings.h"
#include "postfix-policy/decision.h"

struct explain {
	struct tool *tool;
	const struct mum_config *config;	/* of role Postfix */
	const char *address, *domain, *login;	/* login: "" without --as */
	bool is_address;		/* else it is a domain */
	char *summary;			/* in plain words */
	char *deferred;			/* why Postfix cannot expand it; or NULL */
	struct asked first[MUM_ROLES];	/* the answer to each role's first question */
	json_t *questions, *verdicts;
	enum mum_status worst;		/* of all questions; see is_worse() */
};

/* ---- what MUM says ---- */

/* A wrong configuration is worse than no answer for now; found and not found are both fine. */
static bool is_worse(enum mum_status status, enum mum_status than)
{
	return status == MUM_MISCONFIGURED ||
	       (status == MUM_TEMPFAIL && than != MUM_MISCONFIGURED);
}

static void add_question(struct explain *explain, enum mum_role role,
			 enum question_kind kind, const char *key, const struct asked *asked)
{
	const struct mum_config *config = tool_config(explain->tool, role);
	const struct mum_answer *answer = &asked->answer;

	json_array_append_new(
		explain->questions,
		json_pack("{ss so ss sf so* so}", "question", mum_question_name(kind),
			  "key", tool_json_text(key), "result",
			  tool_status_name(answer->status), "ms", asked->ms, "reason",
			  tool_json_text(asked->reason),
			  "rows", explain_rows(answer, kind, config)));
	if (is_worse(answer->status, explain->worst))
		explain->worst = answer->status;
}

/* Connects, so that the time of no other question includes that. */
static void ask_first(struct explain *explain, enum mum_role role, enum question_kind kind,
		      const char *key)
{
	tool_ask(explain->tool, role, MUM_ASK(kind), key, &explain->first[role]);
}

/* If the first question got no answer, each other one would wait as long in vain. */
static void ask(struct explain *explain, enum mum_role role, enum question_kind kind,
		const char *key, struct asked *asked_r)
{
	const struct asked *first = &explain->first[role];

	if (first->answer.status == MUM_TEMPFAIL) {
		*asked_r = (struct asked){ .ms = first->ms };
		asked_keep(asked_r, &first->answer);
	} else {
		tool_ask(explain->tool, role, MUM_ASK(kind), key, asked_r);
	}
	add_question(explain, role, kind, key, asked_r);
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

/* What the map makes of the answer to its question. */
static void add_map(struct explain *explain, enum socketmap_number map,
		    const struct asked *asked)
{
	struct map_reply reply;
	const char *text;

	mumd_answer_map(map, asked, &reply);
	if (reply.bad_value && explain->deferred == NULL &&
	    (map == SOCKETMAP_ALIASES || map == SOCKETMAP_MAILBOXES))
		explain->deferred = xstrdup(reply.why);
	text = reply.status == MUM_FOUND ? reply.text
	       : reply.status == MUM_NOT_FOUND ? "NOTFOUND" : "TEMP";
	add_verdict(explain, "postfix", socketmap_name(socketmap_by_number(map)), text,
		    reply.why != NULL ? xstrdup(reply.why) : reason_of_map(map, asked));
	map_reply_free(&reply);
}

/* ---- the policy service ---- */

/* The answers that a check got about the readings of the address, in their order. */
struct trace {
	const struct mum_host *host;
	uint64_t began;
	size_t count;		/* readings that count; 0: it judged none */
	struct {
		char *text;
		struct asked asked;
	} heard[READINGS_MAX];
};

static void on_reading(size_t at, const char *text, const struct mum_answer *answer, void *arg)
{
	struct trace *trace = arg;

	trace->heard[at].text = xstrdup(text);
	asked_keep(&trace->heard[at].asked, answer);
	trace->heard[at].asked.ms = (double)(host_now_us(trace->host) - trace->began) / 1e3;
}

static void on_judged(size_t count, void *arg)
{
	((struct trace *)arg)->count = count;
}

static void clear_trace(struct trace *trace)
{
	for (size_t i = 0; i < READINGS_MAX; i++) {
		free(trace->heard[i].text);
		asked_free(&trace->heard[i].asked);
	}
}

/* Why the check decides so: for each reading that counts. */
static char *reason_of_trace(struct explain *explain, enum question_kind kind,
			     const struct trace *trace)
{
	struct buf text = BUF_INIT(65536);

	for (size_t i = 0; i < trace->count; i++) {
		const char *reading = trace->heard[i].text;
		const struct asked *asked = &trace->heard[i].asked;
		char *reason = reason_of_check(kind, asked, explain->login,
					       explain->config);
		bool same = strcmp(reading, explain->address) == 0;

		if (!same)
			add_question(explain, MUM_ROLE_POSTFIX, kind, reading, asked);
		if (trace->count > 1 || !same)
			buf_printf(&text, "%sfor Postfix <%s>: ", i > 0 ? "; " : "", reading);
		buf_puts(&text, reason);
		free(reason);
	}
	return buf_steal(&text);
}

/* context: "recipient" or "sender", which is also the name of the attribute. */
static void add_check(struct explain *explain, const char *context, enum question_kind kind)
{
	const struct mum_host *host = &explain->tool->host.host;
	struct trace trace = { .host = host, .began = host_now_us(host) };
	const struct decision_watch watch = { on_reading, on_judged, &trace };
	char *who = xasprintf("%s=%s", context, explain->address);
	char *login = xasprintf("sasl_username=%s", explain->login);
	char *where = xasprintf("policy_context=%s", context);
	const char *const attributes[] = { who, login, where, NULL };
	char *what = xasprintf("policy %s", context);
	char *action = mumd_ask_policy(explain->tool, NULL, &watch, attributes);

	add_verdict(explain, "postfix", what, action != NULL ? action : "?",
		    trace.count > 0 ? reason_of_trace(explain, kind, &trace)
				    : reason_unasked(kind, explain->login,
						     explain->config));
	clear_trace(&trace);
	free(action);
	free(what);
	free(where);
	free(login);
	free(who);
}

static void add_quota(struct explain *explain)
{
	const char *action;
	char *reason = explain_reason_of_quota(explain->tool, explain->address, &action);

	if (reason != NULL)
		add_verdict(explain, "postfix", "policy quota", action, reason);
}

/* The sender is the login, or else whoever has the address. */
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
	if (explain->deferred == NULL && ways_are_deferred(explain->tool, explain->address))
		explain->deferred = xstrdup("the aliases behind it lead back to themselves, or "
					    "Postfix cannot be handed one of them: see mumctl check");
	add_map(explain, SOCKETMAP_ACCESS, &delivery);
	add_check(explain, "recipient", MUM_DELIVERY);
	add_quota(explain);
	add_map(explain, SOCKETMAP_SENDERS, &owners);
	add_check(explain, "sender", MUM_OWNERS);
	add_limit(explain);
	explain->summary = explain_summary_of_address(explain->address, &delivery, explain->deferred,
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
		explain->summary = explain_summary_of_domain(explain->domain, &domain);
	ask(explain, MUM_ROLE_POSTFIX, MUM_TLS, explain->domain, &tls);
	add_map(explain, SOCKETMAP_TLS, &tls);
	asked_free(&domain);
	asked_free(&tls);
}

static void put_field(void *text, const char *name, const char *value)
{
	buf_printf(text, " %s=%s", name, value);
}

/* Adds what the userdb tells that Dovecot. Returns true if there is a user. */
static bool add_userdb(struct explain *explain, const char *what,
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
	return status == MUM_FOUND;
}

/* For the installed Dovecot, and for the other one, to which an admin may be moving. */
static void explain_userdb(struct explain *explain)
{
	const enum dovecot_generation here = settings_generation_here();
	const enum dovecot_generation other = here == DOVECOT_2_3 ? DOVECOT_2_4 : DOVECOT_2_3;
	char *what = xasprintf("userdb of %s", settings_generation_name(other));
	struct asked asked;

	ask(explain, MUM_ROLE_DOVECOT, MUM_USER, explain->address, &asked);
	if (add_userdb(explain, "userdb", here, &asked))
		(void)add_userdb(explain, what, other, &asked);
	free(what);
	asked_free(&asked);
}

static void explain_dovecot(struct explain *explain)
{
	const struct mum_config *config = tool_config(explain->tool, MUM_ROLE_DOVECOT);
	const char *answer;
	struct asked asked;
	char *reason;

	ask(explain, MUM_ROLE_DOVECOT, MUM_CREDENTIAL, explain->address, &asked);
	reason = reason_of_passdb(&asked, config, &answer);
	add_verdict(explain, "dovecot", "passdb", answer, reason);
	asked_free(&asked);
	explain_userdb(explain);
}

/* ---- printing ---- */

static void print_row(const json_t *row)
{
	struct buf line = BUF_INIT(65536);
	const char *name;
	json_t *value;
	char *text;

	json_object_foreach((json_t *)row, name, value) {
		if (json_is_boolean(value))
			buf_printf(&line, " %s=%s", name, json_is_true(value) ? "yes" : "no");
		else if (json_is_integer(value))
			buf_printf(&line, " %s=%" JSON_INTEGER_FORMAT, name,
				   json_integer_value(value));
		else
			buf_printf(&line, " %s=<%s>", name, json_string_value(value));
	}
	text = buf_steal(&line);
	tool_print_line("     %s", text);
	free(text);
}

static void print_questions(const json_t *questions)
{
	size_t i, at;
	json_t *question, *row;

	printf("What MUM says\n");
	json_array_foreach(questions, i, question) {
		const json_t *rows = json_object_get(question, "rows");
		const char *reason = tool_json_member(question, "reason");

		tool_print_line("  %-11s %.2f ms, %zu rows%s%s",
				tool_json_member(question, "question"),
				json_real_value(json_object_get(question, "ms")),
				json_array_size(rows), *reason != '\0' ? ", " : "", reason);
		json_array_foreach(rows, at, row)
			print_row(row);
	}
}

static void print_verdicts(const json_t *verdicts)
{
	const char *asks = "";
	size_t i;
	json_t *verdict;

	json_array_foreach(verdicts, i, verdict) {
		const char *who = tool_json_member(verdict, "asks");

		if (strcmp(who, asks) != 0)
			printf("\nWhat %s hears\n",
			       strcmp(who, "postfix") == 0 ? "Postfix" : "Dovecot");
		asks = who;
		tool_print_line("  %-18s %s", tool_json_member(verdict, "what"),
				tool_json_member(verdict, "answer"));
		if (json_object_get(verdict, "reason") != NULL)
			tool_print_line("  %-18s   %s", "", tool_json_member(verdict, "reason"));
	}
}

int command_explain(struct tool *tool, int argc, char **argv)
{
	struct explain explain = { .tool = tool, .login = "", .worst = MUM_FOUND };
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
	ask_first(&explain, MUM_ROLE_POSTFIX, MUM_DOMAIN, "mum.invalid");
	explain_postfix(&explain);
	if (explain.domain != explain.address) {
		ask_first(&explain, MUM_ROLE_DOVECOT, MUM_USER, "mum@mum.invalid");
		explain_dovecot(&explain);
	}
	if (tool->json) {
		tool_print_json(json_pack("{so so so so}", "address", tool_json_text(argv[0]),
					  "summary", tool_json_text(explain.summary),
					  "questions", explain.questions, "verdicts",
					  explain.verdicts));
	} else {
		tool_print_line("%s", explain.summary);
		printf("\n");
		print_questions(explain.questions);
		print_verdicts(explain.verdicts);
		json_decref(explain.questions);
		json_decref(explain.verdicts);
	}
	for (size_t role = 0; role < MUM_ROLES; role++)
		asked_free(&explain.first[role]);
	free(explain.summary);
	free(explain.deferred);
	return tool_exit_status(explain.worst);
}
