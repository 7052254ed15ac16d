"""How an answer is written down, and held against what could have been written.

An entry is a version byte, a keyed BLAKE2b (RFC 7693) over version, key and the rest, and the rest:
the time and the outcome as MessagePack. Where entries are, others may write; so an entry that we
did not write, or wrote for another key, is never believed.
"""

import hashlib
import hmac

import msgspec

from soulbox_core.model import Outcome, Status

_VERSION = b"\x01"
_TAG_BYTES = 32
_HEAD_BYTES = len(_VERSION) + _TAG_BYTES
_CLOCK_SECONDS = 300.0
"""How much the clocks of two nodes may differ."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """An answer that was kept."""

    kept_at: float
    """When, in seconds since the epoch."""
    outcome: Outcome


class Seal:
    """Writes entries and reads them.

    :param secret: what only those know who may write entries
    :param seconds: how long an answer is good
    :param entry_bytes: the largest entry
    """

    def __init__(self, secret: bytes, seconds: float, entry_bytes: int) -> None:
        self._secret = secret
        self.seconds = seconds
        self.entry_bytes = entry_bytes
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Entry)

    def closed(self, key: str, outcome: Outcome, now: float) -> bytes | None:
        """The entry of an answer; None if it is none to keep."""
        if not _is_good(outcome) or _least_bytes(outcome) > self.entry_bytes:
            return None
        kept = msgspec.structs.replace(outcome, hit=None, replayed=False)
        try:
            payload = self._encoder.encode(Entry(now, kept))
        except UnicodeEncodeError:
            return None  # a program may give its files names that are no text
        if _HEAD_BYTES + len(payload) > self.entry_bytes:
            return None
        return b"".join((_VERSION, self._tag(key, payload), payload))

    def opened(self, key: str, data: bytes, now: float) -> Entry | None:
        """Read an entry; None if it is too old.

        :raises ValueError: it is not what we wrote for this key, or could not have been written
        """
        if len(data) <= _HEAD_BYTES or len(data) > self.entry_bytes or data[:1] != _VERSION:
            raise ValueError("it is no entry")
        payload = data[_HEAD_BYTES:]
        if not hmac.compare_digest(data[1:_HEAD_BYTES], self._tag(key, payload)):
            raise ValueError("it is not ours, or not of this key")
        try:
            entry = self._decoder.decode(payload)
        except msgspec.MsgspecError as error:
            raise ValueError(f"it cannot be read: {error}") from None
        outcome = entry.outcome
        if not _is_good(outcome) or outcome.replayed or outcome.hit is not None:
            raise ValueError("it is no answer that is kept")
        if not entry.kept_at <= now + _CLOCK_SECONDS:
            raise ValueError("it is from the future")
        return entry if self.left_seconds(entry, now) > 0 else None

    def left_seconds(self, entry: Entry, now: float) -> float:
        """How long it is still good."""
        return min(entry.kept_at + self.seconds - now, self.seconds)

    def _tag(self, key: str, payload: bytes) -> bytes:
        tag = hashlib.blake2b(_VERSION, key=self._secret, digest_size=_TAG_BYTES)
        tag.update(key.encode())
        tag.update(payload)
        return tag.digest()


def _is_good(outcome: Outcome) -> bool:
    """Whether another request may be given this answer: not one that lacks files, since it may
    have been our fault that they were not brought back."""
    ended_well = outcome.status is Status.OK and outcome.exit_code == 0
    return ended_well and outcome.network is None and not outcome.outputs_skipped


def _least_bytes(outcome: Outcome) -> int:
    """What its entry takes at least: not to write one that is too large anyway."""
    files = sum(len(file.content) for file in outcome.output_files)
    return len(outcome.stdout) + len(outcome.stderr) + files
