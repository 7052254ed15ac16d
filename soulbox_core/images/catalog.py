"""Building, finding and pruning the images of languages.

A build goes through stages that each leave something whole behind or nothing: the tree's tar,
the tree's image, the language's image. So an interrupted build goes on where it stopped, and a
tag that exists is good.
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
from soulbox_core.images import pypi_layer, tool, tree
from soulbox_core.images.environment import build_environment
from soulbox_core.images.recipe import TREE, Recipe, image_tag, recipe
from soulbox_core.images.store import Store, StoredImage
from soulbox_core.images.tree import Report
from soulbox_core.language import Language
from soulbox_core.settings import Settings

__all__ = ["Builder", "Report", "image_tag", "needed_tags"]

_PIP_ADVICE = (
    "check the requirements' names and versions (only wheels for the image's Python are taken), "
    "the network and pip's settings (PIP_*, pip.conf), then run it again"
)
_PIP_SAYS = ("Collecting ", "Downloading ", "Installing ")
"""How the lines of pip begin that tell how far it is."""


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

    def prune(self, languages: Iterable[Language]) -> tuple[list[StoredImage], list[StoredImage]]:
        """Remove built images that none of the languages needs.

        :returns: those removed, and those kept because a container uses them
        :raises ImageError: Podman refused
        """
        needed = needed_tags(languages)
        removed: list[StoredImage] = []
        kept: list[StoredImage] = []
        with self._locked(lambda text, fraction: None):
            # Trees last: an image cannot go before those that are built upon it.
            for image in sorted(self.store.list(), key=lambda one: one.tag.startswith(f"{TREE}:")):
                if image.tag not in needed:
                    (removed if self.store.remove(image.tag) else kept).append(image)
            self.store.remove_dangling()
        return removed, kept

    def _build(self, what: Recipe, report: Report, force: bool) -> None:
        anew = force and what.tree_tag not in self._renewed
        if anew or not self.store.exists(what.tree_tag):
            self._build_tree(what, report, anew)
        if what.pypi:
            self._build_layer(what, report)
        else:
            self.store.tag(what.tree_tag, what.tag)

    def _build_tree(self, what: Recipe, report: Report, anew: bool) -> None:
        tar = self._work / f"{what.tree_tag.rpartition(':')[2]}.tar"
        if anew or not tar.exists():
            tree.make_tar(what.packages, self._sources, tar, self._env, report)
        report("importing into Podman's storage", 0.76)
        self.store.import_tar(tar, what.tree_tag)
        tar.unlink()
        self._renewed.add(what.tree_tag)

    def _build_layer(self, what: Recipe, report: Report) -> None:
        stage = self._work / "stage"
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        stage.chmod(0o755)  # it becomes the image's root directory
        report("installing from PyPI", 0.82)
        tool.run(
            (
                *("podman", "unshare", sys.executable, pypi_layer.__file__),
                *(what.tree_tag, str(stage), _pip(), *what.pypi),
            ),
            self._env,
            advice=_PIP_ADVICE,
            on_line=lambda line: report(line, 0.85) if line.startswith(_PIP_SAYS) else None,
        )
        report("adding the layer", 0.95)
        self.store.add_layer(what.tree_tag, stage, what.tag, self._work / "Containerfile")
        shutil.rmtree(stage)

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
    """The tags that these languages' images have, their trees' included."""
    recipes = [recipe(language) for language in languages]
    return frozenset(tag for one in recipes for tag in (one.tag, one.tree_tag))


def _pip() -> str:
    """The directory of our own pip, which runs as it is on any CPython.

    :raises ImageError: there is none
    """
    spec = importlib.util.find_spec("pip")
    if spec is None or spec.origin is None:
        raise ImageError("no pip beside soulbox-core; run: python3 -m ensurepip")
    return os.path.dirname(spec.origin)
