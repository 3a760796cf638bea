# SPDX-License-Identifier: MIT
"""What the tests of mumctl check share: worlds in which to break things. A plugin, so that
each is made once.
"""

import pytest

from dovecot_stores import STORES
from mumctl_world import World


@pytest.fixture(scope="session")
def worlds(lab):
    made = {}

    def get(name):
        if name not in made:
            made[name] = World(lab, name)
        return made[name]
    return get


@pytest.fixture(scope="module", params=list(STORES))
def world(request, worlds):
    return worlds(request.param)
