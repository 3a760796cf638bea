/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/fallback-names.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/reverse/unknown-names.h"
#include "mumctl/tool.h"

static bool is_catch_all(const struct name *name)
{
	return *name->text == '@' && (name->kinds & NAME_IS_RECIPIENT) != 0;
}

/* Adds a name that MUM does not know for each catch-all among the names. */
static bool add_caught(struct names *names, struct unknown_names *unknown,
		       struct inspect_error *error_r)
{
	bool good;

	for (const struct name *name = names->first; name != NULL; name = name->hh.next) {
		if (is_catch_all(name))
			unknown_names_want(unknown, name->text + 1);
	}
	good = unknown_names_read(unknown, error_r);
	/* New names come last, and are no catch-alls. */
	for (const struct name *name = names->first; good && name != NULL; name = name->hh.next) {
		char *caught = is_catch_all(name)
				       ? unknown_names_pick(unknown, name->text + 1) : NULL;

		if (caught != NULL)
			names_add(names, caught, strlen(caught),
				  NAME_IS_RECIPIENT | NAME_IS_SENDER);
		free(caught);
	}
	return good;
}

struct roles {
	struct names *names;
	const struct mum_list *list;
};

static void add_roles(const char *domain, void *arg)
{
	const struct roles *roles = arg;

	for (size_t i = 0; i < roles->list->count; i++) {
		char *name = xjoin(roles->list->items[i], "@", domain);

		names_add(roles->names, name, strlen(name), NAME_IS_RECIPIENT | NAME_IS_SENDER);
		free(name);
	}
}

bool names_add_fallbacks(struct names *names, struct inspect *db,
			 const struct mum_config *config)
{
	struct roles roles = { names, &config->address.roles };
	struct inspect_error error;
	struct unknown_names *unknown;
	bool good;

	if (!config->address.catch_all && roles.list->count == 0)
		return true;
	unknown = unknown_names_new(db, config, &error);
	good = unknown != NULL &&
	       (!config->address.catch_all || add_caught(names, unknown, &error));
	if (good)
		unknown_names_each_domain(unknown, add_roles, &roles);
	else
		tool_complain("database", error.text);
	unknown_names_free(&unknown);
	return good;
}
