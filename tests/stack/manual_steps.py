# SPDX-License-Identifier: MIT
"""How a test runs what README.md and the manuals show, and the server they begin with:
MUM's stock configuration, as its manual has it."""

from conformance.stock import QUERIES
from lab.dovecot_language import dovecot_language
from lab.lab import TOP
from lab.manual import blocks, commands

EXAMPLES = "/usr/share/doc/mumd/examples"
ANNA, BEN, INFO, SCANNER = (f"{name}@example.org" for name in ("anna", "ben", "info", "scanner"))

# There is no terminal to ask for a password.
TRANSLATED = {EXAMPLES: str(TOP / "conf-examples"),
              "mumctl auth ": "mumctl auth --password-stdin "}


def run_block(machine, block):
    """Runs a block and returns its output. If a command fails the test fails, and shows
    what was run.
    """
    print(f"---- {block.section}, line {block.line}\n{block.text}\n----")
    text = block.text
    for shown, here in TRANSLATED.items():
        text = text.replace(shown, here)
    if ".password" in text:
        # the shell shows each command with its arguments, as ps does
        text = f"set -x\n{text}"
    output = machine.run(text, cwd=str(TOP), answers="secret\n").stdout
    print(output)
    for password in machine.run("cat /etc/mum/*.password 2>/dev/null || :").stdout.split():
        assert password not in output, "a password is an argument, or printed"
    return output


def shown_lines(name, kind):
    """The lines of the stock configuration that a manual begins with."""
    found = [block.text for block in blocks(name) if block.kind == kind]
    assert len(found) == 1, f"{name} has {len(found)} displays of {kind}"
    return found[0]


def stock_postfix(machine):
    for table, query in QUERIES.items():
        machine.write(f"/etc/postfix/sql/{table}.cf", "user = stock\npassword = stock\n"
                      "hosts = 127.0.0.1\ndbname = mum\nquery = " + " ".join(query.split()) + "\n")
    main = machine.run("cat /etc/postfix/main.cf").stdout
    machine.write("/etc/postfix/main.cf", main + shown_lines("doc/mum-postfix.7", "stock")
                  + "\nvirtual_transport = lmtp:unix:private/dovecot-lmtp\n")
    submission = [line for line in (TOP / "conf-examples/master.cf").read_text().splitlines()
                  if line.startswith(("submission ", "  -o ")) and "sender_restr" not in line]
    machine.run("cat >>/etc/postfix/master.cf", answers="\n".join(
        submission + [shown_lines("doc/mum-postfix.7", "stock-master")]) + "\n")


def stock_dovecot(machine):
    language = dovecot_language()
    ours = (TOP / "conf-examples" / language.example).read_text()
    stock = shown_lines("doc/mum-dovecot.7", f"stock-{language.generation}")
    sql_file = "/etc/dovecot/dovecot-sql.conf"
    machine.write(sql_file, language.sql_files(
        sql_file, "mysql", "127.0.0.1", "", "mum", "stock", "stock")[sql_file], 0o600)
    if sql_file not in stock:   # what 2.4 has there is the server alone
        stock = f"!include {sql_file}\n{stock}"
    machine.write("/etc/dovecot/local.conf", stock + ours[ours.index("\nmail_uid = "):])
    machine.run("sed -i 's/^!include auth-system/#&/' /etc/dovecot/conf.d/10-auth.conf\n"
                "groupadd --gid 5000 vmail\n"
                "useradd --uid 5000 --gid vmail --home-dir /srv/mail --create-home vmail")


def stock_server(machine):
    """Sets up a server by MUM's manual, with mum.conf where the packages put it."""
    machine.run("mariadb", answers="CREATE USER stock@localhost IDENTIFIED BY 'stock';"
                "GRANT SELECT ON mum.* TO stock@localhost;")
    stock_postfix(machine)
    stock_dovecot(machine)
    prepare = [block for block in commands("README.md") if block.text.startswith("adduser ")]
    run_block(machine, prepare[0])
    machine.run("postfix reload; doveadm reload; sleep 1")
    return machine
