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
    init: int = -1
    exit_reader: int = -1
    scratch: int = -1
    output: bytearray = field(default_factory=bytearray)
    stdout: int = -1


class BareLauncher:
    """A container whose launcher and template we talk to ourselves."""

    def __init__(self, forge: socket.socket, warden: socket.socket, tree: cgroup.Tree) -> None:
        self._forge = forge
        self._warden = warden
        self._tree = tree
        self._made = 0
        self._dying: dict[int, Leaf] = {}
        self._idle: list[Leaf] = []

    def ask_for_cell(self, *, rehearse: bool = True) -> BareCell:
        self._made += 1
        wire.send(self._warden, {"op": "init"})
        _, (init,) = wire.receive(self._warden)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cell = BareCell(str(self._made), ours, self._leaf(), init)
        spec = {
            "op": "cell",
            "id": cell.name,
            "uid": _FIRST_UID + self._made % 10_000,
            "scratch_bytes": _LIMITS.scratch_bytes,
            "rehearse": rehearse,
            "egress": False,
            "volumes": (),
            "hidden": (),
            "boot": None,
            "rlimits": {"RLIMIT_NOFILE": 4096, "RLIMIT_CORE": 0},
        }
        wire.send(self._forge, spec, (theirs.fileno(), init, *cell.leaf.join_descriptors))
        theirs.close()
        return cell

    def park(self) -> BareCell:
        cell = self.ask_for_cell()
        self.parked(cell)
        return cell

    def parked(self, cell: BareCell) -> None:
        frame, descriptors = wire.receive(cell.sock)
        assert frame["op"] == "parked", frame
        cell.exit_reader, cell.scratch = descriptors

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
            "out": None,
        }
        wire.send(cell.sock, step, (null, write_end, null))
        os.close(null)
        os.close(write_end)

    def finish(self, cell: BareCell) -> None:
        """Read the exit report and what was printed."""
        assert os.read(cell.exit_reader, 1) == b"0"
        cell.output += os.read(cell.stdout, 65536)

    def end(self, cell: BareCell) -> None:
        for descriptor in (cell.exit_reader, cell.scratch, cell.stdout):
            os.close(descriptor)
        cell.sock.close()
        signal.pidfd_send_signal(cell.init, signal.SIGKILL)
        self._dying[cell.init] = cell.leaf

    def bury(self, seconds: float) -> None:
        """Take back the leaves of cells that are gone; wait so long for the first of them."""
        gone, _, _ = select.select(list(self._dying), [], [], seconds)
        for init in gone:
            os.close(init)
            self._idle.append(self._dying.pop(init))
        # The forge tells how programs ended; we know it already.
        while select.select([self._forge], [], [], 0)[0]:
            wire.receive(self._forge)

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
        self.bury(1.0)
        return seconds

    def lone(self, source: str, pause: float) -> float:
        cell = self.park()
        time.sleep(pause)
        return self._timed_run(cell, source)

    def sustain(self, source: str, count: int, in_flight: int) -> float:
        """Cells a second, made and run, with so many in flight."""
        poll = select.poll()
        by_descriptor: dict[int, BareCell] = {}
        started, done = 0, 0
        start = time.perf_counter()
        while done < count:
            while started < count and started - done < in_flight:
                cell = self.ask_for_cell(rehearse=False)
                by_descriptor[cell.sock.fileno()] = cell
                poll.register(cell.sock, select.POLLIN)
                started += 1
            for descriptor, _ in poll.poll():
                cell = by_descriptor.pop(descriptor)
                poll.unregister(descriptor)
                if descriptor == cell.sock.fileno():
                    self.parked(cell)
                    self.start(cell, source)
                    by_descriptor[cell.exit_reader] = cell
                    poll.register(cell.exit_reader, select.POLLIN)
                else:
                    self.finish(cell)
                    self.end(cell)
                    done += 1
            self.bury(0)
        seconds = time.perf_counter() - start
        while self._dying:
            self.bury(1.0)
        return count / seconds

    def _leaf(self) -> Leaf:
        if self._idle and self._idle[0].reusable():
            leaf = self._idle.pop(0)
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
                store_dir=str(control),
                open_files=4096,
                trust_dir=str(control),
            )
            tree.adopt(asyncio.run(podman.run(spec)), 1 << 30)
            launcher, _ = listener.accept()
        with launcher:
            program = wire.sealed_file(seccomp.compile_filter(None))
            warden, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            wire.send(launcher, {"op": "setup"}, (program, theirs.fileno()))
            theirs.close()
            wire.receive(launcher)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            request = {"op": "template", "preloads": language.preloads, "env": {}}
            wire.send(launcher, request, (theirs.fileno(),))
            theirs.close()
            assert wire.receive(ours)[0]["op"] == "ready"
            with ours, warden:
                yield BareLauncher(ours, warden, tree)
    finally:
        asyncio.run(podman.remove(name))
        asyncio.run(podman.stop())
        tree.remove()
        cgroups.remove()
        instance.close()
