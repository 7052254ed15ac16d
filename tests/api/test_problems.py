import logging
from pathlib import Path

import msgspec
import pytest
from starlette.exceptions import HTTPException

from soulbox_core import errors
from soulbox_core.api.openapi import problem_rows
from soulbox_core.api.operations import RUN_PROBLEMS
from soulbox_core.api.problems import TABLE, Problem, Row, problem_for, report, row_for
from tests.api.conftest import Client
from tests.loop import on_loop

DOCS = Path(__file__).parents[2] / "docs" / "http.md"


def family(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(member for child in kind.__subclasses__() for member in family(child))]


OURS = [
    kind
    for kind in (*family(errors.RequestError), *family(errors.SandboxError))
    if kind.__module__ == errors.__name__ and "code" in vars(kind)
]


@pytest.mark.parametrize("kind", OURS)
def test_every_error_with_a_code_has_its_own_line_in_the_table(kind: type[Exception]) -> None:
    assert TABLE[kind].code == vars(kind)["code"]


@pytest.mark.parametrize("row", problem_rows())
def test_every_code_is_documented_with_its_status(row: Row) -> None:
    assert f"| `{row.code}` | {row.status} |" in DOCS.read_text()


def test_every_status_of_the_table_is_documented_for_a_run() -> None:
    assert {row.status for row in TABLE.values()} <= set(RUN_PROBLEMS)


def test_codes_are_unique() -> None:
    codes = [row.code for row in problem_rows()]
    assert len(codes) == len(set(codes))


def test_a_class_that_is_not_in_the_table_is_answered_as_its_parent() -> None:
    class QuotaSpent(errors.Overloaded):
        pass

    class LoopError(errors.SandboxError):
        pass

    assert row_for(QuotaSpent("no")) is TABLE[errors.Overloaded]
    assert row_for(LoopError("no")) is TABLE[errors.SandboxError]
    assert row_for(KeyError("no")) is TABLE[Exception]


def said(error: Exception) -> dict[str, object]:
    problem: dict[str, object] = msgspec.to_builtins(problem_for(error, "abc"))
    return problem


def test_a_refusal_speaks_for_itself() -> None:
    assert said(errors.InvalidRequest("args: too many", field="args")) == {
        "type": "/docs#invalid_request",
        "title": "The request is not valid",
        "status": 400,
        "detail": "args: too many",
        "code": "invalid_request",
        "instance": "urn:soulbox:request:abc",
        "field": "args",
    }


def test_a_limit_above_its_ceiling_says_both() -> None:
    problem = said(errors.LimitAboveCeiling("cpus", 8, 4))
    assert {name: problem[name] for name in ("limit", "asked", "ceiling", "field")} == {
        "limit": "cpus",
        "asked": 8,
        "ceiling": 4,
        "field": "limits.cpus",
    }


def test_a_very_long_language_is_not_said_back_whole() -> None:
    assert len(str(said(errors.UnknownLanguage("x" * 60_000, ("lua",)))["detail"])) < 200


def test_an_error_that_was_reported_holds_nothing_any_more() -> None:
    def refuse() -> None:
        try:
            raise KeyError("the request is in this frame")
        except KeyError as cause:
            raise errors.InvalidRequest("no") from cause

    with pytest.raises(errors.InvalidRequest) as caught:
        refuse()
    report(caught.value, "abc")
    held = (caught.value.__traceback__, caught.value.__context__, caught.value.__cause__)
    assert held == (None, None, None)


def test_an_unknown_language_says_which_are_known() -> None:
    assert said(errors.UnknownLanguage("cobol", ("lua", "python")))["known"] == ("lua", "python")


@pytest.mark.parametrize(
    "error",
    [errors.CgroupError("/sys/fs/cgroup: denied"), errors.ContainerError("/run/x"), OSError("/x")],
)
def test_our_own_failure_keeps_its_words_to_itself(error: Exception) -> None:
    assert "/" not in str(said(error)["detail"])


def test_an_http_error_of_routing_is_a_problem_too() -> None:
    problem = said(HTTPException(405))
    assert (problem["status"], problem["code"]) == (405, "method_not_allowed")


def test_a_problem_needs_no_member_that_does_not_apply() -> None:
    required = [field.name for field in msgspec.structs.fields(Problem) if field.required]
    assert required == ["type", "title", "status", "detail", "code", "instance"]


@on_loop
async def test_try_again_later_says_when(client: Client) -> None:
    answer = await client.run(b"refuse overloaded")
    assert answer.headers["retry-after"] == "7"
    assert answer.json()["retry_after_seconds"] == 7
    answer = await client.run(b"lose")
    assert answer.headers["retry-after"] == "1"


@on_loop
async def test_an_encoding_that_is_not_read_says_which_is(client: Client) -> None:
    answer = await client.run(b"x", headers={"content-encoding": "br"})
    assert answer.headers["accept-encoding"] == "identity"


@on_loop
async def test_a_wrong_method_says_which_are_right(client: Client) -> None:
    answer = await client("DELETE", "/v1/run/lua")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/v1/run/", "/v1/run/lua/", "/v1/run/a/b"])
@on_loop
async def test_a_wrong_path_is_a_problem_and_never_a_redirect(client: Client, path: str) -> None:
    answer = await client("POST", path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("program", "traceback"), [(b"bug", True), (b"no-start", True), (b"lose", False)]
)
@on_loop
async def test_our_failure_is_logged_and_told_without_its_words(
    client: Client, caplog: pytest.LogCaptureFixture, program: bytes, traceback: bool
) -> None:
    """Clients can bring about many of those that have a name: no traceback for them."""
    answer = await client.run(program)
    assert answer.status_code >= 500
    assert "secret" not in answer.text
    assert "/run/user" not in answer.text
    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert bool(record.exc_info) is traceback
    assert answer.headers["x-request-id"] in record.getMessage()


@on_loop
async def test_a_refused_request_is_not_worth_a_line(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    await client.run(b"refuse overloaded")
    await client("GET", "/nowhere")
    assert not [record for record in caplog.records if record.levelno > logging.INFO]
