"""What clients send that costs them next to nothing, at the real server."""

import asyncio
import struct

import h2.config
import h2.connection
import h2.events
import pytest
from h2.errors import ErrorCodes
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.api.fakes import FakeRuns
from tests.api.listening import listening, open_door, rest
from tests.api.test_server import BINARY, MORE, PING, connect, frame, shake_hands
from tests.loop import on_loop

HEAD = [
    (":method", "POST"),
    (":path", "/v1/run/lua"),
    (":scheme", "http"),
    (":authority", "localhost"),
]


def begun() -> h2.connection.H2Connection:
    client = h2.connection.H2Connection()
    client.initiate_connection()
    return client


def goaway(answer: bytes) -> int | None:
    """The error code of the GOAWAY frame in what the server sent."""
    view = memoryview(answer)
    while len(view) >= 9:
        found, size = Frame.parse_frame_header(view[:9])
        if isinstance(found, GoAwayFrame):
            found.parse_body(view[9 : 9 + size])
            return found.error_code
        view = view[9 + size :]
    return None


async def sent_to(port: int, data: bytes) -> bytes:
    """What the server says to a client that sends this, until it closes."""
    reader, writer = await connect(port, data)
    async with asyncio.timeout(20):
        answer = await rest(reader)
    writer.close()
    return answer


FLOODS = {
    "ping": PingFrame(0, b"12345678"),
    "settings": SettingsFrame(0, {4: 65_535}),
    "priority": PriorityFrame(1, depends_on=0, stream_weight=10),
    "window": WindowUpdateFrame(0, window_increment=1),
}


@pytest.mark.parametrize("kind", FLOODS)
@on_loop
async def test_frames_that_say_nothing_end_a_connection(runs: FakeRuns, kind: str) -> None:
    async with listening(runs) as port:
        flood = begun().data_to_send() + FLOODS[kind].serialize() * 1100
        assert goaway(await sent_to(port, flood)) == ErrorCodes.ENHANCE_YOUR_CALM


