"""Plain HTTP through the proxy: read strictly, written anew, one request a connection."""

import asyncio

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulbox_core.egress.head import MOST_BYTES, read_head
from soulbox_core.egress.refusal import Refusal
from tests.egress.test_proxy import BUDGET, Serve, ask, far, granting, proxying
from tests.loop import on_loop


class Origin:
    """A server that remembers what it got, and answers as told."""

    def __init__(self, answer: bytes, *, at_once: bool = False) -> None:
        self.answer = answer
        self.at_once = at_once
        self.got = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.at_once:
            writer.write(self.answer)
        try:
            while data := await reader.read(65536):
                self.got += data
                if not self.at_once and self.complete:
                    writer.write(self.answer)
                    break
        except ConnectionError:
            pass
        writer.close()

    @property
    def complete(self) -> bool:
        head, end, body = self.got.partition(b"\r\n\r\n")
        if b"chunked" in head:
            return body.endswith(b"0\r\n\r\n")
        length = next((line for line in head.split(b"\r\n") if b"ength:" in line), b":0")
        return bool(end) and len(body) >= int(length.split(b":")[1])


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: a\r\n\r\nok"


async def through(serve: Serve, head: str, body: bytes = b"", budget: int = BUDGET) -> bytes:
    """What a request comes to, with `PLACE` for the host."""
    async with far(serve) as there:
        place = f"127.0.0.1:{there}"
        proxy = granting(("127.0.0.1", there), budget=budget, idle_seconds=2.0)
        async with proxying(proxy) as port:
            text = head.replace("PLACE", place).replace("\n", "\r\n")
            return await ask(port, text.encode("latin-1") + body)


@on_loop
async def test_a_request_gets_there_without_what_concerns_the_proxy_alone() -> None:
    origin = Origin(OK)
    answer = await through(
        origin,
        "GET http://PLACE/a?b HTTP/1.1\nHost: PLACE\nProxy-Connection: keep-alive\n"
        "Proxy-Authorization: Basic secret\nConnection: X-Hop, close\nX-Hop: 1\nTE: trailers\n"
        "Upgrade: h2c\nX-Kept: Value\nAccept-Encoding: gzip\n\n",
    )
    lines = origin.got.split(b"\r\n")
    assert lines[0] == b"GET /a?b HTTP/1.1"
    assert lines[1].startswith(b"Host: 127.0.0.1:")
    assert sorted(lines[2:]) == sorted(
        [
            b"X-Kept: Value",
            b"Accept-Encoding: gzip",
            b"Via: 1.1 soulbox",
            b"Connection: close",
            b"",
            b"",
        ]
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"ok"
    assert b"Keep-Alive" not in head
    assert b"connection: close" in head.lower()
    assert b"Content-Length: 2" in head


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("GET http://PLACE", b"GET / HTTP/1.1"),
        ("GET http://PLACE?q", b"GET /?q HTTP/1.1"),
        ("GET HTTP://PLACE/%00//..;x", b"GET /%00//..;x HTTP/1.1"),
        ("OPTIONS http://PLACE", b"OPTIONS * HTTP/1.1"),
        ("DELETE http://PLACE/x", b"DELETE /x HTTP/1.1"),
    ],
)
@on_loop
async def test_the_host_gets_the_path_alone(target: str, line: bytes) -> None:
    origin = Origin(OK)
    assert (await through(origin, f"{target} HTTP/1.1\nHost: PLACE\n\n")).endswith(b"ok")
    assert origin.got.split(b"\r\n")[0] == line


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 5", b"01234"),
        ("Transfer-Encoding: chunked", b"3\r\n012\r\n2\r\n34\r\n0\r\n\r\n"),
        ("Transfer-Encoding: Chunked", b"5;a=b\r\n01234\r\n0\r\nTrailer: x\r\n\r\n"),
    ],
)
@on_loop
async def test_a_body_gets_there_whole_and_nothing_after_it(framing: str, body: bytes) -> None:
    origin = Origin(OK)
    head = f"POST http://PLACE/ HTTP/1.1\nHost: PLACE\n{framing}\n\n"
    second = b"GET http://other.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n"
    assert (await through(origin, head, body + second)).endswith(b"ok")
    digits = b"".join(each for each in origin.got.split(b"\r\n\r\n", 1)[1].split(b"\r\n"))
    assert b"0" in digits
    assert b"other" not in origin.got
    assert b"Trailer" not in origin.got


@on_loop
async def test_a_client_of_http_1_0_is_answered_as_one() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    for head in ("GET http://PLACE/ HTTP/1.0\n\n", "GET http://PLACE/ HTTP/1.0\nHost: PLACE\n\n"):
        origin = Origin(chunked)
        answer = await through(origin, head)
        assert answer.partition(b"\r\n\r\n")[2] == b"abc"
        assert b"chunked" not in answer.lower()
        assert origin.got.startswith(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:")


@on_loop
async def test_a_host_s_two_lengths_become_one() -> None:
    both = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\n\r\n"
    )
    answer = await through(Origin(both), "GET http://PLACE/ HTTP/1.1\nHost: PLACE\n\n")
    assert b"99" not in answer
    assert answer.endswith(b"3\r\nabc\r\n0\r\n\r\n")


