"""Making sure of a run's artifact before it runs: from the cache, or by one compile step."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

from soulbox_core.errors import ArtifactError
from soulbox_core.execution.cache_key import KeyParts, cache_key
from soulbox_core.execution.compile_cache import Build as Work
from soulbox_core.execution.compile_cache import Built, CompileCache, Obtained
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.helper import HelperRequest, Helpers
from soulbox_core.execution.outputs import Transcript
from soulbox_core.execution.plan import Compiling, Plan
from soulbox_core.execution.verdict import made, stopped
from soulbox_core.model import Compilation, Facts, Status, Step, Usage, Value
from soulbox_core.sandbox.port import Kind
from soulbox_core.service.room import Room, room_of

_COMPILER = "the compiler"
_STOPPED = {
    "wall": Status.WALL_TIME_EXCEEDED,
    "memory": Status.MEMORY_EXCEEDED,
    "output": Status.OUTPUT_EXCEEDED,
}


class Toolchain(Value):
    """What a language's compiler is, in versions."""

    plugin_version: str
    image: str


class Build(Value):
    """What came of a plan's compile step."""

    compilation: Compilation
    failure: Facts | None
    """How the compiler ended, if there is no artifact."""
    cpu_seconds: float = 0.0
    """What it took, if it was done for who asked and in a cell of its own."""


class Builds:
    """Compiles through the cache; equal compile steps at one time are one.

    :param helpers: compile helpers of the languages that have one
    :param toolchains: what else decides on what a language's compiler makes
    """

    def __init__(
        self,
        cache: CompileCache,
        executor: Executor,
        helpers: Mapping[str, Helpers],
        toolchains: Mapping[str, Toolchain],
    ) -> None:
        self._cache = cache
        self._executor = executor
        self._helpers = helpers
        self._toolchains = toolchains
        self.obtained: Counter[str] = Counter()
        """How the artifacts of runs came about, see `Obtained.way`."""

    def key(self, language: str, kind: Kind, step: Step) -> str:
        """Name the artifact of a compile step by all that it is made of."""
        toolchain = self._toolchains[language]
        parts = KeyParts(
            language=language,
            plugin_version=toolchain.plugin_version,
            image=toolchain.image,
            argv=step.argv,
            env=step.env,
            entrypoint=step.entrypoint,
            files=step.files,
            hidden=kind.hidden,
        )
        return cache_key(self._cache.store.secret, parts)

    def room(self, plan: Plan) -> Room:
        """What the plan's compile step will take, as far as can be told now.

        Nothing if the artifact is there, and nothing with a helper, whose room no run reserves: it
        is taken off what there is for cells when the service starts.
        """
        compiling = plan.compiling
        if compiling is None or plan.language in self._helpers:
            return Room()
        if self._cache.store.has(plan.language, compiling.key):
            return Room()
        return room_of(compiling.step.limits)

    @asynccontextmanager
    async def artifact(self, plan: Plan) -> AsyncIterator[Build | None]:
        """Have the artifact in its place for the time of the context; None needs none.

        :raises SandboxError: our failure
        """
        compiling = plan.compiling
        if compiling is None:
            yield None
            return

        async def build() -> Built:
            if plan.language in self._helpers:
                return await self._ask_helper(self._helpers[plan.language], compiling)
            return await self._run(plan.language, compiling)

        async with AsyncExitStack() as stack:
            obtained = await obtain(stack, self._cache, plan.language, compiling.key, build)
            self.obtained[obtained.way] += 1
            yield Build(
                compilation=Compilation(cached=obtained.cached, output=obtained.output),
                failure=obtained.failure,
                cpu_seconds=obtained.cpu_seconds,
            )

    async def _run(self, language: str, compiling: Compiling) -> Built:
        """Compile in a cell of its own."""
        output = Transcript()
        plan = Plan(language=language, step=compiling.step, kind=compiling.kind)
        ending = await self._executor.run(plan, output)
        facts, most_bytes = ending.facts, compiling.step.limits.output_file_bytes
        too_much = f"what the compiler made is more than {most_bytes} bytes or too many files"
        ok, said = made(facts, _COMPILER, too_much)
        output.add(said)
        if not ok:
            return Built(ok=False, output=output.content, facts=facts)
        return Built(ok=True, files=facts.output_files, output=output.content, facts=facts)

    async def _ask_helper(self, helpers: Helpers, compiling: Compiling) -> Built:
        step = compiling.step
        asked_at = perf_counter()
        answer = await helpers.compile(
            HelperRequest(argv=step.argv, entrypoint=step.entrypoint, files=step.files)
        )
        seconds = perf_counter() - asked_at
        if answer.ok:
            return Built(ok=True, files=answer.files, output=answer.output)
        transcript = Transcript()
        transcript("stderr", answer.output)
        if answer.stopped_by is not None:
            transcript.add(stopped(_COMPILER, _STOPPED[answer.stopped_by]))
        return Built(ok=False, output=transcript.content, facts=_failed(seconds))


async def obtain(
    stack: AsyncExitStack, cache: CompileCache, language: str, key: str, work: Work
) -> Obtained:
    """Obtain an artifact for the time of the stack. What a step left behind is a program's
    doing, so that it cannot be kept is a failure of the step, and not ours.

    :raises SandboxError: our failure
    """
    try:
        return await stack.enter_async_context(cache.obtain(language, key, work))
    except ArtifactError as error:
        output = f"what was made cannot be kept: {error}\n".encode()
        built = Built(ok=False, output=output, facts=_failed(0.0))
        return Obtained(artifact=None, built=built, cached=False)


def _failed(seconds: float) -> Facts:
    """The facts of a step that failed without a process of its own that did."""
    return Facts(
        exit_code=1,
        signal=None,
        stopped_by=None,
        oom_kills=0,
        refused_forks=0,
        scratch_full=False,
        usage=Usage(wall_seconds=seconds, cpu_seconds=0.0, memory_peak_bytes=0),
    )
