"""soulbox images, on the images that scripts/test built."""

import pytest

from soulbox_core import registry, settings
from soulbox_core.images.catalog import image_tag
from tests.cli.conftest import Invoke

pytestmark = pytest.mark.integration


def python_tag() -> str:
    return image_tag(registry.load(settings.load()).language("python"))


def test_building_what_is_there_takes_nothing_and_says_so(invoke: Invoke) -> None:
    done = invoke("images", "build", "python")
    assert done.exit_code == 0, done.output
    assert f"{python_tag()} is there" in done.output


def test_list_marks_the_images_in_use(invoke: Invoke) -> None:
    done = invoke("images", "list")
    assert done.exit_code == 0, done.output
    rows = {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines()[1:]}
    assert rows[python_tag()] == "yes"
