# SPDX-License-Identifier: MIT
"""mumctl setup: what it prints is what we ship, and enough. And mumctl as a program."""

import re
import shlex
import subprocess

import pytest

from dovecot_stores import STORES
from lab import Mumctl
from lab.lab import ENVIRONMENT, TOP, run
from lab.manual import commands
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mumctl import binary
from mumctl_world import World


@pytest.fixture(scope="module", params=list(STORES))
def world(request, lab):
    return World(lab, request.param, "shipped")


# ---- what it prints ----

def test_setup_prints_the_lines_that_we_ship(world):
    document = world.ctl.json("setup")
    for name in ("main.cf", "master.cf"):
        text = document[name].replace(str(world.mumd.config), "/etc/mum/mum.conf")
        text = text.replace(f"unix:{world.mumd.socketmap}", "unix:mum/socketmap")
        text = text.replace(f"unix:{world.mumd.policy}", "unix:mum/policy")
        shipped = (TOP / "conf-examples" / name).read_text().splitlines()
        missing = [line for line in text.splitlines() if line not in shipped]
        assert missing == [] and text, name
    text = world.ctl.run("setup").stdout
    assert all(part.rstrip() in text for part in (document["main.cf"], document["master.cf"]))
    assert document["postfix_version"] == run("postconf", "-d", "-h", "mail_version").stdout.strip()
    assert document["dovecot_version"] == run("dovecot", "--version").stdout.strip()


def without_repeated_cd(lines):
    """Each block of a manual begins with one."""
    directory = None
    for line in lines:
        if line.startswith("cd ") and line == directory:
            continue
        directory = line if line.startswith("cd ") else directory
        yield line


def test_setup_prints_the_commands_of_the_manual(world):
    """Those of its step that changes Postfix, with the sockets of mum.conf."""
    shown = "\n".join(block.text for block in commands("doc/mum-postfix.7")
                      if block.section.startswith("8. "))
    printed = world.ctl.json("setup")["commands"]
    assert printed in world.ctl.run("setup").stdout
    printed = printed.replace(f"unix:{world.mumd.socketmap}", "unix:mum/socketmap")
    printed = printed.replace(f"unix:{world.mumd.policy}", "unix:mum/policy")
    assert printed.splitlines() == list(without_repeated_cd(shown.splitlines()))


@pytest.mark.parametrize("send, context", [("off", None), ("enforce", "limit"), ("warn", "limit")])
def test_the_commands_ask_at_data_where_logins_have_a_limit(world, tmp_path, send, context):
    """For each service where users log in, and once, however often they run."""
    printed = world.ctl_with(policy={"send": send}).json("setup")["commands"]
    script = printed[printed.index("ask_first() {"):printed.index("diff ../main.cf")]
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n")
    (tmp_path / "master.cf").write_text("submission inet n - y - - smtpd\n"
                                        "  -o smtpd_sasl_auth_enable=yes\n"
                                        "  -o smtpd_data_restrictions=permit_mynetworks\n")
    for _ in range(2):
        run("sh", "-euc", script, cwd=tmp_path)
    name = "mum_submission_inet_smtpd_data_restrictions"
    found = run("postconf", "-c", tmp_path, "-h", name, check=False).stdout
    assert found.strip() == (
        "" if context is None else
        f"check_policy_service {{ unix:{world.mumd.policy}, policy_context={context},"
        " default_action=DUNNO, timeout=10s }, permit_mynetworks")


def settings_of(text):
    """Its lines without comments."""
    return sorted(line.strip() for line in text.splitlines() if line.strip()[:1] not in ("", "#"))


@pytest.mark.parametrize("version, example", [
    ("2.3.19.1 (9b53102964)", "dovecot-2.3.conf"), ("2.4.0 (1a2b3c4)", "dovecot-2.4.conf"),
    ("2.4.1-4 (7d8e9f0)", "dovecot-2.4.conf")])
def test_setup_speaks_the_language_of_the_dovecot_that_is_there(world, tmp_path, version,
                                                               example):
    """Its lines are those of the example, but for the paths."""
    program = tmp_path / "dovecot"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"}
    result = world.ctl.run("--json", "setup", environment=environment)
    document = result.json()
    assert (result.status, result.stderr, document["dovecot_version"]) == (0, "", version)
    printed = re.sub(r"unix_listener .*/private/", "unix_listener /var/spool/postfix/private/",
                     document["dovecot.conf"]).replace(str(world.ctl.config), "/etc/mum/mum.conf")
    shown = (TOP / "conf-examples" / example).read_text().replace("#mum_config_file",
                                                                  "mum_config_file")
    assert settings_of(printed) == settings_of(shown)
    assert f"Dovecot {version}" in world.ctl.run("setup", environment=environment).stdout


