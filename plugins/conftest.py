"""Our own plugins' conformance tests run against the service at SOULBOX_URL, or start one."""

import os
from collections.abc import Iterator

import pytest

from tests.integration import patience
from tests.integration.service import Service


def pytest_configure(config: pytest.Config) -> None:
    patience.learn(config)


@pytest.fixture(scope="session")
def service_url() -> Iterator[str]:
    if url := os.environ.get("SOULBOX_URL"):
        yield url
        return
    service = Service("plugins")
    yield service.url
    assert service.stop() == 0, service.said()


@pytest.fixture(autouse=True)
def soulbox_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only tests that ask for real cells get a service."""
    if request.node.get_closest_marker("integration"):
        monkeypatch.setenv("SOULBOX_URL", request.getfixturevalue("service_url"))
