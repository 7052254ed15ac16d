"""From what came of a run to what is told of it."""

from base64 import b64encode

from soulbox_core.api.schema import Answer, AnswerCompile, AnswerFile, Encoding
from soulbox_core.model import Compilation, Outcome, OutputFile


def answer_of(outcome: Outcome, encoding: Encoding) -> Answer:
    """The whole answer to a run."""
    return Answer(
        id=outcome.id,
        language=outcome.language,
        status=outcome.status,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        stdout=text_of(outcome.stdout, encoding),
        stderr=text_of(outcome.stderr, encoding),
        encoding=encoding,
        truncated=outcome.truncated,
        usage=outcome.usage,
        timings=outcome.timings,
        compile=_compile(outcome.compilation, encoding),
        network=outcome.network,
        cache=outcome.hit,
        files=tuple(answer_file(file) for file in outcome.output_files),
        outputs_missing=outcome.outputs_missing,
        outputs_skipped=tuple(_printable(path) for path in outcome.outputs_skipped),
    )


def text_of(data: bytes, encoding: Encoding) -> str:
    """Program data in the encoding that the client asked for."""
    if encoding == "base64":
        return b64encode(data).decode("ascii")
    return data.decode("utf-8", "replace")


def _compile(compilation: Compilation | None, encoding: Encoding) -> AnswerCompile | None:
    if compilation is None:
        return None
    return AnswerCompile(cached=compilation.cached, output=text_of(compilation.output, encoding))


def readable(data: bytes) -> tuple[str, Encoding]:
    """As text, or else as base64."""
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return text_of(data, "base64"), "base64"


def answer_file(file: OutputFile) -> AnswerFile:
    """A file, with its content as text or else as base64."""
    content, encoding = readable(file.content)
    return AnswerFile(
        path=_printable(file.path),
        size_bytes=len(file.content),
        content=content,
        encoding=encoding,
    )


def _printable(path: str) -> str:
    """A name that the program chose: one that is not UTF-8 holds lone surrogates (PEP 383)."""
    return path if path.isascii() else path.encode("utf-8", "replace").decode("utf-8")
