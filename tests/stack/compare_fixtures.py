# SPDX-License-Identifier: MIT
"""Stock's queries in the language of the installed Dovecot, for mumctl compare."""

import itertools

import pytest

from lab.dovecot_language import dovecot_language
from test_mumctl_compare_changes import World

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def stock_world(lab):
    return World(lab, dovecot_language(), f"compared-{next(_numbers)}")


@pytest.fixture
def changed_file(stock_world, tmp_path):
    """changed_file((old, new), ...): the file that is compared, with other words in it."""
    def make(*pairs):
        text = stock_world.sql_file.read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "compared.conf"
        path.write_text(text)
        return path
    return make
