"""HTTP/2, as Hypercorn and h2 speak it, held to our bounds.

What is cheap to send and dear to take is counted for each connection: a stream that is opened and
reset (CVE-2023-44487), or that we are made to reset (CVE-2025-8671), PING, SETTINGS, PRIORITY,
WINDOW_UPDATE, empty and tiny DATA frames, empty headers (CVE-2019-9511 to 9518). Who sends too
many is told ENHANCE_YOUR_CALM and closed.
"""

from contextlib import suppress
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, PriorityUpdated, RequestReceived
from h2.exceptions import DenialOfServiceError, ProtocolError
from h2.frame_buffer import FrameBuffer
from h2.settings import SettingCodes, Settings
from hypercorn.events import Updated
from hypercorn.protocol.events import Body, StreamClosed
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h2 import H2Protocol
from hyperframe.frame import (
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
)

from soulbox_core.api.budget import Budget

FRAMES = 1000.0
"""What a connection may spend on frames at once."""
FRAMES_PER_SECOND = 50.0
RESET_COST = 5.0
"""A run was begun for it, maybe."""
COSTS: dict[type[Frame], float] = {
    RstStreamFrame: RESET_COST,
    SettingsFrame: 5.0,
    PriorityFrame: 2.0,
    PingFrame: 2.0,
}
"""Any other frame costs 1; a frame of data that is worth having costs nothing."""
ANSWER_GAIN = 3.0
"""For each frame of an answer: a client says twice that it has room again, at most."""
SMALL_BYTES = 64
"""Data below this is hardly worth its frame."""


class Frames(FrameBuffer):
    """Frames as they come in, with no more of a head than may be.

    h2 keeps up to 65 frames of 16 KiB until a head ends, and reads them only then
    (CVE-2024-27316).
    """

    def __init__(self, head_bytes: int) -> None:
        super().__init__(server=True)
        self._head_bytes = head_bytes

    @property
    def in_head(self) -> bool:
        """Whether a head has begun and is not complete."""
        return bool(self._headers_buffer)

    @property
    def in_frame(self) -> bool:
        """Whether a frame has begun and is not complete."""
        return bool(self._data)

    def _update_header_buffer(self, f: Frame | None) -> Frame | None:
        whole = super()._update_header_buffer(f)
        if self._headers_buffer:
            size = sum(len(each.data) for each in self._headers_buffer)
            if size > self._head_bytes:
                raise DenialOfServiceError("a head is too large")
        return whole


class CountedConnection(H2Connection):
    """h2's side of a connection, with a budget for frames."""

    def __init__(self, streams: int, head_bytes: int) -> None:
        super().__init__(H2Configuration(client_side=False, header_encoding=None))
        self.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: streams,
                SettingCodes.MAX_HEADER_LIST_SIZE: head_bytes,
                SettingCodes.ENABLE_CONNECT_PROTOCOL: 1,
            },
        )
        # Settings that were there from the start reach no decoder, and Hypercorn's never do.
        self.decoder.max_header_list_size = head_bytes
        self.frames = Frames(head_bytes)
        self.incoming_buffer = self.frames
        self._budget = Budget(FRAMES, FRAMES_PER_SECOND)

    def _receive_frame(self, frame: Frame) -> list[Event]:
        cost = COSTS.get(type(frame), 1.0)
        if isinstance(frame, DataFrame) and (
            len(frame.data) >= SMALL_BYTES or "END_STREAM" in frame.flags
        ):
            cost = 0.0
        if cost and not self._budget.spend(cost):
            raise DenialOfServiceError("too many frames that say nothing")
        return super()._receive_frame(frame)

    def _prepare_for_sending(self, frames: list[Frame]) -> None:
        for frame in frames:
            if isinstance(frame, DataFrame | HeadersFrame):
                self._budget.earn(ANSWER_GAIN)
            elif isinstance(frame, RstStreamFrame):
                self._budget.spend(RESET_COST)
        super()._prepare_for_sending(frames)


class Http2(H2Protocol):
    """One HTTP/2 connection."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        config = self.config
        self.connection: CountedConnection = CountedConnection(
            config.h2_max_concurrent_streams, config.h2_max_header_list_size
        )

    def head_under_way(self) -> bool:
        """Whether a request's head has begun and is not complete."""
        frames = self.connection.frames
        return frames.in_head or (frames.in_frame and not self.streams)

    async def initiate(
        self, headers: list[tuple[bytes, bytes]] | None = None, settings: bytes | None = None
    ) -> None:
        """Begin; a connection that opens no stream is as idle as one that has none left."""
        await super().initiate(headers, settings)
        await self.send(Updated(idle=True))

    async def goodbye(self) -> None:
        """Say that no more streams will be taken."""
        try:
            self.connection.close_connection()
            await self._flush()
        except ProtocolError:
            pass

    async def stream_send(self, event: StreamEvent) -> None:
        """Send, and reset a stream whose answer was left incomplete: its client would wait."""
        if isinstance(event, StreamClosed):
            buffer = self.stream_buffers.get(event.stream_id)
            if buffer is not None and not buffer._complete:
                await buffer.close()
                await self._reset(event.stream_id, ErrorCodes.INTERNAL_ERROR)
        await super().stream_send(event)

    async def _send_data(self, stream_id: int) -> None:
        await super()._send_data(stream_id)
        stream = self.connection.streams.get(stream_id)
        if stream_id not in self.stream_buffers and stream is not None and not stream.closed:
            # RFC 9113 section 8.1: the answer is complete, whatever still comes of the body.
            await self._reset(stream_id, ErrorCodes.NO_ERROR)

    async def _reset(self, stream_id: int, code: ErrorCodes) -> None:
        try:
            self.connection.reset_stream(stream_id, code)
        except ProtocolError:
            return  # it is closed already
        await self._flush()
        await self._window_updated(stream_id)

    async def _handle_events(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, DataReceived):
                await self._take(event)
            else:
                await super()._handle_events([event])
        await self._flush()

    async def _take(self, event: DataReceived) -> None:
        """Pass data on; Hypercorn breaks off the connection if nobody wants it any more."""
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            await stream.handle(Body(stream_id=event.stream_id, data=event.data))
        with suppress(ProtocolError):  # the stream or the connection may be closed by now
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    async def _priority_updated(self, event: PriorityUpdated) -> None:
        """Ignored, as RFC 9113 section 5.3.2 lets us: the tree grows by what clients say."""

    async def _create_stream(self, request: RequestReceived) -> None:
        named = dict(request.headers)
        if b":method" not in named or not named.get(b":path", b"\xff").isascii():
            # Hypercorn breaks off the connection, with every other stream.
            await self._reset(request.stream_id, ErrorCodes.PROTOCOL_ERROR)
            return
        await super()._create_stream(request)
