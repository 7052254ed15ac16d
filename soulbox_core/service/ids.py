"""Ids of runs: unique across nodes without asking anybody, and sortable by time."""

import os
import time
from uuid import UUID


def new_id() -> str:
    """Return a UUID version 7 (RFC 9562, section 5.7).

    The 12 bits after the milliseconds hold their fraction (section 6.2, method 3), in steps of
    244 ns, so that ids made in one process come in order.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return str(UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | random))
