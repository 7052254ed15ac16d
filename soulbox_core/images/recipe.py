"""What goes into an image, and the tags that follow from it.

An image has up to three layers, one upon the other:

* the *tree*, a Debian root file system with the language's Debian packages,
* what comes from PyPI,
* the *setup*: the plugin's files, and what its command lines make of them.

Each is named by a hash of everything that goes in, and of nothing else: an existing tag means
there is nothing to do, and languages that begin alike share layers, on disk and in the page cache.
A language's own tag is one more name of its last layer.
"""

import hashlib
import platform
import re
from pathlib import Path

import msgspec

from soulbox_core.commands import spliced
from soulbox_core.errors import ImageError
from soulbox_core.language import PRELOADS, Language
from soulbox_core.model import Value

VERSION = 1
"""Raise it when the way of building changes what comes out."""
SUITE = "trixie"
REPOSITORY = "localhost/soulbox"
TREE = f"{REPOSITORY}/tree"
PYPI = f"{REPOSITORY}/pypi"
SETUP = f"{REPOSITORY}/setup"
LAYERS = (SETUP, PYPI, TREE)
"""The repositories of layers, in the order in which they can be removed."""
ALWAYS = ("ca-certificates", "libstdc++6", "python3")
"""In every image: the launcher is a Python program, TLS clients look for the system's CAs, and
PyPI's binary wheels count on libstdc++ (PEP 600)."""
_HASH_DIGITS = 16
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")
_EXECUTABLE = 0o111


class ImageFile(Value):
    """A file of the plugin's, as it was when the recipe was written."""

    path: str
    """Where it is in the image, absolute."""
    source: Path
    digest: str
    """SHA-256 of its content, in hexadecimal digits."""
    mode: int
    """0o755 if anybody may execute it, else 0o644."""


class Recipe(Value):
    """Everything that goes into an image that is built here."""

    language: str
    packages: tuple[str, ...]
    pypi: tuple[str, ...] = ()
    files: tuple[ImageFile, ...] = ()
    setup: tuple[tuple[str, ...], ...] = ()

    @property
    def tree_tag(self) -> str:
        """The tag of the first layer alone."""
        return f"{TREE}:{_hash(SUITE, platform.machine(), self.packages)}"

    @property
    def pypi_tag(self) -> str:
        """The tag up to what comes from PyPI; the tree's if nothing does."""
        if not self.pypi:
            return self.tree_tag
        return f"{PYPI}:{_hash(self.tree_tag, self.pypi)}"

    @property
    def setup_tag(self) -> str:
        """The tag of the last layer; the one before if there are neither files nor setup."""
        if not self.files and not self.setup:
            return self.pypi_tag
        files = [(file.path, file.digest, file.mode) for file in self.files]
        return f"{SETUP}:{_hash(self.pypi_tag, files, self.setup)}"

    @property
    def tag(self) -> str:
        """The tag of the whole image, which other languages' images may be too."""
        # A language may be called c++; a repository may not.
        name = _NOT_IN_A_NAME.sub("-", self.language).strip("-")
        return f"{REPOSITORY}/{name}:{self.setup_tag.rpartition(':')[2]}"

    @property
    def tags(self) -> frozenset[str]:
        """The image's tag and those of its layers."""
        return frozenset((self.tag, self.setup_tag, self.pypi_tag, self.tree_tag))


def recipe(language: Language) -> Recipe:
    """Collect what a language's image is made of, in an order that does not depend on how it
    was written; only the setup's command lines are run, and kept, in theirs.

    :raises ImageError: a file of the plugin's cannot be read
    """
    image = language.image
    try:
        files = tuple(_file(path, image.files[path]) for path in sorted(image.files))
    except OSError as error:
        raise ImageError(
            f"{language.name}: image.files: {error.filename}: {str(error.strerror).lower()}; "
            "install its plugin anew"
        ) from None
    return Recipe(
        language=language.name,
        packages=tuple(sorted({*ALWAYS, *image.packages})),
        pypi=tuple(sorted(set(image.pypi))),
        files=files,
        setup=tuple(spliced(argv, PRELOADS, language.preloads) for argv in image.setup),
    )


def image_tag(language: Language) -> str:
    """The image that the language's containers are made of, built or not.

    :raises ImageError: a file of the plugin's cannot be read
    """
    return language.image.reference or recipe(language).tag


def _file(path: str, source: Path) -> ImageFile:
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    executable = source.stat().st_mode & _EXECUTABLE
    return ImageFile(path=path, source=source, digest=digest, mode=0o755 if executable else 0o644)


def _hash(*parts: object) -> str:
    text = msgspec.json.encode((VERSION, *parts))
    return hashlib.sha256(text).hexdigest()[:_HASH_DIGITS]
