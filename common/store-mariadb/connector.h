/* SPDX-License-Identifier: MIT */
/*
 * Opens one database connection in a short-lived thread, since name lookup,
 * the TLS handshake and the first statements block. The thread calls
 * libmariadb and nothing else; all signals are blocked in it.
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
	bool tls_verify_name;	/* and any certificate for another host */
	const char *tls_ca;
	unsigned timeout_ms;	/* for connecting, and for each statement later on */
};

enum { CONNECTOR_ERROR_SIZE = 512 };

/* Those for one entry of database.hosts; they point into the configuration. */
struct connector_settings connector_settings(const struct mum_config *config,
					     const char *host);

/*
 * A connection that has read a real table is in non-blocking mode and the
 * callee's to close, and has these collations; NULL comes with the error's
 * number and text. What is not the callee's is gone when it returns.
 */
typedef void connector_done_fn(MYSQL *mysql, const struct collations *collations,
			       unsigned error_number, const char *error_text, void *arg);

/* Copies the settings. fn runs once, from the loop, unless cancelled. */
struct connector *connector_start(const struct mum_host *host,
				  const struct connector_settings *settings,
				  connector_done_fn *fn, void *arg);
/*
 * In the calling thread, which blocks, as the connection does later on; reads no
 * table. For tools. NULL sets the error.
 */
MYSQL *connector_open(const struct connector_settings *settings,
		      unsigned *error_number_r, char error_text_r[CONNECTOR_ERROR_SIZE]);

/* Does not wait: the thread cleans up after itself. Sets NULL; NULL is fine. */
void connector_cancel(struct connector **connector);

#endif
