"""Autoscaling asks for metrics that there are, and adds nodes when they are wanted."""

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from soulbox_core.settings import Settings
from tests.deploy.exposed import Exposed
from tests.deploy.manifests import (
    FOLDER,
    Object,
    container_of,
    only,
    pod_of,
    quantity,
    render,
    render_with,
)
from tests.deploy.promql import faults

ADAPTER = msgspec.yaml.decode((FOLDER / "components/hpa/prometheus-adapter.yaml").read_bytes())
NAMESPACE, JOB = "soulbox", "soulbox"


def of_adapter(rule: Object, matchers: str) -> str:
    """A rule's query, as the adapter fills it in for the pods of a namespace."""
    query: str = rule["metricsQuery"]
    query = query.replace("<<.LabelMatchers>>", matchers).replace("<<.GroupBy>>", "pod")
    assert "<<" not in query
    return query


RULES = {rule["name"]["as"]: rule for rule in ADAPTER["rules"]["custom"]}


@pytest.fixture(scope="module")
def cluster() -> list[Object]:
    return render(FOLDER / "overlays" / "cluster")


@pytest.fixture(scope="module")
def scaled(cluster: list[Object]) -> Object:
    spec: Object = only(cluster, "ScaledObject")["spec"]
    return spec


@pytest.fixture(scope="module")
def autoscaler(tmp_path_factory: pytest.TempPathFactory) -> Object:
    objects = render_with(tmp_path_factory.mktemp("overlay"), "base", ["hpa"])
    spec: Object = only(objects, "HorizontalPodAutoscaler")["spec"]
    return spec


def triggers(scaled: Object) -> dict[str, dict[str, str]]:
    return {each["name"]: each["metadata"] for each in scaled["triggers"]}


def as_of_kubernetes(metrics: dict[str, Exposed]) -> dict[str, Exposed]:
    """Metrics with the labels that Prometheus adds to what it finds in Kubernetes."""
    found = {"namespace": {NAMESPACE}, "pod": {"soulbox-0"}}
    return {name: each._replace(labels=each.labels | found) for name, each in metrics.items()}


def test_keda_asks_for_what_there_is(scaled: Object, metrics: dict[str, Exposed]) -> None:
    for trigger in triggers(scaled).values():
        assert faults(trigger["query"], as_of_kubernetes(metrics)) == []
        assert trigger["query"].count(f'{{job="{JOB}",namespace="{NAMESPACE}"}}') == trigger[
            "query"
        ].count("soulbox_")
        assert trigger["ignoreNullValues"] == "false"


def test_the_adapter_asks_for_what_there_is(metrics: dict[str, Exposed]) -> None:
    there = as_of_kubernetes(metrics)
    for rule in RULES.values():
        query = of_adapter(rule, f'namespace="{NAMESPACE}",pod=~"soulbox-0|soulbox-0"')
        assert faults(query, there) == []
        name, _, labels = rule["seriesQuery"].partition("{")
        assert name in query
        assert labels == 'namespace!="",pod!=""}'
        samples = {sample for each in there.values() for sample in each.samples}
        assert name in samples


def test_the_autoscaler_asks_for_what_the_adapter_has(autoscaler: Object) -> None:
    assert [each["pods"]["metric"]["name"] for each in autoscaler["metrics"]] == list(RULES)


def test_both_scale_alike(scaled: Object, autoscaler: Object) -> None:
    assert scaled["scaleTargetRef"] == autoscaler["scaleTargetRef"]
    assert scaled["minReplicaCount"] == autoscaler["minReplicas"]
    assert scaled["maxReplicaCount"] == autoscaler["maxReplicas"]
    behavior = scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior == autoscaler["behavior"]
    targets = [quantity(each["pods"]["target"]["averageValue"]) for each in autoscaler["metrics"]]
    thresholds = [float(each["threshold"]) for each in triggers(scaled).values()]
    assert targets == pytest.approx(thresholds)


