"""What a caller may do."""

import math
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from posixpath import normpath

import msgspec

from soulbox_core.egress.hosts import host_pattern, host_patterns
from soulbox_core.errors import Forbidden, InvalidRequest, LimitAboveCeiling, SettingsError, shown
from soulbox_core.model import Caller, Limits, RunRequest
from soulbox_core.settings import PolicySettings, Settings

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

DEFAULT = "default"
"""The policy of callers who name none."""

_NOTHING = PolicySettings()
_OURS = frozenset(("box", "dev", "proc", "soulbox", "store", "sys", "tmp", "volumes"))
"""What a cell has at its root besides the image's own; a run needs it."""
_WHOLE = {name for name in Limits.__struct_fields__ if isinstance(getattr(FLOOR, name), int)}


class Policy:
    """What one kind of caller may do: what a run gets unasked, and the most it may ask for.

    A caller's ceiling may be below the service's defaults: then it is the default too. Limits
    need not fit each other (a cpu_seconds above wall_seconds, a file_size_bytes above
    scratch_bytes): whichever is met first holds.

    :param settings: what makes this policy differ from the service's limits
    :param volumes: names of those that there are
    :raises ValueError: a limit or host in it is none
    """

    def __init__(
        self,
        default: Limits,
        ceiling: Limits,
        settings: PolicySettings = _NOTHING,
        volumes: Iterable[str] = (),
    ) -> None:
        self._ceiling = _lowered(ceiling, settings.ceiling)
        self._default = Limits(
            **{
                name: min(getattr(default, name), getattr(self._ceiling, name))
                for name in Limits.__struct_fields__
            }
        )
        self._defaults = {name: getattr(self._default, name) for name in Limits.__struct_fields__}
        self._languages = settings.languages
        self._network = host_patterns(settings.network)
        self._mounts = settings.mounts
        self._volumes = frozenset(volumes)
        self._dependencies = settings.dependencies
        self.cache = settings.cache
        """Whether the result cache is asked for requests that do not say."""
        self.hidden = settings.hidden
        """Paths of the image that runs do not see."""
        self.rate = settings.rate
        self.concurrent = settings.concurrent
        """Runs at one time, 0 for any number."""
        self.cpu_seconds_per_day = settings.cpu_seconds_per_day
        """CPU time of all runs of a day, 0 for any amount."""

    def check(self, request: RunRequest) -> None:
        """Let a request through that asks for nothing this policy does not grant.

        :raises Forbidden: it asks for more
        :raises InvalidRequest: a host in it is none, or there is no such volume
        """
        if not _matches(request.language, self._languages):
            raise Forbidden(f"you may not run {request.language} here", field="language")
        if request.dependencies and not self._dependencies:
            raise Forbidden("you may not ask for packages here", field="dependencies")
        for text in request.network:
            self._check_host(text)
        for name in request.mounts:
            if not _matches(name, self._mounts):
                raise Forbidden(f"you may not have the volume {shown(name)}", field="mounts")
            if name not in self._volumes:
                raise InvalidRequest(f"there is no volume {shown(name)} here", field="mounts")

    def _check_host(self, text: str) -> None:
        try:
            asked = host_pattern(text)
        except ValueError as error:
            raise InvalidRequest(str(error), field="network.allow") from None
        if not any(granted.covers(asked) for granted in self._network):
            raise Forbidden(f"you may not reach {shown(text)} from here", field="network.allow")

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


class Policies:
    """The policies that an operator made, by name.

    :raises SettingsError: one makes no sense
    """

    def __init__(self, settings: Settings) -> None:
        tables = {DEFAULT: _NOTHING, **settings.policies}
        self._policies = {name: _made(name, table, settings) for name, table in tables.items()}

    @property
    def names(self) -> frozenset[str]:
        """Those that there are."""
        return frozenset(self._policies)

    def of(self, caller: Caller) -> Policy:
        """The policy of a caller.

        :raises Forbidden: the operator has no policy of that name (any more)
        """
        policy = self._policies.get(caller.policy)
        if policy is None:
            raise Forbidden(
                f"your policy {shown(caller.policy)} does not exist here; tell the operator"
            )
        return policy


def _made(name: str, table: PolicySettings, settings: Settings) -> Policy:
    for path in table.hidden:
        if not path.startswith("/") or path.rstrip("/") != normpath(path) or path == "/":
            raise SettingsError(f"policies.{name}.hidden: {path!r} is not an absolute, plain path")
        if path.split("/")[1] in _OURS:
            raise SettingsError(f"policies.{name}.hidden: {path} is no path of an image")
    try:
        return Policy(settings.limits.default, settings.limits.ceiling, table, settings.volumes)
    except ValueError as error:
        raise SettingsError(f"policies.{name}: {error}") from None


def _lowered(ceiling: Limits, changes: Mapping[str, float]) -> Limits:
    """A ceiling with some limits lowered, none below what can be at all.

    :raises ValueError: one is unknown, or out of bounds
    """
    lowered: dict[str, float] = {}
    for name, value in changes.items():
        if name not in Limits.__struct_fields__:
            known = ", ".join(Limits.__struct_fields__)
            raise ValueError(f"ceiling has no limit {name!r}; known: {known}")
        floor, most = getattr(FLOOR, name), getattr(ceiling, name)
        if not floor <= value <= most:
            raise ValueError(f"ceiling.{name} must be {floor:g} to limits.ceiling's {most:g}")
        lowered[name] = int(value) if name in _WHOLE else float(value)
    return msgspec.structs.replace(ceiling, **lowered)


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(glob == "*" or fnmatchcase(name, glob) for glob in globs)


def _is_finite(value: float) -> bool:
    """Also false for an int so large that no float holds it, as JSON may carry one."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
