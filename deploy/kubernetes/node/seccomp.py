#!/opt/soulbox/venv/bin/python3
"""Prints the seccomp profile of SoulBox's pods, for /var/lib/kubelet/seccomp/profiles/soulbox.json.

    podman run --rm -i --network=none --entrypoint /opt/soulbox/venv/bin/python3 IMAGE - amd64 \\
        <deploy/kubernetes/node/seccomp.py >soulbox.json

It is the profile of containers-common that is in the image, under which Podman runs SoulBox's
container elsewhere, resolved for a process without capabilities. As it stands there no node could
use it: containerd takes the format of the OCI runtime specification, which has no conditions.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from soulbox_core.sandbox.seccomp_profile import Call, applies, find, read

ARCHITECTURES = {"amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64"}
"""By their names in Kubernetes (the label kubernetes.io/arch): that of libseccomp."""
KERNEL = (6, 3)
"""The oldest that pods with a user namespace run on."""


def flat(file: Path, arch: str) -> dict[str, Any]:
    """containers-common's profile as the OCI runtime specification's `linux.seccomp`."""
    profile, written = read(file), json.loads(file.read_bytes())
    native = ARCHITECTURES[arch]
    (others,) = (
        each["subArchitectures"] for each in written["archMap"] if each["architecture"] == native
    )
    return {
        "defaultAction": profile.default_action,
        "defaultErrnoRet": profile.default_errno_ret,
        "architectures": [native, *others],
        "syscalls": [_entry(call) for call in profile.syscalls if applies(call, arch, KERNEL)],
    }


def _entry(call: Call) -> dict[str, Any]:
    entry: dict[str, Any] = {"names": call.names or (call.name,), "action": call.action}
    if call.errno_ret is not None:
        entry["errnoRet"] = call.errno_ret
    if call.args:
        entry["args"] = [
            {"index": one.index, "value": one.value, "valueTwo": one.value_two, "op": one.op}
            for one in call.args
        ]
    return entry


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("arch", choices=ARCHITECTURES)
    print(json.dumps(flat(find(None), parser.parse_args().arch), indent=2))
