"""What the HTTP side needs of the service."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Protocol

from soulbox_core.identity.identity import Grant
from soulbox_core.language import Language
from soulbox_core.model import Caller, Event, Outcome, RunRequest, Standing
from soulbox_core.registry import PluginFault
from soulbox_core.service.catalog import LanguageInfo
from soulbox_core.service.gate import Entry
from soulbox_core.store.records import ApiKey


class Runs(Protocol):
    """Runs programs."""

    async def execute(
        self,
        request: RunRequest,
        caller: Caller,
        stdin: AsyncIterator[bytes] | None = None,
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Run to the end. Cancelling kills the cell, unless there is a key.

        :param idempotency_key: run it once, however often it is asked for with this key

        :raises RequestError: it was refused; nothing ran
        :raises SandboxError: our own failure
        """

    def stream(
        self, request: RunRequest, caller: Caller, stdin: AsyncIterator[bytes] | None = None
    ) -> AsyncGenerator[Event, None]:
        """Run, telling Started, then each Chunk as it comes, then Finished; and Samples between
        them, if the request asks for those.

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

    @property
    def stopping(self) -> bool:
        """Whether the service ends soon."""

    def ready(self) -> bool:
        """Whether every language would run at once, and the service goes on."""


class Identity(Protocol):
    """Makes and takes back what callers show."""

    async def grant(self, key_text: str, scopes: tuple[str, ...] | None) -> Grant:
        """Trade an API key for tokens.

        :raises Unauthenticated: the key is no good
        :raises InvalidRequest: it does not have these scopes
        """

    async def refresh(self, token: str) -> Grant:
        """Trade a refresh token for new tokens.

        :raises Unauthenticated: it is no good
        """

    async def revoke(self, token: str) -> None:
        """Revoke a token, and all that belong to it."""

    async def create_key(
        self, name: str, scopes: tuple[str, ...], policy: str, expires_at: float | None
    ) -> tuple[ApiKey, str]:
        """Make an API key; its text is told this once.

        :raises InvalidRequest: there is no such scope or policy
        """

    async def keys(self) -> tuple[ApiKey, ...]:
        """Every API key."""

    async def revoke_key(self, id: str) -> ApiKey | None:
        """Revoke an API key; None if there is none."""

    def rotate(self) -> str:
        """Sign with a new key from now on; its id."""

    def jwks(self) -> Mapping[str, object]:
        """The public keys by which others can verify tokens."""


class Results(Protocol):
    """The result cache, for who looks after it."""

    async def drop(self, key: str) -> bool:
        """Remove an answer; whether it was there.

        :raises StoreFailed: it may be there still
        """

    async def drop_caller(self, caller: str) -> int:
        """Remove all answers of a caller; how many there were.

        :raises StoreFailed: some may be there still
        """


class Gate(Protocol):
    """Lets callers in."""

    async def enter(self, credential: str | None, address: str, scope: str) -> Entry:
        """Let a caller in who may do what `scope` names.

        :raises Unauthenticated: the credential is missing or no good
        :raises Forbidden: it is good, and not for this
        :raises RateLimited: too many requests
        """

    async def pass_by(self, address: str) -> tuple[Standing, ...]:
        """Let a request in on a path that needs no credential.

        :raises RateLimited: too many requests from there
        """
