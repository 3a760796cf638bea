# SPDX-License-Identifier: MIT
"""Runs every command in README.md, mum-postfix(7) and mum-dovecot(7), and those below
EXAMPLES in mumd(8) and the like, in their order, on a mail server of Debian's packages with
the real Postfix, Dovecot and MariaDB.

Commands that install packages are not run, because a machine has no network (BY_PACKAGES);
tests/debian/dist-upgrade runs the upgrade of Debian. So conf-examples/ replaces the packages'
folder of examples, as README.md says for an installation without packages. There is no
systemd, so systemctl calls mumd itself (tests/lab/machine.py). tests/check-docs.sh compares
other displays with conf-examples/.
"""

import re

import pytest

from lab import Lab
from lab.dovecot_language import dovecot_language
from lab.lab import TOP
from lab.mail_server import mail_server
from lab.machine import Machine
from lab.manual import BACK_AGAIN, OTHER_SECTIONS, blocks, commands
from manual_steps import ANNA, BEN, INFO, SCANNER, run_block, stock_server

pytestmark = pytest.mark.other_programs

STRANGER = "friend@example.net"
QUOTA = dovecot_language().quota_line.format(gigabytes=1)

ANSWERS_OF_MAPS = ["example.org", "1", f"{ANNA},{BEN}", ANNA,
                   "550 5.2.1 mailbox does not accept mail (send-only)", "encrypt"]


@pytest.fixture
def machine():
    with Lab() as lab:
        yield mail_server(lab)


# Blocks of README.md that tests/debian/run runs on an empty Debian, by what they name.
BY_PACKAGES = ("dpkg-buildpackage", "../mumd_*.deb")

# The command that installs libraries in the block that builds without packages;
# tests/check-docs.sh compares its list.
INSTALL = re.compile(r"apt-get install (.*\\\n)*.*\n")

def run_section(machine, name, section):
    for block in commands(name):
        if block.section == section:
            run_block(machine, block)


def run_examples(machine, name):
    """In a manual of a program, all displays below EXAMPLES are commands. Those with senders
    need a limit of sends and sizes of mailboxes (test_mumctl_setup.py runs them).
    """
    for block in blocks(name):
        if block.section == "EXAMPLES" and "mumctl senders" not in block.text:
            run_block(machine, block)


def files(machine, *paths):
    return machine.run("cat " + " ".join(paths)).stdout


def logs(machine):
    return "\n" + machine.run("tail -n 15 /var/log/mail.log /var/log/dovecot.log").stdout


def mail_arrives(machine, subject):
    """Anna sends as the alias, to the alias; both members read the mail."""
    good, seen = machine.mail_user("submit", ANNA, INFO, INFO, subject)
    assert good, seen + logs(machine)
    for user in (ANNA, BEN):
        good, seen = machine.mail_user("fetch", user, subject)
        assert good and f"Subject: {subject}" in seen, seen + logs(machine)


def is_refused(machine, code, *arguments):
    good, seen = machine.mail_user(*arguments)
    assert not good and seen.startswith(code), seen


def rules_of_mumd_hold(machine):
    is_refused(machine, "550 5.2.1", "send", STRANGER, SCANNER, "to a send-only mailbox")
    is_refused(machine, "553 5.7.1", "submit", BEN, INFO, ANNA, "as somebody else")
    good, seen = machine.mail_user("submit", SCANNER, SCANNER, ANNA, "scan")
    assert good, seen


# ---- README.md ----

def test_readme_leads_to_a_working_pair_and_back(machine):
    stock = files(machine, "/etc/postfix/main.cf", "/etc/postfix/master.cf",
                  "/etc/dovecot/conf.d/10-auth.conf")
    shown = [block for block in commands("README.md")
             if not block.text.startswith("apt-get ") and block.section not in OTHER_SECTIONS]
    # There are no packages here, so what they prepare is done by hand, first.
    shown.sort(key=lambda block: not block.text.startswith("adduser "))
    for block in shown:
        output = run_block(machine, block)
        if "postmap" in block.text:
            assert output.splitlines() == ANSWERS_OF_MAPS
        if "doveadm auth test" in block.text:
            assert "auth succeeded" in output and QUOTA in output
            assert output.splitlines()[-2:] == [ANNA, BEN]
        if "mumctl check" in block.text:
            assert "0 errors, 0 warnings" in output
    mail_arrives(machine, "by README")
    rules_of_mumd_hold(machine)
    is_refused(machine, "535", "fetch", SCANNER, "anything")
    setup_prints_the_examples(machine)
    run_section(machine, "README.md", BACK_AGAIN)
    assert files(machine, "/etc/postfix/main.cf", "/etc/postfix/master.cf",
                 "/etc/dovecot/conf.d/10-auth.conf") == stock
    assert machine.run("pgrep -x mumd", check=False).returncode == 1


def test_readme_makes_a_main_cf_where_our_tests_have_installed_postfix(machine):
    """tests/install-packages has the package make none."""
    block, = (block for block in commands("README.md") if "main_mailer_type" in block.text)
    machine.run("postfix stop; rm /etc/postfix/main.cf; "
                "echo 'postfix postfix/main_mailer_type select No configuration' "
                "| debconf-set-selections")
    run_block(machine, block)
    made = files(machine, "/etc/postfix/main.cf")
    assert "smtpd_relay_restrictions = permit_mynetworks" in made
    run_block(machine, block)
    assert files(machine, "/etc/postfix/main.cf") == made
    machine.run("postfix status || postfix start")


