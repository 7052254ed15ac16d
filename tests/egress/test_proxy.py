"""The proxy over real sockets on loopback, as a hostile cell would use it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from soulbox_core.egress import proxy as egress
from soulbox_core.egress.addresses import Addresses
from soulbox_core.egress.dial import Dialer, Resolve, system_resolver
from soulbox_core.egress.hosts import Host, Way, host
from soulbox_core.egress.proxy import Proxy
from soulbox_core.settings import Egress
from tests.loop import on_loop

BUDGET = 1 << 20
ESTABLISHED = b"HTTP/1.1 200 Connected\r\n\r\n"
BIG = b"x" * (32 << 20)
"""More than what the kernel and the proxy hold for a peer that does not read."""

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with all that came, once it has all come."""
    writer.write(await reader.read())
    writer.close()


@asynccontextmanager
async def far(serve: Serve = echo) -> AsyncIterator[int]:
    """A registry on loopback; yields its port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def proxying(proxy: Proxy) -> AsyncIterator[int]:
    """A proxy that serves; yields the port of its listener."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port: int = listener.getsockname()[1]
    async with proxy.serving(listener):
        yield port


@asynccontextmanager
async def granted(serve: Serve = echo, budget: int = BUDGET) -> AsyncIterator[tuple[int, bytes]]:
    """A proxy that grants one registry; yields its port, and what asks for a tunnel."""
    async with far(serve) as there:
        proxy = granting(("127.0.0.1", there), budget=budget)
        async with proxying(proxy) as port:
            yield port, connect_to(f"127.0.0.1:{there}")


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def ask(port: int, head: bytes, *, eof: bool = False) -> bytes:
    """Everything that the proxy answers to a head, or what there was before a reset."""
    async with connected(port) as (reader, writer):
        writer.write(head)
        if eof:
            writer.write_eof()
        return await _all(reader)


async def status_of(port: int, head: bytes) -> int:
    answer = await ask(port, head)
    return int(answer.split()[1]) if answer else 0


def granting(
    *hosts: Host, budget: int = BUDGET, resolve: Resolve = system_resolver, **bounds: Any
) -> Proxy:
    """A proxy that leads to these, wherever they are."""
    dialer = Dialer(Addresses(), bounds.get("connect_seconds", 10.0), resolve)
    return Proxy(Way(named=frozenset(hosts)), dialer, Egress(bytes=budget, **bounds))


def refused(proxy: Proxy) -> list[str]:
    return [f"{one.host}:{one.port}" for one in proxy.visits if not one.allowed]


def connect_to(name: str, version: str = "1.1") -> bytes:
    return f"CONNECT {name} HTTP/{version}\r\nHost: {name}\r\n\r\n".encode()


async def _all(reader: asyncio.StreamReader) -> bytes:
    content = b""
    try:
        while data := await reader.read(1 << 16):
            content += data
    except ConnectionError:
        pass
    return content


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@on_loop
async def test_a_granted_host_is_tunnelled_both_ways_and_half_closed(version: str) -> None:
    async with granted() as (port, head), connected(port) as (reader, writer):
        writer.write(head.replace(b"1.1", version.encode()))
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        for piece in (b"one ", b"two ", b"three"):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
        assert await _all(reader) == b"one two three"


@on_loop
async def test_what_is_sent_with_the_head_goes_through_the_tunnel() -> None:
    async with granted() as (port, head), connected(port) as (reader, writer):
        writer.write(head + b"early")
        writer.write_eof()
        assert await _all(reader) == ESTABLISHED + b"early"


@on_loop
async def test_the_far_end_may_close_first() -> None:
    got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def speaks_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")
        writer.write_eof()
        got.set_result(await reader.read())
        writer.close()

    async with granted(speaks_first) as (port, head), connected(port) as (reader, writer):
        writer.write(head)
        assert await reader.read() == ESTABLISHED + b"bye"
        writer.write(b"last words")
        writer.write_eof()
        assert await got == b"last words"


@on_loop
async def test_several_tunnels_at_one_time_do_not_mix() -> None:
    async with granted() as (port, head):

        async def one(word: bytes) -> None:
            async with connected(port) as (reader, writer):
                writer.write(head + word)
                writer.write_eof()
                assert await _all(reader) == ESTABLISHED + word

        await asyncio.gather(*(one(b"%d" % number * 1000) for number in range(8)))


@on_loop
async def test_names_are_the_same_in_upper_case() -> None:
    async with far() as there, proxying(granting(host(f"LocalHost:{there}"))) as port:
        assert await ask(port, connect_to(f"LOCALHOST:{there}"), eof=True) == ESTABLISHED


