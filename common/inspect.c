/* SPDX-License-Identifier: MIT */
#include "common/inspect.h"

struct inspect *inspect_open(const struct mum_config *config, size_t host,
			     struct inspect_error *error_r)
{
	return config->database.driver == MUM_DRIVER_SQLITE
		       ? inspect_sqlite_open(config, false, error_r)
		       : inspect_mariadb_open(config, host, error_r);
}

size_t inspect_hosts(const struct mum_config *config)
{
	return config->database.driver == MUM_DRIVER_SQLITE ? 1 : config->database.hosts.count;
}

struct inspect *inspect_open_any(const struct mum_config *config,
				 struct inspect_error *error_r)
{
	struct inspect *inspect = NULL;

	for (size_t i = 0; i < inspect_hosts(config) && inspect == NULL; i++)
		inspect = inspect_open(config, i, error_r);
	return inspect;
}

struct inspect *inspect_open_writer(const struct mum_config *config, size_t host,
				    struct inspect_error *error_r)
{
	return config->database.driver == MUM_DRIVER_SQLITE
		       ? inspect_sqlite_open(config, true, error_r)
		       : inspect_mariadb_open(config, host, error_r);
}

void inspect_close(struct inspect **_inspect)
{
	struct inspect *inspect = *_inspect;

	*_inspect = NULL;
	if (inspect != NULL)
		inspect->ops->close(inspect);
}

const char *inspect_cipher(const struct inspect *inspect)
{
	return inspect->cipher;
}

bool inspect_query(struct inspect *inspect, const char *sql, inspect_row_fn *fn,
		   void *arg, struct inspect_error *error_r)
{
	return inspect->ops->query(inspect, sql, fn, arg, error_r);
}

bool inspect_begin(struct inspect *inspect, const char *sql, const char *const *values,
		   size_t count, struct inspect_error *error_r)
{
	return inspect->ops->begin(inspect, sql, values, count, error_r);
}

bool inspect_rows(struct inspect *inspect, inspect_row_fn *fn, void *arg,
		  struct inspect_error *error_r)
{
	return inspect->ops->rows(inspect, fn, arg, error_r);
}

bool inspect_ask(struct inspect *inspect, const char *sql, const char *const *values,
		 size_t count, inspect_row_fn *fn, void *arg, struct inspect_error *error_r)
{
	return inspect_begin(inspect, sql, values, count, error_r) &&
	       inspect_rows(inspect, fn, arg, error_r);
}

bool inspect_columns(struct inspect *inspect, const char *sql, inspect_name_fn *fn,
		     void *arg, struct inspect_error *error_r)
{
	return inspect->ops->columns(inspect, sql, fn, arg, error_r);
}
