# SPDX-License-Identifier: MIT
"""An empty Debian in a directory, from the mirror in this machine's apt sources."""

import pathlib
import shutil
import time

from .lab import LabError, TOP, run
from .machine import Machine

SOURCES = pathlib.Path("/etc/apt/sources.list.d/debian.sources")

SOURCE = """Types: deb
URIs: {uri}
Suites: {suites}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

"""

# dpkg keeps a file that is changed or in its way, for example of this machine's apt.conf.d.
UNATTENDED = """APT::Get::Assume-Yes "true";
DPkg::Options:: "--force-confdef";
DPkg::Options:: "--force-confold";
"""

# How long to wait before a mirror that failed is asked again.
PAUSES = (30, 120)


def _mirrors():
    """URIs of this machine's sources: for the release, and for its security updates (or None)."""
    uris = {}
    for stanza in SOURCES.read_text().split("\n\n"):
        lines = [line.partition(":") for line in stanza.splitlines() if not line.startswith("#")]
        fields = {name: value.split() for name, _, value in lines if value}
        if "URIs" in fields and "Suites" in fields:
            security = fields["Suites"][0].endswith("-security")
            uris.setdefault(security, fields["URIs"][0])
    if False not in uris:
        raise LabError(f"{SOURCES} names no mirror")
    return uris[False], uris.get(True)


def _sources(suite, updates):
    uri, security = _mirrors()
    if not updates:
        return SOURCE.format(uri=uri, suites=suite)
    if security is None:
        raise LabError(f"{SOURCES} names no mirror of security updates")
    return (SOURCE.format(uri=uri, suites=f"{suite} {suite}-updates")
            + SOURCE.format(uri=security, suites=f"{suite}-security"))


def _debootstrap(*arguments):
    """Tries again if the mirror is away for a moment; keeps what it has fetched."""
    mirror, _ = _mirrors()
    for pause in (*PAUSES, None):
        try:
            return run("debootstrap", "--variant=minbase", *arguments, mirror, timeout=900)
        except LabError as error:
            if pause is None:
                said = "\n".join(str(error).splitlines()[-5:])
                raise LabError(f"no Debian from {mirror}, asked {len(PAUSES) + 1} times:\n"
                               f"{said}") from error
            print(f"debootstrap failed; trying again in {pause} s", flush=True)
            time.sleep(pause)


def empty_debian(root, suite="bookworm", updates=True, architecture=None):
    """updates: does its apt know the release's updates, or only the release? architecture:
    dpkg's name; None for this machine's.
    """
    _debootstrap(*([f"--arch={architecture}"] if architecture else []), suite, root)
    shutil.copytree("/etc/apt/apt.conf.d", root / "etc/apt/apt.conf.d", dirs_exist_ok=True)
    for name in ("resolv.conf", "hosts"):
        shutil.copyfile(f"/etc/{name}", root / "etc" / name)
    (root / "etc/apt/apt.conf.d/99unattended").write_text(UNATTENDED)
    # No package may start anything.
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    use_updates(root, suite, updates)


def use_updates(root, suite, updates):
    """From now on its apt knows the release's updates, or only the release."""
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    (root / "etc/apt/sources.list.d/debian.sources").write_text(_sources(suite, updates))


def install(lab, root, *packages):
    """Installs packages and all updates that its apt knows."""
    machine = Machine(lab, root, online=True).start()
    machine.run("apt-get -q update && apt-get -q dist-upgrade", timeout=600)
    machine.run(f"apt-get -q install --no-install-recommends {' '.join(packages)}", timeout=900)
    machine.stop()


def stage(target):
    """Copies the tree, changes included, without git."""
    run("sh", "-c", '. tests/build.sh && copy_source "$1"', "sh", target, cwd=TOP)


def copy_user(root, name):
    """Makes a user and a group of that name with this machine's ids, which files have."""
    for file in ("passwd", "group"):
        ours = next(line for line in pathlib.Path("/etc", file).read_text().splitlines(True)
                    if line.startswith(f"{name}:"))
        with open(root / "etc" / file, "a", encoding="utf-8") as theirs:
            theirs.write(ours)
