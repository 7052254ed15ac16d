"""Requests with an Idempotency-Key, on all nodes: each runs on one of them, and what came of it is
in Redis for those who repeat it elsewhere.

A node that runs one holds a *claim*, which it renews for as long as it does. When the node is gone
the claim lapses, and who repeats the request has it run again.
"""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from secrets import token_bytes
from typing import Any, TypeVar

import msgspec
from redis.asyncio import Redis

from soulbox_core.errors import IdempotencyMismatch, StoreFailed
from soulbox_core.model import Outcome, Value
from soulbox_core.remote.breaker import Breaker
from soulbox_core.results.key import derived

logger = logging.getLogger(__name__)

CLAIM_SECONDS = 10.0
"""How long a claim is good that is not renewed: so long does a request wait whose node is gone."""
_LEASE = int(CLAIM_SECONDS * 1000)
_RENEW_SECONDS = CLAIM_SECONDS / 4
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
"""Between two looks at a request that runs elsewhere."""
_PREFIX = "soulbox:once:"
_CLAIM = b"c"
_ANSWER = b"a"
_TOKEN_BYTES = 16
_FINGERPRINT_BYTES = 32
_TAG_BYTES = 32
_NAME_BYTES = 16

_TAKE = """
local kept = redis.call('GET', KEYS[1])
if kept then return kept end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ''
"""
_RENEW = """
local kept = redis.call('GET', KEYS[1])
if kept and kept ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
"""Also where there is none any more: then Redis has lost it, or it has lapsed and nobody came."""
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
_FINISH = """
local claim, answer, ms, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('GET', KEYS[1])
if kept and kept ~= claim then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1], answer, 'PX', ms)
local held = tonumber(redis.call('GET', KEYS[3]) or '0')
local function oldest(reach)
  return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', reach, 'WITHSCORES', 'LIMIT', 0, 1)[1]
end
local function drop(member)
  redis.call('ZREM', KEYS[2], member)
  local name, size = string.match(member, '^(%S+) (%d+)$')
  held = held - size
  return name
end
local over = oldest(now - ms)
while over do
  drop(over)
  over = oldest(now - ms)
end
held = held + #answer
while held > most do
  local first = oldest('+inf')
  if not first then
    held = #answer
    break
  end
  redis.call('DEL', drop(first))
