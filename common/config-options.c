/* SPDX-License-Identifier: MIT */
#include "common/config-options.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "common/xalloc.h"

#define OPTION(section, name, type, value, ...) \
	{ #section, #name, OPTION_##type, offsetof(struct mum_config, section.name), value, \
	  __VA_ARGS__ }
#define PLAIN(type, section, name, value) OPTION(section, name, type, value, NULL, 0, 0)
#define CHOICE(section, name, value, words) OPTION(section, name, CHOICE, value, words, 0, 0)
#define NUMBER(section, name, value, min, max) \
	OPTION(section, name, NUMBER, value, NULL, min, max)
#define TIME(section, name, value, min, max) OPTION(section, name, TIME, value, NULL, min, max)

const struct config_option config_options[] = {
	CHOICE(database, driver, "mariadb", "mariadb|sqlite"),
	PLAIN(LIST, database, hosts, "unix:/run/mysqld/mysqld.sock"),
	PLAIN(STRING, database, name, "mum"),
	PLAIN(STRING, database, user, "mum_postfix"),
	PLAIN(STRING, database, password, ""),
	PLAIN(STRING, database, password_file, ""),
	PLAIN(PATH, database, path, "/var/lib/mum/mum.sqlite"),
	CHOICE(database, tls, "", "|off|verify-ca|verify-full"),
	PLAIN(PATH, database, tls_ca, "/etc/ssl/certs/ca-certificates.crt"),
	NUMBER(database, connections, "2", 1, 64),
	TIME(database, deadline, "2s", 100, 60000),
	PLAIN(STRING, dovecot, user, "mum_dovecot"),
	PLAIN(STRING, dovecot, password, ""),
	PLAIN(STRING, dovecot, password_file, ""),
	TIME(dovecot, deadline, "5s", 100, 60000),
	TIME(dovecot, smtp_deadline, "12s", 100, 60000),
	PLAIN(LIST, dovecot, send_only_refuse, "imap pop3 sieve submission"),
	CHOICE(dovecot, verify, "worker", "worker|inline"),
	PLAIN(BOOL, dovecot, allow_scheme_prefix, "false"),
	NUMBER(dovecot, max_bcrypt_cost, "14", 4, 31),
	PLAIN(SIZE, dovecot, max_argon2_memory, "128M"),
	NUMBER(dovecot, max_argon2_time, "10", 1, 1000),
	NUMBER(dovecot, max_crypt_rounds, "1000000", 1000, 999999999),
	NUMBER(dovecot, max_yescrypt_cost, "8", 1, 20),
	PLAIN(STRING, address, recipient_delimiter, "+"),
	PLAIN(BOOL, address, propagate_extension, "true"),
	PLAIN(BOOL, address, allow_percent_hack, "true"),
	PLAIN(BOOL, address, swap_bangpath, "true"),
	PLAIN(STRING, address, myorigin, "/etc/mailname"),
	PLAIN(STRING, address, mydomain, ""),
	PLAIN(BOOL, address, other_maps, "true"),
	PLAIN(BOOL, address, catch_all, "false"),
	PLAIN(BOOL, address, catch_all_senders, "false"),
	PLAIN(LIST, address, roles, ""),
	PLAIN(STRING, address, role_recipient, ""),
	PLAIN(STRING, measure, user, "mum_measure"),
	PLAIN(STRING, measure, password, ""),
	PLAIN(STRING, measure, password_file, ""),
	TIME(measure, deadline, "10m", 1000, 86400000),
	PLAIN(STRING, mum, timezone, "UTC"),
	TIME(cache, ttl, "10s", 0, 3600000),
	TIME(cache, stale, "10m", 0, 86400000),
	NUMBER(cache, entries, "20000", 0, 10000000),
	PLAIN(LIST, socketmap, listen, "unix:/var/spool/postfix/mum/socketmap"),
	PLAIN(LIST, policy, listen, "unix:/var/spool/postfix/mum/policy"),
	CHOICE(policy, recipient, "enforce", "enforce|warn|off"),
	CHOICE(policy, sender, "enforce", "enforce|warn|off"),
	CHOICE(policy, sender_login, "strict", "strict|known"),
	CHOICE(policy, sender_unauthenticated, "accept", "accept|reject"),
	CHOICE(policy, send, "off", "enforce|warn|off"),
	NUMBER(policy, send_rate, "200", 1, 1000000),
	TIME(policy, send_period, "1h", 60000, 86400000),
	NUMBER(policy, send_burst, "500", 1, 1000000),
	CHOICE(policy, send_reply, "defer", "defer|reject|hold"),
	PLAIN(LIST, policy, send_limits, ""),
	PLAIN(LIST, policy, send_exempt, ""),
	NUMBER(policy, send_logins, "100000", 100, 1000000),
	PLAIN(PATH, policy, send_state, "/var/lib/mumd/senders"),
	PLAIN(PATH, policy, send_socket, "/run/mumd/senders"),
	CHOICE(policy, quota, "off", "enforce|warn|off"),
	PLAIN(STRING, policy, quota_status, "unix:/run/dovecot/quota-status"),
	CHOICE(policy, quota_reply, "defer", "defer|reject"),
	NUMBER(policy, quota_recipients, "10", 1, 100),
	NUMBER(policy, quota_connections, "4", 1, 64),
	TIME(policy, quota_deadline, "1s", 100, 5000),
	TIME(policy, quota_ttl, "1s", 0, 60000),
	PLAIN(STRING, metrics, listen, ""),
	PLAIN(BOOL, metrics, allow_remote, "false"),
	PLAIN(STRING, process, user, "mum"),
	PLAIN(STRING, process, socket_group, "postfix"),
	PLAIN(MODE, process, socket_mode, "0660"),
	NUMBER(process, max_clients, "4000", 1, 1000000),
	PLAIN(BOOL, process, sandbox, "true"),
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

	if (!parse_choice(text, "false|true|no|yes|off|on", &value))
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
		kept[i] = arena_strdup(&config->arena, items[i]);
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
	*(const char **)value = arena_strdup(&config->arena, items[0]);
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
