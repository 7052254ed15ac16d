"""One long-lived container: its launcher, its templates, its cells."""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from soulbox_core.commands import boot_line, variables
from soulbox_core.errors import CellLost, CgroupError, ContainerError
from soulbox_core.language import Language, Source
from soulbox_core.model import Limits, Value
from soulbox_core.sandbox.cell import ContainerCell
from soulbox_core.sandbox.cgroup import Tree
from soulbox_core.sandbox.control import ControlSocket
from soulbox_core.sandbox.forge import Booted, Forge
from soulbox_core.sandbox.launcher import wire
from soulbox_core.sandbox.leaves import Leaves
from soulbox_core.sandbox.monitor import Monitor
from soulbox_core.sandbox.podman import ContainerSpec, Podman
from soulbox_core.sandbox.port import Kind
from soulbox_core.sandbox.stdio import Stdio
from soulbox_core.sandbox.warden import Warden

logger = logging.getLogger(__name__)

_FIRST_UID = 10_000
_LAST_UID = 59_999
"""Inside the smallest range of subordinate ids that the service asks for."""
_PING_SECONDS = 5.0
_REMOVAL_SECONDS = (1.0, 5.0, 30.0, 60.0)
"""Pauses after failed attempts; what is left then, the next start of the service removes."""
_CELL_OVERHEAD_BYTES = 4 << 20
"""What a live cell may cost its container's launcher, whose memory holds its namespaces, page
tables and init: about 1 MiB was measured."""
_SAID_CHARACTERS = 2000
"""Of what a runtime wrote that did not boot in time."""
_UNDEAD_SECONDS = 30.0
"""After this a killed cell is stuck in the kernel, and its container not to be trusted."""


class ContainerSettings(Value):
    """What all containers of the service have in common."""

    default: Limits
    open_files: int
    memory_bytes: int
    making_seconds: float
    seccomp: bytes
    monitor: Monitor


