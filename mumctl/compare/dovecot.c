/* SPDX-License-Identifier: MIT */
/* Who may log in and where the mail lives: stock's SQL file against the module. */
#include "mumctl/compare/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/rules-users.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/compare/logins.h"

struct dovecot {
	struct tool *tool;
	struct inspect *twins;		/* for reasons: see compare_reason() */
	struct stock_queries stock;
	struct ledger ledger;
	size_t compared;
};

/* ---- why they differ ---- */

static bool has_same_fields(const struct side *one, const struct side *other)
{
	for (int i = 0; one->mail == MAIL_FOUND && i < FIELDS; i++) {
		if (one->fields[i] == NULL || other->fields[i] == NULL ||
		    strcmp(one->fields[i], other->fields[i]) != 0)
			return false;
	}
	return true;
}

/* Only one side has such a mailbox: the reason is that of the map of mailboxes. */
static bool explain_name(struct dovecot *dovecot, const char *name, const struct side *stock,
			 char reason[REASON_TEXT_SIZE])
{
	bool theirs = stock->login != LOGIN_UNKNOWN || stock->mail != MAIL_NONE, known;
	const struct map_reply ours = { .status = theirs ? MUM_NOT_FOUND : MUM_FOUND,
					.value = theirs ? NULL : (char[]){ "1" } };
	struct asked asked;

	/* Of two "@" stock takes the first. */
	if (!theirs && strchr(name, '@') != strrchr(name, '@')) {
		snprintf(reason, REASON_TEXT_SIZE, "D17");
		return true;
	}
	tool_ask(dovecot->tool, MUM_ROLE_POSTFIX, MUM_ASK(MUM_DELIVERY), name, &asked);
	known = compare_reason(dovecot->tool, dovecot->twins, SOCKETMAP_MAILBOXES, name,
			       theirs ? "1" : NULL, &asked, &ours, reason);
	asked_free(&asked);
	return known;
}

/* False when the database gave no answer. */
static bool explain(struct dovecot *dovecot, const char *name, const struct side *stock,
		    const struct side *ours, char reason[REASON_TEXT_SIZE])
{
	bool known = true;

	reason[0] = '\0';
	if ((stock->login == LOGIN_UNKNOWN) != (ours->login == LOGIN_UNKNOWN))
		known = explain_name(dovecot, name, stock, reason);
	else if (stock->login != ours->login)
		effect_add_numbers(reason, stock->login == LOGIN_FAILS ? "?" : "D19");
	if (ours->mail == MAIL_FAILS && stock->mail != MAIL_FAILS)
		effect_add_numbers(reason, "D23");
	else if (reason[0] == '\0' &&
		 (stock->mail != ours->mail || !has_same_fields(stock, ours)))
		effect_add_numbers(reason, "?");
	return known;
}

/* ---- in words ---- */

static void put_login(struct buf *words, const struct side *side)
{
	static const char *const texts[] = {
		[LOGIN_UNKNOWN] = "knows no such login",
		[LOGIN_REFUSED] = "refuses every password",
		[LOGIN_ACCEPTED] = "accepts the right password",
		[LOGIN_FAILS] = "fails",
	};

	buf_puts(words, texts[side->login]);
	if (side->login == LOGIN_REFUSED && side->why != NULL)
		buf_printf(words, " (%s)", side->why);
}

static void put_mail(struct buf *words, const struct side *side, bool fields)
{
	buf_puts(words, words->len > 0 ? ", " : "");
	switch (side->mail) {
	case MAIL_NONE:
		buf_puts(words, "takes no mail for it");
		break;
	case MAIL_FAILS:
		buf_puts(words, "fails for now");
		if (side->why != NULL)
			buf_printf(words, " (%s)", side->why);
		break;
	case MAIL_FOUND:
		buf_puts(words, "finds its mail");
		for (int i = 0; fields && i < FIELDS; i++) {
			char *value = effect_value(side->fields[i] != NULL ? side->fields[i] : "");

			buf_printf(words, "%s%s %s", i > 0 ? ", " : ": ", field_names[i], value);
			free(value);
		}
		break;
	}
}

/* Leaves out what is the same on both sides. */
static char *put_side(const struct side *side, const struct side *other)
{
	struct buf words = BUF_INIT(4096);
	bool fields = side->mail == MAIL_FOUND && other->mail == MAIL_FOUND;

	if (side->login != other->login)
		put_login(&words, side);
	if (side->mail != other->mail || (fields && !has_same_fields(side, other)))
		put_mail(&words, side, fields);
	return buf_steal(&words);
}

/* ---- all logins ---- */

static void add_change(struct ledger *ledger, const char *name, const struct side *stock,
		       const struct side *ours, const char *reason)
{
	char *before = put_side(stock, ours), *after = put_side(ours, stock);

	ledger_add(ledger, "login", name, before, after, reason, true);
	if (strcmp(reason, "?") != 0)
		ledger_add_line(ledger->changed, name, before, after, reason);
	free(before);
	free(after);
}

/* Both sides know the login, but name it or refuse it in different ways. */
static void add_spellings(struct ledger *ledger, const char *name, const struct side *stock,
			  const struct side *ours)
{
	char *typed = text_lower(xstrdup(name));

	if (stock->mail == MAIL_FOUND && ours->mail == MAIL_FOUND &&
	    strcmp(typed, ours->user) != 0)
		ledger_add(ledger, "user", name, typed, ours->user, "D22", false);
	if (ours->send_only && ours->login == LOGIN_ACCEPTED && stock->login == LOGIN_ACCEPTED)
		ledger_add(ledger, "login to read mail", name,
			   "accepted, and an internal error then", "refused", "D21", false);
	free(typed);
}

