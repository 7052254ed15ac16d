"""What a caller may use."""

import math
from collections.abc import Mapping

from soulbox_core.errors import InvalidRequest, LimitAboveCeiling
from soulbox_core.model import Limits

FLOOR = Limits(
    memory_bytes=16 << 20,
    cpu_seconds=0.01,
    wall_seconds=0.01,
    cpus=0.01,
    processes=1,
    open_files=8,
    file_size_bytes=1,
    scratch_bytes=4096,
    output_bytes=1,
    output_file_bytes=1,
)
"""Below these nothing can start, or the kernel refuses the value: cpu.cfs_quota_us is at least
1 ms of our period of 100, a tmpfs has at least one page (and none means no bound at all)."""

_WHOLE = {name for name in Limits.__struct_fields__ if isinstance(getattr(FLOOR, name), int)}


class Policy:
    """The limits of one caller: what a run gets unasked, and the most it may ask for.

    A caller's ceiling may be below the service's defaults: then it is the default too. Limits
    need not fit each other (a cpu_seconds above wall_seconds, a file_size_bytes above
    scratch_bytes): whichever is met first holds.
    """

    def __init__(self, default: Limits, ceiling: Limits) -> None:
        self._ceiling = ceiling
        self._default = Limits(
            **{
                name: min(getattr(default, name), getattr(ceiling, name))
                for name in Limits.__struct_fields__
            }
        )
        self._defaults = {name: getattr(self._default, name) for name in Limits.__struct_fields__}

    def limits(self, asked: Mapping[str, float]) -> Limits:
        """Return the limits of a run that asks for these.

        :raises InvalidRequest: an unknown limit, or a value that none can have
        :raises LimitAboveCeiling: more than this caller may use
        """
        if not asked:
            return self._default
        checked = {name: self._checked(name, value) for name, value in asked.items()}
        return Limits(**(self._defaults | checked))

    def _checked(self, name: str, value: float) -> float:
        if name not in self._defaults:
            raise InvalidRequest(
                f"no limit {name!r}; known: {', '.join(self._defaults)}", field=f"limits.{name}"
            )
        if not _is_finite(value):
            raise InvalidRequest(f"{name} must be a finite number", field=f"limits.{name}")
        floor, ceiling = getattr(FLOOR, name), getattr(self._ceiling, name)
        if value < floor:
            raise InvalidRequest(
                f"{name} = {value:g} is too small; ask for {floor:g} or more",
                field=f"limits.{name}",
            )
        if value > ceiling:
            raise LimitAboveCeiling(name, value, ceiling)
        if name not in _WHOLE:
            return float(value)
        if value != int(value):
            raise InvalidRequest(f"{name} must be a whole number", field=f"limits.{name}")
        return int(value)


def _is_finite(value: float) -> bool:
    """Also false for an int so large that no float holds it, as JSON may carry one."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
