/* SPDX-License-Identifier: MIT */
#include "mumctl/tool.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/buf.h"
#include "common/inspect.h"
#include "common/rules-users.h"
#include "common/text.h"
#include "common/timezone.h"
#include "common/xalloc.h"

static void log_line(void *ctx, enum mum_log_level level, const char *text)
{
	static const char *const words[] = {
		[MUM_LOG_DEBUG] = "debug: ",
		[MUM_LOG_INFO] = "",
		[MUM_LOG_WARNING] = "warning: ",
		[MUM_LOG_ERROR] = "error: ",
	};
	const struct tool *tool = (struct tool *)((char *)ctx - offsetof(struct tool, host));

	if (level >= MUM_LOG_WARNING || !tool->quiet)
		fprintf(stderr, "mumctl: %s%s\n", words[level], text);
}

void tool_init(struct tool *tool)
{
	tool->base = xchecked(event_base_new());
	host_libevent_init(&tool->host, tool->base, true);
	tool->ops = *tool->host.host.ops;
	tool->ops.log = log_line;
	tool->host.host.ops = &tool->ops;
}

void tool_free(struct tool *tool)
{
	quota_client_free(&tool->quota);
	for (int i = 0; i < MUM_ROLES; i++)
		mum_core_free(&tool->cores[i]);
	host_libevent_clear(&tool->host);
	event_base_free(tool->base);
}

void tool_wait(struct tool *tool)
{
	event_base_loop(tool->base, EVLOOP_ONCE);
}

/*
 * Facts that were read once stay for the whole run, so that an answer and its reason
 * come from the same facts.
 */
static void keep_facts(struct mum_config *config)
{
	enum { HOUR = 3600000, ENTRIES = 100000 };

	config->cache.ttl = HOUR;
	if (config->cache.entries < ENTRIES)
		config->cache.entries = ENTRIES;
}

struct mum_config *tool_load_config(const struct tool *tool, enum mum_role role)
{
	char *errors;
	struct mum_config *config = mum_config_load(tool->config_path, role, &errors);

	if (config == NULL) {
		fprintf(stderr, "%s\n", errors);
		free(errors);
	}
	return config;
}

struct mum_core *tool_core(struct tool *tool, enum mum_role role)
{
	struct mum_config *config;

	if (tool->cores[role] != NULL)
		return tool->cores[role];
	config = tool_load_config(tool, role);
	if (config == NULL)
		exit(EX_CONFIG);
	keep_facts(config);
	tool->cores[role] = mum_core_new(&tool->host.host, &config, role);
	return tool->cores[role];
}

const struct mum_config *tool_config(struct tool *tool, enum mum_role role)
{
	return mum_core_config(tool_core(tool, role));
}

char *tool_now(const struct mum_config *config)
{
	time_t now = time(NULL);
	struct timezone_table *zone = timezone_new(config->mum.timezone, now);
	char text[TIMEZONE_TEXT_SIZE];

	timezone_format(zone, now, text);
	timezone_free(&zone);
	return xstrdup(text);
}

struct quota_client *tool_quota(struct tool *tool)
{
	struct quota_settings settings =
		quota_settings(tool_config(tool, MUM_ROLE_POSTFIX));

	if (tool->quota == NULL)
		tool->quota = quota_client_new(&tool->host.host, &settings);
	return tool->quota;
}

/* ---- questions ---- */

void asked_keep(struct asked *asked, const struct mum_answer *answer)
{
	struct mum_answer *kept = &asked->answer;

	*kept = *answer;
	if (kept->address != NULL)
		address_ref((struct address *)kept->address);
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		if (kept->facts[i] != NULL)
			facts_ref(kept->facts[i]);
	}
	if (answer->reason != NULL || !tool_is_answered(answer->status))
		asked->reason = xstrdup(answer->reason != NULL ? answer->reason
							       : "the database gave no answer");
	kept->reason = asked->reason;
}

struct waiting {
	struct asked *asked;
	size_t *left;		/* questions without an answer yet */
};

static void on_answer(const struct mum_answer *answer, void *arg)
{
	struct waiting *waiting = arg;

	asked_keep(waiting->asked, answer);
	--*waiting->left;
}

enum { AT_ONCE = 1000 };	/* so that the last one is answered in time, too */

/* At most AT_ONCE. */
static void ask_some(struct tool *tool, enum mum_role role, unsigned questions,
		     const char *const *keys, size_t count, struct asked *asked_r)
{
	struct mum_core *core = tool_core(tool, role);
	struct waiting waiting[AT_ONCE];
	size_t left = count;

	for (size_t i = 0; i < count; i++) {
		asked_r[i] = (struct asked){ .reason = NULL };
		waiting[i] = (struct waiting){ &asked_r[i], &left };
		mum_core_ask(core, questions, keys[i], strlen(keys[i]),
			     mum_core_config(core)->database.deadline, on_answer, &waiting[i]);
	}
	while (left > 0)
		tool_wait(tool);
}

