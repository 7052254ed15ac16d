"""Nodes tell each other what was dropped, so that no other one gives it from its memory."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from contextlib import aclosing, suppress

from redis.asyncio import Redis

from soulbox_core.results.counts import Counts
from soulbox_core.results.key import is_key, is_owner
from soulbox_core.results.redis import CHANNEL

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 5.0
"""After so long without a word Redis is asked whether it is there; as long again, and it is not."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_TAG_BYTES = 32


class Notices:
    """Says what was dropped, and listens, on a connection of its own.

    A notice is an HMAC-SHA256 and the key, or the part of a key that is its owner's.

    :param connect: makes the client to listen with
    :param secret: what only those know whose notices count
    :param dropped: told of what others dropped
    :param gap: told when notices may have been missed
    """

    def __init__(
        self,
        connect: Callable[[], Redis],
        secret: bytes,
        dropped: Callable[[str], object],
        gap: Callable[[], None],
        counts: Counts,
    ) -> None:
        self._connect = connect
        self._secret = secret
        self._dropped = dropped
        self._gap = gap
        self._counts = counts
        self._task: asyncio.Task[None] | None = None
        self._pause = _FIRST_PAUSE
        self.listening = False
        """Whether notices arrive now."""

    def start(self) -> None:
        """Listen from now on."""
        self._task = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def notice(self, start: str) -> bytes:
        """Write a notice.

        :param start: a key, or an owner's part of keys
        """
        return self._tag(start.encode()) + start.encode()

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except Exception as error:
                # A border: whatever a Redis may say, we ask again.
                if self.listening or self._pause == _FIRST_PAUSE:
                    kind = type(error).__name__
                    logger.warning("what other nodes drop from the result cache is lost: %s", kind)
            self.listening = False
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def _hear(self) -> None:
        """Take notices until the connection is gone."""
        redis = self._connect()
        try:
            async with aclosing(redis.pubsub()) as channel:
                await channel.subscribe(CHANNEL)
                asked = False
                while True:
                    message = await channel.get_message(timeout=SILENCE_SECONDS)
                    if message is not None:
                        asked = False
                        self._take(message["type"], message["data"])
                    elif asked:
                        raise TimeoutError
                    else:
                        await channel.ping()
                        asked = True
        finally:
            await redis.aclose(close_connection_pool=True)

    def _take(self, kind: str, data: object) -> None:
        if kind == "subscribe":
            self._pause = _FIRST_PAUSE
            self.listening = True
            self._gap()
        elif kind == "message" and isinstance(data, bytes):
            start = self._read(data)
            if start is None:
                self._counts.damaged += 1
            else:
                self._dropped(start)

    def _read(self, data: bytes) -> str | None:
        tag, start = data[:_TAG_BYTES], data[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(start)):
            return None
        text = start.decode("ascii", "replace")
        return text if is_key(text) or is_owner(text) else None

    def _tag(self, start: bytes) -> bytes:
        return hmac.digest(self._secret, start, "sha256")
