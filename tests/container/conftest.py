"""Tests here run SoulBox's own container image, by the line that it prints for this host.

scripts/test-container builds the image, gives this user the cgroups that the line names, and runs
them: as root and as somebody else.
"""

import os
from collections.abc import Iterator

import pytest

from soulbox_core import registry
from soulbox_core.settings import Settings
from tests.container.contained import Contained, only

TIMEOUT_SECONDS = 300
"""For a test, since the first one of a container waits for all of its start."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "container" in item.path.parts:
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))


@pytest.fixture(scope="session")
def image() -> str:
    """The image under test."""
    return os.environ["IMAGE_UNDER_TEST"]


@pytest.fixture(scope="session")
def languages() -> tuple[str, ...]:
    """Those in the image."""
    given = os.environ.get("LANGUAGES_UNDER_TEST", "")
    return tuple(given.split()) or tuple(registry.load(Settings()).languages)


@pytest.fixture(scope="session")
def service(image: str, languages: tuple[str, ...]) -> Iterator[Contained]:
    """One container for all tests that leave it as they found it."""
    with Contained(image, *only(languages)) as contained:
        yield contained