def test_what_is_scaled_is_there(cluster: list[Object], scaled: Object) -> None:
    target = scaled["scaleTargetRef"]
    found = only(cluster, target["kind"], target["name"])
    assert found["apiVersion"] == target["apiVersion"]
    assert found["metadata"]["namespace"] == NAMESPACE


def test_one_node_at_a_time_is_taken_away_and_has_its_drain(
    cluster: list[Object], scaled: Object
) -> None:
    down = scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    (policy,) = down["policies"]
    assert (policy["type"], policy["value"]) == ("Pods", 1)
    grace = pod_of(cluster)["terminationGracePeriodSeconds"]
    assert policy["periodSeconds"] >= grace
    assert down["stabilizationWindowSeconds"] >= grace
    budget = only(cluster, "PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert scaled["minReplicaCount"] > budget["maxUnavailable"]


def test_thresholds_leave_room_on_a_node(cluster: list[Object], scaled: Object) -> None:
    cores = quantity(container_of(cluster)["resources"]["limits"]["cpu"])
    assert float(triggers(scaled)["cpu"]["threshold"]) == pytest.approx(0.7 * cores)
    assert float(triggers(scaled)["memory"]["threshold"]) == pytest.approx(0.7)


def test_a_waiting_run_counts_with_the_default_of_its_memory(scaled: Object) -> None:
    default = str(Settings().limits.default.memory_bytes)
    assert triggers(scaled)["memory"]["query"].split().count(default) == 1
    query = RULES["soulbox_memory_wanted_ratio"]["metricsQuery"]
    assert query.split().count(default) == 1


GIB = 1 << 30


def test_queries_count_in_nodes(scaled: Object, tmp_path: Path) -> None:
    """Two nodes of 8 GiB, one with half of that given away, one with all of it and 16 runs
    waiting: 0.5 + 1 + 0.5 nodes are wanted, and three are what KEDA makes of it at 70 %."""
    labels = f'job="{JOB}",namespace="{NAMESPACE}",pod='
    own = f'namespace="{NAMESPACE}",pod=~"soulbox-0|soulbox-1"'

    def series(name: str, values: tuple[str, str]) -> list[dict[str, str]]:
        return [
            {"series": f'{name}{{{labels}"soulbox-{number}"}}', "values": value}
            for number, value in enumerate(values)
        ]

    def sample(value: float, pod: str = "") -> dict[str, Any]:
        return {"labels": f'{{pod="{pod}"}}' if pod else "{}", "value": value}

    trigger = triggers(scaled)
    ratio, cores = (of_adapter(rule, own) for rule in RULES.values())
    cases = {
        trigger["memory"]["query"]: [sample(2.0)],
        trigger["cpu"]["query"]: [sample(4.0)],
        ratio: [sample(0.5, "soulbox-0"), sample(1.5, "soulbox-1")],
        cores: [sample(1.0, "soulbox-0"), sample(3.0, "soulbox-1")],
    }
    test = {
        "rule_files": [],
        "tests": [
            {
                "interval": "15s",
                "input_series": [
                    *series("soulbox_memory_reserved_bytes", (f"{4 * GIB}x40", f"{8 * GIB}x40")),
                    *series("soulbox_queue_depth", ("0x40", "16x40")),
                    *series("soulbox_memory_reservable_bytes", (f"{8 * GIB}x40",) * 2),
                    *series("soulbox_execution_cpu_seconds_total", ("0+15x40", "0+45x40")),
                    # Another SoulBox's, which is none of this one's business.
                    {
                        "series": 'soulbox_queue_depth{job="soulbox",namespace="other",pod="x"}',
                        "values": "99x40",
                    },
                ],
                "promql_expr_test": [
                    {"expr": expression, "eval_time": "5m", "exp_samples": samples}
                    for expression, samples in cases.items()
                ],
            }
        ],
    }
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps(test))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    wanted = -(-2.0 // float(trigger["memory"]["threshold"]))
    assert wanted == 3
