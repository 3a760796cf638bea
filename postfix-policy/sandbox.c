/* SPDX-License-Identifier: MIT */
#include "postfix-policy/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/endpoint.h"
#include "common/xalloc.h"

/* Since version 3 of the interface; Debian 12's header ends before. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* Each may do what those before it may. */
enum access { ACCESS_READ, ACCESS_SOCKETS, ACCESS_CHANGE };

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_SOCKETS \
	(RIGHTS_READ | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define RIGHTS_CHANGE \
	(RIGHTS_SOCKETS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	 LANDLOCK_ACCESS_FS_TRUNCATE)

static const uint64_t access_rights[] = {
	[ACCESS_READ] = RIGHTS_READ,
	[ACCESS_SOCKETS] = RIGHTS_SOCKETS,
	[ACCESS_CHANGE] = RIGHTS_CHANGE,
};

/* All rights of version 1, up to its last bit: nobody has them unless a rule gives them. */
static const uint64_t rights_1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

struct folder {
	char *path;		/* without links */
	enum access access;
};

struct sandbox {
	size_t count;
	struct folder *folders;
};

/*
 * Libraries, and what the C library, OpenSSL and the metrics read. /etc/resolv.conf may
 * lead to a file in /run that is not there yet.
 */
static const char *const system_folders[] = { "/etc", "/usr", "/lib", "/lib64", "/run",
					      "/proc", "/dev" };

/* Where they are links, they may lead out of /etc. */
static const char *const system_files[] = { "/etc/resolv.conf", "/etc/hosts",
					    "/etc/nsswitch.conf", "/etc/localtime" };

/* ---- which folders ---- */

/* Is it among the folders, or below one of them? */
static bool covers_folder(const struct sandbox *sandbox, const char *path, enum access access)
{
	for (size_t i = 0; i < sandbox->count; i++) {
		const struct folder *folder = &sandbox->folders[i];
		size_t len = strlen(folder->path);

		if (folder->access >= access && strncmp(folder->path, path, len) == 0 &&
		    (path[len] == '/' || path[len] == '\0' || len == 1))
			return true;
	}
	return false;
}

/* Leaves out a folder that does not exist. */
static void add_folder(struct sandbox *sandbox, const char *path, enum access access)
{
	char *real = realpath(path, NULL);

	if (real == NULL || covers_folder(sandbox, real, access)) {
		free(real);
		return;
	}
	sandbox->folders = xgrow(sandbox->folders, sandbox->count, sizeof(*sandbox->folders));
	sandbox->folders[sandbox->count++] = (struct folder){ real, access };
}

static void add_folder_of(struct sandbox *sandbox, const char *file, enum access access)
{
	char *copy = xstrdup(file);

	add_folder(sandbox, dirname(copy), access);
	free(copy);
}

/* Adds the folder that has the name and, if the name is a link, the folder that it leads to. */
static void add_file(struct sandbox *sandbox, const char *file, enum access access)
{
	char *real;

	if (*file != '/')
		return;
	real = realpath(file, NULL);
	add_folder_of(sandbox, file, access);
	if (real != NULL)
		add_folder_of(sandbox, real, access);
	free(real);
}

static void add_listen(struct sandbox *sandbox, const char *entry)
{
	struct endpoint endpoint;

	if (endpoint_parse_listen(entry, &endpoint) && endpoint.path != NULL)
		add_folder_of(sandbox, endpoint.path, ACCESS_SOCKETS);
}

static void add_listens(struct sandbox *sandbox, const struct mum_list *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		add_listen(sandbox, entries->items[i]);
}

/* With the folders of what is off, too, because a reload may turn it on. */
static struct sandbox *folders_of(const char *config_path, const struct mum_config *config)
{
	struct sandbox *sandbox = xcalloc(1, sizeof(*sandbox));

	for (size_t i = 0; i < sizeof(system_folders) / sizeof(system_folders[0]); i++)
		add_folder(sandbox, system_folders[i], ACCESS_READ);
	for (size_t i = 0; i < sizeof(system_files) / sizeof(system_files[0]); i++)
		add_file(sandbox, system_files[i], ACCESS_READ);
#ifdef MUM_SANITIZERS
	add_folder(sandbox, "/tmp", ACCESS_CHANGE);	/* their reports */
#endif
	add_file(sandbox, config_path, ACCESS_READ);
	add_file(sandbox, config->database.password_file, ACCESS_READ);
	add_file(sandbox, config->database.tls_ca, ACCESS_READ);
	add_file(sandbox, config->address.myorigin, ACCESS_READ);
	/* SQLite writes beside a file in WAL mode even to read it. */
	add_file(sandbox, config->database.path, ACCESS_CHANGE);
	add_file(sandbox, config->policy.send_state, ACCESS_CHANGE);
	add_folder_of(sandbox, config->policy.send_socket, ACCESS_SOCKETS);
	add_listens(sandbox, &config->socketmap.listen);
	add_listens(sandbox, &config->policy.listen);
	add_listen(sandbox, config->metrics.listen);
	return sandbox;
}

void sandbox_free(struct sandbox **_sandbox)
{
	struct sandbox *sandbox = *_sandbox;

	*_sandbox = NULL;
	if (sandbox == NULL)
		return;
	for (size_t i = 0; i < sandbox->count; i++)
		free(sandbox->folders[i].path);
	free(sandbox->folders);
	free(sandbox);
}

/* ---- landlock(7), for which the C library has no functions ---- */

/* The version of the interface; -1 sets errno: the kernel has none, or a filter forbids it. */
static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
		       LANDLOCK_CREATE_RULESET_VERSION);
}

