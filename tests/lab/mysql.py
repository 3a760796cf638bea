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

    def __init__(self, lab, name="db", settings=(), root=None):
        super().__init__(lab, name, settings, root or pathlib.Path(os.environ["LAB_MYSQL"]))

    def _settings(self):
        return [line for line in super()._settings() if not line.startswith(UNKNOWN)] + [
            "mysqlx=OFF", "secure-file-priv=NULL"]

    def _install(self):
        """A lab makes one fresh data directory; other servers copy it."""
        for name in ("data", "scratch"):
            self._lab.directory(self.directory / name, "mysql", mode=0o700)
        self.config.write_text("\n".join(self._settings()) + "\n")
        template = self._lab.path / "mysql-template"
        if not template.exists():
            run(*self._of_root("mysqld", f"--defaults-file={self.config}",
                               "--initialize-insecure"))
            run("cp", "-a", self.directory / "data", template)
        else:
            shutil.rmtree(self.directory / "data")
            run("cp", "-a", template, self.directory / "data")

    def start(self, wait=True, options=()):
        self.config.write_text("\n".join(self._settings()) + "\n")
        self.process = Process(
            self._of_root("mysqld", f"--defaults-file={self.config}", *options),
            self.directory / "out.log")
        self._lab.at_end(self.process.kill)
        if wait:
            self.wait()
        return self
