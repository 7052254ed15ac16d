"""Making sure of the packages that a request asks for: from the store, or by one install."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from soulbox_core.egress.hosts import Host, Way
from soulbox_core.execution.cache_key import KeyParts, cache_key
from soulbox_core.execution.compile_cache import Built, CompileCache
from soulbox_core.execution.installer import Installer
from soulbox_core.execution.plan import STORE, install_plan
from soulbox_core.execution.requirements import checked
from soulbox_core.language import Language
from soulbox_core.model import Facts, Limits, Value
from soulbox_core.sandbox.port import in_order
from soulbox_core.service.builds import Toolchain, obtain
from soulbox_core.service.room import Room, room_of
from soulbox_core.settings import DependencySettings


class Layer(Value):
    """The packages of one request, installed or to be."""

    language: Language
    requirements: tuple[str, ...]
    hidden: tuple[str, ...]
    """Paths of the image that installing does not see."""
    key: str

    @property
    def directory(self) -> str:
        """Where cells see them."""
        return f"{STORE}/{self.key}"


class Install(Value):
    """What came of making sure of a layer."""

    output: bytes
    failure: Facts | None
    """How the package manager ended, if there is no layer."""
    cpu_seconds: float = 0.0
    """What it took, if it was done for who asked."""


class Reach(Value):
    """What an operator grants to a language's installs."""

    settings: DependencySettings
    hosts: frozenset[Host]

    @property
    def way(self) -> Way:
        """Where an install may go: the operator named each host, so they may be anywhere."""
        return Way(named=self.hosts, what="a host that packages come from")


class Installs:
    """Installs through the store; equal sets of packages at one time are one install.

    :param reaches: by language, for those that may install anything
    """

    def __init__(
        self,
        cache: CompileCache,
        installer: Installer,
        reaches: Mapping[str, Reach],
        toolchains: Mapping[str, Toolchain],
        limits: Limits,
    ) -> None:
        self._cache = cache
        self._installer = installer
        self._reaches = reaches
        self._toolchains = toolchains
        self._limits = limits
        self.obtained: Counter[str] = Counter()
        """How the layers of runs came about, see `Obtained.way`."""

    @property
    def languages(self) -> frozenset[str]:
        """Those whose requests may name packages."""
        return frozenset(self._reaches)

    def layer(
        self, language: Language, requirements: tuple[str, ...], hidden: Iterable[str] = ()
    ) -> Layer | None:
        """The layer of a request, None if it asks for no packages.

        :param hidden: paths of the image that installing is not to see
        :raises DependenciesRefused: the operator does not let them be installed
        """
        if not requirements:
            return None
        reach = self._reaches.get(language.name)
        settings = DependencySettings() if reach is None else reach.settings
        requirements = checked(requirements, language, settings)
        hidden = in_order(hidden)
        key = self._key(language, requirements, hidden)
        return Layer(language=language, requirements=requirements, hidden=hidden, key=key)

    def room(self, layer: Layer | None) -> Room:
        """What installing it will take, as far as can be told now; nothing if it is there."""
        if layer is None or self._cache.store.has(layer.language.name, layer.key):
            return Room()
        return room_of(self._limits)

    @asynccontextmanager
    async def installed(self, layer: Layer | None) -> AsyncIterator[Install | None]:
        """Have the packages in their place for the time of the context; None needs none.

        :raises SandboxError: our failure
        """
        if layer is None:
            yield None
            return
        language = layer.language

        async def build() -> Built:
            plan = install_plan(
                language,
                layer.requirements,
                self._limits,
                layer.directory,
                self._reaches[language.name].way,
                layer.hidden,
                self._reaches[language.name].settings.env,
            )
            draft = await self._cache.store.draft()
            try:
                done = await self._installer.run(plan, draft)
            except BaseException:
                self._cache.store.scrap(draft)
                raise
            return Built(ok=done.ok, output=done.output, facts=done.facts, draft=draft)

        async with AsyncExitStack() as stack:
            obtained = await obtain(stack, self._cache, language.name, layer.key, build)
            self.obtained[obtained.way] += 1
            yield Install(
                output=obtained.output,
                failure=obtained.failure,
                cpu_seconds=obtained.cpu_seconds,
            )

    def _key(
        self, language: Language, requirements: tuple[str, ...], hidden: tuple[str, ...]
    ) -> str:
        assert language.dependencies is not None
        toolchain = self._toolchains[language.name]
        parts = KeyParts(
            purpose="dependencies",
            language=language.name,
            plugin_version=toolchain.plugin_version,
            image=toolchain.image,
            argv=(*language.dependencies.install, *requirements),
            env=self._reaches[language.name].settings.env,
            hidden=hidden,
        )
        return cache_key(self._cache.store.secret, parts)
