/* SPDX-License-Identifier: MIT */
/*
 * Facts to verdict: pure functions, the same for every program. What is
 * inactive or expired does not exist for any rule. Each takes an answer that
 * asked the questions named, and passes a status other than MUM_FOUND through.
 */
#ifndef MUM_RULES_H
#define MUM_RULES_H

#include <stdint.h>

#include "common/arena.h"
#include "common/facts.h"
#include "common/status.h"

/* What a rule made of one of the readings of an address (readings.h). */
struct judged {
	bool if_local;		/* as in struct reading */
	enum mum_status status;	/* MUM_FOUND: there is a verdict */
	int verdict;		/* enum recipient_verdict or enum sender_verdict */
	/*
	 * rule_domain() of its domain; counts where the next reading is if_local. MUM's
	 * domains are virtual mailbox domains of Postfix, so they are not local.
	 */
	enum mum_status domain;
};

/*
 * The strictest verdict of all readings that Postfix may come to; other statuses
 * than MUM_FOUND are those of the first question without a verdict. At least one.
 */
enum mum_status rule_strictest(const struct judged *readings, size_t count,
			       int *verdict_r);

/* Asks MUM_DOMAIN. *name_r is the stored spelling. */
enum mum_status rule_domain(const struct mum_answer *answer, const char **name_r);

/*
 * Asks MUM_DELIVERY. The first form of the address that is an active mailbox of
 * an active domain, send-only ones too: the row's mailbox is not NULL.
 */
enum mum_status rule_mailbox(const struct mum_answer *answer,
			     const struct delivery_row **mailbox_r);

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
 * recursion there (virtual(5)), so that mailbox must accept mail.
 */
enum recipient_state rule_recipient_state(const struct delivery_row *row);

/* Does the state depend on row->behind, which is to be asked for? */
bool rule_must_ask_behind(const struct delivery_row *row);
/* Is there an active alias of the name that has recipients? It takes mail, see above. */
bool rule_takes_mail(const struct name_row *row);
/* Asks MUM_NAME about the address. Sets what MUM knows of it, and leaves the rest. */
void rule_behind(const struct mum_answer *answer, struct behind *behind_r);

struct recipients {
	size_t form;		/* of the address, whose alias it is */
	const char *extension;	/* to put behind each; "" if none, or if it is dropped */
	size_t count;
	const char **addresses;	/* that they stand for, each once, by id */
	bool too_long;		/* more than a mail server can be handed; count is 0 */
};

/*
 * Asks MUM_DELIVERY. Live recipients of the first form that has any: external
 * ones, and mailboxes that accept mail. FOUND has at least one. Memory comes
 * from the arena.
 */
enum mum_status rule_recipients(const struct mum_answer *answer, struct arena *arena,
				struct recipients *recipients_r);

/* The strictest last. */
enum recipient_verdict {
	RECIPIENT_UNKNOWN,	/* neither mailbox nor alias */
	RECIPIENT_ACCEPTED,
	RECIPIENT_SEND_ONLY,	/* a mailbox that sends but does not receive */
	RECIPIENT_DEAD_ALIAS	/* an alias whose recipients all lead nowhere */
};

/* Asks MUM_DELIVERY. FOUND sets the verdict. */
enum mum_status rule_recipient(const struct mum_answer *answer,
			       enum recipient_verdict *verdict_r);

struct owners {
	size_t count;
	const char **logins;	/* stored addresses, each once; the mailbox itself first */
};

/* Does this row let its login send as the address? */
bool rule_is_owner(const struct owner_row *row);

/*
 * Asks MUM_OWNERS. The active mailboxes that may send as the first form that
 * anybody may send as. FOUND has at least one.
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
 * Asks MUM_OWNERS. login is "" when nobody logged in. With known_only a sender
 * that has no owners at all is nobody's, and accepted. FOUND sets the verdict.
 */
enum mum_status rule_sender(const struct mum_answer *answer, const char *login,
			    bool known_only, enum sender_verdict *verdict_r);

struct credential {
	const char *address;	/* as stored: the user's name from here on */
	const char *password;	/* hash as stored; NULL if it is no text */
	bool send_only;
};

/* Asks MUM_CREDENTIAL. Who may log in: active mailboxes of active domains. */
enum mum_status rule_credential(const struct mum_answer *answer,
				struct credential *credential_r);

enum quota_source { QUOTA_OF_NOBODY, QUOTA_OF_MAILBOX, QUOTA_OF_DOMAIN };

struct user {
	const char *address;	/* as stored */
	const char *home;	/* absolute */
	const char *mail;	/* Dovecot's mail location, as stored */
	uint64_t quota_gb;	/* 0: unlimited */
	enum quota_source quota_source;	/* the mailbox's own counts before the domain's */
};

/*
 * Asks MUM_USER. Who has mail: as above, but not send-only. A row that Dovecot
 * must not be handed is MUM_TEMPFAIL for this user and *why_r says what is
 * wrong with it (static); NULL otherwise.
 */
enum mum_status rule_user(const struct mum_answer *answer, struct user *user_r,
			  const char **why_r);

/* Is this row of MUM_USERS somebody whom rule_user() finds? */
bool rule_is_listed(const struct listed_row *row);

/* Asks MUM_TLS. *params_r is "" if there are none. */
enum mum_status rule_tls(const struct mum_answer *answer, const char **policy_r,
			 const char **params_r);

#endif
