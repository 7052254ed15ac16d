"""What a virtual machine is told of the limits it runs under.

It cannot see them itself: a cell has no cgroup files, and /proc/meminfo is the host's.
"""

import math

from soulbox_core import Limits

COLD_LIMITS = ("memory_bytes", "cpus")
"""Limits that a virtual machine is told when it starts."""
COLD_VARIABLES = (
    "CLASSPATH",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "MALLOC_ARENA_MAX",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "TZ",
)
"""Variables that a virtual machine, or the C library in it, reads only while it starts."""

_TRUST = "/soulbox/trust/certificates.p12"
"""Where the core puts the authorities that a run with a way out trusts."""
_MIB = 1 << 20
_REST_BYTES = 80 * _MIB
_REST_SHARE = 4
_LEAST_HEAP_BYTES = 8 * _MIB
_STACK = "16m"
"""Enough for a simple method to call itself 100,000 times, compiled or not. A stack overflow costs
three times as much memory, and sometimes more."""
_CODE_CACHE = "64m"


def flags(limits: Limits) -> tuple[str, ...]:
    """The java command's options for a run with these limits."""
    heap = f"{heap_bytes(limits.memory_bytes) // _MIB}m"
    return (
        # All of the heap from the start: pages that are not used cost nothing, and growing it
        # takes a full collection each time.
        f"-Xms{heap}",
        f"-Xmx{heap}",
        f"-Xss{_STACK}",
        f"-XX:ReservedCodeCacheSize={_CODE_CACHE}",
        f"-XX:ActiveProcessorCount={max(1, math.ceil(limits.cpus))}",
    )


def way_out(proxy: str | None) -> tuple[str, ...]:
    """The java command's options for a run whose way out is this proxy, if it has one.

    Java reads none of the usual variables, and trusts what its own file says.
    """
    if proxy is None:
        return ()
    host, _, port = proxy.removeprefix("http://").partition(":")
    return (
        *(f"-D{scheme}.proxyHost={host}" for scheme in ("http", "https")),
        *(f"-D{scheme}.proxyPort={port}" for scheme in ("http", "https")),
        f"-Djavax.net.ssl.trustStore={_TRUST}",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
    )


def heap_bytes(memory_bytes: int) -> int:
    """How much of a run's memory its objects may take.

    The rest is for the virtual machine itself: classes, compiled code, stacks, files in scratch
    space. Programs with a full heap had 20 to 40 MiB besides. One that fills it after a stack
    overflow, which costs more than that, may be killed instead of getting OutOfMemoryError.
    """
    rest = max(_REST_BYTES, memory_bytes // _REST_SHARE)
    return max(_LEAST_HEAP_BYTES, memory_bytes - rest)
