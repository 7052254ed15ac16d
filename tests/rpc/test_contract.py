"""One table of requests, through HTTP, WebSocket and gRPC: the same answers, the same refusals."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2

from soulbox_core.api.application import build
from soulbox_core.errors import Forbidden, RateLimited, Unauthenticated
from soulbox_core.model import Standing
from soulbox_core.rpc.status import DETAILS, code_for
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from tests.api.conftest import Client
from tests.api.driver import Socket
from tests.api.fakes import CEILING
from tests.loop import on_loop
from tests.results.runs import CachedRuns
from tests.rpc.client import House, Stub, typing

Body = dict[str, Any]
EMPTY = Standing(
    share="caller",
    limit=1,
    window_seconds=1.0,
    remaining=0,
    reset_seconds=9.0,
    allowed=False,
    retry_after_seconds=8.5,
)

GOOD: Mapping[str, Body] = {
    "hello": {"code": "out Hello, World!"},
    "stdin": {"code": "echo", "stdin": "typed"},
    "binary stdin": {"code": "echo", "stdin": {"base64": "AP8="}},
    "args": {"code": "args", "args": ["a", "b c"]},
    "env": {"code": "env", "env": {"MODE": "fast"}},
    "exit code": {"code": "exit 3"},
    "stderr": {"code": "err oops"},
    "binary output": {"code": "hex ff00"},
    "much output": {"code": "zeros 200000"},
    "files": {
        "files": {"data.bin": {"base64": "AAEC"}, "main.lua": "out main"},
        "entrypoint": "main.lua",
    },
    "outputs": {"code": "text a.txt\nfile b.bin", "outputs": ["*.txt", "b.bin"]},
    "limits": {"code": "out hi", "limits": {"cpus": 0.5, "processes": 3}},
    "network": {"code": "out hi", "network": {"allow": ["example.org"]}, "mounts": ["data/iris"]},
    "dependencies": {"code": "out hi", "dependencies": ["polars==1.*"]},
    "no cache": {"code": "out hi", "cache": False},
}
BAD: Mapping[str, tuple[str, Body, str]] = {
    "unknown language": ("cobol", {"code": "out hi"}, "unknown_language"),
    "limit above ceiling": (
        "lua",
        {"code": "out hi", "limits": {"memory_bytes": CEILING + 1}},
        "limit_above_ceiling",
    ),
    "limit of nothing": ("lua", {"code": "out hi", "limits": {"processes": 0}}, "invalid_request"),
    "too large": ("lua", {"code": "x" * 6000}, "too_large"),
    "too many files": (
        "lua",
        {"files": {f"{n}.lua": "" for n in range(5)}, "entrypoint": "0.lua"},
        "too_large",
    ),
    "bad path": ("lua", {"files": {"../x": "out hi"}}, "invalid_request"),
    "code and files": ("lua", {"code": "", "files": {"a": ""}}, "invalid_request"),
    "neither": ("lua", {}, "invalid_request"),
    "no entrypoint": ("lua", {"files": {"a": "", "b": ""}}, "invalid_request"),
    "bad variable": ("lua", {"code": "", "env": {"1A": "x"}}, "invalid_request"),
    "a NUL": ("lua", {"code": "", "args": ["a\0b"]}, "invalid_request"),
    "overloaded": ("lua", {"code": "refuse overloaded"}, "overloaded"),
    "lost cell": ("lua", {"code": "lose"}, "cell_lost"),
    "our fault": ("lua", {"code": "no-start"}, "internal_error"),
}
REFUSALS: Mapping[str, tuple[Exception, str]] = {
    "unauthenticated": (Unauthenticated(), "unauthenticated"),
    "forbidden": (Forbidden("not you"), "forbidden"),
    "rate limited": (RateLimited("too many", standing=EMPTY), "rate_limited"),
}


def content(text: str | dict[str, str]) -> bytes:
    return text.encode() if isinstance(text, str) else base64.b64decode(text["base64"])


def message(language: str, body: Body) -> pb.ExecuteRequest:
    """The same request, as a message."""
    fields = {name: value for name, value in body.items() if name not in ("limits", "network")}
    if "code" in fields:
        fields["code"] = content(fields["code"])
    if "stdin" in fields:
        fields["stdin"] = content(fields["stdin"])
    if "files" in fields:
        fields["files"] = {path: content(text) for path, text in fields["files"].items()}
    if "limits" in body:
        fields["limits"] = pb.Limits(**body["limits"])
    if "network" in body:
        fields["network"] = body["network"]["allow"]
    return pb.ExecuteRequest(language=language, **fields)


async def over_http(house: House, language: str, body: Body) -> tuple[int, Body]:
    client = Client(build(house.runs, house.catalog, house.gate, house.settings))
    answer = await client("POST", f"/v1/run/{language}", json={**body, "encoding": "base64"})
    return answer.status_code, answer.json()


async def over_websocket(house: House, body: Body) -> list[Body]:
    app = build(house.runs, house.catalog, house.gate, house.settings)
    events = []
    async with Socket(app, "/v1/run/lua") as socket:
        await socket.take()
        socket.send({**body, "encoding": "base64"})
        socket.send({"eof": True})
        while (told := await socket.take())["type"] == "websocket.send":
            events.append(json.loads(told["text"]))
    return events


def worded(result: pb.Result) -> Body:
    """A result in the words of the HTTP answer, contents as base64."""

    def maybe(message: Any, name: str) -> Any:
        return getattr(message, name) if message.HasField(name) else None

    def encoded(data: bytes) -> str:
        return base64.b64encode(data).decode()

    return {
        "id": result.id,
        "language": result.language,
        "status": result.status,
        "exit_code": maybe(result, "exit_code"),
        "signal": maybe(result, "signal"),
        "stdout": encoded(result.stdout),
        "stderr": encoded(result.stderr),
        "encoding": "base64",
        "truncated": list(result.truncated),
        "usage": {
            "wall_seconds": result.usage.wall_seconds,
            "cpu_seconds": result.usage.cpu_seconds,
            "memory_peak_bytes": result.usage.memory_peak_bytes,
        },
        "timings": {
            name: maybe(result.timings, name) if optional else getattr(result.timings, name)
            for name, optional in (
                ("queue_seconds", False),
                ("install_seconds", True),
                ("compile_seconds", True),
                ("claim_seconds", False),
                ("run_seconds", False),
            )
        },
        "compile": None,
        "network": None,
        "cache": {
            "key": result.cache.key,
            "level": result.cache.level,
            "age_seconds": result.cache.age_seconds,
        }
        if result.HasField("cache")
        else None,
        "files": [(file.path, file.content) for file in result.files],
        "outputs_missing": list(result.outputs_missing),
        "outputs_skipped": list(result.outputs_skipped),
    }


def without_encodings(answer: Body) -> Body:
    files = [
        (
            file["path"],
            base64.b64decode(file["content"])
            if file["encoding"] == "base64"
            else file["content"].encode(),
        )
        for file in answer["files"]
    ]
    return {**answer, "files": files}


@on_loop
@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
async def test_the_answers_are_the_same(body: Body) -> None:
    house = House()
    status, answer = await over_http(house, "lua", body)
    assert status == 200
    told = await over_websocket(house, body)
    async with house.served() as stub:
        result = await stub.execute(message("lua", body))
        events = [event async for event in stub.stream(message("lua", body))]
        spoken = [event async for event in stub.interact(iter_once(message("lua", body)))]
    assert worded(result) == without_encodings(answer)
    asked = house.runs.requests
    assert len(asked) == 5
    assert all(request == asked[0] for request in asked)
    for events_ in (events, spoken):
        assert joined(events_, "stdout") == content({"base64": answer["stdout"]})
        assert joined(events_, "stderr") == content({"base64": answer["stderr"]})
        assert events_[0].started == pb.Started(id=answer["id"], language="lua")
        assert worded(events_[-1].result) == without_encodings(answer) | {
            "stdout": "",
            "stderr": "",
        }
    assert [event["event"] for event in told][:: len(told) - 1] == ["started", "result"]
    last = {name: value for name, value in told[-1].items() if name != "event"}
    assert last == {
        name: value for name, value in answer.items() if name not in ("stdout", "stderr")
    }


async def iter_once(request: pb.ExecuteRequest) -> Any:
    yield pb.Input(request=request)
    yield pb.Input(eof=True)


def joined(events: list[pb.Event], stream: str) -> bytes:
    return b"".join(
        getattr(event, stream) for event in events if event.WhichOneof("event") == stream
    )


async def refusal(
    stub: Stub, how: str, request: pb.ExecuteRequest, *, at_the_door: bool = False
) -> grpc.aio.AioRpcError:
    """:param at_the_door: before a message is read; grpc.aio's client reports one that it still
    sends then as an error of its own
    """
    sent = () if at_the_door else (pb.Input(request=request),)

    async def call() -> None:
        if how == "execute":
            await stub.execute(request)
            return
        events = stub.stream(request) if how == "stream" else stub.interact(typing(*sent))
        async for _ in events:
            pass

    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call()
    return error.value


def check(error: grpc.aio.AioRpcError, status: int, problem: Body) -> None:
    """Hold a status against the problem details of HTTP."""
    assert error.code() is code_for(status)
    assert error.details() == problem["detail"]
    trailing: Any = error.trailing_metadata()
    raw = dict(trailing)[DETAILS]
    assert isinstance(raw, bytes)
    told = status_pb2.Status.FromString(raw)
    assert (told.code, told.message) == (error.code().value[0], problem["detail"])
    info, violations, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    for detail in told.details:
        assert detail.Unpack(info) or detail.Unpack(violations) or detail.Unpack(retry)
    assert (info.reason, info.domain) == (problem["code"], "soulbox")
    fields = [violation.field for violation in violations.field_violations]
    assert fields == ([problem["field"]] if "field" in problem else [])
    for name in ("limit", "asked", "ceiling"):
        assert info.metadata.get(name) == (str(problem[name]) if name in problem else None)
    assert retry.retry_delay.seconds == problem.get("retry_after_seconds", 0)


@on_loop
@pytest.mark.parametrize(("language", "body", "code"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("how", ["execute", "stream", "interact"])
async def test_the_refusals_are_the_same(language: str, body: Body, code: str, how: str) -> None:
    house = House()
    status, problem = await over_http(house, language, body)
    assert problem["code"] == code
    if language == "lua":
        (*_, last) = await over_websocket(house, body)
        assert (last["code"], last["detail"]) == (code, problem["detail"])
    async with house.served() as stub:
        check(await refusal(stub, how, message(language, body)), status, problem)


@on_loop
@pytest.mark.parametrize("how", ["stream", "interact"])
async def test_what_is_told_as_it_happens_is_not_cached(how: str) -> None:
    house = House()
    body = {"code": "out hi", "cache": True}
    (event,) = await over_websocket(house, body)
    async with house.served() as stub:
        error = await refusal(stub, how, message("lua", body))
    problem = {name: event[name] for name in ("code", "detail", "field")}
    assert problem["field"] == "cache"
    check(error, 400, problem)
    assert house.runs.requests == []


@on_loop
async def test_where_an_answer_comes_from_is_told_the_same() -> None:
    house = House()
    house.runs = CachedRuns()
    body = {"code": "out hi", "cache": True}
    await over_http(house, "lua", body)
    async with house.served() as stub:
        result = await stub.execute(message("lua", body))
    _, answer = await over_http(house, "lua", body)
    assert (result.cache.level, result.cache.key) == ("memory", answer["cache"]["key"])
    assert 0 < result.cache.age_seconds < answer["cache"]["age_seconds"]
    result.cache.age_seconds = answer["cache"]["age_seconds"]
    assert worded(result) == without_encodings(answer)
    assert len(house.runs.requests) == 1


@on_loop
@pytest.mark.parametrize(("error", "code"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("how", ["execute", "stream", "interact"])
async def test_who_may_not_come_in_is_told_the_same(error: Exception, code: str, how: str) -> None:
    house = House()
    house.gate.refusal = error
    status, problem = await over_http(house, "lua", GOOD["hello"])
    assert problem["code"] == code
    async with house.served() as stub:
        hello = message("lua", GOOD["hello"])
        check(await refusal(stub, how, hello, at_the_door=True), status, problem)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.languages(pb.LanguagesRequest())
    assert house.runs.requests == []


@on_loop
async def test_the_languages_are_the_same() -> None:
    house = House()
    client = Client(build(house.runs, house.catalog, house.gate, house.settings))
    (known,) = (await client("GET", "/v1/languages")).json()["languages"]
    async with house.served() as stub:
        (told,) = (await stub.languages(pb.LanguagesRequest())).languages
    assert known == {
        "name": told.name,
        "title": told.title,
        "aliases": list(told.aliases),
        "version": told.version,
        "ready": told.ready,
        "preloads": list(told.preloads),
        "source_file": told.source_file,
        "options": list(told.options),
        "compiled": told.compiled,
        "dependencies": told.dependencies,
    }
