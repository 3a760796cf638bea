/* SPDX-License-Identifier: MIT */
/* Names of which the database has no row, and whose mail a role or a catch-all gets. */
#ifndef MUM_COMPARE_FALLBACK_NAMES_H
#define MUM_COMPARE_FALLBACK_NAMES_H

#include "common/config.h"
#include "mumctl/compare/names.h"

/*
 * With address.catch_all, adds a name that MUM does not know for each catch-all among the
 * names; and each of address.roles in each active domain. False: it has complained.
 */
bool names_add_fallbacks(struct names *names, struct inspect *db,
			 const struct mum_config *config);

#endif
