# SPDX-License-Identifier: MIT
"""Prepares what is booted: a Debian in a directory, and the packages of this checkout.

Postfix and Dovecot are only downloaded. README.md's step 1 installs them in the booted
system, because maintainer scripts do more where systemd runs.
"""

import pathlib
import shutil

from lab.debian import empty_debian, stage
from lab.lab import TOP, run
from lab.machine import Machine
from lab.manual import commands

CHECKOUT = "/root/mum-mail"
BEFORE = "/root/before"     # the packages of another commit
SYSTEM = """systemd-sysv dbus udev linux-image-cloud-amd64 initramfs-tools kmod iproute2 procps
openssl openssh-server rsyslog logrotate cron apparmor mariadb-server python3 ssl-cert"""

NETWORK = "[Match]\nType=ether\n\n[Network]\nAddress=10.0.2.15/24\n"
# An emulated processor is slow.
PATIENCE = "[Manager]\nDefaultTimeoutStartSec=300s\n"

FILES = {
    "etc/fstab": "/dev/vda / ext4 errors=remount-ro 0 1\n",
    "etc/hostname": "mail.example.net\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 mail.example.net mail\n",
    "etc/machine-id": "",
    # No name server, because each connection would wait for one that does not answer.
    "etc/resolv.conf": "",
    "etc/systemd/network/10-ether.network": NETWORK,
    "etc/systemd/system.conf.d/patience.conf": PATIENCE,
}


def readme_block(word):
    return next(block.text for block in commands("README.md") if word in block.text)


def stage_commit(target, commit):
    """The tree of that commit."""
    target.mkdir(parents=True)
    archive = target / "archive.tar"
    run("git", "-c", f"safe.directory={TOP}", "-C", TOP, "archive", "-o", archive, commit)
    run("tar", "-xf", archive, "-C", target)
    archive.unlink()


def build_packages(machine, options=""):
    machine.run("apt-get -q update", timeout=300)
    machine.run(f"export DEB_BUILD_OPTIONS={options}\n" + readme_block("dpkg-buildpackage"),
                cwd=CHECKOUT, timeout=1800)


def build(lab, root, before):
    """Below root: the two packages of this checkout in /root, those of the commit in BEFORE."""
    checkout = root / CHECKOUT.lstrip("/")
    machine = Machine(lab, root, online=True).start()
    stage_commit(checkout, before)
    build_packages(machine, "nocheck")
    machine.run(f"mkdir {BEFORE}; mv *.deb {BEFORE}; rm -r {CHECKOUT}")
    stage(checkout)
    build_packages(machine)
    machine.run("rm -f *dbgsym*.deb")
    machine.stop()


def fill(lab, root, packages):
    """All that the booted system needs is installed or downloaded; packages: a directory."""
    # A container's apt would throw away what it has downloaded.
    (root / "etc/apt/apt.conf.d/docker-clean").unlink(missing_ok=True)
    stage(root / CHECKOUT.lstrip("/"))
    for package in packages.rglob("*.deb"):
        target = root / "root" / package.relative_to(packages)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(package, target)
    machine = Machine(lab, root, online=True).start()
    machine.run("apt-get -q update && apt-get -q dist-upgrade", timeout=600)
    machine.run("apt-get -q install --no-install-recommends " + " ".join(SYSTEM.split()),
                timeout=1800)
    download = "apt-get -q --download-only install"
    step = readme_block("../mumd_").replace("apt-get install", download)
    for folder in ("..", BEFORE):       # they may depend on other libraries
        machine.run(step.replace("../", f"{folder}/"), cwd=CHECKOUT, timeout=900)
    machine.run(f"{download} --no-install-recommends apparmor-profiles apparmor-utils", timeout=900)
    machine.run("/bin/systemctl enable systemd-networkd ssh; mkdir -p /var/log/journal")
    machine.stop()


def configure(root, public_key):
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
    for name in ("usr/sbin/policy-rc.d", "usr/local/sbin/systemctl"):
        (root / name).unlink(missing_ok=True)
    keys = root / "root/.ssh/authorized_keys"
    keys.parent.mkdir(mode=0o700, exist_ok=True)
    keys.write_text(public_key)


def prepare(lab, directory, suite, before):
    """disk.img, kernel, initrd and key, in directory; before: a commit, see BEFORE."""
    base, server = lab.path / "base", lab.path / "server"
    empty_debian(base, suite)
    run("cp", "-a", "--reflink=auto", base, server)
    build(lab, base, before)
    fill(lab, server, base / "root")
    for name in ("key", "key.pub"):     # of a run that did not get to its end
        (directory / name).unlink(missing_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "key")
    configure(server, (directory / "key.pub").read_text())
    for name, pattern in (("kernel", "vmlinuz-*"), ("initrd", "initrd.img-*")):
        shutil.copy(next(pathlib.Path(server, "boot").glob(pattern)), directory / name)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-d", server, directory / "disk.img", "6G",
        timeout=300)
