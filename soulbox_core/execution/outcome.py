"""From the ending of a run to what the caller is told of it."""

import signal

from soulbox_core.execution.executor import Ending
from soulbox_core.execution.verdict import judge
from soulbox_core.model import Compilation, Facts, Outcome, Status, Timings, Value

_LAST_LINE_BYTES = 200


class Before(Value):
    """What came before the program."""

    queue_seconds: float
    install_seconds: float | None = None
    """None if no packages were asked for."""
    compile_seconds: float | None = None
    """None if there was nothing to compile."""
    compilation: Compilation | None = None
    cpu_seconds: float = 0.0
    """CPU time that it took, as far as it was done for this run and a cell of its own tells."""


class Failure(Value):
    """Why the program was never started."""

    status: Status
    facts: Facts
    """How the step ended that had to succeed first."""
    output: bytes
    """What it said."""
    truncated: bool = False
    """It said more."""


def conclude(ending: Ending, before: Before, *, run_id: str, language: str) -> Outcome:
    """Judge an ending and put it in the caller's words, but for the output itself.

    :raises SandboxError: the facts make no sense
    """
    facts = ending.facts
    return Outcome(
        id=run_id,
        language=language,
        status=judge(facts),
        exit_code=facts.exit_code,
        signal=None if facts.signal is None else signal_name(facts.signal),
        stdout=b"",
        stderr=b"",
        truncated=ending.truncated,
        usage=facts.usage,
        timings=_timings(before, ending.claim_seconds, ending.run_seconds),
        output_files=facts.output_files,
        outputs_missing=facts.outputs_missing,
        outputs_skipped=facts.outputs_skipped,
        compilation=before.compilation,
        network=ending.network,
    )


def never_ran(
    failure: Failure, before: Before, *, run_id: str, language: str, outputs: tuple[str, ...]
) -> Outcome:
    """The outcome of a request that failed before its program could start.

    :param outputs: the files that were to come back
    """
    facts = failure.facts
    return Outcome(
        id=run_id,
        language=language,
        status=failure.status,
        exit_code=facts.exit_code,
        signal=None if facts.signal is None else signal_name(facts.signal),
        stdout=b"",
        stderr=b"",
        truncated=("stderr",) if failure.truncated else (),
        usage=facts.usage,
        timings=_timings(before, claim_seconds=0.0, run_seconds=0.0),
        output_files=(),
        outputs_missing=outputs,
        outputs_skipped=(),
        compilation=before.compilation,
    )


def shortened(output: bytes, most_bytes: int) -> bytes:
    """What a step before the program said, within what the program may write: the beginning, and
    the last line, which may say what stopped it.
    """
    if len(output) <= most_bytes:
        return output
    line = output.rstrip(b"\n").rfind(b"\n") + 1
    kept = min(len(output) - line, most_bytes, _LAST_LINE_BYTES)
    return output[: most_bytes - kept] + output[len(output) - kept :]


def signal_name(number: int) -> str:
    """The name of a signal, such as SIGSEGV, or SIGRTMIN+3: Python names only the ends of the
    real-time range, and a hostile program may be ended by any of it."""
    if signal.SIGRTMIN < number < signal.SIGRTMAX:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def _timings(before: Before, claim_seconds: float, run_seconds: float) -> Timings:
    return Timings(
        queue_seconds=before.queue_seconds,
        install_seconds=before.install_seconds,
        compile_seconds=before.compile_seconds,
        claim_seconds=claim_seconds,
        run_seconds=run_seconds,
    )
