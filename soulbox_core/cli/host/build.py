"""What building images takes."""

import os
import shutil
from pathlib import Path

from soulbox_core.cli.host.finding import Finding, failed, passed, warned
from soulbox_core.settings import Settings

_GIB = 1 << 30
_ENOUGH = 5 * _GIB
"""Room for the images of the five languages and one build's temporary files."""
_LEAST = _GIB


def mmdebstrap(settings: Settings) -> Finding:
    """Only building needs it: a host may run on images that are there already."""
    if not shutil.which("mmdebstrap"):
        return warned("mmdebstrap", "images cannot be built", "apt-get install mmdebstrap")
    return passed("mmdebstrap", "is there")


def disk(settings: Settings) -> Finding:
    """Room in the state directory."""
    place = Path(settings.state_dir).absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    detail = f"{free / _GIB:.1f} GiB free in {place}"
    if free < _LEAST:
        return failed("disk", detail, "soulbox images prune, or set state_dir")
    if free < _ENOUGH:
        return warned("disk", detail, "soulbox images prune, or set state_dir")
    if not os.access(place, os.W_OK):
        return failed("disk", f"{place} is not writable", f"chown {os.getuid()} {place}")
    return passed("disk", detail)
