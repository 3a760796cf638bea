# SPDX-License-Identifier: MIT
"""A few seeds of tests/stack/conformance, and the list of differences itself."""

import collections
import os
import subprocess

import pytest

from conformance.entries import mismatches
from conformance.hostile import CHEAP, HOSTILE
from conformance.judge import ALL_RULES, Failure
from conformance.report import again, describe
from conformance.rounds import Conformance
from lab.lab import TOP

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


CHEAP_SETTINGS = [setting for setting in HOSTILE if setting.name in CHEAP]


def test_no_setting_of_the_server_changes_an_answer(conformance):
    """conformance --hostile tries more of them."""
    assert len(CHEAP_SETTINGS) == len(CHEAP)
    for setting, result, wrong in conformance.run_hostile(1, CHEAP_SETTINGS):
        assert result.keys > 1000
        assert (wrong, result.failures[:5]) == ([], []), setting.name


# ---- the script ----

Seed = collections.namedtuple("Seed", "seed delimiters")

ODD_KEYS = ["--@example.test", "o'brien@example.test", "$HOME `id` !!@example.test", "",
            "back\\slash@example.test", "b\udcfccher.test", "tab\t\x07@example.test",
            "j\u00f6rg@b\u00fccher.test", "secret > anna@example.test"]


def bash(command):
    return subprocess.run(["bash", "-c", command], cwd=TOP, capture_output=True, timeout=300,
                          encoding="utf-8", errors="surrogateescape",
                          env={**os.environ, "LC_ALL": "C.UTF-8"})


def test_the_script_runs_a_seed_and_asks_one_key_again():
    whole = bash("tests/stack/conformance/run --seeds 1 --first 1")
    assert (whole.returncode, whole.stderr) == (0, ""), whole.stdout
    assert "keys; failed seeds: none" in whole.stdout.splitlines()[-1]
    failure = Failure("aliases", "-o'brien+x\u200b@example.test", "", "", "")
    one = bash(again(Seed(1, "+-"), failure))
    assert one.returncode == 0 and one.stdout.startswith("seed 1: 1 keys, "), one


def test_a_failure_names_the_very_key():
    commands = [again(Seed(7, "+-"), Failure("aliases", key, "", "", "")) for key in ODD_KEYS]
    shown = bash("show() { shift $(($# - 1)); printf '%s\\0' \"$1\"; }\n" + "\n".join(
        command.replace("tests/stack/conformance/run", "show") for command in commands))
    assert shown.stdout.split("\0")[:-1] == [f"--key={key}" for key in ODD_KEYS]


def test_entries_and_rules_are_the_same():
    assert mismatches() == []
