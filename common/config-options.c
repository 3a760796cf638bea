/* SPDX-License-Identifier: MIT */
#include "common/config-options.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "common/xalloc.h"

#define OPTION(section, name, type, value, ...) \
	{ #section, #name, type, offsetof(struct mum_config, section.name), \
	  value, __VA_ARGS__ }

const struct config_option config_options[] = {
	OPTION(database, driver, OPTION_CHOICE, "mariadb", "mariadb|sqlite", 0, 0),
	OPTION(database, hosts, OPTION_LIST, "unix:/run/mysqld/mysqld.sock", NULL, 0, 0),
	OPTION(database, name, OPTION_STRING, "mum", NULL, 0, 0),
	OPTION(database, user, OPTION_STRING, "mum_postfix", NULL, 0, 0),
	OPTION(database, password, OPTION_STRING, "", NULL, 0, 0),
	OPTION(database, password_file, OPTION_STRING, "", NULL, 0, 0),
	OPTION(database, path, OPTION_PATH, "/var/lib/mum/mum.sqlite", NULL, 0, 0),
	OPTION(database, tls, OPTION_CHOICE, "", "|off|verify-ca|verify-full", 0, 0),
	OPTION(database, tls_ca, OPTION_PATH, "/etc/ssl/certs/ca-certificates.crt", NULL, 0, 0),
	OPTION(database, connections, OPTION_NUMBER, "2", NULL, 1, 64),
	OPTION(database, deadline, OPTION_TIME, "2s", NULL, 100, 60000),
	OPTION(dovecot, user, OPTION_STRING, "mum_dovecot", NULL, 0, 0),
	OPTION(dovecot, password, OPTION_STRING, "", NULL, 0, 0),
	OPTION(dovecot, password_file, OPTION_STRING, "", NULL, 0, 0),
	OPTION(dovecot, deadline, OPTION_TIME, "5s", NULL, 100, 60000),
	OPTION(dovecot, smtp_deadline, OPTION_TIME, "12s", NULL, 100, 60000),
	OPTION(dovecot, send_only_refuse, OPTION_LIST, "imap pop3 sieve submission", NULL, 0, 0),
	OPTION(dovecot, verify, OPTION_CHOICE, "worker", "worker|inline", 0, 0),
	OPTION(dovecot, allow_scheme_prefix, OPTION_BOOL, "false", NULL, 0, 0),
	OPTION(dovecot, max_bcrypt_cost, OPTION_NUMBER, "14", NULL, 4, 31),
	OPTION(dovecot, max_argon2_memory, OPTION_SIZE, "128M", NULL, 0, 0),
	OPTION(dovecot, max_argon2_time, OPTION_NUMBER, "10", NULL, 1, 1000),
	OPTION(dovecot, max_crypt_rounds, OPTION_NUMBER, "1000000", NULL, 1000, 999999999),
	OPTION(dovecot, max_yescrypt_cost, OPTION_NUMBER, "8", NULL, 1, 20),
	OPTION(address, recipient_delimiter, OPTION_STRING, "+", NULL, 0, 0),
	OPTION(address, propagate_extension, OPTION_BOOL, "true", NULL, 0, 0),
	OPTION(address, allow_percent_hack, OPTION_BOOL, "true", NULL, 0, 0),
	OPTION(address, swap_bangpath, OPTION_BOOL, "true", NULL, 0, 0),
	OPTION(address, myorigin, OPTION_STRING, "/etc/mailname", NULL, 0, 0),
	OPTION(address, mydomain, OPTION_STRING, "", NULL, 0, 0),
	OPTION(address, other_maps, OPTION_BOOL, "true", NULL, 0, 0),
	OPTION(measure, user, OPTION_STRING, "mum_measure", NULL, 0, 0),
	OPTION(measure, password, OPTION_STRING, "", NULL, 0, 0),
	OPTION(measure, password_file, OPTION_STRING, "", NULL, 0, 0),
	OPTION(mum, timezone, OPTION_STRING, "UTC", NULL, 0, 0),
	OPTION(cache, ttl, OPTION_TIME, "10s", NULL, 0, 3600000),
	OPTION(cache, stale, OPTION_TIME, "10m", NULL, 0, 86400000),
	OPTION(cache, entries, OPTION_NUMBER, "20000", NULL, 0, 10000000),
	OPTION(socketmap, listen, OPTION_LIST, "unix:/var/spool/postfix/mum/socketmap",
	       NULL, 0, 0),
	OPTION(policy, listen, OPTION_LIST, "unix:/var/spool/postfix/mum/policy",
	       NULL, 0, 0),
	OPTION(policy, recipient, OPTION_CHOICE, "enforce", "enforce|warn|off", 0, 0),
	OPTION(policy, sender, OPTION_CHOICE, "enforce", "enforce|warn|off", 0, 0),
	OPTION(policy, sender_login, OPTION_CHOICE, "strict", "strict|known", 0, 0),
	OPTION(policy, sender_unauthenticated, OPTION_CHOICE, "accept",
	       "accept|reject", 0, 0),
	OPTION(policy, send, OPTION_CHOICE, "off", "enforce|warn|off", 0, 0),
	OPTION(policy, send_rate, OPTION_NUMBER, "200", NULL, 1, 1000000),
	OPTION(policy, send_period, OPTION_TIME, "1h", NULL, 60000, 86400000),
	OPTION(policy, send_burst, OPTION_NUMBER, "500", NULL, 1, 1000000),
	OPTION(policy, send_reply, OPTION_CHOICE, "defer", "defer|reject|hold", 0, 0),
	OPTION(policy, send_limits, OPTION_LIST, "", NULL, 0, 0),
	OPTION(policy, send_exempt, OPTION_LIST, "", NULL, 0, 0),
	OPTION(policy, send_logins, OPTION_NUMBER, "100000", NULL, 100, 1000000),
	OPTION(policy, send_state, OPTION_PATH, "/var/lib/mumd/senders", NULL, 0, 0),
	OPTION(policy, send_socket, OPTION_PATH, "/run/mumd/senders", NULL, 0, 0),
	OPTION(policy, quota, OPTION_CHOICE, "off", "enforce|warn|off", 0, 0),
	OPTION(policy, quota_status, OPTION_STRING, "unix:/run/dovecot/quota-status", NULL, 0, 0),
	OPTION(policy, quota_reply, OPTION_CHOICE, "defer", "defer|reject", 0, 0),
	OPTION(policy, quota_recipients, OPTION_NUMBER, "10", NULL, 1, 100),
	OPTION(policy, quota_connections, OPTION_NUMBER, "4", NULL, 1, 64),
	OPTION(policy, quota_deadline, OPTION_TIME, "1s", NULL, 100, 5000),
	OPTION(policy, quota_ttl, OPTION_TIME, "1s", NULL, 0, 60000),
	OPTION(metrics, listen, OPTION_STRING, "", NULL, 0, 0),
	OPTION(metrics, allow_remote, OPTION_BOOL, "false", NULL, 0, 0),
	OPTION(process, user, OPTION_STRING, "mum", NULL, 0, 0),
	OPTION(process, socket_group, OPTION_STRING, "postfix", NULL, 0, 0),
	OPTION(process, socket_mode, OPTION_MODE, "0660", NULL, 0, 0),
	OPTION(process, max_clients, OPTION_NUMBER, "4000", NULL, 1, 1000000),
};

