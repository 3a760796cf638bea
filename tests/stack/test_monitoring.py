# SPDX-License-Identifier: MIT
"""The alert rules and the dashboard of conf-examples/: promtool takes them, each
alert fires when it should, and all ask for metrics that mumd has."""

import json
import re

import pytest

from lab import Mumd
from lab.lab import TOP, run
from lab.mumd import sqlite_settings

pytestmark = pytest.mark.other_programs

RULES = TOP / "conf-examples/prometheus-rules.yml"
RULES_TEST = TOP / "tests/stack/prometheus-rules-test.yml"
DASHBOARD = TOP / "conf-examples/grafana-dashboard.json"

# What Prometheus itself adds.
OWN_METRICS = {"up": [{}]}
OWN_LABELS = {"job", "instance"}

SELECTOR = re.compile(r'\b((?:mumd|process)_[a-z_]+|up)\b(?:\{([^}]*)\})?')
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
GROUPING = re.compile(r'\bby \(([a-z_, ]*)\)')


@pytest.fixture(scope="module")
def shown(lab, sqlite):
    """{name: [labels]} of a real page."""
    mumd = Mumd(lab, {"database": sqlite_settings(sqlite), "metrics": {"listen": Mumd.METRICS}},
                name="monitored").start()
    found = dict(OWN_METRICS)
    for name, labels in mumd.page().samples:
        found.setdefault(name, []).append(dict(labels))
    mumd.stop()
    return found


def alerts():
    """{name: expression}"""
    found, name = {}, None
    for block in re.split(r"\n\s*- alert: ", RULES.read_text())[1:]:
        name = block.split("\n", 1)[0].strip()
        expression = re.search(r"\n\s*expr: (?:>-\n)?(.*?)\n\s*(?:for|labels):", block, re.S)[1]
        found[name] = " ".join(expression.split())
    return found


def panels():
    board = json.loads(DASHBOARD.read_text())
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def expressions():
    """{where: expression}"""
    found = dict(alerts())
    for panel in panels():
        for target in panel.get("targets", []):
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    return found


def test_promtool_takes_the_rules():
    result = run("promtool", "check", "rules", RULES)
    assert f"{len(alerts())} rules found" in result.stdout


def test_each_alert_fires_when_it_should_and_only_then():
    run("promtool", "test", "rules", RULES_TEST)


def test_each_alert_is_tried_both_ways():
    text = RULES_TEST.read_text()
    for name in alerts():
        assert re.search(rf"alertname: {name}, eval_time: \w+, exp_alerts: \[\]", text), name
        assert re.search(rf"alertname: {name}\n\s+eval_time: \w+\n\s+exp_alerts:\n\s+- exp_labels",
                         text), name


@pytest.mark.parametrize("where", expressions())
def test_it_asks_for_what_mumd_shows(where, shown):
    expression = expressions()[where]
    used = SELECTOR.findall(expression)
    assert used
    known = set(OWN_LABELS)
    for name, matchers in used:
        assert name in shown, name
        for labels in shown[name]:
            known |= labels.keys()
        for label, operator, value in MATCHER.findall(matchers):
            if label in OWN_LABELS:
                continue
            wanted = value.split("|") if operator.endswith("~") else [value]
            there = {labels.get(label) for labels in shown[name]}
            assert set(wanted) <= there, (name, label)
    for labels in GROUPING.findall(expression):
        assert set(labels.replace(" ", "").split(",")) <= known, labels


def test_promtool_takes_the_expressions_of_the_dashboard(tmp_path):
    text = "groups:\n  - name: dashboard\n    rules:\n"
    for number, expression in enumerate(expressions().values()):
        expression = expression.replace("$__rate_interval", "5m")
        text += f"      - record: panel:{number}\n        expr: {json.dumps(expression)}\n"
    rules = tmp_path / "dashboard.yml"
    rules.write_text(text)
    run("promtool", "check", "rules", rules)


def test_each_metric_of_ours_is_on_the_dashboard(shown):
    """Except for parts of histograms."""
    asked = {name for expression in expressions().values()
             for name, _ in SELECTOR.findall(expression)}
    wanted = {name for name in shown if not name.endswith(("_sum", "_bucket", "_count"))}
    assert wanted <= asked


def test_the_dashboard_is_laid_out_without_overlaps():
    taken, numbers = set(), set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["id"] not in numbers
        numbers.add(panel["id"])
