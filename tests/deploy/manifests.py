"""deploy/kubernetes, as kustomize renders it."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
COMPONENTS = sorted(path.name for path in (FOLDER / "components").iterdir())
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())

Object = dict[str, Any]


def render(folder: Path) -> list[Object]:
    """The objects that a kustomization makes.

    :raises AssertionError: kustomize refuses it; says why
    """
    done = subprocess.run(["kustomize", "build", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # a field that is deprecated, for one
    return [msgspec.yaml.decode(text) for text in re.split(r"(?m)^---$", done.stdout)]


def render_with(directory: Path, base: str, components: Iterable[str]) -> list[Object]:
    """A folder of ours with components, as an operator puts them together.

    :param directory: an empty one
    :param base: relative to deploy/kubernetes
    """
    place = os.path.relpath(FOLDER, directory)  # kustomize takes no absolute path
    kustomization = {
        "namespace": "soulbox",
        "resources": [f"{place}/{base}"],
        "components": [f"{place}/components/{name}" for name in components],
    }
    (directory / "kustomization.yaml").write_bytes(msgspec.yaml.encode(kustomization))
    return render(directory)


def only(objects: Iterable[Object], kind: str, name: str | None = None) -> Object:
    """The one object of a kind, or of a kind with that name."""
    (found,) = (
        each
        for each in objects
        if each["kind"] == kind and name in (None, each["metadata"]["name"])
    )
    return found


def of_kind(objects: Iterable[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def pod_of(objects: Iterable[Object]) -> Object:
    """The spec of SoulBox's pod."""
    pod: Object = only(objects, "StatefulSet")["spec"]["template"]["spec"]
    return pod


def container_of(objects: Iterable[Object]) -> Object:
    (container,) = pod_of(objects)["containers"]
    return dict(container)


def environment(container: Object, secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A container's variables.

    :param secrets: what the Secret `soulbox` holds, by key
    """
    for variable in container.get("env", ()):
        if "value" in variable:
            yield variable["name"], variable["value"]
        else:
            reference = variable["valueFrom"]["secretKeyRef"]
            assert reference["name"] == "soulbox"
            yield variable["name"], secrets[reference["key"]]


_UNITS = {"": 1, "m": 0.001, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def quantity(text: str) -> float:
    """`16Gi`, `4` or `700m` as a number."""
    number, unit = re.fullmatch(r"([\d.]+)(\w*)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]
