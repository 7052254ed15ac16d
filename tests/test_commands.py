import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core import Boot, Compile, Source, SourceFile
from soulbox_core.commands import (
    BASE_ENV,
    boot_line,
    command_line,
    compile_step,
    replaced,
    replaced_values,
    spliced,
    variables,
)
from soulbox_core.errors import LanguageError
from tests.samples import SOURCE, language

PLACES = {
    "{entrypoint}": "main.lua",
    "{artifact}": "/store/1",
    "{out}": "/tmp/out",
    "{dependencies}": "/store/2",
}
ASKED = Source(files=(SOURCE,), entrypoint="main.lua", options={"fast": "true"})


def raises(error: BaseException) -> Callable[[Source], Any]:
    def function(source: Source) -> Any:
        raise error

    return function


def returns(value: Any) -> Callable[[Source], Any]:
    def function(source: Source) -> Any:
        return value

    return function


def test_placeholders_are_replaced_within_words_and_more_than_once() -> None:
    argv = ("cc", "-o{out}/a", "{entrypoint}:{entrypoint}", "{artifact}{dependencies}", "plain")
    assert replaced(argv, PLACES) == (
        *("cc", "-o/tmp/out/a", "main.lua:main.lua", "/store/1/store/2", "plain"),
    )


def test_a_placeholder_without_a_value_stays() -> None:
    assert replaced(("{artifact}", "{other}", "{"), {"{out}": "x"}) == (
        "{artifact}",
        "{other}",
        "{",
    )


@pytest.mark.parametrize("name", PLACES)
def test_a_value_that_looks_like_a_placeholder_is_left_as_it_is(name: str) -> None:
    places = {**PLACES, "{entrypoint}": name}
    assert replaced(("{entrypoint}", "{out}/{entrypoint}"), places) == (name, f"/tmp/out/{name}")


WORDS = st.text("ab{}", max_size=6) | st.sampled_from([*PLACES, "{requirements}"])


@given(WORDS.filter(lambda word: "{entrypoint}" not in word), WORDS)
def test_the_same_comes_out_whatever_the_entrypoint_is_called(around: str, name: str) -> None:
    word = f"{around}|{{entrypoint}}|{around}"
    before, middle, after = replaced((word,), {**PLACES, "{entrypoint}": "@"})[0].split("|")
    assert (before, middle, after) == (after, "@", before)
    assert replaced((word,), {**PLACES, "{entrypoint}": name}) == (f"{before}|{name}|{after}",)


def test_values_of_variables_are_replaced_and_names_are_not() -> None:
    env = {"{out}": "1", "PATH_TO": "{dependencies}/lib"}
    assert replaced_values(env, PLACES) == {"{out}": "1", "PATH_TO": "/store/2/lib"}


def test_a_word_is_replaced_by_many_or_none() -> None:
    argv = ("pip", "{requirements}", "x{requirements}")
    assert spliced(argv, "{requirements}", ("a", "b")) == ("pip", "a", "b", "x{requirements}")
    assert spliced(argv, "{requirements}", ()) == ("pip", "x{requirements}")


def test_a_command_may_be_a_function_of_the_request() -> None:
    def run(source: Source) -> tuple[str, ...]:
        return ("lua", source.options["fast"], source.text[:5], source.entrypoint)

    assert command_line(run, ASKED) == ("lua", "true", "print", "main.lua")
    assert command_line(("lua", "x"), ASKED) == ("lua", "x")
    assert command_line(returns(["lua", "y"]), ASKED) == ("lua", "y")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        KeyError("fast"),
        RecursionError(),
        SystemExit(3),
        MemoryError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
        LanguageError("its own"),
    ],
)
def test_a_function_that_raises_is_the_language_s_fault(error: BaseException) -> None:
    function = raises(error)
    for ask in (
        lambda: command_line(function, ASKED),
        lambda: compile_step(language(compile=function), ASKED),
        lambda: variables(language(env=function), ASKED),
        lambda: boot_line(language(boot=Boot(argv=function)), ASKED),
    ):
        with pytest.raises(LanguageError, match=type(error).__name__):
            ask()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
def test_what_is_to_end_the_service_is_not_taken_for_a_fault(error: BaseException) -> None:
    with pytest.raises(type(error)):
        command_line(raises(error), ASKED)


@pytest.mark.parametrize(
    "rubbish", [None, "lua main.lua", (), [], 3, {"lua": 1}, ("lua", 3), ("lua", None), (b"lua",)]
)
def test_a_command_that_is_none_is_the_language_s_fault(rubbish: Any) -> None:
    with pytest.raises(LanguageError):
        command_line(returns(rubbish), ASKED)


@pytest.mark.parametrize(
    "rubbish",
    [
        ("cc", "main.c"),
        "cc",
        Compile(argv=()),
        Compile(argv="cc main.c"),  # type: ignore[arg-type]  # what the test is about
        Compile(argv=("cc", 1)),  # type: ignore[arg-type]  # what the test is about
        Compile(argv=("cc",), env={"ONE": 1}),  # type: ignore[dict-item]  # what the test is about
        Compile(argv=("cc",), env="x"),  # type: ignore[arg-type]  # what the test is about
        Compile(argv=("cc",), files=("a",)),  # type: ignore[arg-type]  # what the test is about
    ],
)
def test_a_compile_step_that_is_none_is_the_language_s_fault(rubbish: Any) -> None:
    with pytest.raises(LanguageError):
        compile_step(language(compile=returns(rubbish)), ASKED)


@pytest.mark.parametrize("rubbish", [None, ("A", "1"), {"A": 1}, {1: "A"}, "A=1"])
def test_variables_that_are_none_are_the_language_s_fault(rubbish: Any) -> None:
    with pytest.raises(LanguageError):
        variables(language(env=returns(rubbish)), ASKED)


def test_a_compile_step_may_be_one_none_or_a_function_s() -> None:
    step = Compile(argv=("cc",), env={"A": "1"}, files=(SourceFile(path="a", content=b""),))
    assert compile_step(language(), ASKED) is None
    assert compile_step(language(compile=step), ASKED) is step
    assert compile_step(language(compile=returns(step)), ASKED) == step
    assert compile_step(language(compile=returns(None)), ASKED) is None


def test_a_language_s_variables_come_over_what_every_step_has() -> None:
    assert variables(language(env={"LANG": "C"}), ASKED) == {**BASE_ENV, "LANG": "C"}
    assert variables(language(env=returns({"A": "1"})), ASKED) == {**BASE_ENV, "A": "1"}


def test_a_runtime_is_booted_with_the_preloads() -> None:
    offered = language(boot=Boot(argv=("lua", "boot.lua", "{preloads}")), preloads=("lpeg", "lfs"))
    assert boot_line(offered, Source()) == ("lua", "boot.lua", "lpeg", "lfs")
    by_function = language(boot=Boot(argv=returns(("lua", "{preloads}"))), preloads=("lpeg",))
    assert boot_line(by_function, Source()) == ("lua", "lpeg")
    assert boot_line(language(), Source()) == ()


def test_every_placeholder_of_a_command_is_known_here() -> None:
    """What language.py promises to replace within words."""
    module = sys.modules[Source.__module__]
    names = ("ENTRYPOINT", "ARTIFACT", "OUT", "DEPENDENCIES")
    assert {getattr(module, name) for name in names} == set(PLACES)
    assert all(re.fullmatch(r"\{[a-z]+\}", place) for place in PLACES)
