/* SPDX-License-Identifier: MIT */
/* mum.conf, for both roles. */
#include "common/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "tests/fuzz/fuzz.h"

/* Each line names the file, and no line is empty. */
static void check_errors(const char *errors, const char *path)
{
	size_t len = strlen(path);

	HOLDS(strncmp(errors, path, len) == 0 && errors[len] == ':');
	HOLDS(errors[len + 1] != '\0');
}

static void check_config(const struct mum_config *config)
{
	HOLDS(config->database.hosts.count > 0);
	HOLDS(config->database.connections >= 1 && config->database.connections <= 64);
	HOLDS(config->database.deadline >= 100 && config->database.deadline <= 60000);
	HOLDS(config->cache.ttl <= 3600000 && config->cache.stale <= 86400000);
	HOLDS(config->process.socket_mode <= 0777);
	HOLDS(config->policy.sender <= MUM_CHECK_OFF);
	HOLDS(*config->dovecot.password == '\0' && *config->measure.password == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("mum.conf", MFD_CLOEXEC);
	char *path = xasprintf("/proc/self/fd/%d", fd);

	HOLDS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	HOLDS(fchmod(fd, 0600) == 0);
	/* A FIFO or a terminal named as password_file would wait for somebody. */
	for (int role = MUM_ROLE_POSTFIX;
	     role <= MUM_ROLE_MEASURE && memmem(data, size, "_file", 5) == NULL; role++) {
		struct mum_config *config;
		char *errors;

		config = mum_config_load(path, (enum mum_role)role, &errors);
		HOLDS((config == NULL) == (errors != NULL));
		if (config != NULL) {
			fuzz_reached();
			check_config(config);
		} else {
			check_errors(errors, path);
		}
		mum_config_free(&config);
		free(errors);
	}
	close(fd);
	free(path);
	return 0;
}
