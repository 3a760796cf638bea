/* SPDX-License-Identifier: MIT */
/* What an error of MariaDB or MySQL means for us. Error numbers stop here. */
#ifndef MUM_STORE_MARIADB_ERRORS_H
#define MUM_STORE_MARIADB_ERRORS_H

#include "common/error-class.h"

/* Unknown numbers are ERROR_RETRY: trouble, never an answer. */
enum error_class error_classify(unsigned number);

#endif
