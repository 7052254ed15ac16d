import json
from base64 import b64encode
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulbox_core.api import schema
from soulbox_core.api.requests import Asked, RequestReader, client_message
from soulbox_core.errors import InvalidRequest, RequestError, TooLarge
from soulbox_core.model import Limits, RunRequest, SourceFile
from soulbox_core.settings import Server
from tests.samples import language

LUA = language()
BOUNDS = Server(request_bytes=20_000, source_bytes=1_000, files=3)
READER = RequestReader(BOUNDS)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*schema.RunBody.__struct_fields__, "unknown"])


def from_json(body: Any) -> Asked:
    return READER.json(json.dumps(body).encode(), LUA)


def from_source(query: str, body: bytes = b"print()") -> Asked:
    return READER.source(body, query.encode(), LUA)


def test_a_source_body_becomes_the_languages_source_file() -> None:
    assert from_source("", b"\xff\0") == Asked(
        request=RunRequest(
            language="lua",
            files=(SourceFile(path="main.lua", content=b"\xff\0"),),
            entrypoint="main.lua",
        ),
        encoding="utf-8",
    )


def test_query_parameters_are_the_options_of_a_source_body() -> None:
    asked = from_source(
        "args=-x&args=a%26b&args=&env=A=1&env=B=x=y&stdin=in+put&outputs=*.csv&outputs=o/p"
        "&encoding=base64&memory_bytes=1048576&cpu_seconds=1.5&wall_seconds=1e1"
    )
    assert asked.encoding == "base64"
    assert asked.request.args == ("-x", "a&b", "")
    assert asked.request.env == {"A": "1", "B": "x=y"}
    assert asked.request.stdin == b"in put"
    assert asked.request.outputs == ("*.csv", "o/p")
    assert asked.request.limits == {
        "memory_bytes": 1048576,
        "cpu_seconds": 1.5,
        "wall_seconds": 10.0,
    }


def test_a_json_body_says_the_same_in_fields() -> None:
    asked = from_json(
        {
            "code": "print()",
            "args": ["-x"],
            "env": {"A": "1"},
            "stdin": {"base64": b64encode(b"\xff\0").decode()},
            "outputs": ["*.csv"],
            "encoding": "base64",
            "limits": {"memory_bytes": 1048576, "cpus": 2},
        }
    )
    assert asked == Asked(
        request=RunRequest(
            language="lua",
            files=(SourceFile(path="main.lua", content=b"print()"),),
            entrypoint="main.lua",
            stdin=b"\xff\0",
            args=("-x",),
            env={"A": "1"},
            limits={"memory_bytes": 1048576, "cpus": 2.0},
            outputs=("*.csv",),
        ),
        encoding="base64",
    )


