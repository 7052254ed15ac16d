"""Clients of a Redis."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_CONNECTIONS = 16


def connection(url: str, seconds: float) -> Redis:
    """A client that waits no longer than so many seconds, and tries nothing twice: what it asks
    for may be done although no answer came.

    :raises ValueError: the URL is none
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=seconds,
        socket_connect_timeout=seconds,
        socket_timeout=seconds,
        retry=Retry(NoBackoff(), retries=0),
    )
    return Redis.from_pool(pool)
