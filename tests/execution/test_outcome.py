import signal

import pytest

from soulbox_core.execution.executor import Ending
from soulbox_core.execution.outcome import Before, conclude, signal_name
from soulbox_core.model import OutputFile, Status, Timings
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
