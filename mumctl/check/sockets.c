/* SPDX-License-Identifier: MIT */
/*
 * The sockets of mumd, as user postfix sees them. A connection proves little: a service
 * manager holds the socket, whether mumd runs or not. So mumctl asks each socket, and
 * compares its answer with its own.
 */
#include "mumctl/check/check.h"

#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/endpoint.h"
#include "common/xalloc.h"
#include "mumctl/as-mumd.h"
#include "mumctl/as-user.h"
#include "postfix-policy/protocol/action.h"
#include "postfix-policy/protocol/netstring.h"
#include "postfix-policy/protocol/policy.h"

enum {
	CONNECT_MAX = 5,	/* seconds */
	ANSWER_EXTRA = 3,	/* seconds on top of database.deadline */
	AGAIN_MAX = 10,		/* seconds to wait for the end of a cached answer, at most */
	REPLY_MAX = 4096	/* bytes; a pipe holds more */
};

/* A question, and mumctl's own reply to it. */
struct query {
	const char *what;	/* for the finding */
	bool policy;		/* of the policy service, else of the socketmap */
	bool cached;		/* mumd may have an older answer in its cache */
	char *wire;		/* the request */
	char *reply;		/* without its frame; NULL: mumctl has no answer either */
};

enum { QUERIES = 3 };

struct queries {
	struct query list[QUERIES];
	size_t count;
};

/* ---- in the child, as user postfix ---- */

struct probe {
	const char *entry;	/* of a listen option */
	const struct query *query;
	unsigned seconds;	/* for the answer */
	int out;		/* gets a byte once connected, then the reply */
};

/* The descriptor; or -1 with errno. */
static int connect_to(int family, const void *address, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0 || connect(fd, address, size) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int connect_inet(const struct endpoint *endpoint)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int fd = -1;

	errno = EADDRNOTAVAIL;
	if (getaddrinfo(endpoint->host, endpoint->port, &hints, &list) != 0)
		return -1;
	for (const struct addrinfo *at = list; at != NULL && fd < 0; at = at->ai_next)
		fd = connect_to(at->ai_family, at->ai_addr, at->ai_addrlen);
	return fd;
}

static int connect_entry(const char *entry)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct endpoint endpoint;

	errno = EADDRNOTAVAIL;
	if (!endpoint_parse_listen(entry, &endpoint))
		return -1;
	if (endpoint.path == NULL)
		return connect_inet(&endpoint);
	errno = ENAMETOOLONG;
	if (strlen(endpoint.path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, endpoint.path);
	return connect_to(AF_UNIX, &address, sizeof(address));
}

/* PARSE_DONE sets *text_r, a view: the reply without its frame. */
static enum parse_result parse_reply(const struct query *query, const char *bytes, size_t len,
				     struct slice *text_r)
{
	struct netstring frame;
	enum parse_result result;
	size_t wire_len;

	if (query->policy)
		return policy_parse_reply(bytes, len, text_r, &wire_len);
	result = netstring_parse(bytes, len, REPLY_MAX, &frame);
	if (result == PARSE_DONE)
		*text_r = (struct slice){ frame.data, frame.len };
	return result;
}

static int run_probe(void *arg)
{
	const struct probe *probe = arg;
	char reply[REPLY_MAX];
	struct slice text;
	size_t len = 0;
	ssize_t size;
	int fd;

	/* With a full backlog, connect() would wait for ever. */
	alarm(CONNECT_MAX);
	fd = connect_entry(probe->entry);
	if (fd < 0)
		return errno;
	if (write(probe->out, "", 1) != 1)
		return errno;
	alarm(probe->seconds);
	if (send(fd, probe->query->wire, strlen(probe->query->wire), MSG_NOSIGNAL) < 0)
		return errno;
	do {
		size = read(fd, reply + len, sizeof(reply) - len);
		len += size > 0 ? (size_t)size : 0;
	} while (size > 0 && len < sizeof(reply) &&
		 parse_reply(probe->query, reply, len, &text) == PARSE_MORE);
	return write(probe->out, reply, len) == (ssize_t)len ? 0 : errno;
}

/* ---- what came of it ---- */

struct heard {
	int error;		/* as as_user() */
	bool connected;
	char *reply;		/* without its frame; NULL if not whole */
};

static void ask_socket(const struct check *check, const char *entry,
		       const struct query *query, struct heard *heard_r)
{
	struct probe probe = { .entry = entry, .query = query };
	char bytes[REPLY_MAX + 1];
	struct slice text;
	ssize_t size, len = 0;
	int ends[2];

	*heard_r = (struct heard){ .error = -1 };
	if (pipe(ends) != 0)
		return;
	probe.seconds = check->config->database.deadline / 1000 + 1 + ANSWER_EXTRA;
	probe.out = ends[1];
	heard_r->error = as_user("postfix", run_probe, &probe);
	close(ends[1]);
	while ((size = read(ends[0], bytes + len, sizeof(bytes) - (size_t)len)) > 0)
		len += size;
	close(ends[0]);
	heard_r->connected = len > 0;
	if (heard_r->connected &&
	    parse_reply(query, bytes + 1, (size_t)len - 1, &text) == PARSE_DONE)
		heard_r->reply = xstrndup(text.data, text.len);
}

static void report_connect(const struct check *check, const char *entry, int error)
{
	if (error == EACCES || error == EPERM)
		report_add(check->report, LEVEL_ERROR, "socket-denied", entry,
			   "see process.socket_group and socket_mode, and the modes of "
			   "its folders", "user postfix may not connect");
	else if (error > 0)
		report_add(check->report, LEVEL_ERROR, "socket-dead", entry,
			   "start mumd", "nobody answers there (%s)", strerror(error));
}

/* ---- our own questions ---- */

