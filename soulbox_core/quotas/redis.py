"""Token buckets in Redis, for several nodes to share."""

from redis.asyncio import Redis

from soulbox_core.model import Standing
from soulbox_core.quotas.bucket import standing, terms
from soulbox_core.settings import Rate

_PREFIX = "soulbox:bucket:"

_TAKE = """
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now_s, now_ns = tonumber(time[1]), time[2] * 1000
local kept = redis.call('GET', KEYS[1])
local filling = 0
if kept then
  local s, ns = string.match(kept, '^(%d+) (%d+)$')
  if s then filling = (s - now_s) * 1000000000 + (ns - now_ns) end
end
filling = math.min(math.max(filling, 0), window)
local missing = filling + interval - window
if missing > 0 then
  if filling < window then return {filling, missing} end
else
  filling, missing = filling + interval, 0
end
local full = now_ns + filling
local s = math.floor(full / 1000000000)
kept = string.format('%.0f %.0f', now_s + s, full - s * 1000000000)
redis.call('SET', KEYS[1], kept, 'PX', math.ceil(filling / 1000000) + 1)
return {filling, missing}
"""
"""The arithmetic of `bucket.take`. Lua has doubles alone, which are exact for whole numbers below
2**53; so a time is kept as seconds and nanoseconds, and a bucket that fills within 104 days (2**53
ns) loses nothing. The clock is Redis' own, so that nodes whose clocks differ agree. A bucket that
is full is gone."""


class RedisBuckets:
    """Buckets by name; one round trip each.

    :param redis: a client that is not used for anything that waits
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        # EVALSHA, and again with the script itself if Redis does not know it.
        self._take = self._redis.register_script(_TAKE)

    async def take(self, name: str, rate: Rate, share: str) -> Standing:
        """Take one token out of a bucket, if there is one.

        :raises RedisError: Redis is gone, or does not do what it is asked
        """
        of = terms(rate)
        filling, missing = await self._take(keys=(_PREFIX + name,), args=(of.interval, of.window))
        return standing(int(filling), 0, int(missing), of, share)
