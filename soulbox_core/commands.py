"""From a plugin's command lines and variables to those of a step."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from soulbox_core.errors import LanguageError
from soulbox_core.language import (
    ARTIFACT,
    DEPENDENCIES,
    ENTRYPOINT,
    OUT,
    PRELOADS,
    Command,
    Compile,
    Language,
    Source,
)
from soulbox_core.model import SourceFile

WORKING_DIRECTORY = "/box"
BASE_ENV = MappingProxyType(
    {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": WORKING_DIRECTORY,
        "LANG": "C.UTF-8",
        "USER": "soulbox",
        "LOGNAME": "soulbox",
    }
)
"""What every step's environment begins with."""
_PLACES = re.compile("|".join(map(re.escape, (ENTRYPOINT, ARTIFACT, OUT, DEPENDENCIES))))


def command_line(command: Command, source: Source) -> tuple[str, ...]:
    """The words of a command for a request, placeholders and all.

    :raises LanguageError: the plugin's function failed
    """
    if not callable(command):
        return command
    argv: tuple[str, ...] = _asked(command, source, tuple[str, ...])
    if not argv:
        raise LanguageError(f"{command!r} returned no words")
    return argv


def compile_step(language: Language, source: Source) -> Compile | None:
    """The compile step of a request, if it needs one.

    :raises LanguageError: the plugin's function failed
    """
    plan = language.compile
    if plan is None or isinstance(plan, Compile):
        return plan
    step: Compile | None = _asked(plan, source, Compile | None)
    if step is not None:
        _check(step, plan)
    return step


def variables(language: Language, source: Source) -> dict[str, str]:
    """The environment of a language's steps, before the caller's own is added.

    :raises LanguageError: the plugin's function failed
    """
    env = language.env
    return {**BASE_ENV, **(_asked(env, source, dict[str, str]) if callable(env) else env)}


def replaced(argv: tuple[str, ...], places: Mapping[str, str]) -> tuple[str, ...]:
    """Put values in the place of placeholders, also within a word. A value is left as it is,
    whatever it looks like: a caller may call a file `{artifact}`.
    """
    return tuple(_replaced(word, places) for word in argv)


def replaced_values(env: Mapping[str, str], places: Mapping[str, str]) -> dict[str, str]:
    """The same for the values of variables."""
    return {name: _replaced(value, places) for name, value in env.items()}


def spliced(argv: tuple[str, ...], word: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Put words in the place of one that stands for them all."""
    return tuple(one for each in argv for one in (words if each == word else (each,)))


def boot_line(language: Language, source: Source) -> tuple[str, ...]:
    """The command line that starts a language's runtime in a parked cell; empty if it has none."""
    if language.boot is None:
        return ()
    return spliced(command_line(language.boot.argv, source), PRELOADS, language.preloads)


def try_out(language: Language) -> None:
    """Call every function of a language's once for each option, so that most mistakes show early.

    :raises LanguageError: one of them failed
    """
    hello = SourceFile(path=language.source_file, content=language.hello.encode())
    defaults = {option.name: option.values[0] for option in language.options}
    choices = [{option.name: value} for option in language.options for value in option.values]
    for chosen in choices or [{}]:
        source = Source(files=(hello,), entrypoint=hello.path, options=defaults | chosen)
        command_line(language.run, source)
        variables(language, source)
        compile_step(language, source)
    nothing = Source(options=defaults)
    boot_line(language, nothing)
    if language.compiler is not None:
        command_line(language.compiler, nothing)


def _asked(function: Callable[[Source], object], source: Source, kind: Any) -> Any:
    """What a plugin's function returns, held against the type that it is to have."""
    try:
        return msgspec.convert(function(source), kind)
    except (Exception, SystemExit) as error:  # the border: a plugin's function may raise anything
        raise LanguageError(f"{_name(function)}: {type(error).__name__}: {error}") from error


def _name(function: object) -> str:
    """A function by the name under which its author will find it."""
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    return f"{module}.{name}" if module and name else repr(function)


def _check(step: Compile, plan: object) -> None:
    """Hold a step's fields against their types: what is a struct already is not converted."""
    try:
        msgspec.convert((step.argv, step.env), tuple[tuple[str, ...], dict[str, str]], strict=True)
    except msgspec.ValidationError as error:
        raise LanguageError(f"{_name(plan)}: {error}") from error
    if not step.argv or not all(isinstance(file, SourceFile) for file in step.files):
        raise LanguageError(f"{_name(plan)} returned no words, or a file that is no SourceFile")


def _replaced(word: str, places: Mapping[str, str]) -> str:
    return _PLACES.sub(lambda place: places.get(place[0], place[0]), word) if "{" in word else word
