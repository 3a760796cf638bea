/* SPDX-License-Identifier: MIT */
#include "common/config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/config-file.h"
#include "common/endpoint.h"
#include "common/log-text.h"
#include "common/myorigin.h"
#include "common/secret.h"
#include "common/timezone.h"
#include "common/xalloc.h"

enum {
	ERRORS_MAX = 65536,	/* bytes of error text */
	ERROR_MAX = 2048,	/* bytes of one: it may repeat a value of any length */
	PASSWORD_MAX = 1024	/* bytes in a password file */
};

enum option_type {
	OPTION_STRING,	/* const char * */
	OPTION_PATH,	/* the same, absolute: a process may change its folder */
	OPTION_LIST,	/* struct mum_list */
	OPTION_NUMBER,	/* unsigned */
	OPTION_TIME,	/* unsigned, ms: "500ms", "2s", "10m", "1h", "1d" */
	OPTION_SIZE,	/* size_t, bytes: "128M", "1G" */
	OPTION_MODE,	/* unsigned, octal */
	OPTION_BOOL,	/* bool */
	OPTION_CHOICE	/* int, index into the words */
};

struct option {
	const char *section, *name;
	enum option_type type;
	size_t offset;		/* in struct mum_config */
	const char *value;	/* default; lists separate their items with a blank */
	const char *words;	/* OPTION_CHOICE: "first|second" */
	unsigned long min, max;	/* OPTION_NUMBER and OPTION_TIME (ms) */
};

#define OPTION(section, name, type, value, ...) \
	{ #section, #name, type, offsetof(struct mum_config, section.name), \
	  value, __VA_ARGS__ }

static const struct option options[] = {
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
	OPTION(metrics, listen, OPTION_STRING, "", NULL, 0, 0),
	OPTION(metrics, allow_remote, OPTION_BOOL, "false", NULL, 0, 0),
	OPTION(process, user, OPTION_STRING, "mum", NULL, 0, 0),
	OPTION(process, socket_group, OPTION_STRING, "postfix", NULL, 0, 0),
	OPTION(process, socket_mode, OPTION_MODE, "0660", NULL, 0, 0),
	OPTION(process, max_clients, OPTION_NUMBER, "4000", NULL, 1, 1000000),
};

enum { OPTIONS_COUNT = sizeof(options) / sizeof(options[0]) };

/* One run of mum_config_load(). */
struct loader {
	const char *path;
	struct mum_config *config;
	struct buf errors;
	unsigned lines[OPTIONS_COUNT];	/* where each option was set; 0 = nowhere */
};

static void add_error(struct loader *loader, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add_error(struct loader *loader, unsigned line, const char *format, ...)
{
	const char *newline = loader->errors.len > 0 ? "\n" : "";
	char shown[ERROR_MAX];	/* on one line, whatever the value that it names holds */
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	log_escape(shown, sizeof(shown), text, "");
	free(text);
	if (line > 0)
		buf_printf(&loader->errors, "%s%s:%u: %s", newline, loader->path, line, shown);
	else
		buf_printf(&loader->errors, "%s%s: %s", newline, loader->path, shown);
}

/* Nobody is to think that what is printed is all of it. */
static void end_errors(struct loader *loader)
{
	bool failed = loader->errors.failed;

	loader->errors.failed = false;
	loader->errors.limit += strlen(loader->path) + ERROR_MAX;
	if (failed || loader->errors.len == 0)
		add_error(loader, 0, "there is more to mend than is shown here");
}

/* ---- values ---- */

struct unit {
	const char *name;
	unsigned long factor;
};

static const struct unit time_units[] = {
	{ "ms", 1 },	  { "s", 1000 },     { "m", 60000 },
	{ "h", 3600000 }, { "d", 86400000 }, { NULL, 0 }
};

static const struct unit size_units[] = {
	{ "", 1 },	     { "K", 1UL << 10 }, { "M", 1UL << 20 },
	{ "G", 1UL << 30 }, { NULL, 0 }
};

static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

static bool parse_number(const char *text, const struct unit *units, uint64_t *value_r)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	for (; units->name != NULL; units++) {
		if (strcmp(end, units->name) == 0 && errno == 0 &&
		    value <= UINT64_MAX / units->factor) {
			*value_r = value * units->factor;
			return true;
		}
	}
	return false;
}