static void add_map(struct queries *queries, struct tool *tool, const char *key, bool known)
{
	const char *map = socketmap_name(socketmap_by_number(SOCKETMAP_DOMAINS));
	struct query *query = &queries->list[queries->count];
	struct map_reply reply;

	if (!mumd_ask_map(tool, SOCKETMAP_DOMAINS, key, &reply))
		return;
	*query = (struct query){ .what = known ? "a domain of MUM's" : "an unknown domain",
				 .cached = known };
	query->wire = xasprintf("%zu:%s %s,", strlen(map) + 1 + strlen(key), map, key);
	if (tool_is_answered(reply.status))
		query->reply = xstrdup(reply.text);
	queries->count++;
	map_reply_free(&reply);
}

static void add_policy(struct queries *queries, struct tool *tool, const char *domain)
{
	struct query *query = &queries->list[queries->count++];
	char *recipient = xasprintf("recipient=postmaster@%s", domain);
	const char *const attributes[] = { recipient, NULL };

	*query = (struct query){ .what = "an unknown recipient", .policy = true };
	query->wire = xasprintf("request=smtpd_access_policy\nprotocol_state=RCPT\n%s\n\n",
				recipient);
	query->reply = mumd_ask_policy(tool, tool_quota(tool), NULL, attributes);
	if (query->reply != NULL && strcmp(query->reply, ACTION_TEMPFAIL) == 0) {
		free(query->reply);
		query->reply = NULL;
	}
	free(recipient);
}

static void keep_name(const struct column *columns, void *arg)
{
	char **name_r = arg;

	if (*name_r == NULL && columns[0].data != NULL)
		*name_r = xstrndup(columns[0].data, columns[0].len);
}

/* Any domain of MUM's database; NULL if it has none or cannot be read. Caller frees. */
static char *some_domain(const struct check *check)
{
	struct inspect_error error;
	struct inspect *db = inspect_open_any(check->config, &error);
	char *name = NULL;

	if (db != NULL)
		(void)inspect_query(db, "SELECT domain FROM domains "
				    "ORDER BY active DESC, id LIMIT 1",
				    keep_name, &name, &error);
	inspect_close(&db);
	return name;
}

/*
 * A name that nobody has asked for before (RFC 2606: nobody can have it) is in no cache, so
 * mumd must ask the database. A name that MUM has shows whether it is the same database.
 */
static void make_queries(const struct check *check, struct queries *queries)
{
	struct tool *tool = check->tool;
	char *unknown = xasprintf("mumctl-check-%ld-%llu.invalid", (long)getpid(),
				  (unsigned long long)host_now_us(&tool->host.host));
	char *known = some_domain(check);

	add_map(queries, tool, unknown, false);
	if (known != NULL)
		add_map(queries, tool, known, true);
	add_policy(queries, tool, unknown);
	free(unknown);
	free(known);
}

static void free_queries(struct queries *queries)
{
	for (size_t i = 0; i < queries->count; i++) {
		free(queries->list[i].wire);
		free(queries->list[i].reply);
	}
}

/* ---- each socket ---- */

static bool is_right(const struct query *query, const struct heard *heard)
{
	return query->reply == NULL || strcmp(query->reply, heard->reply) == 0;
}

/* mumd may have an older answer in its cache than what we have just read. */
static void ask_again(const struct check *check, const char *entry,
		      const struct query *query, struct heard *heard)
{
	unsigned ttl = check->config->cache.ttl / 1000 + 1;

	free(heard->reply);
	sleep(ttl < AGAIN_MAX ? ttl : AGAIN_MAX);
	ask_socket(check, entry, query, heard);
}

/* False when something is wrong: then further questions would only repeat it. */
static bool check_answer(const struct check *check, const char *entry,
			 const struct query *query)
{
	struct heard heard;
	bool good;

	ask_socket(check, entry, query, &heard);
	if (query->cached && heard.reply != NULL && !is_right(query, &heard))
		ask_again(check, entry, query, &heard);
	good = heard.reply != NULL && is_right(query, &heard);
	if (!heard.connected)
		report_connect(check, entry, heard.error);
	else if (heard.reply == NULL)
		report_add(check->report, LEVEL_ERROR, "socket-silent", entry,
			   "see mumd's log, then restart mumd", "%s", heard.error == ETIMEDOUT
				   ? "it takes a question and gives no answer in time"
				   : "it hangs up without an answer of mumd's");
	else if (!good)
		report_add(check->report, LEVEL_ERROR, "socket-differs", entry,
			   "see mumd's log; reload mumd when mum.conf has changed, and look "
			   "again after cache.ttl when MUM has",
			   "%s: mumd answers \"%s\", mumctl \"%s\"", query->what, heard.reply,
			   query->reply);
	free(heard.reply);
	return good;
}

static void check_listeners(const struct check *check, const struct mum_list *listen,
			    const struct queries *queries, bool policy)
{
	for (size_t i = 0; i < listen->count; i++) {
		bool good = true;

		for (size_t j = 0; j < queries->count && good; j++) {
			if (queries->list[j].policy == policy)
				good = check_answer(check, listen->items[i], &queries->list[j]);
		}
	}
}

void check_sockets(const struct check *check)
{
	const struct passwd *user = getpwnam("postfix");
	struct queries queries = { .count = 0 };

	if (user == NULL) {
		report_add(check->report, LEVEL_WARNING, "user-missing", "socketmap.listen",
			   "install Postfix", "no user \"postfix\" on this machine");
		return;
	}
	if (geteuid() != 0 && geteuid() != user->pw_uid)
		return;		/* reported: not-root */
	make_queries(check, &queries);
	check_listeners(check, &check->config->socketmap.listen, &queries, false);
	check_listeners(check, &check->config->policy.listen, &queries, true);
	free_queries(&queries);
}
