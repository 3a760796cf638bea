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

/*
 * Both the end of the thread and a cancel change the state; the second of them frees
 * the connector.
 */
enum { RUNNING, FINISHED, CANCELLED };

struct connector {
	/* Set before the thread starts, constant while it runs. */
	char *socket_path, *host_name;	/* one of them is NULL */
	unsigned port;
	char *user, *password, *database, *tls_ca;
	bool tls, tls_verify_name;
	unsigned timeout_ms;
	int done_fd;			/* eventfd; readable when the thread is done */
	/* The thread writes these; once done_fd is readable they belong to the loop. */
	MYSQL *mysql;
	struct collations collations;
	unsigned error_number;
	char error_text[CONNECTOR_ERROR_SIZE];
	atomic_int state;
	/* These belong to the loop. */
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

/* False without memory: a connection that lacks an option would be less safe. */
static bool set_options(struct connector *connector)
{
	MYSQL *mysql = connector->mysql;
	size_t default_stack = 0;
	unsigned seconds = (connector->timeout_ms + 999) / 1000;
	unsigned protocol = connector->socket_path != NULL ? MYSQL_PROTOCOL_SOCKET
							   : MYSQL_PROTOCOL_TCP;
	unsigned local_infile = 0;
	int failed = 0;

	/* Otherwise libmariadb takes "localhost" for its socket, whatever the port. */
	failed |= mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	failed |= mysql_optionsv(mysql, MYSQL_OPT_NONBLOCK, &default_stack);
	failed |= mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
	/* Limits for the statements in this thread; later our own timer ends first. */
	seconds++;
	failed |= mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
	failed |= mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
	failed |= mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* Otherwise a server could ask for any file that this process may read. */
	failed |= mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &local_infile);
	if (connector->tls) {
		failed |= mysql_ssl_set(mysql, NULL, NULL, connector->tls_ca, NULL,
					NULL);
		failed |= tls_peer_verify(mysql, connector->tls_verify_name);
	}
	/*
	 * libmariadb refuses a server without TLS before the login only if it verifies the
	 * name. If not, is_private() refuses the server after the login. So the login may
	 * send only a scramble, never the password that such a server may ask for.
	 */
	if (connector->tls && !connector->tls_verify_name)
		failed |= mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH,
					 "mysql_native_password,client_ed25519");
	return failed == 0;
}

/* A server outside its cluster answers until here, and fails here. */
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
 * A firewall may forget an idle connection without telling anybody. Without probes
 * (tcp(7)) the next lookup would get no answer; the kernel's default is to probe after
 * two hours. If the options cannot be set, lookups still have their deadlines.
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

/*
 * TLS I/O ignores MSG_DONTWAIT: on a blocking socket, libmariadb's non-blocking calls
 * would block until the answer is there.
 */
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

/* libmariadb keeps the password in order to change the user later, which we never do. */
static void forget_password(MYSQL *mysql)
{
	if (mysql->passwd != NULL)
		explicit_bzero(mysql->passwd, strlen(mysql->passwd));
}

/* Before connecting; is_private() looks again after the login. */
static bool can_be_private(struct connector *connector)
{
	char reason[TLS_PEER_REASON_SIZE];

	if (!connector->tls || tls_peer_is_possible(reason))
		return true;
	set_error(connector, 2026, reason);
	return false;
}

static bool log_in(struct connector *connector)
{
	connector->mysql = mysql_init(NULL);
	if (connector->mysql == NULL || !set_options(connector)) {
		set_error(connector, 2008, "out of memory");
		return false;
	}
	if (!can_be_private(connector))
		return false;
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
	/*
	 * Checked before any statement. So far only a scramble of the password was
	 * sent, see set_options().
	 */
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
	/* This cannot block: an eventfd always takes a 1 if nobody else writes to it. */
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

/* Splits an entry of database.hosts into the fields for mysql_real_connect(). */
static void set_host(struct connector *connector, const char *spec)
{
	struct endpoint endpoint;

	if (!endpoint_parse_server(spec, &endpoint))
		abort();	/* config-check.c has checked it */
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
		/* If there is another host, leave time to try it. */
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
	/* After the exchange a running thread may free the connector at any time. */
	if (atomic_exchange(&connector->state, CANCELLED) == RUNNING) {
		thread_leave(thread);
		return;
	}
	thread_join(connector->host->threads, thread);
	connector_free(connector);
}
