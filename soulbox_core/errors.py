"""Every exception SoulBox raises on purpose.

    SoulBoxError
    ├── RequestError            the request is refused; nothing was run
    │   ├── InvalidRequest      its shape or a value is wrong
    │   ├── LimitAboveCeiling   it asks for more than the operator allows
    │   ├── TooLarge            body, source or file count over its bound
    │   ├── UnsupportedMedia    a content type or encoding we do not read
    │   ├── UnknownLanguage     no such language, or it is out of order
    │   ├── DependenciesRefused packages that may not be installed here
    │   ├── Unauthenticated     no credential, or one that is no good
    │   ├── Forbidden           the caller may not do this
    │   ├── IdempotencyMismatch the same Idempotency-Key with another request
    │   ├── RateLimited         too many requests
    │   ├── QuotaExceeded       too many runs at one time, or too much CPU time for a day
    │   └── Overloaded          no room now; try again later
    ├── SandboxError            our failure, never the program's
    │   ├── CellLost            the cell or its container died under a run
    │   │   └── CellStuck       it does not die, either
    │   ├── CgroupError         the kernel refused a limit or a read
    │   ├── ContainerError      Podman or the launcher failed
    │   ├── ImageError          a language image is missing or did not build
    │   ├── StoreFailed         the database failed, or a record in it is damaged
    │   ├── LanguageError       a plugin's function failed for this request
    │   └── ArtifactError       what a step left behind cannot be kept
    │       └── ArtifactTooLarge    there is more of it than the store may hold
    └── StartupError            the service must not start like this
        ├── SettingsError       a wrong key or value in the configuration
        ├── HostError           the host lacks something; says what to run
        ├── StoreError          the database cannot be opened
        └── PluginError         a language plugin broke the contract

What a program does (a non-zero exit, a signal, a limit hit) is not an error:
it is a `soulbox_core.model.Status`.
"""

from math import ceil

from soulbox_core.model import Standing

_SHOWN = 80


def shown(text: str) -> str:
    """A caller's own text, quoted and cut to a length that fits into a message."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")


class SoulBoxError(Exception):
    """Base of all errors raised by SoulBox."""


class RequestError(SoulBoxError):
    """A request that is refused before anything runs.

    :param detail: one sentence for a person, in lower case
    :param field: the request field at fault, as a dotted path, if there is one
    """

    code = "request_refused"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class InvalidRequest(RequestError):
    """The request's shape or one of its values is wrong."""

    code = "invalid_request"


class LimitAboveCeiling(RequestError):
    """A limit was asked for that is above the operator's ceiling."""

    code = "limit_above_ceiling"

    def __init__(self, limit: str, asked: float, ceiling: float) -> None:
        super().__init__(
            f"{limit} = {asked:g} is above the ceiling of {ceiling:g}; ask for {ceiling:g} or less",
            field=f"limits.{limit}",
        )
        self.limit = limit
        self.asked = asked
        self.ceiling = ceiling


class TooLarge(RequestError):
    """The body, a source file or the set of files is over its bound."""

    code = "too_large"


class UnsupportedMedia(RequestError):
    """The content type or content encoding is not one that is read here."""

    code = "unsupported_media_type"


class UnknownLanguage(RequestError):
    """No language of that name is offered.

    :param name: as the caller wrote it
    :param known: the names that would have worked
    """

    code = "unknown_language"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"no language {shown(name)}; known: {', '.join(known) or 'none'}", field="language"
        )
        self.name = name
        self.known = known


class DependenciesRefused(RequestError):
    """The operator does not let these packages be installed, or any."""

    code = "dependencies_refused"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, field="dependencies")


class Unauthenticated(RequestError):
    """There is no credential, or it is no good. The message never says what is wrong with it."""

    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("send a valid API key or access token: authorization: Bearer ...")


class Forbidden(RequestError):
    """The caller is known and may not do this."""

    code = "forbidden"


class IdempotencyMismatch(RequestError):
    """An Idempotency-Key came again with a request that is not the one it came with first."""

    code = "idempotency_mismatch"

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key was used for another request; choose a new one",
            field="idempotency-key",
        )


class RateLimited(RequestError):
    """Too many requests for now.

    :param standing: how the caller stands with the bucket that is empty
    """

    code = "rate_limited"

    def __init__(self, detail: str, *, standing: Standing) -> None:
        super().__init__(detail)
        self.standing = standing
        self.retry_after_seconds = max(1, ceil(standing.retry_after_seconds))


class QuotaExceeded(RequestError):
    """What the caller may use is used up: runs at one time, or CPU time for a day.

    :param retry_after_seconds: when there may be some again
    """

    code = "quota_exceeded"

    def __init__(self, detail: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Overloaded(RequestError):
    """There is no room for the run now.

    :param retry_after_seconds: when trying again is worth it
    """

    code = "overloaded"

    def __init__(self, detail: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class SandboxError(SoulBoxError):
    """The sandbox itself failed; the program is not to blame."""

    code = "sandbox_failed"


class CellLost(SandboxError):
    """The cell, its launcher or its container died while it was needed."""

    code = "cell_lost"


class CellStuck(CellLost):
    """A killed cell does not die: it still holds what it holds, so nothing is tried again."""


class CgroupError(SandboxError):
    """The kernel refused to make, limit, read or remove a cgroup."""

    code = "cgroup_failed"


class ContainerError(SandboxError):
    """Podman or the launcher in a container failed."""

    code = "container_failed"


class ImageError(SandboxError):
    """A language's image is missing, or its build failed."""

    code = "image_failed"


class ArtifactError(SandboxError):
    """What a step left behind cannot be kept, or is no longer what was kept."""


class ArtifactTooLarge(ArtifactError):
    """What a step left behind is more than the whole store may hold.

    :param size_bytes: what it would take
    :param max_bytes: what there is
    """

    def __init__(self, size_bytes: int, max_bytes: int) -> None:
        super().__init__(f"it takes {size_bytes} bytes and the store may hold {max_bytes}")
        self.size_bytes = size_bytes
        self.max_bytes = max_bytes


class StoreFailed(SandboxError):
    """The database failed, or a record in it is damaged."""

    code = "store_failed"


class LanguageError(SandboxError):
    """A function of a language plugin raised, or returned what it must not."""

    code = "language_failed"


class StartupError(SoulBoxError):
    """The service must not start in this state."""


class SettingsError(StartupError):
    """A configuration key or value is wrong; the message names it."""


class HostError(StartupError):
    """The host lacks something the service needs; the message says what to run."""


class StoreError(StartupError):
    """The database cannot be opened, or another process has it."""


class PluginError(StartupError):
    """A language plugin broke the contract.

    :param plugin: the entry-point name at fault
    """

    def __init__(self, plugin: str, detail: str) -> None:
        super().__init__(f"plugin {plugin!r}: {detail}")
        self.plugin = plugin
        self.detail = detail
