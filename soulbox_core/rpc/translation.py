"""Between messages and the service's own values."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from soulbox_core.api.events import EVENT_BYTES
from soulbox_core.api.requests import Asked, RequestReader
from soulbox_core.language import Language
from soulbox_core.model import Chunk, Event, Outcome, Sample, Started, Visit
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from soulbox_core.service.catalog import LanguageInfo

_LIMITS = tuple(field.name for field in pb.Limits.DESCRIPTOR.fields)


def asked(message: pb.ExecuteRequest, reader: RequestReader, language: Language) -> Asked:
    """Read a request, by the same rules as a JSON body.

    :raises InvalidRequest: a field is missing or wrong
    :raises TooLarge: too many files, or one too large
    """
    return reader.fields(_fields(message), language)


def _fields(message: pb.ExecuteRequest) -> Mapping[str, Any]:
    """The fields that are there, as those of a JSON body. A map has no order on the wire, and equal
    requests shall be equal."""
    fields: dict[str, Any] = {
        "stdin": {"base64": message.stdin},
        "args": list(message.args),
        "env": dict(sorted(message.env.items())),
        "outputs": list(message.outputs),
        "options": dict(message.options),
        "dependencies": list(message.dependencies),
        "network": {"allow": list(message.network)},
        "mounts": list(message.mounts),
        "usage_events": message.usage_events,
        "limits": {
            name: getattr(message.limits, name) for name in _LIMITS if message.limits.HasField(name)
        },
    }
    if message.HasField("code"):
        fields["code"] = {"base64": message.code}
    if message.files:
        fields["files"] = {
            path: {"base64": content} for path, content in sorted(message.files.items())
        }
    if message.HasField("cache"):
        fields["cache"] = message.cache
    if message.HasField("entrypoint"):
        fields["entrypoint"] = message.entrypoint
    return fields


def events(event: Event) -> Iterator[pb.Event]:
    """What is told of an event; output in pieces that any client takes."""
    if isinstance(event, Chunk):
        for start in range(0, len(event.data), EVENT_BYTES):
            piece = event.data[start : start + EVENT_BYTES]
            yield pb.Event(stdout=piece) if event.stream == "stdout" else pb.Event(stderr=piece)
    elif isinstance(event, Started):
        yield pb.Event(started=pb.Started(id=event.id, language=event.language))
    elif isinstance(event, Sample):
        yield pb.Event(usage=pb.Sample(**msgspec.structs.asdict(event)))
    else:
        yield pb.Event(result=result(event.outcome))


def result(outcome: Outcome) -> pb.Result:
    """What came of a run."""
    message = pb.Result(
        id=outcome.id,
        language=outcome.language,
        status=str(outcome.status),
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        stdout=outcome.stdout,
        stderr=outcome.stderr,
        truncated=outcome.truncated,
        usage=pb.Usage(
            wall_seconds=outcome.usage.wall_seconds,
            cpu_seconds=outcome.usage.cpu_seconds,
            memory_peak_bytes=outcome.usage.memory_peak_bytes,
        ),
        timings=pb.Timings(
            queue_seconds=outcome.timings.queue_seconds,
            install_seconds=outcome.timings.install_seconds,
            compile_seconds=outcome.timings.compile_seconds,
            claim_seconds=outcome.timings.claim_seconds,
            run_seconds=outcome.timings.run_seconds,
        ),
        files=[
            pb.File(path=_printable(file.path), content=file.content)
            for file in outcome.output_files
        ],
        outputs_missing=outcome.outputs_missing,
        outputs_skipped=[_printable(path) for path in outcome.outputs_skipped],
        replayed=outcome.replayed,
    )
    if outcome.compilation is not None:
        message.compilation.cached = outcome.compilation.cached
        message.compilation.output = outcome.compilation.output
    if outcome.network is not None:
        message.network.visits.extend(map(_visit, outcome.network))
        message.network.SetInParent()  # also of one that went nowhere
    if outcome.hit is not None:
        message.cache.key = outcome.hit.key
        message.cache.level = outcome.hit.level
        message.cache.age_seconds = outcome.hit.age_seconds
    return message


def language(info: LanguageInfo) -> pb.Language:
    """What a caller may know of a language."""
    return pb.Language(
        name=info.name,
        title=info.title,
        aliases=info.aliases,
        version=info.version,
        ready=info.ready,
        preloads=info.preloads,
        source_file=info.source_file,
        compiled=info.compiled,
        dependencies=info.dependencies,
        options=[
            pb.Option(name=each.name, description=each.description, values=each.values)
            for each in info.options
        ],
    )


def _visit(visit: Visit) -> pb.Visit:
    return pb.Visit(
        host=visit.host,
        port=visit.port,
        allowed=visit.allowed,
        connections=visit.connections,
        sent_bytes=visit.sent_bytes,
        received_bytes=visit.received_bytes,
    )


def _printable(path: str) -> str:
    """A name that is not UTF-8 holds lone surrogates (PEP 383), which no message can."""
    return path.encode("utf-8", "replace").decode()
