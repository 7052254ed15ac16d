"""The languages on offer, and how each of them is."""

import logging

from soulbox_core.errors import SandboxError
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.outputs import Collector
from soulbox_core.execution.plan import version_plan
from soulbox_core.execution.verdict import judge
from soulbox_core.language import Language
from soulbox_core.model import Limits, Status, Value
from soulbox_core.registry import PluginFault, Registry
from soulbox_core.sandbox.port import Sandbox

logger = logging.getLogger(__name__)

_VERSION_CHARACTERS = 200


class OptionInfo(Value):
    """A choice that a caller has."""

    name: str
    description: str
    values: tuple[str, ...]
    """The first is the default."""


class LanguageInfo(Value):
    """What a caller may know of a language."""

    name: str
    title: str
    aliases: tuple[str, ...]
    version: str | None
    """What the toolchain says of itself; None if it was not asked yet or did not say."""
    ready: bool
    """Whether a run would start without a container being built first."""
    preloads: tuple[str, ...]
    source_file: str
    options: tuple[OptionInfo, ...]
    compiled: bool
    """Whether some or all runs begin with a compile step."""
    dependencies: bool
    """Whether a request may name packages to install."""


class Catalog:
    """Answers what can be run here.

    :param limits: what asking a toolchain for its version may use
    :param installing: names of the languages whose requests may name packages to install
    """

    def __init__(
        self,
        registry: Registry,
        sandbox: Sandbox,
        executor: Executor,
        limits: Limits,
        installing: frozenset[str] = frozenset(),
    ) -> None:
        self._registry = registry
        self._sandbox = sandbox
        self._executor = executor
        self._limits = limits
        self._installing = installing
        self._versions: dict[str, str] = {}
        self._settled = False
        self._stopping = False

    def entries(self) -> tuple[LanguageInfo, ...]:
        """Every language on offer, by name."""
        return tuple(self._info(language) for language in self._registry.languages.values())

    def faults(self) -> tuple[PluginFault, ...]:
        """The plugins whose languages are not on offer, and why."""
        return self._registry.faults

    def language(self, name: str) -> Language:
        """Look a language up by its name or an alias.

        :raises UnknownLanguage: there is none
        """
        return self._registry.language(name)

    @property
    def stopping(self) -> bool:
        """Whether the service ends soon: runs are better sent elsewhere."""
        return self._stopping

    def ready(self) -> bool:
        """Whether every language would answer at once, and for a while. Without any, nothing
        would."""
        names = self._registry.languages
        ready = bool(names) and all(self._sandbox.ready(name) for name in names)
        return ready and self._settled and not self._stopping

    def settled(self) -> None:
        """From now on all is there that is made ahead of requests."""
        self._settled = True

    def retire(self) -> None:
        """Not be ready from now on, whoever asks."""
        self._stopping = True

    async def probe(self) -> None:
        """Ask every toolchain for its version, one after the other, each in a cold cell."""
        for language in self._registry.languages.values():
            try:
                self._versions[language.name] = await self._version(language)
            except SandboxError as error:
                self._versions.pop(language.name, None)
                logger.warning("language %s: no version: %s", language.name, error)

    async def _version(self, language: Language) -> str:
        """The first line that the version command prints; javac's, say, is on stderr."""
        output = Collector()
        ending = await self._executor.run(version_plan(language, self._limits), output)
        status = judge(ending.facts)
        if status is not Status.OK:
            raise SandboxError(f"{' '.join(language.version)} ended with {status}")
        lines = (output.stdout or output.stderr).decode(errors="replace").split("\n", 1)
        if not lines[0].strip():
            raise SandboxError(f"{' '.join(language.version)} printed nothing")
        return lines[0].strip()[:_VERSION_CHARACTERS]

    def _info(self, language: Language) -> LanguageInfo:
        return LanguageInfo(
            name=language.name,
            title=language.title,
            aliases=language.aliases,
            version=self._versions.get(language.name),
            ready=self._sandbox.ready(language.name),
            preloads=language.preloads,
            source_file=language.source_file,
            options=tuple(
                OptionInfo(name=option.name, description=option.description, values=option.values)
                for option in language.options
            ),
            compiled=language.compile is not None,
            dependencies=language.name in self._installing,
        )
