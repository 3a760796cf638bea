/* SPDX-License-Identifier: MIT */
/* Who may log in and where the mail lives: stock's queries against the module. */
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
	bool only_ours[FIELDS_MAX];	/* fields that the module has and stock's queries do not */
};

/* ---- why they differ ---- */

static bool is_same_text(const char *one, const char *other)
{
	return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

/* Is it a field of both sides, with different values? */
static bool differs(const struct stock_queries *stock, const struct side *one,
		    const struct side *other, size_t number)
{
	return stock_has_field(stock, number) &&
	       !is_same_text(one->fields[number], other->fields[number]);
}

static bool has_same_fields(const struct stock_queries *stock, const struct side *one,
			    const struct side *other)
{
	for (size_t i = 0; one->mail == MAIL_FOUND && i < stock_field_count(stock->generation); i++) {
		if (differs(stock, one, other, i))
			return false;
	}
	return true;
}

/* If only one side has such a mailbox, the reason is that of the map of mailboxes. */
static bool explain_name(struct dovecot *dovecot, const char *name, const struct side *stock,
			 char reason[NUMBERS_SIZE])
{
	bool theirs = stock->login != LOGIN_UNKNOWN || stock->mail != MAIL_NONE, known;
	const struct map_reply ours = { .status = theirs ? MUM_NOT_FOUND : MUM_FOUND,
					.value = theirs ? NULL : (char[]){ "1" } };
	struct asked asked;

	/* Of two "@" stock takes the first. */
	if (!theirs && strchr(name, '@') != strrchr(name, '@')) {
		snprintf(reason, NUMBERS_SIZE, "D17");
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
		    const struct side *ours, char reason[NUMBERS_SIZE])
{
	bool known = true;

	reason[0] = '\0';
	if ((stock->login == LOGIN_UNKNOWN) != (ours->login == LOGIN_UNKNOWN))
		known = explain_name(dovecot, name, stock, reason);
	else if (stock->login != ours->login)
		numbers_add(reason, stock->login == LOGIN_FAILS || stock->why != NULL
					    ? "?" : "D19");
	if (ours->mail == MAIL_FAILS && stock->mail != MAIL_FAILS)
		numbers_add(reason, "D23");
	else if (reason[0] == '\0' &&
		 (stock->mail != ours->mail || !has_same_fields(&dovecot->stock, stock, ours)))
		numbers_add(reason, "?");
	return known;
}

/* ---- in words ---- */

static void put_login(struct buf *words, const struct side *side)
{
	static const char *const texts[] = {
		[LOGIN_UNKNOWN] = "knows no such login",
		[LOGIN_REFUSED] = "refuses every password",
		[LOGIN_ACCEPTED] = "accepts the right password",
		[LOGIN_UNREADABLE] = "fails for now at every password, as it cannot read the hash",
		[LOGIN_FAILS] = "fails",
	};

	buf_puts(words, texts[side->login]);
	if (side->login == LOGIN_REFUSED && side->why != NULL)
		buf_printf(words, " (%s)", side->why);
}

/* Puts the fields that differ. */
static void put_fields(struct buf *words, const struct stock_queries *stock,
		       const struct side *side, const struct side *other)
{
	const char *separator = ": ";

	for (size_t i = 0; i < stock_field_count(stock->generation); i++) {
		const char *name = stock_field_name(stock->generation, i);
		char *value;

		if (!differs(stock, side, other, i))
			continue;
		value = effect_value(side->fields[i] != NULL ? side->fields[i] : "");
		if (side->fields[i] != NULL)
			buf_printf(words, "%s%s %s", separator, name, value);
		else
			buf_printf(words, "%sno %s", separator, name);
		separator = ", ";
		free(value);
	}
}

static void put_mail(struct buf *words, const struct side *side)
{
	static const char *const texts[] = {
		[MAIL_NONE] = "takes no mail for it",
		[MAIL_FOUND] = "finds its mail",
		[MAIL_FAILS] = "fails for now",
	};

	buf_printf(words, "%s%s", words->len > 0 ? ", " : "", texts[side->mail]);
	if (side->mail == MAIL_FAILS && side->why != NULL)
		buf_printf(words, " (%s)", side->why);
}

/* Leaves out what is the same on both sides. */
static char *put_side(const struct stock_queries *stock, const struct side *side,
		      const struct side *other)
{
	struct buf words = BUF_INIT(4096);
	bool fields = side->mail == MAIL_FOUND && other->mail == MAIL_FOUND &&
		      !has_same_fields(stock, side, other);

	if (side->login != other->login)
		put_login(&words, side);
	if (side->mail != other->mail || fields)
		put_mail(&words, side);
	if (fields)
		put_fields(&words, stock, side, other);
	return buf_steal(&words);
}

/* ---- all logins ---- */

static void add_change(struct dovecot *dovecot, const char *name, const struct side *stock,
		       const struct side *ours, const char *reason)
{
	struct ledger *ledger = &dovecot->ledger;
	char *before = put_side(&dovecot->stock, stock, ours);
	char *after = put_side(&dovecot->stock, ours, stock);

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
	char reason[NUMBERS_SIZE];
	struct side stock = { .login = LOGIN_UNKNOWN }, ours = { .login = LOGIN_UNKNOWN };
	bool good = side_ask_stock(&dovecot->stock, name, &stock) &&
		    side_ask_ours(dovecot->tool, dovecot->stock.generation, name, &ours) &&
		    explain(dovecot, name, &stock, &ours, reason);

	if (good) {
		dovecot->compared++;
		if (reason[0] != '\0')
			add_change(dovecot, name, &stock, &ours, reason);
		for (size_t i = 0; i < FIELDS_MAX; i++)
			dovecot->only_ours[i] = dovecot->only_ours[i] || ours.fields[i] != NULL;
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

/* The column that Dovecot takes as the user's name, or its first part. NULL: none (2.4). */
static const char *name_column(const struct stock_queries *stock)
{
	const struct column_names *names = &stock->list;

	if (stock->generation == DOVECOT_2_3)
		return "stock.username";
	if (names->count > 0 && strcmp(names->names[0], "user") == 0)
		return "stock.user";
	return stock_column(names, "username") < names->count ? "stock.username" : NULL;
}

static bool compare_lists(struct dovecot *dovecot, json_t *object)
{
	const char *column = name_column(&dovecot->stock);
	size_t stock = 0, ours = 0;

	if (*dovecot->stock.sql.iterate_query == '\0')
		return true;
	/* Dovecot runs this query without a user. */
	if ((column != NULL &&
	     !stock_query(&dovecot->stock, "iterate_query", column,
			  dovecot->stock.sql.iterate_query, "", on_listed, &stock)) ||
	    tool_each_user(dovecot->tool, "users", on_user, &ours) != MUM_FOUND)
		return false;
	json_object_set_new(object, "listed_stock", json_integer((json_int_t)stock));
	json_object_set_new(object, "listed_mum", json_integer((json_int_t)ours));
	return true;
}

/* ---- what only one side has ---- */

/* A field that is compared, or that names the user on both sides. */
static bool is_known(const char *name)
{
	static const char *const names[] = { "user", "username", "domain", NULL };

	return stock_field_is_compared(name) || text_is_one_of(name, names);
}

static void put_name(json_t *list, const char *name)
{
	json_array_append_new(list, tool_json_text(name));
}

static void put_stock_names(json_t *list, const struct column_names *columns,
			    const struct dovecot_fields *fields)
{
	for (size_t i = 0; fields->import_all && i < columns->count; i++) {
		if (!is_known(columns->names[i]))
			put_name(list, columns->names[i]);
	}
	for (size_t i = 0; i < fields->count; i++) {
		if (!is_known(fields->items[i].name))
			put_name(list, fields->items[i].name);
	}
}

static json_t *put_not_compared(const struct dovecot *dovecot)
{
	const struct stock_queries *stock = &dovecot->stock;
	json_t *list = json_array();

	put_stock_names(list, &stock->passdb, &stock->conf.passdb);
	put_stock_names(list, &stock->userdb, &stock->conf.userdb);
	for (size_t i = 0; i < stock_field_count(stock->generation); i++) {
		if (dovecot->only_ours[i] && !stock_has_field(stock, i))
			put_name(list, stock_field_name(stock->generation, i));
	}
	return list;
}

/* ---- all of it ---- */

/* If mum.conf has no part for the module yet, compare still does the rest. */
static bool can_ask(struct tool *tool, const char *source)
{
	struct mum_config *config = tool_load_config(tool, MUM_ROLE_DOVECOT);
	bool good = config != NULL;

	if (!good)
		tool_complain(source, "Dovecot's answers are not compared: see mum.conf, "
				      "section dovecot");
	mum_config_free(&config);
	return good;
}

static json_t *put_document(const struct dovecot *dovecot)
{
	const struct ledger *ledger = &dovecot->ledger;

	return json_pack("{sI sO sI sI sO so}", "names", (json_int_t)dovecot->compared, "changed",
			 ledger->changed, "harmless", (json_int_t)ledger->harmless, "unexplained",
			 (json_int_t)ledger->unexplained, "differences", ledger->differences,
			 "not_compared", put_not_compared(dovecot));
}

static bool compare_all(struct dovecot *dovecot, const struct names *names, json_t *document)
{
	const struct mum_config *config = tool_config(dovecot->tool, MUM_ROLE_DOVECOT);
	struct inspect_error error;
	bool failed = false;
	json_t *object;

	dovecot->stock.sqlite = config->database.driver == MUM_DRIVER_SQLITE;
	dovecot->stock.db = inspect_open_any(config, &error);
	if (dovecot->stock.db == NULL) {
		tool_complain("database", error.text);
		failed = true;
	} else if (!stock_queries_check(&dovecot->stock, config, &failed) && !failed) {
		return true;
	}
	for (const struct name *name = names->first; !failed && name != NULL; name = name->hh.next) {
		if ((name->kinds & NAME_IS_LOGIN) != 0 && strchr(name->text, '@') != NULL)
			failed = !compare_login(dovecot, name->text);
	}
	object = put_document(dovecot);
	failed = failed || !compare_lists(dovecot, object);
	json_object_set_new(document, "dovecot", object);
	return !failed;
}

bool dovecot_compare(struct tool *tool, struct inspect *db, const char *file,
		     const struct names *names, json_t *document)
{
	struct dovecot dovecot = { .tool = tool, .twins = db, .ledger = ledger_new() };
	enum stock_read read = stock_queries_read(&dovecot.stock, file);
	bool good = read != STOCK_UNREADABLE;

	if (read == STOCK_READ && can_ask(tool, dovecot.stock.source))
		good = compare_all(&dovecot, names, document);
	ledger_free(&dovecot.ledger);
	stock_queries_clear(&dovecot.stock);
	return good;
}
