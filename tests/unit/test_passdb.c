/* SPDX-License-Identifier: MIT */
/* What passdb-mum.c makes of a row, of Dovecot's verdict, and of the end of auth. */
#include "tests/unit/passdb-world.h"

#include "tests/unit/unit.h"

/* The declaration in authdb-mum.c. */
extern struct passdb_module_interface passdb_mum;

#define BCRYPT "$2y$10$5555555555555555555555555555555555555555555555555555A"
#define COSTLY "$2y$13$5555555555555555555555555555555555555555555555555555A"
#define CRYPT "$1$salt$5555555555555555555555"
#define ARGON "$argon2id$v=19$m=64,t=1,p=1$salt$hash"
#define PREFIXED "{PLAIN}secret"

/* Dovecot's library can be set up once only. */
static int setup_group(void **state)
{
	(void)state;
	lib_init();
	return 0;
}

static int teardown_group(void **state)
{
	(void)state;
	lib_deinit();
	return 0;
}

static int setup(void **state)
{
	(void)state;
	world_init();
	return 0;
}

/* Holds for every test: the passdb gave back what it borrowed, and closed all pairs. */
static void end(void)
{
	WANT("nothing else was called", !world.mismatch);
	WANT_NUMBER("references", world.references, 0);
	WANT_NUMBER("pending", world.pendings, 0);
	WANT_NUMBER("stand-ins", world.stand_ins, world.dismissed);
	WANT("no lookup is left", !world.asked);
	world_free();
}

static int teardown(void **state)
{
	end();
	return unit_teardown(state);
}

/* What failed so far still counts. */
static void again(void **state)
{
	end();
	setup(state);
}

static void login(void)
{
	passdb_mum.verify_plain(&world.request, "password", world_on_verified);
}

static void look_up(const char *wanted_scheme)
{
	world.request.wanted_credentials_scheme = wanted_scheme;
	passdb_mum.lookup_credentials(&world.request, world_credentials);
}

/* ---- asking ---- */

static void test_what_is_asked(void **state)
{
	(void)state;
	WANT_TEXT("its mum.conf", world.config_path, "a path");
	login();
	WANT_NUMBER("credential and user, from the database itself", world.questions,
		    MUM_ASK(MUM_CREDENTIAL) | MUM_ASK(MUM_USER) | MUM_FRESH);
	WANT_TEXT("the name", world.key, "Anna@d");
	WANT_NUMBER("the deadline", world.deadline, WORLD_DEADLINE);
	WANT_NUMBER("the request is kept", world.references, 1);
	WANT_NUMBER("and may be aborted", world.pendings, 1);
	world_answer(MUM_TEMPFAIL, NULL, false);
	again(state);
	world.holds = true;
	login();
	WANT_NUMBER("the deadline while Postfix waits", world.deadline, WORLD_HELD);
	world_answer(MUM_TEMPFAIL, NULL, false);
}

static void test_a_verification_of_ours_asks_nothing(void **state)
{
	(void)state;
	world.is_verification = true;
	login();
	WANT("no question", !world.asked && world.calls == 0);
}

/* ---- logins ---- */

#define OK PASSDB_RESULT_OK
#define MISMATCH PASSDB_RESULT_PASSWORD_MISMATCH
#define FAILURE PASSDB_RESULT_INTERNAL_FAILURE
#define UNREADABLE PASSDB_RESULT_SCHEME_NOT_AVAILABLE
#define DISABLED PASSDB_RESULT_USER_DISABLED
#define UNKNOWN PASSDB_RESULT_USER_UNKNOWN

