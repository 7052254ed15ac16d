import errno
import json
from pathlib import Path
from typing import Any

import pytest

from soulbox_core.errors import HostError
from soulbox_core.sandbox import seccomp_profile
from soulbox_core.sandbox.libseccomp import (
    ALLOW,
    KILL_PROCESS,
    KILL_THREAD,
    TRAP,
    Condition,
    Op,
    errno_action,
)
from soulbox_core.sandbox.seccomp_profile import find, read, resolve

EPERM = errno_action(errno.EPERM)


def on(index: int, op: Op, a: int, b: int = 0) -> Condition:
    return Condition(index=index, op=op, a=a, b=b)


def profile_of(tmp_path: Path, *syscalls: dict[str, Any], **keys: Any) -> seccomp_profile.Profile:
    file = tmp_path / "profile.json"
    whole = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS"} | keys
    file.write_text(json.dumps(whole | {"syscalls": syscalls}))
    return read(file)


@pytest.mark.parametrize(
    ("conditions", "applies"),
    [
        ({}, True),
        ({"includes": {}, "excludes": {}}, True),
        ({"includes": {"caps": ["CAP_SYS_ADMIN"]}}, False),
        ({"excludes": {"caps": ["CAP_SYS_ADMIN"]}}, True),
        ({"includes": {"arches": ["amd64", "x32"]}}, True),
        ({"includes": {"arches": ["arm64"]}}, False),
        ({"excludes": {"arches": ["amd64"]}}, False),
        ({"excludes": {"arches": ["s390x"]}}, True),
        ({"includes": {"minKernel": "4.8"}}, True),
        ({"includes": {"minKernel": "6.1"}}, True),
        ({"includes": {"minKernel": "6.2"}}, False),
        ({"includes": {"minKernel": "6.10"}}, False),
        ({"includes": {"minKernel": "7.0"}}, False),
        ({"excludes": {"minKernel": "4.8"}}, False),
        ({"excludes": {"minKernel": "6.2"}}, True),
        ({"includes": {"arches": ["amd64"], "caps": ["CAP_SYS_TIME"]}}, False),
        ({"includes": {"arches": ["amd64"]}, "excludes": {"caps": ["CAP_BPF"]}}, True),
    ],
)
def test_rules_are_resolved_for_no_capabilities_this_arch_and_kernel(
    conditions: dict[str, Any], applies: bool, tmp_path: Path
) -> None:
    call = {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": []} | conditions
    _, rules = resolve(profile_of(tmp_path, call), "amd64", (6, 1))
    assert bool(rules) is applies


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"action": "SCMP_ACT_ALLOW"}, ALLOW),
        ({"action": "SCMP_ACT_ERRNO"}, EPERM),
        ({"action": "SCMP_ACT_ERRNO", "errnoRet": 22}, errno_action(22)),
        ({"action": "SCMP_ACT_ERRNO", "errnoRet": 0}, errno_action(0)),
        ({"action": "SCMP_ACT_ERRNO", "errno": "EINVAL"}, errno_action(errno.EINVAL)),
        ({"action": "SCMP_ACT_ERRNO", "errno": "EINVAL", "errnoRet": 22}, errno_action(22)),
        ({"action": "SCMP_ACT_KILL"}, KILL_THREAD),
        ({"action": "SCMP_ACT_KILL_THREAD"}, KILL_THREAD),
        ({"action": "SCMP_ACT_KILL_PROCESS"}, KILL_PROCESS),
        ({"action": "SCMP_ACT_TRAP"}, TRAP),
    ],
)
def test_actions(action: dict[str, Any], expected: int, tmp_path: Path) -> None:
    _, rules = resolve(profile_of(tmp_path, {"names": ["read"]} | action), "amd64", (6, 1))
    assert [rule.action for rule in rules] == [expected]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (None, [()]),
        ([], [()]),
        ([(0, "EQ", 8, 0)], [(on(0, Op.EQ, 8),)]),
        ([(0, "MASKED_EQ", 0xFF, 8)], [(on(0, Op.MASKED_EQ, 0xFF, 8),)]),
        (
            [(0, "EQ", 16, 0), (2, "NE", 9, 0)],
            [(on(0, Op.EQ, 16), on(2, Op.NE, 9))],
        ),
        # two on one argument are alternatives
        (
            [(0, "EQ", 1, 0), (0, "EQ", 2, 0)],
            [(on(0, Op.EQ, 1),), (on(0, Op.EQ, 2),)],
        ),
        ([(1, "LE", 2**64 - 1, 0)], [(on(1, Op.LE, 2**64 - 1),)]),
    ],
)
def test_arguments(
    arguments: list[tuple[int, str, int, int]] | None,
    expected: list[tuple[Condition, ...]],
    tmp_path: Path,
) -> None:
    args = None
    if arguments is not None:
        args = [
            {"index": index, "op": f"SCMP_CMP_{op}", "value": value, "valueTwo": two}
            for index, op, value, two in arguments
        ]
    call = {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": args}
    _, rules = resolve(profile_of(tmp_path, call), "amd64", (6, 1))
    assert [rule.conditions for rule in rules] == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"defaultErrno": "ENOSYS"}, errno_action(errno.ENOSYS)),
        ({"defaultErrno": "", "defaultErrnoRet": 1}, EPERM),
        ({"defaultErrno": ""}, EPERM),
        ({"defaultAction": "SCMP_ACT_KILL_PROCESS"}, KILL_PROCESS),
    ],
)
def test_default_action(keys: dict[str, Any], expected: int, tmp_path: Path) -> None:
    assert resolve(profile_of(tmp_path, **keys), "amd64", (6, 1)) == (expected, [])


def test_one_name_is_a_list_of_one(tmp_path: Path) -> None:
    call = {"name": "read", "action": "SCMP_ACT_ALLOW"}
    _, rules = resolve(profile_of(tmp_path, call), "amd64", (6, 1))
    assert [rule.name for rule in rules] == ["read"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"action": "SCMP_ACT_NOTIFY"}, "'SCMP_ACT_NOTIFY' has no place in a cell"),
        ({"action": "SCMP_ACT_ERRNO", "errno": "ENOPE"}, "unknown errno 'ENOPE'"),
        ({"includes": {"minKernel": "new"}}, "'new' is no kernel version"),
        ({"args": [{"index": 0, "op": "SCMP_CMP_ALMOST", "value": 1}]}, "'SCMP_CMP_ALMOST'"),
    ],
)
def test_what_is_not_understood_is_refused(
    change: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    call = {"names": ["read"], "action": "SCMP_ACT_ALLOW"} | change
    with pytest.raises(HostError, match=complaint):
        resolve(profile_of(tmp_path, call), "amd64", (6, 1))


def test_profile_is_looked_for_where_podman_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operators, packaged = tmp_path / "etc.json", tmp_path / "usr.json"
    monkeypatch.setattr(seccomp_profile, "PLACES", (operators, packaged))
    with pytest.raises(HostError, match="apt-get install golang-github-containers-common"):
        find(None)
    packaged.write_text("{}")
    assert find(None) == packaged
    operators.write_text("{}")
    assert find(None) == operators
    assert find(packaged) == packaged
