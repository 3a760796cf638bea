/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/errors.h"

#include <stddef.h>

enum { TLS_FAILED = 2026 };

/* https://mariadb.com/kb/en/mariadb-error-code-reference/; 2xxx are the client's. */
static const struct {
	unsigned number;
	enum error_class class;
} errors[] = {
	{ 1205, ERROR_SLOW },		/* lock wait timeout */
	{ 1969, ERROR_SLOW },		/* max_statement_time, MariaDB */
	{ 3024, ERROR_SLOW },		/* max_execution_time, MySQL */
	{ 1040, ERROR_CROWDED },	/* too many connections */
	{ 1203, ERROR_CROWDED },	/* too many connections of this user */
	{ 1226, ERROR_CROWDED },	/* resource limit of this user */
	{ 1044, ERROR_MISCONFIGURED },	/* access denied to the database */
	{ 1045, ERROR_MISCONFIGURED },	/* access denied: user, password, plugin */
	{ 1049, ERROR_MISCONFIGURED },	/* unknown database */
	{ 1054, ERROR_MISCONFIGURED },	/* unknown column */
	{ 1064, ERROR_MISCONFIGURED },	/* syntax: a server too old for JSON_TABLE */
	{ 1130, ERROR_MISCONFIGURED },	/* this host may not connect */
	{ 1142, ERROR_MISCONFIGURED },	/* no grant on the table */
	{ 1143, ERROR_MISCONFIGURED },	/* no grant on a column */
	{ 1146, ERROR_MISCONFIGURED },	/* no such table */
	{ 1524, ERROR_MISCONFIGURED },	/* authentication plugin not loaded */
	{ 1698, ERROR_MISCONFIGURED },	/* access denied, no password */
	{ 3159, ERROR_MISCONFIGURED },	/* require_secure_transport, MySQL */
	{ 2005, ERROR_MISCONFIGURED },	/* unknown host name */
	{ TLS_FAILED, ERROR_MISCONFIGURED },	/* TLS refused or not there */
	{ 2059, ERROR_MISCONFIGURED },	/* authentication plugin cannot be loaded */
	{ 1047, ERROR_OUTSIDE },	/* Galera node outside the primary component */
	{ 1053, ERROR_OUTSIDE },	/* server shutdown */
	{ 1152, ERROR_LOST }, { 1153, ERROR_LOST }, { 1154, ERROR_LOST },
	{ 1155, ERROR_LOST }, { 1156, ERROR_LOST }, { 1157, ERROR_LOST },
	{ 1158, ERROR_LOST }, { 1159, ERROR_LOST }, { 1160, ERROR_LOST },
	{ 1161, ERROR_LOST }, { 1184, ERROR_LOST }, { 1927, ERROR_LOST },
	{ 2002, ERROR_LOST }, { 2003, ERROR_LOST }, { 2006, ERROR_LOST },
	{ 2012, ERROR_LOST }, { 2013, ERROR_LOST }, { 2014, ERROR_LOST },
	{ 2027, ERROR_LOST }, { 2030, ERROR_LOST }, { 2055, ERROR_LOST },
	{ 2057, ERROR_LOST },		/* columns changed: prepare anew */
	{ 1253, ERROR_LOST },		/* a column's collation changed: read it anew */
	{ 1690, ERROR_LOST },		/* the same, found by the statement's UNLESS() */
	{ 1267, ERROR_LOST }, { 1270, ERROR_LOST }, { 1271, ERROR_LOST },
	{ ERROR_PLUGIN, ERROR_MISCONFIGURED },
	{ ERROR_SESSION, ERROR_MISCONFIGURED },
	{ ERROR_TRANSACTION, ERROR_LOST },
	{ 4031, ERROR_LOST },		/* MySQL 8: idle too long */
};

enum error_class error_classify(unsigned number, bool connected)
{
	/* TLS had accepted this connection, so now a record was damaged. */
	if (number == TLS_FAILED && connected)
		return ERROR_LOST;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].number == number)
			return errors[i].class;
	}
	return ERROR_RETRY;
}
