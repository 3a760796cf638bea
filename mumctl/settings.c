/* SPDX-License-Identifier: MIT */
#include "mumctl/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/doveconf.h"
#include "mumctl/run-lines.h"
#include "postfix-policy/protocol/socketmap.h"

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

/* Calls fn with each line that the shell's command prints. */
static void each_line(const char *command, run_line_fn *fn, void *arg)
{
	const char *const argv[] = { "sh", "-c", command, NULL };

	(void)run_lines(argv, fn, arg);
}

static void keep_first(char *line, bool is_error, void *arg)
{
	char **first = arg;

	if (!is_error && *first == NULL)
		*first = xstrdup(line);
}

char *settings_first_line(const char *command)
{
	char *line = NULL;

	each_line(command, keep_first, &line);
	return line != NULL ? line : xstrdup("");
}

/*
 * "name = value" of main.cf, "service/type/name = value" of master.cf. Values may be no UTF-8,
 * hence _nocheck.
 */
static void keep_line(char *line, bool is_error, void *lines)
{
	size_t len = strcspn(line, " ");
	char *value = line + len + strspn(line + len, " ");

	if (is_error || *value != '=')
		return;
	line[len] = '\0';
	value += 1 + strspn(value + 1, " ");
	json_object_set_new_nocheck(lines, line, json_string_nocheck(value));
}

/* NULL when no line has the key. */
static const char *find_value(const json_t *lines, const char *key)
{
	return json_string_value(json_object_get(lines, key));
}

/* 310 for "3.10.2"; 0 when it is no version. */
static unsigned read_version(const char *text)
{
	unsigned major, minor;

	return sscanf(text, "%2u.%2u", &major, &minor) == 2 ? major * 100 + minor : 0;
}

/* Dovecot 2.3 says "driver = mum" inside the block, 2.4 names the block so. */
#define FORMS(DRIVER) \
	{ "driver = " DRIVER, "passdb " DRIVER " {", "userdb " DRIVER " {", \
	  "passdb_driver = " DRIVER, "userdb_driver = " DRIVER, NULL }

static void on_dovecot(char *line, bool is_error, void *arg)
{
	static const char *const ours[] = FORMS("mum"), *const sql[] = FORMS("sql");
	struct settings *settings = arg;

	if (is_error)
		return;
	line += strspn(line, " \t");
	settings->dovecot_asks_us = settings->dovecot_asks_us || text_is_one_of(line, ours);
	settings->dovecot_asks_sql = settings->dovecot_asks_sql || text_is_one_of(line, sql);
}

/* If there is no main.cf, postconf(1) sleeps before it says so. */
#define WITH_MAIN_CF "test -r \"${MAIL_CONFIG:-$(postconf -dh config_directory)}/main.cf\" && "

struct settings *settings_load(void)
{
	struct settings *settings = xcalloc(1, sizeof(*settings));
	struct buf command = BUF_INIT(4096);
	char *text;

	settings->asked = json_object();
	settings->set = json_object();
	buf_puts(&command, WITH_MAIN_CF "postconf -x");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		buf_printf(&command, " %s", names[i]);
	text = buf_steal(&command);
	each_line(text, keep_line, settings->asked);
	free(text);
	each_line(WITH_MAIN_CF "postconf -nx && postconf -Px", keep_line, settings->set);
	text = settings_first_line("postconf -dh mail_version");
	settings->postfix_version = read_version(text);
	free(text);
	each_line("doveconf -n", on_dovecot, settings);
	if (settings->dovecot_asks_us) {
		text = settings_first_line("doveconf -h recipient_delimiter");
		settings->dovecot_delimiter = doveconf_unquote(text);
		text = settings_first_line("doveconf -f protocol=lmtp -h auth_username_format");
		settings->dovecot_lmtp_name = doveconf_unquote(text);
	}
	return settings;
}

void settings_free(struct settings **_settings)
{
	struct settings *settings = *_settings;

	*_settings = NULL;
	if (settings == NULL)
		return;
	json_decref(settings->asked);
	json_decref(settings->set);
	free(settings->dovecot_delimiter);
	free(settings->dovecot_lmtp_name);
	free(settings);
}

const char *settings_of_postfix(const struct settings *settings, const char *name)
{
	return find_value(settings->asked, name);
}

unsigned long settings_number_of_postfix(const struct settings *settings,
					 const char *name, unsigned long otherwise)
{
	const char *text = settings_of_postfix(settings, name);
	unsigned long number = text != NULL ? strtoul(text, NULL, 10) : 0;

	return number > 0 ? number : otherwise;
}

/* ---- main.cf and master.cf, line by line ---- */

static void each_of(json_t *lines, settings_fn *fn, void *arg)
{
	const char *key;
	json_t *value;

	json_object_foreach(lines, key, value) {
		char *service = xstrdup(key), *slash = strrchr(service, '/');

		if (slash != NULL)
			*slash = '\0';
		fn(slash != NULL ? service : NULL, slash != NULL ? slash + 1 : key,
		   json_string_value(value), arg);
		free(service);
	}
}

void settings_each_of_postfix(const struct settings *settings, settings_fn *fn, void *arg)
{
	each_of(settings->set, fn, arg);
}

const char *settings_of_service(const struct settings *settings, const char *service,
				const char *name)
{
	char *key = service != NULL ? xjoin(service, "/", name) : xstrdup(name);
	const char *found = service != NULL ? find_value(settings->set, key) : NULL;

	free(key);
	return found != NULL ? found : settings_of_postfix(settings, name);
}

/* ---- Dovecot ---- */

char *settings_dovecot_version(void)
{
	return settings_first_line("dovecot --version");
}

enum dovecot_generation settings_generation(const char *dovecot_version)
{
	return read_version(dovecot_version) >= 204 ? DOVECOT_2_4 : DOVECOT_2_3;
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

/* ---- senders ---- */

void settings_sender_checks(const struct settings *settings, struct sender_checks *checks_r)
{
	sender_checks_init(checks_r);
	/* Settings that main.cf leaves out count with their defaults. */
	each_of(settings->asked, sender_checks_add, checks_r);
	each_of(settings->set, sender_checks_add, checks_r);
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

bool settings_any_table(const char *list, settings_table_fn *fn, const void *arg)
{
	bool any = false;
	char *table;

	while (list != NULL && !any && (table = settings_next_table(&list)) != NULL) {
		any = fn(table, arg);
		free(table);
	}
	return any;
}

/* A map's name behind the endpoint, or NULL. */
static const char *behind_endpoint(const char *rest, const char *endpoint)
{
	size_t len = strlen(endpoint);

	return strncmp(rest, endpoint, len) == 0 && rest[len] == ':' ? rest + len + 1 : NULL;
}

char *settings_relative(const char *listener, const char *queue)
{
	size_t len = strlen(queue);
	bool below = strncmp(listener, "unix:", 5) == 0 &&
		     strncmp(listener + 5, queue, len) == 0 && listener[5 + len] == '/';

	return below ? xasprintf("unix:%s", listener + 5 + len + 1) : xstrdup(listener);
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
		const char *name = behind_endpoint(table + 10, listen->items[i]);
		char *relative = settings_relative(listen->items[i], queue);

		if (name == NULL)
			name = behind_endpoint(table + 10, relative);
		free(relative);
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
