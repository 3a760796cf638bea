# SPDX-License-Identifier: MIT
"""A virtual machine in qemu, made of what prepare.py has made, without a network; driven
over ssh.
"""

import base64
import contextlib
import os
import shlex
import subprocess

from lab import LabError, free_port, wait_until
from lab.lab import TOP, Process, run

from prepare import CHECKOUT

SSH_OPTIONS = ("-q", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
               "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=20")

# Seconds until the kernel's first line. With KVM it comes in the first one.
FIRST_LINE = {"kvm": 30, "tcg": 300}
BOOT = 900      # seconds; 30 on an idle machine, even when it is emulated


class Guest:
    """directory: kernel, initrd, disk.img and key of prepare.py; the disk is copied."""

    def __init__(self, lab, directory):
        self._lab, self._directory = lab, directory
        self._port = free_port()
        self._qemu = None
        self.serial = lab.path / "serial.log"

    def boot(self):
        """With KVM, where a kernel comes up with it: /dev/kvm alone says little inside a virtual
        machine. Returns what it was booted with."""
        disk = self._lab.path / "disk.img"
        run("cp", "--sparse=always", "--reflink=auto", self._directory / "disk.img", disk)
        for accelerator in FIRST_LINE if os.access("/dev/kvm", os.W_OK) else ("tcg",):
            if self._comes_up(disk, accelerator):
                self.wait_for_boot()
                return accelerator
            self._qemu.stop()
        raise LabError(f"no kernel comes up:\n{self._qemu.log.read_text()}")

    def _comes_up(self, disk, accelerator):
        self.serial.write_text("")
        self._qemu = self._lab.own(Process(
            ["qemu-system-x86_64", "-machine", f"q35,accel={accelerator}", "-cpu", "max",
             "-smp", "2", "-m", "2048", "-kernel", self._directory / "kernel",
             "-initrd", self._directory / "initrd",
             "-append", "root=/dev/vda rw console=ttyS0 mitigations=off",
             "-drive", f"file={disk},format=raw,if=virtio,cache=unsafe",
             "-netdev", f"user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:{self._port}-:22",
             "-device", "virtio-net-pci,netdev=n", "-device", "virtio-rng-pci",
             "-display", "none", "-monitor", "none", "-serial", f"file:{self.serial}"],
            self._lab.path / "qemu.log"))
        with contextlib.suppress(LabError):
            return wait_until(lambda: "Linux version" in self.serial.read_text(errors="replace")
                              or not self._qemu.running(), "the kernel's first line",
                              FIRST_LINE[accelerator], 0.1) and self._qemu.running()
        return False

    def wait_for_boot(self, boot_before=""):
        def booted():
            if not self._qemu.running():
                raise LabError(self._qemu.log.read_text())
            seen = self.run("cat /proc/sys/kernel/random/boot_id", check=False)
            return seen.returncode == 0 and seen.stdout != boot_before
        wait_until(booted, f"ssh of the booted system, see {self.serial}", BOOT, 1)
        self.run("systemctl is-system-running --wait", check=False, timeout=BOOT)

    def reboot(self):
        before = self.run("cat /proc/sys/kernel/random/boot_id").stdout
        self.run("systemctl reboot", check=False)
        self.wait_for_boot(before)

    def _ssh(self, commands):
        return ["ssh", *SSH_OPTIONS, "-i", str(self._directory / "key"), "-p", str(self._port),
                "root@127.0.0.1", f"sh -ec {shlex.quote(commands)}"]

    def run(self, commands, *, answers="", cwd="/root", check=True, timeout=180):
        """Runs commands in a shell, as lab.machine.Machine does: a CompletedProcess, errors
        in the output.
        """
        script = (f"exec 2>&1; export DEBIAN_FRONTEND=noninteractive; "
                  f"cd {shlex.quote(cwd)}\n{commands}")
        try:
            result = subprocess.run(self._ssh(script), input=answers, text=True,
                                    errors="replace", stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"no end after {timeout} s of\n{commands}") from error
        if check and result.returncode != 0:
            seen = "\n".join(result.stdout.splitlines()[-60:])
            raise LabError(f"exit {result.returncode} of\n{commands}\n{seen}")
        return result

    def text(self, commands, **options):
        """What the commands print, whatever their exit status."""
        return self.run(commands, check=False, **options).stdout.strip()

    def write(self, path, text, mode=0o644):
        self.run(f"mkdir -p $(dirname {path}); cat >{path}; chmod {mode:o} {path}", answers=text)

    def copy_tests(self):
        """Brings what runs in the guest up to date: the disk may be older than this checkout."""
        archive = subprocess.run(["tar", "-C", TOP, "-c", "tests/lab", "tests/machine"],
                                 stdout=subprocess.PIPE, check=True).stdout
        self.run(f"base64 -d | tar -x -C {CHECKOUT}", answers=base64.b64encode(archive).decode())

    def mail_user(self, *arguments):
        """Runs tests/lab/mail_user.py in the guest: (good, what it prints)."""
        command = shlex.join(["python3", f"{CHECKOUT}/tests/lab/mail_user.py", *arguments])
        result = self.run(command, check=False)
        return result.returncode == 0, result.stdout.strip()