@pytest.mark.parametrize(
    ("body", "paths", "entrypoint"),
    [
        ({"code": "x"}, ["main.lua"], "main.lua"),
        ({"code": {"base64": "/w=="}}, ["main.lua"], "main.lua"),
        ({"code": "x", "entrypoint": "lib/a.lua"}, ["lib/a.lua"], "lib/a.lua"),
        ({"files": {"a.lua": "x"}}, ["a.lua"], "a.lua"),
        ({"files": {"a.lua": "x", "main.lua": "y"}}, ["a.lua", "main.lua"], "main.lua"),
        ({"files": {"a": "x", "main.lua": "y"}, "entrypoint": "a"}, ["a", "main.lua"], "a"),
    ],
)
def test_the_entrypoint_is_the_one_named_or_the_obvious_one(
    body: dict[str, Any], paths: list[str], entrypoint: str
) -> None:
    request = from_json(body).request
    assert [file.path for file in request.files] == paths
    assert request.entrypoint == entrypoint


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "code", "give either code or files"),
        ({"code": "x", "files": {"a": "x"}}, "code", "give either code or files"),
        ({"files": {}}, "files", "length >= 1"),
        ({"files": {"a": "x", "b": "y"}}, "entrypoint", "none of the 2 is named main.lua"),
        ({"files": {"a": "x"}, "entrypoint": "b"}, "entrypoint", "'b' is not in files"),
        ({"files": {"../a": "x"}}, "files", "must be relative"),
        ({"files": {"a": "x", "a/b": "y"}, "entrypoint": "a"}, "files", "also the directory of"),
        ({"code": "x", "entrypoint": "/a"}, "entrypoint", "must be relative"),
        ({"code": None}, "code", "got `null`"),
        ({"code": 1}, "code", "got `int`"),
        ({"code": {"base64": "?"}}, "code.base64", "invalid base64"),
        ({"code": {"text": "x"}}, "code", "unknown field `text`"),
        ({"code": "x", "colour": "red"}, None, "unknown field `colour`"),
        ({"code": "x", "stdin": 1}, "stdin", "got `int`"),
        ({"code": "x", "args": "a"}, "args", "expected `array`"),
        ({"code": "x", "args": ["a", 1]}, "args[1]", "got `int`"),
        ({"code": "x", "args": ["a\0"]}, "args", "NUL"),
        ({"code": "x", "args": ["a"] * 257}, "args", "length <= 256"),
        ({"code": "x", "args": ["a" * 65_537]}, "args", "65536 are allowed"),
        ({"code": "x", "args": ["ä" * 32_769]}, "args", "65538 bytes together"),
        ({"code": "x", "env": {"A": "b\0"}}, "args", "NUL"),
        ({"code": "x", "env": {"1A": "b"}}, "env", "variable name '1A'"),
        ({"code": "x", "env": {"A\n": "b"}}, "env", "variable name"),
        ({"code": "x", "env": {"": "b"}}, "env", "variable name ''"),
        ({"code": "x", "env": {"A=B": "b"}}, "env", "variable name"),
        ({"code": "x", "env": {"A": "a" * 65_536}}, "args", "65537 bytes together"),
        ({"code": "x", "env": {f"A{i}": "" for i in range(257)}}, "env", "length <= 256"),
        ({"code": "x", "outputs": ["../x"]}, "outputs", "must be relative"),
        ({"code": "x", "outputs": ["a"] * 65}, "outputs", "length <= 64"),
        ({"code": "x", "cache": "yes"}, "cache", "got `str`"),
        ({"code": "x", "cache": None}, "cache", "got `null`"),
        ({"code": "x", "encoding": "latin-1"}, "encoding", "invalid enum value 'latin-1'"),
        ({"code": "x", "limits": {"memory": 1}}, "limits", "unknown field `memory`"),
        ({"code": "x", "limits": {"memory_bytes": 0}}, "limits.memory_bytes", ">= 1"),
        ({"code": "x", "limits": {"memory_bytes": 1.5}}, "limits.memory_bytes", "expected `int`"),
        ({"code": "x", "limits": {"processes": True}}, "limits.processes", "got `bool`"),
        ({"code": "x", "limits": {"processes": 10**30}}, "limits.processes", "expected `int` <="),
        ({"code": "x", "limits": {"cpus": 0}}, "limits.cpus", "> 0.0"),
        ({"code": "x", "limits": {"cpus": -1}}, "limits.cpus", "> 0.0"),
        ({"code": "x", "limits": {"cpus": "1"}}, "limits.cpus", "got `str`"),
        ([], None, "expected `object`"),
    ],
)
def test_a_wrong_json_body_is_refused_by_field(body: Any, field: str | None, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        from_json(body)
    assert refused.value.field == field
    assert words in refused.value.detail


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"code": "x"} x', b'{"code": "\xff"}', b'{"code": "\\ud800"}', b"\xef\xbb\xbf{}"],
)
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="the body is not JSON"):
        READER.json(body, LUA)


@pytest.mark.parametrize("number", ["1e999", "NaN", "Infinity", "-Infinity"])
def test_a_limit_must_be_finite(number: str) -> None:
    with pytest.raises(InvalidRequest):
        READER.json(b'{"code": "x", "limits": {"cpus": %b}}' % number.encode(), LUA)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("colour=red", "query", "unknown query parameter 'colour'"),
        ("limits=1", "query", "unknown query parameter 'limits'"),
        ("code=x", "query", "unknown query parameter 'code'"),
        ("stdin=a&stdin=b", "query.stdin", "'stdin' is given twice"),
        ("env=A=1&env=A=2", "query.env", "'A' is given twice"),
        ("env=A", "query.env", "NAME=VALUE"),
        ("env=1=a", "env", "variable name '1'"),
        ("memory_bytes=1&memory_bytes=1", "query.memory_bytes", "given twice"),
        ("memory_bytes=much", "query.memory_bytes", "expected `int`"),
        ("memory_bytes=", "query.memory_bytes", "expected `int`"),
        ("memory_bytes=-1", "query.memory_bytes", ">= 1"),
        ("cpus=inf", "query.cpus", "<="),
        ("cpus=nan", "query.cpus", "> 0.0"),
        ("cache=perhaps", "query.cache", "expected `bool`"),
        ("cache=true&cache=true", "query.cache", "given twice"),
        ("encoding=ascii", "query.encoding", "invalid enum value"),
        ("outputs=/etc/*", "outputs", "must be relative"),
        ("args=%ff", "query", "utf-8"),
        ("args=%00", "args", "NUL"),
        ("args=ä", "query", "ascii"),
        ("&".join(["args=a"] * 1025), "query", "number of fields"),
    ],
)
def test_a_wrong_query_is_refused_by_parameter(query: str, field: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        from_source(query)
    assert refused.value.field == field
    assert words in refused.value.detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"code": "x" * 1001}, "'main.lua' has 1001 bytes; a source file may have 1000"),
        ({"code": "ä" * 501}, "1002 bytes"),
        ({"files": {"a": "x", "b": "x" * 1001}, "entrypoint": "a"}, "'b' has 1001 bytes"),
        ({"files": {f"{i}": "" for i in range(4)}, "entrypoint": "0"}, "4 files are more than"),
    ],
)
def test_too_much_source_is_refused(body: dict[str, Any], words: str) -> None:
    with pytest.raises(TooLarge) as refused:
        from_json(body)
    assert words in refused.value.detail