def granted(text):
    """{(columns, table, user), ...} of the statements in it."""
    return set(re.findall(r"^GRANT SELECT \((.*?)\)\s+ON mum\.(\w+) TO '(\w+)'@'localhost';$",
                          text, re.MULTILINE))


def test_setup_and_the_file_that_we_ship_grant_the_same(world):
    ours = world.ctl_with(database={"driver": "mariadb", "name": "mum", "user": "mum_postfix"})
    shipped = (TOP / "conf-examples/grants.sql").read_text()
    assert granted(ours.json("setup")["grants"]) == granted(shipped)
    assert len(granted(shipped)) == shipped.count("\nGRANT ") == 8


@pytest.mark.parametrize("options, comment", [
    ({}, "-- "), ({"user": "mum_charts"}, "-- "), ({"password": "secret"}, ""),
    ({"password_file": "/nonexistent/yet"}, "-- "),
    ({"user": "mum_charts", "password_file": ...}, "")])
def test_the_grant_of_measure_is_a_comment_unless_it_is_used(world, tmp_path, options, comment):
    """As in the file that we ship."""
    if options.get("password_file") is ...:
        options = {**options, "password_file": tmp_path / "password"}
        options["password_file"].write_text("secret\n")
        options["password_file"].chmod(0o600)
    ctl = world.ctl_with(database={"driver": "mariadb", "name": "mum", "user": "mum_postfix"},
                         measure=options)
    user = f"'{options.get('user', 'mum_measure')}'@'localhost'"
    lines = [line for line in ctl.json("setup")["grants"].splitlines() if user in line]
    assert lines == [f"{comment}CREATE USER IF NOT EXISTS {user} IDENTIFIED BY 'change-me';",
                     f"{comment}GRANT INSERT ON mum.size_measurements TO {user};"]
    shipped = (TOP / "conf-examples/grants.sql").read_text()
    assert "-- GRANT INSERT ON mum.size_measurements TO 'mum_measure'@'localhost';" in shipped


@pytest.fixture(scope="module")
def narrow(lab):
    """A world whose database users have what mumctl setup prints, and nothing else."""
    world = World(lab, "mariadb", "setup")
    world.grants = grants = world.ctl.json("setup")["grants"]
    for user, password in (("mum_postfix", POSTFIX_PASSWORD), ("mum_dovecot", DOVECOT_PASSWORD)):
        world.store.run(f"DROP USER {user}@localhost")
        grants = grants.replace("change-me", password, 1)
    world.store.run(grants)
    return world


# Every statement is run, those for one name and for several.
EVERYTHING = [("list",), ("explain", "anna@example.test"), ("explain", "info+x@example.test"),
              ("explain", "bücher.test")]


def test_the_grants_of_setup_are_enough(narrow):
    assert narrow.ctl.run("check").stdout == "0 errors, 0 warnings\n"
    assert [narrow.ctl.run(*words).status for words in EVERYTHING] == [0, 0, 0, 0]


def test_no_column_is_granted_that_no_statement_needs(narrow):
    """Without any one of them a question has no answer, or check says what it leaves out."""
    soon = {"deadline": "300ms"}    # without domains.id no connection is taken into use
    ctl = narrow.ctl_with(database=soon, dovecot=soon)
    for columns, table, user in sorted(granted(narrow.grants)):
        for column in columns.split(", "):
            right = f"SELECT ({column}) ON mum.{table}"
            narrow.store.run(f"REVOKE {right} FROM {user}@localhost")
            assert any(ctl.run(*words).status in (75, 78) for words in EVERYTHING) or \
                "not-checked" in {one["code"] for one in ctl.findings()}, (table, column, user)
            narrow.store.run(f"GRANT {right} TO {user}@localhost")


def test_setup_quotes_the_name_of_a_database_that_needs_it(world):
    ctl = world.ctl_with(database={"driver": "mariadb", "name": "mum-2"})
    assert "ON `mum-2`.domains TO " in ctl.json("setup")["grants"]


def test_a_grant_names_any_database(lab):
    """The grants of setup are good for one with a '-' in its name, and those of check."""
    world = World(lab, "mariadb", "prod")
    world.store.run("CREATE DATABASE `mum-prod` COLLATE utf8mb4_unicode_ci")
    for table, in world.store.server.sql("SHOW TABLES FROM mum"):
        world.store.run(f"CREATE TABLE `mum-prod`.{table} LIKE mum.{table}")
    ctl = world.ctl_with(database={"name": "mum-prod"})
    world.store.run(ctl.json("setup")["grants"])
    assert ctl.run("check").stdout == "0 errors, 0 warnings\n"
    world.store.run("REVOKE SELECT (active) ON `mum-prod`.domains FROM mum_postfix@localhost")
    for one in ctl.findings():
        world.store.run(one["mend"])
    assert ctl.run("check").stdout == "0 errors, 0 warnings\n"


