# SPDX-License-Identifier: MIT
"""An empty Debian in a directory, from the mirror that this machine installs packages from."""

import pathlib
import shutil

from .lab import LabError, TOP, run
from .machine import Machine

SOURCES = pathlib.Path("/etc/apt/sources.list.d/debian.sources")

SOURCE = """Types: deb
URIs: {uri}
Suites: {suites}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

"""


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


def empty_debian(root, suite="bookworm", updates=True, architecture=None):
    """updates: does its apt know the release's updates, or only the release? architecture:
    dpkg's name; None for this machine's.
    """
    run("debootstrap", "--variant=minbase",
        *([f"--arch={architecture}"] if architecture else []), suite, root, _mirrors()[0], timeout=900)
    shutil.copytree("/etc/apt/apt.conf.d", root / "etc/apt/apt.conf.d", dirs_exist_ok=True)
    for name in ("resolv.conf", "hosts"):
        shutil.copyfile(f"/etc/{name}", root / "etc" / name)
    # apt must not ask, and no package may start anything.
    (root / "etc/apt/apt.conf.d/99yes").write_text('APT::Get::Assume-Yes "true";\n')
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
    """Copies the tree as it is checked out, changes included."""
    target.mkdir(parents=True)
    for name in run("git", "-c", f"safe.directory={TOP}", "-C", TOP, "ls-files",
                    "--cached", "--others", "--exclude-standard").stdout.splitlines():
        if (TOP / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, target / name)


def copy_user(root, name):
    """Makes a user and a group of that name with this machine's numbers, which files have."""
    for file in ("passwd", "group"):
        ours = next(line for line in pathlib.Path("/etc", file).read_text().splitlines(True)
                    if line.startswith(f"{name}:"))
        with open(root / "etc" / file, "a", encoding="utf-8") as theirs:
            theirs.write(ours)