static const struct login {
	const char *name;
	const char *password;		/* as stored; NULL: no such mailbox */
	bool send_only;
	const char *protocol;
	enum passdb_result verified;	/* by Dovecot */
	enum passdb_result want;
	const char *crypted;		/* what is verified; NULL: the dummy */
	const char *saw;		/* the hash that the dummy will be like */
} logins[] = {
	{ "right", BCRYPT, false, "imap", OK, OK, "{BLF-CRYPT}" BCRYPT, "BLF-CRYPT " BCRYPT },
	{ "wrong", BCRYPT, false, "imap", MISMATCH, MISMATCH, "{BLF-CRYPT}" BCRYPT,
	  "BLF-CRYPT " BCRYPT },
	{ "of crypt(5)", CRYPT, false, "imap", OK, OK, "{CRYPT}" CRYPT, "CRYPT " CRYPT },
	{ "of Argon2", ARGON, false, "imap", OK, OK, "{ARGON2ID}" ARGON, "ARGON2ID " ARGON },
	{ "with a prefix, it is no good dummy", PREFIXED, false, "imap", OK, OK, PREFIXED,
	  NULL },
	{ "no worker answers", BCRYPT, false, "imap", FAILURE, FAILURE, "{BLF-CRYPT}" BCRYPT,
	  NULL },
	{ "Dovecot cannot read it", BCRYPT, false, "imap", UNREADABLE, MISMATCH,
	  "{BLF-CRYPT}" BCRYPT, NULL },
	{ "send-only, and it sends", BCRYPT, true, "smtp", OK, OK, "{BLF-CRYPT}" BCRYPT,
	  "BLF-CRYPT " BCRYPT },
	{ "send-only, and it reads", BCRYPT, true, "imap", OK, DISABLED,
	  "{BLF-CRYPT}" BCRYPT, "BLF-CRYPT " BCRYPT },
	{ "send-only, the second in the list", BCRYPT, true, "pop3", OK, DISABLED,
	  "{BLF-CRYPT}" BCRYPT, "BLF-CRYPT " BCRYPT },
	{ "send-only, and wrong", BCRYPT, true, "imap", MISMATCH, MISMATCH,
	  "{BLF-CRYPT}" BCRYPT, "BLF-CRYPT " BCRYPT },
	{ "nobody takes as long", NULL, false, "imap", MISMATCH, UNKNOWN, NULL, NULL },
	{ "a hash that is refused", COSTLY, false, "imap", MISMATCH, MISMATCH, NULL, NULL },
	{ "not even if Dovecot finds it right", COSTLY, false, "imap", OK, MISMATCH, NULL,
	  NULL },
};

static void test_logins(void **state)
{
	FOR_EACH_ROW(row, logins) {
		world.protocol = row->protocol;
		login();
		world_answer(MUM_FOUND, row->password, row->send_only);
		WANT_NUMBER(row->name, world.calls, 0);
		WANT(row->name, world.verifying &&
					world.verification.request == &world.request);
		WANT_TEXT(row->name, world.verification.crypted, row->crypted);
		WANT_TEXT(row->name, world.verification.dummy, WORLD_DUMMY);
		WANT_NUMBER(row->name, world.pendings, 1);
		world_verified(row->verified);
		WANT_NUMBER(row->name, world.calls, 1);
		WANT_NUMBER(row->name, world.result, row->want);
		WANT_TEXT(row->name, world.saw, row->saw);
		WANT(row->name, world.no_penalty == (row->want == FAILURE));
		WANT(row->name, world.unknown_logged == (row->password == NULL));
		again(state);
	}
}

static void test_no_cache_lets_a_send_only_mailbox_read(void **state)
{
	(void)state;
	login();
	world_answer(MUM_FOUND, BCRYPT, true);
	world_verified(MISMATCH);
	WANT("its hash is not kept", world.request.passdb_password == NULL);
	again(state);
	login();
	world_answer(MUM_FOUND, BCRYPT, false);
	world_verified(MISMATCH);
	WANT("that of others is", world.request.passdb_password != NULL);
}

static void test_where_it_is_verified(void **state)
{
	static const struct {
		const char *name;
		enum mum_verify verify;
		bool in_worker, want;
	} rows[] = {
		{ "in a worker", MUM_VERIFY_WORKER, false, true },
		{ "not if the admin says so", MUM_VERIFY_INLINE, false, false },
		{ "not from a worker", MUM_VERIFY_WORKER, true, false },
	};

	FOR_EACH_ROW(row, rows) {
		world.config.dovecot.verify = row->verify;
		worker = row->in_worker;
		login();
		world_answer(MUM_FOUND, BCRYPT, false);
		WANT(row->name, world.verification.in_worker == row->want);
		world_verified(OK);
		again(state);
	}
}

