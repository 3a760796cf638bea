/* SPDX-License-Identifier: MIT */
#include "mumctl/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/xalloc.h"
#include "postfix-policy/protocol/socketmap.h"

/* cron's PATH has no sbin, where postconf is. */
#define RUN "PATH=$PATH:/usr/sbin:/usr/local/sbin; export PATH; exec 2>/dev/null; "

static const char *const names[] = {
	"allow_percent_hack", "append_dot_mydomain", "mydomain", "myorigin",
	"propagate_unmatched_extensions", "queue_directory", "recipient_delimiter",
	"smtpd_client_restrictions", "smtpd_data_restrictions",
	"smtpd_end_of_data_restrictions", "smtpd_helo_restrictions",
	"smtpd_recipient_restrictions", "smtpd_relay_restrictions", "smtpd_sasl_auth_enable",
	"smtpd_sender_restrictions", "smtputf8_enable", "swap_bangpath",
	"virtual_alias_expansion_limit", "virtual_alias_maps", "virtual_alias_recursion_limit",
	"virtual_mailbox_maps", "virtual_transport",
};

enum {
	NAMES = sizeof(names) / sizeof(names[0]),
	LINES_MAX = 1000	/* that are kept: far more than anybody sets */
};

struct settings {
	char *values[NAMES];	/* of Postfix, or NULL */
	unsigned postfix_version;
	char *lines[LINES_MAX];	/* "name = value" of main.cf, "service/type/name = value" */
	size_t lines_count;
	char *dovecot_version, *dovecot_delimiter, *dovecot_lmtp_name;
	bool dovecot_asks_us, dovecot_asks_sql;
};

/* Calls fn with each line that the shell's command prints, without its end. */
static void each_line(const char *command, void (*fn)(struct settings *settings, char *line),
		      struct settings *settings)
{
	FILE *output = popen(command, "re");
	char *line = NULL;
	size_t size = 0;

	if (output == NULL)
		return;
	while (getline(&line, &size, output) > 0) {
		line[strcspn(line, "\n")] = '\0';
		fn(settings, line);
	}
	free(line);
	pclose(output);
}

/* "name = value", or "name =" */
static void on_postfix(struct settings *settings, char *line)
{
	size_t len = strcspn(line, " ");
	const char *value = line + len + strspn(line + len, " ");

	if (*value++ != '=')
		return;
	for (size_t i = 0; i < NAMES; i++) {
		if (strlen(names[i]) == len && memcmp(names[i], line, len) == 0 &&
		    settings->values[i] == NULL)
			settings->values[i] = xstrdup(value + strspn(value, " "));
	}
}

static void on_line(struct settings *settings, char *line)
{
	if (settings->lines_count < LINES_MAX)
		settings->lines[settings->lines_count++] = xstrdup(line);
}

static void on_version(struct settings *settings, char *line)
{
	unsigned major, minor;

	if (sscanf(line, "%2u.%2u", &major, &minor) == 2)
		settings->postfix_version = major * 100 + minor;
}

/* doveconf of 2.4 puts a value into quotes if a configuration needs them. */
static char *dovecot_value(const char *line)
{
	size_t len = strlen(line);
	char *value, *to;

	if (len < 2 || line[0] != '"' || line[len - 1] != '"')
		return xstrdup(line);
	value = to = xstrndup(line + 1, len - 2);
	for (const char *from = value; *from != '\0'; from++) {
		from += *from == '\\' && from[1] != '\0';
		*to++ = *from;
	}
	*to = '\0';
	return value;
}

static void on_delimiter(struct settings *settings, char *line)
{
	free(settings->dovecot_delimiter);
	settings->dovecot_delimiter = dovecot_value(line);
}

static void on_lmtp_name(struct settings *settings, char *line)
{
	free(settings->dovecot_lmtp_name);
	settings->dovecot_lmtp_name = dovecot_value(line);
}

/* Dovecot 2.3 says "driver = mum" inside the block, 2.4 names the block so. */
static bool names_driver(const char *line, const char *driver)
{
	static const char *const forms[] = {
		"driver = %s", "passdb %s {", "userdb %s {", "passdb_driver = %s",
		"userdb_driver = %s",
	};
	bool names_it = false;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && !names_it; i++) {
		size_t len = strcspn(forms[i], "%");

		names_it = strncmp(line, forms[i], len) == 0 &&
			   strncmp(line + len, driver, strlen(driver)) == 0 &&
			   strcmp(line + len + strlen(driver), forms[i] + len + 2) == 0;
	}
	return names_it;
}

