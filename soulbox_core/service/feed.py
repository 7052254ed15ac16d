"""A run's events on their way to a reader who may be slow."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from soulbox_core.model import Chunk, Sample, Started, Stream

MOST_SEGMENTS = 256


class _Segment:
    """Output of one stream that the reader has not fetched yet."""

    def __init__(self, stream: Stream, data: bytes) -> None:
        self.stream = stream
        self.data = bytearray(data)


class Feed:
    """Events in order, from the sandbox's sink to one reader.

    What the reader has not fetched is merged, so that its memory follows the bytes (which the
    output limit bounds) and not the number of writes: a program may well write single bytes.
    Of samples the last one is kept.
    """

    def __init__(self) -> None:
        self._started: Started | None = None
        self._segments: deque[_Segment] = deque()
        self._sample: Sample | None = None
        self._begun = False
        self._closed = False
        self._news = asyncio.Event()

    def start(self, event: Started) -> None:
        """The program is about to start. Said again after a lost cell, it is no news."""
        if not self._begun:
            self._begun = True
            self._started = event
            self._news.set()

    def put(self, stream: Stream, data: bytes) -> None:
        """Take output; the sandbox's sink."""
        segment = self._open_segment(stream)
        if segment is None:
            self._segments.append(_Segment(stream, data))
        else:
            segment.data += data
        self._news.set()

    def note(self, sample: Sample) -> None:
        """Take a sample, in place of one that nobody fetched; the sandbox's watcher."""
        self._sample = sample
        self._news.set()

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._news.set()

    async def events(self) -> AsyncIterator[Started | Chunk | Sample]:
        """Yield what comes until the feed is closed and empty."""
        while True:
            if self._started is not None:
                event, self._started = self._started, None
                yield event
            while self._segments or self._sample is not None:
                # Not behind the output, of which a slow reader may never see the end.
                if self._sample is not None:
                    sample, self._sample = self._sample, None
                    yield sample
                if self._segments:
                    segment = self._segments.popleft()
                    yield Chunk(stream=segment.stream, data=bytes(segment.data))
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()

    def _open_segment(self, stream: Stream) -> _Segment | None:
        """The waiting segment that may grow.

        The last one if it is of this stream. With very many waiting also the one before, which
        then is: the order between two pipes is not the program's to rely on anyway.
        """
        if self._segments and self._segments[-1].stream == stream:
            return self._segments[-1]
        if len(self._segments) >= MOST_SEGMENTS:
            return self._segments[-2]
        return None