def test_the_grants_for_a_remote_host_are_for_who_comes_from_elsewhere(lab):
    """By an address that is not loopback's, though it leads there."""
    world = World(lab, "mariadb", "away")
    unix, = world.store.settings["hosts"]
    away = f"0.0.0.0:{world.store.server.port}"
    remote = {"hosts": [away], "tls": "off"}
    ctl = world.ctl_with(database=remote)
    grants = ctl.json("setup")["grants"]
    assert "'localhost'" not in grants and "REQUIRE" not in grants
    for user, password in (("mum_postfix", POSTFIX_PASSWORD), ("mum_dovecot", DOVECOT_PASSWORD)):
        world.store.run(f"DROP USER {user}@127.0.0.1")
        grants = grants.replace("change-me", password, 1)
    world.store.run(grants)
    assert [one["code"] for one in ctl.findings()] == ["database-plain"]
    authority = {"hosts": [unix, away], "tls_ca": "/dev/null"}
    lines = world.ctl_with(database=authority).json("setup")["grants"].splitlines()
    users = [line for line in lines if line.startswith("CREATE USER")]
    assert len([line for line in users if "@'localhost'" in line and "SSL" not in line]) == 2
    assert len([line for line in users
                if "@'%'" in line and line.endswith(" REQUIRE SSL;")]) == 2


def test_setup_names_mum_conf_by_its_whole_path(world):
    path = world.ctl.config
    ctl = Mumctl(path.name, ["env", "-C", path.parent])
    assert re.search(rf"^ *(args|mum_config_file) = {re.escape(str(path))}$",
                     ctl.json("setup")["dovecot.conf"], re.M)


def test_setup_leaves_out_what_nobody_listens_for(world):
    without_maps = world.ctl_with(socketmap={"listen": []}).run("--json", "setup")
    without_policy = world.ctl_with(policy={"listen": []}).run("--json", "setup")
    for result, option, word in ((without_maps, "socketmap.listen", "socketmap:"),
                                 (without_policy, "policy.listen", "check_policy_service")):
        document = result.json()
        text = document["main.cf"] + document["master.cf"]
        assert word not in text and "smtpd_relay_before" in text and document["commands"] == ""
        assert f"{option}: empty" in result.stderr
    assert "check_policy_service" in without_maps.json()["main.cf"]
    assert "socketmap:" in without_policy.json()["main.cf"]


# ---- the program itself ----

def test_usage_is_64_and_help_is_0(world):
    for words in ((), ("nosuch",), ("check", "now"), ("query",), ("user",), ("user", "a", "b"),
                  ("list", "a", "b"), ("auth",), ("auth", "--nosuch"), ("explain",),
                  ("explain", "a", "--as"), ("compare", "now"), ("compare", "--postfix"),
                  ("setup", "now"), ("--nosuch",)):
        result = world.ctl.run(*words)
        assert (result.status, result.stdout) == (64, "") and result.stderr, words
    for words in (("--help",), ("-h",)):
        result = world.ctl.run(*words)
        assert result.status == 0 and "usage: mumctl" in result.stdout
    assert re.fullmatch(r"mumctl \d+\.\d+\S*\n", world.ctl.run("--version").stdout)


def examples():
    """The commands of the manuals' EXAMPLES, as one types them."""
    text = "".join(page.read_text().partition(".Sh EXAMPLES")[2].partition(".Sh SEE")[0]
                   for page in sorted((TOP / "doc").glob("mumctl*.8")))
    text = text.replace(".Dl ", "").replace("\\e\n", "").replace("example.org", "example.test")
    return [line for line in text.splitlines() if line.startswith("mumctl ")]


# There is nothing to compare with; no limit is set; no Dovecot runs, or no user may write.
NOT_HERE = {"compare": [66], "senders": [78], "measure": [75, 78]}


@pytest.mark.parametrize("line", examples())
def test_the_examples_of_the_manuals_work(world, line):
    words = shlex.split(line)[1:]
    if words[0] == "auth":
        result = world.ctl.on_terminal(*words, prompt="Password: ", typed="secret\n")
    else:
        result = world.ctl.run(*words)
    assert result.status in NOT_HERE.get(words[0], [0]), result.seen
    assert result.stdout or words[0] in NOT_HERE


def test_the_manuals_have_an_example_of_each_command():
    text = (TOP / "mumctl/commands.h").read_text()
    known = set(re.findall(r'USAGE_\w+ [\\\s]*"(\w+)', text))
    assert known and {line.split()[1] for line in examples()} == known


def test_json_may_stand_before_or_behind_the_command(world):
    assert world.ctl.run("check", "--json").stdout == world.ctl.run("--json", "check").stdout


def test_a_full_disk_is_an_error(world):
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run([binary(), "-c", world.ctl.config, "list"], stdout=full,
                                stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=30, check=False)
    assert result.returncode == 74 and b"standard output" in result.stderr
