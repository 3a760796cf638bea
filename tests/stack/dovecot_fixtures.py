# SPDX-License-Identifier: MIT
"""What the tests with Dovecot share. A plugin, so that each server starts once."""

import concurrent.futures
import itertools

import pytest

from lab.mum_dovecot import MumDovecot
from dovecot_stores import STORES

# Names with blanks, quotes and letters beyond ASCII; see conf-examples/dovecot-2.3.conf.
ANY_NAME = "auth_username_chars =\n"

_tests = itertools.count(1)


class Factory:
    """Makes Dovecots that end with their scope, and checks their logs."""

    def __init__(self, lab, scope):
        self._lab = lab
        self._scope = scope
        self._made = []

    def __call__(self, store, *, start=True, settings="", **options):
        name = f"dc{self._scope}{len(self._made)}-{store.name}"
        dovecot = MumDovecot(self._lab, store.settings, name=name,
                             settings=ANY_NAME + settings, **options)
        self._made.append(dovecot)
        return dovecot.start() if start else dovecot

    def finish(self):
        """Ends all at once, because each takes half a second."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(MumDovecot.stop, self._made))
        complaints = {dovecot.directory.name: dovecot.complaints() for dovecot in self._made
                      if dovecot.complaints()}
        assert not complaints


@pytest.fixture(scope="session")
def stores(lab):
    """Each store by name, made when it is first needed."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = STORES[name](lab)
        return made[name]
    return get


@pytest.fixture(scope="session", params=list(STORES))
def store(request, stores):
    return stores(request.param)


@pytest.fixture(scope="session")
def _session_factory(lab):
    factory = Factory(lab, "s")
    yield factory
    factory.finish()


@pytest.fixture(scope="session")
def dovecots(_session_factory):
    """dovecots(store, **options): one for all tests that ask for the same."""
    made = {}

    def get(store, **options):
        key = (store.name, repr(sorted(options.items())))
        if key not in made:
            made[key] = _session_factory(store, **options)
        return made[key]
    return get


@pytest.fixture
def make_dovecot(lab):
    """make_dovecot(store, **options): one that ends with the test."""
    factory = Factory(lab, f"t{next(_tests)}-")
    yield factory
    factory.finish()


@pytest.fixture(scope="module")
def make_module_dovecot(lab):
    """The same for a Dovecot that ends with the module."""
    factory = Factory(lab, f"m{next(_tests)}-")
    yield factory
    factory.finish()


@pytest.fixture
def dovecot(dovecots, store):
    """With the settings that we ship."""
    return dovecots(store)
