"""Rootless Podman, through its API and off the hot path.

podman-py is synchronous: each operation runs in a thread with a client of its own. It is used
for create, start, inspect, list and remove alone; talking to containers is the launcher's job.
"""

import asyncio
import logging
import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import podman
from podman.errors import APIError, NotFound, PodmanError
from requests import RequestException

from soulbox_core.errors import ContainerError, HostError
from soulbox_core.model import Value
from soulbox_core.sandbox.launcher.jail import STORE, TRUST, VOLUMES, VOLUMES_KEPT

logger = logging.getLogger(__name__)

T = TypeVar("T")

INSTANCE_LABEL = "soulbox.instance"
LANGUAGE_LABEL = "soulbox.language"
_PROCESSES = 32768
_START_SECONDS = 15.0
_CALL_SECONDS = 60.0

# What the launcher needs to build cells, all of it only inside the user namespace.
_CAPABILITIES = (
    "SYS_ADMIN",  # namespaces and mounts
    "NET_ADMIN",  # bring a cell's loopback up
    "SETUID",
    "SETGID",
    "SETPCAP",  # empty the bounding set
    "KILL",  # end what is left of a cell before files are read
    "SYS_CHROOT",  # setns and pivot_root
    "DAC_OVERRIDE",
    "CHOWN",  # give the scratch directories to the cell's user
)
_LAUNCH = (
    "import sys; sys.path[:] = ['/soulbox', *sys.path[1:]]; from launcher.main import main; main()"
)


class ContainerSpec(Value):
    """What distinguishes one container from another."""

    name: str
    image: str
    language: str
    instance: str
    control_dir: str
    """Host directory in which the core listens for the launcher."""
    launcher_dir: str
    template: str | None
    store_dir: str
    """Host directory with the language's artifacts and dependencies."""
    open_files: int
    trust_dir: str
    """Host directory with the certificates that runs with a way out trust."""
    volumes: tuple[tuple[str, str], ...] = ()
    """Names of volumes, and the host directories that they are."""


