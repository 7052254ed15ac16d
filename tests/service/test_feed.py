import asyncio

from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.execution.outputs import STREAMS
from soulbox_core.model import Chunk, Event, Sample, Started, Stream
from soulbox_core.service.feed import MOST_SEGMENTS, Feed
from tests.loop import on_loop, settle

STARTED = Started(id="id", language="lua")


async def rest(feed: Feed) -> list[Event]:
    return [event async for event in feed.events()]


def out(data: bytes) -> Chunk:
    return Chunk(stream="stdout", data=data)


def err(data: bytes) -> Chunk:
    return Chunk(stream="stderr", data=data)


@on_loop
async def test_a_waiting_reader_gets_each_event_as_it_comes() -> None:
    feed = Feed()
    seen: list[Event] = []

    async def read() -> None:
        async for event in feed.events():
            seen.append(event)

    reader = asyncio.create_task(read())
    await settle()
    feed.start(STARTED)
    await settle()
    assert seen == [STARTED]
    for data in (b"a", b"b"):
        feed.put("stdout", data)
        await settle()
    assert seen == [STARTED, out(b"a"), out(b"b")]
    feed.close()
    await reader


@on_loop
async def test_what_a_slow_reader_has_not_fetched_is_merged_in_order() -> None:
    feed = Feed()
    feed.start(STARTED)
    for stream, data in (("stdout", b"a"), ("stdout", b"b"), ("stderr", b"x"), ("stdout", b"c")):
        feed.put(stream, data)  # type: ignore[arg-type]
    feed.close()
    assert await rest(feed) == [STARTED, out(b"ab"), err(b"x"), out(b"c")]


@on_loop
async def test_started_is_told_once_even_if_a_cell_was_lost() -> None:
    feed = Feed()
    events = feed.events()
    feed.start(STARTED)
    assert await anext(events) == STARTED
    feed.start(STARTED)
    feed.close()
    assert [event async for event in events] == []


@on_loop
async def test_single_bytes_to_alternating_streams_do_not_fill_the_memory() -> None:
    feed = Feed()
    for _ in range(MOST_SEGMENTS * 4):
        feed.put("stdout", b"o")
        feed.put("stderr", b"e")
    feed.close()
    events = await rest(feed)
    assert len(events) == MOST_SEGMENTS
    texts = [event.data for event in events if isinstance(event, Chunk)]
    assert b"".join(texts).count(b"o") == b"".join(texts).count(b"e") == MOST_SEGMENTS * 4


@given(st.lists(st.tuples(st.sampled_from(STREAMS), st.binary(min_size=1, max_size=3))))
def test_no_byte_is_lost_or_moved_within_its_stream(written: list[tuple[Stream, bytes]]) -> None:
    async def scenario() -> list[Event]:
        feed = Feed()
        for stream, data in written:
            feed.put(stream, data)
        feed.close()
        return await rest(feed)

    events = asyncio.run(scenario())
    for stream in STREAMS:
        assert b"".join(data for name, data in written if name == stream) == b"".join(
            event.data for event in events if isinstance(event, Chunk) and event.stream == stream
        )


def used(memory_bytes: int) -> Sample:
    return Sample(wall_seconds=1.0, cpu_seconds=0.5, memory_bytes=memory_bytes, processes=1)


@on_loop
async def test_a_waiting_reader_gets_each_sample() -> None:
    feed = Feed()
    events = feed.events()
    for size in (1, 2):
        feed.note(used(size))
        assert await anext(events) == used(size)


@on_loop
async def test_of_samples_that_nobody_fetched_the_last_one_is_kept() -> None:
    feed = Feed()
    feed.start(STARTED)
    for size in range(1000):
        feed.note(used(size))
        feed.put("stdout", b"x")
    feed.close()
    assert await rest(feed) == [STARTED, used(999), out(b"x" * 1000)]


@on_loop
async def test_neither_output_nor_samples_keep_the_other_from_a_slow_reader() -> None:
    feed = Feed()
    told: list[Event] = []
    feed.put("stdout", b"x")
    async for event in feed.events():
        told.append(event)
        if len(told) == 6:
            feed.close()
        elif len(told) < 6:  # more of both is there whenever it comes back
            feed.put("stdout", b"x")
            feed.note(used(len(told)))
    assert {type(event) for event in told[2:4]} == {type(event) for event in told[4:6]}
    assert {type(event) for event in told[2:4]} == {Chunk, Sample}
