import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from soulbox_core.errors import ContainerError, SandboxError
from soulbox_core.execution import helper_pool, helper_process
from soulbox_core.execution.helper import HelperAnswer, HelperRequest, Helpers
from soulbox_core.model import Limits, OutputFile, SourceFile
from tests.execution.helpers import ProcessSandbox, command
from tests.loop import on_loop, settle, until

LIMITS = Limits(
    memory_bytes=1 << 30, wall_seconds=30, output_bytes=64, output_file_bytes=1 << 16, processes=99
)
SOURCE = SourceFile(path="a/main.x", content=b"\x00\xff\n binary")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper_pool, "RETRY_SECONDS", (0.01,))


@asynccontextmanager
async def started(
    sandbox: ProcessSandbox,
    argv: tuple[str, ...] | None = None,
    *,
    limits: Limits = LIMITS,
    count: int = 1,
    compiles: int = 100,
) -> AsyncIterator[Helpers]:
    helpers = Helpers(sandbox, "lua", argv or command(), {"A": "b"}, limits, count, compiles)
    await helpers.start()
    try:
        yield helpers
    finally:
        await helpers.close()
    assert sandbox.alive == []
    assert all(cell.discarded for cell in sandbox.cells)


def request(*argv: str, entrypoint: str = "a/main.x") -> HelperRequest:
    return HelperRequest(argv=argv or ("compile",), entrypoint=entrypoint, files=(SOURCE,))


def by(number: int) -> HelperAnswer:
    """What the helper of this number answers to a plain request."""
    files = (OutputFile(path=SOURCE.path, content=SOURCE.content),)
    return HelperAnswer(ok=True, output=b"helper %d" % number, files=files)


@on_loop
async def test_files_go_there_and_come_back_as_they_are() -> None:
    async with started(ProcessSandbox()) as helpers:
        assert await helpers.compile(request()) == by(1)
        answer = await helpers.compile(request("entrypoint"))
        assert answer.output == b"a/main.x"


@on_loop
async def test_one_helper_does_one_compile_after_the_other() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox) as helpers:
        assert [await helpers.compile(request()) for _ in range(5)] == [by(1)] * 5
        assert sandbox.claims == [("lua", LIMITS.scratch_bytes, True)]


@on_loop
async def test_the_step_has_the_limits_but_for_those_of_a_single_compile() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox):
        step = sandbox.cells[0].step
    assert step is not None
    assert step.argv == command()
    assert step.env == {"A": "b"}
    assert (step.limits.memory_bytes, step.limits.processes) == (1 << 30, 99)
    assert min(step.limits.cpu_seconds, step.limits.wall_seconds, step.limits.output_bytes) >= 10**9


@on_loop
async def test_several_helpers_share_the_work() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox, count=2) as helpers:
        answers = await asyncio.gather(*(helpers.compile(request()) for _ in range(20)))
        assert {answer.output for answer in answers} == {b"helper 1", b"helper 2"}
        assert len(sandbox.cells) == 2


@on_loop
async def test_a_compile_error_is_an_answer() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox) as helpers:
        answer = await helpers.compile(request("refuse"))
        assert answer == HelperAnswer(ok=False, output=b"main.x:1: no")
        assert len(sandbox.cells) == 1


@on_loop
async def test_what_the_compiler_says_is_cut_and_marked() -> None:
    async with started(ProcessSandbox()) as helpers:
        answer = await helpers.compile(request("chat"))
        assert (answer.output, answer.truncated) == ("ä".encode() * 32, True)


@on_loop
async def test_a_slow_compile_is_stopped_and_its_helper_replaced() -> None:
    sandbox = ProcessSandbox()
    limits = Limits(wall_seconds=0.3)
    async with started(sandbox, limits=limits) as helpers:
        assert await helpers.compile(request("hang")) == HelperAnswer(ok=False, stopped_by="wall")
        assert await helpers.compile(request("hang", "1")) == by(2)
        assert sandbox.alive == [2]


