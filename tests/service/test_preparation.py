"""What comes before a program: its packages, its artifact, and the memory for both."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from soulbox_core import Compile, Dependencies, Language, Source
from soulbox_core.egress.gateway import Gateway
from soulbox_core.errors import (
    CellLost,
    ContainerError,
    DependenciesRefused,
    InvalidRequest,
    LanguageError,
    Overloaded,
    SandboxError,
)
from soulbox_core.execution.artifacts import ArtifactStore
from soulbox_core.execution.compile_cache import CompileCache
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.installer import Installer
from soulbox_core.model import (
    Chunk,
    Event,
    Facts,
    Finished,
    Limits,
    Outcome,
    OutputFile,
    SourceFile,
    Started,
    Status,
    Step,
)
from soulbox_core.registry import Registry
from soulbox_core.sandbox.port import Sink
from soulbox_core.service.account import Accounts
from soulbox_core.service.admission import Admission
from soulbox_core.service.allotment import Allotments
from soulbox_core.service.builds import Builds, Toolchain
from soulbox_core.service.catalog import Catalog
from soulbox_core.service.idempotency import Idempotency
from soulbox_core.service.installs import Installs, Reach
from soulbox_core.service.policy import Policies
from soulbox_core.service.room import Room, room_of
from soulbox_core.service.runs import Runs
from soulbox_core.settings import DependencySettings, Egress, LimitSettings, Settings
from tests.fakes import FakeSandbox, Program, Spending, Store, facts, hangs, hello, is_lost, prints
from tests.loop import on_loop, settle
from tests.samples import CALLER, language, request

MIB = 1 << 20
LIMITS = LimitSettings()
RUN = room_of(LIMITS.default)
COMPILE = room_of(LIMITS.compile)
INSTALL = room_of(LIMITS.install)
ALL = Room(memory_bytes=8 << 30, processes=1 << 15)
SAID = b"Hello, World!\n"
COMPILED = language(
    compile=Compile(argv=("luac", "-o", "{out}/main", "{entrypoint}")), run=("{artifact}/main",)
)
INSTALLING = language(
    dependencies=Dependencies(
        requirement="([a-z]+)", install=("luarocks", "{requirements}"), env={"AT": "{dependencies}"}
    )
)
OTHER = SourceFile(path="main.lua", content=b"other")
BOTH = language(compile=COMPILED.compile, dependencies=INSTALLING.dependencies)
REACH = Reach(
    settings=DependencySettings(hosts=("registry.test",), deny=("evil",)),
    hosts=frozenset({("registry.test", 443)}),
)


def makes(*files: tuple[str, bytes], says: bytes = b"", **changes: Any) -> Program:
    """A compiler that leaves these files."""
    outputs = tuple(OutputFile(path=path, content=content) for path, content in files)
    said: tuple[tuple[Any, bytes], ...] = (("stdout", says),) if says else ()
    return prints(*said, output_files=outputs, **changes)


async def installs(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
    """A package manager that leaves one file."""
    assert step.into is not None
    (Path(step.into) / "package").write_bytes(b"content")
    return facts()


compiles = makes(("main", b"\x7fELF"))


class House:
    """The service on cells whose programs a test gives, by what they are to do."""

    def __init__(
        self,
        offered: Language = COMPILED,
        *,
        compiler: Program = compiles,
        installer: Program = installs,
        program: Program = hello,
        room: Room = ALL,
        store_bytes: int = 1 << 30,
        reach: Reach | None = REACH,
    ) -> None:
        self.compiler, self.installer, self.program = compiler, installer, program
        self.compiled: list[Step] = []
        self.installed: list[Step] = []
        self.ran: list[Step] = []
        self.sandbox = FakeSandbox(self._serve)
        self.store = Store()
        self.cache = CompileCache(ArtifactStore(self.store.path, max_bytes=store_bytes))
        self.admission = Admission(room=room, queue=4, queue_seconds=60.0)
        executor = Executor(self.sandbox)
        toolchains = {"lua": Toolchain(plugin_version="1", image="lua:1")}
        reaches = {} if reach is None else {"lua": reach}
        installer_ = Installer(self.sandbox, Gateway(Egress()))
        self.runs = Runs(
            Catalog(
                Registry(languages={"lua": offered}, names={"lua": "lua"}),
                self.sandbox,
                executor,
                Limits(),
            ),
            Policies(Settings(limits=LIMITS)),
            Allotments(Spending()),
            self.admission,
            Installs(self.cache, installer_, reaches, toolchains, LIMITS.install),
            Builds(self.cache, executor, {}, toolchains),
            executor,
            Idempotency(60.0, 64 << 20),
            Accounts(),
            LIMITS,
        )

    async def _serve(self, step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
        if step.into is not None:
            self.installed.append(step)
            return await self.installer(step, sink, stdin)
        if step.out is not None:
            self.compiled.append(step)
            return await self.compiler(step, sink, stdin)
        self.ran.append(step)
        return await self.program(step, sink, stdin)

    async def execute(self, **changes: Any) -> Outcome:
        return await self.runs.execute(request(**changes), CALLER)

    async def events(self, **changes: Any) -> list[Event]:
        return [event async for event in self.runs.stream(request(**changes), CALLER)]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Installs, compiles and runs until now."""
        return len(self.installed), len(self.compiled), len(self.ran)

    def assert_empty(self) -> None:
        assert not self.sandbox.live_cells
        assert self.admission.running == self.admission.waiting == 0
        assert self.admission.reserved == Room()


