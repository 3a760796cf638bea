# SPDX-License-Identifier: MIT
"""A private MySQL in place of MariaDB: see tests/mysql/run."""

import os
import pathlib
import shutil

from .lab import Process, run
from .mariadb import MariaDB

# Those of MariaDB._settings() that MySQL does not have.
UNKNOWN = ("innodb_log_file_size=", "performance_schema=")


class MySQL(MariaDB):
    """The mysqld of the Debian in the directory that LAB_MYSQL names."""

    SHOWS_HASHES = False

    def __init__(self, lab, name="db", settings=(), root=None):
        super().__init__(lab, name, settings, root or pathlib.Path(os.environ["LAB_MYSQL"]))

    def _settings(self):
        """As in MariaDB: TLS only with use_tls(), and no connection of the server's own."""
        return [line for line in super()._settings() if not line.startswith(UNKNOWN)] + [
            "mysqlx=OFF", "secure-file-priv=NULL", "event-scheduler=DISABLED",
            *([] if self._tls else ["tls-version="])]

    def _install(self):
        """The first server's fresh data directory stays in its root; others copy it."""
        for name in ("data", "scratch"):
            self._lab.directory(self.directory / name, "mysql", mode=0o700)
        self.config.write_text("\n".join(self._settings()) + "\n")
        template = self._root / "srv/mysql-template"
        if template.exists():
            shutil.rmtree(self.directory / "data")
            run("cp", "-a", template, self.directory / "data")
            return
        run(*self._of_root("mysqld", f"--defaults-file={self.config}", "--initialize-insecure"))
        new = self._root / f"srv/{self._lab.path.name}"     # another name until it is complete
        run("cp", "-a", self.directory / "data", new)
        run("mv", "-nT", new, template)                     # another lab may have been faster
        shutil.rmtree(new, ignore_errors=True)

    def reload_tls(self):
        self.sql("ALTER INSTANCE RELOAD TLS")

    def connections(self, user="mum_postfix"):
        """MySQL reads no list of processes whose statements have letters beyond utf8mb3."""
        return [row[0] for row in self.sql("SELECT processlist_id FROM performance_schema.threads "
                                           f"WHERE processlist_user = '{user}'")]

    def disconnect(self, *users):
        for user in users:
            for connection in self.connections(user):
                self.sql(f"KILL {connection}", check=False)     # it may be gone by now

    def start(self, wait=True, options=()):
        self.config.write_text("\n".join(self._settings()) + "\n")
        self.process = Process(
            self._of_root("mysqld", f"--defaults-file={self.config}", *options),
            self.directory / "out.log")
        self._lab.at_end(self.process.kill)
        if wait:
            self.wait()
        return self
