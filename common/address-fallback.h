/* SPDX-License-Identifier: MIT */
/*
 * Who gets the mail of a name that nobody has: a role, such as postmaster, for which
 * mum.conf(5) names one address, and the catch-all of a domain, which MUM holds as an alias
 * without a local part. For an address both are forms behind its own.
 */
#ifndef MUM_ADDRESS_FALLBACK_H
#define MUM_ADDRESS_FALLBACK_H

#include "common/address.h"

/* As in mum.conf(5). What it points to outlives its use. */
struct fallback_settings {
	bool catch_all;
	size_t roles_count;
	const char *const *roles;	/* local parts */
	const char *role_recipient;	/* used with roles only */
};

/*
 * Adds a form for the role, if the mail address names one, and behind it one for the
 * catch-all of its domain. Neither is added for the addresses of Postfix's own bounces and
 * probes. The key stays: with the same settings, equal keys have equal forms.
 */
void address_add_fallbacks(struct address *address, const struct fallback_settings *settings);

/* The catch-all of a domain as the only form; NULL for no domain. */
struct address *address_new_catch_all(const char *domain);

/* Is one of the forms a role? *form_r: that form. */
bool address_is_role(const struct address *address, size_t *form_r);

#endif
