/* SPDX-License-Identifier: MIT */
/* auth USER: is this the password, and what is its hash? */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/rules-users.h"
#include "common/xalloc.h"
#include "mumctl/commands.h"
#include "mumctl/verify.h"

/* Dovecot takes no longer one. */
enum { PASSWORD_MAX = 1024 };

/*
 * The first line of standard input, without its newline; it is in no buffer but
 * ours. If it is no password, wipes it and returns false.
 */
static bool read_line(char password[PASSWORD_MAX])
{
	size_t len = 0;
	ssize_t got = 0;
	bool good = true;
	char c;

	while (good && (got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		good = c != '\0' && len < PASSWORD_MAX - 1;
		password[len] = c;
		len += good;
	}
	password[len] = '\0';
	/* If reading failed, this may be only a part of the password. */
	good = good && got >= 0 && (len > 0 || got == 1);
	if (!good)
		explicit_bzero(password, PASSWORD_MAX);
	return good;
}

/* For the handler: how the terminal was before the prompt. */
static struct termios terminal_before;

/* Switches the echo on again before the signal ends the program. */
static void on_signal(int number)
{
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
	signal(number, SIG_DFL);
	raise(number);
}

static bool ask_terminal(char password[PASSWORD_MAX])
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct termios quiet;
	bool good;

	if (tcgetattr(STDIN_FILENO, &terminal_before) != 0)
		return false;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], on_signal);
	quiet = terminal_before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fprintf(stderr, "Password: ");
	good = read_line(password);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	fprintf(stderr, "\n");
	return good;
}

static bool read_password(bool from_stdin, char password[PASSWORD_MAX])
{
	if (!from_stdin && isatty(STDIN_FILENO) == 0) {
		tool_complain("auth", "no terminal to ask for the password; "
				      "see --password-stdin");
		return false;
	}
	if (from_stdin ? read_line(password) : ask_terminal(password))
		return true;
	tool_complain("auth", "the password is incomplete, or longer than 1023 bytes");
	return false;
}

struct verdict {
	const char *user;	/* as stored */
	const char *result;	/* right, wrong, unknown, refused, unchecked, temporary, ... */
	const char *why;	/* or NULL */
	char *hash;		/* scheme and cost, or NULL */
	bool send_only;
	int exit_status;
};

static void judge(struct tool *tool, const struct credential *credential,
		  const char *password, struct verdict *verdict)
{
	const struct hash_limits limits = hash_limits(tool_config(tool, MUM_ROLE_DOVECOT));
	enum hash_scheme scheme;
	bool right = false;

	verdict->user = credential->address;
	verdict->send_only = credential->send_only;
	verdict->why = hash_check(credential->password, &limits, &scheme);
	if (verdict->why == NULL) {
		verdict->hash = verify_describe(credential->password, scheme);
		right = verify_password(password, credential->password, scheme,
					&verdict->why);
	}
	if (scheme == HASH_PREFIXED && verdict->why != NULL) {
		/* Not "wrong": mumctl cannot tell. */
		verdict->result = "unchecked";
		verdict->exit_status = EX_TEMPFAIL;
		return;
	}
	verdict->result = verdict->why != NULL ? "refused" : right ? "right" : "wrong";
	verdict->exit_status = right ? 0 : 1;
}

static void print_json(const struct verdict *verdict)
{
	tool_print_json(json_pack("{so ss so* so* sb}", "user", tool_json_text(verdict->user),
				  "result", verdict->result, "hash", tool_json_text(verdict->hash),
				  "reason", tool_json_text(verdict->why), "send_only",
				  verdict->send_only));
}

static void print_line(struct tool *tool, const struct verdict *verdict)
{
	const struct mum_list *services =
		&tool_config(tool, MUM_ROLE_DOVECOT)->dovecot.send_only_refuse;
	struct buf line = BUF_INIT(65536);
	char *text;

	buf_printf(&line, "%s: %s", verdict->user, verdict->result);
	if (verdict->hash != NULL)
		buf_printf(&line, "; %s", verdict->hash);
	if (verdict->why != NULL)
		buf_printf(&line, "; %s", verdict->why);
	for (size_t i = 0; verdict->send_only && i < services->count; i++)
		buf_printf(&line, "%s%s", i == 0 ? "; send-only: no login for " : ", ",
			   services->items[i]);
	text = buf_steal(&line);
	tool_print_line("%s", text);
	free(text);
}

int command_auth(struct tool *tool, int argc, char **argv)
{
	bool from_stdin = argc == 2 && strcmp(argv[0], "--password-stdin") == 0;
	char password[PASSWORD_MAX] = "";
	struct credential credential;
	struct verdict verdict = { .user = NULL };
	struct asked asked;
	enum mum_status status;

	if (argc != (from_stdin ? 2 : 1) || argv[argc - 1][0] == '-')
		tool_usage(USAGE_AUTH);
	/* If mum.conf is wrong, the program ends before anybody types a password. */
	tool_core(tool, MUM_ROLE_DOVECOT);
	if (!read_password(from_stdin, password))
		return EX_USAGE;
	tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_CREDENTIAL), argv[argc - 1], &asked);
	status = rule_credential(&asked.answer, &credential);
	if (status == MUM_FOUND)
		judge(tool, &credential, password, &verdict);
	else
		verdict = (struct verdict){
			.user = argv[argc - 1],
			.result = status == MUM_NOT_FOUND ? "unknown"
							  : tool_status_name(status),
			.why = status == MUM_NOT_FOUND ? "no active mailbox has this name"
						       : asked.reason,
			.exit_status = tool_exit_status(status),
		};
	explicit_bzero(password, sizeof(password));
	if (tool->json)
		print_json(&verdict);
	else
		print_line(tool, &verdict);
	free(verdict.hash);
	asked_free(&asked);
	return verdict.exit_status;
}
