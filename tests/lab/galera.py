# SPDX-License-Identifier: MIT
"""A Galera cluster of private MariaDB servers."""

import contextlib
import re

from .lab import LabError, free_port, run, wait_until
from .mariadb import MariaDB

# The others notice a lost node after two seconds instead of five. A node that comes back
# counts as new, so nobody waits for the old one.
TIMEOUTS = ("pc.recovery=no;evs.keepalive_period=PT0.5S;evs.inactive_check_period=PT0.5S;"
            "evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S;evs.install_timeout=PT4S")


class Galera:
    """nodes: a MariaDB each, the first of them founds the cluster."""

    def __init__(self, lab, name="galera", count=3):
        ports = [free_port() for _ in range(count)]
        self.nodes = [MariaDB(lab, f"{name}-{number}", self._settings(name, port, ports))
                      for number, port in enumerate(ports, start=1)]

    @staticmethod
    def _settings(name, port, ports):
        transfer = free_port()
        members = ",".join(f"127.0.0.1:{member}" for member in ports)
        return [
            "binlog_format=ROW",
            "default_storage_engine=InnoDB",
            "innodb_autoinc_lock_mode=2",
            "wsrep_on=ON",
            "wsrep_provider=/usr/lib/galera/libgalera_smm.so",
            # MariaDB 11 would have a variable for each option instead.
            "loose_plugin_wsrep_provider=OFF",
            f"wsrep_cluster_name={name}",
            f"wsrep_cluster_address=gcomm://{members}",
            "wsrep_node_address=127.0.0.1",
            "wsrep_sst_method=rsync",
            f"wsrep_sst_receive_address=127.0.0.1:{transfer}",
            f'wsrep_provider_options="base_host=127.0.0.1;base_port={port};'
            f"gmcast.listen_addr=tcp://127.0.0.1:{port};ist.recv_addr=127.0.0.1:{free_port()};"
            f'gcache.size=16M;{TIMEOUTS}"',
        ]

    def start(self):
        self.nodes[0].start(options=["--wsrep-new-cluster"])
        self.join(*self.nodes[1:])
        return self

    def join(self, *nodes):
        """Starts these nodes; returns when each has the cluster's data and serves it.

        One after the other: two at once wait for each other."""
        for node in nodes:
            node.start(options=self._recovered(node))
            wait_until(lambda node=node: self.status(node, "wsrep_local_state_comment") == "Synced",
                       f"{node.directory.name} in the cluster", timeout=30, interval=0.1)

    @staticmethod
    def _recovered(node):
        """The last transaction of a node that was killed, so that it gets only what it lacks.

        Debian's service does the same, with galera_recovery(1).
        """
        if node.process is None:
            return []
        log = node.directory / "recover.log"
        run("mariadbd", f"--defaults-file={node.config}", "--wsrep-recover", f"--log-error={log}")
        position = re.findall(r"Recovered position: *(\S+)", log.read_text())
        if not position:
            raise LabError(f"{node.directory.name} knows no position to go on from")
        return [f"--wsrep-start-position={position[-1]}"]

    @staticmethod
    def found_anew(node):
        """Makes a survivor without quorum the cluster, as an admin does."""
        node.sql("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=true'")

    @staticmethod
    @contextlib.contextmanager
    def isolated(node):
        """Isolates the node, as if its cable were pulled; its own clients still reach it."""
        node.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
        try:
            yield
        finally:
            node.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")

    @staticmethod
    def status(node, name):
        return node.sql(f"SHOW STATUS LIKE '{name}'")[0][1]
