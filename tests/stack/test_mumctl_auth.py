# SPDX-License-Identifier: MIT
"""mumctl auth: passwords, how they come in, and that none comes out."""

import ctypes
import mmap
import os
import pty
import select
import signal
import subprocess
import termios

import pytest

from dovecot_stores import STORES
from lab import Mumctl, hashes
from lab.lab import ENVIRONMENT, run
from lab.mariadb import DOVECOT_PASSWORD, POSTFIX_PASSWORD
from lab.mumctl import binary
from mumctl_world import World

# name: (hash, what is said of it, is it right?)
HASHES = {
    "bcrypt2y": (hashes.bcrypt(cost=5), "bcrypt, cost 5"),
    "bcrypt2b": (hashes.bcrypt(cost=4, kind="2b"), "bcrypt, cost 4"),
    "bcrypt2a": (hashes.bcrypt(cost=4, kind="2a"), "bcrypt, cost 4"),
    "sha256": (hashes.sha256(), "SHA256-CRYPT, rounds 5000"),
    "sha512": (hashes.sha512(rounds=2000), "SHA512-CRYPT, rounds 2000"),
    "md5": (hashes.crypt("secret", "$1$saltsalt$"), "MD5-CRYPT"),
    "sha1": (hashes.crypt("secret", "$sha1$1000$saltsalt$"), "SHA1-CRYPT, rounds 1000"),
    "yescrypt": (hashes.yescrypt(), "yescrypt, settings j75"),
    "gost": (hashes.crypt("secret", "$gy$j75$abcdefghijklmnop$"), "gost-yescrypt, settings j75"),
    "scrypt": (hashes.crypt("secret", "$7$8/..../....abcdefgh$"),
               "scrypt, settings 8/..../...."),
    "argon2i": (hashes.argon2(kind="i"), "argon2i, m=1024,t=3,p=1"),
    "argon2id": (hashes.argon2(), "argon2id, m=1024,t=3,p=1"),
}
REFUSED = {
    "plaintext": ("secret", "not a hash that begins with $"),
    "nothing": ("", "no password is set"),
    "unknown": ("$9$abc$def", "unknown hash scheme"),
    "costly": (hashes.bcrypt(cost=4).replace("$04$", "$20$"), "costs more than mum.conf allows"),
    "prefixed": ("{PLAIN}secret", "dovecot.allow_scheme_prefix"),
}


@pytest.fixture(scope="module", params=list(STORES))
def logins(request, lab):
    """A world with one mailbox for each hash."""
    world = World(lab, request.param, "auth")
    for name, (hashed, _) in {**HASHES, **REFUSED}.items():
        world.store.add(name, password=hashed)
    return world


@pytest.mark.parametrize("name", HASHES)
def test_a_password_is_right_or_wrong_by_every_scheme(logins, name):
    hashed, described = HASHES[name]
    user = f"{name}@example.test"
    right = logins.ctl.run("auth", "--password-stdin", user, input="secret\n")
    wrong = logins.ctl.run("auth", "--password-stdin", user, input="Secret\n")
    assert (right.status, right.stdout) == (0, f"{user}: right; {described}\n")
    assert (wrong.status, wrong.stdout) == (1, f"{user}: wrong; {described}\n")
    assert logins.ctl.json("auth", "--password-stdin", user, input="secret") == {
        "user": user, "result": "right", "hash": described, "send_only": False}
    row = next(row for one in logins.ctl.json("explain", user)["questions"]
               if one["question"] == "credential" for row in one["rows"])
    assert row["hash"] == described
    for result in (right, wrong):
        assert hashed[-20:] not in result.seen


@pytest.mark.parametrize("name", REFUSED)
def test_a_hash_that_dovecot_refuses_is_refused(logins, name):
    user = f"{name}@example.test"
    result = logins.ctl.run("auth", "--password-stdin", user, input="secret\n")
    assert result.status == 1
    assert result.stdout.startswith(f"{user}: refused; ") and REFUSED[name][1] in result.stdout


def test_a_prefix_that_is_allowed_is_left_to_dovecot(logins):
    ctl = logins.ctl_with(dovecot={"allow_scheme_prefix": "true"})
    result = ctl.run("auth", "--password-stdin", "prefixed@example.test", input="secret\n")
    assert result.status == 75 and "unchecked" in result.stdout and "doveadm" in result.stdout


