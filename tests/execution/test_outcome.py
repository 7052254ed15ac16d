import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.execution.executor import Ending
from soulbox_core.execution.outcome import (
    Before,
    Failure,
    conclude,
    never_ran,
    shortened,
    signal_name,
)
from soulbox_core.model import Compilation, OutputFile, Status, Timings
from tests.fakes import facts


def test_an_ending_is_told_in_the_caller_s_words() -> None:
    ending = Ending(
        facts=facts(
            exit_code=None,
            signal=int(signal.SIGSEGV),
            output_files=(OutputFile(path="a", content=b"1"),),
            outputs_missing=("*.png",),
            outputs_skipped=("big",),
        ),
        truncated=("stderr",),
        claim_seconds=0.25,
        run_seconds=2.0,
    )
    outcome = conclude(
        ending,
        Before(queue_seconds=0.5, compile_seconds=0.125),
        run_id="id",
        language="lua",
    )
    assert outcome.id == "id"
    assert outcome.language == "lua"
    assert outcome.status is Status.SIGNALED
    assert outcome.exit_code is None
    assert outcome.signal == "SIGSEGV"
    assert outcome.truncated == ("stderr",)
    assert outcome.usage == ending.facts.usage
    assert outcome.timings == Timings(
        queue_seconds=0.5,
        install_seconds=None,
        compile_seconds=0.125,
        claim_seconds=0.25,
        run_seconds=2.0,
    )
    assert outcome.output_files == ending.facts.output_files
    assert outcome.outputs_missing == ("*.png",)
    assert outcome.outputs_skipped == ("big",)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (9, "SIGKILL"),
        (31, "SIGSYS"),
        (int(signal.SIGRTMIN), "SIGRTMIN"),
        (int(signal.SIGRTMIN) + 3, "SIGRTMIN+3"),
        (int(signal.SIGRTMAX), "SIGRTMAX"),
        (32, "SIG32"),
        (4711, "SIG4711"),
    ],
)
def test_every_signal_number_has_a_name(number: int, name: str) -> None:
    assert signal_name(number) == name


def test_a_program_that_never_ran_is_told_by_the_step_that_failed() -> None:
    compilation = Compilation(cached=False, output=b"main.c:1: oops")
    outcome = never_ran(
        Failure(
            status=Status.COMPILE_FAILED,
            facts=facts(exit_code=None, signal=int(signal.SIGKILL), stopped_by="wall"),
            output=b"main.c:1: oops",
        ),
        Before(queue_seconds=0.5, compile_seconds=0.25, compilation=compilation),
        run_id="id",
        language="c",
        outputs=("*.png",),
    )
    assert (outcome.id, outcome.language) == ("id", "c")
    assert outcome.status is Status.COMPILE_FAILED
    assert (outcome.exit_code, outcome.signal) == (None, "SIGKILL")
    assert (outcome.stdout, outcome.stderr, outcome.truncated) == (b"", b"", ())
    assert outcome.compilation is compilation
    assert outcome.output_files == ()
    assert (outcome.outputs_missing, outcome.outputs_skipped) == (("*.png",), ())
    assert outcome.timings == Timings(
        queue_seconds=0.5,
        install_seconds=None,
        compile_seconds=0.25,
        claim_seconds=0.0,
        run_seconds=0.0,
    )


def test_an_install_that_failed_tells_of_no_compilation() -> None:
    failure = Failure(
        status=Status.INSTALL_FAILED, facts=facts(exit_code=1), output=b"x", truncated=True
    )
    before = Before(queue_seconds=0.0, install_seconds=0.5)
    outcome = never_ran(failure, before, run_id="id", language="lua", outputs=())
    assert outcome.status is Status.INSTALL_FAILED
    assert (outcome.exit_code, outcome.signal) == (1, None)
    assert outcome.compilation is None
    assert outcome.timings.install_seconds == 0.5
    assert outcome.truncated == ("stderr",)


@given(st.binary(max_size=400), st.integers(0, 400))
def test_what_a_step_said_is_never_longer_than_allowed(output: bytes, most: int) -> None:
    said = shortened(output, most)
    assert len(said) == min(len(output), most)


def test_what_is_cut_keeps_its_beginning_and_the_line_that_says_why() -> None:
    output = b"main.c:1: first\n" + b"more\n" * 1000 + b"the compiler was stopped: wall\n"
    said = shortened(output, 60)
    assert said.startswith(b"main.c:1: first\n")
    assert said.endswith(b"the compiler was stopped: wall\n")
    assert shortened(output, len(output)) == output
    assert shortened(b"x" * 1000, 300) == b"x" * 300
    assert shortened(output, 5) == b"wall\n"
    assert shortened(output, 0) == b""
