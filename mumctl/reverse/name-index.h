/* SPDX-License-Identifier: MIT */
/*
 * Which aliases have a recipient, typed in as text, that may mean a name. Only may, because
 * another name may come before it: the caller must prove what it finds here. Pure.
 */
#ifndef MUM_NAME_INDEX_H
#define MUM_NAME_INDEX_H

#include <stdint.h>

#include "common/recipients.h"

struct name_index;

/* Both outlive the index. */
struct name_index *name_index_new(const struct recipients_settings *settings,
				  const char *delimiters);
void name_index_free(struct name_index **index);	/* sets NULL; NULL is fine */

/* A recipient without a mailbox, as stored. */
void name_index_add(struct name_index *index, const char *text, uint64_t alias);

/* name: folded, as address_fold() does. */
typedef void name_index_fn(uint64_t alias, void *arg);
void name_index_find(const struct name_index *index, const char *name, name_index_fn *fn,
		     void *arg);

/* The same for each wanted name that has no extension that may be removed. */
typedef bool name_index_wants_fn(const char *name, void *arg);
void name_index_find_wanted(const struct name_index *index, name_index_wants_fn *wants,
			    void *wants_arg, name_index_fn *fn, void *arg);

/*
 * Calls fn with each name that becomes this one if an extension is added: mail to an
 * alias with an extension goes to its recipients with the same extension.
 */
typedef void name_index_stem_fn(const char *stem, void *arg);
void name_index_each_stem(const char *name, const char *delimiters, name_index_stem_fn *fn,
			  void *arg);

#endif
