"""The first layer: a Debian root file system, made by mmdebstrap without root.

Measured on two cores, with python3 and ca-certificates: variant `essential` takes 12 s and 103 MB,
`minbase` (the same and apt, which nothing in a cell needs) 13 s and 119 MB.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from soulbox_core.images import tool
from soulbox_core.images.recipe import SUITE

Report = Callable[[str, float], None]
"""Takes what is being done now and the fraction of the build that lies behind, 0 to 1."""

_LEFT_OUT = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    # A crash leaves no image, so syncing each file buys nothing.
    "force-unsafe-io",
)
_PREPARE = 'mkdir -p "$1"/usr/share/man/man1'
"""Packages such as the JDK's link their manuals there while they are configured, and fail if there
is no such directory, since manuals are left out."""
_HOOK = (
    'mkdir "$1/box" && rm -rf "$1"/var/cache/debconf/*-old "$1"/var/cache/apt/archives '
    '"$1"/var/log/*.log "$1"/var/log/apt "$1"/etc/apt/sources.list "$1"/usr/share/info '
    '"$1"/usr/share/man'
)
"""/box is where a cell's working directory will be; the rest is of no use in an image."""
_ADVICE = (
    "check the package names, the network, the proxy variables and images.sources, "
    "then run it again"
)
_PHASES = {
    "running apt-get update": 0.02,
    "downloading packages with apt": 0.10,
    "extracting archives": 0.20,
    "installing essential packages": 0.35,
    "installing remaining packages": 0.50,
    "cleaning package lists": 0.72,
    "creating tarball": 0.74,
}
"""mmdebstrap's own words for its phases, and where they begin."""


def mmdebstrap_argv(
    packages: tuple[str, ...], sources: tuple[str, ...], tar: Path
) -> tuple[str, ...]:
    """The command line that writes a tree as a tar file."""
    return (
        "mmdebstrap",
        "--mode=unshare",
        "--variant=essential",
        "--format=tar",
        f"--include={','.join(packages)}",
        *(f"--dpkgopt={option}" for option in _LEFT_OUT),
        f"--essential-hook={_PREPARE}",
        f"--customize-hook={_HOOK}",
        SUITE,
        str(tar),
        *sources,
    )


def make_tar(
    packages: tuple[str, ...],
    sources: tuple[str, ...],
    tar: Path,
    env: Mapping[str, str],
    report: Report,
) -> None:
    """Write the tree's tar file, whole or not at all.

    :raises ImageError: mmdebstrap failed
    """

    def on_line(line: str) -> None:
        said = line.removeprefix("I: ")
        for phase, fraction in _PHASES.items():
            if said.startswith(phase):
                report(phase, fraction)

    for orphan in tar.parent.glob("*.part"):
        orphan.unlink()
    unfinished = tar.with_name(f"{tar.name}.{os.getpid()}.part")
    tool.run(mmdebstrap_argv(packages, sources, unfinished), env, advice=_ADVICE, on_line=on_line)
    unfinished.rename(tar)
