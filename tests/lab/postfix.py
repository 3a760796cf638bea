# SPDX-License-Identifier: MIT
"""A private Postfix, configured with the lines that we ship."""

import contextlib
import os
import pathlib
import re
import shutil
import signal

from .lab import TOP, LabError, accepts, free_port, in_own_mounts, run, tail, wait_until
from .smtp import SmtpDialogue

# Debian's master.cf: what Debian runs in the chroot runs in it here, too.
MASTER = """
{mx}      inet  n - y - - smtpd
pickup    unix  n - y 60 1 pickup
cleanup   unix  n - y - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - y 1000? 1 tlsmgr
tlsproxy  unix  - - y - 0 tlsproxy
rewrite   unix  - - y - - trivial-rewrite
bounce    unix  - - y - 0 bounce
defer     unix  - - y - 0 bounce
trace     unix  - - y - 0 bounce
verify    unix  - - y - 1 verify
flush     unix  n - y 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - y - - smtp
relay     unix  - - y - - smtp
showq     unix  n - y - - showq
error     unix  - - y - - error
retry     unix  - - y - - error
discard   unix  - - y - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
lmtp      unix  - - y - - lmtp
anvil     unix  - - y - 1 anvil
scache    unix  - - y - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

# Debian copies these for chrooted daemons.
CHROOT_FILES = ("localtime", "services", "resolv.conf", "host.conf", "nsswitch.conf")


class Postfix:
    """port is the MX, submission_port the submission service.

    outside is the ("127.0.0.1", port) that all mail to foreign domains goes to.
    config is the configuration directory; mumd's sockets belong into .sockets. Postfix sends
    mail for mailboxes to queue/private/dovecot-lmtp, and asks about logins at
    queue/private/auth. send_limits: with the example's line that asks mumd at DATA.
    """

    def __init__(self, lab, outside, mumd_user="nobody", name="postfix", settings=(),
                 send_limits=False):
        self._lab = lab
        self._send_limits = send_limits
        self._outside = outside
        self._directory = lab.directory(name)
        self.config = lab.directory(f"{name}/etc")
        self.queue = lab.directory(f"{name}/queue")
        self.sockets = lab.directory(f"{name}/queue/mum", mumd_user, "postfix", 0o750)
        lab.directory(f"{name}/data", "postfix", "postfix")
        self.maillog = self._directory / "maillog"
        self.port = free_port()
        self.submission_port = free_port()
        self._name = f"postfix-{lab.path.name}-{name}"
        self._hosts = self._directory / "hosts"
        self._write()
        if settings:
            self.set(*settings)
        self.command("check")   # makes the directories of the queue

    def _own_lines(self):
        return f"""
