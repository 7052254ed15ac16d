"""What a streamed run tells, event by event; the same objects in every streaming format."""

import codecs
from collections.abc import Iterator

import msgspec

from soulbox_core.api.answers import answer_of, text_of
from soulbox_core.api.problems import Problem, problem_for
from soulbox_core.api.schema import Answer, Encoding
from soulbox_core.model import Chunk, Event, Finished, Sample, Started, Stream, Value

EVENT_BYTES = 48 << 10
"""Most output in one event. JSON and base64 make up to six times as much of it, and what has
been given to the server to send is out of our hands."""


class Told(Value, tag_field="event"):
    """Base of the events."""


class StartedEvent(Told, tag="started"):
    """The program starts."""

    id: str
    language: str


class StdoutEvent(Told, tag="stdout"):
    """The program wrote to stdout."""

    data: str


class StderrEvent(Told, tag="stderr"):
    """The program wrote to stderr."""

    data: str


class UsageEvent(Told, tag="usage"):
    """What the program uses at this moment, counted from its start; told by option."""

    wall_seconds: float
    cpu_seconds: float
    memory_bytes: int
    processes: int
    """Processes and threads."""


_RESULT = [
    (field.name, field.type)
    for field in msgspec.structs.fields(Answer)
    if field.name not in ("stdout", "stderr")
]
ResultEvent = msgspec.defstruct(
    "ResultEvent",
    _RESULT,
    bases=(Told,),
    tag="result",
    frozen=True,
    kw_only=True,
    namespace={"__doc__": "What came of the run: the answer, without what was told already."},
)


class ErrorEvent(Problem, tag_field="event", tag="error"):
    """We failed after the run had begun: problem details. There is no result."""


def error_event(error: Exception, request_id: str) -> ErrorEvent:
    """Word our own failure as the last event."""
    return ErrorEvent(**msgspec.structs.asdict(problem_for(error, request_id)))


def name_of(event: msgspec.Struct) -> str:
    """The event's name, as its JSON has it in `event`."""
    return str(event.__struct_config__.tag)


class Teller:
    """Words a run's events for one client.

    A character may be split between two chunks of output, so text is decoded incrementally
    and a chunk that completes no character tells nothing yet.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {"stdout": decoder("replace"), "stderr": decoder("replace")}

    def tell(self, event: Event) -> Iterator[msgspec.Struct]:
        """Word one event: none, one or, at the end, a few."""
        if isinstance(event, Chunk):
            yield from self._output(event.stream, event.data)
        elif isinstance(event, Started):
            yield StartedEvent(id=event.id, language=event.language)
        elif isinstance(event, Sample):
            yield UsageEvent(**msgspec.structs.asdict(event))
        else:
            yield from self._result(event)

    def _output(self, stream: Stream, data: bytes, final: bool = False) -> Iterator[msgspec.Struct]:
        for start in range(0, len(data) or 1, EVENT_BYTES):
            piece = data[start : start + EVENT_BYTES]
            if self._encoding == "base64":
                text = text_of(piece, "base64")
            else:
                text = self._decoders[stream].decode(piece, final)
            if text:
                yield StdoutEvent(data=text) if stream == "stdout" else StderrEvent(data=text)

    def _result(self, event: Finished) -> Iterator[msgspec.Struct]:
        yield from self._output("stdout", b"", final=True)
        yield from self._output("stderr", b"", final=True)
        answer = answer_of(event.outcome, self._encoding)
        yield ResultEvent(**{name: getattr(answer, name) for name, _ in _RESULT})
