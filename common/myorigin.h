/* SPDX-License-Identifier: MIT */
/* The domain behind a bare name: myorigin of postconf(5). */
#ifndef MUM_MYORIGIN_H
#define MUM_MYORIGIN_H

/*
 * value is the domain itself, or the absolute path of a file whose first line it is,
 * as Debian writes it in main.cf. NULL when the file cannot be read or holds none.
 * The caller frees it.
 */
char *myorigin_read(const char *value);
/* The name of this host, which Postfix takes where nothing else is set. Caller frees. */
char *myorigin_of_host(void);

#endif