static bool parse_choice(const char *text, const char *words, int *value_r)
{
	size_t len = strlen(text);

	for (int i = 0; words != NULL; i++) {
		const char *bar = strchrnul(words, '|');

		if ((size_t)(bar - words) == len && memcmp(words, text, len) == 0) {
			*value_r = i;
			return true;
		}
		words = *bar == '|' ? bar + 1 : NULL;
	}
	return false;
}

static const char *keep(struct mum_config *config, const char *text)
{
	return arena_strndup(&config->arena, text, strlen(text));
}

static void *member(struct mum_config *config, const struct option *option)
{
	return (char *)config + option->offset;
}

static bool set_number(struct mum_config *config, const struct option *option,
		       const char *text, char **why_r)
{
	const struct unit *units = option->type == OPTION_TIME ? time_units : no_units;
	uint64_t value;

	if (!parse_number(text, units, &value)) {
		*why_r = xstrdup(option->type == OPTION_TIME
					 ? "want a time such as 500ms, 2s, 10m or 1h"
					 : "want a whole number");
		return false;
	}
	if (value < option->min || value > option->max) {
		*why_r = xasprintf("want %lu to %lu%s", option->min, option->max,
				   option->type == OPTION_TIME ? " ms" : "");
		return false;
	}
	*(unsigned *)member(config, option) = (unsigned)value;
	return true;
}

static bool set_size(struct mum_config *config, const struct option *option,
		     const char *text, char **why_r)
{
	uint64_t value;

	if (!parse_number(text, size_units, &value) || value > SIZE_MAX) {
		*why_r = xstrdup("want a size such as 64M or 1G");
		return false;
	}
	*(size_t *)member(config, option) = (size_t)value;
	return true;
}

static bool set_mode(struct mum_config *config, const struct option *option,
		     const char *text, char **why_r)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end != '\0' || mode > 0777) {
		*why_r = xstrdup("want an octal mode such as 0660");
		return false;
	}
	*(unsigned *)member(config, option) = (unsigned)mode;
	return true;
}

static bool set_value(struct mum_config *config, const struct option *option,
		      const char *text, char **why_r)
{
	switch (option->type) {
	case OPTION_NUMBER:
	case OPTION_TIME:
		return set_number(config, option, text, why_r);
	case OPTION_SIZE:
		return set_size(config, option, text, why_r);
	case OPTION_MODE:
		return set_mode(config, option, text, why_r);
	case OPTION_BOOL: {
		int value;

		if (!parse_choice(text, "false|true|no|yes", &value)) {
			*why_r = xstrdup("want true or false");
			return false;
		}
		*(bool *)member(config, option) = value % 2 == 1;
		return true;
	}
	case OPTION_CHOICE:
		if (!parse_choice(text, option->words, member(config, option))) {
			*why_r = xasprintf("want one of %s", option->words);
			return false;
		}
		return true;
	case OPTION_PATH:
		if (*text != '/') {
			*why_r = xstrdup("want an absolute path");
			return false;
		}
		/* fall through */
	case OPTION_STRING:
		*(const char **)member(config, option) = keep(config, text);
		return true;
	case OPTION_LIST:
		break;
	}
	return true;
}

static void set_list(struct mum_config *config, const struct option *option,
		     size_t count, const char *const *items)
{
	struct mum_list *list = member(config, option);
	const char **kept = arena_alloc(&config->arena, (count + 1) * sizeof(*kept));

	for (size_t i = 0; i < count; i++)
		kept[i] = keep(config, items[i]);
	list->count = count;
	list->items = kept;
}

static void set_list_default(struct mum_config *config, const struct option *option)
{
	char *text = xstrdup(option->value);
	const char *items[8];
	char *rest = text;
	size_t count = 0;

	while (rest != NULL && count < sizeof(items) / sizeof(items[0]))
		items[count++] = strsep(&rest, " ");
	set_list(config, option, count, items);
	free(text);
}

