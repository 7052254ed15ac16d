"""Answers that were given before, for requests that may have them."""

from collections.abc import Awaitable, Callable, Mapping

from soulbox_core.model import Caller, Limits, Outcome, RunRequest, Value
from soulbox_core.results.cache import ResultCache
from soulbox_core.results.key import Parts
from soulbox_core.service.policy import Policy
from soulbox_core.settings import DependencySettings


class Ground(Value):
    """What the answers of a language rest on, besides the request."""

    toolchain: str
    """SoulBox's version, the plugin's, and the image's tag and when it was made."""
    preloads: tuple[str, ...]
    dependencies: DependencySettings


class Recall:
    """Asks the result cache for those who want it asked.

    :param grounds: by language
    :param compile_limits: what compile steps may use
    """

    def __init__(
        self, cache: ResultCache, grounds: Mapping[str, Ground], compile_limits: Limits
    ) -> None:
        self._cache = cache
        self._grounds = grounds
        self._compile_limits = compile_limits

    def wants(self, request: RunRequest, policy: Policy) -> bool:
        """Whether an earlier answer will do: the caller says, or else its policy; but none will
        for a program that talks to others."""
        asked = policy.cache if request.cache is None else request.cache
        return asked and not request.network

    async def answer(
        self,
        request: RunRequest,
        limits: Limits,
        caller: Caller,
        policy: Policy,
        work: Callable[[], Awaitable[Outcome]],
    ) -> Outcome:
        """An earlier answer to the same request, or what comes of the work.

        :param limits: of the run
        """
        ground = self._grounds[request.language]
        key = self._cache.key_of(
            Parts(
                request=request,
                limits=limits,
                compile_limits=self._compile_limits,
                toolchain=ground.toolchain,
                caller=caller.id,
                preloads=ground.preloads,
                dependencies=ground.dependencies,
                hidden=policy.hidden,
            )
        )
        return await self._cache.once(key, caller.id, work)
