/* SPDX-License-Identifier: MIT */
/* compare: an admin's mysql: files against mumd, for every name in the database. */
#include "mumctl/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/inspect.h"
#include "common/xalloc.h"
#include "mumctl/commands.h"

/* The names of the files that MUM's manual has admins copy, and what they ask. */
enum key_kind { KEY_ADDRESS, KEY_DOMAIN, KEY_NEXT_HOP, KEY_KINDS };

static const struct {
	const char *name;
	enum key_kind keys;
} maps[] = {
	{ "domains", KEY_DOMAIN }, { "mailboxes", KEY_ADDRESS },
	{ "aliases", KEY_ADDRESS }, { "recipient-access", KEY_ADDRESS },
	{ "sender-login-maps", KEY_ADDRESS }, { "tls-policies", KEY_NEXT_HOP },
};

enum { MAPS = sizeof(maps) / sizeof(maps[0]) };

static const char *const keys_sql[KEY_KINDS] = {
	[KEY_ADDRESS] = "SELECT m.local_part, d.domain FROM mailboxes m"
			" JOIN domains d ON d.id = m.domain_id"
			/* Each once; a plain UNION takes what collates for the same. */
			" UNION ALL SELECT a.local_part, d.domain FROM aliases a"
			" JOIN domains d ON d.id = a.domain_id WHERE NOT EXISTS (SELECT 1"
			" FROM mailboxes m WHERE m.local_part = a.local_part AND"
			" m.domain_id = a.domain_id AND HEX(m.local_part) = HEX(a.local_part))",
	[KEY_DOMAIN] = "SELECT domain FROM domains",
	[KEY_NEXT_HOP] = "SELECT domain FROM tls_policies",
};

struct compare {
	struct tool *tool;
	struct inspect *db;		/* the first host that answers; NULL when none does */
	const char *directory;
	FILE *keys[KEY_KINDS];		/* one key a line; see keys_open() */
	json_t *differences;
	size_t compared, differing, unexplained;
	bool failed;
};

/* ---- keys ---- */

struct key_writer {
	FILE *file;
	bool address;
};

static void write_key(const struct column *columns, void *arg)
{
	const struct key_writer *writer = arg;
	const char *end = writer->address ? columns[1].data : "";

	/* postmap takes a key a line; what it cannot be asked is not compared. */
	if (columns[0].data == NULL || end == NULL ||
	    !text_is_clean(columns[0].data, columns[0].len) || !text_is_clean(end, strlen(end)))
		return;
	fprintf(writer->file, "%s%s%s\n", columns[0].data, writer->address ? "@" : "", end);
}