static void set_defaults(struct mum_config *config)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		char *why = NULL;

		if (options[i].type == OPTION_LIST)
			set_list_default(config, &options[i]);
		else if (!set_value(config, &options[i], options[i].value, &why))
			abort();	/* the table above contradicts itself */
	}
}

/* ---- loading ---- */

static void on_setting(const struct config_setting *setting, void *arg)
{
	struct loader *loader = arg;
	const struct option *option = &options[setting->option];
	char *why = NULL;

	if (loader->lines[setting->option] > 0) {
		add_error(loader, setting->line, "%s.%s is already set in line %u",
			  option->section, option->name,
			  loader->lines[setting->option]);
		return;
	}
	loader->lines[setting->option] = setting->line;
	if (option->type == OPTION_LIST) {
		set_list(loader->config, option, setting->count, setting->items);
		return;
	}
	if (setting->count != 1)
		why = xstrdup("want one value, not a list");
	else
		set_value(loader->config, option, setting->items[0], &why);
	if (why != NULL)
		add_error(loader, setting->line, "%s.%s = \"%s\": %s", option->section,
			  option->name, setting->count == 1 ? setting->items[0] : "{...}",
			  why);
	free(why);
}

static void on_error(unsigned line, const char *text, void *arg)
{
	add_error(arg, line, "%s", text);
}

static unsigned line_of(const struct loader *loader, size_t offset)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		if (options[i].offset == offset)
			return loader->lines[i];
	}
	return 0;
}

#define LINE_OF(loader, member) line_of(loader, offsetof(struct mum_config, member))

