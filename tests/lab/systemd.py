# SPDX-License-Identifier: MIT
"""A systemd in a Machine. It is a user manager, because the system manager must be the first
process. Units, jobs, sockets, limits and sandboxes are real. It lacks the boot,
IPAddressDeny=, limits of memory and tasks, and PrivateUsers=, which needs more than a chroot.
"""

import contextlib
import pathlib

from .lab import LabError, in_own_mounts, run, wait_until

BASE = "/sys/fs/cgroup"
# Not below /run/user, which ProtectHome= closes.
ENVIRONMENT = "XDG_RUNTIME_DIR=/run/manager"
CALLS = "/root/systemctl.calls"

# The scripts of packages use it, too. It writes down its arguments.
SYSTEMCTL = f"""#!/bin/sh
echo "$*" >>{CALLS}
for argument; do
	shift
	[ "$argument" = --system ] || set -- "$@" "$argument"
done
{ENVIRONMENT} exec /usr/bin/systemctl --user "$@"
"""

DROP_IN = """[Service]
PrivateUsers=no
StandardOutput=append:/var/log/mumd.log
StandardError=inherit
"""

# A cgroup hierarchy of its own, without controllers, so the manager sees none of the
# machine's groups.
START = """
mkdir -p /run/systemd/system /run/systemd/inaccessible /run/manager {base}
cd /run/systemd/inaccessible
mkdir -m 000 dir
install -m 000 /dev/null reg
mknod -m 000 fifo p
mknod -m 000 chr c 0 0
mknod -m 000 blk b 0 0
chmod 711 /run/manager
mount -t tmpfs none {base}
mkdir {base}/systemd
touch /var/log/systemd.log
mount --bind /var/log/systemd.log /dev/console
mount -t cgroup -o none,name={name} {name} {base}/systemd
setsid env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin {environment} \\
    /lib/systemd/systemd --user --log-target=console --unit=basic.target \\
    </dev/null &
"""

# A hierarchy ends a moment after its last mount, if it has no groups then. Groups of
# dead processes disappear a moment after rmdir.
STOP = """
mount -t cgroup -o none,name={name} {name} {mounted}
find {mounted} -mindepth 1 -depth -type d -exec rmdir {{}} \\;
sleep 0.3
umount {mounted}
"""


class Systemd:
    """stop() ends the machine, too."""

    def __init__(self, lab, machine):
        self._machine = machine
        self._mounted = lab.directory("hierarchy")
        self._names = {"base": BASE, "name": lab.path.name, "environment": ENVIRONMENT}

    def start(self):
        self._machine.write("/usr/local/sbin/systemctl", SYSTEMCTL, 0o755)
        self._machine.run("rm -f /usr/sbin/policy-rc.d")
        self._machine.run(START.format(**self._names))
        wait_until(lambda: self.ctl("is-active basic.target").returncode == 0, "systemd", 30)
        # Open to all, as the system manager's is: services run as other users.
        self._machine.run("chmod 777 /run/manager/systemd/notify")
        return self

    def stop(self):
        self._machine.stop()
        names = {"mounted": self._mounted, **self._names}

        def is_gone():
            return f"name={names['name']}:" not in pathlib.Path("/proc/self/cgroup").read_text()

        for _ in range(5):          # a mount that comes too early makes a new one
            run(*in_own_mounts(STOP.format(**names)), check=False)
            with contextlib.suppress(LabError):
                return wait_until(is_gone, "the end of a hierarchy of control groups", 2)
        raise LabError(f"control groups named {names['name']} stay")

    def unit(self, name, text):
        self._machine.write(f"/etc/systemd/user/{name}", text)

    def drop_in(self, text, name="test"):
        """Adds a drop-in to mumd.service; an empty text removes it."""
        self.unit(f"mumd.service.d/{name}.conf", text)
        self.ctl("daemon-reload")

    def ctl(self, command, timeout=60):
        """systemctl's CompletedProcess."""
        return self._machine.run(f"systemctl {command}", check=False, timeout=timeout)

    def show(self, unit, name):
        return self.ctl(f"show --value -p {name} {unit}").stdout.strip()

    def calls(self):
        """What systemctl was called with since the last time, one line for each."""
        return self._machine.run(f"cat {CALLS}; : >{CALLS}").stdout.splitlines()
