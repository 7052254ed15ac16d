"""What SoulBox is made of, as CycloneDX: our wheels and what locks/runtime.txt lists.

    python3 -m release.sbom CHECKOUT DIRECTORY

DIRECTORY has the wheels. The document says nothing of who made it and when, so that it is the
same for the same wheels and the same lock.
"""

import hashlib
import sys
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release import locks
from release.distributions import source_date

_NAMESPACE = uuid.UUID("6c1b3a0e-6f0a-5c39-9f1e-0b6f3c8d2a47")
_CORE = "soulbox-core"


def document(pins: Mapping[str, locks.Pin], wheels: Iterable[Path], date: int) -> str:
    """Return the JSON.

    :param wheels: ours, the core's among them
    :param date: of the sources, Unix time in seconds
    :raises ValueError: the core's wheel is missing
    """
    ours = {name: (part, needs) for name, part, needs in map(_ours, sorted(wheels))}
    if _CORE not in ours:
        raise ValueError(f"no wheel of {_CORE}")
    parts = {name: _theirs(pin) for name, pin in pins.items()}
    parts |= {name: part for name, (part, _) in ours.items()}
    core = parts[_CORE]
    bom = Bom(components=[part for part in parts.values() if part is not core])
    bom.metadata.component = core
    bom.metadata.timestamp = datetime.fromtimestamp(date, UTC)
    for name, part in parts.items():
        needed = ours[name][1] if name in ours else _needs(name, pins)
        bom.register_dependency(part, [parts[each] for each in sorted(needed) if each in parts])
    bom.serial_number = uuid.uuid5(_NAMESPACE, _contents(parts.values(), date))
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _ours(wheel: Path) -> tuple[str, Component, set[str]]:
    """A wheel of ours: its name, itself, and the names of what it needs."""
    metadata = _metadata(wheel)
    name, version = canonicalize_name(metadata["Name"]), metadata["Version"]
    needs = map(Requirement, metadata.get_all("Requires-Dist", []))
    part = Component(
        type=ComponentType.APPLICATION if name == _CORE else ComponentType.LIBRARY,
        name=name,
        version=version,
        description=metadata["Summary"],
        bom_ref=f"{name}=={version}",
        purl=PackageURL("pypi", name=name, version=version),
        hashes=[
            HashType(
                alg=HashAlgorithm.SHA_256, content=hashlib.sha256(wheel.read_bytes()).hexdigest()
            )
        ],
    )
    return name, part, {canonicalize_name(each.name) for each in needs if not _is_extra(each)}


def _theirs(pin: locks.Pin) -> Component:
    """A package of the lock. Which of its files is installed depends on the host."""
    properties = [Property(name="soulbox:sha256", value=value) for value in pin.sha256]
    if pin.marker is not None:
        properties.append(Property(name="soulbox:marker", value=str(pin.marker)))
    return Component(
        type=ComponentType.LIBRARY,
        name=pin.name,
        version=str(pin.version),
        bom_ref=f"{pin.name}=={pin.version}",
        purl=PackageURL("pypi", name=pin.name, version=str(pin.version)),
        properties=properties,
    )


def _metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def _needs(name: str, pins: Mapping[str, locks.Pin]) -> set[str]:
    return {pin.name for pin in pins.values() if name in pin.via}


def _is_extra(requirement: Requirement) -> bool:
    return requirement.marker is not None and "extra" in str(requirement.marker)


def _contents(parts: Iterable[Component], date: int) -> str:
    lines = [
        f"{part.bom_ref} {[str(each.content) for each in sorted(part.hashes)]}"
        f" {[each.value for each in sorted(part.properties)]}"
        for part in parts
    ]
    return "\n".join((str(date), *sorted(lines)))


def main() -> None:
    """Be the command that the module's head shows."""
    checkout, directory = map(Path, sys.argv[1:])
    pins = locks.read(checkout / "locks" / "runtime.txt")
    wheels = directory.glob("*.whl")
    (directory / "soulbox.cdx.json").write_text(document(pins, wheels, source_date(checkout)))


if __name__ == "__main__":
    main()
