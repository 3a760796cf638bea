/* SPDX-License-Identifier: MIT */
#include "common/config-loader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/config-options.h"
#include "common/password-file.h"
#include "common/secret.h"

static void load_password(struct config_loader *loader, unsigned line)
{
	struct mum_config *config = loader->config;
	char password[PASSWORD_FILE_MAX];
	char *why = NULL;

	if (*config->database.password_file == '\0')
		return;
	if (*config->database.password != '\0') {
		config_error(loader, line,
			     "password and password_file are both set; keep one");
		return;
	}
	password_file_read(config->database.password_file, password, &why);
	if (why != NULL)
		config_error(loader, line, "password_file: %s", why);
	else
		config->database.password = arena_strdup(&config->arena, password);
	explicit_bzero(password, sizeof(password));
	free(why);
}

/* A password in a file that everybody can read is no secret. */
static void check_mode(struct config_loader *loader, unsigned line)
{
	struct stat status;

	if (stat(loader->path, &status) == 0 && (status.st_mode & S_IRWXO) != 0)
		config_error(loader, line,
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
	wipe(config->measure.password);
	config->database.password = config->secret;
	config->dovecot.password = config->measure.password = "";
}

/* The line of an option that holds a password; 0 if there is none. */
static unsigned password_line(const struct config_loader *loader)
{
	unsigned line = CONFIG_LINE(loader, database.password);

	if (line == 0)
		line = CONFIG_LINE(loader, dovecot.password);
	if (line == 0)
		line = CONFIG_LINE(loader, measure.password);
	return line;
}

/* Then the other roles' passwords are gone. */
void config_apply_role(struct config_loader *loader, enum mum_role role)
{
	struct mum_config *config = loader->config;
	unsigned file_line = CONFIG_LINE(loader, database.password_file);

	if (password_line(loader) > 0)
		check_mode(loader, password_line(loader));
	if (role != MUM_ROLE_POSTFIX)
		wipe(config->database.password);
	if (role == MUM_ROLE_DOVECOT) {
		config->database.user = config->dovecot.user;
		config->database.password = config->dovecot.password;
		config->database.password_file = config->dovecot.password_file;
		config->database.deadline = config->dovecot.deadline;
		file_line = CONFIG_LINE(loader, dovecot.password_file);
	}
	if (role == MUM_ROLE_MEASURE) {
		config->database.user = config->measure.user;
		config->database.password = config->measure.password;
		config->database.password_file = config->measure.password_file;
		file_line = CONFIG_LINE(loader, measure.password_file);
	}
	if (config->database.driver == MUM_DRIVER_MARIADB)
		load_password(loader, file_line);
	hide_passwords(config);
}
