"""The seccomp profile for nodes of a Kubernetes cluster lets through what the one of
containers-common does, in the form that containerd reads."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import jsonschema
import pytest

from deploy.kubernetes.node.seccomp import ARCHITECTURES, KERNEL, flat
from soulbox_core.sandbox.seccomp_profile import find, read, resolve

SOURCE = find(None)
NESTING = {"clone", "clone3", "mount", "pivot_root", "setns", "umount2", "unshare"}
"""What rootless Podman and the launcher make containers and cells with."""
ENTRY = {
    "type": "object",
    "properties": {
        "names": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "action": {"enum": ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"]},
        "errnoRet": {"type": "integer"},
        "args": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer"},
                    "value": {"type": "integer"},
                    "valueTwo": {"type": "integer"},
                    "op": {"type": "string", "pattern": "^SCMP_CMP_"},
                },
                "required": ["index", "value", "op"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["names", "action"],
    "additionalProperties": False,  # `includes` would be passed over, and mean nothing
}
every_architecture = pytest.mark.parametrize("arch", ARCHITECTURES)


@every_architecture
def test_it_is_the_same_without_its_conditions(arch: str, tmp_path: Path) -> None:
    written = flat(SOURCE, arch)
    file = tmp_path / "soulbox.json"
    file.write_text(json.dumps(written))
    assert resolve(read(file), arch, KERNEL) == resolve(read(SOURCE), arch, KERNEL)


@every_architecture
def test_it_has_the_form_of_the_runtime_specification(arch: str) -> None:
    written = flat(SOURCE, arch)
    for entry in json.loads(json.dumps(written))["syscalls"]:
        jsonschema.validate(entry, ENTRY)
    assert written["defaultAction"] == "SCMP_ACT_ERRNO"
    assert written["architectures"][0] == ARCHITECTURES[arch]
    assert {*written} == {"defaultAction", "defaultErrnoRet", "architectures", "syscalls"}


@every_architecture
def test_it_lets_containers_be_made_and_nothing_of_the_hosts_be_changed(arch: str) -> None:
    calls: dict[str, Any] = {}
    for entry in flat(SOURCE, arch)["syscalls"]:
        for name in entry["names"]:
            calls.setdefault(name, []).append(entry)
    for name in NESTING:
        assert {"names": ANY, "action": "SCMP_ACT_ALLOW"} in calls[name], name
    for name in ("bpf", "init_module", "kexec_load", "settimeofday", "open_by_handle_at"):
        denied = {(each["action"], each["errnoRet"]) for each in calls[name]}
        assert denied == {("SCMP_ACT_ERRNO", errno.EPERM)}, name


def test_it_is_printed() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, root / "deploy/kubernetes/node/seccomp.py", "amd64"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert json.loads(done.stdout) == json.loads(json.dumps(flat(SOURCE, "amd64"))), done.stderr
