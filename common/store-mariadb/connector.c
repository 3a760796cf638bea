/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/connector.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/endpoint.h"
#include "common/secret.h"
#include "common/store-mariadb/errors.h"
#include "common/store-mariadb/session.h"
#include "common/store-mariadb/tls-peer.h"
#include "common/threads.h"
#include "common/xalloc.h"

enum {
	PORT_DEFAULT = 3306,
	KEEPALIVE_IDLE = 30,	/* seconds of silence until the server is probed */
	KEEPALIVE_EVERY = 10,	/* seconds between probes */
	KEEPALIVE_COUNT = 3	/* probes without an answer that end the connection */
};

/* Who frees the connector: whoever comes second, the thread's end or cancel. */
enum { RUNNING, FINISHED, CANCELLED };

struct connector {
	/* Set before the thread starts, constant while it runs. */
	char *socket_path, *host_name;	/* one of them is NULL */
	unsigned port;
	char *user, *password, *database, *tls_ca;
	bool tls, tls_verify_name;
	unsigned timeout_ms;
	int done_fd;			/* eventfd; readable when the thread is done */
	/* The thread's result, the loop's once done_fd is readable. */
	MYSQL *mysql;
	struct collations collations;
	unsigned error_number;
	char error_text[CONNECTOR_ERROR_SIZE];
	atomic_int state;
	/* The loop's. */
	struct thread *thread;
	const struct mum_host *host;
	struct mum_watch *watch;
	connector_done_fn *fn;
	void *arg;
};

static void hang_up(struct connector *connector)
{
	if (connector->mysql != NULL)
		mysql_close(connector->mysql);
	connector->mysql = NULL;
}

static void connector_free(struct connector *connector)
{
	hang_up(connector);
	free(connector->socket_path);
	free(connector->host_name);
	free(connector->user);
	secret_free(&connector->password);
	free(connector->database);
	free(connector->tls_ca);
	if (connector->done_fd >= 0)
		close(connector->done_fd);
	free(connector);
}

/* ---- in the thread ---- */

static void set_error(struct connector *connector, unsigned number, const char *text)
{
	connector->error_number = number;
	strncpy(connector->error_text, text, CONNECTOR_ERROR_SIZE - 1);
}

static void set_mysql_error(struct connector *connector)
{
	set_error(connector, mysql_errno(connector->mysql), mysql_error(connector->mysql));
}

/* False without memory: the connection would not be as safe as it should be. */
static bool set_options(struct connector *connector)
{
	MYSQL *mysql = connector->mysql;
	size_t default_stack = 0;
	unsigned seconds = (connector->timeout_ms + 999) / 1000;
	unsigned protocol = connector->socket_path != NULL ? MYSQL_PROTOCOL_SOCKET
							   : MYSQL_PROTOCOL_TCP;
	unsigned local_infile = 0;
	int failed = 0;

	/* Else libmariadb takes "localhost" for its own socket, whatever the port. */
	failed |= mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	failed |= mysql_optionsv(mysql, MYSQL_OPT_NONBLOCK, &default_stack);
	failed |= mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
	/* Backstops for the statements in this thread; later our own timer is shorter. */
	seconds++;
	failed |= mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
	failed |= mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
	failed |= mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* Else a server could ask for any file that this process may read. */
	failed |= mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &local_infile);
	if (connector->tls) {
		failed |= mysql_ssl_set(mysql, NULL, NULL, connector->tls_ca, NULL,
					NULL);
		failed |= tls_peer_verify(mysql, connector->tls_verify_name);
	}
	/*
	 * Only where the name is verified does libmariadb refuse a server without TLS
	 * before it logs in. Else is_private() refuses after the login, in which nothing
	 * but a scramble may go: not the password that such a server may ask for.
	 */
	if (connector->tls && !connector->tls_verify_name)
		failed |= mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH,
					 "mysql_native_password,client_ed25519");
	return failed == 0;
}

