/* SPDX-License-Identifier: MIT */
/*
 * mum.conf(5): one file for every program, read into one const struct. The
 * table in config-options.c is the only list of options, types and defaults.
 */
#ifndef MUM_CONFIG_H
#define MUM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address-fallback.h"
#include "common/arena.h"
#include "common/config-choices.h"
#include "common/readings.h"

/* The program that reads the file; each has its own database user. */
enum mum_role {
	MUM_ROLE_POSTFIX,	/* mumd: never opens dovecot.password_file */
	MUM_ROLE_DOVECOT,	/* the auth module: never opens database.password_file */
	MUM_ROLE_MEASURE	/* mumctl measure: never opens either of them */
};

struct mum_list {
	size_t count;
	const char *const *items;
};

/* Times are milliseconds, sizes are bytes. Strings are never NULL unless said. */
struct mum_config {
	struct {
		enum mum_driver driver;
		struct mum_list hosts;	/* unix:PATH or HOST[:PORT] */
		const char *name, *user;
		const char *password;	/* the role's; "" if none */
		const char *password_file, *path;	/* path: the SQLite file */
		enum mum_tls tls;
		const char *tls_ca;
		unsigned connections, deadline;		/* deadline: the role's */
	} database;
	struct {
		const char *user, *password, *password_file;
		unsigned deadline, smtp_deadline;
		struct mum_list send_only_refuse;
		enum mum_verify verify;
		bool allow_scheme_prefix;
		unsigned max_bcrypt_cost, max_argon2_time, max_crypt_rounds, max_yescrypt_cost;
		size_t max_argon2_memory;
	} dovecot;
	struct {
		const char *recipient_delimiter;
		bool propagate_extension, allow_percent_hack, swap_bangpath;
		const char *myorigin;	/* never empty */
		const char *mydomain;	/* "": append_dot_mydomain is "no" */
		bool other_maps, catch_all, catch_all_senders;
		struct mum_list roles;	/* local parts; empty: off */
		const char *role_recipient;	/* with roles: an address */
	} address;
	struct {
		const char *user, *password, *password_file;
		unsigned deadline;	/* ms without a line of doveadm */
	} measure;
	struct {
		const char *timezone;
	} mum;
	struct {
		unsigned ttl, stale, entries;
	} cache;
	struct {
		struct mum_list listen;	/* unix:PATH or inet:HOST:PORT */
	} socketmap;
	struct {
		struct mum_list listen;
		enum mum_check recipient, sender;
		enum mum_sender_login sender_login;
		enum mum_unauthenticated sender_unauthenticated;
		enum mum_check send;
		unsigned send_rate, send_period, send_burst;
		enum mum_send_reply send_reply;
		struct mum_list send_limits;	/* send_limit_parse() takes each */
		struct mum_list send_exempt;	/* logins, and domains as @DOMAIN */
		unsigned send_logins;
		const char *send_state, *send_socket;	/* paths */
		enum mum_check quota;
		const char *quota_status;	/* unix:PATH */
		enum mum_quota_reply quota_reply;
		unsigned quota_recipients, quota_connections, quota_deadline, quota_ttl;
	} policy;
	struct {
		const char *listen;	/* unix:PATH or inet:HOST:PORT; "" = off */
		bool allow_remote;
	} metrics;
	struct {
		const char *user, *socket_group;
		unsigned socket_mode, max_clients;	/* mode: permission bits */
		bool sandbox;
	} process;
	char *secret;			/* database.password points to it */
	struct arena arena;		/* owns every other string and list */
};

/*
 * Reads the file at path and the password file of the role. NULL when anything
 * is wrong; *errors_r then holds one line per fault, each "FILE:LINE: what is
 * wrong and what fixes it", without a final newline. Caller frees both.
 */
struct mum_config *mum_config_load(const char *path, enum mum_role role, char **errors_r);
/* Wipes the passwords. Sets NULL; NULL is fine. */
void mum_config_free(struct mum_config **config);

/* Is this entry of database.hosts on this machine: a unix socket, or loopback? */
bool mum_config_is_local(const char *host);
/* Must the connection to this entry of database.hosts be encrypted? */
bool mum_config_wants_tls(const struct mum_config *config, const char *host);

/* Views of it for readings_make() and address_add_fallbacks(). */
struct reading_settings mum_config_readings(const struct mum_config *config);
struct fallback_settings mum_config_fallbacks(const struct mum_config *config);

#endif
