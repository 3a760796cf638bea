/* SPDX-License-Identifier: MIT */
/*
 * The values of those options of mum.conf(5) that want one of several words, in the order of
 * the words in config-options.c.
 */
#ifndef MUM_CONFIG_CHOICES_H
#define MUM_CONFIG_CHOICES_H

enum mum_driver { MUM_DRIVER_MARIADB, MUM_DRIVER_SQLITE };
enum mum_tls { MUM_TLS_DEFAULT, MUM_TLS_OFF, MUM_TLS_VERIFY_CA, MUM_TLS_VERIFY_FULL };
enum mum_check { MUM_CHECK_ENFORCE, MUM_CHECK_WARN, MUM_CHECK_OFF };
enum mum_sender_login { MUM_SENDER_STRICT, MUM_SENDER_KNOWN };
enum mum_unauthenticated { MUM_UNAUTHENTICATED_ACCEPT, MUM_UNAUTHENTICATED_REJECT };
enum mum_send_reply { MUM_SEND_DEFER, MUM_SEND_REJECT, MUM_SEND_HOLD };
enum mum_quota_reply { MUM_QUOTA_DEFER, MUM_QUOTA_REJECT };
enum mum_verify { MUM_VERIFY_WORKER, MUM_VERIFY_INLINE };

#endif
