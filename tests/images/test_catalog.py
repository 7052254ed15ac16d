"""Real builds, with real tools, into the storage that the other tests use too."""

import fcntl
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from soulbox_core import settings
from soulbox_core.errors import ImageError
from soulbox_core.images import bake
from soulbox_core.images.catalog import Builder, image_tag, needed_tags
from soulbox_core.images.environment import build_environment
from soulbox_core.images.recipe import recipe
from soulbox_core.language import Image
from tests.images.samples import language

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SMALL = language("image-test", Image(pypi=("colorama",)))
IMPOSSIBLE = language("image-test", Image(pypi=("colorama==0.0.0.dev0",)))
SETTINGS = settings.load(env=os.environ)


def silent(text: str, fraction: float) -> None:
    pass


@pytest.fixture(scope="module")
def builder(storage: None) -> Iterator[Builder]:
    builder = Builder(SETTINGS)
    yield builder
    for tag in needed_tags([SMALL]) - {recipe(SMALL).tree_tag}:
        builder.store.remove(tag)


@pytest.fixture(scope="module")
def built(builder: Builder) -> str:
    """The tag of a small image, built anew but for its tree."""
    builder.store.remove(image_tag(SMALL))
    builder.store.remove(recipe(SMALL).pypi_tag)
    assert builder.build(SMALL, silent)
    return image_tag(SMALL)


def inside(tag: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a container such as cells are made in: read-only and offline."""
    options = ("--rm", "--read-only", "--network=none", "--pull=never")
    return subprocess.run(
        ("podman", "run", *options, tag, *argv),
        env=build_environment(SETTINGS),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def test_image_runs_python_and_has_a_working_directory(built: str) -> None:
    done = inside(built, "sh", "-c", "python3 --version; ls -ld /box")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Python 3.")
    assert "drwxr-xr-x" in done.stdout


def test_requirements_are_importable_and_never_compiled_by_a_run(built: str) -> None:
    done = inside(built, "python3", "-v", "-c", "import colorama, json, asyncio, ctypes")
    assert done.returncode == 0, done.stderr
    from_source = [
        line
        for line in done.stderr.splitlines()
        if line.startswith("# code object from ") and ".pyc" not in line
    ]
    assert from_source == []
    assert "dist-packages/colorama/__pycache__" in done.stderr


def test_image_carries_no_manuals_translations_or_package_lists(built: str) -> None:
    script = (
        "find /usr/share/man /usr/share/locale -type f; ls -d /usr/share/info/*;"
        " find /usr/share/doc /var/lib/apt/lists -type f -not -name copyright -not -name lock"
    )
    assert inside(built, "sh", "-c", script).stdout == ""


def test_image_has_certificates(built: str) -> None:
    done = inside(
        built,
        "python3",
        "-c",
        "import ssl; print(len(ssl.create_default_context().get_ca_certs()))",
    )
    assert int(done.stdout) > 50, done.stderr


def test_a_second_build_has_nothing_to_do(builder: Builder, built: str) -> None:
    told: list[str] = []
    assert not builder.build(SMALL, lambda text, fraction: told.append(text))
    assert told == []


def test_what_pip_says_about_an_impossible_requirement_reaches_the_operator(
    builder: Builder, built: str
) -> None:
    with pytest.raises(ImageError) as caught:
        builder.build(IMPOSSIBLE, silent)
    assert "colorama==0.0.0.dev0" in str(caught.value)
    assert "check the requirements' names" in str(caught.value)
    assert not builder.store.exists(image_tag(IMPOSSIBLE))


def test_a_build_waits_for_another_and_finds_its_work_done(built: str) -> None:
    program = (
        "from soulbox_core.images.catalog import Builder\n"
        "from tests.images.test_catalog import SETTINGS, SMALL\n"
        "told = lambda text, fraction: print(text, flush=True)\n"
        "print(Builder(SETTINGS).build(SMALL, told), flush=True)\n"
    )
    lock = Path(SETTINGS.state_dir) / "build" / "lock"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        Builder(SETTINGS).store.remove(built)
        other = subprocess.Popen((sys.executable, "-c", program), stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        assert other.stdout.readline() == "waiting for another build\n"
        Builder(SETTINGS).store.tag(recipe(SMALL).tree_tag, built)
    with other:
        assert other.stdout.read() == "False\n"
    Builder(SETTINGS).store.remove(built)


def test_baked_images_are_one_layer_each_and_belong_to_who_will_read_them(
    builder: Builder, built: str, tmp_path: Path
) -> None:
    """The same image under two names is there once."""
    builder.build(SMALL, silent)  # other tests remove it
    other = language("image-test-too", SMALL.image)
    builder.store.tag(built, image_tag(other))
    try:
        builder.bake([SMALL, other], tmp_path / "store.tar", silent)
    finally:
        builder.store.remove(image_tag(other))
    with tarfile.open(tmp_path / "store.tar") as tar:
        members = {member.name: member for member in tar}
        images = tar.extractfile("./overlay-images/images.json")
        assert images is not None
        names = [name for image in json.load(images) for name in image["names"]]
    assert sorted(names) == sorted((built, image_tag(other)))
    roots = [name for name in members if re.fullmatch(r"\./overlay/[0-9a-f]{64}/diff", name)]
    assert len(roots) == 1
    owners = {(member.uid, member.gid) for member in members.values()}
    assert (bake.OWNER, bake.OWNER) in owners
    assert (bake.OWNER, bake.SUBORDINATE + 42 - 1) in owners  # group shadow is 42 in Debian
    assert {uid for ids in owners for uid in ids if uid < bake.OWNER} == set()
    assert not [name for name, member in members.items() if member.isdev()]
    assert list(tmp_path.iterdir()) == [tmp_path / "store.tar"]


def test_an_image_that_is_not_built_cannot_be_baked(builder: Builder, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="run: soulbox images build image-test"):
        builder.bake([IMPOSSIBLE], tmp_path / "store.tar", silent)
    assert list(tmp_path.iterdir()) == []
