import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from soulbox_core.errors import CellLost, ContainerError
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.outputs import Collector
from soulbox_core.execution.plan import Plan, plan
from soulbox_core.model import Facts, Limits, Sample, Step
from soulbox_core.sandbox.port import Kind, Sink, Watcher
from tests.fakes import FakeCell, FakeSandbox, echoes, facts, hangs, hello, is_lost, prints
from tests.loop import on_loop, settle
from tests.samples import allowance, key, language, request

PLAN = plan(request(), language(), allowance(Limits(output_bytes=16)), key)
SAMPLE = Sample(wall_seconds=0.1, cpu_seconds=0.05, memory_bytes=4096, processes=1)


async def chunks(*data: bytes) -> AsyncIterator[bytes]:
    for chunk in data:
        yield chunk


@on_loop
async def test_a_cell_is_claimed_run_and_discarded() -> None:
    sandbox = FakeSandbox(prints(("stdout", b"hi"), exit_code=3))
    output = Collector()
    ending = await Executor(sandbox).run(PLAN, output)
    assert output.stdout == b"hi"
    assert ending.facts == facts(exit_code=3)
    assert ending.truncated == ()
    assert sandbox.claims == [("lua", True)]
    assert sandbox.cells[0].step == PLAN.step
    assert not sandbox.live_cells


@on_loop
async def test_a_plan_for_the_template_claims_a_warm_cell() -> None:
    sandbox = FakeSandbox()
    warm: Plan = plan(request(), language(template=Path("t.py")), allowance(), key)
    await Executor(sandbox).run(warm, Collector())
    assert sandbox.claims == [("lua", False)]


@on_loop
async def test_output_beyond_the_limit_is_cut_and_marked() -> None:
    sandbox = FakeSandbox(prints(("stderr", b"abc"), ("stdout", b"0123456789abcdef")))
    output = Collector()
    ending = await Executor(sandbox).run(PLAN, output)
    assert (output.stdout, output.stderr) == (b"0123456789abc", b"abc")
    assert ending.facts.stopped_by == "output"
    assert ending.truncated == ("stdout",)


@on_loop
async def test_live_stdin_reaches_the_program() -> None:
    output = Collector()
    await Executor(FakeSandbox(echoes)).run(PLAN, output, chunks(b"a", b"b"))
    assert output.stdout == b"ab"


@on_loop
async def test_a_cell_lost_unused_is_replaced_once() -> None:
    sandbox = FakeSandbox(is_lost(), hello)
    output = Collector()
    starts: list[int] = []
    ending = await Executor(sandbox).run(PLAN, output, started=lambda: starts.append(1))
    assert ending.facts.exit_code == 0
    assert output.stdout == b"Hello, World!\n"
    assert len(starts) == 2
    assert len(sandbox.cells) == 2
    assert not sandbox.live_cells


@on_loop
async def test_untouched_live_stdin_is_whole_for_the_second_cell() -> None:
    output = Collector()
    await Executor(FakeSandbox(is_lost(), echoes)).run(PLAN, output, chunks(b"a", b"b"))
    assert output.stdout == b"ab"


@on_loop
async def test_a_cell_lost_in_the_claim_is_replaced_too() -> None:
    sandbox = FakeSandbox(CellLost("gone"), hello)
    assert (await Executor(sandbox).run(PLAN, Collector())).facts == facts()


@on_loop
async def test_a_second_loss_is_the_caller_s_to_know() -> None:
    sandbox = FakeSandbox(is_lost())
    with pytest.raises(CellLost):
        await Executor(sandbox).run(PLAN, Collector())
    assert len(sandbox.cells) == 2
    assert not sandbox.live_cells


@on_loop
async def test_a_program_that_was_heard_is_not_run_again() -> None:
    sandbox = FakeSandbox(is_lost(("stderr", b"x")), hello)
    with pytest.raises(CellLost):
        await Executor(sandbox).run(PLAN, Collector())
    assert len(sandbox.cells) == 1
    assert not sandbox.live_cells


@on_loop
async def test_a_program_that_read_live_stdin_is_not_run_again() -> None:
    sandbox = FakeSandbox(is_lost(reads=True), hello)
    with pytest.raises(CellLost):
        await Executor(sandbox).run(PLAN, Collector(), chunks(b"a"))
    assert len(sandbox.cells) == 1


