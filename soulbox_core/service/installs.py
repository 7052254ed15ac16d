"""Making sure of the packages that a request asks for: from the store, or by one install."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from soulbox_core.egress.proxy import Host
from soulbox_core.execution.cache_key import KeyParts, cache_key
from soulbox_core.execution.compile_cache import Built, CompileCache
from soulbox_core.execution.installer import Installer
from soulbox_core.execution.plan import STORE, install_plan
from soulbox_core.execution.requirements import checked
from soulbox_core.language import Language
from soulbox_core.model import Facts, Limits, Value
from soulbox_core.service.builds import Toolchain, obtain
from soulbox_core.settings import DependencySettings


class Layer(Value):
    """The packages of one request, installed or to be."""

    language: Language
    requirements: tuple[str, ...]
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


class Reach(Value):
    """What an operator grants to a language's installs."""

    settings: DependencySettings
    hosts: frozenset[Host]


class Installs:
    """Installs through the store; equal sets of packages at one time are one install.

    :param reaches: by language, for those that may install anything
    :param certificates: the authorities that registries are trusted by, as PEM
    """

    def __init__(
        self,
        cache: CompileCache,
        installer: Installer,
        reaches: Mapping[str, Reach],
        toolchains: Mapping[str, Toolchain],
        limits: Limits,
        certificates: bytes,
    ) -> None:
        self._cache = cache
        self._installer = installer
        self._reaches = reaches
        self._toolchains = toolchains
        self._limits = limits
        self._certificates = certificates

    @property
    def languages(self) -> frozenset[str]:
        """Those whose requests may name packages."""
        return frozenset(self._reaches)

    def layer(self, language: Language, requirements: tuple[str, ...]) -> Layer | None:
        """The layer of a request, None if it asks for no packages.

        :raises DependenciesRefused: the operator does not let them be installed
        """
        if not requirements:
            return None
        reach = self._reaches.get(language.name)
        settings = DependencySettings() if reach is None else reach.settings
        requirements = checked(requirements, language, settings)
        key = self._key(language, requirements)
        return Layer(language=language, requirements=requirements, key=key)

    def memory_bytes(self, layer: Layer | None) -> int:
        """Memory that installing it will take, as far as can be told now; none if it is there."""
        if layer is None or self._cache.store.has(layer.language.name, layer.key):
            return 0
        return self._limits.memory_bytes

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
                language, layer.requirements, self._limits, layer.directory, self._certificates
            )
            draft = await self._cache.store.draft()
            hosts = self._reaches[language.name].hosts
            try:
                done = await self._installer.run(plan, hosts, draft)
            except BaseException:
                self._cache.store.scrap(draft)
                raise
            return Built(ok=done.ok, output=done.output, facts=done.facts, draft=draft)

        async with AsyncExitStack() as stack:
            obtained = await obtain(stack, self._cache, language.name, layer.key, build)
            yield Install(output=obtained.output, failure=obtained.failure)

    def _key(self, language: Language, requirements: tuple[str, ...]) -> str:
        assert language.dependencies is not None
        toolchain = self._toolchains[language.name]
        parts = KeyParts(
            purpose="dependencies",
            language=language.name,
            plugin_version=toolchain.plugin_version,
            image=toolchain.image,
            argv=(*language.dependencies.install, *requirements),
        )
        return cache_key(self._cache.store.secret, parts)
