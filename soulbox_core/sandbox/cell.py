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
from time import monotonic
from typing import Any

from soulbox_core.errors import CellLost
from soulbox_core.model import Facts, SourceFile, Step
from soulbox_core.sandbox.cgroup import Leaf
from soulbox_core.sandbox.harvest import harvest
from soulbox_core.sandbox.link import Link
from soulbox_core.sandbox.port import Sink
from soulbox_core.sandbox.supervisor import Supervisor

logger = logging.getLogger(__name__)


class State(Enum):
    MAKING = auto()
    PARKED = auto()
    RUNNING = auto()
    DEAD = auto()


class ContainerCell:
    """One cell of one container, used for one step.

    :param cell_id: unique in the container
    :param leaf: its cgroup, limited already
    :param on_unused_death: called if the cell dies before it was given a step
    """

    def __init__(
        self, cell_id: str, uid: int, leaf: Leaf, on_unused_death: Callable[["ContainerCell"], None]
    ) -> None:
        self.id = cell_id
        self.uid = uid
        self.leaf = leaf
        self.state = State.MAKING
        self.discarded_at = math.inf
        self._on_unused_death = on_unused_death
        self._link, self._their_end = Link.pair(self._on_frame, self._on_closed)
        self._pidfd = -1
        self._exit_reader = -1
        self._parked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._supervisor: Supervisor | None = None

    # -- being made ---------------------------------------------------------------------------

    @property
    def their_end(self) -> socket.socket:
        """The socket for the cell's processes; closed by `was_sent`."""
        return self._their_end

    def was_sent(self) -> None:
        self._their_end.close()

    def was_made(self, pidfd: int) -> None:
        """The launcher forked it: from now on it can be killed."""
        if self.state is State.DEAD:
            _signal(pidfd, signal.SIGKILL)
            os.close(pidfd)
        else:
            self._pidfd = pidfd

    async def parked(self) -> None:
        """Wait until it is ready for a step.

        :raises CellLost: it could not be built; says why
        """
        await self._parked

    # -- its step -----------------------------------------------------------------------------

    async def run(self, step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None = None) -> Facts:
        """See `soulbox_core.sandbox.port.Cell.run`."""
        if self.state is not State.PARKED:
            raise CellLost("the cell died before it was used")
        self.leaf.limit(step.limits)
        self.leaf.start()
        supervisor = Supervisor(
            step,
            sink,
            self.leaf,
            self._last_call,
            self._kill,
            self._exit_reader,
            live_stdin=stdin is not None,
        )
        self._exit_reader = -1  # the supervisor's from here
        self._supervisor = supervisor
        self.state = State.RUNNING
        try:
            self._link.send(_frame(step), supervisor.descriptors)
            facts = await supervisor.outcome(stdin)
            if step.outputs and facts.stopped_by is None and self._link.open:
                # It said that it has ended; whether it lied or is on its way out, it ends now.
                self._signal(signal.SIGUSR2)
                return await harvest(self._link, step, facts)
            return facts
        finally:
            supervisor.close()

    def discard(self) -> None:
        """See `soulbox_core.sandbox.port.Cell.discard`."""
        if self.state is State.DEAD:
            return
        self.state = State.DEAD
        self.discarded_at = monotonic()
        self._kill()
        self._link.close()
        self._their_end.close()
        for descriptor in (self._pidfd, self._exit_reader):
            if descriptor >= 0:
                os.close(descriptor)
        self._pidfd = self._exit_reader = -1
        if not self._parked.done():
            self._parked.set_exception(CellLost("the cell was discarded"))
            self._parked.exception()  # nobody may be waiting for it

    def _kill(self) -> None:
        """Kill init, and with it, by the kernel's rule, all of its PID namespace."""
        self._signal(signal.SIGKILL)

    def _last_call(self) -> None:
        self._signal(signal.SIGUSR1)

    def _signal(self, number: int) -> None:
        if self._pidfd >= 0:
            _signal(self._pidfd, number)

    # -- what it tells us ---------------------------------------------------------------------

    def _on_frame(self, frame: dict[str, Any], descriptors: list[int]) -> None:
        match frame.get("op"):
            case "parked" if self.state is State.MAKING:
                self.state = State.PARKED
                self._exit_reader = descriptors.pop()
                self._parked.set_result(None)
            case "exited" if self._supervisor is not None:
                self._supervisor.exited(
                    frame["exit_code"], frame["signal"], scratch_full=frame["scratch_full"]
                )
            case _:
                self._fail(str(frame.get("error", "the cell's program ended too soon")))
        for descriptor in descriptors:
            os.close(descriptor)

    def _on_closed(self) -> None:
        self._fail("the cell died")

    def _fail(self, why: str) -> None:
        if self.state is State.MAKING:
            self._parked.set_exception(CellLost(why))
            self._parked.exception()
            self.discard()
        elif self.state is State.PARKED:
            logger.warning("parked cell %s: %s", self.id, why)
            self.discard()
            self._on_unused_death(self)
        elif self._supervisor is not None:
            self._supervisor.died(why)


def _signal(pidfd: int, number: int) -> None:
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return


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