/* Reads a whole small file; "" and *why_r when it must not or cannot be read. */
static void read_password(const char *path, char *password, char **why_r)
{
	struct stat status;
	ssize_t len = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	password[0] = '\0';
	/* It may be the password itself, so it is not repeated. */
	if (*path != '/')
		*why_r = xstrdup("want an absolute path");
	else if (fd < 0 || fstat(fd, &status) < 0)
		*why_r = xasprintf("%s: %s", path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		*why_r = xasprintf("%s: not a regular file", path);
	else if ((status.st_mode & S_IRWXO) != 0)
		*why_r = xasprintf("%s: everybody can read it; chmod o= it", path);
	else if ((len = read(fd, password, PASSWORD_MAX)) < 0)
		*why_r = xasprintf("%s: %s", path, strerror(errno));
	else if (len == PASSWORD_MAX)
		*why_r = xasprintf("%s: over %d bytes", path, PASSWORD_MAX - 1);
	if (fd >= 0)
		close(fd);
	if (*why_r != NULL)
		return;
	password[len] = '\0';
	password[strcspn(password, "\r\n")] = '\0';
}

static void load_password(struct loader *loader, unsigned line)
{
	struct mum_config *config = loader->config;
	char password[PASSWORD_MAX];
	char *why = NULL;

	if (*config->database.password_file == '\0')
		return;
	if (*config->database.password != '\0') {
		add_error(loader, line, "password and password_file are both set; keep one");
		return;
	}
	read_password(config->database.password_file, password, &why);
	if (why != NULL)
		add_error(loader, line, "password_file: %s", why);
	else
		config->database.password = keep(config, password);
	explicit_bzero(password, sizeof(password));
	free(why);
}

/* A password in a file that everybody can read is no secret. */
static void check_mode(struct loader *loader, unsigned line)
{
	struct stat status;

	if (stat(loader->path, &status) == 0 && (status.st_mode & S_IRWXO) != 0)
		add_error(loader, line,
			  "holds a password and everybody can read the file; "
			  "chmod o= it or use password_file");
}

static void wipe(const char *text)
{
	explicit_bzero((char *)text, strlen(text));
}

/* One copy stays, where no core dump finds it. */
static void hide_passwords(struct mum_config *config)
{
	config->secret = secret_new(config->database.password);
	wipe(config->database.password);
	wipe(config->dovecot.password);
	config->database.password = config->secret;
	config->dovecot.password = "";
}

/* From here on database.* is what the role uses, and the other role's is gone. */
static void apply_role(struct loader *loader, enum mum_role role)
{
	struct mum_config *config = loader->config;
	unsigned file_line = LINE_OF(loader, database.password_file);
	unsigned password_line = LINE_OF(loader, database.password);
	unsigned dovecot_line = LINE_OF(loader, dovecot.password);

	if (password_line > 0 || dovecot_line > 0)
		check_mode(loader, password_line > 0 ? password_line : dovecot_line);
	if (role == MUM_ROLE_DOVECOT) {
		wipe(config->database.password);
		config->database.user = config->dovecot.user;
		config->database.password = config->dovecot.password;
		config->database.password_file = config->dovecot.password_file;
		config->database.deadline = config->dovecot.deadline;
		file_line = LINE_OF(loader, dovecot.password_file);
	}
	if (config->database.driver == MUM_DRIVER_MARIADB)
		load_password(loader, file_line);
	hide_passwords(config);
}

bool mum_config_is_local(const char *host)
{
	struct endpoint endpoint;

	return endpoint_parse_server(host, &endpoint) && endpoint_is_local(&endpoint);
}

bool mum_config_wants_tls(const struct mum_config *config, const char *host)
{
	if (strncmp(host, "unix:", 5) == 0)
		return false;
	return config->database.tls == MUM_TLS_DEFAULT
		       ? !mum_config_is_local(host)
		       : config->database.tls != MUM_TLS_OFF;
}

static bool check_entry(struct loader *loader, unsigned line, const char *what,
			const char *entry, struct endpoint *endpoint)
{
	if (endpoint_parse_listen(entry, endpoint))
		return true;
	add_error(loader, line, "%s.listen = \"%s\": want unix:/PATH or inet:HOST:PORT",
		  what, entry);
	return false;
}

static void check_listen(struct loader *loader, unsigned line, const char *what,
			 const struct mum_list *list)
{
	struct endpoint endpoint;

	for (size_t i = 0; i < list->count; i++)
		check_entry(loader, line, what, list->items[i], &endpoint);
}

/* The page names hosts and tells how much mail there is. */
static void check_metrics(struct loader *loader)
{
	const struct mum_config *config = loader->config;
	const char *entry = config->metrics.listen;
	unsigned line = LINE_OF(loader, metrics.listen);
	struct endpoint endpoint;

	if (*entry == '\0' || !check_entry(loader, line, "metrics", entry, &endpoint) ||
	    endpoint_is_local(&endpoint) || config->metrics.allow_remote)
		return;
	add_error(loader, line,
		  "metrics.listen = \"%s\": not a loopback address; if others may read "
		  "the metrics set metrics.allow_remote = true", entry);
}

static void check_hosts(struct loader *loader)
{
	const struct mum_config *config = loader->config;
	unsigned line = LINE_OF(loader, database.hosts);
	unsigned ca_line = LINE_OF(loader, database.tls_ca);
	bool tls = false;

	if (config->database.hosts.count == 0)
		add_error(loader, line, "database.hosts is empty; name at least one host");
	for (size_t i = 0; i < config->database.hosts.count; i++) {
		const char *host = config->database.hosts.items[i];
		struct endpoint endpoint;

		tls = tls || mum_config_wants_tls(config, host);
		if (!endpoint_parse_server(host, &endpoint))
			/* "user:password@host" is not repeated. */
			add_error(loader, line,
				  "database.hosts: \"%s\": want unix:/PATH or HOST:PORT",
				  strchr(host, '@') == NULL ? host : "...@...");
	}
	/* One that is named but not there is a mistake, whoever needs it. */
	if ((tls || ca_line > 0) && access(config->database.tls_ca, R_OK) != 0)
		add_error(loader, ca_line,
			  "database.tls_ca = \"%s\": %s; TLS needs the certificate of an "
			  "authority", config->database.tls_ca, strerror(errno));
}

/* Defaults are looked up when they are needed, by mumd as root. */
static bool is_default(size_t offset, const char *value)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		if (options[i].offset == offset)
			return strcmp(options[i].value, value) == 0;
	}
	return false;
}

