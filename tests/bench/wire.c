/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <ctype.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum wire_result parse_netstring(const char *buf, size_t buf_len,
					struct wire_frame *frame_r)
{
	size_t len = 0, pos;

	for (pos = 0; pos < buf_len && buf[pos] != ':'; pos++) {
		if (!isdigit((unsigned char)buf[pos]))
			return WIRE_BAD;
		len = len * 10 + (size_t)(buf[pos] - '0');
		if (len > WIRE_MAX_MESSAGE)
			return WIRE_BAD;
	}
	if (pos == buf_len)
		return WIRE_MORE;
	if (pos == 0)
		return WIRE_BAD;
	pos++;
	if (buf_len - pos <= len)
		return WIRE_MORE;
	if (buf[pos + len] != ',')
		return WIRE_BAD;
	*frame_r = (struct wire_frame){ buf + pos, len, pos + len + 1 };
	return WIRE_DONE;
}

/* Request and reply alike are lines that end with an empty one. */
static enum wire_result parse_attributes(const char *buf, size_t buf_len,
					 struct wire_frame *frame_r)
{
	const char *line = buf, *end;

	/* From line to line: memmem() costs more than all the rest here. */
	while ((end = memchr(line, '\n', buf_len - (size_t)(line - buf)))) {
		if (end == line) {
			*frame_r = (struct wire_frame){
				buf, (size_t)(end - buf),
				(size_t)(end + 1 - buf) };
			return WIRE_DONE;
		}
		line = end + 1;
	}
	return WIRE_MORE;
}

/* "250-first", "250-second", "250 last": the last line has no dash. */
static enum wire_result parse_smtp(const char *buf, size_t buf_len,
				   struct wire_frame *frame_r)
{
	const char *line = buf, *end;

	while ((end = memchr(line, '\n', buf_len - (size_t)(line - buf)))) {
		if (end - line < 4 || !isdigit((unsigned char)line[0]))
			return WIRE_BAD;
		if (line[3] != '-') {
			*frame_r = (struct wire_frame){
				line, (size_t)(end - line),
				(size_t)(end + 1 - buf) };
			return WIRE_DONE;
		}
		line = end + 1;
	}
	return WIRE_MORE;
}

enum wire_result wire_parse_frame(enum wire_protocol protocol, const char *buf,
				  size_t buf_len, struct wire_frame *frame_r)
{
	enum wire_result result;

	if (protocol == WIRE_SOCKETMAP)
		result = parse_netstring(buf, buf_len, frame_r);
	else if (protocol == WIRE_POLICY)
		result = parse_attributes(buf, buf_len, frame_r);
	else
		result = parse_smtp(buf, buf_len, frame_r);
	if (result == WIRE_MORE && buf_len >= WIRE_MAX_MESSAGE)
		return WIRE_BAD;
	return result;
}

static bool copy_word(const char *text, size_t len, char *word,
		      size_t word_size)
{
	size_t pos;

	for (pos = 0; pos < len && pos + 1 < word_size; pos++) {
		if (!isalnum((unsigned char)text[pos]) && text[pos] != '_')
			break;
		word[pos] = text[pos];
	}
	word[pos] = '\0';
	return pos > 0;
}

/*
 * Stricter than Postfix, which takes a bare "OK" for "not found" and "OK "
 * for a configuration error: no server should send either.
 */
static bool socketmap_word(const struct wire_frame *frame, char *word,
			   size_t word_size)
{
	static const char *const words[] = { "TEMP", "PERM", "TIMEOUT" };
	size_t len;

	if (!copy_word(frame->text, frame->text_len, word, word_size))
		return false;
	len = strlen(word);
	if (strcmp(word, "NOTFOUND") == 0)
		return frame->text_len == len || frame->text[len] == ' ';
	if (frame->text_len < len + 2 || frame->text[len] != ' ')
		return false;
	if (strcmp(word, "OK") == 0)
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static bool policy_word(const struct wire_frame *frame, char *word,
			size_t word_size)
{
	static const char name[] = "action=";
	const size_t name_len = sizeof(name) - 1;
	const char *line = frame->text, *end;
	const char *stop = frame->text + frame->text_len;

	for (; line < stop; line = end + 1) {
		end = memchr(line, '\n', (size_t)(stop - line));
		if (end == NULL)
			return false;
		if ((size_t)(end - line) > name_len &&
		    memcmp(line, name, name_len) == 0)
			return copy_word(line + name_len,
					 (size_t)(end - line) - name_len,
					 word, word_size);
	}
	return false;
}

bool wire_reply_word(enum wire_protocol protocol,
		     const struct wire_frame *frame, char *word,
		     size_t word_size)
{
	if (protocol == WIRE_SOCKETMAP)
		return socketmap_word(frame, word, word_size);
	if (protocol == WIRE_POLICY)
		return policy_word(frame, word, word_size);
	return copy_word(frame->text, 3, word, word_size);
}

static struct wire_bytes __attribute__((format(printf, 1, 2)))
make_bytes(const char *format, ...)
{
	struct wire_bytes bytes;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&bytes.data, format, args);
	va_end(args);
	if (len < 0)
		err(1, "request");
	bytes.len = (size_t)len;
	return bytes;
}

struct wire_bytes wire_make_socketmap(const char *map, const char *key)
{
	return make_bytes("%zu:%s %s,", strlen(map) + 1 + strlen(key), map,
			  key);
}

struct column {
	const char *text;
	int len;		/* what printf's "%.*s" wants */
};

static struct column find_column(const char *columns, int index)
{
	for (; index > 0 && *columns != '\0'; columns++)
		if (*columns == '\t')
			index--;
	return (struct column){ columns, (int)strcspn(columns, "\t") };
}

struct wire_bytes wire_make_policy(const char *columns)
{
	struct column sender = find_column(columns, 0);
	struct column recipient = find_column(columns, 1);
	struct column login = find_column(columns, 2);
	struct column context = find_column(columns, 3);

	return make_bytes(
		"request=smtpd_access_policy\nprotocol_state=RCPT\n"
		"protocol_name=ESMTP\nclient_address=127.0.0.1\n"
		"client_name=unknown\nclient_port=43158\n"
		"reverse_client_name=unknown\nserver_address=127.0.0.1\n"
		"server_port=25\nhelo_name=client.example\n"
		"sender=%.*s\nrecipient=%.*s\nrecipient_count=0\nqueue_id=\n"
		"instance=ab4.6b029879.bbac2.0\nsize=22\netrn_domain=\n"
		"stress=\nsasl_method=%s\nsasl_username=%.*s\nsasl_sender=\n"
		"ccert_subject=\nccert_issuer=\nccert_fingerprint=\n"
		"ccert_pubkey_fingerprint=\nencryption_protocol=\n"
		"encryption_cipher=\nencryption_keysize=0\n"
		"policy_context=%.*s\n\n",
		sender.len, sender.text, recipient.len, recipient.text,
		login.len > 0 ? "PLAIN" : "", login.len, login.text,
		context.len, context.text);
}

struct wire_bytes wire_make_mail(const char *columns)
{
	struct column sender = find_column(columns, 0);

	return make_bytes("MAIL FROM:<%.*s>\r\n", sender.len, sender.text);
}

struct wire_bytes wire_make_rcpt(const char *columns)
{
	struct column recipient = find_column(columns, 1);

	return make_bytes("RCPT TO:<%.*s>\r\n", recipient.len,
			  recipient.text);
}
