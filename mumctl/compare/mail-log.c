/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/mail-log.h"

#include <string.h>

enum {
	WORDS_BEFORE_TEXT = 6,	/* "Nov 29 15:00:01 host postfix/smtpd[12]:", and one to spare */
	QUEUE_ID_MAX = 32
};

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Is the word a tag of Postfix, as "postfix/submission/smtpd[123]:"? */
static bool is_tag(const char *word, size_t len)
{
	const char *end = word + len;
	const char *at = memchr(word, '[', len);

	if (at == NULL || memchr(word, '/', (size_t)(at - word)) == NULL ||
	    end - at < 4 || memcmp(end - 2, "]:", 2) != 0)
		return false;
	at++;
	return at + strspn(at, DIGITS) == end - 2;
}

/* What stands behind the tag; NULL if there is none. */
static const char *find_text(const char *line)
{
	for (int i = 0; i < WORDS_BEFORE_TEXT && *line != '\0'; i++) {
		size_t len = strcspn(line, " ");
		bool tag = is_tag(line, len);

		line += len;
		line += strspn(line, " ");
		if (tag)
			return line;
	}
	return NULL;
}

/* Reads "4Xn2bC1D: " or "NOQUEUE: ". Returns what stands behind it, or NULL. */
static const char *read_queue_id(const char *text, struct mail_log_text *id_r)
{
	size_t len = strspn(text, DIGITS LETTERS);

	if (len == 0 || len > QUEUE_ID_MAX || strncmp(text + len, ": ", 2) != 0)
		return NULL;
	if (len != strlen("NOQUEUE") || memcmp(text, "NOQUEUE", len) != 0)
		*id_r = (struct mail_log_text){ text, len };
	/* The blank stays: each field below has one in front. */
	return text + len + 1;
}

/* Up to a '>' outside of quotes, with a comma, a blank or the end behind it. */
static size_t address_len(const char *text)
{
	bool quoted = false;
	size_t len = 0;

	for (; text[len] != '\0'; len++) {
		if (text[len] == '"')
			quoted = !quoted;
		else if (quoted && text[len] == '\\' && text[len + 1] != '\0')
			len++;
		else if (!quoted && text[len] == '>' && strchr(" ,", text[len + 1]) != NULL)
			break;
	}
	return len;
}

/* field: with a blank in front, and a '<' at its end where the value has one. */
static struct mail_log_text find_address(const char *text, const char *field)
{
	const char *at = strstr(text, field);

	if (at == NULL)
		return (struct mail_log_text){ NULL, 0 };
	at += strlen(field);
	return (struct mail_log_text){ at, address_len(at) };
}

/* As it is, or between '<' and '>', as in the reject lines of newer versions. */
static struct mail_log_text find_login(const char *text)
{
	static const char field[] = " sasl_username=";
	const char *at = strstr(text, field), *end;

	if (at == NULL)
		return (struct mail_log_text){ NULL, 0 };
	at += strlen(field);
	if (*at == '<')
		return (struct mail_log_text){ at + 1, address_len(at + 1) };
	end = strstr(at, ", ");
	return (struct mail_log_text){ at, end != NULL ? (size_t)(end - at) : strlen(at) };
}

bool mail_log_read(const char *line, struct mail_log_line *line_r)
{
	const char *text = find_text(line);

	*line_r = (struct mail_log_line){ .login = { NULL, 0 } };
	if (text != NULL)
		text = read_queue_id(text, &line_r->queue_id);
	if (text == NULL)
		return false;
	line_r->sender = find_address(text, " from=<");
	line_r->recipient = find_address(text, " to=<");
	line_r->original = find_address(text, " orig_to=<");
	line_r->login = find_login(text);
	return line_r->sender.data != NULL || line_r->recipient.data != NULL ||
	       line_r->login.data != NULL;
}
