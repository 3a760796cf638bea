/* SPDX-License-Identifier: MIT */
/*
 * What every command of mumctl is built on: the configuration, a core for each
 * database user, questions that wait for their answer, and printing of results. It
 * asks with the code of mumd and of the Dovecot module.
 */
#ifndef MUM_TOOL_H
#define MUM_TOOL_H

#include <jansson.h>
#include <stdbool.h>

#include "common/core.h"
#include "postfix-policy/host-libevent.h"
#include "postfix-policy/quota/client.h"

struct inspect_error;

enum { MUM_ROLES = MUM_ROLE_DOVECOT + 1 };

struct tool {
	const char *config_path;
	bool json;			/* --json */
	bool quiet;			/* the log begins at warnings */
	struct event_base *base;
	struct host_libevent host;
	struct mum_host_ops ops;	/* libevent's, with a log of our own */
	struct mum_core *cores[MUM_ROLES];	/* NULL until first needed */
	struct quota_client *quota;	/* the same */
};

/* A command gets what follows its name; returns the exit status. */
typedef int command_fn(struct tool *tool, int argc, char **argv);

void tool_init(struct tool *tool);
void tool_free(struct tool *tool);

/*
 * Runs the loop once, until some event has happened. For callbacks that set what
 * the caller looks at.
 */
void tool_wait(struct tool *tool);

/* Reads mum.conf. If it is wrong, prints why and returns NULL. Caller frees. */
struct mum_config *tool_load_config(const struct tool *tool, enum mum_role role);

/*
 * The core that asks as mumd or as the Dovecot module, and its configuration; both are the
 * tool's. Never NULL: if mum.conf is wrong, the program says so and exits with EX_CONFIG.
 */
struct mum_core *tool_core(struct tool *tool, enum mum_role role);
const struct mum_config *tool_config(struct tool *tool, enum mum_role role);

/* The time now as MUM stores it, in MUM's time zone. Caller frees. */
char *tool_now(const struct mum_config *config);

/* Asks Dovecot's quota-status as mumd does. Never NULL. */
struct quota_client *tool_quota(struct tool *tool);

/* An answer that is kept. */
struct asked {
	struct mum_answer answer;
	char *reason;		/* answer.reason, or NULL */
	double ms;		/* how long it took; 0 of tool_ask_all() */
};

/* Like mum_core_ask(), but blocks until the answer is there. */
void tool_ask(struct tool *tool, enum mum_role role, unsigned questions,
	      const char *key, struct asked *asked_r);
/* The same about many keys: asked_r[i] is the answer about keys[i]. */
void tool_ask_all(struct tool *tool, enum mum_role role, unsigned questions,
		  const char *const *keys, size_t count, struct asked *asked_r);
/* Keeps an answer, which is gone when its callback returns. */
void asked_keep(struct asked *asked, const struct mum_answer *answer);
void asked_free(struct asked *asked);

/* Is it certain whether the name is there? Else there was no answer. */
bool tool_is_answered(enum mum_status status);
/* Complains about a status without an answer, with what in front. Returns tool_is_answered(). */
bool tool_want_answer(const char *what, enum mum_status status, const struct asked *asked);

/*
 * Calls fn with each user that Dovecot would list. Returns the status of the last answer. If
 * that is not MUM_FOUND, it has complained, with what in front.
 */
typedef void tool_user_fn(const char *address, void *arg);
enum mum_status tool_each_user(struct tool *tool, const char *what, tool_user_fn *fn, void *arg);

/* 0 found, 1 not found, EX_TEMPFAIL, EX_CONFIG: as postmap(1) and sysexits(3). */
int tool_exit_status(enum mum_status status);
/* found, not-found, temporary, misconfigured: the word in JSON. */
const char *tool_status_name(enum mum_status status);
/* Prints one line to standard error. Both texts may hold any bytes. */
void tool_complain(const char *what, const char *why);
/*
 * Complains that a database gave no answer, with what in front. Returns the exit status:
 * EX_TEMPFAIL, or EX_CONFIG if somebody must change something first.
 */
int tool_complain_database(const char *what, const struct inspect_error *error);

/* Prints the document as one line of JSON, and gives up our reference to it. */
void tool_print_json(json_t *document);
/* A JSON string; NULL of NULL. Bytes beyond ASCII are escaped unless all is valid UTF-8. */
json_t *tool_json_text(const char *text);
/*
 * Prints one line. Control characters and invalid UTF-8 in the arguments come out as \xHH,
 * so that nothing in them can end the line.
 */
void tool_print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A text member of a JSON object; "" if it has none of that name. */
const char *tool_json_member(const json_t *object, const char *name);
/* A number member; 0 if it has none of that name. */
size_t tool_json_number(const json_t *object, const char *name);

/* Wrong usage: prints it and exits with EX_USAGE. */
void tool_usage(const char *usage) __attribute__((noreturn));

#endif
