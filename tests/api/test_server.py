"""What clients do to the real HTTP server: Hypercorn, with our bounds put on it."""

import asyncio
import socket
import struct

import h2.connection
import pytest

from soulbox_core.api import connection, server
from soulbox_core.api.websocket import REFUSED_BYTES
from soulbox_core.settings import Server
from tests.api.fakes import FakeRuns
from tests.api.listening import listening, no_connection, rest
from tests.loop import on_loop

MESSAGE_BYTES = Server().message_bytes
TEXT, BINARY, MORE, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
HANDSHAKE = (
    b"GET /v1/run/lua HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-extensions: permessage-deflate\r\n\r\n"
)

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(port: int, sent: bytes) -> Client:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    return reader, writer


async def shake_hands(port: int) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await connect(port, HANDSHAKE)
    return await reader.readuntil(b"\r\n\r\n"), reader, writer


def frame(kind: int, data: bytes, *, last: bool = True) -> bytes:
    """A client's frame, masked with zeros (RFC 6455 section 5.2)."""
    size = len(data)
    if size < 126:
        length = struct.pack(">B", 0x80 | size)
    elif size < 1 << 16:
        length = struct.pack(">BH", 0x80 | 126, size)
    else:
        length = struct.pack(">BQ", 0x80 | 127, size)
    return bytes([(last << 7) | kind]) + length + bytes(4) + data


def post(program: bytes) -> bytes:
    head = b"POST /v1/run/lua HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n"
    return head % len(program) + program


@on_loop
async def test_a_message_that_is_too_large_is_refused(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        _, reader, writer = await shake_hands(port)
        writer.write(frame(BINARY, b"x" * (MESSAGE_BYTES + 1)))
        ping = bytes([0x80 | PING, 0])
        refusal = bytes([0x80 | CLOSE, 2]) + struct.pack(">H", 1009)
        assert await reader.readexactly(6) == ping + refusal
        writer.close()


@on_loop
async def test_a_message_that_goes_on_when_it_was_refused_is_cut_off(
    runs: FakeRuns, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with listening(runs) as port:
        _, reader, writer = await shake_hands(port)
        writer.write(frame(BINARY, b"x" * MESSAGE_BYTES, last=False))
        piece = frame(MORE, b"x" * (64 << 10), last=False)
        writer.write(piece * (REFUSED_BYTES // (64 << 10) + 2))
        assert struct.pack(">H", 1009) in await rest(reader)
        writer.close()
    (record,) = (each for each in caplog.records if "broken off" in each.getMessage())
    assert "ConnectionAbortedError" in record.getMessage()
    assert record.exc_info is None


@on_loop
async def test_compression_is_declined(runs: FakeRuns) -> None:
    async with listening(runs) as port:
        answer, _, writer = await shake_hands(port)
        assert b" 101 " in answer
        assert b"sec-websocket-extensions" not in answer.lower()
        writer.close()


@pytest.mark.parametrize(
    ("program", "close"),
    [(b'{"code": "pause"}', struct.pack(">H", 1000)), (b"nonsense", struct.pack(">H", 1008))],
)
@on_loop
async def test_a_client_that_floods_a_run_that_is_over_is_closed(
    runs: FakeRuns, program: bytes, close: bytes
) -> None:
    async with listening(runs) as port:
        for _ in range(3):
            _, reader, writer = await shake_hands(port)
            writer.write(frame(TEXT, program) + frame(BINARY, b"x") * 4000)
            async with asyncio.timeout(10):
                assert close in await rest(reader)
            writer.close()


@on_loop
async def test_a_client_that_takes_nothing_of_its_answer_is_cut_off(
    runs: FakeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FLUSH_SECONDS", 0.05)
    async with listening(runs, answer_seconds=0.05) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(post(b"zeros 50000000"))
            await asyncio.sleep(0.1)
            await no_connection()
    assert runs.requests


@on_loop
async def test_a_websocket_that_takes_nothing_of_its_events_is_cut_off(
    runs: FakeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FLUSH_SECONDS", 0.05)
    async with listening(runs, answer_seconds=0.05) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(HANDSHAKE)
            await asyncio.to_thread(client.recv, 1)
            client.sendall(frame(TEXT, b'{"code": "zeros 50000000\\nhang"}'))
            await asyncio.sleep(0.1)
            await no_connection()
        assert (runs.live, runs.killed) == (0, 1)


@on_loop
async def test_an_http2_connection_without_a_stream_is_closed(runs: FakeRuns) -> None:
    async with listening(runs, idle_seconds=0.05) as port:
        client = h2.connection.H2Connection()
        client.initiate_connection()
        reader, writer = await connect(port, client.data_to_send())
        async with asyncio.timeout(10):
            await rest(reader)
        writer.close()


@on_loop
async def test_two_lengths_of_one_body_are_refused_and_the_connection_closed(
    runs: FakeRuns,
) -> None:
    async with listening(runs) as port:
        head = post(b"").replace(b"content-length: 0", b"content-length: 3")
        body = b"5\r\nout a\r\n0\r\n\r\n"
        sent = head.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n") + body
        reader, writer = await connect(port, sent)
        async with asyncio.timeout(10):
            answer = await rest(reader)
        assert answer.startswith(b"HTTP/1.1 400 ")
        writer.close()
    assert runs.requests == []


@on_loop
async def test_a_client_that_shuts_its_side_counts_as_gone(runs: FakeRuns) -> None:
    """As docs/http.md says: the server cannot tell it from one that went away."""
    async with listening(runs) as port:
        reader, writer = await connect(port, post(b"hang"))
        writer.write_eof()
        async with asyncio.timeout(10):
            assert await rest(reader) == b""
        writer.close()
    assert (runs.live, runs.killed) == (0, 1)


def test_another_hypercorn_than_the_one_known_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_OURS", ((server, "Nobody", object),))
    with pytest.raises(AttributeError, match="Nobody"):
        server.configuration(Server())
