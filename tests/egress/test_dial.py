"""From names to connections: a name that changes its mind gains nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from soulbox_core.egress.addresses import Addresses
from soulbox_core.egress.dial import Dialer, system_resolver
from soulbox_core.egress.refusal import Refusal
from tests.loop import on_loop


class Rebinding:
    """A resolver that has another answer each time; the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, name: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def listening(address: str = "127.0.0.1") -> AsyncIterator[tuple[int, list[str]]]:
    """A server; yields its port and who came."""
    came: list[str] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(address)
        writer.close()

    async with await asyncio.start_server(accept, address, 0) as server:
        yield server.sockets[0].getsockname()[1], came


async def refusal(dialer: Dialer, name: str, port: int) -> int:
    with pytest.raises(Refusal) as refused:
        (await dialer.connect(name, port)).close()
    return int(refused.value.status)


@on_loop
async def test_a_name_is_resolved_once_and_what_was_looked_at_is_connected_to() -> None:
    async with listening("127.0.0.2") as (port, _):
        resolver = Rebinding(["127.0.0.2"], ["127.0.0.1"])
        dialer = Dialer(Addresses(("127.0.0.2/32",)), 5.0, resolver)
        sock = await dialer.connect("rebinding.test", port)
        assert sock.getpeername() == ("127.0.0.2", port)
        sock.close()
        assert resolver.asked == 1
        assert await refusal(dialer, "rebinding.test", port) == 403


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "10.0.0.1"],
        ["2606:4700::1111", "::ffff:169.254.169.254"],
        ["::1"],
        ["nonsense"],
    ],
)
@on_loop
async def test_one_address_that_is_not_public_is_one_too_many(answer: list[str]) -> None:
    async with listening() as (port, came):
        assert await refusal(Dialer(Addresses(), 5.0, Rebinding(answer)), "a.test", port) == 403
        assert came == []


@on_loop
async def test_a_real_name_of_this_machine_s_is_refused() -> None:
    async with listening() as (port, came):
        for name in ("localhost", socket.gethostname(), "127.0.0.1", "2130706433", "0x7f.1"):
            assert await refusal(Dialer(Addresses(), 5.0), name, port) in (403, 502)
        assert came == []


@on_loop
async def test_what_the_operator_named_may_be_anywhere() -> None:
    async with listening() as (port, _):
        sock = await Dialer(Addresses(), 5.0).connect("localhost", port, anywhere=True)
        sock.close()


@on_loop
async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    async with listening("127.0.0.1") as (port, _):
        dialer = Dialer(Addresses(("127.0.0.0/8",)), 5.0, Rebinding(["127.0.0.3", "127.0.0.1"]))
        sock = await dialer.connect("a.test", port)
        assert sock.getpeername()[0] == "127.0.0.1"
        sock.close()


@pytest.mark.parametrize("answer", [[], ["127.0.0.3"]])
@on_loop
async def test_who_cannot_be_reached_is_told_as_such(answer: list[str]) -> None:
    async with listening() as (port, _):
        dialer = Dialer(Addresses(("127.0.0.0/8",)), 5.0, Rebinding(answer))
        assert await refusal(dialer, "a.test", port) == 502


@on_loop
async def test_a_name_that_is_unknown_is_told_as_such() -> None:
    async def unknown(name: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert await refusal(Dialer(Addresses(), 5.0, unknown), "a.test", 443) == 502


@on_loop
async def test_the_system_s_resolver_names_each_address_once() -> None:
    found = await system_resolver("localhost", 80)
    assert found
    assert len(set(found)) == len(found)