end
redis.call('ZADD', KEYS[2], now, KEYS[1] .. ' ' .. #answer)
redis.call('PEXPIRE', KEYS[2], ms)
redis.call('SET', KEYS[3], held, 'PX', ms)
return 1
"""
"""An answer in place of its claim; of its caller's, the oldest go that are too much. What is over
is gone already, and its name may be another answer's by now."""

T = TypeVar("T")


class _Asked(Value):
    """A request under its names in Redis."""

    owner: str
    name: str
    fingerprint: bytes
    claim: bytes


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    fingerprint: bytes
    outcome: Outcome


class Repeats:
    """Does work once on all nodes.

    If Redis does not answer before the work was begun, it is not done: nobody knows whether it was
    done elsewhere.

    :param redis: a client that is not used for anything that waits
    :param asking: for claims, which are short
    :param keeping: for answers: where big ones take too long, claims do not suffer from it
    :param secret: what only nodes know
    :param seconds: how long an answer is kept
    :param most_bytes: how much of each caller's
    """

    def __init__(
        self,
        redis: Redis,
        asking: Breaker,
        keeping: Breaker,
        secret: str,
        seconds: float,
        most_bytes: int,
    ) -> None:
        self._asking = asking
        self._keeping = keeping
        self._secret = derived(secret, "once")
        self._milliseconds = int(seconds * 1000)
        self._most_bytes = most_bytes
        self._take: Any = redis.register_script(_TAKE)
        self._renew: Any = redis.register_script(_RENEW)
        self._release: Any = redis.register_script(_RELEASE)
        self._finish: Any = redis.register_script(_FINISH)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(_Kept)

    async def once(
        self, caller: str, key: str, fingerprint: bytes, work: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        """Do the work, or return what came of it on another node.

        What fails is forgotten: who asks again has it done again.

        :param key: of the caller's choice
        :param fingerprint: of the request
        :raises IdempotencyMismatch: the key came with another request
        :raises StoreFailed: nobody can tell whether it was done; it is not done now
        """
        # Who can read Redis cannot find out by it whether a request is one that he guesses.
        fingerprint = self._digest(fingerprint, _FINGERPRINT_BYTES)
        asked = _Asked(
            owner=self._owner(caller),
            name=self._name(caller, key),
            fingerprint=fingerprint,
            claim=_CLAIM + token_bytes(_TOKEN_BYTES) + fingerprint,
        )
        pause = _FIRST_PAUSE
        while True:
            kept = await self._must(lambda: self._take((asked.name,), (asked.claim, _LEASE)))
            if not kept:
                return await self._done(asked, work)
            answer = self._read(asked, kept)
            if answer is not None:
                return msgspec.structs.replace(answer, replayed=True)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _done(self, asked: _Asked, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._let_go, asked)
            async with self._held(asked):
                outcome = await work()
            undo.pop_all()
        # Before the caller is answered: who has an answer of one node may ask the next.
        await self._keep(asked, outcome)
        return outcome

    async def _keep(self, asked: _Asked, outcome: Outcome) -> None:
        answer = self._written(asked, outcome)
        if answer is None or len(answer) > self._most_bytes:
            await self._let_go(asked)
            return
        names = (asked.name, f"{asked.owner}:names", f"{asked.owner}:bytes")
        values = (asked.claim, answer, self._milliseconds, self._most_bytes)
        if not await self._keeping.ask(lambda: self._finish(names, values)):
            logger.warning("an answer to an Idempotency-Key is known to this node alone")

    async def _let_go(self, asked: _Asked) -> None:
        await self._asking.ask(lambda: self._release((asked.name,), (asked.claim,)))

    @asynccontextmanager
    async def _held(self, asked: _Asked) -> AsyncIterator[None]:
        """Renew a claim meanwhile."""
        renewing = asyncio.create_task(self._renewed(asked))
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing

    async def _renewed(self, asked: _Asked) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            await self._asking.ask(lambda: self._renew((asked.name,), (asked.claim, _LEASE)))

    def _written(self, asked: _Asked, outcome: Outcome) -> bytes | None:
        """An answer as it is kept; None if it cannot be written."""
        try:
            payload = self._encoder.encode(_Kept(asked.fingerprint, outcome))
        except UnicodeEncodeError:
            return None  # a program may give its files names that are no text
        return _ANSWER + self._tag(asked.name, payload) + payload

    def _read(self, asked: _Asked, kept: bytes) -> Outcome | None:
        """The answer; None for a claim of the same request.

        :raises IdempotencyMismatch: it is another request's
        :raises StoreFailed: no node wrote it for this name
        """
        if kept[:1] == _CLAIM and len(kept) == len(asked.claim):
            _check(kept[1 + _TOKEN_BYTES :], asked)
            return None
        tag, payload = kept[1 : 1 + _TAG_BYTES], kept[1 + _TAG_BYTES :]
        if kept[:1] != _ANSWER or not hmac.compare_digest(tag, self._tag(asked.name, payload)):
            logger.warning("what is kept of an Idempotency-Key is damaged")
            raise StoreFailed("what is kept of this Idempotency-Key is damaged; choose a new one")
        try:
            answer = self._decoder.decode(payload)
        except msgspec.MsgspecError:  # a node of another version wrote it
            raise StoreFailed(
                "what is kept of this Idempotency-Key cannot be read by this node; try again"
            ) from None
        _check(answer.fingerprint, asked)
        return answer.outcome

    async def _must(self, call: Callable[[], Awaitable[T]]) -> T:
        answer = await self._asking.ask(call)
        if answer is None:
            raise StoreFailed(
                "redis does not answer, so nobody knows whether this Idempotency-Key was used;"
                " nothing was run"
            )
        return answer

    def _name(self, caller: str, key: str) -> str:
        """Tells nothing of a key to who can read Redis."""
        whole = f"{len(caller)} {caller} {key}"
        return f"{self._owner(caller)}:{self._digest(whole.encode(), _NAME_BYTES).hex()}"

    def _owner(self, caller: str) -> str:
        return _PREFIX + self._digest(caller.encode(), _NAME_BYTES).hex()

    def _digest(self, data: bytes, size: int) -> bytes:
        return hashlib.blake2b(data, key=self._secret, digest_size=size).digest()

    def _tag(self, name: str, payload: bytes) -> bytes:
        return self._digest(name.encode() + b"\0" + payload, _TAG_BYTES)


def _check(fingerprint: bytes, asked: _Asked) -> None:
    if fingerprint != asked.fingerprint:
        raise IdempotencyMismatch
