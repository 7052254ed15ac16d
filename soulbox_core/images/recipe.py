"""What goes into a language's image, and the tag that follows from it.

An image has one or two layers. The *tree* is a Debian root file system with the language's
Debian packages; languages with the same packages share it, on disk and in the page cache. The
second layer holds what comes from PyPI. Both are named by a hash of everything that goes in, so
that an existing tag means there is nothing to do.
"""

import hashlib
import platform
import re

import msgspec

from soulbox_core.language import Language
from soulbox_core.model import Value

VERSION = 1
"""Raise it when the way of building changes what comes out."""
SUITE = "trixie"
REPOSITORY = "localhost/soulbox"
TREE = f"{REPOSITORY}/tree"
ALWAYS = ("ca-certificates", "libstdc++6", "python3")
"""In every image: the launcher is a Python program, TLS clients look for the system's CAs, and
PyPI's binary wheels count on libstdc++ (PEP 600)."""
_HASH_DIGITS = 16
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class Recipe(Value):
    """Everything that goes into an image that is built here."""

    language: str
    packages: tuple[str, ...]
    pypi: tuple[str, ...]

    @property
    def tree_tag(self) -> str:
        """The tag of the first layer alone."""
        return f"{TREE}:{_hash(SUITE, platform.machine(), self.packages)}"

    @property
    def tag(self) -> str:
        """The tag of the whole image."""
        # A language may be called c++; a repository may not.
        name = _NOT_IN_A_NAME.sub("-", self.language).strip("-")
        return f"{REPOSITORY}/{name}:{_hash(self.tree_tag, self.language, self.pypi)}"


def recipe(language: Language) -> Recipe:
    """Collect a language's packages, in an order that does not depend on how they were written."""
    image = language.image
    return Recipe(
        language=language.name,
        packages=tuple(sorted({*ALWAYS, *image.packages})),
        pypi=tuple(sorted(set(image.pypi))),
    )


def image_tag(language: Language) -> str:
    """The image that the language's containers are made of, built or not."""
    return language.image.reference or recipe(language).tag


def _hash(*parts: object) -> str:
    text = msgspec.json.encode((VERSION, *parts))
    return hashlib.sha256(text).hexdigest()[:_HASH_DIGITS]
