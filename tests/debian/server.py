# SPDX-License-Identifier: MIT
"""A mail server with the packages of this checkout, set up as README.md says, and mail."""

import re
import shutil
import time

from lab import LabError
from lab.debian import stage
from lab.machine import Machine
from lab.manual import OTHER_SECTIONS, commands

TREE = "/root/tree"             # what is packed
CHECKOUT = "/root/mum-mail"     # where README.md's commands are run
ANNA, BEN, INFO, SCANNER = (f"{name}@example.org" for name in ("anna", "ben", "info", "scanner"))
STRANGER = "friend@example.net"

_began = time.monotonic()


def say(text):
    print(f"{time.monotonic() - _began:5.0f} s  {text}", flush=True)


def expect(what, good, seen):
    if not good:
        raise LabError(f"NOT: {what}\n{seen}")
    say(f"{what}: {seen.splitlines()[-1] if seen else 'ok'}")


# ---- the packages ----

def readme_block(word):
    return next(block.text for block in commands("README.md") if word in block.text)


def build_commands():
    """(what installs the tools, what builds the packages), as README.md says"""
    *tools, command = readme_block("dpkg-buildpackage").splitlines()
    return "\n".join(tools), command


def build_alone(machine):
    """mumd without Dovecot, as README.md says, in a copy of the tree."""
    machine.run(f"mkdir /root/alone; cp -a {TREE} /root/alone/mum-mail")
    machine.run(readme_block("nodovecot"), cwd="/root/alone/mum-mail", timeout=1800)
    seen = machine.run("cd /root/alone; ls *.deb; dpkg-query -W | grep dovecot || :").stdout
    expect("without Dovecot, mumd is built alone",
           re.fullmatch(r"(mumd-dbgsym_\S+\n)?mumd_\S+\.deb\n", seen), seen)


def build(lab, root, alone=False):
    """The packages' paths, made of what `make dist` packs; lintian has nothing against them.
    alone: builds mumd alone, too, before there is a Dovecot.
    """
    tools, command = build_commands()
    stage(root / TREE.lstrip("/"))
    with_network = Machine(lab, root, online=True).start()
    with_network.run("apt-get -q update", timeout=300)
    if alone:
        build_alone(with_network)
    with_network.run(tools, cwd=TREE, timeout=900)
    with_network.run(f"./bootstrap && ./configure -q && make -s dist && mkdir {CHECKOUT} && "
                     f"tar -xf mum-mail-*.tar.xz --strip-components=1 -C {CHECKOUT}",
                     cwd=TREE, timeout=900)
    with_network.run(command, cwd=CHECKOUT, timeout=1800)
    say("built: " + ", ".join(sorted(path.name for path in (root / "root").glob("*.deb"))))
    with_network.run("apt-get -q install --no-install-recommends lintian", timeout=600)
    said = with_network.run("lintian --allow-root --fail-on error,warning *.changes",
                            check=False, timeout=600)
    expect("lintian has no errors and no warnings", said.returncode == 0, said.stdout.strip())
    with_network.stop()
    return [path for path in (root / "root").glob("*.deb") if "dbgsym" not in path.name]


def install(lab, root, packages):
    (root / CHECKOUT.lstrip("/")).mkdir()
    for package in packages:
        shutil.copy(package, root / "root")
    with_network = Machine(lab, root, online=True).start()
    with_network.run("apt-get -q update", timeout=300)
    with_network.run("apt-get -q install --no-install-recommends mariadb-server", timeout=900)
    with_network.run(readme_block("../mumd_"), cwd=CHECKOUT, timeout=900)
    seen = with_network.run("dpkg -l mumd dovecot-auth-mum | grep ^ii; id mum; "
                            "stat -c '%A %U:%G %n' /etc/mum /etc/mum/mum.conf").stdout
    print(seen, end="")
    expect("the packages are installed", "drwxr-x--- root:mum /etc/mum\n"
           "-rw-r----- root:mum /etc/mum/mum.conf" in seen, "")
    prepare_socket(with_network)
    with_network.stop()


def prepare_socket(machine):
    """What mumd.socket runs first, for apt may have configured mumd before Postfix."""
    unit = machine.run("cat /lib/systemd/system/mumd.socket").stdout
    command = re.search(r"^ExecStartPre=-(.*)$", unit, re.M)[1]
    seen = machine.run(f"{command}; stat -c '%a %U:%G' /var/spool/postfix/mum").stdout.strip()
    expect("the directory of the sockets has its owner", seen == "2750 mum:postfix", seen)


# ---- what the README says, and mail ----

def follow_readme(machine):
    """Steps 2 to 6, word for word."""
    for block in commands("README.md"):
        if block.text.startswith(("apt-get ", "adduser ")) or block.section in OTHER_SECTIONS:
            continue
        output = machine.run(block.text, cwd=CHECKOUT, answers="secret\n").stdout
        say(f"README.md:{block.line}, {len(block.text.splitlines())} lines of commands: done")
        if "mumctl check" in block.text:
            checked = output
        if "socketmap" in block.text or "doveadm auth" in block.text:
            print("\n".join("         " + line for line in output.splitlines()))
    expect("mumctl check, at last", "0 errors, 0 warnings" in checked, checked.strip())


def send_mail(machine):
    good, seen = machine.mail_user("submit", ANNA, INFO, INFO, "by-submission")
    expect(f"{ANNA} logs in and sends as {INFO} to {INFO}", good, seen)
    for user in (ANNA, BEN):
        good, seen = machine.mail_user("fetch", user, "by-submission")
        expect(f"{user} reads it over IMAP", good and "Subject: by-submission" in seen,
               seen.splitlines()[0] if good else seen)
    good, seen = machine.mail_user("send", STRANGER, f"{ANNA.replace('@', '+list@')}", "by-mx")
    expect("a stranger's mail to an address with an extension", good, seen)
    good, seen = machine.mail_user("fetch", ANNA, "by-mx")
    expect("arrives", good, seen.splitlines()[0])
    for what, arguments, code in (
            (f"{SCANNER} is send-only and accepts no mail", ("send", STRANGER, SCANNER),
             "550 5.2.1"),
            (f"{SCANNER} cannot log in over IMAP", ("fetch", SCANNER), "535"),
            (f"{BEN} may not send as {INFO}", ("submit", BEN, INFO, ANNA), "553 5.7.1")):
        good, seen = machine.mail_user(*arguments, "refused")
        expect(what, not good and seen.startswith(code), seen)
    good, seen = machine.mail_user("submit", SCANNER, SCANNER, ANNA, "by-scanner")
    expect(f"{SCANNER} may send", good, seen)
