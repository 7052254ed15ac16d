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

ALL = Image(packages=("anything",), pypi=("anything",), setup=(("anything",),))
KEPT = language("kept", Image(pypi=("anything",)))
GONE = language("gone", ALL)
TWIN = language("twin", ALL)


def podman(settings: Settings, *argv: str) -> None:
    subprocess.run(
        ("podman", *argv), env=build_environment(settings), cwd="/", check=True, capture_output=True
    )


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A storage with the images of two languages, and a third that is the second's too."""
    settings = Settings(state_dir=str(tmp_path / "state"))
    store = Builder(settings).store
    stage = tmp_path / "stage"
    stage.mkdir()
    for one in (KEPT, GONE):
        what = recipe(one)
        (stage / "name").write_text(one.name)
        tar = tmp_path / "tree.tar"
        with tarfile.open(tar, "w") as archive:
            archive.add(stage / "name", "name")
        store.import_tar(tar, what.tree_tag)
        store.add_layer(what.tree_tag, stage, what.pypi_tag, tmp_path / "Containerfile")
        if what.setup:
            store.create(what.pypi_tag, "filled")
            store.commit("filled", what.setup_tag)
            store.discard("filled")
        store.tag(what.setup_tag, what.tag)
    store.tag(recipe(TWIN).setup_tag, image_tag(TWIN))
    yield settings
    podman(settings, "rm", "--all", "--force")


def tags(settings: Settings) -> set[str]:
    return {image.tag for image in Builder(settings).store.list()}


def untagged(settings: Settings) -> int:
    """How many images there are that no tag leads to."""
    done = subprocess.run(
        ("podman", "images", "--all", "--filter=dangling=true", "--quiet"),
        env=build_environment(settings),
        cwd="/",
        check=True,
        capture_output=True,
    )
    return len(done.stdout.split())


def test_what_no_language_needs_goes_with_its_layers(settings: Settings) -> None:
    assert tags(settings) == needed_tags([KEPT, GONE, TWIN])
    assert len(needed_tags([GONE])) == 4
    removed, kept = Builder(settings).prune([KEPT])
    assert {image.tag for image in removed} == needed_tags([GONE, TWIN])
    assert kept == []
    assert tags(settings) == needed_tags([KEPT])
    assert untagged(settings) == 0


def test_what_another_language_needs_stays_whole(settings: Settings) -> None:
    removed, kept = Builder(settings).prune([TWIN])
    assert {image.tag for image in removed} == {*needed_tags([KEPT]), image_tag(GONE)}
    assert kept == []
    assert tags(settings) == needed_tags([TWIN])
    assert Builder(settings).missing([KEPT, GONE, TWIN]) == [KEPT, GONE]


def test_layers_are_kept_while_what_is_built_upon_them_is_needed(settings: Settings) -> None:
    less = language("less", Image(packages=ALL.packages, pypi=ALL.pypi))
    Builder(settings).store.tag(recipe(less).pypi_tag, image_tag(less))
    Builder(settings).prune([less])
    assert tags(settings) == needed_tags([less])


def test_what_a_container_uses_stays_and_is_told(settings: Settings) -> None:
    podman(settings, "create", "--network=none", image_tag(GONE), "/command")
    removed, kept = Builder(settings).prune([KEPT])
    what = recipe(GONE)
    assert {image.tag for image in removed} == {what.tree_tag, what.pypi_tag}
    assert {image.tag for image in kept} == {what.setup_tag, what.tag, image_tag(TWIN)}
    assert tags(settings) == needed_tags([KEPT]) | {image.tag for image in kept}


def test_the_container_that_a_killed_build_left_is_in_nobodys_way(settings: Settings) -> None:
    Builder(settings).store.create(image_tag(GONE), "soulbox-setup")
    Builder(settings).prune([])
    assert tags(settings) == set()
