"""The bare toolchain: commands timed inside of a language's own image, with nothing around them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from bench.measure import Sample

_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_ONLINE = ("--network=host", f"--volume={_BUNDLE}:{_BUNDLE}:ro")
_ULIMITS = ("--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096")


@dataclass(frozen=True)
class Commands:
    """Command lines, run one after the other as one thing to be timed.

    :param files: name to content, in the working directory
    :param first: run once before, such as what fills a cache
    """

    timed: tuple[tuple[str, ...], ...]
    files: Mapping[str, str] = field(default_factory=dict)
    first: tuple[tuple[str, ...], ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    """Write `World!` in the files with another number each time, so that no cache knows them."""
    online: bool = False
    """`first` fetches from the language's package registry."""


class _Answer(msgspec.Struct):
    """What inside.py prints."""

    seconds: tuple[float, ...]
    rate: float


def bare(environment: Mapping[str, str], image: str, what: Commands, count: int) -> Sample:
    """Time the commands `count` times in one container."""
    answer = _inside(environment, image, what, count, processes=1)
    return Sample(answer.seconds)


def bare_rate(
    environment: Mapping[str, str], image: str, what: Commands, count: int, processes: int
) -> float:
    """Times a second that the commands end, with so many of them at one time."""
    return _inside(environment, image, what, count, processes).rate


def _inside(
    environment: Mapping[str, str], image: str, what: Commands, count: int, processes: int
) -> _Answer:
    with open(__file__.replace("toolchain.py", "inside.py")) as file:
        program = file.read()
    request = {
        "timed": what.timed,
        "files": dict(what.files),
        "first": what.first,
        "env": dict(what.env),
        "fresh": what.fresh,
        "count": count,
        "processes": processes,
    }
    way = _ONLINE if what.online else ("--network=none",)
    argv = ("podman", "run", "-i", "--rm", *way, "--tmpfs=/box:exec", *_ULIMITS)
    done = subprocess.run(
        (*argv, "--workdir=/box", image, "python3", "-c", program),
        input=json.dumps(request).encode(),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=_Answer)
