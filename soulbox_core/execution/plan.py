"""From a request to the steps that cells are told to do."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from soulbox_core import certificates
from soulbox_core.commands import (
    command_line,
    compile_step,
    replaced,
    replaced_values,
    spliced,
    variables,
)
from soulbox_core.egress.hosts import Way, host_patterns
from soulbox_core.errors import InvalidRequest, shown
from soulbox_core.language import (
    ARTIFACT,
    CERTIFICATES,
    DEPENDENCIES,
    ENTRYPOINT,
    OUT,
    REQUIREMENTS,
    Language,
    Source,
)
from soulbox_core.model import Limits, RunRequest, SourceFile, Step, Value
from soulbox_core.sandbox.port import EGRESS, Kind, in_order

OUT_DIRECTORY = "/tmp/out"  # noqa: S108, in a cell of its own
STORE = "/store"
"""Where a cell sees artifacts and dependencies, each under its key."""
PROXY = f"http://{EGRESS}"
"""What a step that may reach other hosts is told to go through."""
_WAY_OUT = {
    **dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), PROXY),
    # A program's own servers are in its own cell.
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1"),
    **dict.fromkeys(certificates.VARIABLES, CERTIFICATES),
    "NODE_USE_ENV_PROXY": "1",
}
"""How the usual clients are told of the proxy, and of the certificates to trust."""
_ANY = "*"
_PAGE_BYTES = 4096


class Allowance(Value):
    """What the steps of a run may use."""

    run: Limits
    compile: Limits
    booted: Limits
    """What parked cells are made with, and a runtime in one was told of when it booted."""


class Compiling(Value):
    """The compile step of a plan."""

    key: str
    """Names its artifact: equal keys, equal artifacts."""
    step: Step
    kind: Kind


class Plan(Value):
    """A run step, the kind of cell it needs, and the compile step that comes before it."""

    language: str
    step: Step
    kind: Kind
    """What the cell has to be like. It is cold if the template or booted runtime, if there is
    one, cannot honour what the request asks."""
    compiling: Compiling | None = None
    way: Way | None = None
    """Where it may go, if its cell has a way out."""


def plan(
    request: RunRequest,
    language: Language,
    allowance: Allowance,
    key: Callable[[str, Kind, Step], str],
    *,
    live: bool = False,
    dependencies: str | None = None,
    hidden: Iterable[str] = (),
) -> Plan:
    """Turn a request into the steps that it takes.

    :param key: names the artifact of a language's compile step
    :param live: somebody reads the output as it comes
    :param dependencies: directory in the cell with the packages that the request asked for
    :param hidden: paths of the image that it is not to see
    :raises InvalidRequest: the files do not fit in the scratch space the request may use, or the
        language has no such option
    :raises LanguageError: a function of the plugin failed
    """
    _check_fit(request.files, allowance.run)
    source = Source(
        files=request.files,
        entrypoint=_plain(request.entrypoint),
        options=_options(language, request.options),
        limits=allowance.run,
        proxy=PROXY if request.network else None,
    )
    hidden = in_order(hidden)
    places = {ENTRYPOINT: source.entrypoint}
    found_by = {}
    if language.dependencies is not None and dependencies is not None:
        places[DEPENDENCIES] = dependencies
        found_by = replaced_values(language.dependencies.env, places)
    compiling = _compiling(source, language, allowance.compile, places, found_by, hidden, key)
    artifact = None if compiling is None else f"{STORE}/{compiling.key}"
    if artifact is not None:
        places[ARTIFACT] = artifact
    cold = _is_cold(request, language, allowance)
    live_env = language.live_env if live and cold else {}
    way_out = _WAY_OUT if request.network else {}
    return Plan(
        language=language.name,
        step=Step(
            argv=(*replaced(command_line(language.run, source), places), *request.args),
            entrypoint=request.entrypoint,
            files=request.files,
            env={**way_out, **variables(language, source), **found_by, **live_env, **request.env},
            stdin=request.stdin,
            limits=allowance.run,
            outputs=request.outputs,
            args=request.args,
            live=live,
            artifact=artifact,
            dependencies=dependencies,
        ),
        kind=Kind(
            scratch_bytes=allowance.run.scratch_bytes,
            cold=cold,
            egress=bool(request.network),
            volumes=in_order(request.mounts),
            hidden=hidden,
        ),
        compiling=compiling,
        way=Way(patterns=host_patterns(request.network)) if request.network else None,
    )


def install_plan(
    language: Language,
    requirements: tuple[str, ...],
    limits: Limits,
    directory: str,
    way: Way,
    hidden: Iterable[str] = (),
    env: Mapping[str, str] = {},
) -> Plan:
    """The plan that installs packages into what will be `directory` in the cells of runs.

    :param way: where packages come from
    :param hidden: paths of the image that are not to be seen
    :param env: the operator's variables for the package manager
    """
    assert language.dependencies is not None
    install = replaced(language.dependencies.install, {OUT: OUT_DIRECTORY, DEPENDENCIES: directory})
    return Plan(
        language=language.name,
        step=Step(
            argv=spliced(install, REQUIREMENTS, requirements),
            entrypoint="",
            files=(),
            env={**_WAY_OUT, **variables(language, Source(limits=limits, proxy=PROXY)), **env},
            stdin=b"",
            limits=limits,
            out=OUT_DIRECTORY,
        ),
        kind=Kind(
            scratch_bytes=limits.scratch_bytes, cold=True, egress=True, hidden=in_order(hidden)
        ),
        way=way,
    )


def version_plan(language: Language, limits: Limits) -> Plan:
    """The plan that asks a language's toolchain for its version."""
    return Plan(
        language=language.name,
        step=Step(
            argv=language.version,
            entrypoint="",
            files=(),
            env=variables(language, Source(limits=limits)),
            stdin=b"",
            limits=limits,
        ),
        kind=Kind(scratch_bytes=limits.scratch_bytes, cold=True),
    )


