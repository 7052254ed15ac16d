import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.api.depth import check_depth
from soulbox_core.api.query import options_from
from soulbox_core.api.requests import RequestReader, client_message
from soulbox_core.api.schema import RunBody
from soulbox_core.errors import InvalidRequest, RequestError
from soulbox_core.settings import Server
from tests.api.conftest import Client
from tests.api.fakes import LUA
from tests.loop import on_loop

READER = RequestReader(Server())
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = st.dictionaries(
    st.sampled_from((*RunBody.__struct_fields__, "unknown")),
    ANY_JSON,
)


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("body", [deep(33), b'{"a":' * 33 + b"1" + b"}" * 33, b"[" * 33])
def test_too_deep_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="32 levels"):
        check_depth(body, 32)


@pytest.mark.parametrize(
    "body",
    [
        deep(32),
        b"[" + b"[]," * 100 + b"1]",
        json.dumps({"code": "{[" * 1000 + '"{[' * 1000 + "\\"}).encode(),
        b'"' + b'\\"[' * 1000,
        b"]" * 1000,
    ],
)
def test_what_only_looks_deep_is_not(body: bytes) -> None:
    check_depth(body, 32)


@given(ANY_JSON, st.integers(1, 8))
def test_the_depth_is_that_of_the_json(value: object, most: int) -> None:
    def depth(node: object) -> int:
        if isinstance(node, dict):
            return 1 + max(map(depth, node.values()), default=0)
        if isinstance(node, list):
            return 1 + max(map(depth, node), default=0)
        return 0

    try:
        check_depth(msgspec.json.encode(value), most)
    except InvalidRequest:
        assert depth(value) > most
    else:
        assert depth(value) <= most


@on_loop
async def test_a_body_without_a_bottom_is_the_clients_fault(client: Client) -> None:
    for field in ("code", "files", "limits", "options", "args", "network", "nothing"):
        for hole in (b"[", b'{"a":'):
            body = b'{"%s":' % field.encode() + hole * 3000
            answer = await client(
                "POST", "/v1/run/lua", content=body, headers={"content-type": "application/json"}
            )
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
            assert "32 levels" in answer.json()["detail"]


@given(FIELDS | ANY_JSON)
def test_any_json_is_a_request_or_refused(value: object) -> None:
    with suppress(RequestError):
        READER.json(msgspec.json.encode(value), LUA)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_request_or_refused(body: bytes) -> None:
    for read in (
        lambda: READER.json(body, LUA),
        lambda: READER.source(body, body, LUA),
        lambda: options_from(body),
        lambda: client_message(body.decode("latin-1")),
    ):
        with suppress(RequestError):
            read()
