/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
"usage: mum-load [options] SERVER\n"
"\n"
"Asks SERVER (PATH, unix:PATH, HOST:PORT or inet:HOST:PORT) over many\n"
"connections, on each of them one question after the other, as Postfix does.\n"
"\n"
"  --protocol P    socketmap (default), policy or smtp\n"
"  --map NAME      name of the socketmap\n"
"  --keys FILE     one question per line: the key (socketmap), or columns\n"
"                  separated by TAB: sender, recipient, sasl_username,\n"
"                  policy_context (policy); sender, recipient (smtp)\n"
"  --first-key N   begin with line N of the file (default 0)\n"
"  --clients N     connections that ask (default 1)\n"
"  --idle N        further connections that never ask (default 0)\n"
"  --seconds S     length of the measurement (default 1)\n"
"  --warmup S      time before it that does not count (default 0)\n"
"  --requests N    stop after N requests, if that is earlier\n"
"  --pid PID       report the CPU time of this process too; repeatable\n"
"  --json          one line of JSON instead of text\n"
"\n"
"smtp says EHLO once, then MAIL, ten RCPT, RSET over and over; RCPTs count.\n"
"Exit status: 0; 1 if a reply was malformed, a connection was lost or a\n"
"question stayed without answer; 2 for wrong usage.\n";

enum {
	OPTION_PROTOCOL = 256, OPTION_MAP, OPTION_KEYS, OPTION_FIRST_KEY,
	OPTION_CLIENTS, OPTION_IDLE, OPTION_SECONDS, OPTION_WARMUP,
	OPTION_REQUESTS, OPTION_PID, OPTION_JSON, OPTION_HELP
};

static const struct option long_options[] = {
	{ "protocol", required_argument, NULL, OPTION_PROTOCOL },
	{ "map", required_argument, NULL, OPTION_MAP },
	{ "keys", required_argument, NULL, OPTION_KEYS },
	{ "first-key", required_argument, NULL, OPTION_FIRST_KEY },
	{ "clients", required_argument, NULL, OPTION_CLIENTS },
	{ "idle", required_argument, NULL, OPTION_IDLE },
	{ "seconds", required_argument, NULL, OPTION_SECONDS },
	{ "warmup", required_argument, NULL, OPTION_WARMUP },
	{ "requests", required_argument, NULL, OPTION_REQUESTS },
	{ "pid", required_argument, NULL, OPTION_PID },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 }
};

static enum wire_protocol read_protocol(const char *text)
{
	if (strcmp(text, "socketmap") == 0)
		return WIRE_SOCKETMAP;
	if (strcmp(text, "policy") == 0)
		return WIRE_POLICY;
	if (strcmp(text, "smtp") == 0)
		return WIRE_SMTP;
	errx(2, "unknown protocol: %s", text);
}

static unsigned long read_count(const char *text, unsigned long least,
				unsigned long most)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (*text == '-' || end == text || *end != '\0' || count < least ||
	    count > most)
		errx(2, "want a number from %lu to %lu: %s", least, most,
		     text);
	return count;
}

static double read_seconds(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= 3600))
		errx(2, "want seconds from 0 to 3600: %s", text);
	return seconds;
}

static void add_pid(struct load_options *options, const char *text)
{
	if (options->pids_count == LOAD_MAX_PIDS)
		errx(2, "no more than %d times --pid", LOAD_MAX_PIDS);
	options->pids[options->pids_count++] =
		(pid_t)read_count(text, 1, 1U << 22);
}

static void take_option(struct load_options *options, int option)
{
	if (option == OPTION_PROTOCOL)
		options->protocol = read_protocol(optarg);
	else if (option == OPTION_MAP)
		options->map = optarg;
	else if (option == OPTION_KEYS)
		options->keys_file = optarg;
	else if (option == OPTION_FIRST_KEY)
		options->first_key = read_count(optarg, 0, 1000000000);
	else if (option == OPTION_CLIENTS)
		options->clients = read_count(optarg, 1, 100000);
	else if (option == OPTION_IDLE)
		options->idle = read_count(optarg, 0, 100000);
	else if (option == OPTION_SECONDS)
		options->seconds = read_seconds(optarg);
	else if (option == OPTION_WARMUP)
		options->warmup = read_seconds(optarg);
	else if (option == OPTION_REQUESTS)
		options->requests = read_count(optarg, 1, 1000000000);
	else if (option == OPTION_PID)
		add_pid(options, optarg);
	else if (option == OPTION_JSON)
		options->json = true;
	else
		errx(2, "see mum-load --help");
}

void load_read_options(int argc, char **argv, struct load_options *options_r)
{
	int option;

	*options_r = (struct load_options){ .clients = 1, .seconds = 1 };
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) !=
	       -1) {
		if (option == OPTION_HELP) {
			fputs(usage_text, stdout);
			exit(0);
		}
		take_option(options_r, option);
	}
	if (optind != argc - 1)
		errx(2, "want one SERVER; see mum-load --help");
	options_r->server = argv[optind];
	if (options_r->keys_file == NULL)
		errx(2, "want --keys FILE");
	if (options_r->protocol == WIRE_SOCKETMAP && options_r->map == NULL)
		errx(2, "want --map NAME");
	if (options_r->requests > 0 && options_r->warmup > 0)
		errx(2, "--requests counts from the start: no --warmup");
}

static void *grow(void *array, size_t count, size_t size)
{
	/* Powers of two, from 64 on: asked for before each new entry. */
	if (count != 0 && (count < 64 || (count & (count - 1)) != 0))
		return array;
	array = reallocarray(array, count < 64 ? 64 : count * 2, size);
	if (array == NULL)
		err(1, "keys");
	return array;
}

static void add_question(const struct load_options *options,
			 struct load_questions *questions, const char *line)
{
	const size_t i = questions->count;
	struct wire_bytes ask;

	if (options->protocol == WIRE_SMTP) {
		questions->mails = grow(questions->mails, i,
					sizeof(questions->mails[0]));
		questions->mails[i] = wire_make_mail(line);
		ask = wire_make_rcpt(line);
	} else if (options->protocol == WIRE_POLICY) {
		ask = wire_make_policy(line);
	} else {
		ask = wire_make_socketmap(options->map, line);
	}
	questions->asks = grow(questions->asks, i, sizeof(questions->asks[0]));
	questions->asks[i] = ask;
	questions->count++;
}

void load_read_questions(const struct load_options *options,
			 struct load_questions *questions_r)
{
	FILE *file = fopen(options->keys_file, "re");
	size_t line_size = 0;
	char *line = NULL;
	ssize_t len;

	if (file == NULL)
		err(2, "%s", options->keys_file);
	*questions_r = (struct load_questions){ .count = 0 };
	while ((len = getline(&line, &line_size, file)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		add_question(options, questions_r, line);
	}
	free(line);
	fclose(file);
	if (questions_r->count == 0)
		errx(2, "%s: no keys", options->keys_file);
}

void load_free_questions(struct load_questions *questions)
{
	for (size_t i = 0; i < questions->count; i++) {
		free(questions->asks[i].data);
		if (questions->mails != NULL)
			free(questions->mails[i].data);
	}
	free(questions->asks);
	free(questions->mails);
	*questions = (struct load_questions){ .count = 0 };
}