/* A server that answers but stands outside its cluster fails only here. */
static bool read_table(MYSQL *mysql)
{
	MYSQL_RES *result;

	if (mysql_query(mysql, "SELECT id FROM domains LIMIT 1") != 0)
		return false;
	result = mysql_store_result(mysql);
	if (result == NULL)
		return false;
	mysql_free_result(result);
	return true;
}

static bool set_session(struct connector *connector)
{
	char reason[SESSION_REASON_SIZE];

	if (session_set(connector->mysql, connector->timeout_ms, reason))
		return true;
	if (reason[0] != '\0')
		set_error(connector, ERROR_SESSION, reason);
	else
		set_mysql_error(connector);
	return false;
}

static bool is_private(struct connector *connector)
{
	if (!connector->tls || mysql_get_ssl_cipher(connector->mysql) != NULL)
		return true;
	set_error(connector, 2026, "the connection is not encrypted");
	return false;
}

/*
 * TLS I/O ignores MSG_DONTWAIT: on a socket in blocking mode libmariadb's
 * non-blocking calls would block until the answer is there.
 */
/*
 * A firewall that forgets an idle connection tells nobody: without probes (tcp(7)) the
 * next lookup is sent into nothing, and the kernel's own come after two hours. Where the
 * options cannot be set, lookups have their deadlines still.
 */
static void set_keepalive(const struct connector *connector)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT },
	};
	int fd = mysql_get_socket(connector->mysql);

	if (connector->socket_path != NULL)
		return;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(options[i].value));
}

static bool set_nonblocking(struct connector *connector)
{
	int fd = mysql_get_socket(connector->mysql);
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return true;
	set_error(connector, 2000, strerror(errno));
	return false;
}

/* libmariadb keeps it to change the user with, which we never do. */
static void forget_password(MYSQL *mysql)
{
	if (mysql->passwd != NULL)
		explicit_bzero(mysql->passwd, strlen(mysql->passwd));
}

static bool log_in(struct connector *connector)
{
	connector->mysql = mysql_init(NULL);
	if (connector->mysql == NULL || !set_options(connector)) {
		set_error(connector, 2008, "out of memory");
		return false;
	}
	if (mysql_real_connect(connector->mysql,
			       connector->socket_path != NULL ? "localhost"
							      : connector->host_name,
			       connector->user, connector->password,
			       connector->database, connector->port,
			       connector->socket_path, 0) == NULL) {
		set_mysql_error(connector);
		return false;
	}
	forget_password(connector->mysql);
	/* Before any statement; of the password only a scramble went, see set_options(). */
	if (!is_private(connector))
		return false;
	return set_session(connector);
}

static bool try_connect(struct connector *connector)
{
	if (!log_in(connector))
		return false;
	if (!read_table(connector->mysql) ||
	    !collations_read(connector->mysql, &connector->collations)) {
		set_mysql_error(connector);
		if (connector->error_number == 0)
			set_error(connector, 2000, "the collation of a column cannot be read");
		return false;
	}
	set_keepalive(connector);
	return set_nonblocking(connector);
}

static void *connector_thread(void *arg)
{
	struct connector *connector = arg;
	const uint64_t one = 1;

	mysql_thread_init();
	if (!try_connect(connector))
		hang_up(connector);
	mysql_thread_end();
	/* An eventfd takes one 1 always; nobody else writes to it. */
	if (write(connector->done_fd, &one, sizeof(one)) < 0)
		abort();
	if (atomic_exchange(&connector->state, FINISHED) == CANCELLED)
		connector_free(connector);
	return NULL;
}

/* ---- in the loop ---- */