static bool allow(int ruleset, const struct folder *folder, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = access_rights[folder->access] & handled,
		.parent_fd = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	bool ok;

	/* We cannot reach the folder anyway, or it has gone. */
	if (rule.parent_fd < 0)
		return errno == EACCES || errno == ENOENT || errno == ENOTDIR;
	ok = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.parent_fd);
	return ok;
}

/* False sets errno. */
static bool lock_in(const struct sandbox *sandbox, long version)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = rights_1 |
				     (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0),
	};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	bool ok = ruleset >= 0;

	for (size_t i = 0; ok && i < sandbox->count; i++)
		ok = allow(ruleset, &sandbox->folders[i], attr.handled_access_fs);
	ok = ok && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	if (ruleset >= 0)
		close(ruleset);
	return ok;
}

/* ---- sandbox.h ---- */

static void log_locked_in(const struct mum_host *host, const struct sandbox *sandbox)
{
	struct buf text = BUF_INIT(65536);
	char *folders;

	for (size_t i = 0; i < sandbox->count; i++) {
		if (sandbox->folders[i].access != ACCESS_READ)
			buf_printf(&text, "%s%s", text.len > 0 ? ", " : "",
				   sandbox->folders[i].path);
	}
	folders = buf_steal(&text);
	host_log(host, MUM_LOG_INFO, "locked in: starts no program, writes only in %s",
		 *folders != '\0' ? folders : "no folder");
	free(folders);
}

struct sandbox *sandbox_enter(const struct mum_host *host, const char *config_path,
			      const struct mum_config *config)
{
	struct sandbox *sandbox;
	long version;

	if (!config->process.sandbox)
		return NULL;
	version = landlock_version();
	if (version < 1) {
		host_log(host, MUM_LOG_INFO, "not locked in: landlock: %s", strerror(errno));
		return NULL;
	}
	sandbox = folders_of(config_path, config);
	if (lock_in(sandbox, version)) {
		log_locked_in(host, sandbox);
		return sandbox;
	}
	host_log(host, MUM_LOG_WARNING, "not locked in: landlock: %s", strerror(errno));
	sandbox_free(&sandbox);
	return NULL;
}

bool sandbox_covers(const struct sandbox *sandbox, const char *config_path,
		    const struct mum_config *config, char **error_r)
{
	struct sandbox *wanted;

	*error_r = NULL;
	if (sandbox == NULL)
		return true;
	wanted = folders_of(config_path, config);
	for (size_t i = 0; i < wanted->count && *error_r == NULL; i++) {
		const struct folder *folder = &wanted->folders[i];

		if (!covers_folder(sandbox, folder->path, folder->access))
			*error_r = xasprintf("mumd locked itself in without the folder %s "
					     "(process.sandbox); restart it", folder->path);
	}
	sandbox_free(&wanted);
	return *error_r == NULL;
}
