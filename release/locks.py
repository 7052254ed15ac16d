"""The locks: the version of each package that is installed, and the hashes of its files."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_HASH = re.compile(r" --hash=sha256:([0-9a-f]{64})\b")
_VIA = re.compile(r"^ +# (?:via)? *(.*)$")


@dataclass(frozen=True)
class Pin:
    """A package of a lock.

    :ivar name: in canonical spelling
    :ivar marker: where it is installed; None: everywhere
    :ivar sha256: of each of its files, wheels for all platforms among them
    :ivar via: the packages that ask for it, in canonical spelling, less what is not in the lock
    """

    name: str
    version: Version
    marker: Marker | None
    sha256: tuple[str, ...]
    via: tuple[str, ...]


def read(file: Path) -> Mapping[str, Pin]:
    """Return the pins of a lock by name.

    :raises ValueError: a line is no exact, hashed version
    """
    pins = {pin.name: pin for pin in map(_pin, _entries(file.read_text()))}
    return {
        pin.name: Pin(
            pin.name, pin.version, pin.marker, pin.sha256, tuple(v for v in pin.via if v in pins)
        )
        for pin in pins.values()
    }


def unmet(pins: Mapping[str, Pin], requirements: Iterable[Requirement]) -> Iterator[str]:
    """Say of each requirement that the pins do not satisfy why."""
    for requirement in requirements:
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None:
            yield f"{requirement}: not in the lock"
        elif not requirement.specifier.contains(pin.version, prereleases=True):
            yield f"{requirement}: the lock has {pin.version}"
        elif pin.marker is not None and pin.marker != requirement.marker:
            yield f"{requirement}: the lock has it only where {pin.marker}"


def orphans(pins: Mapping[str, Pin], requirements: Iterable[Requirement]) -> set[str]:
    """Return the names that nobody asks for."""
    return set(pins) - needed_by(pins, (requirement.name for requirement in requirements))


def needed_by(pins: Mapping[str, Pin], names: Iterable[str]) -> set[str]:
    """Return the names of packages, and of all that they ask for."""
    needed: set[str] = set()
    asked: set[str] = set(map(canonicalize_name, names))
    while asked:
        needed |= asked
        asked = {pin.name for pin in pins.values() if needed.intersection(pin.via)} - needed
    return needed


def _entries(text: str) -> Iterator[str]:
    """The lines of each package, joined."""
    entry: list[str] = []
    for line in text.splitlines():
        if line.strip() and not line.startswith((" ", "#")):
            if entry:
                yield "\n".join(entry)
            entry = []
        if not line.startswith("#"):
            entry.append(line)
    if entry:
        yield "\n".join(entry)


def _pin(entry: str) -> Pin:
    requirement = Requirement(entry.partition("\\\n")[0].strip())
    exact = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
    hashes = tuple(sorted(_HASH.findall(entry)))
    if exact is None or not hashes:
        raise ValueError(f"no exact version with hashes: {requirement}")
    via = (_VIA.match(line) for line in entry.splitlines())
    return Pin(
        name=canonicalize_name(requirement.name),
        version=Version(exact[1]),
        marker=requirement.marker,
        sha256=hashes,
        via=tuple(canonicalize_name(found[1]) for found in via if found and found[1]),
    )
