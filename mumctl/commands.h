/* SPDX-License-Identifier: MIT */
/* The commands of mumctl(8): each has a file or a folder. */
#ifndef MUM_COMMANDS_H
#define MUM_COMMANDS_H

#include "mumctl/tool.h"

command_fn command_auth;
command_fn command_check;
command_fn command_compare;
command_fn command_domain;
command_fn command_explain;
command_fn command_homes;
command_fn command_list;
command_fn command_measure;
command_fn command_policy;
command_fn command_query;
command_fn command_senders;
command_fn command_setup;
command_fn command_user;

/* What a command prints if it is used wrongly; main.c prints them all. */
#define USAGE_AUTH "auth [--password-stdin] USER"
#define USAGE_CHECK "check [--all]"
#define USAGE_COMPARE \
	"compare [--all] [--maillog FILE] [--keys FILE] [--postfix DIR] [--dovecot FILE]"
#define USAGE_DOMAIN "domain NAME"
#define USAGE_EXPLAIN "explain ADDRESS [--as LOGIN]"
#define USAGE_HOMES "homes [--size] [--under PATH]"
#define USAGE_LIST "list [PATTERN]"
#define USAGE_MEASURE "measure"
#define USAGE_POLICY "policy NAME=VALUE..."
#define USAGE_QUERY "query MAP KEY"
#define USAGE_SENDERS "senders"
#define USAGE_SETUP "setup"
#define USAGE_USER "user ADDRESS [--for VERSION]"

#endif
