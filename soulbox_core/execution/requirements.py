"""Which packages a request may have installed."""

import re
from fnmatch import fnmatchcase

from soulbox_core.errors import DependenciesRefused, shown
from soulbox_core.language import Language
from soulbox_core.settings import DependencySettings

_DASHES = re.compile(r"[-_.]+")


def checked(
    requirements: tuple[str, ...], language: Language, settings: DependencySettings
) -> tuple[str, ...]:
    """The requirements, each once and in an order that does not depend on the caller's.

    :raises DependenciesRefused: they are not turned on, or one is malformed or not allowed
    """
    if language.dependencies is None:
        raise DependenciesRefused(f"{language.name} has no package manager here; send none")
    if not settings.hosts:
        raise DependenciesRefused(
            f"{language.name} installs no packages here; its operator turns that on with"
            f" languages.{language.name}.dependencies.hosts"
        )
    pattern = re.compile(language.dependencies.requirement)
    for requirement in requirements:
        match = pattern.fullmatch(requirement) if _is_plain(requirement) else None
        if match is None:
            raise DependenciesRefused(
                f"{shown(requirement)} is not a package of {language.name}'s registry, with or"
                " without a version"
            )
        name = match[1].lower()
        if not _matches(name, settings.allow) or _denied(name, settings.deny):
            raise DependenciesRefused(f"{shown(name)} is not one of the packages allowed here")
    return tuple(sorted(set(requirements)))


def _is_plain(requirement: str) -> bool:
    """The floor below what any plugin's pattern takes: no option, nothing that looks like other
    text than it is."""
    return requirement.isascii() and requirement.isprintable() and not requirement.startswith("-")


def _denied(name: str, globs: tuple[str, ...]) -> bool:
    """Some registries take `a_b`, `a.b` and `a-b` for one name, so a denied one is denied in any
    spelling. What is allowed is allowed as it is written."""
    plain = tuple(_DASHES.sub("-", glob) for glob in globs)
    return _matches(name, (*globs, *plain)) or _matches(_DASHES.sub("-", name), (*globs, *plain))


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob.lower()) for glob in globs)
