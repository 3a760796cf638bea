/* SPDX-License-Identifier: MIT */
/* A mailbox's quota: how much, whose it is, and how full, if Dovecot is there to ask. */
#ifndef MUM_REVERSE_QUOTA_H
#define MUM_REVERSE_QUOTA_H

#include "common/rules-users.h"
#include "mumctl/tool.h"

/*
 * {"gb": ..., "source": ..., "used_kib": ..., "full": ...}; null is no limit, or what nobody
 * here can tell.
 */
json_t *quota_json(struct tool *tool, const struct user *user);
/* Static: "mailbox", "domain" or "none". */
const char *quota_source_name(enum quota_source source);

#endif
