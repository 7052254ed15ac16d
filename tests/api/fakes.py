"""A service without a sandbox: it runs programs of a tiny language of its own.

A program is lines of a verb and its words, and ends with 0 after the last one:

    out WORDS    write the words to stdout; err to stderr; hex DIGITS bytes to stdout
    zeros COUNT  write that many to stdout
    echo         write stdin to stdout as it comes; args and env write those
    file PATH    leave a file with the bytes ff 00 in it; text PATH one with text
    use BYTES    use that much memory, which is told by option
    exit CODE    end with another code
    hang         never end; pause only takes a while
    refuse KIND  be refused by the service: overloaded
    lose, bug    the cell dies; something in the service breaks
    no-start     break before the first event

Other lines do nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import msgspec

from soulbox_core.errors import (
    CellLost,
    InvalidRequest,
    LimitAboveCeiling,
    Overloaded,
    Unauthenticated,
    UnknownLanguage,
)
from soulbox_core.identity.identity import Grant
from soulbox_core.language import Language
from soulbox_core.model import (
    Caller,
    Chunk,
    Event,
    Finished,
    Outcome,
    OutputFile,
    RunRequest,
    Sample,
    Standing,
    Started,
    Status,
    Timings,
    Usage,
)
from soulbox_core.registry import PluginFault
from soulbox_core.service.catalog import LanguageInfo
from soulbox_core.service.gate import Entry
from soulbox_core.store.records import ApiKey, Execution, ExecutionQuery, UsageOfDay
from tests.loop import settle
from tests.samples import language

RUN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
CEILING = 2 << 30

LUA = language(aliases=("lua5",))


class FakeRuns:
    """Runs programs, and remembers what was asked and what was killed."""

    def __init__(self) -> None:
        self.requests: list[RunRequest] = []
        self.callers: list[Caller] = []
        self.keys: list[str | None] = []
        self.live = 0
        self.killed = 0

    async def execute(
        self,
        request: RunRequest,
        caller: Caller,
        stdin: AsyncIterator[bytes] | None = None,
        idempotency_key: str | None = None,
    ) -> Outcome:
        if request.usage_events:
            raise InvalidRequest("accept a stream", field="usage_events")
        self.keys.append(idempotency_key)
        output = {"stdout": b"", "stderr": b""}
        async for event in self.stream(request, caller, stdin):
            if isinstance(event, Chunk):
                output[event.stream] += event.data
            elif isinstance(event, Finished):
                return msgspec.structs.replace(
                    event.outcome,
                    replayed=idempotency_key is not None and self.keys.count(idempotency_key) > 1,
                    stdout=output["stdout"],
                    stderr=output["stderr"],
                )
        raise AssertionError("a run ends with Finished")

    async def stream(
        self, request: RunRequest, caller: Caller, stdin: AsyncIterator[bytes] | None = None
    ) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        self.callers.append(caller)
        asked = request.limits.get("memory_bytes", 0)
        if asked > CEILING:
            raise LimitAboveCeiling("memory_bytes", asked, CEILING)
        program = _Program(request, stdin)
        if program.lines[0] == ["refuse", "overloaded"]:
            raise Overloaded("the queue is full", retry_after_seconds=7)
        if program.lines[0] == ["no-start"]:
            raise RuntimeError("secret of the service")
        self.live += 1
        try:
            yield Started(id=RUN_ID, language=request.language)
            async for chunk in program.run():
                yield chunk
            yield Finished(outcome=program.outcome())
        except (GeneratorExit, asyncio.CancelledError):
            self.killed += 1
            raise
        finally:
            self.live -= 1


def used(memory_bytes: int) -> Sample:
    """What is told of a program that uses so much."""
    return Sample(wall_seconds=0.1, cpu_seconds=0.05, memory_bytes=memory_bytes, processes=2)


class _Program:
    def __init__(self, request: RunRequest, stdin: AsyncIterator[bytes] | None) -> None:
        source = next(f.content for f in request.files if f.path == request.entrypoint)
        lines = source.decode("utf-8", "replace").split("\n")
        self.lines = [line.split(maxsplit=1) or [""] for line in lines]
        self._request = request
        self._stdin = stdin
        self._exit_code = 0
        self._files: list[OutputFile] = []

    async def run(self) -> AsyncIterator[Chunk | Sample]:
        for verb, *words in self.lines:
            rest = words[0] if words else ""
            match verb:
                case "out":
                    yield Chunk(stream="stdout", data=rest.encode())
                case "err":
                    yield Chunk(stream="stderr", data=rest.encode())
                case "hex":
                    yield Chunk(stream="stdout", data=bytes.fromhex(rest))
                case "zeros":
                    yield Chunk(stream="stdout", data=b"0" * int(rest))
                case "echo":
                    async for data in self._input():
                        yield Chunk(stream="stdout", data=data)
                case "args":
                    yield Chunk(stream="stdout", data=repr(self._request.args).encode())
                case "env":
                    yield Chunk(stream="stdout", data=repr(dict(self._request.env)).encode())
                case "file":
                    self._files.append(OutputFile(path=rest, content=b"\xff\0"))
                case "text":
                    self._files.append(OutputFile(path=rest, content="Grüße".encode()))
                case "use" if self._request.usage_events:
                    yield used(int(rest))
                case "exit":
                    self._exit_code = int(rest)
                case "hang":
                    await asyncio.Event().wait()
                case "pause":
                    await settle()
                case "lose":
                    raise CellLost("container 4711 of /run/user/1000 is gone")
                case "bug":
                    raise RuntimeError("secret of the service")

    async def _input(self) -> AsyncIterator[bytes]:
        if self._stdin is None:
            yield self._request.stdin
        else:
            async for data in self._stdin:
                yield data

    def outcome(self) -> Outcome:
        return Outcome(
            id=RUN_ID,
            language=self._request.language,
            status=Status.FAILED if self._exit_code else Status.OK,
            exit_code=self._exit_code,
            signal=None,
            stdout=b"",
            stderr=b"",
            truncated=("stderr",),
            usage=Usage(wall_seconds=0.5, cpu_seconds=0.25, memory_peak_bytes=1 << 20),
            timings=Timings(
                queue_seconds=0.0,
                install_seconds=None,
                claim_seconds=0.001,
                compile_seconds=None,
                run_seconds=0.5,
            ),
            output_files=tuple(self._files),
            outputs_missing=("*.csv",),
            outputs_skipped=("huge \udcff.bin",),
        )


class FakeCatalog:
    """Offers one language, with one alias."""

    def __init__(self) -> None:
        self.is_ready = True
        self.is_stopping = False

    def entries(self) -> tuple[LanguageInfo, ...]:
        info = LanguageInfo(
            name=LUA.name,
            title=LUA.title,
            aliases=LUA.aliases,
            version="Lua 5.4",
            ready=self.is_ready,
            preloads=LUA.preloads,
            source_file=LUA.source_file,
            options=(),
            compiled=False,
            dependencies=False,
        )
        return (info,)

    def faults(self) -> tuple[PluginFault, ...]:
        return (PluginFault(plugin="cobol", detail="it broke"),)

    def language(self, name: str) -> Language:
        if name not in (LUA.name, *LUA.aliases):
            raise UnknownLanguage(name, (LUA.name,))
        return LUA

    @property
    def stopping(self) -> bool:
        return self.is_stopping

    def ready(self) -> bool:
        return self.is_ready and not self.is_stopping


ANYBODY = Caller(id="address:", scopes=frozenset(("execute",)))


class FakeGate:
    """Lets everybody in, or whoever a test says.

    :param credential: what has to be shown
    """

    def __init__(self, credential: str | None = None) -> None:
        self.refusal: Exception | None = None
        self.caller = ANYBODY
        self.credential = credential
        self.standings: tuple[Standing, ...] = ()
        self.asked: list[tuple[str | None, str, str]] = []

    async def enter(self, credential: str | None, address: str, scope: str) -> Entry:
        self.asked.append((credential, address, scope))
        if self.credential not in (None, credential):
            raise Unauthenticated
        if self.refusal is not None:
            raise self.refusal
        return Entry(caller=self.caller, standings=self.standings)

    async def pass_by(self, address: str) -> tuple[Standing, ...]:
        if self.refusal is not None:
            raise self.refusal
        return self.standings


class FakeIdentity:
    """Has one key, and trades it for tokens without end."""

    def __init__(self) -> None:
        self._key = ApiKey(
            id="0123456789ab",
            digest="0" * 64,
            name="mine",
            scopes=("execute",),
            policy="default",
            created_at=1.0,
        )

    async def grant(self, key_text: str, scopes: tuple[str, ...] | None) -> Grant:
        if key_text != "sbx_good":
            raise Unauthenticated
        return self._granted()

    async def refresh(self, token: str) -> Grant:
        if token != "sbr_good":
            raise Unauthenticated
        return self._granted()

    async def revoke(self, token: str) -> None:
        return None

    async def create_key(
        self, name: str, scopes: tuple[str, ...], policy: str, expires_at: float | None
    ) -> tuple[ApiKey, str]:
        return self._key, "sbx_0123456789ab_secret"

    async def keys(self) -> tuple[ApiKey, ...]:
        return (self._key,)

    async def revoke_key(self, id: str) -> ApiKey | None:
        return self._key if id == self._key.id else None

    def rotate(self) -> str:
        return "0123456789abcdef"

    def jwks(self) -> dict[str, object]:
        return {"keys": [{"kty": "OKP", "kid": "0123456789abcdef"}]}

    def _granted(self) -> Grant:
        return Grant(
            access_token="a.b.c",
            refresh_token="sbr_next",
            expires_in=600.0,
            scopes=("execute",),
        )


class FakeExecutions:
    """Keeps records in memory, and may fail."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.kept: dict[str, Execution] = {}
        self.days: list[UsageOfDay] = []
        self.asked: list[ExecutionQuery] = []
        self.asked_usage: list[tuple[str, str, str]] = []

    async def add(self, batch: str, executions: Sequence[Execution]) -> None:
        self.kept |= {each.id: each for each in executions}

    async def execution(self, id: str) -> Execution | None:
        self._may_fail()
        return self.kept.get(id)

    async def executions(self, query: ExecutionQuery) -> tuple[Execution, ...]:
        self._may_fail()
        self.asked.append(query)
        found = [
            msgspec.structs.replace(each, content=None)
            for _, each in sorted(self.kept.items(), reverse=True)
            if each.caller == query.caller
            and query.language in (None, each.language)
            and query.status in (None, each.status)
            and (query.since is None or each.created_at >= query.since)
            and (query.until is None or each.created_at < query.until)
            and (query.before is None or each.id < query.before)
        ]
        return tuple(found[: query.limit])

    async def usage(self, caller: str, since: str, until: str) -> tuple[UsageOfDay, ...]:
        self._may_fail()
        self.asked_usage.append((caller, since, until))
        return tuple(day for day in self.days if day.caller == caller and since <= day.day <= until)

    async def forget(self, before: float) -> int:
        return 0

    def _may_fail(self) -> None:
        if self.failure is not None:
            raise self.failure