@on_loop
async def test_a_compile_that_takes_all_memory_is_not_tried_on_another_helper() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox) as helpers:
        answer = await helpers.compile(request("run_out_of_memory"))
        assert answer == HelperAnswer(ok=False, stopped_by="memory")
        assert await helpers.compile(request("run_out_of_memory", "1")) == by(2)


@pytest.mark.parametrize("fault", ["die", "babble", "lie", "garble", "mojibake", "repeat", "flood"])
@on_loop
async def test_a_helper_at_fault_is_replaced_and_the_request_tried_again(fault: str) -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox) as helpers:
        assert await helpers.compile(request(fault, "1")) == by(2)
        await until(lambda: sandbox.alive == [2])
        assert await helpers.compile(request()) == by(2)


@pytest.mark.parametrize("fault", ["die", "babble", "lie", "garble", "mojibake", "repeat"])
@on_loop
async def test_a_request_that_two_helpers_fail_at_is_given_up(fault: str) -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox) as helpers:
        with pytest.raises(SandboxError, match="lua: the compile helper failed twice"):
            await helpers.compile(request(fault))
        assert await helpers.compile(request()) == by(3)


@on_loop
async def test_the_error_tells_what_the_helper_said() -> None:
    async with started(ProcessSandbox()) as helpers:
        with pytest.raises(SandboxError, match="exited with 1: internal error"):
            await helpers.compile(request("die"))


@on_loop
async def test_an_answer_beyond_all_bounds_is_the_compile_s_own_if_two_helpers_give_it() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox) as helpers:
        answer = await helpers.compile(request("flood"))
        assert answer == HelperAnswer(ok=False, stopped_by="output")
        assert await helpers.compile(request()) == by(3)


@on_loop
async def test_files_beyond_the_limit_are_no_fault_of_the_helper() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox) as helpers:
        assert len((await helpers.compile(request("fill"))).files[0].content) == 1 << 16
        answer = await helpers.compile(request("bloat"))
        assert answer == HelperAnswer(ok=False, stopped_by="output")
        assert len(sandbox.cells) == 1


@on_loop
async def test_a_helper_that_dies_after_its_answer_has_answered() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox) as helpers:
        assert (await helpers.compile(request("die_after"))).output == b"helper 1"
        assert await helpers.compile(request()) == by(2)


@on_loop
async def test_a_helper_that_dies_idle_is_replaced() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox, command("dies_idle")) as helpers:
        await until(lambda: sandbox.alive == [2])
        assert await helpers.compile(request()) == by(2)


@on_loop
async def test_the_successor_is_ready_before_a_helper_goes(tmp_path: Path) -> None:
    sandbox = ProcessSandbox()
    gate = tmp_path / "gate"
    async with started(sandbox, command(gate=gate), compiles=2) as helpers:
        assert [await helpers.compile(request()) for _ in range(2)] == [by(1)] * 2
        await until(lambda: sandbox.alive == [1, 2])
        assert await helpers.compile(request()) == by(1)  # the second is not ready yet
        gate.touch()
        await until(lambda: sandbox.alive == [2])
        assert await helpers.compile(request()) == by(2)


@on_loop
async def test_a_helper_at_work_ends_only_after_its_answer(tmp_path: Path) -> None:
    sandbox = ProcessSandbox()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with started(sandbox, compiles=1) as helpers:
        work = asyncio.create_task(helpers.compile(request("wait", entrypoint=str(fifo))))
        await settle()
        assert await helpers.compile(request()) == by(2)
        assert 1 in sandbox.alive
        await asyncio.to_thread(fifo.write_text, "late")
        assert (await work).output == b"late"
        await until(lambda: 1 not in sandbox.alive)


@on_loop
async def test_many_compiles_with_short_lived_helpers_are_all_answered() -> None:
    sandbox = ProcessSandbox()
    async with started(sandbox, count=2, compiles=3) as helpers:
        answers = await asyncio.gather(*(helpers.compile(request()) for _ in range(60)))
        assert all(answer.ok for answer in answers)
        assert len(sandbox.cells) > 2


