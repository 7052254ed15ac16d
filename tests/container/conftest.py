"""Tests here run SoulBox's own container image, by the line that it prints for this host.

scripts/test-container builds the image, gives this user the cgroups that the line names, and runs
them: as root and as somebody else.
"""

import os
from collections.abc import Iterator

import pytest

from tests.container.contained import Contained


@pytest.fixture(scope="session")
def image() -> str:
    """The image under test."""
    return os.environ["SOULBOX_TEST_IMAGE"]


@pytest.fixture(scope="session")
def service(image: str) -> Iterator[Contained]:
    """One container for all tests that leave it as they found it."""
    with Contained(image) as contained:
        yield contained