class Podman:
    """`podman system service` as a child process, and calls to it.

    :param environment: variables that select the instance's storage and configuration
    :param socket: path of the API socket, at most 107 bytes
    """

    def __init__(self, environment: Mapping[str, str], socket: Path) -> None:
        self._environment = dict(environment)
        self._socket = socket
        self._process: subprocess.Popen[bytes] | None = None
        self._respawning = asyncio.Lock()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115, lives as long as this does

    async def start(self) -> None:
        """Start the API service and wait until it answers.

        :raises HostError: Podman is missing or does not start; carries its own words
        """
        process = self._spawn()
        await asyncio.to_thread(self._await_socket, process)

    async def stop(self) -> None:
        await asyncio.to_thread(self._stop)

    async def run(self, spec: ContainerSpec) -> int:
        """Create and start a container; return the host pid of its first process."""
        return await self._call(lambda client: _run(client, spec), f"start {spec.name}")

    async def remove(self, name: str) -> None:
        """Kill and remove a container; it may be gone already."""
        await self._call(lambda client: _remove(client, name), f"remove {name}")

    async def remove_all_of(self, instance: str) -> int:
        """Remove every container labelled as this instance's; return how many."""
        return await self._call(lambda client: _remove_all(client, instance), "remove orphans")

    async def _call(self, operation: Callable[[podman.PodmanClient], T], what: str) -> T:
        def work() -> T:
            url = f"http+unix://{self._socket}"
            with podman.PodmanClient(base_url=url, timeout=_CALL_SECONDS) as client:
                return operation(client)

        async with self._respawning:
            if self._process is not None and self._is_down():
                logger.error("podman system service is down (%s); starting it again", self._said())
                await self._respawn()
        try:
            return await asyncio.to_thread(work)
        except (PodmanError, APIError, RequestException, OSError) as error:
            raise ContainerError(f"podman: cannot {what}: {error}") from error

    def _is_down(self) -> bool:
        dead = self._process is not None and self._process.poll() is not None
        return dead or not self._socket.exists()

    async def _respawn(self) -> None:
        await asyncio.to_thread(self._stop)
        process = self._spawn()
        try:
            await asyncio.to_thread(self._await_socket, process)
        except HostError as error:
            raise ContainerError(str(error)) from error

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start the service so that it does not outlive the core, not even one that was killed.

        On the event loop's thread: a parent death signal is sent when the *thread* that forked
        ends (prctl(2), PR_SET_PDEATHSIG), and a thread pool's may at any time.
        """
        self._socket.unlink(missing_ok=True)
        argv = ["setpriv", "--pdeathsig", "TERM", "podman", "system", "service", "--time=0"]
        try:
            self._process = subprocess.Popen(
                [*argv, f"unix://{self._socket}"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                start_new_session=True,  # a Ctrl-C is for the core to handle
            )
        except FileNotFoundError as error:
            raise HostError(f"{error.filename} not found; run: apt-get install podman") from error
        return self._process

    def _await_socket(self, process: subprocess.Popen[bytes]) -> None:
        url = f"http+unix://{self._socket}"
        for _ in range(int(_START_SECONDS / 0.02)):
            if process.poll() is not None:
                raise HostError(f"podman system service ended: {self._said()}")
            if self._socket.exists():
                try:
                    with podman.PodmanClient(base_url=url, timeout=_CALL_SECONDS) as client:
                        client.ping()
                    return
                except (PodmanError, APIError, RequestException, OSError):
                    pass
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        raise HostError(f"podman system service does not answer: {self._said()}")

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-2000:] or "no message"

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._socket.unlink(missing_ok=True)


def _run(client: podman.PodmanClient, spec: ContainerSpec) -> int:
    _remove(client, spec.name)
    container = client.containers.create(spec.image, **_arguments(spec))
    try:
        container.start()
        container.reload()
        return int(container.attrs["State"]["Pid"])
    except Exception:
        _remove(client, spec.name)
        raise


def _arguments(spec: ContainerSpec) -> dict[str, Any]:
    # Explicit, or Podman asks for more than a user may have; and no more than we may have.
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    processes = _PROCESSES if hard == resource.RLIM_INFINITY else min(hard, _PROCESSES)
    mounts = [
        # /sys as well, or mounting sysfs fails where the service is nested in a container.
        _tmpfs("/sys", "4k"),
        _tmpfs("/box", "4k"),
        _tmpfs("/run", "4m"),
        _bind(spec.launcher_dir, "/soulbox/launcher"),
        _bind(spec.control_dir, "/soulbox/control"),
        _bind(spec.store_dir, STORE),
        _bind(spec.trust_dir, TRUST),
        *(_bind(directory, f"{VOLUMES_KEPT}/{name}") for name, directory in spec.volumes),
    ]
    if spec.volumes:
        mounts.append(_tmpfs(VOLUMES, "4k"))  # a place in the image for cells to mount them at
    if spec.template is not None:
        mounts.append(_bind(spec.template, "/soulbox/template.py"))
    return {
        "name": spec.name,
        "command": ["python3", "-c", _LAUNCH],
        "environment": {"LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        "labels": {INSTANCE_LABEL: spec.instance, LANGUAGE_LABEL: spec.language},
        "network_mode": "none",
        # Nested in a container we may not name one of our own, and each cell has one anyway.
        "uts_mode": "host",
        "read_only": True,
        "read_write_tmpfs": True,
        "mounts": mounts,
        "cap_drop": ["ALL"],
        "cap_add": list(_CAPABILITIES),
        # Without it the kernel refuses a cell its own /proc (mount_too_revealing).
        "unmasked_paths": ["ALL"],
        "ulimits": [
            {"Name": "nofile", "Soft": spec.open_files, "Hard": spec.open_files},
            {"Name": "nproc", "Soft": processes, "Hard": processes},
        ],
        "cgroups_mode": "disabled" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else None,
        "log_config": {"Type": "none"},
        "image_volume_mode": "ignore",
    }


def _bind(source: str, target: str) -> dict[str, Any]:
    return {"type": "bind", "source": source, "target": target, "read_only": True}


def _tmpfs(target: str, size: str) -> dict[str, Any]:
    return {"type": "tmpfs", "source": "tmpfs", "target": target, "size": size}


def _remove(client: podman.PodmanClient, name: str) -> None:
    try:
        client.containers.get(name).remove(force=True, v=True)
    except NotFound:
        return


def _remove_all(client: podman.PodmanClient, instance: str) -> int:
    label = f"{INSTANCE_LABEL}={instance}"
    found = client.containers.list(all=True, filters={"label": [label]})
    for container in found:
        _remove(client, container.name)
    return len(found)
