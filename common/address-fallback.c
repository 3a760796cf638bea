/* SPDX-License-Identifier: MIT */
#include "common/address-fallback.h"

#include <string.h>

/*
 * Postfix sends its probes and notices from these names, folded. If they were found, a
 * probe would prove that every address exists, and bounces would come back as mail.
 */
static bool is_of_postfix(const char *local)
{
	return strcmp(local, "double-bounce") == 0 || strcmp(local, "mailer-daemon") == 0;
}

static bool is_role(const struct address_form *form, const struct fallback_settings *settings)
{
	for (size_t i = 0; i < settings->roles_count; i++) {
		if (address_is_local(form, settings->roles[i]))
			return true;
	}
	return false;
}

static void add_form(struct address *address, const char *local, enum address_form_kind kind)
{
	address->forms[address->forms_count++] = (struct address_form){ local, "", kind };
}

void address_add_fallbacks(struct address *address, const struct fallback_settings *settings)
{
	const struct address_form *role = NULL;

	if (!settings->catch_all && settings->roles_count == 0)
		return;
	for (size_t i = address->forms_count; i > 0; i--) {
		const struct address_form *form = &address->forms[i - 1];

		if (is_of_postfix(form->local))
			return;
		if (is_role(form, settings))
			role = form;
	}
	if (role != NULL)
		add_form(address, role->local, FORM_IS_ROLE);
	if (settings->catch_all)
		add_form(address, "", FORM_IS_CATCH_ALL);
}

struct address *address_new_catch_all(const char *domain)
{
	struct address *address = address_new(ADDRESS_DOMAIN, domain, strlen(domain), "");

	if (address != NULL)
		address->forms[0].kind = FORM_IS_CATCH_ALL;
	return address;
}

bool address_is_role(const struct address *address, size_t *form_r)
{
	for (size_t form = 0; form < address->forms_count; form++) {
		if (address->forms[form].kind != FORM_IS_ROLE)
			continue;
		*form_r = form;
		return true;
	}
	return false;
}
