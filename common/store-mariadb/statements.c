/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/statements.h"

#include "common/columns.h"

/*
 * Every statement takes any number of names at once, as JSON, so that one
 * statement serves all lookups that wait: most of the server's cost is per
 * statement. k.i (1..n) leads a row back to the pair that asked. STRAIGHT_JOIN
 * holds the plan to one unique-index access per name and table, however large
 * the tables are. Rows are joined here and judged in rules.c: no WHERE on what
 * is active.
 */
#define PAIRS \
	"JSON_TABLE(?, '$[*]' COLUMNS(i FOR ORDINALITY," \
	" u VARCHAR(191) PATH '$[0]', d VARCHAR(191) PATH '$[1]')) k "

#define JOIN_DOMAIN "STRAIGHT_JOIN domains d ON d.domain = k.d "

#define JOIN_MAILBOX \
	JOIN_DOMAIN \
	"STRAIGHT_JOIN mailboxes m ON m.local_part = k.u AND m.domain_id = d.id "

#define MAILBOX "k.i, m.local_part, d.domain, d.active, m.active, m.send_only"

/* As MUM's aliases:deactivate does: past means strictly before now. */
const struct statement statements[MUM_QUESTIONS] = {
	[MUM_DOMAIN] = {
		"SELECT k.i, d.domain, d.active FROM " PAIRS JOIN_DOMAIN,
		{ PARAM_PAIRS }, DOMAIN_COLUMNS
	},
	/*
	 * Without ORDER BY, which would cost more than the rest: facts.c sorts.
	 * "Past" as in MUM's aliases:deactivate: strictly before now.
	 */
	[MUM_DELIVERY] = {
		"SELECT k.i, d.domain, d.active, m.local_part, m.active, m.send_only,"
		" a.local_part, a.active, a.deactivate_at < ?, r.id,"
		" r.recipient_address, r.mailbox_id, rm.active, rd.active, rm.send_only"
		" FROM " PAIRS JOIN_DOMAIN
		"LEFT JOIN mailboxes m ON m.local_part = k.u AND m.domain_id = d.id "
		"LEFT JOIN aliases a ON a.local_part = k.u AND a.domain_id = d.id "
		"LEFT JOIN alias_recipients r ON r.alias_id = a.id "
		"LEFT JOIN mailboxes rm ON rm.id = r.mailbox_id "
		"LEFT JOIN domains rd ON rd.id = rm.domain_id "
		"WHERE m.id IS NOT NULL OR a.id IS NOT NULL",
		{ PARAM_NOW, PARAM_PAIRS }, DELIVERY_COLUMNS
	},
	[MUM_OWNERS] = {
		"SELECT k.i, m.local_part, d.domain, d.active, 0, 0, 0,"
		" m.local_part, d.domain, m.active, d.active FROM " PAIRS JOIN_MAILBOX
		"UNION ALL "
		"SELECT k.i, a.local_part, d.domain, d.active, s.id, a.active,"
		" a.deactivate_at < ?, o.local_part, od.domain, o.active, od.active"
		" FROM " PAIRS JOIN_DOMAIN
		"STRAIGHT_JOIN aliases a ON a.local_part = k.u AND a.domain_id = d.id "
		"STRAIGHT_JOIN alias_senders s ON s.alias_id = a.id "
		"STRAIGHT_JOIN mailboxes o ON o.id = s.mailbox_id "
		"STRAIGHT_JOIN domains od ON od.id = o.domain_id",
		{ PARAM_PAIRS, PARAM_NOW, PARAM_PAIRS }, OWNER_COLUMNS
	},
	[MUM_TLS] = {
		"SELECT k.i, t.domain, t.policy, t.params, t.active FROM " PAIRS
		"STRAIGHT_JOIN tls_policies t ON t.domain = k.d",
		{ PARAM_PAIRS }, TLS_COLUMNS
	},
	[MUM_CREDENTIAL] = {
		"SELECT " MAILBOX ", m.password FROM " PAIRS JOIN_MAILBOX,
		{ PARAM_PAIRS }, CREDENTIAL_COLUMNS
	},
	[MUM_USER] = {
		"SELECT " MAILBOX ", m.homedir, m.maildir,"
		" COALESCE(m.quota, d.quota, 0) FROM " PAIRS JOIN_MAILBOX,
		{ PARAM_PAIRS }, USER_COLUMNS
	},
	/*
	 * One page, by the primary key; an empty one is the end. The page is cut
	 * before the join, or the rest of the table would be sorted for each.
	 */
	[MUM_USERS] = {
		"SELECT 1, m.local_part, d.domain, d.active, m.active, m.send_only, m.id"
		" FROM (SELECT id, local_part, domain_id, active, send_only FROM mailboxes"
		" WHERE id > CAST(? AS UNSIGNED) ORDER BY id LIMIT 1000) m"
		" STRAIGHT_JOIN domains d ON d.id = m.domain_id ORDER BY m.id",
		{ PARAM_AFTER }, LISTED_COLUMNS
	},
};
