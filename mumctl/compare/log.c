/* SPDX-License-Identifier: MIT */
/*
 * Names from a mail log. Its text comes from whoever talks to Postfix: lines, names and
 * memory have limits, and what is no address is left out.
 */
#include "mumctl/compare/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/compare/mail-log.h"
#include "mumctl/tool.h"

enum {
	LINE_MAX_BYTES = 8192,		/* the rest of a longer line is ignored */
	LOG_NAMES_MAX = 100000,		/* names, and as many pairs of login and sender */
	WAITING_MAX = 100000		/* mails whose login is known and whose sender is not yet */
};

static const unsigned long long LOG_BYTES_MAX = 4ULL << 30;

/* A mail of somebody who has logged in. */
struct waiting {
	UT_hash_handle hh;
	char *login;
	char queue_id[];
};

struct log {
	struct names *names;
	struct sents *sents;
	struct keyed_hash hash;
	struct waiting *waiting;
	size_t names_count, sents_count;
	bool full;			/* a limit was reached: something was left out */
};

/* ---- who sent as what ---- */

void sents_init(struct sents *sents)
{
	*sents = (struct sents){ .first = NULL };
	keyed_hash_init(&sents->hash);
}

void sents_clear(struct sents *sents)
{
	struct sent *sent, *next;

	HASH_ITER(hh, sents->first, sent, next) {
		HASH_DELETE(hh, sents->first, sent);
		free(sent->login);
		free(sent->sender);
		free(sent);
	}
}

/* A line end separates the two in the key, because neither of them has one. */
static void add_sent(struct log *log, const char *login, const struct mail_log_text *sender)
{
	char *key = xasprintf("%s\n%.*s", login, (int)sender->len, sender->data);
	struct sent *sent;

	KEYED_FIND(log->sents->first, &log->sents->hash, key, strlen(key), sent);
	if (sent == NULL && log->sents_count++ < LOG_NAMES_MAX) {
		KEYED_ADD(log->sents->first, &log->sents->hash, key, strlen(key), sent, key);
		sent->login = xstrdup(login);
		sent->sender = xstrndup(sender->data, sender->len);
	}
	if (sent != NULL)
		sent->mails++;
	else
		log->full = true;
	free(key);
}

/* ---- the login of a mail, until its sender is logged ---- */

static struct waiting *find_waiting(const struct log *log, const struct mail_log_text *id)
{
	struct waiting *waiting;

	KEYED_FIND(log->waiting, &log->hash, id->data, id->len, waiting);
	return waiting;
}

static void forget(struct log *log, struct waiting *waiting)
{
	HASH_DELETE(hh, log->waiting, waiting);
	free(waiting->login);
	free(waiting);
}

static void remember(struct log *log, const struct mail_log_text *id, const char *login)
{
	struct waiting *waiting = find_waiting(log, id);

	if (waiting != NULL)
		forget(log, waiting);
	if (HASH_COUNT(log->waiting) >= WAITING_MAX) {
		log->full = true;
		return;
	}
	KEYED_ADD(log->waiting, &log->hash, id->data, id->len, waiting, queue_id);
	waiting->login = xstrdup(login);
}

/* ---- names ---- */

/* An address that Postfix could have asked about. */
static bool is_address(const struct mail_log_text *text)
{
	struct address *address = NULL;

	if (text->data != NULL && memchr(text->data, '@', text->len) != NULL)
		address = address_new(ADDRESS_MAIL, text->data, text->len, "");
	if (address == NULL)
		return false;
	address_unref(&address);
	return true;
}

static bool is_login(const struct mail_log_text *text)
{
	return text->data != NULL && text->len > 0 && text->len < LINE_MAX_BYTES &&
	       text_is_clean(text->data, text->len);
}

static void add_name(struct log *log, const struct mail_log_text *text, unsigned kinds)
{
	size_t count = HASH_COUNT(log->names->first);

	if (log->names_count >= LOG_NAMES_MAX) {
		log->full = true;
		return;
	}
	names_add(log->names, text->data, text->len, kinds);
	log->names_count += HASH_COUNT(log->names->first) - count;
}

/* The domain may be a next hop, and LMTP may be given the address as a login. */
static void add_recipient(struct log *log, const struct mail_log_text *text)
{
	struct mail_log_text domain;

	if (!is_address(text))
		return;
	add_name(log, text, NAME_IS_RECIPIENT | NAME_IS_LOGIN);
	domain = *text;
	while (memchr(domain.data, '@', domain.len) != NULL) {
		domain.data++;
		domain.len--;
	}
	add_name(log, &domain, NAME_IS_DOMAIN | NAME_IS_NEXT_HOP);
}

/* Postfix logs the sender with the login (a reject), or later, with the same queue id. */
static void add_login(struct log *log, const struct mail_log_line *line, const char *login)
{
	if (line->sender.data != NULL && is_address(&line->sender))
		add_sent(log, login, &line->sender);
	else if (line->sender.data == NULL && line->queue_id.data != NULL)
		remember(log, &line->queue_id, login);
}

static void add_line(struct log *log, const struct mail_log_line *line)
{
	struct waiting *waiting = NULL;

	add_recipient(log, &line->recipient);
	add_recipient(log, &line->original);
	if (is_address(&line->sender))
		add_name(log, &line->sender, NAME_IS_SENDER);
	if (is_login(&line->login)) {
		char *login = xstrndup(line->login.data, line->login.len);

		add_name(log, &line->login, NAME_IS_LOGIN);
		add_login(log, line, login);
		free(login);
	} else if (line->sender.data != NULL && line->queue_id.data != NULL) {
		waiting = find_waiting(log, &line->queue_id);
	}
	if (waiting == NULL)
		return;
	if (is_address(&line->sender))
		add_sent(log, waiting->login, &line->sender);
	forget(log, waiting);
}

/* ---- the file ---- */

/* A line, or its beginning. False at the end. */
static bool read_line(FILE *file, char line[LINE_MAX_BYTES], unsigned long long *bytes)
{
	size_t len = 0;
	int c = EOF;

	while (*bytes < LOG_BYTES_MAX && (c = getc_unlocked(file)) != EOF) {
		++*bytes;
		if (c == '\n')
			break;
		if (len < LINE_MAX_BYTES - 1)
			line[len++] = c == '\0' ? '?' : (char)c;
	}
	line[len] = '\0';
	return c != EOF || len > 0;
}

static void read_lines(struct log *log, FILE *file, const char *path)
{
	char line[LINE_MAX_BYTES];
	struct mail_log_line parts;
	unsigned long long bytes = 0;

	while (bytes < LOG_BYTES_MAX && read_line(file, line, &bytes)) {
		if (mail_log_read(line, &parts))
			add_line(log, &parts);
	}
	if (bytes >= LOG_BYTES_MAX)
		tool_complain(path, "over 4 GB; what is behind them was not read");
	if (log->full)
		tool_complain(path, "over 100000 addresses; further ones are not compared");
}

bool log_read(const char *path, struct names *names, struct sents *sents)
{
	struct log log = { .names = names, .sents = sents };
	struct waiting *waiting, *next;
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	bool good = file != NULL;

	keyed_hash_init(&log.hash);
	if (good)
		read_lines(&log, file, path);
	good = good && ferror(file) == 0;
	if (!good)
		tool_complain(path, strerror(errno));
	if (file != NULL && file != stdin)
		fclose(file);
	HASH_ITER(hh, log.waiting, waiting, next)
		forget(&log, waiting);
	return good;
}
