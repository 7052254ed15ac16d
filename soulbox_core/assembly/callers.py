"""Who callers are, and what they may use over time."""

from contextlib import AsyncExitStack
from pathlib import Path

from soulbox_core.errors import SettingsError
from soulbox_core.identity.freshness import Freshness
from soulbox_core.identity.identity import Identity
from soulbox_core.identity.opening import issuer_of, open_identity
from soulbox_core.quotas.file_ledger import FileLedger
from soulbox_core.quotas.limiter import MemoryLimiter, RedisLimiter
from soulbox_core.quotas.redis import RedisBuckets
from soulbox_core.quotas.redis_ledger import RedisLedger
from soulbox_core.remote.breaker import Breaker
from soulbox_core.remote.redis import connection
from soulbox_core.sandbox.instance import Instance
from soulbox_core.service.allotment import Allotments
from soulbox_core.service.gate import Limiter
from soulbox_core.service.policy import Policies
from soulbox_core.settings import Rates, Settings
from soulbox_core.store.opening import Stores

_CPU_TIME = "cpu-time.json"
"""File with what callers used today, in the instance's directory."""


async def identity_of(
    settings: Settings, instance: Instance, policies: Policies, stores: Stores
) -> Identity:
    """Who callers are."""
    database = settings.database
    freshness = Freshness(
        fresh_seconds=database.fresh_seconds, grace_seconds=database.grace_seconds
    )
    return await open_identity(
        settings.auth,
        stores.identities,
        instance.directory,
        issuer_of(instance.id),
        policies.names,
        freshness=None if stores.embedded else freshness,
    )


def quotas_of(
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
