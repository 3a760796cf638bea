/* SPDX-License-Identifier: MIT */
/*
 * What a row says of one thing: the first state that is true of it. Rules (rules.h)
 * decide by states, and mumctl puts them into words. A switch over one has no
 * default, so that the compiler finds each place when a state is added. Pure.
 */
#ifndef MUM_STATES_H
#define MUM_STATES_H

#include "common/facts.h"

/* A mailbox or a login. */
enum mailbox_state {
	MAILBOX_IS_UNKNOWN,		/* no mailbox has the name */
	MAILBOX_IS_IN_INACTIVE_DOMAIN,
	MAILBOX_IS_INACTIVE,
	MAILBOX_HAS_UNCLEAN_NAME,	/* of a login: not text_is_clean() */
	MAILBOX_IS_SEND_ONLY,
	MAILBOX_IS_LIVE
};

static inline bool state_is_active(enum mailbox_state state)
{
	return state >= MAILBOX_IS_SEND_ONLY;
}

/* The mailbox of the row's form. */
enum mailbox_state state_of_mailbox(const struct delivery_row *row);
enum mailbox_state state_of_login(const struct mailbox_row *row);

/*
 * An alias as one row tells it, which may be that of one recipient; the state of the
 * whole alias is the greatest of its rows.
 */
enum alias_state {
	ALIAS_IS_UNKNOWN,		/* no alias has the name */
	ALIAS_IS_IN_INACTIVE_DOMAIN,
	ALIAS_IS_INACTIVE,
	ALIAS_IS_EXPIRED,
	ALIAS_IS_EMPTY,			/* no recipients at all */
	ALIAS_IS_DEAD,			/* recipients, but none that mail could reach */
	ALIAS_IS_LIVE,
	ALIAS_IS_TOO_LONG		/* live, with recipients that were left out */
};

/* Does an alias have the name that is neither inactive nor expired? */
static inline bool state_is_alias(enum alias_state state)
{
	return state >= ALIAS_IS_EMPTY;
}

static inline bool state_is_live_alias(enum alias_state state)
{
	return state >= ALIAS_IS_LIVE;
}

enum alias_state state_of_alias(const struct delivery_row *row);

enum recipient_state {
	RECIPIENT_IS_LIVE,
	RECIPIENT_IS_BLANK,
	RECIPIENT_IS_ALIAS_ITSELF,	/* and no mailbox of that name accepts mail */
	RECIPIENT_IS_IN_INACTIVE_DOMAIN,
	RECIPIENT_IS_INACTIVE,
	RECIPIENT_IS_SEND_ONLY,
	RECIPIENT_IS_GONE,		/* its mailbox_id names no mailbox any more */
	RECIPIENT_IS_UNKNOWN,		/* in a domain of MUM's, and nothing has the name */
	RECIPIENT_HAS_NO_END		/* the alias itself, with an extension or spelt otherwise */
};

/*
 * Does mail to the row's recipient, which is not NULL, get anywhere? A recipient
 * with a mailbox_id is that mailbox, under its present address; one without, in
 * an active domain of MUM's, is judged as that address; any other one is
 * external, and live. An alias of MUM's that is active and has recipients takes
 * mail, and whether those are dead is left to Postfix. An alias that names
 * itself is how admins keep a copy in the mailbox of that name: Postfix ends the
 * recursion there (virtual(5)), so that mailbox must accept mail. What a role or
 * a catch-all takes is live, too.
 */
enum recipient_state state_of_recipient(const struct delivery_row *row);

/* Is the recipient a mailbox that is there, under whatever address? */
bool state_has_mailbox(const struct delivery_row *row);
/* Is it live only because another table of Postfix may know what MUM does not? */
bool state_is_elsewhere(const struct delivery_row *row);
/* Does a role or a catch-all take its mail? */
bool state_is_caught(const struct delivery_row *row);
/* Has the recipient's mailbox another address by now than the text says? */
bool state_is_renamed(const struct delivery_row *row);
/* Does the state depend on row->behind, which must be asked for? */
bool state_needs_behind(const struct delivery_row *row);

/* Does an alias or a mailbox of MUM's take mail under this name, or a role or a catch-all? */
bool state_behind_takes_mail(const struct behind *behind);
/* Is there an active alias of the name that has recipients? It takes mail, see above. */
bool state_takes_mail(const struct name_row *row);

/* Who may send as an address: the mailbox of that name, or a sender of its alias. */
enum owner_state {
	OWNER_IS_LIVE,
	OWNER_IS_IN_INACTIVE_DOMAIN,	/* the address, or the mailbox */
	OWNER_IS_INACTIVE_ITSELF,	/* the mailbox of that name */
	OWNER_OF_INACTIVE_ALIAS,
	OWNER_OF_EXPIRED_ALIAS,
	OWNER_IS_INACTIVE,		/* the mailbox that is a sender of the alias */
	OWNER_IS_INACTIVE_OF_EXPIRED_ALIAS	/* both */
};

enum owner_state state_of_owner(const struct owner_row *row);

/* Of all rows together, because MUM may have two spellings: active if one of them is. */
enum domain_state { DOMAIN_IS_FOREIGN, DOMAIN_IS_INACTIVE, DOMAIN_IS_OURS };
enum tls_state { TLS_IS_UNKNOWN, TLS_IS_INACTIVE, TLS_IS_ACTIVE };

/* Of facts of MUM_DOMAIN and MUM_TLS. *row_r: the one that says so; NULL if there is none. */
enum domain_state state_of_domain(const struct facts *facts, const struct domain_row **row_r);
enum tls_state state_of_tls(const struct facts *facts, const struct tls_row **row_r);

#endif
