"""What the HTTP side needs of the service."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from soulbox_core.language import Language
from soulbox_core.model import Event, Outcome, RunRequest
from soulbox_core.registry import PluginFault
from soulbox_core.service.catalog import LanguageInfo


class Runs(Protocol):
    """Runs programs."""

    async def execute(
        self, request: RunRequest, stdin: AsyncIterator[bytes] | None = None
    ) -> Outcome:
        """Run to the end. Cancelling kills the cell.

        :raises RequestError: it was refused; nothing ran
        :raises SandboxError: our own failure
        """

    def stream(
        self, request: RunRequest, stdin: AsyncIterator[bytes] | None = None
    ) -> AsyncGenerator[Event, None]:
        """Run, telling Started, then each Chunk as it comes, then Finished.

        Closing the generator or cancelling its consumer kills the cell.

        :raises RequestError: in place of Started; nothing ran
        :raises SandboxError: our own failure, at any point
        """


class Catalog(Protocol):
    """Knows the languages."""

    def entries(self) -> tuple[LanguageInfo, ...]:
        """Every language that is offered."""

    def faults(self) -> tuple[PluginFault, ...]:
        """Every plugin that could not be used."""

    def language(self, name: str) -> Language:
        """Find a language by name or alias.

        :raises UnknownLanguage: there is none
        """

    def ready(self) -> bool:
        """Whether every language would run at once."""
