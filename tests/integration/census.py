"""What a service holds: counted before and after many runs, to see what they left."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from soulbox_core import settings
from soulbox_core.sandbox import cgroup
from soulbox_core.sandbox.podman_env import podman_environment
from tests.integration.service import Service, instance_id

KIB = 1024


def census(service: Service) -> dict[str, int]:
    """Counts by name, memory in KiB."""
    loaded = settings.load(env=os.environ)
    instance = instance_id(service.instance)
    return {
        **_core(service.process.pid),
        **_containers(loaded, instance),
        "cgroup directories": _cgroup_directories(loaded, instance),
        "memory cgroups the kernel keeps": _kernel_memory_cgroups(),
        "files in the runtime directory": _runtime_files(instance),
    }


def _core(pid: int) -> dict[str, int]:
    status = Path(f"/proc/{pid}/status").read_text()
    return {
        "core descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "core threads": len(os.listdir(f"/proc/{pid}/task")),
        "core KiB": int(status.split("VmRSS:")[1].split()[0]),
    }


def _containers(loaded: settings.Settings, instance: str) -> dict[str, int]:
    """Asked from inside the user namespace, where the processes are ours to look at."""
    command = ("podman", "unshare", sys.executable, "-m", __name__, f"soulbox-{instance}")
    done = subprocess.run(
        command, env=podman_environment(loaded), stdout=subprocess.PIPE, check=True
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found


def _cgroup_directories(loaded: settings.Settings, instance: str) -> int:
    roots = set(cgroup.find(loaded.cgroup.roots).directories.values())
    return sum(len(list(Path(root, instance).rglob("*/"))) for root in roots)


def _kernel_memory_cgroups() -> int:
    """Dying ones included: a removed memory cgroup stays until its last page is gone."""
    unified = Path("/sys/fs/cgroup/cgroup.stat")
    if unified.exists():  # where /proc/cgroups need not list the controllers of version 2
        counts = dict(line.split() for line in unified.read_text().splitlines())
        return int(counts["nr_descendants"]) + int(counts["nr_dying_descendants"])
    for line in Path("/proc/cgroups").read_text().splitlines():
        name, _, count, _ = line.split()
        if name == "memory":
            return int(count)
    raise RuntimeError("no memory controller in /proc/cgroups")


def _runtime_files(instance: str) -> int:
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp"))
    return len(list((runtime / f"soulbox-{instance}").rglob("*")))


def _look_inside(mark: str) -> dict[str, Any]:
    launchers = [path for path in Path("/proc").iterdir() if _is_launcher(path, mark)]
    family = [path for path in Path("/proc").iterdir() if _descends(path, launchers)]
    return {
        "container processes": len(family),
        "container descriptors": sum(len(os.listdir(path / "fd")) for path in family),
        "container network namespaces": len({os.readlink(path / "ns/net") for path in family}),
        "mounts in the containers": sum(
            len((path / "mountinfo").read_text().splitlines()) for path in launchers
        ),
        # Inits share the warden's memory.
        "container PSS KiB": sum(_pss_kib(path) for path in family if not _is_init(path)),
    }


def _is_launcher(path: Path, mark: str) -> bool:
    try:
        pids = (path / "status").read_text().split("NSpid:")[1].split("\n")[0].split()
        return len(pids) >= 2 and pids[-1] == "1" and mark in (path / "mountinfo").read_text()
    except (OSError, IndexError):
        return False


def _is_init(path: Path) -> bool:
    pids = (path / "status").read_text().split("NSpid:")[1].split("\n")[0].split()
    return len(pids) > 2 and pids[-1] == "1"


def _descends(path: Path, ancestors: list[Path]) -> bool:
    try:
        while path.name != "0":
            if path in ancestors:
                return True
            parent = (path / "status").read_text().split("PPid:")[1].split()[0]
            path = path.parent / parent
    except (OSError, IndexError):
        return False
    return False


def _pss_kib(path: Path) -> int:
    for line in (path / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    print(json.dumps(_look_inside(sys.argv[1])))
