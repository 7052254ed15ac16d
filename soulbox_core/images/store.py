"""The few Podman commands that building, finding and pruning images need.

The command line and not the API: podman-py cannot import a root file system, and images must
be buildable while no service runs.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from soulbox_core.images import tool
from soulbox_core.images.recipe import REPOSITORY
from soulbox_core.model import Value

_ADVICE = "run: soulbox check"
_CONTAINERFILE = "FROM {base}\nCOPY . /\n"


class StoredImage(Value):
    """An image of ours, as Podman lists it."""

    tag: str
    bytes: int
    created: int
    """Unix time."""
    containers: int
    """How many are made of it."""


class _Listed(msgspec.Struct, rename="pascal"):
    size: int
    created: int
    containers: int
    names: list[str] | None = None


class Store:
    """The images in this instance's own storage."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def exists(self, tag: str) -> bool:
        """Whether the image is there."""
        return tool.succeeds(("podman", "image", "exists", tag), self._env)

    def import_tar(self, tar: Path, tag: str) -> None:
        """Make a root file system an image.

        :raises ImageError: Podman refused
        """
        self._podman("import", "--quiet", str(tar), tag)

    def add_layer(self, base: str, stage: Path, tag: str, containerfile: Path) -> None:
        """Make an image of `base` with the files of `stage` on top.

        :raises ImageError: Podman refused
        """
        containerfile.write_text(_CONTAINERFILE.format(base=base))
        # chroot isolation: nothing is run, so no OCI runtime is needed either.
        options = ("--isolation=chroot", "--pull=never", "--layers=false", "--quiet")
        self._podman("build", *options, "-t", tag, "-f", str(containerfile), str(stage))

    def create(self, image: str, container: str) -> None:
        """Make a container whose root can be filled; it is never started.

        :raises ImageError: Podman refused
        """
        self.discard(container)
        # Its variables would become the image's: Podman's own, and the proxies of who builds.
        options = ("--network=none", "--pull=never", "--unsetenv-all", "--http-proxy=false")
        self._podman("create", "--name", container, *options, image, "true")

    def commit(self, container: str, tag: str) -> None:
        """Make an image of a container's root as it is now.

        :raises ImageError: Podman refused
        """
        self._podman("commit", "--quiet", "--pause=false", container, tag)

    def discard(self, container: str) -> None:
        """Remove a container if it is there."""
        tool.succeeds(("podman", "rm", "--force", "--ignore", container), self._env)

    def tag(self, image: str, tag: str) -> None:
        """Give an image one more name.

        :raises ImageError: Podman refused
        """
        self._podman("tag", image, tag)

    def pull(self, reference: str, on_line: Callable[[str], None]) -> None:
        """Fetch a ready image.

        :raises ImageError: the registry cannot be reached or has no such image
        """
        advice = "check the reference and the network, or log in with podman"
        tool.run(("podman", "pull", reference), self._env, advice=advice, on_line=on_line)

    def list(self) -> list[StoredImage]:
        """All images that were built here, by tag.

        :raises ImageError: Podman refused
        """
        argv = ("podman", "images", "--format=json", "--no-trunc")
        listed = tool.output(argv, self._env, advice=_ADVICE)
        images = msgspec.json.decode(listed, type=list[_Listed])
        # Podman lists an image with two names twice, each time with both.
        found = {
            name: StoredImage(
                tag=name, bytes=image.size, created=image.created, containers=image.containers
            )
            for image in images
            for name in image.names or ()
            if name.startswith(f"{REPOSITORY}/")
        }
        return [found[tag] for tag in sorted(found)]

    def remove(self, tag: str) -> bool:
        """Remove a tag, and the image with its last one. False if Podman refused."""
        return tool.succeeds(("podman", "rmi", tag), self._env)

    def remove_dangling(self) -> None:
        """Remove the layers that no tag leads to any more.

        :raises ImageError: Podman refused
        """
        self._podman("image", "prune", "--force")

    def _podman(self, *arguments: str) -> None:
        tool.run(("podman", *arguments), self._env, advice=_ADVICE)
