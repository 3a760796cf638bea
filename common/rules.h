/* SPDX-License-Identifier: MIT */
/*
 * Makes verdicts for mail (for logins: rules-users.h). Pure, the same for every program.
 * For a rule, inactive and expired rows do not exist. Each rule needs an answer to the
 * question in its comment, and passes on a status other than MUM_FOUND.
 */
#ifndef MUM_RULES_H
#define MUM_RULES_H

#include "common/arena.h"
#include "common/states.h"
#include "common/status.h"

/* What a rule made of one of the readings of an address (readings.h). */
struct judged {
	bool if_local;		/* as in struct reading */
	enum mum_status status;	/* MUM_FOUND: there is a verdict */
	int verdict;		/* enum recipient_verdict or enum sender_verdict */
	/*
	 * rule_domain() of its domain, set if the next reading is if_local. MUM's domains
	 * are virtual mailbox domains of Postfix, so they are not local.
	 */
	enum mum_status domain;
};

/* How many readings Postfix may come to: up to one whose domain is MUM's. At least 1. */
size_t rule_readings_end(const struct judged *readings, size_t count);
/* The strictest verdict of those; or the status of the first question without one. */
enum mum_status rule_strictest(const struct judged *readings, size_t count, int *verdict_r);

/* Asks MUM_DOMAIN. *name_r is the stored spelling. */
enum mum_status rule_domain(const struct mum_answer *answer, const char **name_r);

/* Asks MUM_TLS. *params_r is "" if there are none. */
enum mum_status rule_tls(const struct mum_answer *answer, const char **policy_r,
			 const char **params_r);

/*
 * Asks MUM_DELIVERY. The first form of the address that is an active mailbox of an active
 * domain, send-only ones too: the row's mailbox is not NULL.
 */
enum mum_status rule_mailbox(const struct mum_answer *answer,
			     const struct delivery_row **mailbox_r);
/* The same for an answer that is MUM_FOUND; if no mailbox is active, the first one. */
enum mailbox_state rule_mailbox_state(const struct mum_answer *answer,
				      const struct delivery_row **row_r);

/*
 * Asks MUM_NAME. Sets what MUM knows of a recipient, and leaves the rest. of: what it is a
 * recipient of; a role and a catch-all hand on only to what comes before them.
 */
void rule_behind(const struct mum_answer *answer, enum address_form_kind of,
		 struct behind *behind_r);

/* What an address is as an alias. */
struct recipients {
	/*
	 * Of the alias that counts: the first form that takes mail, else the first form
	 * that exists, else the first row.
	 */
	enum alias_state state;
	const struct delivery_row *alias;	/* a row of it with that state, or NULL */
	/* With MUM_FOUND only: */
	const char *extension;	/* to put behind each; "" if none, or if it is dropped */
	size_t count;		/* 0 with ALIAS_IS_TOO_LONG */
	const char **addresses;	/* that they stand for, each once, by id */
};

/*
 * Asks MUM_DELIVERY. FOUND: the alias takes mail, and these are its live recipients, in the
 * arena. NOT_FOUND sets state and alias, unless the answer itself is NOT_FOUND.
 */
enum mum_status rule_recipients(const struct mum_answer *answer, struct arena *arena,
				struct recipients *recipients_r);

/* The strictest last. */
enum recipient_verdict {
	RECIPIENT_UNKNOWN,	/* neither mailbox nor alias; no role or catch-all takes its mail */
	RECIPIENT_ACCEPTED,
	RECIPIENT_SEND_ONLY,	/* a mailbox that sends but does not receive */
	RECIPIENT_DEAD_ALIAS	/* an alias whose recipients all lead nowhere */
};

/* The row that decided, of an alias or a mailbox; the other is NULL, or both are. */
struct recipient_ruling {
	enum recipient_verdict verdict;
	const struct delivery_row *alias, *mailbox;
};

/* Asks MUM_DELIVERY. FOUND sets the ruling. */
enum mum_status rule_recipient(const struct mum_answer *answer,
			       struct recipient_ruling *ruling_r);

struct owners {
	size_t form, count;	/* the form of the address that they own */
	const char **logins;	/* stored addresses, each once; the mailbox itself first */
};

/*
 * Asks MUM_OWNERS. The active mailboxes that may send as the first form that anybody may send
 * as; a catch-all counts with catch_all_senders, for unknown names. FOUND has at least one.
 */
enum mum_status rule_owners(const struct mum_answer *answer, struct arena *arena,
			    struct owners *owners_r);

/* The strictest last. */
enum sender_verdict {
	SENDER_ACCEPTED,
	SENDER_NOT_OWNED,	/* logged in, but not as an owner */
	SENDER_NOT_LOGGED_IN	/* owned, and nobody logged in */
};

/*
 * Asks MUM_OWNERS. login: "" if nobody logged in. With known_only a sender without owners
 * is accepted. NOT_FOUND means no owners. FOUND sets the verdict.
 */
enum mum_status rule_sender(const struct mum_answer *answer, const char *login,
			    bool known_only, enum sender_verdict *verdict_r);

#endif
