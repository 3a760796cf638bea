# SPDX-License-Identifier: MIT
"""What is measured: a private MariaDB, three mumd, two responders, three Postfix."""

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import lab    # noqa: E402
from lab.lab import Process, accepts, run    # noqa: E402
from lab.mumd import mariadb_settings    # noqa: E402
from lab.mariadb import POSTFIX_PASSWORD    # noqa: E402

import dataset    # noqa: E402
import peers    # noqa: E402

PASSWORD = "bench-secret"
# Users of their own, so that connections can be told apart in the processlist.
USERS = f"""
CREATE USER 'mum_stock'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
GRANT SELECT ON mum.* TO 'mum_stock'@'127.0.0.1';
CREATE USER 'mum_smtp'@'localhost' IDENTIFIED BY '{PASSWORD}';
GRANT SELECT ON mum.* TO 'mum_smtp'@'localhost';
"""
# All data in memory, and room for the connections that stock Postfix needs.
LARGE = "SET GLOBAL innodb_buffer_pool_size = 1073741824; SET GLOBAL max_connections = 500;"


class Postfix(lab.Postfix):
    """The lab's Postfix with its queue on tmpfs; otherwise the disk would limit smtpd."""

    def __init__(self, the_lab, memory, name, settings=()):
        super().__init__(the_lab, ("127.0.0.1", lab.free_port()), name=name)
        run("cp", "-a", self.queue, memory / name)
        self.queue = memory / name
        self.sockets = self.queue / "mum"
        self.set(f"queue_directory = {self.queue}",
                 # wrong recipients and long sessions must not slow smtpd down
                 "smtpd_error_sleep_time = 0", "smtpd_soft_error_limit = 1000000",
                 "smtpd_hard_error_limit = 1000000", "smtpd_junk_command_limit = 1000000",
                 *settings)

    def master_pid(self):
        return int((self.queue / "pid/master.pid").read_text())


class MumdBefore(lab.Mumd):
    """The mumd of the commit that is compared."""
    built = None    # its path; set before the first one is started

    def program(self):
        copy = self._lab.directory("bin") / "mumd-before"
        if not copy.exists():
            shutil.copy2(self.built, copy)
        return copy


class Servers:
    """Starts everything below one lab; the lab stops it.

    before: the mumd to compare with; None for none. Its servers have " before" in their names.
    """

    def __init__(self, the_lab, memory, programs, data, before=None):
        self._lab, self._memory, self._programs = the_lab, memory, programs
        MumdBefore.built = before
        self.versions = {"": lab.Mumd, **({" before": MumdBefore} if before else {})}
        self.database = lab.MariaDB(the_lab)
        the_lab.own(self.database)
        self.database.start()
        self.database.sql(LARGE)
        self.database.load_mum(data.fill_sql())
        self.database.sql(USERS)
        self.mumd = {}
        for version in self.versions:
            self._mumd("uncached", version, {"ttl": "0s"})
            self._mumd("cached", version, {"ttl": "1h", "entries": "200000"})
        self.responder = {
            "socketmap": self._responder(the_lab.path / "limit-socketmap", "socketmap"),
            "policy": self._responder(the_lab.path / "limit-policy", "policy")}
        self.peers = peers.start(the_lab)
        self.stock_files = self._write_stock_files()

    def _mumd(self, name, version, cache, sockets=None, user="mum_postfix",
              password=POSTFIX_PASSWORD):
        settings = {"database": mariadb_settings(self.database, password, user=user),
                    "process": {"max_clients": 5000}}
        if cache:
            settings["cache"] = cache
        make = self.versions[version]
        self.mumd[name + version] = make(self._lab, settings, sockets=sockets,
                                         name=f"mumd-{name}{version.replace(' ', '-')}").start()

    def to_start(self):
        """A mumd that does not run."""
        return lab.Mumd(self._lab, {"database": mariadb_settings(self.database, POSTFIX_PASSWORD)},
                        name="mumd-start")

    def _responder(self, path, protocol, *options):
        process = self._lab.own(Process(
            [self._programs / "mum-responder", "--protocol", protocol, *options, path],
            f"{self._lab.path}/responder.log"))
        lab.wait_until(lambda: accepts(path), f"responder at {path}")
        process.path = path
        return process

    def _write_stock_files(self):
        files = {}
        for name, query in dataset.STOCK_QUERIES.items():
            files[name] = self._lab.path / f"{name}.cf"
            files[name].write_text(
                f"user = mum_stock\npassword = {PASSWORD}\ndbname = mum\n"
                f"hosts = 127.0.0.1:{self.database.port}\nquery = {query}\n")
        return files

    def start_postfix(self):
        """Stock mysql: tables, mumd with default settings (of each version), the responder."""
        tables = {name: f"mysql:{path}" for name, path in self.stock_files.items()}
        stock = Postfix(self._lab, self._memory, "stock", [
            f"virtual_mailbox_domains = {tables['domains']}",
            f"virtual_mailbox_maps = {tables['mailboxes']}",
            f"virtual_alias_maps = {tables['aliases']}",
            "virtual_alias_domains = $virtual_alias_maps",
            f"smtp_tls_policy_maps = {tables['tls-policies']}",
            f"smtpd_recipient_restrictions = check_recipient_access {tables['recipient-access']}"])
        ours = {f"ours{version}": Postfix(self._lab, self._memory, f"ours{version.replace(' ', '-')}")
                for version in self.versions}
        limit = Postfix(self._lab, self._memory, "limit")
        for version in self.versions:
            self._mumd("smtp", version, {}, ours[f"ours{version}"].sockets, "mum_smtp", PASSWORD)
        self._smtp_responders = {
            "socketmap": self._responder(limit.sockets / "socketmap", "socketmap",
                                         "--reply", "aliases=NOTFOUND "),
            "policy": self._responder(limit.sockets / "policy", "policy")}
        return {name: postfix.start()
                for name, postfix in {"stock": stock, **ours, "limit": limit}.items()}

    def smtp_responders(self):
        return {name: process.pid for name, process in self._smtp_responders.items()}

    def pid(self, name):
        return self.database.process.pid if name == "MariaDB" else self.mumd[name].process.pid
