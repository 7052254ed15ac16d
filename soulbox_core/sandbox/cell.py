"""The core's side of a cell: from parked, through one step, to gone."""

import asyncio
import base64
import logging
import math
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from enum import Enum, auto
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import msgspec

from soulbox_core.errors import CellLost
from soulbox_core.model import Facts, SourceFile, Step
from soulbox_core.sandbox.cgroup import Leaf
from soulbox_core.sandbox.harvest import MANY_FILES, Reader
from soulbox_core.sandbox.launcher.harvest import MAX_FILES
from soulbox_core.sandbox.launcher.program import LAST_CALL
from soulbox_core.sandbox.link import Link
from soulbox_core.sandbox.monitor import Monitor
from soulbox_core.sandbox.port import Sink, Watcher
from soulbox_core.sandbox.stdio import Stdio
from soulbox_core.sandbox.supervisor import Supervisor

logger = logging.getLogger(__name__)

_SAID_CHARACTERS = 2000
"""Of what a runtime wrote that did not boot; its last words say most."""

Callback = Callable[["ContainerCell"], None]


class Parent(Protocol):
    """The forge that a cell's program is a child of."""

    def send(self, frame: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        """:raises CellLost: it hung up"""


class State(Enum):
    MAKING = auto()
    PARKED = auto()
    RUNNING = auto()
    DEAD = auto()
    """Killed; gone when the kernel says that its init has ended, which comes last."""


class ContainerCell:
    """One cell of one container, used for one step.

    :param cell_id: unique in the container
    :param init: pidfd of its first process; whose death is the death of all
    :param leaf: its cgroup, limited already
    :param stdio: the pipes of a program that is started ahead of its step; None has them made
        when the step is there
    :param monitor: looks at it while its program runs, if anybody asks
    :param on_gone: called once no process of it is left
    """

    def __init__(
        self,
        cell_id: str,
        uid: int,
        init: int,
        leaf: Leaf,
        parent: Parent,
        monitor: Monitor,
        on_gone: Callback,
        stdio: Stdio | None = None,
    ) -> None:
        self.id = cell_id
        self.uid = uid
        self.init = init
        self.leaf = leaf
        self.stdio = stdio
        self.state = State.MAKING
        self.discarded_at = math.inf
        self.on_unused_death: Callback = lambda _: None
        self._parent = parent
        self._monitor = monitor
        self._on_gone = on_gone
        self._when_gone: list[Callable[[], None]] = []
        self._loop = asyncio.get_running_loop()
        self._link, self.their_end = Link.pair(self._on_frame, self._on_hung_up)
        self._loop.add_reader(init, self._init_ended)
        self._for_supervisor: list[int] = []
        self._egress: list[int] = []
        self._parked: asyncio.Future[None] = self._loop.create_future()
        self._supervisor: Supervisor | None = None

    async def parked(self) -> None:
        """Wait until it is ready for a step.

        :raises CellLost: it could not be built; says why
        """
        # Shielded: who gives up waiting must not end what the launcher may be about to tell.
        await asyncio.shield(self._parked)

    def listener(self) -> socket.socket:
        """See `soulbox_core.sandbox.port.Cell.listener`."""
        if not self._egress:
            raise CellLost("the cell has no egress")
        (descriptor,) = self._egress
        self._egress = []
        return socket.socket(fileno=descriptor)

    async def run(
        self,
        step: Step,
        sink: Sink,
        stdin: AsyncIterator[bytes] | None = None,
        watcher: Watcher | None = None,
    ) -> Facts:
        """See `soulbox_core.sandbox.port.Cell.run`."""
        if self.state is not State.PARKED:
            raise CellLost("the cell died before it was used")
        self.leaf.limit(step.limits)
        self.leaf.start()
        exit_reader, scratch = self._for_supervisor
        self._for_supervisor = []
        given = self.stdio
        stdio = given or Stdio(step.stdin if stdin is None else None)
        self.stdio = None
        supervisor = Supervisor(
            step,
            sink,
            self.leaf,
            stdio,
            last_call=lambda: self._tell(LAST_CALL),
            kill=self._kill,
            exit_reader=exit_reader,
            scratch=scratch,
        )
        self._supervisor = supervisor
        self.state = State.RUNNING
        try:
            self._link.send(_frame(step), () if given else stdio.descriptors)
            if watcher is not None:
                supervisor.watch(self._monitor, watcher)
            facts = await supervisor.outcome(stdin)
        finally:
            supervisor.close()
        if self.state is State.RUNNING and _leaves_files(step, facts):
            return await self._harvest(step, facts)
        return facts

    def discard(self, when_gone: Callable[[], None] | None = None) -> None:
        """See `soulbox_core.sandbox.port.Cell.discard`."""
        if when_gone is not None:
            if self.init < 0:
                when_gone()
            else:
                self._when_gone.append(when_gone)
        if self.state is State.DEAD:
            return
        self.state = State.DEAD
        self.discarded_at = monotonic()
        self._link.close()
        self.their_end.close()
        # Before the kill: the last descriptor of the scratch space frees its pages.
        for descriptor in (*self._for_supervisor, *self._egress):
            os.close(descriptor)
        self._for_supervisor, self._egress = [], []
        if self.stdio is not None:
            self.stdio.close()
            self.stdio = None
        self._kill()
        if not self._parked.done():
            self._parked.set_exception(CellLost("the cell was discarded"))
            self._parked.exception()  # nobody may be waiting for it

    def exited(self, exit_code: int | None, signal_number: int | None) -> None:
        """The forge has seen its program's end."""
        if self.state is State.RUNNING and self._supervisor is not None:
            self._supervisor.exited(exit_code, signal_number)
        else:
            self._fail("its program ended before it was used")

    async def _harvest(self, step: Step, facts: Facts) -> Facts:
        """Have the files read. What goes wrong now is no reason to lose the run."""
        reader = Reader(step.limits.output_file_bytes)
        request = {
            "op": "harvest",
            "uid": self.uid,
            "top": step.out,
            "patterns": step.outputs,
            "files": MANY_FILES if step.into else MAX_FILES,
            "budget": step.limits.output_file_bytes,
        }
        try:
            self._parent.send(request, (self.init, reader.write_end))
            found = await (reader.read_into(Path(step.into)) if step.into else reader.read())
        except CellLost as error:
            logger.warning("cell %s: output files not brought back: %s", self.id, error)
            return msgspec.structs.replace(facts, outputs_skipped=step.outputs or ("*",))
        finally:
            reader.close()
        return msgspec.structs.replace(
            facts,
            output_files=found.files,
            outputs_missing=found.missing,
            outputs_skipped=found.skipped,
        )

    def _kill(self) -> None:
        """Kill init, and with it, by the kernel's rule, all of its PID namespace."""
        if self.init >= 0:
            self.leaf.unthrottle()  # who may run for one millisecond in a hundred dies as slowly
            try:
                signal.pidfd_send_signal(self.init, signal.SIGKILL)
            except ProcessLookupError:
                return

    def _tell(self, number: int) -> None:
        try:
            self._parent.send({"op": "signal", "id": self.id, "number": number})
        except CellLost:
            return  # its container is going down, and it with it

    def _on_frame(self, frame: dict[str, Any], descriptors: list[int]) -> None:
        if frame.get("op") == "parked" and self.state is State.MAKING and len(descriptors) >= 2:
            self._for_supervisor, self._egress = descriptors[:2], descriptors[2:]
            self.state = State.PARKED
            self._parked.set_result(None)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        self._fail(str(frame.get("error", "not the frame that was expected")))

    def _on_hung_up(self) -> None:
        """It has its step and closed the socket, or it is dead."""
        if self.state is not State.RUNNING:
            self._fail("its program hung up")

    def _init_ended(self) -> None:
        """No process of the cell is left."""
        self._loop.remove_reader(self.init)
        os.close(self.init)
        self.init = -1
        self._fail("the cell died")
        self._on_gone(self)
        for call in self._when_gone:
            call()

    def _fail(self, why: str) -> None:
        if self.state is State.MAKING:
            said = "" if self.stdio is None else self.stdio.stderr.said()[-_SAID_CHARACTERS:]
            self._parked.set_exception(CellLost(f"{why}: {said}" if said else why))
            self._parked.exception()
            self.discard()
        elif self.state is State.PARKED:
            logger.warning("parked cell %s: %s", self.id, why)
            self.discard()
            self.on_unused_death(self)
        elif self._supervisor is not None:
            self._supervisor.died(why)


def _leaves_files(step: Step, facts: Facts) -> bool:
    """Whether there is something to bring back."""
    if step.out is not None:
        return facts.exit_code == 0 and facts.stopped_by is None
    return bool(step.outputs) and facts.stopped_by is None


def _frame(step: Step) -> dict[str, Any]:
    """The step as the launcher's `program.run` reads it."""
    limits = step.limits
    return {
        "argv": step.argv,
        "entrypoint": step.entrypoint,
        "args": step.args,
        "files": [_file(file) for file in step.files],
        "env": step.env,
        "live": step.live,
        "artifact": step.artifact,
        "dependencies": step.dependencies,
        "out": step.out,
        "rlimits": {
            "RLIMIT_NOFILE": limits.open_files,
            "RLIMIT_FSIZE": limits.file_size_bytes,
            # Only a backstop, should the core stall: the core itself watches the whole cell.
            "RLIMIT_CPU": math.ceil(limits.cpu_seconds) + 1,
        },
    }


def _file(file: SourceFile) -> tuple[str, str, bool]:
    """Path, content, and whether it is base64: text is told as text, which is cheaper."""
    try:
        return file.path, file.content.decode(), False
    except UnicodeDecodeError:
        return file.path, base64.b64encode(file.content).decode(), True
