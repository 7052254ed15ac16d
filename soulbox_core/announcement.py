"""What the service prints when all of it is there."""

import shlex
import sys

from soulbox_core.assembly.service import Service
from soulbox_core.registry import Registry


def announce(
    url: str, grpc: str | None, languages: Registry, service: Service, seconds: float
) -> None:
    """Say what is there, and print a command that works for who may read the first key.

    :param grpc: where gRPC is served, as host and port
    :param seconds: how long the start took
    """
    for fault in service.catalog.faults():
        print(f"✗ {fault.plugin}: {fault.detail}", flush=True)
    for entry in service.catalog.entries():
        mark = "✓" if entry.ready else "✗"
        print(f"{mark} {entry.title} ({entry.version or 'version unknown'})", flush=True)
    print(f"SoulBox is ready at {url} after {seconds:.1f} s. Try:", flush=True)
    first = next(iter(languages.languages.values()))
    key = "" if service.identity is None else f'-H "authorization: Bearer {_key(service)}" '
    print(
        f"  curl {key}--data-binary '{first.hello.strip()}' {url}/v1/run/{first.name}", flush=True
    )
    if grpc is not None:
        print(f"gRPC is at {grpc}", flush=True)


def _key(service: Service) -> str:
    """The first key itself when it was made just now, to a terminal alone: what reads our output
    elsewhere keeps it, a journal or a container's log. Else where it is."""
    if service.first_key is not None and sys.stdout.isatty():
        return service.first_key
    assert service.identity is not None
    file = service.identity.first_key
    return f"$(cat {shlex.quote(str(file))})" if file.exists() else "$SOULBOX_KEY"
