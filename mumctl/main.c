/* SPDX-License-Identifier: MIT */
/* mumctl(8): shows an admin what mumd and the Dovecot module would answer, and why. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "mumctl/commands.h"

static const struct command {
	const char *name;
	command_fn *run;
	const char *usage, *what;
} commands[] = {
	{ "check", command_check, USAGE_CHECK,
	  "configuration, database, grants, sockets, rows: what is wrong, and what fixes it" },
	{ "query", command_query, USAGE_QUERY,
	  "what Postfix is told when it asks a socketmap" },
	{ "policy", command_policy, USAGE_POLICY,
	  "what Postfix is told when it asks the policy service" },
	{ "user", command_user, USAGE_USER,
	  "what Dovecot's userdb is told; who sends as what, and by which aliases mail comes" },
	{ "domain", command_domain, USAGE_DOMAIN,
	  "mailboxes and aliases of a domain, what expires, what is refused and why" },
	{ "list", command_list, USAGE_LIST, "all users that Dovecot would list" },
	{ "auth", command_auth, USAGE_AUTH, "is this the password of the user?" },
	{ "explain", command_explain, USAGE_EXPLAIN,
	  "all that MUM says of an address, and every decision with its reason" },
	{ "compare", command_compare, USAGE_COMPARE,
	  "MUM's stock files against mumd and the Dovecot module: what changes, for whom" },
	{ "senders", command_senders, USAGE_SENDERS,
	  "which login sent to how many recipients lately, as the running mumd counts" },
	{ "homes", command_homes, USAGE_HOMES,
	  "folders of mail that belong to no mailbox, and homes that are missing or shared" },
	{ "measure", command_measure, USAGE_MEASURE,
	  "Dovecot's sizes of mailboxes, written for MUM's charts" },
	{ "setup", command_setup, USAGE_SETUP,
	  "the lines for main.cf, master.cf and dovecot.conf, and the grants" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *out)
{
	fprintf(out, "usage: mumctl [-c FILE] [--json] COMMAND ...\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-38s  %s\n", commands[i].usage, commands[i].what);
	fprintf(out, "\n"
		     "  -c, --config FILE   instead of " DEFAULT_CONFIG "\n"
		     "      --json          results as one line of JSON\n"
		     "  -h, --help          this text\n"
		     "      --version       version\n"
		     "\n"
		     "Exit status: 0 found or all well, 1 not found or warnings, 64 wrong usage,\n"
		     "75 no answer now, 78 errors in the configuration. See mumctl(8).\n");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	fprintf(stderr, "mumctl: no command is named \"%s\"; see mumctl --help\n", name);
	exit(EX_USAGE);
}

/* Returns status, or EX_IOERR if the output got lost: a full disk, a closed descriptor. */
static int finish_output(int status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	perror("mumctl: standard output");
	return EX_IOERR;
}

static void read_options(struct tool *tool, int argc, char **argv)
{
	enum { OPTION_JSON = 256, OPTION_VERSION };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	/* "+": what follows the command belongs to the command. */
	while ((option = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			tool->config_path = optarg;
			break;
		case OPTION_JSON:
			tool->json = true;
			break;
		case 'h':
			print_help(stdout);
			exit(finish_output(0));
		case OPTION_VERSION:
			printf("mumctl " PACKAGE_VERSION "\n");
			exit(finish_output(0));
		default:
			exit(EX_USAGE);
		}
	}
}

/* --json may stand behind the command, too. */
static void take_json(struct tool *tool, int *argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			tool->json = true;
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	*argc = kept;
}

int main(int argc, char **argv)
{
	struct tool tool = { .config_path = DEFAULT_CONFIG };
	const struct command *command;
	int status;

	read_options(&tool, argc, argv);
	argc -= optind;
	argv += optind;
	if (argc == 0) {
		print_help(stderr);
		return EX_USAGE;
	}
	command = find_command(argv[0]);
	argc--;
	argv++;
	take_json(&tool, &argc, argv);
	tool_init(&tool);
	status = command->run(&tool, argc, argv);
	tool_free(&tool);
	return finish_output(status);
}
