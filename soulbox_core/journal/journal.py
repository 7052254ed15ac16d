"""Keeps a record of every run: in a file at once, in the database soon after."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from math import inf
from time import monotonic

import msgspec

from soulbox_core.errors import StoreFailed
from soulbox_core.journal.entry import execution_of
from soulbox_core.journal.frames import Frames
from soulbox_core.journal.spool import Segment, Spool
from soulbox_core.report import Report
from soulbox_core.routine import Routine
from soulbox_core.settings import Records
from soulbox_core.store.port import Executions
from soulbox_core.store.records import Execution

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""How long a database that failed is left alone."""
REFUSED_SECONDS = 60.0
"""How long a file is left alone that the database did not take although it took others."""
CLOSING_SECONDS = 5.0
"""What the last records have at the end; those that are late are written at the next start."""


class Journal:
    """A `report.Witness` that loses nothing while there is room on disk.

    A record is in a file when its run is answered, so it survives this process, however that
    ends. Files go to the database one by one, the oldest first, each as a batch under the file's
    name, of which the database takes no second one: an answer that did not come is asked for
    again.

    :param node: names the instance in each record
    """

    def __init__(self, spool: Spool, executions: Executions, settings: Records, node: str) -> None:
        self._spool = spool
        self._executions = executions
        self._settings = settings
        self._node = node
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Execution)
        self._new = asyncio.Event()
        self._not_before: dict[str, float] = {}
        """When a file is tried again that the database did not take, by its name."""
        self._failing = False
        self._full = False
        self._unsynced = False
        self.written = 0
        """Records that the database has taken."""
        self.lost = 0
        """Records for which there was no room, or which it did not take for too long."""
        self.damaged = 0
        """Files that held something else than records."""
        self.refused = 0
        """Files that the database did not take although it took others."""
        self._writing = Routine(
            self._write_due, "records of runs could not be written", RETRY_SECONDS
        )

    @property
    def waiting_bytes(self) -> int:
        """What the database does not have yet."""
        return self._spool.size

    def ended(self, report: Report) -> None:
        """See `report.Witness.ended`."""
        record = execution_of(report, self._node, self._settings)
        if self._spool.append(self._encoder.encode(record)):
            self._full = False
            self._new.set()
            return
        self.lost += 1
        if not self._full:
            self._full = True
            logger.error(
                "records of runs are being lost: %s",
                self._spool.fault
                or "the spool is full; bring the database back, or raise records.spool_bytes",
            )

    def torn_down(self, language: str, seconds: float) -> None:
        """See `report.Witness.torn_down`."""

    async def forget(self, before: float) -> None:
        """Drop the files that were begun before a time, as records of that age are: what the
        database did not take until now is lost."""
        for segment in self._spool.sealed:
            if segment.begun_at < before:
                records, _ = await self._records(segment)
                self._spool.remove(segment)
                self._not_before.pop(segment.name, None)
                self.lost += len(records)

    async def close(self) -> None:
        """Write what waits, or leave it for the next start."""
        await self._writing.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                self._spool.seal()
                await self._write_sealed()
        self._spool.seal()
        await self._sync()

    async def _write_due(self) -> float:
        await self._woken()
        await asyncio.sleep(self._settings.batch_seconds)
        self._new.clear()
        self._spool.seal()
        well = False
        try:
            well = await self._write_sealed()
        finally:
            if not well:
                await self._sync()
        return 0.0 if well else RETRY_SECONDS

    async def _woken(self) -> None:
        """Return when there is something to write: new, left over, or refused before."""
        waiting = (self._not_before.get(segment.name, 0.0) for segment in self._spool.sealed)
        again = min(waiting, default=inf) - monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if again == inf else max(again, 0.0)):
                await self._new.wait()

    async def _write_sealed(self) -> bool:
        """Write the files that take no more; False if the database fails.

        A file that fails is itself to blame if another one is taken after it, or if it was so
        before. Else it is the database.
        """
        failed: dict[Segment, Exception] = {}
        for segment in self._spool.sealed:
            if monotonic() < self._not_before.get(segment.name, 0.0):
                continue
            try:
                taken = await self._write(segment)
            except (StoreFailed, OSError) as problem:
                failed[segment] = problem
                if len(failed) > 1:
                    break
            else:
                if taken:
                    self._refuse(failed)
                    failed.clear()
                    self._failed(None)
        if self._not_before.keys() >= {segment.name for segment in failed}:
            self._refuse(failed)
            return True
        self._failed(next(iter(failed.values())))
        return False

    async def _write(self, segment: Segment) -> bool:
        """Write a file; whether the database had anything to take.

        :raises StoreFailed: the database does not take it
        :raises OSError: the file cannot be read, or removed
        """
        records, damaged = await self._records(segment)
        if records:
            await self._executions.add(segment.name, records)
        self._spool.remove(segment)
        if damaged:
            self.damaged += 1
            logger.error("%s held more than its %d whole records", segment.name, len(records))
        self.written += len(records)
        self._not_before.pop(segment.name, None)
        return bool(records)

    async def _records(self, segment: Segment) -> tuple[list[Execution], bool]:
        """The records in a file, and whether there is anything else in it.

        :raises OSError: it cannot be read
        """
        try:
            found: Frames = await asyncio.to_thread(self._spool.read, segment)
        except FileNotFoundError:  # somebody has removed it
            return [], True
        records, damaged = [], found.damaged
        for payload in found.payloads:
            try:
                records.append(self._decoder.decode(payload))
            except msgspec.MsgspecError:
                damaged = True
        return records, damaged

    def _failed(self, error: Exception | None) -> None:
        """Say that the database fails, or that it does so no more; once."""
        if error is not None and not self._failing:
            self._failing = True
            logger.warning("records of runs wait on disk: %s", error)
        elif error is None and self._failing:
            self._failing = False
            logger.warning("records of runs are written to the database again")

    def _refuse(self, failed: Mapping[Segment, Exception]) -> None:
        """Leave files alone for a while. They stay on disk, and are tried again."""
        for segment, error in failed.items():
            if segment.name not in self._not_before:
                self.refused += 1
                logger.error("the database takes others and not %s: %s", segment.name, error)
            self._not_before[segment.name] = monotonic() + REFUSED_SECONDS

    async def _sync(self) -> None:
        try:
            await asyncio.to_thread(self._spool.sync)
        except OSError as error:
            if not self._unsynced:
                self._unsynced = True
                logger.error("records of runs would not survive a power cut: %s", error.strerror)
        else:
            self._unsynced = False
