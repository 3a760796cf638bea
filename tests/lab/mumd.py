# SPDX-License-Identifier: MIT
"""mumd with a configuration of its own."""

import ctypes
import os
import pathlib
import shutil
import signal

from .clients import Client, PolicyClient, SocketmapClient
from . import metrics
from .lab import HasLog, LabError, Process, TOP, accepts, free_port, give, run, tail, wait_until

# mumd runs as this user after it has bound its sockets; every system has it.
USER = "nobody"
GROUP = "nogroup"


# landlock_create_ruleset(2), when it is asked for its version.
_CREATE_RULESET, _VERSION = 444, 1


def has_landlock():
    """Can mumd lock itself in on this kernel?"""
    return ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _VERSION) > 0


def sandbox_line():
    """How the first line of mumd's log begins."""
    return "locked in: starts no program" if has_landlock() else "not locked in: "


def binary():
    return pathlib.Path(os.environ.get("MUMD", TOP / "mumd")).resolve()


def render(settings):
    """{"section": {"option": value}} as mum.conf; lists become {"a", "b"}."""
    def text(value):
        if isinstance(value, (list, tuple)):
            return "{" + ", ".join(text(item) for item in value) + "}"
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'

    lines = []
    for section, options in settings.items():
        lines.append(section + " {")
        lines += [f"    {name} = {text(value)}" for name, value in options.items()]
        lines.append("}")
    return "\n".join(lines) + "\n"


def mariadb_settings(database, password, **more):
    """The database section for a MariaDB of the lab, over its unix socket."""
    return {"driver": "mariadb", "hosts": [f"unix:{database.socket}"], "name": "mum",
            "user": "mum_postfix", "password": password, **more}


def sqlite_settings(path, **more):
    return {"driver": "sqlite", "path": path, **more}


class Mumd(HasLog):
    """settings: {"section": {"option": value}}; write() adds sockets and user.

    sockets is the directory of the two sockets; mumd also listens on TCP ports of
    loopback, socketmap_port and policy_port. METRICS is an entry for metrics.listen,
    on metrics_port. runner: a command that becomes mumd, such as ("prlimit",
    "--nofile=64").
    """

    METRICS = "inet:127.0.0.1:METRICS_PORT"

    def __init__(self, lab, settings, name="mumd", sockets=None, runner=()):
        self._lab = lab
        self._runner = runner
        self.directory = lab.directory(name)
        self.sockets = pathlib.Path(sockets or lab.directory(f"{name}/sockets", USER, "postfix"))
        self.socketmap = self.sockets / "socketmap"
        self.policy = self.sockets / "policy"
        self.socketmap_port = free_port()
        self.policy_port = free_port()
        self.metrics_port = free_port()
        self.config = self.directory / "mum.conf"
        self.send_state = self.directory / "state/senders"
        self.send_socket = self.directory / "run/senders"
        self.log_path = self.directory / "mumd.log"
        self.process = None
        self.write(settings)

    def write(self, settings):
        """Writes mum.conf; a running mumd reads it at reload()."""
        merged = {
            "socketmap": {"listen": [f"unix:{self.socketmap}",
                                     f"inet:127.0.0.1:{self.socketmap_port}"]},
            "policy": {"listen": [f"unix:{self.policy}",
                                  f"inet:127.0.0.1:{self.policy_port}"]},
            "process": {"user": USER, "socket_group": "postfix"},
        }
        for section, options in settings.items():
            merged[section] = {**merged.get(section, {}), **options}
        # tests/bench compares with an older mumd, which has no such options.
        if "send" in merged["policy"]:
            merged["policy"] = {"send_state": self.send_state, "send_socket": self.send_socket,
                                **merged["policy"]}
        self.write_text(render(merged).replace("METRICS_PORT", str(self.metrics_port)))

    def write_text(self, text):
        self.config.write_text(text, errors="surrogateescape")
        give(self.config, "root", GROUP)
        self.config.chmod(0o640)

    def program(self):
        """A copy that everybody may run, because a checkout in root's home is closed to others."""
        copy = self._lab.directory("bin") / "mumd"
        if not copy.exists():
            shutil.copy2(binary(), copy)
            copy.chmod(0o755)
        return copy

    def launch(self):
        """Runs it and returns the process, even if it ends at once."""
        self.process = self._lab.own(
            Process([*self._runner, self.program(), "-c", self.config, "-F"], self.log_path,
                    cwd="/"), independent=True)
        return self.process

    def start(self):
        """Runs it; returns when it is ready for clients."""
        seen = len(self.log())
        self.launch()

        def up():
            if not self.process.running():
                raise LabError(f"mumd ended with {self.process.status}:\n{tail(self.log_path)}")
            return (accepts(self.socketmap) and accepts(self.policy)
                    and any(line.endswith(" ready") for line in self.log()[seen:]))
        wait_until(up, f"mumd:\n{tail(self.log_path)}")
        return self

    def check(self):
        """mumd -t: (exit status, all that it prints)."""
        result = run(binary(), "-c", self.config, "-t", check=False)
        return result.returncode, result.stdout + result.stderr

    def reload(self):
        self.process.signal(signal.SIGHUP)

    def terminate(self):
        self.process.signal(signal.SIGTERM)

    def kill(self):
        self.process.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is not None:
            self.process.stop()

    def limit_descriptors(self, number):
        """Changes the limit of the running mumd, as mumd's user, because root in a
        container may not.
        """
        run("setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups",
            "prlimit", "--pid", self.process.pid, f"--nofile={number}:")

    def rss(self):
        return self.process.rss()

    def map_client(self, **options):
        return SocketmapClient(self.socketmap, **options)

    def policy_client(self, **options):
        return PolicyClient(self.policy, **options)

    def http(self, path, method="GET", **request):
        """(status, headers, body)"""
        return metrics.fetch(("127.0.0.1", self.metrics_port), path, method, **request)

    def page(self):
        """What /metrics shows now."""
        status, _, text = self.http("/metrics")
        if status != 200:
            raise LabError(f"/metrics: {status} {text}")
        return metrics.Page(text)

    def lookup(self, table, key):
        """One question on a connection of its own."""
        with self.map_client() as client:
            return client.ask(table, key)

    def senders(self):
        """What the socket of mumctl senders says: {login: (debt in us, sent, over)}."""
        with Client(self.send_socket) as client:
            lines = client.read_to_end().decode().splitlines()
        rows = [line.split(" ", 4) for line in lines[2:-1]]
        if lines[0] != "mum-senders 1" or lines[-1] != f"end {len(rows)}":
            raise LabError(f"not a whole answer: {lines}")
        return {login: (int(debt), int(sent), int(over)) for debt, sent, over, _, login in rows}

    def decide(self, **attributes):
        with self.policy_client() as client:
            return client.ask(**attributes)
