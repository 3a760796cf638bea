/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/logins.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/password-hash.h"
#include "common/rules-users.h"
#include "common/xalloc.h"
#include "dovecot-plugin/userdb-fields.h"
#include "mumctl/compare/dovecot-vars.h"

/* ---- fields ---- */

static void set_field(void *arg, const char *name, const char *value)
{
	struct side *side = arg;

	for (size_t i = 0; i < stock_field_count(side->generation); i++) {
		if (strcmp(stock_field_name(side->generation, i), name) != 0)
			continue;
		free(side->fields[i]);
		side->fields[i] = xstrdup(value);
	}
}

void side_clear(struct side *side)
{
	for (int i = 0; i < FIELDS_MAX; i++)
		free(side->fields[i]);
	free(side->user);
	arena_free(&side->arena);
}

/* ---- stock: hashes ---- */

/*
 * Accepts any well-formed hash of the scheme, whatever it costs. Another hash is an error
 * to 2.4's bcrypt, and a wrong password to 2.3 and to other schemes.
 */
static enum login judge_hash(const char *hash, const char *scheme,
			     enum dovecot_generation generation)
{
	static const struct hash_limits any = {
		.allow_prefix = true, .bcrypt_cost = 31, .argon2_memory = SIZE_MAX,
		.argon2_time = UINT32_MAX, .crypt_rounds = UINT32_MAX, .yescrypt_cost = 31,
	};
	enum hash_scheme kind;
	bool known;
	const char *wrong = hash_check(hash, &any, &kind);

	if (wrong == NULL && kind == HASH_PREFIXED)
		return LOGIN_ACCEPTED;
	if (wrong == NULL && dovecot_sql_verifies(scheme, hash, &known))
		return LOGIN_ACCEPTED;
	return generation == DOVECOT_2_4 && strcasecmp(scheme, "BLF-CRYPT") == 0 &&
			       *hash != '\0' && strncmp(hash, "$2", 2) != 0
		       ? LOGIN_UNREADABLE : LOGIN_REFUSED;
}

/*
 * What stock answers to one query. If it has several rows, Dovecot takes no password, and
 * the mail of the first one.
 */
struct answer {
	const struct stock_queries *queries;
	char *user;		/* as the variables of 2.4 have it */
	struct side *side;
	size_t rows;
};

/* ---- stock of 2.3 ---- */

static void on_password_23(const struct column *columns, void *arg)
{
	struct answer *answer = arg;
	const char *scheme = answer->queries->sql.default_pass_scheme;

	answer->rows++;
	answer->side->login = columns[0].data == NULL
				      ? LOGIN_REFUSED
				      : judge_hash(columns[0].data, scheme, DOVECOT_2_3);
}

static void on_user_23(const struct column *columns, void *arg)
{
	struct answer *answer = arg;

	answer->side->mail = MAIL_FOUND;
	for (size_t i = 0; i < stock_field_count(DOVECOT_2_3) && answer->rows == 0; i++)
		answer->side->fields[i] = xstrdup(columns[i].data != NULL ? columns[i].data : "");
	answer->rows++;
}

/* ---- stock of 2.4 ---- */

/* One row, and what fields { } makes of it. */
struct row {
	const struct column_names *names;
	const struct column *columns;
};

static const char *find_column(const char *name, void *arg)
{
	const struct row *row = arg;
	size_t i = stock_column(row->names, name);

	return i < row->names->count ? row->columns[i].data : NULL;
}

/*
 * False if a variable has no value, because then Dovecot fails. No field that counts has a
 * variable that we do not know: see stock_queries_check().
 */
static bool each_field(struct answer *answer, const struct dovecot_fields *fields,
		       struct row *row, userdb_field_fn *fn)
{
	const struct dovecot_vars vars = { answer->user, find_column, row };
	enum dovecot_expanded result = EXPANDED;

	for (size_t i = 0; i < fields->count && result != EXPAND_UNSET; i++) {
		struct buf out = BUF_INIT(65536);
		char *text;

		result = dovecot_expand(&out, fields->items[i].text, &vars);
		text = buf_steal(&out);
		if (result == EXPANDED)
			fn(answer->side, fields->items[i].name, text);
		free(text);
	}
	return result != EXPAND_UNSET;
}

/* A password counts if the row has none; it must have a {SCHEME} in front. */
static void on_passdb_field(void *arg, const char *name, const char *value)
{
	struct side *side = arg;

	if (strcmp(name, "password") == 0 && side->login == LOGIN_UNKNOWN)
		side->login = judge_hash(value, "PLAIN", DOVECOT_2_4);
}

static void on_password_24(const struct column *columns, void *arg)
{
	struct answer *answer = arg;
	const struct stock_queries *queries = answer->queries;
	struct row row = { &queries->passdb, columns };
	const char *password = queries->conf.passdb.import_all ? find_column("password", &row)
							       : NULL;

	if (answer->rows++ > 0)
		return;
	if (password != NULL)
		answer->side->login = judge_hash(password, queries->sql.default_pass_scheme,
						 DOVECOT_2_4);
	if (!each_field(answer, &queries->conf.passdb, &row, on_passdb_field)) {
		answer->side->login = LOGIN_FAILS;
	} else if (answer->side->login == LOGIN_UNKNOWN) {
		answer->side->login = LOGIN_REFUSED;
		answer->side->why = "no password is given";
	}
}

static void on_user_24(const struct column *columns, void *arg)
{
	struct answer *answer = arg;
	const struct stock_queries *queries = answer->queries;
	struct row row = { &queries->userdb, columns };

	if (answer->rows++ > 0)
		return;
	answer->side->mail = MAIL_FOUND;
	for (size_t i = 0; queries->conf.userdb.import_all && i < row.names->count; i++) {
		if (columns[i].data != NULL)
			set_field(answer->side, row.names->names[i], columns[i].data);
	}
	if (!each_field(answer, &queries->conf.userdb, &row, set_field))
		answer->side->mail = MAIL_FAILS;
}

/* ---- stock ---- */

bool side_ask_stock(const struct stock_queries *queries, const char *user, struct side *side_r)
{
	const struct dovecot_sql *sql = &queries->sql;
	bool is_24 = queries->generation == DOVECOT_2_4, good;
	struct answer password = { queries, is_24 ? stock_user(queries, user) : NULL, side_r, 0 };
	struct answer mail = password;

	*side_r = (struct side){ .generation = queries->generation };
	if (is_24)
		good = stock_query(queries, "passdb query", "*", sql->password_query, user,
				   on_password_24, &password) &&
		       stock_query(queries, "userdb query", "*", sql->user_query, user,
				   on_user_24, &mail);
	else
		good = stock_query(queries, "password_query", "stock.password",
				   sql->password_query, user, on_password_23, &password) &&
		       stock_query(queries, "user_query",
				   "stock.home, stock.mail, stock.quota_rule", sql->user_query,
				   user, on_user_23, &mail);
	if (password.rows > 1)
		side_r->login = LOGIN_FAILS;
	free(password.user);
	return good;
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
		why = userdb_put_fields(&user, side->generation, &side->arena, set_field, side);
	}
	if (why != NULL) {
		side->mail = MAIL_FAILS;
		side->why = why;
	}
	answered = why != NULL || tool_want_answer(name, status, &asked);
	asked_free(&asked);
	return answered;
}

bool side_ask_ours(struct tool *tool, enum dovecot_generation generation, const char *user,
		   struct side *side_r)
{
	*side_r = (struct side){ .generation = generation };
	return ask_login(tool, user, side_r) && ask_mail(tool, user, side_r);
}
