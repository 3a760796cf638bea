/* SPDX-License-Identifier: MIT */
/* What postconf and doveconf print of the settings of this machine, and mailname. */
#include "mumctl/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/myorigin.h"
#include "common/xalloc.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/programs.h"

#define QUEUE "/var/spool/postfix"

static const char *const listen[] = { "unix:" QUEUE "/mum/socketmap", "inet:127.0.0.1:1" };
static const struct mum_config config = { .socketmap = { .listen = { 2, listen } } };

static void on_setting(const char *service, const char *name, const char *value, void *arg)
{
	HOLDS(strchr(name, '/') == NULL && strchr(name, ' ') == NULL);
	HOLDS(service == NULL || strchr(service, ' ') == NULL);
	HOLDS(*value != ' ');
	settings_of_service(arg, service, name);
	fuzz_reached();
}

static bool is_one_of_both(const char *table, const void *arg)
{
	HOLDS(*table != '\0');
	HOLDS(!settings_is_our_table(&config, arg, table) || !settings_is_stock_table(table));
	return false;
}

/* Tables lie in the list, in order, and nothing but separators between them. */
static void check_list(const char *list)
{
	const char *rest = list, *before = list;
	char *table;

	while ((table = settings_next_table(&rest)) != NULL) {
		const char *begin = rest - strlen(table);

		HOLDS(begin >= before && strncmp(begin, table, strlen(table)) == 0);
		HOLDS(strspn(before, ", \t\r\n") == (size_t)(begin - before));
		before = rest;
		free(table);
	}
	HOLDS(before[strspn(before, ", \t\r\n")] == '\0');
	settings_any_table(list, is_one_of_both, QUEUE);
}

static void check_tables(const struct settings *settings)
{
	const char *list = settings_of_postfix(settings, "virtual_alias_maps");
	char *relative = settings_relative(listen[0], QUEUE);

	HOLDS(strcmp(relative, "unix:mum/socketmap") == 0);
	free(relative);
	if (list != NULL)
		check_list(list);
	HOLDS(settings_other_tables(settings, &config) >= -1);
	HOLDS(settings_number_of_postfix(settings, "virtual_alias_expansion_limit", 1000) > 0);
}

static void check_senders(const struct settings *settings)
{
	struct sender_checks checks;
	const char *service;

	settings_sender_checks(settings, &checks);
	HOLDS(checks.count <= SENDER_SERVICES_MAX);
	HOLDS(sender_checks_laxest(&checks, &service) <= SENDER_CHECK_OURS);
	sender_checks_clear(&checks);
}

static void check_dovecot(const struct settings *settings)
{
	enum dovecot_generation generation = settings_generation_here();

	HOLDS((settings->dovecot_delimiter == NULL) == (settings->dovecot_lmtp_name == NULL));
	HOLDS(*settings_generation_name(generation) == '2');
	HOLDS(settings->postfix_version <= 9999);
}

static void check_domain(char *domain, size_t limit)
{
	if (domain != NULL)
		HOLDS(*domain != '\0' && strlen(domain) <= limit &&
		      strpbrk(domain, " \t\r\n") == NULL);
	free(domain);
}

/* As a value of main.cf, and as a file that it names. */
static void check_origin(const char *value, size_t len)
{
	int fd = memfd_create("mailname", MFD_CLOEXEC);
	char *path = xasprintf("/proc/self/fd/%d", fd);

	if (*value != '/')
		check_domain(myorigin_read(value), len);
	HOLDS(fd >= 0 && write(fd, value, len) == (ssize_t)len);
	check_domain(myorigin_read(path), 255);
	check_domain(myorigin_of_host(), 255);
	HOLDS(myorigin_read("/proc/self") == NULL);	/* no file */
	HOLDS(myorigin_read("/nonexistent") == NULL);
	close(fd);
	free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = { data, size };
	struct settings *settings;
	char *origin;

	programs_print(&feed);
	settings = settings_load();
	settings_each_of_postfix(settings, on_setting, settings);
	check_tables(settings);
	check_senders(settings);
	check_dovecot(settings);
	settings_free(&settings);
	HOLDS(settings == NULL);
	origin = feed_part(&feed);
	check_origin(origin, strlen(origin));
	free(origin);
	return 0;
}
