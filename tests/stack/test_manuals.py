# SPDX-License-Identifier: MIT
"""Every command that README.md, mum-postfix(7) and mum-dovecot(7) show, run in their
order on a mail server of Debian's packages, with the real Postfix, Dovecot and MariaDB.

Not run here are the blocks that install or build (what apt-get begins): README's first
is run by tests/debian/run, on an empty Debian; the one that builds without packages is
what ./check does. As README.md says for that way, conf-examples/ takes the place of the
packages' folder of examples, and mumd is started by itself: there is no systemd.
"""

import pytest

from lab import Lab
from lab.lab import TOP
from lab.mail_server import mail_server
from lab.manual import commands

EXAMPLES = "/usr/share/doc/mumd/examples"
TRANSLATED = [(EXAMPLES, str(TOP / "conf-examples")),
              ("systemctl enable --now mumd.socket mumd.service", "mumd"),
              ("systemctl disable --now mumd.socket mumd.service", "pkill -x mumd")]


def is_installation(block):
    return block.text.startswith("apt-get ")


def run_block(machine, block):
    """Its output; a command that fails fails the test."""
    text = block.text
    for old, new in TRANSLATED:
        text = text.replace(old, new)
    return machine.run(text, cwd=str(TOP), answers="secret\n").stdout


@pytest.fixture(scope="module")
def own_lab():
    with Lab() as lab:
        yield lab


@pytest.fixture(scope="module")
def readme_machine(own_lab):
    return mail_server(own_lab)


def test_readme(readme_machine):
    blocks = [block for block in commands("README.md") if not is_installation(block)]
    # Without packages, what they prepare is done by hand, first.
    blocks.sort(key=lambda block: not block.text.startswith("adduser "))
    for block in blocks:
        print(f"---- README.md:{block.line}\n{block.text}\n----")
        print(run_block(readme_machine, block))
