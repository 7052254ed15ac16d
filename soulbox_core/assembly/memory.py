"""What is remembered: the database, the records that go there, the result cache."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from soulbox_core.assembly.telling import VERSION
from soulbox_core.errors import SettingsError
from soulbox_core.identity.running import DATABASE
from soulbox_core.journal.journal import Journal
from soulbox_core.journal.retention import Retention
from soulbox_core.journal.spool import Spool
from soulbox_core.registry import Registry
from soulbox_core.remote.breaker import Breaker
from soulbox_core.remote.redis import connection
from soulbox_core.results.cache import ResultCache
from soulbox_core.results.repeats import Repeats
from soulbox_core.sandbox.instance import Instance
from soulbox_core.service.builds import Toolchain
from soulbox_core.service.idempotency import Idempotency
from soulbox_core.service.recall import Ground, Recall
from soulbox_core.settings import Settings
from soulbox_core.store.opening import Stores, open_database

_SPOOL = "records"
"""Directory with the records that the database does not have yet, in the instance's."""


async def stores_of(
    settings: Settings, instance: Instance, closing: AsyncExitStack
) -> Stores | None:
    """The database, if anything is to be kept in it."""
    if not settings.auth.enabled and not settings.records.enabled:
        return None
    directory = instance.directory / DATABASE
    return await closing.enter_async_context(
        open_database(settings.database, directory, settings.records.most)
    )


def journal_of(
    settings: Settings, instance: Instance, stores: Stores | None, closing: AsyncExitStack
) -> Journal | None:
    """What writes records of runs, if any are kept."""
    if stores is None or not settings.records.enabled:
        return None
    executions = stores.executions
    journal = Journal(
        Spool(instance.directory / _SPOOL, settings.records.spool_bytes),
        executions,
        settings.records,
        instance.id,
    )
    closing.push_async_callback(journal.close)
    retention = Retention(executions, journal, settings.records.seconds)
    closing.push_async_callback(retention.close)
    return journal


def results_of(settings: Settings, closing: AsyncExitStack) -> ResultCache | None:
    """The result cache, if there is room for anything in it."""
    if not settings.results.memory_bytes and not settings.results.redis:
        return None
    results = ResultCache(settings.results)
    closing.push_async_callback(results.close)
    results.start()
    return results


def idempotency_of(settings: Settings, closing: AsyncExitStack) -> Idempotency:
    """What has requests with an Idempotency-Key run once: here, or on all nodes."""
    server = settings.server
    seconds = server.idempotency_redis_seconds
    repeats = None
    if server.idempotency_redis:
        try:
            redis = connection(server.idempotency_redis, seconds)
        except ValueError as error:
            raise SettingsError(f"server.idempotency_redis: {error}") from None
        closing.push_async_callback(redis.aclose, close_connection_pool=True)
        repeats = Repeats(
            redis,
            Breaker(seconds, "refusing requests with an Idempotency-Key"),
            Breaker(seconds, "answers to an Idempotency-Key are known to this node alone"),
            settings.results.secret,
            server.idempotency_seconds,
            server.idempotency_bytes,
        )
    return Idempotency(server.idempotency_seconds, server.idempotency_bytes, elsewhere=repeats)


def recall_of(
    settings: Settings,
    languages: Registry,
    toolchains: Mapping[str, Toolchain],
    results: ResultCache | None,
) -> Recall | None:
    """What asks the result cache, if there is one."""
    if results is None:
        return None
    grounds = {
        name: Ground(
            toolchain=f"{VERSION} {toolchains[name].plugin_version} {toolchains[name].image}",
            preloads=language.preloads,
            dependencies=settings.language(name).dependencies,
        )
        for name, language in languages.languages.items()
    }
    return Recall(results, grounds, settings.limits.compile)