FILE *keys_open(FILE *keys)
{
	int fd = fcntl(fileno(keys), F_DUPFD_CLOEXEC, 0);
	FILE *file = fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? fdopen(fd, "r") : NULL;

	if (file == NULL) {
		tool_complain("keys", strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return file;
}

/* Without a name, so that nothing is left of it, however we end. */
static FILE *open_temporary(void)
{
	const char *directory = getenv("TMPDIR");
	char *path = xasprintf("%s/mumctl-keys-XXXXXX", directory != NULL ? directory : "/tmp");
	int fd = mkostemp(path, O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;

	if (file == NULL)
		tool_complain(path, strerror(errno));
	if (fd >= 0)
		unlink(path);
	if (file == NULL && fd >= 0)
		close(fd);
	free(path);
	return file;
}

static bool write_keys(struct compare *compare, enum key_kind kind)
{
	struct key_writer writer = { open_temporary(), kind == KEY_ADDRESS };
	struct inspect_error error;
	bool good;

	compare->keys[kind] = writer.file;
	if (writer.file == NULL)
		return false;
	good = inspect_query(compare->db, keys_sql[kind], write_key, &writer, &error);
	if (!good)
		tool_complain("database", error.text);
	if (fflush(writer.file) == 0)
		return good;
	tool_complain("keys", strerror(errno));
	return false;
}

/* All names of the database. */
static bool read_keys(struct compare *compare)
{
	bool good = true;

	for (int kind = 0; good && kind < KEY_KINDS; kind++)
		good = write_keys(compare, (enum key_kind)kind);
	return good;
}

static bool open_database(struct compare *compare)
{
	const struct mum_config *config = tool_config(compare->tool, MUM_ROLE_POSTFIX);
	struct inspect_error error;

	for (size_t i = 0; compare->db == NULL && (i == 0 || i < config->database.hosts.count);
	     i++)
		compare->db = inspect_open(config, i, &error);
	if (compare->db == NULL)
		tool_complain("database", error.text);
	return compare->db != NULL;
}

/* ---- answers ---- */

static void print_text(const char *text)
{
	if (text == NULL)
		printf("-");
	else
		tool_print_clean(text);
}

static void report(struct compare *compare, const char *map, const char *key,
		   const char *stock, const struct map_reply *ours, const char *reason)
{
	const char *our_text = ours->status == MUM_TEMPFAIL ? "TEMP" : ours->value;

	compare->differing++;
	if (strcmp(reason, "?") == 0)
		compare->unexplained++;
	if (compare->tool->json) {
		json_array_append_new(
			compare->differences,
			json_pack("{ss so so* so* ss}", "map", map, "key",
				  tool_json_text(key), "stock",
				  stock != NULL ? tool_json_text(stock) : NULL, "mum",
				  our_text != NULL ? tool_json_text(our_text) : NULL,
				  "difference", reason));
		return;
	}
	printf("%s %s <", reason, map);
	tool_print_clean(key);
	printf(">: stock ");
	print_text(stock);
	printf(", mumd ");
	print_text(our_text);
	printf("\n");
}

/* Nothing further is asked: each question might wait for its deadline. */
static void fail(struct compare *compare, const char *key, const char *why)
{
	tool_complain(key, why != NULL ? why : "the database gave no answer");
	compare->failed = true;
}

static void compare_key(struct compare *compare, const char *map, const char *key,
			const char *stock)
{
	struct map_reply ours;
	char reason[REASON_TEXT_SIZE];

	if (!postfix_ask_map(compare->tool, map, key, &ours))
		return;
	if (ours.status != MUM_FOUND && ours.status != MUM_NOT_FOUND && !ours.bad_value) {
		fail(compare, key, ours.why);
	} else if (!compare_reason(compare->tool, compare->db, map, key, stock, &ours,
				   reason)) {
		fail(compare, key, NULL);
	} else {
		if (ours.bad_value && stock == NULL)
			tool_complain(key, ours.why);
		compare->compared++;
		if (*reason != '\0')
			report(compare, map, key, stock, &ours, reason);
	}
	map_reply_free(&ours);
}

/* Every key of the file, against what stock says of it. */
static bool compare_keys(struct compare *compare, const char *map, FILE *all,
			 const struct stock *stock)
{
	FILE *keys = keys_open(all);
	char *key = NULL;
	size_t size = 0;

	if (keys == NULL)
		return false;
	while (!compare->failed && getline(&key, &size, keys) > 0) {
		key[strcspn(key, "\n")] = '\0';
		if (*key != '\0')
			compare_key(compare, map, key, stock_find(stock, key));
	}
	fclose(keys);
	free(key);
	return true;
}

/* An admin may leave out a file, but not one that is there and cannot be read. */
static void compare_map(struct compare *compare, const char *map, FILE *keys)
{
	char *mysql_file = xasprintf("%s/%s.cf", compare->directory, map);
	struct stock *stock = NULL;
	bool good = access(mysql_file, R_OK) == 0;

	if (!good) {
		char *why = xasprintf("%s; this map is not compared", strerror(errno));

		good = errno == ENOENT;
		tool_complain(mysql_file, why);
		free(why);
	} else {
		stock = stock_ask(mysql_file, keys);
		good = stock != NULL && compare_keys(compare, map, keys, stock);
	}
	compare->failed = compare->failed || !good;
	stock_free(&stock);
	free(mysql_file);
}

static int finish(struct compare *compare)
{
	inspect_close(&compare->db);
	for (int kind = 0; kind < KEY_KINDS; kind++) {
		if (compare->keys[kind] != NULL)
			fclose(compare->keys[kind]);
	}
	if (compare->tool->json)
		tool_print_json(json_pack("{sI sI sI so}", "compared",
					  (json_int_t)compare->compared, "different",
					  (json_int_t)compare->differing, "unexplained",
					  (json_int_t)compare->unexplained, "differences",
					  compare->differences));
	else
		printf("%zu answers compared, %zu differ, %zu of them for no reason that "
		       "doc/differences.md has\n",
		       compare->compared, compare->differing, compare->unexplained);
	if (compare->failed)
		return EX_TEMPFAIL;
	if (compare->compared == 0) {
		tool_complain(compare->directory, "nothing was compared");
		return EX_NOINPUT;
	}
	return compare->unexplained > 0;
}

/* The admin's keys are read more than once: no pipe will do. */
static FILE *open_keys(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	bool regular = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	FILE *file = regular ? fdopen(fd, "r") : NULL;

	if (file != NULL)
		return file;
	tool_complain(path, fd < 0 || regular ? strerror(errno)
					      : "not a regular file; --keys needs one");
	if (fd >= 0)
		close(fd);
	return NULL;
}

int command_compare(struct tool *tool, int argc, char **argv)
{
	struct compare compare = { .tool = tool };
	const char *keys_file = NULL;
	FILE *keys = NULL;

	for (int i = 0; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--postfix") == 0)
			compare.directory = argv[i + 1];
		else if (strcmp(argv[i], "--keys") == 0)
			keys_file = argv[i + 1];
		else
			tool_usage(USAGE_COMPARE);
	}
	if (argc % 2 != 0 || compare.directory == NULL)
		tool_usage(USAGE_COMPARE);
	if (keys_file != NULL && (keys = open_keys(keys_file)) == NULL)
		return EX_NOINPUT;
	if (tool->json)
		compare.differences = json_array();
	compare.failed = !open_database(&compare) ||
			 (keys == NULL && !read_keys(&compare));
	for (int i = 0; !compare.failed && i < MAPS; i++)
		compare_map(&compare, maps[i].name,
			    keys != NULL ? keys : compare.keys[maps[i].keys]);
	if (keys != NULL)
		fclose(keys);
	return finish(&compare);
}