@on_loop
async def test_what_comes_before_the_response_comes_first() -> None:
    origin = Origin(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)
    answer = await through(origin, "GET http://PLACE/ HTTP/1.1\nHost: PLACE\n\n")
    assert answer.startswith(b"HTTP/1.1 103 ")
    assert answer.endswith(b"ok")


@on_loop
async def test_a_host_may_answer_before_it_has_the_body() -> None:
    head = "POST http://PLACE/ HTTP/1.1\nHost: PLACE\nContent-Length: 1000000\n\n"
    answer = await through(Origin(OK, at_once=True), head, b"some of it")
    assert answer.endswith(b"ok")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * MOST_BYTES * 16 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
@on_loop
async def test_what_is_no_answer_is_told_as_such(answer: bytes) -> None:
    told = await through(Origin(answer), "GET http://PLACE/ HTTP/1.1\nHost: PLACE\n\n")
    assert told.startswith(b"HTTP/1.1 502 ")
    assert b"soulbox: " in told


@on_loop
async def test_a_body_that_makes_no_sense_is_told_as_such() -> None:
    head = "POST http://PLACE/ HTTP/1.1\nHost: PLACE\nTransfer-Encoding: chunked\n\n"
    told = await through(Origin(OK), head, b"-1\r\nabc\r\n")
    assert told.startswith(b"HTTP/1.1 400 ")


@on_loop
async def test_an_answer_that_breaks_off_breaks_off() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    answer = await through(Origin(cut), "GET http://PLACE/ HTTP/1.1\nHost: PLACE\n\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.endswith(b"abc")


@on_loop
async def test_the_budget_holds_for_plain_requests() -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + bytes(500_000)
    head = "GET http://PLACE/ HTTP/1.1\nHost: PLACE\n\n"
    assert len(await through(Origin(large), head, budget=200_000)) < 200_000


def reading(head: bytes) -> object:
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_BYTES)
    return read_head(head, server)


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://a.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test:81\r\n\r\n",
        b"GET http://a.test:81/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test@b.test\r\n\r\n",
        b"GET http://user@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET http://a.test#@b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET http://a.test\\@b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET http://a.test/#b HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET http:///a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET http://[::ffff:127.0.0.1]/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n X: folded\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\rX: y\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nX : y\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nX\0: y\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n"
        b"Content-Length: 2\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: +1\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"GET http://a.test/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /path HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"G(T http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1 \r\nHost: a.test\r\n\r\n",
        b"\r\nGET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(head: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        reading(head)
    assert refused.value.status == 400


def test_a_web_socket_is_told_to_take_a_tunnel() -> None:
    with pytest.raises(Refusal) as refused:
        reading(
            b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nUpgrade: WebSocket\r\n"
            b"Connection: Upgrade\r\n\r\n"
        )
    assert refused.value.status == 501
    assert "wss://" in str(refused.value)


def test_nobody_can_have_the_length_or_the_host_taken_away() -> None:
    asked = read_head(
        b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n"
        b"Connection: content-length, host\r\n\r\n",
        h11.Connection(h11.SERVER),
    )
    assert asked.request is not None
    headers = dict(asked.request.headers)
    assert (headers[b"host"], headers[b"content-length"]) == (b"a.test", b"3")


LINES = st.lists(
    st.binary(max_size=20)
    | st.sampled_from(
        (b"Host: a.test", b"Content-Length: 1", b"Transfer-Encoding: chunked", b" x", b"A: b")
    ),
    max_size=6,
)


@given(
    st.binary(max_size=30)
    | st.sampled_from((b"GET http://a.test/ HTTP/1.1", b"CONNECT a.test:443 HTTP/1.1")),
    LINES,
)
@example(b"GET http://a.test/ HTTP/1.1", [b"Host: a.test"])
def test_any_bytes_are_a_request_to_one_host_or_refused(first: bytes, lines: list[bytes]) -> None:
    head = b"\r\n".join((first, *lines)) + b"\r\n\r\n"
    head = head[: head.index(b"\r\n\r\n") + 4]
    try:
        asked = read_head(head, h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_BYTES))
    except Refusal as refused:
        told = refused.response
        assert told.isascii()
        assert told.count(b"\r\n\r\n") == 1
        return
    assert asked.name == "a.test"
    if asked.request is not None:
        sent = h11.Connection(h11.CLIENT).send(asked.request)
        assert sent is not None
        assert sent.lower().count(b"\nhost:") == 1
        assert not (b"content-length" in sent.lower() and b"transfer-encoding" in sent.lower())