def test_who_may_not_log_in_is_unknown_and_send_only_is_said(logins):
    for user in ("gone@example.test", "nobody@example.test"):
        result = logins.ctl.run("auth", "--password-stdin", user, input="secret\n")
        assert (result.status, result.stdout) == (
            1, f"{user}: unknown; no active mailbox has this name\n")
    result = logins.ctl.run("auth", "--password-stdin", "SCANNER@example.test", input="secret\n")
    assert result.status == 0
    assert result.stdout.startswith("scanner@example.test: right; ")
    assert "send-only: no login for imap, pop3, sieve, submission" in result.stdout


def test_the_password_is_asked_for_without_an_echo(logins):
    result = logins.ctl.on_terminal("auth", "bcrypt2y@example.test", prompt="Password: ",
                                    typed="secret\n")
    assert (result.status, result.stdout) == (
        0, "Password: \r\nbcrypt2y@example.test: right; bcrypt, cost 5\r\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_at_the_prompt_gives_the_echo_back(logins, number):
    master, slave = pty.openpty()
    child = subprocess.Popen([binary(), "-c", logins.ctl.config, "auth", "x@example.test"],
                             stdin=slave, stdout=slave, stderr=slave, env=ENVIRONMENT,
                             start_new_session=True)
    assert select.select([master], [], [], 10)[0] and b"Password" in os.read(master, 100)
    assert not termios.tcgetattr(slave)[3] & termios.ECHO
    child.send_signal(number)
    assert child.wait(10) == -number
    assert termios.tcgetattr(slave)[3] & termios.ECHO
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("typed", ["", "x" * 1024 + "\n", "a\0b\n"])
def test_what_is_no_password_is_said(logins, typed):
    result = logins.ctl.run("auth", "--password-stdin", "bcrypt2y@example.test", input=typed)
    assert result.status == 64 and "the password is incomplete" in result.stderr
    without = logins.ctl.run("auth", "bcrypt2y@example.test", input="secret\n")
    assert without.status == 64 and "--password-stdin" in without.stderr


def test_a_password_that_is_cut_by_an_error_is_none(logins):
    """Standard input is this process' memory, up to where there is none any more."""
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    size = mmap.PAGESIZE
    page = libc.mmap(None, ctypes.c_size_t(2 * size), mmap.PROT_READ | mmap.PROT_WRITE,
                     mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))
    libc.munmap(ctypes.c_void_p(page + size), ctypes.c_size_t(size))
    ctypes.memmove(page + size - len("secret"), b"secret", len("secret"))
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        memory.seek(page + size - len("secret"))
        result = subprocess.run(
            [binary(), "-c", logins.ctl.config, "auth", "--password-stdin",
             "bcrypt2y@example.test"], stdin=memory, capture_output=True, env=ENVIRONMENT,
            timeout=30, check=False)
    libc.munmap(ctypes.c_void_p(page), ctypes.c_size_t(size))
    assert (result.returncode, result.stdout) == (64, b"") and b"the password is incomplete" in result.stderr


def test_mum_conf_is_read_before_a_password_is_asked_for(lab):
    path = lab.directory("auth-wrong") / "mum.conf"
    path.write_text('cache { ttl = "soon" }\n')
    result = Mumctl(path).on_terminal("auth", "x@example.test")
    assert result.status == 78 and "soon" in result.seen and "Password" not in result.seen


SECRETS = ["typed-canary", POSTFIX_PASSWORD, DOVECOT_PASSWORD, *[
    hashed[-20:] for hashed, _ in HASHES.values()]]


def test_no_command_prints_a_secret(logins):
    for words in (("check", "--all"), ("setup",), ("list",), ("user", "sha512@example.test"),
                  ("query", "mailboxes", "sha512@example.test"),
                  ("policy", "sender=sha512@example.test"),
                  ("auth", "--password-stdin", "sha512@example.test"),
                  *[("explain", f"{name}@example.test") for name in HASHES]):
        for options in ((), ("--json",)):
            seen = logins.ctl.run(*options, *words, input="typed-canary\n").seen
            assert seen and not [secret for secret in SECRETS if secret in seen], words
