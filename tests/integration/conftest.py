"""Tests here run real programs in real cells, through a real service over HTTP."""

from collections.abc import Iterator

import pytest

from tests.integration import patience
from tests.integration.service import Service
from tests.integration.trial import trial_service


def pytest_configure(config: pytest.Config) -> None:
    patience.learn(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integration" in item.path.parts:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """One service for all tests that leave it as they found it."""
    service = Service("test")
    yield service
    assert service.stop() == 0, service.said()


@pytest.fixture(scope="session")
def trial() -> Iterator[Service]:
    """One service with the languages of the tests' own plugin."""
    with trial_service("test-trial") as service:
        yield service
