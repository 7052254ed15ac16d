import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.model import Stream
from soulbox_core.sandbox.output import Budget, OutputPipe
from tests.loop import on_loop


@given(st.integers(0, 100), st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary())))
def test_what_passes_never_exceeds_the_budget_and_is_the_beginning(
    output_bytes: int, chunks: list[tuple[Stream, bytes]]
) -> None:
    calls: list[None] = []
    budget = Budget(output_bytes, lambda: calls.append(None))
    passed = b"".join(budget.take(stream, data) for stream, data in chunks)
    everything = b"".join(data for _, data in chunks)
    exceeded = len(everything) > output_bytes
    assert passed == everything[:output_bytes]
    assert bool(budget.truncated) is exceeded
    assert len(calls) == exceeded


def test_each_stream_that_lost_output_is_named_once() -> None:
    budget = Budget(3, lambda: None)
    for stream in ("stdout", "stderr", "stderr"):
        budget.take(stream, b"xx")
    assert budget.truncated == ["stderr"]


def pipe(output_bytes: int = 1000) -> tuple[OutputPipe, list[bytes], int]:
    """A pipe, what it passes on, and a program's copy of the write end."""
    passed: list[bytes] = []
    output = OutputPipe("stdout")
    program = os.dup(output.write_end)
    output.start(Budget(output_bytes, lambda: None), lambda _, data: passed.append(data))
    return output, passed, program


@on_loop
async def test_drain_takes_what_was_written_though_a_writer_lives_on() -> None:
    output, passed, program = pipe()
    os.write(program, b"written")
    output.drain()
    assert passed == [b"written"]
    with pytest.raises(BrokenPipeError):
        os.write(program, b"too late")
    os.close(program)


@on_loop
async def test_drain_ends_at_the_budget_though_more_is_there() -> None:
    output, passed, program = pipe(output_bytes=5)
    os.write(program, b"x" * 100)
    output.drain()
    assert passed == [b"x" * 5]
    os.close(program)


@on_loop
async def test_closing_twice_closes_no_one_elses_descriptor() -> None:
    output, _, program = pipe()
    output.close()
    other = os.open(os.devnull, os.O_RDONLY)  # takes the number that has just become free
    output.close()
    os.fstat(other)
    os.close(other)
    os.close(program)