@on_loop
async def test_whoever_waits_is_told_when_no_helper_starts() -> None:
    sandbox = ProcessSandbox()
    helpers = Helpers(sandbox, "lua", command("dies"), {}, LIMITS, 1, 100)
    early = asyncio.create_task(helpers.compile(request()))
    await settle()
    await helpers.start()
    for compiling in (early, asyncio.create_task(helpers.compile(request()))):
        with pytest.raises(SandboxError, match="exited with 1: cannot find the compiler"):
            await compiling
    assert not helpers.ready
    await helpers.close()


@on_loop
async def test_a_reason_for_not_starting_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    sandbox = ProcessSandbox()
    async with started(sandbox, command("dies")):
        await until(lambda: len(sandbox.cells) == 4)
    assert [record.message for record in caplog.records] == [
        "lua: no compile helper: it exited with 1: cannot find the compiler"
    ]


@pytest.mark.parametrize(
    ("start", "why"),
    [("says_hello", "its first line was 'hello"), ("hangs", "it was not ready in 0.5 s")],
)
@on_loop
async def test_a_helper_that_does_not_get_ready_is_killed(
    start: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helper_process, "START_SECONDS", 0.5)
    async with started(ProcessSandbox(), command(start)) as helpers:
        with pytest.raises(SandboxError, match=why):
            await helpers.compile(request())


@on_loop
async def test_starting_is_tried_again_until_it_works() -> None:
    sandbox = ProcessSandbox(ContainerError("no container yet"))
    async with started(sandbox, command("dies_once")) as helpers:
        await until(lambda: helpers.ready)
        assert await helpers.compile(request()) == by(2)
        assert len(sandbox.claims) == 3


@on_loop
async def test_a_caller_that_leaves_costs_no_helper_and_gets_nobody_s_answer(
    tmp_path: Path,
) -> None:
    sandbox = ProcessSandbox()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with started(sandbox) as helpers:
        leaving = asyncio.create_task(helpers.compile(request("wait", entrypoint=str(fifo))))
        await settle()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        following = asyncio.create_task(helpers.compile(request()))
        await settle()
        assert not following.done()
        await asyncio.to_thread(fifo.write_text, "for nobody")
        assert await following == by(1)
        assert len(sandbox.cells) == 1


@on_loop
async def test_a_caller_that_leaves_the_queue_is_skipped(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with started(ProcessSandbox()) as helpers:
        first = asyncio.create_task(helpers.compile(request("wait", entrypoint=str(fifo))))
        await settle()
        leaving = asyncio.create_task(helpers.compile(request()))
        staying = asyncio.create_task(helpers.compile(request()))
        await settle()
        leaving.cancel()
        await asyncio.to_thread(fifo.write_text, "go")
        assert (await first).output == b"go"
        assert await staying == by(1)
        assert leaving.cancelled()


@on_loop
async def test_closing_ends_what_is_under_way_and_refuses_what_comes(tmp_path: Path) -> None:
    sandbox = ProcessSandbox()
    helpers = Helpers(sandbox, "lua", command(), {}, LIMITS, 1, 100)
    await helpers.start()
    working = asyncio.create_task(helpers.compile(request("hang")))
    await settle()
    waiting = asyncio.create_task(helpers.compile(request()))
    await settle()
    await helpers.close()
    await helpers.close()
    for compiling in (working, waiting, asyncio.create_task(helpers.compile(request()))):
        with pytest.raises(SandboxError, match="shutting down"):
            await compiling
    assert sandbox.alive == []
    assert sandbox.cells[0].discarded


@on_loop
async def test_closing_while_a_helper_starts_leaves_none_behind() -> None:
    sandbox = ProcessSandbox()
    helpers = Helpers(sandbox, "lua", command("hangs"), {}, LIMITS, 2, 100)
    starting = asyncio.create_task(helpers.start())
    await until(lambda: sandbox.alive == [1, 2])
    starting.cancel()
    await helpers.close()
    assert sandbox.alive == []
