/* SPDX-License-Identifier: MIT */
/* The names that compare asks about. Each is there once, even if it has several kinds. */
#include "mumctl/compare/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/tool.h"

void names_init(struct names *names)
{
	*names = (struct names){ .first = NULL };
	keyed_hash_init(&names->hash);
}

void names_clear(struct names *names)
{
	struct name *name, *next;

	KEYED_FREE(names->first, name, next);
}

static struct name *find(struct names *names, const char *text, size_t len)
{
	struct name *name;

	KEYED_FIND(names->first, &names->hash, text, len, name);
	if (name == NULL)
		KEYED_ADD(names->first, &names->hash, text, len, name, text);
	return name;
}

/* postmap reads one name per line. A name that does not fit there is not compared. */
void names_add(struct names *names, const char *text, size_t len, unsigned kinds)
{
	if (len > 0 && text_is_clean(text, len))
		find(names, text, len)->kinds |= kinds;
}

/* ---- from the database ---- */

static const struct source {
	unsigned kinds;
	const char *sql;	/* domain, and before it a local part for an address */
} sources[] = {
	{ NAME_IS_RECIPIENT | NAME_IS_SENDER | NAME_IS_LOGIN,
	  "SELECT d.domain, m.local_part FROM mailboxes m JOIN domains d ON d.id = m.domain_id" },
	{ NAME_IS_RECIPIENT | NAME_IS_SENDER,
	  "SELECT d.domain, a.local_part FROM aliases a JOIN domains d ON d.id = a.domain_id" },
	{ NAME_IS_DOMAIN, "SELECT domain, NULL FROM domains" },
	{ NAME_IS_NEXT_HOP, "SELECT domain, NULL FROM tls_policies" },
};

struct target {
	struct names *names;
	unsigned kinds;
};

/* A domain with letters beyond ASCII: other mail servers write it as its A-label. */
static void add_alabel(struct names *names, const struct column *domain)
{
	char *alabel = address_fold_domain(domain->data, domain->len);
	char *folded = address_fold_local(domain->data, domain->len);

	if (strcmp(alabel, folded) != 0)
		names_add(names, alabel, strlen(alabel), NAME_IS_DOMAIN);
	free(alabel);
	free(folded);
}

static void on_row(const struct column *columns, void *arg)
{
	const struct target *target = arg;
	const struct column *domain = &columns[0], *local = &columns[1];
	char *name;

	if (domain->data == NULL)
		return;
	if (local->data == NULL) {
		names_add(target->names, domain->data, domain->len, target->kinds);
		if (target->kinds == NAME_IS_DOMAIN)
			add_alabel(target->names, domain);
		return;
	}
	/* A NUL would cut it to another name. */
	if (!column_is_whole(local) || !column_is_whole(domain))
		return;
	name = xasprintf("%s@%s", local->data, domain->data);
	names_add(target->names, name, strlen(name), target->kinds);
	free(name);
}

bool names_read_database(struct names *names, struct inspect *db)
{
	struct inspect_error error;

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct target target = { names, sources[i].kinds };

		if (!inspect_query(db, sources[i].sql, on_row, &target, &error)) {
			tool_complain("database", error.text);
			return false;
		}
	}
	return true;
}

/* ---- from a file ---- */

static FILE *open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	bool regular = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	FILE *file = regular ? fdopen(fd, "r") : NULL;

	if (file != NULL)
		return file;
	tool_complain(path, fd < 0 || regular ? strerror(errno)
					      : "not a regular file; --keys needs one");
	if (fd >= 0)
		close(fd);
	return NULL;
}

bool names_read_file(struct names *names, const char *path)
{
	FILE *file = open_regular(path);
	char *line = NULL;
	size_t size = 0;

	if (file == NULL)
		return false;
	while (getline(&line, &size, file) > 0)
		names_add(names, line, strcspn(line, "\n"), NAME_IS_ANY);
	free(line);
	fclose(file);
	return true;
}

/* ---- the forms of an address ---- */

char *name_form(const char *address, const struct address_form *form)
{
	return xasprintf("%s%s", form->local, strrchr(address, '@'));
}

bool name_is_form(const char *address, const struct address_form *form)
{
	const char *at = strrchr(address, '@');
	size_t len = at != NULL ? (size_t)(at - address) : strlen(address);
	char *local = address_fold_local(address, len);
	size_t form_len = strlen(form->local);
	char end = *form->extension;	/* a delimiter, or the end itself */
	bool is_form = strncmp(local, form->local, form_len) == 0 && local[form_len] == end;

	free(local);
	return is_form;
}

static void add_form(struct names *names, const char *text, const struct address_form *form,
		     unsigned kinds)
{
	char *other = name_form(text, form);

	if (strcmp(other, text) != 0)
		find(names, other, strlen(other))->searched |= kinds;
	free(other);
}

void names_add_forms(struct names *names, const char *delimiters)
{
	/* The forms are added behind the names, and have no further forms. */
	for (struct name *name = names->first; name != NULL; name = name->hh.next) {
		unsigned kinds = name->kinds & (NAME_IS_RECIPIENT | NAME_IS_SENDER);
		struct address *address;

		if (kinds == 0 || strchr(name->text, '@') == NULL)
			continue;
		address = address_new(ADDRESS_MAIL, name->text, strlen(name->text), delimiters);
		for (size_t i = 0; address != NULL && i < address->forms_count; i++)
			add_form(names, name->text, &address->forms[i], kinds);
		address_unref(&address);
	}
}
