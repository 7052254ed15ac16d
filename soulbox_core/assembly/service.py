"""A service, put together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from soulbox_core.assembly import readings
from soulbox_core.assembly.callers import identity_of, quotas_of
from soulbox_core.assembly.cells import admission_of, helpers_of, open_sandbox, reaches_of
from soulbox_core.assembly.memory import (
    idempotency_of,
    journal_of,
    recall_of,
    results_of,
    stores_of,
)
from soulbox_core.assembly.telling import metrics_of, witnesses_of
from soulbox_core.egress.gateway import Gateway
from soulbox_core.execution.artifacts import ArtifactStore
from soulbox_core.execution.compile_cache import CompileCache
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.installer import Installer
from soulbox_core.identity.identity import Identity
from soulbox_core.images.catalog import Found
from soulbox_core.quotas.limiter import RedisLimiter
from soulbox_core.registry import Registry
from soulbox_core.results.cache import ResultCache
from soulbox_core.sandbox.instance import Instance
from soulbox_core.service.account import Accounts
from soulbox_core.service.admission import Admission
from soulbox_core.service.builds import Builds, Toolchain
from soulbox_core.service.catalog import Catalog
from soulbox_core.service.gate import Gate
from soulbox_core.service.installs import Installs
from soulbox_core.service.policy import Policies
from soulbox_core.service.runs import Runs
from soulbox_core.settings import Settings
from soulbox_core.store.port import Executions, Health
from soulbox_core.telemetry.metrics import Metrics
from soulbox_core.telemetry.readings import Reading


@dataclass(frozen=True)
class Service:
    """The parts of a running service that its borders talk to. What is None is switched off."""

    runs: Runs
    catalog: Catalog
    gate: Gate
    identity: Identity | None
    """None where callers need not prove who they are."""
    results: ResultCache | None
    executions: Executions | None
    health: Callable[[], Health] | None
    """How the database is."""
    metrics: Metrics | None
    admission: Admission
    directory: Path
    """Where the instance keeps what is its own."""
    first_key: str | None
    """The text of the first API key, if it was made just now."""
    settle: Callable[[], Awaitable[None]]
    """Waits until all is there that is made ahead of requests, which are answered meanwhile.

    :raises ContainerError: no language starts
    """
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
    reaches = reaches_of(settings, languages)
    policies = Policies(settings)
    gateway = Gateway(settings.egress, _own_ports(settings))
    limits = settings.limits
    async with AsyncExitStack() as closing:
        instance = Instance(Path(settings.state_dir), settings.instance)
        closing.callback(instance.close)
        stores = await stores_of(settings, instance, closing)
        identity = first_key = None
        if stores is not None and settings.auth.enabled:
            identity = await identity_of(settings, instance, policies, stores)
            first_key = await identity.make_first_key()
        limiter, allotments = quotas_of(settings.rates, instance.directory, closing)
        results = results_of(settings, closing)
        idempotency = idempotency_of(settings, closing)
        # Before the sandbox, so that they are told of the runs which end with it.
        metrics = metrics_of(settings.telemetry)
        journal = journal_of(settings, instance, stores, closing)
        witnesses = witnesses_of(settings.telemetry, instance.id, metrics, journal, closing)
        sandbox = await closing.enter_async_context(
            open_sandbox(settings, languages, images, instance)
        )
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
        helpers = helpers_of(settings, languages, sandbox, closing)
        builds = Builds(cache, executor, helpers, toolchains)
        catalog = Catalog(languages, sandbox, executor, limits.default, installs.languages)

        async def settle() -> None:
            await sandbox.started()
            await asyncio.gather(catalog.probe(), *(each.start() for each in helpers.values()))

        admission = admission_of(settings, languages, reaches, len(helpers))
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
            idempotency,
            Accounts(witnesses, settings.records.content_bytes if settings.records.output else 0),
            limits,
            recall_of(settings, languages, toolchains, results),
        )

        def read() -> Iterable[Reading]:
            yield from readings.of_runs(admission)
            yield from readings.of_pools(sandbox.figures)
            yield from readings.of_caches(builds, installs, cache.store, results)
            if journal is not None:
                yield from readings.of_records(journal)
            if stores is not None:
                yield from readings.of_database(stores)
            if isinstance(limiter, RedisLimiter):
                yield from readings.of_limiter(limiter)

        if metrics is not None:
            metrics.watch(read())
        yield Service(
            runs=runs,
            catalog=catalog,
            gate=gate,
            identity=identity,
            results=results,
            executions=None if journal is None or stores is None else stores.executions,
            health=None if stores is None else stores.health,
            metrics=metrics,
            admission=admission,
            directory=instance.directory,
            first_key=first_key,
            settle=settle,
            closing=closing,
        )


def _own_ports(settings: Settings) -> frozenset[int]:
    """Where this service listens, as far as the settings say."""
    return frozenset(filter(None, (settings.server.port, settings.grpc.port)))