def test_a_source_of_exactly_the_bound_is_accepted() -> None:
    assert len(from_json({"code": "x" * 1000}).request.files[0].content) == 1000


def test_a_refusal_does_not_repeat_a_long_field_name() -> None:
    with pytest.raises(InvalidRequest) as refused:
        from_json({"x" * 10_000: 1})
    assert len(refused.value.detail) < 300


def test_every_limit_can_be_asked_for_and_no_other() -> None:
    asked = dict.fromkeys(Limits.__struct_fields__, 1)
    assert from_json({"code": "x", "limits": asked}).request.limits == asked
    assert from_source(urlencode(asked)).request.limits == asked
    assert set(schema.AskedLimits.__struct_fields__) == set(asked)


@pytest.mark.parametrize("name", Limits.__struct_fields__)
def test_only_a_limit_that_is_a_number_of_things_must_be_whole(name: str) -> None:
    body = {"code": "x", "limits": {name: 1.5}}
    if isinstance(getattr(Limits(), name), int):
        with pytest.raises(InvalidRequest):
            from_json(body)
    else:
        assert from_json(body).request.limits == {name: 1.5}


@given(st.binary())
@example(b"[" * 100_000)
@example(b'{"code":' + b"[" * 100_000)
@example(b'{"limits":' * 10_000)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(RequestError):
        READER.json(body, LUA)
    assert READER.source(body[:1000], b"", LUA).request.files[0].content == body[:1000]


@given(st.dictionaries(FIELDS, JSON_VALUES, max_size=4))
def test_any_json_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        asked = from_json(body)
    except RequestError:
        return
    assert asked.request.entrypoint in [file.path for file in asked.request.files]


@given(st.binary())
def test_any_query_is_read_or_refused(query: bytes) -> None:
    with suppress(RequestError):
        READER.source(b"", query, LUA)


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(
    code=TEXT,
    args=st.lists(TEXT, max_size=3),
    env=st.dictionaries(st.from_regex("[A-Za-z_][A-Za-z0-9_]*", fullmatch=True), TEXT, max_size=3),
    stdin=TEXT,
    cpus=st.floats(min_value=0.001, max_value=1e6),
)
def test_both_forms_carry_any_text_unchanged(
    code: str, args: list[str], env: dict[str, str], stdin: str, cpus: float
) -> None:
    body = {"code": code, "args": args, "env": env, "stdin": stdin, "limits": {"cpus": cpus}}
    pairs = [
        *(("args", text) for text in args),
        *(("env", f"{name}={text}") for name, text in env.items()),
        ("stdin", stdin),
        ("cpus", repr(cpus)),
    ]
    asked = from_json(body)
    assert asked == from_source(urlencode(pairs, quote_via=quote), code.encode())
    assert asked.request.args == tuple(args)
    assert asked.request.env == env
    assert asked.request.stdin == stdin.encode()
    assert asked.request.limits == {"cpus": cpus}


@pytest.mark.parametrize(
    ("text", "stdin", "ends"),
    [
        ('{"stdin": "Grüße"}', "Grüße".encode(), False),
        ('{"stdin": {"base64": "/w=="}}', b"\xff", False),
        ('{"stdin": ""}', b"", False),
        ('{"eof": true}', b"", True),
        ('{"stdin": "last", "eof": true}', b"last", True),
    ],
)
def test_a_message_feeds_stdin_or_ends_it(text: str, stdin: bytes, ends: bool) -> None:
    assert client_message(text) == (stdin, ends)


@pytest.mark.parametrize("text", ["", "x", "{}", '{"eof": false}', '{"code": "x"}', '{"stdin": 1}'])
def test_any_other_message_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        client_message(text)
