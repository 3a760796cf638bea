/* SPDX-License-Identifier: MIT */
/* A mum.conf of a text, as mumd reads it. */
#ifndef LOAD_CONFIG_H
#define LOAD_CONFIG_H

#include "common/config.h"
#include "tests/unit/scratch.h"

/* In *errors_r, which the caller frees, the path of the file is "mum.conf". */
struct mum_config *load_config(const struct scratch *scratch, const char *text,
			       char **errors_r);

#endif
