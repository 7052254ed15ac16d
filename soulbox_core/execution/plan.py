"""From a request to the step that a cell is told to do."""

from types import MappingProxyType

from soulbox_core.errors import InvalidRequest
from soulbox_core.language import Language
from soulbox_core.model import Limits, RunRequest, SourceFile, Step, Value

WORKING_DIRECTORY = "/box"
ENTRYPOINT = "{entrypoint}"
BASE_ENV = MappingProxyType(
    {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": WORKING_DIRECTORY,
        "LANG": "C.UTF-8",
        "USER": "soulbox",
        "LOGNAME": "soulbox",
    }
)
_PAGE_BYTES = 4096


class Plan(Value):
    """A step, and the kind of cell it needs."""

    language: str
    step: Step
    cold: bool
    """The template, if there is one, cannot honour what the request asks."""


def plan(request: RunRequest, language: Language, limits: Limits, *, live: bool = False) -> Plan:
    """Turn a request into the step that runs it.

    :param live: somebody reads the output as it comes
    :raises InvalidRequest: the files do not fit in the scratch space the request may use
    """
    _check_fit(request.files, limits)
    cold = language.template is None or not request.env.keys().isdisjoint(language.cold_env)
    live_env = language.live_env if live and cold else {}
    return Plan(
        language=language.name,
        step=Step(
            argv=(*_command(language, request.entrypoint), *request.args),
            entrypoint=request.entrypoint,
            files=request.files,
            env={**BASE_ENV, **language.env, **live_env, **request.env},
            stdin=request.stdin,
            limits=limits,
            outputs=request.outputs,
            args=request.args,
            live=live,
        ),
        cold=cold,
    )


def version_plan(language: Language, limits: Limits) -> Plan:
    """The plan that asks a language's toolchain for its version."""
    return Plan(
        language=language.name,
        step=Step(
            argv=language.version,
            entrypoint="",
            files=(),
            env={**BASE_ENV, **language.env},
            stdin=b"",
            limits=limits,
        ),
        cold=True,
    )


def _command(language: Language, entrypoint: str) -> tuple[str, ...]:
    """The language's command line, in which a file called `-c` is still a file."""
    path = f"./{entrypoint}" if entrypoint.startswith("-") else entrypoint
    return tuple(word.replace(ENTRYPOINT, path) for word in language.run)


def _check_fit(files: tuple[SourceFile, ...], limits: Limits) -> None:
    """Refuse here what would otherwise fail in the cell, where it would look like our fault.

    A file on a tmpfs takes whole pages.
    """
    needed = sum(-(-len(file.content) // _PAGE_BYTES) for file in files) * _PAGE_BYTES
    if needed > limits.scratch_bytes:
        raise InvalidRequest(
            f"the files take {needed} bytes and scratch_bytes is {limits.scratch_bytes}; "
            "send less or ask for more",
            field="limits.scratch_bytes",
        )
