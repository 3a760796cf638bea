/* SPDX-License-Identifier: MIT */
/* Who sent how much, as the running mumd says on policy.send_socket. */
#ifndef MUM_SENDER_LIST_H
#define MUM_SENDER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

struct sender {
	char *login;
	uint64_t sent, over;	/* recipients; those over the limit */
	uint64_t left;		/* recipients that it may send to now */
	int64_t since;		/* time of day, seconds: when it began to send */
	bool limited;		/* false: no limit, and left says nothing */
};

struct sender_list {
	size_t count;
	struct sender *items;	/* who sent most comes first */
};

/* The limits of config say what is left. False sets *why_r, which the caller frees. */
bool sender_list_ask(const struct mum_config *config, struct sender_list *list_r,
		      char **why_r);
void sender_list_free(struct sender_list *list);

#endif
