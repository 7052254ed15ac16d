"""What an answer is kept under: a name for all that it depends on.

The first part of a key is its owner's: a caller, or nobody where answers are shared. Who knows a
key can tell nothing of what was asked, and nobody can work one out without the secret.
"""

import hashlib
import hmac
import secrets

import msgspec

from soulbox_core.model import Limits, RunRequest, SourceFile, Value
from soulbox_core.settings import DependencySettings

OWNER_CHARACTERS = 16
KEY_CHARACTERS = 64
NOBODY = "0" * OWNER_CHARACTERS
"""The owner of answers that all callers share."""

_OWNER_BYTES = OWNER_CHARACTERS // 2
_DIGEST_BYTES = (KEY_CHARACTERS - OWNER_CHARACTERS) // 2
_HEX = frozenset("0123456789abcdef")
# MessagePack writes every length before its value: no two sets of parts read the same.
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


class Parts(Value):
    """All that an answer depends on but chance, time, and what is in volumes."""

    request: RunRequest
    limits: Limits
    """What the run may use, now that defaults have filled in what was not asked for."""
    compile_limits: Limits
    """What its compile step may use."""
    toolchain: str
    """The plugin's version, and the image's tag and when it was made."""
    caller: str
    """The caller's id; it counts for nothing where answers are shared."""
    preloads: tuple[str, ...] = ()
    dependencies: DependencySettings = DependencySettings()
    """Which packages may be installed, and from where."""
    hidden: tuple[str, ...] = ()
    """Paths of the image that the run does not see."""


class Keys:
    """Makes keys.

    :param secret: empty for one of this process's own, whose keys no other process finds
    :param shared: whether equal requests of different callers have the same key
    """

    def __init__(self, secret: str, shared: bool) -> None:
        self._secret = derived(secret, "key")
        self.shared = shared

    def of(self, parts: Parts) -> str:
        """The key of a request, in hex.

        The order of files and variables counts for nothing, as JSON gives it no meaning. Neither
        do the limits that were asked for, since `Parts.limits` is what comes of them, nor how the
        answer is told.

        :raises ValueError: the run may use the network, so its answer is never the same
        """
        request = parts.request
        if request.network:
            raise ValueError("a run that may use the network has no key")
        what = msgspec.structs.replace(
            parts,
            request=msgspec.structs.replace(
                request,
                files=request.files if len(request.files) == 1 else _in_order(request.files),
                limits={},
                cache=None,
                usage_events=False,
            ),
            caller="" if self.shared else parts.caller,
        )
        digest = hashlib.blake2b(
            _ENCODER.encode(what), digest_size=_DIGEST_BYTES, key=self._secret, person=b"request"
        )
        return self.owner(parts.caller) + digest.hexdigest()

    def owner(self, caller: str) -> str:
        """The part of a key that says whose answer it is."""
        if self.shared:
            return NOBODY
        digest = hashlib.blake2b(
            caller.encode(), digest_size=_OWNER_BYTES, key=self._secret, person=b"caller"
        )
        return digest.hexdigest()


def derived(secret: str, purpose: str) -> bytes:
    """A secret for one purpose alone, 32 bytes.

    :param secret: empty for one that nobody else can have
    """
    root = secret.encode() or secrets.token_bytes(32)
    return hmac.digest(root, b"soulbox results " + purpose.encode(), "sha256")


def is_key(text: str) -> bool:
    """Whether it has the shape of a key."""
    return len(text) == KEY_CHARACTERS and _HEX.issuperset(text)


def is_owner(text: str) -> bool:
    """Whether it has the shape of a key's first part."""
    return len(text) == OWNER_CHARACTERS and _HEX.issuperset(text)


def _in_order(files: tuple[SourceFile, ...]) -> tuple[SourceFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))
