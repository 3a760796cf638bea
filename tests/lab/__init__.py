# SPDX-License-Identifier: MIT
"""A private mail system on loopback, for tests and demonstrations.

Everything is in one scratch directory, and starts and stops here. The lab does not touch the
machine's own Postfix, Dovecot and database. It needs root, for Postfix, and the packages
postfix, mariadb-server, dovecot-core and openssl.
"""

import os

from .clients import PolicyClient, SocketmapClient, netstring
from .dovecot import Dovecot
from .lab import Lab, LabError, free_port, wait_until
from .mariadb import MariaDB, PrivateCa
from .mumctl import Mumctl
from .mumd import Mumd
from .postfix import Postfix
from .recorder import Mail, MailRecorder
from .smtp import SmtpDialogue

if "LAB_MYSQL" in os.environ:   # tests/mysql/run
    from .mysql import MySQL as MariaDB

__all__ = [
    "Dovecot", "Lab", "LabError", "Mail", "MailRecorder", "MariaDB", "Mumctl",
    "Mumd", "PolicyClient", "Postfix", "PrivateCa", "SmtpDialogue", "SocketmapClient",
    "free_port", "netstring", "wait_until",
]
