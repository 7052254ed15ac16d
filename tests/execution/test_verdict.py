import signal
from typing import Any

import pytest

from soulbox_core.errors import SandboxError
from soulbox_core.execution.verdict import judge
from soulbox_core.model import Status
from tests.fakes import facts

EXIT_1: dict[str, Any] = {"exit_code": 1}
KILLED: dict[str, Any] = {"exit_code": None, "signal": int(signal.SIGKILL)}
CRASHED: dict[str, Any] = {"exit_code": None, "signal": int(signal.SIGSEGV)}
XCPU: dict[str, Any] = {"exit_code": None, "signal": int(signal.SIGXCPU)}
XFSZ: dict[str, Any] = {"exit_code": None, "signal": int(signal.SIGXFSZ)}
NO_FORK: dict[str, Any] = {"refused_forks": 3}
FULL: dict[str, Any] = {"scratch_full": True}
OOM: dict[str, Any] = {"oom_kills": 1}
EVERYTHING: dict[str, Any] = NO_FORK | FULL


@pytest.mark.parametrize(
    ("given", "status"),
    [
        # The program ended by itself.
        ({}, Status.OK),
        (EXIT_1, Status.FAILED),
        ({"exit_code": 255}, Status.FAILED),
        (CRASHED, Status.SIGNALED),
        (KILLED, Status.SIGNALED),
        ({"exit_code": None, "signal": 40}, Status.SIGNALED),
        # What it was refused explains a bad end, and only a bad end.
        (NO_FORK, Status.OK),
        (FULL, Status.OK),
        (EXIT_1 | NO_FORK, Status.PROCESS_LIMIT),
        (CRASHED | NO_FORK, Status.PROCESS_LIMIT),
        (EXIT_1 | FULL, Status.SCRATCH_EXCEEDED),
        (CRASHED | FULL, Status.SCRATCH_EXCEEDED),
        (EXIT_1 | NO_FORK | FULL, Status.PROCESS_LIMIT),
        (CRASHED | NO_FORK | FULL, Status.PROCESS_LIMIT),
        # The kernel's signals for limits outrank refusals.
        (XCPU, Status.CPU_TIME_EXCEEDED),
        (XFSZ, Status.FILE_SIZE_EXCEEDED),
        (XCPU | EVERYTHING, Status.CPU_TIME_EXCEEDED),
        (XFSZ | EVERYTHING, Status.FILE_SIZE_EXCEEDED),
        # The core's own kill outranks all that the program may have suffered besides.
        (KILLED | {"stopped_by": "wall"}, Status.WALL_TIME_EXCEEDED),
        (KILLED | {"stopped_by": "cpu"}, Status.CPU_TIME_EXCEEDED),
        (KILLED | {"stopped_by": "output"}, Status.OUTPUT_EXCEEDED),
        ({"exit_code": None, "stopped_by": "wall"}, Status.WALL_TIME_EXCEEDED),
        ({"stopped_by": "output"}, Status.OUTPUT_EXCEEDED),
        (EXIT_1 | EVERYTHING | {"stopped_by": "output"}, Status.OUTPUT_EXCEEDED),
        (XCPU | {"stopped_by": "wall"}, Status.WALL_TIME_EXCEEDED),
        (XFSZ | {"stopped_by": "cpu"}, Status.CPU_TIME_EXCEEDED),
        # Memory outranks everything, on either cgroup version.
        (KILLED | OOM, Status.MEMORY_EXCEEDED),
        (OOM, Status.MEMORY_EXCEEDED),
        (EXIT_1 | OOM | EVERYTHING, Status.MEMORY_EXCEEDED),
        (XCPU | OOM, Status.MEMORY_EXCEEDED),
        (XFSZ | OOM, Status.MEMORY_EXCEEDED),
        (KILLED | OOM | {"stopped_by": "wall"}, Status.MEMORY_EXCEEDED),
        (KILLED | OOM | {"stopped_by": "cpu"}, Status.MEMORY_EXCEEDED),
        (KILLED | OOM | {"stopped_by": "output"}, Status.MEMORY_EXCEEDED),
    ],
)
def test_what_ended_the_program_decides(given: dict[str, Any], status: Status) -> None:
    assert judge(facts(**given)) is status


def test_facts_without_an_end_are_our_failure_and_not_the_program_s() -> None:
    with pytest.raises(SandboxError, match="no exit code"):
        judge(facts(exit_code=None))


def test_every_status_can_be_reached() -> None:
    rows = test_what_ended_the_program_decides.pytestmark[0].args[1]
    never_ran = {Status.COMPILE_FAILED, Status.INSTALL_FAILED}
    assert {status for _, status in rows} == set(Status) - never_ran