@pytest.mark.parametrize(
    "asked",
    [
        "127.0.0.1",  # whatever listens on the host's loopback
        "localhost",
        "0.0.0.0",
        "169.254.169.254",  # what clouds tell their machines
        "2130706433",  # 127.0.0.1 as one number
        "0x7f.1",
        "registry.test.evil.test",  # what begins or ends like a host that is granted
        "evilregistry.test",
        "sub.registry.test",
        "test",
    ],
)
@on_loop
async def test_a_host_that_is_not_granted_is_refused_and_remembered(asked: str) -> None:
    async with far(_never) as there:
        proxy = granting(("registry.test", there), ("registry.test", 443))
        async with proxying(proxy) as port:
            assert await status_of(port, connect_to(f"{asked}:{there}")) == 403
            assert await status_of(port, connect_to(asked)) == 403
    assert refused(proxy) == [f"{asked}:{there}", f"{asked}:443"]


async def _never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    raise AssertionError("was reached")


@on_loop
async def test_another_port_of_a_granted_host_is_refused() -> None:
    async with far(_never) as other, far() as there:
        proxy = granting(("127.0.0.1", there))
        async with proxying(proxy) as port:
            assert await status_of(port, connect_to(f"127.0.0.1:{other}")) == 403
            assert await status_of(port, connect_to(f"127.0.0.1:{port}")) == 403
            assert await status_of(port, connect_to("127.0.0.1")) == 403
    assert len(refused(proxy)) == 3


@pytest.mark.parametrize(
    "asked",
    [
        "registry.test.",  # the same name for DNS, another one for the list
        "[::1]:443",
        "::1",
        "[::ffff:127.0.0.1]:443",
        "registry.test:0",
        "registry.test:65536",
        "registry.test:99999999999",
        "registry.test:-1",
        "registry.test:",
        "registry.test:https",
        "registry.test:443:443",
        ":443",
        "a..b",
        "-registry.test",
        "registry.test-",
        "user@registry.test",
        "registry.test/path",
        "http://registry.test",
        "registry.test%00.evil.test",
        "registry.test:0443",
        "*",
        "a" * 64,
        ("a" * 60 + ".") * 4 + "a" * 20,
    ],
)
@on_loop
async def test_what_is_no_host_is_refused_as_such(asked: str) -> None:
    proxy = granting(("registry.test", 443))
    async with proxying(proxy) as port:
        assert await status_of(port, connect_to(asked)) == 400
    assert proxy.visits == ()


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: registry.test\r\n\r\n",
        b"GET ftp://registry.test/ HTTP/1.1\r\nHost: registry.test\r\n\r\n",
        b"connect registry.test:443 HTTP/1.1\r\nHost: registry.test:443\r\n\r\n",
        b"CONNECT registry.test:443 HTTP/2.0\r\n\r\n",
        b"CONNECT registry.test:443\r\n\r\n",
        b"CONNECT  registry.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT registry.test:443 HTTP/1.1\n\r\n\r\n",
        b"CONNECT registry.test\r\n.evil.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT r\xc3\xa9gistry.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT registry.test:443 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        b"CONNECT registry.test:443 HTTP/1.1\r\nno header\r\n\r\n",
        b"CONNECT " + b"a" * 301 + b" HTTP/1.1\r\n\r\n",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"\0" * 100 + b"\r\n\r\n",
    ],
)
@on_loop
async def test_what_is_no_request_to_a_proxy_is_refused(head: bytes) -> None:
    proxy = granting(("registry.test", 443))
    async with proxying(proxy) as port:
        assert await status_of(port, head) == 400
    assert proxy.visits == ()


@on_loop
async def test_a_huge_head_is_refused() -> None:
    async with proxying(granting()) as port:
        head = b"CONNECT registry.test:443 HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"
        # What was sent in vain may make the kernel reset the connection before it is answered.
        assert await status_of(port, head) in (431, 0)


@on_loop
async def test_a_head_that_never_ends_is_refused() -> None:
    async with proxying(granting()) as port, connected(port) as (reader, writer):
        writer.write(b"CONNECT registry.test:443 HTTP/1.1\r\n" + b"X: x\r\n" * 3000)
        assert (await _all(reader))[:13] in (b"HTTP/1.1 431 ", b"")


@on_loop
async def test_a_slow_head_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "_HEAD_SECONDS", 0.05)
    async with (
        proxying(granting()) as port,
        connected(port) as (silent, _),
        connected(port) as (slow, writer),
    ):
        writer.write(b"CONNECT ")
        for each in (silent, slow):
            assert (await _all(each)).startswith(b"HTTP/1.1 408 ")


@on_loop
async def test_a_head_that_is_cut_short_is_no_request() -> None:
    async with proxying(granting()) as port, connected(port) as (reader, writer):
        writer.write(b"CONNECT registry.test:443 HTTP/1.1\r\n")
        writer.write_eof()
        assert await _all(reader) == b""


