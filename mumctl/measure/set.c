/* SPDX-License-Identifier: MIT */
#include "mumctl/measure/set.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/columns.h"
#include "common/keyed-hash.h"
#include "common/rules-users.h"
#include "common/xalloc.h"

enum state { UNASKED, SIZED, FAILED, GONE };

struct domain {
	UT_hash_handle hh;
	uint64_t id;		/* the key */
	uint64_t kib;
	bool left_out;		/* a mailbox in it has no size, or the domain is gone */
};

struct mailbox {
	UT_hash_handle hh;
	uint64_t id, kib;
	struct domain *domain;
	enum state state;
	char name[];		/* the key: as stored, and so as Dovecot names it */
};

struct measure_set {
	struct keyed_hash hash;
	struct mailbox *mailboxes;
	struct domain *domains;
	size_t done;
	uint64_t kib;
	bool failed;
	const char *why;	/* a row could not be read */
};

/* ---- reading ---- */

/* The columns of MUM_USERS, and one more. */
enum { ROW_DOMAIN_ID = LISTED_COLUMNS };

static const char mailboxes_sql[] =
	"SELECT 1, " LISTED_COLUMNS_SQL ", d.id"
	" FROM mailboxes m JOIN domains d ON d.id = m.domain_id";
static const char domains_sql[] = "SELECT id FROM domains WHERE active = 1";

static struct domain *find_domain(const struct measure_set *set, uint64_t id)
{
	struct domain *domain;

	HASH_FIND(hh, set->domains, &id, sizeof(id), domain);
	return domain;
}

static struct domain *domain_of(struct measure_set *set, uint64_t id)
{
	struct domain *domain = find_domain(set, id);

	if (domain == NULL) {
		domain = xcalloc(1, sizeof(*domain));
		domain->id = id;
		HASH_ADD(hh, set->domains, id, sizeof(id), domain);
	}
	return domain;
}

static void on_domain(const struct column *columns, void *arg)
{
	domain_of(arg, column_number(&columns[0]));
}

static struct mailbox *find(const struct measure_set *set, const char *name)
{
	struct mailbox *mailbox;

	KEYED_FIND(set->mailboxes, &set->hash, name, strlen(name), mailbox);
	return mailbox;
}

static void add(struct measure_set *set, const struct listed_row *row, uint64_t domain)
{
	const char *text = row->mailbox.address;
	struct mailbox *mailbox;

	KEYED_ADD(set->mailboxes, &set->hash, text, strlen(text), mailbox, name);
	mailbox->id = row->id;
	mailbox->domain = domain_of(set, domain);
}

/* Can mail have this name? Dovecot lists others, too. */
static bool is_login(const char *name)
{
	struct address *address = address_new(ADDRESS_LOGIN, name, strlen(name), "");
	bool is = address != NULL;

	address_unref(&address);
	return is;
}

/* Uses the facts and the rule, as Dovecot's list of users does. */
static void on_mailbox(const struct column *columns, void *arg)
{
	struct measure_set *set = arg;
	struct facts *facts = facts_new(MUM_USERS);
	const char *why = NULL;

	if (!facts_add_row(facts, NULL, 0, columns, &why))
		set->why = why;
	else if (facts->count > 0 && rule_is_listed(&facts->listed[0]) &&
		 is_login(facts->listed[0].mailbox.address))
		add(set, &facts->listed[0], column_number(&columns[ROW_DOMAIN_ID]));
	facts_unref(&facts);
}

bool measure_set_read(struct inspect *db, struct measure_set **set_r,
		      struct inspect_error *error_r)
{
	struct measure_set *set = xcalloc(1, sizeof(*set));
	bool good;

	keyed_hash_init(&set->hash);
	good = inspect_query(db, domains_sql, on_domain, set, error_r) &&
	       inspect_query(db, mailboxes_sql, on_mailbox, set, error_r);
	if (good && set->why != NULL) {
		error_r->trouble = INSPECT_OTHER;
		snprintf(error_r->text, sizeof(error_r->text), "%s", set->why);
		good = false;
	}
	if (!good)
		measure_set_free(&set);
	*set_r = set;
	return good;
}

void measure_set_free(struct measure_set **_set)
{
	struct measure_set *set = *_set;
	struct mailbox *mailbox, *next;
	struct domain *domain, *next_domain;

	*_set = NULL;
	if (set == NULL)
		return;
	KEYED_FREE(set->mailboxes, mailbox, next);
	KEYED_FREE(set->domains, domain, next_domain);
	free(set);
}

/* ---- measuring ---- */

/* Once it is asked for, it never becomes UNASKED again. */
static void set_state(struct measure_set *set, struct mailbox *mailbox, enum state state)
{
	if (mailbox->state == UNASKED)
		set->done++;
	mailbox->state = state;
}

void measure_set_size(struct measure_set *set, const char *user, uint64_t kib)
{
	struct mailbox *mailbox = find(set, user);

	if (mailbox == NULL || mailbox->state != UNASKED)
		return;
	set_state(set, mailbox, SIZED);
	mailbox->kib = kib;
}

void measure_set_fail(struct measure_set *set, const char *user)
{
	struct mailbox *mailbox = find(set, user);

	if (mailbox != NULL)
		set_state(set, mailbox, FAILED);
}

void measure_set_fail_all(struct measure_set *set)
{
	struct mailbox *mailbox, *next;

	HASH_ITER(hh, set->mailboxes, mailbox, next)
		set_state(set, mailbox, FAILED);
}

size_t measure_set_done(const struct measure_set *set, size_t *all_r)
{
	*all_r = HASH_COUNT(set->mailboxes);
	return set->done;
}

/* ---- results ---- */

void measure_set_sum(struct measure_set *set, const struct measure_set *later)
{
	struct mailbox *mailbox, *next;
	struct domain *domain, *next_domain;

	HASH_ITER(hh, set->mailboxes, mailbox, next) {
		const struct mailbox *now = find(later, mailbox->name);

		if (now == NULL || now->id != mailbox->id) {
			set_state(set, mailbox, GONE);
		} else if (mailbox->state == SIZED) {
			mailbox->domain->kib += mailbox->kib;
			set->kib += mailbox->kib;
		} else {
			set_state(set, mailbox, FAILED);
			mailbox->domain->left_out = set->failed = true;
		}
	}
	HASH_ITER(hh, set->domains, domain, next_domain)
		domain->left_out = domain->left_out || find_domain(later, domain->id) == NULL;
}

void measure_set_each_row(const struct measure_set *set, measure_row_fn *fn, void *arg)
{
	const struct mailbox *mailbox;
	const struct domain *domain;

	for (mailbox = set->mailboxes; mailbox != NULL; mailbox = mailbox->hh.next) {
		if (mailbox->state == SIZED)
			fn(MEASURED_MAILBOX, mailbox->id, mailbox->kib, arg);
	}
	for (domain = set->domains; domain != NULL; domain = domain->hh.next) {
		if (!domain->left_out)
			fn(MEASURED_DOMAIN, domain->id, domain->kib, arg);
	}
	if (!set->failed)
		fn(MEASURED_WHOLE, 0, set->kib, arg);
}

void measure_set_each_failed(const struct measure_set *set, measure_failed_fn *fn, void *arg)
{
	const struct mailbox *mailbox;

	for (mailbox = set->mailboxes; mailbox != NULL; mailbox = mailbox->hh.next) {
		if (mailbox->state == FAILED)
			fn(mailbox->name, arg);
	}
}
