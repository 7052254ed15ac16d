"""The end of a service, as gentle as it can be to who still has something to run."""

import asyncio
import logging
from contextlib import suppress

from soulbox_core.service.admission import Admission
from soulbox_core.service.catalog import Catalog
from soulbox_core.settings import Server

logger = logging.getLogger(__name__)


async def drain(
    catalog: Catalog, admission: Admission, settings: Server, signalled: asyncio.Event
) -> None:
    """Say that the service ends, then refuse new runs, and wait for those that are there.

    :param signalled: set by the signal that ends the service; another one cuts the waiting short
    """
    catalog.retire()
    await _lame_duck(settings.lame_duck_seconds, signalled)
    await _run_dry(admission, settings.drain_seconds, signalled)


async def _lame_duck(seconds: float, signalled: asyncio.Event) -> None:
    """Go on for as long as balancers may not know that this node ends; a second signal cuts it
    short."""
    if not seconds:
        return
    logger.info("stopping in %g s: /readyz says so, and runs are still taken", seconds)
    signalled.clear()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await signalled.wait()


async def _run_dry(admission: Admission, drain_seconds: float, signalled: asyncio.Event) -> None:
    """Refuse new runs and let the running ones end; a second signal cuts it short."""
    admission.close()
    if not admission.running and not admission.waiting:
        return
    logger.info("draining: %d running, %d waiting", admission.running, admission.waiting)
    signalled.clear()
    idle = asyncio.create_task(admission.wait_idle(drain_seconds))
    again = asyncio.create_task(signalled.wait())
    await asyncio.wait((idle, again), return_when=asyncio.FIRST_COMPLETED)
    for task in (idle, again):
        task.cancel()
    if admission.running:
        logger.warning("killing %d running", admission.running)
