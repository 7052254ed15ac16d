"""Databases to test on: one in the directory, and one on a server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path

import pytest

from soulbox_core.settings import Database
from soulbox_core.store.opening import Stores, open_database
from tests.store.server import SurrealServer, surreal_server

Open = Callable[[], AbstractAsyncContextManager[Stores]]
"""Opens the database, which is there the next time."""

NAMES = count()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SurrealServer]:
    """For tests that do it no harm, each with a database of its own."""
    with surreal_server(tmp_path_factory.mktemp("surreal")) as server:
        yield server


@pytest.fixture(params=["embedded", "served"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    settings = Database()
    if request.param == "served":
        server: SurrealServer = request.getfixturevalue("shared_server")
        settings = server.settings(name=f"test{next(NAMES)}")
    return lambda: open_database(settings, tmp_path)
