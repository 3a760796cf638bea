/* SPDX-License-Identifier: MIT */
#include "common/config-loader.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/config-options.h"
#include "common/endpoint.h"
#include "common/myorigin.h"
#include "common/send-limit.h"
#include "common/timezone.h"
#include "common/xalloc.h"

static bool check_entry(struct config_loader *loader, unsigned line, const char *what,
			const char *entry, struct endpoint *endpoint)
{
	if (endpoint_parse_listen(entry, endpoint))
		return true;
	config_error(loader, line, "%s.listen = \"%s\": want unix:/PATH or inet:HOST:PORT",
		     what, entry);
	return false;
}

static void check_listen(struct config_loader *loader, unsigned line, const char *what,
			 const struct mum_list *list)
{
	struct endpoint endpoint;

	for (size_t i = 0; i < list->count; i++)
		check_entry(loader, line, what, list->items[i], &endpoint);
}

static bool is_mail_address(const char *text)
{
	struct address *address = address_new(ADDRESS_MAIL, text, strlen(text), "");
	bool is = address != NULL;

	address_unref(&address);
	return is;
}

static bool is_local_part(const char *text)
{
	char *address = xjoin(text, "@", "example.org");
	bool is = strchr(text, '@') == NULL && is_mail_address(address);

	free(address);
	return is;
}

/* A setting without effect or with a bad address is a mistake. */
static void check_fallbacks(struct config_loader *loader)
{
	const struct mum_config *config = loader->config;
	const struct mum_list *roles = &config->address.roles;

	if (config->address.catch_all_senders && !config->address.catch_all)
		config_error(loader, CONFIG_LINE(loader, address.catch_all_senders),
			     "address.catch_all_senders needs address.catch_all = true");
	for (size_t i = 0; i < roles->count; i++) {
		if (!is_local_part(roles->items[i]))
			config_error(loader, CONFIG_LINE(loader, address.roles),
				     "address.roles: \"%s\": want what stands before the @, "
				     "such as postmaster", roles->items[i]);
	}
	if (roles->count > 0 && !is_mail_address(config->address.role_recipient))
		config_error(loader, CONFIG_LINE(loader, address.role_recipient),
			     "address.role_recipient = \"%s\": want the address that gets "
			     "the mail of address.roles", config->address.role_recipient);
}

/* Only a unix socket: quota-status asks nobody who they are. */
static void check_quota(struct config_loader *loader)
{
	const char *entry = loader->config->policy.quota_status;
	struct endpoint endpoint;

	if (!endpoint_parse_listen(entry, &endpoint) || endpoint.path == NULL)
		config_error(loader, CONFIG_LINE(loader, policy.quota_status),
			     "policy.quota_status = \"%s\": want unix:/PATH", entry);
}

/* The page names hosts and tells how much mail there is. */
static void check_metrics(struct config_loader *loader)
{
	const struct mum_config *config = loader->config;
	const char *entry = config->metrics.listen;
	unsigned line = CONFIG_LINE(loader, metrics.listen);
	struct endpoint endpoint;

	if (*entry == '\0' || !check_entry(loader, line, "metrics", entry, &endpoint) ||
	    endpoint_is_local(&endpoint) || config->metrics.allow_remote)
		return;
	config_error(loader, line,
		     "metrics.listen = \"%s\": not a loopback address; if others may read "
		     "the metrics set metrics.allow_remote = true", entry);
}

static void check_send_limits(struct config_loader *loader)
{
	const struct mum_list *list = &loader->config->policy.send_limits;

	for (size_t i = 0; i < list->count; i++) {
		struct send_limit limit;
		const char *why;

		if (!send_limit_parse(list->items[i], &limit, &why))
			config_error(loader, CONFIG_LINE(loader, policy.send_limits),
				     "policy.send_limits: \"%s\": %s", list->items[i], why);
	}
}

static void check_hosts(struct config_loader *loader)
{
	const struct mum_config *config = loader->config;
	unsigned line = CONFIG_LINE(loader, database.hosts);
	unsigned ca_line = CONFIG_LINE(loader, database.tls_ca);
	bool tls = false;

	if (config->database.hosts.count == 0)
		config_error(loader, line,
			     "database.hosts is empty; name at least one host");
	for (size_t i = 0; i < config->database.hosts.count; i++) {
		const char *host = config->database.hosts.items[i];
		struct endpoint endpoint;

		tls = tls || mum_config_wants_tls(config, host);
		if (!endpoint_parse_server(host, &endpoint))
			/* It may be "user:password@host". */
			config_error(loader, line,
				     "database.hosts: \"%s\": want unix:/PATH or HOST:PORT",
				     strchr(host, '@') == NULL ? host : "...@...");
	}
	/* A named but missing file is a mistake, even if TLS is off. */
	if ((tls || ca_line > 0) && access(config->database.tls_ca, R_OK) != 0)
		config_error(loader, ca_line,
			     "database.tls_ca = \"%s\": %s; TLS needs the certificate of an "
			     "authority", config->database.tls_ca, strerror(errno));
}

/* Only mumd as root looks up the default user and group. */
static bool is_default(size_t offset, const char *value)
{
	return strcmp(config_options[config_option_at(offset)].value, value) == 0;
}

#define IS_DEFAULT(config, member) \
	is_default(offsetof(struct mum_config, member), (config)->member)

/* The default may be missing; a file that somebody named may not. */
static void read_myorigin(struct config_loader *loader)
{
	struct mum_config *config = loader->config;
	const char *value = config->address.myorigin;
	char *origin = myorigin_read(value);

	if (origin == NULL && !IS_DEFAULT(config, address.myorigin))
		config_error(loader, CONFIG_LINE(loader, address.myorigin),
			     "address.myorigin = \"%s\": want a domain, or a file that holds "
			     "one", value);
	if (origin == NULL)
		origin = myorigin_of_host();
	config->address.myorigin = arena_strdup(&config->arena, origin);
	free(origin);
}

static void check_process(struct config_loader *loader)
{
	const struct mum_config *config = loader->config;

	if (!IS_DEFAULT(config, process.user) && getpwnam(config->process.user) == NULL)
		config_error(loader, CONFIG_LINE(loader, process.user),
			     "process.user = \"%s\": no such user", config->process.user);
	if (!IS_DEFAULT(config, process.socket_group) &&
	    getgrnam(config->process.socket_group) == NULL)
		config_error(loader, CONFIG_LINE(loader, process.socket_group),
			     "process.socket_group = \"%s\": no such group",
			     config->process.socket_group);
}

void config_check(struct config_loader *loader, enum mum_role role)
{
	const struct mum_config *config = loader->config;

	read_myorigin(loader);
	if (config->database.driver == MUM_DRIVER_MARIADB)
		check_hosts(loader);
	check_listen(loader, CONFIG_LINE(loader, socketmap.listen), "socketmap",
		     &config->socketmap.listen);
	check_listen(loader, CONFIG_LINE(loader, policy.listen), "policy",
		     &config->policy.listen);
	check_send_limits(loader);
	check_fallbacks(loader);
	check_quota(loader);
	check_metrics(loader);
	if (role == MUM_ROLE_POSTFIX)
		check_process(loader);
	if (!timezone_is_known(config->mum.timezone))
		config_error(loader, CONFIG_LINE(loader, mum.timezone),
			     "mum.timezone = \"%s\": no such time zone; want a name such "
			     "as Europe/Berlin, and the package tzdata",
			     config->mum.timezone);
}
