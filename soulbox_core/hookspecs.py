"""The plugin contract: one hook.

    from soulbox_core import Image, Language, hookimpl

    @hookimpl
    def soulbox_register_languages():
        return [Language(name="lua", ...)]

and in the plugin's pyproject.toml:

    [project.entry-points.soulbox]
    lua = "soulbox_lua"
"""

from collections.abc import Iterable

import pluggy

from soulbox_core.language import Language

PROJECT = "soulbox"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def soulbox_register_languages() -> Iterable[Language]:
    """Return the languages this plugin offers.

    Called once, by the registry, when the service starts. An exception, a value that is
    not a `Language`, or a name that another plugin took disables this plugin alone: the
    fault is logged and shown at `/v1/languages`.
    """
    raise NotImplementedError
