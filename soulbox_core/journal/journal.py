"""Keeps a record of every run: in a file at once, in the database soon after."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import msgspec

from soulbox_core.errors import StoreFailed
from soulbox_core.journal.entry import execution_of
from soulbox_core.journal.frames import Frames
from soulbox_core.journal.spool import Segment, Spool
from soulbox_core.report import Report
from soulbox_core.settings import Records
from soulbox_core.store.port import Executions
from soulbox_core.store.records import Execution

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""How long a database that failed is left alone."""
ATTEMPTS = 20
"""After so many at one file, while the database says that it is well, the file is set aside: what
it holds cannot be written, and would keep all others from it."""
CLOSING_SECONDS = 5.0
"""What the last records have at the end; those that are late are written at the next start."""


class Journal:
    """A `report.Witness` that loses nothing while there is room on disk.

    A record is in a file when its run is answered, so it survives this process, however that
    ends. Files go to the database one by one, the oldest first, each as a batch under the file's
    name, of which the database takes no second one: an answer that did not come is asked for
    again.

    :param well: whether the database answered when it was last asked
    :param node: names the instance in each record
    """

    def __init__(
        self,
        spool: Spool,
        executions: Executions,
        settings: Records,
        node: str,
        well: Callable[[], bool],
    ) -> None:
        self._spool = spool
        self._executions = executions
        self._settings = settings
        self._node = node
        self._well = well
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Execution)
        self._due = asyncio.Event()
        self._attempts = 0
        self._failing = False
        self._full = False
        self.written = 0
        """Records that the database has taken."""
        self.lost = 0
        """Records for which there was no room."""
        self.damaged = 0
        """Files that held something else than records."""
        self.set_aside = 0
        """Files that the database would not take."""
        self._due.set()  # for what an earlier life left
        self._writing = asyncio.create_task(self._write_on())

    @property
    def waiting_bytes(self) -> int:
        """What the database does not have yet."""
        return self._spool.size

    def ended(self, report: Report) -> None:
        """See `report.Witness.ended`."""
        record = execution_of(report, self._node, self._settings)
        if self._spool.append(self._encoder.encode(record)):
            self._full = False
            self._due.set()
            return
        self.lost += 1
        if not self._full:
            self._full = True
            logger.error(
                "records of runs are being lost: the spool is full or its disk is; bring the"
                " database back, or raise records.spool_bytes"
            )

    def torn_down(self, language: str, seconds: float) -> None:
        """See `report.Witness.torn_down`."""

    async def close(self) -> None:
        """Write what waits, or leave it for the next start."""
        self._writing.cancel()
        with suppress(asyncio.CancelledError):
            await self._writing
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._write_all()
        self._spool.seal()
        await self._sync()

    async def _write_on(self) -> None:
        while True:
            await self._due.wait()
            await asyncio.sleep(self._settings.batch_seconds)
            self._due.clear()
            if not await self._write_all():
                self._due.set()
                await self._sync()
                await asyncio.sleep(RETRY_SECONDS)

    async def _write_all(self) -> bool:
        """Write everything that waits; False if the database fails."""
        while True:
            segment = self._spool.oldest()
            if segment is None:
                self._spool.seal()
                segment = self._spool.oldest()
            if segment is None:
                return True
            if not await self._write(segment):
                return False

    async def _write(self, segment: Segment) -> bool:
        try:
            records = await self._records(segment)
            if records:
                await self._executions.add(segment.name, records)
            self._spool.remove(segment)
        except (StoreFailed, OSError) as error:
            self._failed(segment, error)
            return False
        self.written += len(records)
        self._attempts = 0
        if self._failing:
            self._failing = False
            logger.warning("records of runs are written to the database again")
        return True

    async def _records(self, segment: Segment) -> list[Execution]:
        found: Frames = await asyncio.to_thread(self._spool.read, segment)
        records, damaged = [], found.damaged
        for payload in found.payloads:
            try:
                records.append(self._decoder.decode(payload))
            except msgspec.MsgspecError:
                damaged = True
        if damaged:
            self.damaged += 1
            logger.error("%s held more than its %d whole records", segment.name, len(records))
        return records

    def _failed(self, segment: Segment, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            logger.warning("records of runs wait on disk: %s", error)
        self._attempts = self._attempts + 1 if self._well() else 0
        if self._attempts >= ATTEMPTS:
            with suppress(OSError):
                place = self._spool.set_aside(segment)
                self._attempts = 0
                self.set_aside += 1
                logger.error("the database does not take the records in %s: %s", place, error)

    async def _sync(self) -> None:
        try:
            await asyncio.to_thread(self._spool.sync)
        except OSError as error:
            logger.error("records of runs would not survive a power cut: %s", error.strerror)
