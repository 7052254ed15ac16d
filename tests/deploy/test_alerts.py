"""deploy/prometheus: alerts that can fire, each tried, each with a word on what to do."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from soulbox_core.api.problems import TABLE
from soulbox_core.errors import RequestError
from tests.deploy.exposed import Exposed
from tests.deploy.promql import faults
from tests.test_docs import anchors

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"


def read(name: str) -> Any:
    return msgspec.yaml.decode((FOLDER / name).read_bytes())


ALERTS = {rule["alert"]: rule for group in read("alerts.yml")["groups"] for rule in group["rules"]}
every_alert = pytest.mark.parametrize("name", ALERTS)


def promtool(*arguments: object) -> str:
    done = subprocess.run(
        ["promtool", *map(str, arguments)], cwd=FOLDER, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_can_be_read() -> None:
    assert f"SUCCESS: {len(ALERTS)} rules found" in promtool("check", "rules", "alerts.yml")


def test_the_rules_do_what_their_tests_say() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


def test_the_example_configuration_can_be_read(tmp_path: Path) -> None:
    key = tmp_path / "soulbox-key"
    key.write_text("sbx_0123456789ab_x\n")
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    example = (FOLDER / "prometheus.yml").read_text()
    named = "/etc/prometheus/soulbox-key"
    assert example.count(named) == 1
    (tmp_path / "prometheus.yml").write_text(example.replace(named, str(key)))
    said = promtool("check", "config", tmp_path / "prometheus.yml")
    assert f"SUCCESS: {len(ALERTS)} rules found" in said


def test_the_example_configuration_scrapes_what_the_alerts_look_for() -> None:
    (scraped,) = read("prometheus.yml")["scrape_configs"]
    assert f'job="{scraped["job_name"]}"' in ALERTS["SoulBoxDown"]["expr"]
    assert scraped["metrics_path"] == "/metrics"


@every_alert
def test_an_alert_names_what_there_is(name: str, metrics: dict[str, Exposed]) -> None:
    assert faults(ALERTS[name]["expr"], metrics) == []


@every_alert
def test_an_alert_is_tried_where_it_fires_and_where_it_does_not(name: str) -> None:
    cases = [
        case
        for test in read("alerts_test.yml")["tests"]
        for case in test.get("alert_rule_test", ())
        if case["alertname"] == name
    ]
    assert {bool(case.get("exp_alerts")) for case in cases} == {True, False}


@every_alert
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert "$labels.instance" in rule["annotations"]["summary"]
    document, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor == name.lower()
    assert anchor in anchors(ROOT / document)


def test_what_counts_as_our_failure_is_every_failure_of_ours() -> None:
    """And no refusal of a client's request: `store_failed` is one of ours, `too_large` is none."""
    (pattern,) = re.findall(r'reason=~"([^"]+)"', ALERTS["RequestsFailing"]["expr"])
    for kind, row in TABLE.items():
        assert bool(re.fullmatch(pattern, row.code)) != issubclass(kind, RequestError), row.code


def test_promql_that_names_what_is_not_there_is_noticed(metrics: dict[str, Exposed]) -> None:
    for expression in (
        "soulbox_executions",
        "soulbox_queue_depth > 1 and no_such_thing == 0",
        'soulbox_executions_total{state="ok"}',
        'soulbox_executions_total{status="fine"}',
        'soulbox_rejections_total{reason=~"overloaded|bored"}',
        "sum by (status, stage) (rate(soulbox_executions_total[5m]))",
    ):
        assert faults(expression, metrics), expression