static void test_log(void **state)
{
	(void)state;
	login();
	world_answer(MUM_FOUND, BCRYPT, true);
	world_verified(OK);
	WANT_TEXT("send-only", world.logged,
		  "I send-only mailbox: refused for service imap\n");
	again(state);
	login();
	world_answer(MUM_FOUND, COSTLY, false);
	WANT_TEXT("a hash that is refused", world.logged,
		  "E mailboxes.password of <anna@d>: the hash costs more than mum.conf "
		  "allows; login refused until it is set anew in MUM\n");
	world_verified(MISMATCH);
	again(state);
	login();
	world_answer(MUM_TEMPFAIL, NULL, false);
	WANT_TEXT("no answer", world.logged, "E a reason\n");
	again(state);
	login();
	world_answer(MUM_FOUND, BCRYPT, false);
	world_verified(OK);
	WANT_TEXT("all is well", world.logged, NULL);
}

static void test_no_answer(void **state)
{
	static const enum mum_status statuses[] = { MUM_TEMPFAIL, MUM_MISCONFIGURED };

	FOR_EACH_ROW(status, statuses) {
		login();
		world_answer(*status, NULL, false);
		WANT_NUMBER("at once", world.calls, 1);
		WANT_NUMBER("a temporary failure", world.result, FAILURE);
		WANT("is no guess at a password", world.no_penalty && !world.verifying);
		again(state);
		look_up("CRAM-MD5");
		world_answer(*status, NULL, false);
		WANT_NUMBER("of credentials", world.result, FAILURE);
		WANT("none are given", world.credentials_given);
		again(state);
	}
}

/* The admin's own fields (2.4) may replace the password, or fail. */
static void test_own_fields(void **state)
{
	(void)state;
	world.fields_fail = true;
	login();
	world_answer(MUM_FOUND, BCRYPT, false);
	WANT_NUMBER("they fail", world.calls, 1);
	WANT_NUMBER("they fail", world.result, FAILURE);
	again(state);
	world.no_password = true;
	login();
	world_answer(MUM_FOUND, BCRYPT, false);
	WANT("no field is a password: a dummy is verified",
	     world.verifying && world.verification.crypted == NULL);
	world_verified(MISMATCH);
	WANT_NUMBER("and Dovecot says what that means", world.result,
		    PASSDB_RESULT_PASS_EXPIRED);
}

/* ---- what an earlier passdb has done ---- */

static void test_already_verified(void **state)
{
	static const struct {
		const char *name;
		bool skip, nopassword, send_only;
		const char *password;
		enum passdb_result want;
		const char *cached;
	} rows[] = {
		{ "by an earlier passdb", true, false, false, BCRYPT, OK, NULL },
		{ "any password will do", false, true, false, BCRYPT, OK, NULL },
		{ "a send-only mailbox still reads no mail", true, false, true, BCRYPT,
		  DISABLED, NULL },
		{ "the cache does not keep the typed password", true, false, false, COSTLY, OK,
		  "password " WORLD_DUMMY },
		{ "if none was typed there is none to keep", false, true, false, COSTLY, OK,
		  NULL },
	};

	FOR_EACH_ROW(row, rows) {
		world.request.fields.skip_password_check = row->skip;
		world.nopassword = row->nopassword;
		login();
		world_answer(MUM_FOUND, row->password, row->send_only);
		WANT(row->name, !world.verifying);
		WANT_NUMBER(row->name, world.calls, 1);
		WANT_NUMBER(row->name, world.result, row->want);
		WANT_TEXT(row->name, world.cached_password, row->cached);
		again(state);
	}
}

/* ---- lookups of credentials ---- */

static const struct lookup {
	const char *name, *wanted;
	const char *password;
	bool send_only, skip, delayed, undecodable;
	enum passdb_result want;
	const char *handed;		/* NULL: none are given */
} lookups[] = {
	{ "for a mechanism", "CRAM-MD5", PREFIXED, false, false, false, false, OK,
	  "PLAIN secret" },
	{ "with the scheme that is stored", "CRYPT", CRYPT, false, false, false, false, OK,
	  "CRYPT " CRYPT },
	{ "for a lookup that is no login", "", BCRYPT, false, false, false, false, OK,
	  "BLF-CRYPT " BCRYPT },
	{ "where the hash cannot be decoded, nobody needs it", "", BCRYPT, false, false, false,
	  true, OK, "BLF-CRYPT -" },
	{ "a mechanism does need it", "CRYPT", BCRYPT, false, false, false, true, OK,
	  "BLF-CRYPT " BCRYPT },
	{ "those of an earlier passdb stay", "CRYPT", BCRYPT, false, true, true, false, OK,
	  "- -" },
	{ "nobody", "CRYPT", NULL, false, false, false, false, UNKNOWN, NULL },
	{ "a hash that is refused", "CRYPT", COSTLY, false, false, false, false, MISMATCH,
	  NULL },
	{ "a refused hash that nobody needs", "", COSTLY, false, false, false, false, OK,
	  "- -" },
	{ "send-only, and it reads", "CRYPT", BCRYPT, true, false, false, false, DISABLED,
	  NULL },
};

