from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.quotas.redis_server import RedisServer, redis_server


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with TemporaryDirectory(dir="/tmp") as directory, redis_server(Path(directory)) as server:
        yield server