@on_loop
async def test_a_reader_that_only_waited_for_live_stdin_counts_as_having_read() -> None:
    """Its cancellation closes an async generator: the second cell would see an empty stdin."""
    sandbox = FakeSandbox(is_lost(reads=True), echoes)

    async def late() -> AsyncIterator[bytes]:
        raise CellLost("the cell died while its stdin was awaited")
        yield b"never"

    with pytest.raises(CellLost):
        await Executor(sandbox).run(PLAN, Collector(), late())
    assert len(sandbox.cells) == 1


@on_loop
async def test_a_program_of_which_a_watcher_was_told_is_not_run_again() -> None:
    """What it used would shrink."""

    async def told_of_and_lost(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
        watcher = sandbox.cells[-1].watcher
        assert watcher is not None
        watcher(SAMPLE)
        raise CellLost("the container is gone")

    sandbox = FakeSandbox(told_of_and_lost, hello)
    told: list[Sample] = []
    with pytest.raises(CellLost):
        await Executor(sandbox).run(PLAN, Collector(), watcher=told.append)
    assert told == [SAMPLE]
    assert len(sandbox.cells) == 1


@on_loop
async def test_a_watcher_who_was_told_nothing_is_the_second_cell_s() -> None:
    sandbox = FakeSandbox(is_lost(), hello)
    told: list[Sample] = []
    await Executor(sandbox).run(PLAN, Collector(), watcher=told.append)
    watcher = sandbox.cells[1].watcher
    assert watcher is not None
    watcher(SAMPLE)
    assert told == [SAMPLE]


@on_loop
async def test_without_a_watcher_no_cell_gets_one() -> None:
    sandbox = FakeSandbox(hello)
    await Executor(sandbox).run(PLAN, Collector())
    assert sandbox.cells[0].watcher is None


@on_loop
async def test_a_container_that_cannot_be_made_is_not_tried_twice() -> None:
    sandbox = FakeSandbox(ContainerError("podman is gone"), hello)
    with pytest.raises(ContainerError):
        await Executor(sandbox).run(PLAN, Collector())
    assert len(sandbox.claims) == 1


@on_loop
async def test_cancelling_kills_and_discards_the_cell() -> None:
    sandbox = FakeSandbox(hangs)
    task = asyncio.create_task(Executor(sandbox).run(PLAN, Collector()))
    await settle()
    assert sandbox.live_cells
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sandbox.cells[0].killed
    assert not sandbox.live_cells


# Plans that have a way out

OUT = plan(request(network=("a.test",)), language(), allowance(), key)
ASKS = b"CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n"


class Calling(FakeSandbox):
    """Its programs ask their cell's proxy for a tunnel before anything else."""

    async def claim(self, language: str, kind: Kind) -> FakeCell:
        cell = await super().claim(language, kind)
        run = cell.run

        async def calling(
            step: Step,
            sink: Sink,
            stdin: AsyncIterator[bytes] | None = None,
            watcher: Watcher | None = None,
        ) -> Facts:
            reader, writer = await asyncio.open_connection(*cell.address)
            writer.write(ASKS)
            assert b" 403 " in await reader.readline()
            writer.close()
            return await run(step, sink, stdin, watcher)

        cell.run = calling  # type: ignore[method-assign]  # only here do programs talk
        return cell


@on_loop
async def test_a_run_with_a_way_out_tells_whom_it_asked_for() -> None:
    sandbox = Calling(hello)
    ending = await Executor(sandbox).run(OUT, Collector())
    assert ending.network is not None
    assert [(one.host, one.port, one.allowed) for one in ending.network] == [("b.test", 443, False)]
    assert sandbox.kinds[0].egress
    assert not sandbox.live_cells


@on_loop
async def test_a_run_without_one_tells_of_none() -> None:
    assert (await Executor(FakeSandbox()).run(PLAN, Collector())).network is None


@on_loop
async def test_a_run_that_asked_for_a_host_is_not_run_again() -> None:
    sandbox = Calling(is_lost(), hello)
    with pytest.raises(CellLost):
        await Executor(sandbox).run(OUT, Collector())
    assert len(sandbox.cells) == 1
    assert not sandbox.live_cells


@on_loop
async def test_one_that_asked_for_nothing_is() -> None:
    sandbox = FakeSandbox(is_lost(), hello)
    ending = await Executor(sandbox).run(OUT, Collector())
    assert (len(sandbox.cells), ending.network) == (2, ())


@on_loop
async def test_memory_is_given_back_once_when_a_run_with_a_way_out_is_over() -> None:
    released: list[int] = []
    await Executor(FakeSandbox()).run(OUT, Collector(), released=lambda: released.append(1))
    assert released == [1]
