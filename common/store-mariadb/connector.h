/* SPDX-License-Identifier: MIT */
/*
 * Opens one database connection in a short-lived thread, because name lookup, the TLS
 * handshake and the first statements block. The thread calls libmariadb and nothing
 * else; all signals are blocked in it.
 */
#ifndef MUM_STORE_MARIADB_CONNECTOR_H
#define MUM_STORE_MARIADB_CONNECTOR_H

#include <stdbool.h>

#include "common/config.h"
#include "common/host.h"
#include "common/store-mariadb/client.h"
#include "common/store-mariadb/collations.h"

struct connector;

struct connector_settings {
	const char *host;	/* unix:PATH, HOST, HOST:PORT or [V6]:PORT */
	const char *user, *password, *database;
	bool tls;		/* refuse anything unencrypted or without a chain to tls_ca */
	bool tls_verify_name;	/* refuse any certificate for another host, too */
	const char *tls_ca;
	unsigned timeout_ms;	/* for connecting, and for each statement later on */
};

enum { CONNECTOR_ERROR_SIZE = 512 };

/* The settings for one entry of database.hosts; they point into the configuration. */
struct connector_settings connector_settings(const struct mum_config *config,
					     const char *host);

/*
 * mysql is a connection that has read a real table: in non-blocking mode, with these
 * collations, and the callback must close it. Or mysql is NULL, and the error's number
 * and text say why. All arguments but mysql are gone when the callback returns.
 */
typedef void connector_done_fn(MYSQL *mysql, const struct collations *collations,
			       unsigned error_number, const char *error_text, void *arg);

/* Copies the settings. fn runs once, from the loop, unless cancelled. */
struct connector *connector_start(const struct mum_host *host,
				  const struct connector_settings *settings,
				  connector_done_fn *fn, void *arg);
/*
 * Connects in the calling thread; for tools. The call blocks, and so does the
 * connection later on. It reads no table. NULL sets the error.
 */
MYSQL *connector_open(const struct connector_settings *settings,
		      unsigned *error_number_r, char error_text_r[CONNECTOR_ERROR_SIZE]);

/* Does not wait: the thread cleans up after itself. Sets NULL; NULL is fine. */
void connector_cancel(struct connector **connector);

#endif
