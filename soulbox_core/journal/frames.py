"""Records in a file, one after the other, such that a torn or changed one is noticed."""

import struct
from typing import NamedTuple
from zlib import crc32

_HEAD = struct.Struct(">II")
"""Bytes of the payload, CRC-32 of it."""


class Frames(NamedTuple):
    """What was found in a file."""

    payloads: list[bytes]
    damaged: bool
    """Something follows them that is no frame: nobody knows where the next one would begin."""


def framed(payload: bytes) -> bytes:
    """A payload as it stands in a file."""
    return _HEAD.pack(len(payload), crc32(payload)) + payload


def frames(data: bytes) -> Frames:
    """The payloads in a file's content, up to the first that is torn or changed."""
    payloads: list[bytes] = []
    at = 0
    while at < len(data):
        begins = at + _HEAD.size
        if begins > len(data):
            return Frames(payloads, damaged=True)
        size, checksum = _HEAD.unpack_from(data, at)
        payload = data[begins : begins + size]
        if len(payload) < size or crc32(payload) != checksum:
            return Frames(payloads, damaged=True)
        payloads.append(payload)
        at = begins + size
    return Frames(payloads, damaged=False)