static bool compare_login(struct dovecot *dovecot, const char *name)
{
	char reason[REASON_TEXT_SIZE];
	struct side stock = { .login = LOGIN_UNKNOWN }, ours = { .login = LOGIN_UNKNOWN };
	bool good = side_ask_stock(&dovecot->stock, name, &stock) &&
		    side_ask_ours(dovecot->tool, name, &ours) &&
		    explain(dovecot, name, &stock, &ours, reason);

	if (good) {
		dovecot->compared++;
		if (reason[0] != '\0')
			add_change(&dovecot->ledger, name, &stock, &ours, reason);
		add_spellings(&dovecot->ledger, name, &stock, &ours);
	}
	side_clear(&stock);
	side_clear(&ours);
	return good;
}

/* ---- lists of users ---- */

static void on_listed(const struct column *columns, void *arg)
{
	*(size_t *)arg += columns[0].data != NULL;
}

static void on_user(const char *address, void *arg)
{
	(void)address;
	++*(size_t *)arg;
}

static bool compare_lists(struct dovecot *dovecot, json_t *object)
{
	size_t stock = 0, ours = 0;

	if (*dovecot->stock.sql.iterate_query == '\0')
		return true;
	/* Dovecot asks it without a user. */
	if (!stock_query(&dovecot->stock, "iterate_query", "stock.username",
			 dovecot->stock.sql.iterate_query, "", on_listed, &stock) ||
	    tool_each_user(dovecot->tool, "users", on_user, &ours) != MUM_FOUND)
		return false;
	json_object_set_new(object, "listed_stock", json_integer((json_int_t)stock));
	json_object_set_new(object, "listed_mum", json_integer((json_int_t)ours));
	return true;
}

/* ---- the file ---- */

/* If mum.conf has no part for the module yet, the rest is still compared. */
static bool can_ask(struct tool *tool, const char *sql_file)
{
	struct mum_config *config = tool_load_config(tool, MUM_ROLE_DOVECOT);
	bool good = config != NULL;

	if (!good)
		tool_complain(sql_file, "Dovecot's answers are not compared: see mum.conf, "
					"section dovecot");
	mum_config_free(&config);
	return good;
}

/* Is it a file that can be compared with this mum.conf? Says so if not. */
static bool is_comparable(const struct dovecot *dovecot, const char *sql_file)
{
	const struct mum_config *config = tool_config(dovecot->tool, MUM_ROLE_DOVECOT);
	const char *ours = dovecot->stock.sqlite ? config->database.path : config->database.name;
	bool known;

	dovecot_sql_verifies(dovecot->stock.sql.default_pass_scheme, "", &known);
	if (strcmp(dovecot->stock.sql.database, ours) != 0)
		tool_complain(sql_file, "it asks another database than mum.conf names; Dovecot's "
					"answers are not compared");
	else if (!known)
		tool_complain(sql_file, "its default_pass_scheme is none of MUM's hashes; Dovecot's "
					"answers are not compared");
	else
		return true;
	return false;
}

static json_t *put_document(const struct dovecot *dovecot)
{
	const struct ledger *ledger = &dovecot->ledger;

	return json_pack("{sI sO sI sI sO}", "names", (json_int_t)dovecot->compared, "changed",
			 ledger->changed, "harmless", (json_int_t)ledger->harmless, "unexplained",
			 (json_int_t)ledger->unexplained, "differences", ledger->differences);
}

static bool compare_all(struct dovecot *dovecot, const char *sql_file, const struct names *names,
			json_t *document)
{
	const struct mum_config *config = tool_config(dovecot->tool, MUM_ROLE_DOVECOT);
	struct inspect_error error;
	bool good = true;
	json_t *object;

	dovecot->stock.sqlite = config->database.driver == MUM_DRIVER_SQLITE;
	dovecot->stock.db = inspect_open_any(config, &error);
	if (dovecot->stock.db == NULL) {
		tool_complain("database", error.text);
		good = false;
	} else if (!is_comparable(dovecot, sql_file)) {
		return true;
	}
	for (const struct name *name = names->first; good && name != NULL; name = name->hh.next) {
		if ((name->kinds & NAME_IS_LOGIN) != 0 && strchr(name->text, '@') != NULL)
			good = compare_login(dovecot, name->text);
	}
	object = put_document(dovecot);
	good = good && compare_lists(dovecot, object);
	json_object_set_new(document, "dovecot", object);
	return good;
}

bool dovecot_compare(struct tool *tool, struct inspect *db, const char *sql_file,
		     const struct names *names, json_t *document)
{
	struct dovecot dovecot = { .tool = tool, .twins = db };
	FILE *file = fopen(sql_file, "re");
	bool good;

	if (file == NULL)
		return compare_complain_missing(sql_file, "Dovecot's answers are not compared");
	dovecot_sql_read(file, &dovecot.stock.sql);
	fclose(file);
	dovecot.ledger = ledger_new();
	good = !can_ask(tool, sql_file) || compare_all(&dovecot, sql_file, names, document);
	ledger_free(&dovecot.ledger);
	inspect_close(&dovecot.stock.db);
	dovecot_sql_clear(&dovecot.stock.sql);
	return good;
}