@on_loop
async def test_one_connection_too_many_is_refused_and_the_next_is_served_once_there_is_room() -> (
    None
):
    async with proxying(granting(connections=2)) as port:
        async with connected(port) as (first, _), connected(port), connected(port) as (third, _):
            assert (await _all(third)).startswith(b"HTTP/1.1 503 ")
            assert not first.at_eof()
        while (status := await status_of(port, connect_to("registry.test"))) != 403:
            assert status in (503, 0)  # the proxy has yet to hear that the others left


@on_loop
async def test_a_host_that_cannot_be_reached_is_told_as_such() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port_of_nobody = taken.getsockname()[1]
        async with proxying(granting(("127.0.0.1", port_of_nobody))) as port:
            assert await status_of(port, connect_to(f"127.0.0.1:{port_of_nobody}")) == 502


@on_loop
async def test_a_host_that_does_not_answer_is_told_as_such() -> None:
    async def hangs(name: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    proxy = granting(("registry.test", 443), resolve=hangs, connect_seconds=0.05)
    async with proxying(proxy) as port:
        assert await status_of(port, connect_to("registry.test")) == 502


@on_loop
async def test_the_budget_is_one_for_all_connections_and_both_ways() -> None:
    connection = 16384
    async with granted(budget=3000 + 2 * connection) as (port, head):

        async def through(size: int) -> int:
            return len(await ask(port, head + b"x" * size, eof=True)) - len(ESTABLISHED)

        assert await through(1000) == 1000  # there and back: 2000
        assert await through(600) < 600
        assert b" 403 Spent" in await ask(port, head)


@on_loop
async def test_connections_alone_use_the_budget_up() -> None:
    async with granted(budget=40_000) as (port, head):
        answers = [await ask(port, head, eof=True) for _ in range(3)]
    assert [answer.split()[1] for answer in answers] == [b"200", b"200", b"403"]


@on_loop
async def test_an_idle_connection_is_closed_and_one_way_traffic_keeps_both_ways_open() -> None:
    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(6):
            writer.write(b"x")
            await asyncio.sleep(0.05)
        await reader.read()
        writer.close()

    async with far(drips) as there:
        proxy = granting(("127.0.0.1", there), idle_seconds=0.2)
        async with proxying(proxy) as port, connected(port) as (reader, writer):
            writer.write(connect_to(f"127.0.0.1:{there}"))
            assert await _all(reader) == ESTABLISHED + b"x" * 6


@on_loop
async def test_a_cell_that_does_not_read_holds_nothing_up_in_the_end() -> None:
    async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(BIG)
        with suppress(ConnectionError):
            await writer.drain()
        writer.transport.abort()

    async with granted(pours, budget=1 << 30) as (port, head):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(head)
        await asyncio.sleep(0.2)  # so that all that can be full is
    writer.transport.abort()


@on_loop
async def test_a_registry_that_does_not_read_holds_nothing_up_in_the_end() -> None:
    async def sleeps(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await end.wait()
        writer.transport.abort()

    end = asyncio.Event()
    async with far(sleeps) as there:
        proxy = granting(("127.0.0.1", there), budget=1 << 30)
        async with proxying(proxy) as port, connected(port) as (reader, writer):
            writer.write(connect_to(f"127.0.0.1:{there}"))
            await reader.readexactly(len(ESTABLISHED))
            writer.write(BIG)
            await asyncio.sleep(0.2)  # so that all that can be full is
        end.set()


@on_loop
async def test_a_tunnel_ends_when_the_proxy_does() -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await _all(reader))
        writer.close()

    async with granted(listens) as (port, head):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        await reader.readexactly(len(ESTABLISHED))
    assert await _all(reader) == b""
    assert await heard == b""
    writer.close()


@on_loop
async def test_one_that_was_accepted_at_the_very_end_is_closed() -> None:
    async with proxying(granting()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await _all(reader) == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


@on_loop
async def test_resets_at_any_point_are_taken_calmly(caplog: pytest.LogCaptureFixture) -> None:
    async with granted() as (port, head):
        for sent in (b"", head[:9], head, head + b"data"):
            async with connected(port) as (_, writer):
                writer.write(sent)
                await asyncio.sleep(0.01)
        assert await ask(port, head + b"x", eof=True) == ESTABLISHED + b"x"
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")]


@on_loop
async def test_what_was_asked_for_is_remembered_within_bounds() -> None:
    proxy = granting(budget=1 << 30)
    async with proxying(proxy) as port:
        for number in range(80):
            assert await status_of(port, connect_to(f"host{number}.test")) == 403
    assert len(proxy.visits) == 64


@on_loop
async def test_a_visit_tells_of_connections_and_bytes() -> None:
    async with far() as there:
        proxy = granting(("127.0.0.1", there))
        async with proxying(proxy) as port:
            for _ in range(2):
                await ask(port, connect_to(f"127.0.0.1:{there}") + b"four", eof=True)
    (visit,) = proxy.visits
    assert (visit.connections, visit.sent_bytes, visit.received_bytes) == (2, 8, 8)
    assert visit.allowed
