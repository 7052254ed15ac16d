"""The composition root: from settings to the parts of a service. Concrete classes meet here."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from soulbox_core import certificates
from soulbox_core.commands import command_line, variables
from soulbox_core.egress.gateway import Gateway
from soulbox_core.egress.hosts import host
from soulbox_core.errors import LanguageError, SettingsError
from soulbox_core.execution.artifacts import ArtifactStore
from soulbox_core.execution.compile_cache import CompileCache
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.helper import Helpers
from soulbox_core.execution.installer import Installer
from soulbox_core.identity.identity import Identity
from soulbox_core.identity.opening import issuer_of, open_identity
from soulbox_core.images.catalog import Found
from soulbox_core.language import Source
from soulbox_core.remote.breaker import Breaker
from soulbox_core.quotas.file_ledger import FileLedger
from soulbox_core.quotas.limiter import MemoryLimiter, RedisLimiter
from soulbox_core.quotas.redis import RedisBuckets
from soulbox_core.remote.redis import connection
from soulbox_core.quotas.redis_ledger import RedisLedger
from soulbox_core.registry import Registry
from soulbox_core.sandbox import cgroup, seccomp
from soulbox_core.sandbox.containers import ContainerSandbox
from soulbox_core.sandbox.instance import Instance
from soulbox_core.sandbox.podman import Podman
from soulbox_core.sandbox.podman_env import podman_environment
from soulbox_core.service.admission import Admission
from soulbox_core.service.allotment import Allotments
from soulbox_core.service.builds import Builds, Toolchain
from soulbox_core.service.capacity import memory_for_runs
from soulbox_core.service.catalog import Catalog
from soulbox_core.service.gate import Gate, Limiter
from soulbox_core.service.idempotency import Idempotency
from soulbox_core.service.installs import Installs, Reach
from soulbox_core.service.policy import Policies
from soulbox_core.service.runs import CELL_OVERHEAD_BYTES, Runs
from soulbox_core.settings import Rates, Settings

logger = logging.getLogger(__name__)

_CPU_TIME = "cpu-time.json"
"""File with what callers used today, in the instance's directory."""


@dataclass(frozen=True)
class Service:
    """The parts of a running service that its borders talk to."""

    runs: Runs
    catalog: Catalog
    gate: Gate
    identity: Identity | None
    """None where callers need not prove who they are."""
    admission: Admission
    directory: Path
    """Where the instance keeps what is its own."""
    first_key: str | None
    """The text of the first API key, if it was made just now."""
    closing: AsyncExitStack

    async def close(self) -> None:
        """End what still runs, and leave nothing behind; callers are answered before that ends."""
        await self.closing.aclose()


@asynccontextmanager
async def open_service(
    settings: Settings, languages: Registry, images: Mapping[str, Found]
) -> AsyncIterator[Service]:
    """A started service for every language; closed, it leaves nothing behind.

    :param images: of every language
    :raises StartupError: the settings or the host are not fit
    :raises SandboxError: Podman, the kernel or an image is not
    """
    reaches = _reaches(settings, languages)
    policies = Policies(settings)
    gateway = Gateway(settings.egress, _own_ports(settings))
    limits = settings.limits
    async with AsyncExitStack() as closing:
        instance = Instance(Path(settings.state_dir), settings.instance)
        closing.callback(instance.close)
        identity, first_key = await _identity(settings, instance, policies, closing)
        limiter, allotments = _quotas(settings.rates, instance.directory, closing)
        sandbox = await closing.enter_async_context(_sandbox(settings, languages, images, instance))
        executor = Executor(sandbox, gateway)
        cache = CompileCache(ArtifactStore(sandbox.store_dir, settings.cache.store_bytes))
        closing.push_async_callback(cache.close)
        toolchains = {
            name: Toolchain(
                plugin_version=languages.versions.get(name, ""),
                image=f"{image.tag} {image.created}",
            )
            for name, image in images.items()
        }
        installs = Installs(
            cache,
            Installer(sandbox, gateway),
            reaches,
            toolchains,
            limits.install,
        )
        helpers = _helpers(settings, languages, sandbox, closing)
        builds = Builds(cache, executor, helpers, toolchains)
        catalog = Catalog(languages, sandbox, executor, limits.default, installs.languages)
        await asyncio.gather(catalog.probe(), *(each.start() for each in helpers.values()))
        admission = Admission(
            memory_bytes=memory_for_runs(
                settings, len(helpers), _least_memory(settings, languages, reaches)
            ),
            queue=settings.admission.queue,
            queue_seconds=settings.admission.queue_seconds,
        )
        gate = Gate(
            None if identity is None else identity.authenticator,
            limiter,
            policies,
            settings.rates,
        )
        runs = Runs(
            catalog,
            policies,
            allotments,
            admission,
            installs,
            builds,
            executor,
            Idempotency(settings.server.idempotency_seconds, settings.server.idempotency_bytes),
            limits,
        )
        yield Service(
            runs, catalog, gate, identity, admission, instance.directory, first_key, closing
        )


