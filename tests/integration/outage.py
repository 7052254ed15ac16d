"""The database goes away under load, the service is killed, and both come back."""

import signal
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.integration.patience import patient
from tests.integration.service import PYTHON_ALONE, Service
from tests.store.server import SurrealServer, surreal_server

_CLIENTS = 4
_BEFORE_SECONDS = 2.0
_PAGE = 100


@dataclass(frozen=True)
class Kept:
    """What is left of the records of runs."""

    answered: int
    """Runs whose clients were told how they ended."""
    lost: int
    """Those of them without a record."""
    doubled: int
    """Records that are there twice, or count twice in the caller's usage."""


def kept_records(name: str, seconds: float) -> Kept:
    """Run it.

    :param name: of the service's instance
    :param seconds: how long the database is away
    """
    with tempfile.TemporaryDirectory() as directory, surreal_server(Path(directory)) as database:
        service = service_on(name, database)
        load = _Load(service.port)
        time.sleep(_BEFORE_SECONDS)
        database.kill()
        time.sleep(seconds)
        service.stop(signal.SIGKILL)  # under load: some are in the middle of it
        answered = load.end()
        database.start()
        service = service_on(name, database)
        try:
            service.await_true(lambda: waiting(service) == 0, "no record waits", 120.0)
            return _compare(answered, service)
        finally:
            service.stop()


def service_on(name: str, database: SurrealServer, *flags: str, auth: bool = False) -> Service:
    """A service whose database is that server."""
    settings = database.settings()
    return Service(
        name,
        *PYTHON_ALONE,
        f"database.url={settings.url}",
        f"database.user={settings.user}",
        f"database.password={settings.password}",
        f"database.seconds={patient(1):g}",
        *flags,
        auth=auth,
    )


class _Load:
    """Clients that run one program after the other, and note which were answered."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/v1/run/python"
        self._answered: list[str] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(_CLIENTS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> list[str]:
        """The ids of those that were answered, when the service is gone."""
        for thread in self._threads:
            thread.join()
        return self._answered

    def _run(self) -> None:
        with httpx.Client(timeout=patient(60)) as client:
            while True:
                try:
                    answer = client.post(self._url, content=b"print(1)")
                except httpx.HTTPError:
                    return  # it was killed
                assert answer.status_code == 200, answer.text
                self._answered.append(answer.json()["id"])


def waiting(service: Service) -> float:
    """Bytes of records that the database does not have yet."""
    return service.metric("soulbox_records_waiting_bytes")


def _compare(answered: list[str], service: Service) -> Kept:
    kept = Counter(ids(service))
    days = service.client.get("/v1/usage").json()
    doubled = sum(count - 1 for count in kept.values())
    return Kept(
        answered=len(answered),
        lost=sum(id not in kept for id in answered),
        doubled=doubled + abs(days["total"]["runs"] - len(kept)),
    )


def ids(service: Service) -> list[str]:
    """The ids of all runs that the caller has a record of."""
    found: list[str] = []
    cursor = None
    while True:
        query = {"limit": str(_PAGE)} | ({} if cursor is None else {"cursor": cursor})
        page = service.client.get("/v1/executions", params=query).json()
        found += [each["id"] for each in page["executions"]]
        cursor = page["next"]
        if cursor is None:
            return found
