# SPDX-License-Identifier: MIT
"""Other passdbs behind ours while the database is down: their users can log in for
submission before Postfix stops waiting, and nobody is told of a wrong password.
"""

import concurrent.futures
import smtplib
import time

import pytest

from lab import MailRecorder, Postfix, SmtpDialogue, free_port, wait_until
from lab.mum_dovecot import verdict
from asker import timed
from dovecot_stores import MariaStore

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

LOCAL = "local@example.test"

FILE = """
passdb {{
  driver = passwd-file
  args = {file}
}}
userdb {{
  driver = static
  args = home=/nonexistent uid=mail gid=mail
}}
auth_mechanisms = plain login cram-md5
"""

OTHER = """
passdb {{
  driver = mum
  args = {other}
}}
"""

# Postfix waits for 10 s.
PATIENCE = 10

NOBODY = "nobody@example.test"


class Host:
    """Postfix before a Dovecot whose passdbs are ours, maybe another of ours, and a file."""

    def __init__(self, lab, name, make_dovecot, blocks, **options):
        self.store = MariaStore(lab, name=f"chain-{name}")
        self.user = self.store.add("user")
        outside = lab.own(MailRecorder(("127.0.0.1", free_port())))
        self.postfix = Postfix(lab, outside.address, name=f"pf-chain-{name}")
        self.dovecot = make_dovecot(self.store, start=False, postfix=self.postfix, **options)
        file, other = self.dovecot.directory / "local-users", self.dovecot.directory / "other.conf"
        file.write_text(f"{LOCAL}:{{PLAIN}}secret\n")
        other.write_text(self.dovecot.mum_conf.read_text())
        self.dovecot.add_settings(blocks.format(file=file, other=other))
        self.dovecot.start()
        self.postfix.start()

    def submission(self, user, password="secret"):
        return SmtpDialogue(self.postfix.submission_port).login(user, password)

    def cram_md5(self, user, password="secret"):
        with smtplib.SMTP("127.0.0.1", self.postfix.submission_port, timeout=60) as smtp:
            smtp.ehlo()
            smtp.user, smtp.password = user, password
            try:
                return str(smtp.auth("CRAM-MD5", smtp.auth_cram_md5)[0])
            except smtplib.SMTPException as error:
                return str(error.smtp_code)


@pytest.fixture(scope="module")
def host(lab, make_module_dovecot):
    return Host(lab, "file", make_module_dovecot, FILE)


def at_once(**ways):
    """{name: (reply, seconds)} of all of them at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
        futures = {name: pool.submit(timed, way) for name, way in ways.items()}
        return {name: future.result() for name, future in futures.items()}


def test_users_of_a_passdb_behind_ours_log_in_during_an_outage(host):
    ways = {
        "local": lambda: host.submission(LOCAL),
        "local, CRAM-MD5": lambda: host.cram_md5(LOCAL),
        "local, imap": lambda: host.dovecot.login(LOCAL, "secret"),
        "local, wrong": lambda: host.submission(LOCAL, "wrong"),
        "ours": lambda: host.submission(host.user),
        "ours, wrong": lambda: host.submission(host.user, "wrong"),
        "nobody": lambda: host.submission(NOBODY),
        "nobody, CRAM-MD5": lambda: host.cram_md5(NOBODY),
    }
    healthy = {name: reply[:3] for name, (reply, _) in at_once(**ways).items()}
    assert healthy == {"local": "235", "local, CRAM-MD5": "235", "local, imap": "ok",
                       "local, wrong": "535", "ours": "235", "ours, wrong": "535",
                       "nobody": "535", "nobody, CRAM-MD5": "535"}
    with host.store.trouble("server down"):
        seen = at_once(**ways)
    # for these users our passdb cannot say that the password is wrong
    assert {name: reply[:3] for name, (reply, _) in seen.items()} == {
        **dict.fromkeys(ways, "454"), "local": "235", "local, CRAM-MD5": "235",
        "local, imap": "ok"}
    assert max(seconds for reply, seconds in seen.values() if reply[:3] == "235") < 7
    wait_until(lambda: host.submission(host.user).startswith("235"), "a login of ours")


def test_failure_of_all_passdbs_is_told_when_postfix_has_gone(host):
    with host.store.trouble("server down"), host.dovecot.auth_client() as client:
        ours, local, nobody = client.ask_all(
            [(user, "secret", "smtp") for user in (host.user, LOCAL, NOBODY)])
    assert verdict(local) == "ok" and local.seconds < 7
    assert verdict(ours) == verdict(nobody) == "temp_fail"
    assert PATIENCE + 1 < min(ours.seconds, nobody.seconds) < PATIENCE + 5


def test_two_of_ours_leave_time_for_a_third_passdb(lab, make_dovecot):
    host = Host(lab, "two", make_dovecot, OTHER + FILE)
    with host.store.trouble("server hung"):
        reply, seconds = timed(host.submission, LOCAL)
    assert reply.startswith("235") and seconds < PATIENCE - 2      # they share the time


def test_passdb_that_ends_the_search_holds_the_login_itself(lab, make_dovecot):
    """result_internalfail = return-fail: nobody is asked behind it."""
    front = "passdb {\n  driver = mum\n  args = %(args)s\n  result_internalfail = return-fail\n}\n"
    host = Host(lab, "return", make_dovecot, FILE, front=front, options={"smtp_deadline": "3s"})
    with host.store.trouble("server down"), host.dovecot.auth_client() as client:
        reply = client.login(LOCAL, "secret", "smtp")
    assert verdict(reply) == "temp_fail" and 2.9 < reply.seconds < 5


def test_clients_that_go_away_while_they_are_held_do_no_harm(lab, make_dovecot):
    host = Host(lab, "gone", make_dovecot, FILE, sanitized=True)
    pid = wait_until(host.dovecot.auth_pid, "auth runs")
    with host.store.trouble("server down"):
        for _ in range(3):
            with host.dovecot.auth_client() as client:
                client.start([(user, "secret", "smtp") for user in (host.user, LOCAL, NOBODY)])
                time.sleep(0.1)
        with host.dovecot.auth_client() as client:
            client.start([(host.user, "secret", "smtp")] * 2)
            time.sleep(6)       # all passdbs have answered
        time.sleep(8)           # the hold is over
    wait_until(lambda: host.dovecot.login(host.user, "secret", "smtp") == "ok", "a login")
    assert host.dovecot.auth_pid() == pid
    assert host.dovecot.terminate() == 0
    assert host.dovecot.complaints() == [] and host.dovecot.sanitizer_reports() == []