/* The default may be missing; a file that somebody named may not. */
static void read_myorigin(struct loader *loader)
{
	struct mum_config *config = loader->config;
	const char *value = config->address.myorigin;
	char *origin = myorigin_read(value);

	if (origin == NULL && !is_default(offsetof(struct mum_config, address.myorigin), value))
		add_error(loader, LINE_OF(loader, address.myorigin),
			  "address.myorigin = \"%s\": want a domain, or a file that holds one",
			  value);
	if (origin == NULL)
		origin = myorigin_of_host();
	config->address.myorigin = keep(config, origin);
	free(origin);
}

#define IS_DEFAULT(config, member) \
	is_default(offsetof(struct mum_config, member), (config)->member)

static void check_process(struct loader *loader)
{
	const struct mum_config *config = loader->config;

	if (!IS_DEFAULT(config, process.user) && getpwnam(config->process.user) == NULL)
		add_error(loader, LINE_OF(loader, process.user),
			  "process.user = \"%s\": no such user", config->process.user);
	if (!IS_DEFAULT(config, process.socket_group) &&
	    getgrnam(config->process.socket_group) == NULL)
		add_error(loader, LINE_OF(loader, process.socket_group),
			  "process.socket_group = \"%s\": no such group",
			  config->process.socket_group);
}

static void check_values(struct loader *loader, enum mum_role role)
{
	const struct mum_config *config = loader->config;

	if (config->database.driver == MUM_DRIVER_MARIADB)
		check_hosts(loader);
	check_listen(loader, LINE_OF(loader, socketmap.listen), "socketmap",
		     &config->socketmap.listen);
	check_listen(loader, LINE_OF(loader, policy.listen), "policy",
		     &config->policy.listen);
	check_metrics(loader);
	if (role == MUM_ROLE_POSTFIX)
		check_process(loader);
	if (!timezone_is_known(config->mum.timezone))
		add_error(loader, LINE_OF(loader, mum.timezone),
			  "mum.timezone = \"%s\": no such time zone; want a name such "
			  "as Europe/Berlin, and the package tzdata",
			  config->mum.timezone);
}

struct mum_config *mum_config_load(const char *path, enum mum_role role,
				   char **errors_r)
{
	struct config_name names[OPTIONS_COUNT];
	struct mum_config *config = xcalloc(1, sizeof(*config));
	struct loader loader = { .path = path, .config = config,
				 .errors = BUF_INIT(ERRORS_MAX) };
	bool ok;

	for (size_t i = 0; i < OPTIONS_COUNT; i++)
		names[i] = (struct config_name){ options[i].section, options[i].name };
	set_defaults(config);
	ok = config_file_read(path, names, OPTIONS_COUNT, on_setting, on_error, &loader);
	apply_role(&loader, role);
	read_myorigin(&loader);
	check_values(&loader, role);
	*errors_r = NULL;
	if (!ok || loader.errors.len > 0 || loader.errors.failed) {
		end_errors(&loader);
		*errors_r = buf_steal(&loader.errors);
		mum_config_free(&config);
	}
	buf_free(&loader.errors);
	return config;
}

void mum_config_free(struct mum_config **_config)
{
	struct mum_config *config = *_config;

	*_config = NULL;
	if (config == NULL)
		return;
	secret_free(&config->secret);
	arena_wipe(&config->arena);
	free(config);
}

struct reading_settings mum_config_readings(const struct mum_config *config)
{
	return (struct reading_settings){ config->address.allow_percent_hack,
					  config->address.swap_bangpath,
					  config->address.myorigin, config->address.mydomain };
}

void mum_config_print_defaults(FILE *out)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		const struct option *option = &options[i];
		bool first = i == 0 || strcmp(option->section, options[i - 1].section) != 0;
		bool last = i + 1 == OPTIONS_COUNT ||
			    strcmp(option->section, options[i + 1].section) != 0;
		const char *item = option->value;

		if (first)
			fprintf(out, "%s {\n", option->section);
		fprintf(out, "    %s = %s\"", option->name,
			option->type == OPTION_LIST ? "{" : "");
		for (; *item != '\0'; item++) {
			if (*item == ' ' && option->type == OPTION_LIST)
				fputs("\", \"", out);
			else
				fputc(*item, out);
		}
		fprintf(out, "\"%s\n", option->type == OPTION_LIST ? "}" : "");
		if (last)
			fputs("}\n", out);
	}
}
