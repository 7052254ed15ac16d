"""The last layer of an image: the plugin's files and what its command lines make of them."""

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from soulbox_core import certificates
from soulbox_core.images import setup_layer, tool
from soulbox_core.images.environment import setup_environment
from soulbox_core.images.recipe import Recipe
from soulbox_core.images.tree import Report

_ADVICE = "see what the command said, check the network and the registry's settings, run it again"
_NAME_RESOLUTION = ("/etc/resolv.conf", "/etc/hosts")
_CONFIGURATION = (
    ".npmrc",
    ".netrc",
    ".cargo/config.toml",
    ".cargo/credentials.toml",
    ".config/go/env",
    ".config/pip/pip.conf",
    ".m2/settings.xml",
    ".m2/settings-security.xml",
)
"""Files in the home of who builds that say where package managers fetch from, and as whom."""
_FIRST, _LAST = 0.90, 0.97


def fill(what: Recipe, container: str, work: Path, env: Mapping[str, str], report: Report) -> None:
    """Put the files into a container's root and run the command lines in it.

    :param work: a directory for what is needed meanwhile
    :param env: the build tools' environment
    :raises ImageError: a command failed; the message holds its last words
    """
    begun = 0

    def on_line(line: str) -> None:
        nonlocal begun
        begun += line.startswith("$ ")
        share = max(begun - 1, 0) / (len(what.setup) or 1)
        report(line, min(_FIRST + share * (_LAST - _FIRST), _LAST))

    report("setting up", _FIRST)
    trusted = work / "certificates.pem"
    trusted.write_bytes(certificates.bundle(env))
    try:
        tool.run(
            ("podman", "unshare", sys.executable, setup_layer.__file__, container),
            env,
            name="the image's setup",
            advice=_ADVICE,
            on_line=on_line,
            stdin=msgspec.json.encode(_plan(what, work, trusted, env)),
        )
    finally:
        trusted.unlink()


def _plan(what: Recipe, work: Path, trusted: Path, env: Mapping[str, str]) -> dict[str, object]:
    mounts = {path: path for path in _NAME_RESOLUTION if Path(path).exists()}
    if trusted.stat().st_size:
        mounts[certificates.IN_IMAGE] = str(trusted)
    return {
        "files": [(file.path, str(file.source), file.mode) for file in what.files],
        "commands": what.setup,
        "env": setup_environment(env),
        "mounts": mounts,
        "home": _configuration(env),
        "scratch": str(work / "scratch"),
    }


def _configuration(env: Mapping[str, str]) -> dict[str, str]:
    """The operator's own files, by their paths in the home directory that the commands see."""
    home = Path(env["HOME"]) if env.get("HOME") else None
    found = {path: home / path for path in _CONFIGURATION} if home else {}
    if "NETRC" in env:
        found[".netrc"] = Path(env["NETRC"])
    return {path: str(file) for path, file in found.items() if _readable(file)}


def _readable(file: Path) -> bool:
    try:
        with file.open("rb"):
            return True
    except OSError:
        return False
