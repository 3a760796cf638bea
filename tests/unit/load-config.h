/* SPDX-License-Identifier: MIT */
/* A mum.conf with this text, as mumd reads it. */
#ifndef LOAD_CONFIG_H
#define LOAD_CONFIG_H

#include "common/config.h"

/* Setup and teardown of a group of tests: a folder for the file. */
int load_config_setup(void **state);
int load_config_teardown(void **state);
const char *load_config_folder(void);

/* In *errors_r, which the caller frees, the path of the file is "mum.conf". */
struct mum_config *load_config(const char *text, char **errors_r);

#endif
