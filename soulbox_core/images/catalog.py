"""Building, finding and pruning the images of languages.

A build goes through stages that each leave something whole behind or nothing: the tree's tar,
and an image for each layer. So an interrupted build goes on where it stopped, a tag that exists
is good, and what two languages have in common is built once.
"""

import fcntl
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from soulbox_core.errors import ImageError
from soulbox_core.images import bake, pypi_layer, setup_stage, tool, tree
from soulbox_core.images.environment import build_environment
from soulbox_core.images.recipe import LAYERS, Recipe, image_tag, recipe
from soulbox_core.images.store import Store, StoredImage
from soulbox_core.images.tree import Report
from soulbox_core.language import Language
from soulbox_core.model import Value
from soulbox_core.settings import Settings

__all__ = ["Builder", "Found", "Report", "image_tag", "needed_tags"]

_PIP_ADVICE = (
    "check the requirements' names and versions (only wheels for the image's Python are taken), "
    "the network and pip's settings (PIP_*, pip.conf), then run it again"
)
_PIP_SAYS = ("Collecting ", "Downloading ", "Installing ")
"""How the lines of pip begin that tell how far it is."""
_CONTAINER = "soulbox-setup"
"""The one that a setup fills; there is one build at a time."""


class Found(Value):
    """An image that is there."""

    tag: str
    created: int | None
    """Unix time: one that was built anew has the tag of the old one. None for one that was pulled
    ready."""


