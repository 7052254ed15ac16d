"""What SoulBox is made of, as a document."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from release import locks, sbom
from tests.release.checkout import DISTRIBUTIONS, ROOT
from tests.release.conftest import DATE

PINS = locks.read(ROOT / "locks" / "runtime.txt")
OURS = [name.replace("_", "-") for name in DISTRIBUTIONS]


def text_of(built: Path) -> str:
    return sbom.document(PINS, built.glob("*.whl"), DATE)


@pytest.fixture(scope="module")
def document(built: Path) -> Any:
    return json.loads(text_of(built))


def parts(document: Any) -> dict[str, Any]:
    found = [document["metadata"]["component"], *document["components"]]
    return {part["name"]: part for part in found}


def test_it_is_as_its_schema_says(built: Path) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text_of(built)) is None
    assert validator.validate_str(text_of(built).replace('"library"', '"book"')) is not None


def test_it_lists_the_lock_and_our_wheels(document: Any) -> None:
    found = parts(document)
    assert sorted(found) == sorted([*PINS, *OURS])
    assert document["metadata"]["component"]["name"] == "soulbox-core"
    for name, pin in PINS.items():
        assert found[name]["purl"] == f"pkg:pypi/{name}@{pin.version}"
        values = [p["value"] for p in found[name]["properties"] if p["name"] == "soulbox:sha256"]
        assert sorted(values) == list(pin.sha256)


def test_it_has_the_hashes_of_our_wheels(document: Any, built: Path) -> None:
    for name in OURS:
        (wheel,) = built.glob(f"{name.replace('-', '_')}-*.whl")
        (listed,) = parts(document)[name]["hashes"]
        assert listed == {
            "alg": "SHA-256",
            "content": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        }


def test_it_says_what_needs_what(document: Any) -> None:
    needs = {
        entry["ref"].partition("==")[0]: {each.partition("==")[0] for each in entry["dependsOn"]}
        for entry in document["dependencies"]
        if "dependsOn" in entry
    }
    assert needs["soulbox-python"] == {"soulbox-core"}
    assert {"hypercorn", "h2", "pyjwt", "protobuf"} <= needs["soulbox-core"]
    assert not {"pytest", "hatchling"} & needs["soulbox-core"]
    assert {"hpack", "hyperframe"} <= needs["h2"]
    reached, todo = set(), set(OURS)
    while todo:
        reached |= todo
        todo = {each for name in todo for each in needs.get(name, ())} - reached
    assert reached == set(parts(document))


def test_it_is_the_same_for_the_same_and_another_for_others(built: Path) -> None:
    assert text_of(built) == text_of(built)
    fewer = dict(list(PINS.items())[1:])
    others = {
        text_of(built),
        sbom.document(fewer, built.glob("*.whl"), DATE),
        sbom.document(PINS, built.glob("soulbox_core*.whl"), DATE),
        sbom.document(PINS, built.glob("*.whl"), DATE + 1),
    }
    serials = {json.loads(text)["serialNumber"] for text in others}
    assert len(serials) == 4
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", each) for each in serials)


def test_without_the_core_there_is_none(built: Path) -> None:
    with pytest.raises(ValueError, match="no wheel of soulbox-core"):
        sbom.document(PINS, built.glob("soulbox_python*.whl"), DATE)
