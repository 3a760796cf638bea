/* SPDX-License-Identifier: MIT */
#include "common/states.h"

#include <string.h>

#include "common/text.h"

enum mailbox_state state_of_mailbox(const struct delivery_row *row)
{
	if (row->mailbox == NULL)
		return MAILBOX_IS_UNKNOWN;
	if (!row->domain_active)
		return MAILBOX_IS_IN_INACTIVE_DOMAIN;
	if (!row->mailbox_active)
		return MAILBOX_IS_INACTIVE;
	return row->mailbox_send_only ? MAILBOX_IS_SEND_ONLY : MAILBOX_IS_LIVE;
}

enum mailbox_state state_of_login(const struct mailbox_row *row)
{
	if (!row->domain_active)
		return MAILBOX_IS_IN_INACTIVE_DOMAIN;
	if (!row->active)
		return MAILBOX_IS_INACTIVE;
	if (row->address == NULL || !text_is_clean(row->address, strlen(row->address)))
		return MAILBOX_HAS_UNCLEAN_NAME;
	return row->send_only ? MAILBOX_IS_SEND_ONLY : MAILBOX_IS_LIVE;
}

enum alias_state state_of_alias(const struct delivery_row *row)
{
	if (row->alias == NULL)
		return ALIAS_IS_UNKNOWN;
	if (!row->domain_active)
		return ALIAS_IS_IN_INACTIVE_DOMAIN;
	if (!row->alias_active)
		return ALIAS_IS_INACTIVE;
	if (row->alias_expired)
		return ALIAS_IS_EXPIRED;
	if (row->left_out > 0)
		return ALIAS_IS_TOO_LONG;
	if (row->recipient == NULL)
		return ALIAS_IS_EMPTY;
	return state_of_recipient(row) == RECIPIENT_IS_LIVE ? ALIAS_IS_LIVE : ALIAS_IS_DEAD;
}

/* ---- recipients ---- */

static enum recipient_state state_of_local(const struct delivery_row *row)
{
	if (!row->recipient_domain_active)
		return RECIPIENT_IS_IN_INACTIVE_DOMAIN;
	if ((row->recipient_active && !row->recipient_send_only) || row->behind.alias ||
	    row->behind.fallback)
		return RECIPIENT_IS_LIVE;
	return row->recipient_active ? RECIPIENT_IS_SEND_ONLY : RECIPIENT_IS_INACTIVE;
}

static enum recipient_state state_of_text(const struct behind *behind)
{
	if (!behind->ours || state_behind_takes_mail(behind))
		return RECIPIENT_IS_LIVE;
	if (behind->mailbox)
		return RECIPIENT_IS_SEND_ONLY;
	if (behind->known)
		return RECIPIENT_IS_INACTIVE;
	return behind->elsewhere ? RECIPIENT_IS_LIVE : RECIPIENT_IS_UNKNOWN;
}

enum recipient_state state_of_recipient(const struct delivery_row *row)
{
	if (row->stands_for == NULL)
		return RECIPIENT_IS_GONE;
	if (*row->stands_for == '\0')
		return RECIPIENT_IS_BLANK;
	if (address_is_same(row->stands_for, row->alias))
		return state_of_mailbox(row) == MAILBOX_IS_LIVE ? RECIPIENT_IS_LIVE
								: RECIPIENT_IS_ALIAS_ITSELF;
	if (row->behind.alias_itself)
		return RECIPIENT_HAS_NO_END;
	return row->recipient_local ? state_of_local(row) : state_of_text(&row->behind);
}

bool state_has_mailbox(const struct delivery_row *row)
{
	return row->recipient_local;
}

bool state_is_elsewhere(const struct delivery_row *row)
{
	return !row->recipient_local && row->behind.ours && !row->behind.known &&
	       !row->behind.fallback && row->behind.elsewhere;
}

bool state_is_caught(const struct delivery_row *row)
{
	return row->behind.fallback;
}

bool state_is_renamed(const struct delivery_row *row)
{
	return row->recipient_local && row->stands_for != NULL &&
	       !address_is_same(row->stands_for, row->recipient);
}

bool state_needs_behind(const struct delivery_row *row)
{
	if (row->recipient == NULL || row->stands_for == NULL || *row->stands_for == '\0')
		return false;
	/* An alias, a role or a catch-all may take what this mailbox does not. */
	if (row->recipient_local)
		return row->recipient_domain_active &&
		       (!row->recipient_active || row->recipient_send_only);
	return true;
}

bool state_behind_takes_mail(const struct behind *behind)
{
	return behind->alias || behind->fallback || (behind->mailbox && !behind->send_only);
}

bool state_takes_mail(const struct name_row *row)
{
	return row->domain_active && row->alias_active && !row->alias_expired &&
	       row->alias_has_recipients;
}

/* ---- owners, domains, TLS policies ---- */

static enum owner_state state_of_alias_owner(const struct owner_row *row)
{
	if (!row->alias_active)
		return OWNER_OF_INACTIVE_ALIAS;
	if (row->alias_expired)
		return row->mailbox_active ? OWNER_OF_EXPIRED_ALIAS
					   : OWNER_IS_INACTIVE_OF_EXPIRED_ALIAS;
	return row->mailbox_active ? OWNER_IS_LIVE : OWNER_IS_INACTIVE;
}

enum owner_state state_of_owner(const struct owner_row *row)
{
	if (!row->domain_active || !row->mailbox_domain_active)
		return OWNER_IS_IN_INACTIVE_DOMAIN;
	if (row->id != 0)
		return state_of_alias_owner(row);
	return row->mailbox_active ? OWNER_IS_LIVE : OWNER_IS_INACTIVE_ITSELF;
}

enum domain_state state_of_domain(const struct facts *facts, const struct domain_row **row_r)
{
	*row_r = facts->count > 0 ? &facts->domains[0] : NULL;
	for (size_t i = 0; i < facts->count; i++) {
		if (!facts->domains[i].active)
			continue;
		*row_r = &facts->domains[i];
		return DOMAIN_IS_OURS;
	}
	return facts->count > 0 ? DOMAIN_IS_INACTIVE : DOMAIN_IS_FOREIGN;
}

enum tls_state state_of_tls(const struct facts *facts, const struct tls_row **row_r)
{
	*row_r = facts->count > 0 ? &facts->tls[0] : NULL;
	for (size_t i = 0; i < facts->count; i++) {
		if (!facts->tls[i].active)
			continue;
		*row_r = &facts->tls[i];
		return TLS_IS_ACTIVE;
	}
	return facts->count > 0 ? TLS_IS_INACTIVE : TLS_IS_UNKNOWN;
}
