"""Which languages there are: plugins asked one by one, then the operator's word on each.

A plugin that fails takes down itself alone: the fault is logged and kept for `/v1/languages`.
A plugin runs with the service's own rights; to install one is to trust it.
"""

import logging
from collections.abc import Iterable, Mapping
from importlib import metadata
from types import MappingProxyType

import msgspec
import pluggy

from soulbox_core import hookspecs
from soulbox_core.commands import try_out
from soulbox_core.declared import check
from soulbox_core.errors import LanguageError, PluginError, SettingsError, UnknownLanguage
from soulbox_core.language import Language
from soulbox_core.model import Value
from soulbox_core.settings import LanguageSettings, Settings

logger = logging.getLogger(__name__)

_DETAIL_CHARACTERS = 500


class PluginFault(Value):
    """Why a plugin's languages are not offered."""

    plugin: str
    """Its entry-point name."""
    detail: str


class Registry(Value):
    """The languages on offer, fixed when the service starts."""

    languages: Mapping[str, Language]
    """By name, in name order."""
    names: Mapping[str, str]
    """Every name and alias to the name it stands for."""
    faults: tuple[PluginFault, ...] = ()
    versions: Mapping[str, str] = {}
    """Name of a language to the version of the distribution that brought it."""

    def language(self, name: str) -> Language:
        """Look a language up by its name or an alias.

        :raises UnknownLanguage: there is none
        """
        found = self.names.get(name)
        if found is None:
            raise UnknownLanguage(name, tuple(self.languages))
        return self.languages[found]


def load(settings: Settings, entry_points: Iterable[metadata.EntryPoint] | None = None) -> Registry:
    """Ask every installed plugin for its languages, in the order of their entry-point names.

    :param entry_points: those to ask; None means all that are installed
    :raises SettingsError: the operator changes a language that is not there, or breaks one
    """
    if entry_points is None:
        entry_points = metadata.entry_points(group=hookspecs.PROJECT)
    blocked = frozenset(settings.plugins.blocked)
    offered: dict[str, Language] = {}
    versions: dict[str, str] = {}
    asked: set[str] = set()
    faults: list[PluginFault] = []
    for point in sorted(entry_points, key=lambda point: (point.name, point.value)):
        if point.name in blocked:
            logger.info("plugin %r is blocked by plugins.blocked", point.name)
            continue
        try:
            if point.name in asked:
                raise PluginError(point.name, f"{point.value} has the name of another plugin")
            asked.add(point.name)
            new = _new(point.name, _ask(point), offered)
            offered |= new
            versions |= dict.fromkeys(new, "" if point.dist is None else point.dist.version)
        except PluginError as error:
            logger.error("%s", error, exc_info=error.__cause__)
            faults.append(PluginFault(plugin=error.plugin, detail=error.detail))
    wanted = _changed(offered, settings, faults)
    return _registry(wanted, faults, {name: versions[name] for name in wanted})


def offers(plugin: object, name: str) -> tuple[Language, ...]:
    """Return the languages that one plugin registers, checked.

    The plugin gets a manager to itself, so that no hook wrapper or unknown hook of its own can
    touch another plugin.

    :param plugin: the object its entry point names, a module as a rule
    :raises PluginError: it breaks the contract; anything its hook raises comes out too
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, name=name)
    manager.check_pending()
    answers = manager.hook.soulbox_register_languages()
    if not answers:
        raise PluginError(name, "has no soulbox_register_languages that returns languages")
    return tuple(_checked(name, language) for answer in answers for language in answer)


def _ask(point: metadata.EntryPoint) -> tuple[Language, ...]:
    try:
        return offers(point.load(), point.name)
    except PluginError:
        raise
    except (Exception, SystemExit) as error:  # the border: a plugin may raise anything, or exit
        detail = f"{type(error).__name__}: {error}"[:_DETAIL_CHARACTERS]
        raise PluginError(point.name, detail) from error


def _checked(plugin: str, language: object) -> Language:
    """Check a language's fields, which a struct's constructor does not."""
    if not isinstance(language, Language):
        raise PluginError(plugin, f"returned a {type(language).__name__}, not a Language")
    try:
        checked = check(language)
        try_out(checked)
    except (msgspec.ValidationError, ValueError, LanguageError) as error:
        raise PluginError(plugin, f"language {language.name!r}: {error}") from error
    files = [*checked.image.files.values(), *filter(None, (checked.template,))]
    for file in files:
        if not file.is_file():
            raise PluginError(plugin, f"language {checked.name!r}: no file {file}")
    return checked


def _new(
    plugin: str, languages: tuple[Language, ...], offered: Mapping[str, Language]
) -> dict[str, Language]:
    """A plugin's languages by name. All or none: half a plugin would surprise more.

    :raises PluginError: a name or alias is taken
    """
    taken = {name for language in offered.values() for name in (language.name, *language.aliases)}
    for language in languages:
        for name in (language.name, *language.aliases):
            if name in taken:
                raise PluginError(plugin, f"the name {name!r} is taken by another language")
            taken.add(name)
    return {language.name: language for language in languages}


def _changed(
    offered: Mapping[str, Language], settings: Settings, faults: Iterable[PluginFault]
) -> dict[str, Language]:
    """The languages as the operator wants them."""
    for name in settings.languages:
        if name not in offered:
            failed = "".join(
                f"; plugin {fault.plugin!r} failed: {fault.detail}" for fault in faults
            )
            raise SettingsError(
                f"languages.{name}: no plugin offers it; known: {', '.join(offered) or 'none'}"
                f"{failed}"
            )
    return {
        name: _with(language, settings.language(name))
        for name, language in sorted(offered.items())
        if settings.language(name).enabled
    }


def _with(language: Language, changes: LanguageSettings) -> Language:
    image: dict[str, object] = {
        "packages": changes.packages,
        "pypi": changes.pypi,
        "reference": changes.image,
    }
    if changes.image is not None:  # a ready image is taken as it is
        image |= {"files": {}, "setup": ()}
    try:
        return msgspec.structs.replace(
            language,
            image=msgspec.structs.replace(language.image, **_given(image)),
            **_given({"preloads": changes.preloads}),
        )
    except ValueError as error:
        raise SettingsError(f"languages.{language.name}: {error}") from None


def _given(changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in changes.items() if value is not None}


def _registry(
    languages: dict[str, Language], faults: Iterable[PluginFault], versions: dict[str, str]
) -> Registry:
    names = {
        name: language.name
        for language in languages.values()
        for name in (language.name, *language.aliases)
    }
    return Registry(
        languages=MappingProxyType(languages),
        names=MappingProxyType(names),
        faults=tuple(faults),
        versions=MappingProxyType(versions),
    )
