import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import pytest

from soulbox_core.errors import (
    CellLost,
    ContainerError,
    InvalidRequest,
    LimitAboveCeiling,
    Overloaded,
    RequestError,
    UnknownLanguage,
)
from soulbox_core.execution.executor import Executor
from soulbox_core.model import Chunk, Event, Facts, Finished, Limits, Started, Status, Step
from soulbox_core.registry import Registry
from soulbox_core.report import Report
from soulbox_core.sandbox.port import Sink
from soulbox_core.service.account import Accounts
from soulbox_core.service.admission import Admission
from soulbox_core.service.allotment import Allotments
from soulbox_core.service.catalog import Catalog
from soulbox_core.service.idempotency import Idempotency
from soulbox_core.service.policy import Policies
from soulbox_core.service.room import Room
from soulbox_core.service.runs import Runs
from soulbox_core.settings import LimitSettings, Settings
from tests.fakes import (
    FakeSandbox,
    Program,
    Spending,
    Store,
    echoes,
    facts,
    hangs,
    hello,
    is_lost,
    preparing,
    prints,
)
from tests.loop import on_loop, settle
from tests.samples import CALLER, language, request

MIB = 1 << 20


class House:
    """The service, on a fake sandbox whose programs a test gives."""

    def __init__(
        self,
        *programs: Program | Exception,
        memory_bytes: int = 1024 * MIB,
        processes: int = 300,
        queue: int = 4,
        output_bytes: int = 0,
    ) -> None:
        self.reports: list[Report] = []
        self.torn: list[str] = []
        limits = LimitSettings()
        self.sandbox = FakeSandbox(*programs)
        executor = Executor(self.sandbox)
        self.store = Store()
        lua = language(aliases=("l",))
        registry = Registry(languages={"lua": lua}, names={"lua": "lua", "l": "lua"})
        room = Room(memory_bytes=memory_bytes, processes=processes)
        self.admission = Admission(room=room, queue=queue, queue_seconds=60.0)
        self.runs = Runs(
            Catalog(registry, self.sandbox, executor, Limits()),
            Policies(Settings(limits=limits)),
            Allotments(Spending()),
            self.admission,
            *preparing(self.sandbox, executor, self.store),
            executor,
            Idempotency(60.0, 64 << 20),
            Accounts((self,), output_bytes),
            limits,
        )

    def ended(self, report: Report) -> None:
        self.reports.append(report)

    def torn_down(self, language: str, seconds: float) -> None:
        assert seconds >= 0
        self.torn.append(language)

    def assert_empty(self) -> None:
        assert not self.sandbox.live_cells
        assert self.admission.running == self.admission.waiting == 0
        assert self.admission.reserved == Room()


async def events(house: House, **changes: Any) -> list[Event]:
    return [event async for event in house.runs.stream(request(**changes), CALLER)]


@on_loop
async def test_hello() -> None:
    house = House(hello)
    outcome = await house.runs.execute(request(), CALLER)
    assert outcome.status is Status.OK
    assert (outcome.exit_code, outcome.signal) == (0, None)
    assert (outcome.stdout, outcome.stderr) == (b"Hello, World!\n", b"")
    assert outcome.truncated == ()
    assert outcome.language == "lua"
    assert outcome.timings.compile_seconds is None
    house.assert_empty()


@on_loop
async def test_an_alias_runs_and_the_outcome_names_the_language() -> None:
    outcome = await House(hello).runs.execute(request(language="l"), CALLER)
    assert outcome.language == "lua"


@on_loop
async def test_what_a_program_does_is_never_an_exception() -> None:
    house = House(prints(("stderr", b"oops"), exit_code=None, signal=11))
    outcome = await house.runs.execute(request(), CALLER)
    assert (outcome.status, outcome.signal, outcome.stderr) == (Status.SIGNALED, "SIGSEGV", b"oops")


@on_loop
async def test_the_cell_gets_the_caller_s_limits_and_the_default_for_the_rest() -> None:
    house = House(hello)
    await house.runs.execute(request(limits={"processes": 3.0}), CALLER)
    step = house.sandbox.cells[0].step
    assert step is not None
    assert step.limits == Limits(processes=3)
    assert not step.live


