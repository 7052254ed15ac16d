"""Runs install plans: in a cell of its own, with a way out to the package registry alone."""

from pathlib import Path

import msgspec

from soulbox_core.egress.gateway import Gateway
from soulbox_core.egress.proxy import Proxy
from soulbox_core.execution.outputs import Transcript
from soulbox_core.execution.plan import Plan
from soulbox_core.execution.verdict import made
from soulbox_core.model import Facts, Value
from soulbox_core.sandbox.port import Sandbox

_TOLD = 5
"""Most hosts that are named."""
TRAFFIC = 4
"""How many times `output_file_bytes` may be fetched: packages are packed, indexes are not kept."""


class Installed(Value):
    """What came of an install."""

    ok: bool
    output: bytes
    """What the package manager said."""
    facts: Facts


class Installer:
    """Installs packages by means of one sandbox and one way out."""

    def __init__(self, sandbox: Sandbox, gateway: Gateway) -> None:
        self._sandbox = sandbox
        self._gateway = gateway

    async def run(self, plan: Plan, into: Path) -> Installed:
        """Run the plan to its end; cancelling kills its cell.

        :param into: takes the files
        :raises SandboxError: our failure
        """
        limits = plan.step.limits
        output = Transcript()
        assert plan.way is not None
        proxy = self._gateway.proxy(plan.way, limits.output_file_bytes * TRAFFIC)
        cell = await self._sandbox.claim(plan.language, plan.kind)
        try:
            async with proxy.serving(cell.listener()):
                step = msgspec.structs.replace(plan.step, into=str(into))
                try:
                    facts = await cell.run(step, output)
                finally:
                    cell.discard()  # before its connections are closed, or it would make others
        finally:
            cell.discard()
        return _installed(facts, output, proxy, limits.output_file_bytes)


def _installed(facts: Facts, output: Transcript, proxy: Proxy, most_bytes: int) -> Installed:
    """Say what the package manager could not know."""
    too_much = f"the packages have more than {most_bytes} bytes, or too many files"
    ok, said = made(facts, "the install", too_much)
    output.add(said)
    refused = [f"{one.host}:{one.port}" for one in proxy.visits if not one.allowed]
    if not ok and refused:
        output.add(f"not to be reached from here: {', '.join(refused[:_TOLD])}\n")
    return Installed(ok=ok, output=output.content, facts=facts)
