/* SPDX-License-Identifier: MIT */
/*
 * What doveconf(1) of Dovecot 2.4 prints: settings, one on a line, in sections that have
 * braces. Only Dovecot reads the files themselves: they include other files, and have groups
 * and values that go on in the next line.
 */
#ifndef MUM_DOVECONF_H
#define MUM_DOVECONF_H

#include <stddef.h>

struct doveconf;

struct doveconf *doveconf_new(void);
void doveconf_free(struct doveconf **conf);	/* sets NULL; NULL is fine */

/* Takes one line that doveconf printed, and wipes it. */
void doveconf_add_line(struct doveconf *conf, char *line);

/*
 * Runs doveconf for some settings, secrets included; the list of names ends with NULL.
 * file: a configuration; NULL for that of Dovecot itself. If doveconf cannot read it,
 * *why_r is its last error, which the caller frees; else NULL.
 */
struct doveconf *doveconf_load(const char *file, const char *const *names, char **why_r);

/*
 * The value of a setting; NULL if it is not set. section: the sections that it is in, each
 * with its word and name ("passdb sql"), and DOVECONF_INNER between them; "" for none.
 */
#define DOVECONF_INNER "\n"
const char *doveconf_value(const struct doveconf *conf, const char *section, const char *name);

/*
 * Calls fn with each section, in order, or with each setting of one. A section that
 * is there twice counts once.
 */
typedef void doveconf_section_fn(const char *section, void *arg);
typedef void doveconf_setting_fn(const char *name, const char *value, void *arg);
void doveconf_each_section(const struct doveconf *conf, doveconf_section_fn *fn, void *arg);
void doveconf_each_setting(const struct doveconf *conf, const char *section,
			   doveconf_setting_fn *fn, void *arg);

/* Removes the quotes that doveconf puts around a value if a configuration needs them. */
char *doveconf_unquote(char *value);

#endif