@on_loop
async def test_output_over_the_limit() -> None:
    house = House(prints(("stdout", b"x" * 100)))
    outcome = await house.runs.execute(request(limits={"output_bytes": 10}), CALLER)
    assert outcome.status is Status.OUTPUT_EXCEEDED
    assert outcome.stdout == b"x" * 10
    assert outcome.truncated == ("stdout",)


REFUSED = [
    ({"language": "cobol"}, UnknownLanguage),
    ({"limits": {"memory_bytes": 1 << 50}}, LimitAboveCeiling),
    ({"limits": {"cpus": -1}}, InvalidRequest),
    ({"limits": {"memory_bytes": 2 << 30}}, LimitAboveCeiling),  # more than admission has
    ({"limits": {"processes": 300}}, LimitAboveCeiling),
]


@pytest.mark.parametrize(("changes", "error"), REFUSED)
@on_loop
async def test_a_refused_request_claims_no_cell(
    changes: dict[str, Any], error: type[RequestError]
) -> None:
    house = House(hello)
    with pytest.raises(error):
        await house.runs.execute(request(**changes), CALLER)
    with pytest.raises(error):
        await anext(house.runs.stream(request(**changes), CALLER))
    assert house.sandbox.claims == []
    house.assert_empty()


@pytest.mark.parametrize("short", [{"memory_bytes": 300 * MIB}, {"processes": 80}])
@on_loop
async def test_runs_take_turns_when_room_is_short(short: dict[str, int]) -> None:
    house = House(hangs, hello, **short, queue=1)
    first = asyncio.create_task(house.runs.execute(request(), CALLER))
    await settle()
    second = asyncio.create_task(house.runs.execute(request(), CALLER))
    await settle()
    assert len(house.sandbox.cells) == 1
    with pytest.raises(Overloaded):
        await house.runs.execute(request(), CALLER)
    with pytest.raises(Overloaded):
        await anext(house.runs.stream(request(), CALLER))
    first.cancel()
    assert (await second).status is Status.OK
    house.assert_empty()


@on_loop
async def test_a_cancelled_run_is_killed_and_makes_room() -> None:
    house = House(hangs)
    run = asyncio.create_task(house.runs.execute(request(), CALLER))
    await settle()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert house.sandbox.cells[0].killed
    house.assert_empty()


@on_loop
async def test_our_failure_is_an_error_and_makes_room() -> None:
    house = House(is_lost(("stdout", b"x")))
    with pytest.raises(CellLost):
        await house.runs.execute(request(), CALLER)
    house.assert_empty()


@on_loop
async def test_live_stdin_is_fed_as_it_comes() -> None:
    async def typed() -> AsyncIterator[bytes]:
        yield b"one\n"
        yield b"two\n"

    house = House(echoes)
    assert (await house.runs.execute(request(), CALLER, typed())).stdout == b"one\ntwo\n"
    chunks = [
        e async for e in house.runs.stream(request(), CALLER, typed()) if isinstance(e, Chunk)
    ]
    assert b"".join(chunk.data for chunk in chunks) == b"one\ntwo\n"


@on_loop
async def test_a_stream_starts_tells_output_and_finishes() -> None:
    house = House(prints(("stdout", b"a"), ("stderr", b"b"), exit_code=3))
    started, *chunks, finished = await events(house)
    assert isinstance(started, Started)
    assert chunks == [Chunk(stream="stdout", data=b"a"), Chunk(stream="stderr", data=b"b")]
    assert isinstance(finished, Finished)
    assert finished.outcome.id == started.id
    assert finished.outcome.status is Status.FAILED
    assert (finished.outcome.stdout, finished.outcome.stderr) == (b"", b"")
    step = house.sandbox.cells[0].step
    assert step is not None
    assert step.live
    house.assert_empty()


