# SPDX-License-Identifier: MIT
"""The measurements. Each cell is measured once a round, and keeps its samples."""

import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import threading
import time

from lab.lab import ENVIRONMENT, accepts

TICK = os.sysconf("SC_CLK_TCK")
POSTMAP_KEYS_PER_SECOND = 5000
IDLE = (500, 4000)    # connections
PEER_CLIENTS = (1, 16)


class MeasureError(Exception):
    """A figure that would be wrong."""


def cpu_seconds(pid):
    """User and system time so far, threads included."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    fields = text.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def busy_share(seconds=0.5):
    """How busy other processes keep the machine; call this while nothing of ours runs."""
    def ticks():
        fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().split()[1:9]]
        return sum(fields), fields[3] + fields[4]    # all, and idle or waiting for disks
    all_before, idle_before = ticks()
    time.sleep(seconds)
    all_after, idle_after = ticks()
    return 1 - (idle_after - idle_before) / max(1, all_after - all_before)


def children(parent):
    pids = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            pids.append(int(path.parent.name))
    return pids


class Cell:
    """name says what, clients how many at once."""

    def __init__(self, group, name, clients):
        self.group, self.name, self.clients = group, name, clients
        self.samples = []

    def label(self):
        return f"{self.group} {self.name} x{self.clients}"

    def measure(self):
        self.samples.append(self.sample())

    def median(self, figure):
        """None when this cell has no such figure."""
        values = [sample[figure] for sample in self.samples if sample.get(figure) is not None]
        return statistics.median(values) if values else None

    def ratio(self, other, figure="per_second"):
        """Median of the ratios of each round: what slows a round down slows both cells."""
        return statistics.median(mine[figure] / max(1e-9, its[figure])
                                 for mine, its in zip(self.samples, other.samples))


class Load(Cell):
    """mum-load against one socket."""

    def __init__(self, group, name, clients, bench, server, keys, protocol, pids=None):
        super().__init__(group, name, clients)
        self._pids = pids or {}
        self._argv = [bench.programs / "mum-load", "--json", "--protocol", protocol,
                      "--keys", keys, "--clients", clients, "--seconds", bench.seconds,
                      "--warmup", min(0.2, bench.seconds / 4)]
        if protocol == "socketmap":
            self._argv += ["--map", name]
        for pid in self._pids.values():
            self._argv += ["--pid", pid]
        self._argv.append(server)

    def sample(self):
        return read_load(self._argv, list(self._pids))


class Idle(Load):
    """The same with more connections that never ask, and mumd's memory."""

    def __init__(self, bench, mumd, database, keys, idle):
        super().__init__(f"idle {idle}", "mailboxes", 16, bench, mumd.socketmap, keys,
                         "socketmap", {"mumd": mumd.process.pid, "MariaDB": database})
        self._argv[-1:-1] = ["--idle", idle]
        self._mumd = mumd

    def sample(self):
        with subprocess.Popen([str(arg) for arg in self._argv], env=ENVIRONMENT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as load:
            try:
                time.sleep(0.3)    # all are connected, the measurement runs
                memory = self._mumd.rss()
                output, errors = load.communicate(timeout=60)
            except BaseException:
                load.kill()
                raise
        sample = read_load_result(load.returncode, output, errors, list(self._pids))
        sample["memory"] = memory
        return sample


class Pipelined(Load):
    """The same beside one connection that sends requests without end, ten thousand at a time."""
    AHEAD = 10000

    def __init__(self, bench, mumd, database, keys):
        super().__init__("pipelined", "mailboxes", 16, bench, mumd.socketmap, keys, "socketmap",
                         {"mumd": mumd.process.pid, "MariaDB": database})
        self._socket, self._key = mumd.socketmap, bench.a_mailbox()

    def sample(self):
        text = f"mailboxes {self._key}"
        requests = f"{len(text)}:{text},".encode() * self.AHEAD
        answered = 0
        with socket.socket(socket.AF_UNIX) as greedy:
            greedy.connect(str(self._socket))

            def send():
                with contextlib.suppress(OSError):    # closed below
                    while True:
                        greedy.sendall(requests)

            def receive():
                nonlocal answered
                with contextlib.suppress(OSError):    # closed below
                    while got := greedy.recv(1 << 16):
                        answered += got.count(b",")

            threads = [threading.Thread(target=work) for work in (send, receive)]
            for thread in threads:
                thread.start()
            began = time.monotonic()
            try:
                sample = super().sample()
                sample["greedy"] = answered / (time.monotonic() - began)
                if not all(thread.is_alive() for thread in threads):
                    raise MeasureError("pipelined: mumd has closed the connection")
            finally:
                greedy.shutdown(socket.SHUT_RDWR)
                for thread in threads:
                    thread.join()
        return sample


class Start(Cell):
    """From the start of a mumd to its first answer, which waits for a connection, too."""

    def __init__(self, mumd, key):
        super().__init__("start", "mailboxes", 1)
        self._mumd, self._key = mumd, key

    def sample(self):
        began = time.monotonic()
        self._mumd.launch()
        while not accepts(self._mumd.socketmap):
            time.sleep(0.0005)
        reply = self._mumd.lookup("mailboxes", self._key)
        took = time.monotonic() - began
        self._mumd.stop()
        if reply != b"OK 1":
            raise MeasureError(f"start: {self._key}: {reply}")
        return {"ms": took * 1000}


def read_load(argv, names):
    result = subprocess.run([str(arg) for arg in argv], env=ENVIRONMENT, capture_output=True,
                            text=True, timeout=120)
    return read_load_result(result.returncode, result.stdout, result.stderr, names)


def read_load_result(status, output, errors, names):
    if status != 0:
        raise MeasureError(f"mum-load: exit {status}\n{output}{errors}")
    sample = json.loads(output)
    replies = sample["replies"]
    good = sum(replies.get(word, 0) for word in ("OK", "DUNNO", "250"))
    trouble = sum(replies.get(word, 0) for word in ("TEMP", "PERM", "TIMEOUT", "DEFER_IF_PERMIT",
                                                   "451", "450", "421"))
    sample["found"] = good / max(1, sample["requests"])
    sample["trouble"] = trouble
    sample["late"] = errors.strip()
    for name, process in zip(names, sample["processes"]):
        sample[f"cpu {name}"] = process["cpu_us"]
    return sample


class Stock(Cell):
    """postmap -q - on a mysql: file, one process or several at once."""

    def __init__(self, name, processes, bench, servers, etc):
        super().__init__("stock", name, processes)
        self._argv = ["postmap", "-c", str(etc), "-q", "-", f"mysql:{servers.stock_files[name]}"]
        self._database = servers.pid("MariaDB")
        self._output = bench.directory / "postmap-output"
        # As many keys as take about the time of a cell, but at least some thousand.
        slow = {"sender-login-maps": 0.4, "domains": 2, "tls-policies": 2}.get(name, 1)
        count = max(2000, int(POSTMAP_KEYS_PER_SECOND * bench.seconds * slow))
        self._count = count if processes == 1 else 3 * count // processes
        self._keys = bench.map_keys(name, self._count)
        self._one_key = bench.map_keys(name, 1)

    def _run(self, keys):
        """Seconds, CPU seconds of the postmaps, and how many keys they found."""
        before = os.times()
        began = time.monotonic()
        running = []
        for number in range(self.clients):
            with open(keys) as source, open(f"{self._output}-{number}", "w") as output:
                running.append(subprocess.Popen(self._argv, stdin=source, stdout=output,
                                                env=ENVIRONMENT))
        statuses = [process.wait(120) for process in running]
        seconds = time.monotonic() - began
        after = os.times()
        found = sum(sum(1 for _ in open(f"{self._output}-{number}"))
                    for number in range(self.clients))
        if any(statuses) and found:    # 1 without output: nothing found
            raise MeasureError(f"{' '.join(self._argv)}: {statuses}")
        cpu = (after.children_user + after.children_system
               - before.children_user - before.children_system)
        return seconds, cpu, found

    def sample(self):
        # The start of the processes is measured with one key, and subtracted.
        start_seconds, start_cpu, _ = self._run(self._one_key)
        before = cpu_seconds(self._database)
        seconds, cpu, found = self._run(self._keys)
        database = cpu_seconds(self._database) - before
        count = (self._count - 1) * self.clients
        return {"per_second": count / max(1e-3, seconds - start_seconds),
                "cpu MariaDB": database * 1e6 / count,
                "own_cpu_us": max(0, cpu - start_cpu) * 1e6 / count,
                "found": found / (self._count * self.clients)}


class Smtp(Cell):
    """RCPT commands to a real smtpd, each address once."""

    group = "smtp"
    WARMUP = 1.0
    position = 0    # in the key file: every sample has fresh addresses

    def __init__(self, name, sessions, bench, servers, postfix, keys, keys_count):
        super().__init__(self.group, name, sessions)
        self._bench, self._servers, self._postfix = bench, servers, postfix
        self._keys, self._keys_count = keys, keys_count
        self._seconds = max(1.0, 2 * bench.seconds)
        self._watched = {"MariaDB": servers.pid("MariaDB")}
        if name.startswith("ours"):
            self._watched["mumd"] = servers.pid(name.replace("ours", "smtp"))
        elif name == "limit":
            self._watched.update(servers.smtp_responders())

    def _postfix_cpu(self):
        pids = children(self._postfix.master_pid())
        return sum(cpu_seconds(pid) for pid in pids)

    def sample(self):
        # New processes: no address is resolved yet, no connection is left over.
        self._postfix.command("reload")
        time.sleep(1)
        argv = [self._bench.programs / "mum-load", "--json", "--protocol", "smtp",
                "--keys", self._keys, "--first-key", self._first_key(), "--clients", self.clients,
                "--seconds", self._seconds, "--warmup", self.WARMUP]
        for pid in self._watched.values():
            argv += ["--pid", pid]
        argv.append(f"127.0.0.1:{self._postfix.port}")
        with subprocess.Popen([str(arg) for arg in argv], env=ENVIRONMENT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as load:
            try:
                time.sleep(self.WARMUP)
                before = self._postfix_cpu()
                time.sleep(self._seconds)
                cpu = self._postfix_cpu() - before
                connections = self._connections()
                output, errors = load.communicate(timeout=60)
            except BaseException:
                load.kill()
                raise
        sample = read_load_result(load.returncode, output, errors, list(self._watched))
        self._used(1.2 * sample["requests"] * (self._seconds + self.WARMUP) / self._seconds)
        sample["connections"] = connections
        sample["cpu Postfix"] = cpu * 1e6 / max(1, sample["requests"])
        if self.name == "limit":
            sample["cpu mumd"] = sum(sample[f"cpu {name}"] for name in self._servers.smtp_responders())
        return sample

    def _first_key(self):
        return Smtp.position

    def _used(self, lines):
        """Ten RCPT need eleven lines, also in the warm-up."""
        Smtp.position = (Smtp.position + int(lines)) % self._keys_count

    def _connections(self):
        user = {"stock": "mum_stock", "limit": None}.get(self.name, "mum_smtp")
        return len(self._servers.database.connections(user)) if user else 0


class WarmSmtp(Smtp):
    """The same few addresses again and again, all of them asked before, within cache.ttl."""

    group = "smtp warm"
    WARMUP = 2.0
    ADDRESSES = 1000    # all of them are asked in the warm-up

    def _first_key(self):
        return 0

    def _used(self, lines):
        if self.name.startswith("ours") and lines < 2 * self.ADDRESSES:
            raise MeasureError(f"{self.label()}: too slow to be warm: {lines:.0f} lines")


class Bench:
    """What all cells share: the programs, the length of a cell, the key files."""

    def __init__(self, programs, seconds, directory, data):
        self.programs, self.seconds = programs, seconds
        self.directory, self._data = directory, data
        self._files = {}

    def keys(self, name, count, make):
        if name not in self._files:
            self._files[name] = self.directory / f"keys-{name}"
            self._files[name].write_text("".join(line + "\n" for line in make(count)))
        return self._files[name]

    def a_mailbox(self):
        return self._data.a_mailbox()

    def map_keys(self, map_name, count):
        return self.keys(f"map-{map_name}-{count}", count,
                         lambda n: self._data.map_keys(map_name, n))

    def policy_keys(self, context, count):
        return self.keys(f"policy-{context}-{count}", count,
                         lambda n: self._data.policy_lines(context, n))

    def smtp_keys(self, count):
        return self.keys(f"smtp-{count}", count, self._data.smtp_lines)


def load_cells(bench, servers, maps, policies, all_clients, few_clients, keys):
    """Uncached, cached and the limit, for maps and for the policy service."""
    cells = []
    for name in (*maps, *policies):
        protocol = "policy" if name in policies else "socketmap"
        file = bench.policy_keys(name, keys) if name in policies else bench.map_keys(name, keys)
        for group in [group + version for group in ("uncached", "cached")
                      for version in servers.versions]:
            mumd = servers.mumd[group]
            server = mumd.policy if protocol == "policy" else mumd.socketmap
            pids = {"mumd": mumd.process.pid, "MariaDB": servers.pid("MariaDB")}
            if group.startswith("cached"):    # every key once, before anything is measured
                prime(bench, server, file, protocol, name, keys)
            counts = all_clients if name in ("mailboxes", "recipient") else few_clients
            cells += [Load(f"{protocol} {group}", name, clients, bench, server, file, protocol, pids)
                      for clients in counts]
    for protocol, process in servers.responder.items():
        if not (policies if protocol == "policy" else maps):
            continue
        file = (bench.policy_keys(policies[0], keys) if protocol == "policy"
                else bench.map_keys("mailboxes", keys))
        cells += [Load(f"{protocol} limit", "responder", clients, bench, process.path, file, protocol,
                       {"responder": process.pid}) for clients in all_clients]
    if policies:
        cells += [Load("policy peer", name, clients, bench, peer.path,
                       bench.policy_keys(policies[0], keys), "policy")
                  for name, peer in servers.peers.items() for clients in PEER_CLIENTS]
    if "mailboxes" in maps:
        cells += [Idle(bench, servers.mumd["uncached"], servers.pid("MariaDB"),
                       bench.map_keys("mailboxes", keys), idle) for idle in IDLE]
        cells.append(Pipelined(bench, servers.mumd["cached"], servers.pid("MariaDB"),
                               bench.map_keys("mailboxes", keys)))
        cells.append(Start(servers.to_start(), bench.a_mailbox()))
    # Cells that are compared run together, so that they meet the same noise.
    return sorted(cells, key=lambda cell: (
        cell.clients, cell.group.split()[0],
        cell.name not in ("mailboxes", "recipient", "responder")))


def prime(bench, server, file, protocol, name, count):
    argv = [bench.programs / "mum-load", "--json", "--protocol", protocol, "--keys", file,
            "--clients", 16, "--seconds", 60, "--requests", count]
    if protocol == "socketmap":
        argv += ["--map", name]
    read_load([*argv, server], [])


def stock_cells(bench, servers, maps, etc, processes):
    return [Stock(name, count, bench, servers, etc)
            for name in maps for count in processes]


def smtp_cells(bench, servers, postfixes, sessions, keys):
    return [kind(name, count, bench, servers, postfix, bench.smtp_keys(lines), lines)
            for kind, lines in ((Smtp, keys), (WarmSmtp, WarmSmtp.ADDRESSES))
            for count in sessions for name, postfix in postfixes.items()]