static void on_dovecot(struct settings *settings, char *line)
{
	line += strspn(line, " \t");
	settings->dovecot_asks_us = settings->dovecot_asks_us || names_driver(line, "mum");
	settings->dovecot_asks_sql = settings->dovecot_asks_sql || names_driver(line, "sql");
}

/* Without its main.cf postconf(1) sleeps before it says so. */
#define WITH_MAIN_CF "test -r \"${MAIL_CONFIG:-$(postconf -dh config_directory)}/main.cf\" && "

struct settings *settings_load(void)
{
	struct settings *settings = xcalloc(1, sizeof(*settings));
	struct buf command = BUF_INIT(4096);
	char *text;

	buf_puts(&command, RUN WITH_MAIN_CF "postconf -x");
	for (size_t i = 0; i < NAMES; i++)
		buf_printf(&command, " %s", names[i]);
	text = buf_steal(&command);
	each_line(text, on_postfix, settings);
	free(text);
	each_line(RUN WITH_MAIN_CF "postconf -nx && postconf -Px", on_line, settings);
	each_line(RUN "postconf -dh mail_version", on_version, settings);
	each_line(RUN "doveconf -n", on_dovecot, settings);
	if (settings->dovecot_asks_us) {
		each_line(RUN "doveconf -h recipient_delimiter", on_delimiter, settings);
		each_line(RUN "doveconf -f protocol=lmtp -h auth_username_format",
			  on_lmtp_name, settings);
	}
	return settings;
}

void settings_free(struct settings **_settings)
{
	struct settings *settings = *_settings;

	*_settings = NULL;
	if (settings == NULL)
		return;
	for (size_t i = 0; i < NAMES; i++)
		free(settings->values[i]);
	for (size_t i = 0; i < settings->lines_count; i++)
		free(settings->lines[i]);
	free(settings->dovecot_delimiter);
	free(settings->dovecot_lmtp_name);
	free(settings);
}

const char *settings_of_postfix(const struct settings *settings, const char *name)
{
	size_t i = 0;

	while (i < NAMES && strcmp(names[i], name) != 0)
		i++;
	return i < NAMES ? settings->values[i] : NULL;
}

unsigned long settings_number_of_postfix(const struct settings *settings,
					 const char *name, unsigned long otherwise)
{
	const char *text = settings_of_postfix(settings, name);
	unsigned long number = text != NULL ? strtoul(text, NULL, 10) : 0;

	return number > 0 ? number : otherwise;
}

unsigned settings_postfix_version(const struct settings *settings)
{
	return settings->postfix_version;
}

/* ---- main.cf and master.cf, line by line ---- */

/* The value of "key = value"; NULL when it is no such line. *len_r: of the key. */
static const char *value_of(const char *line, size_t *len_r)
{
	const char *value;

	*len_r = strcspn(line, " ");
	value = line + *len_r + strspn(line + *len_r, " ");
	return *value == '=' ? value + 1 + strspn(value + 1, " ") : NULL;
}

void settings_each_of_postfix(const struct settings *settings, settings_fn *fn, void *arg)
{
	for (size_t i = 0; i < settings->lines_count; i++) {
		size_t len;
		const char *value = value_of(settings->lines[i], &len);
		char *key = xstrndup(settings->lines[i], len);
		char *slash = strrchr(key, '/');

		if (slash != NULL)
			*slash = '\0';
		if (value != NULL)
			fn(slash != NULL ? key : NULL, slash != NULL ? slash + 1 : key, value,
			   arg);
		free(key);
	}
}

const char *settings_of_service(const struct settings *settings, const char *service,
				const char *name)
{
	char *wanted = xasprintf("%s/%s", service, name);
	const char *found = NULL;

	for (size_t i = 0; i < settings->lines_count && found == NULL; i++) {
		size_t len;
		const char *value = value_of(settings->lines[i], &len);

		if (strlen(wanted) == len && memcmp(wanted, settings->lines[i], len) == 0)
			found = value;
	}
	free(wanted);
	return found != NULL ? found : settings_of_postfix(settings, name);
}

/* ---- Dovecot ---- */

static void on_dovecot_version(struct settings *settings, char *line)
{
	if (settings->dovecot_version == NULL)
		settings->dovecot_version = xstrdup(line);
}

char *settings_dovecot_version(void)
{
	struct settings settings = { .dovecot_version = NULL };

	each_line(RUN "dovecot --version", on_dovecot_version, &settings);
	return settings.dovecot_version != NULL ? settings.dovecot_version : xstrdup("");
}

