/* SPDX-License-Identifier: MIT */
/* The domain behind a bare name: myorigin of postconf(5). */
#ifndef MUM_MYORIGIN_H
#define MUM_MYORIGIN_H

/*
 * value is the domain itself, or, as in Debian's main.cf, the absolute path of a file that
 * begins with it. NULL when the file cannot be read or holds no domain. Caller frees.
 */
char *myorigin_read(const char *value);
/* The name of this host, Postfix's default for myorigin. Caller frees. */
char *myorigin_of_host(void);

#endif