const size_t config_options_count = sizeof(config_options) / sizeof(config_options[0]);

size_t config_option_at(size_t offset)
{
	size_t i = 0;

	while (config_options[i].offset != offset) {
		i++;
		assert(i < config_options_count);
	}
	return i;
}

/* ---- texts to values ---- */

static bool parse_choice(const char *text, const char *words, unsigned *value_r)
{
	size_t len = strlen(text);

	for (unsigned i = 0; words != NULL; i++) {
		const char *bar = strchrnul(words, '|');

		if ((size_t)(bar - words) == len && memcmp(words, text, len) == 0) {
			*value_r = i;
			return true;
		}
		words = *bar == '|' ? bar + 1 : NULL;
	}
	return false;
}

/* ---- values of each type ---- */

static void *member(struct mum_config *config, const struct config_option *option)
{
	return (char *)config + option->offset;
}

static const char *keep(struct mum_config *config, const char *text)
{
	return arena_strndup(&config->arena, text, strlen(text));
}

static char *set_number(unsigned *number, const struct config_option *option,
			const char *text)
{
	bool is_time = option->type == OPTION_TIME;
	uint64_t value;

	if (!(is_time ? units_parse_time : units_parse_number)(text, &value))
		return xstrdup(is_time ? "want a time such as 500ms, 2s, 10m or 1h"
				       : "want a whole number");
	if (value < option->min || value > option->max)
		return xasprintf("want %lu to %lu%s", option->min, option->max,
				 is_time ? " ms" : "");
	*number = (unsigned)value;
	return NULL;
}

static char *set_size(size_t *size, const char *text)
{
	uint64_t value;

	if (!units_parse_size(text, &value) || value > SIZE_MAX)
		return xstrdup("want a size such as 64M or 1G");
	*size = (size_t)value;
	return NULL;
}

