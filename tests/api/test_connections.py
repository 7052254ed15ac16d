"""How many connections there may be, and how long each may do nothing."""

import asyncio
import logging

import h2.connection
import pytest

from soulbox_core.api.addresses import TrustedProxies
from soulbox_core.api.connections import Connections
from tests.api.fakes import FakeRuns
from tests.api.listening import listening, no_connection, open_door, rest
from tests.api.test_server import connect, post
from tests.loop import on_loop, until

HEALTH = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"


@pytest.mark.parametrize("bound", ["connections", "connections_per_address"])
@on_loop
async def test_one_connection_too_many_is_closed_unheard(runs: FakeRuns, bound: str) -> None:
    async with open_door(runs, **{bound: 2}) as door:
        held = [await connect(door.port, HEALTH) for _ in range(2)]
        for reader, _ in held:
            await reader.readuntil(b'"ok"')
        reader, writer = await connect(door.port, HEALTH)
        assert await rest(reader) == b""
        assert (door.connections.open, door.connections.refused) == (2, 1)
        writer.close()
        held[0][1].close()
        await no_connection(1)
        reader, writer = await connect(door.port, HEALTH)
        assert await reader.readuntil(b'"ok"')
        for each in (writer, held[1][1]):
            each.close()


def test_addresses_are_counted_apart_and_proxies_not_at_all() -> None:
    connections = Connections(10, 2, TrustedProxies(("10.0.0.0/8",)))
    places = [connections.enter("192.0.2.1"), connections.enter("::ffff:192.0.2.1")]
    assert connections.enter("192.0.2.1") is None
    assert connections.enter("192.0.2.2") is not None
    assert [connections.enter("2001:db8::1"), connections.enter("2001:db8::2")] != [None, None]
    assert connections.enter("2001:db8::3") is None
    assert all(connections.enter("10.1.1.1") is not None for _ in range(3))
    assert connections.enter(None) is not None
    assert (connections.open, connections.refused) == (9, 2)
    for place in places:
        assert place is not None
        connections.leave(place)
    assert connections.enter("192.0.2.1") is not None


def test_a_flood_of_connections_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    connections = Connections(1, 1, TrustedProxies(()))
    for _ in range(100):
        connections.enter("192.0.2.1")
    assert connections.refused == 99
    assert len(caplog.records) == 1
    assert "192.0.2.1" not in caplog.text


@pytest.mark.parametrize("sent", [b"", HEALTH], ids=["before", "after"])
@on_loop
async def test_a_connection_that_lies_idle_is_closed(runs: FakeRuns, sent: bytes) -> None:
    async with listening(runs, idle_seconds=0.1) as port:
        reader, writer = await connect(port, sent)
        async with asyncio.timeout(10):
            answer = await rest(reader)
        assert answer.endswith(b'"ok"}' if sent else b"")
        writer.close()


@on_loop
async def test_an_idle_http2_connection_is_told_and_its_pings_do_not_help(runs: FakeRuns) -> None:
    async with listening(runs, idle_seconds=0.2) as port:
        client = h2.connection.H2Connection()
        client.initiate_connection()
        reader, writer = await connect(port, client.data_to_send())
        pings = [_ping(client) for _ in range(400)]
        pinging = asyncio.create_task(drip(writer, pings))
        async with asyncio.timeout(10):
            answer = await rest(reader)
        assert pinging.cancel()
        events = client.receive_data(answer)
        assert type(events[-1]).__name__ == "ConnectionTerminated"
        writer.close()


def _ping(client: h2.connection.H2Connection) -> bytes:
    client.ping(b"12345678")
    return client.data_to_send()


async def drip(writer: asyncio.StreamWriter, pieces: list[bytes]) -> None:
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.03)


@pytest.mark.parametrize("kind", ["http/1.1", "second request", "h2 preface", "h2 head"])
@on_loop
async def test_a_head_that_comes_byte_by_byte_is_cut_off(runs: FakeRuns, kind: str) -> None:
    begin, slow = b"", HEALTH[:-4] + b"x" * 400
    if kind == "second request":
        begin = HEALTH
    elif kind.startswith("h2"):
        client = h2.connection.H2Connection()
        client.initiate_connection()
        begin = client.data_to_send()
        if kind == "h2 preface":
            begin, slow = begin[:20], begin[20:] * 20
        else:
            # HEADERS of 0x3000 bytes without END_HEADERS.
            slow = b"\x00\x30\x00\x01\x00\x00\x00\x00\x01" + b"x" * 400
    async with open_door(runs, header_seconds=0.2) as door:
        reader, writer = await connect(door.port, begin)
        if begin:
            await reader.read(1) if kind != "h2 preface" else None
        dripping = asyncio.create_task(drip(writer, [slow[i : i + 1] for i in range(len(slow))]))
        async with asyncio.timeout(10):
            await rest(reader)
        dripping.cancel()
        writer.close()


@on_loop
async def test_a_body_that_comes_byte_by_byte_is_cut_off(runs: FakeRuns) -> None:
    async with listening(runs, upload_seconds=0.2) as port:
        head = post(b"x" * 400)[:-400]
        reader, writer = await connect(port, head)
        dripping = asyncio.create_task(drip(writer, [b"x"] * 400))
        async with asyncio.timeout(10):
            assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")
        dripping.cancel()
        writer.close()
    assert runs.requests == []


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (b"x: " + b"y" * 5000 + b"\r\n", b"431"),
        (b"x: " + b"y" * 70_000 + b"\r\n", b"431"),
        (b"x: y\r\n" * 128, b"431"),
        (b"x: y\r\n" * 120, b"200"),
    ],
    ids=["large", "huge", "many", "some"],
)
@on_loop
async def test_a_head_has_so_many_bytes_and_headers(
    runs: FakeRuns, more: bytes, status: bytes
) -> None:
    async with listening(runs, header_bytes=4096) as port:
        reader, writer = await connect(port, HEALTH[:-2] + more + b"\r\n")
        assert (await reader.readuntil(b"\r\n"))[9:12] == status
        writer.close()


@on_loop
async def test_going_over_to_http2_in_the_middle_is_not_offered(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        asked = b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: \r\n"
        reader, writer = await connect(port, HEALTH[:-2] + asked + b"\r\n")
        assert (await reader.readuntil(b"\r\n")) == b"HTTP/1.1 200 \r\n"
        writer.close()


@on_loop
async def test_what_a_client_sent_is_not_logged(
    runs: FakeRuns, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with listening(runs) as port:
        for sent in (b"GET /secret\x00 HTTP/1.1\r\n\r\n", b"\x16\x03\x01secret", b"PRI * HTTP/2.0"):
            reader, writer = await connect(port, sent + b"\r\n\r\nsecret\r\n\r\n")
            writer.write_eof()
            await rest(reader)
            writer.close()
    assert "secret" not in caplog.text


@pytest.mark.parametrize("behind", [b"G", b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"])
@on_loop
async def test_a_client_that_sends_more_behind_a_stream_and_hangs_up_is_not_counted_for_ever(
    runs: FakeRuns, behind: bytes
) -> None:
    program = b"\n".join([b"out hi", b"pause"] * 200)
    head = (
        b"POST /v1/run/lua HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\n"
        b"content-length: %d\r\n\r\n" % len(program)
    )
    async with open_door(runs) as door:
        for _ in range(3):
            reader, writer = await connect(door.port, head + program + behind)
            await reader.readuntil(b"started")
            assert door.connections.open == 1
            writer.close()
            await until(lambda: door.connections.open == 0)
        assert runs.live == 0
        assert runs.killed == 3