class Gate:
    """A program that waits until it is let go on; then it is another."""

    def __init__(self, then: Program) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self._then = then

    async def __call__(self, step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
        self.reached.set()
        await self.opened.wait()
        return await self._then(step, sink, stdin)


# Compiling


@on_loop
async def test_a_program_is_compiled_once_and_found_again() -> None:
    house = House(compiler=makes(("main", b"x"), says=b"main.lua:1: warning\n"))
    first, second = [await house.execute() for _ in range(2)]
    assert house.counts == (0, 1, 2)
    for outcome, cached in ((first, False), (second, True)):
        assert (outcome.status, outcome.stdout, outcome.stderr) == (Status.OK, SAID, b"")
        assert outcome.compilation is not None
        assert outcome.compilation.cached is cached
        assert outcome.compilation.output == b"main.lua:1: warning\n"
        assert outcome.timings.compile_seconds is not None
        assert outcome.timings.install_seconds is None
    assert house.sandbox.claims == [("lua", True)] + [("lua", True)] * 2
    house.assert_empty()


@on_loop
async def test_another_source_is_another_program() -> None:
    house = House()
    await house.execute()
    await house.execute(files=(OTHER,))
    await house.execute(args=("a",), stdin=b"x", env={"A": "1"}, limits={"processes": 3})
    assert house.counts == (0, 2, 3)


@on_loop
async def test_the_same_source_sent_twice_at_once_is_compiled_once() -> None:
    gate = Gate(compiles)
    house = House(compiler=gate)
    runs = [asyncio.create_task(house.execute()) for _ in range(3)]
    await gate.reached.wait()
    await settle()
    gate.opened.set()
    outcomes = await asyncio.gather(*runs)
    assert house.counts == (0, 1, 3)
    assert [each.status for each in outcomes] == [Status.OK] * 3
    assert not any(each.compilation and each.compilation.cached for each in outcomes)
    house.assert_empty()


@on_loop
async def test_what_is_kept_is_there_after_a_restart() -> None:
    house = House()
    await house.execute()
    await house.cache.close()
    again = House()
    again.cache.store = ArtifactStore(house.store.path, max_bytes=1 << 30)
    outcome = await again.execute()
    assert again.counts == (0, 0, 1)
    assert outcome.compilation is not None
    assert outcome.compilation.cached


@on_loop
async def test_a_failed_compile_is_the_outcome_and_nothing_runs() -> None:
    said = prints(("stdout", b"main.lua:1: "), ("stderr", b"oops\n"), exit_code=2)
    house = House(compiler=said)
    for _ in range(2):  # a failure is not kept
        outcome = await house.execute(outputs=("*.png",))
        assert outcome.status is Status.COMPILE_FAILED
        assert (outcome.exit_code, outcome.signal) == (2, None)
        assert (outcome.stdout, outcome.stderr) == (b"", b"main.lua:1: oops\n")
        assert outcome.compilation is not None
        assert outcome.compilation.output == outcome.stderr
        assert not outcome.compilation.cached
        assert outcome.outputs_missing == ("*.png",)
        assert outcome.timings.run_seconds == outcome.timings.claim_seconds == 0.0
        house.assert_empty()
    assert house.counts == (0, 2, 0)


@on_loop
async def test_a_compile_that_fails_fails_for_all_who_wait_for_it() -> None:
    gate = Gate(prints(("stderr", b"oops"), exit_code=1))
    house = House(compiler=gate)
    runs = [asyncio.create_task(house.execute()) for _ in range(3)]
    await gate.reached.wait()
    await settle()
    gate.opened.set()
    outcomes = await asyncio.gather(*runs)
    assert {(each.status, each.stderr) for each in outcomes} == {(Status.COMPILE_FAILED, b"oops")}
    assert house.counts == (0, 1, 0)
    house.assert_empty()


STOPPED: list[tuple[dict[str, Any], str]] = [
    ({"exit_code": None, "signal": 9, "stopped_by": "wall"}, "wall_time_exceeded"),
    ({"exit_code": None, "signal": 9, "stopped_by": "cpu"}, "cpu_time_exceeded"),
    ({"exit_code": None, "signal": 9, "stopped_by": "output"}, "output_exceeded"),
    ({"exit_code": None, "signal": 9, "oom_kills": 1}, "memory_exceeded"),
    ({"oom_kills": 1}, "memory_exceeded"),
    ({"exit_code": 1, "refused_forks": 1}, "process_limit"),
    ({"exit_code": 1, "scratch_full": True}, "scratch_exceeded"),
    ({"exit_code": None, "signal": 11}, "signaled"),
]


@pytest.mark.parametrize(("ending", "why"), STOPPED)
@on_loop
async def test_a_compiler_that_was_stopped_is_told_of_in_the_last_line(
    ending: dict[str, Any], why: str
) -> None:
    house = House(compiler=prints(("stderr", b"main.lua:1: hm"), **ending))
    outcome = await house.execute()
    assert outcome.status is Status.COMPILE_FAILED
    assert outcome.stderr == f"main.lua:1: hm\nthe compiler was stopped: {why}\n".encode()
    assert house.counts == (0, 1, 0)
    house.assert_empty()


@on_loop
async def test_what_was_made_and_is_too_much_is_told_of_in_the_last_line() -> None:
    house = House(compiler=makes(("main", b"x"), outputs_skipped=("large",)))
    outcome = await house.execute()
    assert outcome.status is Status.COMPILE_FAILED
    most = LIMITS.compile.output_file_bytes
    assert outcome.stderr == (
        f"what the compiler made is more than {most} bytes or too many files\n".encode()
    )
    assert house.counts == (0, 1, 0)


UNKEPT = {
    "dots": ("../main", b"x"),
    "absolute": ("/main", b"x"),
    "deep": ("d/" * 100 + "main", b"x"),
    "long": ("d" * 100 + ("/" + "d" * 100) * 30, b"x"),
    "more than the store": ("main", b"x" * (64 << 10)),
}


@pytest.mark.parametrize("name", UNKEPT)
@on_loop
async def test_what_was_made_and_cannot_be_kept_is_no_failure_of_ours(name: str) -> None:
    house = House(compiler=makes(UNKEPT[name]), store_bytes=48 << 10)
    outcome = await house.execute()
    assert outcome.status is Status.COMPILE_FAILED
    assert outcome.stderr.startswith(b"what was made cannot be kept: ")
    assert house.ran == []
    house.assert_empty()


@on_loop
async def test_a_compiler_says_no_more_than_the_program_might_have() -> None:
    said = prints(("stderr", b"first\n" + b"x" * 5000), exit_code=None, signal=9, oom_kills=1)
    outcome = await House(compiler=said).execute(limits={"output_bytes": 100})
    assert len(outcome.stderr) == 100
    assert outcome.stderr.startswith(b"first\nx")
    assert outcome.stderr.endswith(b"the compiler was stopped: memory_exceeded\n")
    assert outcome.truncated == ("stderr",)
    assert outcome.compilation is not None
    assert outcome.compilation.output == outcome.stderr
    warned = House(compiler=makes(("main", b"x"), says=b"w" * 5000))
    for _ in range(2):
        outcome = await warned.execute(limits={"output_bytes": 100})
        assert outcome.compilation is not None
        assert len(outcome.compilation.output) == 100
        assert outcome.truncated == ()


@on_loop
async def test_a_stream_of_a_failed_compile_tells_no_start() -> None:
    house = House(compiler=prints(("stdout", b"oops"), exit_code=1))
    chunk, finished = await house.events()
    assert chunk == Chunk(stream="stderr", data=b"oops")
    assert isinstance(finished, Finished)
    assert finished.outcome.status is Status.COMPILE_FAILED
    assert (finished.outcome.stdout, finished.outcome.stderr) == (b"", b"")
    house.assert_empty()


@on_loop
async def test_a_stream_of_a_failed_compile_without_a_word_has_its_end_alone() -> None:
    (finished,) = await House(compiler=prints(exit_code=1)).events()
    assert isinstance(finished, Finished)


@on_loop
async def test_a_stream_starts_when_the_program_does_and_not_its_compiler() -> None:
    gate = Gate(compiles)
    house = House(compiler=gate)
    async with aclosing(house.runs.stream(request(), CALLER)) as stream:
        first = asyncio.ensure_future(anext(stream))
        await gate.reached.wait()
        await settle()
        assert not first.done()
        gate.opened.set()
        assert isinstance(await first, Started)
        assert await anext(stream) == Chunk(stream="stdout", data=SAID)


@on_loop
async def test_closing_a_stream_ends_the_compile() -> None:
    house = House(compiler=hangs)
    stream = house.runs.stream(request(), CALLER)
    first = asyncio.ensure_future(anext(stream))
    await settle()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await settle()
    assert house.sandbox.cells[0].killed
    house.assert_empty()


@on_loop
async def test_a_run_cancelled_while_it_compiles_leaves_nothing() -> None:
    house = House(compiler=hangs)
    run = asyncio.create_task(house.execute())
    await settle()
    assert house.admission.reserved == COMPILE
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await settle()
    assert house.sandbox.cells[0].killed
    house.assert_empty()
    house.compiler = compiles
    assert (await house.execute()).status is Status.OK
    assert house.counts == (0, 2, 1)


@on_loop
async def test_who_waits_for_a_compile_keeps_it_when_the_one_that_began_it_leaves() -> None:
    gate = Gate(compiles)
    house = House(compiler=gate)
    first = asyncio.create_task(house.execute())
    await gate.reached.wait()
    second = asyncio.create_task(house.execute())
    await settle()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert house.admission.reserved == COMPILE
    gate.opened.set()
    assert (await second).status is Status.OK
    assert house.counts == (0, 1, 1)
    house.assert_empty()


@pytest.mark.parametrize("lost", [is_lost(("stdout", b"x")), is_lost()])
@on_loop
async def test_a_lost_compile_cell_is_our_failure_and_leaves_nothing(lost: Program) -> None:
    house = House(compiler=lost)
    with pytest.raises(CellLost):
        await house.execute()
    with pytest.raises(CellLost):
        await house.events()
    assert house.ran == []
    house.assert_empty()


@on_loop
async def test_a_function_that_fails_is_told_before_anything_is_taken() -> None:
    def broken(source: Source) -> Compile:
        raise ZeroDivisionError

    house = House(language(compile=broken))
    with pytest.raises(LanguageError):
        await house.execute()
    with pytest.raises(LanguageError):
        await house.events()
    with pytest.raises(InvalidRequest):
        await House().execute(options={"no": "such"})
    assert house.sandbox.claims == []
    house.assert_empty()


# Installing


@on_loop
async def test_packages_are_installed_once_and_found_again_by_a_cold_run() -> None:
    house = House(INSTALLING)
    first = await house.execute(dependencies=("b", "a"))
    second = await house.execute(dependencies=("a", "b", "a"))
    assert house.counts == (1, 0, 2)
    assert house.installed[0].argv == ("luarocks", "a", "b")
    assert house.installed[0].files == ()
    for outcome in (first, second):
        assert outcome.status is Status.OK
        assert outcome.timings.install_seconds is not None
        assert outcome.timings.compile_seconds is None
        assert outcome.compilation is None
    assert {cold for _, cold in house.sandbox.claims} == {True}
    layer = house.ran[0].dependencies
    assert layer is not None
    assert layer == house.ran[0].env["AT"] == house.ran[1].dependencies
    key = layer.removeprefix("/store/")
    assert (house.store.path / "lua" / key / "package").read_bytes() == b"content"
    house.assert_empty()


@on_loop
async def test_other_packages_are_another_layer_and_none_is_none() -> None:
    house = House(INSTALLING)
    await house.execute(dependencies=("a",))
    await house.execute(dependencies=("b",))
    await house.execute()
    assert house.counts == (2, 0, 3)
    assert house.ran[0].dependencies != house.ran[1].dependencies
    assert house.ran[2].dependencies is None
    assert "AT" not in house.ran[2].env


@on_loop
async def test_the_operator_s_index_is_the_package_manager_s_and_another_index_another_layer() -> (
    None
):
    layers = []
    for index in ("https://one.test/simple", "https://other.test/simple"):
        settings = msgspec.structs.replace(REACH.settings, env={"PIP_INDEX_URL": index})
        house = House(INSTALLING, reach=msgspec.structs.replace(REACH, settings=settings))
        await house.execute(dependencies=("a",))
        assert house.installed[0].env["PIP_INDEX_URL"] == index
        assert "PIP_INDEX_URL" not in house.ran[0].env
        layers.append(house.ran[0].dependencies)
    assert layers[0] != layers[1]


@on_loop
async def test_the_same_packages_asked_for_twice_at_once_are_installed_once() -> None:
    gate = Gate(installs)
    house = House(INSTALLING, installer=gate)
    runs = [asyncio.create_task(house.execute(dependencies=("a",))) for _ in range(3)]
    await gate.reached.wait()
    await settle()
    gate.opened.set()
    assert {each.status for each in await asyncio.gather(*runs)} == {Status.OK}
    assert house.counts == (1, 0, 3)
    house.assert_empty()


@pytest.mark.parametrize(
    ("reach", "asked", "said"),
    [
        (None, "a", "languages.lua.dependencies.hosts"),
        (REACH, "evil", "not one of the packages allowed"),
        (REACH, "../a", "is not a package of"),
    ],
)
@on_loop
async def test_packages_that_are_refused_cost_nothing(
    reach: Reach | None, asked: str, said: str
) -> None:
    house = House(INSTALLING, reach=reach)
    with pytest.raises(DependenciesRefused, match=said):
        await house.execute(dependencies=(asked,))
    assert house.sandbox.claims == []
    house.assert_empty()


@on_loop
async def test_a_language_without_a_package_manager_refuses_them() -> None:
    with pytest.raises(DependenciesRefused, match="no package manager"):
        await House(COMPILED).execute(dependencies=("a",))


FAILURES: list[tuple[dict[str, Any], bytes]] = [
    ({"exit_code": 1}, b"no such package"),
    (
        {"exit_code": None, "signal": 9, "stopped_by": "wall"},
        b"no such package\nthe install was stopped: wall_time_exceeded\n",
    ),
    (
        {"oom_kills": 1},
        b"no such package\nthe install was stopped: memory_exceeded\n",
    ),
    (
        {"outputs_skipped": ("large",)},
        b"no such package\nthe packages have more than %d bytes, or too many files\n"
        % LIMITS.install.output_file_bytes,
    ),
]


@pytest.mark.parametrize(("ending", "said"), FAILURES)
@on_loop
async def test_a_failed_install_is_the_outcome_and_nothing_else_happens(
    ending: dict[str, Any], said: bytes
) -> None:
    house = House(BOTH, installer=prints(("stderr", b"no such package"), **ending))
    outcome = await house.execute(dependencies=("a",), outputs=("x",))
    assert outcome.status is Status.INSTALL_FAILED
    assert (outcome.stdout, outcome.stderr) == (b"", said)
    assert outcome.compilation is None
    assert outcome.outputs_missing == ("x",)
    assert outcome.timings.install_seconds is not None
    assert outcome.timings.compile_seconds is None
    assert house.counts == (1, 0, 0)
    house.assert_empty()
    house.installer = installs
    assert (await house.execute(dependencies=("a",))).status is Status.OK
    await house.cache.close()
    assert drafts(house) == []


@on_loop
async def test_a_stream_of_a_failed_install_tells_no_start() -> None:
    house = House(INSTALLING, installer=prints(("stdout", b"oops"), exit_code=1))
    chunk, finished = await house.events(dependencies=("a",))
    assert chunk == Chunk(stream="stderr", data=b"oops")
    assert isinstance(finished, Finished)
    assert finished.outcome.status is Status.INSTALL_FAILED


@on_loop
async def test_packages_come_before_the_compiler_which_finds_them_too() -> None:
    house = House(BOTH)
    await house.execute(dependencies=("a",))
    await house.execute()
    assert house.counts == (1, 2, 2)
    assert house.compiled[0].env["AT"] == house.ran[0].dependencies
    assert "AT" not in house.compiled[1].env
    house.assert_empty()


async def leaves_deep(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
    assert step.into is not None
    top = Path(step.into).joinpath(*["d"] * 80)
    top.mkdir(parents=True)
    (top / "file").touch()
    return facts()


@on_loop
async def test_packages_that_cannot_be_kept_are_no_failure_of_ours() -> None:
    house = House(INSTALLING, installer=leaves_deep)
    outcome = await house.execute(dependencies=("a",))
    assert outcome.status is Status.INSTALL_FAILED
    assert outcome.stderr.startswith(b"what was made cannot be kept: ")
    house.assert_empty()
    await house.cache.close()
    assert drafts(house) == []


def drafts(house: House) -> list[Path]:
    """What is left of what was to become an artifact."""
    return list((house.store.path / ".tmp").iterdir())


@on_loop
async def test_a_run_cancelled_while_it_installs_leaves_nothing() -> None:
    house = House(INSTALLING, installer=hangs)
    run = asyncio.create_task(house.execute(dependencies=("a",)))
    await reached(lambda: bool(house.installed))
    assert house.admission.reserved == INSTALL
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await house.cache.close()
    assert house.sandbox.cells[0].killed
    assert drafts(house) == []
    house.assert_empty()


@on_loop
async def test_a_lost_install_cell_is_our_failure_and_leaves_nothing() -> None:
    house = House(INSTALLING, installer=is_lost())
    with pytest.raises(CellLost):
        await house.execute(dependencies=("a",))
    await house.cache.close()
    assert drafts(house) == []
    house.assert_empty()


# Memory


def watching(house: House, seen: list[Room], then: Program) -> Program:
    """A program that looks at what is reserved."""

    async def program(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
        seen.append(house.admission.reserved)
        return await then(step, sink, stdin)

    return program


@on_loop
async def test_memory_is_set_aside_for_the_largest_step_and_then_for_what_runs() -> None:
    house = House(BOTH)
    seen: list[Room] = []
    house.installer = watching(house, seen, installs)
    house.compiler = watching(house, seen, compiles)
    house.program = watching(house, seen, hello)
    await house.execute(dependencies=("a",))
    assert seen == [INSTALL, INSTALL, RUN]
    seen.clear()
    await house.execute()
    assert seen == [COMPILE, RUN]
    seen.clear()
    await house.execute()
    await house.execute(dependencies=("a",))
    assert seen == [RUN, RUN]
    house.assert_empty()


@on_loop
async def test_a_program_that_may_use_more_than_its_compiler_keeps_its_own() -> None:
    house = House()
    seen: list[Room] = []
    house.compiler = watching(house, seen, compiles)
    house.program = watching(house, seen, hello)
    await house.execute(limits={"memory_bytes": 2 << 30})
    big = room_of(Limits(memory_bytes=2 << 30))
    assert seen == [big | COMPILE, big]
    house.assert_empty()


@on_loop
async def test_what_a_compile_gives_back_lets_the_next_in_while_the_program_runs() -> None:
    house = House(program=hangs, room=COMPILE | Room(processes=1000))
    first = asyncio.create_task(house.execute())
    await reached(lambda: len(house.ran) == 1)
    second = asyncio.create_task(house.execute())
    await reached(lambda: len(house.ran) == 2)
    assert house.admission.reserved == RUN + RUN
    third = asyncio.create_task(house.execute(files=(OTHER,)))
    await settle()
    assert house.admission.waiting == 1  # a compile does not fit beside them
    for run in (first, second):
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    await reached(lambda: len(house.ran) == 3)
    third.cancel()
    with pytest.raises(asyncio.CancelledError):
        await third
    house.assert_empty()


async def reached(condition: Callable[[], bool]) -> None:
    """Wait for what takes a thread of the store's."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110, for want of anything to wait on
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "house",
    [
        lambda: House(compiler=prints(exit_code=1)),
        lambda: House(compiler=is_lost()),
        lambda: House(program=is_lost(("stdout", b"x"))),
        lambda: House(program=prints(exit_code=1)),
        lambda: House(compiler=makes(("../x", b""))),
        lambda: House(INSTALLING, installer=prints(exit_code=1)),
        lambda: House(INSTALLING, installer=is_lost()),
        lambda: House(INSTALLING, program=is_lost(("stdout", b"x"))),
        lambda: House(BOTH, compiler=prints(exit_code=1)),
    ],
)
@on_loop
async def test_every_end_gives_all_memory_back(house: Callable[[], House]) -> None:
    made = house()
    asked = () if made.runs._catalog.language("lua").dependencies is None else ("a",)
    for _ in range(2):
        with suppress(SandboxError):
            await made.execute(dependencies=asked)
        made.assert_empty()


@on_loop
async def test_no_cell_for_a_compile_gives_all_memory_back() -> None:
    house = House()
    house.sandbox._programs = [ContainerError("no container")]
    with pytest.raises(ContainerError):
        await house.execute()
    house.assert_empty()


# Shutting down


@on_loop
async def test_a_compile_under_way_is_waited_for_and_so_is_the_program_after_it() -> None:
    gate = Gate(compiles)
    house = House(compiler=gate)
    run = asyncio.create_task(house.execute())
    await gate.reached.wait()
    house.admission.close()
    with pytest.raises(Overloaded, match="shutting down"):
        await house.execute()
    assert not await house.admission.wait_idle(0.01)
    gate.opened.set()
    assert await house.admission.wait_idle(20)
    assert (await run).status is Status.OK
    house.assert_empty()


@on_loop
async def test_a_compile_that_is_given_up_fails_for_all_who_wait_for_it() -> None:
    house = House(compiler=hangs)
    runs = [asyncio.create_task(house.execute()) for _ in range(2)]
    await settle()
    await house.cache.close()
    for run in runs:
        with pytest.raises(SandboxError):
            await run
    assert house.sandbox.cells[0].killed
    house.assert_empty()