enum dovecot_generation settings_generation(const char *dovecot_version)
{
	unsigned major, minor;

	if (sscanf(dovecot_version, "%2u.%2u", &major, &minor) != 2)
		return DOVECOT_2_3;
	return major * 100 + minor >= 204 ? DOVECOT_2_4 : DOVECOT_2_3;
}

enum dovecot_generation settings_generation_here(void)
{
	char *version = settings_dovecot_version();
	enum dovecot_generation generation = settings_generation(version);

	free(version);
	return generation;
}

const char *settings_generation_name(enum dovecot_generation generation)
{
	return generation == DOVECOT_2_4 ? "2.4" : "2.3";
}

bool settings_dovecot_asks_sql(const struct settings *settings)
{
	return settings->dovecot_asks_sql;
}

const char *settings_dovecot_delimiter(const struct settings *settings)
{
	return settings->dovecot_delimiter;
}

const char *settings_dovecot_lmtp_name(const struct settings *settings)
{
	return settings->dovecot_lmtp_name;
}

/* ---- senders ---- */

void settings_sender_checks(const struct settings *settings, struct sender_checks *checks_r)
{
	sender_checks_init(checks_r);
	/* What main.cf leaves out is no less an answer: its default. */
	for (size_t i = 0; i < NAMES; i++) {
		char *line = xasprintf("%s = %s", names[i],
				       settings->values[i] != NULL ? settings->values[i] : "");

		if (settings->values[i] != NULL)
			sender_checks_add(checks_r, line);
		free(line);
	}
	for (size_t i = 0; i < settings->lines_count; i++)
		sender_checks_add(checks_r, settings->lines[i]);
}

/* ---- tables ---- */

static const char separators[] = ", \t\r\n";

char *settings_next_table(const char **list)
{
	const char *start = *list + strspn(*list, separators), *end = start;
	int depth = 0;

	while (*end != '\0' && (depth > 0 || strchr(separators, *end) == NULL)) {
		depth += (*end == '{') - (*end == '}');
		end++;
	}
	*list = end;
	return end > start ? xstrndup(start, (size_t)(end - start)) : NULL;
}

/* A map's name behind the endpoint, or NULL. */
static const char *behind_endpoint(const char *rest, const char *endpoint)
{
	size_t len = strlen(endpoint);

	return strncmp(rest, endpoint, len) == 0 && rest[len] == ':' ? rest + len + 1 : NULL;
}

/* A unix socket may be written relative to Postfix's queue directory. */
static const char *name_of_map(const char *rest, const char *queue, const char *listener)
{
	const char *name = behind_endpoint(rest, listener);
	char *whole;

	if (name != NULL || strncmp(rest, "unix:", 5) != 0 || rest[5] == '/')
		return name;
	whole = xasprintf("unix:%s/%s", queue, rest + 5);
	name = behind_endpoint(whole, listener);
	if (name != NULL)
		name = rest + strlen(rest) - strlen(name);
	free(whole);
	return name;
}

bool settings_is_our_table(const struct mum_config *config, const char *queue,
			   const char *table)
{
	const struct mum_list *listen = &config->socketmap.listen;

	if (strncmp(table, "proxy:", 6) == 0)
		table += 6;
	if (strncmp(table, "socketmap:", 10) != 0)
		return false;
	for (size_t i = 0; i < listen->count; i++) {
		const char *name = name_of_map(table + 10, queue, listen->items[i]);

		if (name != NULL && socketmap_by_name(name, strlen(name)) != NULL)
			return true;
	}
	return false;
}

bool settings_is_stock_table(const char *table)
{
	const char *name = strrchr(table, '/');
	size_t len;

	if (strncmp(table, "proxy:", 6) == 0)
		table += 6;
	if (strncmp(table, "mysql:", 6) != 0 || name == NULL)
		return false;
	len = strlen(++name);
	return len > 3 && strcmp(name + len - 3, ".cf") == 0 &&
	       socketmap_by_name(name, len - 3) != NULL;
}

int settings_other_tables(const struct settings *settings, const struct mum_config *config)
{
	static const char *const lists[] = { "virtual_alias_maps", "virtual_mailbox_maps" };
	const char *queue = settings_of_postfix(settings, "queue_directory");
	int ours = 0, others = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const char *list = settings_of_postfix(settings, lists[i]);
		char *table;

		if (queue == NULL || list == NULL)
			return -1;
		while ((table = settings_next_table(&list)) != NULL) {
			if (settings_is_our_table(config, queue, table))
				ours++;
			else
				others++;
			free(table);
		}
	}
	return ours > 0 ? others : -1;
}