static void test_lookups(void **state)
{
	FOR_EACH_ROW(row, lookups) {
		world.request.fields.skip_password_check = row->skip;
		world.undecodable = row->undecodable;
		if (row->delayed)
			world.request.fields.delayed_credentials = (const unsigned char *)"x";
		look_up(row->wanted);
		world_answer(MUM_FOUND, row->password, row->send_only);
		WANT(row->name, !world.verifying);
		WANT_NUMBER(row->name, world.calls, 1);
		WANT_NUMBER(row->name, world.result, row->want);
		WANT_TEXT(row->name, world.handed, row->handed);
		WANT(row->name, world.credentials_given == (row->handed == NULL));
		again(state);
	}
}

static void test_fields(void **state)
{
	(void)state;
	world.has_user = true;
	login();
	world_answer(MUM_FOUND, BCRYPT, false);
	WANT_NUMBER("once", world.set_fields, 1);
	WANT("those of the user", world.gave_user);
	WANT_TEXT("the password may be used", world.why_no_password, NULL);
	world_verified(OK);
	again(state);
	login();
	world_answer(MUM_FOUND, COSTLY, false);
	WANT("no mail", !world.gave_user);
	WANT_TEXT("why the password may not", world.why_no_password,
		  "the hash costs more than mum.conf allows");
	world_verified(OK);
}

/* ---- the end ---- */

static void test_abort(void **state)
{
	(void)state;
	login();
	world.pending->abort(world.pending);
	WANT_NUMBER("while it asks", world.calls, 1);
	WANT_NUMBER("a temporary failure", world.result, FAILURE);
	WANT("no next passdb", world.passdb.result_internalfail == AUTH_DB_RULE_RETURN);
	again(state);
	login();
	world_answer(MUM_FOUND, BCRYPT, false);
	world.pending->abort(world.pending);
	WANT_NUMBER("while it is verified", world.calls, 1);
	WANT_NUMBER("it waits for no worker any more", world.forgotten, 1);
	WANT_NUMBER("a temporary failure", world.result, FAILURE);
}

static void test_life(void **state)
{
	(void)state;
	passdb_mum.init(world.module);
	WANT_NUMBER("the instance is made ready", world.initialized, 1);
	passdb_mum.deinit(world.module);
	WANT("all ends", world.ended_holds == 1 && world.ended_queues == 1);
	WANT_NUMBER("the instance is given back", world.released, 1);
	login();
	WANT("afterwards nothing is asked", !world.asked);
	WANT_NUMBER("a login fails for now", world.result, FAILURE);
	world.calls = 0;
	look_up("");
	WANT("nor here", !world.asked && world.calls == 1);
	WANT_NUMBER("a lookup fails for now", world.result, FAILURE);
}

#define PASSDB_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PASSDB_TEST(test_what_is_asked),
		PASSDB_TEST(test_a_verification_of_ours_asks_nothing),
		PASSDB_TEST(test_logins),
		PASSDB_TEST(test_no_cache_lets_a_send_only_mailbox_read),
		PASSDB_TEST(test_where_it_is_verified),
		PASSDB_TEST(test_log),
		PASSDB_TEST(test_no_answer),
		PASSDB_TEST(test_own_fields),
		PASSDB_TEST(test_already_verified),
		PASSDB_TEST(test_lookups),
		PASSDB_TEST(test_fields),
		PASSDB_TEST(test_abort),
		PASSDB_TEST(test_life),
	};

	return cmocka_run_group_tests_name("passdb", tests, setup_group, teardown_group);
}
