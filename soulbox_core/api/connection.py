"""One client's connection: it ends, in time, and quietly."""

import asyncio
import logging
import traceback

from hypercorn.asyncio import tcp_server
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, RawData
from hypercorn.typing import AppWrapper

from soulbox_core.api.deadlines import Deadlines
from soulbox_core.api.http1 import Http1, HungUp
from soulbox_core.api.http2 import Http2

FLUSH_SECONDS = 10.0
"""Longest that a client may take for what is left to send when its connection is closed."""

log = logging.getLogger("soulbox.server")


class Connection(tcp_server.TCPServer):
    """Hypercorn's, with deadlines that a slow client does not put off.

    :param head_seconds: longest from the first byte of a request to the end of its head
    """

    def __init__(
        self,
        app: AppWrapper,
        config: Config,
        context: WorkerContext,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        head_seconds: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(app, loop, config, context, {}, reader, writer)
        self.deadlines = Deadlines(loop, config.keep_alive_timeout, head_seconds, self._expire)
        self.idle_task = self.deadlines  # type: ignore[assignment]  # in place of Hypercorn's
        self._ending: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve it; what breaks in Hypercorn is the client's doing, and worth one line."""
        try:
            await super().run()
        except Exception as error:
            # A border: asyncio would log a traceback of a page for each. What the error says
            # may be the client's own words.
            log.info("connection broken off: %s", _causes(error))
            log.debug("connection broken off", exc_info=error)
        finally:
            self.deadlines.close()

    async def _read_data(self) -> None:
        try:
            while not self.reader.at_eof():
                try:
                    data = await self.reader.read(tcp_server.MAX_RECV)
                except OSError:
                    break
                try:
                    await self.protocol.handle(RawData(data))
                except HungUp:
                    break
                self.deadlines.head(self._speaker.head_under_way())
            await self.protocol.handle(Closed())
        except Exception:
            # Somebody may be waiting to send, and would go on to.
            self.writer.transport.abort()
            raise

    @property
    def _speaker(self) -> Http1 | Http2:
        """Whichever protocol the client turned out to speak."""
        speaker = self.protocol.protocol
        assert isinstance(speaker, Http1 | Http2), "server.configuration was not called"
        return speaker

    async def _close(self) -> None:
        """Close it; asyncio waits for as long as the client takes nothing of what is left."""
        timer = self.loop.call_later(FLUSH_SECONDS, self.writer.transport.abort)
        try:
            await super()._close()
        except OSError:
            pass  # a client that broke off TLS
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._ending = self.loop.create_task(self._end())

    async def _end(self) -> None:
        timer = self.loop.call_later(FLUSH_SECONDS, self.writer.transport.abort)
        try:
            await self._speaker.goodbye()
            await self._initiate_server_close()
            await self.writer.wait_closed()
        except OSError:
            pass  # closed already
        finally:
            timer.cancel()


def _causes(error: BaseException) -> str:
    """The classes of an error and where they were raised; not what they say."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(map(_causes, error.exceptions))
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    place = f" in {frames[0].name}" if frames else ""
    return f"{type(error).__name__}{place}"