async def _identity(
    settings: Settings, instance: Instance, policies: Policies, closing: AsyncExitStack
) -> tuple[Identity | None, str | None]:
    """Who callers are, and the first key's text if it was made just now."""
    if not settings.auth.enabled:
        return None, None
    identity = await closing.enter_async_context(
        open_identity(settings.auth, instance.directory, issuer_of(instance.id), policies.names)
    )
    return identity, await identity.make_first_key()


def _quotas(
    settings: Rates, directory: Path, closing: AsyncExitStack
) -> tuple[Limiter, Allotments]:
    """Where requests and CPU time are counted: here, or in Redis for all nodes."""
    if not settings.redis:
        file = FileLedger(directory / _CPU_TIME)
        closing.push_async_callback(file.close)
        return MemoryLimiter(), Allotments(file)
    try:
        redis = connection(settings.redis, settings.redis_seconds)
    except ValueError as error:
        raise SettingsError(f"rates.redis: {error}") from None
    closing.push_async_callback(redis.aclose, close_connection_pool=True)
    breaker = Breaker(settings.redis_seconds, "counting in memory")
    shared = RedisLedger(redis, breaker)
    closing.push_async_callback(shared.close)
    return RedisLimiter(RedisBuckets(redis), breaker), Allotments(shared)


@asynccontextmanager
async def _sandbox(
    settings: Settings, languages: Registry, images: Mapping[str, Found], instance: Instance
) -> AsyncIterator[ContainerSandbox]:
    roots = cgroup.find(settings.cgroup.roots)
    profile = settings.podman.seccomp_profile
    seccomp_program = seccomp.compile_filter(Path(profile) if profile else None)
    podman = Podman(podman_environment(settings), instance.run_dir / "podman.sock")
    cgroups = cgroup.open_cgroups(roots, instance.id)
    await podman.start()
    try:
        sandbox = ContainerSandbox(
            languages.languages,
            {name: image.tag for name, image in images.items()},
            settings,
            instance,
            podman,
            cgroups,
            seccomp_program,
            certificates.bundle(os.environ),
        )
        try:
            await sandbox.start()
            yield sandbox
        finally:
            await sandbox.close()
    finally:
        await podman.stop()


def _own_ports(settings: Settings) -> frozenset[int]:
    """Where this service listens, as far as the settings say."""
    return frozenset(filter(None, (settings.server.port, settings.grpc.port)))


def _helpers(
    settings: Settings, languages: Registry, sandbox: ContainerSandbox, stack: AsyncExitStack
) -> dict[str, Helpers]:
    """The compile helpers of the languages that have one, to be started; the stack closes them."""
    found = {}
    for name, language in languages.languages.items():
        if language.compiler is not None:
            source = Source(limits=settings.limits.compile)
            try:
                argv, env = command_line(language.compiler, source), variables(language, source)
            except LanguageError as error:  # its compile steps run one by one instead
                logger.error("%s: no compile helper: %s", name, error)
                continue
            found[name] = Helpers(
                sandbox,
                name,
                argv,
                env,
                settings.limits.compile,
                count=settings.pool.compilers,
                compiles=settings.pool.compiles,
            )
            stack.push_async_callback(found[name].close)
    return found


def _least_memory(settings: Settings, languages: Registry, reaches: Mapping[str, Reach]) -> int:
    """Memory that the step takes which needs most, of those that requests may lead to unasked."""
    limits = settings.limits
    steps = [limits.default.memory_bytes]
    if any(language.compile is not None for language in languages.languages.values()):
        steps.append(limits.compile.memory_bytes)
    if reaches:
        steps.append(limits.install.memory_bytes)
    return max(steps) + CELL_OVERHEAD_BYTES


def _reaches(settings: Settings, languages: Registry) -> dict[str, Reach]:
    """What each language's installs may reach, for those that may install at all.

    :raises SettingsError: a host cannot be one, or the language has no package manager here
    """
    reaches = {}
    for name, language in languages.languages.items():
        own = settings.language(name).dependencies
        key = f"languages.{name}.dependencies.hosts"
        if own.hosts and language.dependencies is None:
            raise SettingsError(f"{key}: {name} cannot install packages")
        try:
            hosts = frozenset(host(text) for text in own.hosts)
        except ValueError as error:
            raise SettingsError(f"{key}: {error}") from None
        if hosts:
            reaches[name] = Reach(settings=own, hosts=hosts)
    return reaches