@on_loop
async def test_a_streamed_run_over_its_output_limit_says_so() -> None:
    *_, finished = await events(House(prints(("stdout", b"x" * 99))), limits={"output_bytes": 9})
    assert isinstance(finished, Finished)
    assert finished.outcome.status is Status.OUTPUT_EXCEEDED
    assert finished.outcome.truncated == ("stdout",)


@on_loop
async def test_a_chunk_is_told_while_the_program_goes_on() -> None:
    async def talks(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
        sink("stdout", b"thinking...")
        return await hangs(step, sink, stdin)

    house = House(talks)
    async with aclosing(house.runs.stream(request(), CALLER)) as stream:
        assert isinstance(await anext(stream), Started)
        assert await anext(stream) == Chunk(stream="stdout", data=b"thinking...")
        assert house.sandbox.live_cells
    assert house.sandbox.cells[0].killed
    house.assert_empty()


@on_loop
async def test_closing_a_stream_in_the_queue_leaves_the_queue() -> None:
    house = House(hangs, memory_bytes=300 * MIB)
    first = house.runs.stream(request(), CALLER)
    await anext(first)
    second = house.runs.stream(request(), CALLER)
    waiting = asyncio.ensure_future(anext(second))
    await settle()
    assert house.admission.waiting == 1
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await first.aclose()
    house.assert_empty()


@on_loop
async def test_a_cancelled_reader_kills_the_cell() -> None:
    house = House(hangs)
    reader = asyncio.create_task(events(house))
    await settle()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert house.sandbox.cells[0].killed
    house.assert_empty()


async def writes_x_50_times(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
    for _ in range(50):
        sink("stdout", b"x")
        await asyncio.sleep(0)
    return facts()


@on_loop
async def test_a_slow_reader_holds_up_neither_the_program_nor_the_next_run() -> None:
    house = House(writes_x_50_times)
    stream = house.runs.stream(request(), CALLER)
    await anext(stream)
    assert await house.admission.wait_idle(60)
    house.assert_empty()
    *chunks, finished = [event async for event in stream]
    assert b"".join(chunk.data for chunk in chunks if isinstance(chunk, Chunk)) == b"x" * 50
    assert isinstance(finished, Finished)


@on_loop
async def test_our_failure_ends_a_stream_after_what_was_said() -> None:
    house = House(is_lost(("stdout", b"x")))
    seen: list[Event] = []

    async def read() -> None:
        async for event in house.runs.stream(request(), CALLER):
            seen.append(event)

    with pytest.raises(CellLost):
        await read()
    assert [type(event) for event in seen] == [Started, Chunk]
    house.assert_empty()


@on_loop
async def test_a_cell_lost_unused_is_not_seen_in_the_stream() -> None:
    seen = await events(House(is_lost(), hello))
    assert [type(event) for event in seen] == [Started, Chunk, Finished]


@on_loop
async def test_a_run_that_ends_is_reported_once_and_so_is_the_end_of_its_cell() -> None:
    house = House(prints(("stdout", b"out")))
    asked = request(limits={"cpus": 0.5})
    outcome = await house.runs.execute(asked, CALLER)
    (report,) = house.reports
    assert (report.id, report.status, report.failure) == (outcome.id, "ok", None)
    assert (report.request, report.caller) == (asked, CALLER)
    assert report.limits.cpus == 0.5
    assert report.outcome is not None
    assert (report.outcome.usage, report.outcome.stdout) == (outcome.usage, b"")
    assert report.seconds >= outcome.timings.run_seconds
    assert (report.stdout, report.stderr) == (b"", b"")
    assert house.torn == ["lua"]


@on_loop
async def test_a_stream_is_reported_as_any_run_before_its_last_event() -> None:
    house = House(hello)
    async with aclosing(house.runs.stream(request(), CALLER)) as stream:
        async for event in stream:
            assert len(house.reports) == isinstance(event, Finished)


@on_loop
async def test_of_the_output_witnesses_get_as_much_of_each_stream_as_they_want() -> None:
    house = House(prints(("stdout", b"out" * 10), ("stderr", b"err")), output_bytes=4)
    outcome = await house.runs.execute(request(), CALLER)
    assert outcome.stdout == b"out" * 10
    assert (house.reports[0].stdout, house.reports[0].stderr) == (b"outou", b"err")


@on_loop
async def test_a_failure_of_ours_is_reported_by_its_code() -> None:
    house = House(is_lost(), is_lost())
    with pytest.raises(CellLost):
        await house.runs.execute(request(), CALLER)
    (report,) = house.reports
    assert (report.status, report.failure, report.outcome) == ("error", "cell_lost", None)
    assert len(house.torn) == 1


@on_loop
async def test_where_there_was_no_cell_none_is_torn_down() -> None:
    house = House(ContainerError("no cell"))
    with pytest.raises(ContainerError):
        await house.runs.execute(request(), CALLER)
    assert [report.failure for report in house.reports] == ["container_failed"]
    assert house.torn == []


@on_loop
async def test_a_cell_that_is_gone_before_its_run_is_over_took_no_time_to_go() -> None:
    seconds: list[float] = []

    class Watch:
        def ended(self, report: Report) -> None:
            assert report.seconds >= 0.05

        def torn_down(self, language: str, took: float) -> None:
            seconds.append(took)

    account = Accounts((Watch(),)).account("1", request(), CALLER, Limits())
    with account:
        account.started(lambda: None)()
        await asyncio.sleep(0.05)
        account.released(lambda: None)()
    assert seconds == [0.0]


@on_loop
async def test_a_witness_that_fails_spoils_neither_the_run_nor_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        def ended(self, report: Report) -> None:
            raise ValueError("broken")

        def torn_down(self, language: str, seconds: float) -> None:
            raise ValueError("broken")

    house = House(hello)
    told = Accounts((Broken(), house)).account("1", request(), CALLER, Limits())
    with told:
        told.started(lambda: None)()
    told.released(lambda: None)()
    assert len(house.reports) == len(house.torn) == 1
    assert caplog.text.count("Broken failed") == 2


@on_loop
async def test_a_run_whose_client_hangs_up_is_reported_as_cancelled() -> None:
    house = House(hangs)
    task = asyncio.create_task(house.runs.execute(request(), CALLER))
    await settle()
    task.cancel()
    await asyncio.wait((task,))
    (report,) = house.reports
    assert (report.status, report.failure) == ("cancelled", "cancelled")
    assert house.torn == ["lua"]


@on_loop
async def test_what_is_refused_is_no_run() -> None:
    house = House(memory_bytes=MIB)
    with pytest.raises(RequestError):
        await house.runs.execute(request(), CALLER)
    assert house.reports == []


BLOCKING = {
    "import",
    "open",
    "os.listdir",
    "os.scandir",
    "os.system",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "time.sleep",
}


@contextmanager
def blocking_calls() -> Iterator[list[str]]:
    """Collect what the interpreter audits (PEP 578) and would hold up the event loop."""
    seen: list[str] = []
    watching = True

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if watching and event in BLOCKING:
            seen.append(event)

    sys.addaudithook(hook)  # for good: Python has no way to take it back
    try:
        yield seen
    finally:
        watching = False


def test_the_audit_sees_a_blocking_call() -> None:
    with blocking_calls() as seen, open("/dev/null"):
        pass
    assert seen == ["open"]


@on_loop
async def test_a_run_makes_no_call_that_blocks_the_event_loop() -> None:
    house = House(hello, prints(("stdout", b"x"), exit_code=1), hello)
    await house.runs.execute(request(), CALLER)
    with blocking_calls() as seen:
        await house.runs.execute(request(), CALLER)
        await events(house)
    assert seen == []


@on_loop
async def test_a_lone_run_makes_no_task() -> None:
    house = House(prints(("stdout", b"x")))
    tasks: list[str] = []
    loop = asyncio.get_running_loop()

    def factory(
        loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Task[Any]:
        tasks.append(coroutine.__qualname__)
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(factory)
    await house.runs.execute(request(), CALLER)
    assert tasks == []
    await events(house)
    assert tasks == ["Runs._perform"]
