import asyncio
import os

import pytest

from soulbox_core.model import Stream
from soulbox_core.sandbox.output import Budget
from soulbox_core.sandbox.stdio import Stdio, once
from tests.loop import on_loop


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("content", [b"known", b"x" * (1 << 20)])
@on_loop
async def test_input_that_is_known_is_a_file_that_nobody_can_change(content: bytes) -> None:
    stdio = Stdio(content)
    stdin = stdio.descriptors[0]
    assert not stdio.fed
    with pytest.raises(PermissionError):
        os.write(stdin, b"changed")
    with pytest.raises(PermissionError):
        os.ftruncate(stdin, 0)
    assert os.pread(stdin, 2 << 20, 0) == content
    stdio.close()


@on_loop
async def test_no_input_is_the_end_at_once() -> None:
    stdio = Stdio(b"")
    assert not stdio.fed
    assert os.read(stdio.descriptors[0], 1) == b""
    stdio.close()


@on_loop
async def test_input_that_is_fed_later_is_a_pipe_that_blocks_the_program_and_not_us() -> None:
    stdio = Stdio(None)
    assert stdio.fed
    os.write(stdio.feed_end, b"later")
    assert os.read(stdio.descriptors[0], 10) == b"later"
    assert os.get_blocking(stdio.descriptors[0])
    assert os.write(stdio.feed_end, b"x" * (1 << 20)) < 1 << 20
    with pytest.raises(BlockingIOError):
        os.write(stdio.feed_end, b"x")
    stdio.close()


@on_loop
async def test_the_end_of_what_is_fed_is_the_end_of_the_program_s_input() -> None:
    stdio = Stdio(None)
    program = os.dup(stdio.descriptors[0])
    stdio.hand_over()
    stdio.close_feed()
    assert not stdio.fed
    assert os.read(program, 1) == b""
    os.close(program)
    stdio.close()


@on_loop
async def test_what_is_handed_over_is_closed_here_and_the_rest_goes_on() -> None:
    stdio = Stdio(None)
    theirs = stdio.descriptors
    program = tuple(os.dup(descriptor) for descriptor in theirs)
    stdio.hand_over()
    assert not any(is_open(descriptor) for descriptor in theirs)
    heard: list[tuple[Stream, bytes]] = []
    budget = Budget(100, lambda: None)
    for pipe in (stdio.stdout, stdio.stderr):
        pipe.start(budget, lambda stream, data: heard.append((stream, data)))
    os.write(program[1], b"out")
    os.write(program[2], b"err")
    while len(heard) < 2:  # noqa: ASYNC110, the loop reads when it comes to it
        await asyncio.sleep(0)
    assert sorted(heard) == [("stderr", b"err"), ("stdout", b"out")]
    stdio.close()
    for descriptor in program:
        os.close(descriptor)


@pytest.mark.parametrize("content", [None, b"", b"known"])
@on_loop
async def test_nothing_is_left_open_and_no_one_else_s_descriptor_is_closed(
    content: bytes | None,
) -> None:
    before = set(os.listdir("/proc/self/fd"))
    stdio = Stdio(content)
    stdio.hand_over()
    stdio.hand_over()
    stdio.close()
    assert set(os.listdir("/proc/self/fd")) == before
    others = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]  # take the numbers that were ours
    stdio.hand_over()
    stdio.close_feed()
    stdio.close()
    for other in others:
        assert is_open(other)
        os.close(other)


@on_loop
async def test_what_a_program_said_before_it_was_let_run_can_be_asked_for() -> None:
    stdio = Stdio(None)
    os.write(stdio.descriptors[2], b"cannot find \xff\n")
    assert stdio.stderr.said() == "cannot find \ufffd"
    assert stdio.stderr.said() == ""
    stdio.close()


@on_loop
async def test_input_known_beforehand_can_be_fed_too() -> None:
    assert [chunk async for chunk in once(b"all")] == [b"all"]
    assert [chunk async for chunk in once(b"")] == []
