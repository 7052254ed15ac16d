"""Pruning, by the real Podman, in a storage of its own."""

import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from soulbox_core.images.catalog import Builder, image_tag, needed_tags
from soulbox_core.images.environment import build_environment
from soulbox_core.images.recipe import recipe
from soulbox_core.language import Image
from soulbox_core.settings import Settings
from tests.images.samples import language

pytestmark = pytest.mark.integration

KEPT = language("kept", Image(pypi=("anything",)))
GONE = language("gone", Image(packages=("anything",), pypi=("anything",)))


def podman(settings: Settings, *argv: str) -> None:
    subprocess.run(
        ("podman", *argv), env=build_environment(settings), cwd="/", check=True, capture_output=True
    )


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A storage with two languages' images, each of a tree and a layer."""
    settings = Settings(state_dir=str(tmp_path / "state"))
    store = Builder(settings).store
    stage = tmp_path / "stage"
    stage.mkdir()
    for one in (KEPT, GONE):
        (stage / "name").write_text(one.name)
        tar = tmp_path / "tree.tar"
        with tarfile.open(tar, "w") as archive:
            archive.add(stage / "name", "name")
        store.import_tar(tar, recipe(one).tree_tag)
        store.add_layer(recipe(one).tree_tag, stage, image_tag(one), tmp_path / "Containerfile")
    yield settings
    podman(settings, "rm", "--all", "--force")


def tags(settings: Settings) -> set[str]:
    return {image.tag for image in Builder(settings).store.list()}


def test_what_no_language_needs_goes_with_its_tree(settings: Settings) -> None:
    assert tags(settings) == needed_tags([KEPT, GONE])
    removed, kept = Builder(settings).prune([KEPT])
    assert {image.tag for image in removed} == needed_tags([GONE])
    assert kept == []
    assert tags(settings) == needed_tags([KEPT])


def test_what_a_container_uses_stays_and_is_told(settings: Settings) -> None:
    podman(settings, "create", "--network=none", image_tag(GONE), "/command")
    removed, kept = Builder(settings).prune([KEPT])
    assert [image.tag for image in removed] == [recipe(GONE).tree_tag]
    assert [image.tag for image in kept] == [image_tag(GONE)]
    assert tags(settings) == {*needed_tags([KEPT]), image_tag(GONE)}
