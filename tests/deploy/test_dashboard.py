"""deploy/grafana/soulbox.json shows what there is, and all of it."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.grafana import generate
from tests.deploy.exposed import Exposed, ours
from tests.deploy.promql import faults, selectors

DASHBOARD: dict[str, Any] = json.loads(generate.FILE.read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
GRAPHS = [panel for panel in PANELS if panel["type"] != "row"]
OF_BYTES, OF_TIME = {"bytes", "Bps"}, {"s"}


def expressions() -> Iterator[str]:
    for panel in GRAPHS:
        for target in panel["targets"]:
            yield target["expr"]


def test_it_is_what_its_generator_makes() -> None:
    assert generate.FILE.read_text() == generate.text(), "python3 deploy/grafana/generate.py"


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_an_expression_names_what_there_is(expression: str, metrics: dict[str, Exposed]) -> None:
    assert selectors(expression)
    assert faults(expression, metrics) == []
    assert 'instance=~"$instance"' in expression


def test_every_expression_can_be_read(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    lines = ["groups:", "- name: dashboard", "  rules:"]
    for number, expression in enumerate(expressions()):
        promql = expression.replace("$__rate_interval", "5m")
        lines += [f"  - record: panel:{number}", f"    expr: {json.dumps(promql)}"]
    rules.write_text("\n".join(lines))
    checked = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"SUCCESS: {len(list(expressions()))} rules found" in checked.stdout


def test_every_metric_is_shown(metrics: dict[str, Exposed]) -> None:
    shown = {each.name for expression in expressions() for each in selectors(expression)}
    hidden = {name for name, metric in ours(metrics).items() if not metric.samples & shown}
    assert hidden == {"soulbox_build_info"}  # where the names of instances come from


def test_units_are_those_of_the_metrics() -> None:
    for panel in GRAPHS:
        unit = panel["fieldConfig"]["defaults"]["unit"]
        text = " ".join(target["expr"] for target in panel["targets"])
        if "_bytes" in text:
            assert unit in OF_BYTES, panel["title"]
            assert (unit == "Bps") == ("rate(" in text and "quantile" not in text), panel["title"]
        elif "seconds_bucket" in text or "seconds_sum" in text:
            assert unit in OF_TIME, panel["title"]
        elif ") / sum" in text or ")) / sum" in text:
            assert unit == "percentunit", panel["title"]
        elif "rate(" in text and "cpu_seconds" not in text:
            assert unit in ("ops", "reqps"), panel["title"]


def test_the_golden_signals_come_first() -> None:
    rows = [panel["title"] for panel in PANELS if panel["type"] == "row"]
    assert rows[:4] == ["Latency", "Traffic", "Errors", "Saturation"]


def test_panels_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_it_can_be_imported_anywhere(metrics: dict[str, Exposed]) -> None:
    """Its data source is chosen, and so are instances and languages."""
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "instance", "language"]
    assert variables["datasource"]["type"] == "datasource"
    sources = [panel["datasource"] for panel in GRAPHS]
    sources += [target["datasource"] for panel in GRAPHS for target in panel["targets"]]
    sources += [variables[name]["datasource"] for name in ("instance", "language")]
    assert all(each == {"type": "prometheus", "uid": "${datasource}"} for each in sources)
    for name in ("instance", "language"):
        found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variables[name]["definition"])
        assert found is not None
        metric = metrics[found[1]]
        assert found[2] == "instance" or found[2] in metric.labels
    assert "id" not in DASHBOARD