@on_loop
async def test_some_of_them_do_not(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        client = begun()
        few = client.data_to_send() + FLOODS["ping"].serialize() * 100
        client.send_headers(1, [*HEAD, ("content-length", "6")])
        client.send_data(1, b"out hi", end_stream=True)
        reader, writer = await connect(port, few + client.data_to_send())
        assert await reader.readuntil(b'"stdout":"hi"')
        writer.close()


@on_loop
async def test_empty_data_ends_a_connection(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        client = begun()
        client.send_headers(1, HEAD)
        flood = client.data_to_send() + DataFrame(1).serialize() * 1100
        assert goaway(await sent_to(port, flood)) == ErrorCodes.ENHANCE_YOUR_CALM


@on_loop
async def test_streams_that_are_opened_and_reset_end_a_connection(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        client = begun()
        for stream in range(1, 2 * 1000, 2):
            client.send_headers(stream, HEAD)
            client.reset_stream(stream, ErrorCodes.CANCEL)
        answer = await sent_to(port, client.data_to_send())
        assert goaway(answer) == ErrorCodes.ENHANCE_YOUR_CALM
    assert len(runs.requests) < 200
    assert runs.live == 0


@on_loop
async def test_as_many_as_one_may_have_can_be_cancelled_at_once(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        client = begun()
        for stream in range(1, 200, 2):
            client.send_headers(stream, HEAD)
        for stream in range(1, 200, 2):
            client.reset_stream(stream, ErrorCodes.CANCEL)
        client.send_headers(201, [(":method", "GET"), (":path", "/healthz"), *HEAD[2:]], True)
        reader, writer = await connect(port, client.data_to_send())
        assert await reader.readuntil(b'"ok"')
        writer.close()


@on_loop
async def test_streams_that_the_server_is_made_to_reset_end_a_connection(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        client = begun()
        data = client.data_to_send()
        for stream in range(1, 2 * 1000, 2):
            client.send_headers(stream, HEAD)
            data += client.data_to_send()
            data += WindowUpdateFrame(stream, window_increment=(1 << 31) - 1).serialize()
            data += RstStreamFrame(stream).serialize()
        assert goaway(await sent_to(port, data)) is not None
    assert runs.live == 0


@on_loop
async def test_more_streams_at_once_than_are_allowed_end_a_connection(runs: FakeRuns) -> None:
    async with listening(runs, streams=3) as port:
        client = begun()
        for stream in (1, 3, 5, 7):
            client.send_headers(stream, HEAD)
        assert goaway(await sent_to(port, client.data_to_send())) is not None


@pytest.mark.parametrize("size", [0, 1000])
@on_loop
async def test_a_head_that_goes_on_and_on_ends_a_connection(runs: FakeRuns, size: int) -> None:
    async with listening(runs, header_bytes=4096) as port:
        data = begun().data_to_send() + HeadersFrame(1, b"x" * size).serialize()
        data += ContinuationFrame(1, b"x" * size).serialize() * 100
        assert goaway(await sent_to(port, data)) is not None


@on_loop
async def test_a_head_that_unpacks_to_too_much_ends_a_connection(runs: FakeRuns) -> None:
    async with listening(runs, header_bytes=4096) as port:
        client = begun()
        client.send_headers(1, [*HEAD, *[("x-a", "b" * 1000)] * 5], end_stream=True)
        assert goaway(await sent_to(port, client.data_to_send())) == ErrorCodes.ENHANCE_YOUR_CALM


@on_loop
async def test_a_path_that_is_no_text_costs_only_its_own_stream(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        client = h2.connection.H2Connection(
            h2.config.H2Configuration(validate_outbound_headers=False)
        )
        client.initiate_connection()
        client.send_headers(1, [(":method", "GET"), (b":path", b"/\xff"), *HEAD[2:]], True)
        client.send_headers(3, [(":method", "GET"), (":path", "/healthz"), *HEAD[2:]], True)
        reader, writer = await connect(port, client.data_to_send())
        assert await reader.readuntil(b'"ok"')
        writer.close()


@on_loop
async def test_a_body_that_nobody_wants_costs_only_its_own_stream(runs: FakeRuns) -> None:
    async with listening(runs, request_bytes=1 << 20) as port:
        client = begun()
        client.send_headers(1, [*HEAD, ("content-length", "2000000")])
        reader, writer = await connect(port, client.data_to_send())
        events: list[h2.events.Event] = []
        while not any(isinstance(event, h2.events.StreamReset) for event in events):
            events += client.receive_data(await reader.read(1 << 16))
        more = DataFrame(1, b"x" * 1000).serialize() * 10
        client.send_headers(3, [(":method", "GET"), (":path", "/healthz"), *HEAD[2:]], True)
        writer.write(more + client.data_to_send())
        assert await reader.readuntil(b'"ok"')
        writer.close()
    status = next(e.headers for e in events if isinstance(e, h2.events.ResponseReceived))
    assert (b":status", b"413") in [(bytes(n), bytes(v)) for n, v in status or ()]


@pytest.mark.parametrize("kind", ["pings", "parts"])
@on_loop
async def test_websocket_frames_that_say_nothing_end_a_connection(
    runs: FakeRuns, kind: str
) -> None:
    async with open_door(runs) as door:
        _, reader, writer = await shake_hands(door.port)
        if kind == "pings":
            writer.write(frame(PING, b"") * 1100)
        else:
            writer.write(frame(BINARY, b"", last=False) + frame(MORE, b"", last=False) * 1100)
        async with asyncio.timeout(20):
            await rest(reader)
        writer.close()


@on_loop
async def test_a_large_message_may_come_in_many_parts(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        _, reader, writer = await shake_hands(port)
        program = b'{"code": "nothing ' + b"x" * 100_000 + b'"}'
        pieces = [program[i : i + 100] for i in range(0, len(program), 100)]
        writer.write(frame(1, pieces[0], last=False))
        for piece in pieces[1:]:
            writer.write(frame(MORE, piece, last=False))
        writer.write(frame(MORE, b""))
        assert b"result" in await reader.readuntil(b"result")
        writer.close()


@on_loop
async def test_a_body_in_tiny_chunks_is_refused(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        head = b"POST /v1/run/lua HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
        answer = await sent_to(port, head + b"1\r\nx\r\n" * 5000)
        assert answer.startswith(b"HTTP/1.1 400 ")
    assert runs.requests == []


def test_a_frame_is_what_the_protocol_says() -> None:
    assert frame(PING, b"ab") == struct.pack(">BB4x2s", 0x89, 0x82, b"ab")