def setup_prints_the_examples(machine):
    """mumctl setup says the lines of conf-examples/, for Debian's paths."""
    printed = machine.run("mumctl -c /etc/mum/mum.conf setup").stdout.splitlines()
    for name in ("main.cf", "master.cf", dovecot_language().example):
        for line in (TOP / "conf-examples" / name).read_text().splitlines():
            assert line.startswith("#") or line in printed, f"{name}: {line}"


# ---- README.md, without packages ----

@pytest.fixture
def checkout():
    """A machine with a copy of this tree, as it is checked out, in /root/mum-mail."""
    with Lab() as lab:
        machine = Machine(lab, seen={TOP}).start()
        # if configure exists stage_source does not bootstrap: README.md's block does that
        machine.run("mkdir /root/mum-mail; touch /root/mum-mail/configure\n"
                    ". tests/build.sh; stage_source /root/mum-mail; rm /root/mum-mail/configure\n"
                    "rm -f /usr/local/sbin/mum* /usr/lib/dovecot/modules/auth/libauthdb_mum.*",
                    cwd=str(TOP))
        yield machine


@pytest.mark.long
@pytest.mark.parametrize("option", ["", " --without-dovecot"])
def test_readme_builds_without_packages(checkout, option):
    shown = [block.text for block in commands("README.md") if "./bootstrap" in block.text]
    text, installs = INSTALL.subn("", shown[0])
    assert len(shown) == installs == 1
    if option:
        assert f"`./configure{option}` and the other options" in (TOP / "README.md").read_text()
        text = text.replace("./configure", f"./configure{option}")
    # Which takes half of the time. ./check builds with the compiler's own defaults.
    quick = "export CFLAGS='-O0 -U_FORTIFY_SOURCE'\n"
    checkout.run(quick + text, cwd="/root/mum-mail", timeout=900)
    seen = checkout.run("mumd -V; mumctl --help; ls /usr/local/share/man/man8 "
                        "/usr/lib/dovecot/modules/auth").stdout
    assert re.search(r"^mumd [0-9.]+", seen) and "usage: mumctl " in seen and "mumd.8" in seen
    assert ("libauthdb_mum.so" in seen) == (option == "")


def test_each_block_of_readme_is_run_or_compared():
    for block in blocks("README.md"):
        known = block.kind in ("dovecot-2.3", "dovecot-2.4") or (    # tests/check-docs.sh
            block.kind == "" and re.match(r"[a-z]+ \{\n", block.text))
        if block.kind == "sh":
            known = (not block.text.startswith("apt-get ") or "./bootstrap" in block.text
                     or any(name in block.text for name in BY_PACKAGES))
        assert known, f"README.md:{block.line}: who runs it?\n{block.text}"


# ---- from the stock configuration and back ----

@pytest.fixture
def stock_machine(machine):
    return stock_server(machine)


# What a block of the manuals must print: these lines, in this order, among others.
PRINTED = {
    "postmap -q anna@": ANSWERS_OF_MAPS,
    "mumctl policy ": ["action=550 5.2.1 mailbox does not accept mail (send-only)",
                       f"action=553 5.7.1 not owned by user {BEN}"],
    f"-t {SCANNER}": [f"smtp-source: fatal: recipient rejected: 550 5.2.1 <{SCANNER}>: Recipient "
                      "address rejected: mailbox does not accept mail (send-only)"],
    f"service=imap {ANNA}": [f"passdb: {ANNA} auth succeeded"],
    f"service=smtp {SCANNER}": [f"passdb: {SCANNER} auth succeeded"],
    f"doveadm user {ANNA}": ["home\t/srv/mail/mailboxes/example.org/anna",
                             QUOTA, ANNA, BEN, f"userdb lookup: user {SCANNER} doesn't exist"],
}


def walk(machine, name):
    """Runs the manual; returns the keys of PRINTED that it met."""
    came = set()
    for block in commands(name):
        if block.section == "ROLL-BACK":
            continue
        printed = run_block(machine, block).splitlines()
        for command, lines in PRINTED.items():
            if command in block.text:
                came.add(command)
                assert [line for line in printed if line in lines] == lines
    return came


WALKS = ("doc/mum-postfix.7", "doc/mum-dovecot.7")


@pytest.mark.parametrize("order", [WALKS, WALKS[::-1]], ids=["postfix-first", "dovecot-first"])
def test_the_manuals_lead_from_stock_to_mumd_and_back(stock_machine, order):
    machine = stock_machine
    stock = files(machine, "/etc/postfix/*.cf"), files(machine, "/etc/dovecot/*.conf")
    mail_arrives(machine, "stock")

    came = set()
    for name in order:
        came |= walk(machine, name)
        mail_arrives(machine, f"after {name}")
    assert came == set(PRINTED)
    rules_of_mumd_hold(machine)
    is_refused(machine, "535", "fetch", SCANNER, "anything")
    for path in sorted((TOP / "doc").glob("*.8")):
        run_examples(machine, f"doc/{path.name}")

    for name in WALKS[::-1]:     # Postfix goes back first, whatever came first
        run_section(machine, name, "ROLL-BACK")
    assert (files(machine, "/etc/postfix/*.cf"), files(machine, "/etc/dovecot/*.conf")) == stock
    mail_arrives(machine, "stock again")


KINDS = ("sh", "sh-2.3", "sh-2.4", "stock", "stock-2.3", "stock-2.4", "stock-master")


@pytest.mark.parametrize("name", WALKS)
def test_each_display_is_run_or_compared(name):
    for block in blocks(name):
        known = (block.kind in KINDS
                 or (TOP / block.kind).is_file())
        assert known, f"{name}:{block.line}: what is it?\n{block.text}"
