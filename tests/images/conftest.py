"""What real builds share."""

import os
from collections.abc import Iterator

import pytest

from soulbox_core import settings
from soulbox_core.images.catalog import Builder
from soulbox_core.images.recipe import recipe
from tests.images.samples import language


@pytest.fixture(scope="session")
def storage() -> Iterator[None]:
    """Leave none of these tests' images behind, and keep what they share until their end."""
    store = Builder(settings.load(env=os.environ)).store
    before = {image.tag for image in store.list()}
    yield
    for tag in {recipe(language()).tree_tag} - before:
        store.remove(tag)
    store.remove_dangling()