class Container:
    """Made by `start`, used through `make_cell`, ended by `destroy`; never repaired.

    :param on_lost: called once, with a reason, when it stopped working
    """

    def __init__(
        self,
        spec: ContainerSpec,
        language: Language,
        settings: ContainerSettings,
        podman: Podman,
        tree: Tree,
        on_lost: Callable[["Container", str], None],
    ) -> None:
        self.name = spec.name
        self.made = 0
        self._spec = spec
        self._language = language
        source = Source(limits=settings.default)
        self._env = variables(language, source)
        boot = boot_line(language, source)
        self._boot = Booted(argv=boot, env=self._env) if boot else None
        self._settings = settings
        self._podman = podman
        self._control = ControlSocket(Path(spec.control_dir))
        self._tree = tree
        self._on_lost = on_lost
        self._leaves = Leaves(tree)
        self._uids = deque(range(_FIRST_UID, _LAST_UID + 1))
        self._warden = Warden(self._lost)
        self._launcher = Forge(self._lost)
        self._template: Forge | None = None
        self._live = 0
        self._room = asyncio.Semaphore(max(1, settings.memory_bytes // _CELL_OVERHEAD_BYTES))
        self._ended = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        """Start it and wait until cells can be made, if only cold ones before `warm_up`.

        :raises ContainerError: says which part failed
        """
        pid = await self._podman.run(self._spec)
        self._tree.adopt(pid, self._settings.memory_bytes)
        self._launcher.connect(await self._control.accept(self._settings.making_seconds))
        seccomp = wire.sealed_file(self._settings.seccomp)
        descriptors = (seccomp, self._warden.their_end.fileno())
        try:
            await self._launcher.ask({"op": "setup"}, descriptors, self._settings.making_seconds)
        finally:
            os.close(seccomp)
            self._warden.their_end.close()

    @property
    def warm(self) -> bool:
        """Whether cells come as warm as the language has them."""
        return self._template is not None or self._language.template is None

    async def warm_up(self) -> None:
        """Have the template load what is preloaded, if the language has one.

        :raises ContainerError: it failed, or took too long
        """
        if self._language.template is not None:
            self._template = await self._new_template()

    async def make_cell(self, kind: Kind, *, rehearse: bool) -> ContainerCell:
        """Return a parked cell.

        :param rehearse: worth its time if the cell is to be parked for a while
        :raises ContainerError: it could not be made
        """
        await self._room.acquire()
        self.made += 1
        self._live += 1
        self._idle.clear()
        forge = self._launcher if kind.cold or self._template is None else self._template
        boot = None if kind.cold else self._boot
        try:
            cell = await self._new_cell(f"{self.name}.{self.made}", forge, boot)
        except (ContainerError, CgroupError, asyncio.CancelledError) as error:
            self._count_down()
            if isinstance(error, CgroupError):
                raise ContainerError(f"{self.name}: {error}") from error
            raise
        try:
            open_files = self._settings.open_files
            forge.make(cell, kind, open_files, rehearse=rehearse, boot=boot)
            async with asyncio.timeout(self._settings.making_seconds):
                await cell.parked()
        except CellLost as error:
            cell.discard()
            raise ContainerError(f"{self.name}: {error}") from error
        except TimeoutError:
            said = "" if cell.stdio is None else cell.stdio.stderr.said()[-_SAID_CHARACTERS:]
            cell.discard()
            why = "a cell was not ready in time" + (f": {said}" if said else "")
            self._lost(why)
            raise ContainerError(f"{self.name}: {why}") from None
        except asyncio.CancelledError:
            cell.discard()
            raise
        return cell

    async def _new_cell(self, name: str, forge: Forge, boot: Booted | None) -> ContainerCell:
        """The cell's shell: an init that holds its namespaces, a leaf, a user id, pipes."""
        init = await self._warden.init(self._settings.making_seconds)
        try:
            leaf = self._leaves.take(self._settings.default)
        except CgroupError:
            os.close(init)
            raise

        def gone(cell: ContainerCell) -> None:
            forge.forget(cell)
            self._leaves.give_back(leaf)
            self._uids.append(cell.uid)
            self._count_down()

        stdio = None if boot is None else Stdio(None)
        uid, monitor = self._uids.popleft(), self._settings.monitor
        return ContainerCell(name, uid, init, leaf, forge, monitor, gone, stdio)

    def _count_down(self) -> None:
        self._room.release()
        self._live -= 1
        if self._live == 0:
            self._idle.set()

    async def healthy(self) -> bool:
        """Whether the launcher and the template answer, and killed cells die."""
        try:
            for forge in filter(None, (self._launcher, self._template)):
                await forge.ask({"op": "ping"}, (), _PING_SECONDS)
                if forge.undead(_UNDEAD_SECONDS):
                    raise ContainerError("a killed cell does not die")
        except ContainerError as error:
            self._lost(str(error))
        return not self._ended

    async def idle(self) -> None:
        """Wait until no cell of this container lives."""
        await self._idle.wait()

    async def destroy(self) -> None:
        """Kill and remove everything of it. Safe to call twice."""
        self._ended = True
        self._warden.close()
        self._launcher.close()
        if self._template is not None:
            self._template.close()
        try:
            await self._podman.remove(self.name)
        except ContainerError as error:
            logger.error("%s: %s", self.name, error)
        self._control.remove()
        await self._remove_tree()
        self._leaves.close()

    async def _remove_tree(self) -> None:
        """A process on its way out may take its time, and its cgroup stays until then."""
        for pause in _REMOVAL_SECONDS:
            try:
                await asyncio.to_thread(self._tree.remove)
            except CgroupError as error:
                logger.error("%s: %s", self.name, error)
                await asyncio.sleep(pause)
            else:
                return

    async def _new_template(self) -> Forge:
        template = Forge(self._lost)
        theirs = template.connect_pair()
        request = {
            "op": "template",
            "preloads": self._language.preloads,
            "env": self._env,
        }
        try:
            self._launcher.send(request, (theirs.fileno(),))
        except CellLost as error:
            raise ContainerError(f"{self.name}: {error}") from error
        finally:
            theirs.close()
        await template.ask(None, (), self._settings.making_seconds)
        return template

    def _lost(self, why: str) -> None:
        if not self._ended:
            self._ended = True
            self._on_lost(self, why)
