# SPDX-License-Identifier: MIT
"""A private Dovecot: who may log in to Postfix."""

from .dovecot_language import dovecot_language
from .lab import Process, accepts, run, tail, wait_until

USER_PASSWORD = "secret"


class Dovecot:
    """Authentication for Postfix, at queue/private/auth.

    users are login names; the password of each is "secret". Postfix hands on
    the login name that Dovecot answers, as sasl_username.
    """

    def __init__(self, lab, postfix, users, name="dovecot"):
        self._lab = lab
        self._directory = lab.directory(name)
        self._run = lab.directory(f"{name}/run")
        self._auth = postfix.queue / "private/auth"
        self._config = self._directory / "dovecot.conf"
        self.log = self._directory / "dovecot.log"
        self._process = None
        (self._directory / "users").write_text(
            "".join(f"{user}:{{PLAIN}}{USER_PASSWORD}\n" for user in users))

    def configuration(self):
        language = dovecot_language()
        return language.head() + language.text(f"""
base_dir = {self._run}
state_dir = {self._run}
log_path = {self.log}
auth_verbose = yes
protocols =
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
# names such as jörg, o'brien and "with space", in the case they are stored in
auth_username_chars =
auth_username_format = %u
default_internal_user = dovecot
default_login_user = dovecot
service auth {{
  unix_listener {self._auth} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {self._directory}/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home=/nonexistent
}}
""")

    def start(self):
        self._config.write_text(self.configuration())
        self._process = self._lab.own(
            Process(["dovecot", "-F", "-c", self._config], self._directory / "out.log"),
            independent=True)
        wait_until(lambda: accepts(self._auth), f"dovecot:\n{tail(self.log)}")
        return self

    def stop(self):
        if self._process is not None:
            self._process.stop()

    def version(self):
        return run("dovecot", "--version").stdout.split()[0]