compatibility_level = 3.6
queue_directory = {self.queue}
data_directory = {self._directory}/data
maillog_file = {self.maillog}
maillog_file_prefixes = {self._lab.path}
multi_instance_name = {self._name}
multi_instance_enable = yes
myhostname = mx.mta.test
mydestination = localhost.mta.test
# the test client on 127.0.0.1 is a stranger
mynetworks = 127.0.0.2/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
append_dot_mydomain = no
alias_maps =
alias_database =
biff = no
smtputf8_enable = yes
smtpd_peername_lookup = no
in_flow_delay = 0
# all mail for others goes to one place on loopback
relayhost = [{self._outside[0]}]:{self._outside[1]}
smtp_tcp_port = {self._outside[1]}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = may
# what the example has for later
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
# tests repeat addresses and fail on purpose
smtpd_client_event_limit_exceptions = 127.0.0.0/8
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_junk_command_limit = 1000
"""

    def _submission(self):
        """The shipped master.cf on a port of ours, without TLS."""
        text = (TOP / "conf-examples/master.cf").read_text()
        text, services = re.subn(r"^submission(?= )", f"127.0.0.1:{self.submission_port}",
                                 text, flags=re.MULTILINE)
        text, levels = re.subn("smtpd_tls_security_level=encrypt",
                               "smtpd_tls_security_level=none", text)
        if (services, levels) != (1, 2):    # once in a comment
            raise LabError("conf-examples/master.cf is not what the lab expects")
        if self._send_limits:
            text, lines = re.subn(r"^#(?=  -o { smtpd_data_restrictions)", "", text,
                                  flags=re.MULTILINE)
            if lines != 1:
                raise LabError("conf-examples/master.cf has no line for the limits of logins")
        return text

    def _write(self):
        (self.config / "main.cf").write_text(
            self._own_lines() + (TOP / "conf-examples/main.cf").read_text())
        (self.config / "master.cf").write_text(
            MASTER.format(mx=f"127.0.0.1:{self.port}") + self._submission())
        etc = self._lab.directory(self.queue / "etc")
        for name in CHROOT_FILES:
            source = pathlib.Path("/etc") / name
            if source.exists():
                shutil.copyfile(source, etc / name)
        # every next hop of the tests is this machine
        self.add_hosts("localhost", "plain.enforced.test", "sub.enforced.test",
                       "deep.sub.enforced.test")

    def set(self, *settings):
        """Each is "name = value", and takes the place of the line that main.cf has."""
        run("postconf", "-c", self.config, "-e", *settings)

    def add_hosts(self, *names):
        """To Postfix these names are this machine."""
        with self._hosts.open("a") as hosts:
            hosts.write(f"127.0.0.1 {' '.join(names)}\n")
        shutil.copyfile(self._hosts, self.queue / "etc/hosts")

    def command(self, *arguments, check=True):
        # Debian 13's Postfix copies /etc/hosts into the queue at every command
        result = run(*in_own_mounts(f'mount --bind {self._hosts} /etc/hosts && exec "$@"'),
                     "postfix", "-c", self.config, *arguments, check=check)
        # Each process warns of a setting that main.cf has twice. Ten such lines fill the socket
        # of postlogd before it reads; it warns there, too, and then Postfix waits for ever.
        if "overriding earlier entry" in result.stderr:
            raise LabError(f"{self.config}/main.cf: give each setting once\n{result.stderr}")
        return result

    def start(self):
        """Dovecot must run before somebody connects to the submission port: without its
        socket smtpd ends, and does not start again for a minute."""
        self._lab.own(self, independent=True)
        if self.command("start", check=False).returncode != 0:
            raise LabError(f"postfix does not start:\n{tail(self.maillog)}")
        wait_until(lambda: accepts(("127.0.0.1", self.port)), f"postfix:\n{tail(self.maillog)}")
        return self

    def stop(self):
        """Does what "postfix stop" does, except its log lines: "postfix stop" sometimes
        took two minutes.
        """
        pid_file = self.queue / "pid/master.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text())
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        try:
            wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "master ends", 5)
        except LabError:
            os.killpg(pid, signal.SIGKILL)

    def smtp(self):
        return SmtpDialogue(self.port)

    def submission(self, user):
        dialogue = SmtpDialogue(self.submission_port)
        reply = dialogue.login(user)
        if not reply.startswith("235"):
            raise LabError(f"login of {user}: {reply}")
        return dialogue

    def postmap(self, table, key):
        """(exit status, what it prints) of postmap -q, as an admin runs it."""
        result = run("postmap", "-c", self.config, "-q", key,
                     f"socketmap:unix:mum/socketmap:{table}", cwd=self.queue, check=False)
        return result.returncode, result.stdout.rstrip("\n")

    def log(self):
        return self.maillog.read_text(errors="replace") if self.maillog.exists() else ""

    def is_idle(self):
        """Is the queue empty?"""
        return "Mail queue is empty" in run("postqueue", "-c", self.config, "-p").stdout

    def flush(self):
        """Tries at once to send what was deferred."""
        run("postqueue", "-c", self.config, "-f")

    def empty_queue(self):
        run("postsuper", "-c", self.config, "-d", "ALL")
