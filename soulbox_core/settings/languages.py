"""Which languages there are, and how they differ from what their plugins say."""

from collections.abc import Mapping

from soulbox_core.settings.section import Count, Section


class Plugins(Section):
    """Which installed plugins may be loaded."""

    blocked: tuple[str, ...] = ()
    """Entry-point names of plugins that are not even imported."""


class DependencySettings(Section):
    """Which packages a request may have installed. Without hosts, none."""

    hosts: tuple[str, ...] = ()
    """Where the language's package manager fetches from, as `name` or `name:port`; nothing else
    can be reached while packages are installed."""
    allow: tuple[str, ...] = ("*",)
    """Globs; a package's name must match one."""
    deny: tuple[str, ...] = ()
    """Globs; a package whose name matches one is refused all the same."""
    env: Mapping[str, str] = {}
    """Variables for the package manager, such as PIP_INDEX_URL for an index of the operator's."""


class LanguageSettings(Section):
    """An operator's changes to one language."""

    enabled: bool = True
    preloads: tuple[str, ...] | None = None
    """Replaces what the plugin preloads."""
    packages: tuple[str, ...] | None = None
    """Replaces the Debian packages of its image."""
    pypi: tuple[str, ...] | None = None
    """Replaces the Python requirements of its image."""
    parked: Count | None = None
    """Replaces pool.parked."""
    image: str | None = None
    """A ready image reference instead of one we build."""
    dependencies: DependencySettings = DependencySettings()
