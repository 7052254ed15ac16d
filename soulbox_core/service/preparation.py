"""What has to be in place before a program can start: its packages, its artifact."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import msgspec

from soulbox_core.execution.outcome import Before, Failure, shortened
from soulbox_core.execution.plan import Plan
from soulbox_core.model import Facts, Status, Value
from soulbox_core.service.builds import Builds
from soulbox_core.service.installs import Installs, Layer
from soulbox_core.service.room import Room


class Prepared(Value):
    """How far it came."""

    before: Before
    failure: Failure | None = None
    """Why the program cannot be started."""


class Preparation:
    """Installs, then compiles; each from the store if it was done before."""

    def __init__(self, installs: Installs, builds: Builds) -> None:
        self._installs = installs
        self._builds = builds

    def room(self, plan: Plan, layer: Layer | None) -> Room:
        """The most that a step of it will take, as far as can be told now."""
        return self._installs.room(layer) | self._builds.room(plan)

    @asynccontextmanager
    async def done(
        self, plan: Plan, layer: Layer | None, before: Before
    ) -> AsyncIterator[Prepared]:
        """Prepare a plan; what was prepared stays for the time of the context.

        :raises SandboxError: our failure
        """
        asked_at = perf_counter()
        most_bytes = plan.step.limits.output_bytes
        async with self._installs.installed(layer) as install:
            installed_at = perf_counter()
            if install is not None:
                before = msgspec.structs.replace(
                    before,
                    install_seconds=installed_at - asked_at,
                    cpu_seconds=install.cpu_seconds,
                )
                if install.failure is not None:
                    failure = _failure(
                        Status.INSTALL_FAILED, install.failure, install.output, most_bytes
                    )
                    yield Prepared(before=before, failure=failure)
                    return
            async with self._builds.artifact(plan) as build:
                if build is None:
                    yield Prepared(before=before)
                    return
                said = build.compilation.output
                before = msgspec.structs.replace(
                    before,
                    compile_seconds=perf_counter() - installed_at,
                    cpu_seconds=before.cpu_seconds + build.cpu_seconds,
                    compilation=msgspec.structs.replace(
                        build.compilation, output=shortened(said, most_bytes)
                    ),
                )
                if build.failure is None:
                    yield Prepared(before=before)
                else:
                    failure = _failure(Status.COMPILE_FAILED, build.failure, said, most_bytes)
                    yield Prepared(before=before, failure=failure)


def _failure(status: Status, facts: Facts, output: bytes, most_bytes: int) -> Failure:
    """Tell no more than the caller may have of its program."""
    said = shortened(output, most_bytes)
    truncated = len(said) < len(output)
    return Failure(status=status, facts=facts, output=said, truncated=truncated)
