/* SPDX-License-Identifier: MIT */
/* What mum.conf says about asking Dovecot's quota-status. */
#ifndef MUM_QUOTA_SETTINGS_H
#define MUM_QUOTA_SETTINGS_H

#include "common/config.h"

struct quota_settings {
	const char *path;	/* of the socket; NULL: nobody asks */
	unsigned connections;	/* at most; a probe may have one more */
	unsigned deadline;	/* ms that one recipient of a mail may wait */
	unsigned ttl;		/* ms that room counts */
};

/* A view of section policy. */
struct quota_settings quota_settings(const struct mum_config *config);
/* Replaces what is kept, or zeros, by a copy of its own; the old path is freed. */
void quota_settings_keep(struct quota_settings *kept, const struct quota_settings *settings);
bool quota_settings_are_same(const struct quota_settings *a, const struct quota_settings *b);

#endif