class Builder:
    """Makes sure of images, one build at a time per state directory.

    :raises HostError: the state directory cannot be written
    """

    def __init__(self, settings: Settings) -> None:
        self._sources = settings.images.sources
        self._work = Path(settings.state_dir).absolute() / "build"
        self._env: Mapping[str, str] = build_environment(settings)
        self._renewed: set[str] = set()
        self.store = Store(self._env)

    def missing(self, languages: Iterable[Language]) -> list[Language]:
        """Those of the languages whose images are not there, by one question for all.

        :raises ImageError: Podman refused
        """
        asked = tuple(languages)
        found = self.found(asked)
        return [one for one in asked if one.name not in found]

    def found(self, languages: Iterable[Language]) -> dict[str, Found]:
        """The images of those languages whose images are there, by the languages' names.

        :raises ImageError: Podman refused
        """
        built = {image.tag: image.created for image in self.store.list()}
        return {
            one.name: Found(tag=tag, created=built.get(tag))
            for one in languages
            for tag in (image_tag(one),)
            # A reference may be short, where a list has full names.
            if tag in built or (one.image.reference and self.store.exists(tag))
        }

    def build(self, language: Language, report: Report, *, force: bool = False) -> bool:
        """Build a language's image unless it is there. False if there was nothing to do.

        :param force: build it anew, with today's versions of its packages
        :raises ImageError: a tool failed; the message holds its last words and what to do
        """
        if not force and self.store.exists(image_tag(language)):
            return False
        with self._locked(report):
            if not force and self.store.exists(image_tag(language)):
                return False
            if language.image.reference:
                self.store.pull(language.image.reference, lambda line: report(line, 0.5))
            else:
                self._build(recipe(language), report, force)
        report("done", 1.0)
        return True

    def bake(self, languages: Iterable[Language], tar: Path, report: Report) -> None:
        """Write the images of these languages, which are there, as a store for another instance.

        :param tar: a file to be made, of the store's directory; see `images.stores`
        :raises ImageError: an image is not there, or a tool failed
        """
        asked = tuple(languages)
        if missing := self.missing(asked):
            names = " ".join(one.name for one in missing)
            raise ImageError(f"not built yet: {names}; run: soulbox images build {names}")
        tags = tuple(dict.fromkeys(image_tag(one) for one in asked))
        unfinished = tar.absolute().with_name(f"{tar.name}.{os.getpid()}.part")

        def on_line(line: str) -> None:
            done, _, what = line.partition(" ")
            if done.isdigit():
                report(what, int(done) / (len(tags) + 1))

        try:
            tool.run(
                (
                    *("podman", "unshare", sys.executable, "-m", bake.__name__),
                    *(str(unfinished), str(bake.OWNER), str(bake.SUBORDINATE), *tags),
                ),
                self._env,
                advice="check that there is room for the images twice beside the file",
                on_line=on_line,
                name="baking",
            )
            unfinished.rename(tar)
        finally:
            unfinished.unlink(missing_ok=True)
        report("done", 1.0)

    def prune(self, languages: Iterable[Language]) -> tuple[list[StoredImage], list[StoredImage]]:
        """Remove built images that none of the languages needs.

        :returns: those removed, and those kept because a container uses them
        :raises ImageError: Podman refused
        """
        needed = needed_tags(languages)
        removed: list[StoredImage] = []
        kept: list[StoredImage] = []
        with self._locked(lambda text, fraction: None):
            self.store.discard(_CONTAINER)
            for image in sorted(self.store.list(), key=_order_of_removal):
                if image.tag not in needed:
                    (removed if self._remove(image) else kept).append(image)
            self.store.remove_dangling()
        return removed, kept

    def _remove(self, image: StoredImage) -> bool:
        # Podman would take all tags but the last from an image that is used, and so the name by
        # which a running service makes its next container.
        return not image.containers and self.store.remove(image.tag)

    def _build(self, what: Recipe, report: Report, force: bool) -> None:
        if self._to_do(what.tree_tag, force):
            self._build_tree(what, report, force)
        if self._to_do(what.pypi_tag, force):
            self._build_pypi(what, report)
        if self._to_do(what.setup_tag, force):
            self._build_setup(what, report)
        self.store.tag(what.setup_tag, what.tag)

    def _to_do(self, layer: str, force: bool) -> bool:
        anew = force and layer not in self._renewed
        return anew or not self.store.exists(layer)

    def _build_tree(self, what: Recipe, report: Report, anew: bool) -> None:
        tar = self._work / f"{what.tree_tag.rpartition(':')[2]}.tar"
        if anew or not tar.exists():
            tree.make_tar(what.packages, self._sources, tar, self._env, report)
        report("importing into Podman's storage", 0.76)
        self.store.import_tar(tar, what.tree_tag)
        tar.unlink()
        self._renewed.add(what.tree_tag)

    def _build_pypi(self, what: Recipe, report: Report) -> None:
        stage = self._work / "stage"
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        stage.chmod(0o755)  # it becomes the image's root directory
        report("installing from PyPI", 0.80)
        try:
            tool.run(
                (
                    *("podman", "unshare", sys.executable, pypi_layer.__file__),
                    *(what.tree_tag, str(stage), _pip(), *what.pypi),
                ),
                self._env,
                advice=_PIP_ADVICE,
                on_line=lambda line: report(line, 0.82) if line.startswith(_PIP_SAYS) else None,
            )
            report("adding the layer", 0.88)
            self.store.add_layer(what.tree_tag, stage, what.pypi_tag, self._work / "Containerfile")
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        self._renewed.add(what.pypi_tag)

    def _build_setup(self, what: Recipe, report: Report) -> None:
        self.store.create(what.pypi_tag, _CONTAINER)
        try:
            setup_stage.fill(what, _CONTAINER, self._work, self._env, report)
            report("adding the layer", 0.97)
            self.store.commit(_CONTAINER, what.setup_tag)
        finally:
            self.store.discard(_CONTAINER)
        self._renewed.add(what.setup_tag)

    @contextmanager
    def _locked(self, report: Report) -> Iterator[None]:
        """Hold the builders' lock; the kernel releases it when we die, however we die."""
        self._work.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._work / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                report("waiting for another build", 0.0)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def needed_tags(languages: Iterable[Language]) -> frozenset[str]:
    """The tags that these languages' images have, and those of their layers."""
    return frozenset(tag for language in languages for tag in recipe(language).tags)


def _order_of_removal(image: StoredImage) -> int:
    """An image cannot go before those that are built upon it."""
    repository = image.tag.rpartition(":")[0]
    return LAYERS.index(repository) + 1 if repository in LAYERS else 0


def _pip() -> str:
    """The directory of our own pip, which runs as it is on any CPython.

    :raises ImageError: there is none
    """
    spec = importlib.util.find_spec("pip")
    if spec is None or spec.origin is None:
        raise ImageError("no pip beside soulbox-core; run: python3 -m ensurepip")
    return os.path.dirname(spec.origin)