void tool_ask_all(struct tool *tool, enum mum_role role, unsigned questions,
		  const char *const *keys, size_t count, struct asked *asked_r)
{
	for (size_t at = 0; at < count; at += AT_ONCE)
		ask_some(tool, role, questions, keys + at,
			 count - at < AT_ONCE ? count - at : AT_ONCE, asked_r + at);
}

void tool_ask(struct tool *tool, enum mum_role role, unsigned questions,
	      const char *key, struct asked *asked_r)
{
	uint64_t began;

	tool_core(tool, role);	/* reading mum.conf is not timed */
	began = host_now_us(&tool->host.host);
	ask_some(tool, role, questions, &key, 1, asked_r);
	asked_r->ms = (double)(host_now_us(&tool->host.host) - began) / 1e3;
}

void asked_free(struct asked *asked)
{
	struct address *address = (struct address *)asked->answer.address;

	for (int i = 0; i < MUM_QUESTIONS; i++)
		facts_unref(&asked->answer.facts[i]);
	if (address != NULL)
		address_unref(&address);
	free(asked->reason);
	*asked = (struct asked){ .reason = NULL };
}

bool tool_is_answered(enum mum_status status)
{
	return status == MUM_FOUND || status == MUM_NOT_FOUND;
}

bool tool_want_answer(const char *what, enum mum_status status, const struct asked *asked)
{
	if (!tool_is_answered(status))
		tool_complain(what, asked->reason);
	return tool_is_answered(status);
}

enum mum_status tool_each_user(struct tool *tool, const char *what, tool_user_fn *fn, void *arg)
{
	enum mum_status status;
	uint64_t last_id = 0;
	bool more;

	do {
		char after[32];
		struct asked asked;
		const struct facts *page;

		snprintf(after, sizeof(after), "%" PRIu64, last_id);
		tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_USERS), after, &asked);
		status = asked.answer.status;
		page = asked.answer.facts[MUM_USERS];
		more = status == MUM_FOUND && page->count > 0;
		for (size_t i = 0; more && i < page->count; i++) {
			last_id = page->listed[i].id;
			if (rule_is_listed(&page->listed[i]))
				fn(page->listed[i].mailbox.address, arg);
		}
		(void)tool_want_answer(what, status, &asked);
		asked_free(&asked);
	} while (more);
	return status;
}

/* ---- results ---- */

static const struct {
	int exit_status;
	const char *name;
} statuses[] = {
	[MUM_TEMPFAIL] = { EX_TEMPFAIL, "temporary" },
	[MUM_FOUND] = { 0, "found" },
	[MUM_NOT_FOUND] = { 1, "not-found" },
	[MUM_MISCONFIGURED] = { EX_CONFIG, "misconfigured" },
};

int tool_exit_status(enum mum_status status)
{
	return statuses[status].exit_status;
}

const char *tool_status_name(enum mum_status status)
{
	return statuses[status].name;
}

void tool_print_json(json_t *document)
{
	json_dumpf(document, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(document);
}

json_t *tool_json_text(const char *text)
{
	json_t *string = json_string(text);
	struct buf hex = BUF_INIT(text != NULL ? 4 * strlen(text) + 1 : 0);
	char *copy;

	if (text == NULL || string != NULL)
		return string;
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x80)
			buf_put(&hex, text, 1);
		else
			buf_printf(&hex, "\\x%02x", (unsigned char)*text);
	}
	copy = buf_steal(&hex);
	string = json_string(copy);
	free(copy);
	return string;
}

const char *tool_json_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

size_t tool_json_number(const json_t *object, const char *name)
{
	return (size_t)json_integer_value(json_object_get(object, name));
}

/* The size of the first character of text, or what is left of it. */
static size_t character_size(const char *text)
{
	unsigned char first = (unsigned char)*text;
	size_t size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	return strnlen(text, size);
}

static void put_clean(FILE *out, const char *text)
{
	/* Nearly every text is clean, and there may be 100,000 lines. */
	if (text_is_clean(text, strlen(text))) {
		fputs(text, out);
		return;
	}
	while (*text != '\0') {
		size_t size = character_size(text);

		if (text_is_clean(text, size)) {
			fwrite(text, 1, size, out);
			text += size;
		} else {
			fprintf(out, "\\x%02x", (unsigned char)*text++);
		}
	}
}

void tool_print_line(const char *format, ...)
{
	va_list args;
	char *line;

	va_start(args, format);
	line = xvasprintf(format, args);
	va_end(args);
	put_clean(stdout, line);
	putchar('\n');
	free(line);
}

void tool_complain(const char *what, const char *why)
{
	fputs("mumctl: ", stderr);
	put_clean(stderr, what);
	fputs(": ", stderr);
	put_clean(stderr, why);
	fputs("\n", stderr);
}

int tool_complain_database(const char *what, const struct inspect_error *error)
{
	tool_complain(what, error->text);
	return error->trouble == INSPECT_OTHER ? EX_TEMPFAIL : EX_CONFIG;
}

void tool_usage(const char *usage)
{
	fprintf(stderr, "usage: mumctl %s\n", usage);
	exit(EX_USAGE);
}