static void on_done(unsigned events, void *arg)
{
	struct connector *connector = arg;
	connector_done_fn *fn = connector->fn;
	void *fn_arg = connector->arg;
	struct collations collations;
	MYSQL *mysql;
	unsigned number;
	char text[CONNECTOR_ERROR_SIZE];

	(void)events;
	thread_join(connector->host->threads, connector->thread);
	host_unwatch(connector->host, &connector->watch);
	mysql = connector->mysql;
	connector->mysql = NULL;
	collations = connector->collations;
	number = connector->error_number;
	memcpy(text, connector->error_text, sizeof(text));
	connector_free(connector);
	fn(mysql, &collations, number, text, fn_arg);
}

/* An entry of database.hosts into the fields of mysql_real_connect(). */
static void set_host(struct connector *connector, const char *spec)
{
	struct endpoint endpoint;

	if (!endpoint_parse_server(spec, &endpoint))
		abort();	/* config.c lets none such through */
	if (endpoint.path != NULL)
		connector->socket_path = xstrdup(endpoint.path);
	else
		connector->host_name = xstrdup(endpoint.host);
	connector->port = *endpoint.port != '\0'
				  ? (unsigned)strtoul(endpoint.port, NULL, 10)
				  : PORT_DEFAULT;
}

static struct connector *connector_new(const struct connector_settings *settings)
{
	struct connector *connector = xcalloc(1, sizeof(*connector));

	connector->user = xstrdup(settings->user);
	connector->password = secret_new(settings->password);
	connector->database = xstrdup(settings->database);
	connector->tls = settings->tls;
	connector->tls_verify_name = settings->tls_verify_name;
	connector->tls_ca = xstrdup(settings->tls_ca);
	connector->timeout_ms = settings->timeout_ms;
	connector->done_fd = -1;
	set_host(connector, settings->host);
	return connector;
}

struct connector_settings connector_settings(const struct mum_config *config,
					     const char *host)
{
	unsigned deadline = config->database.deadline;
	bool tls = mum_config_wants_tls(config, host);

	return (struct connector_settings){
		.host = host,
		.user = config->database.user,
		.password = config->database.password,
		.database = config->database.name,
		.tls = tls,
		.tls_verify_name = tls && config->database.tls != MUM_TLS_VERIFY_CA,
		.tls_ca = config->database.tls_ca,
		/* With another host to turn to, leave time to do so. */
		.timeout_ms = config->database.hosts.count > 1 ? deadline / 2 : deadline,
	};
}

MYSQL *connector_open(const struct connector_settings *settings,
		      unsigned *error_number_r, char error_text_r[CONNECTOR_ERROR_SIZE])
{
	struct connector *connector = connector_new(settings);
	MYSQL *mysql;

	if (!log_in(connector))
		hang_up(connector);
	mysql = connector->mysql;
	connector->mysql = NULL;
	*error_number_r = connector->error_number;
	memcpy(error_text_r, connector->error_text, CONNECTOR_ERROR_SIZE);
	connector_free(connector);
	return mysql;
}

struct connector *connector_start(const struct mum_host *host,
				  const struct connector_settings *settings,
				  connector_done_fn *fn, void *arg)
{
	struct connector *connector = connector_new(settings);

	connector->host = host;
	connector->fn = fn;
	connector->arg = arg;
	connector->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (connector->done_fd >= 0)
		connector->thread = thread_start(host->threads, connector_thread, connector);
	if (connector->thread == NULL) {
		connector_free(connector);
		return NULL;
	}
	connector->watch = host->ops->watch(host->ctx, connector->done_fd, MUM_READ,
					    on_done, connector);
	return connector;
}

void connector_cancel(struct connector **_connector)
{
	struct connector *connector = *_connector;
	struct thread *thread;

	*_connector = NULL;
	if (connector == NULL)
		return;
	host_unwatch(connector->host, &connector->watch);
	thread = connector->thread;
	/* From the exchange on, a thread that runs may free the connector at any time. */
	if (atomic_exchange(&connector->state, CANCELLED) == RUNNING) {
		thread_leave(thread);
		return;
	}
	thread_join(connector->host->threads, thread);
	connector_free(connector);
}
