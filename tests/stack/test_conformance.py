# SPDX-License-Identifier: MIT
"""A few seeds of tests/stack/conformance, and the list of differences itself."""

import pytest

from conformance_entries import mismatches
from conformance_judge import ALL_RULES
from conformance_report import describe
from conformance_run import Conformance

# Together they show every rule.
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def conformance(lab):
    conformance = Conformance(lab)
    yield conformance
    conformance.close()


@pytest.fixture(scope="module")
def results(conformance):
    return {seed: conformance.run(seed) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_difference_is_an_entry(results, seed):
    result = results[seed]
    assert result.keys > 1000
    assert not result.failures, "\n".join(
        describe(result, failure) for failure in result.failures[:5])


def test_every_entry_shows(results):
    seen = set().union(*(result.rules_seen for result in results.values()))
    assert set().union(*ALL_RULES.values()) - seen == set()


def test_entries_and_rules_are_the_same():
    assert mismatches() == []
