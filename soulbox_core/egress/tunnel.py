"""Bytes both ways between two connections, unseen."""

import asyncio

from soulbox_core.egress.stream import PIECE_BYTES, Stream


async def tunnel(near: Stream, far: Stream) -> None:
    """Pass on all that comes until both sides have said their last.

    :raises OSError: one of them broke off
    :raises Spent: it was too much
    """
    there = asyncio.create_task(_pump(near, far))
    back = asyncio.create_task(_pump(far, near))
    try:
        await asyncio.gather(there, back)
    finally:
        there.cancel()
        back.cancel()
        await asyncio.wait((there, back))


async def _pump(source: Stream, sink: Stream) -> None:
    buffer = bytearray(PIECE_BYTES)
    view = memoryview(buffer)
    while count := await source.read_into(buffer):
        await sink.write(view[:count])
    sink.finish()
