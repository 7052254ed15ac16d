"""The proxy over real sockets on loopback, as a hostile cell would use it."""

import asyncio
import socket
import string
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.egress import proxy as egress
from soulbox_core.egress.proxy import Host, Proxy, host
from tests.loop import on_loop

BUDGET = 1 << 20
TOO_LARGE = b"HTTP/1.1 431 Request too large\r\nContent-Length: 0\r\n\r\n"
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


def granting(*hosts: Host, budget: int = BUDGET) -> Proxy:
    return Proxy(frozenset(hosts), budget)


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
    assert proxy.refused == {f"{asked}:{there}", asked}


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
    assert len(proxy.refused) == 3


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
        "registry_test",
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
    assert proxy.refused == set()


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://registry.test/ HTTP/1.1\r\nHost: registry.test\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"connect registry.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT registry.test:443 HTTP/2.0\r\n\r\n",
        b"CONNECT registry.test:443\r\n\r\n",
        b"CONNECT  registry.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT registry.test:443 HTTP/1.1\n\r\n\r\n",
        b"CONNECT registry.test\r\n.evil.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT r\xc3\xa9gistry.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT " + b"a" * 301 + b" HTTP/1.1\r\n\r\n",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"\0" * 100 + b"\r\n\r\n",
    ],
)
@on_loop
async def test_all_but_connect_is_refused(head: bytes) -> None:
    proxy = granting(("registry.test", 443))
    async with proxying(proxy) as port:
        assert await status_of(port, head) == 405
    assert proxy.refused == set()


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
        assert await _all(reader) in (TOO_LARGE, b"")


@on_loop
async def test_a_slow_head_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "_HEAD_SECONDS", 0.05)
    async with (
        proxying(granting()) as port,
        connected(port) as (silent, _),
        connected(port) as (slow, writer),
    ):
        writer.write(b"CONNECT ")
        assert await _all(silent) == b""
        assert await _all(slow) == b""


@on_loop
async def test_a_head_that_is_cut_short_is_no_request() -> None:
    async with proxying(granting()) as port, connected(port) as (reader, writer):
        writer.write(b"CONNECT registry.test:443 HTTP/1.1\r\n")
        writer.write_eof()
        assert await _all(reader) == b""


@on_loop
async def test_one_connection_too_many_is_refused_and_the_next_is_served_once_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(egress, "_CONNECTIONS", 2)
    async with proxying(granting()) as port:
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
async def test_a_host_that_does_not_answer_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(*there: object) -> Connection:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    proxy = granting(("registry.test", 443))
    async with proxying(proxy) as port, connected(port) as (reader, writer):
        monkeypatch.setattr(egress, "_CONNECT_SECONDS", 0.05)
        monkeypatch.setattr(asyncio, "open_connection", hangs)
        writer.write(connect_to("registry.test"))
        assert (await _all(reader)).startswith(b"HTTP/1.1 502 ")


@on_loop
async def test_the_budget_is_one_for_all_connections_and_both_ways() -> None:
    async with granted(budget=3000) as (port, head):

        async def through(size: int) -> int:
            return len(await ask(port, head + b"x" * size, eof=True)) - len(ESTABLISHED)

        assert await through(1000) == 1000  # there and back: 2000
        assert await through(600) < 600
        assert await through(1) <= 0


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
async def test_what_was_refused_is_remembered_within_bounds() -> None:
    proxy = granting()
    async with proxying(proxy) as port:
        for number in range(40):
            assert await status_of(port, connect_to(f"host{number}.test")) == 403
    assert 0 < len(proxy.refused) < 40


LABEL = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)


@given(st.lists(LABEL, min_size=1, max_size=5).map(".".join), st.integers(1, 65535))
def test_a_name_and_a_port_come_back(name: str, port: int) -> None:
    assert host(f"{name}:{port}") == (name.lower(), port)
    assert host(name) == (name.lower(), 443)


@given(st.text(max_size=40) | st.text("ab.-:0123\n@/[]", max_size=20))
def test_any_text_is_a_host_in_lower_case_or_refused(text: str) -> None:
    try:
        name, port = host(text)
    except ValueError:
        return
    asked_name, _, asked_port = text.partition(":")
    assert (asked_name.lower(), int(asked_port or "443")) == (name, port)
    assert name.isascii()
    assert name == name.lower()
    assert 0 < port < 1 << 16
    assert all(0 < len(label) < 64 for label in name.split("."))


@pytest.mark.parametrize("text", ["", " a", "a ", "a\n", "a:1\n", "\u212aelvin.test", "a:\u0661"])
def test_look_alikes_are_no_hosts(text: str) -> None:
    with pytest.raises(ValueError, match="is not a host name"):
        host(text)
