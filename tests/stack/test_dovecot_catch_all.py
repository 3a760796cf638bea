# SPDX-License-Identifier: MIT
"""Catch-alls and roles: with real Dovecot, the mail is in the mailboxes that they lead to, and
nowhere else.
"""

import pytest

from lab import wait_until
from test_dovecot_delivery import MailHost, add_alias

pytestmark = pytest.mark.auth_module

pytest_plugins = ["dovecot_fixtures"]

ANNA, BEN, ADMIN, GONE = (f"{name}.caught@example.test" for name in ("anna", "ben", "admin", "gone"))


@pytest.fixture(scope="module")
def host(lab, stores, dovecots):
    store = stores("sqlite")
    for user in (ANNA, BEN, ADMIN):
        store.add(user.partition("@")[0])
    store.add(GONE.partition("@")[0], active=0)
    add_alias(store, "@example.test", BEN)
    return MailHost(lab, store, dovecots, name="caught", address={
        "other_maps": "off", "catch_all": "on", "roles": ["postmaster"], "role_recipient": ADMIN})


@pytest.mark.parametrize("recipient, reader", [
    ("stranger.caught@example.test", BEN), ("Stranger.Caught+Shop@EXAMPLE.test", BEN),
    (ANNA, ANNA), (ANNA.replace("@", "+shop@"), ANNA), ("postmaster@example.test", ADMIN)])
def test_mail_is_in_the_mailbox_that_takes_it(host, recipient, reader):
    subject = f"caught {recipient}"
    assert host.send(recipient, subject).startswith("250")
    wait_until(lambda: subject in host.subjects(reader), "the mail in the INBOX", 15)
    wait_until(host.postfix.is_idle, host.postfix.log())
    assert [user for user in (ANNA, BEN, ADMIN) if subject in host.subjects(user)] == [reader]


def test_the_mail_of_a_disabled_mailbox_is_refused(host):
    assert host.send(GONE, "caught nobody").startswith("550 5.1.1")
