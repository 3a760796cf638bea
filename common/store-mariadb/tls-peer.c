/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/tls-peer.h"

#include <stdio.h>
#include <string.h>

#ifdef HAVE_DECL_MARIADB_OPT_TLS_VERIFICATION_CALLBACK
enum { CR_SSL_CONNECTION_ERROR = 2026 };

/*
 * OpenSSL's functions. They may be there because this process uses OpenSSL for something
 * else, and may not if libmariadb hides its own.
 */
void *SSL_get_ex_data(const void *ssl, int index) __attribute__((weak));
void *SSL_get1_peer_certificate(const void *ssl) __attribute__((weak));
void X509_free(void *certificate) __attribute__((weak));
int X509_check_host(void *certificate, const char *name, size_t len, unsigned flags,
		    char **peer_name) __attribute__((weak));
int X509_check_ip_asc(void *certificate, const char *address, unsigned flags)
	__attribute__((weak));

/* The beginning of MARIADB_TLS in <ma_tls.h>, which cannot be included from outside. */
struct tls {
	void *data;
	void *pvio;
	void *ssl;
};

static bool is_for_host(const struct tls *tls, const char *host)
{
	void *certificate = SSL_get1_peer_certificate(tls->ssl);
	bool is = certificate != NULL && host != NULL &&
		  (X509_check_host(certificate, host, strlen(host), 0, NULL) == 1 ||
		   X509_check_ip_asc(certificate, host, 0) == 1);

	X509_free(certificate);
	return is;
}

/* libmariadb keeps what OpenSSL found when it verified the chain up to the authority. */
static int verify_authority(const struct tls *tls, unsigned flags)
{
	/* The connection, as libmariadb's own openssl.c gets it: SSL_get_app_data(). */
	MYSQL *mysql = SSL_get_ex_data(tls->ssl, 0);

	(void)flags;
	return mysql->net.tls_verify_status != MARIADB_TLS_VERIFY_OK;
}

static int verify_authority_and_name(const struct tls *tls, unsigned flags)
{
	MYSQL *mysql = SSL_get_ex_data(tls->ssl, 0);

	if (verify_authority(tls, flags) != 0)
		return 1;
	if (is_for_host(tls, mysql->host))
		return 0;
	mysql->net.tls_verify_status |= MARIADB_TLS_VERIFY_HOST;
	mysql->net.last_errno = CR_SSL_CONNECTION_ERROR;
	snprintf(mysql->net.last_error, sizeof(mysql->net.last_error),
		 "TLS: the server's certificate is for another name");
	return 1;
}

static bool has_functions(void)
{
	return SSL_get_ex_data != NULL && SSL_get1_peer_certificate != NULL &&
	       X509_free != NULL && X509_check_host != NULL && X509_check_ip_asc != NULL;
}

static int set_callback(MYSQL *mysql, bool verify_name)
{
	return mysql_optionsv(mysql, MARIADB_OPT_TLS_VERIFICATION_CALLBACK,
			      verify_name ? verify_authority_and_name : verify_authority);
}
#else
static bool has_functions(void)
{
	return true;	/* it calls none */
}

static int set_callback(MYSQL *mysql, bool verify_name)
{
	(void)mysql;
	(void)verify_name;
	return 0;
}
#endif

bool tls_peer_is_possible(char reason_r[TLS_PEER_REASON_SIZE])
{
	static const char wanted[] = "OpenSSL ";
	const char *library = "";

	if (mariadb_get_infov(NULL, MARIADB_TLS_LIBRARY, &library) == 0 &&
	    strncmp(library, wanted, strlen(wanted)) == 0 && has_functions())
		return true;
	snprintf(reason_r, TLS_PEER_REASON_SIZE,
		 "TLS needs a libmariadb that is built with a shared OpenSSL; this one has %s",
		 *library != '\0' ? library : "none");
	return false;
}

int tls_peer_verify(MYSQL *mysql, bool verify_name)
{
	my_bool verify = 1;

	if (verify_name && mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify) != 0)
		return -1;
	return set_callback(mysql, verify_name);
}
