"""deploy/kubernetes can be rendered, and what comes of it is what Kubernetes takes."""

import copy
import re
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import msgspec
import pytest

from tests.deploy.custom import SCHEMAS
from tests.deploy.manifests import COMPONENTS, FOLDER, OVERLAYS, Object, only, render, render_with
from tests.test_docs import rows, section

VERSIONS = ("1.34", "1.35", "1.36", "1.37")
DOCUMENT = "docs/kubernetes.md"
NOT_TOGETHER = {"hpa", "keda"}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Object]]:
    """Each overlay, the objects without a namespace, and each component alone and all at once."""
    found = {name: render(FOLDER / "overlays" / name) for name in OVERLAYS}
    found["node"] = render(FOLDER / "node")
    mixes = {name: [name] for name in COMPONENTS}
    mixes |= {f"all but {name}": [*({*COMPONENTS} - {name})] for name in NOT_TOGETHER}
    for name, components in mixes.items():
        found[name] = render_with(tmp_path_factory.mktemp("overlay"), "base", components)
    return found


def check(each: Object, version: str) -> None:
    """:raises jsonschema.ValidationError: it is none of that version"""
    if each["kind"] in SCHEMAS:
        jsonschema.validate(each, SCHEMAS[each["kind"]])
    else:
        assert kubernetes_validate.validate(each, version, strict=True) == version


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_one(version: str, rendered: dict[str, list[Object]]) -> None:
    seen: list[Object] = []
    for objects in rendered.values():
        for each in objects:
            if each not in seen:
                check(each, version)
                seen.append(each)
    assert {each["kind"] for each in seen} == {
        *("Namespace", "ServiceAccount", "ConfigMap", "Service", "StatefulSet"),
        *("PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler", "RuntimeClass"),
        *SCHEMAS,
    }


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("StatefulSet", ("spec", "template", "spec", "hostUser"), False),
        ("StatefulSet", ("spec", "template", "spec", "hostUsers"), "false"),
        ("StatefulSet", ("spec", "serviceNames"), "soulbox"),
        ("NetworkPolicy", ("spec", "egres"), []),
        ("PodDisruptionBudget", ("spec", "maxUnavailable"), [1]),
        ("ScaledObject", ("spec", "minReplicas"), 2),
        ("ScaledObject", ("spec", "triggers", 0, "metadata", "threshold"), 0.7),
        ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "authorisation"), {}),
    ],
)
def test_an_object_that_is_none_is_noticed(
    rendered: dict[str, list[Object]], kind: str, path: tuple[Any, ...], value: Any
) -> None:
    wrong = copy.deepcopy(next(each for each in rendered["cluster"] if each["kind"] == kind))
    node: Any = wrong
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        check(wrong, VERSIONS[-1])


def test_every_file_is_part_of_something() -> None:
    named = set()
    for file in FOLDER.rglob("kustomization.yaml"):
        text = file.read_text()
        named |= {path for path in file.parent.iterdir() if path.name in text}
    files = {
        path for path in FOLDER.rglob("*") if path.is_file() and path.parent.name != "__pycache__"
    }
    of_nodes = {path for path in files if path.parent.name == "node" and path.suffix != ".yaml"}
    text = (FOLDER.parents[1] / DOCUMENT).read_text()
    assert all(f"kubernetes/node/{path.name}" in text for path in of_nodes)
    assert files - named - of_nodes == {*FOLDER.rglob("kustomization.yaml")}


def test_selectors_find_the_pod_and_no_more(rendered: dict[str, list[Object]]) -> None:
    """kustomize's labels are not put into the peers of network policies, for one."""
    labels = {"app.kubernetes.io/name": "soulbox"}
    for objects in rendered.values():
        for each in objects:
            spec = each.get("spec", {})
            if each["kind"] == "Service":
                assert spec["selector"] == labels
            elif each["kind"] == "NetworkPolicy":
                assert spec["podSelector"]["matchLabels"] == labels
                peers = [
                    peer["podSelector"]["matchLabels"]
                    for side, end in (("ingress", "from"), ("egress", "to"))
                    for rule in spec.get(side, ())
                    for peer in rule[end]
                    if "podSelector" in peer
                ]
                assert labels not in peers
                assert all(len(peer) == 1 for peer in peers)
            elif each["kind"] in ("StatefulSet", "PodDisruptionBudget", "PodMonitor"):
                assert spec["selector"]["matchLabels"] == labels
    assert (
        only(rendered["single"], "StatefulSet")["spec"]["template"]["metadata"]["labels"] == labels
    )


def test_a_folder_that_names_what_is_not_there_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nothing"):
        render_with(tmp_path, "base", ["nothing"])


def test_every_component_is_told_of() -> None:
    assert {*rows(section(DOCUMENT, "Your own overlay"))} == {*COMPONENTS}


def test_every_secret_that_is_named_is_told_of(rendered: dict[str, list[Object]]) -> None:
    told = {
        (cells[0].strip("`"), cells[1].strip("`"))
        for cells in (
            [cell.strip() for cell in line.strip("|").split(" | ")]
            for line in section(DOCUMENT, "Several nodes").splitlines()
            if line.startswith("| `")
        )
    }
    text = msgspec.json.encode(rendered["cluster"]).decode()
    named = {
        *re.findall(r'"secretKeyRef":{"key":"([^"]+)","name":"([^"]+)"}', text),
        *re.findall(r'"credentials":{"key":"([^"]+)","name":"([^"]+)"}', text),
    }
    mounted = re.findall(r'"secretName":"([^"]+)"', text)
    assert told == {(name, key) for key, name in named} | {(*mounted, "signing.pem")}
