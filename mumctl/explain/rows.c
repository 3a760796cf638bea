/* SPDX-License-Identifier: MIT */
#include "mumctl/explain/explain.h"

#include <stdlib.h>

#include "common/rules.h"
#include "common/xalloc.h"
#include "mumctl/verify.h"

/* The form of the address that the row belongs to. */
static void put_form(json_t *row, const struct mum_answer *answer, size_t form)
{
	char *text = address_form_text(answer->address, form);

	json_object_set_new(row, "searched", tool_json_text(text));
	free(text);
}

static void put_text(json_t *row, const char *name, const char *value)
{
	if (value != NULL)
		json_object_set_new(row, name, tool_json_text(value));
}

static void put_bool(json_t *row, const char *name, bool value)
{
	json_object_set_new(row, name, json_boolean(value));
}

static void put_mailbox(json_t *row, const struct mailbox_row *mailbox)
{
	put_text(row, "mailbox", mailbox->address);
	put_bool(row, "domain_active", mailbox->domain_active);
	put_bool(row, "active", mailbox->active);
	put_bool(row, "send_only", mailbox->send_only);
}

/* What MUM knows of the address that a recipient stands for. */
static void put_behind(json_t *row, const struct behind *behind)
{
	put_bool(row, "recipient_ours", behind->ours);
	if (!behind->ours)
		return;
	put_bool(row, "recipient_known", behind->known);
	put_bool(row, "recipient_is_alias", behind->alias);
	put_bool(row, "recipient_is_mailbox", behind->mailbox);
	put_bool(row, "recipient_only_sends", behind->send_only);
	put_bool(row, "recipient_is_alias_itself", behind->alias_itself);
	put_bool(row, "recipient_elsewhere", behind->elsewhere);
	if (behind->fallback)
		put_bool(row, "recipient_is_caught", true);
}

static void put_delivery(json_t *row, const struct delivery_row *delivery)
{
	put_bool(row, "domain_active", delivery->domain_active);
	if (delivery->mailbox != NULL) {
		put_text(row, "mailbox", delivery->mailbox);
		put_bool(row, "mailbox_active", delivery->mailbox_active);
		put_bool(row, "mailbox_send_only", delivery->mailbox_send_only);
	}
	if (delivery->alias == NULL)
		return;
	put_text(row, "alias", delivery->alias);
	put_bool(row, "alias_active", delivery->alias_active);
	put_bool(row, "alias_expired", delivery->alias_expired);
	if (delivery->recipient == NULL)
		return;
	json_object_set_new(row, "recipient_id",
			    json_integer((json_int_t)delivery->recipient_id));
	put_text(row, "recipient", delivery->recipient);
	put_text(row, "stands_for", delivery->stands_for);
	put_bool(row, "recipient_local", delivery->recipient_local);
	if (state_needs_behind(delivery))
		put_behind(row, &delivery->behind);
	if (!delivery->recipient_local)
		return;
	put_bool(row, "recipient_domain_active", delivery->recipient_domain_active);
	put_bool(row, "recipient_active", delivery->recipient_active);
	put_bool(row, "recipient_send_only", delivery->recipient_send_only);
}

static void put_owner(json_t *row, const struct owner_row *owner)
{
	put_text(row, "login", owner->login);
	put_bool(row, "domain_active", owner->domain_active);
	if (owner->id != 0) {
		json_object_set_new(row, "alias_sender_id",
				    json_integer((json_int_t)owner->id));
		put_bool(row, "alias_active", owner->alias_active);
		put_bool(row, "alias_expired", owner->alias_expired);
	}
	put_bool(row, "mailbox_domain_active", owner->mailbox_domain_active);
	put_bool(row, "mailbox_active", owner->mailbox_active);
}

static void put_hash(json_t *row, const char *hash, const struct mum_config *config)
{
	const struct hash_limits limits = hash_limits(config);
	enum hash_scheme scheme;
	const char *why = hash_check(hash, &limits, &scheme);
	char *text = why == NULL ? verify_describe(hash, scheme)
				 : xasprintf("refused: %s", why);

	put_text(row, "hash", text);
	free(text);
}

json_t *explain_rows(const struct mum_answer *answer, enum question_kind kind,
		     const struct mum_config *config)
{
	const struct facts *facts = answer->facts[kind];
	json_t *rows = json_array();

	for (size_t i = 0; facts != NULL && i < facts->count; i++) {
		json_t *row = json_object();

		switch (kind) {
		case MUM_DOMAIN:
			put_text(row, "domain", facts->domains[i].name);
			put_bool(row, "active", facts->domains[i].active);
			break;
		case MUM_DELIVERY:
			put_form(row, answer, facts->deliveries[i].form);
			put_delivery(row, &facts->deliveries[i]);
			break;
		case MUM_OWNERS:
			put_form(row, answer, facts->owners[i].form);
			put_owner(row, &facts->owners[i]);
			break;
		case MUM_TLS:
			put_text(row, "policy", facts->tls[i].policy);
			put_text(row, "params", facts->tls[i].params);
			put_bool(row, "active", facts->tls[i].active);
			break;
		case MUM_CREDENTIAL:
			put_mailbox(row, &facts->credentials[i].mailbox);
			put_hash(row, facts->credentials[i].password, config);
			break;
		case MUM_USER:
			put_mailbox(row, &facts->users[i].mailbox);
			put_text(row, "homedir", facts->users[i].homedir);
			put_text(row, "maildir", facts->users[i].maildir);
			put_text(row, "quota_gb", facts->users[i].quota);
			put_text(row, "domain_quota_gb", facts->users[i].domain_quota);
			break;
		case MUM_NAME:	/* behind a recipient: shown there */
		case MUM_USERS:
		case MUM_QUESTIONS:
			break;
		}
		json_array_append_new(rows, row);
	}
	return rows;
}
