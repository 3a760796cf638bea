/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/logins.h"

#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/rules-users.h"
#include "common/xalloc.h"
#include "dovecot-plugin/userdb-fields.h"

const char *const field_names[FIELDS] = { "home", "mail", "quota_rule" };

void side_clear(struct side *side)
{
	for (int i = 0; i < FIELDS; i++)
		free(side->fields[i]);
	free(side->user);
}

/* ---- stock ---- */

struct stock_answer {
	const struct dovecot_sql *sql;
	struct side *side;
	size_t rows;
};

/* Accepts any well-formed hash, whatever it costs. */
static enum login judge_hash(const char *hash, const char *scheme)
{
	static const struct hash_limits any = {
		.allow_prefix = true, .bcrypt_cost = 31, .argon2_memory = SIZE_MAX,
		.argon2_time = UINT32_MAX, .crypt_rounds = UINT32_MAX, .yescrypt_cost = 31,
	};
	enum hash_scheme kind;
	bool known;

	if (hash_check(hash, &any, &kind) != NULL)
		return LOGIN_REFUSED;
	if (kind == HASH_PREFIXED)
		return LOGIN_ACCEPTED;
	return dovecot_sql_verifies(scheme, hash, &known) ? LOGIN_ACCEPTED : LOGIN_REFUSED;
}

static void on_password(const struct column *columns, void *arg)
{
	struct stock_answer *answer = arg;

	answer->rows++;
	answer->side->login = columns[0].data == NULL
				      ? LOGIN_REFUSED
				      : judge_hash(columns[0].data,
						   answer->sql->default_pass_scheme);
}

static void on_user(const struct column *columns, void *arg)
{
	struct stock_answer *answer = arg;

	answer->side->mail = MAIL_FOUND;
	for (int i = 0; i < FIELDS && answer->rows == 0; i++)
		answer->side->fields[i] = xstrdup(columns[i].data != NULL ? columns[i].data : "");
	answer->rows++;
}

bool stock_query(const struct stock_queries *queries, const char *what, const char *columns,
		 const char *query, const char *user, inspect_row_fn *fn, void *arg)
{
	char *asked = dovecot_sql_for_user(query, user, queries->sqlite);
	struct inspect_error error;
	char *sql;
	bool good;

	if (asked == NULL) {
		tool_complain(what, "it has variables other than %u, %n and %d, or one outside of "
				    "quotes; it cannot be compared");
		return false;
	}
	sql = xasprintf("SELECT %s FROM (%s) stock", columns, asked);
	good = inspect_query(queries->db, sql, fn, arg, &error);
	if (!good)
		tool_complain(what, error.text);
	free(sql);
	free(asked);
	return good;
}

bool side_ask_stock(const struct stock_queries *queries, const char *user, struct side *side_r)
{
	struct stock_answer password = { &queries->sql, side_r, 0 };
	struct stock_answer mail = { &queries->sql, side_r, 0 };

	*side_r = (struct side){ .login = LOGIN_UNKNOWN };
	if (!stock_query(queries, "password_query", "stock.password",
		       queries->sql.password_query, user, on_password, &password) ||
	    !stock_query(queries, "user_query", "stock.home, stock.mail, stock.quota_rule",
		       queries->sql.user_query, user, on_user, &mail))
		return false;
	/* Dovecot takes no answer of several rows. */
	if (password.rows > 1)
		side_r->login = LOGIN_FAILS;
	if (mail.rows > 1)
		side_r->mail = MAIL_FAILS;
	return true;
}

/* ---- ours ---- */

static bool ask_login(struct tool *tool, const char *user, struct side *side)
{
	const struct hash_limits limits =
		hash_limits(tool_config(tool, MUM_ROLE_DOVECOT));
	struct credential credential;
	enum hash_scheme scheme;
	enum mum_status status;
	struct asked asked;
	bool answered;

	tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_CREDENTIAL), user, &asked);
	status = rule_credential(&asked.answer, &credential);
	if (status == MUM_FOUND) {
		side->why = hash_check(credential.password, &limits, &scheme);
		side->login = side->why == NULL ? LOGIN_ACCEPTED : LOGIN_REFUSED;
		side->send_only = credential.send_only;
		side->user = xstrdup(credential.address);
	}
	answered = tool_want_answer(user, status, &asked);
	asked_free(&asked);
	return answered;
}

static void on_field(void *arg, const char *name, const char *value)
{
	struct side *side = arg;

	for (int i = 0; i < FIELDS; i++) {
		if (strcmp(field_names[i], name) == 0)
			side->fields[i] = xstrdup(value);
	}
}

static bool ask_mail(struct tool *tool, const char *name, struct side *side)
{
	enum mum_status status;
	struct asked asked;
	struct user user;
	const char *why;
	bool answered;

	tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_USER), name, &asked);
	status = rule_user(&asked.answer, &user, &why);
	if (status == MUM_FOUND) {
		side->mail = MAIL_FOUND;
		userdb_put_fields(&user, DOVECOT_2_3, NULL, on_field, side);
	} else if (why != NULL) {
		side->mail = MAIL_FAILS;
		side->why = why;
	}
	answered = why != NULL || tool_want_answer(name, status, &asked);
	asked_free(&asked);
	return answered;
}

bool side_ask_ours(struct tool *tool, const char *user, struct side *side_r)
{
	*side_r = (struct side){ .login = LOGIN_UNKNOWN };
	return ask_login(tool, user, side_r) && ask_mail(tool, user, side_r);
}
