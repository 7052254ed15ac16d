"""The seccomp profile that containers-common maintains, resolved for a cell."""

import errno
from pathlib import Path

import msgspec

from soulbox_core.errors import HostError
from soulbox_core.sandbox.libseccomp import (
    ALLOW,
    KILL_PROCESS,
    KILL_THREAD,
    TRAP,
    Condition,
    Op,
    Rule,
    errno_action,
)

PLACES = (
    Path("/etc/containers/seccomp.json"),
    Path("/usr/share/containers/seccomp.json"),
)
"""Where Podman looks, in its order: the operator's file replaces the package's."""

_ACTIONS = {
    "SCMP_ACT_ALLOW": ALLOW,
    "SCMP_ACT_KILL": KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": KILL_PROCESS,
    "SCMP_ACT_TRAP": TRAP,
}


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Base of the profile's JSON objects; keys that do not matter here are passed over."""


class _Argument(_Part, frozen=True):
    index: int
    op: str
    value: int
    value_two: int = 0


class _When(_Part, frozen=True):
    caps: tuple[str, ...] = ()
    arches: tuple[str, ...] = ()
    min_kernel: str = ""


class Call(_Part, frozen=True):
    """An entry: what comes of some calls, and where."""

    action: str
    name: str = ""
    names: tuple[str, ...] = ()
    errno_ret: int | None = None
    errno: str = ""
    args: tuple[_Argument, ...] | None = None
    includes: _When = _When()
    excludes: _When = _When()


class Profile(_Part, frozen=True):
    """A profile as written, for every machine and every set of capabilities."""

    default_action: str
    syscalls: tuple[Call, ...]
    default_errno_ret: int | None = None
    default_errno: str = ""


def find(profile: Path | None) -> Path:
    """The file to read.

    :raises HostError: there is none
    """
    for place in (profile,) if profile else PLACES:
        if place.is_file():
            return place
    if profile:
        raise HostError(f"podman.seccomp_profile: no file {profile}")
    raise HostError(
        f"no seccomp profile at {' or '.join(map(str, PLACES))}; "
        "run: apt-get install golang-github-containers-common (elsewhere: containers-common)"
    )


def read(file: Path) -> Profile:
    """Read a profile.

    :raises HostError: it cannot be read, or it lets through what it does not name
    """
    try:
        profile = msgspec.json.decode(file.read_bytes(), type=Profile)
    except (OSError, msgspec.MsgspecError) as error:
        raise HostError(f"{file}: {error}") from None
    if profile.default_action == "SCMP_ACT_ALLOW":
        raise HostError(f"{file}: its defaultAction must not be SCMP_ACT_ALLOW")
    return profile


def resolve(profile: Profile, arch: str, kernel: tuple[int, int]) -> tuple[int, list[Rule]]:
    """The default action and the rules for a process without capabilities.

    :param arch: Go's name of the architecture, as profiles write it
    :param kernel: major and minor version
    :raises HostError: an action, operator or errno is not known
    """
    default = _action(profile.default_action, profile.default_errno, profile.default_errno_ret)
    rules = [
        Rule(name=name, action=action, conditions=conditions)
        for call in profile.syscalls
        if applies(call, arch, kernel)
        for action in (_action(call.action, call.errno, call.errno_ret),)
        for name in call.names or (call.name,)
        for conditions in _alternatives(call.args or ())
    ]
    return default, rules


def applies(call: Call, arch: str, kernel: tuple[int, int]) -> bool:
    """Whether an entry of a profile is for a process without capabilities, on such a machine."""
    included, excluded = call.includes, call.excludes
    return not (
        included.caps
        or (included.arches and arch not in included.arches)
        or (included.min_kernel and kernel < _version(included.min_kernel))
        or arch in excluded.arches
        or (excluded.min_kernel and kernel >= _version(excluded.min_kernel))
    )


def _version(text: str) -> tuple[int, int]:
    try:
        major, minor = text.split(".")[:2]
        return int(major), int(minor)
    except ValueError:
        raise HostError(f"seccomp profile: {text!r} is no kernel version") from None


def _action(name: str, errno_name: str, errno_number: int | None) -> int:
    if name in _ACTIONS:
        return _ACTIONS[name]
    if name != "SCMP_ACT_ERRNO":
        raise HostError(f"seccomp profile: action {name!r} has no place in a cell")
    if not errno_name:
        return errno_action(errno.EPERM if errno_number is None else errno_number)
    number = getattr(errno, errno_name, None)
    if not isinstance(number, int):
        raise HostError(f"seccomp profile: unknown errno {errno_name!r}")
    return errno_action(number)


def _alternatives(arguments: tuple[_Argument, ...]) -> list[tuple[Condition, ...]]:
    """Conditions on different arguments must all hold; of two on the same, one is enough.

    That is how runc and crun read a profile: libseccomp takes one comparison per argument.
    """
    conditions = tuple(_condition(one) for one in arguments)
    if len({one.index for one in conditions}) < len(conditions):
        return [(one,) for one in conditions]
    return [conditions]


def _condition(argument: _Argument) -> Condition:
    name = argument.op.removeprefix("SCMP_CMP_")
    if name not in Op.__members__:
        raise HostError(f"seccomp profile: unknown operator {argument.op!r}")
    return Condition(index=argument.index, op=Op[name], a=argument.value, b=argument.value_two)
