"""From the ending of a run to what the caller is told of it."""

import signal

from soulbox_core.execution.executor import Ending
from soulbox_core.execution.verdict import judge
from soulbox_core.model import Outcome, Timings


def conclude(ending: Ending, *, run_id: str, language: str, queue_seconds: float) -> Outcome:
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
        timings=Timings(
            queue_seconds=queue_seconds,
            claim_seconds=ending.claim_seconds,
            compile_seconds=None,
            run_seconds=ending.run_seconds,
        ),
        output_files=facts.output_files,
        outputs_missing=facts.outputs_missing,
        outputs_skipped=facts.outputs_skipped,
    )


def signal_name(number: int) -> str:
    """The name of a signal, such as SIGSEGV, or SIGRTMIN+3: Python names only the ends of the
    real-time range, and a hostile program may be ended by any of it."""
    if signal.SIGRTMIN < number < signal.SIGRTMAX:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
