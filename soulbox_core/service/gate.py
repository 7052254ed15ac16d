"""Who comes in: one caller, proven, within its share of requests."""

from typing import Protocol

from soulbox_core.errors import Forbidden, RateLimited, Unauthenticated
from soulbox_core.model import Caller, Standing, Value
from soulbox_core.scopes import EXECUTE, METRICS, held
from soulbox_core.service.policy import Policies
from soulbox_core.settings import Rate, Rates


class Authenticator(Protocol):
    """Knows callers by what they show."""

    async def caller(self, credential: str) -> Caller:
        """The caller whose API key or access token this is.

        :raises Unauthenticated: it is nobody's, or not any more, or not yet
        """


class Limiter(Protocol):
    """Token buckets, each under a name of its own."""

    async def take(self, name: str, rate: Rate, share: str) -> Standing:
        """Take one token out of a bucket, if there is one.

        :param share: what the bucket is called where callers see it, such as `caller`
        """


class Entry(Value):
    """A caller who was let in."""

    caller: Caller
    standings: tuple[Standing, ...]
    """Of each bucket that a token was taken from."""


class Gate:
    """Lets callers in, whatever protocol they speak.

    :param authenticator: None lets anybody in, as a caller by address
    """

    def __init__(
        self,
        authenticator: Authenticator | None,
        limiter: Limiter,
        policies: Policies,
        rates: Rates,
    ) -> None:
        self._authenticator = authenticator
        self._limiter = limiter
        self._policies = policies
        self._rates = rates

    async def enter(self, credential: str | None, address: str, scope: str) -> Entry:
        """Let a caller in who may do what `scope` names.

        :param credential: the API key or access token that was sent, if one was
        :param address: where the request came from; empty on a unix socket
        :raises Unauthenticated: the credential is missing or no good
        :raises Forbidden: it is good, and not for this
        :raises RateLimited: too many requests
        """
        caller = await self._caller(credential, address)
        if scope not in held(caller.scopes):
            raise Forbidden(f"this takes a key or token with the scope {scope!r}")
        rate = self._policies.of(caller).rate
        own = await self._take(f"caller:{caller.id}", rate, "caller")
        total = await self._take("total", self._rates.total, "total")
        return Entry(caller=caller, standings=(*own, *total))

    async def pass_by(self, address: str) -> tuple[Standing, ...]:
        """Let a request in on a path that needs no credential.

        :raises RateLimited: too many requests from there
        """
        return await self._take(f"address:{address}", self._rates.address, "address")

    async def _caller(self, credential: str | None, address: str) -> Caller:
        if self._authenticator is None:
            return Caller(id=f"address:{address}", scopes=frozenset((EXECUTE, METRICS)))
        try:
            if credential is None:
                raise Unauthenticated
            return await self._authenticator.caller(credential)
        except Unauthenticated:
            await self.pass_by(address)  # or guessing would cost nothing
            raise

    async def _take(self, name: str, rate: Rate, share: str) -> tuple[Standing, ...]:
        if not rate.requests_per_second:
            return ()
        standing = await self._limiter.take(name, rate, share)
        if not standing.allowed:
            raise RateLimited(
                f"more than {rate.requests_per_second:g} requests a second after a burst of"
                f" {rate.burst}; wait {standing.retry_after_seconds:.3g} s",
                standing=standing,
            )
        return (standing,)
