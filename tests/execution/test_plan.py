from pathlib import Path

import pytest

from soulbox_core.errors import InvalidRequest
from soulbox_core.execution.plan import plan, version_plan
from soulbox_core.model import Limits, SourceFile
from tests.samples import allowance, key, language, request

LIMITS = Limits()


def test_entrypoint_is_put_in_and_args_come_last() -> None:
    step = plan(request(args=("a", "{entrypoint}")), language(), allowance(LIMITS), key).step
    assert step.argv == ("lua", "main.lua", "a", "{entrypoint}")
    assert step.args == ("a", "{entrypoint}")
    assert step.entrypoint == "main.lua"


def test_entrypoint_may_be_a_part_of_a_word() -> None:
    step = plan(request(), language(run=("sh", "--file={entrypoint}")), allowance(LIMITS), key).step
    assert step.argv == ("sh", "--file=main.lua")


def test_entrypoint_cannot_pass_for_an_option() -> None:
    asked = request(files=(SourceFile(path="-e", content=b""),), entrypoint="-e")
    assert plan(asked, language(), allowance(LIMITS), key).step.argv == ("lua", "./-e")


def test_request_env_wins_over_language_env_wins_over_base_env() -> None:
    asked = request(env={"BOTH": "request", "HOME": "/tmp"})
    step = plan(
        asked, language(env={"BOTH": "language", "LANG": "C", "ONE": "1"}), allowance(LIMITS), key
    ).step
    assert step.env == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/tmp",
        "LANG": "C",
        "USER": "soulbox",
        "LOGNAME": "soulbox",
        "BOTH": "request",
        "ONE": "1",
    }


def test_what_was_asked_goes_into_the_step() -> None:
    asked = request(stdin=b"in", outputs=("*.png",))
    step = plan(asked, language(), allowance(LIMITS), key, live=True).step
    assert (step.stdin, step.outputs, step.files) == (b"in", ("*.png",), asked.files)
    assert step.limits is LIMITS
    assert step.live


@pytest.mark.parametrize(
    ("template", "env", "cold"),
    [
        (None, {}, True),
        (Path("t.py"), {}, False),
        (Path("t.py"), {"OTHER": "1"}, False),
        (Path("t.py"), {"SEED": "1"}, True),
        (Path("t.py"), {"SEED": ""}, True),
    ],
)
def test_starts_cold_when_no_template_can_honour_it(
    template: Path | None, env: dict[str, str], cold: bool
) -> None:
    offered = language(template=template, cold_env=("SEED",))
    assert plan(request(env=env), offered, allowance(LIMITS), key).cold is cold


def test_alias_is_resolved_to_the_language() -> None:
    assert (
        plan(request(language="l"), language(aliases=("l",)), allowance(LIMITS), key).language
        == "lua"
    )


def test_files_that_do_not_fit_in_scratch_are_refused_before_they_are_sent() -> None:
    files = tuple(SourceFile(path=str(number), content=b"x") for number in range(3))
    asked = request(files=files, entrypoint="0")
    plan(asked, language(), allowance(Limits(scratch_bytes=3 * 4096)), key)
    with pytest.raises(InvalidRequest, match="the files take 12288 bytes") as refusal:
        plan(asked, language(), allowance(Limits(scratch_bytes=3 * 4096 - 1)), key)
    assert refusal.value.field == "limits.scratch_bytes"


def test_version_is_asked_cold_and_without_files() -> None:
    asked = version_plan(language(env={"ONE": "1"}), LIMITS)
    assert asked.cold
    assert asked.step.argv == ("lua", "-v")
    assert asked.step.files == ()
    assert asked.step.env["ONE"] == "1"
    assert asked.step.env["HOME"] == "/box"


def test_a_cold_live_run_gets_the_variables_that_unbuffer_it() -> None:
    lua = language(live_env={"UNBUFFERED": "1"})
    assert plan(request(), lua, allowance(LIMITS), key, live=True).step.env["UNBUFFERED"] == "1"
    assert "UNBUFFERED" not in plan(request(), lua, allowance(LIMITS), key).step.env
