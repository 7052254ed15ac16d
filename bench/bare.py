"""The launcher driven directly, by blocking sockets and nothing else: the floor for everything.

The same image, template, seccomp program, namespaces and cgroup limits as the service uses.
"""

import asyncio
import contextlib
import os
import secrets
import select
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from soulbox_core.language import Language
from soulbox_core.model import Limits
from soulbox_core.sandbox import cgroup, seccomp
from soulbox_core.sandbox.cgroup import Leaf
from soulbox_core.sandbox.containers import LAUNCHER_DIR
from soulbox_core.sandbox.instance import Instance
from soulbox_core.sandbox.launcher import wire
from soulbox_core.sandbox.podman import ContainerSpec, Podman
from soulbox_core.sandbox.podman_env import podman_environment
from soulbox_core.settings import Settings

_LIMITS = Limits()
_FIRST_UID = 20_000


@dataclass
class BareCell:
    """A parked cell."""

    name: str
    sock: socket.socket
    leaf: Leaf
    pidfd: int = -1
    exit_reader: int = -1
    output: bytearray = field(default_factory=bytearray)
    stdout: int = -1


class BareLauncher:
    """A container whose launcher and template we talk to ourselves."""

    def __init__(self, forge: socket.socket, tree: cgroup.Tree) -> None:
        self._forge = forge
        self._tree = tree
        self._made = 0
        self._cells: dict[str, BareCell] = {}
        self._leaves: list[Leaf] = []
        self._gone: list[Leaf] = []

    def ask_for_cell(self) -> BareCell:
        self._made += 1
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cell = BareCell(str(self._made), ours, self._leaf())
        spec = {
            "op": "cell",
            "id": cell.name,
            "uid": _FIRST_UID + self._made % 10_000,
            "scratch_bytes": _LIMITS.scratch_bytes,
            "rlimits": {"RLIMIT_NOFILE": 4096, "RLIMIT_CORE": 0},
        }
        self._cells[cell.name] = cell
        wire.send(self._forge, spec, (theirs.fileno(), *cell.leaf.join_descriptors))
        theirs.close()
        return cell

    def listen(self) -> None:
        """Handle one frame of the forge's."""
        frame, descriptors = wire.receive(self._forge)
        if frame["op"] == "made":
            self._cells[frame["id"]].pidfd = descriptors[0]
        elif frame["op"] == "gone":
            self._gone.append(self._cells.pop(frame["id"]).leaf)

    def park(self) -> BareCell:
        cell = self.ask_for_cell()
        while cell.pidfd < 0:
            self.listen()
        self.parked(cell)
        return cell

    def parked(self, cell: BareCell) -> None:
        frame, (cell.exit_reader,) = wire.receive(cell.sock)
        assert frame["op"] == "parked", frame

    def start(self, cell: BareCell, source: str) -> None:
        """The one message that runs a program."""
        cell.stdout, write_end = os.pipe()
        null = os.open(os.devnull, os.O_RDWR)
        step = {
            "argv": ["python3", "main.py"],
            "entrypoint": "main.py",
            "args": [],
            "files": [["main.py", source, False]],
            "env": {"PATH": "/usr/bin"},
            "rlimits": {"RLIMIT_NOFILE": 256},
            "live": False,
        }
        wire.send(cell.sock, step, (null, write_end, null))
        os.close(null)
        os.close(write_end)

    def finish(self, cell: BareCell) -> None:
        """Read the exit report and what was printed."""
        assert os.read(cell.exit_reader, 1) == b"0"
        cell.output += os.read(cell.stdout, 65536)

    def end(self, cell: BareCell) -> None:
        signal.pidfd_send_signal(cell.pidfd, signal.SIGKILL)
        for descriptor in (cell.pidfd, cell.exit_reader, cell.stdout):
            os.close(descriptor)
        cell.sock.close()

    def lap(self, source: str) -> float:
        """Park, wait for the quiet that a parked cell has, run; return the run's seconds."""
        cell = self.park()
        return self._timed_run(cell, source)

    def _timed_run(self, cell: BareCell, source: str) -> float:
        start = time.perf_counter()
        self.start(cell, source)
        select.select([cell.exit_reader], [], [])
        self.finish(cell)
        seconds = time.perf_counter() - start
        assert cell.output, "nothing printed"
        self.end(cell)
        while cell.name in self._cells:
            self.listen()
        return seconds

    def lone(self, source: str, pause: float) -> float:
        cell = self.park()
        time.sleep(pause)
        return self._timed_run(cell, source)

    def sustain(self, source: str, count: int, in_flight: int) -> float:
        """Cells a second, made and run, with so many in flight."""
        poll = select.poll()
        poll.register(self._forge, select.POLLIN)
        by_descriptor: dict[int, BareCell] = {}
        started, done = 0, 0
        start = time.perf_counter()
        while done < count:
            while started < count and started - done < in_flight:
                cell = self.ask_for_cell()
                by_descriptor[cell.sock.fileno()] = cell
                poll.register(cell.sock, select.POLLIN)
                started += 1
            for descriptor, _ in poll.poll():
                if descriptor == self._forge.fileno():
                    self.listen()
                    continue
                cell = by_descriptor.pop(descriptor)
                poll.unregister(descriptor)
                if descriptor == cell.sock.fileno():
                    self.parked(cell)
                    self.start(cell, source)
                    by_descriptor[cell.exit_reader] = cell
                    poll.register(cell.exit_reader, select.POLLIN)
                else:
                    while cell.pidfd < 0:
                        self.listen()
                    self.finish(cell)
                    self.end(cell)
                    done += 1
        seconds = time.perf_counter() - start
        while self._cells:
            self.listen()
        return count / seconds

    def _leaf(self) -> Leaf:
        if self._gone and self._gone[0].reusable():
            leaf = self._gone.pop(0)
        else:
            leaf = self._tree.leaf(f"bare{self._made}")
        leaf.limit(_LIMITS)
        return leaf


@contextlib.contextmanager
def bare_launcher(settings: Settings, language: Language, image: str) -> Iterator[BareLauncher]:
    """A started container; removed at the end."""
    instance = Instance(Path(settings.state_dir), "bench-bare")
    podman = Podman(podman_environment(settings), instance.run_dir / "podman.sock")
    cgroups = cgroup.open_cgroups(cgroup.find(settings.cgroup.roots), instance.id)
    asyncio.run(podman.start())
    name = f"soulbox-{instance.id}-{language.name}-{secrets.token_hex(4)}"
    tree = cgroups.tree(name)
    control = instance.run_dir / "bare"
    control.mkdir()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(control / "launcher.sock"))
            listener.listen(1)
            spec = ContainerSpec(
                name=name,
                image=image,
                language=language.name,
                instance=instance.id,
                control_dir=str(control),
                launcher_dir=str(LAUNCHER_DIR),
                template=str(language.template),
                open_files=4096,
            )
            tree.adopt(asyncio.run(podman.run(spec)), 1 << 30)
            launcher, _ = listener.accept()
        with launcher:
            program = wire.sealed_file(seccomp.compile_filter(None))
            wire.send(launcher, {"op": "setup"}, (program,))
            wire.receive(launcher)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            request = {"op": "template", "preloads": language.preloads, "env": {}}
            wire.send(launcher, request, (theirs.fileno(),))
            theirs.close()
            assert wire.receive(ours)[0]["op"] == "ready"
            with ours:
                yield BareLauncher(ours, tree)
    finally:
        asyncio.run(podman.remove(name))
        asyncio.run(podman.stop())
        tree.remove()
        cgroups.remove()
        instance.close()