def _compiling(
    source: Source,
    language: Language,
    limits: Limits,
    places: Mapping[str, str],
    found_by: Mapping[str, str],
    hidden: tuple[str, ...],
    key: Callable[[str, Kind, Step], str],
) -> Compiling | None:
    source = msgspec.structs.replace(source, limits=limits, proxy=None)
    wanted = compile_step(language, source)
    if wanted is None:
        return None
    theirs = {file.path for file in source.files}
    ours = tuple(file for file in wanted.files if file.path not in theirs)
    _check_beside(ours, theirs)
    files = (*source.files, *ours)
    _check_fit(files, limits)
    places = {**places, OUT: OUT_DIRECTORY}
    step = Step(
        argv=replaced(wanted.argv, places),
        entrypoint=source.entrypoint,
        files=files,
        env={**variables(language, source), **found_by, **replaced_values(wanted.env, places)},
        stdin=b"",
        limits=limits,
        out=OUT_DIRECTORY,
    )
    kind = Kind(scratch_bytes=limits.scratch_bytes, cold=True, hidden=hidden)
    return Compiling(key=key(language.name, kind, step), step=step, kind=kind)


def _is_cold(request: RunRequest, language: Language, allowance: Allowance) -> bool:
    """Whether the request asks for what a runtime that is up already cannot give any more."""
    if not language.warm:
        return True
    if request.network and language.boot is not None:
        return True  # it was not told of the proxy when it started
    if request.dependencies and not (language.dependencies and language.dependencies.warm):
        return True
    if not request.env.keys().isdisjoint(language.cold_env):
        return True
    if request.env and _ANY in language.cold_env:
        return True
    cold_limits = () if language.boot is None else language.boot.cold_limits
    return any(
        getattr(allowance.run, name) != getattr(allowance.booted, name) for name in cold_limits
    )


def _options(language: Language, asked: Mapping[str, str]) -> dict[str, str]:
    """Every option's value.

    :raises InvalidRequest: there is no such option, or it has no such value
    """
    options = {option.name: option for option in language.options}
    for name, value in asked.items():
        if name not in options:
            known = ", ".join(options) or "none"
            raise InvalidRequest(
                f"{language.name} has no option {shown(name)}; known: {known}", field="options"
            )
        if value not in options[name].values:
            known = ", ".join(options[name].values)
            raise InvalidRequest(
                f"{name} cannot be {shown(value)}; one of: {known}", field=f"options.{name}"
            )
    return {name: asked.get(name, option.values[0]) for name, option in options.items()}


def _plain(path: str) -> str:
    """The path as a word of a command line, where a file called `-c` is still a file."""
    return f"./{path}" if path.startswith("-") else path


def _check_beside(files: tuple[SourceFile, ...], theirs: set[str]) -> None:
    """Refuse a file of the caller's where a plugin's file needs a directory, or the reverse."""
    for file in files:
        for path in theirs:
            if path.startswith(f"{file.path}/") or file.path.startswith(f"{path}/"):
                raise InvalidRequest(
                    f"{shown(path)} cannot be beside {shown(file.path)}, which compiling needs",
                    field="files",
                )


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
