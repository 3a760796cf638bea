# SPDX-License-Identifier: MIT
"""mumctl on odd machines: odd paths, a Postfix without main.cf, output that is lost."""

import re
import shlex
import subprocess

import pytest

from lab import Mumctl
from lab.dovecot_language import dovecot_language
from lab.lab import ENVIRONMENT, run
from lab.mumctl import binary
from lab.mumd import render

ODD_NAMES = ["no\nsuch", "no: such", "a: b\nc: d"]


@pytest.fixture
def config(tmp_path):
    """mum.conf at a path of one's choice."""
    def make(name="mum.conf", **socketmap):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render({"database": {"driver": "sqlite", "path": tmp_path / "none"},
                                "socketmap": socketmap}))
        return path
    return make


@pytest.mark.parametrize("name", ODD_NAMES)
def test_check_names_a_config_of_any_name(tmp_path, name):
    """The path holds characters that end a place or a line in the errors."""
    missing = Mumctl(tmp_path / name)
    (finding,) = missing.findings()
    assert finding["code"] == "config" and "No such file" in finding["what"]
    assert finding["where"] == str(tmp_path / name)
    assert missing.run("check").status == 78
    (tmp_path / name).write_text("dovecot {\n  colour = 1\n  verify = maybe\n}\n")
    findings = [one for one in missing.findings() if one["code"] == "config"]
    places = {one["where"] for one in findings}
    assert places == {f"{tmp_path / name}:{line}" for line in (2, 3)} and len(findings) == 2


@pytest.mark.parametrize("arguments", ["--help", "-h", "--version"])
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_help_that_is_lost_is_an_error(arguments, redirection):
    command = f"{shlex.quote(str(binary()))} {arguments}"
    result = subprocess.run(["sh", "-c", f"{command} {redirection}"], env=ENVIRONMENT,
                            stderr=subprocess.PIPE, timeout=30, check=False)
    assert result.returncode == 74 and b"standard output" in result.stderr
    assert subprocess.run(["sh", "-c", f"{command} >/dev/null"], env=ENVIRONMENT,
                          timeout=30, check=False).returncode == 0


QUEUE = "/var/spool/postfix"


@pytest.mark.parametrize("postfix", ["no main.cf", "not installed", "main.cf"])
def test_setup_knows_the_queue_directory(config, tmp_path, postfix):
    """Daemons are chrooted there, and find sockets only by relative paths."""
    queue = "/srv/queue" if postfix == "main.cf" else QUEUE
    (tmp_path / "etc").mkdir()
    environment = {"MAIL_CONFIG": str(tmp_path / "etc")}
    if postfix == "main.cf":
        (tmp_path / "etc/main.cf").write_text(f"queue_directory = {queue}\n")
    if postfix == "not installed":
        environment["PATH"] = "/nowhere"
    path = config(listen=[f"unix:{queue}/mum/socketmap"])
    setup = Mumctl(path).json("setup", environment=environment)
    assert "virtual_mailbox_domains = socketmap:unix:mum/socketmap:domains" in setup["main.cf"]
    assert f"unix_listener {queue}/private/auth" in setup["dovecot.conf"]


ODD_PATHS = ["mum.conf", "a #b/mum.conf", "#b/mum.conf", "a b/mum.conf", "a'b/mum.conf",
             'a"b/mum.conf', "a\\b/mum.conf", "a $b/mum.conf", "$b/mum.conf", 'a "b" #/mum.conf',
             "mum.conf ", "mum.conf\\", "a%b/mum.conf", "ä/mum.conf"]


@pytest.mark.parametrize("name", ODD_PATHS)
def test_dovecot_reads_from_setup_the_path_that_was_given(config, tmp_path, name):
    path = config(name)
    given = re.search(r"^ *(?:args|mum_config_file)( = .*)$",
                      Mumctl(path).json("setup")["dovecot.conf"], re.M)[1]
    # how Dovecot itself reads it, in a setting whose value doveconf prints unchanged
    (tmp_path / "dovecot.conf").write_text(
        f"{dovecot_language().passdb('mum')}login_greeting{given}\n")
    # without -h: to 2.4 that is ambiguous beside a passdb
    seen = run("doveconf", "-c", tmp_path / "dovecot.conf", "login_greeting").stdout
    seen = seen.removesuffix("\n").removeprefix("login_greeting = ")
    if seen.startswith('"'):     # as 2.4 prints what needs quotes
        seen = re.sub(r"\\(.)", r"\1", seen[1:-1])
    assert seen == str(path)