static char *set_mode(unsigned *mode, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end != '\0' || value > 0777)
		return xstrdup("want an octal mode such as 0660");
	*mode = (unsigned)value;
	return NULL;
}

static char *set_bool(bool *is, const char *text)
{
	unsigned value;

	if (!parse_choice(text, "false|true|no|yes", &value))
		return xstrdup("want true or false");
	*is = value % 2 == 1;
	return NULL;
}

/* An enum that holds no negative value is an unsigned to gcc and clang. */
#define IS_UNSIGNED(enum) (sizeof(enum) == sizeof(unsigned) && (enum)-1 > 0)

static char *set_choice(void *choice, const char *words, const char *text)
{
	unsigned value;

	_Static_assert(IS_UNSIGNED(enum mum_driver) && IS_UNSIGNED(enum mum_tls) &&
			       IS_UNSIGNED(enum mum_check) &&
			       IS_UNSIGNED(enum mum_sender_login) &&
			       IS_UNSIGNED(enum mum_unauthenticated) &&
			       IS_UNSIGNED(enum mum_send_reply) &&
			       IS_UNSIGNED(enum mum_quota_reply) &&
			       IS_UNSIGNED(enum mum_verify),
		       "which is what is copied");
	if (!parse_choice(text, words, &value))
		return xasprintf("want one of %s", words);
	memcpy(choice, &value, sizeof(value));
	return NULL;
}

static char *set_list(struct mum_config *config, struct mum_list *list, size_t count,
		      const char *const *items)
{
	const char **kept = arena_alloc(&config->arena, (count + 1) * sizeof(*kept));

	for (size_t i = 0; i < count; i++)
		kept[i] = keep(config, items[i]);
	*list = (struct mum_list){ count, kept };
	return NULL;
}

char *config_set(struct mum_config *config, const struct config_option *option,
		 size_t count, const char *const *items)
{
	void *value = member(config, option);

	if (option->type == OPTION_LIST)
		return set_list(config, value, count, items);
	if (count != 1)
		return xstrdup("want one value, not a list");
	switch (option->type) {
	case OPTION_NUMBER:
	case OPTION_TIME:
		return set_number(value, option, items[0]);
	case OPTION_SIZE:
		return set_size(value, items[0]);
	case OPTION_MODE:
		return set_mode(value, items[0]);
	case OPTION_BOOL:
		return set_bool(value, items[0]);
	case OPTION_CHOICE:
		return set_choice(value, option->words, items[0]);
	case OPTION_PATH:
		if (items[0][0] != '/')
			return xstrdup("want an absolute path");
		break;
	case OPTION_STRING:
	case OPTION_LIST:
		break;
	}
	*(const char **)value = keep(config, items[0]);
	return NULL;
}

/* ---- defaults ---- */

static void set_default(struct mum_config *config, const struct config_option *option)
{
	char *text = xstrdup(option->value), *rest = text, *why;
	const char *items[8];
	size_t count = 0;

	if (option->type != OPTION_LIST) {
		items[count++] = text;
	} else if (*text != '\0') {
		while (rest != NULL && count < sizeof(items) / sizeof(items[0]))
			items[count++] = strsep(&rest, " ");
	}
	why = config_set(config, option, count, items);
	assert(why == NULL);	/* or the table contradicts itself */
	free(why);
	free(text);
}

void config_set_defaults(struct mum_config *config)
{
	for (size_t i = 0; i < config_options_count; i++)
		set_default(config, &config_options[i]);
}

static void print_list(FILE *out, const char *items)
{
	fputs(*items != '\0' ? "{\"" : "{", out);
	for (const char *at = items; *at != '\0'; at++) {
		if (*at == ' ')
			fputs("\", \"", out);
		else
			fputc(*at, out);
	}
	fputs(*items != '\0' ? "\"}\n" : "}\n", out);
}

void mum_config_print_defaults(FILE *out)
{
	for (size_t i = 0; i < config_options_count; i++) {
		const struct config_option *option = &config_options[i];
		bool first = i == 0 || strcmp(option->section, config_options[i - 1].section) != 0;
		bool last = i + 1 == config_options_count ||
			    strcmp(option->section, config_options[i + 1].section) != 0;

		if (first)
			fprintf(out, "%s {\n", option->section);
		fprintf(out, "    %s = ", option->name);
		if (option->type == OPTION_LIST)
			print_list(out, option->value);
		else
			fprintf(out, "\"%s\"\n", option->value);
		if (last)
			fputs("}\n", out);
	}
}
