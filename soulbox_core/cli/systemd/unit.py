"""The unit of a service: from the template to the file, and whether somebody else changed it."""

import hashlib
import os
import re
import tempfile
from pathlib import Path

from soulbox_core.errors import HostError
from soulbox_core.model import Value

_TEMPLATES = Path(__file__).parent
_PLACE = re.compile(r"@([a-z]+)@")
_PLAIN = re.compile(r"[A-Za-z0-9/._+@-]+")
"""What means itself in a unit: no blanks, quotes, `%`, `$` or backslashes."""
_FILTERS_FROM = 257
"""The first version of systemd with which they were tried, and leave newuidmap its rights."""
_SEAL = "# Written by soulbox install-service: "


class Unit(Value):
    """What a unit says that is not the same everywhere."""

    template: str
    """`system` or `user`: whose systemd it is for."""
    program: str
    """Path of the `soulbox` to start."""
    config: str
    """Path of the settings file."""
    environment: str
    """Path of a file with variables, which need not be there."""
    user: str
    """Whom the service runs as."""
    state: str
    """Path of the state directory."""
    version: int
    """Systemd's."""

    def text(self) -> str:
        """The whole file, sealed.

        :raises HostError: a path has characters that mean something in a unit
        """
        template = _template(self.template)
        if self.template == "system" and self.version >= _FILTERS_FROM:
            template += f"\n{_template('filters')}"
        return sealed(_PLACE.sub(lambda place: self._value(place[1]), template))

    def _value(self, name: str) -> str:
        value: str = getattr(self, name)
        if not _PLAIN.fullmatch(value):
            raise HostError(
                f"{value}: systemd would misread this as the {name} of a unit; choose a path of"
                " letters, digits and / . _ + @ -"
            )
        return value


def _template(name: str) -> str:
    return (_TEMPLATES / f"{name}.service.in").read_text()


def sealed(text: str) -> str:
    """The text with a last line by which a change is noticed."""
    return f"{text}\n{_SEAL}{_digest(text)}\n"


def is_as_written(text: str) -> bool:
    """Whether a unit is one of ours, of this or another version, that nobody changed."""
    body, found, digest = text.partition(f"\n{_SEAL}")
    return bool(found) and digest.strip() == _digest(body)


def write(file: Path, text: str) -> None:
    """Replace a file that all may read by one rename."""
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w") as draft:
        draft.write(text)
        os.fchmod(draft.fileno(), 0o644)
    os.replace(name, file)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
