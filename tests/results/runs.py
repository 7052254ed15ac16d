"""The fake service behind a real result cache."""

from collections.abc import AsyncIterator

import msgspec

from soulbox_core.model import Caller, Limits, Outcome, RunRequest
from soulbox_core.results.cache import ResultCache
from soulbox_core.results.key import Parts
from soulbox_core.settings import Results
from tests.api.fakes import FakeRuns


class CachedRuns(FakeRuns):
    """Runs programs through a real result cache, if they are asked for so."""

    def __init__(self) -> None:
        super().__init__()
        self.results = ResultCache(Results())

    async def execute(
        self,
        request: RunRequest,
        caller: Caller,
        stdin: AsyncIterator[bytes] | None = None,
        idempotency_key: str | None = None,
    ) -> Outcome:
        async def work() -> Outcome:
            made = await FakeRuns.execute(self, request, caller, stdin, idempotency_key)
            # The fake's has a name in it that cannot be kept.
            return msgspec.structs.replace(made, outputs_skipped=())

        if not request.cache:
            return await work()
        parts = Parts(
            request=request,
            limits=Limits(),
            compile_limits=Limits(),
            toolchain="1",
            caller=caller.id,
        )
        return await self.results.once(self.results.key_of(parts), caller.id, work)
