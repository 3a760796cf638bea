/* SPDX-License-Identifier: MIT */
/* What Dovecot's auth process lends to the core (common/host.h): its ioloop and log. */
#ifndef MUM_HOST_DOVECOT_H
#define MUM_HOST_DOVECOT_H

#include "common/host.h"

extern const struct mum_host host_dovecot;

#endif
