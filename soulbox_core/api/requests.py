"""From what a client sent to a checked `RunRequest`. No I/O: bytes in, values or a refusal out."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from soulbox_core.api import schema
from soulbox_core.api.decoding import decoded, invalid
from soulbox_core.api.depth import check_depth
from soulbox_core.api.paths import check_path, check_tree
from soulbox_core.api.query import options_from
from soulbox_core.api.schema import Base64, ClientMessage, Content, Options, RunBody
from soulbox_core.errors import InvalidRequest, TooLarge, shown
from soulbox_core.language import Language
from soulbox_core.model import RunRequest, SourceFile, Value
from soulbox_core.settings import LimitSettings, Server

_VARIABLE_NAME = re.compile(schema.VARIABLE_NAME)


class Asked(Value):
    """What the client wants: a run, and how to be told of it."""

    request: RunRequest
    encoding: schema.Encoding

    def output_bytes(self, limits: LimitSettings) -> int:
        """The most output that the run may have, if it is let run at all."""
        asked = self.request.limits.get("output_bytes", limits.default.output_bytes)
        return int(min(asked, limits.ceiling.output_bytes))


class RequestReader:
    """Decodes the two forms of a request, within the operator's bounds."""

    def __init__(self, bounds: Server) -> None:
        self._bounds = bounds
        self._decoder = msgspec.json.Decoder(RunBody)

    def json(self, body: bytes, language: Language) -> Asked:
        """Read a JSON body.

        :raises InvalidRequest: it is not JSON, or a field is missing, unknown or wrong
        :raises TooLarge: too many files, or one too large
        """
        try:
            run = decoded(self._decoder, body)
        except InvalidRequest:
            # What was read is no deeper than its types are; what was not may be, and is told so.
            check_depth(body, self._bounds.json_depth)
            raise
        return self._asked(run, language, *_sources(run, language))

    def fields(self, fields: Mapping[str, Any], language: Language) -> Asked:
        """Take the fields of a JSON body that came in another way, contents as bytes.

        :raises InvalidRequest: a field is missing, unknown or wrong
        :raises TooLarge: too many files, or one too large
        """
        try:
            run = msgspec.convert(fields, RunBody)
        except msgspec.ValidationError as error:
            raise invalid(str(error)) from None
        return self._asked(run, language, *_sources(run, language))

    def source(self, body: bytes, query: bytes, language: Language) -> Asked:
        """Read a body that is the source itself, with its options in the query string.

        :raises InvalidRequest: a parameter is unknown or wrong
        :raises TooLarge: the source is too large
        """
        names = frozenset(option.name for option in language.options)
        options = options_from(query, names) if query else _NO_OPTIONS
        name = language.source_file
        return self._asked(options, language, (SourceFile(path=name, content=body),), name)

    def _asked(
        self, options: Options, language: Language, files: tuple[SourceFile, ...], entrypoint: str
    ) -> Asked:
        self._check_sizes(files)
        _check_arguments(options.args, options.env)
        for pattern in options.outputs:
            check_path(pattern, "outputs")
        request = RunRequest(
            language=language.name,
            files=files,
            entrypoint=entrypoint,
            stdin=as_bytes(options.stdin),
            args=options.args,
            env=options.env,
            limits=msgspec.to_builtins(options.limits),
            outputs=options.outputs,
            options={name: _choice(value) for name, value in options.options.items()},
            dependencies=options.dependencies,
            network=options.network.allow,
            mounts=options.mounts,
            cache=None if options.cache is msgspec.UNSET else options.cache,
            usage_events=options.usage_events,
        )
        return Asked(request=request, encoding=options.encoding)

    def _check_sizes(self, files: tuple[SourceFile, ...]) -> None:
        if len(files) > self._bounds.files:
            raise TooLarge(
                f"{len(files)} files are more than the {self._bounds.files} of one request",
                field="files",
            )
        for file in files:
            if len(file.content) > self._bounds.source_bytes:
                raise TooLarge(
                    f"{shown(file.path)} has {len(file.content)} bytes; "
                    f"a source file may have {self._bounds.source_bytes}",
                    field="files",
                )


_NO_OPTIONS = Options()
_CLIENT_MESSAGE = msgspec.json.Decoder(ClientMessage)


def client_message(text: str) -> tuple[bytes, bool]:
    """Read a WebSocket client's message: what it adds to stdin, and whether stdin ends.

    :raises InvalidRequest: it is neither
    """
    message = decoded(_CLIENT_MESSAGE, text)
    if message.stdin is msgspec.UNSET and not message.eof:
        raise InvalidRequest('a message is {"stdin": ...}, {"eof": true} or binary')
    stdin = b"" if message.stdin is msgspec.UNSET else as_bytes(message.stdin)
    return stdin, message.eof


def check_live(request: RunRequest) -> None:
    """Refuse a request that is to be told as it happens, and asks for an answer from the cache.

    :raises InvalidRequest: it does
    """
    if request.cache:
        raise InvalidRequest(
            "a cached answer has no events; leave cache out, or accept JSON", field="cache"
        )


def as_bytes(content: Content) -> bytes:
    """The bytes that a piece of JSON content stands for."""
    return content.base64 if isinstance(content, Base64) else content.encode()


def _choice(value: str | bool) -> str:
    """An option's value as text: JSON has a way of its own to say yes."""
    return str(value).lower() if isinstance(value, bool) else value


def _sources(run: RunBody, language: Language) -> tuple[tuple[SourceFile, ...], str]:
    """The files of a JSON body, and which of them is run."""
    if (run.code is msgspec.UNSET) == (run.files is msgspec.UNSET):
        raise InvalidRequest("give either code or files", field="code")
    name = None if run.entrypoint is msgspec.UNSET else run.entrypoint
    if run.code is not msgspec.UNSET:
        name = name or language.source_file
        files = {name: run.code}
    else:
        assert run.files is not msgspec.UNSET
        files = run.files
    for path in files:
        check_path(path, "files" if run.code is msgspec.UNSET else "entrypoint")
    check_tree(tuple(files), "files")
    sources = tuple(SourceFile(path=path, content=as_bytes(files[path])) for path in files)
    return sources, _entrypoint(name, files, language)


def _entrypoint(name: str | None, files: Mapping[str, Content], language: Language) -> str:
    if name is not None:
        if name not in files:
            raise InvalidRequest(f"entrypoint {shown(name)} is not in files", field="entrypoint")
        return name
    if len(files) == 1:
        return next(iter(files))
    if language.source_file in files:
        return language.source_file
    raise InvalidRequest(
        f"say which file to run: none of the {len(files)} is named {language.source_file}",
        field="entrypoint",
    )


def _check_arguments(args: Iterable[str], env: Mapping[str, str]) -> None:
    """Refuse what the kernel's execve cannot take, before it does."""
    for name in env:
        if not _VARIABLE_NAME.fullmatch(name):
            raise InvalidRequest(
                f"variable name {shown(name)} must be letters, digits and _, not starting with "
                "a digit",
                field="env",
            )
    texts = (*args, *env.values())
    if any("\0" in text for text in texts):
        raise InvalidRequest("an argument or variable holds a NUL character", field="args")
    size = sum(len(text.encode()) for text in (*texts, *env))
    if size > schema.ARGUMENT_BYTES:
        raise InvalidRequest(
            f"args and env have {size} bytes together; {schema.ARGUMENT_BYTES} are allowed",
            field="args",
        )
